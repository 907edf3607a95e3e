"""`curbside hook`: one request through the whole pipeline, without HTTP."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import cast

import click
import orjson

from cds_service.cli import calls, options
from cds_service.cli.options import Json
from cds_service.errors import CurbsideError, InputError
from cds_service.fhir.times import parse
from cds_service.pipeline import Pipeline
from cds_service.protocol.request import decode
from cds_service.settings import Settings

_INDICATORS = ("critical", "warning", "info")
_OLD_DAYS = 60
_DATE = re.compile(rb'"((?:19|20)\d\d-\d\d-\d\d)(?=[T"])')
_NAMED = 3  # silent services are named up to this number, and counted beyond it


@click.command()
@click.argument("request_file", metavar="[REQUEST.json]", required=False, type=options.FILE)
@click.option("--sample", metavar="NAME", help="A sample patient that comes with Curbside.")
@click.option("--bundle", type=options.FILE, help="A patient's bundle; the prefetch is filled from it.")
@click.option("--service", metavar="ID", help="The service to call; without it, every service of the hook.")
@options.as_of
@click.option("--pretty", is_flag=True, help="Print the cards for a person.")
@options.as_json
@options.config
def hook(
    request_file: Path | None,
    sample: str | None,
    bundle: Path | None,
    service: str | None,
    as_of: datetime | None,
    pretty: bool,
    as_json: bool,
    settings: Settings,
) -> None:
    """Answer one hook request without HTTP and print the response.

    REQUEST.json is the body that a CDS Client would post; --sample and --bundle make it from a patient's record.
    A file may be packed with gzip; - is standard input. Without --as-of a record is judged as of today, a sample as of
    the day on which it was made.
    """
    if sum(x is not None for x in (request_file, sample, bundle)) != 1:
        raise click.UsageError("Give one of REQUEST.json, --sample NAME or --bundle BUNDLE.json.")
    if pretty and as_json:
        raise click.UsageError("Give --pretty or --json, not both.")
    record = None
    if request_file is None:
        record = options.read_bundle(calls.sample(sample) if sample else bundle or Path())
        as_of = as_of or (calls.written(record) if sample else None)
    from cds_service.app import create_pipeline

    pipeline = create_pipeline(settings, options.clock(as_of))
    if record is not None:
        if sample is None:
            _say_age(orjson.dumps(record), as_of)
        bodies = _calls(record, _called(pipeline, service, None))
    else:
        body = options.read_bytes(request_file or Path())
        _say_age(body, as_of)
        bodies = dict.fromkeys(_called(pipeline, service, None if service else _hook_of(body)), body)
    _show(_answers(pipeline, bodies), pretty=pretty)
    if service is not None and not settings.models.show_unvalidated:
        _say_silent(pipeline, service)


def _say_silent(pipeline: Pipeline, service: str) -> None:
    """One line on standard error for each trained model of a service that may not speak here, with the reason."""
    for model, why, services in pipeline.allowed():
        if service in services and not pipeline.validated(model):
            click.echo(f"curbside: {model.id} is computed, and nothing of it is shown: {why}", err=True)


def _say_age(body: bytes, as_of: datetime | None) -> None:
    """One line on standard error where a record is judged long after it was written, so that its values look old."""
    now = options.clock(as_of).now()
    spans = (parse(found.decode()) for found in set(_DATE.findall(body)))
    newest = max((span.start for span in spans if span is not None and span.start <= now), default=None)
    if as_of is None and newest is not None and (now - newest).days > _OLD_DAYS:
        click.echo(
            f"curbside: the newest date in the record is {newest:%Y-%m-%d} and it is judged as of today: what it holds "
            f"may be too old to count. --as-of {newest:%Y-%m-%d}T23:59:59Z judges it as of then.",
            err=True,
        )


def _calls(record: Json, entries: dict[str, Json]) -> dict[str, bytes]:
    """One request a service. Raises InputError if the only service wants what the bundle lacks."""
    made = {id_: calls.request(record, entry) for id_, entry in entries.items()}
    bodies = {id_: body for id_, body in made.items() if body is not None}
    if not bodies:
        raise InputError(
            f"{', '.join(made)}: the bundle holds no Encounter, or no order to verify. Give one, or call a "
            "patient-view service."
        )
    return bodies


def _hook_of(body: bytes) -> str:
    """The hook that a request names. Raises BadRequest where the body is no hook request."""
    return decode(body).hook


def _called(pipeline: Pipeline, service: str | None, hook: str | None) -> dict[str, Json]:
    """The discovery entries to call. Raises UnknownService."""
    entries = {entry["id"]: entry for entry in cast(list[Json], pipeline.discovery()["services"])}
    if service is not None:
        return {pipeline.desk(service).service.id: entries[service]}
    chosen = {id_: entry for id_, entry in entries.items() if hook is None or entry["hook"] == hook}
    if not chosen:
        hooks = ", ".join(sorted({entry["hook"] for entry in entries.values()}))
        raise InputError(f"no service answers the hook {hook!r}. Services are loaded for {hooks}.")
    return chosen


def _answers(pipeline: Pipeline, bodies: dict[str, bytes]) -> list[tuple[str, Json | CurbsideError]]:
    answers: list[tuple[str, Json | CurbsideError]] = []
    for id_, body in bodies.items():
        try:
            answers.append((id_, orjson.loads(pipeline.answer(id_, body))))
        except CurbsideError as error:
            answers.append((id_, error))
    return answers


def _show(answers: Sequence[tuple[str, Json | CurbsideError]], *, pretty: bool) -> None:
    """Prints what was answered. Raises the last refusal once the rest is shown."""
    refused = [(id_, a) for id_, a in answers if isinstance(a, CurbsideError)]
    given = [(id_, a) for id_, a in answers if not isinstance(a, CurbsideError)]
    if pretty:
        from cds_service.cli.terminal import Terminal

        terminal = Terminal()
        for id_, answer in sorted(given, key=lambda one: _urgency(one[1])):
            terminal.cards(answer, id_)
        silent = [id_ for id_, answer in given if not answer["cards"]]
        if silent:
            terminal.note(_silent(silent, len(given)))
    elif given:
        options.print_json({"cards": [card for _, answer in given for card in answer["cards"]]})
    for id_, error in refused[:-1]:
        click.echo(f"curbside: {id_}: {error}", err=True)
    if refused:
        id_, error = refused[-1]
        raise error if len(answers) == 1 else type(error)(f"{id_}: {error}")


def _urgency(answer: Json) -> int:
    """Orders answers for a reader: 0 for the most urgent card."""
    return min((_INDICATORS.index(card["indicator"]) for card in answer["cards"]), default=len(_INDICATORS))


def _silent(services: list[str], asked: int) -> str:
    """One short line about the services that were asked and have no card."""
    if len(services) <= _NAMED:
        return f"No card from {', '.join(services)}."
    return f"No card from {len(services)} of the {asked} services that were asked."
