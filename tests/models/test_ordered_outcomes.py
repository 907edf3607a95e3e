"""The shipped models of serious illness and of readmission: order of outcomes, exact explanations, who is refused."""

from collections.abc import Callable
from types import ModuleType

import numpy as np
import pytest

from cds_service.features import discharge
from cds_service.features.feature import FeatureValues
from cds_service.risk.model import NotEstimated, Refusal
from cds_service.risk.readmission import FEATURES
from cds_service.risk.trained import TrainedModel

Build = Callable[..., FeatureValues]


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
    hospital, half_year = illness.log_odds(rows).values()
    assert np.all(hospital <= half_year)
    assert np.any(hospital < half_year)


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
