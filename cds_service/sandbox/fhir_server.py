"""A FHIR R4 server over Bundles in memory: reads, type searches, pages, a bearer token, and every way to misbehave.

It listens on loopback only. `python -m cds_service.sandbox.fhir_server BUNDLE.json...` serves bundles by hand; tests
start it with `FhirServer(bundles).running()` and set faults. Source: hl7.org/fhir/R4/http.html, search.html.
"""

from __future__ import annotations

import json
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from cds_service.sandbox.faults import CONNECTION, CONTENT, Fault, Misbehaviour, outcome
from cds_service.sandbox.prefetch import Shelf
from cds_service.sandbox.resources import Json
from cds_service.sandbox.search import UnsupportedSearch, search

_FHIR_JSON = "application/fhir+json;charset=utf-8"
_PAGE = 100


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that arrived: path with query, whether it carried the right token, and its headers in lower case."""

    target: str
    authorized: bool
    headers: Mapping[str, str] = field(repr=False)


class FhirServer:
    """The server. `faults`: resource type, or `*` for all -> misbehaviour; may be changed while it runs.

    token: what a request must carry; None to ask for none. page: entries on a page, where `_count` does not say less.
    """

    def __init__(
        self, bundles: Iterable[Mapping[str, Any]], *, token: str | None = None, page: int = _PAGE, path: str = "/fhir"
    ) -> None:
        self.shelves = [Shelf(bundle) for bundle in bundles]
        self.token = token
        self.page = page
        self.path = path
        self.faults: dict[str, Misbehaviour] = {}
        self.seen: list[Seen] = []
        self.stopping = threading.Event()
        self._server: ThreadingHTTPServer | None = None

    @property
    def base(self) -> str:
        """The FHIR base URL."""
        if self._server is None:
            raise RuntimeError("the server does not run: use `with server.running():`")
        return f"http://127.0.0.1:{self._server.server_address[1]}{self.path}"

    @contextmanager
    def running(self, port: int = 0) -> Iterator[FhirServer]:
        """Serves on loopback in threads of its own until the end of the block."""
        server = self

        class Bound(Handler):
            fhir = server

        self._server = _Threads(("127.0.0.1", port), Bound)
        thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.stopping.set()
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def read(self, name: str) -> Json | None:
        """The resource `Type/id`, or None."""
        found = (shelf.read(name) for shelf in self.shelves)
        return next((resource for resource in found if resource is not None), None)

    def query(self, type_: str, parameters: str) -> Json:
        """One page of the searchset of a type search. Raises UnsupportedSearch."""
        return page_of(self.shelves, self.base, self.page, type_, parameters)

    def searchset(self, rows: Iterable[Json], links: list[Json], total: int) -> Json:
        """A searchset Bundle."""
        return searchset(self.base, rows, links, total)


def page_of(shelves: Iterable[Shelf], base: str, page: int, type_: str, parameters: str) -> Json:
    """One page of the searchset of a type search over shelves, with a `next` link if there is more.

    base: of the FHIR server. page: most entries on a page. Raises UnsupportedSearch.
    """
    pairs = parse_qsl(parameters, keep_blank_values=True)
    own = {name: value for name, value in pairs if name in ("_count", "_offset", "_page")}
    rest = urlencode([pair for pair in pairs if pair[0] not in own])
    size = min(page, int(own.get("_count", page)))
    start = int(own.get("_offset", 0))
    rows = [
        shelf.served(row)
        for shelf in shelves
        for row in search(f"{type_}?{rest}", shelf.rows.values(), shelf.canonical)[0]
    ]
    links = [{"relation": "self", "url": f"{base}/{type_}?{parameters}"}]
    if start + size < len(rows):
        following = urlencode({"_count": size, "_offset": start + size})
        links.append({"relation": "next", "url": f"{base}/{type_}?{rest}&{following}"})
    return searchset(base, rows[start : start + size], links, len(rows))


def searchset(base: str, rows: Iterable[Json], links: list[Json], total: int) -> Json:
    """A searchset Bundle of a FHIR server."""
    entries = [
        {"fullUrl": f"{base}/{row['resourceType']}/{row['id']}", "resource": row, "search": {"mode": "match"}}
        for row in rows
    ]
    body: Json = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links}
    return body | ({"entry": entries} if entries else {})


class _Threads(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients that hang up on a fault are what faults are for."""


class Handler(BaseHTTPRequestHandler):
    """One connection of a client."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    fhir: FhirServer

    def do_GET(self) -> None:
        """A read or a search."""
        self._answer(self.path)

    def do_POST(self) -> None:
        """`Type/_search` with the parameters in the body."""
        split = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        self._answer(f"{split.path.removesuffix('/_search')}?{'&'.join(x for x in (split.query, body) if x)}")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed; `seen` has it."""

    def _answer(self, target: str) -> None:
        fhir = self.fhir
        authorized = fhir.token is None or secrets.compare_digest(
            self.headers.get("Authorization", ""), f"Bearer {fhir.token}"
        )
        fhir.seen.append(Seen(self.path, authorized, {k.lower(): v for k, v in self.headers.items()}))
        split = urlsplit(target)
        asked = unquote(split.path).removeprefix(fhir.path).strip("/")
        type_ = asked.partition("/")[0]
        bad = fhir.faults.get(type_) or fhir.faults.get("*")
        if bad is not None and bad.fault in CONNECTION:
            CONNECTION[bad.fault](self, bad)
        elif not authorized:
            self.send(401, outcome("login", "a bearer token is needed"))
        elif not type_ or not unquote(split.path).startswith(f"{fhir.path}/"):
            self.send(404, outcome("not-found", "not a FHIR path"))
        else:
            self.resource(asked, type_, split.query, bad)

    def resource(self, asked: str, type_: str, query: str, bad: Misbehaviour | None) -> None:
        """Answers a read or a search of a type."""
        fhir = self.fhir
        if bad is not None and bad.fault is Fault.BROKEN_NEXT and "_offset" in query:
            self.send(500, outcome("exception", "the page is gone"))
            return
        found: Json | None
        if "/" in asked:
            found = fhir.read(asked)
        elif asked == "metadata":
            found = CAPABILITIES
        else:
            try:
                found = fhir.query(type_, query)
            except (UnsupportedSearch, ValueError):
                self.send(400, outcome("not-supported", "this search is not supported"))
                return
        if found is None:
            self.send(404, outcome("not-found", "there is no such resource"))
        elif bad is not None and bad.fault in CONTENT:
            CONTENT[bad.fault](self, bad, found)
        else:
            self.send(200, found)

    def send(self, status: int, content: Json | bytes, **headers: str) -> None:
        """Answers with a whole body."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.head(status, len(body), **headers)
        self.wfile.write(body)

    def head(self, status: int, length: int | None, **headers: str) -> None:
        """Sends the head of an answer; length None for a body that ends with the connection."""
        self.send_response(status)
        sent = {"Content-Type": _FHIR_JSON} | {k.replace("_", "-"): v for k, v in headers.items()}
        if length is None:
            self.close_connection = True
        else:
            sent["Content-Length"] = str(length)
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()

    def wait(self, seconds: float) -> None:
        """Waits until the time is over, the server stops, or the client has hung up."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends and not self.fhir.stopping.wait(0.02):
            if self.gone():
                break

    def gone(self) -> bool:
        """True if the client has hung up."""
        try:
            return not self.connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True


CAPABILITIES: Json = {
    "resourceType": "CapabilityStatement",
    "status": "active",
    "date": "2026-11-01",
    "kind": "instance",
    "fhirVersion": "4.0.1",
    "format": ["json"],
    "rest": [{"mode": "server"}],
}


def main(arguments: list[str]) -> int:
    """Serves the Bundles named until it is interrupted; 2 on wrong usage."""
    if not arguments:
        print("usage: python -m cds_service.sandbox.fhir_server BUNDLE.json...", file=sys.stderr)
        return 2
    bundles = [json.loads(Path(name).read_bytes()) for name in arguments]
    with FhirServer(bundles).running() as server:
        print(server.base, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
