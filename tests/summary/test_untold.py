"""What the facts of a record leave out, for who searches it: earlier, local, without a value, not done."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from cds_service.dialogue.answering import checked
from cds_service.dialogue.sources import Material, chosen, material
from cds_service.fhir.record import PatientRecord
from cds_service.language import words
from cds_service.protocol.request import decode_resource
from cds_service.sandbox.chart import AS_OF
from cds_service.summary.collecting import everything
from cds_service.summary.untold import MOST, untold

SUBJECT = {"reference": "Patient/p"}
POTASSIUM = {"coding": [{"system": "http://loinc.org", "code": "2823-3"}], "text": "Potassium"}


def row(type_: str, id_: str, **members: Any) -> dict[str, Any]:
    return {"resourceType": type_, "id": id_, "status": "final", "subject": SUBJECT, **members}


def amount(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}


def potassium(days: int, value: float) -> dict[str, Any]:
    at = (AS_OF - timedelta(days=days)).date().isoformat()
    return row("Observation", f"k{days}", code=POTASSIUM, effectiveDateTime=at, valueQuantity=amount(value, "mmol/L"))


def record(*rows: dict[str, Any]) -> PatientRecord:
    patient = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1960-01-01"}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": one} for one in (patient, *rows)]}
    return PatientRecord.from_bundle(decode_resource(json.dumps(bundle).encode()), AS_OF, "p")  # type: ignore[arg-type]


def about(*rows: dict[str, Any]) -> Material:
    return material(record(*rows), (), words("en"))


def found(question: str, of: Material) -> list[str]:
    return [one.text for one in chosen(question, of)]


@pytest.mark.parametrize(
    ("one", "question", "line"),
    [
        (potassium(800, 5.9), "potassium", "Potassium 5.9 mmol/L, 23 Aug 2024"),
        (
            row("Observation", "z", code={"text": "Zonulin"}, valueQuantity=amount(3.2, "ng/mL")),
            "zonulin",
            "Zonulin 3.2 ng/mL",
        ),
        (
            row("Observation", "f", code={"text": "Ferritin"}, dataAbsentReason={"text": "haemolysed"}),
            "ferritin",
            "Ferritin: no value (haemolysed)",
        ),
        (row("DiagnosticReport", "d", code={"text": "CT chest"}), "CT of the chest", "CT chest: a report without"),
        (
            row("ServiceRequest", "s", status="completed", intent="order", code={"text": "Colonoscopy"}),
            "colonoscopy",
            "Colonoscopy: order completed",
        ),
        (
            row("Procedure", "n", status="not-done", code={"text": "Colonoscopy"}),
            "colonoscopy",
            "Colonoscopy: not done",
        ),
        (
            row("MedicationStatement", "ms", status="stopped", medicationCodeableConcept={"text": "Metformin"})
            | {"effectiveDateTime": "2025-01-01"},
            "metformin",
            "Metformin: medicine, stopped (entry of 1 Jan 2025)",
        ),
        (
            {"resourceType": "AllergyIntolerance", "id": "a", "patient": SUBJECT, "code": {"text": "Penicillin"}}
            | {"clinicalStatus": {"coding": [{"code": "inactive"}]}},
            "penicillin",
            "Penicillin: allergy, not active any more",
        ),
        (
            row("Appointment", "v", status="noshow", description="Eye clinic", start="2026-03-01T10:00:00Z")
            | {"participant": [{"actor": SUBJECT}]},
            "eye clinic",
            "Eye clinic: appointment, the patient did not come, 1 Mar 2026",
        ),
        (
            row("MedicationRequest", "x", status="active", intent="order", doNotPerform=True)
            | {"medicationCodeableConcept": {"text": "Morphine"}},
            "morphine",
            "Not to be done: Morphine: prescription, entered as active",
        ),
        (row("Goal", "g", lifecycleStatus="completed", description={"text": "Weight loss"}), "weight", "Weight loss: "),
        (row("Observation", "b", code={"text": "Tremor"}, valueBoolean=False), "tremor", "Tremor: no"),
        (
            row("Observation", "t", code={"text": "ANA titre"}, valueRatio={"denominator": {"value": 160}}),
            "titre",
            "ANA titre: recorded, without a value that can be read here",
        ),
    ],
    ids=["old", "local", "no value", "report", "order", "not done", "over", "allergy", "not come", "not to be done",
         "reached", "yes or no", "other value"],
)  # fmt: skip
def test_a_question_finds_what_no_summary_tells(one: dict[str, Any], question: str, line: str) -> None:
    """Older than a year, without a standard code, without a value, over, or not done; no fact has it."""
    of = about(one)
    assert any(text.startswith(line) for text in found(question, of))
    assert not any(one["id"] in reference for fact in everything(of.record) for reference in fact.references)


def test_the_latest_value_comes_first_and_earlier_ones_crowd_out_no_note() -> None:
    """Some values of each kind are offered, whatever an index makes of them."""
    note = row("DiagnosticReport", "d", code={"text": "Consult"}, conclusion="Low potassium from furosemide, replaced.")
    of = about(note, *(potassium(n, 3.0 + n / 10) for n in range(1, 20)))
    lines = found("Why was the potassium so?", of)
    values = [text for text in lines if text.startswith("Potassium")]
    assert "3.1" in values[0]
    assert len(values) == 6
    assert any("furosemide" in text for text in lines)


def test_a_question_about_several_tests_is_shown_the_latest_of_each_first() -> None:
    """Whatever number of earlier values one of them has."""
    tests = {"Sodium": "2951-2", "Creatinine": "2160-0", "Lactate": "2524-7", "Glucose": "2345-7"}
    others = [
        potassium(n, n + 1.5)
        | {"id": f"{name}{n}", "code": {"coding": [{"system": "http://loinc.org", "code": code}], "text": name}}
        for name, code in tests.items()
        for n in (1, 90, 180)
    ]
    of = about(*others, *(potassium(n, 3.0 + n / 10) for n in range(1, 20)))
    lines = found("potassium, sodium, creatinine, lactate and glucose", of)
    for name in ("Potassium", *tests):
        values = [n for n, text in enumerate(lines) if text.startswith(name)]
        assert values[0] < 8, name
        assert "to 31 Oct 2026" in lines[values[0]] or lines[values[0]].endswith("31 Oct 2026"), name


def test_a_short_question_that_names_something_is_answered_before_the_one_before_it() -> None:
    """One that names nothing ("when was that?") is about what was asked before."""
    of = about(
        potassium(1, 3.1), row("Observation", "f", code={"text": "Ferritin"}, valueQuantity=amount(412, "ng/mL"))
    )
    for question, first in (("ferritin", "Ferritin"), ("when was that?", "Potassium")):
        lines = [one.text for one in chosen(question, of, before="Was there hyperkalaemia, potassium?")]
        assert lines[0].startswith(first)
        assert any(line.startswith("Potassium") for line in lines)


def test_values_of_one_day_have_their_time() -> None:
    """Else nobody can tell which came first; the latest among them, in the offset of the record."""
    at = {"k1": "2026-10-31T20:00:00+08:00", "k2": "2026-10-31T06:00:00+08:00", "k3": "2026-10-29T06:00:00+08:00"}
    of = about(*(potassium(int(id_[1]), 3.0 + n) | {"effectiveDateTime": t} for n, (id_, t) in enumerate(at.items())))
    lines = found("potassium", of)
    assert "Potassium 3 mmol/L, 31 Oct 2026 20:00 UTC+08:00" in lines
    assert "Potassium 4 mmol/L, 31 Oct 2026 06:00 UTC+08:00" in lines
    assert not any("29 Oct 2026 06:00" in line for line in lines)


def test_earlier_orders_of_a_medicine_have_their_dose_and_day() -> None:
    """The day is that of the order, and is not told as the day on which it ended."""
    orders = [
        row("MedicationRequest", id_, status=status, intent="order", authoredOn=at, dosageInstruction=[{"text": dose}])
        | {"medicationCodeableConcept": {"text": "Prednisone"}}
        for id_, status, at, dose in (
            ("m1", "active", "2026-09-01", "5 mg daily"),
            ("m2", "stopped", "2026-03-01", "40 mg daily"),
        )
    ]
    of = about(*orders)
    lines = found("prednisone", of)
    assert lines == [
        "Prednisone: 5 mg daily, prescribed 1 Sep 2026",
        "Prednisone (40 mg daily): order stopped, prescribed 1 Mar 2026",
    ]
    sources = chosen("prednisone", of)
    assert checked("Prednisone 40 mg daily was stopped.", [sources[1].id], sources, of).supported
    assert not checked("She takes prednisone 40 mg daily.", [sources[1].id], sources, of).supported


def test_values_beyond_a_number_are_counted() -> None:
    """They are not among the sources, and whoever asks can be told."""
    of = record(*(potassium(n, 3.0 + n / 10) for n in range(1, 21)))
    told = everything(of)
    beyond = untold(of, told).beyond
    assert beyond == 20 - len({ref for fact in told for ref in fact.references}) - MOST
    assert beyond > 0
    assert untold(record(potassium(1, 3.1)), everything(record(potassium(1, 3.1)))).beyond == 0


def test_an_entry_that_only_its_status_is_told_of_vouches_for_its_own_words_alone() -> None:
    """What a status means for a claim is not judged, so that a model cannot turn "no" into "yes"."""
    of = about(
        row("Observation", "b", code={"text": "Pregnant"}, valueBoolean=False),
        row("Flag", "f", status="inactive", code={"text": "MRSA isolation"}),
    )
    for question, said, right in (
        ("pregnant", "She is pregnant.", False),
        ("pregnant", "Pregnant: no", True),
        ("isolation", "The patient has MRSA isolation.", False),
        ("isolation", "MRSA isolation: warning, not active any more", True),
    ):
        sources = chosen(question, of)
        assert checked(said, [sources[0].id], sources, of).supported == right, said


def test_entries_beyond_a_number_are_counted() -> None:
    """Of one kind and name, as values are."""
    of = record(*(row("Observation", f"t{n}", code={"text": "ANA titre"}) for n in range(MOST + 3)))
    found = untold(of, everything(of))
    assert (len(found.entries), found.beyond) == (MOST, 3)


def test_what_was_not_done_vouches_for_nothing_else() -> None:
    """Its own words may be quoted; that it was done, or was normal, is not supported."""
    of = about(
        row("Procedure", "n", status="not-done", code={"text": "Colonoscopy"}),
        row("Observation", "f", code={"text": "Ferritin"}, dataAbsentReason={"text": "haemolysed"}),
    )
    for question, said, right in (
        ("colonoscopy", "Colonoscopy was done.", False),
        ("colonoscopy", "Colonoscopy: not done", True),
        ("ferritin", "Ferritin was normal.", False),
    ):
        sources = chosen(question, of)
        assert checked(said, [sources[0].id], sources, of).supported == right, said
