"""An NSAID on the medication list while the kidney is severely decreased.

The limit is the row of the knowledge base by which an order is judged too (`base/limits.tsv`).
"""

from __future__ import annotations

from cds_service.features import catalogue, medicines
from cds_service.features.medicines_on_record import prescriptions
from cds_service.findings import CareGapFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.kidneys.estimates import EGFR_MODEL
from cds_service.kidneys.words import day
from cds_service.knowledge import renal_limits
from cds_service.language import msg
from cds_service.risk import published
from cds_service.risk.model import NotEstimated


def nsaid(case: Case) -> tuple[Finding, ...]:
    """An NSAID that is taken with an eGFR below its limit."""
    result, taken = case.results[EGFR_MODEL], case.values.usable(catalogue.NSAID)
    if isinstance(result, NotEstimated) or taken is None or taken.value is not True:
        return ()
    limit = renal_limits.strictest(medicines.NSAID, result[0].value)
    if limit is None:
        return ()
    names = dict.fromkeys(words for words, _ in prescriptions(case.context.record, catalogue.NSAID) if words)
    shown = {"egfr": round(result[0].value), "date": day(result[0].effective)}
    short = msg("NSAID on the medication list with eGFR {egfr} mL/min/1.73 m² of {date}", **shown)
    finding = CareGapFinding(
        key=f"nsaid/egfr-below-{limit.below:g}",
        severity=Severity.WARNING,
        headline=msg(
            "{medicines} on the medication list with eGFR {egfr} mL/min/1.73 m² of {date}",
            medicines=published.enumerated([msg(name) for name in names]),
            **shown,
        )
        if names
        else short,
        short_headline=short,
        advice=msg(
            "Ask whether it is still taken. NSAIDs are avoided below {limit}: they harm the kidney further.",
            limit=f"{limit.below:g}",
        ),
        advice_source=limit.source,
        due=msg("Read from the medication list and the laboratory."),
        last_done=None,
        sources=(*taken.sources, *(s for v in result[0].inputs for s in v.sources if s.startswith("Observation/"))),
    )
    return (finding,)
