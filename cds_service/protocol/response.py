"""CDS Hooks 2.0 response: cards, suggestions, actions, links. Strict out: what breaks the standard cannot be built."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
AbsoluteUrl = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]+$")]
SystemUri = Annotated[str, StringConstraints(pattern=r"^(https?://|urn:)[^\s]+$")]
ResourceId = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}$")]


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Indicator(StrEnum):
    """Urgency, as the standard spells it."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class Coding(_Wire):
    """A code with its system and display."""

    system: SystemUri
    code: Text
    display: Text


class Source(_Wire):
    """Where the advice comes from."""

    label: Text
    url: AbsoluteUrl | None = None
    topic: Coding | None = None


class Action(_Wire):
    """One step of a suggestion, or a system action; `resource` is a whole R4 resource, for `update` with its id."""

    type: Literal["create", "update", "delete"]
    description: Text
    resource: dict[str, Any] | None = None
    resource_id: ResourceId | None = None

    @model_validator(mode="after")
    def _whole(self) -> Action:
        if (self.resource is None) == (self.type != "delete"):
            raise ValueError("create and update carry a resource, delete a resourceId")
        if (self.resource_id is None) == (self.type == "delete"):
            raise ValueError("delete names a resourceId, create and update do not")
        if self.type == "update" and not (self.resource or {}).get("id"):
            raise ValueError("update carries the whole resource, with its id")
        return self


class Suggestion(_Wire):
    """A choice that the clinician may accept."""

    label: Text
    uuid: UUID
    is_recommended: bool | None = None
    actions: Annotated[tuple[Action, ...], Field(min_length=1)]


class Link(_Wire):
    """A page or a SMART app."""

    label: Text
    url: AbsoluteUrl
    type: Literal["absolute", "smart"]
    app_context: Text | None = None

    @model_validator(mode="after")
    def _context_is_for_apps(self) -> Link:
        if self.app_context is not None and self.type != "smart":
            raise ValueError("appContext is only for smart links")
        return self


class Card(_Wire):
    """One card. `summary` must be under 140 characters; nothing is ever cut to fit."""

    uuid: UUID
    summary: Annotated[str, StringConstraints(min_length=1, max_length=139)]
    detail: Text | None = None
    indicator: Indicator
    source: Source
    suggestions: tuple[Suggestion, ...] = ()
    selection_behavior: Literal["at-most-one", "any"] | None = None
    override_reasons: tuple[Coding, ...] = ()
    links: tuple[Link, ...] = ()

    @model_validator(mode="after")
    def _selectable(self) -> Card:
        if bool(self.suggestions) != (self.selection_behavior is not None):
            raise ValueError("selectionBehavior is required with suggestions and only then")
        recommended = sum(1 for s in self.suggestions if s.is_recommended)
        if self.selection_behavior == "at-most-one" and recommended > 1:
            raise ValueError("at-most-one allows one recommended suggestion")
        return self


class HookResponse(_Wire):
    """The body of a 200: `cards` may be empty, nothing else may be."""

    cards: tuple[Card, ...] = ()
    system_actions: tuple[Action, ...] = ()

    def wire(self) -> dict[str, Any]:
        """The JSON object, without null, empty strings, arrays or objects (but `cards: []`)."""
        body = _without_empty(self.model_dump(mode="json", by_alias=True, exclude_none=True))
        return {"cards": [], **body} if isinstance(body, dict) else {"cards": []}


def _without_empty(value: Any) -> Any:
    """JSON values without what is empty; 0 and false say something."""
    if isinstance(value, dict):
        kept = {}
        for name, held in value.items():
            if isinstance(held, _HOLDING):
                held = _without_empty(held)
            if held or isinstance(held, _NUMBERS):
                kept[name] = held
        return kept
    found = []
    for held in value:
        if isinstance(held, _HOLDING):
            held = _without_empty(held)
        if held or isinstance(held, _NUMBERS):
            found.append(held)
    return found


_HOLDING = (dict, list, tuple)
_NUMBERS = (int, float)  # and what is true or false
