"""Thrombosis under treatment of cancer, at patient-view: the Khorana score of an outpatient about to begin treatment.

It speaks when a treatment is about to begin: a medicine against cancer ordered in the last 30 days, an order that
names chemotherapy, or a cancer diagnosed in the last 180 days. A cancer that has stood on the list for years opens no
card. Silent in hospital, under an anticoagulant, and with palliative care. Prophylaxis is offered, never advised for
all: the risk of bleeding and interactions are named, and the choice is the oncologist's with the patient.

Sources: ASCO 2023 (doi:10.1200/JCO.23.00294) and ITAC 2022 (doi:10.1016/S1470-2045(22)00160-7), both read in secondary
sources: from 2 points apixaban, rivaroxaban or low-molecular-weight heparin may be offered.
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
    Result,
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

KHORANA = "khorana"
ASCO_2023 = Citation(
    "ASCO guideline update 2023 on thrombosis in cancer (read in secondary sources)",
    "https://doi.org/10.1200/JCO.23.00294",
)
NEW = timedelta(days=180)
PLATELETS_BELOW, EGFR_BELOW = 50.0, 30.0
TREATED = (catalogue.ANTICOAGULANT, catalogue.HEPARIN)
CHEMOTHERAPY = orders.therapy(
    "chemotherapy", msg("Chemotherapy"), msg("chemotherapy"), "chemotherapy", "systemic therapy", "antineoplastic"
)
REVIEW = orders.referral(
    "thromboprophylaxis-review",
    msg("Request review for prophylaxis of thrombosis"),
    msg("Review for prophylaxis of venous thromboembolism before systemic treatment of cancer"),
    "thromboprophylaxis",
    "prophylaxis of venous",
)


def find(case: Case) -> tuple[Finding, ...]:
    """A score from which prophylaxis may be offered, or the test that would decide it."""
    result, values = case.results[KHORANA], case.values
    if isinstance(result, NotEstimated) or values.flag(catalogue.PALLIATIVE_CARE):
        return ()
    if values.flag(catalogue.IN_HOSPITAL) or any(values.flag(f) for f in TREATED):
        return ()
    (estimate,) = result
    band = estimate.band.id if estimate.band is not None else "undetermined"
    offered = estimate.value >= 2
    could = estimate.high is not None and estimate.high >= 2
    if not (offered or could):
        return ()
    begins = about_to_begin(case)
    if offered:
        return (_raised(case, estimate, result, begins=begins),)
    return (_open(case, estimate, result),) if begins and band == "undetermined" else ()


def about_to_begin(case: Case) -> bool:
    """True if a treatment was just ordered, or the cancer is new."""
    if case.values.flag(catalogue.ANTINEOPLASTIC) or orders.pending(case.context, CHEMOTHERAPY):
        return True  # one ordered longer ago is under way, and the score refuses
    cancer = case.values.usable(catalogue.CANCER)
    return cancer is not None and cancer.effective is not None and case.values.as_of - cancer.effective <= NEW


def _raised(case: Case, estimate: RiskEstimate, result: Result, *, begins: bool) -> Finding:
    total = int(estimate.value)
    shown = (
        msg("Khorana score {total}", total=total)
        if estimate.high is None
        else msg("Khorana score {low} to {high}", low=total, high=int(estimate.high))
    )
    return RiskFinding(
        key=f"{KHORANA}/raised",
        severity=Severity.INFO,
        headline=msg("{score}: raised risk of venous thrombosis under systemic treatment of cancer", score=shown),
        advice=advice(case),
        advice_source=ASCO_2023,
        proposals=orders.offer(case.context, REVIEW, "Khorana score of 2 or more") if begins else (),
        quiet=not begins,
        magnitude=estimate.value,
        model=case.models[KHORANA],
        result=result,
    )


def advice(case: Case) -> Message:
    """What may be offered, and what on the record speaks for caution."""
    said = msg(
        "Before treatment begins, apixaban, rivaroxaban or low-molecular-weight heparin may be offered, if the risk of "
        "bleeding is low and no interaction is expected."
    )
    cautions = bleeding(case)
    if not cautions:
        return said
    return msg("{advice} On record, for caution: {risks}.", advice=said, risks=published.listed(cautions))


def bleeding(case: Case) -> tuple[Message, ...]:
    """What raises the risk of bleeding, in words with values."""
    values, found = case.values, []
    if values.flag(catalogue.CANCER_VERY_HIGH):
        found.append(msg("a cancer of stomach or pancreas: more bleeding under direct oral anticoagulants"))
    for feature in (catalogue.ACTIVE_BLEEDING, catalogue.ANTIPLATELET, catalogue.NSAID):
        if values.flag(feature):
            found.append(feature.label)
    platelets, egfr = values.usable(catalogue.PLATELETS), values.usable(catalogue.EGFR)
    if platelets is not None and float(platelets.value) < PLATELETS_BELOW:
        found.append(msg("platelets {value}", value=published.in_words(platelets)))
    if egfr is not None and float(egfr.value) < EGFR_BELOW:
        found.append(msg("eGFR {value}", value=published.in_words(egfr)))
    return tuple(found)


def _open(case: Case, estimate: RiskEstimate, result: Result) -> Finding:
    labels = [within(m.feature.label) for m in estimate.not_measured]
    high = int(estimate.high) if estimate.high is not None else int(estimate.value)
    proposals: tuple[Proposal, ...] = ()
    for what in orders.mending(estimate.not_measured):
        proposals += orders.offer(case.context, what, "Needed to complete the Khorana score")
    return RiskFinding(
        key=f"{KHORANA}/undetermined",
        severity=Severity.INFO,
        headline=msg(
            "Khorana score {low} to {high} possible (thrombosis under treatment of cancer); missing: {missing}",
            low=int(estimate.value),
            high=high,
            missing=published.enumerated(labels),
        ),
        short_headline=msg(
            "Khorana score {low} to {high} possible (thrombosis under treatment of cancer); {count} inputs missing",
            low=int(estimate.value),
            high=high,
            count=len(labels),
        ),
        advice=msg("From 2 points prophylaxis of thrombosis may be offered before treatment begins."),
        advice_source=ASCO_2023,
        proposals=proposals,
        model=case.models[KHORANA],
        result=result,
    )


service = Service(
    id="cancer-thrombosis",
    hook="patient-view",
    title=msg("Thrombosis in cancer (Khorana)"),
    description=msg(
        "Khorana score of adult outpatients with a solid tumor or lymphoma who are about to begin systemic treatment, "
        "with what on record raises the risk of bleeding."
    ),
    models=(KHORANA,),
    features=(
        *TREATED,
        catalogue.IN_HOSPITAL,
        catalogue.PALLIATIVE_CARE,
        catalogue.ACTIVE_BLEEDING,
        catalogue.ANTIPLATELET,
        catalogue.NSAID,
        catalogue.EGFR,
    ),
    find=find,
    source=ASCO_2023,
    topic=Topic("http://snomed.info/sct", "363346000", "Malignant neoplastic disease"),
    summary=("problem", "medication", "result", "trend", "allergy"),
    reasons=(
        override_reason("risk-benefit-ratio", "Recipient assessment of risk/benefit ratio"),
        override_reason(
            "does-not-align-preferences", "Recommendation does not align with patient preferences or values"
        ),
    ),
)
