"""The server: gunicorn keeps the workers, uvicorn speaks HTTP in each, models are loaded once before the fork.

Importing this module sets one thread for OpenMP and OpenBLAS, so it comes before numpy and xgboost: threads that
exist at a fork do not survive it, and two workers on two cores gain nothing from more.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import logging
import os
import resource
import signal
from collections.abc import Callable
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn_worker import UvicornWorker

from cds_service.observer import NOBODY
from cds_service.risk import apart
from cds_service.settings import Settings, address
from cds_service.web import ports, tls
from cds_service.web.asgi import Adapter
from cds_service.web.beside import Beside
from cds_service.web.cors import Policy
from cds_service.web.logs import JsonFormatter
from cds_service.web.metrics import Metrics, memory
from cds_service.web.outcome import HEADERS, JSON, outcome, request_id
from cds_service.web.wsgi import Wsgi

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

GC_THRESHOLDS = (25_000, 20, 50)  # a request makes thousands of objects, and hardly a cycle (one in Werkzeug's router)
_MAX_HEAD_BYTES = 65_536
_WHOLE_BODY_BYTES = 1_000_000  # above this, reading in pieces overlaps with arrival and is faster
_KEEP_ALIVE_S = 75
_BEAT_S = 1.0
_COMPUTES_S = 5.0  # a call that computes longer counts as silence; the master bears 30 s of it
_OPEN_FILES = 65_536
_NO_HTTP = (
    "what arrived is not HTTP/1.1: see the request line, Content-Length, Transfer-Encoding, and whether to use TLS"
)


def serve(
    factory: Callable[[], Wsgi],
    settings: Settings,
    *,
    metrics: Metrics | None = None,
    on_ready: Callable[[str], None] | None = None,
    beside: Callable[[], None] | None = None,
) -> None:
    """Serves the application that `factory` makes until SIGTERM or SIGINT; exits the process.

    factory: called once, in the master, before any worker exists. metrics: shared by the workers; None to count
    nothing. on_ready: called with the URL of the service. beside: runs in a process of its own from when the
    workers run until SIGTERM, and is started again if it ends before.

    Raises SettingsError for TLS files that cannot be used, and for an address where it cannot listen.
    """
    tls.check(settings.server)
    ports.free(settings)
    _limit()
    _Gunicorn(factory, settings, metrics, on_ready, beside).run()


def _limit() -> None:
    """No dump of a process's memory, which holds patients; and room for as many connections as the system allows."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    few, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY:
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(few, min(most, _OPEN_FILES)), most))


def url(settings: Settings) -> str:
    """The URL by which CDS Clients reach the service."""
    return settings.base_url()


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol with a deadline and a limit for the head of each request, and bodies in one piece."""

    read_s = 10.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Starts the deadline of the first head."""
        super().connection_made(transport)
        self._head_bytes = 0
        self._head_deadline: asyncio.TimerHandle | None = self.loop.call_later(self.read_s, self._close)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stops the deadline."""
        self._head_complete()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Counts bytes while a head is being read."""
        super().data_received(data)
        if self._head_deadline is not None:
            self._head_bytes += len(data)
            if self._head_bytes > _MAX_HEAD_BYTES:
                self._close()

    def on_message_begin(self) -> None:
        """Starts the deadline of a further head on a kept-alive connection."""
        super().on_message_begin()
        if self._head_deadline is None:
            self._head_bytes = 0
            self._head_deadline = self.loop.call_later(self.read_s, self._close)

    def on_headers_complete(self) -> None:
        """Stops the deadline: the body has its own."""
        self._head_complete()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no HTTP in our own words: like every refusal, an OperationOutcome."""
        body = outcome("invalid", _NO_HTTP)
        own = (("Content-Type", JSON), ("Content-Length", str(len(body))), ("Connection", "close"))
        head = "".join(f"{name}: {value}\r\n" for name, value in (*own, ("X-Request-Id", request_id()), *HEADERS))
        self.transport.write(f"HTTP/1.1 400 Bad Request\r\n{head}\r\n".encode() + body)
        self.transport.close()

    def on_body(self, body: bytes) -> None:
        """Collects a body of usual size whole: the application wakes once instead of at every packet."""
        if len(self.cycle.body) + len(body) > _WHOLE_BODY_BYTES:
            super().on_body(body)
        elif not self.cycle.response_complete:
            self.cycle.body += body

    def _head_complete(self) -> None:
        if self._head_deadline is not None:
            self._head_deadline.cancel()
            self._head_deadline = None

    def _close(self) -> None:
        self._head_deadline = None
        if not self.transport.is_closing():
            self.transport.close()


class Worker(UvicornWorker):  # type: ignore[misc]
    """A uvicorn worker without what this service does not use."""

    CONFIG_KWARGS: dict[str, Any] = {
        "loop": "uvloop",
        "http": Protocol,
        "ws": "none",
        "lifespan": "off",
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
    }

    async def _serve(self) -> None:
        self.beat()
        await super()._serve()

    def beat(self) -> None:
        """Tells the master every second that the worker lives; ends it, when the running calls are done, if none does.

        A worker without its master would keep the port, and nobody would replace it. One whose call computes without
        end answers health and no hook: it says nothing more, and is replaced. Not by uvicorn's own clock: that stands
        still while the machine's time goes back, and the master then kills every worker.
        """
        if self.wsgi.computing_s() < _COMPUTES_S:
            self.notify()
        loop = asyncio.get_running_loop()
        if os.getppid() == self.ppid:
            loop.call_later(_BEAT_S, self.beat)
            return
        self.log.error("the master has died: this worker ends")
        loop.call_later(self.cfg.graceful_timeout, os._exit, 1)
        os.kill(os.getpid(), signal.SIGTERM)


class _Log(Logger):  # type: ignore[misc]
    """gunicorn's own lines, as JSON; warnings and errors only."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for handler in self.error_log.handlers:
            handler.setFormatter(JsonFormatter())


class _Arbiter(Arbiter):  # type: ignore[misc]
    """gunicorn's master, which keeps one further process beside the workers."""

    def __init__(self, app: BaseApplication, beside: Callable[[], None] | None) -> None:
        super().__init__(app)
        self._beside = Beside(beside) if beside is not None else None

    def manage_workers(self) -> None:
        super().manage_workers()
        if self._beside is not None:
            self._beside.keep(self._unburden)

    def stop(self, graceful: bool = True) -> None:
        if self._beside is not None:
            self._beside.end()
        super().stop(graceful)
        if self._beside is not None:
            self._beside.gone(self.cfg.graceful_timeout if graceful else 0)

    def _unburden(self) -> None:
        """In the new process: the master's sockets and signals are not ours."""
        for number in self.SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        for listener in self.LISTENERS:
            os.close(listener.fileno())
        _after_fork(self, None)


class _Gunicorn(BaseApplication):  # type: ignore[misc]
    def __init__(
        self,
        factory: Callable[[], Wsgi],
        settings: Settings,
        metrics: Metrics | None,
        on_ready: Callable[[str], None] | None,
        beside: Callable[[], None] | None,
    ) -> None:
        self._factory = factory
        self._beside = beside
        self._metrics = metrics
        self._settings = settings
        self._on_ready = on_ready
        super().__init__()

    def load_config(self) -> None:
        """Our settings in gunicorn's words."""
        server, limits = self._settings.server, self._settings.limits
        own = self._settings.metrics
        Protocol.read_s = limits.read_s
        options = {
            "bind": [address(server.host, server.port), *([address(own.host, own.port)] if own.port else [])],
            "workers": server.workers,
            "worker_class": Worker,
            "preload_app": True,
            "keepalive": _KEEP_ALIVE_S,
            "graceful_timeout": server.drain_s,
            "worker_tmp_dir": memory(),  # gunicorn's heartbeat
            "control_socket_disable": True,
            "logger_class": _Log,
            "loglevel": "warning",
            "post_fork": _after_fork,
            "when_ready": self._ready,
            **tls.options(server),
        }
        if self._metrics is not None:
            options["child_exit"] = self._ended
        for name, value in options.items():
            if name in self.cfg.settings:  # older releases of gunicorn have no control socket
                self.cfg.set(name, value)

    def run(self) -> None:
        """Runs until it is told to end."""
        _Arbiter(self, self._beside).run()

    def load(self) -> Adapter:
        """The ASGI application, made in the master; what it holds is never again looked at by the collector."""
        app = Adapter(self._factory(), self._settings.limits, Policy.of(self._settings.cors), self._metrics or NOBODY)
        config = Config(app, **Worker.CONFIG_KWARGS)  # imports what the workers' own would: uvloop, the protocol
        config.load()
        config.get_loop_factory()
        apart.end_all()
        _give_back()
        gc.freeze()  # with what little garbage there is: to look for it takes a twentieth of the start, to keep it 3 MB
        return app

    def _ended(self, _arbiter: Any, worker: Any) -> None:
        if self._metrics is not None:
            self._metrics.ended(worker.pid)

    def _ready(self, _arbiter: Any) -> None:
        if self._on_ready is not None:
            self._on_ready(url(self._settings))


def _give_back() -> None:
    """Returns to the system what loading needed for a moment, before every worker has it too; where glibc runs."""
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):  # another C library
        return


def _after_fork(_arbiter: Any, worker: Any) -> None:
    gc.set_threshold(*GC_THRESHOLDS)
    gc.enable()
    logging.raiseExceptions = False  # a closed standard error must not end a worker
    if worker is not None:
        apart.start_all()
