"""`curbside cohort score` of one trained model without explanations: patients a second, memory, workers, Spark.

`python -m benchmarks.cohorts [--patients 2000] [--kilobytes 50] [--spark]` prints a Markdown table. CPU seconds are of
the command and all its processes, reading the export included; memory is that of its largest process. The goal is 300
patients a second and core at 50 KB a patient.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta
from pathlib import Path

import orjson

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


def scored(population: Path, folder: Path, *more: str) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and megabytes of one run."""
    out = folder / f"out-{time.monotonic_ns()}"
    given = ["cohort", "score", str(population), "--out", str(out), "--as-of", "2021-01-01T00:00:00Z", "--model",
             "mortality", *more]  # fmt: skip
    began = time.monotonic()
    process = subprocess.Popen([sys.executable, "-c", _COMMAND, *given], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("the command failed")
    return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


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
        start = scored(folder / "p1", folder)[1]
        print(f"Starting up takes {start:.1f} s of CPU and is left out of the patients a second.\n")
        print("| patients | engine | wall s | CPU s | patients/s and core | MB |\n|---:|---|---:|---:|---:|---:|")
        whole = str(sizes[-1])
        runs = [(sizes[1], ()), (sizes[2], ()), (sizes[2], ("--workers", "2"))]
        runs += [(sizes[2], ("--engine", "spark", "--master", "local[2]"))] if given.spark else []
        for size, more in runs:
            wall, cpu, memory = scored(folder / f"p{size}", folder, *more)
            begun = start * (3 if "--workers" in more else 1)
            engine = " ".join(more).removeprefix("--") or "one process"
            rate = size / max(cpu - begun, 0.01)
            print(
                f"| {size:>{len(whole)}} | {engine} | {wall:.1f} | {cpu:.1f} | {rate:.0f} | {memory:.0f} |", flush=True
            )


if __name__ == "__main__":
    main()
