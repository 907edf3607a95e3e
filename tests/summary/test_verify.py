"""No wrong sentence is kept and nine in ten right ones are: names, numbers, dates, polarity, person, side, count."""

from collections import Counter

import orjson
import pytest
from bench import cases, chart, verdict

from cds_service.cli import run
from cds_service.cli.calls import sample
from cds_service.summary.verify import Sentence, verify

CASES = cases()


@pytest.mark.parametrize("case", [c for c in CASES if not c.right], ids=lambda c: f"{c.what}: {c.sentence.text}")
def test_a_wrong_sentence_is_dropped_with_a_reason(case):
    """A changed drug, number, unit, date, negation, person, side, count, trend or citation is seen."""
    found = verdict(case)
    assert not found.keep
    assert found.reasons


def test_nine_in_ten_right_sentences_are_kept():
    """Strict on meaning, generous to wording: synonyms, abbreviations, converted units, date formats, Chinese."""
    right = [case for case in CASES if case.right]
    lost = [case.sentence.text for case in right if not verdict(case).keep]
    assert len(lost) <= 0.1 * len(right), lost


def test_the_benchmark_is_large_and_has_every_kind_of_error_in_both_languages():
    """At least 300 sentences; each kind of error several times."""
    kinds = Counter(case.what for case in CASES)
    chinese = [case for case in CASES if any("\u4e00" <= c <= "\u9fff" for c in case.sentence.text)]
    assert len(CASES) >= 300
    for kind in (
        "drug",
        "number",
        "unit",
        "date",
        "negation",
        "person",
        "side",
        "count",
        "trend",
        "status",
        "citation",
    ):
        assert kinds[kind] >= 4, kind
    assert len(chinese) >= 80


def test_verdicts_come_in_the_order_of_the_sentences():
    """One verdict a sentence, the text as it was given."""
    given = [Sentence("Aspirin.", ("MedicationRequest/heart-failure-medicine-7",)), Sentence("Gout.", ())]
    found = verify(given, chart("heart-failure"))
    assert [(v.text, v.keep) for v in found] == [("Aspirin.", True), ("Gout.", False)]


def test_the_command_prints_a_verdict_for_each_sentence(tmp_path, capsys):
    """Kept and dropped, in order, with reasons."""
    file = tmp_path / "sentences.json"
    file.write_bytes(orjson.dumps([
        {"text": "Furosemide 40 mg every morning.", "cites": ["MedicationRequest/heart-failure-medicine-5"]},
        {"text": "Furosemide 80 mg every morning.", "cites": ["MedicationRequest/heart-failure-medicine-5"]},
    ]))  # fmt: skip
    assert run(["verify", str(sample("heart-failure")), str(file)]) == 0
    keep, drop = orjson.loads(capsys.readouterr().out)
    assert (keep["verdict"], keep["reasons"]) == ("keep", [])
    assert drop["verdict"] == "drop"
    assert "80 mg" in drop["reasons"][0]


@pytest.mark.parametrize("content", [b"{}", b"[1]", b'[{"text": 1}]', b"[", b'[{"text": "a", "cites": "b"}]'])
def test_a_file_of_another_form_is_refused_in_one_sentence(content, tmp_path, capsys):
    """Exit 2 and what the file must hold."""
    file = tmp_path / "sentences.json"
    file.write_bytes(content)
    assert run(["verify", str(sample("heart-failure")), str(file)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
