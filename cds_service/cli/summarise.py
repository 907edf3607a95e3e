"""`curbside summarise`: the cited summary of one patient's bundle."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import cast

import click

from cds_service.cli import calls, options
from cds_service.errors import InputError
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.times import exact
from cds_service.protocol.request import decode
from cds_service.settings import Settings
from cds_service.summary.facts import Fact
from cds_service.summary.general import General


@click.command()
@click.argument("bundle", metavar="BUNDLE.json", type=options.FILE)
@click.option("--service", metavar="ID", help="Choose and order the lines as this service does.")
@options.as_of
@options.language
@options.as_json
@options.config
def summarise(
    bundle: Path,
    service: str | None,
    as_of: datetime | None,
    language: str | None,
    as_json: bool,
    settings: Settings,
) -> None:
    """Print the cited summary of a patient's bundle: each line with the resources that say so.

    Without --service, documents of the bundle (DocumentReference, DiagnosticReport, Binary) are read too: what they
    state, where they contradict the lists, and which could not be read.
    """
    from cds_service.language import msg, words
    from cds_service.summary.headings import HEADINGS

    lines, left_out, general = _lines(options.read_bundle(bundle), service, as_of, settings)
    say = words(language or settings.cards.language)
    if as_json:
        rows = [
            {
                "id": f.id or f"F{number}",
                "text": say(f.text),
                "cites": list(f.references),
                "kind": f.kind,
                "effective": exact(f.effective),
                "status": f.status,
                "certainty": f.certainty,
                "about": f.about,
            }
            for number, f in enumerate(lines, 1)
        ]
        known = [
            {"text": one.text(say), "row": one.row.id, "source": one.source, "url": one.row.url} for one in general
        ]
        options.print_json({"lines": rows, "left_out": left_out, **({"general": known} if known else {})})
        return
    for number, fact in enumerate(lines):
        if number == 0 or lines[number - 1].kind != fact.kind:
            click.secho(f"{chr(10) if number else ''}{say(HEADINGS[fact.kind])}", bold=True)
        cited = f"  [{', '.join(fact.references)}]" if fact.references else ""
        click.echo(f"  {say(fact.text)}{click.style(cited, dim=True)}")
    for one in general:
        label = say(msg("General knowledge, not about this patient:"))
        click.echo(f"\n{label} {one.text(say)}{click.style(f'  [{one.source}]', dim=True)}")
    if left_out:
        more = "One more line" if left_out == 1 else f"{left_out} more lines"
        click.secho(f"({more} did not fit; --service chooses what comes first.)", dim=True)


def _lines(
    bundle: options.Json, service: str | None, as_of: datetime | None, settings: Settings
) -> tuple[tuple[Fact, ...], int, tuple[General, ...]]:
    """The lines for a service, or all facts of the record without one; how many it left out; general knowledge."""
    clock = options.clock(as_of)
    if service is None:
        return _whole(bundle, calls.record(bundle, clock.now(), settings.codes)), 0, ()
    from cds_service.app import create_pipeline

    pipeline = create_pipeline(settings, clock)
    desk = pipeline.desk(service)
    entries = {entry["id"]: entry for entry in cast(list[options.Json], pipeline.discovery()["services"])}
    body = calls.request(bundle, entries[service])
    if body is None:
        raise InputError(f"{service}: the bundle holds no Encounter. Give one, or choose a patient-view service.")
    summary = pipeline.assess(desk, decode(body)).summary
    return summary.lines, summary.left_out, summary.beside


def _whole(bundle: options.Json, record: PatientRecord) -> tuple[Fact, ...]:
    """All facts of the record and of its documents; a document that could not be read is a line that says so."""
    from cds_service.documents.reading import of_bundle
    from cds_service.documents.statements import contradictions, statements, unread, with_documents
    from cds_service.summary.collecting import everything
    from cds_service.summary.facts import KINDS

    documents = of_bundle(bundle, record)
    found = with_documents(everything(record), contradictions(record, documents), statements(documents))
    return tuple(sorted((*found, *unread(documents)), key=lambda fact: KINDS.index(fact.kind)))
