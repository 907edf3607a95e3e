"""Conversion of a hospital's trained model to native forms: trees, or a sum. Nothing is ever unpickled.

XGBoost's trees stay as they are, those of scikit-learn (skops) and ONNX become our own format, and a logistic
regression, alone or behind a scaler, becomes a sum. Everything else cannot be explained exactly: it is refused, or, if
the site allows it, runs in a process apart. The original library is the oracle: both must agree on sample rows.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cds_service.errors import PluginError
from cds_service.explain import leaf_tables
from cds_service.features.feature import Coded, Derived, FirstOf, Quantity
from cds_service.risk import attributes, declared, fusion
from cds_service.risk.declared import DECLARATION, PATIENT, Declaration, FeatureDeclaration
from cds_service.risk.declared_faults import is_yes_or_no
from cds_service.risk.manifest import Column, Input, Learnt, Population, Speaks, Table
from cds_service.risk.speaking import AGE
from cds_service.training import foreign, samples, witness
from cds_service.training.converting import Converted, answers, convert
from cds_service.training.original import Floats, Opened, as_listed

_COUNTS = {
    "log-odds": "log-odds",
    "vote": "average vote of its trees, which is no calibrated risk",
    "decision": "decision value, which is no log-odds",
}
_NO_LIKENESS = (
    "How like the people it learnt from a patient is, all inputs taken together, and what came of people with like "
    "estimates, is not known of an imported model: an estimate tells only which single inputs lie beyond those seen."
)
LOADER = '''"""{title}; made by `curbside models import` from `{file}`; see `card.md`."""

from __future__ import annotations

from pathlib import Path

from cds_service.api import declared_model

model = declared_model(Path(__file__).parent)
'''


def bring_in(
    declaration: Path, sample_rows: Path, out: Path, *, unexplained: bool = False
) -> tuple[Converted, int, float]:
    """Writes a model's folder from its declaration; what it became, the number of sample rows, and how far apart.

    unexplained: whether a model that cannot be explained exactly may run in a process apart, or is refused. Raises
    PluginError or BadRequest with one sentence that says what to mend; nothing is written then.
    """
    found = declared.read(declaration)
    rows = samples.read(sample_rows, found)
    if found.minimum == len(found.features):
        rows = samples.complete(sample_rows, rows)
    path = declaration.parent / found.file
    model = foreign.opened(path)
    _check_columns(path, model, found)
    converted = convert(path, model, rows, unexplained=unexplained)
    if found.calibration.of != converted.counts:
        ends = f" (it comes from {model.ends}, which makes no probability by itself)" if model.ends else ""
        raise PluginError(
            f"{declaration}: calibration.of: this model's own output is its {_COUNTS[converted.counts]}{ends}; say "
            f'of = "{converted.counts}", with the intercept and slope of a logistic regression of the outcome on it'
        )
    _check_gaps(declaration, found, model, converted, rows)
    if converted.means:
        samples.check_means(path, converted.means, found)
    if converted.forest is not None:
        samples.check_splits(path, converted.forest, found)
    apart = _apart(converted, _with_probes(converted, found, rows))
    if not apart <= converted.within:
        raise PluginError(
            f"{found.file}: its own library and what it was converted to differ by {apart:.2g} on the sample rows; "
            "it is not imported"
        )
    attributes.read(declaration.parent)
    _check_place(out, found, converted)
    with tempfile.TemporaryDirectory(prefix="curbside-") as made:
        folder = Path(made) / "model"
        folder.mkdir()
        _write(folder, declaration, found, converted, rows, apart)
        try:
            declared.load(folder).check()
        except PluginError as error:
            raise PluginError(str(error).replace(str(folder), str(out))) from None
        shutil.copytree(folder, out, dirs_exist_ok=True)
    return converted, len(rows), apart


def _check_place(out: Path, found: Declaration, converted: Converted) -> None:
    """Raises PluginError if a folder holds something else, or other weights under the same version."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    if not (out / DECLARATION).is_file():
        raise PluginError(f"{out}: holds something else than an imported model; give --out a folder of its own")
    before = declared.read(out / DECLARATION)
    if before.id != found.id:
        raise PluginError(f"{out}: holds {before.id}; give --out a folder of its own for {found.id}")
    same = (out / converted.name).is_file() and (out / converted.name).read_bytes() == converted.content
    if before.version == found.version and not (same and before.calibration == found.calibration):
        raise PluginError(
            f"{out}: holds {found.id} {found.version} with other weights or another calibration; raise `version`, so "
            "that what was shown before can be told apart"
        )


def _write(
    folder: Path, declaration: Path, found: Declaration, converted: Converted, rows: Floats, apart: float
) -> None:
    """All files of the model's folder."""
    (folder / converted.name).write_bytes(converted.content)
    shutil.copyfile(declaration, folder / DECLARATION)
    fusion.write(_manifest(found, declared.features(found), converted, rows), folder / "manifest.json")
    file = Path(found.file).name
    (folder / "model.py").write_text(LOADER.format(title=found.title.replace('"', "'"), file=file), encoding="utf-8")
    if (declaration.parent / "attributes.json").is_file():
        shutil.copyfile(declaration.parent / "attributes.json", folder / "attributes.json")
    (folder / "card.md").write_text(_card(found, converted, len(rows), apart), encoding="utf-8")
    if converted.kind == "apart":
        weights = Path(found.file)
        witness.write(folder / converted.name, lambda made: answers(weights, converted.oracle, made), rows)


def _with_probes(converted: Converted, found: Declaration, rows: Floats) -> Floats:
    """The sample rows, and rows that lie on the splits of the trees; with gaps only where the model may have some."""
    if converted.forest is None:
        return rows
    probes = leaf_tables.probes(converted.forest).astype(np.float64)
    ordinary = np.nan_to_num(np.nanmedian(rows, axis=0))
    may_lack = np.array(
        [found.minimum < len(found.features) and one.id not in found.required for one in found.features]
    )
    beyond = np.abs(probes) >= samples.BEYOND
    filled = np.where(beyond | (np.isnan(probes) & ~may_lack), ordinary, probes)
    return np.concatenate([rows, filled])


def _apart(converted: Converted, rows: Floats) -> float:
    """The largest difference between the original and what it became on the rows; NaN counts as one.

    A value on a split may be either that which was written or that of single precision: training decided which.
    """
    ours, file = converted.margins(rows), Path(converted.name)
    theirs = [answers(file, converted.oracle, one) for one in (rows, rows.astype(np.float32).astype(np.float64))]
    return float(np.max(np.min([np.abs(ours - one) for one in theirs], axis=0)))


def _check_columns(path: Path, model: Opened, found: Declaration) -> None:
    """Raises PluginError if the file has another number of columns than declared, or names them otherwise."""
    stated = [one.column or one.id for one in found.features]
    if model.width is not None and model.width != len(stated):
        raise PluginError(f"{path.name}: takes {model.width} features, the declaration has {len(stated)}")
    if model.names is not None and list(model.names) != stated:
        raise PluginError(
            f"{path.name}: its columns are {as_listed(model.names)}, the declaration has "
            f"{as_listed(stated)}; declare the features in the model's order, and give `column` where a "
            "feature has another name there"
        )


def _check_gaps(declaration: Path, found: Declaration, model: Opened, converted: Converted, rows: Floats) -> None:
    """Raises PluginError if the declaration lets inputs be missing and the model cannot do without, or fills them."""
    count = len(found.features)
    if found.minimum == count:
        return
    if model.fills is not None:
        raise PluginError(
            f"{declaration}: minimum: this model puts numbers of its own where nothing was measured ({model.fills}), "
            f"and Curbside shows no risk of made-up values; require all {count} features"
        )
    fault = f"{declaration}: minimum: this model knows no gaps; require all {count} features"
    if converted.kind == "additive":
        raise PluginError(fault)
    if converted.kind == "trees" and converted.forest is not None and samples.knows_no_gaps(converted.forest):
        raise PluginError(
            f"{declaration}: minimum: this model sends every gap the same way, so it was trained without gaps or with "
            f"a number such as -999 in them; require all {count} features, or train it with gaps left empty"
        )
    for place, one in enumerate(found.features):
        if one.id not in found.required:
            if not np.any(np.isnan(rows[:, place])):
                raise PluginError(
                    f"{declaration}: minimum: lets {one.id} be missing, and no sample row lacks it; give sample rows "
                    "of the training data with their gaps, or name it in `required`"
                )
            with_gap = rows[:1].copy()
            with_gap[:, place] = np.nan
            try:
                sure = bool(np.all(np.isfinite(converted.oracle(with_gap))))
            except Exception:  # noqa: BLE001 - a foreign library may refuse in any way
                sure = False
            if not sure:
                raise PluginError(fault)


def _manifest(found: Declaration, features: Sequence[Any], converted: Converted, rows: Floats) -> fusion.Fusion:
    ids = tuple(feature.id for feature in features)
    sha256 = hashlib.sha256(converted.content).hexdigest()
    measured = tuple(f.id for f in features if isinstance(f, Quantity | Coded | FirstOf) and not isinstance(f, Derived))
    return fusion.Fusion(
        id=found.id,
        version=found.version,
        title=found.title,
        outcomes=(found.outcome,),
        horizons=(0,),
        inputs=tuple(
            _input(f, one, column) for f, one, column in zip(features, found.features, rows.T, strict=True)
        ),
        modalities=(
            fusion.Modality("inputs", "Inputs", ids, measured, min(found.minimum, len(measured)), converted.kind,
                            found.timeout_ms),
        ),
        parts=(
            fusion.Part("inputs", found.outcome, converted.name, sha256, found.calibration.intercept,
                        found.calibration.slope, converted.expected),
        ),
        patterns=(fusion.Pattern(found.outcome, ("inputs",), {"inputs": 1.0}, {"0": 0.0}, found.people),),
        similar=(),
        speaks=Speaks(found.age, found.required if found.minimum < len(ids) else ids, found.minimum),
        population=Population(found.source, found.card.licence, found.people, None, found.population, {}),
        table=Table("id", (found.outcome, PATIENT)),
        training={"imported_from": Path(found.file).name},
        versions={},
    )  # fmt: skip


def _input(feature: Any, one: FeatureDeclaration, column: Floats) -> Input:
    """An input as the manifest keeps it. column: its sample rows, which tell whether an age is in completed years."""
    unit = str(getattr(feature, "unit", ""))
    low, high = one.seen
    others = (0.0, 1.0) if is_yes_or_no(feature) else (2 * low - high, 2 * high - low)  # as far again on either side
    limits = getattr(feature, "plausible", others)
    held = Column(feature.id, unit, 1.0, limits, {answer: answer for answer in one.answers})
    learnt = Learnt(0, low, low, (low + high) / 2, high, high)
    codes = tuple(code if isinstance(code, str) else code[-1] for code in getattr(feature, "codes", ()))
    whole = feature.id == AGE and bool(np.all(column == np.floor(column)))
    return Input(feature.id, str(feature.label), unit, codes, held, dict(one.answers), whole, None, 0, learnt)


def _card(found: Declaration, converted: Converted, rows: int, apart: float) -> str:
    card = found.card
    features = "\n".join(f"- `{one.id}`, seen from {one.seen[0]:g} to {one.seen[1]:g}" for one in found.features)
    return (
        f"# {found.title}\n\nModel `{found.id}`, version {found.version}, imported from `{Path(found.file).name}`.\n\n"
        f"## Intended use\n\n{card.intended_use}\n\n**Not for:** {card.not_for}\n\n## Data\n\n{card.data}\n\n"
        f"## Inputs\n\n{features}\n\n## Method\n\n{card.method}\n\n{_became(converted, rows, apart)}\n"
        f"Calibration: log-odds = {found.calibration.intercept:g} + {found.calibration.slope:g} x the model's own "
        f"{_COUNTS[converted.counts].partition(',')[0]}.\n\n"
        f"## Performance\n\n{card.performance}\n\n"
        f"## Limits\n\n{card.limits}\n\n{_NO_LIKENESS}\n\n"
        f"## Licence\n\n{card.licence}\n\nSHA-256 of the weights: `{hashlib.sha256(converted.content).hexdigest()}`.\n"
    )


def _became(converted: Converted, rows: int, apart: float) -> str:
    if converted.kind == "apart":
        return "**No exact explanation.** The model runs in a process apart, and what each input adds is not known."
    form = {"trees": "trees", "forest": "trees", "additive": "a sum"}[converted.kind]
    return (
        f"Converted to {form}, explained exactly on the calibrated log-odds: on {rows} sample rows the largest "
        f"difference from the original is {apart:.1g}."
    )
