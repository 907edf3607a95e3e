"""`curbside cohort score` of one trained model without explanations: patients a second, memory, workers, Spark.

`python -m benchmarks.cohorts [--patients 2000] [--kilobytes 50] [--spark]` prints a Markdown table. CPU seconds are of
the command and all its processes, reading the export included; memory is that of its largest process. The goal is 300
patients a second and core at 50 KB a patient. Beside each run the same bytes go through `json.loads` alone, in the same
minute, so that the last column hardly depends on what else the machine does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pyarrow.compute as pc
import pyarrow.parquet as pq

from cds_service.sandbox.population import write

_COMMAND = "from cds_service.cli import main; main()"


def padded(source: Path, out: Path, kilobytes: int) -> None:
    """The same population with each result repeated in the past until a patient has so many kilobytes."""
    out.mkdir()
    patients = sum(1 for _ in (source / "Patient.ndjson").open("rb"))
    size = sum(file.stat().st_size for file in source.iterdir()) / patients
    results = (source / "Observation.ndjson").stat().st_size / patients
    times = max(round((1000 * kilobytes - size) / results), 0)
    for file in source.iterdir():
        with file.open("rb") as lines, (out / file.name).open("wb") as target:
            for line in lines:
                target.write(line)
                for back in range(1, times + 1) if file.name == "Observation.ndjson" else ():
                    row = orjson.loads(line)
                    at = datetime.fromisoformat(row["effectiveDateTime"]) - timedelta(days=30 * back)
                    row |= {"id": f"{row['id']}-{back}", "effectiveDateTime": at.isoformat(), "issued": at.isoformat()}
                    target.write(orjson.dumps(row) + b"\n")


@dataclass(frozen=True)
class Run:
    """What one run took. wall, cpu: seconds. parsing: CPU seconds of `json.loads` over the same bytes, just before."""

    wall: float
    cpu: float
    megabytes: float
    parsing: float
    estimated: int


def scored(population: Path, folder: Path, *more: str) -> Run:
    """One run of the command."""
    parsing = parsed(population)
    out = folder / f"out-{time.monotonic_ns()}"
    given = ["cohort", "score", str(population), "--out", str(out), "--as-of", "2021-01-01T00:00:00Z", "--model",
             "mortality", *more]  # fmt: skip
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-c", _COMMAND, *given], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("the command failed")
    wall = time.monotonic() - began
    found = pq.read_table(out / "rows", columns=["patient", "kind"]).filter(pc.field("kind") == "estimate")
    estimated = len(found["patient"].unique())
    return Run(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, parsing, estimated)


def parsed(population: Path) -> float:
    """CPU seconds of `json.loads` over every line."""
    began = time.process_time()
    for file in sorted(population.iterdir()):
        with file.open("rb") as lines:
            for line in lines:
                json.loads(line)
    return time.process_time() - began


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=2000)
    parser.add_argument("--kilobytes", type=int, default=50)
    parser.add_argument("--spark", action="store_true", help="also on Apache Spark (needs Java 17)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes = (1, given.patients // 4, given.patients)
        for size in sizes:
            write(folder / f"plain-{size}", size, 1)
            padded(folder / f"plain-{size}", folder / f"p{size}", given.kilobytes)
        start = scored(folder / "p1", folder)
        print(f"Starting up takes {start.cpu:.1f} s of CPU ({start.wall:.1f} s) and is left out of the rates.\n")
        print("| patients | with an estimate | engine | wall s | CPU s | patients/s and core | MB | CPU ÷ json.loads |")
        print("|---:|---:|---|---:|---:|---:|---:|---:|")
        runs = [(sizes[1], ()), (sizes[2], ()), (sizes[2], ("--workers", "2"))]
        runs += [(sizes[2], ("--engine", "spark", "--master", "local[2]"))] if given.spark else []
        walls: dict[str, float] = {}
        for size, more in runs:
            run = scored(folder / f"p{size}", folder, *more)
            engine = " ".join(more).removeprefix("--") or "one process"
            walls[engine] = max(run.wall - start.wall, 0.01)
            _line(size, engine, run, start)
        print(f"\nTwo workers took {walls['workers 2'] / walls['one process']:.2f} of the time of one process.")
        if given.spark:
            ratio = walls["engine spark --master local[2]"] / walls["workers 2"]
            print(f"Spark with two cores took {ratio:.1f} times the time of two workers, its own start included.")


def _line(size: int, engine: str, run: Run, start: Run) -> None:
    cpu = max(run.cpu - start.cpu * (3 if engine.startswith("workers") else 1), 0.01)
    told = f"{run.cpu:.1f} | {size / cpu:.0f} | {run.megabytes:.0f} | {cpu / run.parsing:.1f}"
    if engine.startswith("engine spark"):  # Java and its workers are nobody's children: only the clock tells of them
        told = "– | – | – | –"
    print(f"| {size} | {run.estimated} | {engine} | {run.wall:.1f} | {told} |", flush=True)


if __name__ == "__main__":
    main()
