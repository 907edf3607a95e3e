"""A made-up population played through an installation: hooks called and answered, so that there is something to watch.

    python -m cds_service.sandbox.playing POPULATION --outcomes outcomes.toml --patients 600 --came came.csv

The services that the outcomes name answer at each visit and stay, with what was known then, and store what they answer;
of each ten cards six are answered by made-up clinicians. What came of it is written as `curbside monitor` reads it.
"""

from __future__ import annotations

import argparse
import csv
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from cds_service import settings as settings_module
from cds_service.app import create_pipeline, create_store
from cds_service.cohort.backtest import calls
from cds_service.cohort.outcomes import Declared, read, truth
from cds_service.cohort.patients import Loaded, known_at, load
from cds_service.cohort.spool import Spool
from cds_service.errors import CurbsideError
from cds_service.fhir.times import parse
from cds_service.pipeline import Pipeline
from cds_service.protocol.feedback import Item
from cds_service.sandbox.prefetch import ReadShelf, request_for
from cds_service.settings import Settings
from cds_service.stores.feedback import FeedbackStore
from cds_service.stores.scopes import scope_of

Json = dict[str, Any]
_REASONS = ("not relevant for this patient", "already discussed", "patient refused", "not now")


@dataclass
class _Then:
    """A clock that stands where the call stands."""

    at: datetime

    def now(self) -> datetime:
        """The moment of the call."""
        return self.at


def play(folder: Path, declared: Declared, settings: Settings, patients: int, came: Path) -> tuple[int, int]:
    """Plays patients that are spread evenly over a population; numbers of calls and of cards. Raises CurbsideError."""
    store = create_store(settings)
    with tempfile.TemporaryDirectory(prefix="curbside-playing-") as name, came.open("w", newline="") as file:
        spool = Spool(Path(name) / "spool.db", writable=True)
        try:
            spool.fill(folder)
            then = _Then(declared.until)
            player = _Player(create_pipeline(settings, then, store), then, declared, FeedbackStore(store.database))
            ids, listed = spool.patients(), spool.types()
            rows = csv.writer(file)
            rows.writerow(("patient", "outcome", "on"))
            for id_ in ids[:: max(len(ids) // patients, 1)][:patients]:
                rows.writerows(player.patient(load(spool, id_, listed)))
        finally:
            spool.close()
            store.close()
    return player.calls, player.cards


class _Player:
    """Calls hooks, and answers cards."""

    def __init__(self, pipeline: Pipeline, then: _Then, declared: Declared, feedback: FeedbackStore) -> None:
        self._pipeline, self._then, self._declared, self._feedback = pipeline, then, declared, feedback
        wanted = {service for outcome in declared.outcomes for service in outcome.services}
        listing: Any = pipeline.discovery()["services"]
        self._services: list[Json] = [entry for entry in listing if entry["id"] in wanted]
        self._rng = random.Random(1)
        self.calls = self.cards = 0

    def patient(self, loaded: Loaded) -> list[tuple[str, str, str]]:
        """Plays one patient; what came: patient, outcome and day."""
        found: dict[tuple[str, str, str], None] = {}
        for hook, at, encounter in calls(loaded):
            if at <= self._declared.until:
                shelf = ReadShelf({"entry": [{"resource": row} for row in rows(loaded, at)]})
                for service in self._services:
                    if service["hook"] == hook:
                        self._call(service, shelf, at, str(encounter.id))
            for outcome in self._declared.outcomes:
                told = truth(outcome, loaded, at, encounter.id, self._declared.until)
                if outcome.hook == hook and told.came and told.days is not None:
                    day = datetime.fromtimestamp(at.timestamp() + told.days * 86_400, at.tzinfo).date()
                    found[loaded.id, outcome.id, day.isoformat()] = None
        return list(found)

    def _call(self, service: Json, shelf: ReadShelf, at: datetime, encounter: str) -> None:
        self._then.at = at
        body = orjson.dumps(request_for(service, shelf, encounter_id=encounter))
        answer = orjson.loads(self._pipeline.answer(service["id"], body))
        self.calls += 1
        self.cards += len(answer["cards"])
        items = [self._item(card, at) for card in answer["cards"] if self._rng.random() < 0.6]
        if items:
            self._feedback.keep(service["id"], scope_of(None, None), items, at)

    def _item(self, card: Json, at: datetime) -> Item:
        suggested = [UUID(one["uuid"]) for one in card.get("suggestions", ())]
        if suggested and self._rng.random() < 0.3:
            return Item(UUID(card["uuid"]), "accepted", at, (suggested[0],))
        reason = self._rng.choice(_REASONS)
        return Item(UUID(card["uuid"]), "overridden", at, reason=(None, reason.replace(" ", "-"), reason))


def rows(loaded: Loaded, at: datetime) -> Iterator[Json]:
    """A patient's resources as JSON, as they stood at a moment."""
    for body, resource in zip(loaded.bodies, loaded.resources, strict=False):
        if not known_at(resource, at):
            continue
        row: Json = orjson.loads(body)
        died, period = parse(row.get("deceasedDateTime")), row.get("period") or {}
        ended = parse(period.get("end"))
        if died is not None and died.after(at):
            del row["deceasedDateTime"]
        if ended is not None and ended.after(at):
            row |= {"period": {"start": period["start"]}, "status": "in-progress"}
        yield row


def main() -> None:
    """Plays a population."""
    parser = argparse.ArgumentParser(description="A made-up population, played through this installation.")
    parser.add_argument("population", type=Path)
    parser.add_argument("--outcomes", type=Path, required=True, help="whose services are called (TOML)")
    parser.add_argument("--came", type=Path, required=True, help="where what came is written (CSV)")
    parser.add_argument("--patients", type=int, default=600)
    parser.add_argument("--config", type=Path, help="settings file instead of curbside.toml")
    given = parser.parse_args()
    try:
        settings = settings_module.load(given.config)
        made, cards = play(given.population, read(given.outcomes), settings, given.patients, given.came)
    except CurbsideError as error:
        raise SystemExit(f"playing: {error}") from error
    print(f"{made} calls were answered with {cards} cards; what came is in {given.came}.")


if __name__ == "__main__":
    main()
