"""The shipped models of serious illness and of readmission: order of outcomes, exact explanations, who is refused."""

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from cds_service.features import discharge
from cds_service.features import serious_illness as s
from cds_service.features.feature import FeatureValues
from cds_service.risk.model import NotEstimated, Refusal
from cds_service.risk.narrower import in_force, in_order
from cds_service.risk.readmission import FEATURES
from cds_service.risk.trained import TrainedModel

Build = Callable[..., FeatureValues]
ROUNDING = 1e-5  # of margins in float32


@pytest.fixture(scope="module")
def illness(load_model: Callable[[str], ModuleType]) -> TrainedModel:
    found = load_model("serious-illness/model").model
    assert isinstance(found, TrainedModel)
    return found


def test_death_in_hospital_never_exceeds_death_within_180_days(illness: TrainedModel) -> None:
    """By construction, for any values and gaps."""
    g = np.random.default_rng(3)
    inputs = illness.manifest.inputs
    rows = np.array(
        [[g.uniform(i.training.lowest, i.training.highest) for i in inputs] for _ in range(500)], dtype=np.float32
    )
    rows[g.random(rows.shape) < 0.3] = np.nan
    hospital, half_year = illness.rows.log_odds(rows).values()
    assert np.all(hospital <= half_year)
    assert np.any(hospital < half_year)


def test_where_the_wider_outcome_stands_for_both_the_card_is_told(illness: TrainedModel, patient: Build) -> None:
    """Patients of whom the trees of death in hospital say more than those of 180 days: one number, said to be so."""
    inputs, g = illness.manifest.inputs, np.random.default_rng(3)
    drawn = [[g.uniform(i.training.p01, i.training.p99) for i in inputs] for _ in range(2000)]
    rows = np.array(drawn, dtype=np.float32)
    for place, declared in enumerate(inputs):
        if declared.answers:
            rows[:, place] = g.choice(list(declared.answers.values()), len(rows))
        if declared.whole:
            rows[:, place] = np.floor(rows[:, place])
    hospital, half_year = illness.rows.log_odds(rows).values()
    same = hospital == half_year
    for row in [*rows[same][:3], *rows[~same][:3]]:
        words = [{number: word for word, number in i.answers.items()} for i in inputs]
        given = {f: w.get(x, x) for f, w, x in zip(illness.inputs, words, row.tolist(), strict=True)}
        result = illness.estimate(patient(illness, given))
        assert isinstance(result, tuple)
        of_stay, of_half_year = result
        told = "Taken from death within 180 days, which includes it" in [str(note) for note in of_stay.notes]
        assert told == (of_stay.value == of_half_year.value)
        assert "Taken from" not in " ".join(str(note) for note in of_half_year.notes)
        assert max(one.explanation.residual() for one in result) <= 5e-5
    assert 0 < same.sum() < len(rows)


def test_each_of_three_outcomes_is_below_all_that_include_it() -> None:
    """Also where only the middle one stands in the way; a tie is an outcome's own."""
    own = [np.array([0.5, -3.0, 1.0, 0.0]), np.array([-1.0, 2.0, 3.0, 0.0]), np.array([1.0, 1.0, -2.0, 0.0])]
    assert in_force(own).tolist() == [[1, 0, 2, 0], [1, 2, 2, 1], [2, 2, 2, 2]]
    assert in_order(own).tolist() == [[-1.0, -3.0, -2.0, 0.0], [-1.0, 1.0, -2.0, 0.0], [1.0, 1.0, -2.0, 0.0]]


DIRECTIONS = {
    "age": 1, s.COMORBIDITIES.id: 1, s.CREATININE.id: 1, s.BUN.id: 1, s.BILIRUBIN.id: 1, s.POINTS.id: 1,
    s.GCS.id: -1, s.ALBUMIN.id: -1, s.OXYGENATION.id: -1,
}  # fmt: skip
# Where the points of these rise in the same direction: below 0.5 mg/dL a creatinine, and from 4.5 g/dL an albumin, has
# points of its own in APACHE III.
RISING = {s.CREATININE.id: (0.5, 12.0), s.ALBUMIN.id: (0.8, 4.4), s.BUN.id: (3.0, 150.0),
          s.BILIRUBIN.id: (0.1, 40.0), s.OXYGENATION.id: (40.0, 600.0)}  # fmt: skip


def steps(illness: TrainedModel, id_: str, low: float, high: float, again: bool) -> tuple[np.ndarray, ...]:
    """Estimates of 150 patients at each of ten values of one input; shape (150, 10) for each outcome.

    again: whether the points of acute physiology are computed anew from what the patient then has.
    """
    g, inputs = np.random.default_rng(5), illness.manifest.inputs
    place = {declared.id: position for position, declared in enumerate(inputs)}
    ranges = [(i.training.p01, i.training.p99) for i in inputs]
    rows = np.array([[g.uniform(*ends) for ends in ranges] for _ in range(150)], dtype=np.float32)
    rows[g.random(rows.shape) < 0.3] = np.nan
    rows = np.repeat(rows, 10, axis=0)
    rows[:, place[id_]] = np.tile(np.linspace(low, high, 10), 150)
    if again:
        parts = [rows[:, place[part.id]].astype(str).astype(float) for part in s.POINTS.inputs]
        for row, values in enumerate(zip(*parts, strict=True)):
            rows[row, place[s.POINTS.id]] = s.POINTS.compute(*(None if np.isnan(x) else x for x in values))
    return tuple(found.reshape(150, 10) for found in illness.rows.log_odds(rows).values())


def test_the_directions_that_medicine_knows_are_imposed(illness: TrainedModel) -> None:
    """They stand in the manifest, for the card and for whoever reads it."""
    assert {i.id: i.monotone for i in illness.manifest.inputs if i.monotone} == DIRECTIONS


@pytest.mark.parametrize("id_", DIRECTIONS)
def test_all_else_equal_a_worse_value_never_lowers_an_estimate(illness: TrainedModel, id_: str) -> None:
    """Over the whole range of the training data and beyond, whatever else was measured."""
    learnt = next(i.training for i in illness.manifest.inputs if i.id == id_)
    for estimates in steps(illness, id_, learnt.lowest, learnt.highest, again=False):
        risen = DIRECTIONS[id_] * np.diff(estimates, axis=1)
        assert risen.min() >= -ROUNDING
        assert risen.max() > 0.01


@pytest.mark.parametrize("id_", RISING)
def test_a_worse_value_never_lowers_an_estimate_by_way_of_the_points(illness: TrainedModel, id_: str) -> None:
    """From the measurement to the estimate: a creatinine that rises takes the points with it."""
    for estimates in steps(illness, id_, *RISING[id_], again=True):
        assert (DIRECTIONS[id_] * np.diff(estimates, axis=1)).min() >= -ROUNDING


@pytest.fixture(scope="module")
def readmission(load_model: Callable[[str], ModuleType]) -> TrainedModel:
    found = load_model("readmission-30d/model").model
    assert isinstance(found, TrainedModel)
    return found


def going_home(goes_to: str) -> dict:
    by_id = {feature.id: feature for feature in FEATURES}
    words = {id_: "no" for id_ in by_id if id_.startswith("dx_")}
    numbers = {"age": 71.0, "sex": "female", "admissions_year": 2.0, "stay_days": 5.0, "disposition": goes_to}
    return {by_id[id_]: value for id_, value in (words | numbers).items()}


def test_earlier_admissions_raise_the_estimate_and_the_explanation_adds_up(
    readmission: TrainedModel, patient: Build
) -> None:
    """A monotone constraint, and exact SHAP on the calibrated log-odds."""
    (once,) = readmission.estimate(patient(readmission, going_home(discharge.HOME)))
    often = going_home(discharge.HOME) | {f: 6.0 for f in FEATURES if f.id == "admissions_year"}
    (more,) = readmission.estimate(patient(readmission, often))
    assert more.value > once.value
    assert once.explanation.residual() <= 5e-5


@pytest.mark.parametrize("goes_to", [discharge.DIED, discharge.HOSPICE])
def test_nobody_is_readmitted_from_hospice_or_after_death(
    readmission: TrainedModel, patient: Build, goes_to: str
) -> None:
    """The model does not apply: no line on a card."""
    result = readmission.estimate(patient(readmission, going_home(goes_to)))
    assert isinstance(result, NotEstimated)
    assert result.refusal is Refusal.NOT_APPLICABLE
