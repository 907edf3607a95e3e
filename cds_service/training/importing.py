"""Conversion of a hospital's trained model to native forms: trees, or a sum. Nothing is ever unpickled.

XGBoost's trees stay as they are, those of scikit-learn (skops) and ONNX become our own format, and a logistic
regression, alone or behind a scaler, becomes a sum. Everything else cannot be explained exactly: it is refused, or, if
the site allows it, runs in a process apart. The original library is the oracle: both must agree on sample rows.
"""

from __future__ import annotations

import csv
import hashlib
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cds_service.errors import BadRequest, PluginError
from cds_service.features.feature import Coded, Derived, FirstOf, Quantity
from cds_service.risk import attributes, declared, fusion
from cds_service.risk.declared import DECLARATION, Declaration
from cds_service.risk.manifest import Column, Input, Learnt, Population, Speaks, Table
from cds_service.training import foreign
from cds_service.training.converting import Converted, answers, convert

Matrix = NDArray[np.float32]
FEWEST = 5  # sample rows
_COUNTS = {
    "log-odds": "log-odds",
    "vote": "average vote of its trees, which is no calibrated risk",
    "decision": "decision value, which is no log-odds",
}
LOADER = '''"""{title}; made by `curbside models import` from `{file}`; see `card.md`."""

from __future__ import annotations

from pathlib import Path

from cds_service.api import declared_model

model = declared_model(Path(__file__).parent)
'''


def bring_in(declaration: Path, samples: Path, out: Path, *, unexplained: bool = False) -> tuple[Converted, int, float]:
    """Writes a model's folder from its declaration; what it became, the number of sample rows, and how far apart.

    unexplained: whether a model that cannot be explained exactly may run in a process apart, or is refused. Raises
    PluginError or BadRequest with one sentence that says what to mend; nothing is written then.
    """
    found = declared.read(declaration)
    features = declared.features(found)
    rows = _samples(samples, [feature.id for feature in features])
    path = declaration.parent / found.file
    model = foreign.opened(path)
    _check_columns(path, model, found)
    converted = convert(path, model, rows, unexplained=unexplained)
    if found.calibration.of != converted.counts:
        raise PluginError(
            f"{declaration}: calibration.of: this model's own output is its {_COUNTS[converted.counts]}; say "
            f'of = "{converted.counts}", with the intercept and slope of a logistic regression of the outcome on it'
        )
    _check_gaps(declaration, found, converted, rows)
    apart = _apart(converted, rows)
    if not apart <= converted.within:
        raise PluginError(
            f"{found.file}: its own library and what it was converted to differ by {apart:.2g} on the sample rows; "
            "it is not imported"
        )
    attributes.read(declaration.parent)
    out.mkdir(parents=True, exist_ok=True)
    (out / converted.name).write_bytes(converted.content)
    shutil.copyfile(declaration, out / DECLARATION)
    fusion.write(_manifest(found, features, converted), out / "manifest.json")
    (out / "model.py").write_text(LOADER.format(title=found.title.replace('"', "'"), file=path.name))
    if (declaration.parent / "attributes.json").is_file():
        shutil.copyfile(declaration.parent / "attributes.json", out / "attributes.json")
    (out / "card.md").write_text(_card(found, converted, len(rows), apart), encoding="utf-8")
    declared.load(out).check()
    return converted, len(rows), apart


def _apart(converted: Converted, rows: Matrix) -> float:
    """The largest difference between the original and what it became on the rows; NaN counts as one."""
    ours, theirs = converted.margins(rows), answers(Path(converted.name), converted.oracle, rows)
    return float(np.max(np.abs(ours - theirs)))


def _check_columns(path: Path, model: foreign.Opened, found: Declaration) -> None:
    """Raises PluginError if the file has another number of columns than declared, or names them otherwise."""
    stated = [one.column or one.id for one in found.features]
    if model.width is not None and model.width != len(stated):
        raise PluginError(f"{path.name}: takes {model.width} features, the declaration has {len(stated)}")
    if model.names is not None and list(model.names) != stated:
        raise PluginError(
            f"{path.name}: its columns are {foreign.as_listed(model.names)}, the declaration has "
            f"{foreign.as_listed(stated)}; declare the features in the model's order, and give `column` where a "
            "feature has another name there"
        )


def _check_gaps(declaration: Path, found: Declaration, converted: Converted, rows: Matrix) -> None:
    """Raises PluginError if the declaration lets inputs be missing and the model cannot do without."""
    count = len(found.features)
    if found.minimum == count:
        return
    fault = f"{declaration}: minimum: this model knows no gaps; require all {count} features"
    if converted.kind == "additive":
        raise PluginError(fault)
    for place, one in enumerate(found.features):
        if one.id not in found.required:
            with_gap = rows[:1].copy()
            with_gap[:, place] = np.nan
            try:
                sure = bool(np.all(np.isfinite(converted.oracle(with_gap))))
            except Exception:  # noqa: BLE001 - a foreign library may refuse in any way
                sure = False
            if not sure:
                raise PluginError(fault)


def _samples(path: Path, ids: Sequence[str]) -> Matrix:
    """Rows of numbers, one column a feature id. Raises BadRequest."""
    try:
        rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        found = np.array([[float(row[id_]) if row[id_] else np.nan for id_ in ids] for row in rows], dtype=np.float32)
    except OSError as error:
        raise BadRequest(f"{path}: cannot be read; give sample rows as CSV") from error
    except KeyError as error:
        raise BadRequest(f"{path.name}: has no column {error}; give one column for each feature id") from error
    except (ValueError, TypeError) as error:
        raise BadRequest(f"{path.name}: holds a cell that is no number; leave cells empty where nothing is") from error
    if len(found) < FEWEST:
        raise BadRequest(f"{path.name}: has {len(found)} rows; at least {FEWEST} are needed to compare on")
    return found


def _manifest(found: Declaration, features: Sequence[Any], converted: Converted) -> fusion.Fusion:
    ids = tuple(feature.id for feature in features)
    sha256 = hashlib.sha256(converted.content).hexdigest()
    measured = tuple(f.id for f in features if isinstance(f, Quantity | Coded | FirstOf) and not isinstance(f, Derived))
    return fusion.Fusion(
        id=found.id,
        version=found.version,
        title=found.title,
        outcomes=(found.outcome,),
        horizons=(0,),
        inputs=tuple(_input(f, one.seen, one.answers) for f, one in zip(features, found.features, strict=True)),
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
        table=Table("id", (found.outcome,)),
        training={"imported_from": Path(found.file).name},
        versions={},
    )  # fmt: skip


def _input(feature: Any, seen: tuple[float, float], answers: dict[str, float]) -> Input:
    unit = str(getattr(feature, "unit", ""))
    low, high = getattr(feature, "plausible", (-1e9, 1e9))
    column = (
        None if isinstance(feature, Derived) else Column(feature.id, unit, 1.0, (low, high), {a: a for a in answers})
    )
    learnt = Learnt(0, seen[0], seen[0], (seen[0] + seen[1]) / 2, seen[1], seen[1])
    codes = tuple(getattr(feature, "codes", ()))
    return Input(feature.id, str(feature.label), unit, codes, column, dict(answers), False, None, 0, learnt)


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
        f"## Limits\n\n{card.limits}\n\n"
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
