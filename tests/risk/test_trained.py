"""Trained models: checked at load, explained exactly, silent outside their limits."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cds_service.errors import FeatureMismatch, PluginError
from cds_service.features import catalogue as c
from cds_service.features.feature import Feature, FeatureValue, FeatureValues, Reason, Unusable
from cds_service.language import msg
from cds_service.risk.manifest import Calibrated
from cds_service.risk.model import NotEstimated, Refusal
from cds_service.risk.trained import TrainedModel

AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
PERSON: dict[Feature, Any] = {c.AGE: 67.8, c.SEX: "male", c.CREATININE: 1.3, c.EGFR: 60.0, c.CRP: 3.0, c.ALBUMIN: 4.0}


def patient(model: TrainedModel, given: dict[Feature, Any]) -> FeatureValues:
    entries: dict[str, FeatureValue | Unusable] = {}
    for feature in model.features:
        if feature in given:
            time = None if feature in {c.AGE, c.SEX} else datetime(2026, 10, 1, tzinfo=UTC)
            entries[feature.id] = FeatureValue(feature, given[feature], time, (f"Observation/{feature.id}",))
        else:
            entries[feature.id] = Unusable(feature, Reason.ABSENT, msg("{label} is not on record", label=feature.label))
    return FeatureValues(AS_OF, entries)


def without(*features: Feature) -> dict[Feature, Any]:
    return {feature: value for feature, value in PERSON.items() if feature not in features}


def test_both_horizons_come_explained_and_add_up(tiny: TrainedModel) -> None:
    """Baseline plus contributions is the independently computed log-odds; five years is below ten."""
    five, ten = tiny.estimate(patient(tiny, PERSON))
    assert (five.horizon_years, ten.horizon_years) == (5, 10)
    assert 0 < five.value < ten.value < 1
    for estimate in (five, ten):
        assert estimate.explanation.residual() <= 5e-5
        assert estimate.effective == datetime(2026, 10, 1, tzinfo=UTC)
        assert estimate.not_measured == ()


def test_a_record_and_a_row_of_the_table_get_the_same_number(tiny: TrainedModel, tmp_path: Path) -> None:
    """One code path from value to matrix: 0.3 mg/dL of CRP in the table is 3 mg/L on record."""
    egfr = c.EGFR.compute(1.3, 67.8, "male")
    five, ten = tiny.estimate(patient(tiny, {**PERSON, c.EGFR: egfr}))
    path = tmp_path / "rows.csv"
    path.write_text("id,age,gender,creat,crp,alb\np,67,1,1.3,0.3,4\n")
    ((_, table_five, _, table_ten, _),) = tiny.predict_table(path).lines
    assert (table_five, table_ten) == (five.value, ten.value)


def test_what_is_not_measured_is_listed_and_one_contribution(tiny: TrainedModel) -> None:
    """Derived inputs are not named beside what they are derived from."""
    (five, _) = tiny.estimate(patient(tiny, without(c.CRP)))
    assert [u.feature.id for u in five.not_measured] == ["crp"]
    absent = [x for x in five.explanation.contributions if x.value is None]
    assert [x.features for x in absent] == [("crp",)]
    assert five.explanation.residual() <= 5e-5


def test_correlated_inputs_are_one_contribution(tiny: TrainedModel) -> None:
    """Creatinine and eGFR are shown together with both values."""
    (five, _) = tiny.estimate(patient(tiny, PERSON))
    (kidney,) = [x for x in five.explanation.contributions if "creatinine" in x.features]
    assert kidney.features == ("creatinine", "egfr")
    assert "1.30 mg/dL" in str(kidney.value)
    assert "60 mL/min" in str(kidney.value)
    assert kidney.sources == ("Observation/creatinine", "Observation/egfr")


@pytest.mark.parametrize(("age", "speaks"), [(49.99, False), (50.0, True), (79.99, True), (80.0, False)])
def test_the_model_speaks_from_the_fiftieth_birthday_to_the_eve_of_the_eightieth(
    tiny: TrainedModel, age: float, speaks: bool
) -> None:
    """Outside, it does not apply; nothing is clipped into range."""
    result = tiny.estimate(patient(tiny, {**PERSON, c.AGE: age}))
    assert isinstance(result, tuple) is speaks
    if isinstance(result, NotEstimated):
        assert result.refusal is Refusal.NOT_APPLICABLE


@pytest.mark.parametrize("needed", [c.AGE, c.SEX, c.CREATININE])
def test_a_required_input_that_is_missing_is_named(tiny: TrainedModel, needed: Feature) -> None:
    """The reason can be mended, so it goes to the card."""
    result = tiny.estimate(patient(tiny, without(needed)))
    assert isinstance(result, NotEstimated)
    assert result.refusal is Refusal.INPUT
    assert [u.feature for u in result.unusable] == [needed]


def test_too_few_measurements_are_refused_with_what_is_missing(tiny: TrainedModel) -> None:
    """Creatinine alone is one of three measurements; two are needed."""
    result = tiny.estimate(patient(tiny, without(c.CRP, c.ALBUMIN, c.EGFR)))
    assert isinstance(result, NotEstimated)
    assert result.refusal is Refusal.INPUT
    assert [u.feature.id for u in result.unusable] == ["crp", "albumin"]
    assert "1 of its 3 measurements" in str(result.reason)


def test_a_value_beyond_the_training_data_is_noted(tiny: TrainedModel) -> None:
    """Trees cannot extrapolate; the reader is told."""
    (five, _) = tiny.estimate(patient(tiny, {**PERSON, c.CRP: 250.0}))
    (note,) = five.notes
    assert "C-reactive protein 250.0 mg/L lies beyond the training data" in str(note)


def test_changed_weights_stop_the_start(tiny: TrainedModel, tools: Any) -> None:
    """The message names the file."""
    path = tiny.folder / "weights.ubj"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(PluginError, match=r"weights\.ubj: these are not the weights"):
        tools.load(tiny.folder)


@pytest.mark.parametrize("name", ["weights.ubj", "manifest.json"])
def test_a_missing_file_stops_the_start(tiny: TrainedModel, tools: Any, name: str) -> None:
    """The message names the file and what to do."""
    (tiny.folder / name).unlink()
    with pytest.raises(PluginError, match=name):
        tools.load(tiny.folder)


def test_a_manifest_that_is_not_one_stops_the_start(tiny: TrainedModel, tools: Any) -> None:
    """Unknown keys count: a misspelt one would be ignored otherwise."""
    path = tiny.folder / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b'"outcome"', b'"out_come"'))
    with pytest.raises(PluginError, match="is not a manifest"):
        tools.load(tiny.folder)


def test_features_must_be_those_that_the_weights_were_trained_on(tiny: TrainedModel, tools: Any) -> None:
    """Order counts, and so does the unit."""
    swapped = (*tools.features[:-2], tools.features[-1], tools.features[-2])
    with pytest.raises(PluginError, match="their order"):
        tools.load(tiny.folder, features=swapped)
    with pytest.raises(PluginError, match="bun"):
        tools.load(tiny.folder, features=(*tools.features[:-1], c.BUN))
    other_unit = msgspec.structs.replace(tools.inputs[4], unit="mg/dL")
    tools.write(tiny.folder, inputs=(*tools.inputs[:4], other_unit, tools.inputs[5]))
    with pytest.raises(PluginError, match="crp in mg"):
        tools.load(tiny.folder)


def test_groups_must_be_those_of_the_manifest(tiny: TrainedModel, tools: Any) -> None:
    """The card's grouping and the model's may not drift apart."""
    with pytest.raises(PluginError, match="groups"):
        tools.load(tiny.folder, groups=())


def test_a_calibration_that_breaks_the_order_of_horizons_stops_the_start(tiny: TrainedModel, tools: Any) -> None:
    """P(5 years) above P(10 years) cannot be loaded."""
    tools.write(tiny.folder, calibration=Calibrated(0.9, {"5": -1.0, "10": -2.0}, "generated people"))
    with pytest.raises(PluginError, match="calibration"):
        tools.load(tiny.folder)


def test_horizons_with_slopes_of_their_own_are_each_explained_on_their_own_scale(
    tiny: TrainedModel, tools: Any
) -> None:
    """Contributions add up at each horizon, and are those of its slope."""
    tools.write(tiny.folder, calibration=Calibrated(0.9, {"5": -3.0, "10": -1.0}, "generated people", {"5": 0.8}))
    model = tools.load(tiny.folder)
    shorter, longer = model.estimate(patient(model, PERSON))
    assert shorter.value < longer.value
    for one in (shorter, longer):
        assert one.explanation.residual() <= 5e-5
    for five, ten in zip(shorter.explanation.contributions, longer.explanation.contributions, strict=True):
        assert five.amount / 0.8 == pytest.approx(ten.amount / 0.9)


def test_horizons_that_cross_within_what_the_trees_can_give_stop_the_start(tiny: TrainedModel, tools: Any) -> None:
    """Some patient would have a ten-year risk below the five-year risk; the message says so in these words."""
    tools.write(tiny.folder, calibration=Calibrated(0.9, {"5": -2.0, "10": -1.9}, "generated people", {"5": 2.5}))
    with pytest.raises(PluginError, match=r"the risk of 10 years would fall below that of 5 years for some patients"):
        tools.load(tiny.folder)


def test_a_matrix_of_another_width_is_refused(tiny: TrainedModel) -> None:
    """XGBoost would read beyond it or complain in C++."""
    import numpy as np

    with pytest.raises(FeatureMismatch, match="takes 6 inputs"):
        tiny.margin.of_rows(np.zeros((2, 5), dtype=np.float32))
