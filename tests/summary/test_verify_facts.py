"""The lines of the deterministic summary pass the verifier, in both languages; with one number changed they do not."""

import re
from datetime import datetime

import orjson
import pytest
from bench import chart

from cds_service.cli import calls
from cds_service.language import words
from cds_service.summary.collecting import everything
from cds_service.summary.facts import CONTRADICTION
from cds_service.summary.verify import Sentence, verify

PATIENTS = (
    "acute-deterioration",
    "heart-failure",
    "kidney-transplant",
    "chinese-record",
    "pregnant",
    "af-anticoagulated",
    "af-not-anticoagulated",
)
# What a limit or an exponent says stays true when it is changed a little: above 5 is also above 4.
KEPT = re.compile(r"(above|below|to|–|高于|低于|至|×10[³⁶]?) ?$")


def facts(patient):
    bundle = orjson.loads(calls.sample(patient).read_bytes())
    return [f for f in everything(calls.record(bundle, datetime.fromisoformat(bundle["timestamp"]))) if f.references]


def changed(text):
    """The text with each of its numbers changed in turn: the value, the dose, the count, the day or the year."""
    for match in re.finditer(r"(?<![\w.×])\d+(?:\.\d+)?(?![\w³])", text):
        number, before = match.group(), text[: match.start()]
        if KEPT.search(before) or "1.73" in number:
            continue
        other = f"{float(number) * 1.7:.2f}" if "." in number else str(int(number) + (3 if int(number) < 26 else -3))
        yield before + other + text[match.end() :]


@pytest.mark.parametrize("language", ["en", "zh_Hans"])
@pytest.mark.parametrize("patient", [*PATIENTS, "kras-g12c-lung"])
def test_the_summary_says_nothing_that_the_verifier_would_drop(patient, language):
    """Every fact line is supported by what it cites."""
    said = [Sentence(words(language)(f.text), f.references) for f in facts(patient) if f.kind != CONTRADICTION]
    assert [(v.text, v.reasons) for v in verify(said, chart(patient)) if not v.keep] == []


@pytest.mark.parametrize("language", ["en", "zh_Hans"])
@pytest.mark.parametrize("patient", PATIENTS)
def test_a_fact_line_with_one_number_changed_is_dropped(patient, language):
    """Whatever the number: a value, a dose, a count, a day, a year."""
    wrong = [
        Sentence(other, f.references)
        for f in facts(patient)
        if f.kind != CONTRADICTION
        for other in changed(words(language)(f.text))
    ]
    assert len(wrong) >= 10
    assert [v.text for v in verify(wrong, chart(patient)) if v.keep] == []
