"""Sentences of letters and reports: none that turns one round is kept."""

import re
import time

import pytest
from letters import Told, judged, told

from cds_service.summary import in_text, number_marks, relations, scales, turned, undone
from cds_service.summary.keys import Read, clauses

LEAST_KEPT = 0.57
ALL = list(told())
TABLES = [
    *(words for scale in scales.SCALES for words in scale.values.values()),
    *(words for kind in number_marks.MARKS for words in kind.values.values()),
    *(words for _, _, words in relations.CUES),
]


@pytest.mark.parametrize("one", [one for one in ALL if one.what != "right"], ids=lambda one: f"{one.what}: {one.text}")
def test_a_sentence_that_turns_a_letter_round_is_dropped(one):
    """Direction, place, time, agent, side, negation, plan, quantity, comparison, person and sequence."""
    found = judged(one)
    assert not found.keep
    assert found.reasons


def test_what_a_letter_supports_is_kept_as_often_as_it_was():
    """In a clinician's own words: a floor under what is kept, which is three in five."""
    right = [one for one in ALL if one.what == "right"]
    assert sum(judged(one).keep for one in right) >= LEAST_KEPT * len(right)


def test_what_a_clause_begins_with_does_not_hang_on_chance() -> None:
    """A name has two keys of one length, of which sets give now the one, now the other: verdicts went with the run."""
    names = ("Heparin", "Aspirin", "Warfarin", "Digoxin", "Metformin", "Losartan", "Ramipril", "Bisoprolol", "Apixaban")
    first = [clauses(Read(f"{name} was stopped."))[0].first for name in names]
    assert [one[0] for one in first] == ["#"] * len(names)


@pytest.mark.parametrize("run", ["1", "a", "was ", "from 1 ", "before ", "higher ", "术后", "1, ", "peak "], ids=repr)
def test_a_long_run_is_looked_through_in_time(run):
    """Fifty thousand characters without a full stop, by every pattern: up to minutes before, where each began anew."""
    text = run * (50_000 // len(run))
    known = [p for of in (in_text, turned, undone) for p in vars(of).values() if isinstance(p, re.Pattern)]
    started = time.process_time()
    for pattern in (*known, *TABLES):
        pattern.search(text)
    assert time.process_time() - started < 5.0


@pytest.mark.parametrize("run", ["1, ", "potassium was not taken and ", "左膝术后疼痛，"], ids=repr)
def test_a_sentence_about_a_long_run_is_judged_in_time(run):
    """Fifty thousand characters without a full stop: a minute and more before, for what is no sentence at all."""
    started = time.process_time()
    assert not judged(Told("Potassium 1, " + run * (50_000 // len(run)), "number", "Potassium was taken.")).keep
    assert time.process_time() - started < 5.0
