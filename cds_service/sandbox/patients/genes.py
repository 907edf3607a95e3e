"""A sample whose genes change what the drafted medicines do."""

from __future__ import annotations

from datetime import date

from cds_service.sandbox import resources as fhir
from cds_service.sandbox.chart import Chart
from cds_service.sandbox.patients.sample import Sample
from cds_service.sandbox.terms import LOINC

ON = date(2025, 3, 10)


def gene_drafts(name: str) -> Chart:
    """A man of 63 with coronary disease, a CYP2C19 diplotype and an SLCO1B1 phenotype, for whom two are drafted."""
    chart = Chart(name, family="Starallele", given="Piotr", gender="male", born="1963-05-19")
    chart.problem("coronary", "2026-10-05")
    chart.no_known_allergies("2026-10-05")
    for gene, loinc, result in (("CYP2C19", "84413-4", "CYP2C19 *2/*2"), ("SLCO1B1", "79722-5", "Decreased function")):
        code = fhir.concept([(LOINC, loinc, f"{gene} result")], f"{gene} result")
        value = {"valueCodeableConcept": {"text": result}}
        chart.add(fhir.observation(chart.id("gene"), chart.subject, code, ON, "laboratory", value=value))
    for key in ("clopidogrel75", "simvastatin20"):
        chart.medicine(key, "2026-11-01", status="draft")
    return chart


SAMPLES = (
    Sample("gene-drafts", "Drafts of clopidogrel and simvastatin against CYP2C19 *2/*2 and SLCO1B1.", gene_drafts),
)
