"""What is kept of one answer, in one transaction: assessment, request, cards, claims, audit entry, use of the token."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from cds_service import __version__
from cds_service.compiled import program
from cds_service.fhir import resources as fhir
from cds_service.protocol.response import Card, HookResponse
from cds_service.security.trust import Caller
from cds_service.settings import Settings
from cds_service.showing import Shown
from cds_service.stores import audit
from cds_service.stores.assessments import Assessment, AssessmentStore
from cds_service.stores.feedback import ShownCards
from cds_service.stores.requests import Basis, FrozenRequest, freeze
from cds_service.stores.scopes import scope_of
from cds_service.stores.suppression import Showing, SuppressionStore
from cds_service.suppression import Seen

if TYPE_CHECKING:
    from cds_service.stores.statements import Unit

# Sections of the settings that shape an answer; a change of the others leaves a replay the same.
SHAPING = ("models", "cards", "knowledge", "app", "alerts", "services")
_LONGEST_UNIT = 100
_LONGEST_REST = timedelta(days=3650)


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer and what it rests on. also: what else is written with it."""

    assessment: Assessment
    basis: Basis
    shown: Shown
    also: tuple[Unit, ...] = ()


class Keeper:
    """Keeps answers, and knows what was kept of a patient."""

    def __init__(self, store: AssessmentStore, settings: Settings) -> None:
        self._store = store
        self._same = timedelta(seconds=settings.alerts.same_finding_s)
        self._seen = SuppressionStore(store.database)

    def seen(self, basis: Basis, caller: Caller, now: datetime) -> tuple[Seen, ...]:
        """What is known about the patient's findings. Raises StoreError."""
        scope = scope_of(caller.issuer, caller.tenant)
        return self._seen.seen(basis.request.patient_id, scope, now - _LONGEST_REST)

    def keep(self, answer: Answer, caller: Caller) -> None:
        """Commits one answer and the use of the caller's token, or neither.

        Raises StoreError; Unauthorized where the token was used before; ShownElsewhere where another service showed
        one of the findings a moment ago.
        """
        also: Sequence[Unit] = () if caller.use is None else (caller.use.write,)
        self._store.save(answer.assessment, also, self._parts(answer, caller))
        caller.stored()

    def rehearse(self, answer: Answer) -> None:
        """Writes one answer and takes it back, so that the first one kept finds all ready. Raises StoreError."""
        try:
            self._store.save(answer.assessment, (), [*self._parts(answer, Caller()), _take_back])
        except _TakenBackError:
            return

    def _parts(self, answer: Answer, caller: Caller) -> list[Unit]:
        """What belongs to the assessment; the audit entry comes last, because all writers wait for its turn."""
        assessment, shown, request = answer.assessment, answer.shown, answer.basis.request
        scope = scope_of(caller.issuer, caller.tenant)
        parts: list[Unit] = [FrozenRequest(assessment.id, freeze(answer.basis)).write]
        if shown.cards:
            cards = ShownCards(assessment.id, request.patient_id, scope, assessment.service_id, shown.cards)
            parts.append(cards.write)
        if shown.claims:
            claims = Showing(request.patient_id, scope, assessment.service_id, assessment.at, shown.claims, self._same)
            parts.append(claims.write)
        parts += answer.also
        entry = audit.Entry("assessment", assessment.at, assessment.id, _content(answer, caller))
        parts.append(lambda connection: audit.append(connection, [entry]))
        return parts


class _TakenBackError(Exception):
    """Undoes the transaction of a rehearsal."""


def _take_back(_connection: object) -> None:
    raise _TakenBackError


def _content(answer: Answer, caller: Caller) -> dict[str, Any]:
    assessment, shown, request = answer.assessment, answer.shown, answer.basis.request
    found: dict[str, Any] = {
        "service": assessment.service_id,
        "hook": request.hook,
        "hook_instance": request.hook_instance,
        "patient": request.patient_id,
        "response": hashlib.sha256(assessment.response).hexdigest(),
        "cards": [card.uuid for card in shown.cards],
        "shown": [key for key, _ in shown.claims],
        "versions": assessment.versions,
    }
    optional: dict[str, Any] = {
        "client": caller.client,
        "tenant": caller.tenant,
        "user": request.user_id,
        "kept_back": len(shown.kept_back),
        "suppressed": [one.entry() for one in shown.suppressed],
        "worded": bool(answer.basis.told),
    }
    return found | {name: value for name, value in optional.items() if value}


def unit_of(encounter: fhir.Encounter | None) -> str | None:
    """Where in the hospital an encounter is: its last location, as it is named; None if it names none."""
    places = encounter.location if encounter is not None else ()
    place = places[-1].location if places else None
    named = (place.display or (place.reference or "").rsplit("/", 1)[-1]) if place is not None else ""
    return " ".join("".join(c if c.isprintable() else " " for c in named).split())[:_LONGEST_UNIT] or None


def wire(cards: Sequence[Card]) -> list[Any]:
    """Cards in wire form: for those that a silent service composed."""
    return HookResponse(cards=tuple(cards)).wire()["cards"] if cards else []


def versions(
    settings: Settings, models: Mapping[str, str], files: Sequence[Path], code_map: str = ""
) -> dict[str, str]:
    """What shaped an answer: versions of Curbside and its models, digests of code and of the settings that matter.

    files: of the service's plugins. code_map: digest of the hospital's code map, empty without one.
    """
    stated = asdict(settings)
    digests = {f"settings.{name}": _digest(stated[name]) for name in SHAPING}
    if code_map:
        digests["settings.codes"] = code_map
    return {"curbside": __version__, "code": _code(tuple(files)), **digests, **models}


def _digest(value: Any) -> str:
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS, default=str)
    return hashlib.sha256(text).hexdigest()[:16]


@lru_cache(maxsize=64)
def _code(files: tuple[Path, ...]) -> str:
    """A digest of the package's Python files and of some plugin files."""
    found = hashlib.sha256(program().encode())
    for path in files:
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]
