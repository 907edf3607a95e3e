"""Feedback: durable before it is acknowledged, once however often it is sent, and only from whom the card was given."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
from kept import MINUTE, NOW, SCOPE, SERVICE, card_of, keep, suggestion_of

from cds_service.errors import StoreError, Unauthorized
from cds_service.protocol.feedback import Fault, Item
from cds_service.stores.audit import AuditStore
from cds_service.stores.database import Database
from cds_service.stores.feedback import FeedbackStore, Kept
from cds_service.stores.jti import TokenUse
from cds_service.stores.scopes import scope_of
from cds_service.stores.suppression import SuppressionStore
from cds_service.stores.tables import FEEDBACK

OVERRIDDEN = Item(card_of(1), "overridden", NOW, (), ("http://x.org", "no", "No"), "already discussed")
ACCEPTED = Item(card_of(1), "accepted", NOW, (suggestion_of(1),))


def rows(database: Database) -> list[sa.Row[tuple[object, ...]]]:
    with database.engine.connect() as connection:
        return list(connection.execute(sa.select(FEEDBACK).order_by(FEEDBACK.c.outcome)))


def give(database: Database, *items: Item, scope: str = SCOPE, service: str = SERVICE, at: object = NOW) -> int:
    kept = FeedbackStore(database).keep(service, scope, items, NOW + MINUTE)
    assert kept.faults == ()
    return kept.new


def try_to(database: Database, *items: Item, scope: str = SCOPE, service: str = SERVICE) -> Kept:
    numbered = [replace(item, number=number) for number, item in enumerate(items)]
    return FeedbackStore(database).keep(service, scope, numbered, NOW + MINUTE)


def test_both_outcomes_are_kept_with_reason_and_comment(database: Database) -> None:
    """Everything of an item comes back, and what it means: the findings of the card, the proposals accepted."""
    keep(database)
    assert give(database, OVERRIDDEN, ACCEPTED) == 2
    accepted, overridden = rows(database)
    assert (overridden.reason_code, overridden.comment) == ("no", "already discussed")
    assert (accepted.outcome_at, accepted.received) == (NOW, NOW + MINUTE)
    seen = SuppressionStore(database).seen("p-1", SCOPE, NOW - MINUTE)
    found = {(s.outcome, s.finding, s.severity, s.magnitude, s.proposals) for s in seen}
    assert ("overridden", "risk", 1, 0.1, ()) in found
    assert ("accepted", "risk", 1, 0.1, ("lipid-panel",)) in found


def test_the_same_item_again_changes_nothing(database: Database) -> None:
    """A client that got no answer sends again: in the same call, later, from another zone."""
    keep(database)
    assert give(database, OVERRIDDEN, OVERRIDDEN) == 1
    assert give(database, OVERRIDDEN) == 0
    assert len(rows(database)) == 1
    assert [e.kind for e in AuditStore(database).entries()] == ["assessment", "feedback"]


@pytest.mark.parametrize(
    ("scope", "service", "card"),
    [
        (SCOPE, SERVICE, UUID(int=1)),
        (scope_of("https://other", None), SERVICE, card_of(1)),
        (scope_of(None, "another tenant"), SERVICE, card_of(1)),
        (SCOPE, "prognosis", card_of(1)),
    ],
)
def test_a_card_of_nobody_and_a_card_of_another_are_refused_alike(
    database: Database, scope: str, service: str, card: UUID
) -> None:
    """Nobody learns from the answer whether a card exists."""
    keep(database)
    why = "feedback[0].card is not a card that this service gave to this CDS Client."
    kept = try_to(database, Item(card, "overridden", NOW), scope=scope, service=service)
    assert kept == Kept(0, (Fault(0, why, unknown=True),))
    assert rows(database) == []


def test_a_suggestion_must_be_the_cards(database: Database) -> None:
    """The item and the member are named."""
    keep(database, 1)
    keep(database, 2, findings=[("other", 0, None)])
    wrong = Item(card_of(2), "accepted", NOW, (suggestion_of(2), suggestion_of(1)))
    (fault,) = try_to(database, OVERRIDDEN, wrong).faults
    assert "feedback[1].acceptedSuggestions[1].id" in fault.why
    assert not fault.unknown


def test_an_item_at_fault_costs_none_of_the_others(database: Database) -> None:
    """What is known is kept, whatever stands beside it; and once, however often the batch is sent again."""
    keep(database)
    batch = [Item(UUID(int=1), "overridden", NOW), OVERRIDDEN, Item(UUID(int=2), "overridden", NOW), ACCEPTED]
    for new in (2, 0):
        kept = try_to(database, *batch)
        assert (kept.new, [fault.number for fault in kept.faults]) == (new, [0, 2])
    assert len(rows(database)) == 2
    assert [e.kind for e in AuditStore(database).entries()] == ["assessment", "feedback", "feedback"]


def test_a_token_that_was_used_before_stores_nothing(database: Database) -> None:
    """The use of the token and the feedback are one transaction."""
    keep(database)
    use = TokenUse.of("iss", "jti", expires=2_000_000_000, now=1_900_000_000, enforce=True)
    store = FeedbackStore(database)
    assert store.keep(SERVICE, SCOPE, [OVERRIDDEN], NOW, [use.write]).new == 1
    with pytest.raises(Unauthorized):
        store.keep(SERVICE, SCOPE, [ACCEPTED], NOW, [use.write])
    assert len(rows(database)) == 1


def test_a_clock_that_runs_ahead_lengthens_no_rest(database: Database) -> None:
    """An outcome of next year counts from its arrival; what the client said is kept beside it."""
    keep(database)
    late = NOW + timedelta(days=400)
    give(database, Item(card_of(1), "overridden", late))
    (row,) = rows(database)
    assert (row.at, row.outcome_at) == (NOW + MINUTE, late)


def test_a_store_that_is_away_says_so(database: Database) -> None:
    """503, and no word of the patient."""
    keep(database)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE feedback RENAME TO away")
    with pytest.raises(StoreError) as caught:
        give(database, OVERRIDDEN)
    assert "p-1" not in f"{caught.value} {caught.value.__cause__}"
    assert caught.value.http_status == 503


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 on forks
def test_what_was_acknowledged_survives_a_kill(database: Database) -> None:
    """A worker that is killed the moment after its answer loses nothing."""
    keep(database)
    child = os.fork()
    if child == 0:
        try:
            give(database, OVERRIDDEN)
            os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert len(rows(database)) == 1
    assert AuditStore(database).verify().faults == ()
