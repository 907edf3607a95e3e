"""Alert fatigue: which findings rest because someone has answered them, or because another service just said so.

Rules on findings, without a database: what is known about a patient's findings comes in as `Seen`.

A finding that was overridden rests for a while, unless it got materially worse: its severity rose, or its magnitude
(the estimate) grew by a factor. A critical one rests for hours, not days, and so does one that was only snoozed. A
proposal that was accepted is not made again for a while; a finding all of whose proposals were accepted rests with
them. What another service showed a moment ago is not said twice, unless it is critical: at the signature it is said
though it was said at the selection. What rests is recorded with its reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal

from cds_service.findings import Finding, RiskFinding, Severity
from cds_service.risk.model import EstimateKind

Outcome = Literal["overridden", "snoozed", "accepted", "shown"]
SNOOZED = ("urn:curbside:review", "snoozed")  # system and code of the reason with which an override is a snooze
ANSWERS: tuple[Outcome, ...] = ("overridden", "snoozed")


@dataclass(frozen=True, slots=True)
class Seen:
    """What became of one finding in one patient, once.

    severity, magnitude: of the finding when it was answered. service: that found it. proposals: keys of those that
    were accepted.
    """

    outcome: Outcome
    finding: str
    at: datetime
    service: str
    severity: int = 0
    magnitude: float | None = None
    proposals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """How long what was answered rests.

    overridden, overridden_critical: from the override on. accepted: proposals, from their acceptance on.
    same: within which another service's finding is the same matter. worse_factor: growth of the magnitude from which
    on a finding comes back. snoozed: from then on, and never longer than what was overridden.
    """

    overridden: timedelta
    overridden_critical: timedelta
    accepted: timedelta
    same: timedelta
    worse_factor: float
    snoozed: timedelta

    def window(self, outcome: Outcome, critical: bool) -> timedelta:
        """How long a finding rests that was overridden or snoozed. critical: its severity."""
        windows = [self.overridden]
        if outcome == "snoozed":
            windows.append(self.snoozed)
        if critical:
            windows.append(self.overridden_critical)
        return min(windows)


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A finding, or some of its proposals, that were not shown, and why; for the audit record."""

    finding: str
    reason: str
    since: datetime | None = None
    proposals: tuple[str, ...] = ()

    def entry(self) -> dict[str, Any]:
        """What rests and why, as plain JSON values for the audit record."""
        found: dict[str, Any] = {"finding": self.finding, "suppressed": self.reason}
        if self.since is not None:
            found["since"] = self.since
        if self.proposals:
            found["proposals"] = list(self.proposals)
        return found


@dataclass(frozen=True, slots=True)
class Judged:
    """What remains to be shown, and what does not."""

    findings: tuple[Finding, ...]
    suppressed: tuple[Suppressed, ...] = ()


def judge(findings: Sequence[Finding], seen: Iterable[Seen], service: str, rules: Rules, now: datetime) -> Judged:
    """The findings that may be shown, without the proposals that were accepted.

    Quiet findings open no card and are left alone, but for their accepted proposals.
    """
    known = _latest(seen)
    if not known:
        return Judged(tuple(findings))
    kept: list[Finding] = []
    suppressed: list[Suppressed] = []
    for finding in findings:
        reason = None if finding.quiet else _rests(finding, known, service, rules, now)
        if reason is not None:
            suppressed.append(reason)
            continue
        accepted = _accepted(finding, known, rules, now)
        if not accepted:
            kept.append(finding)
            continue
        left = tuple(p for p in finding.proposals if p.key not in accepted)
        since = max(accepted.values())
        if left or finding.quiet or _worse_than_accepted(finding, known, rules):
            kept.append(replace(finding, proposals=left))
        suppressed.append(Suppressed(finding.key, "accepted", since, tuple(accepted)))
    return Judged(tuple(kept), tuple(suppressed))


def magnitude(finding: Finding) -> float | None:
    """How bad it is on the finding's own scale: what it declares, else the first estimate of a risk or score."""
    if finding.magnitude is not None or not isinstance(finding, RiskFinding):
        return finding.magnitude
    if finding.refused is not None or not isinstance(finding.result, tuple) or not finding.result:
        return None
    first = finding.result[0]
    return None if first.kind is EstimateKind.QUANTITY else first.value  # a quantity may be worse when it is lower


def _latest(seen: Iterable[Seen]) -> Mapping[tuple[Outcome, str], list[Seen]]:
    known: dict[tuple[Outcome, str], list[Seen]] = {}
    for one in sorted(seen, key=lambda s: s.at, reverse=True):
        known.setdefault((one.outcome, one.finding), []).append(one)
    return known


def _rests(
    finding: Finding, known: Mapping[tuple[Outcome, str], list[Seen]], service: str, rules: Rules, now: datetime
) -> Suppressed | None:
    for outcome in ANSWERS:
        window = rules.window(outcome, finding.severity >= Severity.CRITICAL)
        answers = [one for one in known.get((outcome, finding.key), ()) if one.at - now < rules.overridden]
        for one in answers[:1]:
            if _lately(one, now, window) and not worse(finding, one, rules.worse_factor):
                return Suppressed(finding.key, outcome, one.at)
    for one in known.get(("shown", finding.key), ()) if finding.severity < Severity.CRITICAL else ():
        if one.service != service and _lately(one, now, rules.same) and finding.severity <= one.severity:
            return Suppressed(finding.key, "shown by another service", one.at)
    return None


def _lately(one: Seen, now: datetime, window: timedelta) -> bool:
    """True if it lies within the window; a moment far ahead is of a clock that was wrong, and lets nothing rest."""
    return abs(now - one.at) < window


def worse(finding: Finding, then: Seen, factor: float) -> bool:
    """True if a finding is materially worse than when it was answered."""
    if finding.severity > then.severity:
        return True
    size = magnitude(finding)
    if size is None or then.magnitude is None:
        return False
    return size > then.magnitude and size >= factor * then.magnitude


def _accepted(
    finding: Finding, known: Mapping[tuple[Outcome, str], list[Seen]], rules: Rules, now: datetime
) -> dict[str, datetime]:
    """Keys of the finding's proposals that were accepted lately, whichever finding they were made for, and when."""
    offered = {proposal.key for proposal in finding.proposals}
    if not offered:
        return {}
    window = rules.accepted
    if finding.severity >= Severity.CRITICAL:
        window = min(window, rules.overridden_critical)
    accepted: dict[str, datetime] = {}
    for (outcome, _), all_seen in known.items():
        if outcome != "accepted":
            continue
        for one in all_seen:
            if _lately(one, now, window):
                accepted |= {key: max(one.at, accepted.get(key, one.at)) for key in one.proposals if key in offered}
    return dict(sorted(accepted.items()))


def _worse_than_accepted(finding: Finding, known: Mapping[tuple[Outcome, str], list[Seen]], rules: Rules) -> bool:
    """True if it is worse than when proposals of its card were accepted."""
    answered = next(iter(known.get(("accepted", finding.key), ())), None)
    return answered is not None and worse(finding, answered, rules.worse_factor)
