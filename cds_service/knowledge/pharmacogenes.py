"""Which rows about genes hold for a drafted drug and this patient's results."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cds_service.knowledge.genotypes import Genotype
from cds_service.knowledge.graph import Evidence
from cds_service.knowledge.library import Library
from cds_service.knowledge.policy import severity_rank
from cds_service.knowledge.rows import slug

_MOST_ROWS = 4
_ORDINARY = re.compile(
    r"standard dos|per standard|label[- ]recommended|initiate therapy with recommended|"
    r"recommended (starting |standard )?dos|no (recommendation|reason|adjustment)|based on (clinical|standard)|"
    r"desired starting dose|typical",
    re.IGNORECASE,
)
_OTHER = re.compile(r"avoid|not recommended|contraindicated|alternative|do not|select (a|an)|consider (a|an) alt", re.I)
_DOSE = re.compile(r"\b(dos(e|ing)|reduc|increas|lower|higher|titrat|monitor)", re.IGNORECASE)
_LIKELY = re.compile(r"^(likely|possible) ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class GeneHit:
    """A drug that one of the patient's genes changes. rows: the most severe first, from all sources."""

    node: str
    gene: str
    results: tuple[Genotype, ...]
    rows: tuple[Evidence, ...]


def hits(library: Library, nodes: Iterable[str], results: Sequence[Genotype]) -> tuple[GeneHit, ...]:
    """For each drug and gene that has rows for what was found; ordinary phenotypes give none."""
    known: dict[str, set[str]] = {}
    for result in results:
        known.setdefault(result.gene, set()).update(_plain(p) for p in result.phenotypes)
    found = []
    for node in nodes:
        by_gene: dict[str, list[Evidence]] = {}
        for row in library.graph.evidence(library.terms.above(node), "dosed-by-gene"):
            gene = row.object.partition(":")[2]
            graded = _graded(row)
            if graded.severity and gene in known and _holds(library, row, known):
                by_gene.setdefault(gene, []).append(graded)
        for gene, rows in by_gene.items():
            mine = tuple(r for r in results if r.gene == gene and r.phenotypes)
            found.append(GeneHit(node, gene, mine, _ranked(rows)))
    return tuple(found)


def genes_of(library: Library, nodes: Iterable[str]) -> frozenset[str]:
    """The genes that matter to any of the drugs."""
    rows = (r for node in nodes for r in library.graph.evidence(library.terms.above(node), "dosed-by-gene"))
    return frozenset(row.object.partition(":")[2] for row in rows)


def _holds(library: Library, row: Evidence, known: Mapping[str, set[str]]) -> bool:
    lookup = row.properties.get("lookup")
    if not isinstance(lookup, dict):
        gene = row.object.partition(":")[2]
        return any(row.context == f"phenotype:{slug(f'{gene} {phenotype}')}" for phenotype in known[gene])
    named = row.properties.get("phenotypes") or {}
    for gene, value in lookup.items():
        wanted = _plain(str(named.get(gene) or value))
        if wanted.lower() == "no result":
            if known.get(gene):
                return False
        elif wanted.lower() not in {phenotype.lower() for phenotype in known.get(gene, ())}:
            return False
    return True


def _plain(phenotype: str) -> str:
    return _LIKELY.sub("", phenotype.strip())


def _graded(row: Evidence) -> Evidence:
    """CPIC's own export has no severity: another drug is `major`, another dose `moderate`, the usual dose nothing."""
    if row.severity:
        return row
    words = row.management
    if _OTHER.search(words) and row.level in ("Strong", "Moderate"):
        return replace(row, severity="major")
    if _ORDINARY.search(words) or not _DOSE.search(words):
        return row
    return replace(row, severity="moderate")


def _ranked(rows: Iterable[Evidence]) -> tuple[Evidence, ...]:
    """The curated first, then the most severe; each row once."""
    unique = {row.id: row for row in rows}.values()
    ordered = sorted(unique, key=lambda r: (r.source != "curbside", -severity_rank(r.severity), r.id))
    return tuple(ordered[:_MOST_ROWS])
