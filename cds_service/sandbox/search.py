"""FHIR type searches over a Bundle in memory: the parameters that prefetch templates use, as a server runs them.

Tokens with or without system, comma for "or", repeated parameters for "and", dates with prefixes, references with or
without type, `_id`, `_sort`, `_count`. Whatever else a template asks for is an error here, because the clients that
skip what they cannot run would skip it too. Source: hl7.org/fhir/R4/search.html.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from cds_service.errors import InputError
from cds_service.fhir.times import Span, parse
from cds_service.sandbox.resources import Json


class UnsupportedSearch(InputError):
    """A template asks for something that simple FHIR servers cannot do."""


_DATES: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "Observation": {"date": ("effectiveDateTime", "effectivePeriod", "effectiveInstant")},
    "Condition": {
        "onset-date": ("onsetDateTime", "onsetPeriod"),
        "abatement-date": ("abatementDateTime", "abatementPeriod"),
        "recorded-date": ("recordedDate",),
    },
    "MedicationRequest": {"authoredon": ("authoredOn",)},
    "MedicationStatement": {"effective": ("effectiveDateTime", "effectivePeriod")},
    "MedicationAdministration": {"effective-time": ("effectiveDateTime", "effectivePeriod")},
    "AllergyIntolerance": {"date": ("recordedDate",)},
    "Procedure": {"date": ("performedDateTime", "performedPeriod")},
    "Encounter": {"date": ("period",)},
    "Immunization": {"date": ("occurrenceDateTime",)},
    "ServiceRequest": {"authored": ("authoredOn",)},
    "Appointment": {"date": ("start",)},
    "CarePlan": {"date": ("period",)},
    "DocumentReference": {"date": ("date",)},
    "DiagnosticReport": {"date": ("effectiveDateTime", "effectivePeriod")},
    "Media": {"created": ("createdDateTime", "createdPeriod")},
}
_TOKENS: Mapping[str, str] = {
    "code": "code",
    "status": "status",
    "category": "category",
    "clinical-status": "clinicalStatus",
    "verification-status": "verificationStatus",
    "intent": "intent",
    "type": "type",
    "class": "class",
    "vaccine-code": "vaccineCode",
    "lifecycle-status": "lifecycleStatus",
}
_REFERENCES: Mapping[str, tuple[str, ...]] = {
    "patient": ("subject", "patient"),
    "subject": ("subject", "patient"),
    "encounter": ("encounter",),
}
_CHANGED = "_lastUpdated"
Pair = tuple[str | None, str | None]  # system and code


class Known:
    """What is known of rows that do not change: what the beginnings of queries found, and codes by member and row."""

    def __init__(self) -> None:
        self.found: dict[str, list[Json]] = {}
        self.codes: defaultdict[str, dict[int, list[Pair]]] = defaultdict(dict)


def search(
    query: str, rows: Iterable[Json], canonical: Callable[[str], str], of_rows: Known | None = None
) -> tuple[list[Json], int]:
    """The rows that a query such as `Observation?patient=x&code=...` finds, cut at `_count`, and how many match.

    canonical: gives a reference as the server writes it, `Type/id`. of_rows: of earlier queries; is added to.
    Raises UnsupportedSearch for parameters, modifiers and prefixes that are not supported.
    """
    type_, _, parameters = query.partition("?")
    of_rows = of_rows or Known()
    known, order, count, asked = of_rows.found, "", None, type_
    if asked not in known:
        known[asked] = [row for row in rows if row.get("resourceType") == type_]
    for name, value in parse_qsl(parameters, keep_blank_values=True):
        if name == "_sort":
            order = value
        elif name == "_count":
            count = int(value)
        else:
            before, asked = asked, f"{asked}&{name}={value}"
            if asked not in known:
                test = _test(type_, name, value, canonical, of_rows)
                known[asked] = [row for row in known[before] if test(row)]
    found = _sorted(type_, order, known[asked]) if order else known[asked]
    return (found if count is None else found[:count]), len(found)


def _test(type_: str, name: str, value: str, canonical: Callable[[str], str], of_rows: Known) -> Callable[[Json], bool]:
    wanted = value.split(",")
    if name == "_id":
        return lambda row: row.get("id") in wanted
    if name in _DATES.get(type_, {}):
        members = _DATES[type_][name]
        return lambda row: any(_in_time(_span(row, members), x) for x in wanted)
    if name in _REFERENCES:
        kind = "Encounter" if name == "encounter" else "Patient"
        targets = {canonical(x) if "/" in x or ":" in x else f"{kind}/{x}" for x in wanted}
        return lambda row: any(canonical(one.get("reference", "")) in targets for one in _named(row, name))
    if name in _TOKENS:
        member = _TOKENS[name]
        if name == "code" and type_ in ("MedicationRequest", "MedicationStatement", "MedicationAdministration"):
            member = "medicationCodeableConcept"
        matches, codes = _Tokens(wanted).match, of_rows.codes[member]

        def holds(row: Json) -> bool:
            if id(row) not in codes:
                codes[id(row)] = _codes(row.get(member))
            return any(map(matches, codes[id(row)]))

        return holds
    raise UnsupportedSearch(f"{type_}?{name}= is not a parameter that this sandbox or a simple FHIR server knows")


def _named(row: Json, name: str) -> Iterator[Json]:
    """The References of a row that a reference parameter is compared with; of an Appointment those who take part."""
    if row.get("resourceType") == "Appointment":
        found = [one.get("actor") for one in row.get("participant") or []]
    else:
        found = [row.get(member) for member in _REFERENCES[name]]
    return (one for one in found if isinstance(one, dict))


def _codes(value: Any) -> list[Pair]:
    """(system, code) pairs of a code, Coding, CodeableConcept or list of them; a bare code has any system."""
    if isinstance(value, list):
        return [pair for item in value for pair in _codes(item)]
    if isinstance(value, str):
        return [(None, value)]
    if not isinstance(value, dict):
        return []
    if "coding" in value or "text" in value:
        return _codes(value.get("coding", []))
    system, code = value.get("system", ""), value.get("code")
    if isinstance(system, str) and isinstance(code, str):
        return [(system, code)]
    return [(system if isinstance(system, str) else _NO_TEXT, code if isinstance(code, str) else _NO_TEXT)]


_NO_TEXT = "\0"  # stands in a pair for what is no text: no query asks for it


class _Tokens:
    """Tokens of one parameter: `code` in any system, `system|code`, `|code` without system, `system|` for any code."""

    def __init__(self, wanted: Iterable[str]) -> None:
        split = [one.partition("|") if "|" in one else ("", "", one) for one in wanted]
        self._anywhere = frozenset(code for _, bar, code in split if not bar)
        self._systems = frozenset(system for system, bar, code in split if bar and not code)
        self._pairs = frozenset((system, code) for system, bar, code in split if bar and code)
        self._bare = frozenset(code for _, code in self._pairs)

    def match(self, pair: Pair) -> bool:
        """Whether a (system, code) pair matches one of them; a system of None is a bare code's, and is any."""
        system, code = pair
        if code in self._anywhere or pair in self._pairs:
            return True
        return (bool(self._systems) or code in self._bare) if system is None else system in self._systems


def _span(row: Json, members: Iterable[str]) -> Span | None:
    """The time that a row's members hold, as a Span; None if none of them can be read."""
    for member in members:
        value = row.get(member)
        if isinstance(value, str):
            return parse(value)
        if isinstance(value, dict):
            start, end = parse(value.get("start")), parse(value.get("end"))
            return Span(start.start if start else _EVER.start, end.end if end else _EVER.end)
    return None


_EVER = Span(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_COMPARE: Mapping[str, Callable[[Span, Span], bool]] = {
    "eq": lambda row, asked: asked.start <= row.start and row.end <= asked.end,
    "ne": lambda row, asked: not (asked.start <= row.start and row.end <= asked.end),
    "gt": lambda row, asked: row.end > asked.end,
    "lt": lambda row, asked: row.start < asked.start,
    "ge": lambda row, asked: row.end >= asked.start,
    "le": lambda row, asked: row.start <= asked.end,
}


def _in_time(row: Span | None, wanted: str) -> bool:
    prefix, rest = (wanted[:2], wanted[2:]) if wanted[:1].isalpha() else ("eq", wanted)
    asked = parse(rest)
    if prefix not in _COMPARE or asked is None:
        raise UnsupportedSearch(f"date '{wanted}' must be a FHIR date with one of {', '.join(_COMPARE)}")
    return row is not None and _COMPARE[prefix](row, asked)


def _sorted(type_: str, order: str, rows: list[Json]) -> list[Json]:
    """By one date parameter or the last change, latest first with a minus; rows without it last, ties in order."""
    name = order.removeprefix("-")
    members = ("lastUpdated",) if name == _CHANGED else _DATES.get(type_, {}).get(name)
    if members is None:
        raise UnsupportedSearch(f"{type_}?_sort={order}: only dates can be sorted by")
    times = [_span(row.get("meta") or {} if name == _CHANGED else row, members) for row in rows]
    dated = [(span, row) for span, row in zip(times, rows, strict=True) if span is not None]
    undated = [row for span, row in zip(times, rows, strict=True) if span is None]
    dated.sort(key=lambda pair: pair[0].start, reverse=order.startswith("-"))
    return [row for _, row in dated] + undated
