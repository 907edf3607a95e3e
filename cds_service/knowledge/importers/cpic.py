"""CPIC recommendations (CC0 1.0), and the same guidelines as annotated by ClinPGx (CC BY-SA 4.0, kept apart).

Source: cpicpgx.org; pharmgkb.org, as exported for PharmCAT: one JSON object a line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.knowledge.importers.reading import Import, objects
from cds_service.knowledge.rows import Edge


def read_recommendations(run: Import) -> None:
    """Writes each recommendation of CPIC's own export."""
    members = ("drug", "rxnorm", "genes", "lookup", "classification", "recommendation", "guideline", "url")
    for number, row in objects(run.path, members, run.report):
        _write(run, number, row, [run.drug(str(row["drug"]), str(row["rxnorm"] or ""))], "")


def read_annotations(run: Import) -> None:
    """Writes each annotation of ClinPGx; whether another drug or dose is asked for tells the severity."""
    members = ("drugs", "genes", "lookup", "classification", "recommendation", "guideline", "url", "alternate_drug")
    for number, row in objects(run.path, members, run.report):
        severity = "major" if row["alternate_drug"] else "moderate" if row.get("dosing") else ""
        _write(run, number, row, [run.drug(str(name)) for name in row["drugs"]], severity)


def _write(run: Import, number: int, row: Mapping[str, Any], drugs: list[str], severity: str) -> None:
    lookup = row["lookup"]
    if not isinstance(lookup, dict) or not lookup or not row["recommendation"]:
        run.report.skipped.append((number, "lacks a gene's result or a recommendation"))
        return
    phenotype = run.write.node("phenotype", " and ".join(f"{gene} {lookup[gene]}" for gene in sorted(lookup)))
    for drug in drugs:
        for gene in sorted(lookup):
            node = run.write.node("gene", gene, f"gene:{gene}")
            edge = Edge(
                row=f"{drug.partition(':')[2]}/{phenotype.partition(':')[2]}/{number}",
                subject=drug,
                relation="dosed-by-gene",
                object=node,
                context=phenotype,
                severity=severity,
                level=str(row["classification"] or ""),
                statement=_implications(row.get("implications")),
                properties={
                    "management": str(row["recommendation"]),
                    "population": str(row.get("population") or ""),
                    "lookup": lookup,
                    "phenotypes": row.get("phenotypes") or {},
                    "pmids": row.get("pmids") or [],
                },
                citation=str(row["guideline"]),
                url=str(row["url"]),
                year=str(row.get("version") or run.released)[:4],
            )
            run.report.rows += run.write.edge(edge)


def _implications(value: Any) -> str:
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return "; ".join(str(part) for part in parts)
