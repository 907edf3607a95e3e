"""A trained model of another library in a form that serves: trees, a sum or, where neither will do, a process apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cds_service.errors import PluginError
from cds_service.explain.forest import Forest, Nodes
from cds_service.explain.leaf_paths import LeafPaths, exact
from cds_service.explain.leaf_tables import LeafTables
from cds_service.risk.calibration import expit
from cds_service.risk.modality import Additive
from cds_service.training import boosters, grown, onnx_file
from cds_service.training.original import Floats, Opened

AGREEMENT = 1e-6  # between margins of the original and of what it was converted to
AGREEMENT_SINGLE = 1e-5  # the same for probabilities of ONNX, which counts in float32
FEWEST_FOR_COVERS = 100
_ALONE, _SAME = 5, 1e-3  # rows that are asked about alone too, and how far single precision may move their margins


@dataclass(frozen=True, slots=True)
class Converted:
    """Weights in a form that serves. kind: as in `fusion.Modality`. oracle, margins: of the original and of what it
    became, on the scale that `counts` names. within: how far they may be apart. forest: its trees, if it has some.
    means: what a scaler takes from each input, if there is one.
    """

    kind: str
    name: str
    content: bytes
    counts: str
    margins: Callable[[Floats], Floats]
    oracle: Callable[[Floats], Floats]
    expected: float
    within: float = AGREEMENT
    forest: Forest | None = None
    means: tuple[float, ...] = ()


def convert(path: Path, model: Opened, rows: Floats, *, unexplained: bool) -> Converted:
    """A model in a form that serves: a sum, trees, or, if that is allowed, a process apart. Raises PluginError."""
    readers = {"XGBoost": _xgboost, "skops": _skops, "ONNX": _onnx}
    reader = "XGBoost" if path.suffix in {".json", ".ubj"} else "skops" if path.suffix == ".skops" else "ONNX"
    found = readers[reader](path, model, rows)
    if found is not None:
        return found
    what = " + ".join(dict.fromkeys(model.kinds))
    if not unexplained:
        raise PluginError(
            f"{path.name}: is {what}, which cannot be explained exactly and is refused; to run it in a process apart, "
            "labelled so, set models.unexplained = true in the settings"
        )
    expected = float(np.mean(_steady(path, model, rows)))
    name = f"weights{path.suffix}"
    return Converted("apart", name, path.read_bytes(), model.counts, model.margins, model.margins, expected)


def answers(path: Path, oracle: Callable[[Floats], Floats], rows: Floats) -> Floats:
    """What a model's own library says of rows: one number each. Raises PluginError if it cannot compute them."""
    try:
        found = oracle(rows)
        if found.shape != (len(rows),) or not np.all(np.isfinite(found)):
            raise ValueError("it does not give one number for each row")
        return found
    except Exception as error:  # noqa: BLE001 - a foreign library may fail in any way
        raise PluginError(
            f"{path.name}: its own library cannot compute the sample rows ({type(error).__name__}: "
            f"{str(error).splitlines()[0][:120] if str(error) else 'no reason given'})"
        ) from None


def _steady(path: Path, model: Opened, rows: Floats) -> Floats:
    """What a model says of rows. Raises PluginError if that depends on the rows beside them, or on chance."""
    found = answers(path, model.margins, rows)
    alone = np.concatenate([answers(path, model.margins, row[None, :]) for row in rows[:_ALONE]])
    if not np.allclose(found[:_ALONE], alone, rtol=_SAME, atol=_SAME):
        raise PluginError(
            f"{path.name}: says other things of a row alone than of the same row among others, or says other things "
            "each time; export it for inference (without dropout, and without averages over a batch)"
        )
    return found


def _xgboost(path: Path, model: Opened, rows: Floats) -> Converted | None:
    content = bytes(model.model.save_raw("ubj"))
    if (line := boosters.linear(content)) is not None:
        weights, bias = line
        zeros, ones = np.zeros(len(weights)), np.ones(len(weights))
        base = float(model.margins(np.zeros((1, len(weights))))[0]) - bias
        found = _sum(zeros, ones, weights, base + bias, model.margins)
        return replace(found, within=AGREEMENT_SINGLE)  # XGBoost adds up in single precision
    if boosters.drops(content):
        content = _resaved(boosters.undropped(bytes(model.model.save_raw("json"))))
    forest = Forest.read(content)
    tables = None if forest is None else exact(forest)
    if tables is None:
        return None
    margins = _of(tables)
    return Converted(
        "trees", "weights.ubj", content, "log-odds", margins, model.margins, tables.expected, forest=forest
    )


def _resaved(document: bytes) -> bytes:
    """XGBoost's UBJSON of its JSON."""
    import xgboost

    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(document))
    return bytes(booster.save_raw("ubj"))


def _skops(path: Path, model: Opened, rows: Floats) -> Converted | None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler

    given: Any = model.model
    steps = [step for _, step in given.steps] if isinstance(given, Pipeline) else [given]
    if len(steps) > 1 and _idle(steps[0]):
        steps = steps[1:]
    scaler: Any = steps[0] if len(steps) == 2 and isinstance(steps[0], StandardScaler) else None
    last = steps[-1]
    if len(steps) == 1 and (grown_trees := grown.of_scikit_learn(last)) is not None:
        return _forest(grown_trees, model.counts, model.margins)
    if not isinstance(last, LogisticRegression) or len(steps) != (1 if scaler is None else 2):
        return None
    width = len(last.coef_[0])
    scaled = scaler is not None
    mean = scaler.mean_ if scaled and scaler.with_mean else np.zeros(width)
    scale = scaler.scale_ if scaled and scaler.with_std else np.ones(width)
    return _sum(mean, scale, last.coef_[0], float(last.intercept_[0]), model.margins)


def _idle(step: Any) -> bool:
    """Whether a step changes nothing where every input is there, as the declaration of a model with it must require."""
    from sklearn.impute import SimpleImputer

    if not isinstance(step, SimpleImputer) or step.add_indicator:
        return False
    gap = step.missing_values
    return isinstance(gap, float) and np.isnan(gap) and bool(np.all(np.isfinite(step.statistics_)))


def _onnx(path: Path, model: Opened, rows: Floats) -> Converted | None:
    import onnx

    graph, session = model.model
    made = {node.op_type: {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute} for node in graph.node}
    width, main = rows.shape[1], set(made) - _BESIDE

    def probability(rows: Floats) -> Floats:
        return onnx_file.probabilities(session, rows)

    if main == {"TreeEnsembleClassifier"} and "Scaler" not in made and len(graph.node) == len(made):
        found = grown.of_onnx(made["TreeEnsembleClassifier"], width, rows.astype(np.float32))
        if found is None:
            return None
        if len(rows) < FEWEST_FOR_COVERS:
            raise PluginError(
                f"{path.name}: an ONNX file does not tell how its training rows went through the trees; give at "
                f"least {FEWEST_FOR_COVERS} sample rows of the training data, from which that is counted"
            )
        trees, votes = found
        forest = _forest(trees, "vote" if votes else "log-odds", probability)
        if forest is None:
            return None
        margins = forest.margins
        return replace(forest, margins=margins if votes else lambda r: expit(margins(r)), within=AGREEMENT_SINGLE)
    linear = made.get("LinearClassifier")
    if linear is None or main != {"LinearClassifier"} or linear.get("post_transform") != b"LOGISTIC":
        return None
    if "Normalizer" in model.kinds[: model.kinds.index("LinearClassifier")]:
        return None  # of the inputs, and not of what comes out
    scaler = made.get("Scaler", {})
    mean = np.array(scaler.get("offset", np.zeros(width)), dtype=np.float64)
    scale = 1.0 / np.array(scaler.get("scale", np.ones(width)), dtype=np.float64)
    weights = np.array(linear["coefficients"], dtype=np.float64)[-width:]
    found_sum = _sum(mean, scale, weights, float(linear["intercepts"][-1]), probability)
    by_sum = found_sum.margins
    return replace(found_sum, margins=lambda r: expit(by_sum(r)), within=AGREEMENT_SINGLE)


_BESIDE = {"Scaler", "Cast", "ZipMap", "Identity", "Reshape", "Normalizer"}


def _of(tables: LeafTables | LeafPaths) -> Callable[[Floats], Floats]:
    forest = tables.forest
    return lambda rows: np.array(
        [forest.margin(forest.goes_left(row)) for row in rows.astype(np.float32)], dtype=np.float64
    )


def _forest(trees: Nodes, counts: str, oracle: Callable[[Floats], Floats]) -> Converted | None:
    content = trees.encoded()
    forest = Forest.of_nodes(content)
    tables = None if forest is None else exact(forest)
    if tables is None:
        return None
    return Converted(
        "forest", "weights.json", content, counts, _of(tables), oracle, tables.expected, forest=tables.forest
    )


def _sum(
    mean: Floats, scale: Floats, weight: Floats, intercept: float, oracle: Callable[[Floats], Floats]
) -> Converted:
    found = Additive(tuple(mean.tolist()), tuple(scale.tolist()), tuple(weight.tolist()), False, intercept)
    content = msgspec.json.encode(found)
    means = found.mean if np.any(mean) else ()
    return Converted("additive", "weights.json", content, "log-odds", found.margins, oracle, intercept, means=means)
