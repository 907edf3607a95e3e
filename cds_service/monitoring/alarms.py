"""What left its range: the latest month against those before it, and outcomes over the latest months that suffice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from cds_service.language import msg
from cds_service.monitoring.chance import quantile, shares_differ, together
from cds_service.monitoring.counting import Counts, Judged, Month
from cds_service.monitoring.rung import LANGUAGE_MODEL, Alarm
from cds_service.monitoring.shifts import lately, shifts, window
from cds_service.settings import Monitoring

_MOST = 4.0  # times the fewest expected outcomes; what lies further back is not what a model does now
_EXPECTED = 20.0  # calls; that none came is chance with a probability of exp(-20)


def alarms(months: Mapping[str, Month], limits: Monitoring, lifted: Mapping[str, str] | None = None) -> list[Alarm]:
    """What left its range.

    lifted: model -> the month in which somebody let it speak again: its outcomes count from the month after.
    """
    names = list(months)
    if not names:
        return []
    found = [*shifts(months, limits), *_calls(months, limits), *_cards(months, limits)]
    found += [*_overridden(months, limits), *_slow(months, limits), *_told(months, limits)]
    return found + list(_calibration(months, limits, lifted or {}))


def _calls(months: Mapping[str, Month], limits: Monitoring) -> Iterator[Alarm]:
    """Services that were called before and are not in the latest months, while others are."""
    found = window(months, lambda month: month.calls, limits.least)
    if found is None:
        return
    was, is_ = (sum(month.calls for month in part) for part in (found.before, found.now))
    for service in sorted({service for month in found.before for service in month.units}):
        before, now = (sum(_called(service, month) for month in part) for part in (found.before, found.now))
        if not now and before / was * is_ >= _EXPECTED:
            words = msg("{service}: not called any more, before in {before} of 100 calls of all services",
                        service=service, before=f"{100 * before / was:.0f}")  # fmt: skip
            yield Alarm("calls", service, service, found.since, 0.0, words)


def _cards(months: Mapping[str, Month], limits: Monitoring) -> Iterator[Alarm]:
    """Services that speak for much fewer patients than before, or for many more.

    Patients and not calls: a chart that is opened a hundred times shows the same card as often.
    """
    for service in sorted(months[max(months)].units):
        found = window(months, partial(_patients, service), limits.least)
        if found is None:
            continue
        was, is_ = Counts(), Counts()
        for part, into in ((found.before, was), (found.now, is_)):
            for month in part:
                into.add(_of(service, month))
        before, now = was.shown / was.patients, is_.shown / is_.patients
        if limits.cards_factor * min(before, now) <= max(before, now) and shares_differ(
            was.shown, was.patients, is_.shown, is_.patients
        ):
            words = msg("{service}: a card for {now} of 100 patients, before for {before}", service=service,
                        now=f"{100 * now:.2g}", before=f"{100 * before:.2g}")  # fmt: skip
            yield Alarm("cards", service, service, found.since, now, words)


def _patients(service: str, month: Month) -> int:
    return _of(service, month).patients


def _called(service: str, month: Month) -> int:
    return _of(service, month).calls


def _since(months: Mapping[str, Month], place: int) -> tuple[str, list[Month]]:
    """The name of a month, and all months from then on."""
    names = list(months)[place:]
    return names[0], [months[name] for name in names]


def _lately(
    months: Mapping[str, Month], number: Callable[[str, Month], int], least: int
) -> Iterator[tuple[str, str, list[Counts]]]:
    """The services with enough in their latest months: each with the first of these, and their counts."""
    for service in sorted({service for month in months.values() for service in month.units}):
        place = lately(months, partial(number, service), least)
        if place is not None:
            since, latest = _since(months, place)
            yield service, since, [_of(service, month) for month in latest]


def _overridden(months: Mapping[str, Month], limits: Monitoring) -> Iterator[Alarm]:
    """Services of whose cards nearly all answers override them."""
    for service, since, counts in _lately(months, _answered, limits.least):
        answers = sum(one.answered for one in counts)
        share = sum(one.answers.get("overridden", 0) for one in counts) / answers
        if share > limits.overridden:
            words = msg("{service}: {share} % of answers override it", service=service, share=f"{100 * share:.0f}")
            yield Alarm("overridden", service, service, since, share, words)


def _slow(months: Mapping[str, Month], limits: Monitoring) -> Iterator[Alarm]:
    """Services of which one answer in twenty takes long."""
    for service, since, counts in _lately(months, _timed, limits.least):
        slow = quantile(together(one.ms for one in counts), 0.95)
        if slow > limits.slow_ms:
            words = msg("{service}: one answer in twenty took {ms} ms or longer", service=service, ms=f"{slow:.0f}")
            yield Alarm("slow", service, service, since, slow, words)


def _of(service: str, month: Month) -> Counts:
    return month.services().get(service, Counts())


def _answered(service: str, month: Month) -> int:
    return _of(service, month).answered


def _timed(service: str, month: Month) -> int:
    return sum(_of(service, month).ms.values())


def _told(months: Mapping[str, Month], limits: Monitoring) -> Iterator[Alarm]:
    """A language model whose sentences the record does not support."""
    place = lately(months, lambda month: month.told.get("kept", 0) + month.told.get("dropped", 0), limits.least)
    if place is None:
        return
    since, latest = _since(months, place)
    kept, dropped = (sum(month.told.get(fate, 0) for month in latest) for fate in ("kept", "dropped"))
    share = kept / (kept + dropped)
    if share < limits.kept_share:
        words = msg("the language model: {share} % of its sentences were kept", share=f"{100 * share:.0f}")
        yield Alarm("kept-share", LANGUAGE_MODEL, LANGUAGE_MODEL, since, share, words)


def windows(months: Mapping[str, Month], key: str, limits: Monitoring, after: str = "") -> Iterator[tuple[str, Judged]]:
    """The latest months that together have enough judged estimates and expected outcomes, then one month more each.

    Few months show a sudden change, and more of them a smaller one. Each as the first of its months and the sums;
    none if there are too few. after: earlier months do not count.
    """
    total: Judged | None = None
    for name in sorted((name for name in months if name > after), reverse=True):
        found = months[name].judged.get(key)
        if found is None:
            continue
        total = found.and_later(total) if total is not None else found
        if total.n >= limits.least and total.expected >= limits.oe_expected:
            yield name, total
            if total.expected >= _MOST * limits.oe_expected:
                return


def _left(judged: Judged, limits: Monitoring) -> bool:
    ratio = judged.observed / judged.expected
    return not limits.oe_low <= ratio <= limits.oe_high and not judged.by_chance


def _calibration(months: Mapping[str, Month], limits: Monitoring, lifted: Mapping[str, str]) -> Iterator[Alarm]:
    newest: dict[str, str] = {}
    for month in months.values():
        newest |= {judged.model: judged.version for judged in month.judged.values()}
    for key in sorted({key for month in months.values() for key in month.judged}):
        model = next(month.judged[key] for month in months.values() if key in month.judged).model
        looked = windows(months, key, limits, lifted.get(model, ""))
        found = next(((since, judged) for since, judged in looked if _left(judged, limits)), None)
        if found is not None and found[1].version == newest[model]:
            since, judged = found
            ratio = judged.observed / judged.expected
            words = msg(
                "{what}: observed over expected is {ratio}: {observed} outcomes came where {expected} were expected "
                "({n} estimates since {since})",
                what=key,
                ratio=f"{ratio:.2f}",
                observed=judged.observed,
                expected=f"{judged.expected:.0f}",
                n=judged.n,
                since=since,
            )
            yield Alarm("observed-expected", model, key, since, ratio, words, judged.version)
