"""The two short blocks beside an estimate: what would change it, and what it was before."""

from __future__ import annotations

from cds_service.explain.wording import listing
from cds_service.features.feature import MedicationFeature
from cds_service.findings import RiskFinding
from cds_service.language import Message, Words, msg, signed
from cds_service.markdown import Block, Bullets, Fixed, Link, Paragraph, Span, Strong
from cds_service.risk import published
from cds_service.risk.model import EstimateKind, RiskEstimate

_ARITHMETIC = msg("(the equation's arithmetic with one value put at its guideline goal, not the effect of a treatment)")


def blocks(finding: RiskFinding, words: Words) -> list[Block]:
    """Both blocks of a finding, as far as it has them; about its first estimate."""
    if not isinstance(finding.result, tuple):
        return []
    return [*_changes(finding, finding.result[0], words), *_before(finding, finding.result[0], words)]


def _changes(finding: RiskFinding, now: RiskEstimate, words: Words) -> list[Block]:
    rows: list[tuple[Span, ...]] = []
    for change in finding.changes:
        then = same(change.estimates, now)
        if then is None or number(then) == number(now):
            continue
        line = msg("{change}: {then} instead of {now}", change=change.words, then=number(then), now=number(now))
        source = (Link(change.source.text, change.source.url),) if change.source is not None else ()
        rows.append((words(line), *source))
    if not rows:
        return []
    return [Paragraph((Strong(words(msg("What would change it:"))), Fixed(words(_ARITHMETIC)))), Bullets(tuple(rows))]


def _before(finding: RiskFinding, now: RiskEstimate, words: Words) -> list[Block]:
    """One line with the earlier values, latest first."""
    if not finding.before:
        return []
    earlier = [msg("{value} on {date}", value=number(e.estimate), date=e.at.date()) for e in finding.before]
    line = msg("now {now}; {earlier}, from the record as it was then", now=number(now), earlier=listing(earlier))
    if any(isinstance(feature, MedicationFeature) for feature in finding.model.features):
        line = msg("{line} (medicines as listed today)", line=line)
    return [Paragraph((Strong(words(msg("Over time:"))), words(line)))]


def same(estimates: tuple[RiskEstimate, ...], wanted: RiskEstimate) -> RiskEstimate | None:
    """Of some estimates that of the same outcome and horizon, or None."""
    key = (wanted.outcome, wanted.horizon_years)
    return next((one for one in estimates if (one.outcome, one.horizon_years) == key), None)


def number(estimate: RiskEstimate) -> Message:
    """The value as cards print it."""
    if estimate.kind is EstimateKind.PROBABILITY:
        return msg("{percent}%", percent=published.percent(estimate.value))
    if estimate.kind is EstimateKind.POINTS:
        return msg("{points}", points=signed(f"{estimate.value:g}"))
    return published.with_unit(estimate.value, estimate.unit, 2 if abs(estimate.value) < 10 else 0)
