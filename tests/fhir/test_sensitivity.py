"""Sensitivity labels: what a record marks as sensitive reaches no card unless its client admits it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from answers import loaded

from cds_service import registry
from cds_service.app import create_pipeline, create_store
from cds_service.cli import calls, options
from cds_service.clock import FixedClock
from cds_service.fhir import resources as fhir
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.sensitivity import GRADES, POLICIES, labels, withheld
from cds_service.pipeline import Pipeline
from cds_service.protocol.request import decode
from cds_service.security.trust import Caller
from cds_service.settings import Client, Settings
from cds_service.stores.assessments import AssessmentStore

CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
POLICY = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
BUNDLE = options.read_bundle(registry.shipped("fhir_samples") / "patients" / "primary-prevention.json")
SERVICE = "cardiovascular-risk"


def condition(id_: str, *security: tuple[str, str], patient: str = "p") -> dict[str, Any]:
    row: dict[str, Any] = {
        "resourceType": "Condition",
        "id": id_,
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "38341003"}], "text": f"Text of {id_}"},
    }
    if security:
        row["meta"] = {"security": [{"system": system, "code": code} for system, code in security]}
    return row


def read(row: dict[str, Any]) -> Any:
    return msgspec.convert(row, fhir.AnyResource)


def record(*rows: dict[str, Any], admitted: tuple[str, ...] = ()) -> PatientRecord:
    read_rows = [read(row) for row in rows]
    return PatientRecord.from_resources(read_rows, [None] * len(rows), "p", NOW, admitted=admitted)


@pytest.mark.parametrize("code", sorted(GRADES))
def test_restricted_grades_are_withheld(code: str) -> None:
    """R and V of HL7's confidentiality, in any spelling of its system."""
    for system in (CONFIDENTIALITY, "http://hl7.org/fhir/v3/Confidentiality", "urn:oid:2.16.840.1.113883.5.25"):
        assert withheld(read(condition("c", (system, code))), ())


@pytest.mark.parametrize("code", sorted(POLICIES))
def test_sensitivity_policies_are_withheld(code: str) -> None:
    """Every code of the sensitivity policies, unless that code is admitted."""
    row = read(condition("c", (POLICY, code)))
    assert labels(row) == {code}
    assert withheld(row, ())
    assert not withheld(row, (code,))
    assert not withheld(row, ("*",))


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (CONFIDENTIALITY, "N"),
        (CONFIDENTIALITY, "M"),
        (CONFIDENTIALITY, "L"),
        (CONFIDENTIALITY, "U"),
        (POLICY, "HTEST"),
        (POLICY, "CTCOMPT"),
        (POLICY, "R"),
        ("http://hospital.example/labels", "R"),
        ("http://hospital.example/labels", "HIV"),
    ],
)
def test_other_labels_withhold_nothing(system: str, code: str) -> None:
    """Ordinary grades, test data, and codes of systems that mean something else."""
    assert not withheld(read(condition("c", (system, code))), ())


def test_every_sensitive_label_of_a_row_must_be_admitted() -> None:
    """A row that is both about HIV and restricted needs both."""
    row = read(condition("c", (POLICY, "HIV"), (CONFIDENTIALITY, "R"), (CONFIDENTIALITY, "N")))
    assert withheld(row, ("HIV",))
    assert withheld(row, ("R",))
    assert not withheld(row, ("R", "HIV", "PSY"))


def test_withheld_rows_are_not_in_the_record_and_are_counted() -> None:
    """Not by type, not by reference; rows of others and rows in error are not counted among them."""
    wrong = condition("w", (POLICY, "HIV")) | {
        "verificationStatus": {"coding": [{"system": "http://x", "code": "entered-in-error"}]}
    }
    secret = condition("s", (POLICY, "PSY"))
    found = record(condition("a"), secret, wrong, condition("o", (POLICY, "HIV"), patient="other"))
    assert [row.id for row in found.rows(fhir.Condition)] == ["a"]
    assert found.resolve(fhir.Reference(reference="Condition/s"), found.rows(fhir.Condition)[0]) is None
    assert found.withheld == 1
    assert found.dropped == {"withheld by label": 1, "entered in error": 1, "another patient": 1}
    assert record(condition("a"), secret, admitted=("PSY",)).withheld == 0


def test_a_labelled_observation_is_withheld_and_an_ordinary_one_is_not() -> None:
    """The short way that most observations take into a record looks at labels too."""

    def sodium(id_: str, code: str) -> dict[str, Any]:
        return {
            "resourceType": "Observation",
            "id": id_,
            "status": "final",
            "meta": {"security": [{"system": CONFIDENTIALITY, "code": code}]},
            "subject": {"reference": "Patient/p"},
            "code": {"coding": [{"system": "http://loinc.org", "code": "2951-2"}]},
            "effectiveDateTime": "2026-10-01",
            "valueQuantity": {"value": 140, "unit": "mmol/L", "code": "mmol/L"},
        }

    found = record(sodium("n", "N"), sodium("r", "R"))
    assert [m.reference for m in found.observations(("2951-2",))] == ["Observation/n"]
    assert found.withheld == 1


def test_the_patient_is_not_withheld() -> None:
    """A label on the person alone (a colleague, a celebrity) leaves the person there to speak of."""
    patient = {"resourceType": "Patient", "id": "p", "birthDate": "1960-05-01"}
    labelled = patient | {"meta": {"security": [{"system": POLICY, "code": "VIP"}]}}
    assert record(labelled).birth_date is not None


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    clients = {name: Client(issuer=f"https://{name}.example") for name in ("closed", "open")}
    clients["open"] = replace(clients["open"], admitted_labels=("SUD", "R"))
    return replace(Settings(), clients=clients).with_("store", url=f"sqlite:///{tmp_path}/a.db")


@pytest.fixture
def store(settings: Settings) -> Iterator[AssessmentStore]:
    store = create_store(settings)
    yield store
    store.close()


@pytest.fixture
def pipeline(settings: Settings, store: AssessmentStore) -> Pipeline:
    now = calls.written(BUNDLE)
    assert now is not None
    return create_pipeline(settings, FixedClock(now), store, loaded())


def call(pipeline: Pipeline) -> bytes:
    """The sample's call, with a smoking status and a diagnosis that are marked as sensitive."""
    services: Any = pipeline.discovery()["services"]
    made = calls.request(BUNDLE, next(s for s in services if s["id"] == SERVICE))
    assert made is not None
    body = json.loads(made)
    secret = condition("secret", (POLICY, "SUD"), (CONFIDENTIALITY, "R"), patient=body["context"]["patientId"])
    body["prefetch"]["conditions"].setdefault("entry", []).append({"resource": secret})
    return json.dumps(body).encode()


def details(answer: bytes) -> str:
    return "\n".join(card["detail"] for card in json.loads(answer)["cards"])


def test_a_card_says_how_many_resources_were_not_used(pipeline: Pipeline, store: AssessmentStore) -> None:
    """The clinician knows that something is kept from the card, and not what; the stored assessment counts it."""
    answer = pipeline.answer(SERVICE, call(pipeline), Caller("closed", "https://closed.example"))
    assert "**Not used:** 1 of the record's resources, for their sensitivity labels" in details(answer)
    assert "Text of secret" not in details(answer)
    with store.database.engine.connect() as connection:
        ((results, inputs),) = connection.exec_driver_sql("SELECT results, inputs FROM assessments").all()
    assert {"withheld_by_label": 1} in json.loads(results)
    assert "Condition/secret" not in results + inputs


def test_the_stored_assessment_counts_rows_that_were_no_use(pipeline: Pipeline, store: AssessmentStore) -> None:
    """Rows of another patient in an answer of the EHR are a fault of somebody's: what was left out can be looked up."""
    body = json.loads(call(pipeline))
    stray = condition("stray", patient="somebody-else")
    body["prefetch"]["conditions"]["entry"].append({"resource": stray})
    assert pipeline.answer(SERVICE, json.dumps(body).encode(), Caller("closed", "https://closed.example"))
    with store.database.engine.connect() as connection:
        ((results,),) = connection.exec_driver_sql("SELECT results FROM assessments").all()
    assert {"left_out": {"another patient": 1}} in json.loads(results)
    assert "stray" not in results


def test_a_client_may_admit_labels(pipeline: Pipeline) -> None:
    """By setting, for an EHR whose users may see such data."""
    answer = pipeline.answer(SERVICE, call(pipeline), Caller("open", "https://open.example"))
    assert "sensitivity labels" not in details(answer)
    assert "Text of secret" in details(answer)


def test_labelled_drafts_are_withheld_too(pipeline: Pipeline) -> None:
    """A draft order of the hook's context bears labels like any resource."""
    from cds_service.fhir.context import clinical_context

    body = json.loads(call(pipeline))
    draft = {"resourceType": "ServiceRequest", "id": "d", "status": "draft", "intent": "order"}
    labelled = draft | {"id": "l", "meta": {"security": [{"system": POLICY, "code": "HIV"}]}}
    entries = [{"resource": draft}, {"resource": labelled}]
    body["hook"] = "order-sign"
    body["context"]["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    context = clinical_context(decode(json.dumps(body).encode()), needed={}, now=NOW)
    assert [d.id for d in context.drafts] == ["d"]
    assert context.withheld == 2
