"""Numbers for drawings on pages: bars of contributions from a common zero, and a line through earlier estimates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from cds_service.explain.explanation import Contribution, Explanation
from cds_service.explain.wording import amount
from cds_service.language import Message, msg, signed

WIDTH = 200.0  # of the drawing, in its own units
_LEAST = 0.1  # of the largest value: what its height stands for at least, so that 3.8 to 3.9 g/dL is no cliff


@dataclass(frozen=True, slots=True)
class Bar:
    """One contribution as a bar that begins where the one before it ended; x and width in `WIDTH` units.

    words: its size on the explanation's scale. share: its percentage points of risk, where there is a risk.
    """

    item: Contribution
    words: Message
    x: float
    width: float
    zero: float
    share: Message | None = None

    @property
    def direction(self) -> str:
        """`up`, `down` or `none`: for the reader's words and the bar's pattern."""
        return "up" if self.item.amount > 0 else "down" if self.item.amount < 0 else "none"


def waterfall(explanation: Explanation, per_unit: float | None = None) -> tuple[Bar, ...]:
    """The contributions, largest first, each beginning at the running total; scaled to fit.

    The first begins at the baseline and the last ends at the output, because they add up to it.
    per_unit: risk (0-1) for one unit of contribution.
    """
    items = explanation.largest()
    totals = [explanation.baseline]
    for item in items:
        totals.append(totals[-1] + item.amount)
    low, high = min(totals), max(totals)
    scale = WIDTH / (high - low) if high > low else 0.0
    zero = (explanation.baseline - low) * scale
    return tuple(
        Bar(
            item,
            amount(item.amount, explanation.scale),
            round((min(before, after) - low) * scale, 2),
            round(max(abs(after - before) * scale, 1.0), 2),
            round(zero, 2),
            points(100 * per_unit * item.amount) if per_unit is not None else None,
        )
        for item, before, after in zip(items, totals, totals[1:], strict=False)
    )


def points(share: float) -> Message:
    """Percentage points with their sign, as printed beside a bar."""
    if 0 < abs(share) < 0.05:
        return msg("under 0.1")  # beside an arrow, 0.0 would contradict it
    return msg("{points}", points=signed(f"{share:+.1f}") if share else "0.0")


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a trend. x, y: in a drawing of `WIDTH` by 60, y downwards."""

    at: datetime
    value: float
    x: float
    y: float


def trend(values: Sequence[tuple[datetime, float]]) -> tuple[Point, ...]:
    """Values in the order of time, placed; empty for fewer than two."""
    ordered = sorted(values)
    if len(ordered) < 2:
        return ()
    first, last = ordered[0][0].timestamp(), ordered[-1][0].timestamp()
    numbers = [value for _, value in ordered]
    low, high = min(numbers), max(numbers)
    span, range_ = (last - first) or 1.0, max(high - low, _LEAST * max(abs(high), abs(low))) or 1.0
    middle = (low + high) / 2
    return tuple(
        Point(
            at,
            value,
            round(6 + (WIDTH - 12) * (at.timestamp() - first) / span, 1),
            round(30 - 48 * (value - middle) / range_, 1),
        )
        for at, value in ordered
    )
