"""Calibration of margins at several horizons: logistic, with weights for follow-up that ended early."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cds_service.training import censoring
from cds_service.training.linear import Flags, Floats


@dataclass(frozen=True, slots=True)
class Happened:
    """What was seen of an outcome among some rows: for each horizon whether it came, and the weight of each row."""

    happened: Sequence[Floats]
    weight: Sequence[Floats]

    @classmethod
    def of(cls, months: Floats, came: Flags, ended: Flags, horizons: Sequence[int]) -> Happened:
        """From follow-up in months, whether it ended with the outcome, and whether with any death."""
        return cls(
            [np.asarray(came & (months <= 12 * h), dtype=np.float64) for h in horizons],
            [censoring.weights(months, ended, 12 * h) for h in horizons],
        )

    def directed(self, margin: Floats, there: Flags, sign: float) -> tuple[list[float], float]:
        """Intercepts and slope of a margin whose direction is known.

        Where out-of-fold margins are noise, the fitted slope may point the wrong way and would turn the model over:
        then it is next to flat instead.
        """
        intercepts, (slope,) = self.fit([margin], there)
        if sign * slope > 0.0:
            return intercepts, slope
        slope = sign * 0.1 / max(float(margin[there].std()), 1e-9)
        level, _ = self.fit([np.zeros(len(margin))], there)
        return [a - slope * float(margin[there].mean()) for a in level], slope

    def lines(self, margin: Floats, there: Flags, apart: bool) -> tuple[list[float], list[float]]:
        """Intercept and slope of each horizon; one common slope unless asked for apart, and where that fails.

        It fails where a slope is not positive or, at a margin of 0, a longer horizon would be below a shorter one.
        """
        if apart:
            each = [Happened([h], [w]).fit([margin], there) for h, w in zip(self.happened, self.weight, strict=True)]
            intercepts, slopes = [a[0] for a, _ in each], [b[0] for _, b in each]
            if min(slopes) > 0.0 and all(a < b for a, b in pairwise(intercepts)):
                return intercepts, slopes
        intercepts, slope = self.directed(margin, there, 1.0)
        return intercepts, [slope] * len(intercepts)

    def fit(self, columns: Sequence[Floats], there: Flags) -> tuple[list[float], list[float]]:
        """Intercepts of the horizons and common slopes of the columns, over all horizons together."""
        blocks, n = [], len(self.happened)
        shown = np.column_stack([column[there] for column in columns])
        mean, scale = shown.mean(axis=0), np.maximum(shown.std(axis=0), 1e-9)
        for position in range(n):
            marks = np.zeros((len(shown), n))
            marks[:, position] = 1.0
            blocks.append(np.column_stack([marks, (shown - mean) / scale]))
        outcomes, weight = (np.concatenate([x[there] for x in xs]) for xs in (self.happened, self.weight))
        found = censoring.fit(np.vstack(blocks), outcomes, weight)
        slopes = found[n:] / scale
        return (found[:n] - float(slopes @ mean)).tolist(), slopes.tolist()
