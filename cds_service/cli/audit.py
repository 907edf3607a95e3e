"""`curbside audit`: is the audit record whole, its entries for the site's own repository, and one answer's account."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

import click
import orjson

from cds_service.cli import options
from cds_service.settings import Settings


@click.group()
def audit() -> None:
    """Verify and export the audit record: append-only, each entry chained to the one before; account for one answer."""


class Noted(click.ParamType[tuple[int, str]]):
    """An entry's number and hash, as `curbside audit verify` prints them."""

    name = "ENTRY:HASH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, str]:
        """Number and hash."""
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d+):([0-9a-fA-F]{64})", value)
        if found is None:
            self.fail("is not what curbside audit verify prints, such as 1200:9f86d0...", param, ctx)
        return int(found[1]), found[2].lower()


@audit.command()
@click.option("--noted", type=Noted(), help="An entry that was printed earlier; tells a record that was made anew.")
@options.as_json
@options.config
def verify(noted: tuple[int, str] | None, as_json: bool, settings: Settings) -> int:
    """Look through the whole record. Exit code 1 and a sentence for each fault if it is not whole.

    Note the last entry's number and hash elsewhere: whoever can write to the database could make a whole new chain, but
    not one that holds the entry that you noted.
    """
    from cds_service.app import open_store
    from cds_service.stores.audit import AuditStore

    store = open_store(settings)
    try:
        verdict = AuditStore(store.database).verify(noted)
    finally:
        store.close()
    if as_json:
        rows = {"entries": verdict.entries, "emptied": verdict.emptied, "head": verdict.head}
        options.print_json({**rows, "faults": list(verdict.faults)})
    else:
        for fault in verdict.faults:
            click.echo(fault)
        count = len(verdict.faults)
        state = "whole" if not count else "1 fault" if count == 1 else f"{count} faults"
        click.echo(f"{verdict.entries} entries, content of {verdict.emptied} deleted: {state}")
        if verdict.entries:
            click.echo(f"{verdict.entries}:{verdict.head}")
    return 1 if verdict.faults else 0


@audit.command()
@click.option("--since", type=options.Moment(), help="Entries from then on.")
@click.option("--after", type=click.IntRange(0), default=0, metavar="NUMBER", help="Entries after that one.")
@options.config
def export(since: datetime | None, after: int, settings: Settings) -> None:
    """Print the entries as FHIR R4 AuditEvents, one JSON object a line (NDJSON).

    For a daily export name the last one that was exported, 1200 for curbside-1200: numbers have no gaps, and times go
    back where the machine's clock was set back.
    """
    from cds_service.app import open_store
    from cds_service.fhir.audit_event import audit_event
    from cds_service.stores.audit import AuditStore

    store = open_store(settings)
    try:
        for entry in AuditStore(store.database).entries(since, after):
            event = audit_event(entry.seq, entry.at, entry.kind, entry.subject, entry.hash, entry.content)
            click.echo(orjson.dumps(event).decode())
    finally:
        store.close()


@audit.command()
@click.argument("answer", type=click.UUID)
@options.as_json
@options.config
def show(answer: UUID, as_json: bool, settings: Settings) -> int:
    """Account for one answer: why a card was shown, on what, to whom, and what became of it.

    ANSWER is the uuid of a card, or the id of a stored assessment. What is printed is what was kept at that moment:
    inputs with their resources, estimates and what they add up from, rows of the knowledge, versions, feedback and
    audit entries; and whether the answer can be given again. Exit code 1: it cannot. It holds the patient's data.
    """
    from cds_service import account
    from cds_service.app import create_pipeline, load_registry, open_store
    from cds_service.cli.accounting import tell

    store = open_store(settings)
    try:
        loaded = load_registry(settings)
        found = account.account(create_pipeline(settings, loaded=loaded), loaded, settings, store, answer)
    finally:
        store.close()
    if as_json:
        options.print_json(found)
    else:
        tell(found)
    return 0 if found.state == "same" else 1
