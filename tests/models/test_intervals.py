"""Whatever inputs go missing, the interval of possible totals holds the total that they would have given."""

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.features import catalogue as c
from cds_service.features.feature import (
    ConditionFeature,
    FeatureValues,
    MedicationFeature,
    Reason,
)
from cds_service.features.operations import Surgery
from cds_service.features.recent import Recent
from cds_service.risk.model import NotEstimated, PublishedScore, RiskEstimate

Build = Callable[..., FeatureValues]
YES_NO = (ConditionFeature, MedicationFeature, Recent, Surgery)
RANGES: Mapping[Any, tuple[float, float]] = {
    c.STAY_DAYS: (0, 30),
    c.EMERGENCY_VISITS: (0, 6),
    c.ADMISSIONS_YEAR: (0, 8),
    c.CREATININE: (0.5, 6.0),
    c.HEMOGLOBIN_STAY: (7, 16),
    c.SODIUM_STAY: (120, 145),
    c.BMI: (17, 45),
    c.WAIST: (60, 130),
    c.PLATELETS: (20, 600),
    c.HEMOGLOBIN: (7, 16),
    c.WBC: (2, 30),
    c.HEART_RATE_ACUTE: (50, 140),
}
# What gates a score, and so is given and never missing.
GATES: Mapping[str, Mapping[Any, Any]] = {
    "lace": {c.AGE: 70.0},
    "hospital_score": {c.AGE: 70.0},
    "padua": {c.AGE: 71.0, c.PREGNANCY: False},
    "khorana": {c.AGE: 60.0, c.CANCER: True, c.ANTINEOPLASTIC: False, c.BLOOD_CANCER: False},
    "wells_dvt": {c.AGE: 60.0, c.SUSPECTED_DVT: True, c.PREGNANCY: False},
    "wells_pe": {c.AGE: 60.0, c.SUSPECTED_PE: True, c.PREGNANCY: False},
    "findrisc": {c.AGE: 50.0, c.SEX: "male", c.DIABETES: False, c.PREGNANCY: False},
}
KEPT = (c.STAY_DAYS,)  # without it LACE and HOSPITAL have no stay to speak of


def span(model: PublishedScore, values: FeatureValues) -> tuple[float, float, RiskEstimate]:
    result = model.estimate(values)
    assert not isinstance(result, NotEstimated), str(result.reason)
    (found,) = result
    assert found.explanation.residual() <= 1e-9
    return found.value, found.value if found.high is None else found.high, found


@pytest.mark.parametrize("name", GATES)
@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data())
def test_an_interval_holds_what_the_missing_inputs_would_have_given(
    scores: Mapping[str, ModuleType], patient: Build, name: str, data: st.DataObject
) -> None:
    """With fewer inputs the interval only grows; a band that it has is the band of the whole."""
    model = scores[name].model
    person: dict[Any, Any] = {}
    for feature in model.features:
        if feature in RANGES:
            person[feature] = data.draw(st.floats(*RANGES[feature]).map(lambda x: round(x, 1)))
        elif isinstance(feature, YES_NO) or feature not in GATES[name]:
            person[feature] = data.draw(st.booleans())
    person |= GATES[name]
    if c.STAY_DAYS in person:
        person[c.STAY_DAYS] = float(int(person[c.STAY_DAYS]))
    droppable = [f for f in person if f not in GATES[name] and f not in KEPT]
    lost = data.draw(st.lists(st.sampled_from(droppable), unique=True))
    low, high, whole = span(model, patient(model, person))
    fewer = {f: value for f, value in person.items() if f not in lost}
    least, most, part = span(model, patient(model, fewer, faults=dict.fromkeys(lost, Reason.NO_LIST)))
    assert least <= low
    assert high <= most
    if part.band is not None and whole.band is not None and "undetermined" not in (part.band.id, whole.band.id):
        assert part.band.id == whole.band.id
