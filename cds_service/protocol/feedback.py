"""CDS Hooks feedback: from the bytes of a body to the outcomes of cards.

Lenient in as everywhere: unknown members and `extension` are passed over. Each item of a call stands by itself, as the
standard has it: one that cannot be understood is named by its index and the member, never by a value, and costs none
of the others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

import msgspec

from cds_service.errors import BadRequest, CurbsideError, UnknownCard

MOST_ITEMS = 1000
LONGEST_COMMENT = 10_000
_LONGEST_CODE = 1000
_NAMED = 20  # items at fault that one answer names
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")
_SHAPES: dict[type, str] = {dict: "an object", list: "a list", str: "text"}


@dataclass(frozen=True, slots=True)
class Item:
    """What became of one card.

    at: when, in UTC. accepted: uuids of the suggestions that were accepted.
    reason: system, code and display of the override reason. comment: the clinician's own words.
    number: its index in the call. user: who answered, where the caller knows. form: the form that it was sent with: the
    same answer from one form is one, however often it is sent.
    """

    card: UUID
    outcome: Literal["accepted", "overridden"]
    at: datetime
    accepted: tuple[UUID, ...] = ()
    reason: tuple[str | None, str, str | None] | None = None
    comment: str | None = None
    number: int = field(default=0, compare=False)
    user: str | None = None
    form: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """An item that is not kept, and why, in a sentence that names it. unknown: its card is not one of the caller's."""

    number: int
    why: str
    unknown: bool = False


class Sent(NamedTuple):
    """The items of one call: those that are understood, and those that are not."""

    items: tuple[Item, ...]
    faults: tuple[Fault, ...]


def decode(body: bytes) -> Sent:
    """The items of a body of JSON. Raises BadRequest, and nothing else, for a body that is no list of items."""
    try:
        text = body.decode()
        value = msgspec.json.decode(text)
    except UnicodeDecodeError:
        raise BadRequest("The body must be JSON in UTF-8, but holds bytes that are not UTF-8.") from None
    except (msgspec.DecodeError, RecursionError):
        raise BadRequest("The body is not well-formed JSON.") from None
    items = _of(_of(value, dict, "The body").get("feedback"), list, "feedback")
    if not 0 < len(items) <= MOST_ITEMS:
        raise BadRequest(f"feedback must hold 1 to {MOST_ITEMS} items, got {len(items)}.")
    understood: list[Item] = []
    faults: list[Fault] = []
    for number, (item, where) in enumerate(_named(items, "feedback")):
        try:
            understood.append(replace(_item(_of(item, dict, where), where), number=number))
        except BadRequest as error:
            faults.append(Fault(number, str(error)))
    return Sent(tuple(understood), tuple(faults))


def refusal(faults: Sequence[Fault], kept: int) -> CurbsideError:
    """What a call with items at fault is answered with: each of them, up to twenty, and how many others are kept.

    UnknownCard if all that is wrong are cards that are not the caller's, else BadRequest.
    """
    ordered = sorted(faults, key=lambda fault: fault.number)
    told = [fault.why for fault in ordered[:_NAMED]]
    if len(ordered) > _NAMED:
        told.append(f"{len(ordered) - _NAMED} more items are at fault.")
    if kept:
        others = "The other item is" if kept == 1 else f"The other {kept} items are"
        told.append(f"{others} kept; to send them again changes nothing.")
    kind = UnknownCard if all(fault.unknown for fault in faults) else BadRequest
    return kind(" ".join(told))


def _item(item: dict[str, Any], where: str) -> Item:
    outcome = item.get("outcome")
    if outcome not in ("accepted", "overridden"):
        raise BadRequest(f"{where}.outcome must be 'accepted' or 'overridden'.")
    card = _uuid(item.get("card"), f"{where}.card")
    at = _moment(item.get("outcomeTimestamp"), f"{where}.outcomeTimestamp")
    accepted = _accepted(item.get("acceptedSuggestions"), f"{where}.acceptedSuggestions")
    if outcome == "accepted":
        if not accepted:
            raise BadRequest(f"{where}.acceptedSuggestions must name the suggestions that were accepted.")
        return Item(card, "accepted", at, accepted)
    if accepted:
        raise BadRequest(f"{where}.acceptedSuggestions must be absent where the outcome is 'overridden'.")
    reason, comment = _override(item.get("overrideReason"), f"{where}.overrideReason")
    return Item(card, "overridden", at, (), reason, comment)


def _accepted(value: Any, where: str) -> tuple[UUID, ...]:
    if value is None:
        return ()
    given = _named(_of(value, list, where), where)
    uuids = [_uuid(_of(one, dict, place).get("id"), f"{place}.id") for one, place in given]
    return tuple(dict.fromkeys(uuids))


def _override(value: Any, where: str) -> tuple[tuple[str | None, str, str | None] | None, str | None]:
    """The coded reason and the comment; each may be missing."""
    if value is None:
        return None, None
    given = _of(value, dict, where)
    comment = _text(given.get("userComment"), f"{where}.userComment", LONGEST_COMMENT)
    if given.get("reason") is None:
        return None, comment
    coding = _of(given["reason"], dict, f"{where}.reason")
    code = _text(coding.get("code"), f"{where}.reason.code", _LONGEST_CODE)
    if code is None:
        raise BadRequest(f"{where}.reason.code is required, got nothing.")
    system = _text(coding.get("system"), f"{where}.reason.system", _LONGEST_CODE)
    return (system, code, _text(coding.get("display"), f"{where}.reason.display", _LONGEST_CODE)), comment


def _named(values: list[Any], where: str) -> list[tuple[Any, str]]:
    return [(value, f"{where}[{number}]") for number, value in enumerate(values)]


def _of(value: Any, shape: type, where: str) -> Any:
    if not isinstance(value, shape):
        raise BadRequest(f"{where} must be {_SHAPES[shape]}{', got nothing' if value is None else ''}.")
    return value


def _text(value: Any, where: str, longest: int) -> str | None:
    """A text without its outer blanks; None for an empty one. PostgreSQL keeps no NUL, UTF-8 no lone surrogate."""
    if value is None:
        return None
    text = str(_of(value, str, where)).replace("\x00", "").strip()
    if len(text) > longest:
        raise BadRequest(f"{where} must be at most {longest} characters long.")
    return text.encode("utf-8", "replace").decode() or None


def _uuid(value: Any, where: str) -> UUID:
    try:
        return UUID(_of(value, str, where))
    except ValueError:
        raise BadRequest(f"{where} must be a UUID.") from None


def _moment(value: Any, where: str) -> datetime:
    """An RFC 3339 date and time. A time within a leap second counts as the end of its minute."""
    text = str(_of(value, str, where))
    if _RFC_3339.fullmatch(text):
        try:
            return datetime.fromisoformat(re.sub(r":60(?=[.Zz+-])", ":59", text).upper()).astimezone(UTC)
        except (ValueError, OverflowError):  # the thirtieth of February; the first hours of the year 1
            pass
    raise BadRequest(f"{where} must be a date and time with a zone such as 2026-11-01T12:00:00Z (RFC 3339).")
