"""`curbside cohort`: whole populations, scored and replayed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from cds_service import __version__
from cds_service.cli import options
from cds_service.errors import InputError
from cds_service.settings import Settings

FOLDER: Any = click.Path(path_type=Path)


@click.group()
def cohort() -> None:
    """Score a population, or replay hooks over it as an EHR would have called them."""


@cohort.command()
@click.argument("path", type=FOLDER)
@click.option("--out", type=FOLDER, required=True, help="A new folder for the results (Parquet).")
@options.as_of
@click.option("--at-encounters", is_flag=True, help="Score at the start of each encounter, not at one moment.")
@click.option("--model", "models", multiple=True, help="Only this model; may be given several times.")
@click.option("--service", "services", multiple=True, help="Only this service; may be given several times.")
@click.option("--explain-from", type=float, default=2.0, help="Keep explanations from this probability on; 0 for all.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, help="Processes of the default engine.")
@click.option("--engine", type=click.Choice(["local", "spark"]), default="local", help="spark: Apache Spark.")
@click.option("--master", default="local[*]", help="Spark's master.")
@options.config
def score(
    path: Path,
    out: Path,
    as_of: datetime | None,
    at_encounters: bool,
    models: tuple[str, ...],
    services: tuple[str, ...],
    explain_from: float,
    workers: int,
    engine: str,
    master: str,
    settings: Settings,
) -> None:
    """Every model and service over a population: FHIR Bulk Data (NDJSON) or a folder of bundles at PATH."""
    _needs("pyarrow", "cohort")
    from cds_service.cohort import output
    from cds_service.cohort.files import files_of
    from cds_service.cohort.scoring import Choice

    if (as_of is None) == (not at_encounters):
        raise InputError("give either --as-of TIME or --at-encounters.")
    files_of(path)  # a wrong path leaves no folder behind
    choice = Choice(models, services, as_of, explain_from)
    make = partial(make_scorer, settings, choice)
    scorer = make()  # wrong ids, settings or weights are told now, not in a process far away
    folder = output.working(out)
    run = {"curbside": __version__, "path": path.resolve(), "choice": repr(choice), "engine": engine}
    output.claim(folder, run)
    if engine == "spark":
        count, problems = _spark(path, folder, make, master)
    else:
        count, problems = _local(path, folder, make, workers, scorer)
    if not count:
        output.abandon(folder)
        raise InputError(f"there is no Patient in {path}. Nothing was written.")
    output.write_problems(folder / "problems.parquet", problems)
    output.finish(folder, out)
    said = f"; {len(problems)} lines or files are not in it: problems.parquet says which, and why" if problems else ""
    click.echo(f"{count} patients scored into {out}{said}.")


@cohort.command()
@click.argument("path", type=FOLDER)
@click.option("--outcomes", type=options.FILE, required=True, help="What is to be foreseen (TOML; docs/go-live.md).")
@click.option("--out", type=FOLDER, required=True, help="A new folder for the report and its rows.")
@click.option("--service", "services", multiple=True, help="Only this service; may be given several times.")
@click.option("--at-most-per-day", type=click.FloatRange(min=0, min_open=True), help="Plan thresholds for each ward.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, help="Processes.")
@options.config
def backtest(
    path: Path,
    outcomes: Path,
    out: Path,
    services: tuple[str, ...],
    at_most_per_day: float | None,
    workers: int,
    settings: Settings,
) -> None:
    """Replay the hooks of a population at PATH through time, and judge them by what happened later.

    Writes report.html and report.pdf, figures.json and the rows (Parquet). Nobody sees a card.
    """
    for module in ("pyarrow", "matplotlib", "fpdf"):
        _needs(module, "cohort")
    from cds_service.cohort import output
    from cds_service.cohort.files import files_of
    from cds_service.cohort.outcomes import read

    declared = read(outcomes)
    make = partial(make_backtester, settings, declared, services)
    backtester = make()
    files_of(path)  # a wrong path leaves no folder behind
    folder = output.working(out)
    run = {"curbside": __version__, "path": path.resolve(), "outcomes": repr(declared), "services": services}
    output.claim(folder, {**run, "settings": repr(settings)})
    count, problems = _local(path, folder, make, workers, backtester)
    if not count:
        output.abandon(folder)
        raise InputError(f"there is no Patient in {path}. Nothing was written.")
    output.write_problems(folder / "problems.parquet", problems)
    sentence = _report(folder, declared, outcomes, settings, len(problems), at_most_per_day)
    output.finish(folder, out)
    click.echo(f"{count} patients replayed: {sentence}. The report: {out / 'report.html'}, {out / 'report.pdf'}.")


def _report(
    folder: Path, declared: Any, outcomes: Path, settings: Settings, unread: int, at_most_per_day: float | None
) -> str:
    """Writes the report beside the rows; what to say of it."""
    from cds_service.app import load_registry
    from cds_service.clock import SystemClock
    from cds_service.cohort import figures, judging, report, report_files, tables

    collected = tables.collect(folder / "rows", declared)
    if not collected.encounters:
        raise InputError(
            "no encounter of the population calls a hook that is judged, before `until`. Nothing was written; see "
            "docs/go-live.md on which encounters call which hook."
        )
    judged = [judging.judge(one, at_most_per_day) for one in collected.estimates]
    about = figures.about(load_registry(settings), settings, declared, collected, outcomes.read_bytes())
    today = SystemClock().now().date().isoformat()
    about = replace(about, unread=unread, at_most_per_day=at_most_per_day, made=today)
    made = report.build(about, judged, collected.services)
    (folder / "report.html").write_bytes(report_files.to_html(made))
    (folder / "report.pdf").write_bytes(report_files.to_pdf(made))
    (folder / "figures.json").write_bytes(figures.to_json(made.facts, judged, collected.services))
    return f"{sum(collected.encounters.values())} calls of hooks, {len(judged)} kinds of estimates judged"


def make_backtester(settings: Settings, declared: Any, services: tuple[str, ...]) -> Any:
    """What replays patients, with this installation's models and services; importable, as `make_scorer` is."""
    from cds_service.app import create_pipeline, load_registry
    from cds_service.cohort.backtest import Backtester
    from cds_service.risk.model import is_on

    loaded = load_registry(settings)
    on = {id_: model for id_, model in loaded.models.items() if is_on(model, settings.models.enabled)}
    return Backtester(create_pipeline(settings, loaded=loaded), on, declared, services)


def _local(path: Path, folder: Path, make: Callable[[], Any], workers: int, scorer: Any) -> tuple[int, list[Any]]:
    from cds_service.cohort import engine
    from cds_service.cohort.files import files_of
    from cds_service.cohort.spool import Spool

    spool = Spool(folder / "spool.db", writable=True)
    with _progress("Reading files", len(files_of(path))) as advance:
        spool.fill(path, lambda: advance(1))
    listed, problems, patients = spool.types(), spool.problems(), len(spool.patients())
    spool.close()
    job = engine.Job(folder / "spool.db", folder / "rows", make, listed)
    with _progress("Scoring patients", patients) as advance:
        return engine.run(job, workers, scorer, advance), problems


def _spark(path: Path, folder: Path, make: Callable[[], Any], master: str) -> tuple[int, list[Any]]:
    from cds_service.cohort import spark

    rows = folder / "rows"
    if rows.exists():
        raise InputError(f"{folder} holds results of an interrupted run. Remove it, and start again.")
    return spark.run(path, rows, make, master=master)


def make_scorer(settings: Settings, choice: Any) -> Any:
    """A scorer with this installation's models and services; importable, so that any process can make one."""
    from cds_service.app import create_pipeline, load_registry
    from cds_service.cohort.scoring import Scorer
    from cds_service.risk.model import is_on

    loaded = load_registry(settings)
    on = {id_: model for id_, model in loaded.models.items() if is_on(model, settings.models.enabled)}
    return Scorer(create_pipeline(settings, loaded=loaded), on, choice)


def _needs(module: str, extra: str) -> None:
    if find_spec(module) is None:
        raise InputError(f"{module} is not installed. Install curbside with the extra {extra}: curbside[{extra}].")


@contextmanager
def _progress(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal; silence in a pipe."""
    if not sys.stderr.isatty():
        yield lambda count: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(file=sys.stderr)) as bars:
        task = bars.add_task(title, total=total)
        yield lambda count: bars.advance(task, count)
