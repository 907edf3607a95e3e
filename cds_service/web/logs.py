"""Logs: one JSON object a line, of fields on an allow-list; whatever else is passed never reaches a log."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, BinaryIO, cast

import orjson
import structlog

from cds_service.clock import SystemClock

ALLOWED = frozenset(
    {"at", "client", "error", "event", "hook_instance", "level", "ms", "peer", "reason", "request_id", "service"}
    | {"status", "where"}
)
_FRAMES = 8


def configure(stream: BinaryIO | None = None) -> None:
    """Sends structlog's and the servers' own lines to a stream, standard error by default."""
    output = stream or Unfailing(sys.stderr.buffer)
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, _stamp, _allow, _render],
        logger_factory=structlog.BytesLoggerFactory(cast(BinaryIO, output)),
        cache_logger_on_first_use=stream is None,
    )


class Unfailing:
    """A stream of lines whose failing fails no call: its disk is full, or nobody reads it any more.

    The next line that can be written follows one that says how many could not.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._lost = stream, 0

    def write(self, line: bytes) -> int:
        """How many bytes were taken; none where the stream fails."""
        try:
            if self._lost:
                gap = {"at": _now(), "level": "error", "event": "log lines lost", "reason": str(self._lost)}
                self._stream.write(orjson.dumps(gap) + b"\n")
                self._lost = 0
            return self._stream.write(line)
        except OSError:
            self._lost += 1
            return 0

    def flush(self) -> None:
        """Sends what was written, if the stream takes it; what it does not take is tried again with the next line."""
        with suppress(OSError):
            self._stream.flush()


def where(error: BaseException) -> str:
    """The innermost frames of an exception as `file:line function`; no message, which may quote a payload."""
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    return " < ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in reversed(frames))


def guard() -> None:
    """Sends what libraries say, and what nobody caught, to the log by type and place: their words may hold anything.

    For a process that serves. Without it, Python prints whole exceptions to standard error: a driver's quotes the row
    that it could not write.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(LibraryFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.captureWarnings(True)
    sys.excepthook = lambda kind, error, trace: _uncaught("a process", kind, error)
    threading.excepthook = lambda found: _uncaught("a thread", found.exc_type, found.exc_value)
    sys.unraisablehook = lambda found: _uncaught("a clean-up", found.exc_type, found.exc_value)


def _uncaught(what: str, kind: type[BaseException], error: BaseException | None) -> None:
    place = where(error) if error is not None else ""
    structlog.get_logger().error("not caught", reason=f"{what} failed", error=kind.__name__, where=place)


class JsonFormatter(logging.Formatter):
    """The lines of gunicorn and uvicorn in the same form."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object; an exception by type and place only."""
        fields: dict[str, Any] = {"at": _now(), "level": record.levelname.lower(), "event": record.getMessage().strip()}
        if record.exc_info and record.exc_info[1] is not None:
            fields |= {"error": type(record.exc_info[1]).__name__, "where": where(record.exc_info[1])}
        return orjson.dumps(fields).decode()


class LibraryFormatter(JsonFormatter):
    """A line of another library: who wrote it and where, without its words."""

    def format(self, record: logging.LogRecord) -> str:
        """One JSON object; an exception by type and place only."""
        place = f"{record.filename}:{record.lineno} {record.funcName}"
        said = logging.makeLogRecord({**record.__dict__, "msg": "a library's line", "args": ()})
        fields = orjson.loads(super().format(said))
        return orjson.dumps({"where": place, **fields, "reason": f"logged by {record.name}"}).decode()


def _now() -> str:
    return SystemClock().now().isoformat(timespec="milliseconds")


def _stamp(_logger: Any, method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {"at": _now(), "level": method, **fields}


def _allow(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    return {name: value for name, value in fields.items() if name in ALLOWED}


def _render(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> bytes:
    return orjson.dumps(fields, default=str)
