"""A model that only its own library can compute, in a process apart.

The library is never imported here. The process reads the file itself, answers one question at a time, and is ended and
replaced when it dies or takes too long; a call that gets no answer in time gets a worded refusal.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cds_service.errors import PluginError
from cds_service.language import Message, msg

ROWS_SECONDS = 120.0  # for a table
_START_SECONDS = 60.0  # until it must be ready, where somebody waits for it
_PIECE = 1 << 20


class ApartError(Exception):
    """There is no answer. words: for the card."""

    def __init__(self, words: Message) -> None:
        super().__init__(str(words))
        self.words = words


_LATE = msg("Not calculated: the program that computes it did not answer in time")
_FAILED = msg("Not calculated: the program that computes it could not use these inputs")


_MADE: weakref.WeakSet[Process] = weakref.WeakSet()


def start_all() -> None:
    """Starts the processes of all models that are loaded; for a worker, after its fork."""
    for process in list(_MADE):
        process.start()


class Process:
    """The process of one model's file; started when first asked, one for each process that serves.

    seconds: for one patient. sha256: of the file, which the process compares before it reads it.
    """

    def __init__(
        self, file: Path, sha256: str, seconds: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.file = file
        self._arguments = [sys.executable, "-I", "-m", "cds_service.training.worker", str(file.resolve()), sha256]
        self._seconds = seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._owner = 0
        _MADE.add(self)

    def margins(self, matrix: NDArray[np.float32], seconds: float | None = None) -> NDArray[np.float64]:
        """The margin of each row. Raises ApartError if it does not come in time, or the library refuses the rows."""
        ends = self._monotonic() + (seconds or self._seconds)
        question = [[None if np.isnan(v) else float(v) for v in row] for row in matrix]
        answer = self._asked(json.dumps(question).encode() + b"\n", ends)
        if "margins" not in answer:
            raise ApartError(_FAILED)
        return np.array(answer["margins"], dtype=np.float64)

    def check(self) -> None:
        """Waits until the process is ready. Raises PluginError that says what keeps it from being so."""
        try:
            self._asked(b"[]\n", self._monotonic() + _START_SECONDS)
        except ApartError:
            raise PluginError(
                f"{self.file}: the process that computes it does not start; it needs the `train` extra, "
                "pip install 'curbside[train]', and the file as it was imported"
            ) from None
        finally:
            self.end()

    def start(self) -> None:
        """Starts the process without waiting, so that the first call finds it ready."""
        with self._lock:
            self._started()

    def __del__(self) -> None:
        self._end()

    def end(self) -> None:
        """Ends the process, if it runs."""
        with self._lock:
            self._end()

    def _asked(self, question: bytes, ends: float) -> dict[str, Any]:
        if not self._lock.acquire(timeout=max(ends - self._monotonic(), 0.0)):
            raise ApartError(_LATE)
        try:
            for _ in range(2):  # one that died meanwhile is replaced, and asked again
                running = self._started()
                line = self._line(running, question, ends)
                if line is not None:
                    found: dict[str, Any] = json.loads(line)
                    return found
                died = running.poll() is not None
                self._end()
                self._started()  # that it may be ready for the next call
                if not died:
                    break
            raise ApartError(_LATE)
        finally:
            self._lock.release()

    def _started(self) -> subprocess.Popen[bytes]:
        if self._owner != os.getpid():  # after a fork: the other process's child is not ours
            self._running, self._owner = None, os.getpid()
        if self._running is None:
            self._running = subprocess.Popen(  # noqa: S603 - our own module, a path of the site's settings
                self._arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"LANG": "C.UTF-8", "PATH": os.defpath, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                close_fds=True,
            )
        return self._running

    def _line(self, running: subprocess.Popen[bytes], question: bytes, ends: float) -> bytes | None:
        """The line of the answer; None if it does not come in time, or the process ended."""
        assert running.stdin is not None
        assert running.stdout is not None
        pieces: list[bytes] = []
        try:
            running.stdin.write(question)
            running.stdin.flush()
            with selectors.DefaultSelector() as waiting:
                waiting.register(running.stdout, selectors.EVENT_READ)
                while (left := ends - self._monotonic()) > 0 and waiting.select(left):
                    piece = os.read(running.stdout.fileno(), _PIECE)
                    if not piece:
                        running.wait(1)
                        return None
                    pieces.append(piece)
                    if piece.endswith(b"\n"):
                        return b"".join(pieces)
        except (BrokenPipeError, ConnectionError):
            running.wait(1)
        return None

    def _end(self) -> None:
        running, self._running = self._running, None
        if running is None or self._owner != os.getpid():
            return
        running.kill()
        for pipe in (running.stdin, running.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except BrokenPipeError:
                continue
        running.wait()
