"""Commands work on the store that is there: none makes an empty one, none migrates one under a running service."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from cds_service.cli import check, run
from cds_service.settings import Settings, Store
from cds_service.stores.database import HEAD, migrate

COMMANDS = (
    ("audit", "verify"),
    ("audit", "export"),
    ("records", "prune", "--older-than", "400d"),
    ("records", "forget", "p-1"),
    ("records", "backup", "copy.db"),
    ("monitor",),
    ("replay", "--all"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("curbside.toml").write_text('[store]\nurl = "sqlite:///store.db"\n')
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_store_that_is_not_there_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    """The wrong folder, or a settings file that was forgotten: `whole` would be said of nothing."""
    assert run(command) == 2
    assert capsys.readouterr().err == (
        "curbside: no store is kept at store.db. Check store.url, or name the service's settings with --config.\n"
    )
    assert [file.name for file in folder.iterdir()] == ["curbside.toml"]


def schema(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def test_the_store_of_an_older_release_is_copied_as_it_is_and_not_migrated(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The older release is still at work on it; and to go back to it needs a copy from before."""
    migrate("sqlite:///store.db")
    with closing(sqlite3.connect("store.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0006'")
        connection.commit()
    for command in COMMANDS:
        assert run(command) == (0 if "backup" in command else 2)
        assert "backup" in command or "Copy it with curbside records backup" in capsys.readouterr().err
    capsys.readouterr()
    found = [one.state for one in check._store(Settings(store=Store("sqlite:///store.db")))]
    assert found == [f"ok: the start brings it from schema 0006 to {HEAD}; copy it before"]
    assert (schema(folder / "store.db"), schema(folder / "copy.db")) == ("0006", "0006")


def test_an_age_of_no_days_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It would delete everything."""
    assert run(("records", "prune", "--older-than", "0d")) == 2
    assert "is not a number of days such as 400d" in capsys.readouterr().err
    assert run(("records", "backup", "away/copy.db")) == 2


def test_a_store_that_others_can_read_is_told(folder: Path) -> None:
    """Older releases made it so, and a copy that was put in its place may be."""
    migrate("sqlite:///store.db")
    settings = Settings(store=Store("sqlite:///store.db"))
    assert [one.mend for one in check._store(settings) if one.mend] == []
    Path("store.db").chmod(0o644)
    (found,) = [one for one in check._store(settings) if one.mend]
    assert found.mend == "Make store.db readable for the service's account alone: chmod 600."
