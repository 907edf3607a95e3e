"""The page of the HTTP API is that of the code, and its schemas agree with what is read and sent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from cds_service import http_api
from cds_service.errors import BadRequest
from cds_service.protocol import feedback, schemas
from cds_service.protocol.hooks import HOOKS
from cds_service.protocol.request import decode

ROOT = Path(__file__).parent.parent
SAMPLES = sorted((ROOT / "fhir_samples" / "requests").glob("*.json"))
FEEDBACK: dict[str, Any] = {
    "card": "2f1c9a52-7f4e-4a58-b2a5-0f7f3f0a1c11",
    "outcome": "overridden",
    "outcomeTimestamp": "2026-11-01T09:00:00Z",
    "overrideReason": {"reason": {"code": "x", "system": "http://example.org"}, "userComment": "no"},
}
ACCEPTED = {**FEEDBACK, "outcome": "accepted", "acceptedSuggestions": [{"id": FEEDBACK["card"]}]}


SCHEMA = schemas.hook_request()


def fits(schema: Any, value: Any) -> bool:
    return Draft202012Validator(schema).is_valid(value)


def reads(body: Any) -> bool:
    try:
        decode(json.dumps(body).encode())
    except BadRequest:
        return False
    return True


def keeps(item: Any) -> bool:
    return not feedback.decode(json.dumps({"feedback": [item]}).encode()).faults


def test_the_page_is_current() -> None:
    """`python -m cds_service.http_api > docs/http-api.md` changes nothing."""
    assert (ROOT / "docs" / "http-api.md").read_text() == http_api.page()


def test_every_route_has_an_entry_and_every_entry_a_route() -> None:
    """A new route is documented before it ships."""
    assert set(http_api.routes()) == set(http_api.ENTRIES)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.stem)
def test_what_is_read_fits_the_schema(path: Path) -> None:
    """Every sample request fits; without a required member it neither fits nor is read."""
    body = json.loads(path.read_bytes())
    context = schemas.context(HOOKS[body["hook"]])
    assert reads(body)
    assert fits(SCHEMA, body)
    assert fits(context, body["context"])
    for name in SCHEMA["required"]:
        less = {key: value for key, value in body.items() if key != name}
        assert not fits(SCHEMA, less)
        assert not reads(less)
    for name in context["required"]:
        less = {key: value for key, value in body["context"].items() if key != name}
        assert not fits(context, less)
        assert not reads({**body, "context": less})


@pytest.mark.parametrize("path", sorted((ROOT / "fhir_samples" / "expected").glob("*.json")), ids=lambda p: p.stem)
def test_what_is_sent_fits_the_schema(path: Path) -> None:
    """The expected response of every sample."""
    Draft202012Validator(schemas.hook_response()).validate(json.loads(path.read_bytes()))


@pytest.mark.parametrize(
    "item",
    [
        FEEDBACK,
        ACCEPTED,
        {**FEEDBACK, "extension": {}},
        {**FEEDBACK, "overrideReason": {}},
        {**FEEDBACK, "outcome": "ignored"},
        {**FEEDBACK, "card": 1},
        {**FEEDBACK, "outcomeTimestamp": None},
        {**FEEDBACK, "overrideReason": {"reason": {"system": "http://example.org"}}},
        {**FEEDBACK, "overrideReason": {"userComment": "x" * 10_001}},
        {**ACCEPTED, "acceptedSuggestions": []},
        {**ACCEPTED, "acceptedSuggestions": [{}]},
        {name: value for name, value in FEEDBACK.items() if name != "card"},
        {name: value for name, value in ACCEPTED.items() if name != "acceptedSuggestions"},
        [],
    ],
)
def test_the_schema_of_feedback_and_its_reader_agree(item: Any) -> None:
    """What fits is kept, and what does not is refused."""
    assert fits(schemas.feedback_request(), {"feedback": [item]}) == keeps(item)


def test_feedback_without_items_fits_neither() -> None:
    """An empty list says nothing."""
    assert not fits(schemas.feedback_request(), {"feedback": []})
    with pytest.raises(BadRequest):
        feedback.decode(b'{"feedback": []}')
