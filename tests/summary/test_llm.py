"""One language model asked over HTTP: llama.cpp's real server, and one that fails in every way that servers fail."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faulty_model import misbehaving

from cds_service.clock import Deadline
from cds_service.errors import SettingsError
from cds_service.settings import Llm
from cds_service.summary.llm import LanguageModel, LlmError, Message, Reason

ASKED = [Message("system", "Order the facts."), Message("user", "F1 | HbA1c 8.1 %")]
REPLY = '{"sentences":[{"text":"HbA1c was 8.1 %.","cites":["F1"]}]}'
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["sentences"],
    "additionalProperties": False,
    "properties": {
        "sentences": {
            "type": "array",
            "minItems": 1,
            "maxItems": 4,
            "items": {
                "type": "object",
                "required": ["text", "cites"],
                "additionalProperties": False,
                "properties": {
                    "text": {"type": "string", "maxLength": 200},
                    "cites": {"type": "array", "minItems": 1, "maxItems": 3, "items": {"enum": ["F1", "F2"]}},
                },
            },
        }
    },
}


def model(url: str, **options: Any) -> LanguageModel:
    environ = options.pop("environ", {})
    return LanguageModel(Llm(url=url, model="tiny", local=True, **options), environ=environ)


def test_a_real_server_answers_under_a_schema(scripted_model: Callable[[str], str]) -> None:
    """llama.cpp takes the schema as it is sent and gives the scripted text back."""
    reply = model(scripted_model(REPLY)).ask(ASKED, schema=SCHEMA)
    assert (reply.text, reply.mode) == (REPLY, "json_schema")
    assert reply.prompt_tokens > 20


def test_a_real_server_streams(scripted_model: Callable[[str], str]) -> None:
    """The pieces of a streamed answer are the answer."""
    assert "".join(model(scripted_model(REPLY)).stream(ASKED)) == REPLY


def test_a_question_beyond_the_context_of_a_real_server_says_so(scripted_model: Callable[[str], str]) -> None:
    """The overflow is told apart from other refusals, so that less can be asked."""
    with pytest.raises(LlmError) as caught:
        model(scripted_model(REPLY)).ask([Message("user", "creatinine " * 4000)], schema=SCHEMA)
    assert caught.value.reason is Reason.CONTEXT


def test_an_untrained_model_is_an_error_of_ours_and_never_a_crash(untrained_model: str) -> None:
    """Real nonsense from a real server ends in one of our reasons."""
    with pytest.raises(LlmError) as caught:
        model(untrained_model, max_answer_tokens=150).ask(ASKED, schema=SCHEMA)
    assert caught.value.reason in {Reason.CUT, Reason.STATUS}


@pytest.mark.parametrize(
    ("behaviour", "mode"), [("only_plain", "plain"), ("only_json_object", "json_object"), ("answer", "json_schema")]
)
def test_the_form_that_a_server_knows_is_found_and_remembered(behaviour: str, mode: str) -> None:
    """A refused form is not asked for again at this endpoint."""
    with misbehaving(behaviour, speak=lambda _: REPLY) as server:
        asked = model(server.url)
        assert asked.ask(ASKED, schema=SCHEMA).mode == mode
        before = len(server.received)
        assert asked.ask(ASKED, schema=SCHEMA).mode == mode
        assert len(server.received) == before + 1


def test_a_server_that_refuses_a_parameter_gets_another_or_none() -> None:
    """Hosted reasoning models want `max_completion_tokens` and take no temperature."""
    with misbehaving("particular", speak=lambda _: REPLY) as server:
        asked = model(server.url)
        asked.ask(ASKED, schema=SCHEMA)
        asked.ask(ASKED)
    last = server.received[-1]
    assert "temperature" not in last
    assert "max_completion_tokens" in last
    assert last["seed"] == 1


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        ("error_500", Reason.STATUS),
        ("overflow", Reason.CONTEXT),
        ("no_choices", Reason.EMPTY),
        ("nothing_said", Reason.EMPTY),
        ("too_long", Reason.CUT),
        ("withheld", Reason.FILTERED),
        ("truncated", Reason.FOREIGN),
        ("foreign", Reason.FOREIGN),
        ("huge", Reason.TOO_LARGE),
        ("lost", Reason.BROKEN),
        ("lost_midway", Reason.BROKEN),
    ],
)
def test_every_way_to_fail_has_its_reason(behaviour: str, reason: Reason) -> None:
    """What a broken server says never reaches anyone; why there is no text does."""
    with misbehaving(behaviour) as server, pytest.raises(LlmError) as caught:
        model(server.url).ask(ASKED, schema=SCHEMA)
    assert caught.value.reason is reason
    assert "Zhang" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_slow_drip_ends_with_the_deadline() -> None:
    """A byte now and then does not keep a question alive."""
    started = time.monotonic()
    with misbehaving("drip") as server, pytest.raises(LlmError) as caught:
        model(server.url).ask(ASKED, deadline=Deadline.after(0.3))
    assert caught.value.reason is Reason.TIMEOUT
    assert time.monotonic() - started < 10


@pytest.mark.parametrize(
    ("behaviour", "seconds", "reason"), [("error_500", 30.0, Reason.STATUS), ("drip", 0.3, Reason.TIMEOUT)]
)
def test_a_stream_fails_with_a_reason_too(behaviour: str, seconds: float, reason: Reason) -> None:
    """Streams keep the deadline and the statuses."""
    with misbehaving(behaviour) as server, pytest.raises(LlmError) as caught:
        list(model(server.url).stream(ASKED, deadline=Deadline.after(seconds)))
    assert caught.value.reason is reason


def test_a_stream_can_be_broken_off() -> None:
    """Whoever has read enough closes the stream."""
    with misbehaving(speak=lambda _: REPLY) as server:
        pieces = model(server.url).stream(ASKED)
        assert next(pieces) == REPLY[:5]
        pieces.close()  # type: ignore[attr-defined]


def test_nobody_listening_is_told_as_such() -> None:
    """A server that does not run is no time-out."""
    with pytest.raises(LlmError) as caught:
        model("http://127.0.0.1:9/v1").ask(ASKED)
    assert caught.value.reason is Reason.REFUSED


def test_a_server_that_keeps_failing_is_left_alone_and_tried_again() -> None:
    """The breaker opens after failures in a row; one probe after the pause closes it."""
    now = [0.0]
    with misbehaving("error_500", "error_500", "answer", speak=lambda _: REPLY) as server:
        settings = Llm(url=server.url, local=True, failures=2, pause_s=60)
        asked = LanguageModel(settings, environ={}, monotonic=lambda: now[0])
        reasons = []
        for _ in range(3):
            with pytest.raises(LlmError) as caught:
                asked.ask(ASKED)
            reasons.append(caught.value.reason)
        assert reasons == [Reason.STATUS, Reason.STATUS, Reason.PAUSED]
        assert len(server.received) == 2
        now[0] = 61.0
        assert asked.ask(ASKED).text == REPLY


def test_the_key_goes_into_one_header_and_nowhere_else(tmp_path: Path) -> None:
    """A key from a file or a variable; its text is in no repr and no error."""
    (tmp_path / "key").write_text("sk-from-file\n")
    with misbehaving(speak=lambda _: REPLY) as server:
        asked = model(server.url, key_file=tmp_path / "key")
        asked.ask(ASKED)
        model(server.url, key_env="OUR_KEY", environ={"OUR_KEY": "sk-from-env"}).ask(ASKED)
        assert [head["Authorization"] for head in server.heads] == ["Bearer sk-from-file", "Bearer sk-from-env"]
        assert "sk-" not in str(server.received)
    assert "sk-from-file" not in repr(vars(asked))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"key_file": Path("/nowhere/key")}, "llm.key_file"),
        ({"key_env": "UNSET"}, "UNSET"),
        ({"url": "http://models.example.org/v1"}, "llm.url"),
        ({"url": "models.example.org/v1"}, "llm.url"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(options: dict[str, Any], named: str) -> None:
    """The sentence names the key."""
    with pytest.raises(SettingsError, match=named):
        LanguageModel(Llm(**{"url": "https://models.example.org/v1", **options}), environ={})


def test_plain_http_to_this_machine_needs_a_word() -> None:
    """Only `llm.local` or the developer's switch permits it."""
    with pytest.raises(SettingsError, match="https"):
        LanguageModel(Llm(url="http://127.0.0.1:8000/v1"), environ={})
    LanguageModel(Llm(url="http://127.0.0.1:8000/v1"), environ={}, allow_insecure_loopback=True)
