"""What a draft calls for and lacks: tests that are due while it is taken, and medicines that were not recognised."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta

from cds_service import orders
from cds_service.drug_findings.limits import KIDNEY, TESTS, kidney_unknown
from cds_service.drug_findings.steps import NAMELESS, RECORD_SOURCE, capital, ordered
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
        if old and not (value is None and case.values.unusable([feature])[0].reason in orders.UNSEEN):
            missing.append((row, feature))
    if not missing:
        return ()
    about = next(n for n in draft.nodes if missing[0][0].subject in case.knowledge.terms.above(n))
    name = case.knowledge.name(about)
    tests = published.enumerated([msg(inside(case.knowledge.name(row.object))) for row, _ in missing])
    unusable = case.values.unusable([feature for _, feature in missing])
    why = msg("While taking {drug}", drug=msg(name))
    offers = {p.key: p for what in orders.mending(unusable) for p in orders.offer(case.context, what, why)}
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
    odd = [a for a in known.allergies if not a.nodes]
    if chosen and odd:
        path = tuple(
            (msg("Allergy not matched to a medicine: {words}", words=a.words or NAMELESS), a.reference) for a in odd
        )
        line = msg("Allergies that name no medicine that is known here")
        found.append(
            EvidenceFinding(key="drug-safety/allergies", severity=Severity.INFO, headline=line, path=path, quiet=True)
        )
    if known.foreign:
        line = msg("Drafts for another patient, not checked: {count}", count=known.foreign)
        found.append(EvidenceFinding(key="drug-safety/foreign", severity=Severity.WARNING, headline=line, path=()))
    return tuple(found)


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


def _said(case: Case, row: safety.Evidence) -> Message:
    return msg("Why {test}: {why}", test=msg(inside(case.knowledge.name(row.object))), why=msg(row.statement))
