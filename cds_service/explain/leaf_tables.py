"""Exact TreeSHAP of shallow trees by table: every leaf's attributions for every way in which its path may be met.

What a leaf adds to an input depends only on which of the splits on its path a patient meets. A path of three splits
has 8 such patterns, so all of them are worked out once, when the model is loaded; the leaves below one node two levels
above them share all splits but three, and are added up beforehand. For a patient there remain the splits, one look-up
a block of four leaves, and a sum. The values are those of XGBoost's `pred_contribs` (path-dependent TreeSHAP), in
float64 and in a tenth of its time. Deep or large ensembles are left to XGBoost: the tables double with every level.
Source: Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9; tables as in Yang 2021, arXiv:2109.09847.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from cds_service.explain.forest import Booleans, Forest, Indices, Leaves

if TYPE_CHECKING:
    import xgboost

Floats = NDArray[np.float64]

_LARGEST = 1_000_000  # amounts in all tables: 8 MB
_PROBES = 32  # rows on which tables are compared with XGBoost
_BITS = (1 << np.arange(16, dtype=np.uint16))[:, None]  # of a pattern; `_LARGEST` keeps the depth below 15
AGREEMENT = 2e-5  # with XGBoost: what its float32 may lose over some hundred trees


@dataclass(frozen=True, slots=True)
class LeafTables:
    """The tables of one forest, whose leaves are taken in blocks.

    splits: shape (depth + 1, n_blocks), those that a block depends on. amounts: one row a block and pattern, one
    column a slot; first: shape (n_blocks,), each block's first row. slots: shape (n_blocks x (depth + 1),), the input
    of each slot. expected: of the margin.
    """

    forest: Forest
    splits: Indices
    amounts: NDArray[np.float32]
    first: Indices
    slots: Indices
    expected: float

    @classmethod
    def read(cls, weights: bytes) -> LeafTables | None:
        """The tables of an ensemble in XGBoost's UBJSON; None if it is no sum of small plain trees."""
        forest = Forest.read(weights)
        return None if forest is None else cls.of(forest)

    @classmethod
    def of(cls, forest: Forest) -> LeafTables | None:
        """The tables of a forest; None if they would be large."""
        if not forest.depth:
            return None
        leaves = forest.leaves()
        return _build(forest, leaves) if leaves.nodes.size * 2**forest.depth <= _LARGEST else None

    def difference(self, booster: xgboost.Booster) -> float:
        """The largest difference to XGBoost; see the function of this name."""
        return difference(self, booster)

    def explain(self, row: NDArray[np.float32]) -> tuple[Floats, float]:
        """Attributions of one patient, shape (n_features,), and the margin, computed apart from them.

        row: shape (n_features,), NaN for what was not measured.
        """
        left = self.forest.goes_left(row)
        met = left.take(self.splits)
        pattern = np.bitwise_or.reduce(met * _BITS[: len(met)], axis=0)
        found = self.amounts.take(self.first + pattern, axis=0)
        phi = np.bincount(self.slots, weights=found.ravel(), minlength=len(row) + 1)[:-1]
        return phi.astype(np.float64), self.forest.margin(left)


class Explained(Protocol):
    """A forest with the exact attributions of its margin."""

    @property
    def forest(self) -> Forest:
        """The trees."""
        ...

    @property
    def expected(self) -> float:
        """The margin's expected value."""
        ...

    def explain(self, row: NDArray[np.float32]) -> tuple[Floats, float]:
        """Attributions of one patient, and the margin, computed apart from them."""
        ...


def difference(explained: Explained, booster: xgboost.Booster) -> float:
    """The largest difference to XGBoost, of attributions, margins and expected value.

    They are compared on rows that lie on the ensemble's own splits or have gaps, where a slip would show.
    """
    import xgboost  # only where its values are asked for: a service does without

    given = probes(explained.forest)
    rows = xgboost.DMatrix(given, nthread=1)
    native = np.asarray(booster.predict(rows, pred_contribs=True, validate_features=False), dtype=np.float64)
    margins = np.asarray(booster.predict(rows, output_margin=True, validate_features=False), dtype=np.float64)
    found = [explained.explain(probe) for probe in given]
    phi = np.stack([row for row, _ in found])
    apart = [
        np.abs(phi - native[:, :-1]).max(),
        np.abs(np.array([margin for _, margin in found]) - margins).max(),
        abs(explained.expected - native[0, -1]),
    ]
    return float(max(apart))


def residual(explained: Explained) -> float:
    """The largest distance between a margin and the sum of its attributions, on the same rows."""
    found = [explained.explain(probe) for probe in probes(explained.forest)]
    return float(max(abs(explained.expected + phi.sum() - margin) for phi, margin in found))


def probes(forest: Forest) -> NDArray[np.float32]:
    """Rows whose values are split points of their input; a quarter of them is missing."""
    generator = np.random.default_rng(0)
    rows = np.full((_PROBES, forest.n_features), np.nan, dtype=np.float32)
    for feature in np.unique(forest.feature):
        rows[:, feature] = generator.choice(forest.at[forest.feature == feature], _PROBES)
    rows[generator.random(rows.shape) < 0.25] = np.nan
    return rows


def _build(forest: Forest, leaves: Leaves) -> LeafTables:
    count, depth = leaves.nodes.shape
    patterns = 2**depth
    taken = leaves.lengths[:, None] > np.arange(depth)
    slot, _ = _slots(np.where(taken, forest.feature[forest.split[leaves.nodes]], forest.n_features), forest.n_features)
    shares = np.ones((count, depth + 1))
    met = np.ones((count, patterns, depth + 1), dtype=np.bool_)
    every = np.arange(count)
    for position in range(depth):
        shares[every, slot[:, position]] *= leaves.shares[:, position]
        met[every, :, slot[:, position]] &= (np.arange(patterns) >> position) & 1 == 1
    alone = _shapley(leaves.values, shares[:, :-1], met[:, :, :-1])
    blocks = _blocks(forest, leaves)
    amounts, block_slots = _added_up(forest, leaves, blocks, alone, slot)
    return LeafTables(
        forest=forest,
        splits=np.ascontiguousarray(forest.split[blocks.nodes].T),
        amounts=amounts.astype(np.float32),  # as precise as the leaves are: half the memory
        first=np.arange(len(blocks.nodes)) * 2 ** (depth + 1),
        slots=block_slots.ravel(),
        expected=float(forest.base) + float(leaves.values @ shares.prod(axis=1)),
    )


def _slots(features: Indices, none: int) -> tuple[Indices, Indices]:
    """The slot of each step of each way, and the input of each slot: one an input, in the order in which they come.

    features: shape (n_ways, steps), of each step; `none` where a way has ended, whose slot is the last, `steps`.
    The second has the shape (n_ways, steps + 1), `none` for slots that are not used.
    """
    count, steps = features.shape
    slot = np.full((count, steps), steps, dtype=np.intp)
    inputs = np.full((count, steps + 1), none, dtype=np.intp)
    used = np.zeros(count, dtype=np.intp)
    for step in range(steps):
        feature = features[:, step]
        for earlier in range(step):
            slot[:, step] = np.where(features[:, earlier] == feature, slot[:, earlier], slot[:, step])
        new = (slot[:, step] == steps) & (feature != none)
        slot[new, step] = used[new]
        inputs[new, used[new]] = feature[new]
        used += new
    return slot, inputs


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Leaves that lie close together: those below the same node two levels above the deepest; others stand alone.

    of: shape (n_leaves,), the block of each leaf. nodes: shape (n_blocks, depth + 1), all splits on the ways to its
    leaves: the shared ones, then that to the left below them, then that to the right. taken: which of them there are.
    place: shape (n_leaves, depth), for each step of a leaf's way its place among these.
    """

    of: Indices
    nodes: Indices
    taken: Booleans
    place: Indices


def _blocks(forest: Forest, leaves: Leaves) -> _Blocks:
    count, depth = leaves.nodes.shape
    level = max(depth - 2, 0)
    shared = np.where(leaves.lengths > level, leaves.nodes[:, level], -1 - np.arange(count))
    _, first, of = np.unique(shared, return_index=True, return_inverse=True)
    steps = np.arange(depth + 1)
    taken = steps < np.minimum(leaves.lengths[first], level + 1)[:, None]
    nodes = np.zeros((len(first), depth + 1), dtype=np.intp)
    nodes[:, : level + 1] = leaves.nodes[first, : level + 1]
    place = np.tile(np.arange(depth), (count, 1))
    if depth > 1:
        deep = taken[:, level]
        for went_left, column in ((1, depth - 1), (0, depth)):
            below = forest.children[2 * nodes[deep, level] + went_left]
            nodes[deep, column] = below
            taken[deep, column] = forest.children[2 * below] != below
        place[:, depth - 1] += ~leaves.went_left[:, level]
    return _Blocks(of, np.where(taken, nodes, 0), taken, place)


def _added_up(
    forest: Forest, leaves: Leaves, blocks: _Blocks, alone: Floats, own_slot: Indices
) -> tuple[Floats, Indices]:
    """What the leaves of each block add together: one row a block and pattern of its splits, one column a slot.

    alone: shape (n_leaves, patterns, depth), of each leaf. own_slot: shape (n_leaves, depth), of each step of its way.
    Also the input of each block's slots, shape (n_blocks, depth + 1).
    """
    count, depth = leaves.nodes.shape
    width, patterns = depth + 1, 2 ** (depth + 1)
    none = forest.n_features
    slot, inputs = _slots(np.where(blocks.taken, forest.feature[forest.split[blocks.nodes]], none), none)
    every = np.arange(count)
    column = np.zeros((count, depth + 1), dtype=np.intp)  # the block's slot of each slot of a leaf
    of_leaf = np.zeros((patterns, count), dtype=np.intp)  # each leaf's own pattern under each of its block
    left = (np.arange(patterns)[:, None] >> np.arange(width)) & 1 == 1
    for step in range(depth):
        column[every, own_slot[:, step]] = slot[blocks.of, blocks.place[:, step]]
        met = left[:, blocks.place[:, step]] == leaves.went_left[:, step]
        of_leaf |= met.astype(np.intp) << step
    amounts = alone[every, of_leaf]
    rows = blocks.of * patterns + np.arange(patterns)[:, None]
    where = rows[:, :, None] * width + np.where(column[:, :depth] < width, column[:, :depth], 0)
    size = len(blocks.nodes) * patterns * width
    added = np.asarray(np.bincount(where.ravel(), amounts.ravel(), size), dtype=np.float64)
    return added.reshape(-1, width), inputs[:, :width]


def _shapley(values: Floats, shares: Floats, met: Booleans) -> Floats:
    """What each leaf adds to each of its slots under each pattern, shape (n_leaves, patterns, depth).

    values: shape (n_leaves,). shares: shape (n_leaves, depth), the cover that reaches the leaf where the slot's input
    is unknown. met: shape (n_leaves, patterns, depth). A coalition's value is the leaf's value times 0 or 1 for each
    of its members and times the share for each of the others; its weight depends on its size alone, so that the
    coalitions are counted by the coefficients of a product of (share + met x t).
    """
    depth = shares.shape[1]
    unknown = shares[:, None, :]
    weights = [factorial(k) * factorial(depth - k - 1) / factorial(depth) for k in range(depth)]
    amounts = np.empty(met.shape)
    for player in range(depth):
        by_size = np.zeros((depth, *met.shape[:2]))
        by_size[0] = 1.0
        for other in range(depth):
            if other != player:
                larger = by_size[:-1] * met[:, :, other]
                by_size *= unknown[:, :, other]
                by_size[1:] += larger
        coalitions = np.tensordot(weights, by_size, axes=1)
        amounts[:, :, player] = values[:, None] * (met[:, :, player] - unknown[:, :, player]) * coalitions
    return amounts
