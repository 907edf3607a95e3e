"""The audit record: append-only, and chained by hashes, so that a changed or missing entry shows.

An entry's hash covers the hash before it and a salted digest of its content, not the content: what is about a patient
can be deleted, content and salt together, and the chain still verifies. Every such deletion is an entry itself,
which names the entries that it emptied. One row holds number and hash of the last entry; whoever appends updates it
first, which puts the writers of all processes in one line.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson

from cds_service.errors import StoreError
from cds_service.stores.assessments import responses_of
from cds_service.stores.database import Database
from cds_service.stores.statements import Statement, insert_into, moment, select, uuid

if TYPE_CHECKING:
    from cds_service.stores.statements import Connection

GENESIS = bytes(32)
DELETIONS = ("forgotten", "pruned")
_PAGE = 1000
_ROW = "seq, at, kind, subject, digest, hash, salt, content"
_TAKE = Statement("UPDATE audit_head SET last = last + :count RETURNING last, hash")
_GIVE = Statement("UPDATE audit_head SET hash = :newest")
_INSERT = insert_into("audit", _ROW)
_AFTER = select("audit", _ROW, f"WHERE seq > :after ORDER BY seq LIMIT {_PAGE}")
_ABOUT = select("audit", _ROW, "WHERE subject = :subject ORDER BY seq")
_LAST = Statement("SELECT last FROM audit_head")
_KEPT = Statement("SELECT 1 FROM assessments WHERE id = :id")


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened.

    kind: `assessment`, `feedback`, `wording`, `dialogue`, `chart`, `sign-off`, `fall-back`,
    `fall-back-lifted`, `forgotten` or `pruned`. subject: the assessment that it is about.
    content: plain JSON values; may be deleted later.
    """

    kind: str
    at: datetime
    subject: UUID | None
    content: Mapping[str, Any] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Kept:
    """An entry as it is kept; content is None where it was deleted."""

    seq: int
    at: datetime
    kind: str
    subject: UUID | None
    hash: bytes
    content: Mapping[str, Any] | None = field(hash=False)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What looking through the whole chain found. faults: a sentence each; none means that the chain holds."""

    entries: int
    emptied: int
    head: str
    faults: tuple[str, ...] = ()


class _Gone(Exception):
    """An assessment that is not kept any more."""


def append(connection: Connection, entries: Sequence[Entry]) -> None:
    """Appends entries in a transaction that the caller commits; make it the transaction's last step."""
    last, previous = _TAKE.run(connection, {"count": len(entries)}).fetchone()
    for seq, entry in enumerate(entries, last - len(entries) + 1):
        salt, content = secrets.token_bytes(16), orjson.dumps(entry.content)
        digest = hashlib.sha256(salt + content).digest()
        previous = link(previous, seq, entry.at, entry.kind, entry.subject, digest)
        row: dict[str, object] = {"seq": seq, "at": entry.at, "kind": entry.kind, "subject": entry.subject}
        row |= {"digest": digest, "hash": previous, "salt": salt, "content": content}
        _INSERT.run(connection, row)
    _GIVE.run(connection, {"newest": previous})


def note(database: Database, entry: Entry) -> None:
    """Appends one entry in a transaction of its own.

    Raises StoreError, also where its assessment is not kept any more: no later deletion would find the entry.
    """
    try:
        with database.writing("the audit record could not be written") as connection:
            append(connection, [entry])
            if entry.subject is not None and _KEPT.run(connection, {"id": entry.subject}).fetchone() is None:
                raise _Gone  # which takes back what was appended
    except _Gone:
        raise StoreError("the assessment was deleted meanwhile") from None


def link(previous: bytes, seq: int, at: datetime, kind: str, subject: UUID | None, digest: bytes) -> bytes:
    """The hash of an entry: SHA-256 of the hash before it and of all that never changes."""
    fixed = [seq, at.astimezone(UTC).isoformat(timespec="microseconds"), kind, subject, digest.hex()]
    return hashlib.sha256(previous + orjson.dumps(fixed)).digest()


class AuditStore:
    """Reads the audit record, and adds what an operator did."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entry: Entry, before: Callable[[], None]) -> None:
        """Adds one entry; before: what it tells of, done in the same transaction: if it fails, nothing is added.

        Raises StoreError, and what `before` raises.
        """
        with self._database.writing("the audit record could not be written") as connection:
            append(connection, [entry])
            before()

    def entries(self, since: datetime | None = None, after: int = 0) -> Iterator[Kept]:
        """All entries in order, from a moment on, and after a number. Raises StoreError."""
        for row in self._rows(after):
            if since is None or row["at"] >= since:
                content = None if row["content"] is None else orjson.loads(row["content"])
                yield Kept(row["seq"], row["at"], row["kind"], row["subject"], row["hash"], content)

    def about(self, subject: UUID) -> tuple[Kept, ...]:
        """The entries about one assessment, in order. Raises StoreError."""
        with self._database.reading("the audit record could not be read") as connection:
            rows = [_read(row) for row in _ABOUT.run(connection, {"subject": subject}).fetchall()]
        return tuple(
            Kept(r["seq"], r["at"], r["kind"], r["subject"], r["hash"], orjson.loads(r["content"] or b"null"))
            for r in rows
        )

    def deletion_of(self, seq: int) -> Kept | None:
        """The entry that says that another's content was deleted, or None. Raises StoreError."""
        for row in self._rows(seq):
            if row["kind"] in DELETIONS and row["content"] is not None:
                content = orjson.loads(row["content"])
                if any(first <= seq <= last for first, last in content["emptied"]):
                    return Kept(row["seq"], row["at"], row["kind"], row["subject"], row["hash"], content)
        return None

    def _rows(self, after: int = 0) -> Iterator[Mapping[str, Any]]:
        """All rows in order, a page at a time, so that no transaction stays open while they are worked on."""
        while True:
            with self._database.reading("the audit record could not be read") as connection:
                rows = [_read(row) for row in _AFTER.run(connection, {"after": after}).fetchall()]
            if not rows:
                return
            yield from rows
            after = rows[-1]["seq"]

    def _last(self) -> int:
        with self._database.reading("the audit record could not be read") as connection:
            found = _LAST.run(connection, {}).fetchone()
        return int(found[0]) if found else 0

    def verify(self, expected: tuple[int, str] | None = None) -> Verdict:
        """Looks through the whole chain.

        expected: number and hash of an entry that someone noted earlier: tells a chain that was made anew.
        Raises StoreError where it cannot be read.
        """
        last = self._last()  # before the entries: those that are appended meanwhile may follow it
        walk = _Walk(expected)
        for row in self._rows():
            walk.step(row)
            if len(walk.responses) == _PAGE:
                walk.faults += self._against_assessments(walk.responses)
                walk.responses.clear()
        walk.faults += self._against_assessments(walk.responses)
        walk.finish(last)
        return Verdict(walk.seq, len(walk.emptied), walk.previous.hex(), tuple(walk.faults))

    def _against_assessments(self, responses: Mapping[UUID, str]) -> list[str]:
        """Assessments whose response is not the one that the audit record knows, or that are gone without an entry."""
        found = responses_of(self._database, list(responses))
        faults = []
        for id_, response in responses.items():
            if id_ not in found:
                if any(entry.kind == "assessment" and entry.content is not None for entry in self.about(id_)):
                    faults.append(f"assessment {id_} is gone, and no entry says that it was deleted")
            elif found[id_] != response:
                faults.append(f"the response of assessment {id_} is not the one that was given")
        return faults


def _read(row: Sequence[Any]) -> dict[str, Any]:
    """A row by the names of its columns."""
    found = dict(zip(_ROW.split(", "), row, strict=True))
    subject = found["subject"]
    return found | {"at": moment(found["at"]), "subject": None if subject is None else uuid(subject)}


class _Walk:
    """One pass over the chain."""

    def __init__(self, expected: tuple[int, str] | None) -> None:
        self.seq = 0
        self.previous = GENESIS
        self.faults: list[str] = []
        self._expected = expected
        self._met = expected is None
        self.emptied: set[int] = set()
        self.excused: list[tuple[int, int]] = []
        self.responses: dict[UUID, str] = {}

    def step(self, row: Mapping[str, Any]) -> None:
        seq = row["seq"]
        if seq != self.seq + 1:
            self.faults.append(f"entry {self.seq + 1} is missing: entry {seq} follows entry {self.seq}")
        expected = link(self.previous, seq, row["at"], row["kind"], row["subject"], row["digest"])
        if row["hash"] != expected:
            self.faults.append(f"entry {seq} does not continue the chain: it, or what came before, was changed")
        self.seq, self.previous = seq, row["hash"]
        if (seq, row["hash"].hex()) == self._expected:
            self._met = True
        self._content(row)

    def _content(self, row: Mapping[str, Any]) -> None:
        if row["content"] is None or row["salt"] is None:
            self.emptied.add(row["seq"])
            return
        if hashlib.sha256(row["salt"] + row["content"]).digest() != row["digest"]:
            self.faults.append(f"the content of entry {row['seq']} was changed")
            return
        content = orjson.loads(row["content"])
        self.excused += [(first, last) for first, last in content.get("emptied", ())]
        if row["kind"] == "assessment" and "response" in content:
            self.responses[row["subject"]] = content["response"]

    def finish(self, last: int) -> None:
        if self.seq < last:
            self.faults.append(f"the last entry should be {last}, and is {self.seq}: entries were cut off")
        if self._expected is not None and not self._met:
            noted = self._expected[0]
            if noted > self.seq:
                ends = f"the record ends with {self.seq}, as that of an older copy does"
                self.faults.append(f"entry {noted} was noted and is missing: {ends}")
            else:
                self.faults.append(f"entry {noted} does not have the hash that was noted")
        for seq in sorted(self.emptied):
            if not any(first <= seq <= last for first, last in self.excused):
                self.faults.append(f"the content of entry {seq} is gone, and no entry says that it was deleted")
