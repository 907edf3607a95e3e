"""A record's documents, read: located sentences, or a sentence that says why there are none."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from cds_service.documents.attachments import Attachment, attachments, bytes_of, rows_of
from cds_service.documents.belonging import Person, another, person_of
from cds_service.documents.formats import format_of
from cds_service.documents.process import MAX_BYTES, Process
from cds_service.documents.sentences import Passage, passages
from cds_service.fhir import resources as fhir
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.subjects import Servers, Subjects
from cds_service.language import Message, msg

MOST_DOCUMENTS = 50
MOST_TOTAL = 6_000_000  # characters of all documents together

PROBLEMS: Mapping[str, Message] = {
    "empty": msg("it holds no text"),
    "type": msg("its format cannot be read here"),
    "damaged": msg("its file is damaged"),
    "password": msg("it is protected by a password"),
    "unzip": msg("it unpacks to more than may be read"),
    "size": msg("it is larger than may be read"),
    "time": msg("reading it took too long"),
    "memory": msg("reading it took too much memory"),
    "base64": msg("its content is not valid base64"),
    "absent": msg("its content was not sent"),
    "elsewhere": msg("its content lies on another server, and was not fetched"),
    "refused": msg("the EHR refused to give its content"),
    "unanswered": msg("the EHR's server did not give its content"),
    "withdrawn": msg("it was withdrawn or replaced, and is not used"),
    "total": msg("the documents before it are all that may be read at once"),
    "image": msg("it is an image; it has no text"),
    "subject": msg("the EHR files it under another patient, and it was left out"),
}
NOTES: Mapping[str, Message] = {
    "charset": msg("its character set was declared wrongly; it was read as what it is"),
    "cut": msg("it was too long: the end was not read"),
    "pages": msg("it has too many pages: the last were not read"),
    "scan": msg("it is a scan: its pages are pictures without text"),
    "some-scans": msg("some of its pages are pictures without text"),
}


@dataclass(frozen=True, slots=True)
class Picture:
    """An image of a record: a file of its own, or a page without text. data: base64 as it came."""

    name: str
    page: int
    data: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Document:
    """One document as it was read.

    name: how it is cited. problem: why it has no passages. notes: what a reader must know. pictures: to be looked at.
    """

    name: str
    title: str
    at: datetime | None
    passages: tuple[Passage, ...] = field(default=(), repr=False)
    problem: Message | None = None
    notes: tuple[Message, ...] = ()
    pictures: tuple[Picture, ...] = field(default=(), repr=False)

    def passage(self, number: int) -> Passage | None:
        """The sentence of a number, if there is one."""
        return self.passages[number - 1] if 0 < number <= len(self.passages) else None


Fetch = Callable[[str], "bytes | str"]  # an attachment's URL -> its bytes, or a key of PROBLEMS


def of_bundle(bundle: Mapping[str, Any], record: PatientRecord) -> tuple[Document, ...]:
    """The documents within a patient's Bundle; Binaries of the Bundle are found by their references."""
    rows = list(rows_of(bundle))
    inside = {f"Binary/{row.get('id')}": row for row in rows if row.get("resourceType") == "Binary"}

    def fetch(url: str) -> bytes | str:
        row = inside.get("/".join(url.split("/")[-2:]))
        if row is None:
            return "absent"
        data = bytes_of(str(row.get("data", "")))
        return data if data is not None else "base64"

    return documents(rows, record, fetch, _own_urls(bundle, record.patient_id))


def documents(
    rows: Iterable[Mapping[str, Any]],
    record: PatientRecord,
    fetch: Fetch,
    own_urls: Iterable[str] = (),
    server: str | None = None,
) -> tuple[Document, ...]:
    """The documents of some resources, latest first; never an error, for each says what is wrong with it.

    own_urls, server: further names of the patient, and the FHIR base URL, as `Subjects` takes them.
    """
    rows = list(rows)
    person = person_of(record)
    foreign = _foreign(rows, Subjects(record.patient_id, own_urls, Servers(server)))
    found: list[Document] = []
    left = MOST_TOTAL
    with Process() as process:
        for one in attachments(rows)[:MOST_DOCUMENTS]:
            if left <= 0:
                found.append(_refused(one, "total"))
            elif one.reference in foreign:
                found.append(_refused(one, "subject"))
            elif one.withdrawn:
                found.append(_refused(one, "withdrawn"))
            else:
                document = _read(one, person, fetch, process)
                left -= sum(len(p.text) for p in document.passages)
                found.append(document)
    return tuple(found)


def _read(one: Attachment, person: Person, fetch: Fetch, process: Process) -> Document:
    data = _bytes(one, fetch)
    if isinstance(data, str):
        return _refused(one, data)
    got = process.ask(data, type=one.media_type)
    word = got.get("problem")
    if word is not None:
        word = _image(data, word)
        seen = (Picture(f"{one.name}#p1", 1, b64encode(data).decode()),) if word == "image" else ()
        return replace(_refused(one, word), pictures=seen)
    read = passages(one.name, got["blocks"])
    head = "\n".join(str(block[2]) for block in got["blocks"][:60])
    stranger = another(head, person, got["names"], got["births"], got["numbers"])
    if stranger is not None:
        return Document(one.name, one.title, one.at, problem=stranger)
    notes = tuple(NOTES[word] for word in got["notes"])
    pictures = tuple(Picture(f"{one.name}#p{page}", page, content) for page, _, content in got["images"])
    return Document(one.name, one.title, one.at, read, notes=notes, pictures=pictures)


def _bytes(one: Attachment, fetch: Fetch) -> bytes | str:
    """The bytes of an attachment, or the word for why there are none."""
    if one.data is not None:
        data = bytes_of(one.data) if len(one.data) <= 2 * MAX_BYTES else None
        return data if data is not None else "base64" if len(one.data) <= 2 * MAX_BYTES else "size"
    return fetch(one.url) if one.url is not None else "absent"


def _refused(one: Attachment, word: str) -> Document:
    return Document(one.name, one.title, one.at, problem=PROBLEMS.get(word, PROBLEMS["damaged"]))


def _image(data: bytes, word: str) -> str:
    """The word for an image, where that is what the bytes are."""
    return "image" if word == "type" and format_of(data, "") == "image" else word


def _foreign(rows: Iterable[Mapping[str, Any]], subjects: Subjects) -> set[str]:
    """References of resources whose subject is not the record's patient, or that have none."""
    found = set()
    for row in rows:
        owner = row.get("subject")
        said = owner.get("reference") if isinstance(owner, dict) else None
        named = fhir.Reference(reference=said) if isinstance(said, str) else None
        if subjects.verdict(named, fhir.Patient()) is not None:
            found.add(f"{row.get('resourceType')}/{row.get('id')}")
    return found


def _own_urls(bundle: Mapping[str, Any], patient_id: str) -> list[str]:
    entries = bundle.get("entry")
    return [
        str(entry["fullUrl"])
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
        and entry.get("fullUrl")
        and isinstance(entry.get("resource"), dict)
        and entry["resource"].get("resourceType") == "Patient"
        and entry["resource"].get("id") == patient_id
    ]
