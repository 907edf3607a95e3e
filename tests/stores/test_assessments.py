"""The store: what is saved comes back, is durable, survives forks, and failures are named."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID, uuid5

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateTable

from cds_service.errors import SettingsError, StoreError
from cds_service.stores import new_database
from cds_service.stores.assessments import Assessment, AssessmentStore
from cds_service.stores.database import HEAD, Database, migrate
from cds_service.stores.engines import open_engine, unusable, upgrade
from cds_service.stores.tables import ASSESSMENTS, METADATA

NAMES = UUID(int=7)


def assessment(number: int = 1) -> Assessment:
    return Assessment(
        id=uuid5(NAMES, str(number)),
        at=datetime(2026, 5, 6, 14, 0, tzinfo=timezone(timedelta(hours=8))),
        service_id="cardiovascular-risk",
        hook="patient-view",
        hook_instance=uuid5(NAMES, "hook"),
        patient_id="p-1",
        client=None,
        inputs=[{"id": "sbp", "value": 128.5, "unit": "mm[Hg]", "sources": ["Observation/1"]}],
        results=[{"model": "prevent-base", "value": 0.092}],
        cards=[{"summary": "10-year risk 9.2 % · 心血管"}],
        response=b'{"cards":[]}',
        versions={"prevent-base": "1.0"},
    )


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    migrate(url)
    return url


def test_a_new_store_is_what_the_migrations_make(url: str, tmp_path: Path) -> None:
    """Else write it anew: python -m cds_service.stores.new_database."""
    migrated = open_engine(f"sqlite:///{tmp_path / 'migrated.db'}", pooled=False)
    upgrade(migrated)
    migrated.dispose()
    assert new_database.dump(tmp_path / "a.db") == new_database.dump(tmp_path / "migrated.db")


def test_a_store_that_holds_something_is_migrated_and_not_made_anew(tmp_path: Path) -> None:
    """Tables of an older release, and those of somebody else, stay as they are."""
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE theirs (n INTEGER)")
        assert not new_database.create(connection)


@pytest.fixture
def store(url: str) -> Iterator[AssessmentStore]:
    store = AssessmentStore(Database(url))
    yield store
    store.close()


def test_an_assessment_comes_back_as_it_was(store: AssessmentStore) -> None:
    """Every field, the response byte for byte, the moment in UTC."""
    store.save(assessment())
    found = store.get(assessment().id)
    assert found == assessment()
    assert found is not None
    assert found.at.tzinfo == UTC
    assert store.get(UUID(int=0)) is None


def test_a_saved_assessment_is_on_disk(store: AssessmentStore, tmp_path: Path) -> None:
    """Another connection sees it at once; WAL and synchronous=FULL make it survive a power cut."""
    store.save(assessment())
    other = sqlite3.connect(tmp_path / "a.db")
    assert other.execute("SELECT count(*) FROM assessments").fetchone() == (1,)
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    with store.database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 on forks
def test_every_process_opens_its_own_connection(store: AssessmentStore, tmp_path: Path) -> None:
    """A store made before a fork works on both sides of it."""
    store.save(assessment(1))
    child = os.fork()
    if child == 0:
        try:
            store.save(assessment(2))
            store.close()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    store.save(assessment(3))
    assert store.get(assessment(2).id) is not None


def test_migrating_twice_changes_nothing(url: str, store: AssessmentStore) -> None:
    """Every start migrates; data stay."""
    store.save(assessment())
    migrate(url)
    assert store.get(assessment().id) is not None


def test_the_migrations_give_the_tables_that_the_code_expects(url: str, tmp_path: Path) -> None:
    """Columns, types, keys and indexes are the same by either way."""
    made = open_engine(f"sqlite:///{tmp_path / 'b.db'}", pooled=False)
    METADATA.create_all(made)
    migrated = open_engine(url, pooled=False)

    def shape(engine: sa.Engine) -> object:
        look = sa.inspect(engine)
        return {
            table: (
                [(c["name"], str(c["type"]), c["nullable"], c["primary_key"]) for c in look.get_columns(table)],
                sorted((i["name"], tuple(i["column_names"])) for i in look.get_indexes(table)),
            )
            for table in look.get_table_names()
            if table != "alembic_version"
        }

    assert shape(migrated) == shape(made)
    with migrated.connect() as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == HEAD


def test_the_table_compiles_for_postgresql() -> None:
    """The same table on PostgreSQL: jsonb, uuid, timestamp with time zone, bytea."""
    text = str(CreateTable(ASSESSMENTS).compile(dialect=postgresql.dialect()))
    for type_ in ("inputs JSONB", "id UUID", "at TIMESTAMP WITH TIME ZONE", "response BYTEA"):
        assert type_ in text


def test_the_same_assessment_may_be_saved_again(store: AssessmentStore) -> None:
    """A call that is repeated at the same instant gets the same answer, and no error."""
    store.save(assessment())
    store.save(assessment())
    assert store.get(assessment().id) == assessment()


def test_another_assessment_under_the_same_id_is_refused(store: AssessmentStore) -> None:
    """What was shown is never overwritten; the error holds nothing of the patient."""
    store.save(assessment())
    with pytest.raises(StoreError) as caught:
        store.save(replace(assessment(), response=b"another"))
    assert "p-1" not in f"{caught.value} {caught.value.__cause__}"
    assert store.get(assessment().id) == assessment()


def test_a_failing_store_is_a_store_error(store: AssessmentStore) -> None:
    """A table that is gone, a full disk: the pipeline is told, in words without the row."""
    with store.database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE assessments")
    with pytest.raises(StoreError) as caught:
        store.save(assessment())
    assert "p-1" not in f"{caught.value} {caught.value.__cause__}"


def test_an_unreachable_database_says_what_to_check(tmp_path: Path) -> None:
    """A folder that does not exist, at start; and later on, `reachable` is False."""
    url = f"sqlite:///{tmp_path / 'none' / 'a.db'}"
    with pytest.raises(StoreError, match=r"\(unable to open database file\)\. Check store\.url"):
        migrate(url)
    assert not AssessmentStore(Database(url)).reachable()


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("connection to server at 127.0.0.1, port 5432 failed: Connection refused", "(nothing listens there)"),
        ('FATAL:  password authentication failed for user "SECRET"', "(the password is wrong)"),
        ('FATAL:  database "SECRET" does not exist', "(there is no such database or user)"),
        ("something that nobody has seen: SECRET", "cannot be opened or written. Check"),
    ],
)
def test_why_a_database_cannot_be_opened_is_said_in_our_words(error: str, words: str) -> None:
    """The driver's own could hold anything."""
    told = str(unusable("postgresql+psycopg://c:***@h/d", OSError(error)))
    assert words in told
    assert "SECRET" not in told


def test_a_start_that_waited_in_vain_for_another_says_so() -> None:
    """PostgreSQL's code of a lock that was not had in time, as the other migrates."""
    waited = OSError("SECRET")
    waited.sqlstate = "55P03"  # type: ignore[attr-defined]
    assert "(another process keeps it busy, such as one that migrates it)" in str(unusable("postgresql://h/d", waited))


@pytest.mark.parametrize("url", ["nonsense", "mysql+nothing://x/y"])
def test_a_url_that_is_none_is_a_settings_error(url: str) -> None:
    """The sentence names the key and shows the form, not the URL with its password."""
    with pytest.raises(SettingsError, match=r"store\.url cannot be used"):
        migrate(url)


def test_why_nothing_was_kept_is_told_in_our_words(tmp_path: Path, url: str, store: AssessmentStore) -> None:
    """Full, busy or read-only: an operator mends each in another way. The database's own words may quote a row."""
    with store.database.reading("limiting") as connection:
        assert isinstance(connection, sqlite3.Connection)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")  # as on a full disk; this connection is taken again
    with pytest.raises(StoreError, match=r"could not be stored \(OperationalError: the disk is full\)"):
        store.save(replace(assessment(), response=b"x" * 100_000))
    with closing(sqlite3.connect(tmp_path / "a.db")) as other:
        other.execute("PRAGMA journal_mode=DELETE")
    store.close()
    read_only = AssessmentStore(Database(url.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true"))
    with pytest.raises(StoreError, match=r"\(OperationalError: it may not be written\)"):
        read_only.save(assessment())
    read_only.close()
