"""Stores on both databases: SQLite in a file, and a real PostgreSQL where the machine has its programs."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from urllib.parse import quote

import pytest

from cds_service.stores.database import Database, migrate

_NUMBERS = count(1)


def _programs() -> Path | None:
    """The folder of PostgreSQL's server programs, the newest version first."""
    found = shutil.which("initdb")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3]), reverse=True)
    places = [*([Path(found)] if found else []), *installed]
    return places[0].parent if places else None


def _account() -> str | None:
    """The account that may run a server; PostgreSQL refuses root. None for our own."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    return None


def _folder(account: str | None) -> Path:
    """A new folder that the account reaches, and whose path is short enough for that of a socket."""
    for place in (tempfile.gettempdir(), "/tmp"):
        folder = Path(tempfile.mkdtemp(prefix="curbside-pg-", dir=place))
        if account is not None:
            shutil.chown(folder, account)
        reached = subprocess.run(["test", "-w", str(folder)], user=account, cwd="/").returncode == 0
        if reached and len(str(folder)) < 80:
            return folder
        shutil.rmtree(folder)
    pytest.skip("PostgreSQL's account reaches neither the folder of temporary files nor /tmp")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The base of URLs of a server of our own, on a socket in a temporary folder."""
    programs, account = _programs(), _account()
    pytest.importorskip("psycopg", reason="the driver of PostgreSQL is not installed (the extra postgres)")
    if programs is None:
        pytest.skip("PostgreSQL's server programs (initdb) are not on this machine")
    if os.getuid() == 0 and account is None:
        pytest.skip("PostgreSQL does not run as root, and there is no other account")
    folder = _folder(account)

    def run(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, user=account, cwd=folder)

    try:
        run(
            str(programs / "initdb"),
            "-D",
            str(folder / "data"),
            "-U",
            "curbside",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        )
        options = f"-F -k '{folder}' -c listen_addresses=''"  # no sync: what is killed here is never the machine
        control = str(programs / "pg_ctl")
        run(control, "-D", str(folder / "data"), "-o", options, "-l", str(folder / "log"), "-w", "start")
        try:
            yield f"postgresql+psycopg://curbside@/{{name}}?host={quote(str(folder))}"
        finally:
            run(control, "-D", str(folder / "data"), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgresql_model(postgresql: str) -> str:
    """The name of a database with the newest schema that others are copied from."""
    import psycopg

    with psycopg.connect(postgresql.format(name="postgres").replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE DATABASE model")
    migrate(postgresql.format(name="model"))
    return "model"


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty store with the newest schema, on each database in turn."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'store.db'}"
        migrate(url)
        yield url
        return
    base: str = request.getfixturevalue("postgresql")
    import psycopg

    name, model = f"test_{next(_NUMBERS)}", request.getfixturevalue("postgresql_model")
    where = base.format(name="postgres").replace("+psycopg", "")
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {model}")  # type: ignore[arg-type]
    yield base.format(name=name)
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[arg-type]


@pytest.fixture
def database(store_url: str) -> Iterator[Database]:
    """An empty store, open."""
    database = Database(store_url)
    yield database
    database.close()
