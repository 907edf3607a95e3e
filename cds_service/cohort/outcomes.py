"""What is to be foreseen, as a hospital declares it in a small TOML file, and whether it came.

    until = 2026-11-01                      # the export is complete up to this day

    [outcomes.death-5y]
    kind = "death"                          # death, readmission, diagnosis or result
    within_days = 1826
    estimates = ["mortality/death/5"]       # MODEL, MODEL/OUTCOME or MODEL/OUTCOME/YEARS
    services = ["prognosis"]                # whose cards are judged by it
    hook = "patient-view"                   # or encounter-start, encounter-discharge

A diagnosis needs `codes` (ICD-10 or SNOMED CT prefixes); a result needs `loinc`, `unit` and `at_least` or `at_most`.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from cds_service.cohort.patients import Loaded
from cds_service.errors import InputError
from cds_service.features.contacts import held, is_inpatient
from cds_service.fhir import resources as fhir
from cds_service.fhir import units
from cds_service.fhir.codes import icd10_key, status_codes
from cds_service.fhir.times import parse

HOOKS = ("patient-view", "encounter-start", "encounter-discharge")
KINDS = ("death", "readmission", "diagnosis", "result")
_KEYS = {"kind", "within_days", "estimates", "services", "hook", "title", "codes", "loinc", "unit", "at_least",
         "at_most"}  # fmt: skip
_NOT_HELD = frozenset({"refuted", "entered-in-error"})


@dataclass(frozen=True, slots=True)
class Outcome:
    """One outcome. estimates: what foresees it, as `MODEL[/OUTCOME[/YEARS]]`. codes: prefixes of diagnoses."""

    id: str
    title: str
    kind: str
    within: timedelta
    hook: str
    estimates: tuple[str, ...]
    services: tuple[str, ...]
    codes: tuple[str, ...] = ()
    loinc: tuple[str, ...] = ()
    unit: str = ""
    at_least: float | None = None
    at_most: float | None = None

    def judges(self, model: str, outcome: str | None, horizon: int | None) -> bool:
        """True if an estimate foresees this outcome."""
        full = f"{model}/{outcome}/{horizon}"
        return any(full == wanted or full.startswith(wanted + "/") for wanted in self.estimates)


@dataclass(frozen=True, slots=True)
class Declared:
    """All outcomes of a file, and the day up to which the export is complete."""

    until: datetime
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class Truth:
    """Whether an outcome came within its time, and after how many days; came is None where it is not known yet."""

    came: bool | None
    days: float | None = None


def read(path: Path) -> Declared:
    """The outcomes of a file. Raises InputError that names the key and what to write."""
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}). Name a file that declares outcomes.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(f"{path} is not TOML: {error}. See docs/go-live.md.") from error
    until, tables = found.pop("until", None), found.pop("outcomes", None)
    if found:
        raise InputError(f"{path}: there is no key {next(iter(found))}. Known: until, [outcomes.NAME].")
    if not isinstance(until, date):
        raise InputError(f"{path}: until must be the day up to which the export is complete, such as 2026-11-01.")
    if not isinstance(tables, dict) or not tables:
        raise InputError(f"{path} declares no outcome. Write a table such as [outcomes.readmission-30d].")
    moment = until if isinstance(until, datetime) else datetime.combine(until, time(), UTC)
    whole = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return Declared(whole, tuple(_outcome(f"{path}: outcomes.{id_}", id_, raw) for id_, raw in tables.items()))


def _outcome(where: str, id_: str, raw: Any) -> Outcome:
    if not isinstance(raw, dict):
        raise InputError(f"{where} must be a table: write [outcomes.{id_}] above its keys.")
    for name in raw:
        if name not in _KEYS:
            near = difflib.get_close_matches(name, _KEYS, n=1)
            raise InputError(f"{where}: there is no key {name}. {f'Did you mean {near[0]}?' if near else ''}".rstrip())
    kind, hook = raw.get("kind"), raw.get("hook")
    if kind not in KINDS:
        raise InputError(f"{where}.kind must be one of {', '.join(KINDS)}.")
    if hook not in HOOKS:
        raise InputError(f"{where}.hook must be one of {', '.join(HOOKS)}: when the estimate is made.")
    days = raw.get("within_days")
    if not isinstance(days, int) or isinstance(days, bool) or not 1 <= days <= 36525:
        raise InputError(f"{where}.within_days must be a whole number of days from 1 to 36525.")
    outcome = Outcome(
        id_, str(raw.get("title", id_)), kind, timedelta(days=days), hook, _texts(where, raw, "estimates"),
        _texts(where, raw, "services"), _texts(where, raw, "codes"), _texts(where, raw, "loinc"),
        str(raw.get("unit", "")), _limit(where, raw, "at_least"), _limit(where, raw, "at_most"),
    )  # fmt: skip
    _complete(where, outcome)
    return outcome


def _complete(where: str, outcome: Outcome) -> None:
    if not outcome.estimates and not outcome.services:
        raise InputError(f"{where} judges nothing: name estimates or services.")
    if outcome.kind == "diagnosis" and not outcome.codes:
        raise InputError(f'{where} needs codes, such as codes = ["E11"].')
    limits = outcome.at_least is not None or outcome.at_most is not None
    if outcome.kind == "result" and not (outcome.loinc and units.read(outcome.unit) and limits):
        raise InputError(f"{where} needs loinc, unit (UCUM, such as mg/dL), and at_least or at_most.")


def _texts(where: str, raw: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = raw.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
        raise InputError(f"{where}.{name} must be a list of texts.")
    return tuple(value)


def _limit(where: str, raw: Mapping[str, Any], name: str) -> float | None:
    value = raw.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"{where}.{name} must be a number.")
    return float(value)


def truth(outcome: Outcome, loaded: Loaded, at: datetime, encounter: str | None, until: datetime) -> Truth:
    """Whether an outcome came after a moment.

    Who died of something else before the end of the time did not have it. Where the export ends before the time is
    over it is not known, also where the outcome has come already: of the last calls those with the outcome alone would
    count, and every model would seem to foresee too little.
    """
    over = at + outcome.within
    if over > until:
        return Truth(None)
    first = min((m for m in _MOMENTS[outcome.kind](outcome, loaded, at, encounter) if at < m <= over), default=None)
    if first is not None:
        return Truth(True, (first - at).total_seconds() / 86_400)
    return Truth(None if _untold(outcome, loaded, at, over) else False)


def _untold(outcome: Outcome, loaded: Loaded, at: datetime, over: datetime) -> bool:
    """True if something is there of which it cannot be said whether it is the outcome.

    A death of which the day is not known, if it may lie in the time; a diagnosis without a date; a result in the time
    whose unit cannot be converted.
    """
    if outcome.kind == "death":
        died = loaded.died
        if died is None:
            return bool(loaded.patient is not None and loaded.patient.deceased_boolean)
        return died.vague and died.start <= over < died.end
    if outcome.kind == "diagnosis":
        return None in set(_diagnosed(outcome, loaded))
    if outcome.kind == "result":
        return any(amount is None and at < moment <= over for moment, amount in _measured(outcome, loaded))
    return False


def _deaths(_outcome: Outcome, loaded: Loaded, at: datetime, _encounter: str | None) -> Iterator[datetime]:
    """The death; of one that has a date and no time, the end of that day where the call was made.

    So a death on the day of the call is later than the call.
    """
    died = loaded.died
    if died is not None:
        yield died.end.replace(tzinfo=at.tzinfo) if died.partial else died.end


def _readmissions(_outcome: Outcome, loaded: Loaded, _at: datetime, encounter: str | None) -> Iterator[datetime]:
    """Stays that begin later and are not planned; what is only booked, or was entered in error, is no stay."""
    for row in loaded.encounters():
        planned = {coding.code for coding in row.priority.coding} & {"EL", "R", "P"} if row.priority else set()
        if is_inpatient(row) and held(row) and row.id != encounter and not planned and not loaded.is_part(row):
            begun = parse(row.period.start) if row.period is not None else None
            if begun is not None:
                yield begun.start


def _diagnoses(outcome: Outcome, loaded: Loaded, at: datetime, _encounter: str | None) -> Iterator[datetime]:
    """First diagnoses: nothing for a patient who had it before."""
    found = [moment for moment in _diagnosed(outcome, loaded) if moment is not None]
    yield from () if any(moment <= at for moment in found) else found


def _diagnosed(outcome: Outcome, loaded: Loaded) -> Iterator[datetime | None]:
    """When each such diagnosis was recorded, None without a date; none that was refuted or entered in error."""
    prefixes = tuple(icd10_key(prefix) for prefix in outcome.codes)
    for row in loaded.resources:
        if isinstance(row, fhir.Condition) and row.code is not None:
            stated = any(icd10_key(coding.code).startswith(prefixes) for coding in row.code.coding if coding.code)
            if stated and not status_codes(row.verification_status) & _NOT_HELD:
                span = parse(row.recorded_date) or parse(row.onset_date_time)
                yield span.start if span is not None else None


def _results(outcome: Outcome, loaded: Loaded, _at: datetime, _encounter: str | None) -> Iterator[datetime]:
    low, high = outcome.at_least, outcome.at_most
    for moment, amount in _measured(outcome, loaded):
        if amount is not None and (low is None or amount >= low) and (high is None or amount <= high):
            yield moment


def _measured(outcome: Outcome, loaded: Loaded) -> Iterator[tuple[datetime, float | None]]:
    """When the result was measured, and its amount in the outcome's unit; None where it cannot be converted."""
    for row in loaded.resources:
        if not isinstance(row, fhir.Observation) or row.value_quantity is None or row.value_quantity.value is None:
            continue
        span = parse(row.effective_date_time) or parse(row.issued)
        if span is None or row.status in ("entered-in-error", "cancelled"):
            continue
        if any(coding.code in outcome.loinc for coding in row.code.coding):
            unit = row.value_quantity.code or row.value_quantity.unit or ""
            yield span.start, units.convert(row.value_quantity.value, unit, outcome.unit)


_MOMENTS = {"death": _deaths, "readmission": _readmissions, "diagnosis": _diagnoses, "result": _results}
