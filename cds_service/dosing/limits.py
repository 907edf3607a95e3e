"""What a row of the table says of a draft at this patient's kidney function."""

from __future__ import annotations

from cds_service.dosing.drafts import MODELS, NAMES, UNITS, Draft, ordered, row_step, withdrawals
from cds_service.dosing.unknown import unknown
from cds_service.findings import EvidenceFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.knowledge import renal_limits
from cds_service.language import Message, msg
from cds_service.risk import published
from cds_service.risk.model import NotEstimated, RiskEstimate

ASKS = {
    renal_limits.Action.CONTRAINDICATED: msg("Contraindicated at this kidney function."),
    renal_limits.Action.AVOID: msg("To be avoided at this kidney function."),
    renal_limits.Action.REDUCE: msg("A lower dose is needed at this kidney function."),
}
SHORT = {
    renal_limits.Action.CONTRAINDICATED: msg("contraindicated"),
    renal_limits.Action.AVOID: msg("to be avoided"),
    renal_limits.Action.REDUCE: msg("a lower dose is needed"),
}
# The same fact is told by `kidney-liver-check` about the medicine that is taken: one key, so that it is said once.
KEYS = {"metformin/egfr-below-30": "metformin/egfr-below-30", "metformin/egfr-below-45": "metformin/egfr-below-45"}


def judged(case: Case, draft: Draft) -> tuple[Finding, ...]:
    """What the row of the table says at this patient's kidney function."""
    result = case.results[MODELS[draft.measure]]
    if isinstance(result, NotEstimated):
        return unknown(case, draft, result)
    main = result[0]
    limit = draft.limit(main.value)
    others = [e for e in result[1:] if draft.limit(e.value) != limit]
    if limit is None or draft.kept(limit):
        return _by_weight(draft, main, others)
    return (_broken(case, draft, limit, main, others),)


def _broken(
    case: Case, draft: Draft, limit: renal_limits.Limit, estimate: RiskEstimate, others: list[RiskEstimate]
) -> Finding:
    unread = limit.action is renal_limits.Action.REDUCE and not draft.exceeds(limit)
    stop = limit.action is not renal_limits.Action.REDUCE
    told: dict[str, object] = {
        "medicine": draft.title,
        "measure": NAMES[draft.measure],
        "value": round(estimate.value),
        "unit": UNITS[draft.measure],
    }
    headline = msg("{medicine} ordered with {measure} {value} {unit}: {words}", **told, words=limit.words)
    short = msg("{medicine} ordered with {measure} {value} {unit}: {words}", **told, words=SHORT[limit.action])
    return EvidenceFinding(
        key=KEYS.get(limit.id, f"renal-dosing/{limit.id}"),
        severity=Severity.INFO if unread else Severity.WARNING,
        headline=headline,
        short_headline=short,
        advice=_advice(limit, unread=unread),
        advice_source=limit.source,
        proposals=withdrawals(draft) if stop else (),
        magnitude=1 / estimate.value if estimate.value > 0 else None,
        path=(*ordered(draft), *measured(draft, estimate, others), row_step(draft, limit)),
    )


def _advice(limit: renal_limits.Limit, *, unread: bool) -> Message:
    if unread:
        return msg("{asks} The daily dose could not be read or has no single limit: check it.", asks=ASKS[limit.action])
    if limit.action is renal_limits.Action.REDUCE:
        return msg("{asks} Lower it, or choose another medicine.", asks=ASKS[limit.action])
    return msg("{asks} Choose another medicine, or write down why it is given.", asks=ASKS[limit.action])


def measured(draft: Draft, main: RiskEstimate, others: list[RiskEstimate]) -> tuple[tuple[Message, str], ...]:
    """The kidney function with what it was measured from, and where another weight would fall on the other side."""
    sources = list(dict.fromkeys(s for v in main.inputs for s in v.sources if s.startswith("Observation/")))
    words = msg("{what} {value} {unit}", what=main.outcome_words, value=round(main.value), unit=UNITS[draft.measure])
    if main.effective is not None:
        words = msg("{words} ({span})", words=words, span=published.span(main))
    steps = [(words, ", ".join(sources))]
    steps += [
        (msg("{what} {value} {unit}: the weight decides", what=e.outcome_words, value=round(e.value),
             unit=UNITS[draft.measure]), ", ".join(s for v in e.inputs for s in v.sources if "Observation" in s))
        for e in others
    ]  # fmt: skip
    steps += [(note, ", ".join(sources)) for note in main.notes if note == published.LITTLE_MUSCLE_NOTE]
    return tuple(steps)


def _by_weight(draft: Draft, main: RiskEstimate, others: list[RiskEstimate]) -> tuple[Finding, ...]:
    """In obesity, a limit that only adjusted or ideal weight reaches: told, and left to the clinician."""
    for other in others:
        limit = draft.limit(other.value)
        if limit is not None and not draft.kept(limit):
            headline = msg(
                "{medicine} ordered: the weight used decides whether a limit is reached ({low} or {high} mL/min)",
                medicine=draft.title,
                low=round(other.value),
                high=round(main.value),
            )
            finding = EvidenceFinding(
                key=f"renal-dosing/{draft.of.id}/by-weight",
                severity=Severity.INFO,
                headline=headline,
                advice=msg("From BMI 30 actual weight overstates clearance, ideal weight understates it: judge."),
                advice_source=limit.source,
                path=(*ordered(draft), *measured(draft, main, [other]), row_step(draft, limit)),
            )
            return (finding,)
    return ()
