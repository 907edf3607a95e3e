"""`curbside records`: deleting, backing up and verifying what is stored."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cds_service.cli import options
from cds_service.clock import SystemClock
from cds_service.errors import InputError
from cds_service.settings import Settings

if TYPE_CHECKING:
    from cds_service.stores.retention import Holder


@click.group()
def records() -> None:
    """Delete what is stored, copy it, and verify a copy. The audit chain stays, and says what was deleted."""


class Age(click.ParamType[timedelta]):
    """A number of days, such as `400d`."""

    name = "DAYS"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The age, or a sentence that shows the form."""
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"(\d{1,5})d", value)
        if found is None or not int(found[1]):
            self.fail(f"{value!r} is not a number of days such as 400d.", param, ctx)
        return timedelta(days=int(found[1]))


@records.command()
@click.option("--older-than", type=Age(), required=True, help="Delete what is older, such as 400d.")
@options.config
def prune(older_than: timedelta, settings: Settings) -> None:
    """Delete what is older than a number of days, in small steps beside the running service."""
    from cds_service.app import open_store
    from cds_service.stores.retention import RetentionStore

    now = SystemClock().now()
    store = open_store(settings)
    try:
        deleted = RetentionStore(store.database).prune(now - older_than, now)
    finally:
        store.close()
    click.echo(f"{deleted} assessments deleted")


@records.command()
@click.argument("patient")
@click.option("--client", "name", metavar="NAME", help="The CDS Client, as named in the settings; its issuer; or none.")
@click.option("--tenant", help="The client's tenant, or none.")
@options.config
def forget(patient: str, name: str | None, tenant: str | None, settings: Settings) -> int:
    """Delete all that is kept about one patient.

    PATIENT is the id by which CDS Clients name the patient. Where several clients know that id, they may mean
    different people: then say which client (and tenant). Open reviews of all patients end: users open theirs again
    from the EHR. Exit code 1 if nothing is kept.
    """
    from cds_service.app import open_store
    from cds_service.stores.retention import RetentionStore

    store = open_store(settings)
    try:
        retention = RetentionStore(store.database)
        holders = _chosen(retention.holders(patient), name, tenant, settings)
        if len(holders) > 1:
            under = "; ".join(f"client {h.client or 'none'}, tenant {h.tenant or 'none'}" for h in holders)
            raise InputError(f"that id is known under several holders: {under}. Say --client, and --tenant.")
        deleted = sum(retention.forget(patient, holder, SystemClock().now()) for holder in holders)
    finally:
        store.close()
    click.echo(f"{deleted} assessments deleted" if deleted else "nothing is kept about that patient")
    return 0 if deleted else 1


def _chosen(holders: Iterable[Holder], name: str | None, tenant: str | None, settings: Settings) -> list[Holder]:
    """Those that the options name. A client is not always in the settings: before there were any, or an old one."""
    found = list(holders)
    if name is not None:
        issuer = settings.clients[name].issuer if name in settings.clients else name
        if name not in settings.clients and name not in ("none", *(h.client for h in found)):
            known = ", ".join([*settings.clients, "none"])
            raise InputError(f"there is no client {name!r} in the settings. Known: {known}.")
        found = [h for h in found if h.client == issuer or (h.client is None and name == "none")]
    if tenant is not None:
        found = [h for h in found if h.tenant == tenant or (h.tenant is None and tenant == "none")]
    return found


@records.command()
@click.argument("file", type=options.FILE)
@options.config
def backup(file: Path, settings: Settings) -> None:
    """Copy a SQLite store into a new FILE while the service runs; for PostgreSQL use pg_dump.

    To restore: stop the service, put the copy in the store's place, remove its -wal and -shm files, start.
    """
    from cds_service.stores.database import Database
    from cds_service.stores.standing import back_up, require

    url = settings.store_url()
    require(url, newest=False)
    database = Database(url)
    try:
        back_up(database, file)
    finally:
        database.close()
    click.echo(f"copied to {file}, and read again: whole")


@records.command()
@click.argument("file", type=options.FILE)
def verify(file: Path) -> int:
    """Read a copy whole, before it is needed: every page of it, its schema, and its audit record.

    FILE is what `curbside records backup` wrote, or a store that nothing uses. Exit code 1 and a sentence for each
    fault. Note the line with the last entry's number and hash, as that of `curbside audit verify`.
    """
    from cds_service.cli.terminal import reading
    from cds_service.stores.audit import AuditStore
    from cds_service.stores.damage import damage
    from cds_service.stores.database import Database
    from cds_service.stores.standing import read_only, schema

    url = read_only(file)
    with reading(file) as now_and_then:
        faults = damage(file, now_and_then)
    if not faults:
        if (found := schema(url)) is None:
            raise InputError(f"{file} holds no store of Curbside's.")
        database = Database(url)
        try:
            verdict = AuditStore(database).verify()
        finally:
            database.close()
        faults = verdict.faults
        click.echo(f"schema {found}, {verdict.entries} entries in the audit record")
        click.echo(f"{verdict.entries}:{verdict.head}")
    for fault in faults:
        click.echo(fault)
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    click.echo("whole" if not faults else f"{count}: do not go back to this copy")
    return 1 if faults else 0
