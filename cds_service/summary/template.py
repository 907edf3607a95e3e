"""The deterministic summary: cited fact lines in the order that the hook and the models give them.

No language model: the same record gives the same lines, whatever the order of its resources.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime

from cds_service.features.feature import FeatureValue, FeatureValues, Quantity
from cds_service.fhir.codes import LOINC
from cds_service.fhir.context import ClinicalContext
from cds_service.findings import CareGapFinding, EvidenceFinding, Finding, RiskFinding
from cds_service.language import msg
from cds_service.risk.values_in_words import in_words
from cds_service.summary.collecting import collect, marked
from cds_service.summary.drafts import drafts
from cds_service.summary.facts import (
    ADVERSE_EVENT,
    ALLERGY,
    CODE_STATUS,
    CONTRADICTION,
    DEVICE,
    GOAL,
    MEDICATION,
    PLAN,
    PROBLEM,
    RESULT,
    TREND,
    Fact,
    past_problems,
)
from cds_service.summary.general import General
from cds_service.summary.must import CHANGED_MEDICINE, ORDER_HOOKS, must_have
from cds_service.summary.told import Told

MAX_LINES = 12
_TOP_REASONS = 3
_EVERYWHERE = (MEDICATION, PROBLEM, RESULT, TREND)  # anticoagulants, pregnancy and critical results: always told
_BESIDE = {  # kinds of which a hook tells what must not be lost, whether or not the service names them
    "encounter-start": (DEVICE,),
    **dict.fromkeys(ORDER_HOOKS, (ADVERSE_EVENT,)),
    "encounter-discharge": (PLAN,),
    "patient-view": (GOAL,),
}
_BESIDE_MUST = 3  # lines that stand beside what must be told, however much that is
# Parts of a blood count and salts that seldom say more than haemoglobin, the white count and sodium: told after others.
_BESIDE_ANOTHER = frozenset(
    f"{LOINC}|{code}"
    for code in (
        "789-8", "26453-1", "788-0", "30385-9", "21000-5", "785-6", "28539-5", "786-4", "28540-3", "787-2", "30428-7",
        "4544-3", "20570-8", "5905-5", "26485-3", "706-2", "30180-4", "713-8", "26450-7", "2075-0",
    )
)  # fmt: skip
_FIRST_SHARE = 4  # lines of each kind before any kind gets more


@dataclass(frozen=True, slots=True)
class Summary:
    """Cited lines in the order in which the clinician needs them, and those that did not fit.

    told: the same in a language model's words, checked; empty where the lines speak for themselves.
    general: rows of general knowledge that they make relevant, which a model may quote.
    """

    lines: tuple[Fact, ...] = ()
    cut: tuple[Fact, ...] = ()
    told: tuple[Told, ...] = ()
    general: tuple[General, ...] = ()

    @property
    def left_out(self) -> int:
        """How many lines did not fit."""
        return len(self.cut)

    def with_general(self, rows: tuple[General, ...]) -> Summary:
        """The same with rows of general knowledge; the lines that a shown row is about stand beside it, never cut."""
        about = {reference for one in rows if one.shown for reference in one.about}
        back = [fact for fact in self.cut if not about.isdisjoint(fact.references)]
        lines = list(self.lines)
        for fact in back:
            after = [n for n, line in enumerate(lines) if line.kind == fact.kind]
            lines.insert(after[-1] + 1 if after else len(lines), fact)
        kept = tuple(fact for fact in self.cut if fact not in back)
        return replace(self, lines=tuple(lines), cut=kept, general=rows)

    @property
    def beside(self) -> tuple[General, ...]:
        """The general knowledge that stands beside the lines and that no line tells."""
        quoted = {cite for line in self.told if line.by == "general" for cite in line.cites}
        return tuple(one for one in self.general if one.shown and one.row.id not in quoted)


def summarise(
    context: ClinicalContext,
    values: FeatureValues,
    findings: Iterable[Finding],
    order: tuple[str, ...],
    *,
    shown: tuple[Quantity, ...] = (),
    max_lines: int = MAX_LINES,
) -> Summary:
    """The lines of one record for one service.

    order: fact kinds as the service needs them; kinds that it does not name are left out, allergies never.
    shown: measurements that are told first of all results, be they normal.
    Lines that the estimates rest on come first in their kind, then critical and abnormal ones, then the latest.
    What must not be lost at the hook (`must.py`) is told whatever the length: of kinds that the service does not name
    nothing else is.
    """
    findings = tuple(findings)
    kinds = (CODE_STATUS, CONTRADICTION, *order, *(() if ALLERGY in order else (ALLERGY,)))
    ranks = _ranks(values, findings)
    by_kind: dict[str, list[Fact]] = {kind: [] for kind in kinds}
    found = collect(context.record, {*kinds, *_EVERYWHERE, *_BESIDE.get(context.hook, ())})
    asked = [value for feature in shown if (value := values.usable(feature)) is not None]
    top = _top_reasons(findings)
    found = (*found, *_over(context, ranks), *_normal((*asked, *_measured(findings, top)), found), *drafts(context))
    ranks |= {source: -1 for value in asked for source in value.sources}
    found = marked(found, context, top)
    needed = frozenset(id(fact) for fact in must_have(found, context.hook))
    for fact in found:
        if id(fact) in needed:
            by_kind.setdefault(fact.kind, [])
    moving = {fact.key for fact in found if fact.kind == TREND} if TREND in by_kind else set()
    for fact in found:
        if fact.kind not in kinds and id(fact) not in needed:
            continue
        # A trend says what its latest result says, and where that result lies.
        if fact.kind in by_kind and not (fact.kind == RESULT and fact.key in moving):
            by_kind[fact.kind].append(fact)
    for same_kind in by_kind.values():
        same_kind.sort(key=lambda fact: _place(fact, ranks))
    lines = _within_budget(by_kind, max_lines, needed)
    shown_lines = {id(fact) for fact in lines}
    cut = (fact for same_kind in by_kind.values() for fact in same_kind if id(fact) not in shown_lines)
    return Summary(lines, tuple(cut))


def _over(context: ClinicalContext, ranks: Mapping[str, int]) -> Iterable[Fact]:
    """Problems that are over and that a finding rests on, as an old stroke; the others would drown what goes on."""
    if any(rank == 0 and reference.startswith("Condition/") for reference, rank in ranks.items()):
        for fact in past_problems(context.record):
            if any(ranks.get(reference) == 0 for reference in fact.references):
                yield fact


def _normal(asked: Iterable[FeatureValue], found: Iterable[Fact]) -> Iterable[Fact]:
    """Lines of what is asked for and nothing else says, because it is neither abnormal nor changing."""
    told = {reference for fact in found for reference in fact.references}
    for value in asked:
        if value.effective is not None and told.isdisjoint(value.sources):
            told.update(value.sources)
            shown = {"name": value.feature.label, "value": in_words(value), "date": value.effective.date()}
            text = msg("{name} {value}, {date}", **shown)
            if isinstance(value.value, bool | str):
                text = msg("{name}: {value}, {date}", **shown)
            yield Fact(RESULT, text, value.sources, value.effective, key=value.feature.id)


def _ranks(values: FeatureValues, findings: Iterable[Finding]) -> dict[str, int]:
    """Reference -> 0 if a finding rests on it, 1 if a model read it; others have no rank."""
    ranks: dict[str, int] = {}
    for value in values:
        if type(value) is FeatureValue:
            for source in value.sources:
                ranks[source] = 1
    for finding in findings:
        for source in _sources(finding):
            ranks[source] = 0
    return ranks


def _sources(finding: Finding) -> Iterable[str]:
    if isinstance(finding, RiskFinding) and isinstance(finding.result, tuple):
        for estimate in finding.result:
            for value in estimate.inputs:
                yield from value.sources
    elif isinstance(finding, CareGapFinding):
        yield from finding.sources
    elif isinstance(finding, EvidenceFinding):
        yield from (reference for _, reference in finding.path)


def _top_reasons(findings: Iterable[Finding]) -> frozenset[str]:
    """References of the inputs that moved each first estimate most, and of the medicines that a finding names."""
    found: set[str] = set()
    for finding in findings:
        if isinstance(finding, RiskFinding) and isinstance(finding.result, tuple) and not finding.quiet:
            parts = finding.result[0].explanation.contributions
            for part in sorted(parts, key=lambda c: -abs(c.amount))[:_TOP_REASONS]:
                found.update(part.sources)
        elif not finding.quiet:
            found.update(source for source in _sources(finding) if source.startswith("Medication"))
    return frozenset(found)


def _measured(findings: Iterable[Finding], top: Set[str]) -> Iterator[FeatureValue]:
    """What was measured among the inputs that moved each first estimate most."""
    for finding in findings:
        if isinstance(finding, RiskFinding) and isinstance(finding.result, tuple) and not finding.quiet:
            for value in finding.result[0].inputs:
                if not top.isdisjoint(value.sources) and all(s.startswith("Observation/") for s in value.sources):
                    yield value


def _place(
    fact: Fact, ranks: Mapping[str, int]
) -> tuple[bool, bool, int, bool, bool, bool, float, str, tuple[str, ...]]:
    rank = min((ranks.get(reference, 2) for reference in fact.references), default=2)
    return (
        CHANGED_MEDICINE not in fact.tags,
        fact.key in _BESIDE_ANOTHER and not fact.critical,
        rank,
        not fact.critical,
        not fact.abnormal,
        not fact.grave,
        -_moment(fact.effective),
        fact.key,
        fact.references,
    )


def _moment(effective: datetime | None) -> float:
    return effective.timestamp() if effective is not None else float("-inf")


def _within_budget(by_kind: Mapping[str, list[Fact]], max_lines: int, needed: Set[int]) -> tuple[Fact, ...]:
    """All that must be told; then a share of each kind in turn; then, in order, as many as still fit."""
    if sum(map(len, by_kind.values())) <= max_lines:
        return tuple(fact for found in by_kind.values() for fact in found)
    taken = {kind: {id(fact) for fact in found if id(fact) in needed} for kind, found in by_kind.items()}
    left = max(max_lines - sum(map(len, taken.values())), min(_BESIDE_MUST, max_lines))
    for share in (_FIRST_SHARE, max_lines):
        for kind, found in by_kind.items():
            own = taken[kind]
            if (more := min(left, min(share, len(found)) - len(own))) > 0:
                rest = [id(fact) for fact in found if id(fact) not in own][:more]
                own.update(rest)
                left -= len(rest)
    return tuple(fact for kind, found in by_kind.items() for fact in found if id(fact) in taken[kind])
