"""Sample patients through a pipeline with a store, for the tests of what is shown, kept and given again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

import orjson
from sqlalchemy import event

from cds_service import registry
from cds_service.app import create_pipeline
from cds_service.cli import calls, options
from cds_service.pipeline import Pipeline
from cds_service.protocol.feedback import Item
from cds_service.registry import Registry
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.prefetch import ReadShelf, request_for
from cds_service.security.trust import Caller
from cds_service.settings import Settings
from cds_service.stores.assessments import Assessment, AssessmentStore
from cds_service.stores.database import Database
from cds_service.stores.feedback import FeedbackStore
from cds_service.stores.scopes import scope_of

CALLS = UUID(int=99)
RISK = "cardiovascular-risk"


@lru_cache(maxsize=1)
def loaded() -> Registry:
    return registry.load()


@lru_cache(maxsize=16)
def bundle(name: str) -> Any:
    return options.read_bundle(calls.sample(name))


@lru_cache(maxsize=100)
def shelf(name: str) -> ReadShelf:
    return ReadShelf(bundle(name))


def overheard(database: Database) -> list[str]:
    """What the database is told from now on, by the paths that serve."""
    told: list[str] = []
    if database.url.startswith("sqlite"):
        with database.reading("listening") as connection:  # which is taken again: the last one given back
            connection.set_trace_callback(told.append)  # type: ignore[union-attr]
    else:
        event.listen(database.engine, "commit", lambda _: told.append("COMMIT"))
    return told


@dataclass
class Site:
    """A pipeline over a store, at a moment that moves."""

    store: AssessmentStore
    settings: Settings = field(default_factory=Settings)
    caller: Caller = field(default_factory=Caller)
    now: datetime = AS_OF
    calls: int = 0
    made: dict[int, tuple[Settings, Pipeline]] = field(default_factory=dict)

    def pipeline(self) -> Pipeline:
        """One for all calls under the same settings: its clock is the site's."""
        if id(self.settings) not in self.made:
            pipeline = create_pipeline(self.settings, _SiteClock(self), self.store, loaded())
            self.made[id(self.settings)] = (self.settings, pipeline)
        return self.made[id(self.settings)][1]

    def restart(self) -> None:
        """The next call is answered by a pipeline that has just begun."""
        self.made.clear()

    def call(self, sample: str, service: str = RISK, changed: Any = None) -> dict[str, Any]:
        """The response for a sample patient, each call under another hookInstance."""
        pipeline = self.pipeline()
        entries: Any = pipeline.discovery()["services"]
        request = request_for(next(e for e in entries if e["id"] == service), changed or shelf(sample))
        self.calls += 1
        request["hookInstance"] = str(uuid5(CALLS, str(self.calls)))
        found: dict[str, Any] = orjson.loads(pipeline.answer(service, orjson.dumps(request), self.caller))
        return found

    def later(self, by: timedelta) -> None:
        self.now += by

    def give(self, card: dict[str, Any], accepted: tuple[str, ...] = (), service: str = RISK) -> None:
        """Feedback on a card: overridden, or the suggestions accepted."""
        outcome: Any = "accepted" if accepted else "overridden"
        item = Item(UUID(card["uuid"]), outcome, self.now, tuple(map(UUID, accepted)))
        scope = scope_of(self.caller.issuer, self.caller.tenant)
        FeedbackStore(self.store.database).keep(service, scope, [item], self.now)

    def kept(self) -> list[Assessment]:
        """All assessments, in order."""
        with self.store.database.engine.connect() as connection:
            ids = connection.exec_driver_sql("SELECT id FROM assessments ORDER BY at, rowid").scalars().all()
        found = [self.store.get(UUID(id_)) for id_ in ids]
        return [one for one in found if one is not None]


@dataclass
class _SiteClock:
    """Tells the moment of a site."""

    site: Site

    def now(self) -> datetime:
        """The site's moment."""
        return self.site.now


def resources(sample: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The resources of a type in a bundle."""
    rows = (entry["resource"] for entry in sample["entry"])
    return [row for row in rows if row["resourceType"] == kind]
