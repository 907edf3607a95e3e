"""A written suspicion of deep vein thrombosis or pulmonary embolism at encounter-start: Wells, prefilled.

What the record knows is filled in; what only an examination tells is named and asked for, never guessed. A card appears
only where somebody wrote the suspicion down and nothing that would settle it is ordered.

Sources: AHA/ACC 2026 (pulmonary embolism; read in secondary sources) and ESC 2019; ASH 2018 (diagnosis of venous
thromboembolism). NICE NG158 was not checked.
"""

from __future__ import annotations

from datetime import timedelta

from cds_service.api import (
    Case,
    Citation,
    Finding,
    Message,
    NotEstimated,
    Proposal,
    RiskEstimate,
    RiskFinding,
    Service,
    Severity,
    Topic,
    catalogue,
    is_over,
    msg,
    orders,
    override_reason,
    published,
)

DVT, PE = "wells-dvt", "wells-pe"
ASH_2018 = Citation(
    "ASH 2018 guideline on diagnosis of thromboembolism", "https://doi.org/10.1182/bloodadvances.2018024828"
)
PE_2026 = Citation(
    "2026 AHA/ACC acute pulmonary embolism guideline (read in secondary sources)",
    "https://doi.org/10.1161/CIR.0000000000001415",
)
SOURCES = {DVT: ASH_2018, PE: PE_2026}
REPEAT_AFTER = timedelta(hours=12)
IMAGING = {
    DVT: orders.imaging(
        "leg-vein-ultrasound",
        msg("Order ultrasound of the leg veins"),
        msg("Compression ultrasound of the leg veins"),
        "ultrasound",
        "duplex",
        "doppler",
    ),
    PE: orders.imaging(
        "ct-pulmonary-angiography",
        msg("Order CT pulmonary angiography"),
        msg("CT pulmonary angiography"),
        "pulmonary angiogra",
        "ctpa",
        "ventilation",
    ),
}
ADVICE = {
    DVT: msg("Examine and complete the score. Below 2 points a D-dimer, from 2 ultrasound of the leg veins."),
    PE: msg("Examine and complete the score. Up to 4 points a D-dimer, above CT pulmonary angiography."),
}
LIKELY = {
    DVT: msg("Ultrasound of the leg veins; if it must wait, consider treating meanwhile."),
    PE: msg("CT pulmonary angiography; if it must wait, consider treating meanwhile."),
}
CONFIRMED = {DVT: catalogue.DEEP_VEIN_THROMBOSIS, PE: catalogue.PULMONARY_EMBOLISM}
SETTLED = timedelta(days=14)  # an older thrombosis does not settle a new suspicion
TREATED = (catalogue.ANTICOAGULANT, catalogue.HEPARIN)
UNDER_TREATMENT = msg(
    "An anticoagulant is on the medication list: ask whether it is taken. Under it a low D-dimer excludes nothing, so "
    "look by imaging."
)
NAMES = {DVT: msg("deep vein thrombosis"), PE: msg("pulmonary embolism")}


def find(case: Case) -> tuple[Finding, ...]:
    """The prefilled scores of what is suspected and not yet looked for."""
    encounter = case.context.encounter
    if encounter is not None and is_over(encounter, case.context.now):
        return ()
    found = (_prefilled(case, id_) for id_ in (PE, DVT))
    return tuple(finding for finding in found if finding is not None)


def _prefilled(case: Case, model_id: str) -> Finding | None:
    result = case.results[model_id]
    if isinstance(result, NotEstimated) or orders.pending(case.context, IMAGING[model_id]) or _found(case, model_id):
        return None
    (estimate,) = result
    likely = estimate.band is not None and estimate.band.id == "likely"
    said = LIKELY[model_id] if likely else ADVICE[model_id]
    if any(case.values.flag(f) for f in TREATED):
        said = UNDER_TREATMENT
    if case.values.flag(catalogue.PALLIATIVE_CARE):
        said = msg("{advice} Palliative care is on record: follow the agreed ceiling.", advice=said)
    return RiskFinding(
        key=f"{model_id}/{'likely' if likely else 'open'}",
        severity=Severity.WARNING if likely else Severity.INFO,
        headline=headline(estimate, model_id, likely=likely),
        advice=said,
        advice_source=SOURCES[model_id],
        proposals=_offer(case, estimate, model_id, likely=likely),
        magnitude=estimate.value,
        model=case.models[model_id],
        result=result,
    )


def _found(case: Case, model_id: str) -> bool:
    """True if the thrombosis is on the problem list since the last days: the suspicion has become a diagnosis."""
    confirmed = case.values.usable(CONFIRMED[model_id])
    if confirmed is None or confirmed.value is not True or confirmed.effective is None:
        return False
    return case.context.now - confirmed.effective <= SETTLED


def headline(estimate: RiskEstimate, model_id: str, *, likely: bool) -> Message:
    """What is suspected, the interval, and that the examination decides."""
    high = estimate.value if estimate.high is None else estimate.high
    shown = {"what": NAMES[model_id], "low": estimate.value, "high": high}
    if likely:
        return msg("Suspected {what}: likely, Wells score at least {low} from the record", **shown)
    return msg("Suspected {what}: Wells score {low} to {high} from the record; the examination decides", **shown)


def _offer(case: Case, estimate: RiskEstimate, model_id: str, *, likely: bool) -> tuple[Proposal, ...]:
    reason = msg("Suspected venous thromboembolism (Wells score)")
    if likely:
        return orders.offer(case.context, IMAGING[model_id], reason, priority="urgent")
    asked = published.enumerated([m.feature.label for m in estimate.not_measured])
    what = orders.bedside(
        f"{model_id}-examination",
        msg("Ask for the items of the examination"),
        msg("Wells score, to be answered: {asked}", asked=asked),
        "wells score",
    )
    return orders.offer(case.context, what, reason, priority="urgent")


service = Service(
    id="suspected-thrombosis",
    hook="encounter-start",
    title=msg("Suspected venous thrombosis (Wells)"),
    description=msg(
        "Wells scores for deep vein thrombosis and pulmonary embolism, prefilled from the record where a suspicion is "
        "written down. What only an examination tells is asked for."
    ),
    models=(PE, DVT),
    features=(catalogue.PALLIATIVE_CARE, *TREATED, *CONFIRMED.values()),
    find=find,
    source=PE_2026,
    topic=Topic("http://snomed.info/sct", "59282003", "Pulmonary embolism"),
    summary=("allergy", "problem", "medication", "result"),
    reasons=(override_reason("mitigate-risk-negative-outcome", "Action taken to mitigate risk of negative outcome"),),
    repeat_after=REPEAT_AFTER,
    optional=("vitalSigns",),
)
