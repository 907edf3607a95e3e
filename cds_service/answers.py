"""An answer as it is compared with another one: what was read, estimated, found and shown, and what shaped it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar
from uuid import UUID

import msgspec
import orjson

from cds_service.errors import InputError, PreconditionFailed, UnknownService
from cds_service.findings import EvidenceFinding, Finding
from cds_service.pipeline import Pipeline
from cds_service.stores.assessments import Assessment, AssessmentStore
from cds_service.stores.requests import RequestStore, thaw

T = TypeVar("T")
State = Literal["answered", "refused", "unkept", "gone"]
_RESOURCE = re.compile(r"[A-Z][A-Za-z]+(/|$)")  # of the patient; anything else in a path is a row of the knowledge


class Answer(msgspec.Struct, frozen=True):
    """One answer. state: `answered`, or why there is none: `refused` (412), the request was not kept, service gone.

    versions: of what shaped it. inputs, estimates, findings: id or key -> what was found, in a few words. thresholds:
    of the service, rows: of the knowledge that findings rest on; None where that is not known. cards: shown, kept_back:
    composed by a silent service, in wire form. response: the body.
    """

    id: UUID
    service: str
    at: datetime
    state: State = "answered"
    versions: dict[str, str] = {}
    inputs: dict[str, str] = {}
    estimates: dict[str, str] = {}
    findings: dict[str, str] = {}
    thresholds: dict[str, float] | None = None
    rows: dict[str, str] | None = None
    response: str = ""
    kept_back: list[dict[str, Any]] = []

    @property
    def cards(self) -> list[dict[str, Any]]:
        """The cards, shown or kept back."""
        shown = orjson.loads(self.response).get("cards", []) if self.response else []
        return [*shown, *self.kept_back]


class Kept(msgspec.Struct, frozen=True):
    """What a stored answer rested on: its id, service and moment, and the frozen basis; None if that was not kept."""

    id: UUID
    service: str
    at: datetime
    basis: bytes | None


def stored(store: AssessmentStore, since: datetime | None) -> Iterator[tuple[Answer, Kept]]:
    """Each stored answer as it was sent, with what it rested on, the oldest first. Raises StoreError."""
    requests = RequestStore(store.database)
    for id_, service in store.ids(since):
        assessment = store.get(id_)
        if assessment is not None:
            yield of_assessment(assessment), Kept(id_, service, assessment.at, requests.body(id_))


def with_requests(store: AssessmentStore, answers: Iterable[Answer]) -> Iterator[tuple[Answer, Kept]]:
    """Answers of somebody else, each with the stored request; those whose request is not kept are left out.

    Raises StoreError.
    """
    requests = RequestStore(store.database)
    for answer in answers:
        basis = requests.body(answer.id)
        if basis is not None:
            yield answer, Kept(answer.id, answer.service, answer.at, basis)


def of_assessment(kept: Assessment) -> Answer:
    """A stored answer as it was sent."""
    return Answer(
        kept.id,
        kept.service_id,
        kept.at,
        versions=dict(kept.versions),
        response=kept.response.decode(),
        kept_back=[dict(card) for card in kept.cards],
        inputs=_inputs(_plain(kept.inputs)),
        estimates=_estimates(_plain(kept.results)),
        findings=_findings(_plain(kept.results)),
    )


def again(pipeline: Pipeline, kept: Kept) -> Answer:
    """The answer that this installation gives to a stored request, at the moment of then. Raises StoreError."""
    try:
        desk = pipeline.desk(kept.service)
    except UnknownService:
        return Answer(kept.id, kept.service, kept.at, "gone")
    versions = pipeline.versions(desk)
    if kept.basis is None:
        return Answer(kept.id, kept.service, kept.at, "unkept", versions)
    try:
        decision = pipeline.decide(desk, thaw(kept.basis, desk.needs), kept.at)
    except PreconditionFailed:
        return Answer(kept.id, kept.service, kept.at, "refused", versions, thresholds=dict(desk.thresholds))
    answer = of_assessment(pipeline.recorded(desk, decision))
    return msgspec.structs.replace(answer, id=kept.id, thresholds=dict(desk.thresholds), rows=_rows(decision.findings))


def write(item: Answer | Kept) -> bytes:
    """One line of a file of answers or of requests."""
    return msgspec.json.encode(item) + b"\n"


def read_answer(line: bytes) -> Answer:
    """An answer that `write` wrote. Raises InputError."""
    return _read(line, Answer)


def read_kept(line: bytes) -> Kept:
    """A request that `write` wrote. Raises InputError."""
    return _read(line, Kept)


def _read(line: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(line, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise InputError(
            "the file holds a line that `curbside replay` did not write, or another release did"
        ) from error


def _plain(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Times as text, whether they come from a decision or from the store."""
    found: list[dict[str, Any]] = orjson.loads(orjson.dumps(rows))
    return found


def _inputs(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    return {
        row["id"]: row.get("unusable") or " ".join(str(row[k]) for k in ("value", "unit", "effective") if row.get(k))
        for row in rows
    }


def _estimates(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    found = {}
    for row in rows:
        if "refusal" in row:
            found[row["model"]] = row["refusal"]
        elif "model" in row:
            parts = (row["model"], row["outcome"], row["horizon_years"])
            name = "/".join(str(part) for part in parts if part is not None)
            found[name] = f"{row['value']:.4g}" + (f" ({row['band']})" if row["band"] else "")
    return found


def _findings(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    found = {r["finding"]: r["severity"].lower() + (", silent" if r["silent"] else "") for r in rows if "severity" in r}
    for row in rows:
        if "suppressed" in row and row.get("finding") in found:
            found[row["finding"]] += f", held back: {row['suppressed']}"
    return found


def _rows(findings: Sequence[Finding]) -> dict[str, str]:
    return {
        row: str(words)
        for finding in findings
        if isinstance(finding, EvidenceFinding)
        for words, row in finding.path
        if not _RESOURCE.match(row)
    }
