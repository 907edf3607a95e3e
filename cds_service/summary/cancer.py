"""How far a cancer has spread and what its cells carry: stage, TNM and receptors, each the latest that is recorded.

Source: mCODE STU 3 (hl7.org/fhir/us/mcode), profiles of cancer staging and tumor markers, with their LOINC codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cds_service.fhir.record import Measurement, PatientRecord
from cds_service.language import Message, msg
from cds_service.summary.facts import PROBLEM, Fact
from cds_service.summary.rows import name_of

_Group = tuple[tuple[str, ...], Message]
_STAGES: tuple[_Group, ...] = ((("21908-9",), msg("Stage, clinical")), (("21902-2",), msg("Stage, pathological")))
_TNM = (
    ((("21905-5",), ("21906-3",), ("21907-1",)), msg("TNM, clinical")),
    ((("21899-0",), ("21900-6",), ("21901-4",)), msg("TNM, pathological")),
)
_RECEPTORS: tuple[_Group, ...] = (
    (("16112-5", "85337-4", "40556-3"), msg("Oestrogen receptor")),
    (("16113-3", "85339-0", "40557-1"), msg("Progesterone receptor")),
    (("48676-1", "85319-2", "85318-4", "18474-7", "31150-6"), msg("HER2")),
)
CODES = tuple(
    code
    for groups in ((one for one, _ in (*_STAGES, *_RECEPTORS)), (part for parts, _ in _TNM for part in parts))
    for group in groups
    for code in group
)
_CATEGORY = re.compile(r"(?i)(?<!\s)\s*\b(category|stage group)\b\s*")


def cancer(record: PatientRecord) -> tuple[Fact, ...]:
    """Stage, TNM and receptors as facts of the kind `problem`; empty where none is recorded."""
    if not record.has_any(CODES):
        return ()
    found: list[Fact] = []
    for group, label in _STAGES:
        found += _told(label, [_latest(record, group)])
    for groups, label in _TNM:
        found += _told(label, [_latest(record, group) for group in groups])
    for group, label in _RECEPTORS:
        found += _told(label, [_latest(record, group)])
    return tuple(found)


def _latest(record: PatientRecord, group: Sequence[str]) -> list[Measurement]:
    """The results of the latest day; several where one day has several."""
    known = [one for one in record.observations(tuple(group)) if one.concept is not None]
    if not known:
        return []
    last = max((one.effective for one in known if one.effective is not None), default=None)
    return [one for one in known if one.effective == last]


def _told(label: Message, parts: Sequence[Sequence[Measurement]]) -> Iterator[Fact]:
    rows = [one for part in parts for one in part]
    if not rows:
        return
    said = [" / ".join(dict.fromkeys(_value(one) for one in part)) for part in parts if part]
    text = msg("{name}: {value}", name=label, value=", ".join(said))
    at = max((one.effective for one in rows if one.effective is not None), default=None)
    if at is not None:
        text = msg("{result}, {date}", result=text, date=at.date())
    references = tuple(dict.fromkeys(one.reference for one in rows))
    yield Fact(PROBLEM, text, references, at, key=f"cancer/{label.text}")


def _value(one: Measurement) -> str:
    return _CATEGORY.sub("", name_of(one.concept) or "?").strip()
