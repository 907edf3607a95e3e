"""Requests are decoded leniently, and whatever cannot be understood is a BadRequest that quotes nothing."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

from cds_service.errors import BadRequest
from cds_service.fhir import resources as fhir
from cds_service.protocol.request import HookRequest, decode, decode_resource

HOOK_INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
SECRET = "Zzyzx"  # stands for anything of a patient's; no error may repeat it


def request(**members: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "hook": "patient-view",
        "hookInstance": HOOK_INSTANCE,
        "context": {"userId": "Practitioner/1", "patientId": "p1", "encounterId": "e1"},
        "fhirServer": "https://ehr.example/fhir",
    }
    body.update(members)
    return body


def read(**members: Any) -> HookRequest:
    return decode(json.dumps(request(**members)).encode())


def refusal(body: bytes | dict[str, Any]) -> str:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(BadRequest) as caught:
        decode(raw)
    return str(caught.value)


def patient(**members: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p1", "name": [{"family": SECRET}], **members}


def bundle(*entries: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": list(entries), **members}


def test_a_request_is_read() -> None:
    """The declared members arrive, the ids of the context apart from its rest."""
    found = read(context={"userId": "Practitioner/1", "patientId": "p1", "encounterId": "e1", "selections": ["a"]})
    assert found.hook == "patient-view"
    assert str(found.hook_instance) == HOOK_INSTANCE
    assert (found.patient_id, found.user_id, found.encounter_id) == ("p1", "Practitioner/1", "e1")
    assert found.fhir_server == "https://ehr.example/fhir"
    assert found.context == {"selections": ["a"]}
    assert found.prefetch == {}


def test_unknown_members_and_extensions_are_tolerated() -> None:
    """CDS Hooks lets any object carry an extension, and clients send what they like."""
    found = read(
        extension={"com.example": {"a": [1, {"b": None}]}},
        fhirAuthorization={"access_token": "t"},
        prefetch={"patient": patient(photo=[{"data": "AAAA"}], extension=[{"url": "u", "valueAddress": {}}])},
    )
    assert found.prefetch["patient"].state == "present"


def test_an_empty_access_token_is_none() -> None:
    """A public client sends it while its authorization server is off; an open FHIR server asks for none."""
    empty = {"access_token": "", "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.read", "subject": "s"}
    assert read(fhirAuthorization=empty).fhir_authorization is None


def test_the_three_states_of_a_prefetch_key_are_kept_apart() -> None:
    """Null says that there is none, an OperationOutcome that the client was refused, a resource that it is here."""
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}
    found = read(prefetch={"a": None, "b": outcome, "c": patient(), "d": bundle()})
    assert [found.prefetch[k].state for k in "abcd"] == ["none", "refused", "present", "present"]
    assert found.prefetch["d"].resources == ()


def test_bundles_are_flattened_and_search_outcomes_are_no_data() -> None:
    """Entries of Bundles in Bundles count; outcomes, empty entries and entries marked as outcome do not."""
    inner = bundle({"fullUrl": "urn:uuid:2", "resource": {"resourceType": "Condition", "id": "c"}}, type="collection")
    found = read(
        prefetch={
            "all": bundle(
                {"fullUrl": "urn:uuid:1", "resource": patient()},
                {"resource": inner},
                {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}},
                {"resource": {"resourceType": "Basic", "id": "x"}, "search": {"mode": "outcome"}},
                {"fullUrl": "urn:uuid:3"},
            )
        }
    ).prefetch["all"]
    assert [type(r).__name__ for r in found.resources] == ["Patient", "Condition"]
    assert found.full_urls == ("urn:uuid:1", "urn:uuid:2")


def test_a_bundle_of_nothing_but_an_error_is_a_refusal() -> None:
    """A refusal wrapped in a searchset is still a refusal, not an empty list."""
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}
    found = read(prefetch={"a": bundle({"resource": outcome, "search": {"mode": "outcome"}})})
    assert found.prefetch["a"].state == "refused"


def test_entries_without_a_resource_are_no_empty_list() -> None:
    """A batch answers what it refused with a status and no resource: nobody said that there is nothing."""
    refused = {"resourceType": "Bundle", "type": "batch-response", "entry": [{"response": {"status": "403"}}]}
    assert read(prefetch={"a": refused}).prefetch["a"].state == "refused"


def test_a_bundle_with_a_next_page_is_not_complete() -> None:
    """From the first page of a list no absence can be read."""
    found = read(prefetch={"a": bundle(link=[{"relation": "next", "url": "https://ehr.example/page2"}])})
    assert not found.prefetch["a"].complete


CONDITION = {"resource": {"resourceType": "Condition", "id": "c"}}
SUPPRESSED = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "suppressed"}]}


@pytest.mark.parametrize(
    ("more", "members", "withheld"),
    [
        ([{"response": {"status": "403"}}], {}, True),
        ([{"resource": SUPPRESSED}], {}, True),
        ([], {"total": 2}, False),
        ([], {"link": [{"relation": "next", "url": "https://ehr.example/page2"}]}, False),
    ],
)
@pytest.mark.parametrize("in_a_batch", [False, True])
def test_a_list_that_holds_less_than_there_is_is_not_complete(
    more: list[Any], members: dict[str, Any], withheld: bool, in_a_batch: bool
) -> None:
    """By its entries, its count or its links; also as the answer to one question of a batch."""
    sent = bundle(CONDITION, *more, **members)
    if in_a_batch:
        sent = bundle({"resource": sent}, {"resource": bundle(CONDITION)}, type="batch-response")
    found = read(prefetch={"a": sent}).prefetch["a"]
    assert {row.id for row in found.resources if isinstance(row, fhir.Condition)} == {"c"}
    assert (found.complete, found.withheld) == (False, withheld)
    assert found.next_url == ("https://ehr.example/page2" if "link" in members else None)
    assert read(prefetch={"a": bundle(CONDITION, total=1)}).prefetch["a"].complete


@pytest.mark.parametrize("other", [{"total": 9}, {"link": [{"relation": "next", "url": "https://ehr.example/more"}]}])
def test_of_two_answers_of_a_batch_that_go_on_the_pages_of_one_are_not_all(other: dict[str, Any]) -> None:
    """Else the list would pass for whole once the further pages of the first were read."""
    first = bundle(CONDITION, link=[{"relation": "next", "url": "https://ehr.example/page2"}])
    sent = bundle({"resource": first}, {"resource": bundle(CONDITION, **other)}, type="batch-response")
    found = read(prefetch={"a": sent}).prefetch["a"]
    assert (found.complete, found.next_url) == (False, None)


@pytest.mark.parametrize("given_id", ["p1", "Patient/p1"])
def test_the_patient_id_may_be_written_as_a_reference(given_id: str) -> None:
    """Some clients send the type along."""
    assert read(context={"userId": "Practitioner/1", "patientId": given_id}).patient_id == "p1"


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        ({"hook": 3}, "hook must be text, got a whole number."),
        ({"hook": " "}, "hook must be the name of a hook, got an empty text."),
        ({"hookInstance": SECRET}, "hookInstance must be a UUID."),
        ({"context": [SECRET]}, "context must be an object, got an array."),
        ({"context": {}}, "context.patientId must be the id of a Patient as text, got nothing."),
        ({"context": {"patientId": 7}}, "context.patientId must be the id of a Patient as text, got a number."),
        (
            {"context": {"patientId": f"../{SECRET}"}},
            "context.patientId must be a FHIR id: 1 to 64 letters, digits, hyphens or dots.",
        ),
        (
            {"context": {"patientId": "p1", "userId": {"a": SECRET}}},
            "context.userId must be text, got an object.",
        ),
        ({"prefetch": [SECRET]}, "prefetch must be an object or null, got an array."),
        ({"prefetch": {"labs": SECRET}}, "prefetch.labs must be an object or null, got text."),
        ({"prefetch": {"labs": {"id": SECRET}}}, "prefetch.labs lacks the required member resourceType."),
        (
            {"prefetch": {"labs": {"resourceType": SECRET}}},
            "prefetch.labs.resourceType must be the name of a resource type of FHIR R4.",
        ),
        (
            {"prefetch": {"a": None, "labs": bundle({"resource": {"resourceType": "Observation", "code": SECRET}})}},
            "prefetch.labs.entry[0].resource.code must be an object, got text.",
        ),
        (
            {
                "prefetch": {
                    "labs": {"resourceType": "Observation", "valueQuantity": {"value": f"1{SECRET}"}},
                }
            },
            "prefetch.labs.valueQuantity.value must be a number or null, got text.",
        ),
        ({"fhirServer": {"a": 1}}, "fhirServer must be text or null, got an object."),
    ],
)
def test_a_wrong_type_is_refused_with_path_and_expectation(members: dict[str, Any], sentence: str) -> None:
    """One sentence says where and what was expected, and never repeats what arrived."""
    found = refusal(request(**members))
    assert found == sentence
    assert SECRET not in found


@pytest.mark.parametrize(
    "value", [SECRET, 7, [SECRET], {"id": SECRET}, {"resourceType": SECRET}, {"resourceType": "Condition", "code": 7}]
)
def test_what_nobody_asked_for_and_is_no_resource_is_passed_over_and_counted(value: Any) -> None:
    """A client may send what other services asked for; beside it, all that was asked for is read and judged as ever."""
    asked = {"a": patient(), "b": None}
    found = decode(json.dumps(request(prefetch={"x": value, **asked, SECRET: value})).encode(), keys=asked)
    assert (found.passed_over, set(found.prefetch)) == (2, {"a", "b"})
    assert found == replace(read(prefetch=asked), passed_over=2)
    for wrong, sentence in (
        ({"prefetch": {"x": value, "a": 7}}, "prefetch.a must be an object or null, got a whole number."),
        ({"prefetch": {"x": value}, "hookInstance": 7}, "hookInstance must be a UUID, got a whole number."),
    ):
        with pytest.raises(BadRequest) as refused:
            decode(json.dumps(request(**wrong)).encode(), keys=asked)
        assert str(refused.value) == sentence


def test_a_resource_that_nobody_asked_for_is_read() -> None:
    """Then it is data like any other."""
    body = json.dumps(request(prefetch={"x": patient()})).encode()
    found = decode(body, keys={"a"})
    assert (found.passed_over, found.prefetch["x"].state) == (0, "present")


@pytest.mark.parametrize("missing", ["hook", "hookInstance", "context"])
def test_required_members_are_named_when_missing(missing: str) -> None:
    """CDS Hooks requires three members."""
    body = request()
    del body[missing]
    assert refusal(body) == f"The body lacks the required member {missing}."


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"{}x",
        b'{"hook": NaN}',
        b'{"hook": Infinity}',
        b'{"hook": "\\ud800"}',
        b'\xff\xfe{"hook": 1}',
        b'{"hook": "\xff"}',
        json.dumps(request()).encode() + b"x",
        json.dumps(request()).encode("utf-16"),
        json.dumps(request())[:-1].encode() + b', "other": "\xc3\x28"}',
        json.dumps(request())[:-1].encode() + b', "other": -Infinity}',
        json.dumps(request())[:-1].encode() + b', "other": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        json.dumps(request())[:-1].encode() + b', "other": ' + b'{"a":' * 100_000,
        json.dumps(request())[:-1].encode()
        + b', "prefetch": {"a": '
        + b'{"resourceType": "Bundle", "entry": [{"resource": ' * 20_000,
        b"0" * 100_000,
        b'{"hook": 1' + b"0" * 5_000 + b"}",
    ],
)
def test_what_is_not_a_request_in_json_is_a_bad_request(body: bytes) -> None:
    """Malformed JSON, other encodings, numbers that are none, and bottomless nesting."""
    assert refusal(body).endswith(".")


def test_a_context_nested_too_deeply_is_refused() -> None:
    """The part of the context that is built without a shape may have 64 levels."""
    deep: Any = "x"
    for _ in range(70):
        deep = [deep]
    assert "deeper than 64" in refusal(request(context={"userId": "Practitioner/1", "patientId": "p1", "other": deep}))
    assert read(context={"userId": "Practitioner/1", "patientId": "p1", "other": [[["x"]]]}).context == {
        "other": [[["x"]]]
    }


def test_duplicate_keys_do_not_confuse() -> None:
    """JSON allows them; the last one counts, as everywhere."""
    body = json.dumps(request())[:-1] + ', "hook": "encounter-start"}'
    assert decode(body.encode()).hook == "encounter-start"


def test_text_in_any_script_is_read() -> None:
    """Names and texts may be in any language."""
    found = read(prefetch={"patient": patient(name=[{"text": "王小明 🙂"}])})
    row = found.prefetch["patient"].resources[0]
    assert isinstance(row, fhir.Patient)
    assert row.name[0].text == "王小明 🙂"


@given(st.binary(max_size=200))
def test_random_bytes_are_a_bad_request(body: bytes) -> None:
    """No bytes whatever raise anything else."""
    with pytest.raises(BadRequest):
        decode(body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
WHOLE = request(
    prefetch={
        "patient": patient(gender="male", birthDate="1960-01-01"),
        "labs": bundle(
            {
                "fullUrl": "urn:uuid:9",
                "resource": {
                    "resourceType": "Observation",
                    "id": "o1",
                    "status": "final",
                    "code": {"coding": [{"system": "http://loinc.org", "code": "2160-0"}]},
                    "subject": {"reference": "Patient/p1"},
                    "effectiveDateTime": "2026-01-01",
                    "valueQuantity": {"value": 1.0, "unit": "mg/dL"},
                    "component": [{"code": {"text": "x"}, "valueInteger": 3}],
                },
                "search": {"mode": "match"},
            }
        ),
    }
)


def _paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [here] if here else []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        found += _paths(inner, (*here, key))
    return found


@settings(max_examples=examples(100))
@given(st.sampled_from(_paths(WHOLE)), JSON)
def test_a_request_with_anything_in_any_place_is_read_or_refused(path: tuple[Any, ...], junk: Any) -> None:
    """Whatever stands in place of one member, the request is understood or is a BadRequest."""
    body = copy.deepcopy(WHOLE)
    spot: Any = body
    for step in path[:-1]:
        spot = spot[step]
    spot[path[-1]] = junk
    try:
        found = decode(json.dumps(body).encode())
    except BadRequest:
        return
    assert found.patient_id


@settings(max_examples=examples(100))
@given(st.data())
def test_a_request_with_bytes_cut_or_changed_is_read_or_refused(data: st.DataObject) -> None:
    """A damaged body raises nothing but BadRequest."""
    body = bytearray(json.dumps(WHOLE).encode())
    place = data.draw(st.integers(0, len(body) - 1))
    body[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    try:
        found = decode(bytes(body))
    except BadRequest:
        return
    assert isinstance(found, HookRequest)


def test_one_resource_is_read_as_leniently() -> None:
    """Bundles in files go through the same reader."""
    assert isinstance(decode_resource(json.dumps(bundle({"resource": patient()})).encode()), fhir.Bundle)
    for body in (b"", b"[]", b'{"resourceType": "Secret"}', b"\xff", b"[" * 100_000):
        with pytest.raises(BadRequest):
            decode_resource(body)
