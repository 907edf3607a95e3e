"""NEWS2 on a patient's values: complete sets, intervals, time, scale 2."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import product
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.features import catalogue
from cds_service.features.feature import FeatureValues, Reason
from cds_service.risk.model import NotEstimated, Refusal, RiskEstimate

Build = Callable[..., FeatureValues]
Run = Callable[..., tuple[RiskEstimate, ...]]
Refuse = Callable[..., NotEstimated]

AGE: dict[Any, Any] = {catalogue.AGE: 70.0}
WELL: dict[Any, Any] = AGE | {
    catalogue.RESPIRATORY_RATE_ACUTE: 16.0,
    catalogue.SPO2_ACUTE: 97.0,
    catalogue.SUPPLEMENTAL_OXYGEN: False,
    catalogue.TEMPERATURE_ACUTE: 37.0,
    catalogue.SBP_ACUTE: 120.0,
    catalogue.HEART_RATE_ACUTE: 75.0,
    catalogue.CONSCIOUSNESS: "A",
}
OBSERVED = tuple(f for f in WELL if f is not catalogue.AGE)


@pytest.fixture(scope="module")
def news2(scores: Mapping[str, ModuleType]) -> ModuleType:
    return scores["news2"]


def without(*features: Any) -> dict[Any, Any]:
    return {f: v for f, v in WELL.items() if f not in features}


def test_a_complete_set_gives_one_total_and_a_band(news2: ModuleType, patient: Build, estimates: Run) -> None:
    """Seven observations: a number, no interval, seven contributions, and the time of observation."""
    (found,) = estimates(news2.model, patient(news2.model, WELL | {catalogue.CONSCIOUSNESS: "C"}))
    assert (found.value, found.high, found.band.id) == (3.0, None, "low-medium")
    assert [(c.features[0], c.amount) for c in found.explanation.contributions if c.amount] == [("consciousness", 3.0)]
    assert str(found.explanation.contributions[-1].value) == "new confusion"
    assert [str(note) for note in found.notes] == ["Observations taken at 2 Oct 2026 12:00 UTC."]
    assert found.not_measured == ()


@pytest.mark.parametrize("missing", OBSERVED, ids=lambda f: f.id)
def test_one_missing_observation_gives_an_interval_and_never_low(
    news2: ModuleType, patient: Build, estimates: Run, missing: Any
) -> None:
    """A well patient with an observation missing may have up to three points more (oxygen two)."""
    (found,) = estimates(news2.model, patient(news2.model, without(missing)))
    assert (found.value, found.high) == (0.0, 2.0 if missing is catalogue.SUPPLEMENTAL_OXYGEN else 3.0)
    assert found.band.id == "undetermined"
    assert [u.feature for u in found.not_measured] == [missing]
    blank = [c for c in found.explanation.contributions if c.value is None]
    assert [(c.features, c.amount) for c in blank] == [((missing.id,), 0.0)]
    assert "least possible total" in str(found.explanation.baseline_words)


def test_missing_consciousness_is_not_alert_and_missing_oxygen_is_not_air(
    news2: ModuleType, patient: Build, estimates: Run
) -> None:
    """What was not recorded is not assumed."""
    values = patient(news2.model, without(catalogue.CONSCIOUSNESS, catalogue.SUPPLEMENTAL_OXYGEN))
    (found,) = estimates(news2.model, values)
    assert (found.value, found.high) == (0.0, 5.0)


@pytest.mark.parametrize(
    ("given_values", "low", "high", "band"),
    [
        ({catalogue.RESPIRATORY_RATE_ACUTE: 25.0}, 3, 20, "low-medium"),
        ({catalogue.RESPIRATORY_RATE_ACUTE: 24.0}, 2, 19, "undetermined"),
        ({catalogue.RESPIRATORY_RATE_ACUTE: 24.0, catalogue.HEART_RATE_ACUTE: 120.0}, 4, 18, "undetermined"),
        ({catalogue.RESPIRATORY_RATE_ACUTE: 24.0, catalogue.HEART_RATE_ACUTE: 131.0}, 5, 19, "medium"),
        ({catalogue.RESPIRATORY_RATE_ACUTE: 25.0, catalogue.HEART_RATE_ACUTE: 131.0}, 6, 20, "medium"),
        (
            {
                catalogue.RESPIRATORY_RATE_ACUTE: 25.0,
                catalogue.HEART_RATE_ACUTE: 131.0,
                catalogue.SBP_ACUTE: 105.0,
            },
            7,
            18,
            "high",
        ),
    ],
)
def test_it_acts_on_the_highest_threshold_that_the_lower_bound_reaches(
    news2: ModuleType,
    patient: Build,
    estimates: Run,
    given_values: dict[Any, Any],
    low: int,
    high: int,
    band: str,
) -> None:
    """An observed 3 acts, five and seven act, and nothing else is called low while observations are missing."""
    (found,) = estimates(news2.model, patient(news2.model, AGE | given_values))
    assert (found.value, found.high, found.band.id) == (low, high, band)


CHOICES = {
    "rr": (8, 10, 16, 22, 30),
    "spo2": (80, 84, 86, 90, 93, 95, 98),
    "o2": (False, True),
    "temp": (34.5, 35.5, 37.0, 38.5, 40.0),
    "sbp": (80, 95, 105, 150, 230),
    "hr": (35, 45, 75, 100, 120, 150),
    "acvpu": ("A", "C"),
}


@given(
    st.fixed_dictionaries({name: st.sampled_from(values) for name, values in CHOICES.items()}),
    st.sets(st.sampled_from(sorted(CHOICES)), min_size=1, max_size=2),
    st.booleans(),
)
def test_the_interval_holds_exactly_the_possible_totals(
    news2: ModuleType, full: dict[str, Any], missing: set[str], scale_2: bool
) -> None:
    """Both bounds are reached by some completion of the set, and none lies outside."""
    observed = {name: value for name, value in full.items() if name not in missing}
    interval = news2.score(observed, scale_2)
    completions = product(*(CHOICES[name] for name in sorted(missing)))
    totals = [
        news2.score(observed | dict(zip(sorted(missing), values, strict=True)), scale_2) for values in completions
    ]
    assert all(t.complete and t.low == t.high for t in totals)
    assert (interval.low, interval.high) == (min(t.low for t in totals), max(t.high for t in totals))
    assert interval.low == sum(interval.points.values())


def test_scale_2_is_used_only_if_prescribed(news2: ModuleType, patient: Build, estimates: Run) -> None:
    """88 % on air scores 3, and 0 for a patient with a prescribed target of 88 to 92 %."""
    low = WELL | {catalogue.SPO2_ACUTE: 88.0}
    (scale_1,) = estimates(news2.model, patient(news2.model, low))
    (not_prescribed,) = estimates(news2.model, patient(news2.model, low | {catalogue.SPO2_SCALE_2: False}))
    (scale_2,) = estimates(news2.model, patient(news2.model, low | {catalogue.SPO2_SCALE_2: True}))
    assert (scale_1.value, not_prescribed.value, scale_2.value) == (3.0, 3.0, 0.0)
    assert news2.SCALE_2_NOTE in scale_2.notes
    assert news2.SCALE_2_NOTE not in not_prescribed.notes
    assert catalogue.SPO2_SCALE_2 in [value.feature for value in scale_2.inputs]


@pytest.mark.parametrize("condition", [catalogue.COPD, catalogue.HYPERCAPNIA], ids=lambda c: c.id)
def test_with_copd_and_no_target_the_other_scale_is_told_and_not_used(
    news2: ModuleType, patient: Build, estimates: Run, condition: Any
) -> None:
    """A clinician who meant scale 2 sees what it would give; without a difference there is nothing to say."""
    low = WELL | {catalogue.SPO2_ACUTE: 90.0, condition: True}
    (found,) = estimates(news2.model, patient(news2.model, low))
    assert found.value == 3.0
    (note,) = [str(n) for n in found.notes if "scale 2" in str(n)]
    assert note.startswith(str(condition.label))
    assert note.endswith("the total would be 0.")
    (same,) = estimates(news2.model, patient(news2.model, WELL | {condition: True}))
    assert not [n for n in same.notes if "scale 2" in str(n)]


def test_on_scale_2_unknown_oxygen_counts_in_saturation_too(news2: ModuleType) -> None:
    """97 % is fine on air and too much on oxygen: 0 to 5 points, and no observed 3."""
    observed = {"rr": 16, "spo2": 97, "temp": 37.0, "sbp": 120, "hr": 75, "acvpu": "A"}
    found = news2.score(observed, True)
    assert (found.low, found.high, found.risk) == (0, 5, "undetermined")


def test_an_observation_older_than_its_set_is_missing(news2: ModuleType, patient: Build, estimates: Run) -> None:
    """A normal respiratory rate of this morning does not reassure about this evening."""
    as_of = patient(news2.model, WELL).as_of
    times = dict.fromkeys(OBSERVED, as_of - timedelta(minutes=10))
    times[catalogue.RESPIRATORY_RATE_ACUTE] = as_of - timedelta(hours=4, minutes=11)
    (found,) = estimates(news2.model, patient(news2.model, WELL, at=times))
    assert (found.value, found.high, found.band.id) == (0.0, 3.0, "undetermined")
    assert found.not_measured[0].reason is Reason.STALE
    assert str(found.not_measured[0].words) == (
        "Respiratory rate of 1 Nov 2026 07:49 UTC is over 4 hours older than the latest observations"
    )
    assert found.effective == as_of - timedelta(minutes=10)


def test_the_score_states_from_when_to_when_it_was_observed(news2: ModuleType, patient: Build, estimates: Run) -> None:
    """The oldest observation of the set dates the score."""
    as_of = patient(news2.model, WELL).as_of
    times = dict.fromkeys(OBSERVED, as_of - timedelta(minutes=10))
    times[catalogue.SBP_ACUTE] = as_of - timedelta(hours=2)
    (found,) = estimates(news2.model, patient(news2.model, WELL, at=times))
    assert found.high is None
    assert found.effective == as_of - timedelta(hours=2)
    assert str(found.notes[0]) == "Observations taken between 1 Nov 2026 10:00 UTC and 1 Nov 2026 11:50 UTC."


def test_an_observation_without_a_time_is_missing(news2: ModuleType, patient: Build, estimates: Run) -> None:
    """What has no time cannot be said to belong to the set."""
    (found,) = estimates(news2.model, patient(news2.model, WELL, at={catalogue.SBP_ACUTE: None}))
    assert [str(u.words) for u in found.not_measured] == ["Systolic blood pressure has no time of observation"]


def test_without_any_observation_there_is_no_score(news2: ModuleType, patient: Build, refusal: Refuse) -> None:
    """No data is no interval: all seven inputs are named."""
    found = refusal(news2.model, patient(news2.model, AGE))
    assert found.refusal is Refusal.INPUT
    assert [u.feature for u in found.unusable] == list(OBSERVED)


def test_a_child_is_not_scored(news2: ModuleType, patient: Build, estimates: Run, refusal: Refuse) -> None:
    """NEWS2 starts at sixteen."""
    found = refusal(news2.model, patient(news2.model, WELL | {catalogue.AGE: 15.99}))
    assert (found.refusal, str(found.reason)) == (
        Refusal.NOT_APPLICABLE,
        "NEWS2 is for age 16 and over; age is 15",
    )
    assert estimates(news2.model, patient(news2.model, WELL | {catalogue.AGE: 16.0}))


def test_pregnancy_is_not_scored(news2: ModuleType, patient: Build, refusal: Refuse) -> None:
    """Pregnancy has its own warning score."""
    found = refusal(news2.model, patient(news2.model, WELL | {catalogue.PREGNANCY: True}))
    assert found.refusal is Refusal.NOT_APPLICABLE


def test_without_age_it_is_given_on_that_condition(news2: ModuleType, patient: Build, estimates: Run) -> None:
    """Age adds no points; that the score may not apply is said, and who comes without papers has an alarm too."""
    ill = WELL | {catalogue.RESPIRATORY_RATE_ACUTE: 30.0}
    (known,) = estimates(news2.model, patient(news2.model, ill))
    (found,) = estimates(news2.model, patient(news2.model, {f: v for f, v in ill.items() if f is not catalogue.AGE}))
    assert (found.value, found.high, found.band) == (known.value, known.high, known.band)
    assert found.notes == (news2.AGE_UNKNOWN, *known.notes)


@pytest.mark.parametrize(
    ("name", "value", "charted"),
    [("temp", 38.04, 38.0), ("temp", 38.06, 38.1), ("rr", 20.4, 20), ("rr", 20.5, 21), ("spo2", 91.6, 92)],
)
def test_values_are_scored_as_they_are_charted(news2: ModuleType, name: str, value: float, charted: float) -> None:
    """A converted value falls into a row of the chart, never between two."""
    assert news2.as_charted(name, value) == charted


def test_a_vector_with_an_observation_missing_has_no_total(news2: ModuleType) -> None:
    """The bare score gives bounds instead of a total."""
    found = news2.check({"rr": 25, "scale2": False}, {})
    assert (found["total"], found["low"], found["high"], found["risk"]) == (None, 3, 20, "low-medium")
    assert found["components"]["sbp"] is None
