"""Conversion of a hospital's trained model to native forms: trees, or a sum. Nothing is ever unpickled.

XGBoost's JSON and UBJSON stay trees. scikit-learn (skops) and ONNX files are read without running them where they are a
logistic regression, alone or behind a scaler: they become a sum. Everything else is refused in words: its numbers could
not be explained exactly. The original library is the oracle: both must agree on sample rows.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from cds_service.errors import BadRequest, PluginError
from cds_service.explain.leaf_tables import LeafTables
from cds_service.features.feature import Coded, Derived, FirstOf, Quantity
from cds_service.risk import declared, fusion
from cds_service.risk.calibration import expit
from cds_service.risk.declared import DECLARATION, Declaration
from cds_service.risk.manifest import Column, Input, Learnt, Population, Speaks, Table
from cds_service.risk.modality import Additive

Matrix = NDArray[np.float32]
Floats = NDArray[np.float64]
AGREEMENT = 1e-5  # between probabilities of the original and of what it was converted to
FEWEST = 5  # sample rows
LOADER = '''"""{title}; made by `curbside models import` from `{file}`; see `card.md`."""

from __future__ import annotations

from pathlib import Path

from cds_service.api import declared_model

model = declared_model(Path(__file__).parent)
'''


@dataclass(frozen=True, slots=True)
class Converted:
    """Weights in a native form. kind: as in `fusion.Modality`. oracle: probabilities by the original library."""

    kind: str
    name: str
    content: bytes
    margins: Callable[[Matrix], Floats]
    oracle: Callable[[Matrix], Floats]
    expected: float


def bring_in(declaration: Path, samples: Path, out: Path) -> tuple[int, float]:
    """Writes a model's folder from its declaration; the number of sample rows and the largest difference on them.

    Raises PluginError or BadRequest with one sentence that says what to mend; nothing is written then.
    """
    found = declared.read(declaration)
    features = declared.features(found)
    converted = convert(declaration.parent / found.file, len(features))
    if converted.kind == "additive" and found.minimum != len(features):
        raise PluginError(f"{declaration}: minimum: a sum knows no gaps; require all {len(features)} features")
    rows = _samples(samples, [feature.id for feature in features])
    apart = float(np.max(np.abs(expit(converted.margins(rows)) - converted.oracle(rows))))
    if not apart <= AGREEMENT:
        raise PluginError(
            f"{found.file}: its own library and what it was converted to differ by {apart:.2g} on the sample rows; "
            "it is not imported"
        )
    out.mkdir(parents=True, exist_ok=True)
    (out / converted.name).write_bytes(converted.content)
    shutil.copyfile(declaration, out / DECLARATION)
    fusion.write(_manifest(found, features, converted), out / "manifest.json")
    (out / "model.py").write_text(LOADER.format(title=found.title.replace('"', "'"), file=Path(found.file).name))
    attributes = declaration.with_name("attributes.json")
    if attributes.is_file():
        shutil.copyfile(attributes, out / "attributes.json")
    (out / "card.md").write_text(_card(found, converted, len(rows), apart), encoding="utf-8")
    declared.load(out).check()
    return len(rows), apart


def convert(path: Path, width: int) -> Converted:
    """A model file in a native form. Raises PluginError if it cannot be read or is of another kind."""
    readers = {".json": _xgboost, ".ubj": _xgboost, ".skops": _skops, ".onnx": _onnx}
    if path.suffix in {".pkl", ".pickle", ".joblib"}:
        raise PluginError(f"{path.name}: a pickle runs code when it is read; save it with skops, ONNX or XGBoost")
    if path.suffix not in readers:
        raise PluginError(f"{path.name}: is none of {', '.join(readers)}; save the model in one of these formats")
    if not path.is_file():
        raise PluginError(f"{path}: there is no such file; mend `file` in the declaration")
    return readers[path.suffix](path, width)


def _xgboost(path: Path, width: int) -> Converted:
    import xgboost

    booster = xgboost.Booster({"nthread": 1})
    try:
        booster.load_model(bytearray(path.read_bytes()))
    except xgboost.core.XGBoostError as error:
        raise PluginError(f"{path.name}: XGBoost cannot read it; save it with save_model()") from error
    content = bytes(booster.save_raw("ubj"))
    tables = LeafTables.read(content)
    objective = str(json.loads(booster.save_config())["learner"]["objective"]["name"])
    if tables is None or objective != "binary:logistic":
        raise PluginError(f"{path.name}: only plain trees with the objective binary:logistic can be explained exactly")
    if booster.num_features() != width:
        raise PluginError(f"{path.name}: takes {booster.num_features()} features, the declaration has {width}")

    def margins(rows: Matrix) -> Floats:
        return np.array([tables.explain(row)[1] for row in rows], dtype=np.float64)

    def oracle(rows: Matrix) -> Floats:
        return np.asarray(booster.predict(xgboost.DMatrix(rows, nthread=1)), dtype=np.float64)

    return Converted("trees", "weights.ubj", content, margins, oracle, tables.expected)


def _skops(path: Path, width: int) -> Converted:
    import skops.io
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    try:
        unknown = skops.io.get_untrusted_types(file=path)
        model: Any = None if unknown else skops.io.load(path, trusted=[])
    except Exception as error:  # noqa: BLE001 - a foreign file may fail in any way
        raise PluginError(
            f"{path.name}: is not a skops file ({type(error).__name__}); save it with skops.io.dump"
        ) from None
    if unknown:
        raise PluginError(f"{path.name}: holds types that are not trusted ({', '.join(unknown[:3])}); it is not read")
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else [model]
    scaler: Any = steps[0] if len(steps) == 2 and isinstance(steps[0], StandardScaler) else None
    last = steps[-1]
    if (
        not isinstance(last, LogisticRegression)
        or len(steps) != (1 if scaler is None else 2)
        or len(last.classes_) != 2
    ):
        raise PluginError(
            f"{path.name}: is a {' + '.join(type(step).__name__ for step in steps)}; a binary LogisticRegression, "
            "alone or behind a StandardScaler, can be explained exactly, other models cannot and are refused"
        )
    scaled = scaler is not None
    mean = scaler.mean_ if scaled and scaler.with_mean else np.zeros(width)
    scale = scaler.scale_ if scaled and scaler.with_std else np.ones(width)

    def oracle(rows: Matrix) -> Floats:
        return np.asarray(model.predict_proba(rows.astype(np.float64))[:, 1], dtype=np.float64)

    return _sum(path, width, mean, scale, last.coef_[0], float(last.intercept_[0]), oracle)


def _onnx(path: Path, width: int) -> Converted:
    import onnx
    import onnxruntime

    try:
        graph = onnx.load(path, load_external_data=False).graph
    except Exception as error:  # noqa: BLE001 - a foreign file may fail in any way
        raise PluginError(f"{path.name}: is not an ONNX file ({type(error).__name__})") from None
    nodes = {node.op_type: {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute} for node in graph.node}
    beside = {"Scaler", "Normalizer", "Cast", "ZipMap", "Identity", "Reshape"}
    linear = nodes.get("LinearClassifier")
    if linear is None or set(nodes) - beside - {"LinearClassifier"} or linear.get("post_transform") != b"LOGISTIC":
        raise PluginError(
            f"{path.name}: is {' + '.join(node.op_type for node in graph.node)}; a logistic regression "
            "(LinearClassifier), alone or behind a Scaler, can be explained exactly, other graphs are refused"
        )
    scaler = nodes.get("Scaler", {})
    mean = np.array(scaler.get("offset", np.zeros(width)), dtype=np.float64)
    scale = 1.0 / np.array(scaler.get("scale", np.ones(width)), dtype=np.float64)
    weights = np.array(linear["coefficients"], dtype=np.float64)[-width:]
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])

    def oracle(rows: Matrix) -> Floats:
        answer: Any = session.run(None, {session.get_inputs()[0].name: rows})[1]
        if isinstance(answer, list):
            return np.array([row[1] for row in answer], dtype=np.float64)
        return np.asarray(answer[:, 1], dtype=np.float64)

    return _sum(path, width, mean, scale, weights, float(linear["intercepts"][-1]), oracle)


def _sum(
    path: Path, width: int, mean: Floats, scale: Floats, weight: Floats, intercept: float,
    oracle: Callable[[Matrix], Floats],
) -> Converted:  # fmt: skip
    if not len(mean) == len(scale) == len(weight) == width:
        raise PluginError(f"{path.name}: takes {len(weight)} features, the declaration has {width}")
    found = Additive(tuple(mean.tolist()), tuple(scale.tolist()), tuple(weight.tolist()), False, intercept)
    return Converted("additive", "weights.json", msgspec.json.encode(found), found.margins, oracle, intercept)


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
            fusion.Modality("inputs", "Inputs", ids, measured, min(found.minimum, len(measured)), converted.kind),
        ),
        parts=(
            fusion.Part("inputs", found.outcome, converted.name, sha256, found.calibration.intercept,
                        found.calibration.slope, converted.expected),
        ),
        patterns=(fusion.Pattern(found.outcome, ("inputs",), {"inputs": 1.0}, {"0": 0.0}, found.people),),
        similar=(),
        speaks=Speaks(found.age, found.required if converted.kind == "trees" else ids, found.minimum),
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
        f"## Inputs\n\n{features}\n\n## Method\n\n{card.method}\n\nConverted to {converted.kind}: on {rows} sample "
        f"rows the largest difference from the original is {apart:.1g}.\n"
        f"Calibration: slope {found.calibration.slope:g}, intercept {found.calibration.intercept:g}.\n\n"
        f"## Performance\n\n{card.performance}\n\n"
        f"## Limits\n\n{card.limits}\n\n"
        f"## Licence\n\n{card.licence}\n\nSHA-256 of the weights: `{hashlib.sha256(converted.content).hexdigest()}`.\n"
    )
