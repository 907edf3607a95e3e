"""XGBoost's files: what they hold is checked before XGBoost reads them, because its reader ends the program on some."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cds_service.errors import PluginError
from cds_service.explain import ubjson
from cds_service.training.original import Floats, Opened

_ON_LOG_ODDS = ("binary:logistic", "reg:logistic")
_UBJSON = b"{L"  # an object whose first name has a length of eight bytes, as XGBoost writes it
_NO_CHILD = -1


def opened(path: Path) -> Opened:
    """The model in a file. Raises PluginError with one sentence that says what to mend."""
    import xgboost

    content = path.read_bytes()
    try:
        fault = _fault(_read(content))
        if fault is None:
            booster = xgboost.Booster({"nthread": 1})
            booster.load_model(bytearray(content))
    except (xgboost.core.XGBoostError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise PluginError(
            f"{path.name}: XGBoost cannot read it; save it anew with save_model() as .json or .ubj"
        ) from error
    if fault is not None:
        raise PluginError(f"{path.name}: {fault}")

    def margins(rows: Floats) -> Floats:
        matrix = xgboost.DMatrix(rows.astype(np.float32), nthread=1)
        return np.asarray(booster.predict(matrix, output_margin=True, validate_features=False), dtype=np.float64)

    names = tuple(booster.feature_names) if booster.feature_names else None
    kind = f"XGBoost ({_read(content)['learner']['gradient_booster']['name']})"
    return Opened(booster, (kind,), "log-odds", margins, names, booster.num_features())


def linear(content: bytes) -> tuple[Floats, float] | None:
    """Weights and intercept of a `gblinear` model, from its UBJSON without base score; None if it is another."""
    booster = _read(content)["learner"]["gradient_booster"]
    if booster["name"] != "gblinear":
        return None
    weights = np.asarray(booster["model"]["weights"], dtype=np.float64)
    return weights[:-1], float(weights[-1])


def drops(content: bytes) -> bool:
    """Whether UBJSON is of a `dart` model."""
    return bool(_read(content)["learner"]["gradient_booster"]["name"] == "dart")


def undropped(document: bytes) -> bytes:
    """The same trees as plain ones, from the JSON of a `dart` model: each leaf times its tree's weight."""
    found = msgspec.json.decode(document)
    booster = found["learner"]["gradient_booster"]
    inner = booster["gbtree"]
    for tree, weight in zip(inner["model"]["trees"], booster["weight_drop"], strict=True):
        leaf = np.asarray(tree["left_children"]) == _NO_CHILD
        at = np.asarray(tree["split_conditions"], dtype=np.float32)
        tree["split_conditions"] = np.where(leaf, at * np.float32(weight), at).astype(float).tolist()
    found["learner"]["gradient_booster"] = inner
    return msgspec.json.encode(found)


def _read(content: bytes) -> Any:
    """The document in a file. Raises ValueError (of msgspec or `ubjson`) or RecursionError."""
    return ubjson.read(content) if content.startswith(_UBJSON) else msgspec.json.decode(content)


def _fault(document: Any) -> str | None:
    """Why a model cannot be taken, or None. Raises LookupError, TypeError or ValueError for what is no model."""
    learner = document["learner"]
    objective, shape, booster = learner["objective"]["name"], learner["learner_model_param"], _booster(learner)
    if objective not in _ON_LOG_ODDS:
        return (
            f"its objective is {objective}; Curbside shows the risk of one outcome: train it with binary:logistic on "
            "an outcome of 0 and 1"
        )
    if int(shape["num_class"]) > 1 or int(shape.get("num_target", 1)) > 1:
        return "has several outcomes; train one model for each, on an outcome of 0 and 1"
    categorical = _categorical(learner, booster)
    if categorical is not None:
        return (
            f"{categorical}, whose categories are numbers of the training program only; train it with a column of 0 "
            "and 1 for each category"
        )
    trees = booster["model"].get("trees", ())
    if not all(_sound(tree, int(shape["num_feature"])) for tree in trees):
        return "its trees lead nowhere, to columns that it lacks, or hold no training rows; save it with save_model()"
    best = learner.get("attributes", {}).get("best_iteration")
    rounds = len(trees) // max(int(booster["model"].get("gbtree_model_param", {}).get("num_parallel_tree", 1)), 1)
    if best is not None and trees and int(best) + 1 != rounds:
        return (
            f"was stopped early, and nobody can tell whether its {rounds} rounds count or the {int(best) + 1} up to "
            f"the best; save those that count, as in booster[:{int(best) + 1}].save_model(...)"
        )
    return None


def _booster(learner: Mapping[str, Any]) -> Any:
    """The part with the trees or weights; that of `dart` has its trees one level down."""
    booster = learner["gradient_booster"]
    return booster["gbtree"] if booster["name"] == "dart" else booster


def _categorical(learner: Mapping[str, Any], booster: Mapping[str, Any]) -> str | None:
    """What shows that a model takes categories, in words; None if it takes numbers alone."""
    kinds = list(learner.get("feature_types", ()))
    names = list(learner.get("feature_names", ()))
    if "c" in kinds:
        place = kinds.index("c")
        return f"column {names[place] if place < len(names) else place + 1} is categorical"
    if any(len(tree["categories"]) for tree in booster["model"].get("trees", ())):
        return "has splits by category"
    return None


def _sound(tree: Mapping[str, Any], width: int) -> bool:
    """Whether every way from the root ends in a leaf, and every split asks for a column that there is."""
    left, right = (np.asarray(tree[f"{side}_children"], dtype=np.int64) for side in ("left", "right"))
    asked = np.asarray(tree["split_indices"], dtype=np.int64)
    size = len(left)
    lengths = {len(tree[name]) for name in ("right_children", "split_indices", "split_conditions", "default_left")}
    if not size or lengths != {size}:
        return False
    if not np.all(np.asarray(tree["sum_hessian"], dtype=np.float64)[left != _NO_CHILD] > 0):
        return False
    nodes, met = np.zeros(1, dtype=np.int64), 1
    while len(nodes):
        nodes = nodes[left[nodes] != _NO_CHILD]
        if np.any((asked[nodes] < 0) | (asked[nodes] >= width)):
            return False
        nodes = np.concatenate([left[nodes], right[nodes]])
        met += len(nodes)
        if met > size or np.any((nodes < 1) | (nodes >= size)):
            return False
    return True
