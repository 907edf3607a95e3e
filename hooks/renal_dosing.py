"""Renal dosing at order-select and order-sign: drafts of medicines that the kidney clears, against their limits.

The limits are rows of the knowledge base (`base/limits.tsv`), which `drug-safety` reads too and leaves to this service.
Each has the measure that its label doses by: creatinine clearance (Cockcroft-Gault, mL/min) or eGFR. Clearance is with
actual weight, as labels have it; from BMI 30 adjusted and ideal weight are looked at too, and where they fall on the
other side of a limit the card says so and does not decide. A daily dose that can be read and keeps to the limit is
silent; one that cannot be read is a line to check. Without a usable creatinine or weight the card says what is missing:
silence would reassure. Dosing is safety, so it speaks with palliative care too; not about children, and in pregnancy
and on dialysis it only says that no row applies.

Sources: the rows' own; apixaban: United States label (two of age 80, weight 60 kg, creatinine 1.5 mg/dL); edoxaban:
United States label (not above 95 mL/min in atrial fibrillation).
"""

from __future__ import annotations

from dataclasses import dataclass

from cds_service.api import (
    Case,
    Citation,
    EvidenceFinding,
    Finding,
    MedicationFeature,
    MedicationRequest,
    Medicine,
    Message,
    NotEstimated,
    Proposal,
    Refusal,
    RiskEstimate,
    RiskFinding,
    Service,
    Severity,
    Topic,
    catalogue,
    drafted,
    drafted_daily_mg,
    msg,
    orders,
    override_reason,
    published,
    renal_limits,
)

ADULT = 18
APIXABAN = (renal_limits.APIXABAN, renal_limits.Measure.CLEARANCE)  # by criteria of its own, not by a limit
MODELS = {renal_limits.Measure.CLEARANCE: "cockcroft-gault", renal_limits.Measure.EGFR: "ckd-epi-2021"}
OLD, LIGHT, HIGH_CREATININE = 80, 60.0, 1.5  # years, kg, mg/dL: criteria for apixaban 2.5 mg
FULL_APIXABAN, REDUCED_APIXABAN = 10.0, 5.0  # mg a day
TOO_FAST = renal_limits.from_value(renal_limits.EDOXABAN)  # in atrial fibrillation
LABEL = "https://dailymed.nlm.nih.gov/dailymed/search.cfm?query="
LABELS = {
    renal_limits.APIXABAN: Citation("United States label of apixaban", f"{LABEL}apixaban"),
}
ASKS = {
    renal_limits.Action.CONTRAINDICATED: msg("Contraindicated at this kidney function."),
    renal_limits.Action.AVOID: msg("To be avoided at this kidney function."),
    renal_limits.Action.REDUCE: msg("A lower dose is needed at this kidney function."),
}
# The same fact is told by `kidney-liver-check` about the medicine that is taken: one key, so that it is said once.
KEYS = {"metformin/egfr-below-30": "metformin/egfr-below-30", "metformin/egfr-below-45": "metformin/egfr-below-45"}
UNITS = {renal_limits.Measure.CLEARANCE: "mL/min", renal_limits.Measure.EGFR: "mL/min/1.73 m²"}
NAMES = {
    renal_limits.Measure.CLEARANCE: msg("creatinine clearance"),
    renal_limits.Measure.EGFR: msg("eGFR"),
}


@dataclass(frozen=True)
class Draft:
    """A draft order of a medicine of the table: what, how much a day in mg if that can be read, and its reference."""

    row: MedicationRequest
    medicine: Medicine
    of: MedicationFeature
    measure: renal_limits.Measure
    daily_mg: float | None

    @property
    def reference(self) -> str:
        """How the draft is cited."""
        return self.medicine.reference


def find(case: Case) -> tuple[Finding, ...]:
    """One finding a draft that breaks its limit, cannot be judged, or may be too much; then the estimate behind it."""
    age = case.values.usable(catalogue.AGE)
    if age is None or published.whole_years(age) < ADULT:
        return ()
    drafts = {(d.of.id, d.reference): d for d in drafts_of(case)}.values()
    found = tuple(finding for draft in drafts for finding in (*judged(case, draft), *special(case, draft)))
    measures = dict.fromkeys(draft.measure for draft in drafts)
    return (*found, *(line for m in measures for line in _estimate_line(case, m))) if found else ()


def drafts_of(case: Case) -> tuple[Draft, ...]:
    """The drafts that are on the table, in the order of the client."""
    found = []
    for row in case.context.drafts:
        if not isinstance(row, MedicationRequest):
            continue
        medicine = drafted(case.context.record, row)
        if medicine is None:
            continue
        known = {of: measure for of, measure in (*renal_limits.MEDICINES, APIXABAN) if medicine.belongs_to(of)}
        wider = {renal_limits.NARROWER.get(of) for of in known}
        for of, measure in known.items():
            if of not in wider:
                dose = drafted_daily_mg(row, medicine.label or "", of)
                found.append(Draft(row, medicine, of, measure, dose))
    return tuple(found)


def judged(case: Case, draft: Draft) -> tuple[Finding, ...]:
    """What the row of the table says at this patient's kidney function."""
    result = case.results[MODELS[draft.measure]]
    if isinstance(result, NotEstimated):
        return _unknown(case, draft, result)
    main = result[0]
    limit = renal_limits.strictest(draft.of, main.value)
    others = [e for e in result[1:] if renal_limits.strictest(draft.of, e.value) != limit]
    if limit is None or kept(draft, limit):
        return _by_weight(draft, main, others)
    return (_broken(case, draft, limit, main, others),)


def kept(draft: Draft, limit: renal_limits.Limit) -> bool:
    """True if the daily dose is known and keeps to the row's highest."""
    return limit.most_mg is not None and draft.daily_mg is not None and draft.daily_mg <= limit.most_mg


def _broken(
    case: Case, draft: Draft, limit: renal_limits.Limit, estimate: RiskEstimate, others: list[RiskEstimate]
) -> Finding:
    unread = limit.action is renal_limits.Action.REDUCE and (draft.daily_mg is None or limit.most_mg is None)
    stop = limit.action is not renal_limits.Action.REDUCE
    headline = msg(
        "{medicine} ordered with {measure} {value} {unit}: {words}",
        medicine=draft.of.label,
        measure=NAMES[draft.measure],
        value=round(estimate.value),
        unit=UNITS[draft.measure],
        words=limit.words,
    )
    short = msg(
        "{medicine} ordered with {measure} {value} {unit}: see the limit of its label",
        medicine=draft.of.label,
        measure=NAMES[draft.measure],
        value=round(estimate.value),
        unit=UNITS[draft.measure],
    )
    return EvidenceFinding(
        key=KEYS.get(limit.id, f"renal-dosing/{limit.id}"),
        severity=Severity.INFO if unread else Severity.WARNING,
        headline=headline,
        short_headline=short,
        advice=_advice(limit, unread=unread),
        advice_source=limit.source,
        proposals=(_withdrawal(draft),) if stop and draft.row.id else (),
        magnitude=1 / estimate.value if estimate.value > 0 else None,
        path=(_ordered(draft), *_measured(draft, estimate, others), (limit.words, f"renal-limits/{limit.id}")),
    )


def _advice(limit: renal_limits.Limit, *, unread: bool) -> Message:
    if unread:
        return msg("{asks} The daily dose could not be read or has no single limit: check it.", asks=ASKS[limit.action])
    if limit.action is renal_limits.Action.REDUCE:
        return msg("{asks} Lower it, or choose another medicine.", asks=ASKS[limit.action])
    return msg("{asks} Choose another medicine, or write down why it is given.", asks=ASKS[limit.action])


def _ordered(draft: Draft) -> tuple[Message, str]:
    name = draft.medicine.label or draft.of.label
    if draft.daily_mg is None:
        return msg("Draft order: {name}; the daily dose could not be read", name=name), draft.reference
    return msg("Draft order: {name}; {dose} mg a day", name=name, dose=f"{draft.daily_mg:g}"), draft.reference


def _measured(draft: Draft, main: RiskEstimate, others: list[RiskEstimate]) -> tuple[tuple[Message, str], ...]:
    """The kidney function with what it was measured from, and where another weight would fall on the other side."""
    sources = list(dict.fromkeys(s for v in main.inputs for s in v.sources if s.startswith("Observation/")))
    words = msg("{what} {value} {unit}", what=main.outcome_words, value=round(main.value), unit=UNITS[draft.measure])
    if main.effective is not None:
        words = msg("{words}, from values of {date} and later", words=words, date=main.effective.date())
    steps = [(words, ", ".join(sources))]
    steps += [
        (msg("{what} {value} {unit}: the weight decides", what=e.outcome_words, value=round(e.value),
             unit=UNITS[draft.measure]), ", ".join(s for v in e.inputs for s in v.sources if "Observation" in s))
        for e in others
    ]  # fmt: skip
    return tuple(steps)


def _by_weight(draft: Draft, main: RiskEstimate, others: list[RiskEstimate]) -> tuple[Finding, ...]:
    """In obesity, a limit that only adjusted or ideal weight reaches: told, and left to the clinician."""
    for other in others:
        limit = renal_limits.strictest(draft.of, other.value)
        if limit is not None and not kept(draft, limit):
            headline = msg(
                "{medicine} ordered: the weight used decides whether a limit is reached ({low} or {high} mL/min)",
                medicine=draft.of.label,
                low=round(other.value),
                high=round(main.value),
            )
            finding = EvidenceFinding(
                key=f"renal-dosing/{draft.of.id}/by-weight",
                severity=Severity.INFO,
                headline=headline,
                advice=msg("From BMI 30 actual weight overstates clearance, ideal weight understates it: judge."),
                advice_source=limit.source,
                path=(_ordered(draft), *_measured(draft, main, [other]), (limit.words, f"renal-limits/{limit.id}")),
            )
            return (finding,)
    return ()


def _unknown(case: Case, draft: Draft, refusal: NotEstimated) -> tuple[Finding, ...]:
    """A medicine with a limit, and a kidney function that is not known, not steady, or not to be estimated."""
    reason = msg("Needed to dose a medicine that the kidney clears")
    wanted = orders.mending(refusal.unusable) if refusal.refusal is Refusal.INPUT else ()
    offers = tuple(p for what in wanted for p in orders.offer(case.context, what, reason))
    finding = EvidenceFinding(
        key=f"renal-dosing/{draft.of.id}/unknown",
        severity=Severity.INFO,
        headline=msg("{medicine} ordered, and no {measure} to dose it by", medicine=draft.of.label,
                     measure=NAMES[draft.measure]),
        advice=refusal.reason,
        proposals=offers,
        path=(_ordered(draft),),
    )  # fmt: skip
    return (finding,)


def special(case: Case, draft: Draft) -> tuple[Finding, ...]:
    """Apixaban and edoxaban in atrial fibrillation, which have rules of their own."""
    if not case.values.flag(catalogue.ATRIAL_FIBRILLATION):
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
        path=(_ordered(draft), *_measured(draft, result[0], []), (words, "renal-limits/edoxaban/crcl-above-95")),
    )
    return (finding,)


def apixaban(case: Case, draft: Draft) -> tuple[Finding, ...]:
    """Two of three criteria ask for half the dose, fewer for the whole: too little does not prevent a stroke."""
    age, weight, creatinine = map(case.values.usable, (catalogue.AGE, catalogue.WEIGHT, catalogue.CREATININE))
    if age is None or weight is None or creatinine is None or draft.daily_mg is None:
        return ()
    criteria = (
        (published.whole_years(age) >= OLD, age),
        (float(weight.value) <= LIGHT, weight),
        (float(creatinine.value) >= HIGH_CREATININE, creatinine),
    )
    met = [value for holds, value in criteria if holds]
    reduce = len(met) >= 2
    if draft.daily_mg <= REDUCED_APIXABAN if reduce else draft.daily_mg >= FULL_APIXABAN:
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
            _ordered(draft),
            *(
                (msg("{label}: {value}", label=v.feature.label, value=published.in_words(v)), ", ".join(v.sources))
                for _, v in criteria
            ),
        ),
    )
    return (finding,)


def _withdrawal(draft: Draft) -> Proposal:
    """Takes the draft off; nothing is prescribed in its place."""
    return Proposal(
        key=f"withdraw/{draft.of.id}",
        label=msg("Remove the draft order of {medicine}", medicine=draft.of.label),
        description=msg("Deletes the draft, which has not been signed"),
        action="delete",
        resource_id=f"MedicationRequest/{draft.row.id}",
    )


def _estimate_line(case: Case, measure: renal_limits.Measure) -> tuple[Finding, ...]:
    """The estimate that the limits were held against, with what it rests on; told beside them."""
    model, result = case.models[MODELS[measure]], case.results[MODELS[measure]]
    if isinstance(result, NotEstimated):
        return ()
    finding = RiskFinding(
        key=f"{model.id}/dosing",
        severity=Severity.INFO,
        headline=msg(
            "{measure} {value} {unit}", measure=model.title, value=round(result[0].value), unit=UNITS[measure]
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
        models=tuple(MODELS.values()),
        features=(
            catalogue.AGE,
            catalogue.WEIGHT,
            catalogue.CREATININE,
            catalogue.ATRIAL_FIBRILLATION,
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
