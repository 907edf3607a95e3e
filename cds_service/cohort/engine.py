"""The default engine: a pool of processes, each with its own models, over parts of a population."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from cds_service.cohort import output
from cds_service.cohort.patients import Loaded, load
from cds_service.cohort.spool import Spool

PART = 500  # patients a part: a few megabytes of rows, and what is lost if the run is interrupted


class Maker(Protocol):
    """Makes the rows of patients. row: their dataclass."""

    row: type

    def score(self, loaded: Loaded) -> Iterator[Any]:
        """The rows of one patient."""
        ...


Make = Callable[[], Maker]


@dataclass(frozen=True, slots=True)
class Job:
    """Where the population is and how its scorer is made. make: importable, so that a process can call it."""

    spool: Path
    rows: Path
    make: Make
    listed: frozenset[str]


def run(job: Job, workers: int, scorer: Maker, advance: Callable[[int], None] | None = None) -> int:
    """Scores all parts that are not there yet; the number of patients.

    scorer: of this process, for one worker. advance: is told how many are done.
    """
    spool = Spool(job.spool)
    patients = spool.patients()
    spool.close()
    job.rows.mkdir(exist_ok=True)
    parts = [(n, patients[i : i + PART]) for n, i in enumerate(range(0, len(patients), PART))]
    todo = [(number, ids) for number, ids in parts if not _file(job, number).exists()]
    done = sum(len(ids) for number, ids in parts if _file(job, number).exists())
    if advance is not None and done:
        advance(done)
    for count in _alone(job, todo, scorer) if workers == 1 else _pooled(job, todo, workers):
        if advance is not None:
            advance(count)
    return len(patients)


def _alone(job: Job, parts: Sequence[tuple[int, list[str]]], scorer: Maker) -> Iterator[int]:
    process = _Process(job, Spool(job.spool), scorer)
    for number, ids in parts:
        yield process.part(number, ids)
    process.spool.close()


def _pooled(job: Job, parts: Sequence[tuple[int, list[str]]], workers: int) -> Iterator[int]:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _begin, (job,)) as pool:
        waiting: set[Future[int]] = set()
        for number, ids in parts:
            if len(waiting) >= 2 * workers:
                ended, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in ended)
            waiting.add(pool.submit(_part, number, ids))
        yield from (future.result() for future in waiting)


def _file(job: Job, number: int) -> Path:
    return job.rows / f"part-{number:06}.parquet"


@dataclass(frozen=True, slots=True)
class _Process:
    """What a process keeps between parts."""

    job: Job
    spool: Spool
    scorer: Maker

    def part(self, number: int, ids: Sequence[str]) -> int:
        """Scores one part and writes it; the number of patients."""
        rows: list[Any] = []
        for id_ in ids:
            rows.extend(self.scorer.score(load(self.spool, id_, self.job.listed)))
        output.write_rows(_file(self.job, number), rows, self.scorer.row)
        return len(ids)


_process: _Process | None = None


def _begin(job: Job) -> None:
    global _process  # one a process: the pool's initializer has no other place for it
    _process = _Process(job, Spool(job.spool), job.make())


def _part(number: int, ids: Sequence[str]) -> int:
    assert _process is not None
    return _process.part(number, ids)
