"""`curbside monitor`: what became of the services that are live, from the store, without a patient in it."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cds_service.cli import options
from cds_service.errors import InputError
from cds_service.settings import Settings

if TYPE_CHECKING:
    from cds_service.monitoring import Alarm, Monitored, Month, Outcomes, Watched
    from cds_service.stores.assessments import AssessmentStore
    from cds_service.stores.fallen_back import FallBackStore, FallenBack


_SHOWN = 6  # months


@click.command()
@click.option("--since", type=options.Moment(), metavar="TIME", help="From then on; by default, all that is kept.")
@click.option("--outcomes", type=options.FILE, help="What is to be foreseen, as for `cohort backtest` (TOML).")
@click.option("--came", type=options.FILE, help="What came, as CSV with the columns patient, outcome, on.")
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="The day up to which --came is complete; by default, `until` of --outcomes.",
)
@click.option("--out", type=options.FILE, help="Write the counts by month and the alarms as JSON.")
@click.option("--fall-back", is_flag=True, help="Silence a model whose observed over expected left its range.")
@click.option("--lift", metavar="MODEL", help="Let a model speak again that was silenced so; with --by.")
@click.option("--by", metavar="NAME", help="With --lift: who answers for it, name and role.")
@options.as_json
@options.config
def monitor(
    since: datetime | None,
    outcomes: Path | None,
    came: Path | None,
    until: datetime | None,
    out: Path | None,
    fall_back: bool,
    lift: str | None,
    by: str | None,
    as_json: bool,
    settings: Settings,
) -> int:
    """Counts by month, without any patient, and alarms (`[monitoring]`): run it every day; exit code 1 if any rings.

    Shift of inputs and estimates against the months before, missing inputs, answers to cards and their reasons, what
    was suppressed, how long answers took; with --outcomes and --came, observed over expected. The review app's
    governance view and /metrics show the latest run.
    """
    from cds_service.app import open_store

    if (outcomes is None) != (came is None):
        raise InputError("give --outcomes and --came together: what is to be foreseen, and what came.")
    if until is not None and came is None:
        raise InputError("give --until with --outcomes and --came: it says up to which day it is known what came.")
    if (lift is None) != (by is None) or (by is not None and not by.strip()):
        raise InputError("give --lift MODEL and --by NAME together: what may speak again, and who answers for it.")
    store = open_store(settings)
    try:
        if lift is not None and by is not None:
            return _lift(store, lift, by.strip())
        given = _outcomes(outcomes, came, until)
        with options.writing(out) if out is not None else nullcontext():
            run, silent = _run(store, settings, given, since, fall_back or settings.monitoring.fall_back)
            if out is not None:
                beside = out.with_name(out.name + options.PART)
                beside.write_bytes(_json(run, silent))
                os.replace(beside, out)
    finally:
        store.close()
    _say(run, silent, as_json=as_json)
    return 1 if run.alarms else 0


def _run(
    store: AssessmentStore, settings: Settings, given: _Given, since: datetime | None, fall_back: bool
) -> tuple[Monitored, tuple[FallenBack, ...]]:
    """Counts, rings and silences; kept for the pages unless only a part was looked at."""
    from cds_service import monitoring
    from cds_service.clock import SystemClock
    from cds_service.stores.fallen_back import FallBackStore
    from cds_service.stores.monitoring import MonitoringStore

    reader, kept = MonitoringStore(store.database), FallBackStore(store.database)
    months = monitoring.count(
        reader.assessments(since), reader.answers(since), given.watched, given.known, given.until, reader.worded(since)
    )
    if since is None and (before := kept.counts()) is not None:
        earlier = monitoring.from_json(before[1]).months
        if not given.watched:
            months = monitoring.judged_before(earlier, months)
        months = monitoring.merged(earlier, months)
    lifted = {one.model: f"{one.lifted_at:%Y-%m}" for one in kept.every() if one.lifted_at is not None}
    now = SystemClock().now()
    months = _begun(months, now)
    run = monitoring.Monitored(months, tuple(monitoring.alarms(months, settings.monitoring, lifted)))
    if fall_back:
        _silence(kept, run.alarms, now)
    if since is None:
        kept.keep_counts(now, monitoring.to_json(run))
    return run, kept.in_force()


def _begun(months: dict[str, Month], now: datetime) -> dict[str, Month]:
    """The months that have begun: a later one, of a clock that ran ahead, would be the latest for years."""
    later = [name for name in months if name > f"{now:%Y-%m}"]
    if later:
        click.echo(
            f"calls of {', '.join(later)} are left out: their time is still to come, so a clock ran ahead", err=True
        )
    return {name: month for name, month in months.items() if name not in later}


def _silence(kept: FallBackStore, alarms: Iterable[Alarm], now: datetime) -> None:
    from cds_service.stores.fallen_back import FallenBack

    for alarm in alarms:
        if alarm.kind == "observed-expected":
            kept.silence(FallenBack(alarm.about, alarm.version, now, alarm.message))


def _lift(store: AssessmentStore, model: str, by: str) -> int:
    from cds_service.clock import SystemClock
    from cds_service.stores.fallen_back import FallBackStore

    kept = FallBackStore(store.database)
    silent = ", ".join(one.model for one in kept.in_force()) or "none"
    if not kept.lift(model, by, SystemClock().now()):
        raise InputError(f"{model} did not fall back to silence. Silent now: {silent}.")
    click.echo(f"{model} may speak again (audit record: {by}); running workers follow within a minute.")
    return 0


def _json(run: Monitored, silent: Iterable[FallenBack]) -> bytes:
    import orjson

    from cds_service.monitoring import to_json

    found: dict[str, Any] = orjson.loads(to_json(run))
    for alarm, rung in zip(found["alarms"], run.alarms, strict=True):
        alarm["words"] = rung.words
        del alarm["message"]
    found["silent"] = [{**asdict(one), "reason": str(one.reason)} for one in silent]
    return orjson.dumps(found, option=orjson.OPT_INDENT_2)


def _say(run: Monitored, silent: Iterable[FallenBack], *, as_json: bool) -> None:
    if as_json:
        click.echo(_json(run, silent).decode())
        return
    from cds_service.cli.terminal import table

    rows = [
        (name, service, str(n.calls), str(n.with_cards), str(n.suppressed), str(n.answers.get("accepted", 0)),
         str(n.answers.get("overridden", 0)))
        for name, month in list(run.months.items())[-_SHOWN:]
        for service, n in month.services().items()
    ]  # fmt: skip
    if not rows:
        click.echo("No call is kept in the store: there is nothing to count yet.")
        return
    table(("month", "service", "calls", "with a card", "suppressed", "accepted", "overridden"), rows)
    if len(run.months) > _SHOWN:
        click.echo(f"({len(run.months) - _SHOWN} earlier months: --out FILE or --json)")
    for alarm in run.alarms:
        click.echo(f"{click.style('alarm', fg='red')}  {alarm.month}  {alarm.words}")
    if not run.alarms:
        click.echo("no alarm")
    for one in silent:
        click.echo(
            f"{click.style('silent', fg='yellow')}  {one.model} {one.version} since {one.at:%Y-%m-%d %H:%M} UTC: "
            f"{one.reason}\n        To let it speak again: curbside monitor --lift {one.model} --by NAME"
        )


@dataclass(frozen=True, slots=True)
class _Given:
    """What is foreseen, what came, and up to when that is known."""

    watched: tuple[Watched, ...]
    known: Outcomes
    until: datetime


def _outcomes(declared: Path | None, came: Path | None, complete: datetime | None) -> _Given:
    if declared is None or came is None:
        return _Given((), {}, datetime.max.replace(tzinfo=UTC))
    watched, until = _watched(declared)
    until = complete.replace(tzinfo=UTC) if complete is not None else until
    known = _came(came)
    strange = sorted({outcome for _, outcome in known} - {one.outcome for one in watched})
    if strange:
        foreseen = ", ".join(dict.fromkeys(one.outcome for one in watched))
        raise InputError(f"{came}: {strange[0]!r} is not an outcome of {declared}. It foresees: {foreseen or 'none'}.")
    return _Given(watched, known, until)


def _watched(path: Path) -> tuple[tuple[Watched, ...], datetime]:
    from cds_service.cohort.outcomes import read
    from cds_service.monitoring import Watched

    declared = read(path)
    found = tuple(Watched(name, one.id, one.within) for one in declared.outcomes for name in one.estimates)
    return found, declared.until


def _came(path: Path) -> Outcomes:
    found: dict[tuple[str, str], list[datetime]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = csv.DictReader(stream)
            if rows.fieldnames is None or not {"patient", "outcome", "on"} <= set(rows.fieldnames):
                raise InputError(f"{path} must have the columns patient, outcome and on.")
            for number, row in enumerate(rows, 2):
                key = (row["patient"], row["outcome"] or "")
                if not all(key):
                    raise InputError(f"{path}, line {number}: patient and outcome must both be there.")
                found.setdefault(key, []).append(_day(f"{path}, line {number}", row["on"]))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as CSV ({type(error).__name__}). Give a CSV file in UTF-8.") from error
    return {key: tuple(days) for key, days in found.items()}


def _day(where: str, text: str) -> datetime:
    """The end of a day, so that an outcome on the day of the estimate counts as later."""
    try:
        return datetime.combine(date.fromisoformat(text[:10]), time(), UTC) + timedelta(days=1)
    except (TypeError, ValueError, OverflowError):  # the last: 9999-12-31, which some write for "no day"
        raise InputError(f"{where}: on must be a date such as 2026-11-01.") from None
