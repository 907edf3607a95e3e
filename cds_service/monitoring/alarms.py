"""What left its range: the latest month against those before it, and outcomes over the latest months that suffice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from cds_service.language import msg
from cds_service.monitoring.chance import by_chance, quantile, shares_differ
from cds_service.monitoring.counting import Counts, Judged, Month
from cds_service.monitoring.rung import LANGUAGE_MODEL, Alarm
from cds_service.monitoring.shifts import shifts, window
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
    last = months[names[-1]]
    found = [*shifts(months, limits), *_calls(months, limits), *_cards(months, limits)]
    found += [*_services(names[-1], last, limits), *_told(names[-1], last, limits)]
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
    """Services that speak much less often than before, or much more."""
    for service in sorted(months[max(months)].units):
        found = window(months, partial(_called, service), limits.least)
        if found is None:
            continue
        was, is_ = Counts(), Counts()
        for part, into in ((found.before, was), (found.now, is_)):
            for month in part:
                into.add(month.services().get(service, Counts()))
        before, now = was.with_cards / was.calls, is_.with_cards / is_.calls
        if limits.cards_factor * min(before, now) <= max(before, now) and shares_differ(
            was.with_cards, was.calls, is_.with_cards, is_.calls
        ):
            words = msg("{service}: a card in {now} of 100 calls, before in {before}", service=service,
                        now=f"{100 * now:.2g}", before=f"{100 * before:.2g}")  # fmt: skip
            yield Alarm("cards", service, service, found.since, now, words)


def _called(service: str, month: Month) -> int:
    return month.services().get(service, Counts()).calls


def _services(name: str, last: Month, limits: Monitoring) -> Iterator[Alarm]:
    for service, counts in last.services().items():
        share = counts.answers.get("overridden", 0) / max(counts.answered, 1)
        if counts.answered >= limits.least and share > limits.overridden:
            words = msg("{service}: {share} % of answers override it", service=service, share=f"{100 * share:.0f}")
            yield Alarm("overridden", service, service, name, share, words)
        slow = quantile(counts.ms, 0.95)
        if sum(counts.ms.values()) >= limits.least and slow > limits.slow_ms:
            words = msg("{service}: one answer in twenty took {ms} ms or longer", service=service, ms=f"{slow:.0f}")
            yield Alarm("slow", service, service, name, slow, words)


def _told(name: str, last: Month, limits: Monitoring) -> Iterator[Alarm]:
    kept, dropped = last.told.get("kept", 0), last.told.get("dropped", 0)
    share = kept / max(kept + dropped, 1)
    if kept + dropped >= limits.least and share < limits.kept_share:
        words = msg("the language model: {share} % of its sentences were kept", share=f"{100 * share:.0f}")
        yield Alarm("kept-share", LANGUAGE_MODEL, LANGUAGE_MODEL, name, share, words)


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
        total = total or Judged(found.model, found.version)
        total = Judged(
            found.model, found.version, total.n + found.n, total.expected + found.expected,
            total.observed + found.observed,
        )  # fmt: skip
        if total.n >= limits.least and total.expected >= limits.oe_expected:
            yield name, total
            if total.expected >= _MOST * limits.oe_expected:
                return


def _left(judged: Judged, limits: Monitoring) -> bool:
    ratio = judged.observed / judged.expected
    return not limits.oe_low <= ratio <= limits.oe_high and not by_chance(judged.observed, judged.expected)


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
