"""What a model says of a document is compared with the sentence that it cites: wrong ones never pass, right ones do."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from cds_service.dialogue.answering import Said, checked
from cds_service.dialogue.sources import Material, material
from cds_service.language import words

sys.path.insert(0, str(Path(__file__).parent.parent / "documents"))
from written import note, read, record

LEAST_KEPT = 0.9
Rows = list[tuple[str, tuple[str, ...]]]


def _sections() -> tuple[list[str], dict[str, Rows]]:
    notes: list[str] = []
    rows: dict[str, Rows] = {"wrong": [], "right": []}
    name = ""
    for line in (Path(__file__).parent / "sentences_of_documents.txt").read_text(encoding="utf-8").split("\n"):
        if line.startswith("["):
            name = line.strip("[]")
            notes += [""] if name == "note" else []
        elif name == "note":
            notes[-1] += line + "\n"
        elif name and line:
            text, *cited = line.split("|")
            rows[name].append((text, tuple(cited)))
    return notes, rows


NOTES, ROWS = _sections()


@pytest.fixture(scope="module")
def of() -> Material:
    about = record()
    sent = [note(text, f"n{n}", date=f"2026-05-{10 - n:02d}") for n, text in enumerate(NOTES)]
    return material(about, read(*sent, about=about), words("en"))


def _said(text: str, cited: tuple[str, ...], of: Material) -> Said:
    found = [next(one for one in of.sources if part in one.text) for part in cited]
    sources = [replace(one, id=f"E{n}") for n, one in enumerate(found, 1)]
    return checked(text, [one.id for one in sources], sources, of)


def test_no_sentence_that_a_document_does_not_support_is_kept(of: Material) -> None:
    """A number of another name, an earlier value, a condition, a plan, a cause turned round, a place, a person."""
    assert len(ROWS["wrong"]) >= 280
    assert [text for text, cited in ROWS["wrong"] if _said(text, cited, of).supported] == []


def test_nearly_all_sentences_that_a_document_supports_are_kept(of: Material) -> None:
    """In the words of the document or in a clinician's own."""
    kept = [text for text, cited in ROWS["right"] if _said(text, cited, of).supported]
    assert len(kept) >= LEAST_KEPT * len(ROWS["right"])
