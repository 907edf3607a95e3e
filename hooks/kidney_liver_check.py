"""Kidney and liver check at patient-view: kidney injury, chronic kidney disease and its care, FIB-4.

A rise of creatinine comes first: while it is not steady there is no eGFR and no stage. One eGFR below 60 is worded as
one value: chronic kidney disease needs a second one more than 90 days apart, or albuminuria that lasts as long. What
its stage calls for is offered only where the record does not show it already. FIB-4 is looked at only where a guideline
asks for it: diabetes or prediabetes, obesity, steatosis, chronic liver disease, raised ALT, alcohol use disorder.
Normal results stay silent. In hospital only kidney injury and contraindicated metformin speak; with palliative care
or in pregnancy all of it is silent.

Sources: KDIGO 2012 (acute kidney injury; referral), KDIGO 2022 (diabetes in CKD), KDIGO 2024 (CKD), AHA/ACC 2025
(hypertension), AASLD 2023 (noninvasive assessment of liver disease), US labelling of metformin (2016).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from cds_service.api import (
    CareGapFinding,
    Case,
    Citation,
    Feature,
    FeatureValue,
    Finding,
    KidneyDisease,
    MedicationFeature,
    Message,
    NotEstimated,
    Reason,
    Refusal,
    Rise,
    RiskEstimate,
    RiskFinding,
    RiskModel,
    Service,
    Severity,
    Threshold,
    Topic,
    Unusable,
    catalogue,
    creatinine_rise,
    daily_mg,
    intolerances,
    kidney_disease,
    msg,
    orders,
    override_reason,
    published,
)

EGFR_MODEL, FIB4_MODEL = "ckd-epi-2021", "fib-4"
# The calibration that a site has enabled, and of that the equation with more of the inputs.
KFRE_MODELS = ("kfre-8-other-regions", "kfre-4-other-regions", "kfre-8", "kfre-4")
THRESHOLDS = {
    "refer_at_kfre": Threshold(5.0, msg("5-year risk of kidney failure (KFRE) from which to refer"), "%", 1, 50),
}
ADULT = 18
CHRONIC = timedelta(days=90)
FRESH = timedelta(days=90)  # a rise that was not followed up for longer is no news, but an omission
DECREASED, REDUCED, SEVERELY_DECREASED = 60, 45, 30  # mL/min/{1.73_m2}, of the eGFR as reported (whole number)
SGLT2_FROM_EGFR, SGLT2_FROM_UACR = 20, 200.0  # mL/min/{1.73_m2}, mg/g
MOST_METFORMIN = 1000.0  # mg a day below 45
MOST_POTASSIUM = 5.5  # mmol/L, above which no RAS inhibitor is started
UACR_EVERY = timedelta(days=366)
MODERATE, SEVERE = 30.0, 300.0  # mg/g of UACR, where albuminuria categories A2 and A3 begin
PREDIABETES_HBA1C, OBESITY_BMI, RAISED_ALT = 5.7, 30.0, 40.0  # %, kg/m2, U/L

KDIGO_AKI = Citation("KDIGO 2012 acute kidney injury guideline", "https://kdigo.org/guidelines/acute-kidney-injury/")
KDIGO_REFERRAL = Citation(
    "KDIGO 2012 CKD guideline, recommendation 5.1.1 (referral)", "https://doi.org/10.1038/kisup.2012.68"
)
KDIGO_DIABETES = Citation("KDIGO 2022 guideline on diabetes in CKD", "https://doi.org/10.1016/j.kint.2022.06.008")
KDIGO_2024 = Citation("KDIGO 2024 CKD guideline", "https://doi.org/10.1016/j.kint.2023.10.018")
HYPERTENSION_2025 = Citation(
    "2025 AHA/ACC high blood pressure guideline (read in secondary sources)",
    "https://doi.org/10.1161/CIR.0000000000001356",
)
AASLD_2023 = Citation(
    "AASLD 2023 practice guidance on fatty liver disease", "https://doi.org/10.1097/HEP.0000000000000323"
)
METFORMIN_LABEL = Citation(
    "FDA safety communication on metformin and kidney function, 2016",
    "https://www.fda.gov/drugs/drug-safety-and-availability/"
    "fda-drug-safety-communication-fda-revises-warnings-regarding-use-diabetes-medicine-metformin-certain",
)
KIDNEY_RISKS = (catalogue.CKD, catalogue.DIABETES, catalogue.HYPERTENSION)
# What a clinician reviews while the kidney fails: harmful to it, or cleared by it.
TO_REVIEW = (catalogue.METFORMIN, catalogue.NSAID, catalogue.RAS_INHIBITOR, catalogue.SGLT2_INHIBITOR)
GFR = {
    "G1": msg("G1, normal or high, 90 or more"),
    "G2": msg("G2, mildly decreased, 60 to 89"),
    "G3a": msg("G3a, mildly to moderately decreased, 45 to 59"),
    "G3b": msg("G3b, moderately to severely decreased, 30 to 44"),
    "G4": msg("G4, severely decreased, 15 to 29"),
    "G5": msg("G5, kidney failure, below 15"),
}
ALBUMINURIA = {
    "A1": msg("A1, normal to mildly increased, below 30 mg/g"),
    "A2": msg("A2, moderately increased, 30 to 299 mg/g"),
    "A3": msg("A3, severely increased, 300 mg/g or more"),
}
LIVER_RISKS = (
    catalogue.DIABETES,
    catalogue.OBESITY,
    catalogue.STEATOSIS,
    catalogue.CHRONIC_LIVER_DISEASE,
    catalogue.ALCOHOL_USE_DISORDER,
)


def find(case: Case) -> tuple[Finding, ...]:
    """Kidney findings, then liver findings."""
    age = case.values.usable(catalogue.AGE)
    silenced = (catalogue.PALLIATIVE_CARE, catalogue.PREGNANCY)
    if any(case.values.flag(f) for f in silenced) or age is None or published.whole_years(age) < ADULT:
        return ()
    rise = None if case.values.flag(catalogue.DIALYSIS) else creatinine_rise(case.context.record, catalogue.CREATININE)
    if case.values.flag(catalogue.IN_HOSPITAL):
        return (*injury(case, rise), *metformin(case))
    found = None if rise is not None else disease(case)
    kidneys = (*injury(case, rise), *care(case, found)) if found or rise else kidney(case)
    lines = (*_stage_line(case, found), *_failure_line(case))
    return (*kidneys, *metformin(case), *albuminuria(case, found), *liver(case), *lines)


def injury(case: Case, rise: Rise | None) -> tuple[Finding, ...]:
    """A creatinine that has risen as in acute kidney injury; one that falls again is told on other cards only."""
    if rise is None:
        return ()
    fresh = case.context.now - rise.latest.time <= FRESH
    falling, known = rise.kind == "falling", bool(case.values.flag(catalogue.ACUTE_KIDNEY_INJURY))
    taken = [m for m in map(case.values.usable, TO_REVIEW) if m is not None and m.value is True]
    sources = (rise.latest.reference, rise.reference.reference, *(s for m in taken for s in m.sources))
    finding = CareGapFinding(
        key="kidney-injury",
        severity=Severity.WARNING if fresh and not falling and not known else Severity.INFO,
        headline=_rise_headline(rise, fresh=fresh),
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
        else orders.offer(
            case.context,
            orders.CREATININE,
            "Creatinine has risen: possible acute kidney injury",
            priority="urgent",
            due=case.context.now.date(),
        ),
        quiet=falling or known,
        magnitude=rise.latest.value,
        due=_injury_due(rise, taken),
        last_done=None,
        sources=tuple(dict.fromkeys(sources)),
    )
    return (finding,)


def _rise_headline(rise: Rise, *, fresh: bool) -> Message:
    """Both values, the factor, and what they may mean."""
    shown = {
        "now": f"{rise.latest.value:.3g}",
        "before": f"{rise.reference.value:.3g}",
        "day": rise.reference.time.date(),
    }
    if rise.kind == "falling":
        return msg("Creatinine {now} mg/dL, falling from {before} on {day}: kidney function is not steady", **shown)
    shown["factor"] = f"{rise.ratio:.1f}"
    if not fresh:
        return msg(
            "Creatinine {now} mg/dL on {latest}, {factor} times the {before} of {day}, and not repeated since",
            latest=rise.latest.time.date(),
            **shown,
        )
    if rise.kind == "year":
        return msg(
            "Creatinine {now} mg/dL, {factor} times the {before} of {day}: possible acute kidney injury", **shown
        )
    return msg(
        "Creatinine {now} mg/dL, {factor} times the {before} of {day}: acute kidney injury, stage {stage}",
        stage=rise.stage,
        **shown,
    )


def _injury_due(rise: Rise, taken: list[FeatureValue]) -> Message:
    """When it was measured, the criterion, and the medicines to review."""
    due = msg("Measured {date}.", date=rise.latest.time.date())
    if rise.kind == "year":
        due = msg("{due} KDIGO stage {stage}, if the rise is one of the last 7 days.", due=due, stage=rise.stage)
    if not taken:
        return due
    medicines = published.enumerated([m.feature.label for m in taken])
    return msg("{due} On the medication list, to review: {medicines}.", due=due, medicines=medicines)


def disease(case: Case) -> KidneyDisease | None:
    """Chronic kidney disease, where its model gives an eGFR to stage it by."""
    if isinstance(case.results[EGFR_MODEL], NotEstimated):
        return None
    return kidney_disease(case.context.record, case.values)


def care(case: Case, found: KidneyDisease | None) -> tuple[Finding, ...]:
    """What the stage calls for and the record does not show: referral, the diagnosis, an SGLT2 or RAS inhibitor."""
    if found is None:
        return ()
    return (*referral(case, found), *diagnosis(found), *ras_inhibitor(case, found), *sglt2_inhibitor(case, found))


def referral(case: Case, found: KidneyDisease) -> tuple[Finding, ...]:
    """Severely decreased eGFR, consistently severe albuminuria, or progression."""
    reasons = (*_referral_reasons(found), *_kfre_reason(case))
    if not reasons:
        return ()
    what = orders.referral(
        "nephrology-referral", msg("Refer to nephrology"), "Referral to nephrology", "nephrology", "nephrologist"
    )
    offers = orders.offer(case.context, what, "Chronic kidney disease: criteria of referral are met")
    urgent = found.reported < SEVERELY_DECREASED or found.severe
    finding = CareGapFinding(
        key="ckd/nephrology",
        severity=Severity.WARNING if urgent else Severity.INFO,
        headline=msg("Chronic kidney disease {stage}: nephrology referral criteria are met", stage=found.stage),
        advice=msg(
            "Referral is recommended for: {reasons}. Not needed if a nephrologist follows the patient.",
            reasons=published.listed(reasons),
        ),
        advice_source=KDIGO_REFERRAL,
        proposals=offers,
        quiet=not offers,
        magnitude=1 / found.reported if found.reported else None,  # half the eGFR is twice as bad
        due=_in_words(found),
        last_done=None,
        sources=found.sources,
    )
    return (finding,)


def kidney_failure(case: Case) -> tuple[RiskModel, tuple[RiskEstimate, ...]] | None:
    """The KFRE that fits the site and what is known, with its estimates, or None."""
    for id_ in KFRE_MODELS:
        result = case.results.get(id_)
        if isinstance(result, tuple):
            return case.models[id_], result
    return None


def _kfre_reason(case: Case) -> Iterator[Message]:
    """A risk of kidney failure that calls for a nephrologist, as printed."""
    found = kidney_failure(case)
    five = next((e for e in found[1] if e.horizon_years == 5), None) if found is not None else None
    if five is not None and round(100 * five.value, 1) >= case.thresholds["refer_at_kfre"]:
        yield msg("5-year risk of kidney failure {risk}% (KFRE)", risk=published.percent(five.value))


def _failure_line(case: Case) -> tuple[Finding, ...]:
    """The risk of kidney failure, beside what the stage calls for."""
    found = kidney_failure(case)
    if found is None:
        return ()
    model, result = found
    five_first = tuple(sorted(result, key=lambda e: -(e.horizon_years or 0)))
    line = RiskFinding(
        key="kfre/risk", severity=Severity.INFO, headline=model.title, quiet=True, model=model, result=five_first
    )
    return (line,)


def _referral_reasons(found: KidneyDisease) -> Iterator[Message]:
    if found.reported < SEVERELY_DECREASED:
        yield msg("eGFR below 30")
    if found.severe:
        yield msg("albuminuria of 300 mg/g or more, found repeatedly")
    if found.fall is not None:
        share, since = round(100 * found.fall.share), found.fall.since.date()
        yield msg("eGFR {percent}% lower than on {date}", percent=share, date=since)


def diagnosis(found: KidneyDisease) -> tuple[Finding, ...]:
    """Values that meet the criterion of chronic kidney disease, which is not on the problem list."""
    if found.listed:
        return ()
    since = found.since or found.albuminuria_since
    what = msg("eGFR {egfr}, below 60", egfr=found.reported)
    if found.since is None:
        what = msg("Albuminuria of 30 mg/g or more")
    finding = CareGapFinding(
        key=f"{EGFR_MODEL}/persistently-below-60" if found.since is not None else "ckd/lasting-albuminuria",
        severity=Severity.INFO,
        headline=msg(
            "{what} since {date}: chronic kidney disease {stage} is not on the problem list",
            what=what,
            date=since.date() if since is not None else "",
            stage=found.stage,
        ),
        advice=msg("Look for the cause, stage it with albuminuria, and add it to the problem list."),
        advice_source=KDIGO_2024,
        magnitude=1 / found.reported if found.reported else None,
        due=_in_words(found),
        last_done=None,
        sources=found.sources,
    )
    return (finding,)


def _in_words(found: KidneyDisease) -> Message:
    """Both categories in words, and since when."""
    words = msg(
        "eGFR {egfr} on {date}: {g}.",
        egfr=found.reported,
        date=_day(found.egfr.effective),
        g=GFR[found.stage.split()[0]],
    )
    if found.uacr is not None and found.albuminuria is not None:
        words = msg(
            "{words} UACR {uacr} on {date}: {a}.",
            words=words,
            uacr=published.in_words(found.uacr),
            date=_day(found.uacr.effective),
            a=ALBUMINURIA[found.albuminuria],
        )
    if found.since is not None:
        words = msg("{words} Below 60 since {date}.", words=words, date=found.since.date())
    return words


def sglt2_inhibitor(case: Case, found: KidneyDisease) -> tuple[Finding, ...]:
    """Not on one, from eGFR 20, with type 2 diabetes, heart failure or a UACR of 200 mg/g or more."""
    values = case.values
    reasons = [values.usable(f) for f in (catalogue.DIABETES, catalogue.HEART_FAILURE)]
    present = [r for r in reasons if r is not None and r.value is True]
    why = [r.feature.label for r in present]
    if found.albumin is not None and found.albumin >= SGLT2_FROM_UACR:
        why.append(msg("UACR of 200 mg/g or more"))
    excluded = values.flag(catalogue.TYPE_1_DIABETES) or values.flag(catalogue.KIDNEY_TRANSPLANT)
    if excluded or not why or found.reported < SGLT2_FROM_EGFR or not _open(case, catalogue.SGLT2_INHIBITOR):
        return ()
    finding = CareGapFinding(
        key="ckd/sglt2-inhibitor",
        severity=Severity.INFO,
        headline=msg(
            "Chronic kidney disease {stage}, and no SGLT2 inhibitor on the medication list", stage=found.stage
        ),
        advice=msg(
            "An SGLT2 inhibitor is recommended from eGFR 20 on, unless it is contraindicated or was not tolerated: "
            "it slows the loss of kidney function and prevents heart failure."
        ),
        advice_source=KDIGO_2024,
        due=msg("Because of: {why}.", why=published.listed(why)),
        last_done=None,
        sources=tuple(dict.fromkeys((*(s for r in present for s in r.sources), *found.sources))),
    )
    return (finding,)


def ras_inhibitor(case: Case, found: KidneyDisease) -> tuple[Finding, ...]:
    """Not on an ACE inhibitor or ARB with severe albuminuria, or with any in diabetes."""
    albumin, values = found.albumin, case.values
    from_ = MODERATE if values.flag(catalogue.DIABETES) else SEVERE
    potassium = values.number(catalogue.POTASSIUM)
    high = potassium is not None and potassium > MOST_POTASSIUM
    if albumin is None or albumin < from_ or high or not _open(case, catalogue.RAS_INHIBITOR):
        return ()
    finding = CareGapFinding(
        key="ckd/ras-inhibitor",
        severity=Severity.INFO,
        headline=msg(
            "Chronic kidney disease {stage}, and no ACE inhibitor or ARB on the medication list", stage=found.stage
        ),
        advice=msg(
            "An ACE inhibitor or ARB is recommended for albuminuria, unless it is contraindicated or was not "
            "tolerated; creatinine and potassium are checked 2 to 4 weeks after the start."
        ),
        advice_source=KDIGO_2024,
        due=_in_words(found),
        last_done=None,
        sources=found.sources,
    )
    return (finding,)


def _open(case: Case, medicine: MedicationFeature) -> bool:
    """True if a medicine is certainly not taken, and no intolerance is on record."""
    return case.values.flag(medicine) is False and not intolerances(case.context.record, medicine)


def _stage_line(case: Case, found: KidneyDisease | None) -> tuple[Finding, ...]:
    """The eGFR behind the stage: told where another finding opens the card."""
    if found is None:
        return ()
    finding = RiskFinding(
        key=f"{EGFR_MODEL}/stage",
        severity=Severity.INFO,
        headline=msg("Chronic kidney disease {stage}", stage=found.stage),
        quiet=True,
        model=case.models[EGFR_MODEL],
        result=case.results[EGFR_MODEL],
    )
    return (finding,)


def kidney(case: Case) -> tuple[Finding, ...]:
    """What an eGFR calls for that shows no lasting disease: a referral, a repeat, or a first measurement."""
    result = case.results[EGFR_MODEL]
    if isinstance(result, NotEstimated):
        at_risk = any(case.values.flag(f) for f in KIDNEY_RISKS)
        return _refused(case, EGFR_MODEL, result, msg("eGFR not calculated"), "eGFR is due") if at_risk else ()
    estimate = result[0]
    egfr = round(estimate.value)
    if egfr >= DECREASED:
        return ()
    severe, day = egfr < SEVERELY_DECREASED, _day(estimate.effective)
    due = case.context.now.date() if severe else _repeat_on(case, estimate)
    offers = orders.offer(case.context, orders.CREATININE, "One eGFR below 60", due=due)
    finding = RiskFinding(
        key=f"{EGFR_MODEL}/one-below-{SEVERELY_DECREASED if severe else DECREASED}",
        severity=Severity.WARNING if severe else Severity.INFO,
        headline=msg("eGFR {egfr} on {date}: one value below 30, repeat now", egfr=egfr, date=day)
        if severe
        else msg("eGFR {egfr} on {date}: one value below 60, repeat in 3 months", egfr=egfr, date=day),
        advice=msg(
            "One value cannot tell acute kidney injury from chronic disease: repeat it within days. Below 30, referral "
            "to nephrology is recommended once it is confirmed."
        )
        if severe
        else msg(
            "One value is not chronic kidney disease. Repeat within 3 months, sooner if acute kidney injury is "
            "possible."
        ),
        advice_source=KDIGO_2024,
        proposals=offers,
        quiet=not offers,
        magnitude=1 / egfr if egfr else None,  # half the eGFR is twice as bad
        model=case.models[EGFR_MODEL],
        result=(estimate,),
    )
    return (finding,)


def _repeat_on(case: Case, estimate: RiskEstimate) -> date:
    """90 days after the value, or today if that has passed."""
    today = case.context.now.date()
    return today if estimate.effective is None else max(today, (estimate.effective + CHRONIC).date())


def _day(moment: datetime | None) -> object:
    return moment.date() if moment is not None else msg("an unknown date")


def metformin(case: Case) -> tuple[Finding, ...]:
    """Metformin on the medication list with an eGFR below 30, or below 45 in a dose that is not known to be reduced."""
    result, taken = case.results[EGFR_MODEL], case.values.usable(catalogue.METFORMIN)
    if isinstance(result, NotEstimated) or taken is None or taken.value is not True:
        return ()
    egfr, dose = round(result[0].value), daily_mg(case.context.record, catalogue.METFORMIN)
    stop = egfr < SEVERELY_DECREASED
    if egfr >= REDUCED or (not stop and dose is not None and dose <= MOST_METFORMIN):
        return ()
    headline = msg("Metformin on the medication list with eGFR {egfr} mL/min/1.73 m²", egfr=egfr)
    if not stop and dose is not None:
        headline = msg("Metformin {dose} mg a day with eGFR {egfr} mL/min/1.73 m²", dose=round(dose), egfr=egfr)
    finding = CareGapFinding(
        key="metformin/egfr-below-30" if stop else "metformin/egfr-below-45",
        severity=Severity.WARNING if stop or dose is not None else Severity.INFO,
        headline=headline,
        advice=msg("Metformin is contraindicated below 30. Consider stopping it and another glucose-lowering medicine.")
        if stop
        else msg("Below 45 the dose is halved, to at most 1000 mg a day as a rule; it is not started there."),
        advice_source=METFORMIN_LABEL if stop else KDIGO_DIABETES,
        due=msg("eGFR of {date}.", date=_day(result[0].effective)),
        last_done=None,
        sources=(*taken.sources, *(s for v in result[0].inputs for s in v.sources if s.startswith("Observation/"))),
    )
    return (finding,)


def albuminuria(case: Case, found: KidneyDisease | None) -> tuple[Finding, ...]:
    """Urine albumin-to-creatinine ratio that is due: yearly in kidney disease and diabetes, once in hypertension."""
    values = case.values
    yearly = [f for f in (catalogue.CKD, catalogue.DIABETES) if values.flag(f)]
    if found is not None and catalogue.CKD not in yearly:
        yearly.insert(0, catalogue.CKD)
    last = values[catalogue.UACR]
    never = isinstance(last, Unusable) and last.reason is Reason.ABSENT
    reasons = yearly or [f for f in (catalogue.HYPERTENSION,) if values.flag(f) and never]
    if not reasons or values.flag(catalogue.DIALYSIS) or creatinine_rise(case.context.record, catalogue.CREATININE):
        return ()
    if isinstance(last, Unusable) and last.reason is Reason.UNAVAILABLE:
        return ()
    if isinstance(last, FeatureValue) and _within_a_year(case, last.effective):
        return ()
    offers = orders.offer(case.context, orders.UACR, "Check of albuminuria")
    if not offers:
        return ()
    on_list = [v for f in reasons if (v := values.usable(f)) is not None]
    finding = CareGapFinding(
        key="uacr-due",
        severity=Severity.INFO,
        headline=msg(
            "Urine albumin-to-creatinine ratio is due ({why})", why=published.enumerated([f.label for f in reasons])
        ),
        advice=msg("Measure it at least once a year in chronic kidney disease and in diabetes.")
        if yearly
        else msg("It belongs to the first work-up of hypertension: it shows kidney damage before eGFR falls."),
        advice_source=KDIGO_2024 if yearly else HYPERTENSION_2025,
        proposals=offers,
        due=last.words if isinstance(last, Unusable) else msg("The last one is older than a year."),
        last_done=last.effective.date() if last.effective is not None else None,
        sources=tuple(dict.fromkeys((*last.sources, *(s for v in on_list for s in v.sources)))),
    )
    return (finding,)


def _within_a_year(case: Case, effective: datetime | None) -> bool:
    return effective is not None and effective >= case.context.now - UACR_EVERY


def liver(case: Case) -> tuple[Finding, ...]:
    """FIB-4 where fibrosis is to be looked for and cirrhosis is not known."""
    if not fibrosis_risk(case) or case.values.flag(catalogue.CIRRHOSIS):
        return ()
    result = case.results[FIB4_MODEL]
    if isinstance(result, NotEstimated):
        return _refused(case, FIB4_MODEL, result, msg("FIB-4 not calculated"), "Needed for FIB-4")
    estimate = result[0]
    band = estimate.band.id if estimate.band is not None else "low"
    if band == "low":
        return ()
    high = band == "high"
    what = (
        orders.referral("hepatology-referral", msg("Refer to hepatology"), "Referral to hepatology", "hepatolog")
        if high
        else orders.imaging(
            "elastography",
            msg("Order liver elastography"),
            "Liver elastography",
            "elastograph",
            "enhanced liver fibrosis",
        )
    )
    offers = orders.offer(case.context, what, "FIB-4 above its threshold")
    finding = RiskFinding(
        key=f"{FIB4_MODEL}/{band}",
        severity=Severity.WARNING if high else Severity.INFO,
        headline=_fib4_headline(estimate, high=high),
        advice=msg("Above 2.67 advanced fibrosis is likely enough for referral to hepatology.")
        if high
        else msg("A second-line test is recommended: elastography or the enhanced liver fibrosis (ELF) test."),
        advice_source=AASLD_2023,
        proposals=offers,
        quiet=not offers,
        model=case.models[FIB4_MODEL],
        result=result,
    )
    return (finding,)


def _fib4_headline(estimate: RiskEstimate, *, high: bool) -> Message:
    value = f"{estimate.value:.2f}"
    if high:
        return msg("FIB-4 {value}: advanced liver fibrosis is likely enough to refer", value=value)
    return msg("FIB-4 {value}: advanced liver fibrosis is not excluded", value=value)


def fibrosis_risk(case: Case) -> bool:
    """True if a guideline asks to look for fibrosis in this patient."""
    values = case.values
    measured: tuple[tuple[Feature, float], ...] = (
        (catalogue.HBA1C, PREDIABETES_HBA1C),
        (catalogue.BMI, OBESITY_BMI),
        (catalogue.ALT, RAISED_ALT),
    )
    if any(values.flag(feature) for feature in LIVER_RISKS):
        return True
    return any((number := values.number(feature)) is not None and number >= limit for feature, limit in measured)


def _refused(case: Case, model_id: str, result: NotEstimated, what: Message, reason: str) -> tuple[Finding, ...]:
    """A line on the card; it opens one only if something can be ordered that is not ordered yet."""
    if result.refusal is Refusal.NOT_APPLICABLE:
        return ()
    lacking, wanted = orders.lacking(result.unusable), orders.mending(result.unusable)
    offers = tuple(proposal for order in wanted for proposal in orders.offer(case.context, order, reason))
    finding = RiskFinding(
        key=f"{model_id}/refused",
        severity=Severity.INFO,
        headline=msg("{what}; {lacking}", what=what, lacking=lacking) if lacking is not None else what,
        short_headline=msg("{what}: inputs are missing, old or unusable", what=what),
        proposals=offers,
        quiet=result.refusal is not Refusal.INPUT or not offers,
        model=case.models[model_id],
        result=result,
    )
    return (finding,)


service = Service(
    id="kidney-liver-check",
    hook="patient-view",
    title=msg("Kidney and liver check"),
    description=msg(
        "A rise of creatinine as in acute kidney injury, eGFR (CKD-EPI 2021) that calls for a repeat, a diagnosis or a "
        "referral, the risk of kidney failure (KFRE), treatment and albuminuria checks that are due in chronic kidney "
        "disease, metformin with decreased kidney function, and FIB-4 where liver fibrosis is to be looked for."
    ),
    models=(EGFR_MODEL, *KFRE_MODELS, FIB4_MODEL),
    thresholds=THRESHOLDS,
    features=(
        *KIDNEY_RISKS,
        *LIVER_RISKS,
        *TO_REVIEW,
        catalogue.IN_HOSPITAL,
        catalogue.HEART_FAILURE,
        catalogue.TYPE_1_DIABETES,
        catalogue.KIDNEY_TRANSPLANT,
        catalogue.ACUTE_KIDNEY_INJURY,
        catalogue.POTASSIUM,
        catalogue.EGFR,
        catalogue.UACR,
        catalogue.HBA1C,
        catalogue.BMI,
        catalogue.CIRRHOSIS,
        catalogue.DIALYSIS,
        catalogue.PREGNANCY,
        catalogue.PALLIATIVE_CARE,
    ),
    find=find,
    source=KDIGO_2024,
    topic=Topic("http://snomed.info/sct", "709044004", "Chronic kidney disease"),
    summary=("trend", "result", "problem", "medication", "allergy"),
    reasons=(
        override_reason("indication-order-exists", "Patient has indication/order for intended action"),
        override_reason("service-not-available", "Treatment or service is not practically available"),
    ),
)
