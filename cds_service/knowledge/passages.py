"""A search index over some texts in memory: SQLite's FTS5 by words and by trigrams, LIKE for two Chinese characters.

Lives as long as one question; nothing of it is written to a disk.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_WORD = re.compile(r"[A-Za-z0-9]+(?:[.-][A-Za-z0-9]+)*")
_CHINESE = re.compile(r"[\u3400-\u9fff]{2,}")
_COMMON = """
a an and any are as at be been by can could did do does doing for from had has have her him his how i if in is it its
last latest many me most much my no not of on or our patient patients please recent said say says she he show tell that
the their them there they this to us was we were what when where which who whom whose why will with would you your ever
history give given list about currently now
"""
_COMMON_ZH = """
患者 病人 什么 哪些 是否 有没 没有 请问 多少 怎么 如何 是什 么时 时候 的是 有哪 最近 目前 一下 情况 告诉
"""
_STOP, _STOP_ZH = frozenset(_COMMON.split()), frozenset(_COMMON_ZH.split())
_K = 10.0  # of reciprocal rank fusion: how quickly later places count less


class Text(NamedTuple):
    """One text to be found. terms: what it names, as words of any alphabet without spaces."""

    id: str
    text: str
    terms: tuple[str, ...] = ()


class PassageIndex:
    """Finds texts by their words, their characters and what they name."""

    def __init__(self, texts: Iterable[Text]) -> None:
        self._connection = sqlite3.connect(":memory:")
        self._connection.execute("PRAGMA temp_store=MEMORY")
        self._ids: list[str] = []
        run = self._connection.execute
        run("CREATE VIRTUAL TABLE words USING fts5(text, terms, tokenize='porter unicode61 remove_diacritics 2')")
        run("CREATE VIRTUAL TABLE characters USING fts5(text, tokenize='trigram')")
        run("CREATE TABLE plain(text)")  # LIKE over a trigram table finds no two characters that are not ASCII
        for number, one in enumerate(texts, 1):
            self._ids.append(one.id)
            terms = " ".join(map(_token, one.terms))
            run("INSERT INTO words(rowid, text, terms) VALUES (?, ?, ?)", (number, one.text, terms))
            run("INSERT INTO characters(rowid, text) VALUES (?, ?)", (number, one.text))
            run("INSERT INTO plain(rowid, text) VALUES (?, ?)", (number, one.text))

    def search(self, question: str, terms: Sequence[str] = (), limit: int = 24) -> tuple[str, ...]:
        """Ids of the texts that fit a question best, the best first; none where nothing of it occurs."""
        scores: defaultdict[int, float] = defaultdict(float)
        words = [w for w in _WORD.findall(question) if w.lower() not in _STOP]
        by_term = [f"terms:{_quoted(_token(term))}" for term in terms]
        by_word = [f"text:{_quoted(word)}" for word in words]
        for weight, parts in ((2.0, by_term), (1.0, by_word)):
            self._add(scores, "words", " OR ".join(parts), weight)
        trigrams = [
            run[i : i + 3]
            for run in _CHINESE.findall(question)
            for i in range(len(run) - 2)
            if _telling(run[i : i + 3])
        ]
        self._add(scores, "characters", " OR ".join(map(_quoted, dict.fromkeys(trigrams))), 1.0)
        self._pairs(scores, question)
        best = sorted(scores, key=lambda row: (-scores[row], row))[:limit]
        return tuple(self._ids[row - 1] for row in best)

    def close(self) -> None:
        """Forgets everything."""
        self._connection.close()

    def _add(self, scores: dict[int, float], table: str, query: str, weight: float) -> None:
        if not query:
            return
        chosen = f"SELECT rowid FROM {table} WHERE {table} MATCH ? ORDER BY rank, rowid LIMIT 200"  # noqa: S608 - ours
        for place, (row,) in enumerate(self._connection.execute(chosen, (query,))):
            scores[row] += weight * _K / (_K + place)

    def _pairs(self, scores: dict[int, float], question: str) -> None:
        """Pairs of Chinese characters, too short for trigrams: the rarer a pair, the more it counts."""
        pairs = {run[i : i + 2] for run in _CHINESE.findall(question) for i in range(len(run) - 1)} - _STOP_ZH
        for pair in sorted(pairs):
            chosen = "SELECT rowid FROM plain WHERE text LIKE ?"
            rows = [row for (row,) in self._connection.execute(chosen, (f"%{pair}%",))]
            for row in rows:
                scores[row] += 1.0 / (1 + len(rows) / 4)


def _telling(trigram: str) -> bool:
    return trigram[:2] not in _STOP_ZH and trigram[1:] not in _STOP_ZH


def _token(term: str) -> str:
    """A term as one word that the tokenizer neither parts nor shortens."""
    return "x" + term.encode().hex() + "x"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'
