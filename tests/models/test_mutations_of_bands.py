"""The bands of scores and the ages at which they begin to speak, typed a second time: moving any of them is caught."""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import pytest
from mutants import by, survivors

from cds_service.features import catalogue as c
from cds_service.features.feature import FeatureValues
from cds_service.risk.model import NotEstimated

Load = Callable[[str], ModuleType]
Build = Callable[..., FeatureValues]

# Score -> (the value from which a band holds, its id), lowest first.
PRINTED: Mapping[str, tuple[tuple[float, str], ...]] = {
    "cha2ds2_va": ((1, "consider"), (2, "recommended")),
    "child_pugh": ((7, "B"), (10, "C")),
    "ckd_epi_2021": ((15, "G4"), (30, "G3b"), (45, "G3a"), (60, "G2"), (90, "G1")),
    "has_bled": ((3, "high"),),
    "meld_3_0": ((15, "at-least-15"),),
    "pce_2013": ((5.0, "borderline"), (7.5, "intermediate"), (20.0, "high")),
}


@pytest.mark.parametrize("name", PRINTED)
def test_every_threshold_of_a_band_is_held(load_model: Load, name: str) -> None:
    """A band begins at its printed value, and not one unit of rounding below it."""

    def wrong(changed: ModuleType) -> bool:
        return _differs(changed, changed.BANDS, PRINTED[name])

    assert survivors(load_model(name), ("BANDS",), by(1), wrong) == []


def _differs(module: ModuleType, bands: Any, printed: tuple[tuple[float, str], ...]) -> bool:
    below = module.published.band_of(round(printed[0][0] - 0.1, 1), bands).id
    if below in {id_ for _, id_ in printed}:
        return True
    previous = below
    for value, id_ in printed:
        found = [module.published.band_of(v, bands).id for v in (round(value - 0.1, 1), value)]
        if found != [previous, id_]:
            return True
        previous = id_
    return False


BY_HORIZON: Mapping[str, Mapping[Any, tuple[tuple[float, str], ...]]] = {
    # KDIGO 2024; "above 10 %" of a risk printed with one decimal begins at 10.1.
    "kfre": {
        5: ((3.0, "referral"), (5.0, "referral-due")),
        2: ((10.1, "multidisciplinary"), (40.1, "preparation")),
    },
    "prevent": {
        ("total_cvd", 10): ((7.5, "at-least-7.5"),),
        ("ascvd", 10): ((3.0, "borderline"), (5.0, "intermediate"), (10.0, "high")),
    },
}


@pytest.mark.parametrize("name", BY_HORIZON)
def test_every_threshold_by_horizon_is_held(load_model: Load, name: str) -> None:
    """The same for scores with bands of their own for each horizon or outcome."""

    def wrong(changed: ModuleType) -> bool:
        return any(_differs(changed, changed.BANDS[key], printed) for key, printed in BY_HORIZON[name].items())

    assert survivors(load_model(name), ("BANDS",), by(1), wrong) == []


LIVER = {c.BILIRUBIN_QUARTER: 2.0, c.INR: 1.4, c.ALBUMIN_QUARTER: 3.0}
# Score -> (constant, the least age, what else a patient needs for an estimate).
AGES: Mapping[str, tuple[str, int, Mapping[Any, Any]]] = {
    "cha2ds2_va": ("ADULT", 18, {c.ATRIAL_FIBRILLATION: True, c.SEX: "male"}),
    "child_pugh": ("ADULT", 18, {c.CIRRHOSIS: True, **LIVER}),
    "ckd_epi_2021": ("ADULT", 18, {c.SEX: "male", c.CREATININE: 1.0}),
    "cockcroft_gault": ("ADULT", 18, {c.SEX: "male", c.CREATININE: 1.0, c.WEIGHT: 70.0, c.HEIGHT: 175.0}),
    "fib4": ("LOWEST_AGE", 35, {c.AST: 30.0, c.ALT: 30.0, c.PLATELETS: 220.0}),
    "has_bled": ("ADULT", 18, {c.ATRIAL_FIBRILLATION: True, c.SBP: 120.0}),
    "meld_3_0": (
        "ADULT",
        18,
        {c.CHRONIC_LIVER_DISEASE: True, c.CIRRHOSIS: True, c.SEX: "male", c.CREATININE_QUARTER: 1.0,
         c.SODIUM_QUARTER: 138.0, **LIVER},
    ),
    "news2": (
        "YOUNGEST",
        16,
        {c.RESPIRATORY_RATE_ACUTE: 16.0, c.SPO2_ACUTE: 97.0, c.SUPPLEMENTAL_OXYGEN: False, c.TEMPERATURE_ACUTE: 37.0,
         c.SBP_ACUTE: 120.0, c.HEART_RATE_ACUTE: 70.0, c.CONSCIOUSNESS: "A"},
    ),
    "sofa": ("ADULT", 18, {c.INFECTION: True, c.CREATININE_HIGHEST: 1.0}),
}  # fmt: skip


@pytest.mark.parametrize("name", AGES)
def test_the_age_at_which_a_score_begins_is_held(load_model: Load, patient: Build, name: str) -> None:
    """One day before the birthday there is no number, on it there is."""
    constant, age, given = AGES[name]

    def wrong(changed: ModuleType) -> bool:
        model = (
            changed.model
            if hasattr(changed, "model")
            else next(m for m in vars(changed).values() if type(m).__name__ == "PublishedScore")
        )
        results = [model.estimate(patient(model, {**given, c.AGE: years})) for years in (age - 0.1, float(age))]
        return [isinstance(result, NotEstimated) for result in results] != [True, False]

    assert survivors(load_model(name), (constant,), by(1), wrong) == []
