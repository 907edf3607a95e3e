"""Case vignettes: facts with ids, a question, what an answer must and must not hold. They test analysis, not recall.

An answer passes if every group of required elements is met by one of its alternatives, nothing forbidden is asserted,
and the facts that carry the answer are cited. Elements are patterns, read without case. A forbidden element counts only
where its clause does not deny it: "do not continue spironolactone" is right.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_FILES = {"en": "vignettes_en.toml", "zh": "vignettes_zh.toml"}
_DENIED = re.compile(
    r"\b(no|not|never|don't|do not|without|avoid|stop|rather than|instead of|contraindicated|dangerous|cannot)\b"
    r"|不|勿|避免|禁|停|并非|无",
    re.I,
)
_CLAUSE = re.compile(r"[.;:!?。；：！？\n]|,\s|，")
_CITED = re.compile(r"[\[(【（]\s*((?:F\d+[\s,，、;]*)+)[\])】）]")


@dataclass(frozen=True, slots=True)
class Vignette:
    """One case. required: groups of alternatives. cite: ids to be cited. good, bad: answers that show the scoring."""

    id: str
    language: str
    topic: str
    facts: tuple[str, ...]
    ask: str
    required: tuple[tuple[str, ...], ...]
    forbidden: tuple[str, ...]
    cite: tuple[str, ...]
    good: str
    bad: str


@dataclass(frozen=True, slots=True)
class Score:
    """How an answer did. met: required groups met, of `of`. forbidden: patterns that it asserts. uncited: ids."""

    met: int
    of: int
    forbidden: tuple[str, ...]
    uncited: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """True if nothing lacks and nothing is wrong."""
        return self.met == self.of and not self.forbidden and not self.uncited


@lru_cache(maxsize=1)
def vignettes() -> tuple[Vignette, ...]:
    """All of them, English first."""
    found: list[Vignette] = []
    for language, name in _FILES.items():
        table = tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
        found += [_vignette(language, row) for row in table["vignette"]]
    return tuple(found)


def _vignette(language: str, row: dict[str, Any]) -> Vignette:
    return Vignette(
        row["id"],
        language,
        row["topic"],
        tuple(row["facts"]),
        row["ask"],
        tuple(tuple(group) for group in row["required"]),
        tuple(row["forbidden"]),
        tuple(row["cite"]),
        row["good"],
        row["bad"],
    )


def score(vignette: Vignette, answer: str) -> Score:
    """How an answer to a vignette did."""
    text = unicodedata.normalize("NFKC", answer)
    met = sum(any(_found(p, text) for p in group) for group in vignette.required)
    forbidden = tuple(p for p in vignette.forbidden if _asserted(p, text))
    cited = {id_ for m in _CITED.finditer(text) for id_ in re.findall(r"F\d+", m[1])}
    uncited = tuple(id_ for id_ in vignette.cite if id_ not in cited)
    return Score(met, len(vignette.required), forbidden, uncited)


def _found(pattern: str, text: str) -> bool:
    return re.search(unicodedata.normalize("NFKC", pattern), text, re.I) is not None


def _asserted(pattern: str, text: str) -> bool:
    """True if a pattern stands in a clause before which, within it, nothing denies it."""
    for clause in _CLAUSE.split(text):
        m = re.search(unicodedata.normalize("NFKC", pattern), clause, re.I)
        if m is not None and _DENIED.search(clause[: m.start()]) is None:
            return True
    return False
