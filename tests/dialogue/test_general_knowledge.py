"""Rows of the knowledge graph in an answer: found by drugs, conditions and words; quoted whole or told apart."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from faulty_model import misbehaving

from cds_service.dialogue.answering import Answer, ask
from cds_service.dialogue.knowledge import MOST_ROWS, finder
from cds_service.dialogue.sources import Find, Material, material
from cds_service.fhir.context import ClinicalContext
from cds_service.fhir.record import PatientRecord
from cds_service.knowledge.library import base
from cds_service.language import words
from cds_service.settings import Llm
from cds_service.summary.cleaning import MARK
from cds_service.summary.llm import LanguageModel

sys.path.insert(0, str(Path(__file__).parent.parent / "documents"))
from written import record, row


def taken(id_: str, text: str) -> tuple[str, Any]:
    return row("MedicationRequest", id_, status="active", intent="order", authoredOn="2026-10-01",
               medicationCodeableConcept={"text": text})  # fmt: skip


ACTIVE = {"coding": [{"code": "active"}]}
ABOUT = record(
    taken("m1", "Simvastatin 40 mg tablet"),
    taken("m2", "Metformin 500 mg tablet"),
    row("Condition", "c1", clinicalStatus=ACTIVE, code={"text": "Heart failure", "coding": [
        {"system": "http://snomed.info/sct", "code": "84114007"}]}),
    row("AllergyIntolerance", "a1", clinicalStatus=ACTIVE, code={"text": "Penicillin"}),
)  # fmt: skip


def find(of: PatientRecord, language: str = "en") -> Find:
    context = ClinicalContext(of, "patient-view", None, None, None, (), of.as_of)
    return finder(base(), context, words(language))


@pytest.fixture(scope="module")
def whole() -> Material:
    return material(ABOUT, (), words("en"), find(ABOUT))


@pytest.mark.parametrize(
    ("question", "row_id"),
    [
        ("Can I give clarithromycin?", "interactions/simvastatin+class-strong-cyp3a4-inhibitor"),
        ("ibuprofen", "contraindications/class-nsaid+heart-failure"),
        ("May metformin be given at this eGFR?", "limits/metformin+egfr+below+30"),
        ("二甲双胍", "limits/metformin+egfr+below+30"),
        ("amoxicillin after a rash?", "allergies/class-penicillin+class-penicillin"),
        ("What do guidelines say of heart failure?", "guidelines/sglt2-inhibitor-in-heart-failure+heart-failure"),
    ],
)
def test_the_row_about_the_question_and_the_record_is_found(question: str, row_id: str) -> None:
    """A drug that is asked for with what is taken, a condition, a value, an allergy, a guideline; in both languages."""
    found = [one.row.row for one in find(ABOUT)(question) if one.row is not None]
    assert row_id in found
    assert len(found) <= MOST_ROWS


@pytest.mark.parametrize("question", ["zebra xylophone", "Any drug allergies?", "Who is the general practitioner?"])
def test_a_question_that_names_no_subject_of_a_row_gets_none(question: str) -> None:
    """Knowledge is not poured over every answer."""
    assert find(ABOUT)(question) == ()


def test_an_interaction_with_what_nobody_takes_waits_behind_the_patients_own() -> None:
    """Where a row concerns both the question and the record, rows about other medicines stay away."""
    found = find(ABOUT)("Can I give clarithromycin?")
    assert not any("colchicine" in one.text.lower() for one in found)


def test_knowledge_comes_after_the_record_and_says_what_it_is(whole: Material) -> None:
    """With a place of its own, no reference to the patient's resources, and its publication."""
    sources = ask("metformin eGFR", whole).sources
    kinds = [one.row is not None for one in sources]
    assert kinds == sorted(kinds)
    known = sources[-1]
    assert words("en")(known.where) == "general knowledge, not about this patient"
    assert known.references == ()
    assert known.row is not None
    assert known.row.url.startswith("https://")


def test_without_a_graph_there_is_none() -> None:
    """A site that runs no service of the graph."""
    context = ClinicalContext(ABOUT, "patient-view", None, None, None, (), ABOUT.as_of)
    assert finder(None, context, words("en"))("metformin") == ()


def says(text: str, *parts: str) -> Callable[[dict[str, Any]], str]:
    """A model that says a sentence, citing the lines that hold some words."""

    def speak(body: dict[str, Any]) -> str:
        sent = body["messages"][-1]["content"].replace(MARK, " ")
        lines = re.findall(r"^(E\d+) \| (.*)$", sent, re.M)
        cites = [next(id_ for id_, line in lines if part in line) for part in parts]
        return json.dumps({"text": text, "cites": cites})

    return speak


def answered(of: Material, text: str, *parts: str) -> Answer:
    with misbehaving(speak=says(text, *parts)) as server:
        settings = Llm(url=server.url, model="tiny", timeout_s=60)
        model = LanguageModel(settings, environ={}, allow_insecure_loopback=True)
        return ask("May metformin be given at this eGFR, with clarithromycin?", of, model, settings)


BELOW_45 = "Metformin has a limit where eGFR is below 45"
STATIN = "Simvastatin interacts with strong CYP3A4"


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("Do not start; at most 1000 mg a day.", BELOW_45),
        ("Metformin has a limit where eGFR is below 45 (moderate). Metformin builds up.", BELOW_45),
        ("strong CYP3A4 inhibitors raise simvastatin several-fold; myopathy and rhabdomyolysis follow", STATIN),
    ],
)
def test_whole_sentences_of_a_row_are_supported(whole: Material, text: str, cited: str) -> None:
    """Advice too: it is the row's own, and told as general knowledge."""
    answer = answered(whole, text, cited)
    assert [(one.text, one.reasons) for one in answer.said] == [(text, ())]


@pytest.mark.parametrize(
    ("text", "cited"),
    [
        ("Do not start; at most 2000 mg a day.", BELOW_45),
        ("Start; at most 1000 mg a day.", BELOW_45),
        ("At most 1000 mg a day.", BELOW_45),
        ("Metformin has a limit where eGFR is below 30 (moderate).", BELOW_45),
        ("Strong CYP3A4 inhibitors raise metformin several-fold; myopathy and rhabdomyolysis follow.", STATIN),
        ("Strong CYP3A4 inhibitors lower simvastatin several-fold; myopathy and rhabdomyolysis follow.", STATIN),
        ("The patient takes clarithromycin.", STATIN),
        ("The patient has myopathy.", STATIN),
        ("Stop simvastatin.", STATIN),
        ("Metformin builds up. The patient has lactic acidosis.", BELOW_45),
        ("Metformin builds up.", STATIN),
    ],
)
def test_whatever_a_row_does_not_say_word_for_word_is_told_apart(whole: Material, text: str, cited: str) -> None:
    """Another number, drug, direction or polarity; a condition left out; a claim about the patient; another row."""
    answer = answered(whole, text, cited)
    assert [one.text for one in answer.doubtful] == [text]
    assert answer.facts == ()


def test_a_sentence_never_mixes_knowledge_with_the_record(whole: Material) -> None:
    """Its reader could not tell which is about the patient."""
    answer = answered(whole, "Metformin builds up.", BELOW_45, "record : Metformin")
    assert answer.doubtful[0].reasons == ("it mixes general knowledge with this patient's record",)


def test_knowledge_does_not_vouch_for_a_sentence_about_the_record(whole: Material) -> None:
    """What cites the record alone is compared with the record alone."""
    answer = answered(whole, "Metformin builds up.", "record : Metformin")
    assert answer.facts == ()
