"""Deterioration and sepsis at encounter-start: NEWS2, acted on by its least possible total; SOFA against a baseline.

A low score with everything measured stays silent. With observations missing there is never a reassurance: either
the observed part already reaches a threshold, or the card asks for what is missing.

Who is asked for observations depends on the encounter's class (HL7 v3 ActCode):
- in hospital (inpatient, emergency, observation, short stay; planned or under way): always;
- elsewhere (outpatient, virtual, home): never. Only an observed total of 5 or more, which calls for an urgent
  response wherever the patient is, opens a card;
- unknown class: only if something was observed in the last 24 hours.
An encounter that is over has no start, and no card.

Sepsis: with an acute infection on the list or an antibacterial medicine in use, a SOFA that has certainly risen by 2
or more opens a card in hospital (Sepsis-3). qSOFA of 2 or 3 does so too, as a reason to look for organ dysfunction;
below 2 it says nothing, for it must never be the only screen: SSC 2026 prefers NEWS2 to it for that.

Sources: Royal College of Physicians. National Early Warning Score (NEWS) 2. London 2017. Surviving Sepsis Campaign
2026, doi:10.1097/CCM.0000000000007075 (read in secondary sources).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cds_service.api import (
    Case,
    Citation,
    Finding,
    Message,
    NotEstimated,
    Proposal,
    Reason,
    Refusal,
    RiskEstimate,
    RiskFinding,
    Service,
    Severity,
    Topic,
    Unusable,
    catalogue,
    is_hospital,
    is_over,
    msg,
    orders,
    override_reason,
    published,
    within,
)

NEWS2, QUICK, RISE = "news2", "qsofa", "sofa-rise"
RCP_2017 = Citation(
    "Royal College of Physicians, NEWS2 (2017)",
    "https://www.rcp.ac.uk/resources/national-early-warning-score-news-2/",
)
SSC_2026 = Citation(
    "Surviving Sepsis Campaign 2026 (read in secondary sources)", "https://doi.org/10.1097/CCM.0000000000007075"
)
SEPSIS_FROM = 2  # points of rise, and of qSOFA
REPEAT_AFTER = timedelta(hours=4)  # the state of an acutely ill patient is another one by then
URGENT = 5  # points of NEWS2 that call for an urgent review
AGGREGATE = ("high", "medium")  # bands of a total of 5 or more
# What a clinician looks at next: told on the card even if it is normal, from the last two days.
TWO_DAYS = timedelta(days=2)
LABS = (
    catalogue.LACTATE,
    catalogue.within(catalogue.CRP, TWO_DAYS, "crp_2_days"),
    catalogue.within(catalogue.WBC, TWO_DAYS, "wbc_2_days"),
    catalogue.within(catalogue.CREATININE, TWO_DAYS, "creatinine_2_days"),
    catalogue.URINE_24H,
)
SEVERITIES = {
    "high": Severity.CRITICAL,
    "medium": Severity.WARNING,
    "low-medium": Severity.WARNING,
    "undetermined": Severity.INFO,
}
RESPONSES = {
    "high": msg("Emergency assessment by a team with critical-care skills, and continuous monitoring."),
    "medium": msg("Urgent review by a clinician competent in acute illness, and observations at least hourly."),
    "low-medium": msg("Urgent review by a ward clinician to find the cause, and observations at least hourly."),
    "undetermined": msg("Complete the observations: without them a low score cannot be assumed."),
}
SEPSIS = msg(
    "Review now for sepsis: lactate, cultures before antimicrobials, antimicrobials within 1 hour if sepsis is likely, "
    "fluids if pressure is low or lactate high."
)
LOOK = msg("Look for organ dysfunction and measure lactate. qSOFA is no screen by itself: a low one excludes nothing.")
CEILING = msg("Palliative care is on record: follow the agreed ceiling of treatment.")


COMFORT = msg("Comfort or hospice care is on record: ease symptoms, and follow the agreed ceiling of treatment.")


def find(case: Case) -> tuple[Finding, ...]:
    """Sepsis first, then NEWS2; where comfort is the aim, a high NEWS2 alone and quietly."""
    if case.values.flag(catalogue.COMFORT_CARE):
        return tuple(_in_comfort_care(f) for f in warning_score(case) if f.severity > Severity.INFO)
    return (*sepsis(case), *warning_score(case))


def _in_comfort_care(finding: RiskFinding) -> Finding:
    """A score as information: nobody is called, and no observation is asked for."""
    if isinstance(finding.result, NotEstimated):
        return finding
    estimate = finding.result[0]
    shown = {"low": estimate.value, "high": estimate.high, "time": estimate.effective}
    said = msg("NEWS2 at least {low} at {time}: comfort care is on record, ease symptoms", **shown)
    if estimate.high is None:
        said = msg("NEWS2 {low} at {time}: comfort care is on record, ease symptoms", **shown)
    return replace(
        finding, severity=Severity.INFO, headline=said, short_headline=None, advice=COMFORT, advice_source=None,
        proposals=(),
    )  # fmt: skip


def sepsis(case: Case) -> tuple[Finding, ...]:
    """A rise of SOFA, or a high qSOFA, with suspected infection in hospital."""
    encounter = case.context.encounter
    if encounter is None or not is_hospital(encounter) or is_over(encounter, case.context.now):
        return ()
    risen, quick = _reached(case, RISE), _reached(case, QUICK)
    if risen is None and quick is None:
        return ()
    model_id = RISE if risen is not None else QUICK
    palliative = bool(case.values.flag(catalogue.PALLIATIVE_CARE))
    advice = SEPSIS if risen is not None else LOOK
    finding = RiskFinding(
        key=f"sepsis/{model_id}",
        severity=Severity.WARNING,
        headline=_sepsis_headline(risen, quick),
        advice=msg("{response} {ceiling}", response=advice, ceiling=CEILING) if palliative else advice,
        advice_source=SSC_2026,
        proposals=() if palliative else _sepsis_orders(case),
        magnitude=(risen or quick or 0.0),
        model=case.models[model_id],
        result=case.results[model_id],
    )
    return (finding,)


def _reached(case: Case, model_id: str) -> float | None:
    """The least possible total, if it reaches the threshold."""
    result = case.results[model_id]
    if isinstance(result, NotEstimated) or result[0].value < SEPSIS_FROM:
        return None
    return result[0].value


def _sepsis_headline(risen: float | None, quick: float | None) -> Message:
    if risen is None:
        return msg("Suspected infection and qSOFA {quick}: look for organ dysfunction", quick=int(quick or 0))
    if quick is None:
        return msg("Possible sepsis: suspected infection, and SOFA up by at least {rise}", rise=int(risen))
    return msg(
        "Possible sepsis: suspected infection, SOFA up by at least {rise}, qSOFA {quick}",
        rise=int(risen),
        quick=int(quick),
    )


def _sepsis_orders(case: Case) -> tuple[Proposal, ...]:
    """Lactate and cultures, and the laboratory values that SOFA lacks; nothing that is there or ordered."""
    result, values = case.results[RISE], case.values
    wanted = [] if values.usable(catalogue.LACTATE) else [orders.LACTATE]
    culture = values[catalogue.BLOOD_CULTURE]
    if isinstance(culture, Unusable) and culture.reason in (Reason.ABSENT, Reason.STALE):
        wanted.append(orders.BLOOD_CULTURE)
    missing = () if isinstance(result, NotEstimated) else result[0].not_measured
    wanted += [what for what in orders.mending(missing) if what not in wanted]
    offered: tuple[Proposal, ...] = ()
    for what in wanted:
        offered += orders.offer(
            case.context, what, "Suspected infection with signs of organ dysfunction", priority="stat"
        )
    return offered


def warning_score(case: Case) -> tuple[RiskFinding, ...]:
    """NEWS2 that reaches a threshold, or the observations that it lacks."""
    result, encounter = case.results[NEWS2], case.context.encounter
    if encounter is not None and is_over(encounter, case.context.now):
        return ()
    hospital = is_hospital(encounter) if encounter is not None else None
    if isinstance(result, NotEstimated):
        return _refused(case, result) if hospital else ()
    estimate = result[0]
    band = estimate.band.id if estimate.band is not None else "undetermined"
    if band == "low" or low_anyway(estimate) or (hospital is False and band not in AGGREGATE):
        return ()
    advice = RESPONSES[band]
    if case.values.flag(catalogue.PALLIATIVE_CARE):
        advice = msg("{response} {ceiling}", response=advice, ceiling=CEILING)
    finding = RiskFinding(
        key=f"{NEWS2}/{band}",
        severity=SEVERITIES[band],
        headline=_on_condition(case, headline(estimate, band)),
        short_headline=_on_condition(case, short_headline(estimate, band)),
        advice=advice,
        advice_source=RCP_2017,
        proposals=(*_review(case, band), *_observations(case, estimate.not_measured)),
        model=case.models[NEWS2],
        result=result,
    )
    return (finding,)


def low_anyway(estimate: RiskEstimate) -> bool:
    """True if only the oxygen is not recorded and the total is low with it too: it adds 2 points, never 3."""
    missing = {unusable.feature.id for unusable in estimate.not_measured}
    return estimate.high is not None and estimate.high < URGENT and missing == {catalogue.SUPPLEMENTAL_OXYGEN.id}


def _on_condition(case: Case, words: Message) -> Message:
    """The words with the condition under which they hold, where it is not known whether the patient is old enough."""
    if case.values.usable(catalogue.AGE) is not None:
        return words
    return msg("{words} (age not known: holds from 16 on)", words=words)


def headline(estimate: RiskEstimate, band: str) -> Message:
    """The total, or the interval of possible totals with what was not recorded, and the observation time."""
    time = estimate.effective
    if estimate.high is None:
        return msg("NEWS2 {total} at {time}: {meaning}", total=estimate.value, time=time, meaning=_meaning(band))
    missing = published.lacked(estimate.not_measured)
    if band == "undetermined":
        return msg(
            "NEWS2 cannot be completed: {low} to {high} points possible; {missing}",
            low=estimate.value,
            high=estimate.high,
            missing=missing,
        )
    return msg(
        "NEWS2 {low} to {high} possible at {time}: {meaning}; {missing}",
        low=estimate.value,
        high=estimate.high,
        time=time,
        meaning=_meaning(band),
        missing=missing,
    )


def short_headline(estimate: RiskEstimate, band: str) -> Message:
    """The same with the missing observations counted instead of named."""
    count = len(estimate.not_measured)
    there = any(one.reason.was_measured for one in estimate.not_measured)
    gone = msg("{count} observations not recorded", count=count)
    if there:
        gone = msg("{count} observations not recorded or not usable", count=count)
    if band == "undetermined":
        return msg("NEWS2 cannot be completed: {missing}", missing=gone)
    return msg("NEWS2 at least {low}: {meaning}; {missing}", low=estimate.value, meaning=_meaning(band), missing=gone)


def _meaning(band: str) -> Message:
    return {
        "high": msg("emergency review"),
        "medium": msg("urgent review"),
        "low-medium": msg("urgent review, 3 points in one observation"),
    }[band]


def names_of(missing: tuple[Unusable, ...]) -> Message:
    """The names of missing observations in one row."""
    joined = within(missing[0].feature.label)
    for following in missing[1:]:
        joined = msg("{first}, {following}", first=joined, following=within(following.feature.label))
    return joined


def _refused(case: Case, result: NotEstimated) -> tuple[RiskFinding, ...]:
    """No observation at all, or none that can be used, of someone who stays in hospital."""
    if result.refusal is not Refusal.INPUT:
        return ()
    lead = msg("NEWS2 cannot be calculated: no observations of the last 24 hours")
    if any(fault.reason not in (Reason.ABSENT, Reason.STALE) for fault in result.unusable):
        lead = msg("NEWS2 cannot be calculated: no usable observations of the last 24 hours")
    finding = RiskFinding(
        key=f"{NEWS2}/refused",
        severity=Severity.INFO,
        headline=lead,
        advice=RESPONSES["undetermined"],
        advice_source=RCP_2017,
        proposals=_observations(case, result.unusable),
        model=case.models[NEWS2],
        result=result,
    )
    return (finding,)


def _review(case: Case, band: str) -> tuple[Proposal, ...]:
    """The review that the score calls for, unless it is asked for already."""
    if band == "high":
        what = orders.referral(
            "emergency-review",
            msg("Request emergency assessment"),
            msg("Emergency assessment by a team with critical-care skills (NEWS2)"),
            "emergency assessment",
            "rapid response",
            "critical care outreach",
        )
        return orders.offer(case.context, what, "NEWS2 of 7 or more", priority="stat")
    if band in ("medium", "low-medium"):
        what = orders.referral(
            "urgent-review",
            msg("Request urgent review"),
            msg("Urgent clinical review (NEWS2)"),
            "urgent clinical review",
        )
        return orders.offer(case.context, what, "NEWS2 reaches the threshold for urgent review", priority="urgent")
    return ()


def _observations(case: Case, missing: tuple[Unusable, ...]) -> tuple[Proposal, ...]:
    """One request for all missing observations; those that the EHR did not let us see may be there."""
    missing = tuple(m for m in missing if m.reason is not Reason.UNAVAILABLE)
    if not missing:
        return ()
    text = msg("NEWS2 observations: {missing}", missing=names_of(missing))
    what = orders.bedside("news2-observations", msg("Request the missing observations"), text, "news2 observations")
    return orders.offer(case.context, what, "Needed to complete NEWS2", priority="urgent")


service = Service(
    id="deterioration",
    hook="encounter-start",
    title=msg("Deterioration and sepsis (NEWS2, SOFA)"),
    description=msg(
        "Early warning score NEWS2 from the observations of the last 24 hours, with the response that it calls for, "
        "and with the interval of possible scores where observations are missing; with suspected infection, sepsis by "
        "the rise of SOFA over the baseline."
    ),
    models=(NEWS2, QUICK, RISE),
    features=(catalogue.PALLIATIVE_CARE, catalogue.COMFORT_CARE, catalogue.BLOOD_CULTURE, *LABS),
    shown=LABS,
    find=find,
    source=RCP_2017,
    topic=Topic("http://loinc.org", "88330-6", "National Early Warning Score [NEWS]"),
    summary=("allergy", "result", "trend", "problem", "medication"),
    reasons=(
        override_reason("mitigate-risk-negative-outcome", "Action taken to mitigate risk of negative outcome"),
        override_reason("inappropriate-recipient", "PC CDS delivered to inappropriate recipient/role"),
    ),
    repeat_after=REPEAT_AFTER,
    optional=("labs",),  # they are told beside the score
)
