"""Used tokens: refused in every process, written with what the call stores, forgotten once they expire."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from answers import overheard

from cds_service.errors import StoreError, Unauthorized
from cds_service.stores.assessments import Assessment, AssessmentStore
from cds_service.stores.database import Database, migrate
from cds_service.stores.jti import TokenStore, TokenUse

NOW = 1_778_068_800
KEPT = Assessment(
    id=UUID(int=1),
    at=datetime(2026, 5, 6, tzinfo=UTC),
    service_id="s",
    hook="patient-view",
    hook_instance=UUID(int=2),
    patient_id="p",
    client="https://ehr.example",
    inputs=[],
    results=[],
    cards=[],
    response=b"{}",
    versions={},
    tenant="north",
)


def use(jti: str = "a", *, issuer: str = "https://ehr.example", enforce: bool = True, expires: int = 300) -> TokenUse:
    return TokenUse.of(issuer, jti, expires=NOW + expires, now=NOW, enforce=enforce)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    migrate(url)
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def tokens(database: Database) -> TokenStore:
    return TokenStore(database)


def test_a_token_is_spent_once(tokens: TokenStore) -> None:
    """The second use is refused; another issuer's jti of the same text is another token."""
    first = use()
    tokens.spend(first)
    assert first.spent
    again = use()
    with pytest.raises(Unauthorized) as caught:
        tokens.spend(again)
    assert "used before" in caught.value.reason
    assert not again.spent
    tokens.spend(use(issuer="https://other.example"))
    tokens.spend(use("b"))


def test_issuer_and_jti_cannot_be_shifted_against_each_other() -> None:
    """`ab` + `c` is not `a` + `bc`."""
    assert use("c", issuer="ab").digest != use("bc", issuer="a").digest


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # Python 3.12 on forks
def test_a_token_that_another_process_spent_is_refused(tokens: TokenStore, database: Database) -> None:
    """All workers share one memory of tokens: two processes, one of which may win."""
    child = os.fork()
    if child == 0:
        try:
            tokens.spend(use())
            database.close()
            os._exit(0)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    with pytest.raises(Unauthorized):
        tokens.spend(use())


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_of_many_processes_that_use_a_token_at_once_one_wins(tokens: TokenStore, database: Database) -> None:
    """The decision is the database's, whoever asks first."""
    read, write = os.pipe()
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            try:
                os.close(write)
                os.read(read, 1)  # until the parent closes its end
                won = True
                try:
                    tokens.spend(use())
                except Unauthorized:
                    won = False
                os._exit(10 if won else 11)
            finally:
                os._exit(1)
        children.append(child)
    os.close(write)
    os.close(read)
    codes = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    assert codes == [10, 11, 11, 11]


def test_a_repeat_may_be_only_logged(tokens: TokenStore) -> None:
    """`jti = "log"`."""
    tokens.spend(use(enforce=False))
    again = use(enforce=False)
    tokens.spend(again)
    assert again.spent


def test_the_use_and_the_assessment_are_one_transaction(database: Database) -> None:
    """One commit for both: no second wait for the disk."""
    store = AssessmentStore(database)
    told = overheard(database)
    store.save(KEPT, also=(use().write,))
    assert told.count("COMMIT") == 1
    assert store.get(KEPT.id) == KEPT


def test_a_replayed_token_stores_nothing(database: Database, tokens: TokenStore) -> None:
    """Neither the assessment nor anything else of that call."""
    tokens.spend(use())
    store = AssessmentStore(database)
    with pytest.raises(Unauthorized):
        store.save(KEPT, also=(use().write,))
    assert store.get(KEPT.id) is None


def test_a_failed_assessment_does_not_spend_the_token(database: Database, tokens: TokenStore) -> None:
    """The caller, who gets its answer all the same, spends it in a transaction of its own."""
    store = AssessmentStore(database)
    store.save(KEPT)
    with pytest.raises(StoreError):
        store.save(replace(KEPT, response=b"another"), also=(use().write,))
    tokens.spend(use())


def test_a_repeated_assessment_spends_its_token(database: Database, tokens: TokenStore) -> None:
    """The same call at the same instant with a fresh token: the token counts as used."""
    store = AssessmentStore(database)
    store.save(KEPT)
    store.save(KEPT, also=(use().write,))
    with pytest.raises(Unauthorized):
        tokens.spend(use())


def test_expired_uses_are_deleted(tokens: TokenStore) -> None:
    """What has expired is refused for its age, and need not be remembered; an hour later, lest the clock ran ahead."""
    tokens.spend(use("old", expires=10))
    tokens.spend(use("new", expires=300))
    assert tokens.purge(NOW + 3609) == 0
    assert tokens.purge(NOW + 3611) == 1
    assert tokens.purge(NOW + 3611) == 0
    with pytest.raises(Unauthorized):
        tokens.spend(use("new"))


def test_uses_are_deleted_while_the_service_runs(tokens: TokenStore, tmp_path: Path) -> None:
    """Every thousandth use sweeps; the table does not grow without end."""
    tokens.spend(use("old", expires=-3601))
    for number in range(1000):
        tokens.spend(use(str(number)))
    other = sqlite3.connect(tmp_path / "a.db")
    assert other.execute(f"SELECT count(*) FROM token_uses WHERE expires < {NOW}").fetchone() == (0,)
    other.close()


def test_nothing_of_a_token_is_in_the_database(tokens: TokenStore, tmp_path: Path) -> None:
    """A digest, and the second of its end."""
    tokens.spend(use("SECRET-JTI"))
    other = sqlite3.connect(tmp_path / "a.db")
    ((digest, expires),) = other.execute("SELECT * FROM token_uses").fetchall()
    other.close()
    assert len(digest) == 64
    assert expires == NOW + 300
    assert b"SECRET" not in (tmp_path / "a.db").read_bytes()


def test_a_jti_may_hold_any_characters(tokens: TokenStore) -> None:
    """Lone surrogates, too: JSON can write them."""
    for jti in ("\ud800", "心", "\x00", "' OR 1=1"):
        tokens.spend(use(jti))
        with pytest.raises(Unauthorized):
            tokens.spend(use(jti))


def test_a_failing_store_is_a_store_error(tokens: TokenStore, database: Database) -> None:
    """Whether a token was used cannot be known: the caller decides what that means."""
    with database.engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE token_uses")
    for act in (lambda: tokens.spend(use()), lambda: tokens.purge(NOW)):
        with pytest.raises(StoreError):
            act()
