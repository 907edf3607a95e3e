"""Who waits for whom in one worker: pages that wait for an EHR hold up neither health nor discovery."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import loops

from cds_service.settings import Limits
from cds_service.web.asgi import Adapter

HEAD = {
    "type": "http", "query_string": b"", "headers": [], "scheme": "http", "server": ("h", 1), "client": None,
}  # fmt: skip


class Held:
    """An application that answers all but health and discovery when it is let go. begun: a call waits in it."""

    def __init__(self) -> None:
        self.begun, self.let_go = threading.Semaphore(0), threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        if environ["PATH_INFO"] not in ("/health/live", "/cds-services"):
            self.begun.release()
            assert self.let_go.wait(60)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]


async def asked(adapter: Adapter, path: str, method: str = "GET") -> int:
    """The status of one call."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(event: Any) -> None:
        sent.append(event)

    await adapter({**HEAD, "method": method, "raw_path": path.encode()}, receive, send)
    return int(sent[0]["status"])


def test_pages_that_wait_for_an_ehr_hold_up_neither_health_nor_discovery() -> None:
    """Twenty launches while the EHR hangs: an orchestrator that asks for health must not end the service."""

    async def all_of_it() -> list[int]:
        app = Held()
        adapter = Adapter(app, Limits())
        pages = [asyncio.ensure_future(asked(adapter, path)) for path in ("/app/launch", "/app/r/x/picture/a/1") * 10]
        await asyncio.get_running_loop().run_in_executor(None, app.begun.acquire)
        found = [await asyncio.wait_for(asked(adapter, path), 60) for path in ("/health/live", "/cds-services") * 2]
        app.let_go.set()
        return [*found, *await asyncio.gather(*pages)]

    assert loops.run(all_of_it()) == [200] * 24


def test_a_worker_knows_for_how_long_a_call_computes() -> None:
    """From when it has the turn until it is done; a queue behind it is not counted."""

    async def all_of_it() -> None:
        app = Held()
        adapter = Adapter(app, Limits())
        assert adapter.computing_s() == 0
        calls = [asyncio.ensure_future(asked(adapter, "/x", "POST")) for _ in range(2)]
        await asyncio.get_running_loop().run_in_executor(None, app.begun.acquire)
        first = adapter.computing_s()
        assert 0 < first < adapter.computing_s()
        app.let_go.set()
        assert await asyncio.gather(*calls) == [200, 200]
        assert adapter.computing_s() == 0

    loops.run(all_of_it())
