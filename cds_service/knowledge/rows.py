"""What a source contributes to the graph, before it is in the database."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cds_service.knowledge import schema
from cds_service.knowledge.graph import Source

_SLUG = re.compile(r"[^a-z0-9]+")


def slug(text: str) -> str:
    """A name as part of a node's id: lower case, words joined by hyphens."""
    return _SLUG.sub("-", text.lower()).strip("-")


@dataclass(slots=True)
class Report:
    """What became of the rows of a source.

    skipped: line number and what is wrong with it. unresolved: names that no table knows, and how often.
    """

    rows: int = 0
    skipped: list[tuple[int, str]] = field(default_factory=list)
    unresolved: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Edge:
    """One row about two nodes; see `graph.Evidence`."""

    row: str
    subject: str
    relation: str
    object: str
    context: str = ""
    severity: str = ""
    level: str = ""
    direction: str = "supports"
    statement: str = ""
    properties: Mapping[str, Any] = field(default_factory=dict, hash=False)
    citation: str = ""
    url: str = ""
    year: str = ""
    checked: str = ""


class Writer:
    """Writes the rows of one source into a database that is being built."""

    def __init__(self, connection: sqlite3.Connection, source: str) -> None:
        self._connection = connection
        self._source = source

    def node(self, kind: str, name: str, id_: str | None = None) -> str:
        """The id of a node, which is made if it is new; its name is then known too."""
        assert kind in schema.KINDS
        key = id_ or f"{kind}:{slug(name)}"
        self._connection.execute("INSERT OR IGNORE INTO node VALUES (?, ?, ?, ?)", (key, kind, name, self._source))
        self.name(name, key)
        return key

    def name(self, text: str, node: str) -> None:
        """A further name of a node."""
        values = (text.lower(), node, node.partition(":")[0], self._source)
        self._connection.execute("INSERT OR IGNORE INTO name VALUES (?, ?, ?, ?)", values)

    def code(self, system: str, code: str, node: str) -> None:
        """A code of a node in a code system."""
        self._connection.execute("INSERT OR IGNORE INTO code VALUES (?, ?, ?, ?)", (system, code, node, self._source))

    def codes(self, rows: Iterable[tuple[str, str, str]]) -> None:
        """Many codes: (system, code, node)."""
        self._connection.executemany(
            "INSERT OR IGNORE INTO code VALUES (?, ?, ?, ?)", ((*r, self._source) for r in rows)
        )

    def member(self, child: str, parent: str) -> None:
        """A member of a class, or a disease below another."""
        self._connection.execute("INSERT OR IGNORE INTO member VALUES (?, ?, ?)", (child, parent, self._source))

    def edge(self, edge: Edge) -> bool:
        """False if the same row was there already."""
        assert edge.relation in schema.RELATIONS
        assert edge.severity in ("", *schema.SEVERITIES)
        properties = json.dumps(edge.properties, ensure_ascii=False, sort_keys=True)
        cursor = self._connection.execute(
            "INSERT OR IGNORE INTO edge (source, row, subject, relation, object, context, severity, level, direction, "
            "statement, properties, citation, url, year, checked) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                self._source, edge.row, edge.subject, edge.relation, edge.object, edge.context, edge.severity,
                edge.level, edge.direction, edge.statement, properties,
                edge.citation, edge.url, edge.year, edge.checked,
            ),
        )  # fmt: skip
        return cursor.rowcount > 0

    def finish(self, about: Source) -> None:
        """Notes where the rows come from."""
        values = (
            about.id, about.title, about.released, about.licence, about.url, about.rows, about.skipped,
            about.unresolved, about.digest,
        )  # fmt: skip
        self._connection.execute("INSERT OR REPLACE INTO source VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
