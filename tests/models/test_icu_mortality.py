"""The shipped model of death in hospital after 48 hours of intensive care: when it speaks, and exact explanations."""

import csv
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

from cds_service.errors import BadRequest, FeatureMismatch
from cds_service.explain import tree
from cds_service.features import catalogue as c
from cds_service.features import intensive_care
from cds_service.features.aggregate import Aggregate
from cds_service.features.extract import extract
from cds_service.features.feature import Demographic, Derived, Feature, FeatureValues, Quantity, Reason
from cds_service.features.in_stay import DoneInStay
from cds_service.fhir import resources as fhir
from cds_service.fhir.record import PatientRecord
from cds_service.needs import with_inputs
from cds_service.risk.model import NotEstimated, Refusal
from cds_service.risk.trained import TrainedModel

Build = Callable[..., FeatureValues]
FOLDER = Path(__file__).parent.parent.parent / "models" / "icu-mortality"
TYPICAL = {
    "gcs": 14.0, "heart_rate": 85.0, "sbp": 122.0, "dbp": 60.0, "mean_pressure": 80.0, "respiratory_rate": 18.0,
    "spo2": 97.0, "temperature": 37.0, "glucose": 130.0, "bun": 18.0, "creatinine": 0.9, "bicarbonate": 24.0,
    "hematocrit": 31.0, "potassium": 4.1, "magnesium": 2.0, "sodium": 139.0, "platelets": 200.0, "wbc": 10.5,
}  # fmt: skip
COMPUTED = (
    *intensive_care.OXYGENATION, *intensive_care.CHANGES.values(), intensive_care.SHOCK_INDEX,
    intensive_care.BUN_TO_CREATININE, *intensive_care.POINTS,
)  # fmt: skip
ILL = {**TYPICAL, "gcs": 5.0, "heart_rate": 118.0, "bun": 75.0, "creatinine": 3.2, "lactate": 6.0, "bicarbonate": 14.0}


@pytest.fixture(scope="module")
def model(load_model: Callable[[str], ModuleType]) -> TrainedModel:
    found = load_model("icu-mortality/model").model
    assert isinstance(found, TrainedModel)
    return found


def stay(series: Mapping[str, float], age: float = 66.0) -> dict[Feature, Any]:
    """A patient whose values never changed over the 48 hours."""
    measured = {**intensive_care.VITALS, **intensive_care.LABS}
    found: dict[Feature, Any] = {f: value for id_, value in series.items() for f in measured[id_]}
    for feature in COMPUTED:
        values = [found.get(part) for part in feature.inputs]
        lacking = all if feature.partial else any
        value = None if lacking(v is None for v in values) else feature.compute(*values)
        found |= {} if value is None else {feature: value}
    return {c.AGE: age, c.SEX: "male"} | found


def risk(model: TrainedModel, values: FeatureValues) -> float:
    result = model.estimate(values)
    assert isinstance(result, tuple)
    return result[0].value


def test_it_gives_one_outcome_without_a_horizon(model: TrainedModel, patient: Build) -> None:
    """Death in this stay, explained, with what was not measured named."""
    (estimate,) = model.estimate(patient(model, stay(TYPICAL)))
    assert (estimate.outcome, estimate.horizon_years) == ("in_hospital_death", None)
    assert 0.005 < estimate.value < 0.15
    assert estimate.band is not None
    assert estimate.explanation.residual() <= 5e-5
    assert {"lactate_last_48h", "troponin_t_first_48h"} <= {u.feature.id for u in estimate.not_measured}


def test_a_deeply_ill_patient_stands_far_above_a_typical_one(model: TrainedModel, patient: Build) -> None:
    """Coma, kidney failure, acidosis, lactate."""
    assert risk(model, patient(model, stay(ILL))) > 5 * risk(model, patient(model, stay(TYPICAL)))


def test_age_never_lowers_the_estimate(model: TrainedModel, patient: Build) -> None:
    """A monotone constraint."""
    risks = [risk(model, patient(model, stay(TYPICAL, age))) for age in (20, 35, 50, 60, 70, 80, 89)]
    assert risks == sorted(risks)
    assert risks[0] < risks[-1]


@pytest.mark.parametrize("who", [TYPICAL, ILL], ids=["typical", "ill"])
@pytest.mark.parametrize(
    ("id_", "worse"),
    [
        ("gcs", (15.0, 12.0, 9.0, 6.0, 3.0)), ("bun", (15.0, 30.0, 60.0, 100.0)), ("lactate", (1.0, 3.0, 6.0, 12.0)),
        ("bilirubin", (0.5, 2.0, 6.0, 20.0)), ("albumin", (4.0, 3.0, 2.4, 1.8)),
    ],
)  # fmt: skip
def test_values_that_are_worse_throughout_raise_the_estimate(
    model: TrainedModel, patient: Build, id_: str, worse: tuple[float, ...], who: Mapping[str, float]
) -> None:
    """All statistics and what is made of them; no direction is imposed, so half a point may be lost on the way."""
    risks = [risk(model, patient(model, stay({**who, id_: value}))) for value in worse]
    assert np.diff(risks).min() > -0.005
    assert risks[-1] > 1.1 * risks[0]


def test_it_is_silent_until_signed_off(model: TrainedModel) -> None:
    """Every trained model is."""
    assert model.trained


def test_a_child_hears_nothing(model: TrainedModel, patient: Build) -> None:
    """The challenge holds adults."""
    result = model.estimate(patient(model, stay(TYPICAL, age=15.5)))
    assert isinstance(result, NotEstimated)
    assert result.refusal is Refusal.NOT_APPLICABLE


def test_outside_intensive_care_it_does_not_apply(model: TrainedModel, patient: Build) -> None:
    """No line on a card asks for a measurement that belongs to a stay that is not there."""
    outside = {f: Reason.OUTSIDE for f in model.features if isinstance(f, Aggregate)}
    result = model.estimate(patient(model, {c.AGE: 66.0, c.SEX: "male"}, faults=outside))
    assert isinstance(result, NotEstimated)
    assert result.refusal is Refusal.NOT_APPLICABLE


def test_few_measurements_are_too_few(model: TrainedModel, patient: Build) -> None:
    """A heart rate and a blood count tell too little."""
    few = {id_: TYPICAL[id_] for id_ in ("heart_rate", "wbc", "platelets", "hematocrit")}
    result = model.estimate(patient(model, stay(few)))
    assert isinstance(result, NotEstimated)
    assert result.refusal is Refusal.INPUT


@settings(deadline=None, max_examples=examples(25))
@given(data=st.data())
def test_for_any_patient_the_explanation_adds_up(model: TrainedModel, data: st.DataObject) -> None:
    """Random values and gaps, beyond the training range too; within 5e-5 on the calibrated log-odds."""
    row = [
        data.draw(st.one_of(st.just(np.nan), st.floats(i.training.lowest - 5, i.training.highest * 1.5)))
        for i in model.manifest.inputs
    ]
    found = tree.attribute(model.margin.booster, np.array([row], dtype=np.float32), model.margin.tables)
    slope = model.calibration.slope
    baseline = float(model.calibration.log_odds("in_hospital_death", found.expected))
    output = float(model.calibration.log_odds("in_hospital_death", found.margins[0]))
    assert abs(baseline + slope * float(found.phi[0].sum()) - output) <= 5e-5


def test_the_leaf_tables_serve_it(model: TrainedModel) -> None:
    """Without them an explanation costs ten times as much."""
    assert model.margin.tables is not None


def bundle(hours: float) -> PatientRecord:
    """A record of a patient who came to intensive care so many hours ago, measured every four hours."""
    now = datetime(2026, 11, 1, 12, tzinfo=UTC)
    begun = now - timedelta(hours=hours)
    subject = {"reference": "Patient/p1"}
    rows: list[dict[str, Any]] = [
        {"resourceType": "Patient", "id": "p1", "gender": "male", "birthDate": "1958-02-03"},
        {
            "resourceType": "Encounter",
            "id": "icu",
            "status": "in-progress",
            "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"},
            "type": [{"coding": [{"system": "http://snomed.info/sct", "code": "305351004"}]}],
            "subject": subject,
            "period": {"start": begun.isoformat()},
        },
    ]
    measured = {**intensive_care.VITALS, **intensive_care.LABS}
    for id_, value in TYPICAL.items():
        quantity: Quantity = measured[id_][0].of
        rows += [
            {
                "resourceType": "Observation",
                "id": f"{id_}-{hour}",
                "status": "final",
                "code": {"coding": [{"system": "http://loinc.org", "code": quantity.codes[0]}]},
                "subject": subject,
                "effectiveDateTime": (begun + timedelta(hours=hour)).isoformat(),
                "valueQuantity": {"value": value, "unit": quantity.unit, "code": quantity.unit},
            }
            for hour in range(1, int(hours), 4)
        ]
    read = [msgspec.convert(row, fhir.AnyResource) for row in rows]
    return PatientRecord.from_resources(read, [None] * len(read), "p1", now, listed=frozenset())


def test_it_runs_on_a_patient_record(model: TrainedModel, patient: Build) -> None:
    """The same number from FHIR as from the values themselves; the estimate cites what it rests on."""
    (estimate,) = model.estimate(extract(bundle(60), with_inputs(model.features)))
    assert estimate.value == pytest.approx(risk(model, patient(model, stay(TYPICAL, age=68.7))), abs=1e-9)
    cited = {source for contribution in estimate.explanation.contributions for source in contribution.sources}
    assert "Observation/gcs-1" in cited
    assert not any(source.endswith(("-49", "-53", "-57")) for source in cited)


def test_before_48_hours_are_over_it_does_not_apply(model: TrainedModel) -> None:
    """What it was trained on does not exist yet."""
    result = model.estimate(extract(bundle(40), with_inputs(model.features)))
    assert isinstance(result, NotEstimated)
    assert result.refusal is Refusal.NOT_APPLICABLE


def write_rows(model: TrainedModel, path: Path, change: Mapping[str, str] | None = None) -> Path:
    """Two rows in the source's columns: a patient at the median of everything, and one of whom nothing was measured."""
    made = {name for one in model.made for name in one.names}
    columns = {i.column.name: i for i in model.manifest.inputs if i.column is not None and i.column.name not in made}
    further = [name for one in model.made for name in one.sources]
    middle = {name: f"{i.training.p50 / (i.column.factor if i.column else 1):g}" for name, i in columns.items()}
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["recordid", *columns, *further, "SAPS-I"])
        writer.writeheader()
        writer.writerow({"recordid": "7", **middle, "SAPS-I": "12"} | dict(change or {}))
        writer.writerow({"recordid": "8", "Age": "70", "Gender": "1"})
    return path


def test_a_table_in_the_source_columns_is_scored(model: TrainedModel, tmp_path: Path) -> None:
    """The row's id first; empty where it refuses; the unrestricted column always filled."""
    found = model.predict_table(write_rows(model, tmp_path / "rows.csv"))
    assert found.header == ("recordid", "in_hospital_death", "in_hospital_death_unrestricted")
    (id_, told, free), (other, refused, any_) = found.lines
    assert (id_, other) == ("7", "8")
    assert told == free
    assert isinstance(told, float)
    assert 0.0 < told < 0.5
    assert refused is None
    assert isinstance(any_, float)


def test_what_cannot_be_is_reported_and_nothing_is_computed(model: TrainedModel, tmp_path: Path) -> None:
    """By line and column."""
    with pytest.raises(BadRequest, match="column GCS_last"):
        model.predict_table(write_rows(model, tmp_path / "rows.csv", {"GCS_last": "16"}))
    rows = write_rows(model, tmp_path / "rows.csv")
    rows.write_text(rows.read_text().replace("GCS_last", "Coma_last"))
    with pytest.raises(FeatureMismatch, match="GCS_last"):
        model.predict_table(rows)


def test_every_code_in_the_manifest_is_still_read_from_records(model: TrainedModel) -> None:
    """A catalogue that drops a code would change what the model sees without a word."""
    for declared, feature in zip(model.manifest.inputs, model.features, strict=True):
        codes = set(feature.of.codes) if isinstance(feature, Aggregate) else set()
        assert set(declared.codes) == codes, declared.id
        assert isinstance(feature, Demographic | Derived | DoneInStay) or declared.unit


def test_what_tells_of_the_outcome_is_no_input(model: TrainedModel) -> None:
    """Length of stay, survival, other scores, the column that is no urine volume."""
    columns = {i.column.name for i in model.manifest.inputs if i.column is not None}
    unused = set(model.manifest.table.unused)
    never = {"SAPS-I", "SOFA", "Length_of_stay", "Survival", "In-hospital_death", "UrineOutputSum"}
    assert never <= unused
    assert not columns & unused


def test_the_card_belongs_to_the_weights(model: TrainedModel) -> None:
    """Card, manifest and weights come from one run of the recipe."""
    assert model.manifest.sha256 in (FOLDER / "card.md").read_text()
    for image in ("calibration.svg", "beeswarm.svg"):
        assert (FOLDER / image).read_text().startswith("<?xml")
