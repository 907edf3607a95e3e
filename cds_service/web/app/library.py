"""The documents of the open patient: fetched with the user's own token, within its scopes, from the EHR alone.

What was read is kept beside the review, encrypted as the review is, and ends with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import msgspec
import orjson
from flask import Request

from cds_service.clock import Deadline
from cds_service.documents.attachments import TYPES, bytes_of
from cds_service.documents.process import MAX_BYTES
from cds_service.documents.reading import Document, documents
from cds_service.fhir.client import FHIR_JSON
from cds_service.fhir.record import PatientRecord
from cds_service.language import Message, msg
from cds_service.observer import NOBODY, Observer
from cds_service.outbound import Failure, Outbound, OutboundError
from cds_service.security.smart import Registration, SmartClient
from cds_service.settings import Settings
from cds_service.web.app.session import Review, Sessions

DOCUMENT_TYPES = (*TYPES, "Binary")
_DEADLINE_S = 20.0
_MAX_LIST_BYTES = 30_000_000
_MOST_KEPT = 16_000_000  # bytes of documents kept beside a review; more are read anew for each question
_FAILED = msg("The EHR did not give the list of documents.")


class Held(msgspec.Struct, frozen=True):
    """The documents of a patient, and what must be said about the list itself."""

    documents: tuple[Document, ...] = ()
    notices: tuple[Message, ...] = ()


class Library:
    """Fetches and keeps the documents of reviews. Made before the fork; connects after it."""

    def __init__(self, settings: Settings, smart: SmartClient, sessions: Sessions, observer: Observer = NOBODY) -> None:
        """Raises SettingsError for an issuer that cannot be called."""
        self._smart, self._sessions = smart, sessions
        self._outbound = Outbound(
            [one.issuer for one in smart.registrations.values()],
            allow_insecure_loopback=settings.dev.allow_insecure_loopback,
            ca_file=settings.fetch.ca_file,
            purpose="documents",
            observer=observer,
        )

    def kept(self, review: Review, request: Request) -> Held | None:
        """The documents that were read for a review before; None if none were. Raises StoreError."""
        text = self._sessions.beside("documents", review, request)
        return None if text is None else msgspec.json.decode(text, type=Held)

    def held(self, review: Review, record: PatientRecord, request: Request) -> Held:
        """The documents of a review's patient: those kept, else fetched and read. Raises StoreError."""
        found = self.kept(review, request)
        if found is None:
            found = self._fetched(self._smart.registrations[review.registration], review, record)
            text = msgspec.json.encode(found)
            if len(text) <= _MOST_KEPT:
                self._sessions.keep_beside("documents", review, request, text.decode())
        return found

    def document(self, review: Review, name: str, request: Request) -> Document | None:
        """One of the documents kept, by how it is cited, without a place."""
        found = self.kept(review, request)
        return next((one for one in found.documents if one.name == name), None) if found is not None else None

    def _fetched(self, registration: Registration, review: Review, record: PatientRecord) -> Held:
        grant, deadline = review.grant, Deadline.after(_DEADLINE_S)
        refused = [t for t in TYPES if not grant.allows(t)]
        rows: list[Mapping[str, Any]] = []
        notices: list[Message] = []
        if refused:
            notices.append(msg("The EHR did not let this app read: {types}.", types=", ".join(refused)))
        for type_ in (t for t in TYPES if t not in refused):
            query = f"{registration.issuer}/{type_}?patient={quote(grant.patient, safe='')}&_sort=-date&_count=50"
            answer = self._json(query, review, deadline)
            if isinstance(answer, str):
                notices.append(_FAILED)
            else:
                rows += _matches(answer)

        def content(url: str) -> bytes | str:
            return self._content(registration, url, review, deadline)

        found = documents(rows, record, content, server=registration.issuer)
        return Held(
            tuple(replace(one, pictures=tuple(replace(p, data="") for p in one.pictures)) for one in found),
            tuple(dict.fromkeys(notices)),
        )

    def _content(self, registration: Registration, url: str, review: Review, deadline: Deadline) -> bytes | str:
        """The bytes of an attachment on the EHR's own server, or the word for why there are none."""
        whole = url if "://" in url else f"{registration.issuer}/{url.lstrip('/')}"
        if not self._outbound.allows(whole) or not whole.startswith(f"{registration.issuer}/"):
            return "elsewhere"
        answer = self._json(whole, review, deadline)
        if isinstance(answer, str):
            return answer
        if answer.get("resourceType") != "Binary":
            return "unanswered"
        data = bytes_of(str(answer.get("data", "")))
        return data if data is not None else "base64"

    def _json(self, url: str, review: Review, deadline: Deadline) -> dict[str, Any] | str:
        """A JSON object, or the word for why there is none. What is no JSON is wrapped as a Binary."""
        try:
            answer = self._outbound.get(
                url, deadline=deadline, max_bytes=_MAX_LIST_BYTES, token=review.grant.access_token, accept=FHIR_JSON
            )
        except OutboundError as error:
            if error.kind is Failure.NOT_ALLOWED:
                return "elsewhere"
            return "refused" if error.status in (401, 403) else "unanswered"
        try:
            found = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            return "unanswered" if len(answer.body) > MAX_BYTES else "damaged"
        return found if isinstance(found, dict) else "unanswered"


def _matches(bundle: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = bundle.get("entry")
    rows = [e.get("resource") for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
    return [row for row in rows if isinstance(row, dict) and row.get("resourceType") in TYPES]
