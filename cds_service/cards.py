"""From findings to cards: what to know first, and what to do beside it; one consolidated card, or one a finding.

Nothing is cut to fit: a headline of 140 characters or more gives way to a shorter wording. What stands below it is
made in `card_detail.py`.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from functools import lru_cache
from typing import Any
from uuid import UUID, uuid5

from cds_service.card_detail import document, missing_data, not_applicable
from cds_service.findings import Finding, Proposal, RiskFinding, Severity
from cds_service.hook import Service, Topic, override_reason
from cds_service.language import Words, msg
from cds_service.markdown import markdown, visible
from cds_service.needs import Gap
from cds_service.protocol import response as wire
from cds_service.protocol.response import Action, Card, Coding, Indicator, Source, Suggestion
from cds_service.risk.model import Citation
from cds_service.summary.template import Summary

MAX_SUMMARY = 139
_MAX_LABEL = 120
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
    uuid, title = uuid5(assessment_id, f"{service.id}/{name}"), headline(heads[0], service, words)
    gaps = missing_data(missing, labelled, words)
    suggestions = _suggestions(ordered, words, uuid)
    source = _source(_origin(heads[0], service), service.topic)
    card = Card(
        uuid=uuid,
        summary=title,
        detail=markdown(document(ordered, summary, words, unvalidated, gaps, title)),
        indicator=_INDICATORS[heads[0].severity],
        source=source,
        suggestions=suggestions,
        selection_behavior="any" if suggestions else None,
        override_reasons=_reasons(service.reasons, words),
        links=_links(ordered, words, uuid, launch_url, source),
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
    return not finding.quiet and not not_applicable(finding)


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


def _links(
    findings: Sequence[Finding], words: Words, card: UUID, launch_url: str, source: Source
) -> tuple[wire.Link, ...]:
    """The guidelines that the advice rests on, each once, and the app, which is told the card's uuid and no more.

    source: of the card, which clients show beside the links; it is not repeated among them.
    """
    sources = {f.advice_source.url: f.advice_source for f in findings if f.advice and f.advice_source}
    sources.pop(source.url or "", None)
    links = [_guideline(one) for one in sources.values()]
    if launch_url:
        label = words(msg("Open in Curbside"))
        links.append(wire.Link(label=label, url=launch_url, type="smart", app_context=str(card)))
    return tuple(links)


@lru_cache(maxsize=256)
def _guideline(source: Citation) -> wire.Link:
    return wire.Link(label=visible(source.text, _MAX_LABEL), url=source.url, type="absolute")


def suggestion_id(card: UUID, proposal: Proposal) -> UUID:
    """The uuid of a suggestion: the same for the same proposal on the same card."""
    return uuid5(card, proposal.key)


def action(proposal: Proposal, words: Words) -> Action:
    """The one action of a proposal."""
    return Action(
        type=proposal.action,
        description=visible(words(proposal.description)),
        resource=_resource(proposal, words),
        resource_id=proposal.resource_id,
    )


def _resource(proposal: Proposal, words: Words) -> dict[str, Any] | None:
    """The resource of a proposal, with what it orders and why in the reader's language."""
    if proposal.resource is None:
        return None
    resource = dict(proposal.resource)
    if proposal.said is not None and words.language != "en":
        what, why = (visible(words(text)) for text in proposal.said)
        member = "code" if "code" in resource else "medicationCodeableConcept"
        resource |= {member: {**resource[member], "text": what}, "reasonCode": [{"text": why}]}
    return resource


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
