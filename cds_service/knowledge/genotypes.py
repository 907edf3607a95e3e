"""What a record says of genes that change what a medicine does: phenotypes as stated, or from the alleles.

Read are Observations whose words or components (LOINC 48018-6) name the gene, with a phenotype ("poor metabolizer",
"decreased function"), a diplotype (`CYP2C19 *2/*2`), or an HLA allele that is present or absent. Alleles become a
phenotype only by the functions listed here; any other allele is said to be unknown, never taken for normal.
Functions and activity scores: CPIC allele functionality tables (cpicpgx.org), from general knowledge.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import LOINC, codings
from cds_service.fhir.record import PatientRecord
from cds_service.language import Message, msg

GENE, METABOLISM, SIGNIFICANCE = "48018-6", "53040-2", "53037-8"
GENES = (
    "CYP2C19", "CYP2C9", "CYP2D6", "CYP2B6", "CYP3A5", "TPMT", "NUDT15", "DPYD", "SLCO1B1", "VKORC1", "UGT1A1", "G6PD",
    "HLA-A", "HLA-B", "RYR1", "CACNA1S", "MT-RNR1",
)  # fmt: skip
_GENE = re.compile(rf"(?<![A-Z0-9])({'|'.join(map(re.escape, GENES))})(?![A-Z0-9])", re.IGNORECASE)
_ALLELES = re.compile(r"\*(\d+[A-WYZ]?)(?:x(\d+|N))?\s*/\s*\*(\d+[A-WYZ]?)(?:x(\d+|N))?(?![\d:])", re.IGNORECASE)
_HLA = re.compile(r"\*\s?(\d\d:\d\d)")
_LA = {
    "LA9657-3": "Poor Metabolizer", "LA10317-8": "Intermediate Metabolizer", "LA25391-6": "Normal Metabolizer",
    "LA25390-8": "Rapid Metabolizer", "LA10315-2": "Ultrarapid Metabolizer",
}  # fmt: skip
_PHENOTYPES = (
    (r"ultra-?\s?rapid", "Ultrarapid Metabolizer"), (r"\brapid metabol", "Rapid Metabolizer"),
    (r"poor function", "Poor Function"), (r"decreased function", "Decreased Function"),
    (r"increased function", "Increased Function"), (r"normal function", "Normal Function"),
    (r"\bpoor\b", "Poor Metabolizer"), (r"\bintermediate\b", "Intermediate Metabolizer"),
    (r"\b(normal|extensive) metabol", "Normal Metabolizer"),
    (r"malignant hyperthermia suscept", "Malignant Hyperthermia Susceptibility"),
    (r"increased risk", "increased risk of aminoglycoside-induced hearing loss"),
    (r"\bdeficien", "Deficient"), (r"\bvariable\b", "Variable"), (r"\bnormal\b", "Normal"),
)  # fmt: skip
_ABSENT = re.compile(r"\b(negative|absent|not (detected|present|found)|undetected)\b", re.IGNORECASE)
_PRESENT = re.compile(r"\b(positive|present|detected|carrier|homozygous|heterozygous)\b", re.IGNORECASE)
_DOUBT = re.compile(r"\b(indeterminate|inconclusive|uncertain|unknown|failed|no call|pending)\b", re.IGNORECASE)
_POSITIVE_CODES = frozenset({"LA9633-4", "LA6576-8", "10828004", "52101004"})
_NEGATIVE_CODES = frozenset({"LA9634-2", "LA6577-6", "260385009", "2667000"})
_NAMES = ("Poor Metabolizer", "Intermediate Metabolizer", "Normal Metabolizer")
_Functions = Mapping[str, float]


def _table(**alleles: float) -> _Functions:
    return MappingProxyType({name.lstrip("_").upper(): value for name, value in alleles.items()})


_NONE, _NORMAL = 0.0, 1.0
_ACTIVITY: Mapping[str, _Functions] = MappingProxyType({
    "CYP2C9": _table(_1=1, _2=0.5, _3=0, _5=0.5, _6=0, _8=0.5, _11=0.5),
    "CYP2D6": _table(_1=1, _2=1, _33=1, _35=1, _9=0.5, _17=0.5, _29=0.5, _41=0.5, _10=0.25, _3=0, _4=0, _5=0, _6=0,
                     _7=0, _8=0, _11=0, _12=0, _15=0, _36=0, _40=0, _42=0),
    "DPYD": _table(_1=1, _2A=0, _13=0),
})  # fmt: skip
_COUNTED: Mapping[str, _Functions] = MappingProxyType({
    "TPMT": _table(_1=1, _2=0, _3A=0, _3B=0, _3C=0, _4=0),
    "NUDT15": _table(_1=1, _2=0, _3=0),
    "UGT1A1": _table(_1=1, _28=0, _6=0, _37=0),
    "CYP3A5": _table(_1=1, _3=0, _6=0, _7=0),
    "CYP2B6": _table(_1=1, _6=0, _18=0),
    "CYP2C19": _table(_1=1, _2=0, _3=0, _4=0, _5=0, _6=0, _7=0, _8=0, _17=2),
    "SLCO1B1": _table(_1=1, _1A=1, _1B=1, _37=1, _5=0, _15=0),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Genotype:
    """One result. phenotypes: what rows may call it, such as "Poor Metabolizer", "*57:01 positive", "*3/*3"; empty if
    it could not be understood (`unclear` says why). words: as reported."""

    gene: str
    phenotypes: tuple[str, ...]
    words: str
    reference: str
    effective: datetime | None = None
    unclear: Message | None = None


def genotypes(record: PatientRecord) -> tuple[Genotype, ...]:
    """All results about these genes, latest first."""
    return tuple(result for row in record.rows(fhir.Observation) for result in _read(record, row))


def _read(record: PatientRecord, row: fhir.Observation) -> Iterator[Genotype]:
    if row.value_quantity is not None:
        return
    parts = {code: part for part in row.component for system, code in codings((part.code,)) if system == LOINC}
    told = " ".join(_texts(row.code))
    values = [_value(row), *(_value(p) for code, p in parts.items() if code not in (GENE, SIGNIFICANCE))]
    value = " ".join(v for v in values if v)
    named = _value(parts[GENE]) if GENE in parts else " ".join((told, value))
    genes = tuple(dict.fromkeys(found.upper() for found in _GENE.findall(named)))
    concepts = [row.value_codeable_concept, *(part.value_codeable_concept for part in row.component)]
    codes = {code for _, code in codings(concepts)}
    if not genes or not (value or codes or row.value_boolean is not None):
        return
    span = record.date_of(row)
    reference, effective = record.reference(row), span.start if span is not None else None
    for gene in genes if len(genes) == 1 else ():
        phenotypes = _phenotypes(gene, told, value, codes, row.value_boolean)
        unclear = None if phenotypes else msg("its result could not be understood")
        if _DOUBT.search(value):
            phenotypes, unclear = (), msg("the result is not conclusive")
        words = value if gene in value.upper() else f"{gene} {value}".strip()
        yield Genotype(gene, phenotypes, words, reference, effective, unclear)
    for gene in genes if len(genes) > 1 else ():
        yield Genotype(gene, (), value or told, reference, effective, msg("one result names several genes"))


def _phenotypes(gene: str, told: str, value: str, codes: set[str], flag: bool | None) -> tuple[str, ...]:
    if gene.startswith("HLA-"):
        return _hla(told, value, codes, flag)
    coded = tuple(_LA[code] for code in sorted(codes & _LA.keys()))
    stated = next((name for pattern, name in _PHENOTYPES if re.search(pattern, value, re.IGNORECASE)), None)
    if gene == "SLCO1B1" and stated is not None:
        stated = stated.replace("Poor Metabolizer", "Poor Function")
    if gene == "VKORC1":
        return ("-1639 A/A",) if re.search(r"(1639|rs9923231).*\b(A/A|AA|T/T|TT)\b", f"{told} {value}") else (
            ("-1639 other",) if re.search(r"\b(G/G|GG|G/A|A/G|GA|C/C|C/T|CT)\b", value) else ())  # fmt: skip
    pair = _ALLELES.search(value)
    by_alleles = _of_alleles(gene, pair) if pair is not None else ()
    if coded or stated:
        return tuple(dict.fromkeys((*coded, *((stated,) if stated and not coded else ()), *by_alleles[1:])))
    return by_alleles


def _hla(told: str, value: str, codes: set[str], flag: bool | None) -> tuple[str, ...]:
    """`*57:01 positive` and the like: a typing lists what is there, a test of one allele says whether it is."""
    typed = _HLA.findall(value)
    asked = _HLA.findall(told)
    if flag is False or codes & _NEGATIVE_CODES or _ABSENT.search(value):
        return tuple(f"*{allele} negative" for allele in typed or asked)
    if typed or flag or codes & _POSITIVE_CODES or _PRESENT.search(value):
        return tuple(f"*{allele} positive" for allele in typed or asked)
    return ()


def _of_alleles(gene: str, pair: re.Match[str]) -> tuple[str, ...]:
    """(phenotype, diplotype), or nothing if the function of an allele is not listed."""
    one, copies, other, more = (part.upper() if part else "" for part in pair.groups())
    alleles = sorted((one, other), key=lambda a: (len(a), a))
    diplotype = f"*{alleles[0]}/*{alleles[1]}"
    table = _ACTIVITY.get(gene) or _COUNTED.get(gene)
    if table is None or one not in table or other not in table:
        return ()
    if gene in _ACTIVITY:
        counted = [(table[a], n) for a, n in ((one, copies), (other, more))]
        if any(n == "N" and f for f, n in counted) and gene == "CYP2D6":
            counted = [(f, "2" if n == "N" else n) for f, n in counted]
        score = sum(f * (int(n) if n.isdigit() else 1) for f, n in counted)
        return (_by_score(gene, score), diplotype)
    return (_by_count(gene, table[one], table[other]), diplotype)


def _by_score(gene: str, score: float) -> str:
    if gene == "CYP2D6":
        if score > 2.25:
            return "Ultrarapid Metabolizer"
        return _NAMES[0] if score == 0 else _NAMES[1] if score < 1.25 else _NAMES[2]
    if score <= 0.5:
        return _NAMES[0]
    return _NAMES[1] if score < 2 else _NAMES[2]


def _by_count(gene: str, one: float, other: float) -> str:
    lost = (one == _NONE) + (other == _NONE)
    if gene == "SLCO1B1":
        return ("Normal Function", "Decreased Function", "Poor Function")[lost]
    if lost or one == other == _NORMAL:
        return _NAMES[2 - lost]
    return "Ultrarapid Metabolizer" if one == other else "Rapid Metabolizer"


def _value(of: fhir.Observation | fhir.ObservationComponent) -> str:
    return " ".join(dict.fromkeys((*_texts(of.value_codeable_concept), of.value_string or ""))).strip()


def _texts(concept: fhir.CodeableConcept | None) -> Iterable[str]:
    if concept is None:
        return []
    named = (concept.text, *(coding.display for coding in concept.coding))
    starred = (coding.code for coding in concept.coding if coding.code and "*" in coding.code)
    return list(dict.fromkeys(t for t in (*named, *starred) if t))
