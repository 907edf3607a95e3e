"""Feedback is read leniently, and what is wrong with it is named by item and member, never quoted."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.errors import BadRequest, UnknownCard
from cds_service.protocol.feedback import LONGEST_COMMENT, MOST_ITEMS, Fault, Item, decode, refusal

CARD, SUGGESTION = UUID(int=1), UUID(int=2)
AT = "2026-11-01T09:00:00Z"
OVERRIDDEN: dict[str, Any] = {"card": str(CARD), "outcome": "overridden", "outcomeTimestamp": AT}
ACCEPTED = {**OVERRIDDEN, "outcome": "accepted", "acceptedSuggestions": [{"id": str(SUGGESTION)}]}


def read(*items: Any) -> tuple[Item, ...]:
    sent = decode(json.dumps({"feedback": list(items)}).encode())
    assert sent.faults == ()
    return sent.items


def fault(*items: Any) -> Fault:
    """The only item of a call that is at fault; all others are read."""
    sent = decode(json.dumps({"feedback": list(items)}).encode())
    (found,) = sent.faults
    assert [item.number for item in sent.items] == [n for n in range(len(items)) if n != found.number]
    return found


def test_the_specifications_example_is_understood() -> None:
    """Accepted with suggestions, overridden with a coded reason and the clinician's words, several in one call."""
    reason = {"code": "d7ecf885", "system": "https://example.com/cds-hooks/override-reason", "display": "Refused"}
    said = {"reason": reason, "userComment": "clinician entered comment"}
    accepted, overridden = read(ACCEPTED, {**OVERRIDDEN, "overrideReason": said})
    moment = datetime(2026, 11, 1, 9, tzinfo=UTC)
    assert accepted == Item(CARD, "accepted", moment, (SUGGESTION,))
    assert overridden == Item(
        CARD, "overridden", moment, (), (reason["system"], "d7ecf885", "Refused"), "clinician entered comment"
    )


def test_what_is_not_known_is_passed_over() -> None:
    """Extensions, unknown members, an empty reason, empty lists: lenient in."""
    extra = {"extension": {"org.example": {"a": 1}}, "cardSource": "x", "acceptedSuggestions": [], "overrideReason": {}}
    assert read({**OVERRIDDEN, **extra}) == read(OVERRIDDEN)
    assert decode(json.dumps({"feedback": [OVERRIDDEN], "extension": {}}).encode()).items == read(OVERRIDDEN)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-01T09:00:00Z",
        "2026-11-01t09:00:00z",
        "2026-11-01 09:00:00+00:00",
        "2026-11-01T10:30:00.000+01:30",
        "2026-11-01T09:00:00.000000000Z",
    ],
)
def test_every_form_of_rfc_3339(text: str) -> None:
    """All of them are the same moment."""
    assert read({**OVERRIDDEN, "outcomeTimestamp": text})[0].at == datetime(2026, 11, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["2026-11-01", "2026-11-01T09:00:00", "2026-02-30T09:00:00Z", "0001-01-01T00:00:00+10:00", "20261101T090000Z", ""],
)
def test_another_time_is_refused(text: str) -> None:
    """Without a zone nobody knows when it was."""
    told = fault({**OVERRIDDEN, "outcomeTimestamp": text}).why
    assert told.startswith("feedback[0].outcomeTimestamp must be a date and time with a zone")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"card": "Jane"}, "feedback[1].card must be a UUID."),
        ({"card": None}, "feedback[1].card must be text, got nothing."),
        ({"outcome": "ignored"}, "feedback[1].outcome must be 'accepted' or 'overridden'."),
        ({"outcome": {}}, "feedback[1].outcome must be 'accepted' or 'overridden'."),
        ({"outcomeTimestamp": 5}, "feedback[1].outcomeTimestamp must be text."),
        ({"outcome": "accepted"}, "feedback[1].acceptedSuggestions must name the suggestions that were accepted."),
        ({"acceptedSuggestions": [{"id": str(CARD)}]}, "must be absent where the outcome is 'overridden'"),
        ({"acceptedSuggestions": [{"id": "Jane"}]}, "feedback[1].acceptedSuggestions[0].id must be a UUID."),
        ({"acceptedSuggestions": ["Jane"]}, "feedback[1].acceptedSuggestions[0] must be an object."),
        ({"acceptedSuggestions": {}}, "feedback[1].acceptedSuggestions must be a list."),
        ({"overrideReason": "Jane"}, "feedback[1].overrideReason must be an object."),
        ({"overrideReason": {"reason": {}}}, "feedback[1].overrideReason.reason.code is required"),
        ({"overrideReason": {"reason": {"code": 1}}}, "feedback[1].overrideReason.reason.code must be text."),
        ({"overrideReason": {"userComment": "J" * (LONGEST_COMMENT + 1)}}, f"at most {LONGEST_COMMENT} characters"),
    ],
)
def test_what_is_wrong_is_named_by_item_and_member(change: dict[str, Any], sentence: str) -> None:
    """A path and what was expected; no value. The item beside it is read."""
    found = fault(OVERRIDDEN, {**OVERRIDDEN, **change})
    assert found.number == 1
    assert sentence in found.why
    assert "Jane" not in found.why


def test_a_refusal_names_what_is_at_fault_and_what_is_kept() -> None:
    """404 only if nothing but unknown cards is wrong; in the order of the call; a long list has an end."""
    card = Fault(4, "feedback[4].card is not a card.", unknown=True)
    shape = Fault(1, "feedback[1].card must be a UUID.")
    assert isinstance(refusal([card], 1), UnknownCard)
    assert str(refusal([card], 1)).endswith("The other item is kept; to send them again changes nothing.")
    both = refusal([card, shape], 3)
    assert isinstance(both, BadRequest)
    assert str(both).startswith(f"{shape.why} {card.why} The other 3 items are kept;")
    assert str(refusal([shape] * 23, 0)).endswith(f"{shape.why} 3 more items are at fault.")


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"{}", b"\xff", b'{"feedback": {}}', b'{"feedback": []}', b"[" * 100_000],
)
def test_a_body_that_is_no_feedback_is_refused(body: bytes) -> None:
    """One sentence each."""
    with pytest.raises(BadRequest):
        decode(body)


def test_a_call_has_an_end() -> None:
    """More items than anybody has cards are refused."""
    with pytest.raises(BadRequest, match="1 to 1000 items, got 1001"):
        read(*[OVERRIDDEN] * (MOST_ITEMS + 1))


def test_what_a_database_cannot_hold_is_left_out_of_a_comment() -> None:
    """NUL and lone surrogates; a comment of blanks is none."""
    body = json.dumps({"feedback": [{**OVERRIDDEN, "overrideReason": {"userComment": "a\x00b"}}]}).encode()
    assert decode(body).items[0].comment == "ab"
    assert read({**OVERRIDDEN, "overrideReason": {"userComment": " \n"}})[0].comment is None


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.just(AT)
    | st.just(str(CARD)),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*ACCEPTED, "overrideReason", "reason", "id", "code", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_nothing_but_a_bad_request_comes_of_anything(value: Any) -> None:
    """Whatever arrives is understood or refused with a sentence."""
    body = json.dumps({"feedback": [value] if not isinstance(value, list) else value}).encode()
    said = ""
    items: tuple[Item, ...] = ()
    faults: tuple[Fault, ...] = ()
    try:
        items, faults = decode(body)
    except BadRequest as error:
        said = str(error)
    assert said.startswith(("feedback", "The body")) or items or faults
    assert all(item.at.tzinfo is UTC for item in items)
    assert all(found.why.startswith(f"feedback[{found.number}]") for found in faults)
