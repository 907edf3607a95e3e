"""The service under load, with JWT, audit and everything on, beside a constant card and the plain Flask service.

`python -m benchmarks.load [--kilobytes 20] [--rounds 3] [--skip-faults]` prints Markdown tables, and exits with 1 if
the service did not hold what it promises under slow clients, kill -9 and SIGTERM. All on loopback, bounded in count.
"""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from uuid import UUID

import orjson

from benchmarks.ehr import Ehr, Line
from benchmarks.hook_path import CURBSIDE, GUNICORN, percentile
from benchmarks.servers import Server, running

CALLS = {1: 120, 8: 480, 32: 640}  # concurrency: calls a round
SLOW = 200
ANSWERED = 40  # calls before SIGTERM is sent in the middle of more
_numbers = count()


@dataclass
class Tally:
    """What came of some calls: seconds of each answer of 200, other statuses, and what was acknowledged.

    broken: calls that were sent and not answered. unreached: those for which there was no connection.
    """

    seconds: list[float] = field(default_factory=list)
    others: list[int] = field(default_factory=list)
    broken: int = 0
    unreached: int = 0
    instances: set[str] = field(default_factory=set)
    cards: set[str] = field(default_factory=set)
    took: float = 0.0


def drive(
    ehr: Ehr,
    port: int,
    lines: int,
    calls: int,
    stop: Callable[[], bool] = lambda: False,
    tally: Tally | None = None,
) -> Tally:
    """Calls from so many connections at once, each sending its next call when its last one is answered.

    tally: to be filled, where somebody watches it meanwhile.
    """
    tally = tally if tally is not None else Tally()
    lock, left = threading.Lock(), iter(range(calls))
    ehr.sign(calls)

    def work() -> None:
        line: Line | None = None
        while not stop():
            with lock:
                if next(left, None) is None:
                    break
                instance, request = ehr.call(next(_numbers))
            begun = time.perf_counter()
            try:
                line = line or Line(port)
                status, body = line.ask(request)
            except OSError:
                with lock:
                    tally.broken += line is not None
                    tally.unreached += line is None
                if line is not None:
                    line.close()
                    line = None
                time.sleep(0.02)
                continue
            taken = time.perf_counter() - begun
            if line.closing:
                line.close()
                line = None
            with lock:
                if status == 200:
                    tally.seconds.append(taken)
                    tally.instances.add(instance)
                    tally.cards.update(_cards(body))
                else:
                    tally.others.append(status)
        if line is not None:
            line.close()

    begun = time.perf_counter()
    threads = [threading.Thread(target=work) for _ in range(lines)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    tally.took = time.perf_counter() - begun
    return tally


def _cards(body: bytes) -> Iterator[str]:
    return (card["uuid"] for card in orjson.loads(body)["cards"])


def speed(servers: list[Server], ehr: Ehr, rounds: int) -> list[str]:
    """Markdown rows of each server at each concurrency, rounds in turn."""
    rows = ["| | callers | p50 ms | p95 ms | p99 ms | calls/s |", "|---|---|---|---|---|---|"]
    for server in servers:
        drive(ehr, server.port, 4, 40)  # what a first call of a worker costs is measured elsewhere
    for lines, calls in CALLS.items():
        found: dict[str, list[Tally]] = {server.name: [] for server in servers}
        for _ in range(rounds):
            for server in servers:
                found[server.name].append(drive(ehr, server.port, lines, calls))
        for name, tallies in found.items():
            wrong = [status for tally in tallies for status in tally.others]
            if wrong or any(tally.broken + tally.unreached for tally in tallies):
                raise RuntimeError(f"{name}: {len(wrong)} calls were refused, such as {wrong[:3]}")
            seconds = [taken for tally in tallies for taken in tally.seconds]
            rate = len(seconds) / sum(tally.took for tally in tallies)
            shares = " | ".join(f"{percentile(seconds, share) * 1e3:.1f}" for share in (0.5, 0.95, 0.99))
            rows.append(f"| {name} | {lines} | {shares} | {rate:.0f} |")
    return rows


def slow_clients(server: Server, ehr: Ehr) -> float:
    """The longest of twenty normal calls while two hundred connections hold a head or a body back; seconds."""
    head = b"POST /cds-services/prognosis HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    lines = []
    for number in range(SLOW):
        line = Line(server.port)
        line.send(head if number % 2 else head + b"Content-Length: 5000\r\n\r\n{")
        lines.append(line)
    tally = drive(ehr, server.port, 1, 20)
    for line in lines:
        line.close()
    return max(tally.seconds) if len(tally.seconds) == 20 else float("inf")


def killed(server: Server, ehr: Ehr, calls: int = 400) -> Tally:
    """Load during which a worker is killed four times."""
    done = threading.Event()

    def kill() -> None:
        for _ in range(4):
            time.sleep(0.3)
            workers = server.processes()[1:]
            if workers and not done.is_set():
                os.kill(workers[0], signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    tally = drive(ehr, server.port, 8, calls)
    done.set()
    killer.join()
    return tally


def ended(server: Server, ehr: Ehr, calls: int = 2000) -> tuple[Tally, int]:
    """Load during which the service is asked to end, once it has answered some calls; and its exit code."""
    tally = Tally()

    def end() -> None:
        while len(tally.seconds) < ANSWERED and driver.is_alive():
            time.sleep(0.005)
        server.process.terminate()

    driver = threading.Thread(
        target=drive, args=(ehr, server.port, 8, calls, lambda: server.process.poll() is not None, tally)
    )
    driver.start()
    end()
    driver.join()
    return tally, server.process.wait(60)


def feed_back(ehr: Ehr, port: int, cards: set[str]) -> set[str]:
    """The cards whose feedback was acknowledged."""
    line, kept = Line(port), set()
    for card in cards:
        if line.ask(ehr.feedback(card))[0] == 200:
            kept.add(card)
    line.close()
    return kept


def stored(ehr: Ehr, table: str, column: str) -> set[str]:
    """What the database holds, as uuids."""
    with sqlite3.connect(ehr.folder / "load.db") as connection:
        return {str(UUID(str(value))) for (value,) in connection.execute(f"SELECT {column} FROM {table}")}


def faults(ehr: Ehr) -> list[tuple[str, str, bool]]:
    """What happened under each fault, and whether the promise was kept."""
    rows = []
    with running("Curbside", CURBSIDE, ehr.environment) as server:
        longest = slow_clients(server, ehr)
        rows.append((f"{SLOW} slow connections", f"longest normal call {longest * 1e3:.0f} ms", longest < 0.5))
        tally = killed(server, ehr)
        kept = feed_back(ehr, server.port, set(sorted(tally.cards)[:100]))
        lost = len(tally.instances - stored(ehr, "assessments", "hook_instance"))
        rows.append(("kill -9 of a worker, four times", _told(tally, lost), lost == 0 and bool(tally.seconds)))
        after = drive(ehr, server.port, 4, 40)
        rows.append(("calls after that", f"{len(after.seconds)} of 40 answered", len(after.seconds) == 40))
        tally, code = ended(server, ehr)
        lost = len(tally.instances - stored(ehr, "assessments", "hook_instance"))
        told = f"{_told(tally, lost)}, exit code {code}"
        fine = lost == 0 and code == 0 and not tally.others and len(tally.seconds) >= ANSWERED
        rows.append(("SIGTERM", told, fine))
        missing = len(kept - stored(ehr, "feedback", "card"))
        rows.append(
            ("feedback", f"{len(kept)} acknowledged, {missing} of them not stored", missing == 0 and bool(kept))
        )
    return rows


def _told(tally: Tally, lost: int) -> str:
    unanswered = f"{tally.broken} broken off, {len(tally.others)} refused"
    return f"{len(tally.instances)} acknowledged, {lost} of them not stored, {unanswered}"


def main() -> int:
    """Prints the tables; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kilobytes", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--skip-faults", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        ehr = Ehr(Path(folder), kilobytes=options.kilobytes)
        servers = [
            stack.enter_context(running("plain Flask + json", [*GUNICORN, "benchmarks.floor_flask:app"])),
            stack.enter_context(running("constant card, same server", ["-m", "benchmarks.constant", "{port}"])),
            stack.enter_context(running("Curbside, JWT (ES384) and audit", CURBSIDE, ehr.environment)),
        ]
        print(f"## Under load: {options.kilobytes} KB, two workers, {ehr.patients} patients\n")
        print("\n".join(speed(servers, ehr, options.rounds)), flush=True)
    if options.skip_faults:
        return 0
    with tempfile.TemporaryDirectory() as folder:
        rows = faults(Ehr(Path(folder), kilobytes=options.kilobytes))
    print("\n| fault | what happened | promise |\n|---|---|---|")
    print("\n".join(f"| {name} | {what} | {'kept' if good else '**broken**'} |" for name, what, good in rows))
    return 0 if all(good for _, _, good in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
