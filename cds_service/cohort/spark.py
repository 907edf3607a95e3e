"""The same scoring on Apache Spark, for populations beyond one machine: resources are shuffled to their patient.

Each task makes its own scorer and sees one patient at a time. Needs the extra `spark` and Java 17.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

from cds_service.cohort import output
from cds_service.cohort.files import UNREADABLE, Keyed, Problem, broken_off, files_of, keyed_file
from cds_service.cohort.patients import Loaded, decoded, wanted
from cds_service.cohort.scoring import Scored, Scorer
from cds_service.cohort.spool import SECOND_PATIENT, Row
from cds_service.errors import CurbsideError, InputError

_ROWS = 10_000  # a file
Make = Callable[[], Scorer]


class SparkMissing(CurbsideError):
    """PySpark, or Java, is not there."""


def run(folder: Path, rows: Path, make: Make, *, master: str = "local[*]") -> tuple[int, list[Problem]]:
    """Scores a population with Spark; the number of patients and what could not be read.

    rows: the folder for Parquet parts, which must be empty. master: Spark's, such as `local[*]`, `yarn`,
    `spark://host:7077`; on a cluster the folder must be a path that every worker sees. Raises InputError, SparkMissing.
    """
    files = files_of(folder)
    if not files:
        raise InputError(f"there is no FHIR file in {folder}. Give a folder of .ndjson or .json files.")
    context = _context(master)
    try:
        keyed = _keyed(context, folder, files).cache()
        aside = keyed.flatMap(_aside).distinct().collect()
        problems = [Problem(*found) for kind, found in aside if kind == "problem"]
        shared = context.broadcast({found[0]: found[1:] for kind, found in aside if kind == "shared"})
        listed = frozenset(found for kind, found in aside if kind == "type")
        by_patient = keyed.filter(lambda k: k.patient is not None).map(lambda k: (k.patient, (k.order, k)))
        grouped = by_patient.groupByKey(context.defaultParallelism).filter(_is_known)
        grouped = grouped.sortByKey(numPartitions=context.defaultParallelism).cache()
        twice = grouped.map(lambda pair: list(_twice(pair))).collect()
        patients = len(twice)
        problems += [problem for found in twice for problem in found]
        place = rows.resolve()
        place.mkdir(parents=True, exist_ok=True)
        grouped.foreachPartition(lambda part: _write(place, _score(part, make, shared.value, listed)))
    finally:
        context.stop()
    return patients, sorted(problems, key=lambda p: (p.file, p.line))


def _context(master: str) -> Any:
    try:
        from pyspark import SparkConf, SparkContext
    except ImportError as error:
        raise SparkMissing(
            "PySpark is not installed. Install curbside with the extra spark: curbside[spark]."
        ) from error
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    try:
        conf = SparkConf().setMaster(master).setAppName("curbside cohort")
        conf.set("spark.ui.enabled", "false").set("spark.ui.showConsoleProgress", "false")
        conf.set("spark.driver.host", "127.0.0.1" if master.startswith("local") else _host())
        context = SparkContext(conf=conf)
    except Exception as error:
        raise SparkMissing(f"Spark could not be started ({type(error).__name__}). It needs Java 17.") from error
    context.setLogLevel("ERROR")
    return context


def _host() -> str:
    import socket

    return socket.gethostname()


def _keyed(context: Any, folder: Path, files: list[Path]) -> Any:
    """Every resource with its patient, in the order in which the default engine reads them; a file is one task's."""
    named = [(number, str(file.resolve()), str(file.relative_to(folder))) for number, file in enumerate(files)]
    return context.parallelize(named, min(len(named), 4 * context.defaultParallelism)).flatMap(_read)


def _read(item: tuple[int, str, str]) -> Iterator[Keyed]:
    number, path, name = item
    try:
        yield from keyed_file(Path(path), name, number)
    except UNREADABLE as error:
        yield broken_off(name, number, error)


def _aside(found: Keyed) -> Iterator[tuple[str, Any]]:
    """What the driver needs of a resource: a problem, a resource that belongs to nobody, a type of the patients'."""
    if found.problem is not None:
        yield "problem", found.problem
    elif found.patient is not None:
        yield "type", found.type
    elif found.name:
        yield "shared", (found.name, found.body, found.url)


def _is_known(pair: tuple[str, Iterable[tuple[tuple[int, int], Keyed]]]) -> bool:
    """True for a patient with a Patient resource."""
    return any(found.type == "Patient" for _, found in pair[1])


def _twice(pair: tuple[str, Iterable[tuple[tuple[int, int], Keyed]]]) -> Iterator[Problem]:
    """The problems of a patient who stands there more than once."""
    people = [k for _, k in sorted(pair[1], key=lambda one: one[0]) if k.type == "Patient"]
    for again in people[1:]:
        if again.body != people[0].body:
            yield Problem(again.file, again.line, SECOND_PATIENT)


def _score(
    part: Iterable[tuple[str, Iterable[tuple[tuple[int, int], Keyed]]]],
    make: Make,
    shared: dict[str, tuple[bytes, str | None]],
    listed: frozenset[str],
) -> Iterator[Scored]:
    scorer: Scorer | None = None
    for patient, found in part:
        scorer = scorer or make()
        rows = [Row(k.body, k.url) for _, k in sorted(found, key=lambda pair: pair[0])]
        resources, urls, bad = decoded(rows)
        more = [Row(*shared[name]) for name in wanted(resources) if name in shared]
        extra, extra_urls, extra_bad = decoded(more)
        loaded = Loaded(patient, (*resources, *extra), (*urls, *extra_urls), bad + extra_bad, listed)
        yield from scorer.score(loaded)


def _write(place: Path, scored: Iterator[Scored]) -> None:
    """Writes what one task scored, a part at a time; a task that is tried again writes the same files."""
    from pyspark import TaskContext

    number = TaskContext.get().partitionId()  # type: ignore[union-attr]
    for part in count():
        rows = list(islice(scored, _ROWS))
        if not rows:
            return
        output.write_rows(place / f"part-{number:06}-{part:06}.parquet", rows, Scored)
