"""One WSGI call: the environ of a request whose body has been read, and the answer, collected or piece by piece."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from io import BytesIO
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote_to_bytes

Scope = MutableMapping[str, Any]
Answer = tuple[int, list[tuple[bytes, bytes]], bytes]
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass
class Begun:
    """An answer whose head is known. Whatever thread makes its body does so in the context of its beginning."""

    status: int
    headers: list[tuple[bytes, bytes]]
    _parts: Iterable[bytes] = field(repr=False)
    _context: Context = field(repr=False)

    @property
    def streamed(self) -> bool:
        """True for a body whose length is not known beforehand: it is made while it is sent."""
        return self.status == 200 and all(name != b"content-length" for name, _ in self.headers)

    def pieces(self) -> Iterator[bytes]:
        """The body; each piece is made when it is asked for."""
        parts = self._context.run(iter, self._parts)
        while (piece := self._context.run(next, parts, None)) is not None:
            yield piece

    def close(self) -> None:
        """Tells the application that no more is wanted."""
        close = getattr(self._parts, "close", None)
        if close is not None:
            self._context.run(close)

    def whole(self) -> Answer:
        """The answer, collected."""
        try:
            return self.status, self.headers, b"".join(self.pieces())
        finally:
            self.close()


def call(app: Wsgi, scope: Scope, body: bytes, also: Mapping[str, Any] = MappingProxyType({})) -> Answer:
    """The answer of a WSGI application to one request whose body has been read. also: added to the environ."""
    return begin(app, scope, body, also).whole()


def begin(app: Wsgi, scope: Scope, body: bytes, also: Mapping[str, Any] = MappingProxyType({})) -> Begun:
    """The head of an answer, and its body to come; `close` must be called in any case."""
    head: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        head.append((status, headers))

    context = copy_context()
    parts = context.run(app, {**environ(scope, body), **also}, start_response)
    status, headers = head[-1]
    return Begun(
        int(status[:3]), [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers], parts, context
    )


def environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """The WSGI environ of one request. Header names with an underscore are dropped: they could pose as another."""
    host, port = scope.get("server") or ("localhost", 80)
    client = scope.get("client")
    result: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": client[0] if client else "",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for raw, value in scope["headers"]:
        name = raw.decode("latin-1")
        if name in ("content-length", "transfer-encoding") or "_" in name:
            continue
        key = "CONTENT_TYPE" if name == "content-type" else "HTTP_" + name.upper().replace("-", "_")
        text = value.decode("latin-1")
        result[key] = f"{result[key]},{text}" if key in result else text
    return result
