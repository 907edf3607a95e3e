"""CHA2DS2-VA and CHA2DS2-VASc: points for the risk of stroke in atrial fibrillation, without and with sex.

Source: CHA2DS2-VASc, which has a point for women: Lip GYH et al. Chest 2010;137:263-272, doi:10.1378/chest.09-1584;
its thresholds: ACC/AHA/ACCP/HRS guideline 2023, Joglar JA et al. Circulation 2024;149:e1-e156,
doi:10.1161/CIR.0000000000001193. CHA2DS2-VA: ESC guidelines 2024, Van Gelder IC et al. Eur Heart J 2024;45:3314-3414,
doi:10.1093/eurheartj/ehae176. A site shows one edition: CHA2DS2-VASc is off until it is enabled.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.api import (
    Band,
    Baseline,
    Citation,
    EstimateKind,
    Explanation,
    FeatureValue,
    FeatureValues,
    NotEstimated,
    PublishedScore,
    Result,
    RiskEstimate,
    Scale,
    age_in_fixture,
    catalogue,
    msg,
    published,
)

ID, VASC_ID, VERSION = "cha2ds2-va", "cha2ds2-vasc", "1.1.0"
TITLES = {ID: msg("CHA2DS2-VA"), VASC_ID: msg("CHA2DS2-VASc")}
POINTS = {
    "heart_failure": 1,
    "hypertension": 1,
    "diabetes": 1,
    "stroke": 2,
    "vascular_disease": 1,
}
AGE_POINTS = ((75, 2), (65, 1))  # from this age: points; the first that applies
FEMALE_POINTS = 1  # CHA2DS2-VASc only

CONDITIONS = {
    "heart_failure": catalogue.HEART_FAILURE,
    "hypertension": catalogue.HYPERTENSION,
    "diabetes": catalogue.DIABETES,
    "stroke": catalogue.STROKE_TIA,
    "vascular_disease": catalogue.VASCULAR_DISEASE,
}
GATES = (
    (catalogue.MECHANICAL_VALVE, msg("with a mechanical heart valve anticoagulation does not depend on points")),
    (catalogue.MITRAL_STENOSIS, msg("with mitral stenosis anticoagulation does not depend on points")),
)
NO_FIBRILLATION = msg("no atrial fibrillation or flutter on the problem list")
BANDS = (
    (float("-inf"), Band("not-recommended", msg("0: anticoagulation is not recommended for stroke prevention"))),
    (1, Band("consider", msg("1: consider anticoagulation"))),
    (2, Band("recommended", msg("2 or more: anticoagulation is recommended"))),
)
VASC_BANDS = {  # by sex: thresholds of the 2023 US guideline, one point higher for women
    "male": (
        (float("-inf"), Band("not-recommended", msg("0: anticoagulation is not recommended for stroke prevention"))),
        (1, Band("consider", msg("1: anticoagulation is reasonable"))),
        (2, Band("recommended", msg("2 or more in men: anticoagulation is recommended"))),
    ),
    "female": (
        (float("-inf"), Band("not-recommended", msg("1: anticoagulation is not recommended for stroke prevention"))),
        (2, Band("consider", msg("2 in women: anticoagulation is reasonable"))),
        (3, Band("recommended", msg("3 or more in women: anticoagulation is recommended"))),
    ),
}


def age_points(age: float) -> int:
    """Points for age in years."""
    return next((points for threshold, points in AGE_POINTS if age >= threshold), 0)


def total(age: float, conditions: Mapping[str, bool]) -> int:
    """CHA2DS2-VA (0-8) from age in years and the conditions in `POINTS`."""
    return age_points(age) + sum(POINTS[name] for name, present in conditions.items() if present)


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """CHA2DS2-VA and CHA2DS2-VASc for one vector case; None if an input is null."""
    names = {
        "heart_failure": "chf",
        "hypertension": "hypertension",
        "diabetes": "diabetes",
        "stroke": "stroke_tia_te",
        "vascular_disease": "vascular",
    }
    conditions = {ours: inputs[theirs] for ours, theirs in names.items()}
    if inputs["age"] is None or None in conditions.values():
        return {"cha2ds2_va": None, "cha2ds2_vasc": None}
    points = total(inputs["age"], conditions)
    sex = {"female": FEMALE_POINTS, "male": 0}.get(inputs.get("sex") or "")
    return {"cha2ds2_va": points, "cha2ds2_vasc": None if sex is None else points + sex}


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """CHA2DS2-VASc for one GDL fixture."""
    names = {
        "heart_failure": "Congestive Heart Failure",
        "hypertension": "Hypertension",
        "diabetes": "Diabetes",
        "stroke": "Stroke/TIA/Thromboembolism",
        "vascular_disease": "Vascular disease",
    }
    age = age_in_fixture(inputs["Birthdate"])
    sex = FEMALE_POINTS if inputs["Gender"]["label"] == "Female" else 0
    points = total(age, {ours: inputs[theirs]["label"] == "Present" for ours, theirs in names.items()}) + sex
    return {"Total score": points, "Age": {"points": float(age_points(age))}, "Gender": {"points": float(sex)}}


def compute(values: FeatureValues) -> Result:
    """CHA2DS2-VA for an adult with atrial fibrillation."""
    return _compute(values, ID)


def compute_vasc(values: FeatureValues) -> Result:
    """CHA2DS2-VASc for an adult with atrial fibrillation."""
    return _compute(values, VASC_ID)


def _compute(values: FeatureValues, id_: str) -> Result:
    if not values.flag(catalogue.ATRIAL_FIBRILLATION):
        unknown = values.unusable((catalogue.ATRIAL_FIBRILLATION,))
        return published.not_applicable(id_, unknown[0].words if unknown else NO_FIBRILLATION, unknown)
    if gate := published.first_true(values, GATES):
        return published.not_applicable(id_, gate)
    sex = (catalogue.SEX,) if id_ == VASC_ID else ()
    needed = (catalogue.AGE, catalogue.ATRIAL_FIBRILLATION, *CONDITIONS.values(), *sex)
    found = published.of_adult(id_, values, needed, TITLES[id_])
    if isinstance(found, NotEstimated):
        return found
    return (_estimate(id_, published.whole_years(found[catalogue.AGE.id]), found),)


def _estimate(id_: str, age: int, found: Mapping[str, FeatureValue]) -> RiskEstimate:
    present = {name: bool(found[feature.id].value) for name, feature in CONDITIONS.items()}
    sex = found.get(catalogue.SEX.id)
    for_sex = FEMALE_POINTS if sex is not None and sex.value == "female" else 0
    points = total(age, present) + for_sex
    return RiskEstimate(
        model_id=id_,
        version=VERSION,
        kind=EstimateKind.POINTS,
        outcome=id_.replace("-", "_"),
        outcome_words=TITLES[id_],
        horizon_years=None,
        value=float(points),
        unit="1",
        band=published.band_of(points, BANDS if sex is None else VASC_BANDS[str(sex.value)]),
        explanation=Explanation(
            scale=Scale.POINTS,
            baseline_kind=Baseline.ZERO,
            baseline=0.0,
            baseline_words=msg("zero points"),
            contributions=(
                published.contribution(float(age_points(age)), (found[catalogue.AGE.id],)),
                *(
                    published.contribution(float(POINTS[name] if present[name] else 0), (found[feature.id],))
                    for name, feature in CONDITIONS.items()
                ),
                *(() if sex is None else (published.contribution(float(for_sex), (sex,)),)),
            ),
            output=float(points),
        ),
        inputs=tuple(found.values()),
        notes=published.remarks(found.values()),
    )


FEATURES = (
    catalogue.AGE,
    catalogue.ATRIAL_FIBRILLATION,
    *CONDITIONS.values(),
    *(feature for feature, _ in GATES),
)
model = PublishedScore(
    id=ID,
    version=VERSION,
    title=TITLES[ID],
    citation=Citation(
        "Van Gelder IC et al. 2024 ESC guidelines for the management of atrial fibrillation. "
        "Eur Heart J 2024;45:3314-3414",
        "https://doi.org/10.1093/eurheartj/ehae176",
    ),
    features=FEATURES,
    compute=compute,
    vectors={"CHA2DS2-VASc and CHA2DS2-VA": check},
    limits=msg(
        "For adults with atrial fibrillation or flutter on the problem list, without a mechanical valve or mitral "
        "stenosis. Conditions are read from the problem list alone: pressure readings and medicines do not add a "
        "point for hypertension. It says nothing about bleeding."
    ),
    tolerance=0.0,
)
vasc = PublishedScore(
    id=VASC_ID,
    version=VERSION,
    title=TITLES[VASC_ID],
    citation=Citation(
        "Lip GYH et al. Refining clinical risk stratification for predicting stroke and thromboembolism in atrial "
        "fibrillation. Chest 2010;137:263-272",
        "https://doi.org/10.1378/chest.09-1584",
    ),
    features=(*FEATURES, catalogue.SEX),
    compute=compute_vasc,
    vectors={"gdl-lang/common-clinical-models gdl2/CHA2DS2-VASc.v1.test.yml": check_fixture},
    limits=msg(
        "As CHA2DS2-VA, with a point for women; thresholds of the ACC/AHA/ACCP/HRS guideline 2023. Off until a site "
        "that follows the US guideline enables it; then it takes the place of CHA2DS2-VA."
    ),
    tolerance=0.0,
    default_off=True,
)
