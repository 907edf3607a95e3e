"""General knowledge beside a summary: rows of the graph that matter to a record, and whether a sentence quotes one.

A row is never about this patient. A sentence that cites one must be whole sentences of it, word for word, and must not
cite the record as well: a paraphrase of guidance can lose the condition under which it holds, and no rule for numbers
and negation would notice. The same rule holds for summaries and for answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cds_service.features.conditions_on_record import current_problems
from cds_service.fhir.context import ClinicalContext
from cds_service.findings import EvidenceFinding, Finding, RiskFinding
from cds_service.knowledge import guidance, safety
from cds_service.knowledge.graph import Evidence
from cds_service.knowledge.headings import sentence
from cds_service.knowledge.library import Library
from cds_service.knowledge.medicines import medicines
from cds_service.knowledge.policy import severity_rank
from cds_service.language import Words, msg
from cds_service.summary.cleaning import clean, speaks
from cds_service.summary.facts import Fact
from cds_service.summary.must import CHANGED_MEDICINE

MOST_ROWS = 3
_MOST_SAFETY = 2
_MODERATE = severity_rank("moderate")
_LOUD = frozenset({"warning", "critical"})
SHOWN_AT = frozenset({"encounter-discharge"})  # the list of medicines that goes home with the patient
_TOLD = frozenset({
    "interacts-with", "contraindicated-in", "cross-reacts-with", "monitored-by", "dosed-by-gene", "recommended-for",
    "limited-by",
})  # fmt: skip
_About = tuple[str, ...]  # references
SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*")
_LABEL = re.compile(r"(?i)^(?:why|what to do|原因|处理)\s*[:：]\s*")  # may be quoted or left
MIXED = "it mixes general knowledge with this patient's record"
NOT_QUOTED = "it is not whole sentences of the row of knowledge that it cites"


@dataclass(frozen=True, slots=True)
class General:
    """A row of the graph beside a summary. id: `K1`, `K2`. shown: it is told without a language model too.

    about: references of the medicines and the problem of this record that the row is about.
    """

    id: str
    row: Evidence
    shown: bool
    library: Library = field(repr=False, compare=False)
    about: tuple[str, ...] = ()

    def text(self, say: Words) -> str:
        """The row in words."""
        return worded(self.library, self.row, say)

    @property
    def source(self) -> str:
        """Who says so, with the year where there is one: a label has none, the one in force counts."""
        row = self.row
        return f"{row.citation}, {row.year}" if row.year.isdigit() and row.year not in row.citation else row.citation


def general(
    library: Library, context: ClinicalContext, lines: Iterable[Fact], findings: Sequence[Finding]
) -> tuple[General, ...]:
    """The rows that a summary's medicines and its findings make relevant, the most serious first; at most three.

    Interactions and contraindications of the medicines that its lines tell, then what a guideline says of the
    input that would change the first estimate most. What the findings cite themselves is left out.
    """
    cited = {rest for f in findings if isinstance(f, EvidenceFinding) for _, rest in f.path}
    rows = _safety(library, context, lines)[:_MOST_SAFETY]
    rows += [(row, ()) for row in _guideline(library, findings)]
    kept = [(row, about) for row, about in rows if row.id not in cited and is_told(row)][:MOST_ROWS]
    at = context.hook in SHOWN_AT
    return tuple(
        General(f"K{n}", row, at and bool(about) and n == 1, library, about) for n, (row, about) in enumerate(kept, 1)
    )


def _safety(library: Library, context: ClinicalContext, lines: Iterable[Fact]) -> list[tuple[Evidence, _About]]:
    """The leading row of each matter about a medicine that is told, the most severe first, and whom it is about.

    Loud ones; of what the stay changed moderate ones too, for somebody must watch them at home.
    """
    told = {reference: CHANGED_MEDICINE in fact.tags for fact in lines for reference in fact.references}
    taken = medicines(context, library.terms).current
    hits = [hit for hit in safety.between(library, taken, ()) if hit.kind == "interaction"]
    named = [one for one in taken if one.reference in told]
    if any(one.nodes for one in named):
        present = current_problems(context.record, library.terms.conditions)
        hits += [hit for one in named for hit in safety.contraindications(library, one, present)]
    matters: dict[str, tuple[int, str, Evidence, _About]] = {}
    for hit in hits:
        ends = [one.reference for one in (hit.draft, hit.against) if one is not None]
        own = told.keys() & set(ends)
        loud = library.policy.urgency(hit.rows) in _LOUD
        changed = any(told[reference] for reference in own)
        if own and hit.rows and (loud or (changed and severity_rank(hit.rows[0].severity) >= _MODERATE)):
            row = hit.rows[0]
            about = (*ends, *(hit.fact.sources if hit.fact is not None else ()))
            matters.setdefault(row.id, (-severity_rank(row.severity), row.id, row, about))
    return [(row, about) for _, _, row, about in sorted(matters.values(), key=lambda one: one[:2])]


def _guideline(library: Library, findings: Sequence[Finding]) -> Iterable[Evidence]:
    """What a guideline says of the input whose change moves the first estimate most."""
    found = guidance.finder(library)
    for finding in findings:
        if isinstance(finding, RiskFinding) and not finding.quiet:
            single = [change for change in finding.changes if change.id != "all" and change.estimates]
            for change in sorted(single, key=lambda c: c.estimates[0].value):
                if rows := found(change.values):
                    return rows[:1]
    return ()


def is_told(row: Evidence) -> bool:
    """True for rows that say something, are cited, do not contradict what others say, and speak to no machine."""
    plain = not any(speaks(text) for text in (row.statement, row.management) if text)
    return row.relation in _TOLD and plain and bool(row.statement and row.citation) and row.direction == "supports"


def worded(library: Library, row: Evidence, say: Words) -> str:
    """What a row says, in whole sentences: what it is about, why, what to do, and what lifts it."""
    about = " ".join(say(sentence(library, row)).split())
    told = [about[:1].upper() + about[1:] + ("." if say.language == "en" else "。")]
    told.append(say(msg("Why: {statement}", statement=msg(row.statement))))
    if row.management:
        told.append(say(msg("What to do: {management}", management=msg(row.management))))
    for condition in row.properties.get("unless", ()):
        told.append(say(msg("It does not hold with {condition}.", condition=msg(library.name(condition)))))
    return " ".join(told)


def unlike(text: str, rows: Sequence[str], *, mixed: bool) -> tuple[str, ...]:
    """Why a sentence that cites general knowledge may not stand; empty if it quotes one of the rows and only that.

    rows: what the cited rows say. mixed: it cites the record as well.
    """
    if mixed:
        return (MIXED,)
    said = _sentences(text)
    whole = bool(said) and any(set(said) <= set(_sentences(row)) for row in rows)
    return () if whole else (NOT_QUOTED,)


def _sentences(text: str) -> list[str]:
    parts = (_LABEL.sub("", part.strip()) for part in SENTENCE_END.split(clean(text)))
    return [bare for part in parts if (bare := part.rstrip(".。").casefold())]
