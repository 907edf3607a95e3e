"""Blood pressure that calls for a first medicine: from 140/90, and from 130/80 where the risk is raised (AHA/ACC 2025).

Systolic or diastolic pressure is enough by itself; where the other is not known, the card says so.
Under a medicine, one that stays at 140/90 or above is told: the goal is below 130/80.

A pressure that was taken during a stay in hospital or an emergency visit starts no treatment: it is measured again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from cds_service import orders
from cds_service.features import catalogue
from cds_service.features.feature import FeatureValue, Reason, Unusable
from cds_service.features.history import history
from cds_service.features.hospital import MeasuredInHospital
from cds_service.findings import CareGapFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.language import Message, msg
from cds_service.risk import published
from cds_service.risk.model import Citation

STAGE_1, STAGE_2 = (130.0, 80.0), (140.0, 90.0)  # systolic, diastolic in mm[Hg]
SEVERE = (181.0, 121.0)  # "above 180/120", in whole numbers
DISEASES = (catalogue.CORONARY_DISEASE, catalogue.STROKE_TIA, catalogue.VASCULAR_DISEASE)
IN_STAY = MeasuredInHospital(
    "pressure_measured_in_hospital", msg("Blood pressure measured in hospital"), (catalogue.SBP_ANYWHERE, catalogue.DBP)
)
HYPERTENSION_2025 = Citation(
    "2025 AHA/ACC high blood pressure guideline (threshold read in secondary sources)",
    "https://doi.org/10.1161/CIR.0000000000001356",
)


def first_medicine(case: Case, total_cvd: float | None, threshold: float) -> tuple[Finding, ...]:
    """A pressure without a medicine, or one to measure again.

    total_cvd: 10-year risk of cardiovascular disease (0-1), None if there is no estimate; threshold: in percent.
    """
    values = case.values
    systolic, diastolic = values.usable(catalogue.SBP_ANYWHERE), values.usable(catalogue.DBP)
    unmedicated = values.flag(catalogue.ANTIHYPERTENSIVE) is False and not values.flag(catalogue.PREGNANCY)
    known = [value for value in (systolic, diastolic) if value is not None]
    if not unmedicated or not known:
        return ()
    stage_2, reason = _reaches(systolic, diastolic, STAGE_2), raised_risk(case, total_cvd, threshold)
    if not stage_2 and (reason is None or not _reaches(systolic, diastolic, STAGE_1)):
        return ()
    acute = bool(values.flag(IN_STAY))
    lacking = values.unusable([f for f in (catalogue.SBP_ANYWHERE, catalogue.DBP) if values.usable(f) is None])
    again = acute or any(one.reason is not Reason.UNAVAILABLE for one in lacking)
    why = msg("Raised in hospital") if acute else msg("Only one of systolic and diastolic pressure is on record")
    finding = CareGapFinding(
        key="blood-pressure-medicine",
        severity=Severity.WARNING if stage_2 and not acute else Severity.INFO,
        headline=_headline(systolic, diastolic, None if stage_2 else reason),
        advice=msg(
            "Medicine from 140/90 mmHg; from 130/80 mmHg with cardiovascular disease, diabetes, chronic kidney disease "
            "or a 10-year risk of cardiovascular disease of {threshold}% or higher.",
            threshold=threshold,
        ),
        advice_source=HYPERTENSION_2025,
        proposals=orders.offer(case.context, orders.BLOOD_PRESSURE, why) if again else (),
        due=_due(known[0], lacking, acute=acute, severe=_reaches(systolic, diastolic, SEVERE)),
        last_done=None,
        sources=tuple(dict.fromkeys(source for value in known for source in value.sources)),
    )
    return (finding,)


def _headline(systolic: FeatureValue | None, diastolic: FeatureValue | None, reason: Message | None) -> Message:
    upper, lower = (f"{float(value.value):.0f}" if value is not None else "" for value in (systolic, diastolic))
    said = msg("Blood pressure {systolic}/{diastolic} mmHg without a blood-pressure medicine", systolic=upper,
               diastolic=lower)  # fmt: skip
    if diastolic is None:
        said = msg("Systolic blood pressure {systolic} mmHg without a blood-pressure medicine", systolic=upper)
    elif systolic is None:
        said = msg("Diastolic blood pressure {diastolic} mmHg without a blood-pressure medicine", diastolic=lower)
    return said if reason is None else msg("{said} ({reason})", said=said, reason=reason)


def _due(measured: FeatureValue, lacking: Sequence[Unusable], *, acute: bool, severe: bool) -> Message:
    """When it was measured, what comes before a medicine, and what could not be judged."""
    due = msg("If repeated readings confirm it, a medicine is recommended in addition to lifestyle measures.")
    if acute:
        due = msg("It was taken in hospital, where illness raises it: measure it again before anything is started.")
    elif severe:
        due = msg("Above 180/120 mmHg: look for symptoms and signs of acute organ damage now. {due}", due=due)
    if measured.effective is not None:
        due = msg("Measured {date}. {due}", date=measured.effective.date(), due=due)
    for one in lacking:
        due = msg("{due} Not judged: {why}.", due=due, why=one.words)
    return due


def raised_risk(case: Case, total_cvd: float | None, threshold: float) -> Message | None:
    """Why a pressure of 130/80 already calls for a medicine, or None."""
    for feature in (*DISEASES, catalogue.HEART_FAILURE, catalogue.DIABETES, catalogue.CKD):
        if case.values.flag(feature):
            return feature.label
    if total_cvd is None or round(100 * total_cvd, 1) < threshold:
        return None
    return msg("10-year cardiovascular risk {total}% (PREVENT)", total=published.percent(total_cvd))


def _reaches(systolic: FeatureValue | None, diastolic: FeatureValue | None, stage: tuple[float, float]) -> bool:
    """True if one of the two that are known reaches its limit: each is enough by itself."""
    pairs = zip((systolic, diastolic), stage, strict=True)
    return any(value is not None and float(value.value) >= limit for value, limit in pairs)


def above_goal(case: Case) -> tuple[Finding, ...]:
    """Under a medicine: a systolic pressure of 140 or more on each of the last two days of measurement."""
    values = case.values
    taken = values.usable(catalogue.ANTIHYPERTENSIVE)
    systolic, diastolic = values.usable(catalogue.SBP_ANYWHERE), values.usable(catalogue.DBP)
    untimely = values.flag(catalogue.PREGNANCY) or values.flag(IN_STAY)
    if taken is None or taken.value is not True or systolic is None or diastolic is None or untimely:
        return ()
    lowest: dict[date, FeatureValue] = {}
    for one in history(case.context.record, catalogue.SBP):
        day = one.effective.date() if one.effective is not None else None
        if day is not None and (day not in lowest or float(one.value) < float(lowest[day].value)):
            lowest[day] = one
    last = [lowest[day] for day in sorted(lowest, reverse=True)[:2]]
    recent = bool(last) and systolic.effective is not None and max(lowest) == systolic.effective.date()
    if len(last) < 2 or not recent or any(float(one.value) < STAGE_2[0] for one in last):
        return ()
    shown = {"systolic": f"{float(systolic.value):.0f}", "diastolic": f"{float(diastolic.value):.0f}"}
    finding = CareGapFinding(
        key="blood-pressure-above-goal",
        severity=Severity.INFO,
        headline=msg("Blood pressure {systolic}/{diastolic} mmHg under a blood-pressure medicine", **shown),
        advice=msg(
            "The goal is below 130/80 mmHg, as far as it is tolerated. Confirm it outside the clinic, ask whether the "
            "medicines are taken and what raises pressure (NSAIDs, alcohol), then intensify treatment."
        ),
        advice_source=HYPERTENSION_2025,
        due=msg(
            "Systolic pressure {last} mmHg on {day} and {before} mmHg on {earlier}.",
            last=f"{float(last[0].value):.0f}", day=max(lowest), before=f"{float(last[1].value):.0f}",
            earlier=sorted(lowest)[-2],
        ),
        last_done=None,
        sources=tuple(dict.fromkeys((*systolic.sources, *last[1].sources, *taken.sources))),
    )  # fmt: skip
    return (finding,)
