"""LACE, HOSPITAL and Padua: every number typed a second time and moved, and what a record leaves open."""

from collections.abc import Callable, Mapping
from itertools import product
from types import ModuleType
from typing import Any

import pytest
from mutants import by, percent, survivors

from cds_service.features import catalogue as c
from cds_service.features.feature import FeatureValues, Reason
from cds_service.risk.model import NotEstimated, Refusal, RiskEstimate

Load = Callable[[str], ModuleType]
Build = Callable[..., FeatureValues]
Run = Callable[..., tuple[RiskEstimate, ...]]
Refuse = Callable[..., NotEstimated]
Scores = Mapping[str, ModuleType]


def young(patient: Build, given: Mapping[Any, Any]) -> Callable[[ModuleType], bool]:
    """If a changed score no longer begins at 18 years."""

    def wrong(changed: ModuleType) -> bool:
        values = [patient(changed.model, {**given, c.AGE: age}) for age in (17.9, 18.0)]
        return [isinstance(changed.model.estimate(v), NotEstimated) for v in values] != [True, False]

    return wrong


# --- LACE ---
LACE = [
    {"los": los, "acute": acute, "cci": cci, "ed": ed}
    for los, acute, cci, ed in product((0, 1, 2, 3, 4, 6, 7, 13, 14, 30), (False, True), range(6), (0, 1, 3, 4, 5))
]
STAY: dict[Any, Any] = {
    c.AGE: 70.0,
    c.STAY_DAYS: 2.0,
    c.EMERGENCY_ADMISSION: False,
    c.EMERGENCY_VISITS: 0.0,
    c.CREATININE: 1.0,
}
OWN_WEIGHTS = {
    (c.CHARLSON_INFARCTION,): 1,
    (c.CHARLSON_CEREBROVASCULAR,): 1,
    (c.CHARLSON_PERIPHERAL_VASCULAR,): 1,
    (c.CHARLSON_DIABETES,): 1,
    (c.CHARLSON_HEART_FAILURE,): 2,
    (c.CHARLSON_DIABETES, c.CHARLSON_DIABETES_COMPLICATED): 2,
    (c.CHARLSON_PULMONARY,): 2,
    (c.CHARLSON_MILD_LIVER,): 2,
    (c.CHARLSON_RENAL,): 2,
    (c.CHARLSON_MALIGNANCY,): 2,
    (c.CHARLSON_DEMENTIA,): 3,
    (c.CHARLSON_RHEUMATIC,): 3,
    (c.CHARLSON_AIDS,): 5,
    (c.CHARLSON_SEVERE_LIVER, c.CHARLSON_MILD_LIVER): 5,
    (c.CHARLSON_RENAL, c.DIALYSIS): 5,
    (c.CHARLSON_MALIGNANCY, c.CHARLSON_METASTASIS): 5,
    (c.CHARLSON_INFARCTION, c.CHARLSON_HEART_FAILURE): 3,
    (c.CHARLSON_INFARCTION, c.CHARLSON_DEMENTIA): 5,
}


def printed_lace(case: Mapping[str, Any]) -> int:
    los = case["los"]
    days = los if los <= 3 else 4 if los <= 6 else 5 if los <= 13 else 7
    return int(days + 3 * case["acute"] + (case["cci"] if case["cci"] <= 3 else 5) + min(case["ed"], 4))


def lace_is_wrong(module: ModuleType) -> bool:
    if any(module.check(case, {})["lace"] != printed_lace(case) for case in LACE):
        return True
    return [module.band(total).id for total in (0, 4, 5, 9, 10, 19)] != ["low"] * 2 + ["moderate"] * 2 + ["high"] * 2


def test_every_number_of_lace_is_held(load_model: Load, patient: Build) -> None:
    """Days, acuity, comorbidity, visits, bands, and the weights as the record gives them."""
    module = load_model("lace")
    names = ("DAYS", "ACUTE", "COMORBIDITY_MOST", "COMORBIDITY_FROM", "VISITS_MOST", "BANDS")
    assert survivors(module, names, by(1), lace_is_wrong) == []
    assert survivors(module, ("ADULT",), by(1), young(patient, STAY)) == []

    def weighed(changed: ModuleType) -> bool:
        for present, worth in OWN_WEIGHTS.items():
            (found,) = changed.model.estimate(patient(changed.model, STAY | dict.fromkeys(present, True)))
            if (found.value, found.high) != (2 + worth, None):
                return True
        return False

    def summed(changed: ModuleType) -> bool:
        raw = {name: worth for name, worth in changed.WEIGHTS.items() if worth > 3}
        return weighed(changed) or raw != {"aids": 4, "severe_liver_renal": 4, "metastasis": 6}  # all beyond the cap

    assert survivors(module, ("WEIGHTS",), by(1), summed) == []

    def at_limit(changed: ModuleType) -> bool:
        for creatinine, worth in ((3.0, 2), (3.01, 5)):
            given = STAY | {c.CHARLSON_RENAL: True, c.CREATININE: creatinine}
            (found,) = changed.model.estimate(patient(changed.model, given))
            if found.value != 2 + worth:
                return True
        return False

    assert survivors(module, ("CREATININE_ABOVE",), percent, at_limit) == []


def test_lace_leaves_open_what_is_not_recorded(scores: Scores, patient: Build, estimates: Run) -> None:
    """Unknown acuity and visits make an interval; it is decided where the whole lies on one side of 10."""
    model = scores["lace"].model
    faults = dict.fromkeys((c.EMERGENCY_ADMISSION, c.EMERGENCY_VISITS), Reason.NO_LIST)
    (found,) = estimates(model, patient(model, STAY, faults=faults))
    assert (found.value, found.high) == (2, 9)
    assert found.band is not None
    assert found.band.id == "undetermined"
    assert {u.feature.id for u in found.not_measured} == {"emergency_admission", "emergency_visits"}
    ill = STAY | {c.STAY_DAYS: 15.0, c.CHARLSON_DEMENTIA: True}
    (decided,) = estimates(model, patient(model, ill, faults=faults))
    assert decided.band is not None
    assert decided.band.id == "high"


def test_kidney_disease_of_unknown_severity_is_an_interval(scores: Scores, patient: Build, estimates: Run) -> None:
    """Without creatinine nobody knows if it counts 2 or 4."""
    model = scores["lace"].model
    values = patient(model, STAY | {c.CHARLSON_RENAL: True}, faults={c.CREATININE: Reason.STALE})
    (found,) = estimates(model, values)
    assert (found.value, found.high) == (4, 7)


def test_lace_and_hospital_need_a_stay(scores: Scores, patient: Build, refusal: Refuse) -> None:
    """Without an inpatient stay there is nothing to speak of: not applicable, with the reason."""
    for name in ("lace", "hospital_score"):
        model = scores[name].model
        found = refusal(model, patient(model, STAY, faults={c.STAY_DAYS: Reason.NO_LIST}))
        assert found.refusal is Refusal.NOT_APPLICABLE
        assert refusal(model, patient(model, STAY, faults={c.AGE: Reason.ABSENT})).refusal is Refusal.INPUT


# --- HOSPITAL ---
NONE = {"oncology": False, "procedure": False, "urgent": False}
HOSPITAL = [
    {"hemoglobin": hb, "sodium": na, "admissions_prev_year": n, "los": los, **NONE, **yes}
    for hb, na, n, los, yes in product(
        (11.9, 12.0),
        (134, 135),
        (0, 1, 2, 5, 6, 9),
        (4, 5),
        ({}, {"oncology": True}, {"procedure": True}, {"urgent": True}),
    )
]
FULL: dict[Any, Any] = {
    c.AGE: 70.0,
    c.STAY_DAYS: 4.0,
    c.HEMOGLOBIN_STAY: 13.0,
    c.SODIUM_STAY: 140.0,
    c.ONCOLOGY_SERVICE: False,
    c.STAY_PROCEDURE: False,
    c.EMERGENCY_ADMISSION: True,
    c.ADMISSIONS_YEAR: 0.0,
}


def printed_hospital(case: Mapping[str, Any]) -> int:
    n = case["admissions_prev_year"]
    total = (case["hemoglobin"] < 12) + 2 * case["oncology"] + (case["sodium"] < 135) + case["procedure"]
    return int(total + case["urgent"] + (0 if n <= 1 else 2 if n <= 5 else 5) + 2 * (case["los"] >= 5))


def hospital_is_wrong(module: ModuleType) -> bool:
    if any(module.check(case, {})["hospital"] != printed_hospital(case) for case in HOSPITAL):
        return True
    bands = [module.band(total).id for total in (4, 5, 6, 7)]
    return bands != ["low", "intermediate", "intermediate", "high"]


def test_every_number_of_hospital_is_held(load_model: Load, patient: Build) -> None:
    """Points, limits, admissions and bands."""
    module = load_model("hospital_score")
    points = (
        "HEMOGLOBIN",
        "ONCOLOGY",
        "SODIUM",
        "PROCEDURE",
        "URGENT",
        "LONG_STAY",
        "ADMISSIONS",
        "DAYS_FROM",
        "BANDS",
    )
    assert survivors(module, points, by(1), hospital_is_wrong) == []
    assert survivors(module, ("HEMOGLOBIN_BELOW", "SODIUM_BELOW"), percent, hospital_is_wrong) == []
    assert survivors(module, ("ADULT",), by(1), young(patient, FULL)) == []


@pytest.mark.parametrize(
    ("changed", "total"),
    [
        ({}, 1),
        ({c.HEMOGLOBIN_STAY: 11.9}, 2),
        ({c.SODIUM_STAY: 134.0}, 2),
        ({c.ONCOLOGY_SERVICE: True}, 3),
        ({c.STAY_PROCEDURE: True}, 2),
        ({c.EMERGENCY_ADMISSION: False}, 0),
        ({c.ADMISSIONS_YEAR: 3.0}, 3),
        ({c.ADMISSIONS_YEAR: 7.0}, 6),
        ({c.STAY_DAYS: 5.0}, 3),
    ],
)
def test_hospital_from_a_record(
    scores: Scores, patient: Build, estimates: Run, changed: dict[Any, Any], total: int
) -> None:
    """Each item by itself."""
    model = scores["hospital_score"].model
    (found,) = estimates(model, patient(model, FULL | changed))
    assert (found.value, found.high) == (total, None)


def test_without_a_service_no_cancer_means_no_oncology(scores: Scores, patient: Build, estimates: Run) -> None:
    """With cancer on the list the two points stay open."""
    model = scores["hospital_score"].model
    faults = {c.ONCOLOGY_SERVICE: Reason.ABSENT}
    (without,) = estimates(model, patient(model, FULL, faults=faults))
    assert (without.value, without.high) == (1, None)
    (with_cancer,) = estimates(model, patient(model, FULL | {c.CANCER: True}, faults=faults))
    assert (with_cancer.value, with_cancer.high) == (1, 3)


# --- Padua ---
WORTH = {"cancer": 3, "prev_vte": 3, "mobility": 3, "thrombophilia": 3, "trauma": 2, "hrf": 1, "mi_stroke": 1,
         "infection": 1, "hormone": 1}  # fmt: skip
WELL: dict[str, Any] = {**dict.fromkeys(WORTH, False), "age": 69, "bmi": 29.9}


def padua_is_wrong(module: ModuleType) -> bool:
    cases = [({**WELL, name: True}, worth) for name, worth in WORTH.items()]
    cases += [({**WELL, "age": 70}, 1), ({**WELL, "bmi": 30.0}, 1), (WELL, 0)]
    cases.append(({**dict.fromkeys(WORTH, True), "age": 90, "bmi": 45.0}, 20))
    if any(module.check(case, {})["padua"] != total for case, total in cases):
        return True
    return [module.band(total).id for total in (3, 4)] != ["low", "high"]


MEDICAL: dict[Any, Any] = {c.AGE: 50.0, c.BMI: 24.0}


def test_every_number_of_padua_is_held(load_model: Load, patient: Build) -> None:
    """Points, age, body mass, the threshold and the least age."""
    module = load_model("padua")

    def rebuild(changed: ModuleType) -> None:
        low, (_, high) = changed.BANDS
        changed.BANDS = (low, (changed.HIGH, high))

    assert survivors(module, ("POINTS", "AGE_FROM", "HIGH"), by(1), padua_is_wrong, rebuild) == []
    assert survivors(module, ("BMI_FROM",), percent, padua_is_wrong) == []
    assert survivors(module, ("ADULT",), by(1), young(patient, MEDICAL)) == []


@pytest.mark.parametrize(
    ("feature", "worth"),
    [
        (c.CANCER, 3), (c.VTE_EVER, 3), (c.THROMBOPHILIA, 3), (c.RECENT_TRAUMA, 2), (c.SURGERY_MONTH, 2),
        (c.HEART_FAILURE, 1), (c.RESPIRATORY_FAILURE, 1), (c.ACUTE_INFARCTION_OR_STROKE, 1), (c.INFECTION, 1),
        (c.CHARLSON_RHEUMATIC, 1), (c.HORMONE, 1),
    ],
)  # fmt: skip
def test_padua_from_a_record(scores: Scores, patient: Build, estimates: Run, feature: Any, worth: int) -> None:
    """Each item by itself; mobility stays open, for no list denies it."""
    model = scores["padua"].model
    (found,) = estimates(model, patient(model, MEDICAL | {feature: True}))
    assert (found.value, found.high) == (worth, worth + 3)


def test_listed_immobility_settles_padua(scores: Scores, patient: Build, estimates: Run) -> None:
    """With mobility known there is one total, and with obesity and infection it reaches 4."""
    model = scores["padua"].model
    given = MEDICAL | {c.REDUCED_MOBILITY: True, c.INFECTION: True}
    (found,) = estimates(model, patient(model, given))
    assert (found.value, found.high) == (4, None)
    assert found.band is not None
    assert found.band.id == "high"


def test_padua_is_not_for_pregnancy(scores: Scores, patient: Build, refusal: Refuse) -> None:
    """Obstetric patients have their own rules."""
    model = scores["padua"].model
    assert "pregnancy" in str(refusal(model, patient(model, MEDICAL | {c.PREGNANCY: True})).reason)


@pytest.mark.parametrize("name", ["lace", "hospital_score", "padua"])
def test_a_null_input_gives_no_number(scores: Scores, name: str) -> None:
    """A vector case with a null expects null."""
    case = {"lace": LACE[0], "hospital_score": HOSPITAL[0], "padua": WELL}[name]
    for key in case:
        assert set(scores[name].check({**case, key: None}, {}).values()) == {None}
