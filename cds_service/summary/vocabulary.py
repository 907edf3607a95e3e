"""Names that the curated base of knowledge brings to the verifier: medicines, their brands and classes, illnesses.

What the tables of `terms` name keeps its meaning there; the base adds what they lack, with the Chinese names of the
message catalogue. A product of several substances means them all, and a record of them all supports the product's name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from cds_service.fhir.codes import SNOMED
from cds_service.knowledge.base_files import lines
from cds_service.language import Message, words

Key = tuple[str, ...]
Meanings = dict[Key, dict[tuple[str, str], None]]
_SHORTEST = 4  # letters of a brand: shorter ones are words too
_MOST_WORDS = 5
_NO_NAME = re.compile(r"(?i)\b(?:or|and)\b|\(|^(?:high|low) ")  # several things at once, or a level of a result


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Terms of the base. combined: the substances of a product, and the product's term; codes: of illnesses."""

    classes: dict[str, str]
    implied: dict[str, set[str]]
    combined: tuple[tuple[frozenset[str], str], ...]
    codes: dict[tuple[str, str], str]


class _Terms:
    def __init__(self, meanings: Meanings, key: Callable[[str], Key]) -> None:
        self._meanings, self._key = meanings, key
        self.classes: dict[str, str] = {}
        self.implied: dict[str, set[str]] = {}

    def add(self, name: str, class_: str, others: Iterable[str] = ()) -> str | None:
        """The term of a name, new or known, with further names for it; None if the name is a word of another table."""
        key = self._key(name)
        id_ = self._term(key)
        if id_ is None:
            if not key or key in self._meanings:
                return None
            id_ = f"#k:{name.casefold()}"
            self.classes[id_] = class_
            self._meanings[key] = {("term", id_): None}
        self.implied.setdefault(id_, set())
        for other in others:
            further = self._key(other)
            if further and further not in self._meanings:
                self._meanings[further] = {("term", id_): None}
        return id_

    def _term(self, key: Key) -> str | None:
        return next((value for kind, value in self._meanings.get(key, ()) if kind == "term"), None)


def extend(meanings: Meanings, key: Callable[[str], Key]) -> Vocabulary:
    """Puts the names of the base into the phrases of a lexicon, and tells what they mean."""
    terms = _Terms(meanings, key)
    groups = dict(_groups(terms))
    for line in lines("drugs"):
        brands = [b for b in line.many("brands") if len(b) >= _SHORTEST]
        id_ = terms.add(line["name"], "drug", (*brands, *line.many("synonyms"), *_chinese(line["name"])))
        if id_ is not None:
            terms.implied[id_] |= {groups[c] for c in line.many("classes") if c in groups and groups[c] != id_}
    combined = tuple(_combined(terms))
    codes = dict(_illnesses(terms))
    return Vocabulary(terms.classes, terms.implied, combined, codes)


def _groups(terms: _Terms) -> Iterator[tuple[str, str]]:
    for line in lines("classes"):
        label = line["label"]
        if len(label.split()) > _MOST_WORDS or _NO_NAME.search(label):
            continue
        first, *others = (*line.many("names"), label)
        id_ = terms.add(first, "drug", (*others, *_chinese(label)))
        if id_ is not None:
            yield line["id"], id_


def _combined(terms: _Terms) -> Iterator[tuple[frozenset[str], str]]:
    for line in lines("combinations"):
        of = [terms.add(name, "drug") for name in line.many("ingredients")]
        product = terms.add(line["name"], "drug", _chinese(line["name"])) if len(line["name"]) >= _SHORTEST else None
        if product is None or len(of) < 2 or any(one is None or one == product for one in of):
            continue
        ingredients = frozenset(one for one in of if one is not None)
        terms.implied[product] |= ingredients
        yield ingredients, product


def _illnesses(terms: _Terms) -> Iterator[tuple[tuple[str, str], str]]:
    for line in lines("conditions"):
        if _NO_NAME.search(line["label"]):
            continue
        id_ = terms.add(line["label"], "condition", _chinese(line["label"]))
        if id_ is not None:
            for code in line.many("snomed"):
                yield (SNOMED, code), id_


def _chinese(name: str) -> Iterator[str]:
    """The name in Chinese, where the catalogue has it."""
    found = words("zh_Hans")(Message(name))
    if found != name:
        yield found
