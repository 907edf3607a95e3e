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
from cds_service.documents.reading import PROBLEMS, Document, documents
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
_MOST_OF_A_TYPE = 50
_MAX_LIST_BYTES = 30_000_000
_MOST_KEPT = 16_000_000  # bytes of documents kept beside a review; more are read anew for each question
_FAILED = msg("The EHR did not give the list of documents.")
_NO_MEDIA = msg("Pictures that the EHR files as Media were not read.")
_MORE = msg("There are further documents of the kind {type}: the latest {count} were read.")
_NO_PICTURE = msg("the EHR does not give this image any more")


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
        try:
            return None if text is None else msgspec.json.decode(text, type=Held)
        except msgspec.ValidationError:  # of another release: they are read anew
            return None

    def held(self, review: Review, record: PatientRecord, request: Request) -> Held:
        """The documents of a review's patient: those kept, else fetched and read. Raises StoreError."""
        found = self.kept(review, request)
        return found if found is not None else self.read(review, record, request)

    def read(self, review: Review, record: PatientRecord, request: Request) -> Held:
        """The documents as they are now, fetched and read; they are kept from now on. Raises StoreError."""
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
        if said := [t for t in refused if t != "Media"]:
            notices.append(msg("The EHR did not let this app read: {types}.", types=", ".join(said)))
        if "Media" in refused:
            notices.append(_NO_MEDIA)
        for type_ in (t for t in TYPES if t not in refused):
            order = "created" if type_ == "Media" else "date"
            patient = quote(grant.patient, safe="")
            query = f"{registration.issuer}/{type_}?patient={patient}&_sort=-{order}&_count={_MOST_OF_A_TYPE}"
            answer = self._json(query, review, deadline)
            if isinstance(answer, str):
                notices.append(_NO_MEDIA if type_ == "Media" else _FAILED)
            else:
                rows += (matches := _matches(answer))
                if any(isinstance(link, dict) and link.get("relation") == "next" for link in answer.get("link") or ()):
                    notices.append(Message(_MORE.text, {"type": type_, "count": len(matches)}))

        found = self._documents(registration, review, record, rows, deadline)
        return Held(
            tuple(replace(one, pictures=tuple(replace(p, data="") for p in one.pictures)) for one in found),
            tuple(dict.fromkeys(notices)),
        )

    def picture(self, review: Review, record: PatientRecord, name: str, page: int) -> bytes | Message:
        """The bytes of an image of one document, fetched anew with the user's token; or what is wrong with it."""
        registration = self._smart.registrations[review.registration]
        type_, _, id_ = name.partition("/")
        if type_ not in TYPES or not review.grant.allows(type_):
            return PROBLEMS["refused"]
        deadline = Deadline.after(_DEADLINE_S)
        answer = self._row(registration, type_, id_, review, deadline)
        if isinstance(answer, str) and id_.rpartition(".")[2].isdigit():  # the second attachment of `7` is `7.2`
            answer = self._row(registration, type_, id_.rpartition(".")[0], review, deadline)
        if isinstance(answer, str):
            return PROBLEMS[answer]
        found = self._documents(registration, review, record, [answer], deadline)
        pictures = (p for one in found if one.name == name for p in one.pictures if p.page == page)
        data = next((bytes_of(p.data) for p in pictures), None)
        return data if data is not None else next((d.problem for d in found if d.problem), None) or _NO_PICTURE

    def _row(
        self, registration: Registration, type_: str, id_: str, review: Review, deadline: Deadline
    ) -> dict[str, Any] | str:
        answer = self._json(f"{registration.issuer}/{type_}/{quote(id_, safe='')}", review, deadline)
        if isinstance(answer, dict) and (answer.get("resourceType"), answer.get("id")) != (type_, id_):
            return "unanswered"
        return answer

    def _documents(
        self,
        registration: Registration,
        review: Review,
        record: PatientRecord,
        rows: list[Mapping[str, Any]],
        deadline: Deadline,
    ) -> tuple[Document, ...]:
        def content(url: str) -> bytes | str:
            return self._content(registration, url, review, deadline)

        return documents(rows, record, content, server=registration.issuer)

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


def picture_name(document: str, page: int) -> str:
    """How an image of a document is cited."""
    return f"{document}#p{page}"


def _matches(bundle: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = bundle.get("entry")
    rows = [e.get("resource") for e in entries if isinstance(e, dict)] if isinstance(entries, list) else []
    return [row for row in rows if isinstance(row, dict) and row.get("resourceType") in TYPES]
