"""Charts by month as numbers for SVG: bars or dots with their values written at them, so that no colour is needed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from cds_service.language import Message

STEP, HEIGHT, TOP = 30.0, 110.0, 22.0  # of a month's column, of the plot, and above it for the largest value's label
LEFT = 34.0  # for the labels of the limits
MOST = 12  # months
FEWEST = 10  # values, of which fewer are not drawn


@dataclass(frozen=True, slots=True)
class Column:
    """One month. year: where it begins. value: None where there was too little to say. y: of its top, downwards."""

    name: str
    label: str
    year: str
    words: str
    x: float
    y: float
    value: float | None


@dataclass(frozen=True, slots=True)
class Limit:
    """A line across the chart, with its label."""

    words: str
    y: float


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart. dots: values are marks and no bars, because zero is not where they begin."""

    title: Message
    columns: tuple[Column, ...]
    limits: tuple[Limit, ...]
    dots: bool
    width: float

    @property
    def bottom(self) -> float:
        """y of zero."""
        return TOP + HEIGHT


def by_month(
    title: Message,
    values: Sequence[tuple[str, float | None]],
    *,
    form: str = "{:.0f}",
    limits: Sequence[tuple[str, float]] = (),
    dots: bool = False,
) -> Chart | None:
    """A chart of the latest months; None if there is no value. form: how a value is written."""
    shown = [(name, value if value is None or math.isfinite(value) else None) for name, value in values][-MOST:]
    known = [value for _, value in shown if value is not None]
    if not known:
        return None
    top = max([*known, *(at for _, at in limits)]) or 1.0

    def y(value: float) -> float:
        return round(TOP + HEIGHT * (1 - value / top), 1)

    left = LEFT if limits else 0.0
    columns = tuple(
        Column(
            name,
            name[5:],
            name[:4] if n == 0 or name.endswith("-01") else "",
            form.format(value) if value is not None else "",
            round(left + STEP * (n + 0.5), 1),
            y(value) if value is not None else TOP + HEIGHT,
            value,
        )
        for n, (name, value) in enumerate(shown)
    )
    lines = tuple(Limit(words, y(at)) for words, at in limits)
    return Chart(title, columns, lines, dots, left + STEP * len(shown))


@dataclass(frozen=True, slots=True)
class Pair:
    """Two shares of one range of values, before and now. label: of the range."""

    label: str
    before: float
    now: float


def spread(before: dict[float, int], now: dict[float, int], bins: int = 8) -> tuple[Pair, ...]:
    """Shares of values before and now in ranges that held about as many of the earlier ones; empty where either is few.

    Of one estimate the range would be drawn that it lies in, and whose it is may be known.
    """
    whole, later = sum(before.values()), sum(now.values())
    if min(whole, later) < FEWEST:
        return ()
    edges: list[float] = []
    reached = 0
    for value, n in sorted(before.items()):
        reached += n
        if reached >= (len(edges) + 1) * whole / bins and len(edges) < bins - 1:
            edges.append(value)
    found, low = [], -math.inf
    for high in [*edges, math.inf]:
        was = sum(n for v, n in before.items() if low < v <= high) / whole
        now_ = sum(n for v, n in now.items() if low < v <= high) / later
        name = f"> {low:g}" if high == math.inf else f"≤ {high:g}"
        found.append(Pair(name, was, now_))
        low = high
    return tuple(found)


def oe_limits(low: float, high: float) -> tuple[tuple[str, float], ...]:
    """The lines between which observed over expected should lie."""
    return ((f"{low:g}", low), ("1", 1.0), (f"{high:g}", high))
