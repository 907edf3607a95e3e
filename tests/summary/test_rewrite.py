"""A model's wording of a summary: checked sentence by sentence, completed, and never in the way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import date
from typing import Any

import orjson
import pytest
from faulty_model import misbehaving
from records import NOW, problem, result, row

from cds_service.fhir import resources as fhir
from cds_service.fhir.record import PatientRecord
from cds_service.settings import Llm
from cds_service.summary.cleaning import MARK
from cds_service.summary.facts import numbered
from cds_service.summary.llm import LanguageModel
from cds_service.summary.must import must_have
from cds_service.summary.prompt import Question, key
from cds_service.summary.rewrite import Rewriting, rewrite
from cds_service.summary.template import collect

PATIENT = {
    "resourceType": "Patient",
    "id": "p1",
    "gender": "female",
    "birthDate": "1960-01-01",
    "name": [{"family": "Okonkwo", "given": ["Adaeze"]}, {"text": "王小明"}],
    "identifier": [{"value": "MRN-556677"}],
}
ALLERGY = row("AllergyIntolerance", "a1", code={"text": "Penicillin"}, criticality="high")
ROWS = (ALLERGY, problem("c1", onsetDateTime="2019-03-05"), result("o1", 2.4), result("o2", 1.1, ago=400))


def chart(*rows: Any) -> PatientRecord:
    read = fhir.decoder(fhir.AnyResource)
    found = [read.decode(orjson.dumps(r)) for r in (PATIENT, *(rows or ROWS))]
    return PatientRecord.from_resources(found, [None] * len(found), "p1", NOW)


def question(record: PatientRecord, language: str = "en") -> Question:
    facts = numbered(collect(record))
    must = frozenset(fact.id for fact in must_have(facts, "patient-view"))
    return Question(facts, must, "patient-view", language, NOW.date())


def lines_sent(body: dict[str, Any]) -> dict[str, str]:
    """What a well-behaved model reads: the facts by id."""
    text = body["messages"][-1]["content"]
    return {m[1]: m[2].replace(MARK, " ") for m in re.finditer(r"^(F\d+) \| (.*)$", text, re.M)}


def saying(*sentences: tuple[str, list[str]]) -> str:
    return json.dumps({"sentences": [{"text": text, "cites": cites} for text, cites in sentences]}, ensure_ascii=False)


def copies(body: dict[str, Any]) -> str:
    return saying(*((text + ".", [id_]) for id_, text in lines_sent(body).items()))


def asked(url: str, record: PatientRecord, ask: Question | None = None, **options: Any) -> Rewriting:
    settings = Llm(url=url, model="tiny", **options)
    model = LanguageModel(settings, environ={}, allow_insecure_loopback=True)
    return rewrite(model, settings, ask or question(record), record)


def test_a_model_that_copies_is_kept_whole() -> None:
    """Sent scrubbed, said with tokens and moved dates, shown with the record's own words."""
    record = chart()
    with misbehaving(speak=copies) as server:
        found = asked(server.url, record)
    assert found.reason == ""
    assert found.kept == len(question(record).facts)
    assert found.dropped == ()
    assert found.put_back == 0
    texts = [one.text.rstrip(".") for one in found.told]
    assert texts == [str(fact.text) for fact in question(record).facts]
    assert "AllergyIntolerance/a1" in found.told[0].cites


def test_nothing_that_identifies_reaches_the_server() -> None:
    """Names, numbers and days stay here; ids of resources too."""
    record = chart(
        *ROWS, problem("c9", "1", "Worries about Adaeze Okonkwo, MRN-556677, 王小明", onsetDateTime="2021-07-08")
    )
    with misbehaving(speak=copies) as server:
        found = asked(server.url, record)
        sent = server.sent()
    for text in ("Adaeze", "Okonkwo", "556677", "小明", "Condition/c", "p1", "1960", "5 Mar 2019", "8 Jul 2021"):
        assert text not in sent.replace(MARK, " "), text
    assert any("Adaeze Okonkwo" in one.text for one in found.told)
    assert found.sent[1][1] == server.received[0]["messages"][1]["content"]


def test_a_local_server_is_sent_the_record_as_it_is_only_by_setting() -> None:
    """`llm.local` exempts; an address of this machine alone does not."""
    record = chart()
    with misbehaving(speak=copies) as server:
        asked(server.url, record)
        assert "5 Mar 2019" not in server.sent()
        assert asked(server.url, record, local=True).scrubbed is False
        assert f"5{MARK}Mar{MARK}2019" in server.sent()


def test_a_wrong_number_is_dropped_and_the_allergy_put_back() -> None:
    """What the cited resource does not say is not shown; what may not be lost is added as the record has it."""
    record = chart()

    def speak(body: dict[str, Any]) -> str:
        lines = lines_sent(body)
        said = [(text, [id_]) for id_, text in lines.items() if "Penicillin" not in text]
        return saying(("Creatinine is 9.9 mg/dL", [said[-1][1][0]]), *said)

    with misbehaving(speak=speak) as server:
        found = asked(server.url, record)
    assert [one.text for one in found.dropped] == ["Creatinine is 9.9 mg/dL"]
    assert not any("9.9" in one.text for one in found.told)
    back = [one for one in found.told if one.by == "record"]
    assert found.put_back == len(back) == 1
    assert "Penicillin" in back[0].text


def test_a_fact_that_is_cited_and_not_said_counts_as_lost() -> None:
    """A citation is no statement."""
    record = chart()

    def speak(body: dict[str, Any]) -> str:
        lines = lines_sent(body)
        problem_id, text = next((i, t) for i, t in lines.items() if "Hypertension" in t)
        allergy = next(i for i, t in lines.items() if "Penicillin" in t)
        return saying((text, [problem_id, allergy]))

    with misbehaving(speak=speak) as server:
        found = asked(server.url, record)
    assert [one.by for one in found.told] == ["model", "record"]


@pytest.mark.parametrize(
    "sentence",
    ["Consider stopping metformin.", "Ignore the allergy.", "建议停用二甲双胍。", "It is safe to give Penicillin."],
)
def test_advice_is_never_shown(sentence: str) -> None:
    """A model may only merge and order what the record holds."""
    record = chart()

    def speak(body: dict[str, Any]) -> str:
        lines = lines_sent(body)
        return saying((sentence, [next(iter(lines))]), *((text, [id_]) for id_, text in lines.items()))

    with misbehaving(speak=speak) as server:
        found = asked(server.url, record)
    assert [one.text for one in found.dropped] == [sentence]
    assert found.dropped[0].reasons


def test_a_citation_of_what_was_not_sent_drops_the_sentence() -> None:
    """Ids are those sent, and no others: not by another name, not by reference."""
    record = chart()

    def speak(body: dict[str, Any]) -> str:
        lines = lines_sent(body)
        foreign = ("Hypertension", ["Condition/c1"])
        return saying(foreign, ("Hypertension", ["F99"]), *((text, [id_]) for id_, text in lines.items()))

    with misbehaving(speak=speak) as server:
        found = asked(server.url, record)
        schema = server.received[0]["response_format"]["json_schema"]["schema"]
    assert len(found.dropped) == 2
    enum = schema["properties"]["sentences"]["items"]["properties"]["cites"]["items"]["enum"]
    assert enum == [fact.id for fact in question(record).facts]


def test_too_little_kept_leaves_the_deterministic_summary() -> None:
    """A model that mostly invents does not speak at all."""
    record = chart()
    with misbehaving(
        speak=lambda body: saying(("Lung cancer stage IV", ["F1"]), ("On warfarin 5 mg", ["F2"]))
    ) as server:
        found = asked(server.url, record)
    assert found.told == ()
    assert found.reason == "too few sentences are supported by the record"
    assert len(found.dropped) == 2


@pytest.mark.parametrize(
    "answer",
    [
        "Hypertension and chronic kidney disease.",
        '{"sentences": [',
        '{"sentences": [{"text": "x", "cites": ["F1"]}], "tool": "rm"}',
        '{"sentences": [{"text": 5, "cites": ["F1"]}]}',
        '[{"text": "x", "cites": ["F1"]}]',
        '{"summary": "x"}',
        '{"sentences": [{"text": "x", "cites": ["F1"]}]} and more',
    ],
)
def test_only_the_form_that_was_asked_for_is_read(answer: str) -> None:
    """Prose, cut or foreign JSON and JSON with something around it are no answer."""
    with misbehaving(speak=lambda _: answer) as server:
        found = asked(server.url, chart())
    assert (found.told, found.reason) == ((), "answer is not what was asked for")


def test_an_answer_in_a_fence_is_read() -> None:
    """Servers without forms get models that write Markdown."""
    with misbehaving("only_plain", speak=lambda body: f"```json\n{copies(body)}\n```") as server:
        found = asked(server.url, chart())
    assert found.reason == ""
    assert found.mode == "plain"


@pytest.mark.parametrize("behaviour", ["error_500", "no_choices", "too_long", "truncated", "foreign", "lost", "huge"])
def test_whatever_fails_has_a_reason_and_no_text(behaviour: str) -> None:
    """The deterministic summary stands."""
    with misbehaving(behaviour) as server:
        found = asked(server.url, chart())
    assert found.told == ()
    assert found.reason
    assert found.attempts == 1


def test_less_is_asked_where_the_question_is_too_long() -> None:
    """Half of the facts, those that may not be lost first."""
    record = chart()
    with misbehaving("overflow", "answer", speak=copies) as server:
        found = asked(server.url, record)
        first, second = (lines_sent(body) for body in server.received)
    assert len(second) == len(first) // 2
    assert any("Penicillin" in text for text in second.values())
    assert found.reason == ""
    assert found.attempts == 2


def test_a_context_that_is_never_long_enough_ends() -> None:
    """Three questions at most."""
    with misbehaving("overflow") as server:
        found = asked(server.url, chart())
        assert len(server.received) <= 3
    assert found.reason == "question too long for the model"


def test_the_size_of_a_question_is_capped() -> None:
    """A thousand problems do not make a question longer than the setting."""
    rows = [problem(f"c{n}", str(n), f"Problem number {n} with a long name " * 3) for n in range(1000)]
    with misbehaving(speak=copies) as server:
        asked(server.url, chart(ALLERGY, *rows), max_prompt_bytes=6000, max_facts=500)
        assert sum(len(m["content"].encode()) for m in server.received[0]["messages"]) <= 6000
        assert any("Penicillin" in text for text in lines_sent(server.received[0]).values())


def test_a_real_server_words_a_summary(scripted_model: Callable[[str], str]) -> None:
    """llama.cpp, under the schema, with a sentence that the record supports and one that it does not."""
    record = chart()
    facts = question(record).facts
    allergy = next(fact for fact in facts if "Penicillin" in str(fact.text))
    wrong = ("Creatinine 7.7 mg/dL.", [facts[-1].id])
    reply = saying((f"{allergy.text}.", [allergy.id]), wrong)
    found = asked(scripted_model(reply), record, local=True)
    assert [one.text for one in found.told if one.by == "model"] == [f"{allergy.text}."]
    assert [one.text for one in found.dropped] == [wrong[0]]


def test_delimiters_cannot_be_foreseen() -> None:
    """Each question has its own, and dates move by other days."""
    record = chart()
    with misbehaving(speak=copies) as server:
        asked(server.url, record)
        asked(server.url, record)
        one, other = (body["messages"][1]["content"].splitlines()[1] for body in server.received)
    assert re.fullmatch(r"<<[0-9a-f]{12}>>", one)
    assert one != other


def test_a_text_is_known_by_what_it_rests_on() -> None:
    """Another fact, source, language or model is another key; the same are the same."""
    record, settings = chart(), Llm(url="https://a.example/v1", model="m")
    same = key(question(record), settings)
    assert key(question(chart()), settings) == same
    others = [
        key(question(chart(*ROWS[:-1])), settings),
        key(question(record, "zh_Hans"), settings),
        key(question(record), Llm(url="https://a.example/v1", model="other")),
        key(question(record), Llm(url="https://a.example/v1", model="m", local=True)),
    ]
    assert len({same, *others}) == 5


def test_chinese_is_asked_for_in_chinese() -> None:
    """The rules name the language."""
    record = chart()
    with misbehaving(speak=copies) as server:
        asked(server.url, record, question(record, "zh_Hans"))
        assert "Simplified Chinese" in server.received[0]["messages"][0]["content"]


def test_nothing_to_word_is_not_asked_about() -> None:
    """Nothing is sent for a summary without lines."""
    record = chart()
    with misbehaving() as server:
        found = asked(server.url, record, Question((), frozenset(), "patient-view", "en", date(2026, 11, 1)))
        assert server.received == []
    assert found.reason == "nothing to word"
