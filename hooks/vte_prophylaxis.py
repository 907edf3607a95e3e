"""Prevention of venous thrombosis on a medical ward, at encounter-start: Padua, what is ordered, and the bleeding risk.

Silent if an anticoagulant or heparin is on the list, if prophylaxis is ordered, below 4 points, outside a ward, in
pregnancy and with palliative care. Whether somebody gets out of bed is seldom recorded and worth 3 of the 4 points:
where it decides, the card asks for it and for nothing else. What raises the risk of bleeding is named and never
counted: the choice between a medicine and compression is the clinician's.

Sources: ACCP (9th edition) 2012; ASH 2018. Both suggest a medicine for medical inpatients at risk, and compression
where the risk of bleeding is high.
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
    Result,
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
    within,
)

PADUA = "padua"
ASH_2018 = Citation(
    "ASH 2018 guideline on prophylaxis for medical patients", "https://doi.org/10.1182/bloodadvances.2018022954"
)
REPEAT_AFTER = timedelta(days=1)
PLATELETS_BELOW, EGFR_BELOW, INR_ABOVE = 50.0, 30.0, 1.5  # as in the IMPROVE bleeding score
TREATED = (catalogue.ANTICOAGULANT, catalogue.HEPARIN)
ACTIVE_THROMBOSIS = (catalogue.DEEP_VEIN_THROMBOSIS, catalogue.PULMONARY_EMBOLISM)
PROPHYLAXIS = orders.therapy(
    "vte-prophylaxis",
    msg("Order prophylaxis of venous thrombosis"),
    msg("Prophylaxis of venous thromboembolism: choose medicine and dose"),
    "thromboprophylaxis",
    "prophylaxis of venous",
    "vte prophylaxis",
    "dvt prophylaxis",
    "compression",
    "heparin",
    "enoxaparin",
    "dalteparin",
    "fondaparinux",
)
COMPRESSION = orders.therapy(
    "vte-compression",
    msg("Order intermittent pneumatic compression"),
    msg("Intermittent pneumatic compression (prophylaxis of venous thromboembolism)"),
    *PROPHYLAXIS.named,
)
MOBILITY = orders.bedside(
    "mobility",
    msg("Ask for an assessment of mobility"),
    msg("Mobility: will the patient be confined to bed (bathroom allowed) for three days or more?"),
    "mobility",
)


def find(case: Case) -> tuple[Finding, ...]:
    """A high score without prophylaxis, or the question that would decide it."""
    result, encounter = case.results[PADUA], case.context.encounter
    if isinstance(result, NotEstimated) or encounter is None or not is_inpatient(encounter):
        return ()
    if is_over(encounter, case.context.now) or case.values.flag(catalogue.PALLIATIVE_CARE):
        return ()
    if any(case.values.flag(f) for f in TREATED) or orders.pending(case.context, PROPHYLAXIS):
        return ()
    (estimate,) = result
    band = estimate.band.id if estimate.band is not None else "undetermined"
    if band == "low":
        return ()
    unknown = case.values.unusable(TREATED)
    if band == "high":
        return (_high(case, estimate, result, unknown),)
    return (_open(case, estimate, result),) if not unknown else ()


def _high(case: Case, estimate: RiskEstimate, result: Result, unknown: tuple[Unusable, ...]) -> Finding:
    total = int(estimate.value)
    shown = (
        msg("Padua score {total}: high risk of venous thrombosis", total=total)
        if estimate.high is None
        else msg("Padua score at least {total}: high risk of venous thrombosis", total=total)
    )
    ending = (
        msg("{score}; it cannot be read whether an anticoagulant is given", score=shown)
        if unknown
        else msg("{score}, and no prophylaxis on record", score=shown)
    )
    risks = bleeding(case)
    return RiskFinding(
        key=f"{PADUA}/high" if not unknown else f"{PADUA}/high/unknown",
        severity=Severity.INFO if unknown else Severity.WARNING,
        headline=ending,
        advice=advice(case, risks, unknown),
        advice_source=ASH_2018,
        proposals=() if unknown else _offer(case, risks),
        magnitude=estimate.value,
        model=case.models[PADUA],
        result=result,
    )


def advice(case: Case, risks: tuple[Message, ...], unknown: tuple[Unusable, ...]) -> Message:
    """What the guideline suggests, the bleeding risk on record, and what may need treatment instead."""
    said = msg(
        "For medical inpatients at high risk a low-dose anticoagulant is suggested for the stay, or compression where "
        "the risk of bleeding is high."
    )
    if unknown:
        said = msg("Check whether an anticoagulant is given already. {advice}", advice=said)
    if risks:
        said = msg("{advice} Risk of bleeding on record: {risks}.", advice=said, risks=published.listed(risks))
    if any(case.values.flag(f) for f in ACTIVE_THROMBOSIS):
        said = msg("{advice} Thrombosis is listed as active: does it need treatment, not prevention?", advice=said)
    return said


def bleeding(case: Case) -> tuple[Message, ...]:
    """What on the record raises the risk of bleeding, in words with values."""
    values, found = case.values, []
    for feature in (catalogue.ACTIVE_BLEEDING, catalogue.CIRRHOSIS, catalogue.ANTIPLATELET, catalogue.NSAID):
        if values.flag(feature):
            found.append(feature.label)
    if values.flag(catalogue.SURGERY_MONTH):
        found.append(msg("surgery in the last 30 days: Padua is for medical patients, ask the surgeon"))
    platelets, egfr, inr = (values.usable(f) for f in (catalogue.PLATELETS, catalogue.EGFR, catalogue.INR))
    if platelets is not None and float(platelets.value) < PLATELETS_BELOW:
        found.append(msg("platelets {value}", value=published.in_words(platelets)))
    if egfr is not None and float(egfr.value) < EGFR_BELOW:
        found.append(msg("eGFR {value}: some doses are reduced or avoided", value=published.in_words(egfr)))
    if inr is not None and float(inr.value) > INR_ABOVE:
        found.append(msg("INR {value}", value=published.in_words(inr)))
    return tuple(found)


def _offer(case: Case, risks: tuple[Message, ...]) -> tuple[Proposal, ...]:
    """A medicine, unless something on record speaks against it: then compression."""
    reason = msg("High risk of venous thrombosis (Padua score)")
    return orders.offer(case.context, COMPRESSION if risks else PROPHYLAXIS, reason, priority="urgent")


MOST_ASKED = 5  # beyond, there is no problem list, and no answer to a few questions would decide anything


def _open(case: Case, estimate: RiskEstimate, result: Result) -> Finding:
    """The question for what is missing; mobility is the one that decides most."""
    missing = tuple(m for m in estimate.not_measured if m.reason is not Reason.UNAVAILABLE)
    asked = tuple(m for m in missing if m.feature is catalogue.REDUCED_MOBILITY)
    others = tuple(m for m in missing if m not in asked)
    labels = [within(m.feature.label) for m in (*asked, *others)]
    high = int(estimate.high) if estimate.high is not None else int(estimate.value)
    proposals = orders.offer(case.context, MOBILITY, "Needed to complete the Padua score") if asked else ()
    for what in orders.mending(others):
        proposals += orders.offer(case.context, what, "Needed to complete the Padua score")
    return RiskFinding(
        key=f"{PADUA}/undetermined",
        severity=Severity.INFO,
        headline=msg(
            "Padua score {low} to {high} possible (risk of thrombosis; high from 4 on); missing: {missing}",
            low=int(estimate.value),
            high=high,
            missing=published.enumerated(labels),
        ),
        short_headline=msg(
            "Padua score {low} to {high} possible (risk of thrombosis; high from 4 on); {count} inputs missing",
            low=int(estimate.value),
            high=high,
            count=len(labels),
        ),
        advice=msg(
            "From 4 points prophylaxis is suggested unless the risk of bleeding is high. Bed rest that is expected "
            "for three days or more counts 3."
        ),
        advice_source=ASH_2018,
        proposals=proposals,
        magnitude=estimate.value,
        quiet=len(labels) > MOST_ASKED,
        model=case.models[PADUA],
        result=result,
    )


service = Service(
    id="vte-prophylaxis",
    hook="encounter-start",
    title=msg("Prevention of venous thrombosis (Padua)"),
    description=msg(
        "Padua score of medical inpatients who have no anticoagulant and no order for prophylaxis, with what on record "
        "raises the risk of bleeding. Not for surgical or obstetric patients."
    ),
    models=(PADUA,),
    features=(
        *TREATED,
        *ACTIVE_THROMBOSIS,
        catalogue.PALLIATIVE_CARE,
        catalogue.ACTIVE_BLEEDING,
        catalogue.CIRRHOSIS,
        catalogue.ANTIPLATELET,
        catalogue.NSAID,
        catalogue.PLATELETS,
        catalogue.EGFR,
        catalogue.INR,
    ),
    find=find,
    source=ASH_2018,
    topic=Topic("http://snomed.info/sct", "128053003", "Deep venous thrombosis"),
    summary=("allergy", "problem", "medication", "result"),
    reasons=(
        override_reason("risk-benefit-ratio", "Recipient assessment of risk/benefit ratio"),
        override_reason("inappropriate-recipient", "PC CDS delivered to inappropriate recipient/role"),
    ),
    repeat_after=REPEAT_AFTER,
    optional=("labs",),  # they tell of bleeding alone
)
