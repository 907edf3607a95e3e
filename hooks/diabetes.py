"""Diabetes at patient-view: whom to test, what a test in the range of diabetes asks for, HbA1c that is due or high.

Without diabetes on the problem list: an HbA1c, a fasting glucose or any glucose from 200 mg/dL in its range comes
first, then whom to test, by the ADA risk test or by weight from 35 to 70, if no HbA1c or glucose of three years is
there; FINDRISC joins where its answers settle it.
With diabetes: HbA1c that is due, HbA1c far above the goal, or low in old age under insulin or a sulfonylurea, and an
SGLT2 inhibitor in heart failure. What other cards say is not said again: statins and pressure (`cardiovascular-risk`);
albuminuria, metformin by eGFR and SGLT2 inhibitors in kidney disease (`kidney-liver-check`). In pregnancy, in hospital
and with palliative care it is silent.

Sources: ADA Standards of Care in Diabetes 2026, sections 2, 6, 9, 10 and 13 (read in secondary sources); US Preventive
Services Task Force 2021 (screening from 35 to 70 with overweight), doi:10.1001/jama.2021.12531.
"""

from __future__ import annotations

from datetime import timedelta

from cds_service.api import (
    CareGapFinding,
    Case,
    Citation,
    FeatureValue,
    Finding,
    Message,
    NotEstimated,
    Reason,
    RiskFinding,
    Service,
    Severity,
    Threshold,
    Topic,
    Unusable,
    beyond,
    catalogue,
    glycaemia,
    intolerances,
    kidney_disease,
    msg,
    orders,
    override_reason,
    published,
)

ADA_TEST, FINDRISC = "ada-risk-test", "findrisc"
ADULT = 18
SCREENED = (35, 70)  # years, with overweight
OVERWEIGHT = 25.0  # kg/m2
GOAL = 7.0  # %
OLD, TOO_LOW = 75, 6.5  # years; % of HbA1c below which treatment with risk of hypoglycaemia is looked at again
STEADY, UNSTEADY = timedelta(days=183), timedelta(days=92)  # how often HbA1c is due, at the goal and above it
SGLT2_FROM_EGFR = 20.0
GLUCOSE_3_YEARS = catalogue.within(catalogue.GLUCOSE, glycaemia.THREE_YEARS, "glucose_3_years")
SILENCED = (catalogue.PALLIATIVE_CARE, catalogue.PREGNANCY, catalogue.IN_HOSPITAL)
THRESHOLDS = {
    "review_from_hba1c": Threshold(8.5, msg("HbA1c from which a review of treatment is advised"), "%", 7, 12),
}


def _ada(section: int) -> Citation:
    return Citation(
        f"ADA Standards of Care in Diabetes 2026, section {section} (read in secondary sources)",
        f"https://doi.org/10.2337/dc26-S{section:03d}",
    )


INTENSIFY = msg(
    "Ask whether medicines are taken and tolerated, then intensify. Goals are the patient's own: less strict with "
    "frailty, limited life expectancy or hypoglycaemia. From 10% on, think of insulin."
)
START = msg(
    "Ask whether a medicine is taken that is not listed, or why none is; then start one. Goals are the patient's own: "
    "less strict with frailty, limited life expectancy or hypoglycaemia. From 10% on, think of insulin."
)
UNREADABLE = frozenset({Reason.UNIT, Reason.IMPLAUSIBLE, Reason.NO_NUMBER, Reason.CONFLICT})
USPSTF_2021 = Citation(
    "USPSTF 2021: screening for prediabetes and type 2 diabetes", "https://doi.org/10.1001/jama.2021.12531"
)


def find(case: Case) -> tuple[Finding, ...]:
    """By whether diabetes is on the problem list; nothing where there is no list to tell."""
    age, known = case.values.usable(catalogue.AGE), case.values.flag(catalogue.DIABETES)
    if any(case.values.flag(f) for f in SILENCED) or age is None or known is None:
        return ()
    years = published.whole_years(age)
    if years < ADULT:
        return ()
    if known:
        return (
            *glycaemia.hypoglycaemia(case),
            *monitoring(case),
            *control(case),
            *too_strong(case, years),
            *heart_failure(case),
        )
    return glycaemia.undiagnosed(case) or screening(case, years)


def screening(case: Case, years: int) -> tuple[Finding, ...]:
    """A test that is due: a high ADA risk test, or overweight from 35 to 70, and nothing measured for three years."""
    tested = [case.values[f] for f in (glycaemia.HBA1C_3_YEARS, GLUCOSE_3_YEARS)]
    if any(isinstance(v, FeatureValue) or v.reason not in (Reason.ABSENT, Reason.STALE) for v in tested):
        return ()
    offers = orders.offer(case.context, orders.HBA1C, "Screening for diabetes is due")
    if not offers:
        return ()
    result = case.results[ADA_TEST]
    band = None if isinstance(result, NotEstimated) else result[0].band
    if band is not None and band.id == "test" and not isinstance(result, NotEstimated):
        points = published.interval(result[0])
        finding: Finding = RiskFinding(
            key="diabetes/screening",
            severity=Severity.INFO,
            headline=msg("ADA diabetes risk test {points} points, and no HbA1c or glucose in 3 years", points=points),
            advice=msg("From 5 points on, test for prediabetes and diabetes; if normal, again in 3 years."),
            advice_source=_ada(2),
            proposals=offers,
            model=case.models[ADA_TEST],
            result=result,
        )
        return (finding, *_findrisc(case))
    bmi = case.values.usable(catalogue.BMI)
    if bmi is None or float(bmi.value) < OVERWEIGHT or not SCREENED[0] <= years <= SCREENED[1]:
        return ()
    finding = CareGapFinding(
        key="diabetes/screening",
        severity=Severity.INFO,
        headline=msg("Age {age}, BMI {bmi}, and no HbA1c or glucose in 3 years", age=years,
                     bmi=published.in_words(bmi)),
        advice=msg("From 35 to 70 with overweight, test for prediabetes and diabetes; if normal, again in 3 years."),
        advice_source=USPSTF_2021,
        proposals=offers,
        due=_words(tested[0]),
        last_done=None,
        sources=bmi.sources,
    )  # fmt: skip
    return (finding, *_findrisc(case))


def _words(found: FeatureValue | Unusable) -> Message:
    return found.words if isinstance(found, Unusable) else msg("There is a value.")


def _findrisc(case: Case) -> tuple[Finding, ...]:
    """FINDRISC beside it, where enough of its answers are on record to settle the band."""
    result = case.results[FINDRISC]
    if isinstance(result, NotEstimated) or result[0].band is None or result[0].band.id == "undetermined":
        return ()
    model = case.models[FINDRISC]
    line = RiskFinding(
        key=FINDRISC, severity=Severity.INFO, headline=model.title, quiet=True, model=model, result=result
    )
    return (line,)


def monitoring(case: Case) -> tuple[Finding, ...]:
    """HbA1c that is due: half-yearly at the goal, quarterly above it."""
    last = case.values[catalogue.HBA1C]
    if isinstance(last, Unusable):
        if last.reason in UNREADABLE:
            return (_unusable(last),)
        if last.reason not in (Reason.ABSENT, Reason.STALE):
            return ()
        due, effective = last.words, last.effective
    else:
        every = STEADY if float(last.value) <= GOAL else UNSTEADY
        if last.effective is None or case.context.now - last.effective <= every:
            return ()
        due, effective = msg("The last one was {value}.", value=published.in_words(last)), last.effective
    offers = orders.offer(case.context, orders.HBA1C, "HbA1c is due in diabetes")
    if not offers:
        return ()
    diabetes = case.values.usable(catalogue.DIABETES)
    finding = CareGapFinding(
        key="diabetes/hba1c-due",
        severity=Severity.INFO,
        headline=msg("HbA1c is due: last measured {date}", date=effective.date())
        if effective is not None
        else msg("HbA1c is due: none on record"),
        advice=msg("Twice a year at the goal, every 3 months above it or after a change of treatment."),
        advice_source=_ada(6),
        proposals=offers,
        due=due,
        last_done=effective.date() if effective is not None else None,
        sources=(*last.sources, *(diabetes.sources if diabetes is not None else ())),
    )
    return (finding,)


def _unusable(last: Unusable) -> Finding:
    """That an HbA1c is there and cannot be used: silence would look like control."""
    return CareGapFinding(
        key="diabetes/hba1c-unusable",
        severity=Severity.INFO,
        headline=msg("HbA1c not used: {reason}", reason=last.words),
        short_headline=msg("The HbA1c on record cannot be used"),
        advice=msg("Look the result up, or repeat it."),
        advice_source=_ada(6),
        due=last.words,
        last_done=None,
        sources=last.sources,
    )


def control(case: Case) -> tuple[Finding, ...]:
    """An HbA1c far above the goal: what is taken, and that goals are the patient's own."""
    above = beyond(case.context.record, catalogue.HBA1C)
    last = above or case.values.usable(catalogue.HBA1C)
    if last is None or float(last.value) < case.thresholds["review_from_hba1c"] or last.effective is None:
        return ()
    treated = case.values.flag(catalogue.GLUCOSE_LOWERING)
    value = msg("above {value}", value=published.in_words(last)) if above is not None else published.in_words(last)
    headline = msg("HbA1c {value} on {date}", value=value, date=last.effective.date())
    if treated is False:
        headline = msg("{headline}, and no glucose-lowering medicine on the list", headline=headline)
    else:
        headline = msg("{headline}: review treatment of diabetes", headline=headline)
    finding = CareGapFinding(
        key="diabetes/hba1c-high",
        severity=Severity.WARNING if treated is False or float(last.value) >= 10 else Severity.INFO,
        headline=headline,
        advice=START if treated is False else INTENSIFY,
        advice_source=_ada(9),
        due=msg("The usual goal is below {goal}%.", goal=f"{GOAL:g}"),
        last_done=None,
        sources=last.sources,
        magnitude=float(last.value),
    )
    return (finding,)


def too_strong(case: Case, years: int) -> tuple[Finding, ...]:
    """A low HbA1c in old age under a medicine that causes hypoglycaemia: less may be better."""
    last, taken = case.values.usable(catalogue.HBA1C), case.values.usable(catalogue.HYPOGLYCAEMIC)
    if years < OLD or last is None or last.effective is None or float(last.value) >= TOO_LOW:
        return ()
    if taken is None or taken.value is not True:
        return ()
    finding = CareGapFinding(
        key="diabetes/too-strong",
        severity=Severity.INFO,
        headline=msg(
            "HbA1c {value} on {date} at age {age}, with insulin or a sulfonylurea: is less treatment enough?",
            value=published.in_words(last), date=last.effective.date(), age=years,
        ),
        advice=msg(
            "In old age hypoglycaemia does more harm than an HbA1c of 7 to 8%: ask about falls and low values, and "
            "lower or stop what causes it."
        ),
        advice_source=_ada(13),
        due=msg("Below {limit}% in somebody of {age} or older.", limit=f"{TOO_LOW:g}", age=OLD),
        last_done=None,
        sources=(*last.sources, *taken.sources),
    )  # fmt: skip
    return (finding,)


def heart_failure(case: Case) -> tuple[Finding, ...]:
    """Type 2 diabetes with heart failure and no SGLT2 inhibitor; with kidney disease the kidney's card says it."""
    values = case.values
    failing, egfr = values.usable(catalogue.HEART_FAILURE), values.number(catalogue.EGFR)
    excluded = any(values.flag(f) for f in (catalogue.TYPE_1_DIABETES, catalogue.DIALYSIS, catalogue.KIDNEY_TRANSPLANT))
    if failing is None or failing.value is not True or excluded or egfr is None or egfr < SGLT2_FROM_EGFR:
        return ()
    taken = values.flag(catalogue.SGLT2_INHIBITOR)
    if taken is not False or intolerances(case.context.record, catalogue.SGLT2_INHIBITOR):
        return ()
    if kidney_disease(case.context.record, values) is not None:
        return ()
    finding = CareGapFinding(
        key="diabetes/sglt2-inhibitor",
        severity=Severity.INFO,
        headline=msg("Diabetes and heart failure, and no SGLT2 inhibitor on the medication list"),
        advice=msg("An SGLT2 inhibitor is recommended whatever HbA1c is, unless contraindicated or not tolerated."),
        advice_source=_ada(10),
        due=msg("eGFR {egfr}.", egfr=round(egfr)),
        last_done=None,
        sources=failing.sources,
    )
    return (finding,)


service = Service(
    id="diabetes",
    hook="patient-view",
    title=msg("Diabetes"),
    description=msg(
        "Whom to test for diabetes (ADA risk test, FINDRISC, USPSTF), HbA1c in the range of diabetes without the "
        "diagnosis, HbA1c that is due or high, and an SGLT2 inhibitor in heart failure."
    ),
    models=(ADA_TEST, FINDRISC),
    features=(
        *SILENCED,
        catalogue.AGE,
        catalogue.BMI,
        catalogue.DIABETES,
        *glycaemia.READ,
        catalogue.TYPE_1_DIABETES,
        catalogue.HEART_FAILURE,
        catalogue.CKD,
        catalogue.DIALYSIS,
        catalogue.KIDNEY_TRANSPLANT,
        catalogue.HBA1C,
        GLUCOSE_3_YEARS,
        catalogue.EGFR,
        catalogue.UACR,
        catalogue.GLUCOSE_LOWERING,
        catalogue.HYPOGLYCAEMIC,
        catalogue.SGLT2_INHIBITOR,
    ),
    find=find,
    source=Citation("ADA Standards of Care in Diabetes 2026", "https://doi.org/10.2337/dc26-SINT"),
    topic=Topic("http://snomed.info/sct", "73211009", "Diabetes mellitus"),
    summary=("trend", "result", "medication", "problem", "allergy"),
    thresholds=THRESHOLDS,
    reasons=(override_reason("prefers-alternative", "Patient prefers an alternative approach or treatment"),),
    optional=("vitalSigns", "answers"),
)
