"""Sentences as ward rounds and letters speak: no wrong one is kept, 85 in a hundred right ones are."""

from collections import Counter

import pytest
from bench import THIRD, Case, cases, verdict

from cds_service.summary.verify import Sentence

CASES = cases(THIRD)
_FLOOR = 0.85


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
