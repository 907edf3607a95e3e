"""Worded summaries and their queue, on both databases: bounded, taken by one, taken again after a kill, forgotten."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid5

from kept import NAMES, NOW, SCOPE, SERVICE, keep

from cds_service.stores import audit
from cds_service.stores.audit import AuditStore
from cds_service.stores.database import Database
from cds_service.stores.retention import Holder, RetentionStore
from cds_service.stores.wordings import ABANDONED, MOST_TRIES, Wanted, WordingStore
from cds_service.summary.told import Told

LINES = (Told("Penicillin allergy.", ("AllergyIntolerance/1",)), Told("On warfarin", ("M/1", "M/2"), "record"))
MINUTE = timedelta(minutes=1)


def finish(store: WordingStore, one: Wanted, *arguments: object) -> None:
    store.queue(one, 100)
    store.finish(one, *arguments)  # type: ignore[arg-type]


def wanted(number: int = 1, patient: str = "p-1", assessment: UUID | None = None) -> Wanted:
    id_ = assessment or uuid5(NAMES, f"wanted {number}")
    return Wanted(f"{number:064}", SERVICE, patient, SCOPE, id_, NOW + number * MINUTE, b"basis")


def test_the_one_that_waits_longest_is_taken_once(database: Database) -> None:
    """No two processes word the same summary."""
    store = WordingStore(database)
    for number in (2, 1):
        store.queue(wanted(number), 10)
    assert store.take(NOW, 60) == wanted(1)
    assert store.take(NOW, 60) == wanted(2)
    assert store.take(NOW, 60) is None
    assert store.waiting() == 2


def test_the_queue_is_bounded_and_holds_each_once(database: Database) -> None:
    """What does not fit is not asked for: the deterministic summary is there already."""
    store = WordingStore(database)
    for number in (1, 1, 2, 3):
        store.queue(wanted(number), 2)
    assert store.waiting() == 2


def test_a_text_is_there_for_all_who_know_its_key(database: Database) -> None:
    """Finished ones leave the queue; a newer text stands in place of an older one."""
    store = WordingStore(database)
    store.queue(wanted(), 10)
    assert store.get(wanted().key) is None
    finish(store, wanted(), NOW, (), "no answer in time", None)
    assert store.waiting() == 0
    finish(store, wanted(), NOW + MINUTE, LINES, "", None)
    found = store.get(wanted().key)
    assert found is not None
    assert (found.lines, found.reason, found.at) == (LINES, "", NOW + MINUTE)
    assert store.of_assessment(wanted().assessment_id) == found
    assert store.of_assessment(UUID(int=5)) is None


def test_what_a_killed_process_had_taken_is_taken_again_and_then_given_up(database: Database) -> None:
    """A piece that ends its process twice does not end it for ever."""
    store = WordingStore(database)
    store.queue(wanted(), 10)
    for attempt in range(MOST_TRIES):
        assert store.take(NOW + attempt * 10 * MINUTE, 60) == wanted()
    assert store.take(NOW + 100 * MINUTE, 60) is None
    found = store.get(wanted().key)
    assert found is not None
    assert found.reason == ABANDONED
    assert store.waiting() == 0


def test_what_was_taken_by_a_clock_that_ran_ahead_is_not_kept_waiting(database: Database) -> None:
    """The machine's clock was set back by an hour: the lease of a minute is over, and not in an hour."""
    store = WordingStore(database)
    store.queue(wanted(), 10)
    assert store.take(NOW + 60 * MINUTE, 60) == wanted()
    assert store.take(NOW + 60 * MINUTE, 60) is None
    assert store.take(NOW, 60) == wanted()


def test_what_is_given_back_counts_as_never_taken(database: Database) -> None:
    """A process that is told to end leaves its work to the next."""
    store = WordingStore(database)
    store.queue(wanted(), 10)
    for _ in range(MOST_TRIES + 2):
        taken = store.take(NOW, 3600)
        assert taken == wanted()
        store.release(taken)


def test_forgetting_takes_texts_queue_and_what_was_sent(database: Database) -> None:
    """Nothing of the patient stays, be the assessment kept or not; another's stays."""
    store = WordingStore(database)
    kept = keep(database, 1, patient="Jane-Doe-17")
    for number, patient, id_ in ((1, "Jane-Doe-17", kept.id), (2, "Jane-Doe-17", None), (3, "another", None)):
        one = wanted(number, patient, id_)
        entry = audit.Entry("wording", NOW, one.assessment_id, {"sent": [f"about {patient}"]})
        finish(store, one, NOW, LINES, "", entry)
    store.queue(wanted(4, "Jane-Doe-17"), 10)
    store.queue(wanted(5, "another"), 10)
    assert RetentionStore(database).forget("Jane-Doe-17", Holder(None, None), NOW) == 1
    assert [store.get(wanted(n).key) is not None for n in (1, 2, 3)] == [False, False, True]
    assert store.waiting() == 1
    told = str(list(AuditStore(database).entries()))
    assert "about Jane" not in told
    assert "about another" in told
    assert AuditStore(database).verify().faults == ()


def test_pruning_takes_old_texts(database: Database) -> None:
    """Texts are kept no longer than assessments."""
    store = WordingStore(database)
    finish(store, wanted(1), NOW, LINES, "", None)
    finish(store, wanted(2), NOW + 10 * MINUTE, LINES, "", None)
    RetentionStore(database).prune(NOW + 5 * MINUTE, NOW + 20 * MINUTE)
    assert store.get(wanted(1).key) is None
    assert store.get(wanted(2).key) is not None


def test_what_was_forgotten_while_a_model_was_asked_stays_forgotten(database: Database) -> None:
    """An answer that comes afterwards is kept nowhere, nor is what was sent for it."""
    store = WordingStore(database)
    store.queue(wanted(1, "Jane-Doe-17"), 10)
    taken = store.take(NOW, 60)
    assert taken is not None
    RetentionStore(database).forget("Jane-Doe-17", Holder(None, None), NOW)
    store.finish(taken, NOW, LINES, "", audit.Entry("wording", NOW, taken.assessment_id, {"sent": ["about Jane"]}))
    assert store.get(taken.key) is None
    assert "Jane" not in str(list(AuditStore(database).entries()))
