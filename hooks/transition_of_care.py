"""Transition of care at encounter-discharge: who may come back within 30 days, and what is arranged before leaving.

LACE and the HOSPITAL score speak for adults who go home from a ward; a trained readmission model joins them where a
site has one and has signed it off. Silent with palliative or hospice care, and where the patient goes to another
hospital, a nursing home or rehabilitation, dies or leaves against advice: the scores were derived on people going
home. What is arranged already is not suggested again.
A medicine on hold or a report that is not final opens a card by itself: somebody must decide, and read it later.
Where another finding opens the card, the Charlson index adjusted for age stands beside it as the burden of illness: it
bears on no threshold and no advice.

No guideline sets a threshold. What helps: a follow-up visit soon, medicines reconciled, and a call within days (Jack
BW et al. Ann Intern Med 2009;150:178-187, Project RED; the visit within 7 days is that of Medicare's transitional care
management for complex patients).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from cds_service.api import (
    CareGapFinding,
    Case,
    Citation,
    DiagnosticReport,
    EstimateKind,
    Finding,
    Message,
    NotEstimated,
    Proposal,
    RiskEstimate,
    RiskFinding,
    Service,
    Severity,
    Threshold,
    Topic,
    catalogue,
    goes_to,
    is_inpatient,
    missing_names,
    msg,
    orders,
    override_reason,
    published,
    safety,
)

LACE, HOSPITAL, TRAINED, BURDEN = "lace", "hospital", "readmission-30d", "charlson"
RED_2009 = Citation(
    "Jack BW et al. Reengineered discharge (Project RED), 2009",
    "https://doi.org/10.7326/0003-4819-150-3-200902030-00007",
)
THRESHOLDS = {
    "speak_from": Threshold(
        20.0, msg("30-day risk of readmission from which the trained model opens a card"), "%", 5, 95
    )
}
# Discharge dispositions of HL7 that are not a return home.
ELSEWHERE = frozenset({"hosp", "exp", "oth", "oth-hcf", "long", "snf", "rehab", "psy", "aadvice"})
FOLLOW_UP_DAYS = 7
NOT_FINAL = frozenset({"registered", "partial", "preliminary"})
AWAITED = timedelta(days=30)  # an older report that is not final was given up
ADVICE = msg(
    "Before discharge: book a visit within 7 days, reconcile the medicines, and arrange a call within 2 to 4 days. "
    "Make sure the patient knows whom to ask."
)

PLAN_FROM = 10  # points of LACE
DISAGREE = {  # keys of the findings -> why both can be right
    (f"{LACE}/high", f"{HOSPITAL}/low"): msg(
        "The two scores disagree: the HOSPITAL score is low, for it counts no chronic illness and no emergency visits, "
        "but earlier admissions, hemoglobin, sodium, procedures and oncology. A low one does not undo the other."
    ),
    (f"{HOSPITAL}/high", f"{LACE}/low"): msg(
        "The two scores disagree: LACE is low, for it counts no earlier admissions, hemoglobin, sodium or procedures, "
        "but days, an emergency, chronic illness and emergency visits. A low one does not undo the other."
    ),
}


def find(case: Case) -> tuple[Finding, ...]:
    """The scores and, where there is one, the trained model's estimate; the most telling opens the card."""
    encounter = case.context.encounter
    if encounter is None or not is_inpatient(encounter) or goes_to(encounter) & ELSEWHERE:
        return ()
    if case.values.flag(catalogue.PALLIATIVE_CARE) or case.context.record.deceased:
        return ()
    trained = _trained(case)
    points = [f for id_ in (LACE, HOSPITAL) if (f := _points(case, id_)) is not None]
    speaking = any(f.severity is Severity.WARNING for f in (*trained, *points))
    kept = [f for f in points if not (speaking and f.key.endswith("undetermined"))]
    return _with_disagreement(_said_once((*trained, *kept, *_undecided(case), *_burden(case))))


def _said_once(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings with the same advice and suggestions on the first of them alone."""
    first = next((f for f in findings if f.advice is ADVICE), None)
    return tuple(
        replace(f, advice=None, advice_source=None, proposals=()) if f.advice is ADVICE and f is not first else f
        for f in findings
    )


def _with_disagreement(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The findings, with a sentence beside the advice where one score calls the risk high and the other low."""
    keys = {finding.key for finding in findings}
    words = next((said for pair, said in DISAGREE.items() if keys.issuperset(pair)), None)
    return tuple(
        replace(f, advice=msg("{advice} {why}", advice=f.advice, why=words)) if f.advice is ADVICE and words else f
        for f in findings
    )


def _undecided(case: Case) -> tuple[Finding, ...]:
    """Medicines on hold, and reports of the last weeks that are not final."""
    record, held = case.context.record, safety.medicines(case.context, case.knowledge.terms).held
    since = case.context.now - AWAITED
    awaited = [
        row
        for row in record.rows(DiagnosticReport)
        if row.status in NOT_FINAL and (when := record.date_of(row)) is not None and when.end >= since
    ]
    parts = [msg("one medicine on hold") if len(held) == 1 else msg("{count} medicines on hold", count=len(held))]
    parts = parts if held else []
    if awaited:
        many = msg("{count} reports are not final", count=len(awaited))
        parts.append(msg("one report is not final") if len(awaited) == 1 else many)
    if not parts:
        return ()
    finding = CareGapFinding(
        key="transition-of-care/undecided",
        severity=Severity.INFO,
        headline=msg("Before discharge: {what}", what=published.enumerated(parts)),
        advice=msg(
            "Decide of each medicine on hold whether it is taken again, and tell the patient. Name who reads the "
            "results that come later."
        ),
        advice_source=RED_2009,
        due=msg("The lines below name them."),
        last_done=None,
        sources=(*(one.reference for one in held), *(record.reference(row) for row in awaited)),
    )
    return (finding,)


def _burden(case: Case) -> tuple[Finding, ...]:
    """The Charlson index with age, where the problem list gives any; it opens no card and advises nothing."""
    result = case.results[BURDEN]
    if isinstance(result, NotEstimated):
        return ()
    aged = tuple(e for e in result if e.outcome == "charlson_age_adjusted" and (e.value or e.high))
    model = case.models[BURDEN]
    line = RiskFinding(
        key=f"{BURDEN}/burden", severity=Severity.INFO, headline=model.title, quiet=True, model=model, result=aged
    )
    return (line,) if aged else ()


def _points(case: Case, model_id: str) -> Finding | None:
    """One score: loud if it is high, a question if LACE is open and may be high, else recorded."""
    result = case.results[model_id]
    if isinstance(result, NotEstimated):
        return None
    (estimate,) = result
    band = estimate.band.id if estimate.band is not None else "undetermined"
    high = band == "high"
    reaches = estimate.high is not None and estimate.high >= PLAN_FROM  # else what is missing decides nothing
    asks = band == "undetermined" and model_id == LACE and reaches
    return RiskFinding(
        key=f"{model_id}/{band}",
        severity=Severity.WARNING if high else Severity.INFO,
        headline=headline(estimate, model_id, band),
        short_headline=msg(
            "Readmission: {score} cannot be completed; {count} inputs missing",
            score=case.models[model_id].title,
            count=len(missing_names(estimate.not_measured)),
        ),
        advice=ADVICE if high else _question(estimate) if asks else None,
        advice_source=RED_2009 if high else None,
        proposals=arrangements(case) if high else _mending(case, estimate) if asks else (),
        quiet=not (high or asks),
        magnitude=estimate.value,
        model=case.models[model_id],
        result=result,
    )


def headline(estimate: RiskEstimate, model_id: str, band: str) -> Message:
    """The total or the interval, and what it means."""
    total = published.interval(estimate)
    score = msg("LACE {total}", total=total) if model_id == LACE else msg("HOSPITAL score {total}", total=total)
    if band == "high":
        return msg("High risk of readmission within 30 days: {score}", score=score)
    if band == "undetermined":
        missing = published.enumerated(missing_names(estimate.not_measured))
        return msg("Readmission within 30 days: {score} possible; missing: {missing}", score=score, missing=missing)
    return msg("Readmission within 30 days: {score}", score=score)


def _question(estimate: RiskEstimate) -> Message:
    missing = published.enumerated(missing_names(estimate.not_measured))
    return msg("From 10 points of LACE plan the transition of care. What would decide it: {missing}.", missing=missing)


def _mending(case: Case, estimate: RiskEstimate) -> tuple[Proposal, ...]:
    offered: tuple[Proposal, ...] = ()
    for what in orders.mending(estimate.not_measured):
        offered += orders.offer(case.context, what, "Needed to complete the readmission score")
    return offered


def arrangements(case: Case) -> tuple[Proposal, ...]:
    """A visit, the medicines, a call; each unless it is arranged."""
    reason = msg("High risk of readmission")
    today = case.context.now.date()
    visit = orders.referral(
        "follow-up-visit",
        msg("Arrange a follow-up visit within 7 days"),
        msg("Follow-up visit within 7 days of discharge"),
        "follow-up visit",
        "follow up visit",
        "post-discharge",
    )
    medicines = orders.referral(
        "medicines-reconciliation",
        msg("Request reconciliation of medicines"),
        msg("Reconciliation of medicines before discharge"),
        "reconciliation",
    )
    call = orders.referral(
        "discharge-call",
        msg("Arrange a telephone call after discharge"),
        msg("Telephone call 2 to 4 days after discharge"),
        "telephone call",
    )
    soon = today + timedelta(days=FOLLOW_UP_DAYS)
    return (
        *(() if orders.visit_booked(case.context, soon) else orders.offer(case.context, visit, reason, due=soon)),
        *orders.offer(case.context, medicines, reason, due=today),
        *orders.offer(case.context, call, reason, due=today + timedelta(days=4)),
    )


def _trained(case: Case) -> tuple[Finding, ...]:
    """The trained model's estimate, if a site has one that speaks of this stay."""
    result = case.results.get(TRAINED)
    if result is None or isinstance(result, NotEstimated):
        return ()
    estimate = next((e for e in result if e.kind is EstimateKind.PROBABILITY), None)
    if estimate is None:
        return ()
    percent = 100.0 * estimate.value
    loud = percent >= case.thresholds["speak_from"]
    finding = RiskFinding(
        key=f"{TRAINED}/risk",
        severity=Severity.WARNING if loud else Severity.INFO,
        headline=msg("Estimated risk of readmission within 30 days: {risk}%", risk=published.percent(estimate.value)),
        advice=ADVICE if loud else None,
        advice_source=RED_2009 if loud else None,
        proposals=arrangements(case) if loud else (),
        quiet=not loud,
        magnitude=percent,
        model=case.models[TRAINED],
        result=result,
    )
    return (finding,)


service = Service(
    id="transition-of-care",
    hook="encounter-discharge",
    title=msg("Transition of care"),
    description=msg(
        "Risk of readmission within 30 days of a stay on a ward (LACE, HOSPITAL score), with what helps to prevent it: "
        "an early visit, reconciled medicines, a call."
    ),
    models=(LACE, HOSPITAL, BURDEN),
    may_run=(TRAINED,),
    features=(catalogue.PALLIATIVE_CARE,),
    find=find,
    source=RED_2009,
    topic=Topic("http://snomed.info/sct", "58000006", "Patient discharge"),
    summary=("medication", "plan", "problem", "allergy", "result", "trend"),
    thresholds=THRESHOLDS,
    reasons=(
        override_reason("mitigate-risk-negative-outcome", "Action taken to mitigate risk of negative outcome"),
        override_reason("inappropriate-recipient", "PC CDS delivered to inappropriate recipient/role"),
    ),
    optional=("labs",),  # two points of one of the scores
    knowledge=True,  # beside the medicines that go home with the patient
)
