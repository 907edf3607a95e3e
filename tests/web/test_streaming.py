"""Bodies that are made while they are sent: passed on at once, at the reader's pace, ended when the reader leaves."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import loops
from flask import Flask, Response, request, stream_with_context

from cds_service.settings import Limits
from cds_service.web.asgi import Adapter
from cds_service.web.streaming import Streams

SCOPE = {
    "type": "http", "method": "GET", "raw_path": b"/x", "query_string": b"", "headers": [], "scheme": "http",
    "server": ("h", 1), "client": None,
}  # fmt: skip


class Body:
    """A body of some pieces. made: how many were asked for. closed: set when the application is told of the end."""

    def __init__(self, *pieces: bytes, fails: bool = False) -> None:
        self.pieces, self.fails = pieces, fails
        self.made = 0
        self.closed = threading.Event()

    def __call__(self, _environ: Any, start_response: Callable[..., Any]) -> Body:
        start_response("200 OK", [("Content-Type", "text/html")])
        return self

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            self.made += 1
            yield piece
        if self.fails:
            raise ValueError("a secret")

    def close(self) -> None:
        self.closed.set()


def run(body: Body, taking: Callable[[dict[str, Any], asyncio.Event], Any], patience_s: float = 5.0) -> list[Any]:
    """What was sent. taking: waits for as long as the reader does; its event lets the reader leave."""
    sent: list[Any] = []

    async def whole() -> None:
        adapter = Adapter(body, Limits())
        adapter._streams = Streams(2, patience_s)
        left = asyncio.Event()
        first = [{"type": "http.request", "body": b"", "more_body": False}]

        async def receive() -> dict[str, Any]:
            if first:
                return first.pop()
            await left.wait()
            return {"type": "http.disconnect"}

        async def send(event: Any) -> None:
            await taking(event, left)
            sent.append(event)

        await adapter(dict(SCOPE), receive, send)

    loops.run(whole())
    return sent


async def at_once(_event: Any, _left: asyncio.Event) -> None:
    """A reader who takes all."""


def test_each_piece_is_sent_before_the_next_is_made() -> None:
    """So the first sentence is read while the second is written; the end is told."""
    body = Body(b"a", b"b", b"c")
    made: list[int] = []

    async def taking(event: Any, _left: asyncio.Event) -> None:
        made.append(body.made)

    sent = run(body, taking)
    assert [e.get("body") for e in sent] == [None, b"a", b"b", b"c", b""]
    assert [e.get("more_body", False) for e in sent] == [False, True, True, True, False]
    assert made[:4] == [0, 1, 2, 3]
    assert body.closed.is_set()


def test_a_reader_who_leaves_ends_the_work() -> None:
    """No further piece is made, the application is told, and no end is sent."""
    body = Body(*[b"x"] * 1000)

    async def taking(event: Any, left: asyncio.Event) -> None:
        left.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    sent = run(body, taking)
    assert body.made < 10
    assert body.closed.is_set()
    assert sent[-1].get("more_body")


def test_a_reader_who_takes_nothing_holds_no_thread() -> None:
    """After the time that is given the body is broken off."""
    body = Body(b"a", b"b")

    async def taking(event: Any, _left: asyncio.Event) -> None:
        if event["type"] == "http.response.body":
            await asyncio.Event().wait()

    sent = run(body, taking, patience_s=0.05)
    assert [e["type"] for e in sent] == ["http.response.start"]
    assert body.made == 1
    assert body.closed.is_set()


def test_an_application_that_fails_midway_breaks_the_body_off(capsys: Any) -> None:
    """So that no reader takes a part for the whole; the log has the kind of error and not its words."""
    sent = run(Body(b"a", fails=True), at_once)
    assert sent[-1] == {"type": "http.response.body", "body": b"a", "more_body": True}
    logged = "".join(capsys.readouterr())
    assert "a secret" not in logged


def test_more_bodies_than_may_be_on_their_way_are_refused_before_their_head() -> None:
    """With 503, and the application is told."""
    body = Body(b"a")

    async def whole() -> list[Any]:
        sent: list[Any] = []
        adapter = Adapter(body, Limits())
        adapter._streams = Streams(1)
        adapter._streams._running = 1

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(event: Any) -> None:
            sent.append(event)

        await adapter(dict(SCOPE), receive, send)
        return sent

    sent = loops.run(whole())
    assert sent[0]["status"] == 503
    assert body.closed.is_set()
    assert body.made == 0


def test_a_flask_answer_keeps_its_request_while_another_thread_makes_it() -> None:
    """Pieces that read the request, and what runs when they end, are made in threads of their own."""
    app = Flask("streaming")
    ended: list[str] = []

    @app.get("/x")
    def page() -> Response:
        def pieces() -> Iterator[str]:
            try:
                yield "a"
                yield request.args["q"]
            finally:
                ended.append(request.args["q"])

        return Response(stream_with_context(pieces()))

    sent: list[Any] = []

    async def whole() -> None:
        adapter = Adapter(app, Limits())

        async def receive() -> dict[str, Any]:
            if not sent:
                return {"type": "http.request", "body": b"", "more_body": False}
            await asyncio.Event().wait()
            raise AssertionError

        async def send(event: Any) -> None:
            sent.append(event)

        await adapter({**SCOPE, "query_string": b"q=7"}, receive, send)

    loops.run(whole())
    assert b"".join(e.get("body", b"") for e in sent) == b"a7"
    assert ended == ["7"]
