"""Published question sets as they lie in a folder, read into the same questions. None of them is part of Curbside."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from cds_service.errors import InputError

LETTERS = "ABCDEFGH"


@dataclass(frozen=True, slots=True)
class Question:
    """One question. options: letter -> text. context: what is to be read first. language: `en` or `zh`."""

    id: str
    subject: str
    text: str
    options: Mapping[str, str]
    answer: str
    language: str = "en"
    context: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A question set. files: in the folder that `--data` names, or that file itself."""

    title: str
    files: str
    read: Callable[[Path], Iterator[Question]]


def load(name: str, data: Path) -> tuple[Question, ...]:
    """All questions of a set. Raises InputError naming the file and what is wrong with it."""
    dataset = DATASETS[name]
    files = [data] if data.is_file() else sorted(data.glob(dataset.files))
    if not files:
        raise InputError(f"{data} holds no {dataset.files}. Give the folder of the question sets with --data.")
    found: list[Question] = []
    for file in files:
        try:
            found += dataset.read(file)
        except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
            raise InputError(
                f"{file} cannot be read as {dataset.title} ({type(error).__name__}). Give the file as it was published."
            ) from None
    found = [question for question in found if question.answer in question.options]
    if not found:
        raise InputError(f"{data} holds no questions of {dataset.title}.")
    return tuple(found)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_bytes().splitlines():
        if line.strip():
            yield orjson.loads(line)


def _medqa(path: Path) -> Iterator[Question]:
    for row in _lines(path):
        yield Question(row["id"], str(row.get("step") or "all"), row["question"], row["options"], row["answer"])


def _medmcqa(path: Path) -> Iterator[Question]:
    for row in _lines(path):
        yield Question(row["id"], row.get("subject") or "none", row["question"], row["options"], row["answer"])


def _pubmedqa(path: Path) -> Iterator[Question]:
    """The 500 questions of the published test, where the list of them lies beside; else all."""
    rows = orjson.loads(path.read_bytes())
    beside = path.parent / "pubmedqa_test_ground_truth.json"
    chosen = set(orjson.loads(beside.read_bytes())) if beside.is_file() else set(rows)
    options = {"A": "yes", "B": "no", "C": "maybe"}
    letters = {text: letter for letter, text in options.items()}
    for id_, row in rows.items():
        if id_ in chosen:
            context = "\n".join(row["CONTEXTS"])
            yield Question(id_, "research", row["QUESTION"], options, letters[row["final_decision"]], context=context)


def _mmlu(path: Path) -> Iterator[Question]:
    subject = path.name.removesuffix("_test.csv").replace("_", " ")
    with path.open(encoding="utf-8", newline="") as stream:
        for number, (text, *options, answer) in enumerate(csv.reader(stream), 1):
            named = dict(zip(LETTERS, options, strict=False))
            yield Question(f"{path.stem}-{number}", subject, text, named, answer)


_OPTION = re.compile(r"^\(([A-H])\)\s*(.*?)\.?$", re.M)


def _chinese(path: Path) -> Iterator[Question]:
    for row in _lines(path):
        options = {m[1]: m[2] for m in _OPTION.finditer(row["options"])}
        yield Question(row["id"], row["source"], row["question"], options, row["answer"], "zh")


DATASETS: Mapping[str, Dataset] = {
    "medqa": Dataset("MedQA (US, 4 options)", "medqa_us_4opt_test.jsonl", _medqa),
    "medmcqa": Dataset("MedMCQA (validation)", "medmcqa_validation.jsonl", _medmcqa),
    "pubmedqa": Dataset("PubMedQA (expert-labelled)", "pubmedqa_ori_pqal.json", _pubmedqa),
    "mmlu": Dataset("MMLU clinical topics", "mmlu_clinical/*_test.csv", _mmlu),
    "zh": Dataset("Chinese licensing questions (MedQA-MCMLE, CMB)", "zh_exam_test.jsonl", _chinese),
}
