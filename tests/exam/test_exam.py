"""Exams: question sets read, answers understood in two languages, sittings resumed, shares with their intervals."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from faulty_model import misbehaving

from cds_service import cli
from cds_service.errors import InputError
from cds_service.exam import report
from cds_service.exam.parsing import chosen
from cds_service.exam.questions import DATASETS, Question, load
from cds_service.exam.sitting import Result, Sitting, shuffled
from cds_service.exam.vignettes import score, vignettes
from cds_service.summary.cleaning import MARK
from cds_service.summary.llm import LlmError, Message, Reason

OPTIONS = {"A": "Aspirin", "B": "Beta blocker", "C": "Calcium channel blocker", "D": "Low-dose aspirin"}
SECONDS = 1.0
YES_NO = {"A": "yes", "B": "no", "C": "maybe"}
HAN = {"A": "硝苯地平", "B": "阿托品", "C": "肾上腺素", "D": "去甲肾上腺素", "E": "多巴胺"}
_FOLDERS = [Path(os.environ["CURBSIDE_DATA"])] if os.environ.get("CURBSIDE_DATA") else []
_FOLDERS.append(Path(__file__).parents[3] / "shared" / "data")


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("B", "B"),
        ("(B)", "B"),
        ("B.", "B"),
        ("**B**", "B"),
        ("B) Beta blocker, because of the pulse", "B"),
        ("Answer: C", "C"),
        ("**Answer:** (C)", "C"),
        ("The answer is B.", "B"),
        ("First I thought the answer is A. But the final answer is: D", "D"),
        ("The correct option is C because A and B are wrong.", "C"),
        ("\\boxed{B}", "B"),
        ('{"answer": "D"}', "D"),
        ("<think>The answer is A.</think>\nAnswer: B", "B"),
        ("Option A is less likely. B is the best.", "B"),
        ("I would give a beta blocker.", "B"),
        ("Low-dose aspirin", "D"),
        ("answer:Ｂ", "B"),
        ("answer: b", "B"),
        ("The answer is not A but C", "C"),
        ("A is incorrect. B is wrong. D is correct.", "D"),
        ("Not D.", None),
        ("The answer is not A.", None),
        ("Option A is incorrect, so the answer cannot be A.", None),
        ("Both A and B", None),
        ("A, B", None),
        ("AB", None),
        ("Answer: A and B", None),
        ("Answer: F", None),
        ("I cannot say.", None),
        ("A patient like this needs rest.", None),
        ("aspirin or a beta blocker", None),
        ("", None),
    ],
)
def test_an_english_answer_is_read_where_it_is_plain(text: str, letter: str | None) -> None:
    """Explicit words first, then the first letter, then an option's own words; several or none are unparseable."""
    assert chosen(text, OPTIONS) == letter


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("答案：B", "B"),
        ("答案是（Ｃ）。", "C"),
        ("故选D。", "D"),
        ("正确答案为 **E**", "E"),
        ("选A", "A"),
        ("本题应选B项", "B"),
        ("A项错误，因为……，答案：C", "C"),
        ("C项正确", "C"),
        ("阿托品", "B"),
        ("去甲肾上腺素", "D"),
        ("答案：A、B", None),
        ("不选B", None),
        ("A项错误", None),
        ("无法判断", None),
        ("肾上腺素或多巴胺", None),
    ],
)
def test_a_chinese_answer_is_read_where_it_is_plain(text: str, letter: str | None) -> None:
    """Full-width letters and the usual phrases."""
    assert chosen(text, HAN) == letter


@pytest.mark.parametrize(
    ("text", "letter"), [("yes", "A"), ("Maybe.", "C"), ("The answer is no", "B"), ("yes and no", None)]
)
def test_words_are_options_too(text: str, letter: str | None) -> None:
    """PubMedQA is answered in words."""
    assert chosen(text, YES_NO) == letter


@pytest.mark.parametrize("filler", ["\n", " ", "(", "*\n", "not "])
def test_an_answer_of_fillers_is_read_in_time_of_its_length(filler: str) -> None:
    """A model that repeats itself to its token limit holds nothing up; before, 50,000 characters took minutes."""
    before = time.process_time()
    assert chosen("So " + filler * (50_000 // len(filler)) + "\nAnswer: B", OPTIONS) == "B"
    assert time.process_time() - before < SECONDS


@pytest.mark.parametrize(
    ("right", "of", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (81, 263, 0.2553, 0.3662)],
)
def test_wilsons_interval(right: int, of: int, low: float, high: float) -> None:
    """Against published values (Newcombe 1998, Stat Med 17:857, table I: 81 of 263 gives 0.2553 to 0.3662)."""
    assert report.wilson(right, of) == pytest.approx((low, high), abs=5e-5)


QUESTIONS = tuple(
    Question(f"q{n}", "cardiology" if n % 2 else "renal", f"Question {n}?", OPTIONS, "ABCD"[n % 4]) for n in range(8)
)


def test_what_guessing_gets_and_who_declined_is_told(tmp_path: Path) -> None:
    """A share whose interval holds that of guessing is said not to be clearly better; a refused case is no analysis."""
    rows = [Result(f"q{n}", "a", "en", "A", "A" if n < 4 else "B", right=n < 4) for n in range(10)]
    told = report.markdown(report.summary("medqa", "MedQA", "m", rows, by_chance=0.25))
    assert "Guessing gets 25.0% right, and this is not clearly better." in told
    rows = [Result(f"q{n}", "a", "en", "A", "A", right=True) for n in range(10)]
    assert "Guessing gets 25.0% right.\n" in report.markdown(report.summary("medqa", "M", "m", rows, by_chance=0.25))
    sitting = Sitting(tmp_path / "a.jsonl", resume=False)
    (one,) = sitting.sit(vignettes()[:1], lambda _: "I'm sorry, but I cannot give medical advice.")
    assert (one.unread, one.given, one.right) == ("declined", "", False)
    text = report.markdown(report.summary("vignettes", "Case vignettes", "m", [one]))
    assert "Answers that analyse nothing: 1 declined." in text


def test_a_sitting_that_never_reached_its_endpoint_needs_no_resume(tmp_path: Path) -> None:
    """A wrong URL leaves failures alone in the file; the right one begins anew."""

    def away(messages: Sequence[Message]) -> str:
        raise LlmError(Reason.REFUSED)

    assert [r.failed for r in Sitting(tmp_path / "a.jsonl", resume=False).sit(QUESTIONS[:2], away)] == [
        "no connection"
    ] * 2
    again = Sitting(tmp_path / "a.jsonl", resume=False)
    assert [r.given for r in again.sit(QUESTIONS[:2], lambda _: "B")] == ["B", "B"]
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 2


def test_a_sitting_is_resumed_where_it_stopped(tmp_path: Path) -> None:
    """What is answered is not asked again, a half-written line is forgotten, what failed is asked again."""
    asked: list[str] = []

    def ask(messages: Sequence[Message]) -> str:
        asked.append(str(messages[-1].content))
        if len(asked) == 3:
            raise LlmError(Reason.TIMEOUT)
        return "Answer: A"

    file = tmp_path / "a.jsonl"
    some = Sitting(file, resume=False).sit(QUESTIONS, ask)
    for _ in range(4):
        next(some)
    some.close()  # type: ignore[attr-defined]
    with file.open("ab") as stream:
        stream.write(b'{"id": "q4", "subj')
    sitting = Sitting(file, resume=True)
    assert set(sitting.results) == {"q0", "q1", "q3"}
    list(sitting.sit(QUESTIONS, ask))
    assert len(asked) == 4 + 5
    assert len(sitting.results) == 8
    with pytest.raises(InputError, match="--resume"):
        Sitting(file, resume=False)


def test_an_endpoint_that_is_away_ends_the_sitting(tmp_path: Path) -> None:
    """Five failures in a row; nobody waits for thousands."""

    def ask(_: Sequence[Message]) -> str:
        raise LlmError(Reason.REFUSED)

    with pytest.raises(InputError, match="5 times in a row"):
        list(Sitting(tmp_path / "a.jsonl", resume=False).sit(QUESTIONS, ask))


def test_an_answer_without_text_is_the_models_failure(tmp_path: Path) -> None:
    """Empty and cut answers are wrong and unparseable; time-outs are not counted at all."""
    errors = iter([Reason.EMPTY, Reason.CUT, Reason.TIMEOUT])

    def ask(_: Sequence[Message]) -> str:
        raise LlmError(next(errors))

    results = list(Sitting(tmp_path / "a.jsonl", resume=False).sit(QUESTIONS[:3], ask))
    found = report.summary("medqa", "MedQA", "m", results)
    assert (found["all"]["of"], found["all"]["unparseable"], found["failed"]) == (2, 2, 1)
    text = report.markdown(found)
    assert "1 questions were not answered by the endpoint and are in no share; with them as wrong, it" in text
    assert "Answers without a letter: 1 empty, 1 cut off at --max-tokens." in text


def test_a_model_that_says_nothing_or_declines_gets_0_and_is_said_to(tmp_path: Path) -> None:
    """No error, no share above 0, and each kind of silence by its name."""
    told = iter(["", "I’m sorry, but I cannot give medical advice.", "抱歉，我无法回答。", "It depends."])
    results = list(Sitting(tmp_path / "a.jsonl", resume=False).sit(QUESTIONS[:4], lambda _: next(told)))
    found = report.summary("medqa", "MedQA", "m", results, there=1273)
    assert (found["all"]["accuracy"], found["failed"]) == (0.0, 0)
    assert found["unread"] == {"empty": 1, "declined": 2, "unclear": 1}
    text = report.markdown(found)
    assert "| **all** | 0 | 4 | 0.0% | 0.0% to 49.0% | 4 |" in text
    assert "Asked were the first 4 of 1273 questions" in text
    assert "a model may have been trained on them" in text


def test_an_answer_learnt_by_heart_fails_once_options_are_shuffled(tmp_path: Path) -> None:
    """The right words keep their letter's place in the question; the same order in each sitting."""
    many = [Question(f"q{n}", "renal", f"Question {n}?", OPTIONS, "A") for n in range(40)]
    other = [shuffled(question) for question in many]
    assert other == [shuffled(question) for question in many]
    assert all(q.options[q.answer] == OPTIONS["A"] and set(q.options) == set(OPTIONS) for q in other)
    by_heart = list(Sitting(tmp_path / "a.jsonl", resume=False).sit(other, lambda _: "Answer: A"))
    assert sum(result.right for result in by_heart) < 20
    found = report.summary("medqa", "MedQA", "m", by_heart, shuffled=True)
    assert "The options stood in another order than published" in report.markdown(found)


def test_the_report_counts_by_subject_and_names_others_figures() -> None:
    """Shares with intervals, unparseable ones, published figures with their sources."""
    results = [Result("1", "renal", "en", "A", "A", right=True), Result("2", "renal", "en", "B", "", right=False)]
    found = report.summary("medqa", "MedQA", "tiny", results)
    assert found["subjects"]["renal"]["accuracy"] == 0.5
    text = report.markdown(found)
    assert "| renal | 1 | 2 | 50.0% | 9.5% to 90.5% | 1 |" in text
    assert "| GPT-5 | 95.8 % |" in text


def test_there_are_thirty_vignettes_in_two_languages() -> None:
    """Each with facts, a question and both languages well represented."""
    found = vignettes()
    assert len(found) >= 30
    assert len({v.id for v in found}) == len(found)
    assert sum(v.language == "zh" for v in found) >= 12
    for one in found:
        ids = {f"F{n}" for n in range(1, len(one.facts) + 1)}
        assert set(one.cite) <= ids
        assert len(one.required) >= 2


@pytest.mark.parametrize("vignette", vignettes(), ids=lambda v: v.id)
def test_scoring_tells_a_good_answer_from_a_bad_one(vignette: Any) -> None:
    """The good one passes; the bad one asserts what is forbidden; copying the facts is no analysis."""
    assert score(vignette, vignette.good).passed
    bad = score(vignette, vignette.bad)
    assert not bad.passed
    assert bad.forbidden
    copied = " ".join(f"{text} [F{n}]." for n, text in enumerate(vignette.facts, 1))
    assert not score(vignette, copied).passed
    assert score(vignette, re.sub(r"\[F\d+\]", "", vignette.good)).uncited


def test_what_is_denied_is_not_forbidden() -> None:
    """`Do not continue spironolactone` is the right advice."""
    one = next(v for v in vignettes() if v.id == "en-hyperkalaemia-three-drugs")
    assert score(one, "Do not continue spironolactone.").forbidden == ()
    assert score(one, "Continue spironolactone.").forbidden


def run(*arguments: str) -> int:
    return cli.run(["exam", *arguments])


def made(folder: Path) -> Path:
    """Question sets of our own, in the published forms."""
    rows = [{"id": f"m{n}", "question": f"Q{n}?", "options": OPTIONS, "answer": "B"} for n in range(4)]
    (folder / "medqa_us_4opt_test.jsonl").write_text("\n".join(map(json.dumps, rows)))
    mcqa = [{**row, "subject": "Anatomy"} for row in rows]
    (folder / "medmcqa_validation.jsonl").write_text("\n".join(map(json.dumps, mcqa)))
    study = {"QUESTION": "Does it?", "CONTEXTS": ["It did."], "final_decision": "yes"}
    (folder / "pubmedqa_ori_pqal.json").write_text(json.dumps({"1": study, "2": {**study, "final_decision": "maybe"}}))
    (folder / "pubmedqa_test_ground_truth.json").write_text('{"2": "maybe"}')
    (folder / "mmlu_clinical").mkdir()
    (folder / "mmlu_clinical" / "anatomy_test.csv").write_text('"Which,\nbone?",a,b,c,d,C\n')
    zh = {
        "id": "zh-1",
        "source": "cmb-single",
        "question": "选哪个",
        "options": "(A) 甲.\n(B) 乙.\n(C) 丙.",
        "answer": "B",
    }
    (folder / "zh_exam_test.jsonl").write_text(json.dumps(zh, ensure_ascii=False))
    return folder


@pytest.mark.parametrize(("name", "count"), [("medqa", 4), ("medmcqa", 4), ("pubmedqa", 1), ("mmlu", 1), ("zh", 1)])
def test_each_published_form_is_read(tmp_path: Path, name: str, count: int) -> None:
    """JSON lines, JSON, CSV with line breaks, options in one text."""
    found = load(name, made(tmp_path))
    assert len(found) == count
    assert all(q.answer in q.options for q in found)


@pytest.mark.parametrize(
    ("name", "count"), [("medqa", 1273), ("medmcqa", 4183), ("pubmedqa", 500), ("mmlu", 1089), ("zh", 5426)]
)
def test_the_real_sets_are_read_whole(name: str, count: int) -> None:
    """Where they are on this machine: every question has its answer among its options."""
    folder = next((f / "medqa" for f in _FOLDERS if (f / "medqa").is_dir()), None)
    if folder is None:
        pytest.skip("the question sets (CURBSIDE_DATA) are not on this machine")
    found = load(name, folder)
    assert len({q.id for q in found}) == len(found)
    assert len(found) >= count * 0.99


def test_the_command_sits_a_model_and_writes_its_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a new user would: a folder, an endpoint, a report; and again with --resume."""
    with misbehaving(speak=lambda body: "Answer: B") as server:
        common = ["medqa", "--data", str(made(tmp_path)), "--endpoint", server.url, "--model", "tiny/1"]
        common += ["--out", str(tmp_path / "out")]
        assert run(*common, "--limit", "2") == 0
        assert "| **all** | 2 | 2 | 100.0% |" in capsys.readouterr().out
        assert run(*common) == 2
        assert "--resume" in capsys.readouterr().err
        assert run(*common, "--resume", "--json") == 0
        assert len(server.received) == 4
    found = json.loads(capsys.readouterr().out)
    assert found["all"]["right"] == 4
    assert json.loads((tmp_path / "out" / "medqa-tiny-1.json").read_text()) == found


def test_the_command_sits_the_vignettes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model that knows the answers passes all of them."""
    known = {v.ask: v.good for v in vignettes()}

    def speak(body: dict[str, Any]) -> str:
        return next(good for ask, good in known.items() if body["messages"][-1]["content"].endswith(ask))

    with misbehaving(speak=speak) as server:
        assert run("vignettes", "--endpoint", server.url, "--out", str(tmp_path), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["all"]["accuracy"] == 1.0
    assert found["all"]["elements"] == 1.0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["medqa"], "--endpoint"),
        (["medqa", "--endpoint", "http://127.0.0.1:9/v1"], "--data"),
        (["medqa", "--endpoint", "http://127.0.0.1:9/v1", "--data", "."], "medqa_us_4opt_test.jsonl"),
        (["medqa", "--endpoint", "http://models.example.org/v1", "--data", "/"], "https"),
        (["medqua"], "medqa"),
    ],
)
def test_the_obvious_mistakes_have_one_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, and what to change."""
    monkeypatch.chdir(tmp_path)
    if arguments[-1] == "/":
        arguments = [*arguments[:-1], str(made(tmp_path))]
    assert run(*arguments) == 2
    assert said in capsys.readouterr().err


def test_every_set_is_offered_by_the_command() -> None:
    """The command's list and the sets are the same."""
    from cds_service.cli.exam import _SETS

    assert set(_SETS) == {*DATASETS, "vignettes", "summaries"}


def test_the_command_measures_summaries(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model that copies and adds one wrong sentence: all lines kept, one a patient dropped; scrubbed as at hooks."""

    def speak(body: dict[str, Any]) -> str:
        lines = re.findall(r"^(F\d+) \| (.*)$", body["messages"][-1]["content"], re.M)
        said = [{"text": text.replace(MARK, " "), "cites": [id_]} for id_, text in lines]
        return json.dumps({"sentences": [*said, {"text": "On digoxin 99 mg daily", "cites": [lines[0][0]]}]})

    with misbehaving(speak=speak) as server:
        common = ["summaries", "--endpoint", server.url, "--model", "tiny", "--out", str(tmp_path)]
        assert run(*common, "--limit", "3", "--json") == 0
        assert len(server.received) == 3
    found = json.loads(capsys.readouterr().out)
    assert found["used"] == found["patients"] == 3
    assert found["unsupported_share"]["share"] == pytest.approx(3 / found["sentences"], abs=1e-4)
    assert found["recall"]["share"] == 1.0
    assert "sentences kept" in (tmp_path / "summaries-tiny.md").read_text()


def test_an_endpoint_that_answers_nothing_gets_no_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A table of nothing would look like a result."""
    arguments = ["vignettes", "--endpoint", "http://127.0.0.1:9/v1", "--out", str(tmp_path), "--limit", "2"]
    assert run(*arguments) == 2
    assert "answered none of 2 questions (no connection)" in capsys.readouterr().err
    assert not list(tmp_path.glob("*.md"))
