"""A model that monitoring silenced says nothing more in running workers, and its past answers replay as they were."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from answers import Site, loaded

from cds_service.app import create_pipeline
from cds_service.clock import FixedClock
from cds_service.language import msg
from cds_service.replay import replay
from cds_service.sandbox.chart import AS_OF
from cds_service.silenced import FRESH_S, Silenced
from cds_service.stores.assessments import AssessmentStore
from cds_service.stores.audit import AuditStore
from cds_service.stores.database import Database, migrate
from cds_service.stores.fallen_back import FallBackStore, FallenBack

PRIMARY = "primary-prevention"
WHY = msg("observed over expected is {ratio}", ratio="1.60")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    migrate(url)
    store = AssessmentStore(Database(url))
    yield Site(store)
    store.close()


def fall_back(site: Site, version: str | None = None) -> FallBackStore:
    """All PREVENT models fall back: in the loaded version, or in another."""
    store = FallBackStore(site.store.database)
    for id_, model in loaded().models.items():
        if id_.startswith("prevent-"):
            assert store.silence(FallenBack(id_, version or model.version, site.now, WHY))
    return store


def test_a_silenced_model_shows_no_card_and_everything_is_still_kept(site: Site) -> None:
    """The estimate is stored as withheld; lifted, the card is back; both answers replay byte for byte."""
    assert len(site.call(PRIMARY)["cards"]) == 1
    store = fall_back(site)
    site.restart()
    site.later(timedelta(days=1))
    assert site.call(PRIMARY)["cards"] == []
    assert {row["silent"] for row in site.kept()[1].results if "silent" in row} == {True}
    assert any(row.get("model", "").startswith("prevent-") and row.get("value") for row in site.kept()[1].results)
    for id_ in loaded().models:
        store.lift(id_, "Dr Li", site.now)
    site.restart()
    site.later(timedelta(days=1))
    assert len(site.call(PRIMARY)["cards"]) == 1
    now = create_pipeline(site.settings, FixedClock(site.now), site.store, loaded())
    fall_back(site)
    assert [replay(now, site.store, one.id).state for one in site.kept()] == ["same", "same", "same"]


def test_another_version_is_not_silenced(site: Site) -> None:
    """What was found is about the version that was judged."""
    fall_back(site, version="0.0.1")
    assert len(site.call(PRIMARY)["cards"]) == 1


def test_running_workers_see_it_within_a_minute_and_do_not_ask_at_each_call(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One look in half a minute; while the database is away, what was silent stays silent."""
    looks: list[float] = []
    clock = [0.0]
    known = Silenced(site.store.database, lambda: clock[0])
    monkeypatch.setattr(
        known._store, "in_force", lambda look=known._store.in_force: (looks.append(clock[0]), look())[1]
    )
    assert known.now() == frozenset()
    fall_back(site)
    clock[0] = FRESH_S - 1
    assert known.now() == frozenset()
    clock[0] = FRESH_S
    silent = known.now()
    assert ("prevent-base", loaded().models["prevent-base"].version) in silent
    assert looks == [0.0, FRESH_S]
    assert FRESH_S <= 60
    site.store.database.close()
    Path(site.store.database.url.removeprefix("sqlite:///")).unlink()
    clock[0] = 10 * FRESH_S
    assert known.now() == silent


def test_the_audit_record_tells_of_the_fall_back_and_of_who_lifted_it(site: Site) -> None:
    """And a second fall-back of what is silent already adds nothing."""
    store = FallBackStore(site.store.database)
    fallen = FallenBack("mortality", "1.0.0", AS_OF, WHY)
    assert store.silence(fallen)
    assert not store.silence(fallen)
    assert store.lift("mortality", "Dr Li", AS_OF) == (fallen,)
    assert store.lift("mortality", "Dr Li", AS_OF) == ()
    (told,) = store.every()
    assert told.reason == WHY, "with its places, for a page in the reader's language"
    kinds = [(entry.kind, (entry.content or {}).get("by")) for entry in AuditStore(site.store.database).entries()]
    assert kinds == [("fall-back", None), ("fall-back-lifted", "Dr Li")]
