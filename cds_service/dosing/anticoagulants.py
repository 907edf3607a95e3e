"""Apixaban and edoxaban in atrial fibrillation, which have rules of their own."""

from __future__ import annotations

from cds_service.dosing.drafts import MODELS, Draft, ordered, withdrawals
from cds_service.dosing.limits import measured
from cds_service.features import catalogue, order_reasons
from cds_service.features.thrombosis import DEEP_VEIN_THROMBOSIS, PULMONARY_EMBOLISM
from cds_service.findings import EvidenceFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.knowledge import renal_limits
from cds_service.language import msg
from cds_service.risk import published
from cds_service.risk.model import Citation, NotEstimated

OLD, LIGHT, HIGH_CREATININE = 80, 60.0, 1.5  # years, kg, mg/dL: criteria for apixaban 2.5 mg
FULL_APIXABAN, REDUCED_APIXABAN = 10.0, 5.0  # mg a day
CLOTS = (DEEP_VEIN_THROMBOSIS, PULMONARY_EMBOLISM)
TOO_FAST = renal_limits.from_value(renal_limits.EDOXABAN)  # in atrial fibrillation
LABEL = "https://dailymed.nlm.nih.gov/dailymed/search.cfm?query="
LABELS = {
    renal_limits.APIXABAN: Citation("United States label of apixaban", f"{LABEL}apixaban"),
}


def special(case: Case, draft: Draft) -> tuple[Finding, ...]:
    """Apixaban and edoxaban in atrial fibrillation, which have rules of their own.

    An order that names it as its reason is for it whatever the list says, and one that names a thrombosis, and not it,
    is not.
    """
    clots = draft.uses & order_reasons.CLOTS
    named = order_reasons.FIBRILLATION in draft.uses
    if not (named or clots or case.values.flag(catalogue.ATRIAL_FIBRILLATION)):
        return ()
    if draft.of == renal_limits.APIXABAN and draft.least_mg is not None and draft.least_mg > FULL_APIXABAN:
        return _doubled(case, draft)
    if clots and not named:
        return ()
    if draft.of == renal_limits.EDOXABAN:
        return edoxaban(case, draft)
    return apixaban(case, draft) if draft.of == renal_limits.APIXABAN else ()


def edoxaban(case: Case, draft: Draft) -> tuple[Finding, ...]:
    """Not with a high clearance."""
    result = case.results[MODELS[draft.measure]]
    if isinstance(result, NotEstimated) or round(result[0].value) < TOO_FAST.below:
        return ()
    words = TOO_FAST.words
    finding = EvidenceFinding(
        key="renal-dosing/edoxaban/crcl-above-95",
        severity=Severity.WARNING,
        headline=msg(
            "Edoxaban ordered with creatinine clearance {value} mL/min: {words}",
            value=round(result[0].value),
            words=words,
        ),
        short_headline=msg("Edoxaban ordered with a creatinine clearance above 95 mL/min"),
        advice=msg("Choose another anticoagulant."),
        advice_source=TOO_FAST.source,
        path=(*ordered(draft), *measured(draft, result[0], []), (words, "renal-limits/edoxaban/crcl-above-95")),
    )
    return (finding,)


def apixaban(case: Case, draft: Draft) -> tuple[Finding, ...]:
    """Two of three criteria ask for half the dose, fewer for the whole: too little does not prevent a stroke."""
    age, weight, creatinine = map(case.values.usable, (catalogue.AGE, catalogue.WEIGHT, catalogue.CREATININE))
    if age is None or weight is None or creatinine is None or draft.together_mg is None:
        return ()
    criteria = (
        (published.whole_years(age) >= OLD, age),
        (float(weight.value) <= LIGHT, weight),
        (float(creatinine.value) >= HIGH_CREATININE, creatinine),
    )
    met = [value for holds, value in criteria if holds]
    reduce = len(met) >= 2
    if draft.together_mg <= REDUCED_APIXABAN if reduce else draft.together_mg >= FULL_APIXABAN:
        return ()
    headline = msg("Apixaban ordered: {count} of 3 criteria ask for 2.5 mg twice daily", count=len(met))
    if not reduce:
        headline = msg("Apixaban ordered in the reduced dose: {count} of 3 criteria are met, and 2 ask for it",
                       count=len(met))  # fmt: skip
    finding = EvidenceFinding(
        key="renal-dosing/apixaban/" + ("reduce" if reduce else "full-dose"),
        severity=Severity.WARNING if reduce else Severity.INFO,
        headline=headline,
        advice=msg(
            "In atrial fibrillation the dose is 2.5 mg twice daily with two of: age 80 or more, weight 60 kg or less, "
            "creatinine 1.5 mg/dL or more; else 5 mg twice daily."
        ),
        advice_source=LABELS[draft.of],
        path=(
            *ordered(draft),
            *(
                (msg("{label}: {value}", label=v.feature.label, value=published.in_words(v)), ", ".join(v.sources))
                for _, v in criteria
            ),
        ),
    )
    return (finding,)


def _doubled(case: Case, draft: Draft) -> tuple[Finding, ...]:
    """More than 5 mg twice daily, which only the first week of a thrombosis asks for."""
    clots = [found for found in map(case.values.usable, CLOTS) if found is not None]
    listed = any(found.value is True or found.note is not None for found in clots)  # a note: not confirmed yet
    if order_reasons.THROMBOSIS in draft.uses or listed:
        return ()
    dose = f"{draft.least_mg:g}"
    headline = msg("Apixaban {dose} mg a day ordered in atrial fibrillation: 10 mg is the highest dose", dose=dose)
    advice = msg("20 mg a day is for the first 7 days of a thrombosis or pulmonary embolism: none is on record.")
    if draft.uses & order_reasons.CLOTS:
        headline = msg(
            "Apixaban {dose} mg a day ordered: 10 mg at most after the first week of a thrombosis", dose=dose
        )
        advice = msg("20 mg a day is for the first 7 days of a thrombosis or pulmonary embolism.")
    finding = EvidenceFinding(
        key="renal-dosing/apixaban/above-10-mg",
        severity=Severity.WARNING,
        headline=headline,
        advice=advice,
        advice_source=LABELS[draft.of],
        proposals=withdrawals(draft) if draft.beside else (),
        path=ordered(draft),
    )
    return (finding,)
