"""Sentences by a hand that never saw the verifier, and by class of wording: no wrong one is kept."""

from collections import Counter

import pytest
from bench import BLIND, CLASSES, Case, cases, reference, verdict

from cds_service.summary.lexicon import lexicon
from cds_service.summary.verify import Sentence

FILES = {"blind": (BLIND, 0.9), "classes": (CLASSES, 0.8)}


@pytest.mark.parametrize("name", FILES)
def test_no_wrong_sentence_is_kept_and_most_right_ones_are(name):
    """Each wrong one is dropped with a reason; the floor of right ones is that of the file."""
    file, floor = FILES[name]
    found = [(case, verdict(case)) for case in cases(file)]
    kept = [case.sentence.text for case, said in found if not case.right and said.keep]
    lost = [case.sentence.text for case, said in found if case.right and not said.keep]
    assert kept == []
    assert all(said.reasons for _, said in found if not said.keep)
    assert len(lost) <= (1 - floor) * sum(case.right for case, _ in found), lost


def test_the_blind_sets_cover_both_languages_and_many_errors():
    """Five hundred sentences, a third of them Chinese, errors of ten kinds at least."""
    found = cases(BLIND)
    assert len(found) > 450
    assert sum(any("\u4e00" <= c <= "\u9fff" for c in case.sentence.text) for case in found) > len(found) / 3
    assert len(Counter(case.what for case in found if not case.right)) >= 10


SAID = [
    ("going-home", "O:sodium-1", "Mild hyponatraemia.", True),
    ("going-home", "O:sodium-1", "Severe hyponatraemia.", False),
    ("going-home", "O:creatinine-1 O:egfr-1", "Renal function is impaired.", True),
    ("going-home", "O:potassium-1 O:sodium-1", "Electrolytes are normal.", False),
    ("metastatic-cancer", "C3", "Liver cancer.", False),
    ("metastatic-cancer", "C3", "Hepatic metastases.", True),
    ("diabetes-poor-control", "C1 O:hba1c-6", "Poorly controlled type 2 diabetes.", True),
    ("diabetes-poor-control", "C1 O:hba1c-6", "Well controlled type 2 diabetes.", False),
    ("diabetes-poor-control", "C1", "Poorly controlled type 2 diabetes.", False),
    ("going-home", "E1 E2 E4", "This is his third emergency admission of 2026.", True),
    ("going-home", "E1 E2 E4", "This is his fourth emergency admission of 2026.", False),
    ("going-home", "E3", "He fell at home in mid-August.", True),
    ("going-home", "E3", "He fell at home in late 2025.", False),
    ("going-home", "O:hemoglobin-1", "血红蛋白较前下降。", False),
    ("chinese-record", "M1", "服用科素亚50毫克。", True),
    ("chinese-record", "M1", "服用代文50毫克。", False),
    ("dialysis", "P1 P2 P3", "Dialysed on 26, 28 and 30 October 2026.", True),
    ("dialysis", "P1 P2 P3", "Dialysed on 26, 27 and 30 October 2026.", False),
]


@pytest.mark.parametrize(("patient", "cites", "text", "keep"), SAID)
def test_a_word_of_degree_time_or_class_is_held_against_the_record(patient, cites, text, keep):
    """The right wording is kept and its nearest wrong neighbour dropped."""
    references = tuple(reference(patient, cite) for cite in cites.split())
    assert verdict(Case(keep, "", patient, Sentence(text, references))).keep is keep


def test_no_name_of_the_base_is_taken_for_a_word_of_another_table():
    """A brand or a class that is also a plain word keeps its plain meaning; combinations mean all their substances."""
    known = lexicon()
    for word, kind in (("daily", "freq"), ("high", "level"), ("fall", "trend")):
        meanings = dict(known.phrases[word])[(word,)]
        assert meanings[0][0] == kind
    assert all(len(of) > 1 for of, _ in known.combined)
