"""A backtest as a report that a board can read: what to know first, then every figure with what it means."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cds_service.cohort import plots
from cds_service.cohort.judging import SMALLEST, At, Group, Judgement, Measures, Month
from cds_service.cohort.planning import Plan
from cds_service.cohort.speaking import Speaking
from cds_service.risk.metrics import Interval


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 begins a part."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a title."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot and what it shows."""

    svg: str
    words: str


Block = Heading | Text | Table | Plot


@dataclass(frozen=True, slots=True)
class Report:
    """All of a report. facts: what it is about, for `curbside models sign-off`; plain JSON values, no patient data."""

    title: str
    blocks: tuple[Block, ...]
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class About:
    """What was replayed. versions: of models. unread: how many lines and files are not in it. made: the day."""

    patients: int
    encounters: Mapping[str, int]
    until: str
    curbside: str
    versions: Mapping[str, str]
    conditions: Mapping[str, str]
    code_map: str
    outcomes: bytes
    unread: int
    at_most_per_day: float | None
    made: str = ""


def build(about: About, judged: Sequence[Judgement], services: Sequence[Speaking]) -> Report:
    """The report of a backtest."""
    titles = {one.of.outcome: one.of.title for one in judged}
    blocks: list[Block] = list(_first(about, judged, services, titles))
    blocks += _services(services, titles)
    for one in judged:
        blocks += _judgement(one, about)
    blocks += _method(about)
    facts = {
        "report": "curbside-backtest",
        "curbside": about.curbside,
        "models": {id_: {"version": v, "conditions": about.conditions[id_]} for id_, v in about.versions.items()},
        "judged": sorted({one.of.name.split("/")[0] for one in judged if one.measures.auroc is not None}),
        "patients": about.patients,
        "outcomes": hashlib.sha256(about.outcomes).hexdigest()[:16],
    }
    return Report("Local evaluation before going live", tuple(blocks), facts)


def _first(
    about: About, judged: Sequence[Judgement], services: Sequence[Speaking], titles: Mapping[str, str]
) -> Iterator[Block]:
    calls = sum(about.encounters.values())
    days = [day for one in judged for day in (one.of.dates.min(), one.of.dates.max()) if len(one.of.dates)]
    between = f", from {str(min(days))[:10]} to {str(max(days))[:10]}," if days else ""
    if about.made:
        yield Text(f"Made on {about.made} with Curbside {about.curbside}.")
    yield Heading("What to know first")
    yield Text(
        f"{calls:,} calls of hooks{between} for {about.patients:,} patients were replayed as the EHR would have made "
        f"them: each with what was known at that moment and nothing later. What happened afterwards was read from the "
        f"same export, which is complete up to {about.until}."
    )
    for one in judged:
        yield Text(_in_short(one))
    for service in services:
        if service.outcome:
            right = f"{_percent(service.right)} of them right" if service.right else "none of them can be judged"
            yield Text(
                f"The service {service.service} would have shown a card in {service.per_100:.1f} of 100 calls, "
                f"{right} ({titles.get(service.outcome, service.outcome)})."
            )
    yield Text(
        "Nothing here says that a card helps. It says how often it would speak, and how often what it says came true. "
        "Who signs this off answers for its use at this site."
    )


def _in_short(one: Judgement) -> str:
    m = one.measures
    judged = f"{m.n:,} estimates could be judged, and the outcome came in {m.events:,}."
    head = f"{_named(one)} (version {one.of.version}): {judged}"
    if m.auroc is None:
        return f"{head} That is too few to say anything: do not sign this off."
    text = (
        f"{head} AUROC {m.auroc}: of two patients, one with and one without the outcome, the one with it had the "
        f"higher estimate {100 * m.auroc.value:.0f} times in 100."
    )
    if m.observed_expected is not None:
        ratio = m.observed_expected
        fits = _more(ratio.value)
        if ratio.low <= 1 <= ratio.high:
            fits = "no difference from the estimates is shown, and whatever lies in the brackets may be true"
        text += f" Observed over expected {ratio}: {fits}."
    last = next((month for month in reversed(one.months) if month.observed_expected is not None), None)
    if last is not None and last.observed_expected is not None and _outside(last.observed_expected):
        text += f" In {last.name} it was {last.observed_expected}, wholly outside 0.8 to 1.25: look at the trend."
    return text


def _named(one: Judgement) -> str:
    """The outcome and whose estimate of it this is."""
    title = one.of.title[:1].upper() + one.of.title[1:]
    return f"{title}, estimated by {one.of.name.split('/')[0]}"


def _outside(ratio: Interval) -> bool:
    return ratio.low > _OE_HIGH or ratio.high < _OE_LOW


def _more(ratio: float) -> str:
    return f"{100 * abs(ratio - 1):.0f} % {'more' if ratio > 1 else 'fewer'} came than was estimated"


def _services(services: Sequence[Speaking], titles: Mapping[str, str]) -> Iterator[Block]:
    yield Heading("How often each service would speak")
    head = ("service", "outcome", "calls", "cards", "in 100 calls", "a clinician and month", "right", "found",
            "days ahead (median)")  # fmt: skip
    rows = tuple(
        (s.service, titles.get(s.outcome, s.outcome) or "none declared", f"{s.calls:,}", f"{s.cards:,}",
         f"{s.per_100:.1f}", _number(s.per_clinician), _percent(s.right), _percent(s.found), _number(s.lead, 0))
        for s in services
    )  # fmt: skip
    yield Table("Cards at the thresholds in force, as if nobody had answered one before", head, rows)
    yield Text(f"In brackets: 95 % intervals. {_NONE} means that there is too little to say.")


def _judgement(one: Judgement, about: About) -> Iterator[Block]:
    yield Heading(_named(one))
    refused = ", ".join(f"{n:,} {reason}" for reason, n in sorted((one.of.refusals or {}).items()))
    ranges = f" {one.of.intervals:,} are ranges, whose lower end is judged." if one.of.intervals else ""
    yield Text(
        f"Estimate {one.of.name} {one.of.version}. Left out, because the outcome is not known yet: {one.of.unknown:,}. "
        f"Calls without an estimate, by reason: {refused or 'none'}.{ranges}"
    )
    yield Table("How good", _HEAD, (("all", *_measures(one.measures)),))
    for words, svg in plots.every(one):
        yield Plot(svg, words)
    rows = tuple(_at(at, one.of.probability) for at in one.thresholds)
    yield Table("At each threshold", ("threshold", "cards in 100 calls", "right (PPV)", "found (sensitivity)",
                                      "net benefit", "days ahead (median)"), rows)  # fmt: skip
    told = tuple(_group(group) for group in one.groups if group.measures is not None)
    if told:
        yield Table("By subgroup", ("subgroup", *_HEAD[1:]), told)
    withheld = ", ".join(f"{g.dimension} {g.name}" for g in one.groups if g.measures is None)
    if withheld:
        yield Text(
            f"Withheld: {withheld}. Each has fewer than {SMALLEST} patients or too few with or without the outcome, or "
            "such a group could be had by subtracting it from all; so these are told together where others are told."
        )
    yield Table("Over time", ("quarter", "estimates", "outcomes", "observed / expected", "shift of estimates (PSI)"),
                tuple(map(_month, one.months)))  # fmt: skip
    if one.plans:
        yield Table(f"Thresholds for at most {about.at_most_per_day:g} cards a day and ward",
                    ("ward", "threshold", "cards a day", "busiest day", "right", "found"),
                    tuple(_plan(plan, one.of.probability) for plan in one.plans))  # fmt: skip


def _method(about: About) -> Iterator[Block]:
    yield Heading("How this was made")
    yield Text(
        f"Curbside {about.curbside}; code map {about.code_map or 'none'}; models "
        f"{', '.join(f'{id_} {version}' for id_, version in about.versions.items())}. "
        f"{about.unread:,} lines or files of the export are not in it."
    )
    yield Text(
        "AUROC with DeLong's interval; calibration slope and intercept by logistic regression on the log-odds; "
        "observed over expected with a Poisson interval; shares with Wilson's; calibration smoothed by a Gaussian "
        "kernel over ranks; net benefit after Vickers and Elkin. Where patients were called more than once, intervals "
        "rest on the sums of each patient, so that they count people and not calls. Who died of something "
        "else within the time did not have the outcome. Rests after an answered card are not replayed, for nobody "
        "answered. The PSI of a quarter is against the earliest quarter of the time."
    )
    yield Text("The outcomes as declared:")
    yield Text(about.outcomes.decode(errors="replace"))


_NONE = "–"
_OE_LOW, _OE_HIGH = 0.8, 1.25
_HEAD = ("", "estimates", "outcomes", "AUROC", "AUPRC", "calibration slope", "intercept", "observed / expected")


def _measures(m: Measures) -> tuple[str, ...]:
    return (f"{m.n:,}", f"{m.events:,}", _interval(m.auroc), _number(m.auprc, 3), _interval(m.slope),
            _interval(m.intercept), _interval(m.observed_expected))  # fmt: skip


def _at(at: At, probability: bool) -> tuple[str, ...]:
    benefit = f"{at.benefit[0]:.4f} (all: {at.benefit[1]:.4f})" if at.benefit is not None else _NONE
    return (_threshold(at.threshold, probability), f"{at.per_100:.1f}", _percent(at.right), _percent(at.found), benefit,
            _number(at.lead, 0))  # fmt: skip


def _group(group: Group) -> tuple[str, ...]:
    assert group.measures is not None
    return (f"{group.dimension}: {group.name}", *_measures(group.measures))


def _month(month: Month) -> tuple[str, ...]:
    return (month.name, f"{month.n:,}", f"{month.events:,}", _interval(month.observed_expected),
            f"{month.psi:.2f}" if month.n >= SMALLEST else _NONE)  # fmt: skip


def _plan(plan: Plan, probability: bool) -> tuple[str, ...]:
    threshold = _threshold(plan.threshold, probability) if plan.threshold is not None else "none is quiet enough"
    right = f"{100 * plan.right:.0f} %" if plan.right is not None else _NONE
    found = f"{100 * plan.found:.0f} %" if plan.found is not None else _NONE
    return plan.ward, threshold, f"{plan.per_day:.2f}", f"{plan.busiest:.0f}", right, found


def _threshold(value: float, probability: bool) -> str:
    return f"{100 * value:.1f} %" if probability else f"{value:g}"


def _interval(found: Interval | None) -> str:
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})" if found is not None else _NONE


def _percent(found: Interval | None) -> str:
    return (
        f"{100 * found.value:.0f} % ({100 * found.low:.0f} to {100 * found.high:.0f})" if found is not None else _NONE
    )


def _number(value: float | None, digits: int = 1) -> str:
    return f"{value:.{digits}f}" if value is not None else _NONE
