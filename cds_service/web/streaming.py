"""A body that is sent piece by piece while it is made: in threads of its own, as fast as its reader takes it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from cds_service.errors import Overloaded
from cds_service.web.wsgi import Begun

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
_log = structlog.get_logger()


class Streams:
    """The bodies of one worker that are on their way. Threads start with the first: after the fork."""

    def __init__(self, most: int = 8, patience_s: float = 20.0) -> None:
        """most: bodies at once. patience_s: how long a reader may take no piece before the body is broken off."""
        self._pool = ThreadPoolExecutor(most, "stream")
        self._most, self._patience_s = most, patience_s
        self._running = 0

    async def send(self, begun: Begun, receive: Receive, send: Send) -> None:
        """Sends head and body. A reader who leaves, or takes nothing, ends the work. Raises Overloaded."""
        if self._running >= self._most:
            begun.close()
            raise Overloaded("too many answers are on their way; try again in a few seconds")
        gone = threading.Event()
        self._running += 1
        await send({"type": "http.response.start", "status": begun.status, "headers": begun.headers})
        watching = asyncio.ensure_future(_watch(receive, gone))
        loop = asyncio.get_running_loop()
        try:
            whole = await loop.run_in_executor(self._pool, self._pump, begun, send, gone, loop)
        finally:
            self._running -= 1
            watching.cancel()
        if whole:
            await send({"type": "http.response.body", "body": b""})
        else:
            _log.info("body broken off", gone=gone.is_set())

    def _pump(self, begun: Begun, send: Send, gone: threading.Event, loop: asyncio.AbstractEventLoop) -> bool:
        """True if all of it was sent."""
        try:
            for piece in begun.pieces():
                if gone.is_set():
                    return False
                event = {"type": "http.response.body", "body": piece, "more_body": True}
                sending = asyncio.run_coroutine_threadsafe(_sent(send, event), loop)
                try:
                    sending.result(self._patience_s)
                except TimeoutError:
                    sending.cancel()
                    return False
            return True
        except Exception as error:  # noqa: BLE001 - the head is out: all that is left is to break off and to say so
            _log.error("body broken off", error=type(error).__name__)
            return False
        finally:
            begun.close()


async def _sent(send: Send, event: Event) -> None:
    await send(event)


async def _watch(receive: Receive, gone: threading.Event) -> None:
    """Sets `gone` when the reader leaves."""
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()
