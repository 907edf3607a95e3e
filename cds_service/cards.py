"""From findings to cards: what to know first, and what to do beside it; one consolidated card, or one a finding.

Only this module turns messages into Markdown, through the document tree of `markdown.py`, which encodes every
text. Nothing is cut to fit: a headline of 140 characters or more gives way to a shorter wording.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from functools import lru_cache
from uuid import UUID, uuid5

from cds_service import prospects
from cds_service.explain.explanation import Scale
from cds_service.explain.wording import TOP, Influences, influences, listing
from cds_service.findings import CareGapFinding, EvidenceFinding, Finding, Proposal, RiskFinding, Severity
from cds_service.hook import Service, Topic, override_reason
from cds_service.language import Message, Words, msg
from cds_service.markdown import Block, Bullets, Fixed, Heading, Link, Paragraph, Span, Strong, markdown, visible
from cds_service.needs import Gap
from cds_service.protocol import response as wire
from cds_service.protocol.response import Action, Card, Coding, Indicator, Source, Suggestion
from cds_service.risk.absolute import per_unit
from cds_service.risk.model import Citation, Refusal, RiskEstimate, RiskModel
from cds_service.risk.wording import estimate_words
from cds_service.summary.facts import Fact
from cds_service.summary.template import Summary

MAX_SUMMARY = 139
_MAX_LABEL = 120
_SHOWN_REFERENCES = 3
_SHARED = msg("Percentage points share out the difference from that risk by the size of each contribution.")
_INDICATORS = {
    Severity.INFO: Indicator.INFO,
    Severity.WARNING: Indicator.WARNING,
    Severity.CRITICAL: Indicator.CRITICAL,
}

# HL7's reasons for not following decision support, the selection for the point of care: displays as published.
OVERRIDE_REASONS = (
    override_reason("cds-not-applicable", "PC CDS does not apply to patient"),
    override_reason("action-completed", "Recommended action was already completed"),
    override_reason("patient-contraindication", "Patient has contraindication to recommended action"),
    override_reason("patient-refuses", "Patient refuses/declines (no context given)*"),
    override_reason(
        "recipient-disagrees-evidence", "Recipient disagrees with recommendation because of issues with the evidence"
    ),
    override_reason("cds-suboptimal-context", "PC CDS delivered in suboptimal context"),
)


def compose(
    service: Service,
    findings: Sequence[Finding],
    summary: Summary,
    words: Words,
    *,
    assessment_id: UUID,
    unvalidated: Set[str] = frozenset(),
    missing: Sequence[Gap] = (),
    labelled: int = 0,
    launch_url: str = "",
    name: str = "card",
) -> tuple[Card, ...]:
    """The card of one service for one patient: none, unless a finding has something to do or to know.

    findings: those that may be shown; quiet ones join the card that another opens.
    assessment_id: uuids of the card and its suggestions derive from it, so that a replay gives the same.
    unvalidated: ids of shown models that nobody has signed off at this site; they are marked so.
    missing: data that could not be had, with the reasons; the card says so.
    labelled: resources that were not used because of their sensitivity labels; the card says how many.
    launch_url: of the SMART app that the card links to. name: of the card within the assessment.
    """
    ordered = sorted(findings, key=lambda f: -f.severity)
    heads = [f for f in ordered if opens(f)]
    if not heads:
        return ()
    uuid = uuid5(assessment_id, f"{service.id}/{name}")
    suggestions = _suggestions(ordered, words, uuid)
    card = Card(
        uuid=uuid,
        summary=headline(heads[0], service, words),
        detail=markdown(_document(ordered, summary, words, unvalidated, _missing(missing, labelled, words))),
        indicator=_INDICATORS[heads[0].severity],
        source=_source(_origin(heads[0], service), service.topic),
        suggestions=suggestions,
        selection_behavior="any" if suggestions else None,
        override_reasons=_reasons(service.reasons, words),
        links=_links(ordered, words, uuid, launch_url),
    )
    return (card,)


def arrange(findings: Sequence[Finding], *, apart: bool) -> tuple[tuple[str, tuple[Finding, ...]], ...]:
    """What goes on which card, the most urgent card first: the card's name and its findings.

    apart: each finding that opens a card gets its own; what only joins cards goes on the first.
    """
    heads = sorted((f for f in findings if opens(f)), key=lambda f: -f.severity)
    if not apart or len(heads) < 2:
        return (("card", tuple(findings)),) if heads else ()
    joining = tuple(f for f in findings if not opens(f))
    groups = [(f"card/{head.key}", (head, *(joining if head is heads[0] else ()))) for head in heads]
    return tuple(groups)


def opens(finding: Finding) -> bool:
    """True if a finding opens a card; others only join one."""
    return not finding.quiet and not _not_applicable(finding)


def headline(finding: Finding, service: Service, words: Words) -> str:
    """The finding's headline if it fits a card, else its short one, else the service's title with a pointer."""
    pointer = msg("{service}: see the details of this card", service=service.title)
    for candidate in (finding.headline, finding.short_headline, pointer):
        text = visible(words(candidate)) if candidate is not None else ""
        if 0 < len(text) <= MAX_SUMMARY:
            return text
    return service.id


def _origin(lead: Finding, service: Service) -> Citation:
    """What the card's first line rests on: the guideline of its advice, or the service for a trained model's number."""
    if isinstance(lead, RiskFinding) and lead.model.trained:
        return service.source
    return lead.advice_source or service.source


@lru_cache(maxsize=64)
def _source(source: Citation, topic: Topic) -> Source:
    coding = Coding(system=topic.system, code=topic.code, display=topic.display)
    return Source(label=source.text, url=source.url, topic=coding)


@lru_cache(maxsize=64)
def _reasons(reasons: tuple[Topic, ...], words: Words) -> tuple[Coding, ...]:
    """The service's own override reasons, then the common ones, in the reader's language; each code once."""
    both = {(r.system, r.code): r.display for r in (*reasons, *OVERRIDE_REASONS)}
    return tuple(Coding(system=s, code=c, display=words(msg(display))) for (s, c), display in both.items())


def _links(findings: Sequence[Finding], words: Words, card: UUID, launch_url: str) -> tuple[wire.Link, ...]:
    """The guidelines that the advice rests on, each once, and the app, which is told the card's uuid and no more."""
    sources = {f.advice_source.url: f.advice_source for f in findings if f.advice and f.advice_source}
    links = [wire.Link(label=visible(s.text, _MAX_LABEL), url=s.url, type="absolute") for s in sources.values()]
    if launch_url:
        label = words(msg("Open in Curbside"))
        links.append(wire.Link(label=label, url=launch_url, type="smart", app_context=str(card)))
    return tuple(links)


def suggestion_id(card: UUID, proposal: Proposal) -> UUID:
    """The uuid of a suggestion: the same for the same proposal on the same card."""
    return uuid5(card, proposal.key)


def action(proposal: Proposal, words: Words) -> Action:
    """The one action of a proposal."""
    return Action(
        type=proposal.action,
        description=visible(words(proposal.description)),
        resource=dict(proposal.resource) if proposal.resource is not None else None,
        resource_id=proposal.resource_id,
    )


def _actions(proposal: Proposal, words: Words) -> tuple[Action, ...]:
    """What accepting a proposal does: what it replaces is deleted first."""
    if proposal.replaces is None:
        return (action(proposal, words),)
    removed = visible(words(msg("Deletes the draft, which has not been signed")))
    return (Action(type="delete", description=removed, resource_id=proposal.replaces), action(proposal, words))


def _suggestions(findings: Sequence[Finding], words: Words, card: UUID) -> tuple[Suggestion, ...]:
    """Each proposal once, by its key."""
    proposals = {proposal.key: proposal for finding in findings for proposal in finding.proposals}
    first = _clearly_first(findings)
    return tuple(
        Suggestion(
            label=visible(words(proposal.label), _MAX_LABEL),
            uuid=suggestion_id(card, proposal),
            is_recommended=True if proposal.key == first else None,
            actions=_actions(proposal, words),
        )
        for proposal in proposals.values()
    )


def _clearly_first(findings: Sequence[Finding]) -> str | None:
    """The key of the only proposal that the most urgent findings make, or None if they make several or none."""
    heads = [f for f in findings if opens(f)]
    top = max(f.severity for f in heads)
    keys = {p.key for f in heads if f.severity == top for p in f.proposals if not p.secondary}
    return keys.pop() if len(keys) == 1 else None


def _document(
    findings: Sequence[Finding], summary: Summary, words: Words, unvalidated: Set[str], missing: Sequence[Block]
) -> list[Block]:
    blocks: list[Block] = []
    for finding in findings:
        if not _not_applicable(finding):
            blocks += _section(finding, words, unvalidated)
    blocks += _record(summary, words)
    blocks += missing
    blocks += _about(findings, words)
    return blocks


def _not_applicable(finding: Finding) -> bool:
    """True for a model that does not speak about this person: for the audit record only."""
    refused = finding.refused if isinstance(finding, RiskFinding) else None
    return refused is not None and refused.refusal is Refusal.NOT_APPLICABLE


def _section(finding: Finding, words: Words, unvalidated: Set[str]) -> list[Block]:
    """One finding: what it says, what a guideline says to do, and only then why."""
    why: list[Block] = []
    if isinstance(finding, RiskFinding):
        blocks = _risk(finding, words, unvalidated)
        why = _reasoning(finding, words)
    elif isinstance(finding, CareGapFinding):
        blocks = _gap(finding, words)
    elif isinstance(finding, EvidenceFinding):
        steps = tuple((words(step), words(msg("({references})", references=r))) for step, r in finding.path)
        blocks = [Heading(words(finding.headline)), Bullets(steps)]
    else:
        blocks = [Heading(words(finding.headline))]
    if finding.advice is not None:
        blocks.append(_cited(words(msg("Advice:")), _span(finding.advice, words), finding.advice_source))
    if finding.proposals:
        offered = listing([p.label for p in finding.proposals])
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
    if finding.model.id in unvalidated:
        blocks.append(_unvalidated(words))
    result = finding.result
    if not isinstance(result, tuple):
        return [*blocks, Paragraph((_span(result.reason, words),))]
    return [*blocks, Bullets(tuple((Strong(words(estimate_words(e))), _meaning(e, words)) for e in result))]


def _reasoning(finding: RiskFinding, words: Words) -> list[Block]:
    """What moved the first estimate, and what a reader must know of all of them."""
    result = finding.result
    if not isinstance(result, tuple):
        return []
    explanation = result[0].explanation
    # Points are few and add up by hand: all of them are told.
    top = len(explanation.contributions) if explanation.scale is Scale.POINTS else TOP
    scale = per_unit(result[0])
    moved = influences(explanation, result[0].not_measured, top, scale)
    blocks = prospects.blocks(finding, words)
    blocks += _why(result[0], moved, words, several=len({e.outcome for e in result}) > 1)
    notes = (note for estimate in result for note in estimate.notes)
    details: list[Message] = []
    for detail in (*_details(result[0], moved, shared=scale is not None), *notes):
        if detail not in details:
            details.append(detail)
    blocks.append(Paragraph((Strong(words(msg("Details:"))),)))
    blocks.append(Bullets(tuple((_span(detail, words),) for detail in details)))
    return blocks


def _unvalidated(words: Words) -> Paragraph:
    lead = Strong(words(msg("Not validated at this site.")))
    return Paragraph((lead, Fixed(words(msg("Nobody here has signed off a local evaluation of this model yet.")))))


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
    for lead, lines in ((msg("Raised this estimate:"), moved.raised), (msg("Lowered this estimate:"), moved.lowered)):
        if lines:
            blocks += [Paragraph((Strong(words(lead)),)), Bullets(tuple((words(line),) for line in lines))]
    if moved.not_measured is not None:
        blocks.append(Paragraph((words(moved.not_measured),)))
    return blocks


def _details(estimate: RiskEstimate, moved: Influences, *, shared: bool) -> list[Message]:
    """What the lines above are measured from, what they leave out, and how old the measurements are.

    shared: the lines tell percentage points.
    """
    lines = [moved.rest, moved.baseline]
    if shared:
        lines.append(_SHARED)
    if estimate.effective is not None:
        lines.append(msg("Oldest measurement used: {date}", date=estimate.effective.date()))
    newer = (value.note for value in estimate.inputs)
    return [line for line in (*lines, *newer) if line is not None]


def _gap(finding: CareGapFinding, words: Words) -> list[Block]:
    due = words(finding.due)
    spans: list[Span] = [due]
    if finding.last_done is not None:
        spans = [due.rstrip(".。") + ("." if words.language == "en" else "。")]
        spans.append(words(msg("Last done {date}.", date=finding.last_done)))
    spans.append(_references(finding.sources, words))
    return [Heading(words(finding.headline)), Paragraph(tuple(spans))]


def _record(summary: Summary, words: Words) -> list[Block]:
    if not summary.lines:
        return []
    items: list[tuple[Span, ...]] = [_fact(fact, words) for fact in summary.lines]
    heading = msg("From the record")
    if summary.told:
        heading = msg("From the record, worded by a language model and checked sentence by sentence")
        items = [(line.text, _references(line.cites, words)) for line in summary.told]
    if summary.left_out:
        left_out = msg("One more line is not shown here.")
        if summary.left_out > 1:
            left_out = msg("{count} more lines are not shown here.", count=summary.left_out)
        items.append((words(left_out),))
    return [Heading(words(heading)), Bullets(tuple(items))]


def _fact(fact: Fact, words: Words) -> tuple[Span, ...]:
    return (words(fact.text), _references(fact.references, words))


def _references(references: Sequence[str], words: Words) -> str:
    """Source references in brackets; beyond three they are counted."""
    if not references:
        return ""
    named: list[Message | str] = list(references[:_SHOWN_REFERENCES])
    more = len(references) - len(named)
    if more:
        named.append(msg("{count} more", count=more))
    return words(msg("({references})", references=listing(named)))


def _missing(gaps: Sequence[Gap], labelled: int, words: Words) -> list[Block]:
    """What could not be had, or not to its end, or was not used, and why: one line a reason."""
    reasons: dict[tuple[bool, Message], list[Message]] = {}
    for gap in gaps:
        reasons.setdefault((gap.partial, gap.reason), []).append(gap.need.label)
    items: list[tuple[Span, ...]] = [
        (
            Strong(words(msg("Incomplete:") if partial else msg("Not available:"))),
            words(msg("{what} ({reason})", what=listing(labels), reason=reason)),
        )
        for (partial, reason), labels in reasons.items()
    ]
    if labelled:
        what = msg("{count} of the record's resources, for their sensitivity labels", count=labelled)
        items.append((Strong(words(msg("Not used:"))), words(what)))
    return [Bullets(tuple(items))] if items else []


def _about(findings: Sequence[Finding], words: Words) -> list[Block]:
    """Which models spoke, in which version, from which source, and within which limits."""
    models = {f.model.id: f.model for f in findings if isinstance(f, RiskFinding) and not _not_applicable(f)}
    items: list[tuple[Span, ...]] = [_model(model, words) for model in models.values()]
    items.append((Fixed(words(msg("Supports, and does not replace, a clinician's judgement."))),))
    return [Heading(words(msg("About this card"))), Bullets(tuple(items))]


def _model(model: RiskModel, words: Words) -> tuple[Span, ...]:
    named = msg("{title}, version {version}.", title=model.title, version=model.version)
    limits: object = getattr(model, "limits", None)
    text: Span = _span(limits, words) if isinstance(limits, Message) else ""
    return (Fixed(words(named)), Link(model.citation.text, model.citation.url), text)
