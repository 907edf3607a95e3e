"""Reads the knowledge graph: nodes, evidence between them, sources, names, paths and full text; never writes.

A graph is opened by each process for itself, after the fork, from a file (immutable) or from bytes in memory; one
connection a process, taken in turn by its threads.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import RLock
from typing import Any

from cds_service.errors import KnowledgeError

_MOST_PARAMETERS = 900
_REMEMBERED = 50_000  # nodes
_ANSWERED, _SHORT = 1_000, 20  # questions whose answers are remembered, if of so few rows: two megabytes in all


@dataclass(frozen=True, slots=True)
class Node:
    """A thing that evidence speaks of. id: `kind:name`, such as `drug:warfarin`; kind: one of `schema.KINDS`."""

    id: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Source:
    """Where rows come from. released: a date or month of the release, ISO; digest: of the file's content."""

    id: str
    title: str
    released: str
    licence: str
    url: str
    rows: int
    skipped: int
    unresolved: int
    digest: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One row of one source about two nodes.

    id: `source/row`. context: a third node that it holds for (a disease, a phenotype), or empty. severity: one of
    `schema.SEVERITIES`, or empty. level: the source's own grade of evidence. direction: `supports` or
    `does-not-support`. statement: mechanism, or what the source says. properties: what only some relations have, such
    as `management`, `alternative`, `comparison`, `value`. checked: against what the row was compared, or empty.
    """

    source: str
    row: str
    subject: str
    relation: str
    object: str
    context: str
    severity: str
    level: str
    direction: str
    statement: str
    properties: Mapping[str, Any] = field(hash=False)
    citation: str
    url: str
    year: str
    checked: str

    @property
    def id(self) -> str:
        """The row's own name, the same in every build."""
        return f"{self.source}/{self.row}"

    @property
    def management(self) -> str:
        """What to do about it, or empty."""
        return str(self.properties.get("management", ""))

    @property
    def alternatives(self) -> tuple[str, ...]:
        """Nodes that may be taken instead: drugs and classes."""
        return tuple(self.properties.get("alternative", ()))


class Graph:
    """The graph in one SQLite database; the same object may be shared by threads and inherited by forked processes."""

    def __init__(self, origin: Path | bytes) -> None:
        self._origin = origin
        self._lock = RLock()
        self._pid = 0
        self._connection: sqlite3.Connection | None = None
        self._nodes: dict[str, Node | None] = {}
        self._answers: dict[tuple[str, tuple[str, ...]], tuple[Evidence, ...]] = {}

    def close(self) -> None:
        """Nothing; the next question opens it again. To be called before a fork."""
        with self._lock:
            if self._connection is not None and self._pid == os.getpid():
                self._connection.close()
            self._connection = None

    @cached_property
    def digest(self) -> str:
        """What the graph holds, in 16 digits: of the schema and of every source's content."""
        (value,) = self._rows("SELECT value FROM meta WHERE key = 'digest'")[0]
        return str(value)

    @cached_property
    def sources(self) -> tuple[Source, ...]:
        """All sources, in order of their ids."""
        return tuple(Source(*row) for row in self._rows("SELECT * FROM source ORDER BY id"))

    @cached_property
    def by_source(self) -> Mapping[str, Source]:
        """Source id -> source."""
        return {source.id: source for source in self.sources}

    def node(self, id_: str) -> Node | None:
        """A node by its id, or None."""
        if id_ not in self._nodes and len(self._nodes) < _REMEMBERED:
            rows = self._rows("SELECT id, kind, name FROM node WHERE id = ? ORDER BY source LIMIT 1", (id_,))
            self._nodes[id_] = Node(*rows[0]) if rows else None
        return self._nodes.get(id_)

    def named(self, text: str, kind: str | None = None) -> tuple[Node, ...]:
        """The nodes of exactly that name, brand, synonym or code; letters' case does not count."""
        wanted = text.strip().lower()
        rows = self._rows(
            "SELECT DISTINCT n.id, n.kind, n.name FROM node n JOIN ("
            "SELECT node FROM name WHERE text = ? UNION SELECT node FROM code WHERE code = ? COLLATE NOCASE"
            ") f ON f.node = n.id ORDER BY n.id",
            (wanted, text.strip().upper().replace(".", "")),
        )
        return tuple(Node(*row) for row in rows if kind is None or row[1] == kind)

    def coded(self, system: str, code: str) -> tuple[str, ...]:
        """The nodes of a code in a code system."""
        rows = self._rows("SELECT DISTINCT node FROM code WHERE system = ? AND code = ? ORDER BY node", (system, code))
        return tuple(row[0] for row in rows)

    def like(self, text: str, limit: int = 5) -> tuple[str, ...]:
        """Names that begin like a text, to ask what was meant."""
        start = text.strip().lower()[:4]
        rows = self._rows(
            "SELECT DISTINCT text FROM name WHERE text >= ? AND text < ? ORDER BY text LIMIT ?",
            (start, start + "\U0010ffff", limit),
        )
        return tuple(row[0] for row in rows)

    def names(self, kind: str) -> tuple[tuple[str, str], ...]:
        """(name in lower case, node id) of all names of the nodes of a kind."""
        return tuple(self._rows("SELECT text, node FROM name WHERE kind = ? ORDER BY text, node", (kind,)))

    def codes(self, system: str, source: str = "") -> tuple[tuple[str, str], ...]:
        """(code, node id) of a code system, as one source gives them, or all."""
        wanted = "SELECT DISTINCT code, node FROM code WHERE system = ?1 AND ?2 IN ('', source) ORDER BY code, node"
        return tuple(self._rows(wanted, (system, source)))

    def members(self) -> tuple[tuple[str, str], ...]:
        """(child, parent) of all classes and diseases."""
        return tuple(self._rows("SELECT DISTINCT child, parent FROM member ORDER BY child, parent"))

    def parents(self, id_: str) -> tuple[str, ...]:
        """The node, then the classes or diseases above it, nearest first."""
        rows = self._rows(
            "WITH RECURSIVE up(id, depth) AS (SELECT ?, 0 UNION SELECT m.parent, depth + 1 FROM up "
            "JOIN member m ON m.child = up.id WHERE depth < 8) "
            "SELECT id, MIN(depth) d FROM up GROUP BY id ORDER BY d, id",
            (id_,),
        )
        return tuple(row[0] for row in rows)

    def children(self, id_: str) -> tuple[str, ...]:
        """The members of a class, or the diseases right below one."""
        rows = self._rows("SELECT DISTINCT child FROM member WHERE parent = ? ORDER BY child", (id_,))
        return tuple(row[0] for row in rows)

    def evidence(
        self,
        subjects: Collection[str] | None = None,
        relation: str | None = None,
        objects: Collection[str] | None = None,
        contexts: Collection[str] | None = None,
    ) -> tuple[Evidence, ...]:
        """The rows whose ends are among the given nodes, in a stable order; None for any."""
        tests: list[str] = []
        values: list[str] = []
        for column, wanted in (("subject", subjects), ("object", objects), ("context", contexts)):
            if wanted is not None:
                tests.append(f"{column} IN ({','.join('?' * len(wanted))})")
                values += wanted
        if relation is not None:
            tests.append("relation = ?")
            values.append(relation)
        if not tests:
            raise KnowledgeError("knowledge: name a subject, an object, a context or a relation")
        return self._evidence(" AND ".join(tests), values)

    def about(self, ids: Collection[str]) -> tuple[Evidence, ...]:
        """Every row that speaks of one of the nodes, at whichever end."""
        marks = ",".join("?" * len(ids))
        return self._evidence(f"subject IN ({marks}) OR object IN ({marks}) OR context IN ({marks})", [*ids] * 3)

    def row(self, id_: str) -> tuple[Evidence, ...]:
        """The row of that id (`source/row`): several where it names several drugs; empty if there is none."""
        source, _, row = id_.partition("/")
        return self._evidence("source = ? AND row = ?", [source, row])

    def search(self, text: str, limit: int = 20) -> tuple[Evidence, ...]:
        """Rows in whose words all words of a text occur, best first."""
        told = "".join(letter for letter in text.replace('"', "") if letter.isprintable() or letter.isspace())
        words = " ".join(f'"{word}"' for word in told.split())
        if not words:
            return ()
        found = self._rows("SELECT rowid FROM edge_text WHERE edge_text MATCH ? ORDER BY rank LIMIT ?", (words, limit))
        ids = [row[0] for row in found]
        by_id = dict(self._numbered(ids))
        return tuple(by_id[id_] for id_ in ids if id_ in by_id)

    def paths(self, start: str, end: str, longest: int = 3) -> tuple[tuple[str, ...], ...]:
        """The shortest chains of nodes from one to another over memberships and evidence, at most `longest` steps."""
        reached: dict[str, list[tuple[str, ...]]] = {start: [(start,)]}
        for _ in range(longest):
            following: dict[str, list[tuple[str, ...]]] = {}
            for here, chains in reached.items():
                for there in self._neighbours(here):
                    following.setdefault(there, []).extend((*c, there) for c in chains[:3] if there not in c)
            if end in following:
                return tuple(sorted(following[end])[:5])
            reached = dict(list(following.items())[:400])
        return ()

    def _neighbours(self, id_: str) -> Iterable[str]:
        rows = self._rows(
            "SELECT object FROM edge WHERE subject = ?1 UNION SELECT subject FROM edge WHERE object = ?1 "
            "UNION SELECT parent FROM member WHERE child = ?1 UNION SELECT child FROM member WHERE parent = ?1",
            (id_,),
        )
        return [row[0] for row in rows]

    def _evidence(self, where: str, values: Sequence[str]) -> tuple[Evidence, ...]:
        """The rows of a condition; the same answer for the same question, for nothing changes a graph."""
        if len(values) > _MOST_PARAMETERS:
            raise KnowledgeError(f"knowledge: at most {_MOST_PARAMETERS} nodes can be asked for at once")
        known = self._answers.get(asked := (where, tuple(values)))
        if known is None:
            statement = f"SELECT {_COLUMNS} FROM edge WHERE {where} ORDER BY source, row, subject, object"  # noqa: S608
            known = tuple(map(_read, self._rows(statement, values)))
            if len(self._answers) >= _ANSWERED:
                self._answers.clear()
            if len(known) <= _SHORT:
                self._answers[asked] = known
        return known

    def _numbered(self, ids: Sequence[int]) -> list[tuple[int, Evidence]]:
        marks = ",".join("?" * len(ids))
        rows = self._rows(f"SELECT id, {_COLUMNS} FROM edge WHERE id IN ({marks})", ids)  # noqa: S608
        return [(row[0], _read(row[1:])) for row in rows]

    def _rows(self, statement: str, values: Sequence[Any] = ()) -> list[Any]:
        with self._lock:
            try:
                return self._open().execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise KnowledgeError(f"knowledge: the database cannot be read ({error}); build it again") from error

    def _open(self) -> sqlite3.Connection:
        if self._connection is None or self._pid != os.getpid():
            self._connection, self._pid = _connect(self._origin), os.getpid()
        return self._connection


COLUMNS = (
    "source", "row", "subject", "relation", "object", "context", "severity", "level", "direction", "statement",
    "properties", "citation", "url", "year", "checked",
)  # fmt: skip
_COLUMNS = ", ".join(COLUMNS)


def _read(row: Sequence[Any]) -> Evidence:
    found = dict(zip(COLUMNS, row, strict=True))
    found["properties"] = json.loads(found["properties"]) if found["properties"] != "{}" else {}
    return Evidence(**found)


def _connect(origin: Path | bytes) -> sqlite3.Connection:
    if isinstance(origin, bytes):
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        connection.deserialize(origin)
        connection.execute("PRAGMA query_only = 1")
        return connection
    if not origin.is_file():
        raise KnowledgeError(f"knowledge: there is no database {origin}; build it: curbside knowledge build")
    return sqlite3.connect(f"{origin.resolve().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)


def state(origin: Path) -> Mapping[str, str]:
    """What the database in a file says of itself: `schema`, `base`, `digest`; empty if it is no such database."""
    try:
        connection = sqlite3.connect(f"{origin.resolve().as_uri()}?mode=ro", uri=True)
        try:
            return dict(connection.execute("SELECT key, value FROM meta").fetchall())
        finally:
            connection.close()
    except sqlite3.Error:
        return {}
