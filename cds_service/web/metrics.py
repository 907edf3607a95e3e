"""Metrics for Prometheus, added up over all workers; ids of services and models are the only labels that have a name.

In several processes each worker counts in files of its own, and whoever answers `GET /metrics` adds them up.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import NotFound

from cds_service import __version__
from cds_service.web.peers import Peers

if TYPE_CHECKING:
    from prometheus_client import Metric

_OWN, _HELD = "curbside-metrics-", "held"
_FOLDER = "PROMETHEUS_MULTIPROC_DIR"  # prometheus_client looks for it once, when it is first imported
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
_OPEN_AT_METRICS_PORT = frozenset({"metrics", "health"})


class Metrics:
    """An observer that counts for Prometheus. Made before the fork."""

    def __init__(self, folder: Path | None = None) -> None:
        """folder: where workers count; None for a single process."""
        self._folder = folder
        self._process = os.getpid()
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        self._registry = own = CollectorRegistry()
        self._requests = Counter("curbside_requests", "Calls answered.", ("route", "service", "status"), registry=own)
        self._seconds = Histogram(
            "curbside_request_seconds",
            "Seconds from the head of a call to its answer.",
            ("route", "service"),
            buckets=_BUCKETS,
            registry=own,
        )
        self._findings = Counter(
            "curbside_findings", "Findings by what became of them.", ("service", "fate"), registry=own
        )
        self._refusals = Counter("curbside_refusals", "Models that gave no number.", ("model", "reason"), registry=own)
        self._assessments = Counter("curbside_assessments", "Assessments stored or not.", ("outcome",), registry=own)
        self._outbound = Counter("curbside_outbound_requests", "Requests out.", ("purpose", "outcome"), registry=own)
        self._told = Counter("curbside_summaries", "Summaries on cards by whose words they are.", ("by",), registry=own)
        self._worded = Counter("curbside_wordings", "What came of asking a language model.", ("outcome",), registry=own)
        self._sentences = Counter(
            "curbside_wording_sentences",
            "A model's sentences kept and dropped, and lines put back.",
            ("fate",),
            registry=own,
        )
        self._waiting = Gauge(
            "curbside_waiting_calls", "Calls that wait or compute.", multiprocess_mode="livesum", registry=own
        )
        info = Gauge(
            "curbside_info", "Always 1; the version is the label.", ("version",), multiprocess_mode="max", registry=own
        )
        info.labels(__version__).set(1)
        for outcome in ("stored", "failed"):  # from 0 on: to Prometheus, what begins with 1 has not risen
            self._assessments.labels(outcome)

    @classmethod
    def shared(cls) -> Metrics:
        """Metrics that all workers forked from now on count together. Once in a process, before any other."""
        given = os.environ.get(_FOLDER)
        folder = Path(given) if given else _own_folder()
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.db"):
            old.unlink()  # of an earlier run
        os.environ[_FOLDER] = str(folder)
        made = cls(folder)
        atexit.register(made._remove)
        return made

    def _remove(self) -> None:
        if self._folder is not None and self._process == os.getpid():  # not in a worker, which inherits this
            shutil.rmtree(self._folder, ignore_errors=True)

    def ended(self, process: int) -> None:
        """Forgets what waited in a process that has ended; what it counted stays."""
        from prometheus_client.multiprocess import mark_process_dead

        if self._folder is not None:
            mark_process_dead(process, str(self._folder))  # type: ignore[no-untyped-call]

    def answered(self, route: str, service: str, status: int, seconds: float) -> None:
        """Counts the call and its time."""
        self._requests.labels(route, service, str(status)).inc()
        self._seconds.labels(route, service).observe(seconds)

    def decided(self, service: str, shown: int, withheld: int, suppressed: int) -> None:
        """Counts findings."""
        for fate, count in (("shown", shown), ("withheld", withheld), ("suppressed", suppressed)):
            if count:
                self._findings.labels(service, fate).inc(count)

    def refused(self, refusals: Iterable[tuple[str, str]]) -> None:
        """Counts refusals."""
        for model, reason in refusals:
            self._refusals.labels(model, reason).inc()

    def kept(self, stored: bool) -> None:
        """Counts assessments."""
        self._assessments.labels("stored" if stored else "failed").inc()

    def fetched(self, purpose: str, outcome: str) -> None:
        """Counts requests out."""
        self._outbound.labels(purpose, outcome).inc()

    def told(self, by: str) -> None:
        """Counts summaries on cards."""
        self._told.labels(by).inc()

    def worded(self, outcome: str, kept: int, dropped: int, put_back: int) -> None:
        """Counts questions and sentences: the kept share is kept / (kept + dropped)."""
        self._worded.labels(outcome).inc()
        for fate, count in (("kept", kept), ("dropped", dropped), ("put_back", put_back)):
            if count:
                self._sentences.labels(fate).inc(count)

    def waiting(self, calls: int) -> None:
        """Notes the length of the queue."""
        self._waiting.set(calls)

    def page(self) -> bytes:
        """All metrics of all workers in Prometheus' text format."""
        from prometheus_client import CollectorRegistry, generate_latest

        if self._folder is None:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        registry.register(_Counted(self._folder))
        return generate_latest(registry)


class _Counted:
    """What all workers counted in a folder's files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """The sums. A file that a worker is about to fill, or was killed before it could, holds nothing yet."""
        from prometheus_client.multiprocess import MultiProcessCollector

        files = []
        for path in self._folder.glob("*.db"):
            with suppress(FileNotFoundError):  # of a worker that has ended
                if path.stat().st_size:
                    files.append(str(path))
        return MultiProcessCollector.merge(files)  # type: ignore[no-untyped-call,no-any-return]


def _own_folder() -> Path:
    """A new folder, held by a lock as long as this process or a worker of it lives.

    Folders that nobody holds go: their master was killed before it could remove them, and memory is small.
    """
    place = memory() or tempfile.gettempdir()
    for lock in Path(place).glob(f"{_OWN}*/{_HELD}"):
        with suppress(OSError), lock.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_OWN, dir=place))
        held = os.open(folder / _HELD, os.O_CREAT | os.O_WRONLY, 0o600)
        fcntl.flock(held, fcntl.LOCK_EX)  # the descriptor stays open, here and in the workers
        if os.fstat(held).st_nlink:
            return folder
        os.close(held)  # another start found it before it was held, and took it for one that nobody holds


def memory() -> str | None:
    """A folder in memory, where there is one that may be written: counts and heartbeats need not reach a disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - a folder of our own is made there


def register(app: Flask, metrics: Metrics, peers: Peers, port: int, also: Callable[[], bytes] = bytes) -> None:
    """`GET /metrics`, for callers on this machine and for those who reach the metrics port (0: there is none).

    also: further metrics, in the same format. To anyone else there is no such page; and at the metrics port there is
    nothing else but health.
    """
    routes = Blueprint("metrics", __name__)

    @routes.get("/metrics")
    def page() -> Response:
        if not (_at(port) or peers.local(request.environ)):
            raise NotFound
        return Response(metrics.page() + also(), content_type="text/plain; version=0.0.4; charset=utf-8")

    def only_metrics() -> None:
        if _at(port) and request.blueprint not in _OPEN_AT_METRICS_PORT:
            raise NotFound

    app.before_request(only_metrics)
    app.register_blueprint(routes)


def _at(port: int) -> bool:
    return port != 0 and request.environ.get("SERVER_PORT") == str(port)
