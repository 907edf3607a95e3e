"""The checks of a draft: against other medicines, allergies, conditions, limits; each gives rows of evidence.

Of several rows about one matter the most severe leads; all are kept, so that every source is cited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from cds_service.features.courses import follow
from cds_service.features.feature import FeatureValue
from cds_service.features.order_reasons import holds_for
from cds_service.knowledge.graph import Evidence
from cds_service.knowledge.library import Library
from cds_service.knowledge.medicines import Allergy, Exposure, Medicines, given, medicines, unresolved
from cds_service.knowledge.policy import severity_rank

__all__ = [
    "Allergy",
    "Evidence",
    "Exposure",
    "Hit",
    "Medicines",
    "allergies",
    "before_pregnancy",
    "between",
    "breaks",
    "contraindications",
    "due",
    "given",
    "is_clear",
    "limited",
    "limits",
    "medicines",
    "unresolved",
]

Kind = Literal["interaction", "duplicate", "contraindication", "limit", "allergy"]
_MOST_ROWS = 4
_PRINTED_WHOLE = frozenset({"test:egfr", "test:crcl"})
_SERIOUS = severity_rank("major")


@dataclass(frozen=True, slots=True)
class Hit:
    """What evidence says of a draft. kind: of matter. node, other: the drug, and the drug, condition or test that it
    meets. against: the medicine or allergy of the record. fact: the condition or value of the record. rows: the most
    severe first; empty where the record alone says it (the same drug twice, an allergy to it)."""

    kind: Kind
    draft: Exposure
    node: str
    other: str
    rows: tuple[Evidence, ...]
    against: Exposure | Allergy | None = None
    fact: FeatureValue | None = None

    @property
    def held(self) -> bool:
        """True if the medicine that the draft meets is on hold."""
        return isinstance(self.against, Exposure) and self.against.held

    @property
    def in_turn(self) -> bool:
        """True if of the draft and the medicine that it meets one is over when the other begins."""
        return isinstance(self.against, Exposure) and follow(self.draft.course, self.against.course)

    @property
    def ordered_twice(self) -> bool:
        """True for two drafts of the very same medicine."""
        other = self.against
        return self.kind == "duplicate" and not self.rows and isinstance(other, Exposure) and other.draft

    @property
    def key(self) -> str:
        """The same for the same matter, whatever was drafted first."""
        names = sorted(end.partition(":")[2] for end in (self.node, self.other))
        if self.ordered_twice:
            return f"drug-safety/ordered-twice/{names[0]}"
        if self.kind in ("interaction", "duplicate"):
            return f"drug-safety/{'+'.join(names)}"
        return f"drug-safety/{self.node.partition(':')[2]}/{self.other.replace(':', '/')}"


def between(library: Library, drafts: Sequence[Exposure], current: Sequence[Exposure]) -> tuple[Hit, ...]:
    """Interactions and duplications of drafts with each other and with what is taken; local forms are left out.

    What is over when the other begins doubles nothing; it may still interact.
    """
    ours = [d for d in drafts if not d.local]
    others = [c for c in current if not c.local]
    pairs = [*combinations(ours, 2), *((d, c) for d in ours for c in others)]
    if not pairs:
        return ()
    one = _above(library, ours)
    two = _above(library, [*ours, *others])
    rows = _by_ends(library.graph.evidence(one, "interacts-with", two))
    for ends, found in _by_ends(library.graph.evidence(two, "interacts-with", one)).items():
        rows[ends] = rows.get(ends, []) + found
    spoken_of = frozenset(end for ends in rows for end in ends)
    doubled = {row.subject: row for row in library.graph.evidence(one, "duplicates")}
    hits = [hit for d, c in pairs for hit in _pair(library, d, c, rows, doubled, spoken_of)]
    hits.sort(key=lambda hit: not hit.in_turn)  # of one matter, what is taken at once counts
    return _once({hit.key: hit for hit in hits}.values())


def _once(hits: Iterable[Hit]) -> tuple[Hit, ...]:
    """The hits; what the same rows say of two parts of one product of the record is one."""
    found: dict[object, Hit] = {}
    for hit in hits:
        product = hit.against.reference if isinstance(hit.against, Exposure) else ""
        same = (hit.draft.reference, hit.node, product, tuple(row.id for row in hit.rows))
        found.setdefault(same if hit.rows and product and not hit.ordered_twice else hit.key, hit)
    return tuple(found.values())


def _pair(
    library: Library,
    draft: Exposure,
    other: Exposure,
    rows: Mapping[tuple[str, str], list[Evidence]],
    doubled: Mapping[str, Evidence],
    spoken_of: frozenset[str],
) -> Iterable[Hit]:
    apart = draft.absorbed or other.absorbed  # a drop in the eye beside a tablet of its class is no doubling
    apart = apart or follow(draft.course, other.course)
    same = set(draft.nodes) == set(other.nodes)
    for a in draft.nodes:
        for b in other.nodes:
            up_a, up_b = library.terms.above(a), library.terms.above(b)
            if a == b:  # in two products it is taken twice; in the same product it may be a renewal
                if apart or (same and a != draft.nodes[0]):
                    continue
                twice = [] if same else [doubled[c] for c in up_a if c in doubled]
                yield Hit("duplicate", draft, a, b, _ranked(twice), other)
            if a == b or same:  # the parts of one combination belong together
                continue
            found = [
                r
                for x in up_a & spoken_of
                for y in up_b & spoken_of
                for ends in ((x, y), (y, x))
                for r in rows.get(ends, ())
            ]
            found += [] if apart else [doubled[c] for c in up_a & up_b if c in doubled]
            if found:
                kind: Kind = "duplicate" if all(r.relation == "duplicates" for r in found) else "interaction"
                yield Hit(kind, draft, a, b, _ranked(found), other)


def contraindications(
    library: Library, draft: Exposure, present: Callable[[str], FeatureValue | None]
) -> tuple[Hit, ...]:
    """Conditions of the patient. present: the entry of the problem list for a condition node, or None."""
    by_condition: dict[tuple[str, str], list[Evidence]] = {}
    for node in () if draft.local else draft.nodes:
        for row in library.graph.evidence(library.terms.above(node), "contraindicated-in"):
            if any(present(other) is not None for other in row.properties.get("unless", ())):
                continue  # a pacemaker lifts what is said of heart block
            by_condition.setdefault((node, row.object), []).append(row)
    hits = []
    for (node, condition), rows in by_condition.items():
        fact = present(condition)
        if fact is not None:
            hits.append(Hit("contraindication", draft, node, condition, _ranked(rows), fact=fact))
    return tuple(hits)


def before_pregnancy(library: Library, draft: Exposure) -> tuple[Evidence, ...]:
    """Rows that want pregnancy excluded before the drafted medicine is given, the most severe first."""
    found = (
        library.graph.evidence(library.terms.above(n), "contraindicated-in") for n in draft.nodes if not draft.local
    )
    return _ranked(row for rows in found for row in rows if row.properties.get("before"))


def limits(library: Library, draft: Exposure, value: Callable[[str], FeatureValue | None]) -> tuple[Hit, ...]:
    """Limits that the patient's values break; of several for one test the strictest. value: by test node."""
    broken: dict[tuple[str, str], list[Evidence]] = {}
    facts: dict[str, FeatureValue] = {}
    for node in () if draft.local else draft.nodes:
        for row in library.graph.evidence(library.terms.above(node), "limited-by"):
            fact = value(row.object) if _holds(row, draft) else None
            if fact is not None and breaks(row, float(fact.value)):
                facts[row.object] = fact
                broken.setdefault((node, row.object), []).append(row)
    return tuple(
        Hit("limit", draft, node, test, (_strictest(rows),), fact=facts[test]) for (node, test), rows in broken.items()
    )


def _strictest(rows: Sequence[Evidence]) -> Evidence:
    """The most severe row; of equals, the one that goes furthest."""
    first = _ranked(rows)[0]
    equals = [r for r in rows if (r.severity, r.subject, r.source) == (first.severity, first.subject, first.source)]
    further = min if first.properties["comparison"] == "below" else max
    return further(equals, key=lambda row: float(row.properties["value"]))


def limited(library: Library, draft: Exposure, tests: Set[str]) -> tuple[Evidence, ...]:
    """Serious limits of a draft by one of the tests, the strictest first."""
    found = (
        library.graph.evidence(library.terms.above(n), "limited-by", tests) for n in draft.nodes if not draft.local
    )
    held = (row for rows in found for row in rows if _holds(row, draft))
    return tuple(row for row in _ranked(held) if severity_rank(row.severity) >= _SERIOUS)


def _holds(row: Evidence, draft: Exposure) -> bool:
    """False for a row about one use of a medicine where the order names another one."""
    own, others = (frozenset(row.properties.get(column, ())) for column in ("use", "other_uses"))
    return holds_for(draft.reasons.uses, own, others)


def breaks(row: Evidence, value: float) -> bool:
    """True if a value is beyond the row's limit; of kidney function the whole number counts that a card prints."""
    limit = float(row.properties["value"])
    value = round(value) if row.object in _PRINTED_WHOLE else value
    return value < limit if row.properties["comparison"] == "below" else value >= limit


def allergies(library: Library, draft: Exposure, known: Sequence[Allergy]) -> tuple[Hit, ...]:
    """Allergies to the drafted drug, to its class, or to what cross-reacts; local forms count too."""
    hits: dict[str, Hit] = {}
    for allergy in known:
        for node in draft.nodes:
            up = library.terms.above(node)
            for other in allergy.nodes:
                same = other == node or other in up
                rows = library.graph.evidence(library.terms.above(other), "cross-reacts-with", up)
                if same or rows:
                    hit = Hit("allergy", draft, node, other, _ranked(rows), allergy)
                    hits.setdefault(hit.key, hit)
    return tuple(hits.values())


def is_clear(
    library: Library,
    node: str,
    old: Exposure,
    known: Medicines,
    present: Callable[[str], FeatureValue | None],
    value: Callable[[str], FeatureValue | None],
) -> bool:
    """True if a drug may take the place of a draft: not taken or on hold, no allergy, nothing serious against it, and
    no reserve about the patient's age."""
    wanted = Exposure(old.reference, library.name(node), (node,), draft=True)
    others = [e for e in (*known.drafts, *known.current, *known.held) if e != old]
    if any(node in e.nodes for e in others) or allergies(library, wanted, known.allergies):
        return False
    hits = [
        *between(library, [wanted], others),
        *contraindications(library, wanted, present),
        *limits(library, wanted, value),
    ]
    return not any(
        hit.rows and (severity_rank(hit.rows[0].severity) >= _SERIOUS or hit.other == "test:age") for hit in hits
    )


def due(library: Library, draft: Exposure) -> tuple[Evidence, ...]:
    """What is to be measured while the drafted drug is taken."""
    found = (library.graph.evidence(library.terms.above(n), "monitored-by") for n in draft.nodes if not draft.local)
    return tuple({row.object: row for rows in found for row in rows}.values())


def _above(library: Library, exposures: Iterable[Exposure]) -> list[str]:
    return sorted({up for e in exposures for node in e.nodes for up in library.terms.above(node)})


def _by_ends(rows: Iterable[Evidence]) -> dict[tuple[str, str], list[Evidence]]:
    found: dict[tuple[str, str], list[Evidence]] = {}
    for row in rows:
        found.setdefault((row.subject, row.object), []).append(row)
    return found


def _ranked(rows: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """The most severe first; among equals the one that names drugs, not classes; each row once."""
    unique = {row.id: row for row in rows}.values()
    ranked = sorted(unique, key=lambda r: (-severity_rank(r.severity), -_specific(r), r.level, r.id))
    sources: dict[str, int] = {}
    kept: list[Evidence] = []
    for row in ranked:  # every source that says something is cited, none of them more than twice
        sources[row.source] = sources.get(row.source, 0) + 1
        if sources[row.source] <= 2 and len(kept) < _MOST_ROWS:
            kept.append(row)
    return tuple(kept)


def _specific(row: Evidence) -> int:
    return sum(end.startswith("drug:") for end in (row.subject, row.object))
