"""Reports of genes: what is searched for. What they mean is read by `knowledge/variants.py` and `genotypes.py`.

LOINC codes of HL7 Genomics Reporting and mCODE, and of single tests of genes that change what a medicine does.
"""

from __future__ import annotations

from types import MappingProxyType

from cds_service.features.feature import Coded
from cds_service.fhir.codes import LOINC
from cds_service.language import msg

_FOUND = MappingProxyType({(LOINC, "LA9633-4"): "present", (LOINC, "LA9634-2"): "absent"})
VARIANT_REPORTS = Coded(
    "variant_reports",
    msg("Genetic variants reported"),
    ("69548-6", "81252-9", "47998-0", "81247-9", "55233-1"),
    _FOUND,
    category="genomics",
)
GENE_RESULTS = Coded(
    "gene_results",
    msg("Genes that change what a medicine does"),
    (
        "84413-4",  # genotype
        "84414-2",  # haplotype
        "53040-2",  # effect on metabolism
        "51963-7",  # medication assessed
        "79714-2",
        "79715-9",
        "79716-7",
        "79713-4",
        "79719-1",
        "79721-7",
        "79722-5",  # CYP2C19, CYP2D6, CYP2C9, TPMT, DPYD, CYP3A5, SLCO1B1: activity in words
        "50956-2",  # HLA-B*57:01
        "69548-6",
        "81252-9",
        "47998-0",
    ),
    _FOUND,
    category="genomics",
)
