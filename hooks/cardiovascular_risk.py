"""Cardiovascular risk at patient-view: rules first, then PREVENT.

A card appears only if there is something to do: start a medicine that a guideline recommends and that is not on
the medication list, or mend an input that PREVENT lacks. A low risk, a treated risk and known cardiovascular
disease under a statin are recorded and stay silent. What can be ordered or asked opens a card only if it suffices for
an estimate: with an empty problem list no order helps, and the refusal is but a line on a card that something else
opens. With palliative care, metastases, or a cancer that is new or under treatment, prevention is
silent. In hospital it waits, for pressures and values of
acute illness mislead; a statin after a heart attack or stroke does not wait.

Sources of the rules: AHA/ACC hypertension guideline 2025, ACC/AHA dyslipidemia guideline 2026 (thresholds of both
read in secondary sources), AHA/ACC cholesterol guideline 2018, KDIGO CKD guideline 2024.
"""

from __future__ import annotations

from cds_service.api import (
    CareGapFinding,
    Case,
    Citation,
    ConditionFeature,
    FeatureValue,
    Finding,
    Message,
    NotEstimated,
    Reason,
    Refusal,
    Result,
    RiskEstimate,
    RiskFinding,
    RiskModel,
    Service,
    Severity,
    Threshold,
    Topic,
    blood_pressure,
    catalogue,
    intolerances,
    msg,
    orders,
    override_reason,
    prevention,
    published,
    with_list_limits,
)

PREVENT = "prevent-base"
# The model with most of the further inputs that are known, as the authors advise; the base model where none is.
PREVENT_MODELS = ("prevent-full", "prevent-uacr", "prevent-hba1c", "prevent-sdi", PREVENT)
THRESHOLDS = {
    "medicine_at_total_cvd": Threshold(
        7.5, msg("10-year cardiovascular risk from which 130/80 mmHg calls for a medicine"), "%", 1, 50
    ),
    "statin_at_ascvd": Threshold(5.0, msg("10-year ASCVD risk from which a statin is advised"), "%", 1, 50),
    "high_intensity_at_ascvd": Threshold(
        10.0, msg("10-year ASCVD risk from which a high-intensity statin is advised"), "%", 1, 50
    ),
    "severe_ldl": Threshold(190.0, msg("LDL cholesterol that calls for a statin by itself"), "mg/dL", 130, 400),
}
LDL_IN_DISEASE = 70.0  # mg/dL, from which more than a statin is considered in known disease
YOUNGEST = 20  # years; below, pediatric guidance applies
STATIN_AGES_IN_DIABETES = (40, 75)  # years
STATIN_AGES_IN_CKD = (50, 75)  # years; KDIGO sets no upper limit, but those beyond were hardly studied

DYSLIPIDEMIA_2026 = Citation(
    "2026 ACC/AHA dyslipidemia guideline (threshold read in secondary sources)",
    "https://doi.org/10.1161/CIR.0000000000001423",
)
CHOLESTEROL_2018 = Citation("2018 AHA/ACC cholesterol guideline", "https://doi.org/10.1161/CIR.0000000000000625")
NONSTATIN_2022 = Citation(
    "ACC 2022 expert consensus pathway on nonstatin therapies", "https://doi.org/10.1016/j.jacc.2022.07.006"
)
CKD_2024 = Citation("KDIGO 2024 CKD guideline", "https://doi.org/10.1016/j.kint.2023.10.018")

HIGH_INTENSITY = msg("A high-intensity statin is recommended unless it is contraindicated or was not tolerated.")
MODERATE_INTENSITY = msg(
    "At least a moderate-intensity statin is recommended unless it is contraindicated or was not tolerated."
)
IN_CKD = msg("A statin, or a statin with ezetimibe, is recommended unless it is contraindicated or was not tolerated.")
RECONCILE = msg("Reconcile the problem list: an empty one does not say that there is no disease.")
OLDER = msg("Over 75 a statin is reasonable after weighing benefit, harm and the patient's wishes.")
BAND_WORDS = {
    "low": msg("low"),
    "borderline": msg("borderline"),
    "intermediate": msg("intermediate"),
    "high": msg("high"),
}
DISEASES = blood_pressure.DISEASES


def find(case: Case) -> tuple[Finding, ...]:
    """Rules before scores: where a rule settles the question of a statin, the score is a side note."""
    values = case.values
    age = values.usable(catalogue.AGE)
    if prevention.untimely(values) or age is None or published.whole_years(age) < YOUNGEST:
        return ()
    rule = () if values.flag(catalogue.PREGNANCY) else statin_rule(case, published.whole_years(age))
    advised = ("statin/", f"{PREVENT}/total")
    return with_list_limits(case, catalogue.STATIN, _timely(case, rule), lambda f: f.key.startswith(advised))


def _timely(case: Case, rule: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """In hospital what does not wait; elsewhere the rule, the risk and the pressure."""
    if case.values.flag(catalogue.IN_HOSPITAL):
        secondary = {f"statin/{feature.id}" for feature in DISEASES}
        return tuple(f for f in rule if f.key in secondary)
    return (*rule, *risk(case, settled=bool(rule)), *pressure(case))


def statin_rule(case: Case, age: int) -> tuple[Finding, ...]:
    """A statin that is due whatever the equation says: known disease, very high LDL, diabetes, kidney disease.

    On dialysis none is started (KDIGO 2013; 2018 AHA/ACC: no benefit); one that is taken goes on.
    """
    values = case.values
    if values.flag(catalogue.DIALYSIS):
        return ()
    if not untreated(case):
        return _not_tolerated(case)
    for feature in DISEASES:
        disease = values.usable(feature)
        if disease is not None and disease.value is True:
            headline = msg("{disease}, and no statin on the medication list", disease=feature.label)
            return (_statin_due(_with_risk(case, headline), HIGH_INTENSITY, disease, age, DYSLIPIDEMIA_2026),)
    ldl = values.usable(catalogue.LDL)
    if ldl is not None and float(ldl.value) >= case.thresholds["severe_ldl"]:
        headline = msg("LDL cholesterol {ldl}, and no statin on the medication list", ldl=published.in_words(ldl))
        return (_statin_due(_with_risk(case, headline), HIGH_INTENSITY, ldl, age, DYSLIPIDEMIA_2026),)
    diabetes = values.usable(catalogue.DIABETES)
    low, high = STATIN_AGES_IN_DIABETES
    if diabetes is not None and diabetes.value is True and low <= age <= high:
        headline = msg("Diabetes at age {age}, and no statin on the medication list", age=age)
        return (_statin_due(_with_risk(case, headline), MODERATE_INTENSITY, diabetes, age),)
    return _statin_in_ckd(case, age)


def _not_tolerated(case: Case) -> tuple[Finding, ...]:
    """Known disease, an LDL that asks for treatment, and no statin because one was not tolerated."""
    values, ldl = case.values, case.values.usable(catalogue.LDL)
    refused = intolerances(case.context.record, catalogue.STATIN)
    present = (found for found in map(values.usable, DISEASES) if found is not None and found.value is True)
    disease = next(present, None)
    if values.flag(catalogue.STATIN) is not False or not refused or ldl is None or disease is None:
        return ()
    if float(ldl.value) < LDL_IN_DISEASE or ldl.effective is None:
        return ()
    shown = {"disease": disease.feature.label, "ldl": published.in_words(ldl), "date": ldl.effective.date()}
    finding = CareGapFinding(
        key=f"statin-intolerance/{disease.feature.id}",
        severity=Severity.INFO,
        headline=msg("{disease}, LDL cholesterol {ldl} on {date}, and no statin: an intolerance is on record", **shown),
        advice=msg(
            "Ask what was not tolerated, and how: another statin or a low dose often is. Unless one is taken already, "
            "ezetimibe, a PCSK9 inhibitor or bempedoic acid lowers LDL without a statin."
        ),
        advice_source=NONSTATIN_2022,
        due=msg("{fact}: a reason to lower LDL whatever the estimated risk.", fact=disease.feature.label),
        last_done=None,
        sources=(*disease.sources, *ldl.sources, *refused),
    )
    return (finding,)


def _statin_in_ckd(case: Case, age: int) -> tuple[Finding, ...]:
    """At 50 to 75, listed or shown by eGFR below 60 for more than 90 days."""
    values = case.values
    known = (values.usable(feature) for feature in (catalogue.CKD, catalogue.EGFR_LASTINGLY_LOW))
    disease = next((found for found in known if found is not None and found.value is True), None)
    low, high = STATIN_AGES_IN_CKD
    if disease is None or values.flag(catalogue.KIDNEY_TRANSPLANT) or not low <= age <= high:
        return ()
    headline = msg("Chronic kidney disease at age {age}, and no statin on the medication list", age=age)
    return (_statin_due(_with_risk(case, headline), IN_CKD, disease, age, CKD_2024),)


def _with_risk(case: Case, headline: Message) -> Message:
    """The headline with the estimated risk, where there is one: it is on the card, so its first line tells it."""
    _, result = prevent(case)
    if isinstance(result, NotEstimated):
        return headline
    total = published.percent(_total(result))
    return msg("{headline}; 10-year cardiovascular risk {total}% (PREVENT)", headline=headline, total=total)


def untreated(case: Case) -> bool:
    """True if a statin is certainly not taken, and no intolerance to statins is on record."""
    return case.values.flag(catalogue.STATIN) is False and not intolerances(case.context.record, catalogue.STATIN)


def _statin_due(
    headline: Message, advice: Message, why: FeatureValue, age: int, source: Citation = CHOLESTEROL_2018
) -> CareGapFinding:
    older = age > STATIN_AGES_IN_DIABETES[1]
    due = msg("{fact}: a reason for a statin whatever the estimated risk", fact=why.feature.label)
    if why.effective is None:
        due = msg("{due}.", due=due)
    elif isinstance(why.feature, ConditionFeature):
        due = msg("{due}; on record since {date}.", due=due, date=why.effective.date())
    else:
        due = msg("{due}; measured {date}.", due=due, date=why.effective.date())
    return CareGapFinding(
        key=f"statin/{why.feature.id}",
        severity=Severity.INFO if older else Severity.WARNING,
        headline=headline,
        advice=OLDER if older else advice,
        advice_source=CHOLESTEROL_2018 if older else source,
        due=due,
        last_done=None,
        sources=why.sources,
    )


def risk(case: Case, *, settled: bool) -> tuple[Finding, ...]:
    """PREVENT: estimates with what follows from them, or what is missing for one."""
    model, result = prevent(case)
    if isinstance(result, NotEstimated):
        return _refused(case, result)
    by_outcome = {(e.outcome, e.horizon_years): e for e in result}
    total, ascvd = by_outcome["total_cvd", 10], by_outcome["ascvd", 10]
    advice = None if settled else statin_advice(case, ascvd)
    finding = RiskFinding(
        key=f"{PREVENT}/total_cvd/10y",
        severity=Severity.WARNING if advice is HIGH_INTENSITY else Severity.INFO,
        headline=_headline(total, ascvd, no_statin=advice is not None),
        short_headline=msg("10-year cardiovascular risk {total}% (PREVENT)", total=published.percent(total.value)),
        advice=advice,
        advice_source=DYSLIPIDEMIA_2026 if advice is not None else None,
        quiet=advice is None,
        model=model,
        result=result,
    )
    return (finding,)


def _headline(total: RiskEstimate, ascvd: RiskEstimate, *, no_statin: bool) -> Message:
    """Both risks, the band in one word, and what is not done."""
    shown = msg(
        "10-year cardiovascular risk {total}% (PREVENT); heart attack or stroke {ascvd}%, {band}",
        total=published.percent(total.value),
        ascvd=published.percent(ascvd.value),
        band=BAND_WORDS[ascvd.band.id] if ascvd.band is not None else "",
    )
    return msg("{risk}; no statin", risk=shown) if no_statin else shown


def prevent(case: Case) -> tuple[RiskModel, Result]:
    """The PREVENT model that fits what is known of the patient, and its result."""
    chosen = next((id_ for id_ in PREVENT_MODELS if not isinstance(case.results[id_], NotEstimated)), PREVENT)
    return case.models[chosen], case.results[chosen]


def _refused(case: Case, result: NotEstimated) -> tuple[Finding, ...]:
    """A line on the card; it opens one only where something can be ordered or asked and a statin is not yet taken."""
    if result.refusal is Refusal.NOT_APPLICABLE:
        return ()
    wanted = orders.mending(result.unusable)
    offers = tuple(
        proposal
        for what in wanted
        for proposal in orders.offer(case.context, what, "Needed to estimate 10-year cardiovascular risk (PREVENT)")
    )
    lacking = orders.lacking(result.unusable)
    enough = lacking is not None and not any(unusable.reason in orders.UNSEEN for unusable in result.unusable)
    unlisted = any(unusable.reason is Reason.NO_LIST for unusable in result.unusable)
    pending = bool(wanted) and not offers
    short = msg("10-year cardiovascular risk (PREVENT) not calculated: inputs are missing, old or unusable")
    finding = RiskFinding(
        key=f"{PREVENT}/refused",
        severity=Severity.INFO,
        headline=msg("10-year cardiovascular risk (PREVENT) not calculated; {lacking}", lacking=lacking)
        if lacking is not None
        else short,
        short_headline=short,
        advice=RECONCILE if unlisted else None,
        proposals=offers if enough else (),
        quiet=result.refusal is not Refusal.INPUT or pending or not enough or bool(case.values.flag(catalogue.STATIN)),
        model=case.models[PREVENT],
        result=result,
    )
    return (finding,)


def statin_advice(case: Case, ascvd: RiskEstimate) -> Message | None:
    """The intensity of statin that the printed ASCVD risk calls for; None if it is low or a statin is taken."""
    percent = round(100 * ascvd.value, 1)
    if not untreated(case) or percent < case.thresholds["statin_at_ascvd"]:
        return None
    return HIGH_INTENSITY if percent >= case.thresholds["high_intensity_at_ascvd"] else MODERATE_INTENSITY


def pressure(case: Case) -> tuple[Finding, ...]:
    """Blood pressure that calls for a first medicine, earlier where the risk is raised, or stays high under one."""
    _, result = prevent(case)
    total = None if isinstance(result, NotEstimated) else _total(result)
    first = blood_pressure.first_medicine(case, total, case.thresholds["medicine_at_total_cvd"])
    return first or blood_pressure.above_goal(case)


def _total(result: tuple[RiskEstimate, ...]) -> float:
    """10-year risk of cardiovascular disease."""
    return next(e.value for e in result if (e.outcome, e.horizon_years) == ("total_cvd", 10))


service = Service(
    id="cardiovascular-risk",
    hook="patient-view",
    title=msg("Cardiovascular risk"),
    description=msg(
        "10-year and 30-year cardiovascular risk by AHA PREVENT with what raised and lowered it, and statin and "
        "blood-pressure treatment that is due."
    ),
    models=PREVENT_MODELS,
    features=(
        catalogue.IN_HOSPITAL,
        catalogue.LDL,
        catalogue.SBP_ANYWHERE,
        catalogue.DBP,
        blood_pressure.IN_STAY,
        catalogue.CKD,
        catalogue.DIALYSIS,
        catalogue.KIDNEY_TRANSPLANT,
        catalogue.EGFR_LASTINGLY_LOW,
        catalogue.PREGNANCY,
        *prevention.NEEDED,
    ),
    find=find,
    source=Citation("Curbside: AHA PREVENT 2023", "https://doi.org/10.1161/CIRCULATIONAHA.123.067626"),
    topic=Topic("http://snomed.info/sct", "49601007", "Disorder of cardiovascular system"),
    summary=("problem", "medication", "result", "trend", "allergy"),
    thresholds=THRESHOLDS,
    reasons=(
        override_reason("risk-benefit-ratio", "Recipient assessment of risk/benefit ratio"),
        override_reason("prefers-alternative", "Patient prefers an alternative approach or treatment"),
        override_reason("action-unsuccessful", "Recommended action was previously unsuccessful"),
    ),
    lists=("endedMedications",),
    optional=("labs", "vitalSigns", "answers"),  # without them there are still rules
)
