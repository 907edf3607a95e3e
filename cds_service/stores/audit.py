"""The audit record: append-only, and chained by hashes, so that a changed or missing entry shows.

An entry's hash covers the hash before it and a salted digest of its content, not the content: what is about a patient
can be deleted, content and salt together, and the chain still verifies. Every such deletion is an entry itself,
which names the entries that it emptied. One row holds number and hash of the last entry; whoever appends updates it
first, which puts the writers of all processes in one line.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from cds_service.errors import StoreError
from cds_service.stores.assessments import ASSESSMENTS, METADATA
from cds_service.stores.columns import Moment
from cds_service.stores.database import Database
from cds_service.stores.prepared import Prepared

AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("at", Moment(), nullable=False),
    sa.Column("kind", sa.String(30), nullable=False),
    sa.Column("subject", sa.Uuid()),
    sa.Column("digest", sa.LargeBinary(), nullable=False),
    sa.Column("hash", sa.LargeBinary(), nullable=False),
    sa.Column("salt", sa.LargeBinary()),
    sa.Column("content", sa.LargeBinary()),
    sa.Index("audit_subject", "subject"),
)
AUDIT_HEAD = sa.Table(
    "audit_head",
    METADATA,
    sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
    sa.Column("last", sa.BigInteger(), nullable=False),
    sa.Column("hash", sa.LargeBinary(), nullable=False),
)
GENESIS = bytes(32)
DELETIONS = ("forgotten", "pruned")
_PAGE = 1000
_TAKE = Prepared(
    AUDIT_HEAD.update()
    .values(last=AUDIT_HEAD.c.last + sa.bindparam("count", type_=sa.BigInteger()))
    .returning(AUDIT_HEAD.c.last, AUDIT_HEAD.c.hash)
)
_GIVE = Prepared(AUDIT_HEAD.update().values(hash=sa.bindparam("newest")))
_INSERT = Prepared(AUDIT.insert())


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened.

    kind: `assessment`, `feedback`, `wording`, `dialogue`, `sign-off`, `fall-back`, `fall-back-lifted`,
    `forgotten` or `pruned`. subject: the assessment that it is about.
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


def append(connection: sa.Connection, entries: Sequence[Entry]) -> None:
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
    """Appends one entry in a transaction of its own. Raises StoreError."""
    try:
        with database.writing() as connection:
            append(connection, [entry])
    except SQLAlchemyError as error:
        raise StoreError(f"the audit record could not be written ({type(error).__name__})") from error


def link(previous: bytes, seq: int, at: datetime, kind: str, subject: UUID | None, digest: bytes) -> bytes:
    """The hash of an entry: SHA-256 of the hash before it and of all that never changes."""
    fixed = [seq, at.astimezone(UTC).isoformat(timespec="microseconds"), kind, subject, digest.hex()]
    return hashlib.sha256(previous + orjson.dumps(fixed)).digest()


def empty(connection: sa.Connection, subjects: Sequence[UUID], why: str, at: datetime) -> None:
    """Deletes the content of all entries about some assessments, and appends an entry that says which and why."""
    chosen = sa.and_(AUDIT.c.subject.in_(subjects), AUDIT.c.salt.is_not(None))
    numbers = connection.execute(sa.select(AUDIT.c.seq).where(chosen).order_by(AUDIT.c.seq)).scalars().all()
    connection.execute(AUDIT.update().where(chosen).values(salt=None, content=None))
    append(connection, [Entry(why, at, None, {"emptied": _ranges(numbers), "assessments": len(subjects)})])


def _ranges(numbers: Iterable[int]) -> list[list[int]]:
    """Sorted numbers as `[first, last]` pairs."""
    found: list[list[int]] = []
    for number in numbers:
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return found


class AuditStore:
    """Reads the audit record, and adds what an operator did."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entry: Entry, before: Callable[[], None]) -> None:
        """Adds one entry; before: what it tells of, done in the same transaction: if it fails, nothing is added.

        Raises StoreError, and what `before` raises.
        """
        try:
            with self._database.writing() as connection:
                append(connection, [entry])
                before()
        except SQLAlchemyError as error:
            raise StoreError(f"the audit record could not be written ({type(error).__name__})") from error

    def entries(self, since: datetime | None = None) -> Iterator[Kept]:
        """All entries in order, from a moment on. Raises StoreError."""
        for row in self._rows():
            if since is None or row["at"] >= since:
                content = None if row["content"] is None else orjson.loads(row["content"])
                yield Kept(row["seq"], row["at"], row["kind"], row["subject"], row["hash"], content)

    def about(self, subject: UUID) -> tuple[Kept, ...]:
        """The entries about one assessment, in order. Raises StoreError."""
        chosen = sa.select(AUDIT).where(AUDIT.c.subject == subject).order_by(AUDIT.c.seq)
        try:
            with self._database.engine.connect() as connection:
                rows = connection.execute(chosen).mappings().all()
        except SQLAlchemyError as error:
            raise StoreError(f"the audit record could not be read ({type(error).__name__})") from error
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
            page = sa.select(AUDIT).where(AUDIT.c.seq > after).order_by(AUDIT.c.seq).limit(_PAGE)
            try:
                with self._database.engine.connect() as connection:
                    rows = [dict(row) for row in connection.execute(page).mappings()]
            except SQLAlchemyError as error:
                raise StoreError(f"the audit record could not be read ({type(error).__name__})") from error
            if not rows:
                return
            yield from rows
            after = rows[-1]["seq"]

    def _last(self) -> int:
        try:
            with self._database.engine.connect() as connection:
                found = connection.execute(sa.select(AUDIT_HEAD.c.last)).scalar()
        except SQLAlchemyError as error:
            raise StoreError(f"the audit record could not be read ({type(error).__name__})") from error
        return int(found or 0)

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
        chosen = sa.select(ASSESSMENTS.c.id, ASSESSMENTS.c.response).where(ASSESSMENTS.c.id.in_(list(responses)))
        try:
            with self._database.engine.connect() as connection:
                found = {row.id: hashlib.sha256(row.response).hexdigest() for row in connection.execute(chosen)}
        except SQLAlchemyError as error:
            raise StoreError(f"the assessments could not be read ({type(error).__name__})") from error
        faults = []
        for id_, response in responses.items():
            if id_ not in found:
                faults.append(f"assessment {id_} is gone, and no entry says that it was deleted")
            elif found[id_] != response:
                faults.append(f"the response of assessment {id_} is not the one that was given")
        return faults


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
            self.faults.append(f"entry {self._expected[0]} does not have the hash that was noted")
        for seq in sorted(self.emptied):
            if not any(first <= seq <= last for first, last in self.excused):
                self.faults.append(f"the content of entry {seq} is gone, and no entry says that it was deleted")
