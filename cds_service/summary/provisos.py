"""What a document says of a thing that a sentence may not leave out: that it was not so, only tried, once so, or less.

Each row of the table is such a proviso, by the words for it in a document and those by which a sentence keeps it. The
clause of the document that shares most with one of the sentence decides.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cds_service.summary.keys import Clause, nearest


@dataclass(frozen=True, slots=True)
class _Proviso:
    """wrong: what is wrong about a sentence that leaves it out."""

    wrong: str
    written: re.Pattern[str]
    kept: re.Pattern[str]


_DENIED = re.compile(r"(?i)\b(?:no|not|none|never|without|denie[sd]|negative|cannot)\b|n't\b|[无未没不否非]|阴性")


def _proviso(wrong: str, written: str, kept: str) -> _Proviso:
    return _Proviso(wrong, re.compile(written, re.IGNORECASE), re.compile(kept, re.IGNORECASE))


PROVISOS = (
    _proviso(
        "the document says that it is not so",
        r"\b(?:is|are|was|were|be|been|has|have|had|can|could|do|does|did|will|would|should|may|need)"
        r"(?:\s[a-z]+)? not\b"
        r"|\bcannot\b|n't\b|\bnever\b|\b(?:unable|failed) to\b"
        r"|[\u3400-\u9fff]{2}(?:未|没有?|不(?!明显|除外|排除))[\u3400-\u9fff]",
        r"\b(?:not?|none|never|nor|neither|without|cannot|unable|failed|declin\w+|refus\w+|lack\w*|absen\w+|free of"
        r"|contra-?indicated|negative|in(?:effective|adequate|sufficient|complete|toleran\w+)|impossible|non"
        r"|un(?:remarkable|changed|complicated|likely|successful|detect\w+|affected|impaired|injured|eventful)"
        r"|denie[sd]|no longer)\b|n't\b|[无未没不否非]|拒绝|阴性",
    ),
    _proviso(
        "the document says that it was only tried",
        r"\b(?:attempt|tri(?:ed|al of)|try)\w*\b|尝试|试行",
        r"\b(?:attempt|tri|try|fail|abandon|abort|stop|could not|not)\w*|尝试|试行|未|失败|中止",
    ),
    _proviso(
        "the document tells of it as past",
        r"\bused to\b|\bformerly\b|\bno longer\b|不再",
        r"\b(?:used to|former\w*|previous\w*|past|ex|was|were|had|stopped|quit|gave up|abstinent|no longer|not|until)\b"
        r"|曾|既往|不再|已[戒停]|以前",
    ),
    _proviso(
        "the document gives a limit",
        r"\b(?:less|fewer|more|greater|higher|lower) than (?=\d)|\b(?:at least|at most|up to) (?=\d)"
        r"|[<>≤≥]|至[少多](?=\d)|不足|超过",
        r"\b(?:less|fewer|more|greater|higher|lower|least|most|up to|above|below|over|under)\b"
        r"|[<>≤≥]|至[少多]|不足|超过",
    ),
    _proviso(
        "the document says that it nearly was so",
        r"\b(?:nearly|almost)\b|几乎|险些",
        r"\b(?:nearly|almost|close to|about)\b|几乎|险些",
    ),
)


def proviso_reasons(said: Sequence[Clause], written: Sequence[Clause]) -> list[str]:
    """What the clauses of a sentence leave out of those of the documents that it rests on."""
    reasons = [row.wrong for one in said for row in PROVISOS if one.keys and _left_out(row, one, written)]
    return reasons + ["the document says the opposite of that person" for one in said if _of_person(one, written)]


def borrowed_reasons(said: Sequence[Clause], written: Sequence[Clause]) -> list[str]:
    """What is wrong about `stone out under local anaesthesia` where that is said of a catheter beside it."""
    return ["the document says that of something else" for one in said if one.keys and _borrowed(one, written)]


def _borrowed(said: Clause, written: Sequence[Clause]) -> bool:
    near = nearest(said.keys, written)
    best = {id(one) for one in near}
    others = [one for one in written if id(one) not in best]
    first = {one.first for one in others} & {said.first} and not any(said.first in one.keys for one in near)
    if first and all(one.first and one.first not in said.keys for one in near):
        return True
    pairs = {pair for one in others for pair in one.pairs} & said.pairs
    return any(all(_otherwise(pair, one) for one in near) for pair in pairs)


def _otherwise(pair: tuple[str, str], best: Clause) -> bool:
    """True if a clause has the second of two words behind another one."""
    return pair not in best.pairs and any(head == pair[1] for _, head in best.pairs)


def _of_person(said: Clause, written: Sequence[Clause]) -> bool:
    """True for `her husband does not smoke` where he does, and for `her son is forgetful` where she is."""
    names = said.persons | {k for k in said.keys if k.startswith("=")}
    alike = nearest(said.keys - names, written)
    if said.persons and alike and not any(one.around & said.persons for one in alike):
        return True
    near = nearest(said.keys, [one for one in written if one.persons & said.persons])
    return bool(near) and all(bool(_DENIED.search(one.text)) is not bool(_DENIED.search(said.text)) for one in near)


def _left_out(row: _Proviso, said: Clause, written: Sequence[Clause]) -> bool:
    near = nearest(said.keys, written)
    there = bool(near) and all(row.written.search(one.text) for one in near)
    return there and not row.kept.search(said.opened)
