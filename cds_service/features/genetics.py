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
