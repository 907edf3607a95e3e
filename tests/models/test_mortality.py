"""The shipped mortality model: what it was trained on, what it takes, and that it explains itself exactly."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

from cds_service.explain import tree
from cds_service.features import catalogue as c
from cds_service.features.feature import Demographic, Feature, FeatureValues, FirstOf, Quantity, Reason
from cds_service.risk.model import NotEstimated, Refusal
from cds_service.risk.trained import TrainedModel

Build = Callable[..., FeatureValues]
FOLDER = Path(__file__).parent.parent.parent / "models" / "mortality"
PERSON: dict[Feature, Any] = {
    c.AGE: 66.5, c.SEX: "female", c.SBP: 138.0, c.DBP: 78.0, c.BMI: 27.5, c.CREATININE: 0.9, c.EGFR: 68.0, c.BUN: 16.0,
    c.ALBUMIN: 4.2, c.ALP: 70.0, c.BILIRUBIN: 0.6, c.GLUCOSE: 104.0, c.HBA1C: 5.9, c.TOTAL_CHOLESTEROL: 205.0,
    c.HDL: 55.0, c.WBC: 7.0, c.RBC: 4.5, c.MCV: 91.0, c.RDW: 13.1,
}  # fmt: skip


@pytest.fixture(scope="module")
def model(load_model: Callable[[str], ModuleType]) -> TrainedModel:
    found = load_model("mortality/model").model
    assert isinstance(found, TrainedModel)
    return found


def ten_years(model: TrainedModel, values: FeatureValues) -> float:
    result = model.estimate(values)
    assert isinstance(result, tuple)
    return result[1].value


def codes(feature: Feature) -> set[str]:
    if isinstance(feature, FirstOf):
        return {code for other in feature.alternatives for code in codes(other)}
    return set(feature.codes) if isinstance(feature, Quantity) else set()


def test_it_speaks_in_words_with_both_horizons(model: TrainedModel, patient: Build) -> None:
    """Five-year risk below ten-year risk, both explained, the unmeasured named."""
    five, ten = model.estimate(patient(model, PERSON))
    assert (five.horizon_years, ten.horizon_years) == (5, 10)
    assert 0.005 < five.value < ten.value < 0.5
    assert ten.band is not None
    assert ten.band.id == "below-half"
    assert {u.feature.id for u in ten.not_measured} >= {"crp", "ggt", "uric_acid", "waist"}
    for estimate in (five, ten):
        assert estimate.explanation.residual() <= 5e-5


def test_it_is_silent_until_signed_off(model: TrainedModel) -> None:
    """Every trained model is."""
    assert model.trained


@pytest.mark.parametrize("age", [49.9, 80.0, 20.0, 95.0])
def test_it_speaks_for_ages_50_to_79_only(model: TrainedModel, patient: Build, age: float) -> None:
    """Everyone else hears nothing."""
    result = model.estimate(patient(model, {**PERSON, c.AGE: age}))
    assert isinstance(result, NotEstimated)
    assert result.refusal is Refusal.NOT_APPLICABLE


@pytest.mark.parametrize(
    "gate",
    [
        "in_hospital",
        "mortality_measured_in_hospital",
        "creatinine_unsteady",
        "crp_acute",
        "dialysis",
        "metastasis",
        "cancer",
        "cirrhosis",
    ],
)
def test_acute_illness_is_not_taken_for_the_years_to_come(model: TrainedModel, patient: Build, gate: str) -> None:
    """Nor does it speak of those it knows nothing of: on dialysis, with cancer, with cirrhosis."""
    feature = next(f for f in model.features if f.id == gate)
    found = model.estimate(patient(model, {**PERSON, feature: True}))
    assert isinstance(found, NotEstimated)
    assert found.refusal is Refusal.NOT_APPLICABLE
    assert isinstance(model.estimate(patient(model, {**PERSON, feature: False})), tuple)


def test_whatever_could_not_be_excluded_is_said(model: TrainedModel, patient: Build) -> None:
    """Without encounters and a problem list the number stands, with a note."""
    unknown = {f: Reason.NO_LIST for f, _ in model.gates if f.id in {"in_hospital", "dialysis"}}
    (five, _) = model.estimate(patient(model, PERSON, faults=unknown))
    assert "Not excluded, for want of data: In hospital now; Dialysis" in [str(note) for note in five.notes]


def test_an_old_creatinine_is_named_as_what_is_missing(model: TrainedModel, patient: Build) -> None:
    """It can be mended by an order, so it goes to the card."""
    given_ = {f: v for f, v in PERSON.items() if f not in {c.CREATININE, c.EGFR}}
    result = model.estimate(patient(model, given_, faults={c.CREATININE: Reason.STALE}))
    assert isinstance(result, NotEstimated)
    assert result.refusal is Refusal.INPUT
    assert [u.feature for u in result.unusable] == [c.CREATININE]


def test_a_basic_metabolic_panel_alone_is_too_little(model: TrainedModel, patient: Build) -> None:
    """At least six measurements; with vital signs beside the panel there are."""
    panel = {f: PERSON[f] for f in (c.AGE, c.SEX, c.CREATININE, c.EGFR, c.BUN, c.GLUCOSE)}
    assert isinstance(model.estimate(patient(model, panel)), NotEstimated)
    vitals = {f: PERSON[f] for f in (c.SBP, c.DBP, c.BMI)}
    assert isinstance(model.estimate(patient(model, {**panel, **vitals})), tuple)


@settings(deadline=None, max_examples=examples(50))
@given(data=st.data())
def test_for_any_patient_the_explanation_adds_up_and_five_years_is_below_ten(
    model: TrainedModel, data: st.DataObject
) -> None:
    """Random values and random gaps, beyond the training range too; within 5e-5 on the log-odds."""
    row = [
        data.draw(st.one_of(st.just(np.nan), st.floats(i.training.lowest - 5, i.training.highest * 1.5)))
        for i in model.manifest.inputs
    ]
    found = tree.attribute(model.margin.booster, np.array([row], dtype=np.float32))
    for horizon in model.calibration.horizons:
        baseline = model.calibration.log_odds(horizon, found.expected)
        output = model.calibration.log_odds(horizon, found.margins[0])
        slope = model.calibration.slope_of(horizon)
        assert abs(float(baseline + slope * found.phi[0].sum() - output)) <= 5e-5
    assert model.calibration.probability(5, found.margins[0]) < model.calibration.probability(10, found.margins[0])


def test_no_patient_can_have_a_margin_at_which_the_lines_of_five_and_ten_years_cross(model: TrainedModel) -> None:
    """At the sum of the lowest leaf of every tree there is nothing below, and there five years is still below ten."""
    trees = json.loads(bytes(model.margin.booster.save_raw("json")))["learner"]["gradient_booster"]["model"]["trees"]
    leaves = [
        [leaf for leaf, left in zip(t["split_conditions"], t["left_children"], strict=True) if left < 0] for t in trees
    ]
    lowest, highest = sum(map(min, leaves)), sum(map(max, leaves))
    assert model.margin.reach() == pytest.approx((lowest, highest), abs=1e-3)
    assert model.calibration.slope_of(5) < model.calibration.slope_of(10)
    for margin in (lowest, highest):
        assert model.calibration.probability(5, margin) < model.calibration.probability(10, margin)


@pytest.mark.parametrize(
    ("feature", "steps"),
    [(c.AGE, (50, 55, 60, 65, 70, 75, 79)), (c.RDW, (11, 12, 13, 14, 15, 17)), (c.CRP, (0.5, 2, 5, 10, 40))],
)
def test_what_medicine_knows_to_be_worse_never_lowers_the_estimate(
    model: TrainedModel, patient: Build, feature: Feature, steps: tuple[float, ...]
) -> None:
    """Monotone constraints: age, red cell distribution width, C-reactive protein."""
    risks = [ten_years(model, patient(model, {**PERSON, feature: float(step)})) for step in steps]
    assert risks == sorted(risks)
    assert risks[0] < risks[-1]


def test_more_albumin_never_raises_the_estimate(model: TrainedModel, patient: Build) -> None:
    """Monotone the other way."""
    risks = [ten_years(model, patient(model, {**PERSON, c.ALBUMIN: x})) for x in (2.5, 3.0, 3.5, 4.0, 4.5)]
    assert risks == sorted(risks, reverse=True)


def test_a_sick_person_stands_far_above_a_healthy_one(model: TrainedModel, patient: Build) -> None:
    """The same age and sex, other values: the reason to have the model."""
    sick = {c.CREATININE: 2.2, c.EGFR: 24.0, c.BUN: 40.0, c.ALBUMIN: 3.1, c.RDW: 16.5, c.CRP: 30.0, c.BMI: 18.0}
    assert ten_years(model, patient(model, {**PERSON, **sick})) > 3 * ten_years(model, patient(model, PERSON))


def test_the_estimate_rests_on_the_oldest_measurement(model: TrainedModel, patient: Build) -> None:
    """The reader sees how old the data are."""
    values = patient(model, PERSON)
    old = values.as_of - timedelta(days=300)
    (five, _) = model.estimate(patient(model, PERSON, at={c.HDL: old}))
    assert five.effective == old


def test_every_code_in_the_manifest_is_still_read_from_records(model: TrainedModel) -> None:
    """A catalogue that drops a code would change what the model sees without a word."""
    for declared, feature in zip(model.manifest.inputs, model.inputs, strict=True):
        assert set(declared.codes) <= codes(feature), declared.id
        assert isinstance(feature, Demographic) or declared.unit


def test_race_income_and_education_are_no_inputs(model: TrainedModel) -> None:
    """Nor is anything that is known only after the outcome."""
    columns = {i.column.name for i in model.manifest.inputs if i.column is not None}
    unused = set(model.manifest.table.unused)
    never = {"race", "ethnicity", "annual_income", "education", "diabetes", "hyperten", "permth_int", "ucod_leading"}
    assert never <= unused
    assert not columns & unused


def test_the_card_belongs_to_the_weights(model: TrainedModel) -> None:
    """Card, manifest and weights come from one run of the recipe."""
    assert model.manifest.sha256 in (FOLDER / "card.md").read_text()
    for image in ("calibration.svg", "beeswarm.svg"):
        assert (FOLDER / image).read_text().startswith("<?xml")
