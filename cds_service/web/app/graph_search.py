"""Search over the knowledge graph for the review app: what words name, the rows about it, and ways to another thing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cds_service.knowledge.graph import Evidence
from cds_service.knowledge.library import Library
from cds_service.language import ENGLISH, Message, Words, msg
from cds_service.web.knowledge import about_words, told

MOST_ROWS, MOST_NEIGHBOURS, LONGEST = 15, 24, 100
_NO_GRAPH = msg("No knowledge graph is loaded here.")
_TOO_LONG = msg("That is too long: name one medicine, condition, test, gene or variant.")
_NOTHING = msg("Nothing is known of that in these sources, which does not mean that there is nothing.")
_UNKNOWN = msg("The second name is not known here.")
_NO_WAY = msg("No short way leads from the one to the other, which does not mean that they have nothing to do.")


@dataclass(frozen=True, slots=True)
class Found:
    """rows: the most severe first. neighbours: names that rows lead to. ways: chains of names. notice: what to say."""

    rows: tuple[dict[str, Any], ...] = ()
    neighbours: tuple[str, ...] = ()
    ways: tuple[tuple[str, ...], ...] = ()
    notice: Message | None = None


def search(library: Library | None, words: str, other: str = "", say: Words = ENGLISH) -> Found:
    """What is known of some words, and how they lead to others; nothing, without a notice, where nothing is asked."""
    if not words:
        return Found()
    if library is None:
        return Found(notice=_NO_GRAPH)
    if len(words) > LONGEST or len(other) > LONGEST:
        return Found(notice=_TOO_LONG)
    rows = about_words(library, words)
    if not rows:
        return Found(notice=_NOTHING)
    ways, notice = _ways(library, words, other, say) if other else ((), None)
    shown = tuple(told(library, row, say) for row in rows[:MOST_ROWS])
    return Found(shown, _neighbours(library, words, rows, say), ways, notice)


def _ways(library: Library, words: str, other: str, say: Words) -> tuple[tuple[tuple[str, ...], ...], Message | None]:
    start, end = _node(library, words), _node(library, other)
    if end is None:
        return (), _UNKNOWN
    chains = library.graph.paths(start, end) if start is not None else ()
    ways = tuple(tuple(say(msg(library.name(node))) for node in chain) for chain in chains)
    return ways, None if ways else _NO_WAY


def _node(library: Library, words: str) -> str | None:
    named: Iterable[str] = (*library.terms.exact(words), *(node.id for node in library.graph.named(words)))
    return next(iter(named), None)


def _neighbours(library: Library, words: str, rows: Iterable[Evidence], say: Words) -> tuple[str, ...]:
    ends = dict.fromkeys(library.name(end) for row in rows for end in (row.subject, row.object, row.context) if end)
    others = [name for name in ends if name.lower() != words.lower()][:MOST_NEIGHBOURS]
    return tuple(say(msg(name)) for name in others)
