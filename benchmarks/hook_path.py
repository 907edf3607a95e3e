"""The served hook path beside (a) plain Flask + json and (b) the least script with a model, interleaved in one run.

`python -m benchmarks.hook_path [--rounds N] [--python SERVING_ONLY_PYTHON]` prints Markdown tables. Times are of one
caller at a time, two workers each; CPU is of all processes of a server. Ratios are what counts: the machine is noisy.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from uuid import uuid4

from benchmarks.bodies import hook_call, renewed
from benchmarks.servers import Caller, Server, running

GUNICORN = ["-m", "gunicorn", "--bind", "127.0.0.1:{port}", "--workers", "2", "--preload"]
CURBSIDE = ["-m", "cds_service.cli", "serve", "--port", "{port}", "--workers", "2"]
TURN = {20: 24, 200: 12, 2000: 4}  # kilobytes: calls of one server before the next has its turn
PATIENTS = 32
SERVICE = "prognosis"
FLASK, FLOOR, OURS = "(a) Flask + json, constant card", "(b) least script with a model", "Curbside"


@dataclass
class Taken:
    """What the calls of one server took, by turn: seconds of each call, and of processor time in all."""

    times: list[list[float]] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)

    def p50(self) -> float:
        """Milliseconds, of all calls."""
        return 1e3 * percentile(self._all(), 0.5)

    def p99(self) -> float:
        """Milliseconds, of all calls."""
        return 1e3 * percentile(self._all(), 0.99)

    def _all(self) -> list[float]:
        return [seconds for turn in self.times for seconds in turn]

    def cpu_ms(self) -> float:
        """Milliseconds of processor time a call."""
        return sum(self.cpu) / sum(map(len, self.times)) * 1e3


def percentile(times: list[float], share: float) -> float:
    """The value below which that share of the times lies."""
    return sorted(times)[min(len(times) - 1, int(share * len(times)))]


def measure(servers: list[Server], kilobytes: int, rounds: int) -> dict[str, Taken]:
    """What each server took; they have short turns, so that what else the machine does falls on all alike."""
    bodies = [hook_call(patient, kilobytes) for patient in range(PATIENTS)]
    callers = {s.name: Caller(s.port, SERVICE) for s in servers}
    found = {s.name: Taken() for s in servers}
    for server in servers:
        for body in bodies[:8]:
            callers[server.name].post(renewed(body, uuid4()))
    turn = TURN[kilobytes]
    for number in range(rounds):
        for server in servers:
            calls = [renewed(bodies[(number * turn + i) % PATIENTS], uuid4()) for i in range(turn)]
            before = server.cpu_s()
            found[server.name].times.append([callers[server.name].post(call)[0] for call in calls])
            found[server.name].cpu.append(server.cpu_s() - before)
    return found


def ratios(ours: Taken, other: Taken) -> tuple[float, float, float]:
    """Of p50, p99 and CPU: p50 as the median over the rounds of each round's own ratio, the others over all calls."""
    pairs = zip(ours.times, other.times, strict=True)
    halves = [statistics.median(own) / statistics.median(theirs) for own, theirs in pairs]
    return statistics.median(halves), ours.p99() / other.p99(), ours.cpu_ms() / other.cpu_ms()


def table(kilobytes: int, found: dict[str, Taken]) -> list[str]:
    """Markdown rows: absolute figures, then Curbside's ratios to (a) and (b)."""
    lines = [f"\n### {kilobytes} KB\n", "| | p50 ms | p99 ms | CPU ms |", "|---|---:|---:|---:|"]
    lines += [f"| {name} | {t.p50():.2f} | {t.p99():.2f} | {t.cpu_ms():.2f} |" for name, t in found.items()]
    for other in (FLASK, FLOOR):
        shown = " | ".join(f"**{ratio:.2f}**" for ratio in ratios(found[OURS], found[other]))
        lines.append(f"| Curbside ÷ {other[:3]} | {shown} |")
    return lines


def start_to_first_card(python: str) -> float:
    """Seconds from the start of the process to its first scored card."""
    with running("Curbside", CURBSIDE, python=python) as server:
        Caller(server.port, SERVICE).post(hook_call(1, 20))
        return time.perf_counter() - server.started


def memory(python: str) -> tuple[float, float]:
    """PSS of two workers and their master in MB: after the first answers, and after 200 KB load."""
    bodies = [hook_call(patient, 200) for patient in range(PATIENTS)]
    with running("Curbside", CURBSIDE, python=python) as server:
        Caller(server.port, SERVICE).post(bodies[0])
        first = server.pss_mb()
        for number in range(300):
            # a new connection each time, so that both workers get their share
            Caller(server.port, SERVICE).post(bodies[number % PATIENTS])
        return first, server.pss_mb()


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--python", default=sys.executable, help="interpreter of a serving-only install, for memory")
    parser.add_argument("--sizes", default="20,200,2000", help="kilobytes, of 20, 200 and 2000")
    options = parser.parse_args()
    with ExitStack() as stack:
        servers = [
            stack.enter_context(running(FLASK, [*GUNICORN, "benchmarks.floor_flask:app"])),
            stack.enter_context(running(FLOOR, [*GUNICORN, "benchmarks.floor_model:app"])),
            stack.enter_context(running(OURS, CURBSIDE, python=options.python)),
        ]
        print("## Served hook path, two workers, one caller, 32 patients in turn")
        for kilobytes in map(int, options.sizes.split(",")):
            print("\n".join(table(kilobytes, measure(servers, kilobytes, options.rounds))), flush=True)
    starts = sorted(start_to_first_card(options.python) for _ in range(3))
    first, loaded = memory(options.python)
    print("\n### Start and memory\n\n| | measured | goal |\n|---|---|---|")
    print(f"| start to first scored card, median of 3 | {starts[1]:.2f} s | 1.5 s |")
    print(f"| PSS of master and two workers, after the first answer | {first:.0f} MB | |")
    print(f"| the same after 300 calls of 200 KB | {loaded:.0f} MB | 160 MB |")


if __name__ == "__main__":
    main()
