"""CIViC: clinical evidence of cancer variants. Source: civicdb.org, nightly file of accepted evidence (CC0 1.0)."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.knowledge.importers.reading import Import, table
from cds_service.knowledge.rows import Edge, slug

_COLUMNS = (
    "evidence_id", "gene", "variant", "disease", "doid", "drugs", "evidence_type", "evidence_direction",
    "evidence_level", "clinical_significance", "evidence_statement", "source_type", "citation_id", "citation",
)  # fmt: skip
_DIRECTIONS = {"Supports": "supports", "Does Not Support": "does-not-support"}
_URLS = {"PubMed": "https://pubmed.ncbi.nlm.nih.gov/{}/", "ASCO": "https://meetinglibrary.asco.org/record/{}/abstract"}


def read(run: Import) -> None:
    """Writes each accepted item: variant to drug or disease, in the disease."""
    for number, row in table(run.path, _COLUMNS, run.report):
        if not row["gene"] or not row["variant"] or row["evidence_level"] not in tuple("ABCDE"):
            run.report.skipped.append((number, "lacks a gene, a variant or a level from A to E"))
            continue
        disease = _disease(run, row)
        variant = run.write.node("variant", f"{row['gene']} {row['variant']}")
        run.write.member(variant, run.write.node("gene", row["gene"], f"gene:{row['gene']}"))
        drugs = [name.strip() for name in row["drugs"].split(",") if name.strip()]
        objects = [run.drug(name) for name in drugs] or [disease]
        for object_ in objects:
            run.report.rows += run.write.edge(_edge(row, variant, object_, disease, drugs))


def _disease(run: Import, row: Mapping[str, str]) -> str:
    name = row["disease"] or "unspecified disease"
    id_ = f"disease:doid-{row['doid']}" if row["doid"] else f"disease:civic-{slug(name)}"
    node = run.write.node("disease", name, id_)
    if row["doid"]:
        run.write.code("http://purl.obolibrary.org/obo/doid", f"DOID:{row['doid']}", node)
    return node


def _edge(row: Mapping[str, str], variant: str, object_: str, disease: str, drugs: list[str]) -> Edge:
    extra = {
        "type": row["evidence_type"],
        "significance": row["clinical_significance"],
        "rating": row.get("rating", ""),
        "drugs": drugs,
        "together": row.get("drug_interaction_type", ""),
        "trials": row.get("nct_ids", ""),
        "origin": row.get("variant_origin", ""),
        "row_url": f"https://civicdb.org/evidence/{row['evidence_id']}/summary",
    }
    return Edge(
        row=f"EID{row['evidence_id']}",
        subject=variant,
        relation="predicts",
        object=object_,
        context=disease,
        level=row["evidence_level"],
        direction=_DIRECTIONS.get(row["evidence_direction"], "not-stated"),
        statement=row["evidence_statement"],
        properties={name: value for name, value in extra.items() if value},
        citation=row["citation"] or f"{row['source_type']} {row['citation_id']}",
        url=_URLS.get(row["source_type"], "https://civicdb.org/").format(row["citation_id"]),
    )
