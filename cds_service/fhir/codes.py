"""Code systems and how their codes are compared: the system always counts, never the code alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.fhir.resources import CodeableConcept, Coding

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ICD10 = "http://hl7.org/fhir/sid/icd-10"
ICD10_CM = "http://hl7.org/fhir/sid/icd-10-cm"
ICD10_PCS = ("http://www.cms.gov/Medicare/Coding/ICD10", "http://hl7.org/fhir/sid/icd-10-pcs")
ICD9_CM = "http://hl7.org/fhir/sid/icd-9-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"
UCUM = "http://unitsofmeasure.org"
CURBSIDE = "urn:curbside:inputs"  # inputs, and answers, that no code in general use names: the input's id
IPS_ABSENT = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"
GENOMICS = "http://hl7.org/fhir/uv/genomics-reporting/CodeSystem/tbd-codes-cs"
EMBEDDING = "urn:curbside:embedding"  # codes: the programs that make vectors of slides, images and notes

# Other names under which the same systems arrive. OIDs: hl7.org/fhir/R4/terminologies-systems.html.
_ALIASES = {
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
    "urn:oid:2.16.840.1.113883.6.90": ICD10_CM,
    "urn:oid:2.16.840.1.113883.6.3": ICD10,
    "urn:oid:2.16.840.1.113883.6.88": RXNORM,
    "urn:oid:2.16.840.1.113883.6.73": ATC,
    "urn:oid:2.16.840.1.113883.6.8": UCUM,
    "https://loinc.org": LOINC,
    "https://snomed.info/sct": SNOMED,
    "https://unitsofmeasure.org": UCUM,
    "https://hl7.org/fhir/sid/icd-10-cm": ICD10_CM,
    "https://hl7.org/fhir/sid/icd-10": ICD10,
    "https://www.nlm.nih.gov/research/umls/rxnorm": RXNORM,
    "https://www.whocc.no/atc": ATC,
}
_CANONICAL = {LOINC, SNOMED, ICD10, ICD10_CM, RXNORM, ATC, UCUM}


def canonical_system(system: str | None) -> str | None:
    """The system under its usual URI: OIDs, SNOMED CT editions and trailing slashes are resolved."""
    if system is None or system in _CANONICAL:
        return system
    plain = system.strip().rstrip("/")
    if plain in _CANONICAL:
        return plain
    if plain.startswith(SNOMED + "/"):
        return SNOMED
    return _ALIASES.get(plain, system)


def codings(concepts: Iterable[CodeableConcept | None]) -> Iterator[tuple[str, str]]:
    """(canonical system, code) of every complete coding of the concepts."""
    for concept in concepts:
        if concept is not None:
            for coding in concept.coding:
                pair = system_and_code(coding)
                if pair is not None:
                    yield pair


def system_and_code(coding: Coding) -> tuple[str, str] | None:
    """(canonical system, code), or None if either is missing."""
    system = canonical_system(coding.system)
    if system is None or not coding.code:
        return None
    return system, coding.code


def has_code(concept: CodeableConcept | None, system: str, codes: Iterable[str]) -> bool:
    """True if any coding of the concept is one of the codes in the system."""
    wanted = set(codes)
    return any(found == system and code in wanted for found, code in codings((concept,)))


def status_codes(concept: CodeableConcept | None) -> frozenset[str]:
    """The codes of a status concept (`clinicalStatus` and the like), whose system R4 fixes."""
    if concept is None:
        return frozenset()
    return frozenset(c.code for c in concept.coding if c.code)


def icd10_key(code: str) -> str:
    """An ICD-10 code or prefix for comparison: upper case, without the dot (`E11.9` and `E119` are one)."""
    return code.strip().upper().replace(".", "")


def label(concept: CodeableConcept | None) -> str | None:
    """The words of a concept as the record has them: its text, else the first display."""
    if concept is None:
        return None
    if concept.text:
        return concept.text
    return next((c.display for c in concept.coding if c.display), None)
