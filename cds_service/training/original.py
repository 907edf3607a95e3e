"""A trained model as its own library opened it: the oracle of a conversion, or the model itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = Literal["log-odds", "vote", "decision"]
LEAST = 1e-4  # a probability of 0 or 1 has no log-odds: it counts as this, or one minus this
_ROUNDING = 1e-6  # by which a probability of single precision may miss 0 and 1


@dataclass(frozen=True, slots=True)
class Opened:
    """A model in its own library.

    margins: of rows, on the scale that `counts` names: log-odds, the average vote of trees (0 to 1), or another
    library's own decision value. names: of its columns, where the file has them. kinds: what it consists of.
    fills: the part of it that puts a number where none was measured, or None. ends: what its numbers come from, where
    that makes no probability by itself.
    """

    model: Any
    kinds: tuple[str, ...]
    counts: Counts
    margins: Callable[[Floats], Floats]
    names: tuple[str, ...] | None
    width: int | None
    fills: str | None = None
    ends: str | None = None


def log_odds(probability: Any) -> Floats:
    """Log-odds of probabilities, within those of `LEAST`. Raises ValueError if they are none."""
    given = np.asarray(probability, dtype=np.float64)
    if not np.all((given >= -_ROUNDING) & (given <= 1 + _ROUNDING)):  # also true for NaN
        raise ValueError("what it gives is no probability of 0 to 1")
    bounded = np.clip(given, LEAST, 1 - LEAST)
    return np.asarray(np.log(bounded / (1 - bounded)), dtype=np.float64)


def as_listed(names: Sequence[str]) -> str:
    """The first few of a file's own column names, for a sentence."""
    return ", ".join(names[:6]) + (" ..." if len(names) > 6 else "")
