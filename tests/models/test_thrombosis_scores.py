"""Khorana, Wells (DVT, PE) and FINDRISC: every number typed a second time and moved, and what a record leaves open."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
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
AS_OF = datetime(2026, 11, 1, 12, tzinfo=UTC)


def young(patient: Build, given: Mapping[Any, Any]) -> Callable[[ModuleType], bool]:
    """If a changed score no longer begins at 18 years."""

    def wrong(changed: ModuleType) -> bool:
        values = [patient(changed.model, {**given, c.AGE: age}) for age in (17.9, 18.0)]
        return [isinstance(changed.model.estimate(v), NotEstimated) for v in values] != [True, False]

    return wrong


# --- Khorana ---
SITES = {"stomach": 2, "pancreas": 2, "lung": 1, "lymphoma": 1, "gynecologic": 1, "ovarian": 1, "bladder": 1,
         "testicular": 1, "breast": 0, "colorectal": 0, "prostate": 0, "other": 0}  # fmt: skip
KHORANA = [
    {"site": site, "plt": plt, "hb": hb, "esa": esa, "wbc": wbc, "bmi": bmi}
    for site, plt, (hb, esa), wbc, bmi in product(
        SITES, (349, 350), ((9.9, False), (10.0, False), (10.0, True)), (11.0, 11.1), (34.9, 35.0)
    )
]
BEFORE: dict[Any, Any] = {
    c.AGE: 60.0,
    c.CANCER: True,
    c.CANCER_OTHER_SITE: True,
    c.PLATELETS: 250.0,
    c.HEMOGLOBIN: 13.0,
    c.WBC: 7.0,
    c.BMI: 25.0,
}


def printed_khorana(case: Mapping[str, Any]) -> int:
    anemia = case["hb"] < 10 or case["esa"]
    counts = (case["plt"] >= 350) + anemia + (case["wbc"] > 11) + (case["bmi"] >= 35)
    return int(SITES[case["site"]] + counts)


def khorana_is_wrong(module: ModuleType) -> bool:
    if any(module.check(case, {})["khorana"] != printed_khorana(case) for case in KHORANA):
        return True
    return [module.band(total).id for total in (0, 1, 2, 3, 6)] != ["low", "intermediate", "consider", "high", "high"]


def test_every_number_of_khorana_is_held(load_model: Load, patient: Build) -> None:
    """Sites, limits, points, bands, the least age and when treatment has begun."""
    module = load_model("khorana")

    def of_record(changed: ModuleType) -> bool:
        for site, worth in ((c.CANCER_VERY_HIGH, 2), (c.CANCER_HIGH, 1)):
            (found,) = changed.model.estimate(patient(changed.model, BEFORE | {site: True}))
            if found.value != worth:
                return True
        return khorana_is_wrong(changed)

    numbers = ("VERY_HIGH", "HIGH", "PLATELETS", "ANEMIA", "LEUKOCYTES", "OBESITY", "BANDS")
    assert survivors(module, numbers, by(1), of_record) == []
    limits = ("PLATELETS_FROM", "HEMOGLOBIN_BELOW", "LEUKOCYTES_ABOVE", "BMI_FROM")
    assert survivors(module, limits, percent, khorana_is_wrong) == []
    assert survivors(module, ("ADULT",), by(1), young(patient, BEFORE)) == []
    printed = {"stomach": 2, "gastric": 2, "pancreas": 2, "pancreatic": 2}
    assert {name: worth for name, worth in module.SITES.items() if worth != 1} == printed
    assert set(module.SITES.values()) == {1, 2}


@pytest.mark.parametrize(
    ("changed", "total"),
    [
        ({}, 0),
        ({c.CANCER_VERY_HIGH: True}, 2),
        ({c.CANCER_HIGH: True}, 1),
        ({c.PLATELETS: 400.0}, 1),
        ({c.HEMOGLOBIN: 9.0}, 1),
        ({c.ERYTHROPOIETIC: True}, 1),
        ({c.WBC: 12.0}, 1),
        ({c.BMI: 36.0}, 1),
    ],
)
def test_khorana_from_a_record(
    scores: Scores, patient: Build, estimates: Run, changed: dict[Any, Any], total: int
) -> None:
    """Each item by itself."""
    model = scores["khorana"].model
    (found,) = estimates(model, patient(model, BEFORE | changed))
    assert (found.value, found.high) == (total, None)


def test_a_cancer_without_a_site_leaves_two_points_open(scores: Scores, patient: Build, estimates: Run) -> None:
    """An uncoded site is not a harmless one."""
    model = scores["khorana"].model
    (found,) = estimates(model, patient(model, BEFORE | {c.CANCER_OTHER_SITE: False}))
    assert (found.value, found.high) == (0, 2)
    assert found.band is not None
    assert found.band.id == "undetermined"


def test_khorana_speaks_before_treatment_and_not_of_leukemia(scores: Scores, patient: Build, refusal: Refuse) -> None:
    """A treatment ordered this month is about to begin; one that is older has begun."""
    module = scores["khorana"]
    model = module.model
    given = BEFORE | {c.ANTINEOPLASTIC: True}
    old = refusal(model, patient(model, given, at={c.ANTINEOPLASTIC: AS_OF - timedelta(days=31)}))
    assert old.reason == module.UNDER_WAY
    new = model.estimate(patient(model, given, at={c.ANTINEOPLASTIC: AS_OF - timedelta(days=30)}))
    assert not isinstance(new, NotEstimated)
    blood = BEFORE | {c.CANCER_OTHER_SITE: False, c.BLOOD_CANCER: True}
    assert refusal(model, patient(model, blood)).reason == module.BLOOD
    assert refusal(model, patient(model, BEFORE | {c.CANCER: False})).reason == module.NO_CANCER
    assert refusal(model, patient(model, BEFORE, faults={c.AGE: Reason.ABSENT})).refusal is Refusal.INPUT


# --- Wells, deep vein thrombosis ---
DVT = ("cancer", "paralysis", "bedridden", "tenderness", "swollen_leg", "calf3cm", "pitting", "collateral", "prev_dvt")
NO_DVT = dict.fromkeys((*DVT, "alt_dx"), False)


def dvt_is_wrong(module: ModuleType) -> bool:
    cases = [({**NO_DVT, name: True}, 1) for name in DVT]
    cases += [({**NO_DVT, "alt_dx": True}, -2), (dict.fromkeys(NO_DVT, True), 7)]
    if any(module.check(case, {})["wells_dvt"] != total for case, total in cases):
        return True
    return [module.band(total).id for total in (-2, 1, 2, 9)] != ["unlikely"] * 2 + ["likely"] * 2


SUSPECTED: dict[Any, Any] = {c.AGE: 50.0, c.SUSPECTED_DVT: True, c.SUSPECTED_PE: True, c.HEART_RATE_ACUTE: 80.0}


def test_every_number_of_wells_dvt_is_held(load_model: Load, patient: Build) -> None:
    """Points, the threshold and the least age."""
    module = load_model("wells_dvt")

    def rebuild(changed: ModuleType) -> None:
        low, (_, likely) = changed.BANDS
        changed.BANDS = (low, (changed.LIKELY, likely))

    assert survivors(module, ("POINTS", "LIKELY"), by(1), dvt_is_wrong, rebuild) == []
    assert survivors(module, ("ADULT",), by(1), young(patient, SUSPECTED)) == []


def test_wells_dvt_is_prefilled_and_leaves_the_examination_open(scores: Scores, patient: Build, estimates: Run) -> None:
    """What the record shows counts; nothing of the leg is ever read from it; the sum is the least total."""
    model = scores["wells_dvt"].model
    given = SUSPECTED | {c.CANCER: True, c.VTE_EVER: True, c.SURGERY_TWELVE_WEEKS: True}
    (found,) = estimates(model, patient(model, given))
    assert (found.value, found.high) == (3 - 2, 3 + 6)
    assert found.band is not None
    assert found.band.id == "undetermined"
    assert len(found.not_measured) == 7
    assert len({u.feature.id for u in found.not_measured}) == 7


# --- Wells, pulmonary embolism ---
PE = {"dvt_signs": 3.0, "pe_likely": 3.0, "immob": 1.5, "prev": 1.5, "hemoptysis": 1.0, "cancer": 1.0}
NO_PE: dict[str, Any] = {**dict.fromkeys(PE, False), "hr": 100}


def pe_is_wrong(module: ModuleType) -> bool:
    cases = [({**NO_PE, name: True}, worth) for name, worth in PE.items()]
    cases += [(NO_PE, 0.0), ({**NO_PE, "hr": 101}, 1.5), ({**dict.fromkeys(PE, True), "hr": 120}, 12.5)]
    if any(module.check(case, {})["wells_pe"] != total for case, total in cases):
        return True
    return [module.band(halves).id for halves in (0, 8, 9, 25)] != ["unlikely"] * 2 + ["likely"] * 2


def test_every_number_of_wells_pe_is_held(load_model: Load, patient: Build) -> None:
    """Points in halves, the rate, the threshold and the least age."""
    module = load_model("wells_pe")

    def rebuild(changed: ModuleType) -> None:
        low, (_, likely) = changed.BANDS
        changed.BANDS = (low, (changed.LIKELY_ABOVE + 1, likely))

    assert survivors(module, ("HALVES", "LIKELY_ABOVE"), by(1), pe_is_wrong, rebuild) == []
    assert survivors(module, ("RATE_ABOVE", "HALF"), percent, pe_is_wrong) == []
    assert survivors(module, ("ADULT",), by(1), young(patient, SUSPECTED)) == []


def test_wells_pe_counts_in_halves(scores: Scores, patient: Build, estimates: Run) -> None:
    """A fast heart is worth 1.5 points, and the interval ends at a half."""
    model = scores["wells_pe"].model
    (found,) = estimates(model, patient(model, SUSPECTED | {c.HEART_RATE_ACUTE: 101.0, c.VTE_EVER: True}))
    assert (found.value, found.high) == (3.0, 3.0 + 3 + 3 + 1.5 + 1)
    assert found.explanation.output == 3.0


def test_wells_pe_needs_the_examination_for_a_high_total(scores: Scores, patient: Build, estimates: Run) -> None:
    """Items of the record alone can reach the threshold, and then it is decided."""
    model = scores["wells_pe"].model
    found_on_record = {c.HEART_RATE_ACUTE: 120.0, c.VTE_EVER: True, c.SURGERY_FOUR_WEEKS: True, c.CANCER: True}
    (found,) = estimates(model, patient(model, SUSPECTED | found_on_record))
    assert found.value == 5.5
    assert found.band is not None
    assert found.band.id == "likely"


@pytest.mark.parametrize(("name", "feature"), [("wells_dvt", c.SUSPECTED_DVT), ("wells_pe", c.SUSPECTED_PE)])
def test_wells_needs_a_suspicion(scores: Scores, patient: Build, refusal: Refuse, name: str, feature: Any) -> None:
    """Nobody who is not suspected is scored, and nobody in pregnancy."""
    module = scores[name]
    without = patient(module.model, SUSPECTED, faults={feature: Reason.ABSENT})
    assert refusal(module.model, without).reason == module.NOBODY_SUSPECTS
    assert "pregnancy" in str(refusal(module.model, patient(module.model, SUSPECTED | {c.PREGNANCY: True})).reason)


# --- FINDRISC ---
GOOD = {"active": True, "veg": True, "bpmed": False, "highglu": False, "fam": "none"}
FINDRISC = [
    {"age": age, "sex": sex, "bmi": bmi, "waist": waist, **GOOD, **bad}
    for age, sex, bmi, waist, bad in product(
        (44, 45, 54, 55, 64, 65),
        ("female", "male"),
        (24.9, 25.0, 30.0, 30.1),
        (79, 80, 88, 89, 93, 94, 102, 103),
        (
            {},
            {"active": False},
            {"veg": False},
            {"bpmed": True},
            {"highglu": True},
            {"fam": "second"},
            {"fam": "first"},
        ),
    )
]


def printed_findrisc(case: Mapping[str, Any]) -> int:
    age = 0 if case["age"] < 45 else 2 if case["age"] < 55 else 3 if case["age"] < 65 else 4
    mass = 0 if case["bmi"] < 25 else 1 if case["bmi"] <= 30 else 3
    small, large = (80, 88) if case["sex"] == "female" else (94, 102)
    waist = 0 if case["waist"] < small else 3 if case["waist"] <= large else 4
    habits = 2 * (not case["active"]) + (not case["veg"])
    history = 2 * case["bpmed"] + 5 * case["highglu"] + {"none": 0, "second": 3, "first": 5}[case["fam"]]
    return int(age + mass + waist + habits + history)


def findrisc_is_wrong(module: ModuleType) -> bool:
    if any(module.check(case, {})["findrisc"] != printed_findrisc(case) for case in FINDRISC):
        return True
    bands = [module.band(total).id for total in (6, 7, 11, 12, 14, 15, 20, 21)]
    steps = ["low", *["slightly-elevated"] * 2, *["moderate"] * 2, *["high"] * 2, "very-high"]
    return bands != steps


UNTESTED: dict[Any, Any] = {
    c.AGE: 50.0, c.SEX: "male", c.BMI: 24.0, c.WAIST: 90.0, c.PHYSICALLY_ACTIVE: True, c.VEGETABLES_DAILY: True,
}  # fmt: skip


def test_every_number_of_findrisc_is_held(load_model: Load, patient: Build) -> None:
    """Ages, body mass, waist, habits, history, bands and the least age."""
    module = load_model("findrisc")
    points = ("AGES", "INACTIVE", "NO_VEGETABLES", "PRESSURE", "GLUCOSE", "FAMILY", "BANDS", "WAIST")
    assert survivors(module, points, by(1), findrisc_is_wrong) == []
    assert survivors(module, ("BODY_MASS_FROM", "BODY_MASS_ABOVE"), percent, findrisc_is_wrong) == []
    assert survivors(module, ("ADULT",), by(1), young(patient, UNTESTED)) == []


def test_findrisc_leaves_family_and_habits_open(scores: Scores, patient: Build, estimates: Run) -> None:
    """A listed family history does not say how close the relative is."""
    model = scores["findrisc"].model
    (open_,) = estimates(model, patient(model, UNTESTED, faults={c.FAMILY_DIABETES: Reason.NO_LIST}))
    assert (open_.value, open_.high) == (2, 7)
    (listed,) = estimates(model, patient(model, UNTESTED | {c.FAMILY_DIABETES: True}))
    assert (listed.value, listed.high) == (2 + 3, 2 + 5)
    faults = dict.fromkeys((c.PHYSICALLY_ACTIVE, c.VEGETABLES_DAILY, c.WAIST), Reason.ABSENT)
    (habits,) = estimates(model, patient(model, UNTESTED, faults=faults))
    assert (habits.value, habits.high) == (2, 2 + 2 + 1 + 4)


def test_findrisc_is_for_adults_without_diabetes(scores: Scores, patient: Build, refusal: Refuse) -> None:
    """Who has diabetes needs no risk test; in pregnancy there are others; without a list nobody knows."""
    module = scores["findrisc"]
    assert refusal(module.model, patient(module.model, UNTESTED | {c.DIABETES: True})).reason == module.KNOWN
    assert refusal(module.model, patient(module.model, UNTESTED | {c.PREGNANCY: True})).reason == module.PREGNANT
    unknown = patient(module.model, UNTESTED, faults={c.DIABETES: Reason.NO_LIST})
    assert refusal(module.model, unknown).refusal is Refusal.NOT_APPLICABLE
    sexless = patient(module.model, UNTESTED, faults={c.SEX: Reason.ABSENT})
    assert refusal(module.model, sexless).refusal is Refusal.INPUT


@pytest.mark.parametrize("name", ["khorana", "wells_dvt", "wells_pe", "findrisc"])
def test_a_null_input_gives_no_number(scores: Scores, name: str) -> None:
    """A vector case with a null expects null."""
    case = {"khorana": KHORANA[0], "wells_dvt": NO_DVT, "wells_pe": NO_PE, "findrisc": FINDRISC[0]}[name]
    for key in case:
        assert set(scores[name].check({**case, key: None}, {}).values()) == {None}
