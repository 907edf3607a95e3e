"""Boosting in which every round may cut each input at a few places only, drawn at random from its values.

A tree that may cut anywhere cuts where noise happens to lie; many trees that each may cut at a few random places tell
of the shape instead, and differ more from each other, which makes their sum steadier. The idea is that of extremely
randomised trees (Geurts 2006, doi:10.1007/s10994-006-6226-1), put into boosting: what comes out is a plain ensemble of
shallow trees, explained as exactly as any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from cds_service.training.joining import NEUTRAL, joined

Floats = NDArray[np.float64]
Matrix = NDArray[np.float32]


def train(
    matrix: Matrix, labels: Floats, offsets: Floats | None, settings: Mapping[str, Any], rounds: int, cuts: int
) -> xgboost.Booster:
    """An ensemble like that of `xgboost.train`; the same rows and settings give the same bytes.

    cuts: places drawn for each input and round, from its values as often as they occur. Splits hold for all values:
    a row between two places is as if it lay on the lower one.
    """
    seed, neutral = int(settings["seed"]), NEUTRAL[str(settings["objective"])]
    generator, coarse = np.random.default_rng(seed), _Coarse.of(matrix)
    rows, margin = xgboost.DMatrix(matrix, nthread=1), offsets
    boosters = []
    for number in range(rounds):
        table = xgboost.DMatrix(coarse.drawn(generator, cuts), labels, nthread=1)
        given = {**settings, "seed": seed + number}
        if margin is not None:
            table.set_base_margin(margin)
            given["base_score"] = neutral
        booster = xgboost.train(given, table, 1)
        added = np.asarray(booster.predict(rows, output_margin=True), dtype=np.float64)
        margin = added if margin is None else margin + added
        boosters.append(booster)
    return joined(boosters)


@dataclass(frozen=True, slots=True)
class _Coarse:
    """A matrix by the rank of each value in its column. values: distinct ones, NaN last; counts: cumulative."""

    codes: NDArray[np.int64]
    values: tuple[Matrix, ...]
    counts: tuple[NDArray[np.int64], ...]

    @classmethod
    def of(cls, matrix: Matrix) -> _Coarse:
        codes, values, counts = np.empty(matrix.shape, dtype=np.int64, order="F"), [], []
        for position in range(matrix.shape[1]):
            column = matrix[:, position]
            there = ~np.isnan(column)
            distinct, place, often = np.unique(column[there], return_inverse=True, return_counts=True)
            codes[:, position] = len(distinct)
            codes[there, position] = place
            values.append(np.append(distinct, np.float32(np.nan)))
            counts.append(np.cumsum(often))
        return cls(codes, tuple(values), tuple(counts))

    def drawn(self, generator: np.random.Generator, cuts: int) -> Matrix:
        """The matrix with each value moved down to the next of the places drawn; few distinct values stay."""
        found = np.empty(self.codes.shape, dtype=np.float32, order="F")
        for position, (values, counts) in enumerate(zip(self.values, self.counts, strict=True)):
            distinct = len(counts)
            if distinct > cuts + 1:
                drawn = np.searchsorted(counts, generator.random(cuts) * counts[-1], side="right")
                kept = np.unique(np.append(drawn, 0))
                lower = kept[np.searchsorted(kept, np.arange(distinct), side="right") - 1]
                values = np.append(values[lower], values[-1])
            found[:, position] = values[self.codes[:, position]]
        return np.ascontiguousarray(found)
