"""Every hook of the hooks library: what its context must hold, and what is borne."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

import pytest

from cds_service.errors import BadRequest
from cds_service.fhir import resources as fhir
from cds_service.fhir.context import clinical_context
from cds_service.protocol.hooks import DEPRECATED, HOOKS
from cds_service.protocol.prefetch import fill
from cds_service.protocol.request import HookRequest, decode
from cds_service.sandbox.chart import AS_OF

DRAFTS = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "MedicationRequest", "id": "d1"}}]}
USER = {"userId": "Practitioner/1"}
PATIENT = {"patientId": "p1"}
CONTEXTS: dict[str, dict[str, Any]] = {
    "patient-view": USER | PATIENT,
    "order-select": USER | PATIENT | {"selections": ["MedicationRequest/d1"], "draftOrders": DRAFTS},
    "order-sign": USER | PATIENT | {"draftOrders": DRAFTS},
    "order-dispatch": PATIENT | {"dispatchedOrders": ["ServiceRequest/1"], "performer": "Organization/1"},
    "encounter-start": USER | PATIENT | {"encounterId": "e1"},
    "encounter-discharge": USER | PATIENT | {"encounterId": "e1"},
    "appointment-book": USER | PATIENT | {"appointments": {"resourceType": "Bundle"}},
    "medication-refill": PATIENT | {"medications": DRAFTS},
    "medication-verify": USER | PATIENT | {"medication": {"resourceType": "MedicationRequest", "id": "d1"}},
    "allergyintolerance-create": USER | PATIENT | {"allergyIntolerance": {"resourceType": "AllergyIntolerance"}},
    "problem-list-item-create": USER | PATIENT | {"conditions": {"resourceType": "Bundle"}},
    "medication-prescribe": USER | PATIENT | {"medications": DRAFTS},
    "order-review": USER | PATIENT | {"orders": DRAFTS},
}
REQUIRED = [(hook, name) for hook, context in CONTEXTS.items() for name in context]


def read(hook: str, context: dict[str, Any], **members: Any) -> HookRequest:
    call = {"hook": hook, "hookInstance": str(UUID(int=1)), "context": context, **members}
    return decode(json.dumps(call).encode())


def refusal(hook: str, context: dict[str, Any], **members: Any) -> str:
    with pytest.raises(BadRequest) as caught:
        read(hook, context, **members)
    return str(caught.value)


def test_the_library_is_complete() -> None:
    """Eleven hooks, and two deprecated ones that are read as their successors."""
    assert {*HOOKS, *DEPRECATED} == set(CONTEXTS)
    assert len(HOOKS) == 11
    assert {hook.read_as for hook in DEPRECATED.values()} <= set(HOOKS)


@pytest.mark.parametrize("hook", CONTEXTS)
def test_the_smallest_context_of_each_hook_is_read(hook: str) -> None:
    """No more is asked than the hooks library requires."""
    found = read(hook, CONTEXTS[hook])
    assert found.patient_id == "p1"
    assert found.user_id == CONTEXTS[hook].get("userId")


@pytest.mark.parametrize(("hook", "name"), REQUIRED)
def test_each_required_member_is_missed(hook: str, name: str) -> None:
    """400 with the path of what is missing."""
    context = {key: value for key, value in CONTEXTS[hook].items() if key != name}
    told = refusal(hook, context)
    named = {"medications": "draftOrders", "orders": "draftOrders"}.get(name, name) if hook in DEPRECATED else name
    assert told.startswith(f"context.{named} ")
    assert told.endswith("got nothing.")


@pytest.mark.parametrize("hook", ["order-dispatch", "medication-refill"])
def test_a_user_may_be_named_where_none_is_required(hook: str) -> None:
    """order-dispatch knows no userId and medication-refill an optional one; both are borne."""
    assert read(hook, CONTEXTS[hook] | USER).user_id == "Practitioner/1"


@pytest.mark.parametrize("hook", CONTEXTS)
def test_members_that_a_hook_does_not_know_are_borne(hook: str) -> None:
    """`extension` and whatever a client adds."""
    extra = {"extension": {"org.example.x": [1, {"y": None}]}, "somethingElse": {"a": [True]}}
    assert read(hook, CONTEXTS[hook] | extra, extension={"org.example": 1}, unknown=7).context["somethingElse"]


def test_an_empty_id_is_none() -> None:
    """A client without an encounter may send an empty text; where the hook wants one, it is missing."""
    assert read("patient-view", USER | PATIENT | {"encounterId": " "}).encounter_id is None
    assert "userId is required" in refusal("patient-view", PATIENT | {"userId": ""})
    assert "encounterId is required" in refusal("encounter-start", USER | PATIENT | {"encounterId": ""})


@pytest.mark.parametrize(
    ("hook", "name", "value", "expected"),
    [
        ("order-sign", "draftOrders", [], "a FHIR Bundle, got an array"),
        ("order-sign", "draftOrders", "SECRET", "a FHIR Bundle, got text"),
        ("order-sign", "draftOrders", {"resourceType": "SECRET"}, "a FHIR Bundle, got another resource"),
        ("order-sign", "draftOrders", {}, "a FHIR Bundle, got an object"),
        ("order-sign", "draftOrders", {"entry": {"resourceType": "SECRET"}}, ".entry must be a list, got an object"),
        ("order-sign", "draftOrders", {"entry": ["SECRET"]}, ".entry[0] must be an object, got text"),
        ("order-sign", "draftOrders", {"entry": [{"resource": 7}]}, "must be a FHIR resource, got a number"),
        ("order-sign", "draftOrders", {"entry": [{"resource": None}]}, "resource must be a FHIR resource, got nothing"),
        ("order-select", "selections", "SECRET", "a list of references"),
        ("order-select", "selections", ["SECRET", 7], "selections[1] must be a reference such as ServiceRequest/123"),
        ("order-dispatch", "dispatchedOrders", {"a": "SECRET"}, "a list of references"),
        ("order-dispatch", "performer", {"reference": "SECRET"}, "a reference such as"),
        ("order-dispatch", "fulfillmentTasks", ["SECRET"], "fulfillmentTasks[0] must be a FHIR resource, got text"),
        ("medication-verify", "medication", {"id": "SECRET"}, "a FHIR resource, got an object"),
        ("allergyintolerance-create", "allergyIntolerance", True, "a FHIR resource, got true or false"),
        ("encounter-start", "encounterId", "not an id SECRET", "a FHIR id"),
        ("patient-view", "userId", 3, "text, got a number"),
    ],
)
def test_a_member_of_another_shape_is_named_without_its_value(hook: str, name: str, value: Any, expected: str) -> None:
    """400: what was expected and what kind of thing arrived."""
    told = refusal(hook, CONTEXTS[hook] | {name: value})
    assert re.match(rf"context\.{name}[\w.\[\]]* must be ", told)
    assert expected in told
    assert "SECRET" not in told


def test_an_unknown_hook_is_refused_with_the_known_ones() -> None:
    """A sentence that helps, without what was sent."""
    told = refusal("patient-SECRET", CONTEXTS["patient-view"])
    assert "patient-view" in told
    assert "SECRET" not in told


@pytest.mark.parametrize("hook", DEPRECATED)
def test_a_deprecated_hook_is_read_as_its_successor(hook: str) -> None:
    """medication-prescribe and order-review came before signing: order-sign with draftOrders."""
    found = read(hook, CONTEXTS[hook])
    assert found.hook == "order-sign"
    assert found.context == {"draftOrders": DRAFTS}


@pytest.mark.parametrize(
    "drafts",
    [
        {"entry": [{"resource": {"resourceType": "MedicationRequest"}}]},
        {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "MedicationRequest"}}]},
        {
            "resourceType": "Bundle",
            "entry": [{"fullUrl": "urn:uuid:1"}, {"resource": {"resourceType": "MedicationRequest"}}],
        },
    ],
)
def test_drafts_may_lack_type_intent_and_medication(drafts: dict[str, Any]) -> None:
    """The public sandbox sends such drafts; they are read for what they hold."""
    patient = {"resourceType": "Patient", "id": "p1"}
    call = read("order-sign", CONTEXTS["order-sign"] | {"draftOrders": drafts}, prefetch={"patient": patient})
    (draft,) = clinical_context(call, needed={}, now=AS_OF).drafts
    assert isinstance(draft, fhir.MedicationRequest)


AUTHORIZATION = {
    "access_token": "tell.nobody-7d1f",
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/Observation.rs launch",
    "subject": "client-1",
    "patient": "p1",
}


def authorized(**members: Any) -> dict[str, Any]:
    return {"fhirServer": "https://ehr.example/fhir", "fhirAuthorization": AUTHORIZATION | members}


def test_an_authorization_is_read_and_shown_by_nothing() -> None:
    """The token is for one header, and in no repr."""
    found = read("patient-view", CONTEXTS["patient-view"], **authorized()).fhir_authorization
    assert found is not None
    assert found.token.reveal() == "tell.nobody-7d1f"
    assert found.scopes == ("patient/Observation.rs", "launch")
    assert (found.subject, found.expires_in) == ("client-1", 300)
    assert "tell.nobody" not in repr(read("patient-view", CONTEXTS["patient-view"], **authorized()))


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"access_token": "a SECRET\r\nX-Header: 1"}, "access_token must be a bearer token"),
        ({"access_token": " "}, "access_token must be a bearer token"),
        ({"access_token": 7}, "access_token must be text"),
        ({"token_type": "MAC"}, "token_type must be Bearer"),
        ({"patient": "SECRET"}, "patient must be the patient of context.patientId"),
    ],
)
def test_an_authorization_that_cannot_be_used_is_refused(members: dict[str, Any], expected: str) -> None:
    """Nothing that could break a header, no other scheme, no other patient's token."""
    told = refusal("patient-view", CONTEXTS["patient-view"], **authorized(**members))
    assert expected in told
    assert "SECRET" not in told


def test_an_authorization_needs_its_server() -> None:
    """fhirServer is required if fhirAuthorization is present."""
    told = refusal("patient-view", CONTEXTS["patient-view"], fhirAuthorization=AUTHORIZATION)
    assert told.startswith("fhirServer is required")


def test_a_server_may_come_without_authorization() -> None:
    """As the public sandbox sends it, whose server is open."""
    found = read("patient-view", CONTEXTS["patient-view"], fhirServer="https://ehr.example/fhir")
    assert found.fhir_server == "https://ehr.example/fhir"
    assert found.fhir_authorization is None


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("Patient/{{context.patientId}}", "Patient/p1"),
        ("Patient/{{ context.patientId }}", "Patient/p1"),
        ("Encounter/{{context.encounterId}}", None),
        ("{{context.userId}}", "Practitioner/1"),
        ("Practitioner/{{userPractitionerId}}", "Practitioner/1"),
        ("Patient/{{userPatientId}}", None),
        ("ServiceRequest?status={{context.note}}", "ServiceRequest?status=a%20%26%20b"),
        ("Observation?date=ge{{today()}}", None),
        ("ServiceRequest?_id={{context.draftOrders.entry.resource.id}}", None),
    ],
)
def test_templates_are_filled_as_a_client_would_fill_them(template: str, expected: str | None) -> None:
    """Tokens of 2.0; a template with one that has no value is not fetched, and values cannot add parameters."""
    assert fill(template, read("patient-view", CONTEXTS["patient-view"] | {"note": "a & b"})) == expected
