"""Which variants of genes a record reports, and under which names evidence speaks of them.

Read are: Genomics Reporting and mCODE (LOINC 69548-6 with components: gene 48018-6, protein change 48005-3, DNA change
48004-6, copy number 82155-3, significance 53037-8, source class 48002-0), and plain Observations whose words name a
gene and its change, such as "EGFR L858R". What was tested and not found is no variant; what cannot be told is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import LOINC, codings
from cds_service.fhir.record import PatientRecord
from cds_service.knowledge import variant_words as words_of
from cds_service.knowledge.base_variants import HGNC
from cds_service.knowledge.graph import Graph
from cds_service.language import Message, msg

ASSESSMENT = frozenset({"69548-6", "81252-9", "47998-0"})
GENE, PROTEIN, CODING, COPIES = "48018-6", "48005-3", "48004-6", "82155-3"
SIGNIFICANCE, ORIGIN = "53037-8", "48002-0"

_NOT_CALLED = frozenset({"LA18198-4", "LA11884-6", "82334004"})
_AMINO = {
    "ALA": "A", "ARG": "R", "ASN": "N", "ASP": "D", "CYS": "C", "GLN": "Q", "GLU": "E", "GLY": "G", "HIS": "H",
    "ILE": "I", "LEU": "L", "LYS": "K", "MET": "M", "PHE": "F", "PRO": "P", "SER": "S", "THR": "T", "TRP": "W",
    "TYR": "Y", "VAL": "V", "TER": "*",
}  # fmt: skip
_ONE = "[ACDEFGHIKLMNPQRSTVWY]"
_CHANGE = re.compile(
    rf"(?<![A-Z0-9])({_ONE})(\d{{1,4}})(?:_({_ONE})(\d{{1,4}}))?({_ONE}(?![A-Z0-9a-z])|\*|X(?![A-Z0-9])|FS\S*|"
    rf"{_ONE}FS\S*|DELINS{_ONE}+|DEL|DUP|INS{_ONE}*)",
)
_THREE = re.compile("|".join(_AMINO), re.IGNORECASE)
_SUBSTITUTION = re.compile(r"p\.\(?([A-Z][a-z]{2})(\d{1,4})([A-Z][a-z]{2}|\*)\)?$")
_HGVS = re.compile(r"p\.\(?[^\s,;)]+\)?")
AMPLIFIED_FROM = 6  # copies; ASCO/CAP 2018 calls HER2 positive from an average of six on
# Codons whose changes activate the gene: evidence on "a mutation" of it means them.
HOTSPOTS = {
    "KRAS": {12, 13, 59, 61, 117, 146}, "NRAS": {12, 13, 59, 61, 117, 146}, "PIK3CA": {420, 542, 545, 546, 1047},
    "ESR1": {380, 536, 537, 538}, "IDH1": {132}, "IDH2": {140, 172},
}  # fmt: skip
# Changes of DNA that are reported without the protein's, by codon tables of the reference transcripts (MANE select).
OF_DNA = {
    ("EGFR", "2573T>G"): "L858R", ("EGFR", "2369C>T"): "T790M", ("BRAF", "1799T>A"): "V600E",
    ("KRAS", "34G>T"): "G12C", ("KRAS", "34G>A"): "G12S", ("KRAS", "34G>C"): "G12R", ("KRAS", "35G>A"): "G12D",
    ("KRAS", "35G>T"): "G12V", ("KRAS", "35G>C"): "G12A", ("KRAS", "38G>A"): "G13D", ("ABL1", "944C>T"): "T315I",
    ("PIK3CA", "3140A>G"): "H1047R", ("PIK3CA", "1633G>A"): "E545K", ("PIK3CA", "1624G>A"): "E542K",
}  # fmt: skip
# Reports that say no number mean one of them, and evidence on their fusions is the same for all.
FAMILIES = {"NTRK": ("NTRK1", "NTRK2", "NTRK3")}
_CODE = re.compile(r"\d{1,6}-\d")  # of LOINC, where a result has no better words
LOST = frozenset({"BRCA1", "BRCA2", "PALB2", "TP53"})  # genes whose loss matters
_PHARMACOGENES = re.compile(r"CYP\w+|TPMT|NUDT15|DPYD|SLCO1B1|VKORC1|UGT1A1|G6PD|HLA-\w+|RYR1|CACNA1S|MT-RNR1|IFNL3")


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant as reported. words: such as "EGFR L858R". gene: HGNC symbol, or empty if it was not recognised.

    names: what the graph may call it; wider: names of groups that it belongs to, such as all changes of its codon.
    kind: the words for a reader of any language, where the change is no HGVS name. unclear: why it cannot be judged.
    """

    references: tuple[str, ...]
    words: str
    gene: str
    names: tuple[str, ...] = ()
    wider: tuple[str, ...] = ()
    germline: bool = False
    unclear: Message | None = None
    kind: Message | None = None

    @property
    def said(self) -> Message:
        """The variant as a card names it."""
        return self.kind or msg("{variant}", variant=self.words)


def one_letter(change: str) -> str:
    """A substitution as clinicians say it: `p.(Leu858Arg)` is `L858R`; empty for every other change."""
    found = _SUBSTITUTION.search(change)
    if found is None:
        return ""
    before, after = (_AMINO.get(found.group(n).upper(), "*" if found.group(n) == "*" else "") for n in (1, 3))
    return f"{before}{found.group(2)}{after}" if before and after else ""


def variants(record: PatientRecord, graph: Graph) -> tuple[Variant, ...]:
    """All variants of tumour genes that were found, the newest report first; each once, with all its reports."""
    named = (*graph.names("gene"), *graph.codes(HGNC))
    symbols = {text.upper(): node.partition(":")[2] for text, node in named} | {name: name for name in FAMILIES}
    found: dict[str, Variant] = {}
    for row in record.rows(fhir.Observation):
        for variant in _read(record, row, symbols):
            before = found.get(variant.words)
            if before is not None:
                variant = replace(before, references=(*before.references, *variant.references))
            found[variant.words] = variant
    return tuple(found.values())


def _read(record: PatientRecord, row: fhir.Observation, symbols: dict[str, str]) -> Iterator[Variant]:
    parts = {code: part for part in row.component for system, code in codings((part.code,)) if system == LOINC}
    assessed = any(system == LOINC and code in ASSESSMENT for system, code in codings((row.code,)))
    if not (assessed or GENE in parts or _words_name_a_gene(row, symbols)):
        return
    value = words_of.found(row, _value(row))
    codes = {code for _, code in codings((row.value_codeable_concept,))}
    told = " ".join(_texts(row.code))
    if value is None:
        return
    unresulted = not value and row.value_boolean is None and not parts
    if unresulted and (words_of.TEST.search(told) or words_of.says_not_found(told)):
        return
    if words_of.SUSPECTED.search(told) or (row.data_absent_reason is not None and not parts):
        return
    reference = record.reference(row)
    changes = " ".join(_value(parts[code]) for code in (PROTEIN, CODING) if code in parts)
    body = (
        changes if changes and GENE in parts else " ".join((told, value, changes, *(_value(p) for p in row.component)))
    )
    gene = _gene(row, value, symbols) if GENE not in parts else _gene_of(parts[GENE], symbols)
    named = _value(parts[GENE]) if GENE in parts else ""
    if _PHARMACOGENES.fullmatch(gene or named.split(" ")[0] or "-"):
        return
    extra = " ".join((told, value, *(_value(p) for code, p in parts.items() if code not in (GENE, SIGNIFICANCE))))
    grade = _grade(parts[SIGNIFICANCE]) if SIGNIFICANCE in parts else value
    bodies = _changes(body, gene) if PROTEIN not in parts and CODING not in parts else []
    for one in (bodies[1:] and bodies) or [body]:
        variant = _named(reference, gene, one, extra, _copies(parts), grade, symbols)
        if not gene:
            label = " ".join(dict.fromkeys(t for t in (named, changes or value or told) if t)) or "?"
            variant = Variant((reference,), label, "", unclear=msg("the gene was not recognised"))
        if codes & _NOT_CALLED or words_of.DOUBTFUL.search(value):
            variant = replace(variant, names=(), wider=(), unclear=msg("the result is not conclusive"))
        yield replace(variant, germline=_is_germline(parts.get(ORIGIN)))


def _is_germline(part: fhir.ObservationComponent | None) -> bool:
    if part is None:
        return False
    return "germline" in _value(part).lower() or "LA6683-2" in {c for _, c in codings((part.value_codeable_concept,))}


def _changes(body: str, gene: str) -> list[str]:
    """Every change of the protein that plain words hold, as HGVS in one letter."""
    bare = re.sub(rf"\b{re.escape(gene)}\b", " ", body) if gene else body
    bare = re.sub(r"\bp\.|[()]", " ", re.sub(r"\b[cgn]\.\S+", " ", bare))
    bare = re.sub(r"\b([A-Z][a-z]{2}\d+(?:_[A-Z][a-z]{2}\d+)?(?:[A-Z][a-z]{2})?)", _in_one_letter, bare)
    bare = re.sub(r"(?<=\d)(fs|del|ins|dup)", lambda f: f[0].upper(), bare)
    return list(dict.fromkeys(f"p.{found[0]}" for found in _CHANGE.finditer(bare)))


def _in_one_letter(found: re.Match[str]) -> str:
    return _THREE.sub(lambda f: _AMINO[f[0].upper()], found[0])


def _grade(part: fhir.ObservationComponent) -> str:
    """The significance in words, also where only its code is given."""
    held = {code for _, code in codings((part.value_codeable_concept,))}
    coded = "uncertain" if held & words_of.UNCERTAIN_CODES else "pathogenic" if held & words_of.PATHOGENIC_CODES else ""
    return f"{_value(part)} {coded}"


def _named(
    reference: str, gene: str, body: str, extra: str, copies: float | None, grade: str, symbols: dict[str, str]
) -> Variant:
    """The variant of a known gene, from its changes in words."""
    change = _change(body, gene)
    pathogenic = bool(words_of.PATHOGENIC.search(grade)) and not words_of.UNCERTAIN.search(grade)
    names: list[str] = []
    wider: list[str] = []
    label = ""
    if change is not None:
        label, names, wider = _of_change(gene, change)
    elif words_of.AMPLIFIED.search(extra) or (copies is not None and copies >= AMPLIFIED_FROM):
        label, names = "amplification", ["AMPLIFICATION"]
    elif words_of.FUSED.search(extra):
        partners = sorted({symbols[w] for w in re.findall(r"[A-Z0-9]{2,}", extra) if w in symbols} - {gene})
        label, names = "fusion", ["FUSION", f"{gene} FUSIONS", f"{gene} FUSION", "FUSIONS"]
        names += [f"{a}{by}{b}" for p in partners for a, b in ((p, gene), (gene, p)) for by in ("-", "::")]
    elif exon := words_of.exon_change(extra):
        label = exon
        names = [exon.upper(), f"{exon.upper()} MUTATION"]
    elif gene == "FLT3" and words_of.TANDEM.search(extra):
        label, names = "ITD", ["ITD"]
    elif words_of.MUTATED.search(extra) and gene and not words_of.UNCERTAIN.search(extra):
        label, wider = "mutation", ["MUTATION"] if gene in HOTSPOTS or pathogenic else []
    if pathogenic and gene in LOST:
        wider += ["MUTATION", "LOSS-OF-FUNCTION"]
    members = FAMILIES.get(gene, (gene,)) if label == "fusion" else (gene,)
    known = tuple(f"{one} {n}" for one in members for n in names)
    groups = tuple(dict.fromkeys(f"{gene} {n}" for n in wider))
    unclear = None
    if gene in FAMILIES and label != "fusion":
        unclear = msg("the report does not say which of the {family} genes it is", family=gene)
    if words_of.UNCERTAIN.search(grade):
        known, groups, unclear = (), (), msg("reported as benign or of uncertain significance")
    elif not label:
        unclear = msg("its change could not be read")
    words = f"{gene} {label or _first_words(body, named=bool(gene))}".strip()
    return Variant((reference,), words, gene, known, groups, unclear=unclear, kind=_kind(gene, label))


def _kind(gene: str, label: str) -> Message | None:
    """The words of a change that has no name in HGVS; None for one that has."""
    exon = re.fullmatch(r"exon (\d+) (\w+)", label)
    if exon is not None and exon[2] in words_of.EXON_CHANGES:
        return msg(words_of.EXON_CHANGES[exon[2]].text, gene=gene, exon=exon[1])
    return msg(words_of.KINDS[label].text, gene=gene) if label in words_of.KINDS else None


def _first_words(body: str, *, named: bool) -> str:
    """What may be the change: of a known gene the words with a figure alone, and never the code of a component."""
    words = [word for word in body.split()[:3] if not _CODE.fullmatch(word)]
    return " ".join(word for word in words if not named or any(letter.isdigit() for letter in word))


def _of_change(gene: str, change: re.Match[str]) -> tuple[str, list[str], list[str]]:
    """(label, names, wider names) of a change of the protein."""
    first, place, last, end, what = change.groups()
    at = int(place)
    label = f"{first}{place}{f'_{last}{end}' if last else ''}{what}".replace("DEL", "del").replace("INS", "ins")
    names, wider = [change[0].upper()], [f"{first}{place}"]
    if gene == "ABL1":
        names.append(f"BCR-ABL {change[0].upper()}")
    if gene == "EGFR" and what.startswith("DEL") and 729 <= at <= 761:
        wider.append("EXON 19 DELETION")
    if gene in ("EGFR", "ERBB2") and what.startswith(("INS", "DUP")) and 762 <= at <= 823:
        wider.append("EXON 20 INSERTION")
    if at in HOTSPOTS.get(gene, ()) and len(what) == 1 and what not in ("*", "X"):
        wider.append("MUTATION")
    if gene in LOST and (what in ("*", "X") or "FS" in what):
        wider += ["MUTATION", "LOSS-OF-FUNCTION", "TRUNCATING MUTATION"]
    return label.replace("DUP", "dup").replace("FS", "fs"), names, wider


def _change(body: str, gene: str) -> re.Match[str] | None:
    """The change of the protein in a text, of three-letter or one-letter HGVS."""
    for hgvs in _HGVS.findall(body):
        short = _THREE.sub(lambda found: _AMINO[found[0].upper()], hgvs[2:].strip("()"))
        found = _CHANGE.match(re.sub(r"(fs|del|ins|dup)", lambda f: f[0].upper(), short))
        if found is not None:
            return found
    for coding in re.findall(r"c\.(\d+[ACGT]>[ACGT])", body):
        if (gene, coding) in OF_DNA:
            return _CHANGE.match(OF_DNA[gene, coding])
    bare = re.sub(rf"\b{re.escape(gene)}\b", " ", body) if gene else body
    bare = re.sub(r"\b[cgn]\.\S+", " ", bare)
    if re.search(r"\b[A-Z][a-z]{2}\d+[A-Z][a-z]{2}", bare):
        bare = _THREE.sub(lambda f: _AMINO[f[0].upper()], bare)
    return _CHANGE.search(re.sub(r"(?<=\d)(fs|del|ins|dup)", lambda f: f[0].upper(), bare))


def _gene_of(part: fhir.ObservationComponent, symbols: dict[str, str]) -> str:
    for system, code in codings((part.value_codeable_concept,)):
        if system == HGNC and code.upper() in symbols:
            return symbols[code.upper()]
    texts = [*_texts(part.value_codeable_concept), part.value_string or ""]
    return next((symbols[t.strip().upper()] for t in texts if t.strip().upper() in symbols), "")


def _gene(row: fhir.Observation, value: str, symbols: dict[str, str]) -> str:
    """The first gene that the words name: its symbol in capitals, so that "met" and "kit" stay words."""
    texts = [*_texts(row.code), value, *(_value(part) for part in row.component)]
    for text in texts:
        for word in re.findall(r"[A-Z][A-Z0-9/-]+", text):
            for part in (word, *re.split(r"[-/]", word)):
                if part in symbols:
                    return symbols[part]
    return ""


def _words_name_a_gene(row: fhir.Observation, symbols: dict[str, str]) -> bool:
    """True if a plain Observation's words name a gene and a change of it."""
    if row.value_quantity is not None or row.value_integer is not None:
        return False
    text = " ".join((*_texts(row.code), _value(row)))
    gene = _gene(row, _value(row), symbols)
    if not gene or _PHARMACOGENES.fullmatch(gene):
        return False
    told = (
        _change(text, gene)
        or words_of.AMPLIFIED.search(text)
        or words_of.FUSED.search(text)
        or words_of.MUTATED.search(text)
    )
    return bool(told or words_of.exon_change(text) or words_of.TANDEM.search(text))


def _copies(parts: dict[str, fhir.ObservationComponent]) -> float | None:
    quantity = parts[COPIES].value_quantity if COPIES in parts else None
    return quantity.value if quantity is not None and not quantity.comparator else None


def _value(of: fhir.Observation | fhir.ObservationComponent) -> str:
    return " ".join(dict.fromkeys((*_texts(of.value_codeable_concept), of.value_string or ""))).strip()


def _texts(concept: fhir.CodeableConcept | None) -> Iterable[str]:
    if concept is None:
        return []
    named = [concept.text, *(c.display for c in concept.coding)]
    codes = [c.code for c in concept.coding if c.code and ("." in c.code or not c.display)]
    return list(dict.fromkeys(t for t in (*named, *codes) if t))
