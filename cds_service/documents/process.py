"""The reader of documents: a process apart, started when first needed, ended when one document takes too long."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import orjson

MAX_BYTES = 12_000_000  # of one attachment
SECONDS = 10.0  # for one document
_MAX_ANSWER = 64_000_000
_ARGUMENTS = [sys.executable, "-I", "-m", "cds_service.documents.child"]


class Process:
    """One reader for a handful of documents; a context manager that ends it."""

    def __init__(self, seconds: float | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        """seconds: for one document; by default `SECONDS`."""
        self._seconds = SECONDS if seconds is None else seconds
        self._monotonic = monotonic
        self._running: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._end()

    def ask(self, data: bytes, **task: Any) -> dict[str, Any]:
        """What the reader answers about one document: a `Read` as JSON, or `{"problem": word}`; never an error."""
        if len(data) > MAX_BYTES:
            return {"problem": "size"}
        running = self._started()
        assert running.stdin is not None
        try:
            running.stdin.write(orjson.dumps({**task, "size": len(data)}) + b"\n")
            running.stdin.write(data)
            running.stdin.flush()
            line = self._line(running)
        except (BrokenPipeError, ConnectionError):
            line = None
        if line is None:
            slow = running.poll() is None
            self._end()
            return {"problem": "time" if slow else "memory"}
        found: dict[str, Any] = orjson.loads(line)
        return found

    def _started(self) -> subprocess.Popen[bytes]:
        if self._running is None:
            self._running = subprocess.Popen(  # noqa: S603 - our own module, no text of others in the arguments
                _ARGUMENTS,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"LANG": "C.UTF-8", "PATH": os.defpath, "OMP_NUM_THREADS": "1"},
                close_fds=True,
            )
        return self._running

    def _line(self, running: subprocess.Popen[bytes]) -> bytes | None:
        """The answer's line; None if it does not come in time, or the reader ended."""
        assert running.stdout is not None
        ends, pieces, size = self._monotonic() + self._seconds, [], 0
        with selectors.DefaultSelector() as waiting:
            waiting.register(running.stdout, selectors.EVENT_READ)
            while (left := ends - self._monotonic()) > 0 and size < _MAX_ANSWER:
                if not waiting.select(left):
                    return None
                piece = os.read(running.stdout.fileno(), 1 << 20)
                if not piece:
                    running.wait(1)
                    return None
                pieces.append(piece)
                size += len(piece)
                if piece.endswith(b"\n"):
                    return b"".join(pieces)
        return None

    def _end(self) -> None:
        if self._running is None:
            return
        self._running.kill()
        for pipe in (self._running.stdin, self._running.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except BrokenPipeError:
                continue
        self._running.wait()
        self._running = None
