"""Rows of the knowledge graph as sources of an answer: those about what the question or the record names.

They are general and never about this patient: how a sentence may cite one says `summary/general.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial

from cds_service.dialogue.sources import Find, Source, terms_in
from cds_service.features.conditions_on_record import current_problems
from cds_service.fhir.context import ClinicalContext
from cds_service.knowledge.base_files import lines
from cds_service.knowledge.graph import Evidence
from cds_service.knowledge.library import Library
from cds_service.knowledge.medicines import medicines
from cds_service.knowledge.passages import PassageIndex, Text
from cds_service.knowledge.policy import severity_rank
from cds_service.language import Words, msg
from cds_service.summary.cleaning import speaks
from cds_service.summary.general import SENTENCE_END, is_told, worded

MOST_ROWS = 6
_WHERE = msg("general knowledge, not about this patient")
_MOST_NODES, _MOST_CANDIDATES = 250, 200
_BESIDE = frozenset({"test", "gene", "guideline"})  # ends that a record or a question need not name
_Bases = Mapping[str, set[str]]


def finder(library: Library | None, context: ClinicalContext, say: Words) -> Find:
    """A function from a question to the rows that may answer it, the best first; to none without a graph."""
    return partial(_rows, library, _named_by_record(library, context), say) if library is not None else lambda _: ()


@dataclass(frozen=True, slots=True)
class _Scope:
    """What is spoken of: node -> the drugs, conditions and tests that it stands for. allergies: of the record."""

    bases: _Bases
    allergies: _Bases


def _named_by_record(library: Library, context: ClinicalContext) -> _Scope:
    taken = medicines(context, library.terms)
    drugs = [node for one in (*taken.drafts, *taken.current) for node in one.nodes]
    present = current_problems(context.record, library.terms.conditions)
    problems = [node for node in library.terms.conditions if present(node) is not None]
    allergies = [node for one in taken.allergies for node in one.nodes]
    return _Scope(_bases(library, [*drugs, *problems]), _bases(library, allergies))


def _named_by(library: Library, question: str) -> _Bases:
    terms = terms_in(question)
    drugs = [node for term in terms for node in library.terms.exact(term.strip("#").replace("_", " "))]
    others = [node for term in terms for node in _base_terms().get(term, ())]
    return _bases(library, [*library.terms.medicine((), (question,)).nodes, *drugs, *others])


@cache
def _base_terms() -> Mapping[str, tuple[str, ...]]:
    """Terms of the lexicon -> the base's conditions and tests of that name."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for file, kind in (("conditions", "disease"), ("tests", "test")):
        for line in lines(file):
            for term in terms_in(line["label"])[:1]:
                found[term][f"{kind}:{line['id']}"] = None
    return {term: tuple(nodes) for term, nodes in found.items()}


def _bases(library: Library, nodes: Iterable[str]) -> _Bases:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for node in dict.fromkeys(nodes):
        for above in library.terms.above(node):
            found[above].add(node)
    return dict(found)


def _rows(library: Library, record: _Scope, say: Words, question: str) -> tuple[Source, ...]:
    asked = _named_by(library, question)
    nodes = list(dict.fromkeys([*asked, *record.bases]))[:_MOST_NODES]
    rows = [r for r in library.graph.about(nodes) if is_told(r)] if nodes else []
    ranked = [(tier, row) for row in rows if (tier := _tier(row, asked, record)) is not None]
    if any(tier == 0 for tier, _ in ranked):
        ranked = [(tier, row) for tier, row in ranked if tier < 2]
    ranked.sort(key=lambda pair: (pair[0], -severity_rank(pair[1].severity), pair[1].id))
    sources = {
        str(n): (tier, _source(library, row, say), row) for n, (tier, row) in enumerate(ranked[:_MOST_CANDIDATES])
    }
    index = PassageIndex(Text(id_, one.text, _ends(row)) for id_, (_, one, row) in sources.items())
    try:
        found = index.search(question, tuple(asked), _MOST_CANDIDATES)
    finally:
        index.close()
    best = sorted(found, key=lambda id_: sources[id_][0])[:MOST_ROWS]
    return tuple(sources[id_][1] for id_ in best)


def _ends(row: Evidence) -> tuple[str, ...]:
    return (row.subject, row.object)


def _tier(row: Evidence, asked: _Bases, record: _Scope) -> int | None:
    """0: the question names an end and the rest is known; 1: the record names all; 2: the question names a drug or
    a condition of it and the rest is not known; None: it concerns neither."""
    one = asked.get(row.subject, set()) | record.bases.get(row.subject, set())
    other = asked.get(row.object, set()) | record.bases.get(row.object, set())
    if row.relation == "cross-reacts-with":
        return 0 if row.object in asked and row.subject in record.allergies else None
    if row.relation == "interacts-with":
        whole = any(a != b for a in one for b in other)
    else:
        beside = [end.partition(":")[0] in _BESIDE for end in _ends(row)]
        whole = (bool(one) or beside[0]) and (bool(other) or beside[1]) and bool(one or (other and beside[0]))
    if whole:
        return 0 if row.subject in asked or row.object in asked else 1
    spoken = [end for end in _ends(row) if end in asked and end.partition(":")[0] not in _BESIDE]
    return 2 if spoken else None


def _source(library: Library, row: Evidence, say: Words) -> Source:
    text = worded(library, row, say)
    return Source("", text, (), _WHERE, hidden=any(speaks(part) for part in SENTENCE_END.split(text)), row=row)
