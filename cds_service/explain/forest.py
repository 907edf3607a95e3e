"""An ensemble of plain trees as arrays, from XGBoost's format or from our own, and its margin for one patient.

Calling XGBoost for a single row costs ten times what the trees themselves do, and importing it a quarter of a second
and 25 MB. The arrays hold the same numbers in the same float32, are added up in the same order, and so give the same
margin, bit for bit. Trees of other libraries, which count in float64, come in our own format and are added up so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from math import log
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from cds_service.explain import ubjson

Indices = NDArray[np.intp]
Booleans = NDArray[np.bool_]

_LOG = frozenset({"survival:cox", "survival:aft", "count:poisson", "reg:gamma", "reg:tweedie"})
_ENDED = -1
_LOGIT = frozenset({"binary:logistic", "reg:logistic"})


class Nodes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of trees in our own format: a list for each tree, an entry for each node, the root first.

    left: -1 in leaves. at: rows below it go left. value: of leaves, 0 in splits. cover: training rows, above 0.
    """

    n_features: int
    base: float
    feature: list[list[int]]
    at: list[list[float]]
    missing_left: list[list[bool]]
    left: list[list[int]]
    right: list[list[int]]
    value: list[list[float]]
    cover: list[list[float]]

    def encoded(self) -> bytes:
        """The same bytes for the same trees; a split beyond all numbers is written as the largest of float32."""
        return msgspec.json.encode(self)


@dataclass(frozen=True, slots=True)
class Leaves:
    """Every leaf that can be reached, and the ways to them, root first.

    values, lengths: shape (n_leaves,), of the leaf and of its way. nodes, went_left, shares: shape (n_leaves, depth),
    the splits of each way, whether it went left there, and the share of the training cover that went with it. Where a
    way has ended stand node 0, False and a share of 1: a player that changes nothing.
    """

    values: NDArray[np.float64]
    lengths: Indices
    nodes: Indices
    went_left: Booleans
    shares: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Forest:
    """All nodes of an ensemble in a row, tree after tree; values in the number type in which they are added up.

    roots: shape (n_trees,). feature, at, missing_left: of each split, those that are alike once; rows below `at` go
    left. split: shape (n_nodes,), which of them a node has, without meaning for leaves. children: shape (2 x n_nodes,),
    for each node where it sends those who go right and those who go left; a leaf keeps both. values: of the leaves, 0
    for splits. covers: the training rows' weight. base: the margin without trees.
    """

    n_features: int
    depth: int
    roots: Indices
    feature: Indices
    at: NDArray[np.float32]
    missing_left: Booleans
    split: Indices
    children: Indices
    values: NDArray[np.float32] | NDArray[np.float64]
    covers: NDArray[np.float64]
    base: np.float32 | np.float64

    @classmethod
    def read(cls, weights: bytes) -> Forest | None:
        """The trees in XGBoost's UBJSON; None if they are no plain sum of trees with numeric splits and one output."""
        try:
            learner = ubjson.read(weights)["learner"]
            shape, booster = learner["learner_model_param"], learner["gradient_booster"]
            trees = booster["model"]["trees"]
            if booster["name"] != "gbtree" or int(shape["num_class"]) > 1 or not all(map(_numeric, trees)):
                return None
            base = _base(learner["objective"]["name"], shape["base_score"])
            return cls._of(trees, int(shape["num_feature"]), base)
        except (ubjson.NotUbjsonError, KeyError):
            return None  # of another release: XGBoost knows it

    @classmethod
    def of_nodes(cls, content: bytes) -> Forest | None:
        """The trees in a file of our own format; None if it is none, or a way in it ends nowhere or never."""
        try:
            nodes = msgspec.json.decode(content, type=Nodes)
        except msgspec.MsgspecError:
            return None
        sizes = [len(tree) for tree in nodes.left]
        lists = (nodes.feature, nodes.at, nodes.missing_left, nodes.left, nodes.right, nodes.value, nodes.cover)
        if not sizes or min(sizes) == 0 or any([len(tree) for tree in one] != sizes for one in lists):
            return None
        if not all(map(_sound, nodes.left, nodes.right, nodes.feature, repeat(nodes.n_features))):
            return None
        roots = np.cumsum([0, *sizes[:-1]])
        offset, stay = np.repeat(roots, sizes), np.arange(sum(sizes))
        left, right = (np.array(list(chain.from_iterable(one)), dtype=np.intp) for one in (nodes.left, nodes.right))
        children = np.stack([np.where(left < 0, stay, n + offset) for n in (right, left)], axis=1)
        feature = np.array(list(chain.from_iterable(nodes.feature)), dtype=np.intp)
        at = np.array(list(chain.from_iterable(nodes.at)), dtype=np.float32)
        missing_left = np.array(list(chain.from_iterable(nodes.missing_left)), dtype=np.bool_)
        return cls(
            nodes.n_features,
            _depth(roots, children),
            roots,
            *_once(left >= 0, feature, at, missing_left),
            children=children.ravel(),
            values=np.array(list(chain.from_iterable(nodes.value)), dtype=np.float64),
            covers=np.array(list(chain.from_iterable(nodes.cover)), dtype=np.float64),
            base=np.float64(nodes.base),
        )

    @classmethod
    def _of(cls, trees: Sequence[Mapping[str, NDArray[Any]]], n_features: int, base: np.float32) -> Forest:
        sizes = [len(tree["left_children"]) for tree in trees]
        roots = np.cumsum([0, *sizes[:-1]])
        offset = np.repeat(roots, sizes)
        left, right = _joined(trees, "left_children", np.intp), _joined(trees, "right_children", np.intp)
        leaf = left < 0
        stay = np.arange(len(left))
        at = _joined(trees, "split_conditions", np.float32)
        children = np.stack([np.where(leaf, stay, right + offset), np.where(leaf, stay, left + offset)], axis=1)
        feature, missing_left = _joined(trees, "split_indices", np.intp), _joined(trees, "default_left", np.bool_)
        return cls(
            n_features,
            _depth(roots, children),
            roots,
            *_once(~leaf, feature, at, missing_left),
            children=children.ravel(),
            values=np.where(leaf, at, np.float32(0.0)),
            covers=_joined(trees, "sum_hessian", np.float64),
            base=base,
        )

    def goes_left(self, row: NDArray[np.float32]) -> Booleans:
        """For each split, whether it sends one patient left; shape (n_splits,).

        row: shape (n_features,), NaN for what was not measured.
        """
        given = row.take(self.feature)
        return (given < self.at) | (np.isnan(given) & self.missing_left)

    def ends(self, left: Booleans) -> Indices:
        """The leaf of each tree in which the patient ends who is sent so."""
        node = self.roots
        for _ in range(self.depth):
            node = self.children.take(2 * node + left.take(self.split.take(node)))
        return node

    def margin(self, left: Booleans) -> float:
        """The margin of the patient who is sent so."""
        return self._sum(self.values.take(self.ends(left)))

    def _sum(self, leaves: NDArray[np.float32] | NDArray[np.float64]) -> float:
        """The margin of one leaf a tree."""
        return float(np.cumsum(np.append(self.base, leaves), dtype=self.values.dtype)[-1])

    def reach(self) -> tuple[float, float]:
        """The margins below and above which no patient can come: every tree at its least, and at its greatest leaf.

        Added up in the order and the number type of a margin, so that rounding moves none beyond them.
        """
        right, left = self.children[::2], self.children[1::2]
        least, greatest = self.values, self.values
        for _ in range(self.depth):  # from below: a leaf has itself as both children
            least, greatest = np.minimum(least[left], least[right]), np.maximum(greatest[left], greatest[right])
        return self._sum(least[self.roots]), self._sum(greatest[self.roots])

    def leaves(self) -> Leaves:
        """Every leaf that can be reached: all ways grow together, a level at a time."""
        at, ways = self.roots, np.zeros((len(self.roots), 0), dtype=np.intp)  # where each way is, and its turns so far
        ends, turns = [], []
        for level in range(self.depth + 1):
            done = self.children[2 * at] == at
            ends.append(at[done])
            turns.append(np.pad(ways[done], ((0, 0), (0, self.depth - level)), constant_values=_ENDED))
            ahead = np.repeat(2 * at[~done], 2)
            ahead[1::2] += 1
            ways = np.column_stack([np.repeat(ways[~done], 2, axis=0), ahead])
            at = self.children[ahead]
        end, turn = np.concatenate(ends), np.concatenate(turns)
        ended = turn == _ENDED
        nodes, went_left = np.divmod(np.where(ended, 0, turn), 2)
        shares = self.covers[self.children[2 * nodes + went_left]] / self.covers[nodes]
        return Leaves(
            values=self.values[end].astype(np.float64),
            lengths=self.depth - ended.sum(axis=1),
            nodes=nodes,
            went_left=went_left == 1,
            shares=np.where(ended, 1.0, shares),
        )


def _once(
    there: Booleans, feature: Indices, at: NDArray[np.float32], missing_left: Booleans
) -> tuple[Indices, NDArray[np.float32], Booleans, Indices]:
    """Input, place and way of gaps of the splits that differ, and which of them each node has. there: not in leaves."""
    key = feature << 33 | at.view(np.uint32).astype(np.int64) << 1 | missing_left
    _, first, which = np.unique(key[there], return_index=True, return_inverse=True)
    split = np.zeros(len(there), dtype=np.intp)
    split[there] = which
    return feature[there][first], at[there][first], missing_left[there][first], split


def _sound(left: list[int], right: list[int], feature: list[int], n_features: int) -> bool:
    """Whether every split has two children that come after it, and asks for an input that there is."""
    size = len(left)
    return all(
        low < 0 or (place < low < size and place < high < size and 0 <= asked < n_features)
        for place, (low, high, asked) in enumerate(zip(left, right, feature, strict=True))
    )


def _numeric(tree: Mapping[str, NDArray[Any]]) -> bool:
    return not np.any(tree["split_type"]) and not len(tree["categories"])


def _joined(trees: Sequence[Mapping[str, NDArray[Any]]], name: str, dtype: type) -> NDArray[Any]:
    return np.concatenate([tree[name] for tree in trees]).astype(dtype)


def _base(objective: str, score: str) -> np.float32:
    """The margin that stands for a base score, which XGBoost keeps on the scale of its predictions."""
    stated = np.float32(score.strip("[]"))
    if objective in _LOG:
        return np.float32(log(stated))
    if objective in _LOGIT:
        return np.float32(-log(np.float32(1.0) / stated - np.float32(1.0)))
    return stated


def _depth(roots: Indices, children: Indices) -> int:
    """How many steps it takes from the roots until everybody is in a leaf."""
    nodes, depth = roots, 0
    while len(nodes := nodes[children[nodes, 0] != nodes]):
        nodes, depth = children[nodes].ravel(), depth + 1
    return depth
