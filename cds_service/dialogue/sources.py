"""What an answer may rest on: lines of the record, sentences of documents and rows of general knowledge."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from cds_service.documents.reading import Document
from cds_service.documents.sentences import Passage
from cds_service.documents.statements import contradictions, name_of, with_documents
from cds_service.fhir.record import PatientRecord
from cds_service.knowledge.graph import Evidence
from cds_service.knowledge.passages import PassageIndex, Text
from cds_service.language import Message, Words, msg
from cds_service.summary.chart import Chart
from cds_service.summary.cleaning import speaks
from cds_service.summary.collecting import everything
from cds_service.summary.facts import RESULT, TREND
from cds_service.summary.lexicon import lexicon, scan
from cds_service.summary.untold import untold

MOST = 24
_MOST_OF_A_KIND = 6
_CLASSES = frozenset({"condition", "drug", "measure", "act"})
_RECORD = msg("record")


@dataclass(frozen=True, slots=True)
class Source:
    """One line or sentence.

    id: `E1`, `E2`, by which an answer cites it. references: resources, or one place of a document
    (`DocumentReference/7#s14`). where: what a reader calls its place. hidden: it holds what a reader does not see, or
    seems to speak to a machine: it is sent to none. row: of the knowledge graph, for what is general knowledge and not
    about this patient; it has no references then. kind: what it is a value of, where there may be many. verbatim: it
    vouches for its own words alone.
    """

    id: str
    text: str
    references: tuple[str, ...]
    where: Message
    at: datetime | None = None
    passage: Passage | None = None
    hidden: bool = False
    row: Evidence | None = None
    kind: str = ""
    verbatim: bool = False


Find = Callable[[str], tuple[Source, ...]]


def _none(_: str) -> tuple[Source, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Material:
    """All that may be asked about: made once for a record, its documents and a language.

    knowledge: finds the rows of the knowledge graph that may answer a question. beyond: earlier values of the record
    that are not among the sources, because there are too many of their kind.
    """

    record: PatientRecord
    documents: tuple[Document, ...]
    sources: tuple[Source, ...]
    chart: Chart
    knowledge: Find = _none
    beyond: int = 0


def material(record: PatientRecord, documents: Sequence[Document], say: Words, knowledge: Find = _none) -> Material:
    """The lines of a record in a reader's words, the sentences of its documents, and what finds knowledge."""
    found: list[Source] = []
    facts = everything(record)
    further = untold(record, facts)
    ordered = with_documents(facts, contradictions(record, documents), ())
    lines = [(fact, fact.kind in (RESULT, TREND), False) for fact in ordered]
    lines += [(fact, True, False) for fact in further.facts] + [(fact, True, True) for fact in further.entries]
    for fact, one_of_many, verbatim in lines:
        text, kind = say(fact.text), fact.key if one_of_many else ""
        source = Source("", text, fact.references, _RECORD, fact.effective, kind=kind, verbatim=verbatim)
        found.append(replace(source, hidden=speaks(text)))
    for document in documents:
        for one in document.passages:
            where = _where(document, one)
            found.append(Source("", one.text, (one.reference,), where, document.at, one, one.hidden))
    return Material(record, tuple(documents), tuple(found), _chart(record, documents), knowledge, further.beyond)


def chosen(question: str, of: Material, limit: int = MOST, before: str = "") -> tuple[Source, ...]:
    """The sources that fit a question best, the best first, then rows of knowledge; with ids `E1`, `E2` ...

    before: the question to which a short one may refer. What fits both comes after what fits one that names something
    by itself.
    """
    both = f"{question} {before}".rstrip()
    terms = terms_in(both)
    index = PassageIndex(Text(str(n), one.text, terms_in(one.text)) for n, one in enumerate(of.sources))
    try:
        own = terms_in(question) if before else ()
        first = index.search(question, own, limit // 2) if own else ()
        found = [int(id_) for id_ in dict.fromkeys((*first, *index.search(both, terms, 4 * limit)))]
    finally:
        index.close()
    best = [of.sources[n] for n in _thinned(found, of.sources, 2 * len(terms))[:limit]]
    return tuple(replace(one, id=f"E{n}") for n, one in enumerate([*best, *of.knowledge(both)], 1))


def _thinned(found: Iterable[int], sources: Sequence[Source], apart: int) -> list[int]:
    """The places of sources with a few values of each kind, its latest always among them and first.

    A line with an earlier value is as good an answer as one with the latest, to an index; and many would crowd out a
    note, or the latest of something else. apart: how far each earlier value of a kind is put back.
    """
    latest: dict[str, int] = {}
    for n, one in enumerate(sources):
        latest.setdefault(one.kind, n)
    seen: Counter[str] = Counter()
    kept: dict[int, int] = {}
    for rank, n in enumerate(found):
        kind = sources[n].kind
        for place in (latest[kind], n) if kind else (n,):
            if place not in kept and (not kind or seen[kind] < _MOST_OF_A_KIND):
                kept[place] = rank + apart * seen[kind] if kind else rank
                seen[kind] += 1
    return sorted(kept, key=lambda place: kept[place])


def terms_in(text: str) -> tuple[str, ...]:
    """The ids of what a text names, and of what that implies."""
    known = lexicon()
    named = [t.value for t in scan(text) if t.kind == "term" and known.classes.get(t.value) in _CLASSES]
    return tuple(dict.fromkeys(id_ for term in named for id_ in sorted(known.implied.get(term, {term}))))


def _where(document: Document, passage: Passage) -> Message:
    if passage.section and passage.page > 1:
        return msg("{document}, page {page}, {section}",
                   document=name_of(document), page=passage.page, section=passage.section)  # fmt: skip
    if passage.page > 1:
        return msg("{document}, page {page}", document=name_of(document), page=passage.page)
    if passage.section:
        return msg("{document}, {section}", document=name_of(document), section=passage.section)
    return name_of(document)


def _chart(record: PatientRecord, documents: Iterable[Document]) -> Chart:
    """What sentences are checked against: the record's resources, and each sentence of a document as one of its own."""
    base = Chart.from_record(record)
    rows = dict(base.rows)
    for document in documents:
        for one in document.passages:
            kind, _, id_ = one.reference.partition("/")
            row: dict[str, object] = {"resourceType": kind, "id": id_, "status": "current", "conclusion": one.text}
            if one.section:
                row["meta"] = {"tag": [{"display": one.section}]}
            rows[one.reference] = row | ({"date": document.at.isoformat()} if document.at is not None else {})
    return Chart(base.as_of, rows, base.urls, base.foreign, base.patient)
