"""Findings: what a service has to say, whatever made it; suppression, order, merging and cards work on these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from typing import Any, Literal

from cds_service.language import Message
from cds_service.risk.model import Citation, NotEstimated, Result, RiskModel
from cds_service.trend import Earlier
from cds_service.what_if import Change


class Severity(IntEnum):
    """How urgent a finding is; orders cards and sets the card's indicator."""

    INFO = 0
    WARNING = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something that a clinician may accept: one suggestion with one action.

    key: stable within the service, so that the suggestion's uuid can be derived from it, and for the same thing in
        the same patient, so that what was accepted is not proposed again.
    resource: a complete FHIR R4 resource as JSON, validated by `fhir.propose`; for an `update` with its id.
    resource_id: what a `delete` deletes, as `Type/id`; it carries no resource.
    replaces: for a `create`: the draft, as `Type/id`, whose place it takes; it is deleted in the same suggestion.
    secondary: never the recommended choice, such as noting an estimate in the chart.
    said: what the resource orders, and why; a card has both in it in the reader's language.
    """

    key: str
    label: Message
    description: Message
    resource: Mapping[str, Any] | None = field(hash=False, default=None)
    action: Literal["create", "update", "delete"] = "create"
    resource_id: str | None = None
    secondary: bool = False
    replaces: str | None = None
    said: tuple[Message, Message] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """Base of all findings.

    key: stable for the same matter in the same patient, e.g. `prevent-base/total_cvd/10y`.
    headline: one sentence with number, outcome and horizon; it must fit a card summary by itself.
    advice: what a guideline says to do, in our words; advice_source says where.
    quiet: recorded, but no card by itself (it joins a card that another finding opens).
    short_headline: used where the headline, in the client's language, would not fit a card summary.
    magnitude: grows as the matter gets worse, so that what was overridden comes back once it has; None where only
        the severity tells.
    """

    key: str
    severity: Severity
    headline: Message
    advice: Message | None = None
    advice_source: Citation | None = None
    proposals: tuple[Proposal, ...] = ()
    quiet: bool = False
    short_headline: Message | None = None
    magnitude: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskFinding(Finding):
    """A model's estimates with their explanations, or its refusal.

    changes: the estimates with each changeable input at its target. before: earlier values of the first estimate.
    """

    model: RiskModel
    result: Result
    changes: tuple[Change, ...] = ()
    before: tuple[Earlier, ...] = ()

    @property
    def refused(self) -> NotEstimated | None:
        """The refusal, or None if there are estimates."""
        return self.result if isinstance(self.result, NotEstimated) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class CareGapFinding(Finding):
    """Something that is due: what, since when, and the resources it is read from."""

    due: Message
    last_done: date | None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceFinding(Finding):
    """A path from the patient's resource to an evidence row to its publication.

    path: one line a step, each with the reference or row id that it rests on.
    """

    path: tuple[tuple[Message, str], ...]
