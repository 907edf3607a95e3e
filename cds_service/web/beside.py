"""One process beside the workers: forked from the master with all that is loaded, and kept alive."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable

_REST_S = 1.0  # between two starts of a process that ends at once
_LOOK_S = 0.05
_KINDNESS = 5  # answering hooks goes first


class Beside:
    """Starts a process, starts it again when it has ended, and ends it."""

    def __init__(self, task: Callable[[], None], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._task = task
        self._monotonic = monotonic
        self._pid = 0
        self._started = float("-inf")
        self._ending = False

    def keep(self, unburden: Callable[[], None]) -> None:
        """Starts the process if it does not run. unburden: what it does first, to be no copy of its parent."""
        if self._ending or self._runs() or self._monotonic() - self._started < _REST_S:
            return
        self._started = self._monotonic()
        pid = os.fork()
        if pid:
            self._pid = pid
            return
        code = 1
        try:
            unburden()
            os.nice(_KINDNESS)
            self._task()
            code = 0
        except BaseException as error:  # noqa: BLE001 - nothing may get back into the master's code
            sys.stderr.write(f"the process beside the workers ended: {type(error).__name__}\n")
        finally:
            os._exit(code)

    def end(self) -> None:
        """Asks it to end, and starts it no more."""
        self._ending = True
        self._signal(signal.SIGTERM)

    def gone(self, within_s: float) -> None:
        """Waits for its end, and kills it when the time is up."""
        ends = self._monotonic() + within_s
        while self._runs() and self._monotonic() < ends:
            time.sleep(_LOOK_S)
        if self._runs():
            self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        if self._pid and self._runs():
            os.kill(self._pid, number)

    def _runs(self) -> bool:
        """True while it runs; it may have been waited for by someone else."""
        if not self._pid:
            return False
        try:
            ended, _ = os.waitpid(self._pid, os.WNOHANG)
        except ChildProcessError:
            ended = self._pid
        if ended:
            self._pid = 0
        return not ended
