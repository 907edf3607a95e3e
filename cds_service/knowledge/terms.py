"""Names and codes of drugs, classes and conditions, resolved in memory: made once, then shared by all requests.

A drug is found by its RxNorm ingredient, by ATC, by a known product code, and by any ingredient, brand or synonym in
its words, English or Chinese, the longest name first. What is not found is the caller's to tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from cds_service.features import chinese_names, conditions
from cds_service.features.feature import ConditionFeature
from cds_service.features.medicines import PRODUCTS
from cds_service.fhir.codes import ATC, RXNORM, SNOMED
from cds_service.knowledge import base_files
from cds_service.knowledge.graph import Graph
from cds_service.language import msg

_WORDS = re.compile(r"[a-z0-9]+")
_STRENGTH = re.compile(r"\d+[a-z]{0,6}")  # "150mg", "1000iu"
_LONGEST = 6  # words of a name
_SPELT, _ALIKE = 6, 0.85  # letters of a word, and how much of it agrees, that a slip of spelling is taken for one
# Words of a product's strength, form and salt: a component that has no others names nothing.
_FORM = frozenset((
    "mg", "mcg", "ug", "ml", "unt", "unit", "units", "actuat", "hr", "day", "oral", "tablet", "tablets",
    "capsule", "capsules", "solution", "suspension", "injection", "injectable", "extended", "release",
    "delayed", "disintegrating", "chewable", "film", "coated", "pack", "kit", "prefilled", "syringe", "pen",
    "cartridge", "hydrochloride", "sodium", "potassium", "maleate", "tartrate", "succinate", "besylate", "acid",
    "sulfate", "acetate", "phosphate", "per", "patch", "dose", "daily", "once", "twice", "with", "inhaler",
    "inhalation", "powder", "product",
))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """What was found of a medicine. nodes: drugs, or classes where only a class is named. partly: a component of a
    combination was not recognised."""

    nodes: tuple[str, ...]
    partly: bool = False


class Terms:
    """The names, codes and classes of a graph."""

    def __init__(self, graph: Graph) -> None:
        names: dict[tuple[str, ...], dict[str, None]] = {}
        for kind in ("class", "drug"):  # a drug's name wins over a class's
            found: dict[tuple[str, ...], dict[str, None]] = {}
            for text, node in graph.names(kind):
                if chinese_names.is_chinese(text):
                    continue
                found.setdefault(tuple(_WORDS.findall(text)), {})[node] = None
            names |= found
        names.pop((), None)
        self._names = {words: tuple(nodes) for words, nodes in names.items()}
        self._codes: dict[tuple[str, str], tuple[str, ...]] = {}
        for system in (RXNORM, ATC, SNOMED):
            for code, node in graph.codes(system):
                if node.startswith(("drug:", "class:")):
                    self._codes[system, code] = (*self._codes.get((system, code), ()), node)
        self.rxcui = {node: code for code, node in graph.codes(RXNORM, base_files.SOURCE)}
        for code, ingredients in PRODUCTS.items():
            nodes = tuple(node for name in ingredients for node in self._names.get((name,), ()))
            self._codes.setdefault((RXNORM, code), nodes)
        self._above = _ancestors(graph.members())
        self.conditions = _conditions()

    def above(self, node: str) -> frozenset[str]:
        """The node itself and all classes that it belongs to."""
        return self._above.get(node, frozenset((node,)))

    def near(self, text: str, nodes: Iterable[str]) -> str | None:
        """The name of one of the nodes, or of their classes, that a word of a text nearly spells; or None."""
        wanted = {up for node in nodes for up in self.above(node)}
        names = [words[0] for words, meant in self._names.items() if len(words) == 1 and not wanted.isdisjoint(meant)]
        for word in _WORDS.findall(text.lower()):
            if len(word) >= _SPELT and (found := get_close_matches(word, names, n=1, cutoff=_ALIKE)):
                return str(found[0])
        return None

    def exact(self, name: str) -> tuple[str, ...]:
        """The drugs and classes that a whole text names."""
        return self._names.get(tuple(_WORDS.findall(name.lower())), ())

    def coded(self, system: str, code: str) -> tuple[str, ...]:
        """The drugs and classes of a code."""
        return self._codes.get((system, code), ())

    def medicine(self, codes: Iterable[tuple[str, str]], texts: Iterable[str]) -> Named:
        """The drugs of one product, from its (system, code) pairs and its words."""
        nodes: dict[str, None] = {}
        for pair in codes:
            nodes |= dict.fromkeys(self._codes.get(pair, ()))
        partly = False
        by_code = bool(nodes)
        for text in texts:
            if chinese_names.is_chinese(text):
                nodes |= dict.fromkeys(self._in_chinese(text))
                partly = partly or (not by_code and chinese_names.in_part(text))
            for component in " ".join(text.split()).split(" / "):
                words = _WORDS.findall(component.lower())
                found = self._in_words(words)
                nodes |= dict.fromkeys(found)
                partly = partly or (not found and not by_code and any(map(_names_something, words)))
        drugs = tuple(n for n in nodes if n.startswith("drug:"))
        kept = drugs or tuple(nodes)
        return Named(kept, partly and bool(kept))

    def _in_chinese(self, text: str) -> Iterable[str]:
        for name in chinese_names.meant(text):
            yield from (name,) if name.startswith("class:") else self.exact(name)

    def _in_words(self, words: list[str]) -> list[str]:
        found: list[str] = []
        place = 0
        while place < len(words):
            for length in range(min(_LONGEST, len(words) - place), 0, -1):
                nodes = self._names.get(tuple(words[place : place + length]))
                if nodes is not None:
                    found += nodes
                    place += length
                    break
            else:
                place += 1
        return found


def _names_something(word: str) -> bool:
    """True for a word of a medicine's text that is neither its form nor its strength."""
    return len(word) > 4 and word not in _FORM and _STRENGTH.fullmatch(word) is None


def _ancestors(members: Iterable[tuple[str, str]]) -> dict[str, frozenset[str]]:
    parents: dict[str, set[str]] = {}
    for child, parent in members:
        parents.setdefault(child, set()).add(parent)

    def up(node: str, seen: frozenset[str]) -> frozenset[str]:
        found = seen | {node}
        for parent in parents.get(node, set()) - found:
            found |= up(parent, found)
        return found

    return {child: up(child, frozenset()) for child in parents}


def _conditions() -> dict[str, ConditionFeature]:
    """The base's conditions, by node: as another part of Curbside declares them, or by the base's own codes."""
    declared = {f.id: f for f in vars(conditions).values() if isinstance(f, ConditionFeature)}
    found = {}
    for line in base_files.lines("conditions"):
        node = f"disease:{line['id']}"
        if line["feature"]:
            if line["feature"] not in declared:
                raise line.error(f"there is no condition feature {line['feature']}")
            found[node] = declared[line["feature"]]
        else:
            id_ = f"knowledge_{line['id'].replace('-', '_')}"
            codes = line.many("snomed"), line.many("icd10")
            found[node] = ConditionFeature(id_, msg("{name}", name=line["label"]), *codes, ever=line["ever"] == "yes")
    return found
