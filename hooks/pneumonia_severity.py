"""Severity of pneumonia at encounter-start: CURB-65, to help choose where to treat.

It speaks where the choice is open: from 2 points on wherever the patient is, and below in the emergency department or
an office, where the patient may be able to go home. On a ward a low score says nothing new. With inputs missing it
acts on the interval of possible totals, and asks for what would decide it. Silent about a pneumonia that began two days
or more after admission.

Sources: NICE NG250 (September 2025, read in a secondary source): 0 or 1 at home, 2 by judgement, from 3 in hospital.
ATS/IDSA 2019 prefers the Pneumonia Severity Index and puts clinical judgement first.
"""

from __future__ import annotations

from datetime import timedelta

from cds_service.api import (
    Case,
    Citation,
    Finding,
    Message,
    NotEstimated,
    Proposal,
    Reason,
    RiskEstimate,
    RiskFinding,
    Service,
    Severity,
    Topic,
    Unusable,
    catalogue,
    is_inpatient,
    is_over,
    msg,
    orders,
    override_reason,
    published,
    stay_began,
    within,
)

CURB = "curb-65"
NICE_2025 = Citation(
    "NICE guideline NG250, pneumonia (2025; read in a secondary source)", "https://www.nice.org.uk/guidance/ng250"
)
REPEAT_AFTER = timedelta(hours=12)
SATURATION_FROM = 92.0  # %, below which the BTS guideline wants hospital care
IN_HOSPITAL = timedelta(days=2)
SEVERITIES = {"low": Severity.INFO, "moderate": Severity.INFO, "severe": Severity.WARNING}
ADVICE = {
    "low": msg("Treatment at home may be suitable, if oxygenation, other diseases and circumstances allow it."),
    "moderate": msg("Consider hospital care, or a short stay, or supervised treatment at home."),
    "severe": msg("Treat in hospital as severe pneumonia; assess for intensive care, above all at 4 or 5."),
    "undetermined": msg("Complete the score: the missing inputs decide where to treat."),
}
CEILING = msg("Palliative care is on record: follow the agreed ceiling of treatment.")
MEANING = {"low": msg("low severity"), "moderate": msg("moderate severity"), "severe": msg("high severity")}
TO_DO = {
    "moderate": msg("{headline}: consider hospital").text,
    "severe": msg("{headline}: treat in hospital, assess for intensive care").text,
}


def find(case: Case) -> tuple[Finding, ...]:
    """The severity, if it helps to choose, or the inputs that it lacks."""
    result, encounter = case.results[CURB], case.context.encounter
    if isinstance(result, NotEstimated) or (encounter is not None and is_over(encounter, case.context.now)):
        return ()
    if acquired_in_hospital(case):
        return ()
    (estimate,) = result
    band = estimate.band.id if estimate.band is not None else "undetermined"
    on_ward = encounter is not None and is_inpatient(encounter)
    palliative = bool(case.values.flag(catalogue.PALLIATIVE_CARE))
    short_of_oxygen = hypoxemia(case)
    advice = _advice(case, band, hypoxemic=short_of_oxygen is not None)
    advice = msg("{advice} {ceiling}", advice=advice, ceiling=CEILING) if palliative else advice
    finding = RiskFinding(
        key=f"{CURB}/{band}",
        severity=Severity.WARNING if short_of_oxygen else SEVERITIES.get(band, Severity.INFO),
        headline=_told(headline(estimate, band), band, short_of_oxygen, palliative=palliative),
        short_headline=headline(estimate, band)
        if estimate.high is None
        else msg("CURB-65 cannot be completed: {count} inputs missing", count=len(estimate.not_measured)),
        advice=advice,
        advice_source=NICE_2025,
        proposals=() if palliative else (*_critical_care(case, band), *_missing(case, estimate.not_measured)),
        quiet=band == "low" and on_ward and short_of_oxygen is None,
        magnitude=estimate.value,
        model=case.models[CURB],
        result=result,
    )
    return (finding,)


def _advice(case: Case, band: str, *, hypoxemic: bool) -> Message:
    """What the band asks for; where the score misleads, that instead of treatment at home."""
    if hypoxemic and band != "severe":
        return msg("Saturation below 92% calls for hospital care whatever the score: it does not count oxygenation.")
    if band == "low" and case.values.flag(catalogue.PREGNANCY):
        return msg("The score was not derived in pregnancy: the threshold for hospital care is lower there.")
    return ADVICE[band]


def hypoxemia(case: Case) -> Message | None:
    """A saturation of the last day below that of the guideline, in words; None without one."""
    found = case.values.usable(catalogue.SPO2_ACUTE)
    if found is None or float(found.value) >= SATURATION_FROM:
        return None
    return msg("saturation {value}", value=published.in_words(found))


def acquired_in_hospital(case: Case) -> bool:
    """True if the pneumonia began two days or more after the stay did: CURB-65 is for one that was brought along."""
    pneumonia = case.values.usable(catalogue.PNEUMONIA)
    began = stay_began(case.context.record, case.context.encounter)
    if pneumonia is None or pneumonia.effective is None or began is None:
        return False
    return pneumonia.effective - began >= IN_HOSPITAL


def _told(said: Message, band: str, short_of_oxygen: Message | None, *, palliative: bool) -> Message:
    """The headline with what decides beside the score, or with what the score calls for."""
    if short_of_oxygen is not None:
        return msg("{score}; {spo2}", score=said, spo2=short_of_oxygen)
    return msg(TO_DO[band], headline=said) if band in TO_DO and not palliative else said


def headline(estimate: RiskEstimate, band: str) -> Message:
    """The total with its meaning, or the interval with what is missing."""
    if estimate.high is None:
        return msg("Pneumonia: CURB-65 {total}, {meaning}", total=int(estimate.value), meaning=MEANING[band])
    missing = published.lacked(estimate.not_measured)
    shown = {"low": int(estimate.value), "high": int(estimate.high), "missing": missing}
    if band == "undetermined":
        return msg("Pneumonia: CURB-65 {low} to {high} possible ({missing})", **shown)
    return msg(
        "Pneumonia: CURB-65 {low} to {high} possible ({missing}), {meaning}",
        meaning=MEANING[band],
        **shown,
    )


def _critical_care(case: Case, band: str) -> tuple[Proposal, ...]:
    """An assessment for intensive care, from 3 points on."""
    if band != "severe":
        return ()
    what = orders.referral(
        "critical-care-assessment",
        msg("Request assessment for intensive care"),
        msg("Assessment for intensive care (severe pneumonia, CURB-65)"),
        "intensive care",
        "critical care",
        "emergency assessment",
    )
    return orders.offer(case.context, what, "CURB-65 of 3 or more", priority="urgent")


def _missing(case: Case, missing: tuple[Unusable, ...]) -> tuple[Proposal, ...]:
    """The laboratory test, and one request for all that is looked at at the bedside."""
    offered: list[Proposal] = []
    for what in orders.mending(missing):
        offered += orders.offer(case.context, what, "Needed to complete CURB-65", priority="urgent")
    bedside = [
        m for m in missing if m.feature.id not in orders.UREA_NITROGEN.mends and m.reason is not Reason.UNAVAILABLE
    ]
    if bedside:
        wanted = published.enumerated([within(m.feature.label) for m in bedside])
        text = msg("CURB-65 observations: {missing}", missing=wanted)
        what = orders.bedside("curb-65-observations", msg("Request the missing observations"), text, "observations")
        offered += orders.offer(case.context, what, "Needed to complete CURB-65", priority="urgent")
    return tuple(offered)


service = Service(
    id="pneumonia-severity",
    hook="encounter-start",
    title=msg("Severity of pneumonia (CURB-65)"),
    description=msg(
        "CURB-65 for adults with community-acquired pneumonia on the problem list, from the last 24 hours, with the "
        "interval of possible totals where inputs are missing."
    ),
    models=(CURB,),
    features=(catalogue.PALLIATIVE_CARE, catalogue.PREGNANCY, catalogue.SPO2_ACUTE),
    shown=(catalogue.SPO2_ACUTE,),
    find=find,
    source=NICE_2025,
    topic=Topic("http://snomed.info/sct", "233604007", "Pneumonia"),
    summary=("allergy", "result", "problem", "medication"),
    reasons=(override_reason("risk-benefit-ratio", "Recipient assessment of risk/benefit ratio"),),
    repeat_after=REPEAT_AFTER,
)
