"""Exact TreeSHAP of shallow trees by table: every leaf's attributions for every way in which its path may be met.

What a leaf adds to an input depends only on which of the splits on its path a patient meets. A path of three splits
has 8 such patterns, so all of them are worked out once, when the model is loaded; the leaves below one node two levels
above them share all splits but three, and are added up beforehand. For a patient there remain the splits, one look-up
a block of four leaves, and a sum. The values are those of XGBoost's `pred_contribs` (path-dependent TreeSHAP), in
float64 and in a tenth of its time. Deep or large ensembles are left to XGBoost: the tables double with every level.
Source: Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9; tables as in Yang 2021, arXiv:2109.09847.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cds_service.explain.forest import Booleans, Forest, Indices, Leaf

if TYPE_CHECKING:
    import xgboost

Floats = NDArray[np.float64]

_LARGEST = 1_000_000  # amounts in all tables: 8 MB
_PROBES = 32  # rows on which tables are compared with XGBoost
AGREEMENT = 2e-5  # with XGBoost: what its float32 may lose over some hundred trees


@dataclass(frozen=True, slots=True)
class LeafTables:
    """The tables of one forest, whose leaves are taken in blocks.

    nodes: shape (depth + 1, n_blocks), the splits that a block depends on. amounts: one row a block and pattern, one
    column a slot; first: shape (n_blocks,), each block's first row. slots: shape (n_blocks x (depth + 1),), the input
    of each slot. expected: of the margin.
    """

    forest: Forest
    nodes: Indices
    amounts: Floats
    first: Indices
    slots: Indices
    expected: float

    @classmethod
    def read(cls, weights: bytes) -> LeafTables | None:
        """The tables of an ensemble in XGBoost's UBJSON; None if it is no sum of small plain trees."""
        forest = Forest.read(weights)
        leaves = list(forest.leaves()) if forest is not None else []
        if forest is None or not forest.depth or len(leaves) * 2**forest.depth * forest.depth > _LARGEST:
            return None
        return _build(forest, leaves)

    def difference(self, booster: xgboost.Booster) -> float:
        """The largest difference to XGBoost, of attributions, margins and expected value.

        They are compared on rows that lie on the ensemble's own splits or have gaps, where a slip would show.
        """
        import xgboost  # only where its values are asked for: a service does without

        probes = _probes(self.forest)
        rows = xgboost.DMatrix(probes, nthread=1)
        native = np.asarray(booster.predict(rows, pred_contribs=True), dtype=np.float64)
        margins = np.asarray(booster.predict(rows, output_margin=True), dtype=np.float64)
        found = [self.explain(probe) for probe in probes]
        phi = np.stack([row for row, _ in found])
        apart = [
            np.abs(phi - native[:, :-1]).max(),
            np.abs(np.array([margin for _, margin in found]) - margins).max(),
            abs(self.expected - native[0, -1]),
        ]
        return float(max(apart))

    def explain(self, row: NDArray[np.float32]) -> tuple[Floats, float]:
        """Attributions of one patient, shape (n_features,), and the margin, computed apart from them.

        row: shape (n_features,), NaN for what was not measured.
        """
        left = self.forest.goes_left(row)
        met = left.take(self.nodes)
        pattern = met[0].astype(np.uint16)  # `_LARGEST` keeps the depth below 15
        for power, step in enumerate(met[1:], start=1):
            pattern |= np.left_shift(step, power, dtype=np.uint16)
        found = self.amounts.take(self.first + pattern, axis=0)
        phi = np.bincount(self.slots, weights=found.ravel(), minlength=len(row) + 1)[:-1]
        return phi.astype(np.float64), self.forest.margin(left)


def _probes(forest: Forest) -> NDArray[np.float32]:
    """Rows whose values are split points of their input; a quarter of them is missing."""
    generator = np.random.default_rng(0)
    rows = np.full((_PROBES, forest.n_features), np.nan, dtype=np.float32)
    splits = forest.children[::2] != np.arange(len(forest.feature))
    for feature in np.unique(forest.feature[splits]):
        rows[:, feature] = generator.choice(forest.at[splits & (forest.feature == feature)], _PROBES)
    rows[generator.random(rows.shape) < 0.25] = np.nan
    return rows


def _build(forest: Forest, leaves: Sequence[Leaf]) -> LeafTables:
    count, depth = len(leaves), forest.depth
    patterns = 2**depth
    features = forest.feature.tolist()
    # What a leaf with a shorter way does not fill is a player that changes nothing: met or not, its share is 1.
    padding = (0, False, 1.0)
    ways = [(*leaf.steps, *[padding] * (depth - len(leaf.steps))) for leaf in leaves]
    places = [_places([features[node] for node, _, _ in leaf.steps], depth) for leaf in leaves]
    slots = np.full((count, depth + 1), forest.n_features, dtype=np.intp)
    shares = np.ones((count, depth + 1))
    met = np.ones((count, patterns, depth + 1), dtype=np.bool_)
    steps = np.array([[node for node, _, _ in way] for way in ways], dtype=np.intp)
    kept = np.array([[share for _, _, share in way] for way in ways])
    place = np.array(places, dtype=np.intp)
    every = np.arange(count)
    for position in range(depth):
        slot = place[:, position]
        slots[every, slot] = forest.feature[steps[:, position]]
        shares[every, slot] *= kept[:, position]
        met[every, :, slot] &= (np.arange(patterns) >> position) & 1 == 1
    values = np.array([leaf.value for leaf in leaves])
    alone = _shapley(values, shares[:, :-1], met[:, :, :-1])
    went_left = np.array([[is_left for _, is_left, _ in way] for way in ways])
    blocks = _blocks(leaves, depth)
    amounts, block_slots = _added_up(blocks, features, alone, slots[:, :-1], went_left, steps, forest.n_features)
    nodes = [[*block.nodes, *[0] * (depth + 1 - len(block.nodes))] for block in blocks]
    return LeafTables(
        forest=forest,
        nodes=np.ascontiguousarray(np.array(nodes, dtype=np.intp).T),
        amounts=amounts,
        first=np.arange(len(blocks)) * 2 ** (depth + 1),
        slots=block_slots.ravel(),
        expected=float(forest.base) + float(values @ shares.prod(axis=1)),
    )


@dataclass(frozen=True, slots=True)
class _Block:
    """Leaves of one tree that lie close together, and all splits on the ways to them: at most depth + 1."""

    leaves: list[int]
    nodes: list[int]


def _blocks(leaves: Sequence[Leaf], depth: int) -> list[_Block]:
    """All leaves, those below the same node two levels above the deepest together."""
    level = max(depth - 2, 0)
    found: dict[int, _Block] = {}
    for number, leaf in enumerate(leaves):
        nodes = [node for node, _, _ in leaf.steps]
        block = found.setdefault(nodes[level] if len(nodes) > level else -1 - number, _Block([], []))
        block.leaves.append(number)
        block.nodes.extend(node for node in nodes if node not in block.nodes)
    return list(found.values())


def _added_up(
    blocks: Sequence[_Block],
    features: Sequence[int],
    alone: Floats,
    slots: Indices,
    went_left: Booleans,
    steps: Indices,
    n_features: int,
) -> tuple[Floats, Indices]:
    """What the leaves of each block add together: one row a block and pattern of its splits, one column a slot.

    alone: shape (n_leaves, patterns, depth), of each leaf. slots, went_left, steps: shape (n_leaves, depth), of each
    leaf's way. Also the input of each block's slots, shape (n_blocks, depth + 1).
    """
    count, depth = steps.shape
    width, patterns = depth + 1, 2 ** (depth + 1)
    inputs = np.full((len(blocks), width), n_features, dtype=np.intp)
    block_of, position, column = [0] * count, [[0] * depth] * count, [[0] * depth] * count
    ways, own_slots = steps.tolist(), slots.tolist()
    for number, block in enumerate(blocks):
        bit = {node: place for place, node in enumerate(block.nodes)}
        own: dict[int, int] = {}
        for node in block.nodes:
            own.setdefault(features[node], len(own))
        inputs[number, : len(own)] = list(own)
        for leaf in block.leaves:
            block_of[leaf] = number
            position[leaf] = [bit.get(node, 0) for node in ways[leaf]]
            column[leaf] = [own.get(feature, 0) for feature in own_slots[leaf]]
    every = np.arange(patterns)
    left = (every[:, None] >> np.arange(width)) & 1 == 1
    met = left[:, np.array(position)] == went_left
    of_leaf = (met << np.arange(depth)).sum(axis=2).T  # each leaf's own pattern under each of its block
    amounts = alone[np.arange(count)[:, None], of_leaf]
    where = (np.array(block_of)[:, None, None] * patterns + every[:, None]) * width + np.array(column)[:, None, :]
    added = np.asarray(np.bincount(where.ravel(), amounts.ravel(), len(blocks) * patterns * width), dtype=np.float64)
    return added.reshape(len(blocks) * patterns, width), inputs


def _places(features: Sequence[int], depth: int) -> list[int]:
    """The slot of each step of a way: one an input, in the order in which they come; `depth` for what is not filled."""
    slot_of: dict[int, int] = {}
    return [slot_of.setdefault(feature, len(slot_of)) for feature in features] + [depth] * (depth - len(features))


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
