"""Findings about drafted medicines, from the knowledge graph and the record; `hooks/drug_safety.py` tells them."""

from cds_service.drug_findings.alone import rules
from cds_service.drug_findings.childbearing import NO_MORE, childbearing
from cds_service.drug_findings.doubled import once
from cds_service.drug_findings.gaps import to_measure, unchecked
from cds_service.drug_findings.hits import told
from cds_service.drug_findings.limits import CHILD_PUGH, CLEARANCE, TESTS, kidney_unknown, limits, values
from cds_service.drug_findings.steps import RECORD_SOURCE
from cds_service.features.conditions import PREGNANCY_LISTED

__all__ = [
    "CHILD_PUGH",
    "CLEARANCE",
    "NO_MORE",
    "PREGNANCY_LISTED",
    "RECORD_SOURCE",
    "TESTS",
    "childbearing",
    "kidney_unknown",
    "limits",
    "once",
    "rules",
    "to_measure",
    "told",
    "unchecked",
    "values",
]
