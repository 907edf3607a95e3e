"""Sitting an exam: one question at a time, each answer on disk before the next, so that a sitting can be resumed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import orjson

from cds_service.errors import InputError
from cds_service.exam.parsing import chosen
from cds_service.exam.questions import Question
from cds_service.exam.vignettes import Vignette, score
from cds_service.summary.llm import LanguageModel, LlmError, Message, Reason

_MOST_FAILURES = 5  # in a row: the endpoint is away
_MAX_KEPT = 2000  # characters of an answer in the file
UNREAD = ("empty", "cut", "declined", "unclear")
_DECLINED = re.compile(
    r"\bI(?:'m| am)? (?:cannot|can't|can not|could not|unable|not able|won't|must decline|do not feel comfortable)"
    r"|\bI(?:'m| am) (?:sorry|unable|not able)|\bas an AI\b|无法(?:回答|提供|作答)|不能(?:回答|提供)|抱歉",
    re.I,
)
_RULES = {
    "en": "You sit a medical licensing examination. Think as briefly as you can, then end with one line: "
    "Answer: X, where X is the letter of the one best option.",
    "zh": "你正在参加医学执业资格考试。请简要思考，最后单独一行写：答案：X，其中X为唯一最佳选项的字母。",
}
_CASE = {
    "en": "You analyse a case for a clinician. Use only the facts and medical knowledge. Answer in at most five "
    "sentences and cite the facts that you use as [F1].",
    "zh": "你为临床医生分析病例。只依据所给事实和医学知识，回答不超过五句，并用[F1]的形式标注所用事实。",
}


@dataclass(frozen=True, slots=True)
class Result:
    """One answer. given: the letter, empty where none could be read. failed: why there was no answer. right: whether
    it was right, or for a vignette passed. share: of the required elements, for a vignette."""

    id: str
    subject: str
    language: str
    expected: str
    given: str
    right: bool
    failed: str = ""
    share: float = 0.0
    text: str = ""
    unread: str = ""


Ask = Callable[[Sequence[Message]], str]


class Sitting:
    """The answers so far, in a file of one JSON object a line."""

    def __init__(self, file: Path, *, resume: bool) -> None:
        """Raises InputError if there are answers already and they are not to be gone on with."""
        self._file = file
        self.results: dict[str, Result] = {}
        if not resume and file.exists() and any(not result.failed for result in _read(file)):
            raise InputError(f"{file} holds answers already. Go on with --resume, or name another folder with --out.")
        if file.exists():
            self.results = {result.id: result for result in _read(file) if not result.failed}
            _write(file, self.results.values())
        file.parent.mkdir(parents=True, exist_ok=True)

    def sit(self, items: Sequence[Question | Vignette], ask: Ask) -> Iterator[Result]:
        """Asks what has no answer yet. Raises InputError after several failures in a row."""
        row = 0
        with self._file.open("ab") as stream:
            for item in items:
                if item.id in self.results:
                    continue
                result = _ask(item, ask)
                stream.write(orjson.dumps(asdict(result)) + b"\n")
                stream.flush()
                self.results[item.id] = result
                row = row + 1 if result.failed else 0
                if row == _MOST_FAILURES:
                    raise InputError(
                        f"the endpoint failed {row} times in a row ({result.failed}). Mend it, go on with --resume."
                    )
                yield result


def asking(model: LanguageModel) -> Ask:
    """Asks a model in plain text."""
    return lambda messages: model.ask(messages).text


def _ask(item: Question | Vignette, ask: Ask) -> Result:
    subject = item.topic if isinstance(item, Vignette) else item.subject
    expected = "" if isinstance(item, Vignette) else item.answer
    try:
        text = ask(_case(item) if isinstance(item, Vignette) else _question(item))
    except LlmError as error:
        unread = error.reason in (Reason.EMPTY, Reason.CUT)  # the model's doing, not the endpoint's
        failed = "" if unread else error.reason.value
        gone = {Reason.EMPTY: "empty", Reason.CUT: "cut"}.get(error.reason, "")
        return Result(item.id, subject, item.language, expected, "", right=False, failed=failed, unread=gone)
    if isinstance(item, Vignette):
        found = score(item, text)
        declined = found.met == 0 and _without_a_letter(text) == "declined"
        return Result(
            item.id, subject, item.language, "", "" if declined else "x", found.passed,
            share=found.met / found.of, text=text[:_MAX_KEPT], unread="declined" if declined else "",
        )  # fmt: skip
    given = chosen(text, item.options) or ""
    why = _without_a_letter(text) if not given else ""
    return Result(
        item.id, subject, item.language, expected, given, given == expected, text=text[-_MAX_KEPT:], unread=why
    )  # fmt: skip


def _without_a_letter(text: str) -> str:
    """Why none could be read."""
    if not text.strip():
        return "empty"
    return "declined" if _DECLINED.search(text.replace("\u2019", "'")) else "unclear"


def shuffled(question: Question) -> Question:
    """The same question with its options in another order, the same in each sitting: a letter learnt by heart fails."""
    letters = list(question.options)
    places = sorted(letters, key=lambda letter: hashlib.sha256(f"{question.id}/{letter}".encode()).digest())
    options = dict(zip(letters, (question.options[place] for place in places), strict=True))
    return replace(question, options=options, answer=letters[places.index(question.answer)])


def _question(question: Question) -> list[Message]:
    options = "\n".join(f"{letter}. {text}" for letter, text in question.options.items())
    asked = "\n\n".join(part for part in (question.context, question.text, options) if part)
    return [Message("system", _RULES[question.language]), Message("user", asked)]


def _case(vignette: Vignette) -> list[Message]:
    facts = "\n".join(f"F{number}: {text}" for number, text in enumerate(vignette.facts, 1))
    return [Message("system", _CASE[vignette.language]), Message("user", f"{facts}\n\n{vignette.ask}")]


def _read(file: Path) -> Iterator[Result]:
    for line in file.read_bytes().splitlines():
        try:
            yield Result(**orjson.loads(line))
        except (orjson.JSONDecodeError, TypeError):
            continue  # the last line of a sitting that was killed


def _write(file: Path, results: object) -> None:
    lines = [orjson.dumps(asdict(result)) + b"\n" for result in results]  # type: ignore[attr-defined]
    file.write_bytes(b"".join(lines))
