"""Renal dosing at order-select and order-sign: drafts of medicines that the kidney clears, against their limits.

The limits are rows of the knowledge base (`base/limits.tsv`), which `drug-safety` reads too and leaves to this service.
Each has the measure that its label doses by: creatinine clearance (Cockcroft-Gault, mL/min) or eGFR. Clearance is with
actual weight, as labels have it; from BMI 30 adjusted and ideal weight are looked at too, and where they fall on the
other side of a limit the card says so and does not decide. A daily dose that can be read and keeps to the limit is
silent; one that cannot be read is a line to check. Without a usable creatinine or weight the card says what is missing:
silence would reassure. On dialysis the row of the lowest kidney function speaks. Dosing is safety, so it speaks with
palliative care too; not about children, and in pregnancy only with kidney disease, saying that no row applies.
Local forms have no limit. What each finding says stands in `cds_service/dosing/`.

Sources: the rows' own; apixaban: United States label (two of age 80, weight 60 kg, creatinine 1.5 mg/dL; above 10 mg a
day only in the first week of a thrombosis); edoxaban:
United States label (not above 95 mL/min in atrial fibrillation).
"""

from __future__ import annotations

from cds_service.api import (
    Case,
    Citation,
    Finding,
    NotEstimated,
    RiskFinding,
    Service,
    Severity,
    Topic,
    catalogue,
    dosing,
    msg,
    override_reason,
    published,
)

ADULT = 18


def find(case: Case) -> tuple[Finding, ...]:
    """One finding a draft that breaks its limit, cannot be judged, or may be too much; then the estimate behind it."""
    age = case.values.usable(catalogue.AGE)
    if age is None or published.whole_years(age) < ADULT:
        return ()
    drafts = dosing.drafts_of(case)
    found = tuple(
        finding for draft in drafts for finding in (*dosing.judged(case, draft), *dosing.special(case, draft))
    )
    measures = dict.fromkeys(draft.measure for draft in drafts)
    return (*found, *(line for m in measures for line in _estimate_line(case, m))) if found else ()


def _estimate_line(case: Case, measure: dosing.Measure) -> tuple[Finding, ...]:
    """The estimate that the limits were held against, with what it rests on; told beside them."""
    model, result = case.models[dosing.MODELS[measure]], case.results[dosing.MODELS[measure]]
    if isinstance(result, NotEstimated):
        return ()
    finding = RiskFinding(
        key=f"{model.id}/dosing",
        severity=Severity.INFO,
        headline=msg(
            "{measure} {value} {unit}", measure=model.title, value=round(result[0].value), unit=dosing.UNITS[measure]
        ),
        quiet=True,
        model=model,
        result=result,
    )
    return (finding,)


def _service(id_: str, hook: str) -> Service:
    return Service(
        id=id_,
        hook=hook,
        title=msg("Renal dosing"),
        description=msg(
            "Draft orders of medicines that the kidney clears, against the limits of their labels by creatinine "
            "clearance (Cockcroft-Gault) or eGFR: contraindicated, to be avoided, or in too high a dose."
        ),
        models=tuple(dosing.MODELS.values()),
        features=(
            catalogue.AGE,
            catalogue.WEIGHT,
            catalogue.CREATININE,
            catalogue.CREATININE_UNSTEADY,
            catalogue.EGFR,
            catalogue.EGFR_REPORTED,
            catalogue.ATRIAL_FIBRILLATION,
            catalogue.DIALYSIS,
            catalogue.PREGNANCY,
            *dosing.AT_RISK,
            *dosing.CLOTS,
        ),
        find=find,
        source=Citation("Curbside: limits of medicine labels by kidney function", "https://dailymed.nlm.nih.gov/"),
        topic=Topic("http://snomed.info/sct", "709044004", "Chronic kidney disease"),
        summary=("trend", "result", "allergy"),
        reasons=(
            override_reason("risk-benefit-ratio", "Recipient assessment of risk/benefit ratio"),
            override_reason("indication-order-exists", "Patient has indication/order for intended action"),
        ),
    )


service = _service("renal-dosing", "order-sign")
select = _service("renal-dosing-select", "order-select")
