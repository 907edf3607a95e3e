"""What left its range: the latest month against those before it, and outcomes over the latest months that suffice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cds_service.language import Message, msg
from cds_service.monitoring.counting import Judged, Month
from cds_service.settings import Monitoring

KINDS = ("psi", "missing", "overridden", "slow", "kept-share", "observed-expected")
LANGUAGE_MODEL = "language-model"


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something left its range. kind: one of `KINDS`. about: a model or a service. version: of the model, or empty."""

    kind: str
    about: str
    what: str
    month: str
    value: float
    message: Message
    version: str = ""

    @property
    def words(self) -> str:
        """The sentence in English."""
        return str(self.message)


def psi(before: Mapping[float, int], now: Mapping[float, int], bins: int = 10) -> float:
    """Population stability index between counts, in tenths of the earlier ones; 0 where either is empty."""
    whole, later = sum(before.values()), sum(now.values())
    if not whole or not later:
        return 0.0
    edges: list[float] = []
    reached = 0
    for value, n in sorted(before.items()):
        reached += n
        if reached >= (len(edges) + 1) * whole / bins:
            edges.append(value)
    found = 0.0
    low = -math.inf
    for high in [*edges[:-1], math.inf]:
        was = max(sum(n for v, n in before.items() if low < v <= high) / whole, 1e-4)
        is_ = max(sum(n for v, n in now.items() if low < v <= high) / later, 1e-4)
        found += (is_ - was) * math.log(is_ / was)
        low = high
    return found


def together(counts: Iterable[Mapping[float, int]]) -> dict[float, int]:
    """Counts of several months, added up."""
    found: dict[float, int] = {}
    for one in counts:
        for value, n in one.items():
            found[value] = found.get(value, 0) + n
    return found


def quantile(counts: Mapping[float, int], share: float) -> float:
    """The value below or at which a share of what was counted lies; NaN if nothing was."""
    whole, reached = sum(counts.values()), 0
    for value, n in sorted(counts.items()):
        reached += n
        if reached >= share * whole:
            return value
    return math.nan


def alarms(months: Mapping[str, Month], limits: Monitoring, lifted: Mapping[str, str] | None = None) -> list[Alarm]:
    """What left its range.

    lifted: model -> the month in which somebody let it speak again: its outcomes count from the month after.
    """
    names = list(months)
    if not names:
        return []
    last, earlier = months[names[-1]], [months[name] for name in names[:-1]]
    found = [*_shifts(names[-1], last, earlier, limits), *_missing(names[-1], last, earlier, limits)]
    found += [*_services(names[-1], last, limits), *_told(names[-1], last, limits)]
    return found + list(_calibration(months, limits, lifted or {}))


def _shifts(name: str, last: Month, earlier: list[Month], limits: Monitoring) -> Iterator[Alarm]:
    kinds = ((last.inputs, [m.inputs for m in earlier]), (last.estimates, [m.estimates for m in earlier]))
    for counts, past in kinds:
        for what, now in sorted(counts.items()):
            before = together(month.get(what, {}) for month in past)
            if min(sum(before.values()), sum(now.values())) < limits.least:
                continue
            moved = psi(before, now)
            if moved > limits.psi:
                words = msg("{what}: its values have shifted (PSI {psi})", what=what, psi=f"{moved:.2f}")
                yield Alarm("psi", what.split("/")[0], what, name, moved, words)


def _missing(name: str, last: Month, earlier: list[Month], limits: Monitoring) -> Iterator[Alarm]:
    for what, gone in sorted(last.missing.items()):
        now_n = gone + sum(last.inputs.get(what, {}).values())
        was_gone = sum(month.missing.get(what, 0) for month in earlier)
        was_n = was_gone + sum(sum(month.inputs.get(what, {}).values()) for month in earlier)
        if min(now_n, was_n) >= limits.least and gone / now_n - was_gone / was_n > limits.missing_rise:
            words = msg(
                "{what}: missing in {now} %, before in {before} %",
                what=what,
                now=f"{100 * gone / now_n:.0f}",
                before=f"{100 * was_gone / was_n:.0f}",
            )
            yield Alarm("missing", what.split("/")[0], what, name, gone / now_n, words)


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


def latest(months: Mapping[str, Month], key: str, limits: Monitoring, after: str = "") -> tuple[str, Judged] | None:
    """The first of the latest months that together have enough judged estimates and expected outcomes, and their sums.

    None if there are too few.
    """
    total: Judged | None = None
    for name in sorted((name for name in months if name > after), reverse=True):
        found = months[name].judged.get(key)
        if found is None:
            continue
        total = total or Judged(found.model, found.version)
        total.n += found.n
        total.expected += found.expected
        total.observed += found.observed
        if total.n >= limits.least and total.expected >= limits.oe_expected:
            return name, total
    return None


def _by_chance(judged: Judged) -> bool:
    """Whether the 95 % interval of observed over expected holds 1. Source: Breslow and Day 1987, Byar's formula."""
    low, high = (_byar(judged.observed, -1.96), _byar(judged.observed + 1, 1.96))
    return low <= judged.expected <= high


def _byar(count: int, z: float) -> float:
    return count * (1 - 1 / (9 * count) + z / (3 * math.sqrt(count))) ** 3 if count else 0.0


def _calibration(months: Mapping[str, Month], limits: Monitoring, lifted: Mapping[str, str]) -> Iterator[Alarm]:
    newest: dict[str, str] = {}
    for month in months.values():
        newest |= {judged.model: judged.version for judged in month.judged.values()}
    for key in sorted({key for month in months.values() for key in month.judged}):
        model = next(month.judged[key] for month in months.values() if key in month.judged).model
        found = latest(months, key, limits, lifted.get(model, ""))
        if found is None or found[1].version != newest[model]:
            continue
        since, judged = found
        ratio = judged.observed / judged.expected
        if not limits.oe_low <= ratio <= limits.oe_high and not _by_chance(judged):
            words = msg(
                "{what}: observed over expected is {ratio} ({observed} of {expected}, {n} judged since {since})",
                what=key,
                ratio=f"{ratio:.2f}",
                observed=judged.observed,
                expected=f"{judged.expected:.0f}",
                n=judged.n,
                since=since,
            )
            yield Alarm("observed-expected", model, key, since, ratio, words, judged.version)
