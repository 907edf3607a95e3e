"""What became of a service that is live: counts by month that hold no patient, and alarms where they leave their range.

Inputs and estimates are counted by their first two digits, so that counts can be added up, and compared with those of
the first months by the population stability index. Outcomes come in as they are known: patient, outcome and day.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cds_service.settings import Monitoring
from cds_service.stores.monitoring import Seen

Outcomes = Mapping[tuple[str, str], tuple[datetime, ...]]  # (patient, outcome) -> when it came


@dataclass(frozen=True, slots=True)
class Watched:
    """An estimate whose outcome is known later. name: `MODEL/OUTCOME[/YEARS]`. within: from the estimate on."""

    name: str
    outcome: str
    within: timedelta


@dataclass(slots=True)
class Month:
    """The counts of one month; nothing here tells of a patient.

    inputs: id -> digits -> how often; missing: id -> how often it had no usable value. estimates: name -> digits ->
    how often. judged: name -> estimates with a known outcome, expected number, observed number.
    """

    calls: Counter[str] = field(default_factory=Counter)
    with_cards: Counter[str] = field(default_factory=Counter)
    suppressed: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    answers: dict[str, Counter[str]] = field(default_factory=dict)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    inputs: dict[str, Counter[float]] = field(default_factory=dict)
    missing: Counter[str] = field(default_factory=Counter)
    estimates: dict[str, Counter[float]] = field(default_factory=dict)
    judged: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Alarm:
    """Something left its range. kind: `psi`, `missing`, `observed-expected` or `overridden`."""

    kind: str
    what: str
    month: str
    value: float
    words: str


def count(
    seen: Iterable[Seen],
    answers: Iterable[tuple[str, str, str, str]],
    watched: tuple[Watched, ...],
    outcomes: Outcomes,
    until: datetime,
) -> dict[str, Month]:
    """The months, in order. until: outcomes are known up to then; estimates whose time is not over are not judged."""
    months: dict[str, Month] = {}
    for one in seen:
        _count(months.setdefault(one.at.strftime("%Y-%m"), Month()), one, watched, outcomes, until)
    for name, service, outcome, reason in answers:
        month = months.setdefault(name, Month())
        month.answers.setdefault(service, Counter())[outcome] += 1
        if outcome == "overridden" and reason:
            month.reasons.setdefault(service, Counter())[reason] += 1
    return dict(sorted(months.items()))


def _count(month: Month, one: Seen, watched: tuple[Watched, ...], outcomes: Outcomes, until: datetime) -> None:
    month.calls[one.service] += 1
    month.with_cards[one.service] += one.cards > 0
    for row in one.inputs:
        name = f"{one.service}/{row['id']}"
        value = row.get("value")
        if "unusable" in row:
            month.missing[name] += 1
        elif isinstance(value, int | float) and not isinstance(value, bool):
            month.inputs.setdefault(name, Counter())[digits(value)] += 1
    for row in one.results:
        month.suppressed[one.service] += "suppressed" in row
        if "refusal" in row:
            month.refused[f"{row['model']}: {row['refusal']}"] += 1
        if row.get("value") is not None and "model" in row:
            _estimate(month, one, row["model"], row, watched, outcomes, until)


def _estimate(
    month: Month,
    one: Seen,
    model: str,
    row: Mapping[str, float],
    watched: tuple[Watched, ...],
    outcomes: Outcomes,
    until: datetime,
) -> None:
    parts = (model, row.get("outcome"), row.get("horizon_years"))
    name = "/".join(str(part) for part in parts if part is not None)
    month.estimates.setdefault(name, Counter())[digits(row["value"])] += 1
    for watch in watched:
        if not f"{name}/".startswith(f"{watch.name}/") or not 0.0 <= row["value"] <= 1.0:
            continue
        came = any(one.at < at <= one.at + watch.within for at in outcomes.get((one.patient, watch.outcome), ()))
        if came or one.at + watch.within <= until:
            judged = month.judged.setdefault(f"{name} for {watch.outcome}", [0.0, 0.0, 0.0])
            judged[0] += 1
            judged[1] += row["value"]
            judged[2] += came


def digits(value: float) -> float:
    """A number rounded to its first two digits."""
    if value == 0 or not math.isfinite(value):
        return 0.0
    return float(f"{value:.1e}")


def psi(before: Counter[float], now: Counter[float], bins: int = 10) -> float:
    """Population stability index between counts, in tenths of the earlier ones; 0 where either is empty."""
    whole, later = before.total(), now.total()
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


def alarms(months: Mapping[str, Month], limits: Monitoring) -> list[Alarm]:
    """What left its range: the latest month against all before it, and outcomes over all months."""
    names = list(months)
    if not names:
        return []
    last, earlier = months[names[-1]], [months[name] for name in names[:-1]]
    found = [*_shifts(names[-1], last, earlier, limits), *_overridden(names[-1], last, limits)]
    return found + list(_calibration(names[-1], months, limits))


def _shifts(name: str, last: Month, earlier: list[Month], limits: Monitoring) -> Iterator[Alarm]:
    for kind in ("inputs", "estimates"):
        for what, now in sorted(getattr(last, kind).items()):
            before = sum((getattr(month, kind).get(what, Counter()) for month in earlier), Counter[float]())
            if min(before.total(), now.total()) < limits.least:
                continue
            moved = psi(before, now)
            if moved > limits.psi:
                yield Alarm("psi", what, name, moved, f"{what}: its values have shifted (PSI {moved:.2f})")
    for what, gone in sorted(last.missing.items()):
        now_n = gone + last.inputs.get(what, Counter()).total()
        was_gone = sum(month.missing[what] for month in earlier)
        was_n = was_gone + sum(month.inputs.get(what, Counter()).total() for month in earlier)
        if min(now_n, was_n) >= limits.least and gone / now_n - was_gone / was_n > limits.missing_rise:
            share = gone / now_n
            words = f"{what}: missing in {100 * share:.0f} %, before in {100 * was_gone / was_n:.0f} %"
            yield Alarm("missing", what, name, share, words)


def _overridden(name: str, last: Month, limits: Monitoring) -> Iterator[Alarm]:
    for service, answers in sorted(last.answers.items()):
        share = answers["overridden"] / answers.total()
        if answers.total() >= limits.least and share > limits.overridden:
            yield Alarm("overridden", service, name, share, f"{service}: {100 * share:.0f} % of answers override it")


def _calibration(name: str, months: Mapping[str, Month], limits: Monitoring) -> Iterator[Alarm]:
    total: dict[str, list[float]] = {}
    for month in months.values():
        for what, judged in month.judged.items():
            total[what] = [a + b for a, b in zip(total.get(what, [0.0, 0.0, 0.0]), judged, strict=True)]
    for what, (n, expected, observed) in sorted(total.items()):
        if n < limits.least or expected <= 0:
            continue
        ratio = observed / expected
        if not limits.oe_low <= ratio <= limits.oe_high:
            words = f"{what}: observed over expected is {ratio:.2f} ({observed:.0f} of {expected:.0f}, {n:.0f} judged)"
            yield Alarm("observed-expected", what, name, ratio, words)
