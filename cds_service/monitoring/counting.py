"""Counts by month: calls, cards, answers and times by unit, inputs, estimates and outcomes, a model's sentences."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cds_service.monitoring.chance import by_chance

if TYPE_CHECKING:
    from cds_service.stores.monitoring import Answered, Seen, Worded

Outcomes = Mapping[tuple[str, str], tuple[datetime, ...]]  # (patient, outcome) -> when it came
Misses = dict[tuple[str, str], list[tuple[str, float]]]  # (patient, what) -> month, outcome minus estimate
_NO_PROBABILITY = ("points", "natural")  # scales on which a value of 1 is no probability of 1
NO_UNIT = ""  # the encounter named none


@dataclass(frozen=True, slots=True)
class Watched:
    """An estimate whose outcome is known later. name: `MODEL/OUTCOME[/YEARS]`. within: from the estimate on."""

    name: str
    outcome: str
    within: timedelta


@dataclass(slots=True)
class Counts:
    """What one service did, in one unit or in all. ms: milliseconds to the answer -> how often.

    patients, shown: of the month, each once, and those of them for whom a card was shown.
    """

    calls: int = 0
    with_cards: int = 0
    suppressed: int = 0
    answers: dict[str, int] = field(default_factory=Counter)
    reasons: dict[str, int] = field(default_factory=Counter)
    ms: dict[float, int] = field(default_factory=Counter)
    patients: int = 0
    shown: int = 0

    def add(self, other: Counts) -> None:
        """Adds the counts of another unit."""
        self.calls += other.calls
        self.with_cards += other.with_cards
        self.patients += other.patients
        self.shown += other.shown
        self.suppressed += other.suppressed
        for mine, more in ((self.answers, other.answers), (self.reasons, other.reasons)):
            for name, n in more.items():
                mine[name] = mine.get(name, 0) + n
        for value, n in other.ms.items():
            self.ms[value] = self.ms.get(value, 0) + n

    @property
    def answered(self) -> int:
        """How many cards were answered."""
        return sum(self.answers.values())


@dataclass(slots=True)
class Judged:
    """Estimates of one version of a model whose outcome is known: how many, expected and observed outcomes.

    shared: what the estimates of patients who were judged in later months too add to the variance of observed minus
    expected, over this month and all later ones: one death is one death, in however many months it was foreseen.
    """

    model: str
    version: str
    n: int = 0
    expected: float = 0.0
    observed: int = 0
    shared: float = 0.0

    def and_later(self, later: Judged) -> Judged:
        """The sums with those of later months."""
        return Judged(
            self.model, self.version, self.n + later.n, self.expected + later.expected, self.observed + later.observed,
            self.shared + later.shared,
        )  # fmt: skip

    @property
    def by_chance(self) -> bool:
        """Whether the model may well be right."""
        return by_chance(self.observed, self.expected, 1.0 + self.shared / self.expected)


@dataclass(slots=True)
class Month:
    """The counts of one month; nothing here tells of a patient.

    units: service -> unit -> counts. refused: model and reason -> how often. inputs: `service/input` -> digits ->
    how often; words: the same of yes, no and coded answers; missing: how often it had no usable value, and
    unusable: for which reason. Inputs and estimates count once a patient and service. estimates: name -> digits ->
    how often. judged: name and outcome -> estimates with a known outcome, a patient's first of the month. told:
    sentences of a language model that were kept, dropped, put back.
    """

    units: dict[str, dict[str, Counts]] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=Counter)
    inputs: dict[str, dict[float, int]] = field(default_factory=dict)
    words: dict[str, dict[str, int]] = field(default_factory=dict)
    missing: dict[str, int] = field(default_factory=Counter)
    unusable: dict[str, dict[str, int]] = field(default_factory=dict)
    estimates: dict[str, dict[float, int]] = field(default_factory=dict)
    judged: dict[str, Judged] = field(default_factory=dict)
    told: dict[str, int] = field(default_factory=Counter)

    def services(self) -> dict[str, Counts]:
        """The counts of each service over all units."""
        found: dict[str, Counts] = {}
        for service, units in sorted(self.units.items()):
            found[service] = Counts()
            for counts in units.values():
                found[service].add(counts)
        return found

    @property
    def calls(self) -> int:
        """Calls of all services."""
        return sum(counts.calls for counts in self.services().values())


def count(
    seen: Iterable[Seen],
    answers: Iterable[Answered],
    watched: tuple[Watched, ...],
    outcomes: Outcomes,
    until: datetime,
    worded: Iterable[Worded] = (),
) -> dict[str, Month]:
    """The months, in order. until: outcomes are known up to then; estimates whose time is not over are not judged.

    seen: in order of time.
    """
    months: dict[str, Month] = {}
    latest, met, judged = "", dict[tuple[str, str], bool](), set[tuple[str, str, str | None]]()
    misses: Misses = {}
    for one in seen:
        name, who = one.at.strftime("%Y-%m"), (one.service, one.patient)
        if name != latest:
            latest, met, judged = name, {}, set()
        month = months.setdefault(name, Month())
        _count(month, one)
        for row in _estimates(one):
            if (once := (one.patient, _name(row), row.get("version"))) not in judged:
                judged.add(once)
                for key, miss in _judge(month, one, row, watched, outcomes, until):
                    misses.setdefault((one.patient, key), []).append((name, miss))
        if who not in met:
            _spread(month, one)
        _meet(month, one, met)
    for answer in answers:
        counts = _unit(months.setdefault(answer.month, Month()), answer.service, answer.unit)
        counts.answers[answer.outcome] = counts.answers.get(answer.outcome, 0) + 1
        if answer.outcome == "overridden" and answer.reason:
            counts.reasons[answer.reason] = counts.reasons.get(answer.reason, 0) + 1
    for text in worded:
        told = months.setdefault(text.month, Month()).told
        for fate, n in (("kept", text.kept), ("dropped", text.dropped), ("put_back", text.put_back)):
            told[fate] = told.get(fate, 0) + n
    _share(months, misses)
    return dict(sorted(months.items()))


def _unit(month: Month, service: str, unit: str | None) -> Counts:
    return month.units.setdefault(service, {}).setdefault(unit or NO_UNIT, Counts())


def _estimates(one: Seen) -> Iterator[Mapping[str, Any]]:
    return (row for row in one.results if row.get("value") is not None and "model" in row)


def _count(month: Month, one: Seen) -> None:
    counts = _unit(month, one.service, one.unit)
    counts.calls += 1
    counts.with_cards += one.cards > 0
    if one.elapsed_ms is not None:
        _bump(counts.ms, digits(one.elapsed_ms))
    for row in one.results:
        counts.suppressed += "suppressed" in row


def _meet(month: Month, one: Seen, met: dict[tuple[str, str], bool]) -> None:
    """Counts a patient at the first call of a month, and at the first card. met: whom, and whether with a card."""
    who, counts = (one.service, one.patient), _unit(month, one.service, one.unit)
    counts.patients += who not in met
    counts.shown += one.cards > 0 and not met.get(who, False)
    met[who] = met.get(who, False) or one.cards > 0


def _spread(month: Month, one: Seen) -> None:
    """Counts the inputs and estimates of one patient."""
    for row in one.inputs:
        name = f"{one.service}/{row['id']}"
        value = row.get("value")
        if "unusable" in row:
            _bump(month.missing, name)
            _bump(month.unusable.setdefault(name, Counter()), row["unusable"])
        elif isinstance(value, int | float) and not isinstance(value, bool):
            _bump(month.inputs.setdefault(name, Counter()), digits(value))
        elif value is not None:
            _bump(month.words.setdefault(name, Counter()), {True: "yes", False: "no"}.get(value, str(value)))
    for row in one.results:
        if "refusal" in row:
            _bump(month.refused, f"{row['model']}: {row['refusal']}")
    for row in _estimates(one):
        _bump(month.estimates.setdefault(_name(row), Counter()), digits(row["value"]))


def _name(row: Mapping[str, Any]) -> str:
    parts = (row["model"], row.get("outcome"), row.get("horizon_years"))
    return "/".join(str(part) for part in parts if part is not None)


def _judge(
    month: Month, one: Seen, row: Mapping[str, Any], watched: tuple[Watched, ...], outcomes: Outcomes, until: datetime
) -> Iterator[tuple[str, float]]:
    """Judges one estimate, if its time is over: of those whose time is not, only the outcomes would be known.

    Yields what was judged, and how far the outcome, 1 or 0, was from the estimate.
    """
    name, model, version = _name(row), row["model"], row.get("version", "")
    if row.get("scale") in _NO_PROBABILITY or not 0 <= row["value"] <= 1:
        return
    for watch in watched:
        over = one.at + watch.within
        if f"{name}/".startswith(f"{watch.name}/") and over <= until:
            key = f"{name} {version} for {watch.outcome}"
            came = any(one.at < at <= over for at in outcomes.get((one.patient, watch.outcome), ()))
            judged = month.judged.setdefault(key, Judged(model, version))
            judged.n += 1
            judged.expected += row["value"]
            judged.observed += came
            yield key, came - row["value"]


def _share(months: Mapping[str, Month], misses: Misses) -> None:
    """Adds to each month what it shares with the later ones: twice the product of a patient's misses."""
    for (_, key), found in misses.items():
        later = 0.0
        for name, miss in reversed(found):
            months[name].judged[key].shared += 2.0 * miss * later
            later += miss


def _bump(counts: dict[Any, int], key: Any) -> None:
    counts[key] = counts.get(key, 0) + 1


def digits(value: float) -> float:
    """A number rounded to its first two digits."""
    if value == 0 or not math.isfinite(value):
        return 0.0
    return float(f"{value:.1e}")
