"""A language-model server on loopback that misbehaves as asked, and keeps what it received."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

Speak = Callable[[dict[str, Any]], str]  # the body of a question -> the text of the answer


@dataclass
class Model:
    """What the server does next, one behaviour a question, the last one for ever; and what it was sent."""

    behaviours: list[str] = field(default_factory=lambda: ["answer"])
    speak: Speak = lambda body: "{}"
    received: list[dict[str, Any]] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    line: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    url: str = ""

    def next(self) -> str:
        return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]

    def sent(self) -> str:
        """All that ever arrived, as one text."""
        return json.dumps([*self.received, *self.heads], ensure_ascii=False)


def whole(text: str | None, finish: str = "stop") -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()


def refusal(words: str) -> bytes:
    return json.dumps({"error": {"message": words, "type": "invalid_request_error"}}).encode()


OVERFLOW = "This model's maximum context length is 4096 tokens. Please reduce the length of the messages."


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    model: Model

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.model.received.append(body)
        self.model.heads.append(dict(self.headers))
        getattr(self, "_" + self.model.next())(body)

    def _send(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, body: dict[str, Any]) -> None:
        text = self.model.speak(body)
        if not body.get("stream"):
            return self._send(200, whole(text))
        pieces = [{"choices": [{"delta": {"content": text[i : i + 5]}}]} for i in range(0, len(text), 5)]
        pieces.append({"choices": [{"delta": {}, "finish_reason": "stop"}]})
        lines = "".join(f"data: {json.dumps(piece)}\r\n\r\n" for piece in pieces)
        return self._send(200, f": hello\r\n\r\n{lines}data: [DONE]\r\n\r\n".encode(), "text/event-stream")

    def _paced(self, body: dict[str, Any]) -> None:
        """Streams a line at once and each further one when the test lets it."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.close_connection = True
        for n, line in enumerate(self.model.speak(body).splitlines(keepends=True)):
            if n and not self.model.line.acquire(timeout=60):
                return
            self.wfile.write(f"data: {json.dumps({'choices': [{'delta': {'content': line}}]})}\r\n\r\n".encode())
            self.wfile.flush()
        self.wfile.write(b'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\r\n\r\ndata: [DONE]\r\n\r\n')

    def _only_plain(self, body: dict[str, Any]) -> None:
        if "response_format" in body:
            return self._send(422, refusal("response_format: extra fields not permitted"))
        return self._answer(body)

    def _only_json_object(self, body: dict[str, Any]) -> None:
        if body.get("response_format", {}).get("type") == "json_schema" or "schema" in body["response_format"]:
            return self._send(400, refusal("response_format.type must be text or json_object, without schema"))
        return self._answer(body)

    def _particular(self, body: dict[str, Any]) -> None:
        for name, words in (
            ("max_tokens", "Use 'max_completion_tokens' instead."),
            ("temperature", "'temperature' does not support 0 with this model."),
        ):
            if name in body:
                return self._send(400, refusal(f"Unsupported parameter: '{name}'. {words}"))
        return self._answer(body)

    def _error_500(self, body: dict[str, Any]) -> None:
        self._send(500, b"Internal Server Error: patient Zhang", "text/plain")

    def _overflow(self, body: dict[str, Any]) -> None:
        self._send(400, refusal(OVERFLOW))

    def _no_choices(self, body: dict[str, Any]) -> None:
        self._send(200, b'{"object":"chat.completion","choices":[]}')

    def _nothing_said(self, body: dict[str, Any]) -> None:
        self._send(200, whole(None))

    def _too_long(self, body: dict[str, Any]) -> None:
        self._send(200, whole('{"sentences":[{"text":"Creat', "length"))

    def _withheld(self, body: dict[str, Any]) -> None:
        self._send(200, whole("", "content_filter"))

    def _truncated(self, body: dict[str, Any]) -> None:
        self._send(200, whole('{"sentences":[{"text":"Creatinine 1.2')[:60])

    def _foreign(self, body: dict[str, Any]) -> None:
        self._send(200, b'{"status":"ok","result":{"answer":42}}')

    def _huge(self, body: dict[str, Any]) -> None:
        self._send(200, whole("x" * 1_000_000))

    def _lost(self, body: dict[str, Any]) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def _lost_midway(self, body: dict[str, Any]) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"choices":[')
        self.close_connection = True

    def _drip(self, body: dict[str, Any]) -> None:
        """A byte now and then, never to an end: each read succeeds."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.close_connection = True
        try:
            while not self.model.released.wait(0.02):
                self.wfile.write(b" ")
                self.wfile.flush()
        except OSError:
            return

    def log_message(self, *_: Any) -> None:
        return


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        return


@contextmanager
def misbehaving(*behaviours: str, speak: Speak = lambda body: "{}") -> Iterator[Model]:
    """A running server with those behaviours."""
    model = Model(list(behaviours or ("answer",)), speak)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"model": model}))
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    model.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield model
    finally:
        model.released.set()
        server.shutdown()
        server.server_close()
