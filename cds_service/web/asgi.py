"""From ASGI to WSGI: bodies are read in the event loop, under a cap and a deadline; Flask runs in a bounded pool.

Slow clients so never hold a thread. One thread computes (see `turns.py`); GET is answered beside it, by threads for
each kind, so that a page that waits for the EHR holds up neither discovery nor health; and what is answered piece by
piece is sent by threads of its own (`streaming.py`).
The deadline of a call starts here, with its head.
"""

from __future__ import annotations

import asyncio
import gc
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog

from cds_service.clock import Deadline
from cds_service.errors import CurbsideError, PayloadTooLarge, RequestTimeout, UnsupportedMediaType
from cds_service.observer import NOBODY, Observer
from cds_service.settings import Limits
from cds_service.web.cors import Policy
from cds_service.web.outcome import HEADERS, JSON, hints, of_error, request_id
from cds_service.web.streaming import Streams
from cds_service.web.turns import Turns
from cds_service.web.wsgi import Answer, Begun, Wsgi, begin, call

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
_KINDS = re.compile(rb"(?P<health>/health/|/metrics$)|(?P<picture>/app/r/[^/]+/picture/)|(?P<page>/app/)")
_THREADS = {"health": 2, "picture": 2, "page": 4, "other": 2}
TIDY_EVERY = 500  # answers
_log = structlog.get_logger()


class Disconnected(Exception):
    """The client went away before its body was complete."""


class Adapter:
    """An ASGI application around a WSGI one. Its threads start with the first request: after the fork."""

    def __init__(self, app: Wsgi, limits: Limits, cors: Policy | None = None, observer: Observer = NOBODY) -> None:
        """cors: marks the refusals that never reach `app`; observer: counts them."""
        self._observer = observer
        self._answered = 0
        self._app = app
        self._cors = cors
        self._limits = limits
        self._turns = Turns(limits.max_waiting, limits.max_fetching, observer)
        self._streams = Streams()
        self._got = {kind: ThreadPoolExecutor(most, kind) for kind, most in _THREADS.items()}

    async def __call__(self, scope: Event, receive: Receive, send: Send) -> None:
        """Answers one request."""
        started = time.perf_counter()
        deadline = Deadline.after(self._limits.answer_s)
        held: list[object] = []  # what the answer rests on: some ten thousand objects, freed once it is sent
        try:
            body = await self._body(dict(scope["headers"]), receive)
            answer = await self._run(scope, body, deadline, started, held.append)
            if isinstance(answer, Begun):
                await self._streams.send(answer, receive, send)
                return
            status, headers, content = answer
        except CurbsideError as error:
            status, headers, content = self._refusal(error, dict(scope["headers"]))
            self._observer.answered("none", "", status, time.perf_counter() - started)
        except Disconnected:
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": content})
        held.clear()
        self._tidy()

    def computing_s(self) -> float:
        """For how long one call has been computing; 0 while none does."""
        return self._turns.held_s()

    def _tidy(self) -> None:
        """Now and then, and when its answer is sent, removes the cycle that Werkzeug's router leaves of each call.

        Left to the collector's threshold, which is high for the sake of the calls, thousands of them would wait.
        """
        self._answered += 1
        if self._answered % TIDY_EVERY == 0:
            gc.collect(0)

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        cap = self._limits.max_body_bytes
        if headers.get(b"content-encoding", b"identity") != b"identity":
            raise UnsupportedMediaType("Content-Encoding is not supported; send the JSON uncompressed")
        too_large = PayloadTooLarge(f"the body is larger than {cap} bytes (limits.max_body_bytes)")
        if int(headers.get(b"content-length", b"0")) > cap and b"expect" in headers:
            raise too_large
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._limits.read_s):
                while True:
                    event = await receive()
                    if event["type"] != "http.request":
                        raise Disconnected
                    size += len(event["body"])
                    if size <= cap:
                        chunks.append(event["body"])
                    else:
                        chunks.clear()  # read on without keeping it: a client that still sends cannot read our answer
                    if not event["more_body"]:
                        break
        except TimeoutError:
            raise RequestTimeout(f"the body did not arrive within {self._limits.read_s:g} s (limits.read_s)") from None
        if size > cap:
            raise too_large
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    async def _run(
        self, scope: Event, body: bytes, deadline: Deadline, started: float, hold: Callable[[object], None]
    ) -> Answer | Begun:
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            loop = asyncio.get_running_loop()
            found = _KINDS.match(scope["raw_path"])
            threads = self._got[(found.lastgroup or "") if found is not None else "other"]
            return await loop.run_in_executor(threads, _got, self._app, scope, body)
        return await self._turns.run(
            lambda away: call(
                self._app,
                scope,
                body,
                {
                    "curbside.deadline": deadline,
                    "curbside.away": away,
                    "curbside.started": started,
                    "curbside.hold": hold,
                },
            )
        )

    def _refusal(self, error: CurbsideError, sent: dict[bytes, bytes]) -> Answer:
        origin = sent[b"origin"].decode("latin-1") if b"origin" in sent else None
        body, id_ = of_error(error), request_id(sent.get(b"x-request-id", b"").decode("latin-1"))
        _log.info("request", request_id=id_, status=error.http_status, reason=error.issue_code)
        own = (("Content-Type", JSON), ("Content-Length", str(len(body))), ("Connection", "close"))
        cors = self._cors.headers(origin) if self._cors is not None else ()
        headers = [*own, ("X-Request-Id", id_), *hints(error), *cors, *HEADERS]
        return error.http_status, [(k.lower().encode(), v.encode("latin-1")) for k, v in headers], body


def _got(app: Wsgi, scope: Event, body: bytes) -> Answer | Begun:
    """An answer as a whole, or its beginning where the rest is made while it is sent."""
    begun = begin(app, scope, body)
    return begun if begun.streamed and scope["method"] == "GET" else begun.whole()
