"""Denied, of a relative, before, not yet, perhaps: how a term of a note is meant; and what notes state as facts."""

import pytest
from written import note, read, record, row

from cds_service.documents.context import Meant, Polarity, Time, meant
from cds_service.documents.statements import contradictions, statements

DENIED, POSSIBLE = Polarity.DENIED, Polarity.POSSIBLE
CASES = [
    ("Denies chest pain, dyspnea or fever.", "fever", Meant(DENIED)),
    ("No evidence of pneumonia.", "pneumonia", Meant(DENIED)),
    ("Pneumonia was ruled out.", "Pneumonia", Meant(DENIED)),
    ("Negative for deep vein thrombosis.", "deep vein thrombosis", Meant(DENIED)),
    ("She does not have diabetes.", "diabetes", Meant(DENIED)),
    ("No chest pain but has fever.", "fever", Meant()),
    ("No significant change in heart failure.", "heart failure", Meant()),
    ("Denies fever, now with cough.", "cough", Meant()),
    ("The patient has diabetes.", "diabetes", Meant()),
    ("Possible pneumonia.", "pneumonia", Meant(POSSIBLE)),
    ("Pneumonia cannot be excluded.", "Pneumonia", Meant(POSSIBLE)),
    ("Suspicious for malignancy.", "malignancy", Meant(POSSIBLE)),
    ("Mother had breast cancer.", "breast cancer", Meant(relative=True)),
    ("Her father has gout; the patient has asthma.", "asthma", Meant()),
    ("History of stroke.", "stroke", Meant(time=Time.BEFORE)),
    ("Stroke in 2015.", "Stroke", Meant(time=Time.BEFORE)),
    ("Return if fever occurs.", "fever", Meant(time=Time.IF)),
    ("Aspirin for prevention; at risk of bleeding.", "bleeding", Meant(time=Time.IF)),
    ("否认高血压、糖尿病病史。", "糖尿病", Meant(DENIED, Time.BEFORE)),
    ("否认高血压，糖尿病，冠心病病史。", "冠心病", Meant(DENIED, Time.BEFORE)),
    ("未见肺炎征象。", "肺炎", Meant(DENIED)),
    ("无发热，咳嗽3天。", "咳嗽", Meant()),
    ("患者有糖尿病。", "糖尿病", Meant()),
    ("母亲患乳腺癌。", "乳腺癌", Meant(relative=True)),
    ("既往高血压病史10年。", "高血压", Meant(time=Time.BEFORE)),
    ("肺炎待排。", "肺炎", Meant(POSSIBLE)),
    ("拟诊肺炎。", "肺炎", Meant(POSSIBLE)),
    ("不能排除肺栓塞。", "肺栓塞", Meant(POSSIBLE)),
    ("CT excluded pulmonary embolism.", "pulmonary embolism", Meant(DENIED)),
    ("CT has not excluded pulmonary embolism.", "pulmonary embolism", Meant(POSSIBLE)),
    ("MI ruled out.", "MI", Meant(DENIED)),
    ("Appendicitis has been ruled out.", "Appendicitis", Meant(DENIED)),
    ("CT排除肺栓塞。", "肺栓塞", Meant(DENIED)),
    ("目前未排除肺栓塞。", "肺栓塞", Meant(POSSIBLE)),
    ("A fracture was excluded and pneumonia was found.", "pneumonia", Meant()),
    ("如出现发热，请就诊。", "发热", Meant(time=Time.IF)),
]


@pytest.mark.parametrize(("sentence", "term", "expected"), CASES, ids=[c[0] for c in CASES])
def test_how_a_term_is_meant(sentence: str, term: str, expected: Meant) -> None:
    """Scope, pseudo-triggers and ends of scope, in both languages."""
    at = sentence.index(term)
    assert meant(sentence, at, at + len(term)) == expected


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("Family History", Meant(relative=True)),
        ("家族史", Meant(relative=True)),
        ("Past Medical History", Meant(time=Time.BEFORE)),
    ],
)
def test_the_heading_says_whose_and_when(section: str, expected: Meant) -> None:
    """A bare list below "Family History" is not the patient's."""
    assert meant("Diabetes.", 0, 8, section) == expected


def test_statements_are_stated_and_not_confirmed() -> None:
    """Each quotes its sentence, cites its place, and says whether it is denied, past, suspected or a relative's."""
    text = (
        "Denies diabetes.\nPossible pneumonia.\nMother had breast cancer.\nHistory of stroke.\nTakes metformin.\nWell."
    )
    found = statements(read(note(text)))
    said = [(f.references[0], f.status, f.certainty, f.about) for f in found]
    assert said == [
        ("DocumentReference/n1#s1", "denied", "stated", "patient"),
        ("DocumentReference/n1#s2", "", "suspected", "patient"),
        ("DocumentReference/n1#s3", "", "stated", "relative"),
        ("DocumentReference/n1#s4", "past", "stated", "patient"),
        ("DocumentReference/n1#s5", "", "stated", "patient"),
    ]
    assert 'Clinic note of 3 May 2026: "Denies diabetes."' in _worded(found)


NKA = row("AllergyIntolerance", "a0", code={"coding": [{"system": "http://snomed.info/sct", "code": "716186003"}],
                                            "text": "No known allergy"})  # fmt: skip
LATEX = row("AllergyIntolerance", "a1", code={"text": "Amoxicillin"})
DIABETES = row("Condition", "c1", code={"text": "Type 2 diabetes mellitus"})
WARFARIN = row(
    "MedicationRequest", "m1", status="active", intent="order", medicationCodeableConcept={"text": "Warfarin"}
)


def _worded(found) -> list[str]:
    from cds_service.language import words

    return [words("en")(fact.text) for fact in found]


@pytest.mark.parametrize(
    ("text", "rows", "listed", "said", "cites"),
    [
        ("Penicillin rash in 2011.", [], ["AllergyIntolerance"],
         'The allergy list is empty; Clinic note of 3 May 2026 says: "Penicillin rash in 2011."', []),
        ("Allergic to penicillin.", [], [], "No allergy list was supplied; Clinic note", []),
        ("Allergies:\nPenicillin: hives.", [NKA], [], "The allergy list says none known; Clinic note",
         ["AllergyIntolerance/a0"]),
        ("Allergic to warfarin.", [LATEX], [], "The allergy list does not name warfarin; Clinic note", []),
        ("对青霉素过敏。", [], ["AllergyIntolerance"], "The allergy list is empty; Clinic note", []),
        ("She does not have diabetes.", [DIABETES], [], "The problem list has diabetes; Clinic note", ["Condition/c1"]),
        ("Denies type 2 diabetes.", [DIABETES], [], "The problem list has type 2 diabetes; Clinic note",
         ["Condition/c1"]),
        ("Warfarin was stopped last week.", [WARFARIN], [], "Warfarin is on the list of medicines; Clinic note",
         ["MedicationRequest/m1"]),
        ("已停用华法林。", [WARFARIN], [], "华法林 is on the list of medicines", ["MedicationRequest/m1"]),
    ],
)  # fmt: skip
def test_a_note_against_a_list_is_a_fact_of_its_own(text, rows, listed, said, cites) -> None:
    """It quotes the note, names the list, and cites both."""
    about = record(*rows, listed=listed)
    found = contradictions(about, read(note(text), about=about))
    (line,) = _worded(found)
    assert said in line
    assert found[0].kind == "contradiction"
    assert list(found[0].references[1:]) == cites


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("No known drug allergies.", []),
        ("Mother is allergic to penicillin.", []),
        ("Tolerates penicillin without rash.", []),
        ("Allergic to amoxicillin.", [LATEX]),
        ("If allergic to penicillin, use another drug.", []),
        ("Type 2 diabetes since 2012.", [DIABETES]),
        ("Mother does not have type 2 diabetes.", [DIABETES]),
        ("Continue warfarin 5 mg.", [WARFARIN]),
        ("If bleeding occurs, stop warfarin.", [WARFARIN]),
        ("否认青霉素过敏史。", []),
    ],
)
def test_what_agrees_or_is_another_matter_is_no_contradiction(text, rows) -> None:
    """Agreement, relatives, conditions and denials raise nothing."""
    about = record(*rows, listed=["AllergyIntolerance"])
    assert _worded(contradictions(about, read(note(text), about=about))) == []
