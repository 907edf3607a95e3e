"""Every stored answer given again: what a new release or new settings would change, before they are live."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from cds_service.pipeline import Pipeline
from cds_service.replay import replay
from cds_service.stores.assessments import AssessmentStore


@dataclass(frozen=True, slots=True)
class CardChange:
    """One card that would differ: `gone`, `new` or `changed`, with its summaries; None where there is none."""

    kind: str
    before: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One answer that would differ. why: a sentence for each thing that is not what it was."""

    id: UUID
    at: datetime
    service: str
    cards: tuple[CardChange, ...]
    why: tuple[str, ...]


def all_again(pipeline: Pipeline, store: AssessmentStore, since: datetime | None) -> Iterator[Difference | None]:
    """Each stored answer in the order of time: None where it would be the same. Raises StoreError."""
    for id_, service in store.ids(since):
        found = replay(pipeline, store, id_)
        if found.state == "differs":
            cards = tuple(_changes(_cards(found.stored), _cards(found.now)))
            why = found.changed or ("nothing that should matter changed: please report this",)
            yield Difference(id_, found.at, service, cards, why)
        else:
            yield None


def _cards(body: bytes) -> Mapping[str, Mapping[str, Any]]:
    cards = orjson.loads(body).get("cards", ()) if body else ()
    return {card.get("uuid", str(number)): card for number, card in enumerate(cards)}


def _changes(then: Mapping[str, Mapping[str, Any]], now: Mapping[str, Mapping[str, Any]]) -> Iterator[CardChange]:
    for uuid, card in then.items():
        if uuid not in now:
            yield CardChange("gone", card["summary"], None)
        elif now[uuid] != card:
            yield CardChange("changed", card["summary"], now[uuid]["summary"])
    for uuid, card in now.items():
        if uuid not in then:
            yield CardChange("new", None, card["summary"])
