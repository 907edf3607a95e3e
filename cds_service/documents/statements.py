"""What documents state, as facts: stated and not confirmed; and where they and the record's lists contradict.

Source of the method: `context.py`. Nothing here replaces a list of the record; it says what a clinician must compare.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from cds_service.documents.context import Meant, Polarity, Time, meant
from cds_service.documents.reading import Document
from cds_service.documents.sentences import Passage
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.resources import (
    AllergyIntolerance,
    Condition,
    MedicationRequest,
    MedicationStatement,
    Resource,
)
from cds_service.language import Message, msg
from cds_service.markdown import shorten
from cds_service.summary.chart import Chart
from cds_service.summary.evidence import parts
from cds_service.summary.facts import CONTRADICTION, DOCUMENT, Fact
from cds_service.summary.lexicon import lexicon, scan
from cds_service.summary.spelling import normal

MOST = 60  # statements of one record
_QUOTE = 240  # characters of a quoted sentence
_ALLERGY = re.compile(
    r"(?i)\ballerg(?:y|ies|ic)\b|\banaphyla\w*|\bhives\b|\burticaria\b|\bangio-?oedema\b|\bangioedema\b|\brash\b"
    r"|\badverse (?:drug )?reaction|过敏|皮疹|荨麻疹"
)
_NONE_KNOWN = re.compile(r"(?i)\bnkd?a\b|no known (?:drug |medication |food )?allerg|否认.{0,12}过敏|无.{0,10}过敏史")
_ALLERGY_SECTION = re.compile(r"(?i)allerg|adverse reactions|过敏")
_STOPPED = re.compile(
    r"(?i)\b(?:stopp(?:ed|ing)|discontinued?|held|d/c'?d|ceased|no longer (?:taking|on|takes))\b|停用|停药|已停|停服"
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A known term in a sentence of a document and how it is meant. ids: of the term and of what it implies."""

    passage: Passage
    ids: frozenset[str]
    words: str
    class_: str
    meant: Meant


def mentions(passage: Passage) -> tuple[Mention, ...]:
    """The conditions, drugs and procedures that a sentence names."""
    known = lexicon()
    text = normal(passage.text)
    return tuple(
        Mention(
            passage,
            known.implied.get(token.value, frozenset({token.value})),
            token.text,
            known.classes[token.value],
            meant(text, token.start, token.end, passage.section),
        )
        for token in scan(text)
        if token.kind == "term" and known.classes.get(token.value) in ("condition", "drug", "act")
    )


def statements(documents: Iterable[Document]) -> tuple[Fact, ...]:
    """Sentences of documents that name a condition, a medicine or a procedure; the latest document first."""
    found: dict[str, Fact] = {}
    for document, passage in _sentences(documents):
        named = mentions(passage)
        if named and len(found) < MOST and passage.text.casefold() not in found:
            found[passage.text.casefold()] = _fact(document, passage, named)
    return tuple(found.values())


def unread(documents: Iterable[Document]) -> tuple[Fact, ...]:
    """A line for each document that was not read, or not as a whole, with the reason."""
    found = []
    for document in documents:
        for reason in (document.problem, *document.notes):
            if reason is not None:
                text = msg("{document}: {reason}", document=name_of(document), reason=reason)
                found.append(Fact(DOCUMENT, text, (document.name,), document.at, status="unread"))
    return tuple(found)


def contradictions(record: PatientRecord, documents: Sequence[Document]) -> tuple[Fact, ...]:
    """Where a document says what a list of the record does not, or denies what a list holds: each once."""
    lists = _Lists(record)
    found: dict[tuple[str, frozenset[str]], Fact] = {}
    for document, passage in _sentences(documents):
        named = mentions(passage)
        for key, fact in (
            *lists.allergies(document, passage, named),
            *lists.problems(document, passage, named),
            *lists.medicines(document, passage, named),
        ):
            found.setdefault(key, fact)
    return tuple(found.values())


def with_documents(of_record: Iterable[Fact], against: Sequence[Fact], stated: Iterable[Fact]) -> tuple[Fact, ...]:
    """All facts: those of the record, then those of its documents.

    What the record's own facts say against a note is left out where the same sentence is cited with its place.
    """
    placed = {reference.partition("#")[0] for fact in against for reference in fact.references if "#" in reference}
    kept = [f for f in of_record if f.kind != CONTRADICTION or placed.isdisjoint(f.references)]
    return (*kept, *against, *stated)


Keyed = Iterator[tuple[tuple[str, frozenset[str]], Fact]]


class _Lists:
    """The record's allergies, active problems and medicines as terms, with the resources that name them."""

    def __init__(self, record: PatientRecord) -> None:
        self._record = record
        self._chart = Chart.from_record(record)
        self._allergies = self._terms(record.rows(AllergyIntolerance))
        active = (r for r in record.rows(Condition) if _codes(r.clinical_status) <= {"active", "recurrence", "relapse"})
        self._problems = self._terms(active)
        orders = [row for row in record.rows(MedicationRequest) if row.status == "active"]
        taken = [row for row in record.rows(MedicationStatement) if row.status == "active"]
        self._medicines = self._terms([*orders, *taken])

    def _terms(self, rows: Iterable[Resource]) -> list[tuple[str, frozenset[str]]]:
        found = []
        for row in rows:
            reference = self._record.reference(row)
            stated = self._chart.find(reference)
            if stated is not None:
                found.append((reference, frozenset(parts(stated, self._chart)[0].affirmed)))
        return found

    def allergies(self, document: Document, passage: Passage, named: Sequence[Mention]) -> Keyed:
        """A note's allergy that the list does not hold."""
        if _NONE_KNOWN.search(passage.text) or not _says_allergy(passage):
            return
        listed = {id_ for _, ids in self._allergies for id_ in ids}
        none_known = [ref for ref, ids in self._allergies if ids & {"#nka", "#nkda"}]
        said = "none-known" if none_known else "some" if self._allergies else "empty"
        for mention in named:
            own = mention.meant.polarity is Polarity.AFFIRMED and not mention.meant.relative
            if mention.class_ != "drug" or not own or mention.meant.time is Time.IF or mention.ids & listed:
                continue
            if said == "none-known":
                text = msg('The allergy list says none known; {document} says: "{quote}"', **_places(document, passage))
            elif said == "some":
                text = msg(
                    'The allergy list does not name {substance}; {document} says: "{quote}"',
                    substance=mention.words,
                    **_places(document, passage),
                )
            elif self._record.has_list("AllergyIntolerance"):
                text = msg('The allergy list is empty; {document} says: "{quote}"', **_places(document, passage))
            else:
                text = msg('No allergy list was supplied; {document} says: "{quote}"', **_places(document, passage))
            yield ("allergy", mention.ids), _contradiction(document, passage, text, none_known)

    def problems(self, document: Document, passage: Passage, named: Sequence[Mention]) -> Keyed:
        """An active problem that a note denies."""
        for mention in named:
            if mention.class_ != "condition" or mention.meant.polarity is not Polarity.DENIED or mention.meant.relative:
                continue
            holders = [ref for ref, ids in self._problems if narrowest(mention) in ids]
            if holders:
                text = msg('The problem list has {problem}; {document} says: "{quote}"',
                           problem=mention.words, **_places(document, passage))  # fmt: skip
                yield ("problem", mention.ids), _contradiction(document, passage, text, holders)

    def medicines(self, document: Document, passage: Passage, named: Sequence[Mention]) -> Keyed:
        """A current medicine that a note says was stopped, or is not taken."""
        text = normal(passage.text)
        stop = _STOPPED.search(text)
        stopped = stop is not None and meant(text, *stop.span()).of_the_patient_now
        for mention in named:
            if mention.class_ != "drug" or mention.meant.relative or mention.meant.time is Time.IF:
                continue
            if not (stopped or (mention.meant.polarity is Polarity.DENIED and not _says_allergy(passage))):
                continue
            holders = [ref for ref, ids in self._medicines if narrowest(mention) in ids]
            if holders:
                words = msg('{medicine} is on the list of medicines; {document} says: "{quote}"',
                            medicine=mention.words, **_places(document, passage))  # fmt: skip
                yield ("medicine", mention.ids), _contradiction(document, passage, words, holders)


def _says_allergy(passage: Passage) -> bool:
    text = normal(passage.text)
    if _ALLERGY_SECTION.search(passage.section):
        return True
    return any(
        (how := meant(text, *m.span())).polarity is Polarity.AFFIRMED and not how.relative and how.time is not Time.IF
        for m in _ALLERGY.finditer(text)
    )


def narrowest(mention: Mention) -> str:
    """The term itself, without what it implies."""
    known = lexicon().implied
    return min(mention.ids, key=lambda id_: (-len(known.get(id_, ())), id_))


def _codes(concept: object) -> set[str]:
    from cds_service.fhir.codes import status_codes

    return set(status_codes(concept))  # type: ignore[arg-type]


def _sentences(documents: Iterable[Document]) -> Iterator[tuple[Document, Passage]]:
    for document in documents:
        for passage in document.passages:
            if not passage.hidden:
                yield document, passage


def _fact(document: Document, passage: Passage, named: Sequence[Mention]) -> Fact:
    ways = [mention.meant for mention in named]
    denied = all(way.polarity is Polarity.DENIED for way in ways)
    certainty = "suspected" if all(way.polarity is Polarity.POSSIBLE for way in ways) else "stated"
    status = "denied" if denied else "past" if all(way.time is Time.BEFORE for way in ways) else ""
    about = "relative" if all(way.relative for way in ways) else "patient"
    text = msg('{document}: "{quote}"', **_places(document, passage))
    return Fact(DOCUMENT, text, (passage.reference,), document.at, status=status, certainty=certainty, about=about,
                key=passage.reference)  # fmt: skip


def _contradiction(document: Document, passage: Passage, text: Message, others: Sequence[str]) -> Fact:
    references = tuple(dict.fromkeys((passage.reference, *others)))
    return Fact(CONTRADICTION, text, references, document.at, abnormal=True, certainty="stated", key=passage.reference)


def _places(document: Document, passage: Passage) -> dict[str, object]:
    return {"document": name_of(document), "quote": shorten(passage.text, _QUOTE)}


def name_of(document: Document) -> Message:
    """A document as a reader names it: its title and its day, as far as they are known."""
    title = document.title or msg("document without a title")
    if document.at is None:
        return msg("{title} without a date", title=title)
    return msg("{title} of {date}", title=title, date=document.at.date())
