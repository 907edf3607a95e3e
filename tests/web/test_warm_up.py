"""Warming up: everything is tried, nothing stays."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from answers import loaded, overheard

from cds_service.app import create_pipeline, create_store
from cds_service.clock import FixedClock
from cds_service.settings import Settings
from cds_service.stores.assessments import AssessmentStore
from cds_service.web.warm_up import warm_up

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)


def rows(store: AssessmentStore) -> dict[str, list[tuple[Any, ...]]]:
    with store.database.engine.connect() as connection:
        names = sa.inspect(connection).get_table_names()
        return {name: [tuple(row) for row in connection.execute(sa.text(f"SELECT * FROM {name}"))] for name in names}


def test_nothing_of_the_made_up_patient_stays_in_the_store(tmp_path: Path) -> None:
    """Every service goes as far as the store, and takes back what it wrote."""
    settings = Settings().with_("store", url=f"sqlite:///{tmp_path / 'a.db'}")
    store = create_store(settings)
    before: object = rows(store)
    written = overheard(store.database)
    pipeline = create_pipeline(settings, FixedClock(NOW), store, loaded())
    warm_up(pipeline, NOW)
    services: Any = pipeline.discovery()["services"]
    assert sum("INSERT INTO assessments" in text for text in written) == len(services)
    assert rows(store) == before
    store.close()


def test_a_service_warms_up_although_its_store_is_away(tmp_path: Path) -> None:
    """Cards go on while the database is away, and so does the start; it is logged."""
    settings = Settings().with_("store", url=f"sqlite:///{tmp_path / 'a.db'}")
    store = create_store(settings)
    (tmp_path / "a.db").unlink()
    with structlog.testing.capture_logs() as log:
        warm_up(create_pipeline(settings, FixedClock(NOW), store, loaded()), NOW)
    assert {line["event"] for line in log} == {"feedback not read", "silent models not read", "store not tried"}
    store.close()
