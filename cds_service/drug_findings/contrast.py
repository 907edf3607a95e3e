"""Metformin and iodinated contrast: how much it matters depends on the kidney, the liver and the heart.

Below an eGFR of 30 metformin is contraindicated anyway; from 60 on, without liver disease, alcoholism or heart failure,
the agency asks for nothing unless contrast goes into an artery.
Source: FDA, safety communication of 8 April 2016 on metformin and kidney function.
"""

from __future__ import annotations

import re

from cds_service.drug_findings.steps import said
from cds_service.features import catalogue
from cds_service.features.conditions_on_record import current_problems
from cds_service.findings import Severity
from cds_service.hook import Case
from cds_service.knowledge import safety

METFORMIN, CONTRAST = "drug:metformin", "class:iodinated-contrast"
CONTRAINDICATED_BELOW, NO_MATTER_FROM = 30, 60  # mL/min/{1.73_m2}
_RISKS = tuple(f"disease:{name}" for name in (
    "cirrhosis", "acute-hepatitis", "chronic-liver-disease", "liver-failure", "alcohol-use-disorder", "heart-failure",
))  # fmt: skip
# An angiogram by CT or MR has its contrast in a vein.
_ARTERY = re.compile(
    r"(?i)intra-?arterial|arteriogra|\bcardiac cath|heart cath|catheteri[sz]ation"
    r"|(?<!ct )(?<!mr )(?<!pulmonary )(?<!tomography )(?<!tomographic )angiogra"
    r"|动脉内|(?<!ct)(?:冠脉|冠状动脉|脑血管|动脉)造影|导管"
)


def with_metformin(case: Case, hit: safety.Hit) -> tuple[Severity | None] | None:
    """How loud contrast beside metformin is, (None,) for silent; None for any other pair, or as the rows say."""
    ends = {end for row in hit.rows for end in (row.subject, row.object)}
    if hit.kind != "interaction" or not {METFORMIN, CONTRAST} <= ends:
        return None
    egfr = case.values.number(catalogue.EGFR)
    if egfr is None:
        return None
    if round(egfr) < CONTRAINDICATED_BELOW:
        return (Severity.WARNING,)
    present = current_problems(case.context.record, case.knowledge.terms.conditions)
    both = (e for e in (hit.draft, hit.against) if isinstance(e, safety.Exposure))
    into_artery = any(_ARTERY.search(said(exposure)) for exposure in both)
    if round(egfr) >= NO_MATTER_FROM and not into_artery and not any(present(risk) for risk in _RISKS):
        return (None,)
    return None
