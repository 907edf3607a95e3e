"""Giving a past answer again: bit for bit, or with the name of what changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import orjson

from cds_service.errors import InputError, PreconditionFailed, UnknownService
from cds_service.keeping import wire
from cds_service.pipeline import Pipeline
from cds_service.stores.assessments import AssessmentStore
from cds_service.stores.audit import AuditStore
from cds_service.stores.requests import RequestStore


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of giving an answer again.

    state: `same` bytes, another answer (`differs`), or `deleted`. changed: a sentence for each thing that is not what
    it was then. stored, now: the two bodies. at: of the answer, or of its deletion.
    """

    state: Literal["same", "differs", "deleted"]
    at: datetime
    changed: tuple[str, ...] = ()
    stored: bytes = b""
    now: bytes = b""


def replay(pipeline: Pipeline, store: AssessmentStore, id_: UUID) -> Replay:
    """One assessment's answer, given again. Raises InputError for an assessment that never was, StoreError."""
    assessment = store.get(id_)
    if assessment is None:
        return _deleted(AuditStore(store.database), id_)
    try:
        desk = pipeline.desk(assessment.service_id)
    except UnknownService:
        gone = f"the service {assessment.service_id} is no longer loaded"
        return Replay("differs", assessment.at, (gone,), assessment.response)
    changed = tuple(_changes(assessment.versions, pipeline.versions(desk)))
    basis = RequestStore(store.database).get(id_, desk.needs)
    if basis is None:
        never = "the request was not kept: the assessment is older than the keeping of requests"
        return Replay("differs", assessment.at, (*changed, never), assessment.response)
    try:
        decision = pipeline.decide(desk, basis, assessment.at)
    except PreconditionFailed:
        refused = "today the service would refuse this request (412)"
        return Replay("differs", assessment.at, (*changed, refused), assessment.response)
    now = orjson.dumps(decision.response.wire())
    same = now == assessment.response and wire(decision.shown.kept_back) == list(assessment.cards)
    return Replay("same" if same else "differs", assessment.at, changed, assessment.response, now)


def _deleted(audit: AuditStore, id_: UUID) -> Replay:
    known = audit.about(id_)
    if not known:
        raise InputError(f"there is no assessment {id_}. Take the id from the audit export or the store.")
    deletion = audit.deletion_of(known[0].seq)
    why = f"its content was {deletion.kind}" if deletion is not None else "no entry says why: verify the audit record"
    return Replay("deleted", deletion.at if deletion is not None else known[0].at, (why,))


def _changes(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """A sentence for each version or digest that is not what it was."""
    found = []
    for name in (*then, *(name for name in now if name not in then)):
        before, after = then.get(name), now.get(name)
        if before == after:
            continue
        if name.startswith("settings."):
            found.append(f"the settings [{name.removeprefix('settings.')}] are not those of then")
        elif name == "code":
            found.append("the code is not that of then")
        elif name == "knowledge":
            found.append(f"the knowledge was {before or 'not used'}, and is {after or 'not used'} now")
        else:
            what = "Curbside" if name == "curbside" else f"model {name}"
            found.append(f"{what} was {before or 'not loaded'}, and is {after or 'not loaded'} now")
    return found
