"""Outcomes of which each includes the one before it, with trees of their own, as death in hospital and in 180 days.

Two sets of trees may say that the narrower outcome is the likelier one, which cannot be. Then the log-odds of the one
that includes it stand for both, with their explanation: nothing is moved to a number that no margin gave, and what is
told is exact. This is the only place that decides it, for patients, for tables and in training.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cds_service.risk.calibration import Calibration
from cds_service.risk.margin import Margin

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Narrower:
    """An outcome with a margin of its own, which a wider one includes."""

    outcome: str
    margin: Margin
    calibration: Calibration


def in_force(log_odds: Sequence[Floats]) -> NDArray[np.intp]:
    """Whose log-odds stand for each outcome in each row: its own, or the lowest of those that include it.

    log_odds: of each outcome by itself, narrowest first, each of shape (n_rows,).
    Returns positions among the outcomes, shape (n_outcomes, n_rows).
    """
    own = np.stack(log_odds)
    return np.stack([first + np.argmin(own[first:], axis=0) for first in range(len(own))])


def in_order(log_odds: Sequence[Floats]) -> Floats:
    """The log-odds that stand for each outcome, shape (n_outcomes, n_rows); of a wider one never lower."""
    return np.take_along_axis(np.stack(log_odds), in_force(log_odds), axis=0)
