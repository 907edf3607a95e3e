"""A record becomes cited lines that say no more than it does."""

import pytest
from records import LOINC, RXNORM, SNOMED, concept, problem, record, row, status

from cds_service.summary.facts import allergies, medications, past_problems, problems

IPS = "http://hl7.org/fhir/uv/ips/CodeSystem/absent-unknown-uv-ips"


def lines(facts):
    return [str(fact.text) for fact in facts]


def test_only_active_problems_are_lines():
    """Resolved, refuted and abated problems are left out; one without a status is still on the list."""
    refuted = {"coding": [{"code": "refuted"}]}
    found = problems(
        record(
            problem("a", onsetDateTime="2019-03-01"),
            problem("b", "44054006", "Diabetes", state="resolved"),
            problem("c", "1", "Refuted", verificationStatus=refuted),
            problem("d", "2", "Abated", abatementDateTime="2020-01-01"),
            row("Condition", "e", code=concept("3", "No status")),
        )
    )
    assert sorted(lines(found)) == ["Hypertension, since 1 Mar 2019", "No status"]
    assert {fact.references for fact in found} == {("Condition/a",), ("Condition/e",)}


def test_a_problem_that_is_over_is_told_as_such():
    """It began then and is resolved; an active entry of the same problem stands for both; what was refuted is none."""
    found = past_problems(
        record(
            problem("a", "266257000", "Transient ischemic attack", state="resolved", onsetDateTime="2020-07-13"),
            problem("b", state="resolved"),
            problem("c"),
            problem("d", "1", "Refuted", state="resolved", verificationStatus={"coding": [{"code": "refuted"}]}),
            problem("e", "2", "Abated", abatementDateTime="2020-01-01"),
        )
    )
    assert sorted(lines(found)) == ["Abated, resolved", "Transient ischemic attack, 13 Jul 2020, resolved"]
    assert {fact.status for fact in found} == {"resolved"}


@pytest.mark.parametrize(("state", "word"), [("remission", "in remission"), ("inactive", "inactive")])
def test_how_a_problem_is_over_is_kept(state, word):
    """A leukemia in remission is not resolved, and the line says so."""
    (found,) = past_problems(record(problem("a", "91861009", "Acute myeloid leukemia", state=state)))
    assert str(found.text).endswith(f"Acute myeloid leukemia, {word}")


@pytest.mark.parametrize(
    "name", ["History of deep vein thrombosis", "Old myocardial infarction", "脑梗死病史", "Stroke", "右股骨骨折"]
)
def test_what_is_history_by_its_name_does_not_go_on_since(name):
    """The day is that of the event, or of the entry; nor does an event go on whose entry was left active."""
    (said,) = lines(problems(record(problem("a", text=name, onsetDateTime="2016-04-18"))))
    assert said == f"{name}, 18 Apr 2016"


def test_duplicates_are_one_line_with_all_references():
    """The same code twice, with another name, is one problem since its first onset."""
    found = problems(
        record(
            problem("a", onsetDateTime="2019-03-01"),
            problem("b", text="High blood pressure", onsetDateTime="2015"),
            problem("c", code=None, text="Gout"),
            problem("d", code=None, text="gout"),
        )
    )
    by_key = {fact.key: fact for fact in found}
    pressure = by_key[f"{SNOMED}|38341003"]
    assert str(pressure.text) == "Hypertension, since 2015"
    assert set(pressure.references) == {"Condition/a", "Condition/b"}
    assert set(by_key["gout"].references) == {"Condition/c", "Condition/d"}


def test_semantic_tags_are_left_out_and_long_names_capped():
    """A clinician reads names, not SNOMED CT's bookkeeping, and no name floods a card."""
    (tagged,) = problems(record(problem("a", "1", "Hypertensive disorder (disorder)")))
    assert str(tagged.text) == "Hypertensive disorder"
    (long,) = problems(record(problem("a", "1", "word " * 100)))
    assert len(str(long.text)) <= 120


def test_an_entry_without_any_name_is_still_cited():
    """It cannot be named, but it is there."""
    found = problems(record(row("Condition", "a"), row("Condition", "b")))
    assert lines(found) == ["an entry without a name"] * 2


def test_no_known_problems_is_no_problem():
    """The IPS's code for "none known" is not shown as a diagnosis."""
    assert problems(record(row("Condition", "a", code=concept("no-known-problems", system=IPS)))) == ()


def test_orders_and_statements_of_one_medicine_are_one_line():
    """Only what is current; dose and references kept; a contained product is named."""
    order = {"status": "active", "intent": "order", "authoredOn": "2026-02-03"}
    aspirin = concept("1191", "Aspirin 75 mg", RXNORM)
    found = medications(
        record(
            row(
                "MedicationRequest",
                "a",
                **order,
                medicationCodeableConcept=aspirin,
                dosageInstruction=[{"text": "daily"}],
            ),
            row("MedicationStatement", "b", status="active", medicationCodeableConcept=aspirin),
            row(
                "MedicationRequest",
                "c",
                **{**order, "status": "stopped"},
                medicationCodeableConcept=concept("2", "Old"),
            ),
            row(
                "MedicationRequest",
                "d",
                **{**order, "intent": "proposal"},
                medicationCodeableConcept=concept("3", "Idea"),
            ),
            row("MedicationRequest", "e", **order, doNotPerform=True, medicationCodeableConcept=concept("4", "Never")),
            row(
                "MedicationStatement",
                "f",
                status="active",
                medicationCodeableConcept=concept("5", "Ended"),
                effectivePeriod={"end": "2020-01-01"},
            ),
            row(
                "MedicationRequest",
                "g",
                **order,
                medicationReference={"reference": "#m"},
                contained=[{"resourceType": "Medication", "id": "m", "code": concept("6", "Contained")}],
            ),
            row(
                "MedicationRequest",
                "h",
                **order,
                medicationReference={"reference": "Medication/x", "display": "By name"},
            ),
        )
    )
    assert sorted(lines(found)) == [
        "Aspirin 75 mg: daily, prescribed 3 Feb 2026",
        "By name, prescribed 3 Feb 2026",
        "Contained, prescribed 3 Feb 2026",
    ]
    assert {frozenset(f.references) for f in found if "Aspirin" in str(f.text)} == {
        frozenset({"MedicationRequest/a", "MedicationStatement/b"})
    }


def test_an_allergy_has_its_reaction_and_criticality():
    """What it is to, what it did, and that it is dangerous."""
    penicillin = row(
        "AllergyIntolerance",
        "a",
        clinicalStatus=status("active"),
        criticality="high",
        code=concept("91936005", "Penicillin"),
        reaction=[{"manifestation": [concept("39579001", "Anaphylaxis")]}],
    )
    old = row("AllergyIntolerance", "b", clinicalStatus=status("resolved"), code=concept("1", "Egg"))
    (found,) = allergies(record(penicillin, old))
    assert str(found.text) == "Penicillin: Anaphylaxis, high criticality"
    assert found.references == ("AllergyIntolerance/a",)


OVER = row("AllergyIntolerance", "b", clinicalStatus=status("inactive"), code=concept("1", "Egg"))


@pytest.mark.parametrize(
    ("rows", "listed", "line"),
    [
        ((), (), "No allergy list was supplied"),
        ((), ("AllergyIntolerance",), "The allergy list is empty: allergies were neither named nor ruled out"),
        ((OVER,), ("AllergyIntolerance",), "The allergy list names allergies that are over, and none that is active"),
        ((OVER,), (), "The allergy list did not come whole; of what came no allergy is active, and some are over"),
        ((row("AllergyIntolerance", "a", code=concept("716186003")),), (), "No known allergies"),
        ((row("AllergyIntolerance", "a", code=concept("no-known-allergies", system=IPS)),), (), "No known allergies"),
        ((row("AllergyIntolerance", "a", code=concept("409137002")),), (), "No known drug allergies"),
    ],
)
def test_each_kind_of_silence_about_allergies_is_a_line_of_its_own(rows, listed, line):
    """Not supplied, empty, over, and recorded as none are different things."""
    assert lines(allergies(record(*rows, listed=listed))) == [line]


def test_a_contradiction_about_allergies_shows_both():
    """ "None known" beside an allergy hides neither."""
    both = record(
        row("AllergyIntolerance", "a", code=concept("716186003")),
        row("AllergyIntolerance", "b", code=concept("91936005", "Penicillin")),
    )
    assert lines(allergies(both)) == ["Penicillin", "No known allergies"]


def test_codes_of_other_systems_with_the_same_digits_are_not_merged():
    """The system counts, never the code alone."""
    found = problems(record(problem("a", "1", "One"), row("Condition", "b", code=concept("1", "Other", LOINC))))
    assert len(found) == 2
