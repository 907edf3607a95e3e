"""What is known about a patient's findings, and that two services do not say the same at once."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from kept import MINUTE, NOW, SCOPE, SERVICE, card_of, keep, suggestion_of

from cds_service.errors import StoreError
from cds_service.protocol.feedback import Item
from cds_service.stores.database import Database
from cds_service.stores.feedback import FeedbackStore
from cds_service.stores.scopes import scope_of
from cds_service.stores.suppression import Showing, ShownElsewhere, SuppressionStore
from cds_service.suppression import Seen


def claim(database: Database, service: str, at: object = NOW, severity: int = 1, patient: str = "p-1") -> None:
    showing = Showing(patient, SCOPE, service, at, [("risk", severity)], MINUTE)  # type: ignore[arg-type]
    with database.writing("the claim") as connection:
        showing.write(connection)


def seen(database: Database, patient: str = "p-1", scope: str = SCOPE) -> set[Seen]:
    return set(SuppressionStore(database).seen(patient, scope, NOW - timedelta(days=30)))


def test_one_read_gives_what_was_shown_and_what_was_answered(database: Database) -> None:
    """And nothing of another patient, client or tenant."""
    keep(database)
    item = Item(card_of(1), "accepted", NOW, (suggestion_of(1),))
    FeedbackStore(database).keep(SERVICE, SCOPE, [item], NOW)
    assert seen(database) == {
        Seen("shown", "risk", NOW, SERVICE, 1),
        Seen("accepted", "risk", NOW, SERVICE, 1, 0.1, ("lipid-panel",)),
    }
    assert seen(database, "p-2") == seen(database, scope=scope_of("https://other", None)) == set()


def test_answers_from_before_the_window_are_not_read(database: Database) -> None:
    """The read stays small however long a patient is known."""
    keep(database, at=NOW - timedelta(days=90))
    item = Item(card_of(1), "overridden", NOW - timedelta(days=90))
    FeedbackStore(database).keep(SERVICE, SCOPE, [item], NOW)
    assert {s.outcome for s in seen(database)} == {"shown"}


def test_another_service_cannot_claim_the_same_finding_at_once(database: Database) -> None:
    """The service itself may show it again; another one after a minute, or with more urgency."""
    claim(database, "a")
    claim(database, "a")
    with pytest.raises(ShownElsewhere):
        claim(database, "b")
    claim(database, "b", patient="p-2")
    claim(database, "b", NOW + MINUTE)
    claim(database, "a", NOW + MINUTE, severity=2)
    claim(database, "b", NOW + MINUTE, severity=2)  # critical: said by each
    with pytest.raises(ShownElsewhere):
        claim(database, "a", NOW + MINUTE)
    claim(database, "a", NOW - timedelta(days=400))  # the clock was a year ahead, and was put right


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 on forks
def test_of_two_processes_at_once_one_may_show_it(database: Database) -> None:
    """An EHR calls all services of a hook at the same moment."""
    database.close()
    children = []
    for service in ("a", "b"):
        child = os.fork()
        if child == 0:
            try:
                claim(database, service)
                os._exit(0)
            except ShownElsewhere:
                os._exit(3)
            finally:
                os._exit(1)
        children.append(child)
    codes = {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children}
    assert codes == {0, 3}
    assert len(seen(database)) == 1


def test_a_store_that_is_away_says_so(database: Database) -> None:
    """The pipeline goes on without what it cannot read."""
    with database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE feedback RENAME TO away")
    with pytest.raises(StoreError, match="feedback could not be read"):
        seen(database)
