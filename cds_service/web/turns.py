"""The compute turn of a worker: one call computes at a time, and gives the turn to the next while it waits outside.

A call keeps its thread from beginning to end. As long as nobody waits for another server, one thread does all the
work; each call that is away lets a further one take over, up to a limit that whoever goes away keeps.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

from cds_service.errors import Overloaded
from cds_service.observer import NOBODY, Observer

Result = TypeVar("Result")
Away = Callable[[], AbstractContextManager[None]]


class Turns:
    """The turn of one worker, and the calls that wait for it. Threads start with the first call: after the fork."""

    def __init__(self, max_waiting: int, max_away: int, observer: Observer = NOBODY) -> None:
        """max_waiting: calls that may wait or compute. max_away: calls that may be away at once; others bound it."""
        self._observer = observer
        self._threads = ThreadPoolExecutor(1 + max_away, "compute")
        self._turn = asyncio.Semaphore(1)
        self._max_waiting = max_waiting
        self._waiting = 0
        self._since: float | None = None  # when whoever has the turn got it

    def held_s(self) -> float:
        """For how long one call has had the turn; 0 while nobody computes."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    async def run(self, work: Callable[[Away], Result]) -> Result:
        """The result of some work, done when its turn has come. Raises Overloaded if too many wait already."""
        if self._waiting >= self._max_waiting:
            raise Overloaded("too many requests are waiting (limits.max_waiting); try again in a second")
        loop = asyncio.get_running_loop()
        await self._take()
        try:
            return await loop.run_in_executor(self._threads, work, lambda: self._away(loop))
        finally:
            self._give()

    @contextmanager
    def _away(self, loop: asyncio.AbstractEventLoop) -> Iterator[None]:
        """In a worker's thread: others may compute inside this."""
        loop.call_soon_threadsafe(self._give)
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(self._take(), loop).result()

    async def _take(self) -> None:
        self._count(1)
        try:
            await self._turn.acquire()
        except BaseException:  # cancelled: whoever waited has gone
            self._count(-1)
            raise
        self._since = time.monotonic()

    def _give(self) -> None:
        self._since = None
        self._count(-1)
        self._turn.release()

    def _count(self, change: int) -> None:
        self._waiting += change
        self._observer.waiting(self._waiting)
