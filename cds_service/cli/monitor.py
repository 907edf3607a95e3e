"""`curbside monitor`: what became of the services that are live, from the store, without a patient in it."""

from __future__ import annotations

import csv
import os
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cds_service.cli import options
from cds_service.errors import InputError, SettingsError
from cds_service.settings import Settings

if TYPE_CHECKING:
    from cds_service.monitoring import Alarm, Outcomes, Watched
    from cds_service.stores.assessments import AssessmentStore


@click.command()
@click.option("--since", type=options.Moment(), metavar="TIME", help="From then on; by default, all that is kept.")
@click.option("--outcomes", type=options.FILE, help="What is to be foreseen, as for `cohort backtest` (TOML).")
@click.option("--came", type=options.FILE, help="What came, as CSV with the columns patient, outcome, on.")
@click.option("--out", type=options.FILE, help="Write the counts by month and the alarms as JSON.")
@click.option("--fall-back", is_flag=True, help="Take back the sign-off of a model whose calibration left its range.")
@options.as_json
@options.config
@click.pass_context
def monitor(
    ctx: click.Context,
    since: datetime | None,
    outcomes: Path | None,
    came: Path | None,
    out: Path | None,
    fall_back: bool,
    as_json: bool,
    settings: Settings,
) -> int:
    """Counts by month, without any patient, and alarms (`[monitoring]`): run it every day; exit code 1 if any rings.

    Shift of inputs and estimates against the months before, missing inputs, answers to cards and their reasons, what
    was suppressed; with --outcomes and --came, observed over expected.
    """
    from cds_service import monitoring
    from cds_service.app import create_store
    from cds_service.stores.monitoring import MonitoringStore

    if (outcomes is None) != (came is None):
        raise InputError("give --outcomes and --came together: what is to be foreseen, and what came.")
    watched, until = _watched(outcomes) if outcomes is not None else ((), datetime.max.replace(tzinfo=UTC))
    known = _came(came) if came is not None else {}
    store = create_store(settings)
    try:
        reader = MonitoringStore(store.database)
        months = monitoring.count(reader.assessments(since), reader.answers(since), watched, known, until)
        alarms = monitoring.alarms(months, settings.monitoring)
        taken = _take_back(ctx, alarms, store, settings) if fall_back or settings.monitoring.fall_back else []
    finally:
        store.close()
    found = {"months": months, "alarms": alarms, "fallen_back": taken}
    if out is not None:
        beside = out.with_name(out.name + ".part")
        beside.write_bytes(_json(found))
        os.replace(beside, out)
    _say(found, as_json=as_json)
    return 1 if alarms else 0


def _json(found: Any) -> bytes:
    import orjson

    return orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS | orjson.OPT_SORT_KEYS)


def _say(found: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(_json(found).decode())
        return
    from cds_service.cli.terminal import table

    rows = [
        (name, service, str(n), str(month.with_cards[service]), str(month.suppressed[service]),
         str(month.answers.get(service, {}).get("accepted", 0)),
         str(month.answers.get(service, {}).get("overridden", 0)))
        for name, month in found["months"].items()
        for service, n in sorted(month.calls.items())
    ]  # fmt: skip
    table(("month", "service", "calls", "with a card", "suppressed", "accepted", "overridden"), rows)
    for alarm in found["alarms"]:
        click.echo(f"{click.style('alarm', fg='red')}  {alarm.month}  {alarm.words}")
    for model in found["fallen_back"]:
        click.echo(f"{model} is silent from the next start on: its sign-off was taken back (audit record).")
    if not found["alarms"]:
        click.echo("no alarm")


def _watched(path: Path) -> tuple[tuple[Watched, ...], datetime]:
    from cds_service.cohort.outcomes import read
    from cds_service.monitoring import Watched

    declared = read(path)
    found = tuple(Watched(name, one.id, one.within) for one in declared.outcomes for name in one.estimates)
    return found, declared.until


def _came(path: Path) -> Outcomes:
    found: dict[tuple[str, str], tuple[datetime, ...]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = csv.DictReader(stream)
            if rows.fieldnames is None or not {"patient", "outcome", "on"} <= set(rows.fieldnames):
                raise InputError(f"{path} must have the columns patient, outcome and on.")
            for number, row in enumerate(rows, 2):
                key = (row["patient"], row["outcome"])
                found[key] = (*found.get(key, ()), _day(f"{path}, line {number}", row["on"]))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as CSV ({type(error).__name__}). Give a CSV file in UTF-8.") from error
    return found


def _day(where: str, text: str) -> datetime:
    """The end of a day, so that an outcome on the day of the estimate counts as later."""
    try:
        return datetime.combine(date.fromisoformat(text[:10]), time(), UTC) + timedelta(days=1)
    except (TypeError, ValueError):
        raise InputError(f"{where}: on must be a date such as 2026-11-01.") from None


def _take_back(ctx: click.Context, alarms: list[Alarm], store: AssessmentStore, settings: Settings) -> list[str]:
    """Models whose sign-off was removed from the settings, each with an audit entry."""
    from cds_service import settings_file
    from cds_service.clock import SystemClock
    from cds_service.stores.audit import AuditStore, Entry

    path = options.settings_file(ctx)
    taken = []
    for alarm in alarms:
        model = alarm.what.split("/")[0]
        if alarm.kind != "observed-expected" or model not in settings.models.signed_off or model in taken:
            continue
        if path is None:
            raise SettingsError("settings: there is no settings file from which a sign-off could be taken back.")
        text = settings_file.without_sign_off(path.read_text(encoding="utf-8"), model)
        content = {"model": model, "version": settings.models.signed_off[model].version, "reason": alarm.words}
        entry = Entry("fall-back", SystemClock().now(), None, content)
        AuditStore(store.database).add(entry, lambda text=text: settings_file.write(path, text))  # type: ignore[misc]
        taken.append(model)
    return taken
