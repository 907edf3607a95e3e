"""What a chart's page shows of FHIR resources: plain words, nothing computed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from markdown_it import MarkdownIt
from markupsafe import Markup

from cds_service.risk.values_in_words import printed_unit
from cds_service.sandbox.ehr.state import Chart
from cds_service.sandbox.resources import Json

_MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
_RESULTS = 14
_SHORT = {  # LOINC code -> the name on a chart, where the code's own display is long
    "85354-9": "Blood pressure",
    "59408-5": "Oxygen saturation",
    "2708-6": "Oxygen saturation",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a list: what, when, and a word on its state. name: `Type/id`."""

    text: str
    when: str
    state: str
    name: str


def markdown(text: str) -> Markup:
    """A card's `detail` as HTML. HTML inside it stays text, as an EHR that takes care does."""
    return Markup(_MARKDOWN.render(text))  # noqa: S704 - markdown-it escapes what it renders, and HTML is off


def person(patient: Json, today: date) -> Json:
    """Name, sex, birth date and age of a Patient for the banner."""
    name = (patient.get("name") or [{}])[0]
    full = name.get("text") or " ".join([*name.get("given", ()), name.get("family", "")]).strip()
    return {
        "name": full or "Without a name",
        "sex": patient.get("gender", "sex unknown"),
        "born": patient.get("birthDate", "unknown"),
        "age": _age(patient.get("birthDate"), today),
        "died": patient.get("deceasedDateTime") or patient.get("deceasedBoolean"),
    }


def _age(born: str | None, today: date) -> str:
    if not born or len(born) != 10:
        return "?"
    day = date.fromisoformat(born)
    years = today.year - day.year - ((today.month, today.day) < (day.month, day.day))
    return f"{years} y" if years >= 2 else f"{(today - day).days // 30} mo"


def concept(value: Any) -> str:
    """The words of a CodeableConcept or Coding."""
    if not isinstance(value, dict):
        return ""
    coded = next((c.get("display") or c.get("code") for c in value.get("coding") or () if isinstance(c, dict)), None)
    return str(value.get("text") or value.get("display") or coded or value.get("code") or "")


def problems(chart: Chart) -> list[Line]:
    """The problem list."""
    return _lines(chart.rows("Condition"), lambda r: concept(r.get("code")), "clinicalStatus")


def medicines(chart: Chart) -> list[Line]:
    """Medication orders and statements with their dosage."""
    return _lines(chart.rows("MedicationRequest", "MedicationStatement"), _medicine, "status")


def allergies(chart: Chart) -> list[Line]:
    """Allergies and intolerances."""
    return _lines(chart.rows("AllergyIntolerance"), lambda r: concept(r.get("code")), "clinicalStatus")


def orders(chart: Chart) -> list[Line]:
    """Service requests and appointments, drafts first."""
    rows = chart.rows("ServiceRequest", "Appointment", "Task")
    return _lines(rows, lambda r: concept(r.get("code")) or _appointment(r) or r["resourceType"], "status")


def _appointment(row: Json) -> str:
    """What an appointment is for, and its day; nothing for other rows."""
    day = str(row.get("start") or "")[:10]
    said = str(row.get("description") or "") if row["resourceType"] == "Appointment" else ""
    return f"{said}, {day}" if said and day else said


def documents(chart: Chart) -> list[Line]:
    """Documents and reports."""
    return _lines(
        chart.rows("DocumentReference", "DiagnosticReport"),
        lambda r: r.get("description") or concept(r.get("type") or r.get("code")) or r["resourceType"],
        "status",
    )


def encounters(chart: Chart) -> list[Line]:
    """Encounters, the latest first."""
    return _lines(
        chart.rows("Encounter"),
        lambda r: concept((r.get("type") or [None])[0]) or concept(r.get("class")) or "Encounter",
        "status",
    )


def results(chart: Chart) -> list[Line]:
    """The latest value of each kind of observation, the latest first."""
    latest: dict[str, Line] = {}
    for line in _lines(chart.rows("Observation"), _result, "status"):
        latest.setdefault(line.text.partition(":")[0], line)
    return list(latest.values())[:_RESULTS]


def _lines(rows: list[Json], words: Callable[[Json], Any], state: str) -> list[Line]:
    """Drafts first, then the latest first."""
    found = []
    for row in rows:
        status = row.get(state)
        shown = concept(status) if isinstance(status, dict) else str(status or "")
        name = f"{row['resourceType']}/{row.get('id')}"
        found.append((_when(row), Line(words(row) or "(no text)", _when(row)[:10], shown.lower(), name)))
    found.sort(key=lambda pair: pair[0], reverse=True)
    return sorted((line for _, line in found), key=lambda line: line.state != "draft")


def _when(row: Json) -> str:
    """The time of a resource as written, down to the second; empty where it says none."""
    keys = ("effectiveDateTime", "authoredOn", "onsetDateTime", "recordedDate", "date", "occurrenceDateTime", "issued")
    text = next((row[key] for key in keys if isinstance(row.get(key), str)), None)
    period = row.get("period") or row.get("effectivePeriod") or {}
    return str(text or period.get("start") or "")[:19]


def _medicine(row: Json) -> str:
    name = concept(row.get("medicationCodeableConcept"))
    if not name:
        reference = (row.get("medicationReference") or {}).get("reference", "")
        held = [c for c in row.get("contained") or () if f"#{c.get('id')}" == reference]
        name = concept(held[0].get("code")) if held else reference
    dose = (row.get("dosageInstruction") or row.get("dosage") or [{}])[0].get("text", "")
    return f"{name}: {dose}" if dose else name


def _result(row: Json) -> str:
    return f"{_test(row) or '(no code)'}: {_value(row)}"


def _test(row: Json) -> str:
    """What was measured, in the words of a chart rather than of a code system."""
    codes = [c.get("code") for c in (row.get("code") or {}).get("coding") or () if isinstance(c, dict)]
    return next((_SHORT[code] for code in codes if code in _SHORT), "") or concept(row.get("code"))


def _value(row: Json) -> str:
    quantity = row.get("valueQuantity")
    if isinstance(quantity, dict):
        unit = printed_unit(quantity.get("unit") or quantity.get("code") or "")
        return f"{quantity.get('comparator', '')}{quantity.get('value', '?')} {unit}".strip()
    if row.get("component"):
        parts = [_value(p) for p in row["component"] if isinstance(p, dict)]
        shared = parts[0].partition(" ")[2]
        if shared and all(part.partition(" ")[2] == shared for part in parts):  # 138/84 mmHg
            return f"{'/'.join(part.partition(' ')[0] for part in parts)} {shared}"
        return " / ".join(parts)
    return row.get("valueString") or concept(row.get("valueCodeableConcept")) or "no value"
