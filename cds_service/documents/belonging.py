"""Whether a document is about this patient, by what it says of itself: name, day of birth, record number.

Silence is no sign: most notes name nobody, and then the EHR's word on whose they are stands.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from cds_service.fhir.identity import Kind, known
from cds_service.fhir.record import PatientRecord
from cds_service.language import Message, msg

_HEAD = 4000  # characters in which a document says whom it is about
_NAME = re.compile(
    r"(?im)(?:^|[\n;|,])\s*(?:patient(?:'s)?(?: name)?|name of patient|pt(?: name)?)\s*[:：]\s*"
    r"((?-i:[A-Z][\w.'’-]+(?:[ ,]+[A-Z][\w.'’-]*){1,4}))"
    r"|(?:^|[\s,;])(?:患者姓名|病人姓名|姓名)\s*[:：]\s*([\u4e00-\u9fff]{2,4})(?![\u4e00-\u9fff])"
)
_BORN = re.compile(
    r"(?i)\b(?:d\.?o\.?b\.?|date of birth|birth ?date|born(?: on)?)\s*[:：]?\s*(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})"
    r"|(?:出生日期|出生年月日|生日)\s*[:：]?\s*(\d{4}\s*[-/.年]\s*\d{1,2}\s*[-/.月]\s*\d{1,2})"
)
_NUMBER = re.compile(
    r"(?i)\b(?:mrn|medical record (?:number|no\.?)|patient id|hospital (?:number|no\.?))\s*[:：#]?\s*"
    r"([A-Z0-9][A-Z0-9-]{3,19})"
    r"|(?:住院号|病案号|病历号|门诊号)\s*[:：]?\s*([A-Z0-9-]{4,20})"
)
_TITLES = frozenset(("mr", "mrs", "ms", "dr", "miss", "dob", "mrn", "sex", "age", "date", "gender", "male", "female"))
_OTHER_NAME = msg("it names another patient, and was left out")
_OTHER_BIRTH = msg("it gives another date of birth than this patient's, and was left out")
_OTHER_NUMBER = msg("it gives another record number than this patient's, and was left out")


@dataclass(frozen=True, slots=True)
class Person:
    """What the record knows of who the patient is. names: parts of names, folded. numbers: identifiers, folded."""

    names: frozenset[str]
    born: date | None
    numbers: frozenset[str]


def person_of(record: PatientRecord) -> Person:
    """The patient of a record."""
    own = [one for one in known(record) if one.kind in (Kind.NAME, Kind.ID)]
    patient = record.patient
    names: set[str] = set()
    for name in patient.name if patient is not None else ():
        for text in (name.text, name.family, *name.given):
            names |= _parts(text or "")
    numbers = frozenset(_bare(one.value) for one in own if one.kind is Kind.ID)
    return Person(frozenset(names), record.birth_date, numbers)


def another(
    text: str, person: Person, names: Sequence[str] = (), births: Sequence[str] = (), numbers: Sequence[str] = ()
) -> Message | None:
    """Why a document is not this patient's; None where nothing says so.

    names, births, numbers: what its own header states, as a C-CDA's does.
    """
    head = text[:_HEAD]
    said_names = [*names, *(m[1] or m[2] for m in _NAME.finditer(head))]
    said_births = [*births, *(m[1] or m[2] for m in _BORN.finditer(head))]
    said_numbers = [*numbers, *(m[1] or m[2] for m in _NUMBER.finditer(head))]
    stated = [parts for name in said_names if (parts := _parts(name))]
    agrees = bool(person.names) and any(_shares(parts, person.names) for parts in stated)
    if person.names and stated and not agrees:
        return _OTHER_NAME
    days = [found for birth in said_births if (found := _days(birth))]
    if person.born is not None and days and not any(person.born in found for found in days):
        return _OTHER_BIRTH
    told = {_bare(number) for number in said_numbers if number and any(c.isdigit() for c in number)}
    if person.numbers and told and not told & person.numbers and not agrees:
        return _OTHER_NUMBER
    return None


def _parts(name: str) -> set[str]:
    folded = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(c for c in folded if not unicodedata.combining(c))
    return {p for p in re.findall(r"[^\W\d_]+", plain) if p not in _TITLES}


def _shares(stated: set[str], own: Iterable[str]) -> bool:
    """True if a stated name has a part of two letters and more of the patient's, or holds it unparted (Chinese)."""
    return any(len(p) > 1 and (p in stated or any(p in s for s in stated if not s.isascii())) for p in own)


def _bare(text: str) -> str:
    return re.sub(r"[^0-9a-z]", "", text.casefold()).lstrip("0")


def _days(text: str) -> set[date]:
    """The days that a written date may mean: day and month may stand either way."""
    digits = re.findall(r"\d+", text)
    if len(digits) == 1 and len(digits[0]) == 8:
        digits = [text[:4], text[4:6], text[6:8]]
    if len(digits) != 3:
        return set()
    a, b, c = (int(d) for d in digits)
    if len(digits[0]) == 4:
        tried = [(a, b, c)]
    else:
        years = [c] if len(digits[2]) == 4 else [1900 + c, 2000 + c] if len(digits[2]) == 2 else []
        tried = [(year, *pair) for year in years for pair in ((a, b), (b, a))]
    found = set()
    for year, month, day in tried:
        try:
            found.add(date(year, month, day))
        except ValueError:
            continue
    return found
