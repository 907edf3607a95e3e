"""A row of the knowledge graph as a page of the review: what it says, how it was reached, and what stands beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from cds_service.findings import EvidenceFinding, Finding
from cds_service.knowledge.library import Library
from cds_service.language import Message, Words
from cds_service.web.knowledge import told

MOST_NEAR = 12


@dataclass(frozen=True, slots=True)
class EvidencePage:
    """rows: of that id. near: other rows between the same ends, or about the first. path: of the finding it is in."""

    rows: tuple[dict[str, Any], ...]
    near: tuple[dict[str, Any], ...]
    path: tuple[tuple[Message, str], ...]


def page(library: Library | None, findings: Iterable[Finding], row_id: str, say: Words) -> EvidencePage | None:
    """The page of a row in a language, or None if the graph has none of that id."""
    rows = library.graph.row(row_id) if library is not None else ()
    if library is None or not rows:
        return None
    first = rows[0]
    beside = (
        *library.graph.evidence([first.subject], first.relation, [first.object]),
        *library.graph.evidence([first.subject], first.relation, None, [first.context] if first.context else None),
    )
    near = {row.id: row for row in beside if row.id != first.id}
    path = next((f.path for f in findings if isinstance(f, EvidenceFinding) and _rests_on(f, row_id)), ())
    shown = tuple(told(library, row, say) for row in rows)
    return EvidencePage(shown, tuple(told(library, row, say) for row in list(near.values())[:MOST_NEAR]), path)


def _rests_on(finding: EvidenceFinding, row_id: str) -> bool:
    return any(reference == row_id for _, reference in finding.path)
