"""Trees of scikit-learn and ONNX in our own format: the same splits, values and ways of missing inputs.

Their rows go left at `<=`, ours below: each split becomes the next larger number of float32, in which inputs are
counted. Histogram trees compare in float64, where a value that was written with few digits may lie on a split: there
the split is rounded as values are. Gradient boosting adds up on the log-odds. A random forest averages the votes of
its trees: that average is the margin, exactly additive, and the declaration's calibration takes it to log-odds.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cds_service.explain.forest import Forest, Nodes

Matrix = NDArray[np.float32]
_LARGEST = float(np.finfo(np.float32).max)
_UNSEEN = 0.01  # rows that a leaf of an ONNX tree counts for, where no sample row came


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree: parallel lists, an entry a node, children after their parent; left is -1 in leaves."""

    feature: list[int]
    at: list[float]
    missing_left: list[bool]
    left: list[int]
    right: list[int]
    value: list[float]
    cover: list[float]


def nodes(trees: Iterable[Tree], n_features: int, base: float) -> Nodes:
    """The trees as one file's content."""
    given = list(trees)
    return Nodes(
        n_features=n_features,
        base=base,
        feature=[tree.feature for tree in given],
        at=[tree.at for tree in given],
        missing_left=[tree.missing_left for tree in given],
        left=[tree.left for tree in given],
        right=[tree.right for tree in given],
        value=[tree.value for tree in given],
        cover=[tree.cover for tree in given],
    )


def of_scikit_learn(model: Any) -> Nodes | None:
    """The trees of a fitted classifier of scikit-learn; None if it is none, or not a plain sum of trees."""
    kind, width = type(model).__name__, int(model.n_features_in_)
    if kind in {"DecisionTreeClassifier", "ExtraTreeClassifier"}:
        return nodes([_cart(model.tree_, _votes(model.tree_))], width, 0.0)
    if kind in {"RandomForestClassifier", "ExtraTreesClassifier"}:
        found = [tree.tree_ for tree in model.estimators_]
        return nodes([_cart(tree, _votes(tree) / len(found)) for tree in found], width, 0.0)
    if kind == "GradientBoostingClassifier" and model.loss == "log_loss":
        if not isinstance(model.init_, str) and type(model.init_).__name__ != "DummyClassifier":
            return None
        base = float(model._raw_predict_init(np.zeros((1, width), dtype=np.float32))[0, 0])
        grown = [tree.tree_ for tree in model.estimators_[:, 0]]
        return nodes([_cart(tree, tree.value[:, 0, 0] * model.learning_rate) for tree in grown], width, base)
    if kind == "HistGradientBoostingClassifier":
        stages = [stage[0].nodes for stage in model._predictors]
        if model.is_categorical_ is not None or any(stage["is_categorical"].any() for stage in stages):
            return None
        return nodes(map(_histogram, stages), width, float(np.ravel(model._baseline_prediction)[0]))
    return None


def _votes(tree: Any) -> Any:
    """Each node's share of training rows with the outcome, by weight."""
    return tree.value[:, 0, 1] / tree.value[:, 0, :].sum(axis=1)


def _cart(tree: Any, values: Any) -> Tree:
    leaf = tree.children_left < 0
    return Tree(
        feature=np.where(leaf, 0, tree.feature).tolist(),
        at=_below(np.where(leaf, 0.0, tree.threshold)),
        missing_left=np.asarray(tree.missing_go_to_left, dtype=bool).tolist(),
        left=np.where(leaf, -1, tree.children_left).tolist(),
        right=np.where(leaf, -1, tree.children_right).tolist(),
        value=np.where(leaf, values, 0.0).tolist(),
        cover=tree.weighted_n_node_samples.tolist(),
    )


def _histogram(stage: Any) -> Tree:
    leaf = stage["is_leaf"].astype(bool)
    return Tree(
        feature=np.where(leaf, 0, stage["feature_idx"]).tolist(),
        at=_below(np.where(leaf, 0.0, stage["num_threshold"]).astype(np.float32)),
        missing_left=stage["missing_go_to_left"].astype(bool).tolist(),
        left=np.where(leaf, -1, stage["left"].astype(np.int64)).tolist(),
        right=np.where(leaf, -1, stage["right"].astype(np.int64)).tolist(),
        value=np.where(leaf, stage["value"], 0.0).tolist(),
        cover=stage["count"].astype(float).tolist(),
    )


def _below(thresholds: Any) -> list[float]:
    """For each threshold t the number a of float32 such that x <= t exactly where x < a."""
    given = np.clip(np.asarray(thresholds, dtype=np.float64), -_LARGEST, _LARGEST)
    near = given.astype(np.float32)
    low = np.where(near.astype(np.float64) > given, np.nextafter(near, np.float32(-np.inf)), near)
    above = np.nextafter(low.astype(np.float32), np.float32(np.inf))
    return [float(value) for value in np.minimum(above, np.float32(_LARGEST))]


def of_onnx(ensemble: dict[str, Any], width: int, rows: Matrix) -> tuple[Nodes, bool] | None:
    """The trees of a TreeEnsembleClassifier of two classes, and whether they vote; None if it is another sum.

    rows: an ONNX file does not tell how many training rows went which way, so these are counted.
    """
    after, asked = ensemble.get("post_transform", b"NONE"), sorted(set(ensemble.get("class_ids", ())))
    if after not in (b"NONE", b"LOGISTIC") or list(ensemble.get("classlabels_int64s", ())) != [0, 1]:
        return None
    if asked not in ([0], [1], [0, 1]) or (asked == [0, 1] and after == b"LOGISTIC"):
        return None
    wanted = 1 if asked == [0, 1] else asked[0]
    values: dict[tuple[int, int], float] = defaultdict(float)
    weighed = zip(ensemble["class_treeids"], ensemble["class_nodeids"], ensemble["class_ids"],
                  ensemble["class_weights"], strict=True)  # fmt: skip
    for tree, node, class_id, weight in weighed:
        if class_id == wanted:
            values[tree, node] += float(weight)
    by_tree: dict[int, list[int]] = defaultdict(list)
    for place, tree in enumerate(ensemble["nodes_treeids"]):
        by_tree[tree].append(place)
    grown = [_listed(ensemble, places, values) for places in by_tree.values()]
    if any(tree is None for tree in grown):
        return None
    base = float(sum(ensemble.get("base_values", ())))
    return _counted(nodes([tree for tree in grown if tree is not None], width, base), rows), after == b"NONE"


def _listed(ensemble: dict[str, Any], places: Sequence[int], values: dict[tuple[int, int], float]) -> Tree | None:
    """One tree of ONNX, its nodes in an order in which children follow their parent."""
    by_id = {ensemble["nodes_nodeids"][place]: place for place in places}
    order, left_of, right_of = [places[0]], [-1], [-1]
    modes = [bytes(mode).decode() for mode in ensemble["nodes_modes"]]
    tracks = ensemble.get("nodes_missing_value_tracks_true") or [0] * len(modes)
    number = 0
    while number < len(order):
        place = order[number]
        if modes[place] != "LEAF":
            if modes[place] not in _MODES or len(order) > len(places):
                return None
            ways = [by_id[ensemble[f"nodes_{way}nodeids"][place]] for way in ("true", "false")]
            left_of[number], right_of[number] = len(order), len(order) + 1
            if modes[place] in _SWAPPED:
                left_of[number], right_of[number] = right_of[number], left_of[number]
            order += ways
            left_of += [-1, -1]
            right_of += [-1, -1]
        number += 1
    split = [float(np.float32(ensemble["nodes_values"][place])) for place in order]
    up = [modes[place] in {"BRANCH_LEQ", "BRANCH_GT"} for place in order]
    missing = [bool(tracks[place]) != (modes[place] in _SWAPPED) for place in order]
    ids = [(ensemble["nodes_treeids"][place], ensemble["nodes_nodeids"][place]) for place in order]
    return Tree(
        feature=[int(ensemble["nodes_featureids"][place]) for place in order],
        at=[_below([value])[0] if above else value for value, above in zip(split, up, strict=True)],
        missing_left=missing,
        left=left_of,
        right=right_of,
        value=[values.get(id_, 0.0) if low < 0 else 0.0 for id_, low in zip(ids, left_of, strict=True)],
        cover=[1.0] * len(order),
    )


_MODES = {"BRANCH_LEQ", "BRANCH_LT", "BRANCH_GT", "BRANCH_GTE"}
_SWAPPED = {"BRANCH_GT", "BRANCH_GTE"}


def _counted(given: Nodes, rows: Matrix) -> Nodes:
    """The same trees with covers counted from rows."""
    forest = Forest.of_nodes(given.encoded())
    if forest is None:
        return given
    covers = np.where(forest.children[::2] == np.arange(len(forest.split)), _UNSEEN, 0.0)
    for row in rows:
        covers[forest.ends(forest.goes_left(row))] += 1.0
    cover: list[list[float]] = []
    start = 0
    for left_of, right_of in zip(given.left, given.right, strict=True):
        counts = covers[start : start + len(left_of)].tolist()
        for node_id in range(len(left_of) - 1, -1, -1):  # children come after their parent
            if left_of[node_id] >= 0:
                counts[node_id] = counts[left_of[node_id]] + counts[right_of[node_id]]
        cover.append(counts)
        start += len(left_of)
    return Nodes(given.n_features, given.base, given.feature, given.at, given.missing_left, given.left, given.right,
                 given.value, cover)  # fmt: skip
