"""The documented way from a slide's vector to the fused estimate, with every modality missing in turn."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

pytest.importorskip("optuna", reason="needs the train extra")

from cds_service.clock import FixedClock
from cds_service.errors import BadRequest
from cds_service.features import embedding
from cds_service.features.extract import extract
from cds_service.features.feature import Reason, Unusable
from cds_service.fhir import resources as fhir
from cds_service.fhir.record import PatientRecord
from cds_service.pipeline import Pipeline
from cds_service.registry import Registry
from cds_service.risk.fused import FusedModel
from cds_service.risk.model import NotEstimated
from cds_service.settings import Models, Settings
from tests.features import built

PAGE = (Path(__file__).parent.parent.parent / "docs" / "multimodal.md").read_text()
SLIDE, SIDE = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.S))
BLOOD = (built.lab("1751-7", 3.1, "g/dL"), built.lab("1988-5", 12.0, "mg/L"))


@pytest.fixture(scope="module")
def program() -> dict[str, Any]:
    """What the page's program declares."""
    (text,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    names: dict[str, Any] = {"__name__": "documented"}
    exec(compile(text, "docs/multimodal.md", "exec"), names)
    return names


@pytest.fixture(scope="module")
def model(program: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> FusedModel:
    found = program["train"](tmp_path_factory.mktemp("slide-example"))
    assert isinstance(found, FusedModel)
    return found


def record(*rows: dict[str, Any]) -> PatientRecord:
    """As from the wire: members that are kept as JSON need it."""
    read = [msgspec.json.decode(msgspec.json.encode(row), type=fhir.AnyResource) for row in (built.PATIENT, *rows)]
    return PatientRecord.from_resources(read, [None] * len(read), "p1", built.NOW)


def estimate(model: FusedModel, *rows: dict[str, Any]) -> Any:
    return model.estimate(extract(record(*rows), model.features))


@pytest.mark.parametrize(("rows", "there"), [((*BLOOD, SLIDE), {"clinical", "slide"}), (BLOOD, {"clinical"}),
                                             ((SLIDE,), {"slide"})])  # fmt: skip
def test_every_pattern_gives_risks_that_add_up_by_feature_and_modality(
    model: FusedModel, rows: tuple[dict[str, Any], ...], there: set[str]
) -> None:
    """From the Observation that the page shows; what is missing is said."""
    five, ten = estimate(model, *rows)
    assert 0 < five.value < ten.value < 1
    assert ten.explanation.residual() <= 5e-5
    shares = model.by_modality("death", extract(record(*rows), model.features))
    assert set(shares) == there
    assert sum(shares.values()) == pytest.approx(ten.explanation.output - ten.explanation.baseline, abs=5e-5)
    assert any("Without" in str(note) for note in ten.notes) == (there != {"clinical", "slide"})


def test_the_card_tells_the_fused_risk_with_the_sum_of_each_modality(
    model: FusedModel, program: dict[str, Any]
) -> None:
    """The EHR is asked for the vector by its code; without it, the card says that it is missing."""
    registry = Registry({model.id: model}, {"slide-watch": program["service"]}, {})
    pipeline = Pipeline(registry, Settings(models=Models(show_unvalidated=True)), FixedClock(built.NOW))
    services: Any = pipeline.discovery()["services"]
    (key,) = [key for key, asked in services[0]["prefetch"].items() if "slide-encoder" in asked]
    cards = []
    for vectors in ([{"resource": SLIDE}], []):
        prefetch: dict[str, Any] = {k: {"resourceType": "Bundle", "type": "searchset"} for k in services[0]["prefetch"]}
        for name, asked in services[0]["prefetch"].items():
            if asked.startswith("Patient/"):
                prefetch[name] = built.PATIENT
            elif name == key or "1751-7" in asked:
                rows = [{"resource": row} for row in BLOOD if row["code"]["coding"][0]["code"] in asked]
                prefetch[name] = prefetch[name] | {"entry": [*rows, *(vectors if name == key else [])]}
        call = {"hook": "patient-view", "hookInstance": str(UUID(int=1)), "prefetch": prefetch,
                "context": {"userId": "Practitioner/x", "patientId": built.PATIENT["id"]}}  # fmt: skip
        answer = json.loads(pipeline.answer("slide-watch", json.dumps(call).encode()))
        (card,) = answer["cards"]
        cards.append(card)
    fused, clinical = cards
    assert fused["summary"].startswith("Death within 5 years ")
    assert fused["summary"] != clinical["summary"]
    assert "Slide" in fused["detail"]
    assert "Age and blood" in fused["detail"]
    assert "Without" not in fused["detail"]
    assert "Without" in clinical["detail"]


def test_nothing_of_either_modality_is_refused(model: FusedModel) -> None:
    """Age alone is no modality."""
    assert isinstance(estimate(model), NotEstimated)


def test_the_side_input_is_the_same_observation(model: FusedModel) -> None:
    """One number by either way."""
    given = embedding.observation(SIDE, "p1")
    one, other = estimate(model, *BLOOD, SLIDE)[1], estimate(model, *BLOOD, given)[1]
    assert one.value == other.value


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"method": {"coding": [{"system": "urn:curbside:embedding", "code": "slide-encoder", "version": "3"}]}},
         Reason.CONFLICT),
        ({"method": None}, Reason.CONFLICT),
        ({"valueSampledData": {"data": "0.1 0.2 0.3"}}, Reason.CONFLICT),
        ({"valueSampledData": {"data": "0.1 0.2 E 0.3"}}, Reason.NO_NUMBER),
        ({"valueSampledData": {"data": "0.1 0.2 nan 0.3"}}, Reason.NO_NUMBER),
    ],
)  # fmt: skip
def test_vectors_of_another_version_length_or_kind_are_refused(
    model: FusedModel, change: dict[str, Any], reason: Reason
) -> None:
    """They would mean something else."""
    row = {key: value for key, value in (SLIDE | change).items() if value is not None}
    found = extract(record(row), model.features)[model.features[3]]
    assert isinstance(found, Unusable)
    assert found.reason is reason


@pytest.mark.parametrize(
    ("change", "words"),
    [({"patient": "p2"}, "another patient"), ({"dimension": 5}, "dimension"), ({"values": None}, "values")],
)
def test_a_side_input_that_is_not_right_is_told(change: dict[str, Any], words: str) -> None:
    """In one sentence, before anything is computed."""
    with pytest.raises(BadRequest, match=words):
        embedding.observation(SIDE | change, "p1")
