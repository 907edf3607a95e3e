"""The detail of a card: what each finding says and why, the lines from the record, what is missing, which models spoke.

Only here, and in `prospects.py`, messages become Markdown, through the document tree of `markdown.py`, which encodes
every text.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

from cds_service import prospects
from cds_service.card_sources import Cited
from cds_service.explain.explanation import Baseline, Scale
from cds_service.explain.wording import TOP, Influences, influences, listing, parts
from cds_service.findings import CareGapFinding, EvidenceFinding, Finding, RiskFinding, Severity
from cds_service.language import Message, Words, msg
from cds_service.markdown import Block, Bullets, Fixed, Heading, Link, Paragraph, Span, Strong, visible
from cds_service.needs import Gap
from cds_service.risk.absolute import per_unit, reference_risk
from cds_service.risk.model import RESEARCH, Citation, Refusal, RiskEstimate, RiskModel, is_research
from cds_service.risk.values_in_words import percent, printed_unit
from cds_service.risk.wording import estimate_words
from cds_service.summary.template import Summary

_MOST_UNUSABLE = 3  # inputs of which a card tells why they could not be used; the review app tells all
_MOST_GAPS = 3  # gaps of care that have a section each; more are a list
_SHARED = msg("Percentage points share out the difference from that risk by the size of each contribution.")


def document(
    findings: Sequence[Finding],
    summary: Summary,
    words: Words,
    unvalidated: Set[str],
    missing: Sequence[Block],
    title: str,
) -> list[Block]:
    """The whole detail: each finding, the lines from the record, what is missing, which models spoke.

    title: the card's summary, above the detail; a heading does not repeat it.
    """
    cited = Cited(words)
    shown = [finding for finding in findings if not not_applicable(finding)]
    gaps = [finding for finding in shown if isinstance(finding, CareGapFinding)]
    quiet = all(finding.severity is Severity.INFO for finding in gaps)
    listed = gaps if quiet and len(gaps) > _MOST_GAPS else []
    blocks: list[Block] = []
    for finding in shown:
        if finding not in listed:
            blocks += _section(finding, cited, unvalidated)
    if listed:
        if blocks:
            blocks.append(Heading(words(msg("Also due"))))
        blocks.append(Bullets(tuple(_listed(gap, cited) for gap in listed)))
    if blocks and isinstance(blocks[0], Heading) and (whole := visible(blocks[0].text)).startswith(title):
        more = whole.removeprefix(title).lstrip(" .。;；:：")
        blocks = [*((Paragraph((more,)),) if more else ()), *blocks[1:]]
    blocks += _record(summary, cited)
    blocks += missing
    blocks += cited.sources()
    blocks += _about(findings, words)
    return blocks


def not_applicable(finding: Finding) -> bool:
    """True for a model that does not speak about this person: for the audit record only."""
    refused = finding.refused if isinstance(finding, RiskFinding) else None
    return refused is not None and refused.refusal is Refusal.NOT_APPLICABLE


def _section(finding: Finding, cited: Cited, unvalidated: Set[str]) -> list[Block]:
    """One finding: what it says, what a guideline says to do, and only then why."""
    why: list[Block] = []
    words = cited.words
    if isinstance(finding, RiskFinding):
        blocks = _risk(finding, words, unvalidated)
        why = _reasoning(finding, cited)
    elif isinstance(finding, CareGapFinding):
        blocks = _gap(finding, cited)
    elif isinstance(finding, EvidenceFinding):
        steps = tuple((words(step), cited.bracketed((r,))) for step, r in finding.path)
        blocks = [Heading(words(finding.headline)), Bullets(steps)]
    else:
        blocks = [Heading(words(finding.headline))]
    if finding.advice is not None:
        blocks.append(_cited(words(msg("Advice:")), _span(finding.advice, words), finding.advice_source))
    if finding.proposals:
        offered = parts([p.label for p in finding.proposals])
        blocks.append(Paragraph((Strong(words(msg("Suggested:"))), words(offered))))
    return [*blocks, *why]


def _span(message: Message, words: Words) -> Span:
    """A message as text; one without values holds nothing of the patient."""
    return words(message) if message.values else Fixed(words(message))


def _cited(lead: str, text: Span, source: Citation | None) -> Paragraph:
    spans: list[Span] = [Strong(lead), text]
    if source is not None:
        spans.append(Link(source.text, source.url))
    return Paragraph(tuple(spans))


def _risk(finding: RiskFinding, words: Words, unvalidated: Set[str]) -> list[Block]:
    blocks: list[Block] = [Heading(words(finding.model.title))]
    if is_research(finding.model):
        blocks.append(Paragraph((Strong(words(RESEARCH)),)))
    if finding.model.id in unvalidated:
        blocks.append(_unvalidated(words))
    result = finding.result
    if not isinstance(result, tuple):
        return [*blocks, Paragraph((_span(result.reason, words),))]
    return [*blocks, Bullets(tuple((Strong(_capital(words(estimate_words(e)))), _meaning(e, words)) for e in result))]


def _reasoning(finding: RiskFinding, cited: Cited) -> list[Block]:
    """What moved the first estimate, and what a reader must know of all of them."""
    result = finding.result
    if not isinstance(result, tuple):
        return []
    explanation = result[0].explanation
    # Points are few and add up by hand: all of them are told.
    top = len(explanation.contributions) if explanation.scale is Scale.POINTS else TOP
    scale = per_unit(result[0])
    words = cited.words
    moved = influences(explanation, result[0].not_measured, top, scale, cited.mark)
    blocks = prospects.blocks(finding, words)
    blocks += _why(result[0], moved, words, several=len({e.outcome for e in result}) > 1)
    notes = (note for estimate in result for note in estimate.notes)
    details: list[Message] = []
    for detail in (*_details(result[0], moved, shared=scale is not None), *notes):
        if detail not in details:
            details.append(detail)
    if details:
        blocks.append(Paragraph((Strong(words(msg("Details:"))),)))
        blocks.append(Bullets(tuple((_span(detail, words),) for detail in details)))
    return blocks


def _unvalidated(words: Words) -> Paragraph:
    lead = Strong(words(msg("Not validated at this site.")))
    return Paragraph((lead, Fixed(words(msg("No sign-off of this model is in force here.")))))


def _capital(text: str) -> str:
    """The text with a capital, but for a name that has one further on: eGFR stays, for EGFR is a gene."""
    first = text.partition(" ")[0]
    return text if any(letter.isupper() for letter in first[1:]) else text[:1].upper() + text[1:]


def _meaning(estimate: RiskEstimate, words: Words) -> str:
    return words(msg("({band})", band=estimate.band.label)) if estimate.band is not None else ""


def _why(estimate: RiskEstimate, moved: Influences, words: Words, *, several: bool) -> list[Block]:
    """What raised and what lowered one estimate, and what was not measured.

    several: the model estimates further outcomes, for which other inputs may count.
    """
    blocks: list[Block] = []
    if several:
        which = msg("What moved the first of these estimates, {outcome}:", outcome=estimate.outcome_words)
        blocks.append(Paragraph((words(which),)))
    raised, lowered = msg("Raised this estimate:"), msg("Lowered this estimate:")
    if estimate.explanation.scale is Scale.POINTS:
        raised, lowered = msg("Points:"), msg("Points off:")
    for lead, lines in ((raised, moved.raised), (lowered, moved.lowered)):
        if lines:
            blocks += [Paragraph((Strong(words(lead)),)), Bullets(tuple((words(line),) for line in lines))]
    if moved.not_measured is not None:
        blocks.append(Paragraph((words(moved.not_measured),)))
    return blocks


def _details(estimate: RiskEstimate, moved: Influences, *, shared: bool) -> list[Message]:
    """What the lines above are measured from, what they leave out, and how old the measurements are.

    shared: the lines tell percentage points.
    """
    lines = [moved.rest, None if _adds_up(estimate) else moved.baseline]
    if shared:
        lines.append(_shared(estimate))
    unit = printed_unit(estimate.unit)
    if estimate.explanation.scale is Scale.NATURAL and unit not in ("", "1"):
        lines.append(msg("The numbers with a sign are in {unit}.", unit=unit))
    if estimate.effective is not None:
        lines.append(msg("Oldest measurement used: {date}", date=estimate.effective.date()))
    newer = (value.note for value in estimate.inputs)
    unusable = [msg("Not usable: {why}", why=gone.words) for gone in estimate.not_measured if gone.reason.was_measured]
    return [line for line in (*lines, *newer, *unusable[:_MOST_UNUSABLE]) if line is not None]


def _shared(estimate: RiskEstimate) -> Message:
    """From which risk the percentage points lead to the estimate's; a reference person's is named with the person."""
    risk = reference_risk(estimate)
    if risk is None or estimate.explanation.baseline_kind is not Baseline.POPULATION:
        return _SHARED
    return msg(
        "Percentage points share out the difference from that average, {percent}%, by the size of each contribution.",
        percent=percent(risk),
    )


def _adds_up(estimate: RiskEstimate) -> bool:
    """True for points of which all inputs are known: that they are counted from zero goes without saying."""
    return estimate.explanation.scale is Scale.POINTS and not estimate.not_measured and estimate.high is None


def _gap(finding: CareGapFinding, cited: Cited) -> list[Block]:
    return [
        Heading(cited.words(finding.headline)),
        Paragraph((*_due(finding, cited), cited.bracketed(finding.sources))),
    ]


def _due(finding: CareGapFinding, cited: Cited) -> list[Span]:
    """Why something is due, and when it was done last unless the headline says it."""
    words = cited.words
    due, last = words(finding.due), finding.last_done
    if last is None or words(msg("{date}", date=last)) in words(finding.headline):
        return [due]
    return [_stopped(due, words), words(msg("Last done {date}.", date=last))]


def _stopped(text: str, words: Words) -> str:
    """A text that ends as a sentence does."""
    return text if text.endswith("?") else text.rstrip(".。") + ("." if words.language == "en" else "。")


def _listed(finding: CareGapFinding, cited: Cited) -> tuple[Span, ...]:
    """One of many gaps, in one line: what, for whom, what to do, by whom."""
    words = cited.words
    headline = _stopped(words(finding.short_headline or finding.headline), words)
    spans: list[Span] = [Strong(headline), *_due(finding, cited)]
    spans.append(cited.bracketed(finding.sources))
    if finding.advice is not None:
        spans.append(_span(finding.advice, words))
    if finding.advice is not None and finding.advice_source is not None:
        spans.append(Link(finding.advice_source.text, finding.advice_source.url))
    return tuple(spans)


def _record(summary: Summary, cited: Cited) -> list[Block]:
    if not summary.lines:
        return []
    words = cited.words
    items: list[tuple[Span, ...]] = [(words(fact.text), cited.bracketed(fact.references)) for fact in summary.lines]
    heading = msg("From the record")
    if summary.told:
        heading = msg("From the record, worded by a language model and checked sentence by sentence")
        items = [(line.text, cited.bracketed(line.cites)) for line in summary.told if line.by != "general"]
    if summary.left_out:
        left_out = msg("One more line is not shown here.")
        if summary.left_out > 1:
            left_out = msg("{count} more lines are not shown here.", count=summary.left_out)
        items.append((words(left_out),))
    quoted = [(line.text, line.source, line.url) for line in summary.told if line.by == "general"]
    quoted += [(one.text(words), one.source, one.row.url) for one in summary.beside]
    label = Strong(words(msg("General knowledge, not about this patient:")))
    items += [(label, text, Link(source, url) if url else source) for text, source, url in quoted]
    return [Heading(words(heading)), Bullets(tuple(items))]


def missing_data(gaps: Sequence[Gap], labelled: int, words: Words) -> list[Block]:
    """What could not be had, or not to its end, or was not used, and why: one line a reason."""
    items = tuple((Strong(words(label)), words(what)) for label, what in not_had(gaps, labelled))
    return [Bullets(items)] if items else []


def not_had(gaps: Sequence[Gap], labelled: int) -> list[tuple[Message, Message]]:
    """The same as pairs of a label and what it is about. labelled: resources not used for their sensitivity labels."""
    reasons: dict[tuple[bool, Message], list[Message]] = {}
    for gap in gaps:
        reasons.setdefault((gap.partial, gap.reason), []).append(gap.need.label)
    found = [
        (
            msg("Incomplete:") if partial else msg("Not available:"),
            msg("{what} ({reason})", what=listing(labels), reason=reason),
        )
        for (partial, reason), labels in reasons.items()
    ]
    if labelled:
        what = msg("{count} of the record's resources, for their sensitivity labels", count=labelled)
        found.append((msg("Not used:"), what))
    return found


def _about(findings: Sequence[Finding], words: Words) -> list[Block]:
    """Which models spoke, in which version, from which source, and within which limits."""
    models = {f.model.id: f.model for f in findings if isinstance(f, RiskFinding) and not not_applicable(f)}
    items: list[tuple[Span, ...]] = [_model(model, words) for model in models.values()]
    items.append((Fixed(words(msg("Supports, and does not replace, a clinician's judgement."))),))
    return [Heading(words(msg("About this card"))), Bullets(tuple(items))]


def _model(model: RiskModel, words: Words) -> tuple[Span, ...]:
    named = msg("{title}, version {version}.", title=model.title, version=model.version)
    limits: object = getattr(model, "limits", None)
    text: Span = _span(limits, words) if isinstance(limits, Message) else ""
    return (Fixed(words(named)), Link(model.citation.text, model.citation.url), text)
