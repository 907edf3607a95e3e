"""Inputs, estimates and refusals that are no longer as they were: each alarm says what came instead of what."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from cds_service.features.feature import Reason
from cds_service.language import Message, msg
from cds_service.monitoring.chance import Key, binned, moved, psi, quantile, shares_differ, together
from cds_service.monitoring.counting import Month
from cds_service.monitoring.rung import Alarm
from cds_service.settings import Monitoring

_OTHER_UNIT = 2.0  # a median that changed by this factor: pounds for kilograms, inches for centimetres, and all others
_EXPECTED = 20.0  # of what never came now; that it is chance has a probability of exp(-20)
_WHY = {
    Reason.ABSENT.value: msg("{what}: no usable value in {now} %, before in {before} %; not on record in {share} %"),
    Reason.STALE.value: msg("{what}: no usable value in {now} %, before in {before} %; too old in {share} %"),
    Reason.IMPLAUSIBLE.value: msg(
        "{what}: no usable value in {now} %, before in {before} %; implausible in {share} %, "
        "as numbers in another unit are"
    ),
    Reason.UNIT.value: msg(
        "{what}: no usable value in {now} %, before in {before} %; in a unit that does not fit in {share} %"
    ),
    Reason.NO_LIST.value: msg("{what}: no usable value in {now} %, before in {before} %; without a list in {share} %"),
    Reason.UNAVAILABLE.value: msg(
        "{what}: no usable value in {now} %, before in {before} %; kept back by the EHR in {share} %"
    ),
}
_NO_VALUE = msg("{what}: no usable value in {now} %, before in {before} %")


@dataclass(frozen=True, slots=True)
class Window:
    """The latest months that together have enough of something, the first of them by name, and all months before."""

    since: str
    now: tuple[Month, ...]
    before: tuple[Month, ...]


def lately(months: Mapping[str, Month], counted: Callable[[Month], int], least: int) -> int | None:
    """The place of the first of the latest months that together have enough; None if all have not, or the last none."""
    names, total = list(months), 0
    if not names or not counted(months[names[-1]]):
        return None
    for place in range(len(names) - 1, -1, -1):
        total += counted(months[names[place]])
        if total >= least:
            return place
    return None


def window(months: Mapping[str, Month], counted: Callable[[Month], int], least: int) -> Window | None:
    """Where to part now from before; None if either has too little, or if the latest month has none."""
    place, names = lately(months, counted, least), list(months)
    if place is None:
        return None
    before = tuple(months[name] for name in names[:place])
    if sum(map(counted, before)) < least:
        return None
    return Window(names[place], tuple(months[name] for name in names[place:]), before)


def shifts(months: Mapping[str, Month], limits: Monitoring) -> Iterator[Alarm]:
    """Numbers and words of inputs, and estimates, that have moved; inputs without a value; models that refuse more."""
    last = months[max(months)]
    for what in sorted(last.inputs):
        yield from _numbers(months, what, partial(_input, what), limits, measured=True)
    for what in sorted(last.words):
        yield from _words(months, what, limits)
    for what in sorted(last.estimates):
        yield from _numbers(months, what, partial(_estimate, what), limits, measured=False)
    for what in sorted(last.missing):
        yield from _missing(months, what, limits)
    for model in sorted({name.partition(": ")[0] for name in last.refused}):
        yield from _refused(months, model, limits)


def spread_of(
    months: Mapping[str, Month], of: Callable[[Month], Mapping[Key, int]], least: int
) -> tuple[str, dict[Key, int], dict[Key, int]] | None:
    """The first of the latest months that suffice, and the counts before and now; None if there are too few."""
    found = window(months, lambda month: sum(of(month).values()), least)
    if found is None:
        return None
    return found.since, together(map(of, found.before)), together(map(of, found.now))


def _input(what: str, month: Month) -> Mapping[float, int]:
    return month.inputs.get(what, {})


def _estimate(what: str, month: Month) -> Mapping[float, int]:
    return month.estimates.get(what, {})


def _word(what: str, month: Month) -> Mapping[str, int]:
    return month.words.get(what, {})


def _numbers(
    months: Mapping[str, Month],
    what: str,
    of: Callable[[Month], Mapping[float, int]],
    limits: Monitoring,
    *,
    measured: bool,
) -> Iterator[Alarm]:
    found = spread_of(months, of, limits.least)
    if found is None:
        return
    since, before, now = found
    was, is_ = binned(before, now)
    shift = psi(was, is_)
    if shift <= limits.psi or not moved(was, is_):
        return
    told = {
        "what": what,
        "now": f"{quantile(now, 0.5):g}",
        "before": f"{quantile(before, 0.5):g}",
        "psi": f"{shift:.2f}",
    }
    words = msg("{what}: its values have shifted, median {now}, before {before} (PSI {psi})", **told)
    if measured and _factor(before, now) >= _OTHER_UNIT:
        words = msg(
            "{what}: its values have shifted, median {now}, before {before} (PSI {psi}). "
            "A median that changes so much may be another unit at the source",
            **told,
        )
    yield Alarm("psi", what.split("/")[0], what, since, shift, words)


def _factor(before: Mapping[float, int], now: Mapping[float, int]) -> float:
    was, is_ = quantile(before, 0.5), quantile(now, 0.5)
    return max(was / is_, is_ / was) if was > 0 and is_ > 0 else math.nan


def _words(months: Mapping[str, Month], what: str, limits: Monitoring) -> Iterator[Alarm]:
    found = spread_of(months, partial(_word, what), limits.least)
    if found is None:
        return
    since, before, now = found
    whole, later = sum(before.values()), sum(now.values())
    service = what.split("/")[0]

    rises = {word: now.get(word, 0) / later - before.get(word, 0) / whole for word in (*before, *now)}
    change = max(map(abs, rises.values()))
    shift = psi(before, now)
    if (shift > limits.psi or change > limits.share_change) and moved(before, now):
        word = (
            "yes" if rises.keys() <= {"yes", "no"} else min(rises, key=lambda w: (-round(abs(rises[w]), 9), rises[w]))
        )
        words = msg("{what}: {word} in {now} %, before in {before} %", what=what, word=word,
                    now=_percent(now.get(word, 0), later), before=_percent(before.get(word, 0), whole))  # fmt: skip
        yield Alarm("psi", service, what, since, shift, words)
        return
    for gone in sorted(before):
        if not now.get(gone) and before[gone] / whole * later >= _EXPECTED:
            words = msg("{what}: {word} no longer comes, before in {before} %", what=what, word=gone,
                        before=_percent(before[gone], whole))  # fmt: skip
            yield Alarm("psi", service, what, since, shift, words)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f}"


def _missing(months: Mapping[str, Month], what: str, limits: Monitoring) -> Iterator[Alarm]:
    def asked(month: Month) -> int:
        there = (*month.inputs.get(what, {}).values(), *month.words.get(what, {}).values())
        return month.missing.get(what, 0) + sum(there)

    found = window(months, asked, limits.least)
    if found is None:
        return
    gone, was_gone = (sum(m.missing.get(what, 0) for m in part) for part in (found.now, found.before))
    n, was_n = sum(map(asked, found.now)), sum(map(asked, found.before))
    if gone / n - was_gone / was_n <= limits.missing_rise or not shares_differ(was_gone, was_n, gone, n):
        return
    reasons, was = (together(month.unusable.get(what, {}) for month in part) for part in (found.now, found.before))
    rose = max(sorted(reasons), key=lambda one: reasons[one] / n - was.get(one, 0) / was_n, default=None)
    words = Message(
        (_WHY.get(rose or "", _NO_VALUE)).text,
        {"what": what, "now": _percent(gone, n), "before": _percent(was_gone, was_n),
         "share": _percent(reasons.get(rose or "", 0), n)},
    )  # fmt: skip
    yield Alarm("missing", what.split("/")[0], what, found.since, gone / n, words)


def _refused(months: Mapping[str, Month], model: str, limits: Monitoring) -> Iterator[Alarm]:
    def refused(month: Month) -> int:
        return sum(n for name, n in month.refused.items() if name.partition(": ")[0] == model)

    def asked(month: Month) -> int:
        given = [sum(n.values()) for name, n in month.estimates.items() if name.split("/")[0] == model]
        return refused(month) + max(given, default=0)

    found = window(months, asked, limits.least)
    if found is None:
        return
    no, was_no = sum(map(refused, found.now)), sum(map(refused, found.before))
    n, was_n = sum(map(asked, found.now)), sum(map(asked, found.before))
    if no / n - was_no / was_n > limits.missing_rise and shares_differ(was_no, was_n, no, n):
        words: Message = msg("{model}: no estimate for {now} of 100 patients, before for {before}", model=model,
                             now=_percent(no, n), before=_percent(was_no, was_n))  # fmt: skip
        yield Alarm("refused", model, model, found.since, no / n, words)
