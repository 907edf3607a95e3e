"""From findings to the response: what may be shown, what rests, on which cards, and what is written to the chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from uuid import UUID

from cds_service import recording, service_settings
from cds_service.cards import action, arrange, compose, opens, suggestion_id
from cds_service.features.feature import FeatureValues
from cds_service.fhir import propose
from cds_service.fhir.context import ClinicalContext
from cds_service.findings import Finding, Proposal
from cds_service.hook import Service
from cds_service.knowledge.library import Library
from cds_service.language import Words
from cds_service.protocol.response import Card, HookResponse
from cds_service.settings import Settings
from cds_service.stores.feedback import ShownCard
from cds_service.stores.requests import Basis
from cds_service.summary.general import general
from cds_service.summary.template import Summary, summarise
from cds_service.suppression import Suppressed, judge, magnitude

_TOO_MANY = "more urgent cards came first"


@dataclass(frozen=True)
class Shown:
    """What came of the findings.

    response: what is sent. cards: what feedback on its cards would mean. kept_back: cards that were composed by a
    silent service. claims: keys and severities of what is now shown, and of estimates now written to the chart.
    """

    response: HookResponse
    summary: Summary
    cards: tuple[ShownCard, ...] = ()
    kept_back: tuple[Card, ...] = ()
    claims: tuple[tuple[str, int], ...] = ()
    suppressed: tuple[Suppressed, ...] = ()


class Showing:
    """Shows one service's findings by the site's settings."""

    def __init__(self, service: Service, settings: Settings, words: Words, library: Library | None = None) -> None:
        """library: for general knowledge beside the summary; None where none is to stand there."""
        self._service = service
        self._library = library
        self._settings = settings
        self._words = words
        self._rules = service_settings.rules(service, settings)
        self._silent = service_settings.of(service, settings).silent

    def worded(self, words: Words) -> Showing:
        """A copy that speaks another language. words: the reader's."""
        return Showing(self._service, self._settings, words, self._library)

    def show(
        self,
        context: ClinicalContext,
        values: FeatureValues,
        findings: Sequence[Finding],
        basis: Basis,
        assessment_id: UUID,
        unvalidated: Set[str],
    ) -> Shown:
        """The response and all that is kept of it. findings: those that may be shown."""
        judged = judge(findings, basis.seen, self._service.id, self._rules, context.now)
        apart = self._service.apart or self._settings.cards.grouping == "finding"
        groups = arrange(judged.findings, apart=apart)
        most = self._settings.alerts.max_cards
        if self._service.apart and len(groups) > most:  # what endangers is never left out: it joins the last card
            rest = tuple(finding for _, group in groups[most - 1 :] for finding in group)
            groups = (*groups[: most - 1], ("card/rest", rest))
        late = tuple(Suppressed(f.key, _TOO_MANY) for _, group in groups[most:] for f in group if opens(f))
        groups = groups[:most]
        if self._settings.cards.offer_recording and groups:
            groups = self._with_notes(context, groups, basis, unvalidated)
        service = self._service
        summary = summarise(context, values, judged.findings, service.summary, shown=service.shown)
        if groups and self._library is not None:
            rows = general(self._library, context, summary.lines, judged.findings)
            summary = summary.with_general(rows)
        if basis.told:
            summary = replace(summary, told=basis.told)
        cards = self._cards(groups, summary, context, basis, assessment_id, unvalidated)
        suppressed = (*judged.suppressed, *late)
        if self._silent:
            return Shown(HookResponse(), summary, kept_back=cards, suppressed=suppressed)
        written = self._written(context, findings, basis, unvalidated) if basis.writes else ()
        response = HookResponse(cards=cards, system_actions=tuple(action(p, self._words) for p in written))
        claims = {f.key: int(f.severity) for _, group in groups for f in group if opens(f)}
        claims |= {p.key: 0 for p in written}
        told = tuple(_told(card, group) for card, (_, group) in zip(cards, groups, strict=True))
        return Shown(response, summary, told, claims=tuple(claims.items()), suppressed=suppressed)

    def _cards(
        self,
        groups: Sequence[tuple[str, Sequence[Finding]]],
        summary: Summary,
        context: ClinicalContext,
        basis: Basis,
        assessment_id: UUID,
        unvalidated: Set[str],
    ) -> tuple[Card, ...]:
        """One card a group; the lines from the record are on the first alone."""
        cards: list[Card] = []
        for name, group in groups:
            _check_resources(group)
            cards += compose(
                self._service,
                group,
                Summary() if cards else summary,
                self._words,
                assessment_id=assessment_id,
                unvalidated=unvalidated,
                missing=basis.gaps,
                labelled=context.withheld,
                launch_url=self._settings.app.launch_url,
                name=name,
            )
        return tuple(cards)

    def _with_notes(
        self,
        context: ClinicalContext,
        groups: Sequence[tuple[str, tuple[Finding, ...]]],
        basis: Basis,
        unvalidated: Set[str],
    ) -> tuple[tuple[str, tuple[Finding, ...]], ...]:
        """The groups with the offer to note each estimate in the chart, unless the same one was noted lately."""
        noted = {key for seen in basis.seen if seen.outcome == "accepted" for key in seen.proposals} | _recorded(basis)
        findings = [f for _, group in groups for f in group]
        offers: Mapping[str, Proposal] = {
            finding.key: proposal
            for finding, proposal in recording.notes(
                context, findings, self._words, status="final", unvalidated=unvalidated
            )
            if proposal.key not in noted
        }
        return tuple(
            (
                name,
                tuple(replace(f, proposals=(*f.proposals, offers[f.key])) if f.key in offers else f for f in group),
            )
            for name, group in groups
        )

    def _written(
        self, context: ClinicalContext, findings: Sequence[Finding], basis: Basis, unvalidated: Set[str]
    ) -> tuple[Proposal, ...]:
        """What `systemActions` write: each estimate, unless the same numbers are in the chart already."""
        recorded = _recorded(basis)
        found = recording.notes(context, findings, self._words, status="preliminary", unvalidated=unvalidated)
        return tuple(proposal for _, proposal in found if proposal.key not in recorded)


def _recorded(basis: Basis) -> set[str]:
    return {seen.finding for seen in basis.seen if seen.outcome == "shown"}


def _told(card: Card, group: Sequence[Finding]) -> ShownCard:
    """What feedback on a card would mean."""
    findings = tuple((f.key, int(f.severity), magnitude(f)) for f in group if opens(f))
    proposals = {suggestion_id(card.uuid, p): p.key for f in group for p in f.proposals}
    return ShownCard(card.uuid, findings, proposals)


def _check_resources(findings: Sequence[Finding]) -> None:
    """Raises InvalidOutput for a plugin's resource that is not valid FHIR; ours were checked when they were made."""
    for finding in findings:
        for proposal in finding.proposals:
            if proposal.resource is not None and not isinstance(proposal.resource, propose.Draft):
                propose.validate(proposal.resource)
