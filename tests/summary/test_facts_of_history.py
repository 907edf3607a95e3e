"""What was done, planned, given and wished; relatives, devices and documents; each with its source and person."""

import base64

import pytest
from records import LOINC, NOW, concept, problem, record, result, row, status

from cds_service.fhir.context import ClinicalContext
from cds_service.summary import follow_up, history
from cds_service.summary.collecting import collect, everything, marked
from cds_service.summary.contradictions import contradictions, in_notes
from cds_service.summary.facts import stopped
from cds_service.summary.must import must_have


def at(made, hook):
    """A record at a hook."""
    return ClinicalContext(made, hook, None, None, None, (), NOW)


def lines(facts):
    return [str(fact.text) for fact in facts]


def owned(kind, id_, **members):
    """A row whose person is `patient`."""
    return {"resourceType": kind, "id": id_, "patient": {"reference": "Patient/p1"}, **members}


def order(id_, name, state="active", **members):
    medicine = concept(None, name)
    return row("MedicationRequest", id_, status=state, intent="order", medicationCodeableConcept=medicine, **members)


ALLERGIC = row("AllergyIntolerance", "a", clinicalStatus=status("active"), code=concept("91936005", "Penicillin"))


@pytest.mark.parametrize(
    ("read", "rows", "line"),
    [
        (
            history.procedures,
            [row("Procedure", f"p{n}", status="completed", code=concept("73761001", "Colonoscopy"),
                 performedDateTime=f"201{n}-05-01") for n in (1, 6)],
            "Colonoscopy, 2 times, last 1 May 2016",
        ),
        (
            history.encounters,
            [row("Encounter", "e", status="finished", **{"class": {"code": "IMP"}}, type=[concept("1", "Admission")],
                 reasonCode=[concept("2", "Pneumonia")], period={"start": "2026-03-01", "end": "2026-03-06"})],
            "Admission, 1 Mar 2026 to 6 Mar 2026: Pneumonia",
        ),
        (
            history.immunisations,
            [owned("Immunization", "i", status="completed", vaccineCode=concept("140", "Influenza"),
                   occurrenceDateTime="2025-10-13")],
            "Influenza vaccine, 13 Oct 2025",
        ),
        (
            history.devices,
            [row("DeviceUseStatement", "d", status="active", device={"reference": "Device/x", "display": "Pacemaker"})],
            "Pacemaker",
        ),
        (
            follow_up.goals,
            [row("Goal", "g", lifecycleStatus="active", description={"text": "HbA1c below 7 %"}, startDate="2026-01")],
            "HbA1c below 7 %, 2026-01",
        ),
        (
            history.code_status,
            [row("Observation", "o", status="final", code=concept("75320-2", "Advance directive", LOINC),
                 valueCodeableConcept=concept("304253006", "Not for resuscitation"), effectiveDateTime="2026-05-01")],
            "Advance directive: Not for resuscitation, 1 May 2026",
        ),
        (
            history.social,
            [row("Observation", "s", status="final", code=concept("72166-2", "Tobacco smoking status", LOINC),
                 valueCodeableConcept=concept("8517006", "Ex-smoker"), effectiveDateTime="2026-05-01")],
            "Tobacco smoking status: Ex-smoker, 1 May 2026",
        ),
        (
            history.adverse_events,
            [row("AdverseEvent", "v", actuality="actual", event=concept("1", "Fall on the ward"), date="2026-04-01")],
            "Fall on the ward, 1 Apr 2026",
        ),
        (
            follow_up.plans,
            [row("CarePlan", "c", status="active", category=[concept("1", "Self care")], period={"start": "2026-01-01"},
                 activity=[{"detail": {"code": concept("2", "Daily weight")}}])],
            "Self care: Daily weight, 1 Jan 2026",
        ),
        (
            history.family,
            [owned("FamilyMemberHistory", "f", relationship=concept("MTH", "Mother"),
                   condition=[{"code": concept("3", "Breast cancer")}])],
            "Mother: Breast cancer",
        ),
        (
            history.documents,
            [row("DiagnosticReport", "r", status="final", code=concept("4", "Chest X-ray"), issued="2026-10-01",
                 conclusion="No focal consolidation.")],
            "Chest X-ray: No focal consolidation., 1 Oct 2026",
        ),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)  # fmt: skip
def test_each_kind_of_resource_becomes_a_cited_line(read, rows, line):
    """Name, time and how often, with the resource that says so."""
    (fact,) = read(record(*rows))
    assert str(fact.text) == line
    assert fact.references
    assert (fact.about == "mother") == (read is history.family)


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (
            [ALLERGIC, row("AllergyIntolerance", "n", clinicalStatus=status("active"), code=concept("716186003"))],
            "The allergy list says both “no known allergies” and Penicillin",
        ),
        ([problem("a"), problem("b", state="resolved")], "Hypertension is listed as active and as resolved"),
        ([order("a", "Metformin"), order("b", "Metformin", "stopped")], "Metformin is listed as active and as stopped"),
        (
            [ALLERGIC, order("m", "Amoxicillin 500 mg")],
            "Amoxicillin 500 mg is a current medicine, and “Penicillin” is on the allergy list",
        ),
        (
            [result("x", 1.1), result("y", 4.2)],
            "Two values of Creatinine at one time, 4.2 and 1.1 mg/dL, 22 Oct 2026",
        ),
        (
            [result("a", 23.71291), result("b", 22.87844)],
            "Two values of Creatinine at one time, 22.88 and 23.71 mg/dL, 22 Oct 2026",
        ),
        (
            [
                row(
                    "Observation",
                    "s",
                    status="final",
                    code=concept("72166-2", "Tobacco smoking status", LOINC),
                    valueCodeableConcept=concept("266919005", "Never smoker"),
                    effectiveDateTime="2026-05-01",
                ),
                problem("c", "449868002", "Smokes tobacco daily"),
            ],
            "Smoking is recorded as “Never smoker” (1 May 2026), and the problem list says “Smokes tobacco daily”",
        ),
    ],
)
def test_a_contradiction_is_a_fact_that_cites_both_sides(rows, line):
    """The record says two things; neither is chosen."""
    (fact,) = contradictions(record(*rows))
    assert str(fact.text) == line
    assert len(fact.references) == 2
    assert must_have((fact,), "patient-view") == (fact,)


def note(text):
    data = base64.b64encode(text.encode()).decode()
    attachment = {"contentType": "text/plain; charset=utf-8", "data": data}
    return row("DocumentReference", "d", status="current", date="2026-05-03", content=[{"attachment": attachment}])


NONE_KNOWN = row("AllergyIntolerance", "n", code=concept("716186003", "No known allergy"))


@pytest.mark.parametrize(
    ("rows", "listed", "state"),
    [
        ((), (), "no allergy list was supplied"),
        ((), ("AllergyIntolerance",), "the allergy list is empty"),
        ((NONE_KNOWN,), ("AllergyIntolerance",), "the allergy list says none known"),
        ((row("AllergyIntolerance", "o", code=concept("91934008", "Nut allergy")),), (), "does not name it"),
    ],
)
def test_a_list_not_supplied_an_empty_one_and_none_known_are_told_apart(rows, listed, state):
    """Beside an allergy that only a note names: nobody may read an absent list as an empty one."""
    (fact,) = in_notes(record(note("Penicillin gave her a rash in 2009."), *rows, listed=listed))
    assert str(fact.text).endswith(state)


def test_values_that_differ_beyond_what_is_told_are_no_contradiction():
    """The same result sent twice, once rounded."""
    assert contradictions(record(result("a", 1.10001), result("b", 1.1))) == ()


def test_an_allergy_that_only_a_note_names_is_a_contradiction():
    """The list is empty, the note says a rash; what the note denies or says of a relative is none."""
    (fact,) = in_notes(record(note("Seen today. Penicillin gave her a rash in 2009."), listed=("AllergyIntolerance",)))
    said = "A note (3 May 2026) says “Penicillin gave her a rash in 2009.”, and the allergy list is empty"
    assert str(fact.text) == said
    assert fact.certainty == "stated"
    assert in_notes(record(note("No allergy to penicillin. Mother allergic to penicillin."))) == ()
    assert in_notes(record(ALLERGIC, note("Penicillin gave her a rash."))) == ()


def test_all_facts_are_numbered_and_a_healthy_result_is_among_them():
    """`F1`, `F2` ...; nothing of the record is lost because it is normal or over."""
    found = everything(record(result("a", 1.0), order("b", "Warfarin", "stopped"), problem("c")))
    assert [fact.id for fact in found] == [f"F{n}" for n in range(1, len(found) + 1)]
    assert {"Creatinine 1 mg/dL, 22 Oct 2026", "Warfarin: stopped", "Hypertension"} <= set(lines(found))


def test_a_suspected_problem_is_said_to_be_so():
    """A differential diagnosis is no diagnosis."""
    doubtful = {"coding": [{"code": "differential"}]}
    (fact,) = collect(record(problem("a", verificationStatus=doubtful)), {"problem"})
    assert (str(fact.text), fact.certainty) == ("Hypertension, suspected", "suspected")


@pytest.mark.parametrize(
    ("hook", "line"),
    [
        ("encounter-start", "Creatinine 1 mg/dL, 22 Oct 2026"),
        ("order-sign", "Potassium 4 mmol/L, 22 Oct 2026"),
        ("encounter-discharge", "Heart rate 70 /min, 22 Oct 2026"),
    ],
)
def test_what_a_hook_needs_is_told_even_if_it_is_normal(hook, line):
    """Baselines at the start, potassium at orders, vital signs at discharge; not where nobody needs them."""
    rows = (
        result("a", 1.0),
        result("k", 4.0, code="2823-3", name="Potassium", unit="mmol/L"),
        result("h", 70, code="8867-4", name="Heart rate", unit="/min"),
    )
    made = record(*rows)
    assert line in lines(must_have(marked(collect(made), at(made, hook)), hook))
    assert must_have(marked((), at(made, "patient-view")), "patient-view") == ()


def test_an_anticoagulant_and_a_pregnancy_are_never_cut():
    """At every hook, known by any of their names."""
    made = record(order("a", "Apixaban 5 mg"), problem("b", "77386006", "Pregnancy"), problem("c"))
    for hook in ("patient-view", "order-sign"):
        kept = lines(must_have(marked(collect(made, {"medication", "problem"}), at(made, hook)), hook))
        assert sorted(kept) == ["Apixaban 5 mg", "Pregnancy"]


def test_what_is_new_since_the_last_visit_is_told_at_patient_view():
    """Later than the end of the last visit that is over."""
    visit = row(
        "Encounter", "e", status="finished", period={"start": "2026-05-01T09:00:00Z", "end": "2026-05-01T10:00:00Z"}
    )
    made = record(visit, problem("old", "1", "Gout", onsetDateTime="2020-01-01"),
                  problem("new", "2", "Asthma", onsetDateTime="2026-08-01"))  # fmt: skip
    kept = must_have(marked(collect(made, {"problem"}), at(made, "patient-view")), "patient-view")
    assert lines(kept) == ["Asthma, since 1 Aug 2026"]


@pytest.mark.parametrize(("written", "told"), [("2026", "2026"), ("2026-05", "2026-05"), ("2026-05-06", "6 May 2026")])
def test_no_line_has_a_day_that_the_record_has_not(written, told):
    """A year stays a year and a month a month, in results, answers, stays and orders."""
    rows = (
        result("r", 2.4, interpretation=[concept("H")]) | {"effectiveDateTime": written},
        row("Observation", "s", status="final", code=concept("74013-4", "Drinks a day", LOINC), valueString="two",
            effectiveDateTime=written),
        row("Encounter", "e", status="in-progress", period={"start": written}, type=[concept(None, "Stay")]),
        row("ServiceRequest", "o", status="active", intent="order", code=concept(None, "Histology"),
            authoredOn=written),
    )  # fmt: skip
    lines = [str(fact.text) for fact in everything(record(*rows))]
    dated = [line for line in lines if any(name in line for name in ("Creatinine", "Stay", "Histology"))]
    assert len(dated) >= 3
    assert all(told in line for line in dated), dated
    assert told == "6 May 2026" or not any(" 2026" in line.replace(f" {told}", "") for line in lines)


def test_a_change_since_an_unknown_day_is_no_trend():
    """Over how long it went cannot be said."""
    now = result("now", 2.4, ago=5)
    for before, trends in (("2025-11-02", 1), ("2025", 0)):
        lines = [str(f.text) for f in everything(record(now, result("old", 1.0) | {"effectiveDateTime": before}))]
        assert sum("→" in line for line in lines) == trends, lines


def test_a_goal_that_is_reached_is_not_overdue():
    """Its day may have passed."""
    goal = row("Goal", "g", lifecycleStatus="active", description=concept(None, "HbA1c below 7%"),
               target=[{"dueDate": "2026-01-02"}])  # fmt: skip
    (open_,) = follow_up.goals(record(goal))
    assert "overdue" in str(open_.text)
    (reached,) = follow_up.goals(record(goal | {"achievementStatus": concept("achieved")}))
    assert "overdue" not in str(reached.text)


def test_an_order_not_to_give_a_medicine_is_no_medicine_that_was_stopped():
    """It was never given."""
    order = row("MedicationRequest", "m", status="stopped", intent="order",
                medicationCodeableConcept=concept("2", "Heparin"))  # fmt: skip
    assert len(stopped(record(order))) == 1
    assert stopped(record(order | {"doNotPerform": True})) == ()
