"""Sentences as ward rounds and letters speak: no wrong one is kept, nine in ten right ones are."""

from collections import Counter

import pytest
from bench import NOW, THIRD, Case, cases, verdict

from cds_service.summary.chart import Chart
from cds_service.summary.verify import Sentence, verify

CASES = cases(THIRD)
_FLOOR = 0.9


@pytest.mark.parametrize("case", [c for c in CASES if not c.right], ids=lambda c: f"{c.what}: {c.sentence.text}")
def test_a_wrong_sentence_in_a_clinicians_words_is_dropped_with_a_reason(case):
    """Also a comparison of two results, values in the wrong order and a suspicion told as a diagnosis."""
    found = verdict(case)
    assert not found.keep
    assert found.reasons


def test_most_right_sentences_in_a_clinicians_words_are_kept():
    """What is lost is lost to words that the tables lack."""
    right = [case for case in CASES if case.right]
    lost = [case.sentence.text for case in right if not verdict(case).keep]
    assert len(lost) <= (1 - _FLOOR) * len(right), lost


def test_the_third_benchmark_compares_and_doubts():
    """Comparison, certainty, order and range, each at least twice, and forty Chinese sentences."""
    kinds = Counter(case.what for case in CASES)
    assert all(kinds[kind] >= 2 for kind in ("comparison", "certainty", "order", "range", "swap", "count", "side"))
    assert sum(any("\u4e00" <= c <= "\u9fff" for c in case.sentence.text) for case in CASES) >= 40


def test_what_is_said_of_a_list_is_judged_of_each():
    """`A and B are low` is wrong if A is not, in whichever order the names come."""
    for text in ("Haemoglobin and platelets are low.", "Platelets and haemoglobin are low.", "血小板和血红蛋白偏低。"):
        cites = "Observation/bed-rest-hemoglobin-1", "Observation/bed-rest-platelets-1"
        assert not verdict(Case(False, "level", "bed-rest", Sentence(text, cites))).keep, text


def test_what_a_medicine_is_for_is_said_only_if_its_resource_says_it():
    """That apixaban is usually given for atrial fibrillation states nothing here; naming both links nothing."""
    cites = "MedicationRequest/af-anticoagulated-medicine-1", "Condition/af-anticoagulated-problem-1"
    texts = {
        "Apixaban is taken for atrial fibrillation.": False,
        "Atrial fibrillation is treated with apixaban.": False,
        "Atrial fibrillation, managed with apixaban 5 mg.": False,
        "房颤，服用阿哌沙班治疗。": False,
        "Atrial fibrillation, on apixaban.": True,
    }
    for text, keep in texts.items():
        assert verdict(Case(keep, "cause", "af-anticoagulated", Sentence(text, cites))).keep is keep, text


def test_an_age_beside_a_relative_is_the_relatives():
    """The age at which a father fell ill is never taken for, or from, the patient's."""
    father = {
        "resourceType": "FamilyMemberHistory", "id": "f", "status": "completed",
        "patient": {"reference": "Patient/p"}, "relationship": {"coding": [{"code": "FTH"}]},
        "condition": [{"code": {"text": "Myocardial infarction"}, "onsetAge": {"value": 52, "code": "a", "unit": "a"}}],
    }  # fmt: skip
    patient = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1950-02-01"}
    entries = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in (patient, father)]}
    texts = {
        "其父52岁时患心肌梗死。": True,
        "其父76岁时患心肌梗死。": False,
        "Her father had a heart attack at 52.": True,
    }
    found = verify([Sentence(text, ("FamilyMemberHistory/f",)) for text in texts], Chart.from_bundle(entries, NOW))
    assert [one.keep for one in found] == list(texts.values())
