"""One language model behind `/chat/completions`, asked under a deadline and caps; what a server can do is remembered.

Servers differ: some obey a JSON schema, some know JSON only, some neither, and some refuse `temperature` or want
`max_completion_tokens`. The first refusal (400, 422) teaches; the next question is put as the server takes it. What it
answers is read strictly in any case. Whatever goes wrong is an `LlmError` with one reason and no text of the answer.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from threading import Lock
from typing import Any

import msgspec
import orjson

from cds_service.clock import Deadline
from cds_service.errors import CurbsideError, SettingsError
from cds_service.language import msg
from cds_service.observer import NOBODY, Observer
from cds_service.outbound import Failure, Outbound, OutboundError, Secret
from cds_service.settings import Llm

_ROUTE = "/chat/completions"
_EXPLAINED = (400, 413, 422)  # statuses whose body says what the server would rather have
_CONTEXT = re.compile(
    rb"context.{0,20}(length|size|window)|maximum context|exceed_context|too many tokens|prompt is too long"
    rb"|exceeds? the (available|maximum)|reduce the length",
    re.I,
)
_THOUGHT = re.compile(r"^\s*<think>.*?</think>", re.S)
_END = b"[DONE]"


class Reason(Enum):
    """Why there is no answer of use. The value is English; the catalogue has it in a reader's language."""

    TIMEOUT = msg("no answer in time").text
    REFUSED = msg("no connection").text
    BROKEN = msg("answer broken off").text
    STATUS = msg("server error").text
    TOO_LARGE = msg("answer too large").text
    PAUSED = msg("server left alone after repeated failures").text
    NOT_ALLOWED = msg("address not allowed").text
    FOREIGN = msg("answer is not what was asked for").text
    EMPTY = msg("answer holds no text").text
    CUT = msg("answer cut at the token limit").text
    FILTERED = msg("server withheld the answer").text
    CONTEXT = msg("question too long for the model").text
    HOURLY = msg("hourly limit reached").text


_BY_FAILURE = {
    Failure.TIMEOUT: Reason.TIMEOUT,
    Failure.REFUSED: Reason.REFUSED,
    Failure.BROKEN: Reason.BROKEN,
    Failure.STATUS: Reason.STATUS,
    Failure.TOO_LARGE: Reason.TOO_LARGE,
    Failure.PAUSED: Reason.PAUSED,
    Failure.NOT_ALLOWED: Reason.NOT_ALLOWED,
}


class LlmError(CurbsideError):
    """No answer of use. `status` is the server's, where it answered one."""

    http_status = 502
    issue_code = "transient"
    exit_code = 1

    def __init__(self, reason: Reason, status: int | None = None) -> None:
        super().__init__(f"language model: {reason.value}" + (f" ({status})" if status is not None else ""))
        self.reason = reason
        self.status = status


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of what is sent. content: text, or parts as OpenAI writes them (text and images)."""

    role: str
    content: str | Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model answered. mode: how its form was asked for. Tokens as the server counts them; 0 if it does not."""

    text: str
    mode: str
    prompt_tokens: int = 0
    answer_tokens: int = 0


class _Text(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Text = msgspec.field(default_factory=_Text)
    delta: _Text = msgspec.field(default_factory=_Text)
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Answer(msgspec.Struct):
    choices: list[_Choice]
    usage: _Usage | None = None


_DECODER = msgspec.json.Decoder(_Answer)
_FORMS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "json_schema": lambda s: {
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": s}}
    },
    "json_object with schema": lambda s: {"response_format": {"type": "json_object", "schema": s}},
    "json_object": lambda s: {"response_format": {"type": "json_object"}},
    "plain": lambda s: {},
}
_MODES = tuple(_FORMS)


class LanguageModel:
    """One model at one endpoint. Safe for several threads; connections are made after a fork."""

    def __init__(
        self,
        settings: Llm,
        *,
        allow_insecure_loopback: bool = False,
        environ: Mapping[str, str] | None = None,
        observer: Observer = NOBODY,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises SettingsError naming the key that is wrong."""
        self._settings = settings
        self._url = settings.url.rstrip("/") + _ROUTE
        self._key = _key(settings, os.environ if environ is None else environ)
        try:
            self._out = Outbound(
                (settings.url.rstrip("/"),),
                allow_insecure_loopback=allow_insecure_loopback or settings.local,
                ca_file=settings.ca_file,
                connections=settings.calls_at_once,
                failures=settings.failures,
                pause_s=settings.pause_s,
                monotonic=monotonic,
                purpose="llm",
                observer=observer,
            )
        except SettingsError as error:
            raise SettingsError(f"settings: llm.url: {str(error).removeprefix('settings: ')}") from None
        self._monotonic = monotonic
        self._lock = Lock()
        self._mode = 0
        self._length = "max_tokens"
        self._dropped: frozenset[str] = frozenset()

    def ask(
        self,
        messages: Sequence[Message],
        *,
        schema: Mapping[str, Any] | None = None,
        deadline: Deadline | None = None,
        max_tokens: int | None = None,
    ) -> Reply:
        """The model's answer; with a schema, as JSON wherever the server can be made to.

        deadline: by default `llm.timeout_s` from now. Raises LlmError.
        """
        deadline = deadline or Deadline.after(self._settings.timeout_s, self._monotonic)
        for _ in range(len(_MODES) + 3):  # each refusal teaches one thing: a form, or one of three parameters
            mode = _MODES[self._mode] if schema is not None else "plain"
            body = self._body(messages, max_tokens)
            if schema is not None:
                body |= _FORMS[mode](schema)
            asked = (self._mode, self._length, self._dropped)
            answer = self._post(body, deadline)
            if answer.status in _EXPLAINED:
                self._learn(answer.body, answer.status, asked, formed=mode != "plain")
                continue
            return _read(answer.body, mode)
        raise LlmError(Reason.STATUS, 400)

    def stream(self, messages: Sequence[Message], *, deadline: Deadline | None = None) -> Iterator[str]:
        """The pieces of an answer in plain text as they arrive; close it to break off. Raises LlmError in between."""
        deadline = deadline or Deadline.after(self._settings.timeout_s, self._monotonic)
        body = {**self._body(messages, None), "stream": True}
        finish: str | None = None
        try:
            for line in self._out.post_for_lines(
                self._url,
                orjson.dumps(body),
                content_type="application/json",
                deadline=deadline,
                max_bytes=self._settings.max_answer_bytes,
                token=self._key,
            ):
                if not line.startswith(b"data:") or (data := line[5:].strip()) == _END:
                    continue
                for choice in _decoded(data).choices[:1]:
                    finish = choice.finish_reason or finish
                    if choice.delta.content:
                        yield choice.delta.content
        except OutboundError as error:
            raise LlmError(_BY_FAILURE[error.kind], error.status) from None
        _finished(finish)

    def _body(self, messages: Sequence[Message], max_tokens: int | None) -> dict[str, Any]:
        settings = self._settings
        body: dict[str, Any] = {
            "model": settings.model,
            "messages": [{"role": m.role, "content": m.content} for m in messages],
            "temperature": 0,
            "seed": settings.seed,
            self._length: max_tokens or settings.max_answer_tokens,
        }
        return {name: value for name, value in body.items() if name not in self._dropped}

    def _post(self, body: Mapping[str, Any], deadline: Deadline) -> Any:
        try:
            return self._out.post(
                self._url,
                orjson.dumps(body),
                content_type="application/json",
                deadline=deadline,
                max_bytes=self._settings.max_answer_bytes,
                token=self._key,
                also=_EXPLAINED,
            )
        except OutboundError as error:
            raise LlmError(_BY_FAILURE[error.kind], error.status) from None

    def _learn(self, body: bytes, status: int, asked: tuple[int, str, frozenset[str]], *, formed: bool) -> None:
        """Remembers what the server refused. Raises LlmError where nothing can be given up any more."""
        if status == 413 or _CONTEXT.search(body):
            raise LlmError(Reason.CONTEXT, status)
        with self._lock:
            if asked != (self._mode, self._length, self._dropped):
                return  # another thread has learnt meanwhile
            if self._length == "max_tokens" and b"max_completion_tokens" in body:
                self._length = "max_completion_tokens"
                return
            for name in ("temperature", "seed"):
                if name.encode() in body and name not in self._dropped:
                    self._dropped |= {name}
                    return
            if not formed or self._mode + 1 == len(_MODES):
                raise LlmError(Reason.STATUS, status)
            self._mode += 1


def _key(settings: Llm, environ: Mapping[str, str]) -> Secret | None:
    if settings.key_file is not None:
        try:
            text = settings.key_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"settings: llm.key_file cannot be read ({type(error).__name__}). Name a file that holds the key alone."
            ) from None
        where = "llm.key_file"
    elif settings.key_env:
        text, where = environ.get(settings.key_env, "").strip(), f"the variable {settings.key_env} (llm.key_env)"
    else:
        return None
    if not re.fullmatch(r"[!-~]+", text):
        raise SettingsError(f"settings: {where} holds no key: one line of printable characters without spaces.")
    return Secret(text)


def _decoded(body: bytes) -> _Answer:
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise LlmError(Reason.FOREIGN) from None


def _finished(finish: str | None) -> None:
    if finish == "length":
        raise LlmError(Reason.CUT)
    if finish == "content_filter":
        raise LlmError(Reason.FILTERED)


def _read(body: bytes, mode: str) -> Reply:
    """The text of an answer; of several choices the first."""
    answer = _decoded(body)
    if not answer.choices:
        raise LlmError(Reason.EMPTY)
    choice = answer.choices[0]
    _finished(choice.finish_reason)
    text = _THOUGHT.sub("", choice.message.content or "").strip()
    if not text:
        raise LlmError(Reason.EMPTY)
    usage = answer.usage or _Usage()
    return Reply(text, mode, usage.prompt_tokens, usage.completion_tokens)
