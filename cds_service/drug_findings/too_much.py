"""More of a medicine a day than the highest of its label, for adults: from one order, or from several of one call.

What is taken where it is needed counts in full, since it may be, up to the most that the order itself allows. A dose
that cannot be read is not judged; a single dose neither. Where an order alone reaches the highest and the same drug is
in another product on the list, the sum is above it, however little that is. Orders that exceed it only together, and
only if all that is needed were taken (a tablet, or a suppository instead), or begin on different days, are information.
"""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.drug_findings.steps import ordered, removal, said
from cds_service.features import catalogue
from cds_service.features.courses import at_once
from cds_service.features.dose_most import doses_counted
from cds_service.features.doses import given_once, highest_daily_mg, is_if_needed, times_a_day
from cds_service.fhir import resources as fhir
from cds_service.findings import EvidenceFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.knowledge import daily_most, safety
from cds_service.language import Message, msg
from cds_service.risk import published

ADULT = 18
FEW = 6  # doses in all, of which none is treatment that goes on
URGENCY = {"major": Severity.WARNING, "moderate": Severity.INFO}


def too_much(case: Case, draft: safety.Exposure, known: safety.Medicines) -> tuple[Finding, ...]:
    """That a draft, with the other drafts of its drug, is above the highest daily dose."""
    age = case.values.usable(catalogue.AGE)
    years = published.whole_years(age) if age is not None else None
    if draft.local or draft.row is None or len(draft.nodes) != 1 or (years is not None and years < ADULT):
        return ()
    node = draft.nodes[0]
    rows = daily_most.rows_of(node, years, said(draft), counted=_is_counted(draft.row))
    if not rows:
        return ()
    same = [draft, *(d for d in known.drafts if d is not draft and d.nodes == draft.nodes and not d.local)]
    dose = _daily_mg(case, node, same)
    beside = any(node in e.nodes and len(e.nodes) > 1 for e in (*known.current, *known.drafts))
    row = next((row for row in rows if dose is not None and (dose > row.mg or (dose == row.mg and beside))), None)
    if dose is None or row is None:
        return ()
    at_one_time = len({one.course.start for one in same}) == 1  # else one may well follow the other
    least = max(_daily_mg(case, node, [one for one in same if at_one_time and not _if_needed(one)]) or 0.0,
                *(_daily_mg(case, node, [one]) or 0.0 for one in same))  # fmt: skip
    sure = least > row.mg or dose == row.mg
    finding = EvidenceFinding(
        key=f"drug-safety/dose/{node.partition(':')[2]}",
        severity=URGENCY[row.severity] if sure else Severity.INFO,
        headline=_headline(case, row, dose, sure=sure),
        advice=msg("Lower it, or write down why more is needed."),
        advice_source=row.source,
        proposals=removal(case, draft, node),
        path=tuple(ordered(case, one) for one in same),
    )
    return (finding,)


def _headline(case: Case, row: daily_most.Most, dose: float, *, sure: bool) -> Message:
    name = case.knowledge.name(row.node)
    shown = {"drug": msg(name[:1].upper() + name[1:]), "dose": f"{dose:g}", "most": f"{row.mg:g}"}
    if not sure:
        return msg("{drug}: {dose} mg a day if all orders here are taken in full; {most} mg is the highest daily dose",
                   **shown)  # fmt: skip
    if dose == row.mg:
        return msg("{drug} {dose} mg a day ordered, the highest daily dose, and it is in another product too", **shown)
    if row.from_age is not None:
        return msg("{drug} {dose} mg a day ordered: from {age} years on {most} mg is the highest daily dose",
                   age=row.from_age, **shown)  # fmt: skip
    return msg("{drug} {dose} mg a day ordered: {most} mg is the highest daily dose", **shown)


def _daily_mg(case: Case, node: str, drafts: Sequence[safety.Exposure]) -> float | None:
    """The highest sum that runs at once of the doses that can be read, in mg; None if none can."""
    name = case.knowledge.name(node).lower()
    doses = []
    for one in drafts:
        if one.row is None or given_once(one.row):
            continue
        mg = highest_daily_mg(one.row.dosage_instruction, one.words, (name,))
        if mg is not None:
            doses.append((one.course, mg * _share(one.row)))
    return round(at_once([c for c, _ in doses], [mg for _, mg in doses]), 3) if doses else None


def _share(row: fhir.MedicationRequest) -> float:
    """Which part of a day's doses an order is for that counts fewer."""
    counted, times = doses_counted(row), times_a_day(row)
    return min(1.0, counted / times) if counted is not None and times is not None else 1.0


def _is_counted(row: fhir.MedicationRequest) -> bool:
    counted = doses_counted(row)
    return counted is not None and counted <= FEW


def _if_needed(draft: safety.Exposure) -> bool:
    dosages = draft.row.dosage_instruction if draft.row is not None else ()
    return any(dosage.if_needed or is_if_needed(dosage.text or "") for dosage in dosages)
