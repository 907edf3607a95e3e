"""A model that only its own library can compute, in a process apart.

The library is never imported here. The process reads the file itself and answers one question at a time; one that dies
or hangs is replaced. A call that gets no answer in time gets a worded refusal.
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
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cds_service.errors import PluginError
from cds_service.language import Message, msg

ROWS_SECONDS = 120.0  # for a table
_START_SECONDS = 60.0  # until it must be ready; on a busy machine libraries take long to load
_HUNG_SECONDS = 5.0  # after which an answer that is owed is given up, and the process with it
_REST_SECONDS = 10.0  # before one that ended while it started is started again
_A_LOOK = 0.01  # whether one that starts is ready by now
_PIECE = 1 << 20


class ApartError(Exception):
    """There is no answer. words: for the card."""

    def __init__(self, words: Message) -> None:
        super().__init__(str(words))
        self.words = words


_LATE = msg("Not calculated: the program that computes it did not answer in time")
_STARTING = msg("Not calculated: the program that computes it is still starting")
_ENDED = msg("Not calculated: the program that computes it cannot be started")
_FAILED = msg("Not calculated: the program that computes it could not use these inputs")


_MADE: weakref.WeakSet[Process] = weakref.WeakSet()


def start_all() -> None:
    """Starts the processes of all models that are loaded, for a worker after its fork: calls do not wait for them."""
    for process in list(_MADE):
        process.start()


def end_all() -> None:
    """Ends the processes of this one, before a fork: those of a master would only take memory."""
    for process in list(_MADE):
        process.end()


@dataclass(slots=True)
class _Run:
    """One run of the program.

    since: when it was started, or asked what it still owes. asked: number of the last question. heard: of the last
    answer, 0 once it is ready.
    """

    program: subprocess.Popen[bytes]
    since: float
    asked: int = 0
    heard: int = -1
    pieces: bytearray = field(default_factory=bytearray)

    @property
    def ended(self) -> bool:
        return self.program.poll() is not None

    def ask(self, rows: list[list[float | None]], now: float) -> bool:
        """Puts the next question; False if the program has ended."""
        assert self.program.stdin is not None
        self.asked, self.since = self.asked + 1, now
        try:
            self.program.stdin.write(json.dumps({"number": self.asked, "rows": rows}).encode() + b"\n")
            self.program.stdin.flush()
        except BrokenPipeError:
            self._gone()
            return False
        return True

    def answer(self, ends: float, monotonic: Callable[[], float]) -> dict[str, Any] | None:
        """The answer to the last question; None if it does not come in time, or the program ended."""
        while (line := self._line(ends, monotonic)) is not None:
            found = _answer(line)
            if found is None:
                continue
            self.heard = found["number"]
            if self.heard == self.asked:
                return found
        return None

    def _line(self, ends: float, monotonic: Callable[[], float]) -> bytes | None:
        assert self.program.stdout is not None
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.program.stdout, selectors.EVENT_READ)
            while b"\n" not in self.pieces:
                if (left := ends - monotonic()) <= 0 or not waiting.select(left):
                    return None
                piece = os.read(self.program.stdout.fileno(), _PIECE)
                if not piece:
                    self._gone()
                    return None
                self.pieces += piece
        line, _, rest = bytes(self.pieces).partition(b"\n")
        self.pieces = bytearray(rest)
        return line

    def _gone(self) -> None:
        with suppress(subprocess.TimeoutExpired):
            self.program.wait(1)

    def end(self) -> None:
        """Ends the program and takes its exit."""
        self.program.kill()
        for pipe in (self.program.stdin, self.program.stdout):
            try:
                if pipe is not None:
                    pipe.close()
            except BrokenPipeError:
                continue
        self.program.wait()


def _as_written(value: np.float32) -> float:
    """The number of fewest digits that single precision takes for a value: 4.6, and not 4.599999904632568."""
    return float(str(value))


def _answer(line: bytes) -> dict[str, Any] | None:
    """What a line says, or None for one that is no answer."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("number"), int) else None


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
        self._running: _Run | None = None
        self._owner = 0
        self._serves = 0  # the process in which calls do not wait for a start
        self._rests_until = 0.0
        _MADE.add(self)

    def margins(self, matrix: NDArray[np.float32], seconds: float | None = None) -> NDArray[np.float64]:
        """The margin of each row. Raises ApartError if it does not come in time, or the library refuses the rows."""
        rows = [[None if np.isnan(v) else _as_written(v) for v in row] for row in matrix]
        answer = self._asked(rows, seconds or self._seconds)
        try:
            found = np.array(answer["margins"], dtype=np.float64)
        except (KeyError, ValueError, TypeError):
            raise ApartError(_FAILED) from None
        if found.shape != (len(rows),) or not np.all(np.isfinite(found)):
            raise ApartError(_FAILED)
        return found

    def check(self) -> None:
        """Waits until the process is ready. Raises PluginError that says what keeps it from being so."""
        try:
            self._asked([], _START_SECONDS)
        except ApartError:
            raise PluginError(
                f"{self.file}: the process that computes it does not start; it needs the `train` extra, "
                "pip install 'curbside[train]', the file as it was imported, and libraries that say the same of it as "
                "those that it was imported with"
            ) from None
        finally:
            self.end()

    def start(self) -> None:
        """Starts the process without waiting; from now on a call that comes before it is ready is refused."""
        with self._lock, suppress(ApartError):
            self._serves = os.getpid()
            self._started()

    def __del__(self) -> None:
        self._end()

    def end(self) -> None:
        """Ends the process, if it runs."""
        with self._lock:
            self._end()

    @property
    def _waits(self) -> bool:
        """Whether a call waits for a start: where nobody started the process ahead, as on the command line."""
        return self._serves != os.getpid()

    def _asked(self, rows: list[list[float | None]], seconds: float) -> dict[str, Any]:
        ends = self._monotonic() + seconds
        if not self._lock.acquire(timeout=seconds):
            raise ApartError(_LATE)
        try:
            for _ in range(2):  # one that died between two calls is replaced, and asked
                run = self._ready(ends)
                now = self._monotonic()
                if run.ask(rows, now) and (
                    found := run.answer(now + seconds if self._waits else ends, self._monotonic)
                ):
                    return found
                if not run.ended:
                    raise ApartError(_LATE)
                self._replace()
            raise ApartError(_FAILED)
        finally:
            self._lock.release()

    def _ready(self, ends: float) -> _Run:
        """The process, once it has started and owes no earlier answer. Raises ApartError if it is not so in time."""
        run = self._started()
        if run.heard >= 0 and run.ended:
            self._end()
            run = self._started()
        if run.heard == run.asked:
            return run
        starts = run.heard < 0
        given_up = run.since + (_START_SECONDS if starts else _HUNG_SECONDS)
        at_once = self._monotonic() + _A_LOOK if starts else ends  # others want to compute
        if run.answer(given_up if self._waits else at_once, self._monotonic) is not None:
            return run
        if run.ended and starts:
            self._rests_until = self._monotonic() + _REST_SECONDS
        if run.ended or self._monotonic() >= given_up:
            self._replace()
        raise ApartError(_STARTING if starts else _LATE)

    def _replace(self) -> None:
        """Ends the process and starts it again, unless it must rest; a later call may find it ready."""
        self._end()
        with suppress(ApartError):
            self._started()

    def _started(self) -> _Run:
        """The process, which may not be ready. Raises ApartError while it rests."""
        if self._owner != os.getpid():  # after a fork: the other process's child is not ours
            self._running, self._owner = None, os.getpid()
        if self._running is None:
            if self._monotonic() < self._rests_until:
                raise ApartError(_ENDED)
            program = subprocess.Popen(  # noqa: S603 - our own module, a path of the site's settings
                self._arguments,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env={"LANG": "C.UTF-8", "PATH": os.defpath, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
                close_fds=True,
            )
            self._running = _Run(program, self._monotonic())
        return self._running

    def _end(self) -> None:
        running, self._running = self._running, None
        if running is not None and self._owner == os.getpid():
            running.end()
