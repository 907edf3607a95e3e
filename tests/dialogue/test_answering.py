"""Questions about a record: the best passages without a model; with one, each sentence checked."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faulty_model import misbehaving

from cds_service.dialogue.answering import Said, ask, stream
from cds_service.dialogue.sources import Material, chosen, material
from cds_service.language import words
from cds_service.settings import Llm
from cds_service.summary.cleaning import MARK
from cds_service.summary.llm import LanguageModel

sys.path.insert(0, str(Path(__file__).parent.parent / "documents"))
from written import note, pdf, read, record, row

LATIN = (
    "CLINIC NOTE\nHistory of present illness: Seen by Dr. Lee for follow-up. Denies chest pain. "
    "Mother had breast cancer.\n"
    "Possible pneumonia on the left.\nAllergies:\nPenicillin: hives in 2011.\nPlan: Metformin 500 mg twice daily was "
    "started. Return if fever occurs."
)
ZH = "现病史：患者否认糖尿病。既往高血压病史10年。过敏史：对青霉素过敏，表现为皮疹。"
ROWS = (
    row("Condition", "c1", code={"text": "Hypertension"}, onsetDateTime="2019-03-05"),
    row("Observation", "o1", status="final", code={"text": "Potassium", "coding": [
        {"system": "http://loinc.org", "code": "2823-3"}]}, effectiveDateTime="2026-10-20T08:00:00Z",
        valueQuantity={"value": 5.9, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
        interpretation=[{"coding": [{"code": "H"}]}]),
)  # fmt: skip


def made(*notes: Any, language: str = "en") -> Material:
    about = record(*ROWS)
    return material(
        about, read(*(notes or (note(LATIN), note(ZH, "n2", date="2026-04-01"))), about=about), words(language)
    )


@pytest.fixture(scope="module")
def whole() -> Material:
    return made()


def ids(body: dict[str, Any]) -> dict[str, str]:
    text = body["messages"][-1]["content"]
    return {m[2].replace(MARK, " ").partition(" : ")[2]: m[1] for m in re.finditer(r"^(E\d+) \| (.*)$", text, re.M)}


def says(*sentences: tuple[str, str]) -> Callable[[dict[str, Any]], str]:
    """A model that says some sentences, each citing the line that holds some words."""

    def speak(body: dict[str, Any]) -> str:
        lines = ids(body)
        cites = [next((id_ for text, id_ in lines.items() if words_ in text), "E99") for _, words_ in sentences]
        return "\n".join(
            json.dumps({"text": text, "cites": [cite]}, ensure_ascii=False)
            for (text, _), cite in zip(sentences, cites, strict=True)
        )

    return speak


def client(url: str, **options: Any) -> tuple[LanguageModel, Llm]:
    settings = Llm(url=url, model="tiny", timeout_s=60, **options)
    return LanguageModel(settings, environ={}, allow_insecure_loopback=True), settings


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("Any drug allergies?", "Penicillin: hives in 2011."),
        ("What is the potassium?", "Potassium 5.9 mmol/L"),
        ("血钾是多少？", "Potassium 5.9 mmol/L"),
        ("Is there a family history of breast cancer?", "Mother had breast cancer."),
        ("患者对什么过敏？", "对青霉素过敏，表现为皮疹。"),
        ("高血压多久了", "既往高血压病史10年。"),
        ("metformin dose", "Metformin 500 mg twice daily was started."),
        ("高血压", "Hypertension, since 5 Mar 2019"),
        ("皮疹", "对青霉素过敏，表现为皮疹。"),
    ],
)
def test_the_passage_that_answers_is_among_the_first(whole: Material, question: str, found: str) -> None:
    """By words, by what is named in either language, by Chinese characters."""
    first = [one.text for one in chosen(question, whole)[:4]]
    assert any(found in text for text in first), first


def test_a_citation_points_at_the_place() -> None:
    """The document, its page, its section, and the sentence."""
    of = made(note(pdf("Nothing of note on this page.", "Allergies:\nLatex: rash."), media_type="application/pdf"))
    source = chosen("latex", of)[0]
    assert source.references == ("DocumentReference/n1#s2",)
    assert words("en")(source.where) == "Clinic note of 3 May 2026, page 2, Allergies"


def test_without_a_model_the_best_passages_are_the_answer(whole: Material) -> None:
    """And where nothing fits, there is none."""
    answer = ask("Any allergies to penicillin?", whole)
    assert (answer.said, answer.sent) == ((), ())
    assert answer.sources
    assert ask("zebra xylophone", whole).sources == ()


RIGHT = [
    ("Hives after penicillin in 2011.", "Penicillin: hives"),
    ("The patient denies chest pain.", "Denies chest pain"),
    ("Her mother had breast cancer.", "Mother had breast"),
    ("Metformin 500 mg twice daily was started.", "Metformin 500"),
    ("Potassium 5.9 mmol/L.", "Potassium 5.9"),
    ("Possible pneumonia.", "Possible pneumonia"),
]
WRONG = [
    ("Potassium 4.9 mmol/L.", "Potassium 5.9"),
    ("The patient has chest pain.", "Denies chest pain"),
    ("The patient has breast cancer.", "Mother had breast"),
    ("The patient has pneumonia.", "Possible pneumonia"),
    ("The patient has a fever.", "Return if fever"),
    ("Metformin 850 mg twice daily was started.", "Metformin 500"),
    ("Warfarin was started.", "Metformin 500"),
    ("The patient has diabetes.", "患者否认糖尿病"),
    ("Increase metformin.", "Metformin 500"),
    ("No known allergies.", "Penicillin: hives"),
    ("Hives after penicillin in 2011.", "Denies chest pain"),
    ("Penicillin is safe.", "no such line"),
]
ABOUT = "chest pain, breast cancer, penicillin, metformin, potassium, pneumonia, fever, diabetes 糖尿病"


@pytest.mark.parametrize(("text", "cited"), RIGHT)
def test_a_sentence_that_its_citation_supports_is_a_fact(whole: Material, text: str, cited: str) -> None:
    """Checked by the verifier and by how the note means it."""
    with misbehaving(speak=says((text, cited))) as server:
        answer = ask(ABOUT, whole, *client(server.url))
    assert [(one.text, one.reasons) for one in answer.said] == [(text, ())]
    assert answer.facts


@pytest.mark.parametrize(("text", "cited"), WRONG)
def test_a_sentence_that_nothing_supports_is_told_apart(whole: Material, text: str, cited: str) -> None:
    """Number, negation, relative, doubt, condition, drug, advice, absence, wrong citation: never a fact."""
    with misbehaving(speak=says((text, cited))) as server:
        answer = ask(ABOUT, whole, *client(server.url))
    assert [one.text for one in answer.doubtful] == [text]
    assert answer.facts == ()
    assert answer.sources


def test_sentences_come_one_by_one_and_the_whole_at_the_end(whole: Material) -> None:
    """Each is checked before it is told."""
    with misbehaving(speak=says(RIGHT[0], WRONG[1], RIGHT[4])) as server:
        events = list(stream(ABOUT, whole, *client(server.url)))
    assert [isinstance(event, Said) for event in events] == [False, True, True, True, False]
    assert [event.supported for event in events[1:4]] == [True, False, True]
    assert events[-1].said == tuple(events[1:4])


@pytest.mark.parametrize("form", ["array", "fenced", "pretty"])
def test_other_forms_of_the_same_answer_are_read(whole: Material, form: str) -> None:
    """One object with all sentences, a fence around, line ends within."""

    def speak(body: dict[str, Any]) -> str:
        line = json.loads(says(RIGHT[0])(body))
        text = json.dumps({"sentences": [line]}, indent=2 if form == "pretty" else None)
        return f"```json\n{text}\n```" if form == "fenced" else text

    with misbehaving(speak=speak) as server:
        assert ask(ABOUT, whole, *client(server.url)).facts


@pytest.mark.parametrize("behaviour", ["error_500", "no_choices", "nothing_said", "foreign", "lost", "huge"])
def test_a_model_that_fails_leaves_the_passages(whole: Material, behaviour: str) -> None:
    """And the reason is told."""
    with misbehaving(behaviour) as server:
        answer = ask(ABOUT, whole, *client(server.url))
    assert answer.reason
    assert (answer.said, bool(answer.sources)) == ((), True)


def test_an_answer_that_ends_in_a_sentence_or_goes_on_for_ever_is_told(whole: Material) -> None:
    """What was whole is shown and the reason with it: a reader must not take the beginning for all."""
    half = says(RIGHT[0])
    with misbehaving(speak=lambda body: half(body) + '\n{"text": "The patient has') as server:
        answer = ask(ABOUT, whole, *client(server.url))
    assert (len(answer.facts), answer.reason) == (1, "answer broken off")
    many = says(*[(f"Hives number {n}.", "Penicillin: hives") for n in range(20)])
    with misbehaving(speak=many) as server:
        answer = ask(ABOUT, whole, *client(server.url))
    assert (len(answer.said), answer.reason) == (12, "the answer went on, and its first sentences are shown alone")


def test_nothing_that_says_who_it_is_leaves(whole: Material) -> None:
    """Names, numbers and days of question, record and notes are replaced; the answer has them again."""
    of = made(note("Maria Alvarez (MRN-0048213) was seen on 3 May 2026 by Dr. Lee. Reports headache."))
    with misbehaving(speak=says(("Reports headache.", "headache"))) as server:
        answer = ask("Does Maria Alvarez report headache?", of, *client(server.url), below=lambda most: most // 2)
        sent = server.sent()
    assert answer.facts
    for secret in ("Alvarez", "Maria", "0048213", "2026-05-03", "3 May 2026"):
        assert secret not in sent.replace(MARK, " ")
    assert answer.scrubbed


def test_a_real_server_answers(whole: Material, scripted_model: Callable[[str], str]) -> None:
    """llama.cpp's own, whose model says one supported sentence and one that is not."""
    best = chosen("penicillin", whole)[0]
    said = f'{{"text": "{best.text}", "cites": ["E1"]}}\n{{"text": "No known allergies.", "cites": ["E1"]}}'
    answer = ask("penicillin", whole, *client(scripted_model(said)))
    assert [one.supported for one in answer.said] == [True, False]
