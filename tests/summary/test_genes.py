"""A report of a gene is one line: the gene with its change, and what the laboratory says of it."""

import orjson
from records import LOINC, concept, record, result, row

from cds_service.cli import calls
from cds_service.summary.collecting import everything
from cds_service.summary.genes import gene_results


def lines(facts):
    return [str(fact.text) for fact in facts]


def variant(id_, gene, change, verdict="LA9633-4", words="Present", day="2024-01-05"):
    parts = [
        {"code": concept("48018-6", "Gene", LOINC), "valueCodeableConcept": concept("HGNC:1", gene)},
        {"code": concept("48005-3", "Change", LOINC), "valueCodeableConcept": {"text": change}},
    ]
    code = concept("69548-6", "Genetic variant assessment", LOINC)
    value = concept(verdict, words, LOINC)
    return row(
        "Observation",
        id_,
        status="final",
        code=code,
        valueCodeableConcept=value,
        component=parts,
        effectiveDateTime=day,
    )


def test_every_variant_is_a_line_of_its_own_and_no_part_is_one():
    """Two variants stay two, the present one first, however old; neither gene nor change stands alone."""
    found = everything(
        record(
            variant("a", "KRAS", "p.Gly12Cys"),
            variant("b", "EGFR", "p.Leu858Arg", "LA9634-2", "Absent", day="2024-02-05"),
            result("c", 1.1),
        )
    )
    assert [line for line in lines(found) if line[:4] in ("KRAS", "EGFR", "Gene")] == [
        "KRAS G12C: Present, 5 Jan 2024",
        "EGFR L858R: Absent, 5 Feb 2024",
    ]
    assert any(line.startswith("Creatinine") for line in lines(found))


def test_genes_that_decide_on_medicines_are_told_at_any_age():
    """A genotype of years ago is as good as one of today."""
    bundle = orjson.loads(calls.sample("gene-drafts").read_bytes())
    told = lines(gene_results(calls.record(bundle, record().as_of)))
    assert told == ["SLCO1B1 Decreased function, 10 Mar 2025", "CYP2C19 *2/*2, 10 Mar 2025"]
