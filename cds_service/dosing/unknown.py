"""A medicine with a limit, and a kidney function that is not known, not steady, or not to be estimated.

On dialysis no equation holds, and every limit is reached: the lowest row speaks. Where nothing is known, silence would
reassure about a medicine that the kidney clears; about one that only harms an ill kidney (an NSAID), and about a short
course where the problem list names no risk, it speaks for those at risk alone, and in pregnancy, where the kidney works
more and other rows speak, only with signs of kidney disease. An eGFR that a laboratory reported
stands in for a creatinine that is missing.
"""

from __future__ import annotations

from cds_service import orders
from cds_service.dosing.drafts import MODELS, NAMES, Draft, ordered, row_step, withdrawals
from cds_service.features import catalogue
from cds_service.features.feature import FeatureValue, Reason
from cds_service.features.latest import limit_sign
from cds_service.findings import EvidenceFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.knowledge import renal_limits
from cds_service.language import Message, msg
from cds_service.risk import published
from cds_service.risk.model import NotEstimated, Refusal

EGFR = renal_limits.Measure.EGFR
OLD = 65  # years, from which a kidney without a known value is not taken for a healthy one
NORMAL = 90.0  # mL/min/{1.73_m2}: with it a clearance below a limit needs a very light or old body
MOST_IN_PREGNANCY = 0.9  # mg/dL: above, creatinine is high there (Wiles 2019, doi:10.1016/j.ekir.2018.10.015)
HARMS_ONLY = frozenset({"nsaid", "ketorolac"})
# Given for days, with a limit that a kidney of which nothing speaks ill is far above.
SHORT_COURSES = frozenset({
    "ciprofloxacin", "levofloxacin", "valacyclovir", "nitrofurantoin", "trimethoprim", "tramadol", "famotidine",
})  # fmt: skip
KIDNEY = (catalogue.CKD, catalogue.ACUTE_KIDNEY_INJURY, catalogue.KIDNEY_TRANSPLANT)
AT_RISK = (*KIDNEY, catalogue.HEART_FAILURE, catalogue.DIABETES, catalogue.HYPERTENSION, catalogue.CIRRHOSIS)
DIALYSIS_ADVICE = msg(
    "On dialysis no clearance holds: look up the label's dose for dialysis and its time before or after a session."
)


def unknown(case: Case, draft: Draft, refusal: NotEstimated) -> tuple[Finding, ...]:
    """That there is no number to dose by, with the order that would bring it; on dialysis the lowest row."""
    if case.values.flag(catalogue.DIALYSIS) and (limit := draft.limit(0.0)) is not None:
        return () if draft.kept(limit) else (_on_dialysis(case, draft, limit),)
    said = _reported(case, refusal)
    if said is not None and (by_it := _by_reported(case, draft, said)) is not None:
        return by_it
    if _says_nothing(case, draft, refusal):
        return ()
    egfr = _egfr_alone(case, draft, refusal)
    if egfr is not None and (limit := draft.limit(egfr)) is not None:
        return () if draft.kept(limit) else (_by_egfr(case, draft, limit, egfr),)
    if (unsteady := _while_unsteady(case, draft)) is not None:
        return (unsteady,)
    reason = msg("Needed to dose a medicine that the kidney clears")
    wanted = orders.mending(refusal.unusable) if refusal.refusal is Refusal.INPUT else ()
    offers = tuple(p for what in wanted for p in orders.offer(case.context, what, reason))
    told = refusal.reason
    if refusal.refusal is Refusal.NOT_APPLICABLE:
        told = published.not_calculated((told,))
    finding = EvidenceFinding(
        key=f"renal-dosing/{draft.of.id}/unknown",
        severity=Severity.INFO,
        headline=msg("{medicine} ordered, and no {measure} to dose it by", medicine=draft.title,
                     measure=NAMES[draft.measure]),
        advice=told,
        proposals=offers,
        path=(*ordered(draft),),
    )  # fmt: skip
    return (finding,)


def _says_nothing(case: Case, draft: Draft, refusal: NotEstimated) -> bool:
    """True where a missing number is no reason to speak."""
    if refusal.refusal is Refusal.NOT_APPLICABLE:
        creatinine = case.values.number(catalogue.CREATININE)
        usual = creatinine is None or creatinine <= MOST_IN_PREGNANCY
        pregnant = bool(case.values.flag(catalogue.PREGNANCY))
        return pregnant and usual and not any(case.values.flag(disease) for disease in KIDNEY)
    age = case.values.usable(catalogue.AGE)
    old = age is not None and published.whole_years(age) >= OLD
    egfr = _egfr_alone(case, draft, refusal)
    if egfr is not None and not old and egfr >= NORMAL:
        return True
    at_risk = old or any(case.values.flag(disease) for disease in AT_RISK)
    if at_risk or not all(u.reason in orders.UNKNOWN for u in refusal.unusable):
        return False
    listed = case.values.flag(catalogue.CKD) is False  # a list that can be read, and names no kidney disease
    return draft.of.id in HARMS_ONLY or (draft.of.id in SHORT_COURSES and listed and age is not None)


def _reported(case: Case, refusal: NotEstimated) -> FeatureValue | None:
    """An eGFR that a laboratory reported, where the creatinine is not on record, or an old one."""
    reasons = {unusable.feature.id: unusable.reason for unusable in refusal.unusable}
    lacking = reasons.get(catalogue.CREATININE.id) in (Reason.ABSENT, Reason.STALE)
    return case.values.usable(catalogue.EGFR_REPORTED) if lacking else None


def _by_reported(case: Case, draft: Draft, said: FeatureValue) -> tuple[Finding, ...] | None:
    """What a reported eGFR lets say of a draft; None where it does not answer for it."""
    sign = limit_sign(said)
    egfr = round(float(said.value)) - (sign == "<")
    limit = draft.limit(egfr)
    if limit is None:
        return () if draft.measure is EGFR and sign != "<" else None
    if draft.kept(limit):
        return ()
    certain = draft.measure is EGFR or egfr < limit.below / 2
    stop = limit.action is not renal_limits.Action.REDUCE
    shown = {"medicine": draft.title, "egfr": f"{sign}{round(float(said.value))}"}
    finding = EvidenceFinding(
        key=f"renal-dosing/{draft.of.id}/by-reported-egfr",
        severity=Severity.WARNING if certain and (stop or draft.exceeds(limit)) else Severity.INFO,
        headline=msg("{medicine} ordered with eGFR {egfr} as reported: {words}", words=limit.words, **shown),
        short_headline=msg("{medicine} ordered with eGFR {egfr} as reported: below the limit of its label", **shown),
        advice=msg("There is no recent creatinine to check it by. Judge by the reported eGFR meanwhile."),
        advice_source=limit.source,
        proposals=orders.offer(
            case.context, orders.CREATININE, msg("Needed to dose a medicine that the kidney clears")
        ),
        magnitude=1 / egfr if egfr > 0 else None,
        path=(
            *ordered(draft),
            (
                msg("{label}: {value}", label=said.feature.label, value=published.in_words(said)),
                ", ".join(said.sources),
            ),
            row_step(draft, limit),
        ),
    )
    return (finding,)


def _egfr_alone(case: Case, draft: Draft, refusal: NotEstimated) -> float | None:
    """The eGFR, where nothing but the weight is lacking for the clearance that the row goes by."""
    lacking = {unusable.feature.id for unusable in refusal.unusable}
    result = case.results[MODELS[EGFR]]
    if draft.measure is EGFR or lacking != {catalogue.WEIGHT.id}:
        return None
    return None if isinstance(result, NotEstimated) else result[0].value


def _by_egfr(case: Case, draft: Draft, limit: renal_limits.Limit, egfr: float) -> Finding:
    """What an eGFR below the row's limit lets expect of the clearance, until somebody is weighed."""
    certain = egfr < limit.below / 2
    stop = limit.action is not renal_limits.Action.REDUCE
    reason = msg("Needed to dose a medicine that the kidney clears")
    shown = {"medicine": draft.title, "egfr": round(egfr)}
    inputs = case.results[MODELS[EGFR]]
    sources = () if isinstance(inputs, NotEstimated) else inputs[0].inputs
    cited = ", ".join(dict.fromkeys(s for v in sources for s in v.sources if s.startswith("Observation/")))
    return EvidenceFinding(
        key=f"renal-dosing/{draft.of.id}/by-egfr",
        severity=Severity.WARNING if certain and (stop or draft.exceeds(limit)) else Severity.INFO,
        headline=msg("{medicine} ordered with eGFR {egfr} mL/min/1.73 m²: {words}", words=limit.words, **shown),
        short_headline=msg("{medicine} ordered with eGFR {egfr} mL/min/1.73 m²: below the limit of its label", **shown),
        advice=msg("The label goes by creatinine clearance, for which a weight is missing. Judge by eGFR meanwhile."),
        advice_source=limit.source,
        proposals=orders.offer(case.context, orders.BODY_SIZE, reason),
        magnitude=1 / egfr if egfr > 0 else None,
        path=(
            *ordered(draft),
            (msg("{measure} {value} {unit}", measure=NAMES[EGFR], value=round(egfr), unit="mL/min/1.73 m²"), cited),
            row_step(draft, limit),
        ),
    )


def _while_unsteady(case: Case, draft: Draft) -> Finding | None:
    """In kidney injury no equation holds, but a creatinine that breaks the limit even taken as steady says enough."""
    injured = any(case.values.flag(f) for f in (catalogue.ACUTE_KIDNEY_INJURY, catalogue.CREATININE_UNSTEADY))
    creatinine, egfr = case.values.usable(catalogue.CREATININE), case.values.number(catalogue.EGFR)
    if not injured or creatinine is None or egfr is None:
        return None
    limit = renal_limits.strictest(draft.of, egfr)
    if limit is None or draft.kept(limit):
        return None
    shown = {"medicine": draft.title, "egfr": round(egfr)}
    return EvidenceFinding(
        key=f"renal-dosing/{draft.of.id}/unsteady",
        severity=Severity.WARNING,
        headline=msg(
            "{medicine} ordered while creatinine is not steady; taken as steady it gives eGFR {egfr}: {words}",
            words=limit.words, **shown,
        ),
        short_headline=msg("{medicine} ordered while creatinine is not steady", **shown),
        advice=msg(
            "While creatinine rises the kidneys do less than that. Withhold the medicine until they are steady, choose "
            "another, or dose it by levels."
        ),
        advice_source=limit.source,
        path=(
            *ordered(draft),
            (msg("{label}: {value}", label=creatinine.feature.label, value=published.in_words(creatinine)),
             ", ".join(creatinine.sources)),
            row_step(draft, limit),
        ),
    )  # fmt: skip


def _on_dialysis(case: Case, draft: Draft, limit: renal_limits.Limit) -> Finding:
    """The row of the lowest kidney function: to stop or avoid is certain there, a dose is the label's."""
    stop = limit.action is not renal_limits.Action.REDUCE
    dialysis = case.values.usable(catalogue.DIALYSIS)
    record: tuple[tuple[Message, str], ...] = ()
    if dialysis is not None:
        record = ((msg("On record: {what}", what=dialysis.feature.label), ", ".join(dialysis.sources)),)
    return EvidenceFinding(
        key=f"renal-dosing/{draft.of.id}/dialysis",
        severity=Severity.WARNING if stop or draft.exceeds(limit) else Severity.INFO,
        headline=msg(
            "{medicine} ordered on dialysis; by {measure}: {words}",
            medicine=draft.title,
            measure=NAMES[draft.measure],
            words=limit.words,
        ),
        short_headline=msg("{medicine} ordered on dialysis: see its label", medicine=draft.title),
        advice=msg("Choose another medicine, or write down why it is given.") if stop else DIALYSIS_ADVICE,
        advice_source=limit.source,
        proposals=withdrawals(draft) if stop else (),
        path=(*ordered(draft), *record, row_step(draft, limit)),
    )
