"""What calls leave behind does not wait for the collector's high threshold."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterable
from typing import Any

import loops

from cds_service.settings import Limits
from cds_service.web.asgi import TIDY_EVERY, Adapter, Event


class Cycle:
    """An object that only the collector can free."""

    def __init__(self) -> None:
        self.own = self


def test_cycles_of_calls_are_removed_after_some_hundred_answers() -> None:
    """With the collector off, none of them is left after as many answers as are waited for, and some before."""
    left: list[weakref.ref[Cycle]] = []

    def app(_environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        left.append(weakref.ref(Cycle()))
        start("204 No Content", [("Content-Length", "0")])
        return [b""]

    async def receive() -> Event:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_event: Event) -> None:
        return

    async def calls(adapter: Adapter, count: int) -> None:
        scope = {
            "type": "http",
            "method": "POST",
            "query_string": b"",
            "scheme": "http",
            "headers": [],
            "raw_path": b"/",
        }
        for _ in range(count):
            await adapter({**scope, "headers": [], "raw_path": b"/"}, receive, send)

    async def run() -> list[int]:
        adapter, found = Adapter(app, Limits()), []
        for count in (TIDY_EVERY - 1, 1):
            await calls(adapter, count)
            found.append(sum(ref() is not None for ref in left))
        return found

    gc.collect()
    gc.disable()
    try:
        waiting, after = loops.run(run())
    finally:
        gc.enable()
    assert waiting == TIDY_EVERY - 1
    assert after == 0
