"""What became of the home medicines in a stay, and what is not claimed where the record does not say it."""

from datetime import timedelta

import pytest
from records import NOW, concept, record, row

from cds_service.fhir.context import ClinicalContext
from cds_service.summary.changes import changes
from cds_service.summary.collecting import collect, marked
from cds_service.summary.follow_up import appointments, nothing_booked, planned_visits
from cds_service.summary.must import CHANGED_MEDICINE
from cds_service.web.app.source_page import source

BEGAN = NOW - timedelta(days=7)


def ago(days):
    return (NOW - timedelta(days=days)).isoformat()


def order(id_, name, days, dose=None, status="active", changed=None, **members):
    dosage = [{"text": dose}] if dose else []
    meta = {"meta": {"lastUpdated": ago(changed)}} if changed is not None else {}
    return row("MedicationRequest", id_, status=status, intent="order", medicationCodeableConcept=concept(None, name),
               authoredOn=ago(days), dosageInstruction=dosage, **meta, **members)  # fmt: skip


def told(*rows):
    return [str(fact.text) for fact in changes(record(*rows), BEGAN)]


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ((order("a", "Donepezil 10 mg", 900, "at night"),), []),
        ((order("a", "Donepezil 10 mg", 900, "at night", "completed", 800),), []),
        ((order("a", "Donepezil 10 mg tablet", 900, "once daily", "stopped", 5),
          order("b", "Donepezil 10 MG Oral Tablet", 5, "Once daily."),), []),
        ((order("a", "Donepezil 5 mg tablet", 900, "At night"), order("b", "Donepezil 10 mg tablet", 5, "at night")),
         ["Donepezil 10 mg tablet: at night, dose changed in this stay, 27 Oct 2026; before: "
          "Donepezil 5 mg tablet: At night"]),
        ((order("a", "Donepezil 10 mg", 900, "at night"), order("b", "Donepezil 10 mg", 5, "in the morning with food")),
         ["Donepezil 10 mg: in the morning with food, ordered anew in this stay, 27 Oct 2026; before: "
          "Donepezil 10 mg: at night"]),
        ((order("a", "Amlodipine 5 mg", 900, "once daily"), order("b", "Amlodipine 5 mg / valsartan 160 mg", 5)),
         ["Amlodipine 5 mg / valsartan 160 mg, new in this stay, 27 Oct 2026"]),
        ((order("a", "Insulin lispro 100 units/mL", 900), order("b", "Insulin glargine 100 units/mL", 5)),
         ["Insulin glargine 100 units/mL, new in this stay, 27 Oct 2026"]),
        ((order("a", "Naproxen 500 mg", 300, status="stopped"),),
         ["Naproxen 500 mg: stopped, when is not recorded, prescribed 5 Jan 2026"]),
        ((order("a", "Naproxen 500 mg", 3000, status="stopped"),), []),
        ((order("a", "Ceftriaxone 2 g", 6, status="completed", changed=2),),
         ["Ceftriaxone 2 g: begun and completed in this stay, prescribed 26 Oct 2026"]),
        ((order("a", "Lisinopril 10 mg", 900, status="on-hold"),),
         ["Lisinopril 10 mg: on hold, prescribed 15 May 2024"]),
    ],
    ids=["goes-on", "ended-long-ago", "ordered-again-alike", "other-strength", "other-words", "combination", "insulins",
         "no-time", "no-time-and-old", "a-course", "on-hold"],
)  # fmt: skip
def test_a_medicine_is_told_as_far_as_its_entries_tell(rows, lines):
    """New, changed, ordered anew, stopped or on hold; silence where nothing changed."""
    assert told(*rows) == lines
    assert told(*reversed(rows)) == lines


def named(id_):
    return {"priorPrescription": {"reference": f"MedicationRequest/{id_}"}}


def test_a_medicine_that_an_order_replaces_is_one_line_and_not_two():
    """The order names the prescription before it: one line tells both, also over a step that was itself replaced."""
    old = order("a", "Lisinopril 10 mg", 900, "once daily", "stopped", changed=5)
    new = order("c", "Losartan 50 mg", 4, "once daily", **named("a"))
    line = "Losartan 50 mg: once daily, new in this stay, 28 Oct 2026, in place of Lisinopril 10 mg: once daily"
    (fact,) = changes(record(old, new), BEGAN)
    assert (str(fact.text), fact.references) == (line, ("MedicationRequest/c", "MedicationRequest/a"))
    tried = order("b", "Ramipril 5 mg", 5, status="stopped", changed=4, **named("a"))
    over = told(old, tried, order("c", "Losartan 50 mg", 4, "once daily", **named("b")))
    assert over == [line, "Ramipril 5 mg: begun and stopped in this stay, prescribed 27 Oct 2026"]


@pytest.mark.parametrize("state", ["active", "on-hold"])
def test_a_medicine_that_is_still_taken_or_may_be_again_is_not_replaced(state):
    """Whatever the new order names: somebody must see that both are there."""
    old = order("a", "Lisinopril 10 mg", 900, status=state)
    lines = told(old, order("c", "Losartan 50 mg", 4, **named("a")))
    assert "Losartan 50 mg, new in this stay, 28 Oct 2026" in lines
    assert not any("in place of" in one for one in lines)


def test_without_a_word_of_the_record_a_class_mate_replaces_nothing():
    """Two lines: that one took the place of the other is for the record to say; so is a prescription unknown here."""
    old = order("a", "Lisinopril 10 mg", 900, status="stopped", changed=5)
    for members in ({}, named("elsewhere")):
        assert len(told(old, order("c", "Losartan 50 mg", 4, **members))) == 2


def test_a_course_within_the_stay_may_be_cut_and_a_home_medicine_that_ended_may_not():
    """What was begun and completed here is no change of what the patient takes at home."""
    rows = (order("a", "Ceftriaxone 2 g", 6, status="completed", changed=2),
            order("b", "Naproxen 500 mg", 300, status="stopped", changed=2))  # fmt: skip
    found = changes(record(*rows), BEGAN)
    assert {f.references[0] for f in found if CHANGED_MEDICINE in f.tags} == {"MedicationRequest/b"}


def test_many_old_entries_that_were_changed_at_once_are_one_line():
    """A change of system touches every entry: twenty lines of medicines of ten years ago would hide the others."""
    old = [order(f"o{n}", f"Formerly{chr(97 + n)} 5 mg", 2000 + n, status="completed", changed=2) for n in range(20)]
    (line, few) = told(order("a", "Naproxen 500 mg", 300, status="stopped", changed=2), *old)[::-1]
    assert few.startswith("Naproxen 500 mg: stopped")
    assert line.startswith("20 medicines from over a year before this stay: ended, entries last changed in it:")
    assert len(told(*old[:6])) == 6


def test_a_statement_of_what_was_taken_at_home_counts_and_so_does_its_end():
    """A list of home medicines kept as MedicationStatement."""
    said = row("MedicationStatement", "s", status="stopped", medicationCodeableConcept=concept(None, "Naproxen 500 mg"),
               effectivePeriod={"start": ago(300), "end": ago(2)})  # fmt: skip
    assert told(said) == ["Naproxen 500 mg: stopped, until 30 Oct 2026, prescribed 5 Jan 2026"]


def test_an_order_of_the_emergency_visit_that_led_to_the_stay_is_one_of_the_stay():
    """Else it would be taken for a home medicine."""
    visit = row("Encounter", "v", status="finished", **{"class": {"code": "EMER"}},
                period={"start": ago(7.5), "end": ago(7.1)})  # fmt: skip
    stay = row("Encounter", "e", status="in-progress", **{"class": {"code": "IMP"}}, period={"start": ago(7)})
    made = record(visit, stay, order("a", "Heparin 5000 units", 7.3))
    context = ClinicalContext(made, "encounter-discharge", None, "e", None, (), NOW)
    (fact,) = (f for f in marked(collect(made, {"medication"}), context) if f.kind == "medication")
    assert str(fact.text) == "Heparin 5000 units, new in this stay, 25 Oct 2026"


def appointment(id_, state, **members):
    return {"resourceType": "Appointment", "id": id_, "status": state, "participant": [
        {"actor": {"reference": "Practitioner/d", "display": "Dr. Grace Plum"}},
        {"actor": {"reference": "Patient/p1"}}], **members}  # fmt: skip


def test_appointments_that_lie_ahead_are_told_the_next_first():
    """Past ones and those nobody kept are not; one without a day says so; people's names are left out."""
    made = record(
        appointment("b", "booked", start=ago(-30), description="Eye clinic"),
        appointment("a", "booked", start=ago(-3), serviceType=[concept(None, "Cardiology")]),
        appointment("w", "waitlist", requestedPeriod=[{"start": ago(-40)}]),
        appointment("p", "proposed", start=ago(-9)),
        appointment("x", "booked", start=ago(3)),
        appointment("y", "noshow", start=ago(-3)),
    )
    assert [str(fact.text) for fact in appointments(made)] == [
        "Cardiology: appointment on 4 Nov 2026",
        "a visit: appointment proposed for 10 Nov 2026, not confirmed",
        "Eye clinic: appointment on 1 Dec 2026",
        "a visit: appointment wished from 11 Dec 2026, not confirmed",
    ]


def test_another_patients_appointment_is_not_told():
    """A participant must be the patient."""
    other = appointment("a", "booked", start=ago(-3)) | {"participant": [{"actor": {"reference": "Patient/p2"}}]}
    nobody = appointment("b", "booked", start=ago(-3)) | {"participant": []}
    assert appointments(record(other, nobody)) == ()


def test_nothing_booked_is_said_only_where_the_list_came():
    """Silence of an EHR that does not send appointments is no absence of any."""
    assert nothing_booked(record()) == ()
    assert [str(f.text) for f in nothing_booked(record(listed=("Appointment",)))] == ["No appointment is booked"]
    visit = row("Encounter", "n", status="planned", **{"class": {"code": "AMB"}}, period={"start": ago(-5)})
    assert nothing_booked(record(visit, listed=("Appointment",))) == ()
    assert [str(f.text) for f in planned_visits(record(visit))] == ["visit, planned for 6 Nov 2026"]
    assert source(record(visit), "Encounter/n") is not None  # its citation opens, though its day lies ahead
