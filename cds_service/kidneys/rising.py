"""A creatinine that rises as in acute kidney injury (KDIGO 2012): what it was, what it may mean, what to review."""

from __future__ import annotations

from datetime import timedelta

from cds_service import orders
from cds_service.features import catalogue
from cds_service.features.feature import FeatureValue, Reason, Unusable
from cds_service.features.kidney_injury import Rise, told
from cds_service.features.latest import is_of_haemolysed
from cds_service.findings import CareGapFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.language import Message, msg
from cds_service.risk import published
from cds_service.risk.model import Citation

FRESH = timedelta(days=90)  # a rise that was not followed up for longer is no news, but an omission
BESIDE = timedelta(days=2)  # a potassium that was taken longer before the creatinine says little about now
DANGEROUS_POTASSIUM = 6.0  # mmol/L, from which it belongs into the first line
KDIGO_AKI = Citation("KDIGO 2012 acute kidney injury guideline", "https://kdigo.org/guidelines/acute-kidney-injury/")
# What a clinician reviews while the kidney fails: harmful to it, or cleared by it.
TO_REVIEW = (catalogue.METFORMIN, catalogue.NSAID, catalogue.RAS_INHIBITOR, catalogue.SGLT2_INHIBITOR)


def injury(case: Case, rise: Rise | None) -> tuple[Finding, ...]:
    """A creatinine that has risen as in acute kidney injury; one that falls again is told on other cards only."""
    if rise is None:
        return ()
    fresh = case.context.now - rise.latest.time <= FRESH
    falling, known = rise.kind == "falling", bool(case.values.flag(catalogue.ACUTE_KIDNEY_INJURY))
    taken = [m for m in map(case.values.usable, TO_REVIEW) if m is not None and m.value is True]
    potassium = _potassium(case, rise)
    beside = (*taken, *([potassium] if potassium else []))
    headline, short = _first_lines(rise, potassium, fresh=fresh)
    sources = (rise.latest.reference, rise.reference.reference, *(s for found in beside for s in found.sources))
    finding = CareGapFinding(
        key="kidney-injury",
        severity=Severity.WARNING if fresh and not falling and not known else Severity.INFO,
        headline=headline,
        short_headline=short,
        advice=msg("Repeat creatinine until it is steady: until then no eGFR and no stage can be told.")
        if falling
        else msg(
            "Repeat creatinine and potassium within days, today if the patient is acutely ill. Look for the cause, and "
            "review medicines that harm the kidney or that it clears. Chronic kidney disease cannot be told from a "
            "rise."
        ),
        advice_source=KDIGO_AKI,
        proposals=()
        if falling
        else tuple(
            proposal
            for what in (orders.CREATININE, *(() if potassium else (orders.POTASSIUM,)))
            for proposal in orders.offer(
                case.context,
                what,
                "Creatinine has risen: possible acute kidney injury",
                priority="urgent",
                due=case.context.now.date(),
            )
        ),
        quiet=falling or known,
        magnitude=rise.latest.value,
        due=msg("{due} {potassium}", due=_due(rise, taken), potassium=_potassium_words(case, potassium)),
        last_done=None,
        sources=tuple(dict.fromkeys(sources)),
    )
    return (finding,)


def _potassium(case: Case, rise: Rise) -> FeatureValue | None:
    """The potassium that belongs to the rise: measured with it or since, or None."""
    found = case.values.usable(catalogue.POTASSIUM)
    known = found is not None and found.effective is not None and found.effective >= rise.latest.time - BESIDE
    return found if known else None


def _potassium_words(case: Case, beside: FeatureValue | None) -> Message:
    """The potassium with its date, or that there is none of this time."""
    if beside is not None and beside.effective is not None:
        return msg("Potassium {value} on {date}.", value=_shown(beside), date=beside.effective.date())
    last = case.values[catalogue.POTASSIUM]
    if isinstance(last, FeatureValue) and last.effective is not None:
        shown = published.in_words(last)
        return msg("Potassium not measured since: last {value} on {date}.", value=shown, date=last.effective.date())
    if isinstance(last, Unusable) and last.reason is not Reason.ABSENT:
        return msg("No usable potassium: {reason}.", reason=last.words)
    return msg("Potassium not measured.")


def _shown(potassium: FeatureValue) -> Message:
    """The value, with a word where its specimen was haemolysed: the card of the potassium doubts it too."""
    words = published.in_words(potassium)
    return msg("{value} (haemolysed)", value=words) if is_of_haemolysed(potassium) else words


def _first_lines(rise: Rise, potassium: FeatureValue | None, *, fresh: bool) -> tuple[Message, Message]:
    """The headline, with a potassium that endangers, and the same without the number of the earlier creatinine."""
    lines = _headline(rise, fresh=fresh), _headline(rise, fresh=fresh, short=True)
    if potassium is None or float(potassium.value) < DANGEROUS_POTASSIUM:
        return lines
    shown = _shown(potassium)
    full, short = (msg("{headline}; potassium {value}", headline=line, value=shown) for line in lines)
    return full, short


def _headline(rise: Rise, *, fresh: bool, short: bool = False) -> Message:
    """Both values with their days, the factor, and what they may mean. short: without the earlier number."""
    now = msg("Creatinine {now} on {latest}", now=told(rise.latest, catalogue.CREATININE, rise.latest),
              latest=rise.latest.time.date())  # fmt: skip
    before = msg("the {before} of {day}", before=told(rise.reference, catalogue.CREATININE, rise.latest),
                 day=rise.reference.time.date())  # fmt: skip
    if short:
        before = msg("that of {day}", day=rise.reference.time.date())
    if rise.kind == "falling":
        return msg("{now}, falling from {before}: kidney function is not steady", now=now, before=before)
    shown: dict[str, object] = {"now": now, "factor": f"{rise.ratio:.1f}", "before": before}
    if not fresh:
        return msg("{now}, {factor} times {before}, and not repeated since", **shown)
    if rise.kind == "year":
        return msg("{now}, {factor} times {before}: possible acute kidney injury", **shown)
    return msg("{now}, {factor} times {before}: acute kidney injury, stage {stage}", stage=rise.stage, **shown)


def _due(rise: Rise, taken: list[FeatureValue]) -> Message:
    """When it was measured, the criterion, and the medicines to review."""
    due = msg("Measured {date}.", date=rise.latest.time.date())
    if rise.kind == "year":
        due = msg("{due} KDIGO stage {stage}, if the rise is one of the last 7 days.", due=due, stage=rise.stage)
    if not taken:
        return due
    medicines = published.enumerated([m.feature.label for m in taken])
    return msg("{due} On the medication list, to review: {medicines}.", due=due, medicines=medicines)
