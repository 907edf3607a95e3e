"""Metformin with a kidney function for which its label or KDIGO 2022 wants it stopped or reduced, or with lactate.

Kidney injury and a high lactate come first: metformin accumulates while kidneys fail, and its label wants it stopped
where lactic acidosis is possible (lactate above 5 mmol/L).
"""

from __future__ import annotations

from cds_service import orders
from cds_service.features import catalogue
from cds_service.features.doses import daily_mg
from cds_service.features.kidney_injury import Rise
from cds_service.findings import CareGapFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.kidneys.estimates import EGFR_MODEL, REDUCED, SEVERELY_DECREASED
from cds_service.kidneys.rising import FRESH
from cds_service.kidneys.words import day
from cds_service.language import Message, msg
from cds_service.risk import published
from cds_service.risk.model import Citation, NotEstimated

MOST_METFORMIN = 1000.0  # mg a day below 45
ACIDOSIS = 5.0  # mmol/L of lactate, above which the label speaks of lactic acidosis
KDIGO_DIABETES = Citation("KDIGO 2022 guideline on diabetes in CKD", "https://doi.org/10.1016/j.kint.2022.06.008")
METFORMIN_LABEL = Citation(
    "FDA safety communication on metformin and kidney function, 2016",
    "https://www.fda.gov/drugs/drug-safety-and-availability/"
    "fda-drug-safety-communication-fda-revises-warnings-regarding-use-diabetes-medicine-metformin-certain",
)


def metformin_in_injury(case: Case, rise: Rise | None) -> tuple[Finding, ...]:
    """Metformin on the medication list with a high lactate of the last day, or a creatinine that has just risen."""
    taken, lactate = case.values.usable(catalogue.METFORMIN), case.values.usable(catalogue.LACTATE)
    if taken is None or taken.value is not True:
        return ()
    high = lactate is not None and float(lactate.value) > ACIDOSIS
    rising = rise is not None and rise.kind != "falling" and case.context.now - rise.latest.time <= FRESH
    if not (high or rising):
        return ()
    told = [_injury(rise)] if rise is not None and rising else []
    told += [msg("lactate {value}", value=published.in_words(lactate))] if lactate is not None else []
    dates = [rise.latest.time] if rise is not None and rising else []
    dates += [lactate.effective] if lactate is not None and lactate.effective is not None else []
    seen = (rise.latest.reference, rise.reference.reference) if rise is not None and rising else ()
    finding = CareGapFinding(
        key="metformin/lactate" if high else "metformin/kidney-injury",
        severity=Severity.CRITICAL if high else Severity.WARNING,
        headline=msg("Metformin on the medication list with {why}", why=published.enumerated(told)),
        advice=msg(
            "Metformin-associated lactic acidosis is possible: stop metformin, check pH and kidney function now, and "
            "ask about dialysis if it is confirmed."
        )
        if high
        else msg("Withhold metformin until kidney function is steady; measure lactate if the patient is unwell.")
        if lactate is None
        else msg("Withhold metformin until kidney function is steady; repeat lactate if the patient gets worse."),
        advice_source=METFORMIN_LABEL,
        proposals=()
        if lactate is not None
        else orders.offer(case.context, orders.LACTATE, "Metformin with possible acute kidney injury"),
        due=msg("Measured {date}.", date=max(dates).date()) if dates else msg("Time of the lactate unknown."),
        last_done=None,
        sources=tuple(dict.fromkeys((*taken.sources, *seen, *(lactate.sources if lactate is not None else ())))),
    )
    return (finding,)


def _injury(rise: Rise) -> Message:
    if rise.kind == "year":
        return msg("possible acute kidney injury")
    return msg("acute kidney injury, stage {stage}", stage=rise.stage)


def metformin(case: Case) -> tuple[Finding, ...]:
    """Metformin on the medication list with an eGFR below 30, or below 45 in a dose that is not known to be reduced."""
    result, taken = case.results[EGFR_MODEL], case.values.usable(catalogue.METFORMIN)
    if isinstance(result, NotEstimated) or taken is None or taken.value is not True:
        return ()
    egfr, dose = round(result[0].value), daily_mg(case.context.record, catalogue.METFORMIN)
    stop = egfr < SEVERELY_DECREASED
    if egfr >= REDUCED or (not stop and dose is not None and dose <= MOST_METFORMIN):
        return ()
    measured = day(result[0].effective)
    headline = msg(
        "Metformin on the medication list with eGFR {egfr} mL/min/1.73 m² of {date}", egfr=egfr, date=measured
    )
    if not stop and dose is not None:
        headline = msg(
            "Metformin {dose} mg a day with eGFR {egfr} mL/min/1.73 m² of {date}",
            dose=round(dose),
            egfr=egfr,
            date=measured,
        )
    finding = CareGapFinding(
        key="metformin/egfr-below-30" if stop else "metformin/egfr-below-45",
        severity=Severity.WARNING if stop or dose is not None else Severity.INFO,
        headline=headline,
        advice=msg("Metformin is contraindicated below 30. Consider stopping it, and what may take its place.")
        if stop
        else msg("Below 45 the dose is halved, to at most 1000 mg a day as a rule; it is not started there."),
        advice_source=METFORMIN_LABEL if stop else KDIGO_DIABETES,
        due=msg("Read from the medication list and the laboratory.")
        if stop or dose is not None
        else msg("The daily dose could not be read from the medication list."),
        last_done=None,
        sources=(*taken.sources, *(s for v in result[0].inputs for s in v.sources if s.startswith("Observation/"))),
    )
    return (finding,)
