"""Contributions in words: what raised and what lowered an estimate, never what caused it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp

from cds_service.explain.explanation import Baseline, Contribution, Explanation, Scale
from cds_service.features.feature import Reason, Unusable
from cds_service.language import Joined, Message, msg, signed, within

TOP = 3
_SEMICOLON = msg("{first}; {following}", first="", following="")
_COMMA = msg("{first}, {following}", first="", following="")
Cite = Callable[[Sequence[str]], Message | None]  # how sources are named; None where there are none
_SHOWN_SOURCES = 2
_MANY_UNLISTED = 4  # conditions without a list, from which on they are counted and not named
_NO_CHANGE = 0.005  # of the odds, the hazard or the output: less cannot be seen in the printed number


@dataclass(frozen=True, slots=True)
class Influences:
    """An explanation as lines to read, largest first.

    rest: how many further inputs moved the estimate less, or None.
    not_measured: all that was not measured, in one line, or None.
    baseline: what the lines are measured from.
    """

    baseline: Message
    raised: tuple[Message, ...]
    lowered: tuple[Message, ...]
    rest: Message | None
    not_measured: Message | None


def by_name(sources: Sequence[str]) -> Message | None:
    """The first sources by their references, the others counted."""
    shown: list[Message | str] = list(sources[:_SHOWN_SOURCES])
    if len(sources) > _SHOWN_SOURCES:
        shown.append(msg("{count} more", count=len(sources) - _SHOWN_SOURCES))
    return parts(shown) if shown else None


def influences(
    explanation: Explanation,
    missing: Sequence[Unusable] = (),
    top: int = TOP,
    per_unit: float | None = None,
    cite: Cite = by_name,
) -> Influences:
    """The `top` inputs that raised and the `top` that lowered an estimate; the rest counted.

    missing: the inputs that the model did without; they are named in the line "not measured".
    per_unit: risk (0-1) for one unit of contribution: then each line tells its percentage points too.
    cite: how a line names its sources.
    """
    scale = explanation.scale
    measured = [c for c in explanation.largest() if c.measured]
    moved = [c for c in measured if moves(c, explanation)]
    up = [c for c in moved if c.amount > 0]
    down = [c for c in moved if c.amount < 0]
    others = len(up[top:]) + len(down[top:])
    return Influences(
        baseline=baseline(explanation),
        raised=tuple(contribution(c, scale, per_unit, cite) for c in up[:top]),
        lowered=tuple(contribution(c, scale, per_unit, cite) for c in down[:top]),
        rest=None if not others else _rest(others),
        not_measured=_not_measured(explanation, missing, per_unit),
    )


def baseline(explanation: Explanation) -> Message:
    """What contributions are measured from: a stated person, a population's average, or no points."""
    kind, stated = explanation.baseline_kind, explanation.baseline_words
    if kind is Baseline.REFERENCE_PERSON:
        return msg("Compared with a reference person: {person}", person=stated)
    if kind is Baseline.POPULATION:
        return msg("Compared with the average of the training population: {population}", population=stated)
    if kind is Baseline.NONE:
        return stated
    return msg("Counted from {rule}", rule=stated)


def contribution(item: Contribution, scale: Scale, per_unit: float | None = None, cite: Cite = by_name) -> Message:
    """One input with its value, size, date and source: `Age 68 (+1.2 points; odds × 2.1; 6 May 2026; Patient/1)`."""
    details: list[Message | str] = _sizes(item.amount, scale, per_unit)
    if item.effective is not None:
        details.append(msg("{date}", date=item.effective.date()))
    if (cited := cite(item.sources)) is not None:
        details.append(cited)
    value = item.value
    if value is None:
        return msg("{label} ({details})", label=item.label, details=parts(details))
    return msg("{label}: {value} ({details})", label=item.label, value=value, details=parts(details))


def _sizes(size: float, scale: Scale, per_unit: float | None) -> list[Message | str]:
    """The size on the model's scale and, of a risk, before it the percentage points."""
    if per_unit is None:
        return [amount(size, scale)]
    share = f"{100 * per_unit * size:+.1f}"
    points = "0.0" if float(share) == 0 else signed(share)
    return [msg("{points} percentage points", points=points), amount(size, scale)]


def amount(size: float, scale: Scale) -> Message:
    """The size of a contribution on a scale that a clinician knows."""
    if scale is Scale.LOG_ODDS:
        return msg("odds × {factor}", factor=f"{exp(size):.2f}")
    if scale is Scale.LOG_HAZARD:
        return msg("hazard × {factor}", factor=f"{exp(size):.2f}")
    if scale is Scale.POINTS:
        points = signed(f"{size:+g}")
        return msg("{points} points", points=points) if abs(size) != 1 else msg("{points} point", points=points)
    return msg("{size}", size=signed(f"{size:+.3g}"))


def parts(items: Sequence[Message | str]) -> Message:
    """Several short phrases in a row, parted by semicolons."""
    return _row(items, _SEMICOLON)


def listing(items: Sequence[Message | str]) -> Message:
    """A list of names, parted by commas."""
    return _row(items, _COMMA)


def _row(items: Sequence[Message | str], between: Message) -> Message:
    first = items[0] if items else ""
    if len(items) < 2:
        return first if isinstance(first, Message) else msg("{text}", text=first)
    return msg("{text}", text=Joined(between, tuple(items)))


def moves(item: Contribution, explanation: Explanation) -> bool:
    """True if a contribution can be seen in the printed number."""
    return abs(item.amount) >= _negligible(explanation)


def _rest(count: int) -> Message:
    if count == 1:
        return msg("One more input moved this estimate less")
    return msg("{count} more inputs moved this estimate less", count=count)


def _negligible(explanation: Explanation) -> float:
    if explanation.scale is Scale.POINTS:
        return 1e-9
    return _NO_CHANGE * (abs(explanation.output) if explanation.scale is Scale.NATURAL else 1.0)


def _not_measured(explanation: Explanation, missing: Sequence[Unusable], per_unit: float | None) -> Message | None:
    """All that was not measured, in one line with its joint size."""
    absent = [c for c in explanation.contributions if not c.measured]
    labels = missing_names(missing) or tuple(within(c.label) for c in absent)
    if not labels:
        return None
    inputs = listing(labels)
    total = sum(c.amount for c in absent)
    if abs(total) >= _negligible(explanation):
        size = parts(_sizes(total, explanation.scale, per_unit))
        inputs = msg("{inputs} (together {size})", inputs=inputs, size=size)
    if any(u.reason.was_measured for u in missing):
        return msg("Not measured, or not usable: {inputs}", inputs=inputs)
    return msg("Not measured: {inputs}", inputs=inputs)


def missing_names(missing: Sequence[Unusable]) -> tuple[Message, ...]:
    """The inputs that are missing, each once; many conditions that a problem list would settle are one."""
    unlisted = dict.fromkeys(u.feature.label for u in missing if u.reason is Reason.NO_LIST)
    if len(unlisted) < _MANY_UNLISTED:
        return tuple(within(label) for label in dict.fromkeys(u.feature.label for u in missing))
    others = dict.fromkeys(u.feature.label for u in missing if u.reason is not Reason.NO_LIST)
    conditions = msg("{count} conditions, for want of a problem list that can be read", count=len(unlisted))
    return (*(within(label) for label in others), conditions)
