"""Cirrhosis at patient-view: MELD 3.0 and Child-Pugh where it is known, with what follows from them.

From MELD 15, or once decompensated, evaluation for a liver transplant; what blood tests the scores lack; medicines
that harm a cirrhotic liver's kidney. FIB-4, which looks for fibrosis, belongs to `kidney-liver-check`: here it tells
nothing new. With palliative care and in pregnancy it is silent; in hospital scores of an acute illness do not decide.

Sources: AASLD and AST 2013 (evaluation for liver transplantation; MELD 15 or a complication), doi:10.1002/hep.26972,
read in secondary sources; AASLD 2021 (ascites: NSAIDs are not to be used), doi:10.1002/hep.31884.
"""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.api import (
    CareGapFinding,
    Case,
    Citation,
    Finding,
    Message,
    NotEstimated,
    Refusal,
    RiskEstimate,
    RiskFinding,
    Service,
    Severity,
    Topic,
    catalogue,
    msg,
    orders,
    override_reason,
    published,
    within,
)

MELD, CHILD_PUGH = "meld-3-0", "child-pugh"
ADULT = 18
EVALUATE_FROM = 15
OLDEST = 75  # years; beyond, few centres transplant, and the card does not press
TRANSPLANT_2013 = Citation(
    "AASLD/AST 2013 guideline on evaluation for liver transplantation (read in secondary sources)",
    "https://doi.org/10.1002/hep.26972",
)
ASCITES_2021 = Citation("AASLD 2021 guidance on ascites", "https://doi.org/10.1002/hep.31884")
COMPLICATIONS = (catalogue.ASCITES, catalogue.HEPATIC_ENCEPHALOPATHY)
SILENCED = (catalogue.PALLIATIVE_CARE, catalogue.PREGNANCY)


def find(case: Case) -> tuple[Finding, ...]:
    """Only with cirrhosis on the problem list."""
    age = case.values.usable(catalogue.AGE)
    if not case.values.flag(catalogue.CIRRHOSIS) or any(case.values.flag(f) for f in SILENCED) or age is None:
        return ()
    years = published.whole_years(age)
    if years < ADULT:
        return ()
    if case.values.flag(catalogue.IN_HOSPITAL) or case.values.flag(catalogue.LIVER_TRANSPLANT):
        return harmful(case)  # with a new liver the old one's scores say nothing
    return (*harmful(case), *transplant(case, years), *child_pugh(case))


def transplant(case: Case, years: int) -> tuple[Finding, ...]:
    """Evaluation for a liver transplant from MELD 15 or a complication on, unless it is under way."""
    result = case.results[MELD]
    if isinstance(result, NotEstimated):
        return _lacking(case, result)
    points = round(result[0].value)
    raised = bool(case.values.flag(catalogue.VITAMIN_K_ANTAGONIST))
    reached = (without_inr(result[0]) if raised else points) >= EVALUATE_FROM
    complications = [f.label for f in COMPLICATIONS if case.values.flag(f)]
    due = (reached or bool(complications)) and years <= OLDEST
    what = orders.referral(
        "transplant-evaluation",
        msg("Refer for evaluation of a liver transplant"),
        msg("Referral for evaluation of a liver transplant"),
        "liver transplant",
        "transplant evaluation",
        "hepatolog",
    )
    offers = orders.offer(case.context, what, "Cirrhosis: criteria of evaluation are met") if due else ()
    dated = msg("MELD 3.0 score {points} ({date}) in cirrhosis", points=points, date=published.span(result[0]))
    short, headline = (_headline(said, complications, raised=raised, due=due) for said in (
        msg("MELD 3.0 score {points} in cirrhosis", points=points), dated))  # fmt: skip
    finding = RiskFinding(
        key=f"{MELD}/transplant",
        severity=Severity.WARNING if reached else Severity.INFO,
        headline=headline,
        short_headline=short,
        advice=msg(
            "From MELD 15, or after a first complication, refer for evaluation, unless it was done or there is a "
            "contraindication such as active drinking or another illness that decides."
        )
        if due
        else None,
        advice_source=TRANSPLANT_2013 if due else None,
        proposals=offers,
        quiet=not offers,
        magnitude=result[0].value,
        model=case.models[MELD],
        result=result,
    )
    return (finding,)


def _headline(score: Message, complications: Sequence[Message], *, raised: bool, due: bool) -> Message:
    """The score, what has come of the cirrhosis, what may have raised the INR, and what follows."""
    if complications:
        signs = published.enumerated([within(c) for c in complications])
        score = msg("{headline} ({signs})", headline=score, signs=signs)
    if raised:
        score = msg("{headline}, overstated by a vitamin K antagonist", headline=score)
    return msg("{headline}: evaluation for a liver transplant is advised", headline=score) if due else score


def without_inr(estimate: RiskEstimate) -> float:
    """The score that the other tests give alone: an anticoagulant, not the liver, may have raised the INR."""
    inr = sum(part.amount for part in estimate.explanation.contributions if catalogue.INR.id in part.features)
    return round(estimate.explanation.output - inr)


def _lacking(case: Case, result: NotEstimated) -> tuple[Finding, ...]:
    """The blood tests that MELD 3.0 lacks, to order; a refusal for other reasons is told beside other findings."""
    if result.refusal is Refusal.NOT_APPLICABLE:
        return ()
    lacking, wanted = orders.lacking(result.unusable), orders.mending(result.unusable)
    offers = tuple(p for what in wanted for p in orders.offer(case.context, what, "Needed for MELD 3.0"))
    finding = RiskFinding(
        key=f"{MELD}/refused",
        severity=Severity.INFO,
        headline=msg("MELD 3.0 not calculated in cirrhosis; {lacking}", lacking=lacking)
        if lacking is not None
        else msg("MELD 3.0 not calculated in cirrhosis"),
        short_headline=msg("MELD 3.0 not calculated in cirrhosis: blood tests of 90 days are missing"),
        proposals=offers,
        quiet=result.refusal is not Refusal.INPUT or not offers,
        model=case.models[MELD],
        result=result,
    )
    return (finding,)


def child_pugh(case: Case) -> tuple[Finding, ...]:
    """The class, or the interval of points, beside MELD; never a card by itself."""
    result = case.results[CHILD_PUGH]
    if isinstance(result, NotEstimated):
        return ()
    model = case.models[CHILD_PUGH]
    line = RiskFinding(
        key=CHILD_PUGH, severity=Severity.INFO, headline=model.title, quiet=True, model=model, result=result
    )
    return (line,)


def harmful(case: Case) -> tuple[Finding, ...]:
    """An NSAID with cirrhosis: it may bring on kidney failure and bleeding."""
    taken, cirrhosis = case.values.usable(catalogue.NSAID), case.values.usable(catalogue.CIRRHOSIS)
    if taken is None or taken.value is not True or cirrhosis is None:
        return ()
    finding = CareGapFinding(
        key="cirrhosis/nsaid",
        severity=Severity.WARNING,
        headline=msg("An NSAID is on the medication list, with cirrhosis"),
        advice=msg("NSAIDs may bring on kidney failure and bleeding: stop it, and choose another medicine for pain."),
        advice_source=ASCITES_2021,
        due=msg("Read from the problem list and the medication list."),
        last_done=None,
        sources=(*taken.sources, *cirrhosis.sources),
    )
    return (finding,)


service = Service(
    id="cirrhosis",
    hook="patient-view",
    title=msg("Cirrhosis"),
    description=msg(
        "MELD 3.0 and Child-Pugh in known cirrhosis, evaluation for a liver transplant that is advised, blood tests "
        "that are missing for it, and NSAIDs, which harm there."
    ),
    models=(MELD, CHILD_PUGH),
    features=(
        *SILENCED,
        *COMPLICATIONS,
        catalogue.AGE,
        catalogue.CIRRHOSIS,
        catalogue.NSAID,
        catalogue.IN_HOSPITAL,
        catalogue.LIVER_TRANSPLANT,
    ),
    find=find,
    source=TRANSPLANT_2013,
    topic=Topic("http://snomed.info/sct", "19943007", "Cirrhosis of liver"),
    summary=("trend", "result", "problem", "medication", "allergy"),
    reasons=(override_reason("patient-contraindication", "Patient has contraindication to recommended action"),),
    optional=("labs",),  # what harms is read from the lists
)
