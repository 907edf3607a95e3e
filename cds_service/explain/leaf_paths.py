"""Exact TreeSHAP of deep trees: every leaf's attributions worked out for each patient, by quadrature.

Tables (`leaf_tables.py`) double with every level. Here each leaf keeps the intervals in which its inputs must lie, and
the share of the training cover that reaches it where one of them is unknown. A leaf is a product game: a coalition's
value is the leaf's value times 0 or 1 for its members and times the share for the others. Its Shapley value is the
integral over t from 0 to 1 of (met - share) times the product of (share + (met - share) t) over the other inputs, a
polynomial, for which Gauss-Legendre quadrature of half its degree is exact. All factors lie within 0 and 1.
Source: Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9 (the values); Owen 1972, doi:10.1287/mnsc.18.5.64 (the
integral).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cds_service.explain.forest import Booleans, Forest, Indices
from cds_service.explain.leaf_tables import LeafTables

Floats = NDArray[np.float64]
LARGEST = 4_000_000  # products for one patient: about 30 ms


@dataclass(frozen=True, slots=True)
class LeafPaths:
    """The leaves of one forest.

    slots: shape (n_leaves, width), the inputs on each leaf's way; shares: the cover that reaches the leaf where that
    input is unknown, 1 where a slot is empty. filled: the slots that are not, counted along the rows. steps, went_left:
    all splits on the ways, those of one slot together; first: where those of each filled slot begin. values: of the
    leaves. expected: of the margin.
    """

    forest: Forest
    slots: Indices
    shares: Floats
    filled: Indices
    steps: Indices
    went_left: Booleans
    first: Indices
    values: Floats
    expected: float

    @classmethod
    def of(cls, forest: Forest) -> LeafPaths | None:
        """The leaves of a forest; None if there are so many that a hook would wait for them."""
        leaves = forest.leaves()
        if leaves.nodes.size * _nodes(forest.depth) > 16 * LARGEST:
            return None
        places = [_places(way[:length]) for way, length in zip(forest.feature[forest.split[leaves.nodes]].tolist(),
                                                               leaves.lengths.tolist(), strict=True)]  # fmt: skip
        count, width = len(places), max((max(place, default=-1) + 1 for place in places), default=0)
        if count * width * _nodes(width) > LARGEST:
            return None
        level = np.arange(leaves.nodes.shape[1])
        leaf, step = np.nonzero(level < leaves.lengths[:, None])
        slot = np.array([one for place in places for one in place], dtype=np.intp)
        splits = forest.split[leaves.nodes[leaf, step]]
        slots, shares = np.full((count, width), forest.n_features, dtype=np.intp), np.ones((count, width))
        slots[leaf, slot] = forest.feature[splits]
        np.multiply.at(shares, (leaf, slot), leaves.shares[leaf, step])
        order = np.argsort(leaf * width + slot, kind="stable")
        filled, first = np.unique((leaf * width + slot)[order], return_index=True)
        return cls(
            forest=forest,
            slots=slots,
            shares=shares,
            filled=filled,
            steps=splits[order],
            went_left=leaves.went_left[leaf, step][order],
            first=first.astype(np.intp),
            values=leaves.values,
            expected=float(forest.base) + float(leaves.values @ shares.prod(axis=1)),
        )

    def explain(self, row: NDArray[np.float32]) -> tuple[Floats, float]:
        """Attributions of one patient, shape (n_features,), and the margin, computed apart from them.

        row: shape (n_features,), NaN for what was not measured.
        """
        left = self.forest.goes_left(row)
        met = np.ones(self.shares.shape)
        if len(self.first):
            met.ravel()[self.filled] = np.logical_and.reduceat(left.take(self.steps) == self.went_left, self.first)
        gain = met - self.shares
        amounts = np.zeros(self.shares.shape)
        for at, weight in _quadrature(self.shares.shape[1]):
            factors = self.shares + at * gain
            amounts += weight * factors.prod(axis=1)[:, None] / factors
        amounts *= gain * self.values[:, None]
        phi = np.bincount(self.slots.ravel(), weights=amounts.ravel(), minlength=len(row) + 1)[:-1]
        return phi.astype(np.float64), self.forest.margin(left)


def exact(forest: Forest) -> LeafTables | LeafPaths | None:
    """What explains a forest exactly and soon enough for a hook; None if it is too large."""
    return LeafTables.of(forest) or LeafPaths.of(forest)


def _places(way: Sequence[int]) -> list[int]:
    """The slot of each step of a way, given by its inputs: one an input, in the order in which they come."""
    found: dict[int, int] = {}
    return [found.setdefault(feature, len(found)) for feature in way]


def _nodes(width: int) -> int:
    return max((width + 1) // 2, 1)


def _quadrature(width: int) -> Sequence[tuple[float, float]]:
    """Points and weights on 0 to 1 that integrate polynomials of degree `width` - 1 exactly."""
    points, weights = np.polynomial.legendre.leggauss(_nodes(width))
    return [((1 + p) / 2, w / 2) for p, w in zip(points.tolist(), weights.tolist(), strict=True)]
