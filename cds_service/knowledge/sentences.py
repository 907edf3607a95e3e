"""The words of the curated base that a clinician reads, found for the catalogue of translations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import BinaryIO

# Files that speak on cards and in the review app; indications have no words of their own.
SAID = frozenset({
    "interactions", "contraindications", "limits", "allergies", "duplications", "monitoring", "genes", "guidelines",
    "targets", "predictions",
})  # fmt: skip
NAMED = frozenset({"classes", "conditions", "tests"})


def extract(
    file: BinaryIO, keywords: Collection[str], comment_tags: Collection[str], options: Mapping[str, str]
) -> Iterator[tuple[int, None, str, list[str]]]:
    """(line, None, text, no comments) of each text to translate, as Babel asks of an extractor."""
    header, *rows = file.read().decode("utf-8").splitlines()
    name = file.name.replace("\\", "/").rpartition("/")[2].removesuffix(".tsv")
    for number, row in enumerate(rows, start=2):
        for text in _texts(name, dict(zip(header.split("\t"), row.split("\t"), strict=True))):
            if text:
                yield number, None, text, []


def _texts(file: str, row: Mapping[str, str]) -> Iterator[str]:
    if file in NAMED:
        yield row["label"]
    elif file == "drugs":
        yield row["name"]
    elif file == "preventive":
        yield from (row["action"], row["order"], row["statement"])
    elif file in SAID:
        yield row["statement"]
        yield row.get("management", "")
        yield row.get("phenotype", "")
        yield row.get("words", "")
        yield row.get("action", "")
        yield row.get("population", "")
