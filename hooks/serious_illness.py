"""Serious illness at patient-view: how likely a patient is to die in this stay, or within 180 days.

For seriously ill in-patients from the third day (`serious-illness`), and after 48 hours of intensive care
(`icu-mortality`). Both are trained models, silent until a site signed them off. A card appears from a threshold on and
asks for a conversation, never for less treatment; it is silent where palliative care already is.
No guideline sets the thresholds: they are this service's choice. That conversations about goals of care belong to
serious illness is guidance: Bernacki RE, Block SD. JAMA Intern Med 2014;174:1994-2003.
"""

from __future__ import annotations

from cds_service.api import (
    Case,
    Citation,
    Finding,
    Message,
    NotEstimated,
    RiskEstimate,
    RiskFinding,
    Service,
    Severity,
    Threshold,
    Topic,
    catalogue,
    msg,
    override_reason,
    published,
)

ILLNESS, INTENSIVE = "serious-illness", "icu-mortality"
THRESHOLDS = {
    "speak_from": Threshold(50.0, msg("risk of dying within 180 days from which a card appears"), "%", 10, 95),
    "speak_from_in_hospital": Threshold(
        30.0, msg("risk of dying in this stay, after 48 hours of intensive care, from which a card appears"), "%", 5, 95
    ),
}
CONVERSATION = Citation(
    "Bernacki RE, Block SD. Communication about serious illness care goals, 2014",
    "https://doi.org/10.1001/jamainternmed.2014.5271",
)
ADVICE = msg(
    "Consider asking what matters most to the patient, and whether palliative care should join. The estimate is no "
    "reason to withhold treatment."
)


def find(case: Case) -> tuple[Finding, ...]:
    """One finding a model that speaks."""
    if case.values.flag(catalogue.PALLIATIVE_CARE) or case.context.record.deceased:
        return ()
    return tuple(f for id_ in (ILLNESS, INTENSIVE) if (f := _finding(case, id_)) is not None)


def _finding(case: Case, model_id: str) -> Finding | None:
    result = case.results.get(model_id)
    if result is None or isinstance(result, NotEstimated):
        return None
    widest = result[-1]
    threshold = case.thresholds["speak_from" if model_id == ILLNESS else "speak_from_in_hospital"]
    return RiskFinding(
        key=f"{model_id}/{widest.outcome}",
        severity=Severity.INFO,
        headline=headline(result),
        advice=ADVICE,
        advice_source=CONVERSATION,
        quiet=100 * widest.value < threshold,
        model=case.models[model_id],
        result=result,
    )


def headline(result: tuple[RiskEstimate, ...]) -> Message:
    """The outcomes of one model in one sentence, the widest first."""
    widest, others = result[-1], result[:-1]
    if not others:
        return msg("Estimated risk of {what}: {risk}%", what=widest.outcome_words, risk=published.percent(widest.value))
    return msg(
        "Estimated risk of {what}: {risk}%; of {other}: {less}%",
        what=widest.outcome_words,
        risk=published.percent(widest.value),
        other=others[0].outcome_words,
        less=published.percent(others[0].value),
    )


service = Service(
    id="serious-illness",
    hook="patient-view",
    title=msg("Serious illness"),
    description=msg(
        "Estimated risk of dying in this stay and within 180 days, for seriously ill in-patients from the third day, "
        "and after 48 hours of intensive care. For conversations about goals of care, not for refusing treatment."
    ),
    models=(ILLNESS, INTENSIVE),
    features=(catalogue.PALLIATIVE_CARE,),
    find=find,
    source=Citation("SUPPORT (Knaus 1995)", "https://doi.org/10.7326/0003-4819-122-3-199502010-00007"),
    topic=Topic("http://snomed.info/sct", "20481000", "Determination of prognosis"),
    summary=("problem", "trend", "result", "medication", "allergy"),
    thresholds=THRESHOLDS,
    optional=("encounters", "procedures"),
    reasons=(
        override_reason(
            "does-not-align-preferences", "Recommendation does not align with patient preferences or values"
        ),
        override_reason("wrong-time-workflow", "PC CDS delivered at wrong time in workflow or patient lifecycle"),
    ),
)
