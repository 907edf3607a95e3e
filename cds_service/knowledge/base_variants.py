"""The part of the curated base about tumours: genes with their HGNC ids, cancers with their DOIDs, and what a variant
predicts (`oncogenes.tsv`, `cancers.tsv`, `predictions.tsv`), written with the names that CIViC uses too.
"""

from __future__ import annotations

from cds_service.knowledge import base_files
from cds_service.knowledge.base_files import Line, lines
from cds_service.knowledge.rows import Edge, Writer, slug

HGNC = "http://www.genenames.org/geneId"
DOID = "http://purl.obolibrary.org/obo/doid"


def write(into: Writer) -> int:
    """Puts the files into a database; returns how many rows. Raises KnowledgeError with the line at fault."""
    for line in lines("oncogenes"):
        gene = into.node("gene", line["gene"], f"gene:{line['gene']}")
        into.code(HGNC, line["hgnc"], gene)
        for other in line.many("names"):
            into.name(other, gene)
    for line in lines("cancers"):
        into.codes((DOID, f"DOID:{doid}", f"disease:{line['condition']}") for doid in line.many("doid"))
    return sum(_prediction(into, line) for line in lines("predictions"))


def _prediction(into: Writer, line: Line) -> int:
    """One row of the file is one row of the graph for each of its drugs, all under one id."""
    variant = into.node("variant", f"{line['gene']} {line['variant']}")
    into.member(variant, into.node("gene", line["gene"], f"gene:{line['gene']}"))
    disease = base_files.condition_node(line["condition"], line)
    drugs = [base_files.node_of(name, line) for name in line.many("drugs")]
    citations = [base_files.citation(key, line) for key in line.many("citation")]
    if not citations or line["level"] not in base_files.LEVELS:
        raise line.error("has no citation, or an unknown level")
    properties: dict[str, object] = {"type": line["type"], "significance": line["significance"]}
    if line["management"]:
        properties["management"] = line["management"]
    if drugs:
        properties["drugs"] = list(line.many("drugs"))
    if len(citations) > 1:
        properties["also"] = [{"citation": label, "url": url, "year": year} for label, url, year in citations[1:]]
    key = slug("+".join((line["gene"], line["variant"], line["condition"], *line.many("drugs"), line["significance"])))
    written = 0
    for object_ in drugs or [disease]:
        edge = Edge(
            row=f"predictions/{key}",
            subject=variant,
            relation="predicts",
            object=object_,
            context=disease,
            level=line["level"],
            direction=line["direction"],
            statement=line["statement"],
            properties=properties,
            citation=citations[0][0],
            url=citations[0][1],
            year=citations[0][2],
        )
        if not into.edge(edge):
            raise line.error("the same row is there already")
        written += 1
    return written
