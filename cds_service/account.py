"""An account of one answer, for those who ask why a card was shown: all of it from what was kept at that moment.

What was read, from which resources; which models gave what, with what they add up from; which rows of the knowledge;
what was shown to whom, and what became of it; and whether the answer can be given again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from cds_service import answers, signed
from cds_service.errors import InputError
from cds_service.pipeline import Pipeline
from cds_service.protocol.request import HookRequest, PrefetchValue
from cds_service.registry import Registry
from cds_service.replay import replay
from cds_service.replaying import Difference, Why, compare
from cds_service.risk.fusion import Fusion
from cds_service.risk.manifest import Manifest
from cds_service.risk.model import RiskModel
from cds_service.settings import Settings
from cds_service.stores.about import AboutStore, Told
from cds_service.stores.assessments import Assessment, AssessmentStore
from cds_service.stores.audit import AuditStore
from cds_service.stores.requests import RequestStore, freeze, thaw

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AuditLine:
    """An entry of the audit record about the answer."""

    entry: int
    kind: str
    at: datetime
    user: str
    hash: str


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """A model that ran. version: of then; now: as it is loaded. signed_off: by whom and when, or why not."""

    id: str
    version: str
    now: str
    kind: str
    source: str
    calibration: str
    signed_off: str
    refusal: str
    estimates: tuple[Json, ...]


@dataclass(frozen=True, slots=True)
class Account:
    """All that is known of one answer. state, changed: of its replay. cards: as they were sent.

    findings: what was found, shown or not, with the rows of the knowledge that it rests on.
    """

    assessment: UUID
    at: datetime
    service: str
    hook: str
    patient: str
    user: str
    client: str
    unit: str
    elapsed_ms: int | None
    state: str
    changed: tuple[str, ...]
    cards: tuple[Json, ...]
    kept_back: int
    feedback: tuple[Told, ...]
    models: tuple[ModelFacts, ...]
    inputs: tuple[Json, ...]
    findings: tuple[Json, ...]
    left_out: Mapping[str, int] = field(hash=False)
    rows: Mapping[str, str] = field(hash=False)
    versions: Mapping[str, str] = field(hash=False)
    audit: tuple[AuditLine, ...] = ()


def found(store: AssessmentStore, id_: UUID) -> Assessment:
    """The assessment of an id, or of a card's. Raises InputError where neither is kept, StoreError."""
    kept = store.get(id_) or store.get(AboutStore(store.database).assessment_of(id_) or id_)
    if kept is None:
        raise InputError(
            f"there is no answer {id_}: neither an assessment nor a card of this id is kept. Take the id from a card, "
            "or from the audit export; what was deleted is told by curbside replay."
        )
    return kept


def account(pipeline: Pipeline, registry: Registry, settings: Settings, store: AssessmentStore, id_: UUID) -> Account:
    """The account of an answer. id_: of the assessment or of one of its cards. Raises InputError, StoreError."""
    kept = found(store, id_)
    again = replay(pipeline, store, kept.id)
    entries = AuditStore(store.database).about(kept.id)
    content = next((e.content for e in entries if e.kind == "assessment" and e.content is not None), {})
    results = orjson.loads(orjson.dumps(kept.results))
    told, basis = answers.of_assessment(kept), RequestStore(store.database).body(kept.id)
    rows = answers.again(pipeline, answers.Kept(kept.id, kept.service_id, kept.at, basis)).rows
    return Account(
        assessment=kept.id,
        at=kept.at,
        service=kept.service_id,
        hook=kept.hook,
        patient=kept.patient_id,
        user=str(content.get("user", "")),
        client=str(content.get("client") or kept.client or ""),
        unit=kept.unit or "",
        elapsed_ms=kept.elapsed_ms,
        state=again.state,
        changed=again.changed,
        cards=tuple(orjson.loads(told.response)["cards"]),
        kept_back=len(kept.cards),
        feedback=AboutStore(store.database).feedback(kept.id),
        models=tuple(_models(kept, results, registry, settings, pipeline)),
        inputs=tuple(orjson.loads(orjson.dumps(kept.inputs))),
        findings=tuple(row for row in results if "finding" in row),
        left_out=next((row["left_out"] for row in results if "left_out" in row), {}),
        rows=rows or {},
        versions=dict(kept.versions),
        audit=tuple(
            AuditLine(e.seq, e.kind, e.at, str((e.content or {}).get("user", "")), e.hash.hex()) for e in entries
        ),
    )


def _models(
    kept: Assessment, results: Sequence[Json], registry: Registry, settings: Settings, pipeline: Pipeline
) -> Iterator[ModelFacts]:
    by_model: dict[str, list[Json]] = {}
    for row in results:
        if "model" in row:
            by_model.setdefault(row["model"], []).append(row)
    for id_, rows in by_model.items():
        model = registry.models.get(id_)
        refusal = next((row["reason"] for row in rows if "refusal" in row), "")
        estimates = tuple(row for row in rows if "refusal" not in row)
        version = str(kept.versions.get(id_, "?"))
        if model is None:
            yield ModelFacts(id_, version, "not loaded", "", "", "", "", refusal, estimates)
            continue
        yield ModelFacts(
            id_,
            version,
            model.version,
            "trained" if model.trained else "published",
            f"{model.citation.text} {model.citation.url}".strip(),
            calibration(model),
            _signed(model, settings, pipeline),
            refusal,
            estimates,
        )


def calibration(model: RiskModel) -> str:
    """The lines that make log-odds of a trained model's margin, as the manifest now loaded holds them; else empty."""
    manifest = getattr(model, "manifest", None)
    if isinstance(manifest, Fusion):
        return f"a line of its own for each of {len(manifest.patterns)} patterns of modalities, in its manifest"
    if not isinstance(manifest, Manifest):
        return ""
    known = manifest.calibration
    lines = [
        f"{name}: {intercept:+.4f} {known.slopes.get(name, known.slope):+.4f} x margin"
        for name, intercept in known.intercepts.items()
    ]
    return f"log-odds of {'; '.join(lines)} (fitted on {known.rows})"


def _signed(model: RiskModel, settings: Settings, pipeline: Pipeline) -> str:
    if not model.trained:
        return ""
    entry = settings.models.signed_off.get(model.id)
    if entry is None:
        return "by nobody"
    state = "in force" if pipeline.validated(model) else "not in force (curbside models says why)"
    until = signed.lapses(model.id, settings)
    return f"version {entry.version} by {entry.by} on {entry.on}{f', until {until}' if until else ''}, {state}"


def without(pipeline: Pipeline, store: AssessmentStore, id_: UUID, references: Sequence[str]) -> Difference | None:
    """What the answer would have been had some resources not been there; None if it would be the same.

    Both sides are computed with the code of now. Raises InputError naming a resource that the answer did not read.
    """
    kept = found(store, id_)
    desk = pipeline.desk(kept.service_id)
    body = RequestStore(store.database).body(kept.id)
    if body is None:
        raise InputError("what this answer rested on was not kept.")
    basis = thaw(body, desk.needs)
    there = frozenset(_read(basis.request))
    for reference in references:
        if reference not in there:
            own = sorted({source for row in kept.inputs for source in row.get("sources", ())} & there)
            raise InputError(f"the answer did not read {reference}. Its inputs rest on: {', '.join(own) or 'nothing'}.")
    rest = replace(basis, request=_without(basis.request, frozenset(references)))
    whole = answers.again(pipeline, answers.Kept(kept.id, kept.service_id, kept.at, body))
    other = answers.again(pipeline, answers.Kept(kept.id, kept.service_id, kept.at, freeze(rest)))
    differs = compare(whole, other)
    if differs is None:
        return None
    followed = [why for why in differs.why if why.cause in ("service", "input", "estimate", "finding")]
    return replace(differs, why=(Why("input", f"left out: {', '.join(references)}"), *followed))


def _reference(row: Any) -> str:
    return f"{type(row).__name__}/{getattr(row, 'id', None)}"


def _drafts(request: HookRequest) -> list[Json]:
    drafts = request.context.get("draftOrders")
    return list(drafts.get("entry", ())) if isinstance(drafts, dict) else []


def _draft(entry: Json) -> str:
    resource = entry.get("resource") or {}
    return f"{resource.get('resourceType')}/{resource.get('id')}"


def _read(request: HookRequest) -> Iterator[str]:
    for value in request.prefetch.values():
        yield from map(_reference, value.resources)
    yield from map(_draft, _drafts(request))


def _without(request: HookRequest, gone: frozenset[str]) -> HookRequest:
    prefetch = {key: _less(value, gone) for key, value in request.prefetch.items()}
    context = dict(request.context)
    if entries := _drafts(request):
        context["draftOrders"] = {**context["draftOrders"], "entry": [e for e in entries if _draft(e) not in gone]}
    return replace(request, prefetch=prefetch, context=context)


def _less(value: PrefetchValue, gone: frozenset[str]) -> PrefetchValue:
    urls = value.full_urls or (None,) * len(value.resources)
    kept = [(row, url) for row, url in zip(value.resources, urls, strict=True) if _reference(row) not in gone]
    if len(kept) == len(value.resources):
        return value
    state: Any = value.state if kept else "none"
    return replace(value, state=state, resources=tuple(r for r, _ in kept), full_urls=tuple(u for _, u in kept))
