"""What an answer rested on, kept so that it can be given again: the normalised request, and what was known.

The rows are kept as they were read, as JSON: declared members only, fetched data beside prefetched, without the EHR's
token.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec
from isal import isal_zlib

from cds_service.errors import StoreError
from cds_service.fhir.resources import AnyResource, Resource
from cds_service.fhir.sensitivity import withheld
from cds_service.language import Message
from cds_service.needs import Gap, Need
from cds_service.protocol.request import HookRequest, PrefetchValue
from cds_service.stores.database import Database
from cds_service.stores.statements import Statement, insert_into
from cds_service.summary.told import Told
from cds_service.suppression import Seen

if TYPE_CHECKING:
    from cds_service.stores.statements import Connection

_INSERT = insert_into("requests", "assessment_id, body")
_GET = Statement("SELECT body FROM requests WHERE assessment_id = :id")
_FAST = 1  # a tenth of a millisecond for 200 KB, where zlib itself takes seven, and a fifteenth of the size


class Absence(msgspec.Struct, frozen=True, array_like=True):
    """A prefetch key without its data: the key, the reason as a message's text and values, and whether in part."""

    key: str
    text: str
    values: dict[str, Any]
    partial: bool


@dataclass(frozen=True, slots=True)
class Basis:
    """All that a decision rests on beside settings, plugins and code.

    request: with all data that were fetched. gaps: what could not be had. seen: what was known about the patient's
    findings. writes: whether the client lets `systemActions` be sent. admitted: the sensitivity labels whose resources
    may be used for it; of the others only id, labels and subject are kept. told: the summary's lines in a language
    model's words, where they are shown. silenced: models of the service that monitoring had silenced.
    """

    request: HookRequest
    gaps: tuple[Gap, ...] = ()
    seen: tuple[Seen, ...] = ()
    writes: bool = False
    admitted: tuple[str, ...] = ()
    told: tuple[Told, ...] = ()
    silenced: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()


class _Value(msgspec.Struct, array_like=True):
    state: str
    resources: tuple[AnyResource, ...]
    full_urls: tuple[str | None, ...] | None
    complete: bool
    next_url: str | None


class _Seen(msgspec.Struct, array_like=True):
    outcome: str
    finding: str
    at: datetime
    service: str
    severity: int
    magnitude: float | None
    proposals: tuple[str, ...]


class _Body(msgspec.Struct):
    hook: str
    hook_instance: UUID
    patient_id: str
    user_id: str | None
    encounter_id: str | None
    fhir_server: str | None
    prefetch: dict[str, _Value]
    context: dict[str, Any]
    gaps: tuple[Absence, ...]
    seen: tuple[_Seen, ...]
    writes: bool
    admitted: tuple[str, ...]
    told: tuple[Told, ...] = ()
    silenced: tuple[str, ...] = ()
    failed: tuple[tuple[str, str], ...] = ()
    passed_over: int = 0


_STUB = ("id", "meta", "subject", "patient", "status", "clinical_status", "verification_status")
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Body)


def freeze(basis: Basis) -> bytes:
    """The basis in a few kilobytes."""
    request = basis.request
    body = _Body(
        request.hook,
        request.hook_instance,
        request.patient_id,
        request.user_id,
        request.encounter_id,
        request.fhir_server,
        {key: _value(value, basis.admitted) for key, value in request.prefetch.items()},
        dict(request.context),
        tuple(Absence(gap.key, gap.reason.text, dict(gap.reason.values), gap.partial) for gap in basis.gaps),
        tuple(_Seen(s.outcome, s.finding, s.at, s.service, s.severity, s.magnitude, s.proposals) for s in basis.seen),
        basis.writes,
        basis.admitted,
        basis.told,
        basis.silenced,
        basis.failed,
        request.passed_over,
    )
    return isal_zlib.compress(_ENCODER.encode(body), _FAST)


def _value(value: PrefetchValue, admitted: tuple[str, ...]) -> _Value:
    urls = value.full_urls if any(value.full_urls) else None
    rows = value.resources
    if any(row.meta is not None and row.meta.security for row in rows if isinstance(row, Resource)):
        rows = tuple(_stub(row) if isinstance(row, Resource) and withheld(row, admitted) else row for row in rows)
    return _Value(value.state, rows, urls, value.complete, value.next_url)


def _stub(row: Resource) -> Resource:
    """A resource that may not be used: that it is there, whose it is, and how it is labelled."""
    return type(row)(**{name: getattr(row, name) for name in _STUB if name in row.__struct_fields__})


def thaw(frozen: bytes, needs: Mapping[str, Need]) -> Basis:
    """The basis that was frozen. needs: of the service, by prefetch key. Raises StoreError if it cannot be read."""
    try:
        body = _DECODER.decode(zlib.decompress(frozen))
    except (zlib.error, msgspec.DecodeError) as error:
        raise StoreError("the stored request cannot be read by this version of Curbside") from error
    request = HookRequest(
        hook=body.hook,
        hook_instance=body.hook_instance,
        patient_id=body.patient_id,
        user_id=body.user_id,
        encounter_id=body.encounter_id,
        fhir_server=body.fhir_server,
        prefetch={key: _thawed(value) for key, value in body.prefetch.items()},
        context=body.context,
        passed_over=body.passed_over,
    )
    seen: Any = tuple(
        Seen(s.outcome, s.finding, s.at, s.service, s.severity, s.magnitude, s.proposals)  # type: ignore[arg-type]
        for s in body.seen
    )
    gaps = tuple(
        Gap(gone.key, needs[gone.key], Message(gone.text, gone.values), gone.partial)
        for gone in body.gaps
        if gone.key in needs
    )
    return Basis(request, gaps, seen, body.writes, body.admitted, body.told, body.silenced, body.failed)


def _thawed(value: _Value) -> PrefetchValue:
    urls = value.full_urls if value.full_urls is not None else (None,) * len(value.resources)
    state: Any = value.state
    return PrefetchValue(state, value.resources, urls, value.complete, value.next_url)


@dataclass(frozen=True, slots=True)
class FrozenRequest:
    """The basis of one assessment; written in its transaction."""

    assessment_id: UUID
    body: bytes

    def write(self, connection: Connection) -> None:
        """Writes it in a transaction that the caller commits."""
        _INSERT.run(connection, {"assessment_id": self.assessment_id, "body": self.body})


class RequestStore:
    """Reads what answers rested on."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, assessment_id: UUID, needs: Mapping[str, Need]) -> Basis | None:
        """What an answer of a service with those needs rested on, or None. Raises StoreError."""
        body = self.body(assessment_id)
        return None if body is None else thaw(body, needs)

    def body(self, assessment_id: UUID) -> bytes | None:
        """The same, frozen as it is kept. Raises StoreError."""
        with self._database.reading("the request could not be read") as connection:
            row = _GET.run(connection, {"id": assessment_id}).fetchone()
        return None if row is None else bytes(row[0])
