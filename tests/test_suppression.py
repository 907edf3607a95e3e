"""What rests and what comes back: an override counts for a while, unless the matter got worse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.findings import Finding, Proposal, Severity
from cds_service.language import msg
from cds_service.suppression import Rules, Seen, judge, worse

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
RULES = Rules(30 * DAY, 8 * HOUR, 30 * DAY, MINUTE, 1.25, snoozed=DAY)
ORDER = Proposal("lipid-panel", msg("Order"), msg("Creates"), {})
REFER = Proposal("referral", msg("Refer"), msg("Creates"), {})


def finding(severity: Severity = Severity.INFO, size: float | None = 0.08, *proposals: Proposal) -> Finding:
    return Finding("risk", severity, msg("Risk"), proposals=proposals, magnitude=size)


def overridden(ago: timedelta, severity: int = 0, size: float | None = 0.08) -> Seen:
    return Seen("overridden", "risk", NOW - ago, "a", severity, size)


def accepted(ago: timedelta, *keys: str, severity: int = 0) -> Seen:
    return Seen("accepted", "risk", NOW - ago, "a", severity, 0.08, keys)


def shown(found: Finding, *seen: Seen, service: str = "a") -> tuple[bool, list[str]]:
    judged = judge([found], seen, service, RULES, NOW)
    return bool(judged.findings), [one.reason for one in judged.suppressed]


def test_without_an_answer_everything_is_shown() -> None:
    """What nobody has seen cannot rest."""
    assert shown(finding()) == (True, [])


@pytest.mark.parametrize(
    ("ago", "expected"), [(timedelta(0), False), (29 * DAY, False), (30 * DAY, True), (400 * DAY, True)]
)
def test_an_overridden_finding_rests_for_the_window(ago: timedelta, expected: bool) -> None:
    """And comes back at its end."""
    assert shown(finding(), overridden(ago)) == (expected, [] if expected else ["overridden"])


@pytest.mark.parametrize(
    ("severity", "size", "expected"),
    [
        (Severity.INFO, 0.08, False),
        (Severity.INFO, 0.0999, False),
        (Severity.INFO, 0.1, True),  # 1.25 times
        (Severity.WARNING, 0.08, True),
        (Severity.INFO, 0.01, False),
        (Severity.INFO, None, False),
    ],
)
def test_it_comes_back_once_it_got_materially_worse(severity: Severity, size: float | None, expected: bool) -> None:
    """More urgent, or an estimate that grew by the factor; a finding without a size only by its urgency."""
    assert shown(finding(severity, size), overridden(DAY))[0] is expected


def test_the_latest_override_counts() -> None:
    """Who overrides the worse one again has it rest from there on."""
    assert not shown(finding(Severity.INFO, 0.12), overridden(9 * DAY), overridden(DAY, size=0.12))[0]


@pytest.mark.parametrize("ahead", [31 * DAY, 400 * DAY])
def test_a_clock_that_ran_ahead_lets_nothing_rest_until_it_is_reached(ahead: timedelta) -> None:
    """The server's clock was a year ahead and was put right: what was answered then is as if it were long ago."""
    assert shown(finding(), overridden(-ahead)) == (True, [])
    assert shown(finding(), Seen("shown", "risk", NOW + ahead, "b")) == (True, [])
    assert shown(finding(Severity.INFO, 0.08, ORDER), accepted(-ahead, ORDER.key)) == (True, [])
    assert shown(finding(), overridden(-ahead), overridden(HOUR)) == (False, ["overridden"])


def test_a_critical_finding_rests_for_hours_only() -> None:
    """Nobody is kept from an emergency by yesterday's click."""
    found = finding(Severity.CRITICAL)
    assert not shown(found, overridden(7 * HOUR, severity=2))[0]
    assert shown(found, overridden(8 * HOUR, severity=2))[0]
    urgent = finding(Severity.CRITICAL, 0.08, ORDER)
    assert shown(urgent, accepted(8 * HOUR, "lipid-panel", severity=2)) == (True, [])


def test_an_accepted_proposal_is_not_made_again() -> None:
    """The other one still is; with all accepted, the finding rests."""
    judged = judge([finding(Severity.INFO, 0.08, ORDER, REFER)], [accepted(DAY, "lipid-panel")], "a", RULES, NOW)
    assert [p.key for p in judged.findings[0].proposals] == ["referral"]
    (entry,) = judged.suppressed
    assert entry.entry() == {
        "finding": "risk",
        "suppressed": "accepted",
        "since": NOW - DAY,
        "proposals": ["lipid-panel"],
    }
    both = accepted(DAY, "lipid-panel", "referral")
    assert shown(finding(Severity.INFO, 0.08, ORDER, REFER), both) == (False, ["accepted"])
    assert shown(finding(Severity.WARNING, 0.08, ORDER), both)[0]  # it got worse since
    assert shown(finding(Severity.INFO, 0.08, ORDER), accepted(30 * DAY, "lipid-panel")) == (True, [])


def test_an_accepted_proposal_does_not_silence_a_finding_without_proposals() -> None:
    """It says something that nobody has answered."""
    assert shown(finding(), accepted(DAY, "lipid-panel")) == (True, [])


def test_what_another_service_has_just_shown_is_not_said_twice() -> None:
    """For a moment, and unless it is more urgent here; the service itself may repeat it."""
    said = Seen("shown", "risk", NOW - MINUTE / 2, "a", 0)
    assert shown(finding(), said, service="b") == (False, ["shown by another service"])
    assert shown(finding(), said, service="a") == (True, [])
    assert shown(finding(Severity.WARNING), said, service="b") == (True, [])
    assert shown(finding(), Seen("shown", "risk", NOW - MINUTE, "a", 0), service="b") == (True, [])


def test_a_critical_finding_is_said_at_the_signature_though_the_selection_has_just_said_it() -> None:
    """Another service's card of a moment ago may have been closed without being read."""
    said = Seen("shown", "risk", NOW - MINUTE / 2, "drug-safety-select", 2)
    assert shown(finding(Severity.CRITICAL), said, service="drug-safety") == (True, [])
    assert shown(finding(Severity.WARNING), said, service="drug-safety")[0] is False


def test_a_quiet_finding_is_left_alone() -> None:
    """It opens no card: there is nothing to rest from."""
    quiet = Finding("risk", Severity.INFO, msg("Risk"), quiet=True)
    assert shown(quiet, overridden(DAY)) == (True, [])


SEEN = st.builds(
    Seen,
    st.sampled_from(["overridden", "accepted", "shown"]),
    st.sampled_from(["risk", "other"]),
    st.integers(0, 60).map(lambda d: NOW - d * DAY),
    st.sampled_from(["a", "b"]),
    st.integers(0, 2),
    st.none() | st.floats(0, 1),
    st.sampled_from([(), ("lipid-panel",)]),
)


@given(st.permutations(range(4)), st.lists(SEEN, min_size=4, max_size=4, unique_by=lambda s: s.at))
def test_the_order_of_what_is_known_never_matters(order: list[int], seen: list[Seen]) -> None:
    """A database may give rows in any order."""
    found = [finding(Severity.WARNING, 0.1, ORDER), Finding("other", Severity.INFO, msg("Other"))]
    assert judge(found, seen, "a", RULES, NOW) == judge(found, [seen[n] for n in order], "a", RULES, NOW)


@given(st.lists(SEEN, max_size=6))
def test_every_finding_is_shown_or_told(seen: list[Seen]) -> None:
    """Nothing disappears without an entry in the audit record."""
    found = [finding(Severity.WARNING, 0.1, ORDER), Finding("other", Severity.INFO, msg("Other"))]
    judged = judge(found, seen, "a", RULES, NOW)
    assert {f.key for f in judged.findings} | {s.finding for s in judged.suppressed} == {"risk", "other"}


def test_from_nothing_to_something_is_worse() -> None:
    """A factor of zero would never be reached."""
    assert worse(finding(Severity.INFO, 0.01), overridden(DAY, size=0.0), 1.25)
    assert not worse(finding(Severity.INFO, 0.0), overridden(DAY, size=0.0), 1.25)


@pytest.mark.parametrize(("ago", "expected"), [(timedelta(0), False), (23 * HOUR, False), (DAY, True)])
def test_a_snoozed_finding_comes_back_the_next_day(ago: timedelta, expected: bool) -> None:
    """Who says "later" does not mean "in a month"; worse, it comes back at once."""
    snoozed = Seen("snoozed", "risk", NOW - ago, "a", 0, 0.08)
    assert shown(finding(), snoozed) == (expected, [] if expected else ["snoozed"])
    assert shown(finding(Severity.WARNING), snoozed)[0]


def test_a_snooze_ends_no_override_and_outlasts_none() -> None:
    """What was overridden rests on; a finding that may rest for hours only rests no longer when it is snoozed."""
    snoozed = Seen("snoozed", "risk", NOW - 2 * DAY, "a", 0, 0.08)
    assert shown(finding(), snoozed, overridden(3 * DAY)) == (False, ["overridden"])
    urgent = Seen("snoozed", "risk", NOW - 8 * HOUR, "a", 2, 0.08)
    assert shown(finding(Severity.CRITICAL), urgent) == (True, [])
