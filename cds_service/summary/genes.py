"""What was reported about genes as cited fact lines, one a report: a gene is nothing without its change.

A genotype does not age, so reports of any year are told. Source of the codes: HL7 Genomics Reporting STU 2.
"""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.fhir import codes
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.resources import Observation, ObservationComponent
from cds_service.knowledge.genotypes import genotypes
from cds_service.knowledge.variants import ASSESSMENT, CODING, COPIES, GENE, ORIGIN, PROTEIN, SIGNIFICANCE, one_letter
from cds_service.language import Message, msg
from cds_service.summary.facts import RESULT, Fact
from cds_service.summary.rows import as_known, name_of

_PRESENT = frozenset({"LA9633-4", "10828004", "260373001"})


def of_genes(observation: Observation) -> bool:
    """True for a report of a variant, whose parts mean nothing one by one."""
    found = {code for system, code in codes.codings((observation.code,)) if system == codes.LOINC}
    return not found.isdisjoint(ASSESSMENT)


def gene_results(record: PatientRecord) -> tuple[Fact, ...]:
    """Variants, those that are present first, then the results that decide how medicines work; latest first."""
    told: set[str] = set()
    found: list[tuple[bool, Fact]] = []
    for row in record.rows(Observation):
        parts = {code: part for part in row.component for code in _loinc(part)}
        if not of_genes(row) and GENE not in parts:
            continue
        text = _variant(row, parts)
        if text is not None:
            fact = _fact(record, row, text)
            told.update(fact.references)
            given = {code for _, code in codes.codings((row.value_codeable_concept,))}
            found.append((given.isdisjoint(_PRESENT), fact))
    kept = [fact for _, fact in sorted(found, key=lambda one: one[0])]
    return (*kept, *_medicine_genes(record, told))


def _medicine_genes(record: PatientRecord, told: set[str]) -> Iterator[Fact]:
    for one in genotypes(record):
        if one.reference not in told:
            text = msg("{text}", text=one.words)
            if one.effective is not None:
                text = msg("{result}, {date}", result=text, date=one.effective.date())
            yield Fact(RESULT, text, (one.reference,), one.effective, key=f"gene/{one.reference}")


def _variant(row: Observation, parts: dict[str, ObservationComponent]) -> Message | None:
    """The gene with its change, and what the laboratory says of it; None if neither is given."""
    change = next((_value(parts[code]) for code in (PROTEIN, CODING) if code in parts), "")
    words = [_value(parts[GENE]) if GENE in parts else "", one_letter(change) or change]
    name = " ".join(word for word in words if word) or (name_of(row.code) or "")
    copies = parts[COPIES].value_quantity if COPIES in parts else None
    said = [name_of(row.value_codeable_concept), *(_value(parts[c]) for c in (SIGNIFICANCE, ORIGIN) if c in parts)]
    verdict = ", ".join(word for word in said if word)
    if not name:
        return None
    text = msg("{text}", text=name)
    if copies is not None and copies.value is not None:
        text = msg("{gene}, copy number {number}", gene=name, number=f"{copies.value:g}")
    return msg("{name}: {detail}", name=text, detail=verdict) if verdict else text


def _fact(record: PatientRecord, row: Observation, text: Message) -> Fact:
    span, reference = record.date_of(row), record.reference(row)
    if row.status == "preliminary":
        text = msg("{result}, preliminary", result=text)
    if span is not None:
        text = msg("{result}, {date}", result=text, date=as_known(span))
    status = "preliminary" if row.status == "preliminary" else ""
    return Fact(RESULT, text, (reference,), span.start if span else None, key=f"gene/{reference}", status=status)


def _loinc(part: ObservationComponent) -> list[str]:
    return [code for system, code in codes.codings((part.code,)) if system == codes.LOINC]


def _value(part: ObservationComponent) -> str:
    return name_of(part.value_codeable_concept) or part.value_string or ""
