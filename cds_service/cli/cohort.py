"""`curbside cohort`: whole populations, scored and replayed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
    from cds_service.cohort.scoring import Choice

    if (as_of is None) == (not at_encounters):
        raise InputError("give either --as-of TIME or --at-encounters.")
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
        raise InputError(f"there is no Patient in {path}. Nothing was written.")
    output.write_problems(folder / "problems.parquet", problems)
    output.finish(folder, out)
    said = f"; {len(problems)} could not be read (problems.parquet)" if problems else ""
    click.echo(f"{count} patients scored into {out}{said}.")


def _local(path: Path, folder: Path, make: Callable[[], Any], workers: int, scorer: Any) -> tuple[int, list[Any]]:
    from cds_service.cohort import engine
    from cds_service.cohort.spool import Spool, files_of

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
