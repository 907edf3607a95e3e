"""Methotrexate ordered every day: outside cancer it is given once a week, and daily doses have killed.

Sources: ISMP, call to action on accidental daily methotrexate (https://www.ismp.org, read 27 November 2026); the
United States label of oral methotrexate (warning about dosing errors).
"""

from __future__ import annotations

from cds_service.drug_findings.steps import ordered, removal
from cds_service.features import catalogue
from cds_service.features.doses import drafted_daily_mg, given_once, times_a_day
from cds_service.features.order_reasons import CANCER, INFLAMMATION
from cds_service.findings import EvidenceFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.knowledge import safety
from cds_service.knowledge.renal_limits import METHOTREXATE
from cds_service.language import msg
from cds_service.risk.model import Citation

NODE = "drug:methotrexate"
MOST_OUTSIDE_CANCER = 30.0  # mg of one dose: more is no dose for arthritis or psoriasis
TWICE_A_WEEK = 2.5 / 7  # times a day, above which it is no weekly order
ISMP = Citation(
    "ISMP: accidental daily methotrexate",
    "https://www.ismp.org/resources/call-action-longstanding-strategies-prevent-accidental-daily-methotrexate-dosing-must-be",
)


def not_weekly(case: Case, draft: safety.Exposure) -> tuple[Finding, ...]:
    """A low dose of methotrexate ordered more than twice a week; silent for cancer and without a frequency.

    What the order says it is for counts before the problem list.
    """
    uses = draft.reasons.uses
    oncology = CANCER in uses or (INFLAMMATION not in uses and bool(case.values.flag(catalogue.CANCER)))
    if NODE not in draft.nodes or draft.local or oncology:
        return ()
    row = draft.row
    if row is None or given_once(row):
        return ()
    times = times_a_day(row)
    dose = drafted_daily_mg(row, draft.words, METHOTREXATE)
    if times is None or times <= TWICE_A_WEEK or (dose is not None and dose / times > MOST_OUTSIDE_CANCER):
        return ()
    finding = EvidenceFinding(
        key="drug-safety/methotrexate/daily",
        severity=Severity.CRITICAL,
        headline=msg("Methotrexate ordered every day: outside cancer it is given once a week"),
        advice=msg("Order it once a week, with its day and reason; daily doses cause bone marrow failure and death."),
        advice_source=ISMP,
        proposals=removal(case, draft, NODE),
        path=(ordered(case, draft),),
    )
    return (finding,)
