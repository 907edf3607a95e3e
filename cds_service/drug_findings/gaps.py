"""What a draft calls for and lacks: tests that are due while it is taken, and medicines that were not recognised."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import timedelta

from cds_service import orders
from cds_service.drug_findings.limits import KIDNEY, TESTS, kidney_unknown
from cds_service.drug_findings.steps import NAMELESS, RECORD_SOURCE, capital, ordered
from cds_service.features.feature import Feature, FeatureValue, Reason, Unusable
from cds_service.features.latest import has_newer
from cds_service.fhir import resources as fhir
from cds_service.findings import EvidenceFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.knowledge import safety
from cds_service.language import Message, inside, msg
from cds_service.risk import published
from cds_service.risk.model import Citation


def to_measure(case: Case, draft: safety.Exposure) -> tuple[Finding, ...]:
    """Tests that the drafted medicine calls for and that are missing or too old; one finding a draft."""
    missing = []
    asked = KIDNEY if any(not finding.quiet for finding in kidney_unknown(case, draft)) else frozenset()
    for row in safety.due(case.knowledge, draft):
        feature = TESTS.get(row.object)
        if feature is None or row.object in asked:  # a card of its own says that kidney function is unknown
            continue
        value = case.values.usable(feature)
        window = timedelta(days=float(row.properties["every_days"]))
        old = value is None or value.effective is None or case.context.now - value.effective > window
        old = old or (value is not None and has_newer(value))  # what came since may be the very danger
        if old and not (value is None and case.values.unusable([feature])[0].reason in orders.UNSEEN):
            missing.append((row, feature))
    if not missing:
        return ()
    about = next(n for n in draft.nodes if missing[0][0].subject in case.knowledge.terms.above(n))
    name = case.knowledge.name(about)
    tests = published.enumerated([msg(inside(case.knowledge.name(row.object))) for row, _ in missing])
    lacks = [_lack(case.values[feature]) for _, feature in missing]
    why = msg("While taking {drug}", drug=msg(name))
    offers = {p.key: p for what in orders.mending(lacks) for p in orders.offer(case.context, what, why)}
    drug = capital(name)
    row = missing[0][0]
    finding = EvidenceFinding(
        key=f"drug-safety/monitoring/{draft.nodes[0].partition(':')[2]}",
        severity=Severity.INFO,
        headline=msg("{drug}: no usable recent value: {tests}", drug=drug, tests=tests),
        short_headline=msg("{drug}: tests that it calls for have no usable recent value", drug=drug),
        advice=msg("Measure {tests}. {what}", tests=tests, what=msg(row.management)),
        advice_source=Citation(row.citation, row.url),
        proposals=tuple(offers.values()),
        path=(
            ordered(case, draft),
            *(step for _, feature in missing for step in _why_none(case, feature)),
            *((_said(case, r), r.id) for r, _ in missing),
        ),
    )
    return (finding,)


def unchecked(
    case: Case, chosen: Sequence[safety.Exposure], rest: Sequence[safety.Exposure], known: safety.Medicines
) -> tuple[Finding, ...]:
    """Drafts and current medicines that were not recognised: never an all-clear."""
    found = [_unchecked_draft(case, draft) for draft in safety.unresolved(chosen)]
    others = safety.unresolved([*rest, *known.current])
    if chosen and others:
        path = tuple((msg("Not recognised: {words}", words=e.words or NAMELESS), e.reference) for e in others)
        digest = hashlib.sha256("|".join(sorted(e.words.lower() for e in others)).encode()).hexdigest()[:12]
        many = msg("{count} of the patient's medicines were not recognised and not checked", count=len(others))
        one = msg("{words}: not recognised, and not checked against the order", words=others[0].words or NAMELESS)
        finding = EvidenceFinding(
            key=f"drug-safety/unrecognised/{digest}",
            severity=Severity.INFO,
            headline=one if len(others) == 1 else many,
            short_headline=many if len(others) > 1 else msg("One of the patient's medicines was not recognised"),
            advice=msg("Check these by hand."),
            advice_source=RECORD_SOURCE,
            path=path,
        )
        found.append(finding)
    found += _odd_allergies(case, chosen, [a for a in known.allergies if not a.nodes])
    if case.context.unread:
        line = msg("Orders of a kind that is not read here, not checked: {count}", count=case.context.unread)
        found.append(
            EvidenceFinding(
                key="drug-safety/unread",
                severity=Severity.WARNING,
                headline=line,
                advice=msg("Check interactions, allergies and doses by hand."),
                advice_source=RECORD_SOURCE,
                path=(),
            )
        )
    if known.foreign:
        line = msg("Drafts for another patient, not checked: {count}", count=known.foreign)
        found.append(EvidenceFinding(key="drug-safety/foreign", severity=Severity.WARNING, headline=line, path=()))
    return tuple(found)


def _odd_allergies(
    case: Case, chosen: Sequence[safety.Exposure], odd: Sequence[safety.Allergy]
) -> Iterable[EvidenceFinding]:
    """Allergies that match no medicine: loud where one nearly spells a draft, a card where one is to a medicine."""
    if not chosen or not odd:
        return
    nodes = {node: draft for draft in chosen for node in draft.nodes}
    for allergy in odd:
        name = case.knowledge.terms.near(allergy.words, nodes)
        if name is not None:
            drafts = [d for n, d in nodes.items() if case.knowledge.terms.near(name, (n,)) is not None]
            yield EvidenceFinding(
                key=f"drug-safety/allergy-spelt/{allergy.reference.partition('/')[2]}",
                severity=Severity.WARNING,
                headline=msg("Allergy “{words}” may mean {name}: check it before this order", words=allergy.words,
                             name=msg(name)),
                short_headline=msg("An allergy on record may mean {name}: check it before this order", name=msg(name)),
                advice=msg("Ask what the allergy is to, and write it with a code."),
                advice_source=RECORD_SOURCE,
                path=(*(ordered(case, d) for d in drafts[:1]),
                      (msg("On the allergy list: {words}", words=allergy.words), allergy.reference)),
            )  # fmt: skip
    of_medicines = [a for a in odd if a.of_medicine]
    lead = msg("Allergies that name no medicine that is known here")
    if len(of_medicines) == 1:
        lead = msg("Allergy to {words}: not recognised, and not checked against the order",
                   words=of_medicines[0].words or NAMELESS)  # fmt: skip
    digest = hashlib.sha256("|".join(sorted(a.words.lower() for a in of_medicines)).encode()).hexdigest()[:12]
    yield EvidenceFinding(
        key=f"drug-safety/allergies/{digest}" if of_medicines else "drug-safety/allergies",
        severity=Severity.INFO,
        headline=lead,
        short_headline=msg("Allergies that name no medicine that is known here"),
        advice=msg("Check these by hand.") if of_medicines else None,
        advice_source=RECORD_SOURCE if of_medicines else None,
        path=tuple(
            (msg("Allergy not matched to a medicine: {words}", words=a.words or NAMELESS), a.reference) for a in odd
        ),
        quiet=not of_medicines,
    )


def _unchecked_draft(case: Case, draft: safety.Exposure) -> EvidenceFinding:
    digest = hashlib.sha256(draft.words.lower().encode()).hexdigest()[:12]
    if _unchosen(case, draft):
        return _nothing_chosen(case, draft, digest)
    name = draft.words or NAMELESS
    lead = msg("{words}: in part not recognised, so not checked in full", words=name)
    if not draft.nodes:
        lead = msg("{words}: the medicine was not recognised, so nothing was checked", words=name)
    return EvidenceFinding(
        key=f"drug-safety/unrecognised/{digest}",
        severity=Severity.INFO,
        headline=lead,
        short_headline=msg("A draft order was not recognised, so it was not checked"),
        advice=msg("Check interactions, allergies and doses by hand, or order it by a code."),
        advice_source=RECORD_SOURCE,
        path=(ordered(case, draft),),
    )


def _unchosen(case: Case, draft: safety.Exposure) -> bool:
    """True for an order in which no medicine stands: some EHRs call before one is chosen."""
    context = case.context
    rows = [row for row in context.drafts if context.record.reference(row) == draft.reference]
    return (
        bool(rows)
        and not draft.words
        and all(
            isinstance(row, fhir.MedicationRequest)
            and row.medication_reference is None
            and row.medication is None
            and (row.medication_codeable_concept is None or not row.medication_codeable_concept.coding)
            for row in rows
        )
    )


def _nothing_chosen(case: Case, draft: safety.Exposure, digest: str) -> EvidenceFinding:
    return EvidenceFinding(
        key=f"drug-safety/unrecognised/{digest}",
        severity=Severity.INFO,
        headline=msg("An order names no medicine, so nothing was checked"),
        advice=msg("Choose the medicine first; then the order is checked."),
        advice_source=RECORD_SOURCE,
        path=(ordered(case, draft),),
    )


def _lack(found: FeatureValue | Unusable) -> Unusable:
    """A test as one that is lacking: a value too old for the medicine, or followed by another, counts so."""
    if isinstance(found, Unusable):
        return found
    return Unusable(found.feature, Reason.STALE, found.note or found.feature.label, found.effective, found.sources)


def _why_none(case: Case, feature: Feature) -> tuple[tuple[Message, str], ...]:
    """What is on record and cannot be used, or comes after what can be; nothing where there is none or an old one."""
    found = case.values[feature]
    if isinstance(found, FeatureValue):
        return ((found.note, ", ".join(found.sources)),) if found.note is not None and has_newer(found) else ()
    plain = found.reason in orders.UNKNOWN
    return () if plain else ((found.words, ", ".join(found.sources)),)


def _said(case: Case, row: safety.Evidence) -> Message:
    return msg("Why {test}: {why}", test=msg(inside(case.knowledge.name(row.object))), why=msg(row.statement))
