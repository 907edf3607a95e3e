"""General knowledge beside a summary: which rows, how a model may quote them, and what is no quotation."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from faulty_model import misbehaving
from msgspec.structs import replace as replaced
from records import NOW, concept, problem, result, row

from cds_service.features.feature import FeatureValues
from cds_service.fhir import resources as fhir
from cds_service.fhir.context import ClinicalContext
from cds_service.fhir.record import PatientRecord
from cds_service.findings import EvidenceFinding, Severity
from cds_service.knowledge.library import base
from cds_service.language import msg, words
from cds_service.settings import Llm
from cds_service.summary.cleaning import MARK
from cds_service.summary.collecting import collect
from cds_service.summary.facts import numbered
from cds_service.summary.general import MIXED, MOST_ROWS, NOT_QUOTED, General, general
from cds_service.summary.llm import LanguageModel
from cds_service.summary.must import CHANGED_MEDICINE, must_have
from cds_service.summary.prompt import Question, beside, key
from cds_service.summary.rewrite import Rewriting, rewrite
from cds_service.summary.template import summarise

PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "female", "birthDate": "1960-01-01",
           "name": [{"family": "Simvastatin", "given": ["Ada"]}]}  # fmt: skip


def taken(id_: str, name: str) -> dict[str, Any]:
    return row("MedicationRequest", id_, status="active", intent="order", authoredOn="2026-10-01",
               medicationCodeableConcept=concept(None, name))  # fmt: skip


ROWS = (
    taken("s", "Simvastatin 40 mg tablet"),
    taken("c", "Clarithromycin 500 mg tablet"),
    row("AllergyIntolerance", "a1", code={"text": "Penicillin"}, criticality="high"),
    result("o1", 2.4),
)
RAISED = "Strong CYP3A4 inhibitors raise simvastatin several-fold; myopathy and rhabdomyolysis follow."
STOP = "Stop simvastatin while the inhibitor is given, or take a statin that CYP3A4 does not clear."


def at(*rows: Any, hook: str = "patient-view") -> ClinicalContext:
    read = fhir.decoder(fhir.AnyResource)
    found = [read.decode(orjson.dumps(r)) for r in (PATIENT, *rows)]
    record = PatientRecord.from_resources(found, [None] * len(found), "p1", NOW)
    return ClinicalContext(record, hook, None, None, None, (), NOW)


def found(*rows: Any, hook: str = "patient-view", findings: Any = (), changed: bool = False) -> tuple[General, ...]:
    context = at(*rows, hook=hook)
    lines = collect(context.record, {"medication"})
    if changed:
        lines = tuple(replaced(f, tags=frozenset({CHANGED_MEDICINE})) for f in lines)
    return general(base(), context, lines, findings)


def question() -> Question:
    context = at(*ROWS)
    facts = numbered(collect(context.record))
    must = frozenset(fact.id for fact in must_have(facts, "patient-view"))
    return Question(facts, must, "patient-view", "en", NOW.date(), general(base(), context, facts, ()))


def test_a_serious_interaction_of_what_is_taken_is_a_row() -> None:
    """In words, with who says so and where; beside the card only where medicines go home with the patient."""
    (one,) = found(*ROWS)
    assert RAISED in one.text(words("en"))
    assert (one.id, one.shown) == ("K1", False)
    assert one.row.url.startswith("https://")
    assert one.source == one.row.citation
    (home,) = found(*ROWS, hook="encounter-discharge")
    assert home.shown


def test_the_medicines_that_a_shown_row_is_about_are_never_cut() -> None:
    """A row that names a class would else leave the reader to guess which of the patient's medicines is meant."""
    crowd = [taken(f"m{n}", f"Medicine{chr(97 + n)} 5 mg") for n in range(9)]
    new = row("MedicationRequest", "n", status="active", intent="order", authoredOn="2026-10-31",
              medicationCodeableConcept=concept(None, "Ibuprofen 400 mg"))  # fmt: skip
    stay = row("Encounter", "e", status="in-progress", **{"class": {"code": "IMP"}}, period={"start": "2026-10-30"})
    old = row("MedicationRequest", "z", status="active", intent="order", authoredOn="2020-10-01",
              medicationCodeableConcept=concept(None, "Methotrexate 10 mg"))  # fmt: skip
    context = at(*crowd, new, stay, old, hook="encounter-discharge")
    plain = summarise(context, FeatureValues(NOW, {}), (), ("medication",), max_lines=4)
    (one,) = (g for g in general(base(), context, plain.lines, ()) if g.shown)
    assert set(one.about) == {"MedicationRequest/n", "MedicationRequest/z"}
    told = plain.with_general((one,))
    (back,) = set(told.lines) - set(plain.lines)
    assert back.references == ("MedicationRequest/z",)
    assert told.left_out == plain.left_out - 1
    assert plain.with_general((replace(one, shown=False),)).lines == plain.lines


def test_a_contraindication_by_the_problem_list_is_a_row() -> None:
    """What the record holds together, nobody having ordered anything."""
    (one,) = found(taken("i", "Ibuprofen 400 mg"), problem("h", "84114007", "Heart failure"))
    assert one.row.relation == "contraindicated-in"


def test_a_moderate_interaction_is_a_row_only_for_what_the_stay_changed() -> None:
    """A new medicine must be watched at home; what was taken for years would only be noise."""
    rows = (taken("l", "Lisinopril 10 mg"), taken("p", "Spironolactone 25 mg"))
    assert found(*rows) == ()
    (one,) = found(*rows, hook="encounter-discharge", changed=True)
    assert one.row.severity == "moderate"


def test_what_a_card_cites_is_not_told_twice() -> None:
    """A finding whose path holds the row."""
    (one,) = found(*ROWS)
    cited = EvidenceFinding(key="x", severity=Severity.WARNING, headline=msg("x"), path=((msg("x"), one.row.id),))
    assert found(*ROWS, findings=(cited,)) == ()


def test_there_are_few_rows_and_none_without_a_reason() -> None:
    """At most three, the most serious first."""
    many = [taken(f"m{n}", name) for n, name in enumerate(
        ("Simvastatin 40 mg", "Clarithromycin 500 mg", "Warfarin 5 mg", "Ibuprofen 400 mg", "Fluconazole 150 mg",
         "Methotrexate 10 mg", "Trimethoprim 200 mg", "Allopurinol 300 mg", "Azathioprine 50 mg"))]  # fmt: skip
    rows = found(*many)
    assert 1 <= len(rows) <= MOST_ROWS
    assert rows[0].row.severity == "contraindicated"
    assert found(taken("a", "Amoxicillin 500 mg")) == ()


def sent(body: dict[str, Any]) -> dict[str, str]:
    text = body["messages"][-1]["content"]
    return {m[1]: m[2].replace(MARK, " ") for m in re.finditer(r"^([FK]\d+) \| (.*)$", text, re.M)}


def saying(*quotes: str, cites: tuple[str, ...] = ("K1",)) -> Callable[[dict[str, Any]], str]:
    """A model that copies the facts and says something of the row."""

    def speak(body: dict[str, Any]) -> str:
        said = [{"text": text + ".", "cites": [id_]} for id_, text in sent(body).items() if id_[0] == "F"]
        said += [{"text": text, "cites": list(cites)} for text in quotes]
        return json.dumps({"sentences": said})

    return speak


def asked(speak: Callable[[dict[str, Any]], str], **options: Any) -> tuple[Rewriting, list[dict[str, Any]]]:
    with misbehaving(speak=speak) as server:
        settings = Llm(url=server.url, model="tiny", **options)
        model = LanguageModel(settings, environ={}, allow_insecure_loopback=True)
        return rewrite(model, settings, question(), at(*ROWS).record), server.received


def test_a_quotation_stands_last_with_its_source() -> None:
    """Whole sentences of the row, labelled as general: it cites the row and no resource."""
    done, received = asked(saying(RAISED, STOP))
    assert done.reason == ""
    quoted = [one for one in done.told if one.by == "general"]
    assert [one.text for one in quoted] == [RAISED, STOP]
    assert done.told[-2:] == tuple(quoted)
    assert all(cite.startswith("curbside/") for one in quoted for cite in one.cites)
    assert all(one.source and one.url.startswith("https://") for one in quoted)
    schema = json.dumps(received[0]["response_format"])
    assert '"K1"' in schema
    assert "general knowledge" in received[0]["messages"][0]["content"]


def test_a_row_is_told_in_whole_sentences() -> None:
    """What it is about, why, and what to do: a statement of two words is an answer to `why`, not a sentence."""
    (one,) = found(*ROWS)
    assert one.text(words("en")) == (
        f"Simvastatin interacts with strong CYP3A4 inhibitors (contraindicated). Why: {RAISED} What to do: {STOP}"
    )
    (risk,) = found(taken("i", "Valproic acid 500 mg"), problem("p", "77386006", "Pregnancy"))
    assert re.match(r"Valpro\w+ is contraindicated in [Pp]regnancy\. Why: ", risk.text(words("en")))


@pytest.mark.parametrize(
    ("text", "cites", "reason"),
    [
        ("Stop simvastatin.", ("K1",), NOT_QUOTED),
        ("Why: simvastatin. " + STOP, ("K1",), NOT_QUOTED),
        (RAISED.replace("several", "ten"), ("K1",), NOT_QUOTED),
        ("She takes simvastatin with a strong inhibitor. " + STOP, ("K1",), NOT_QUOTED),
        (STOP, ("F1", "K1"), MIXED),
    ],
)  # fmt: skip
def test_a_paraphrase_and_a_mixture_are_dropped(text: str, cites: tuple[str, ...], reason: str) -> None:
    """The same rule as for answers: no row vouches for a sentence about the patient."""
    done, _ = asked(saying(text, cites=cites))
    assert [(one.text, one.reasons) for one in done.dropped] == [(text, (reason,))]
    assert all(one.by != "general" for one in done.told)


def test_guidance_that_cites_the_record_is_still_advice() -> None:
    """A quotation under the id of a fact is dropped as before."""
    done, _ = asked(saying(STOP, cites=("F1",)))
    assert [one.text for one in done.dropped] == [STOP]


def test_quotations_alone_are_no_summary() -> None:
    """The deterministic lines stand."""
    only = json.dumps({"sentences": [{"text": RAISED, "cites": ["K1"]}]})
    done, _ = asked(lambda body: only)
    assert done.told == ()
    assert done.reason == "too few sentences are supported by the record"


def test_a_name_that_a_row_holds_too_does_not_leave() -> None:
    """The patient is called Simvastatin: the word is a token in the row as in the facts, and is put back."""
    _, received = asked(saying())
    rows = [text for id_, text in sent(received[0]).items() if id_ == "K1"]
    assert rows
    assert "simvastatin" not in json.dumps(received).replace(MARK, " ").lower()
    back, _ = asked(lambda body: json.dumps({"sentences": [
        {"text": text.removeprefix("General knowledge, not about this patient: "), "cites": [id_]}
        for id_, text in sent(body).items()]}))  # fmt: skip
    assert any(RAISED in one.text for one in back.told if one.by == "general")


def test_rows_go_first_where_the_context_is_too_small() -> None:
    """Facts matter more; the second question holds none, nor does a short prompt."""
    with misbehaving("overflow", "answer", speak=saying()) as server:
        settings = Llm(url=server.url, model="tiny")
        model = LanguageModel(settings, environ={}, allow_insecure_loopback=True)
        rewrite(model, settings, question(), at(*ROWS).record)
        assert ["K1" in sent(body) for body in server.received] == [True, False]
    asking = question()
    assert beside(asking, asking.facts, Llm(max_prompt_bytes=2000)) == {}


def test_another_row_is_another_text() -> None:
    """What a kept text rests on includes what it may have quoted."""
    asking = question()
    without = Question(asking.facts, asking.must, asking.hook, asking.language, asking.today)
    assert key(asking, Llm()) != key(without, Llm())


def test_a_real_server_quotes_a_row(scripted_model: Callable[[str], str]) -> None:
    """llama.cpp, under the schema with the ids of facts and rows."""
    asking = question()
    fact = next(f for f in asking.facts if "Penicillin" in str(f.text))
    said = [{"text": f"{fact.text}.", "cites": [fact.id]}, {"text": STOP, "cites": ["K1"]}]
    settings = Llm(url=scripted_model(json.dumps({"sentences": said})), model="tiny", local=True)
    model = LanguageModel(settings, environ={}, allow_insecure_loopback=True)
    done = rewrite(model, settings, asking, at(*ROWS).record)
    assert [one.text for one in done.told if one.by == "general"] == [STOP]
