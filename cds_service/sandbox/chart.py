"""A patient's chart while it is being written: visits, results, problems, medicines; then a FHIR R4 Bundle.

Values between the first and the last of a series are interpolated with a little seeded noise, as a real follow-up
looks; the last value is always the one that was asked for. The same name gives the same bytes on any machine.
"""

from __future__ import annotations

import base64
import random
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from cds_service.sandbox import resources as fhir
from cds_service.sandbox.resources import Json
from cds_service.sandbox.terms import (
    BASIC_METABOLIC,
    BLOOD_COUNT,
    ICD10,
    ICD10_WHO,
    LABS,
    LIPID_PANEL,
    LIVER_PANEL,
    MEDICINES,
    PROBLEMS,
    PROCEDURES,
    SMOKING,
    SNOMED,
    VACCINES,
    VITALS,
)

AS_OF = datetime(2026, 11, 1, 9, tzinfo=UTC)
SERVER = "https://ehr.example.org/fhir"
SEED = 20261101
NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, SERVER)

Span = float | tuple[float, float]  # a steady value, or first and last of a series
Spans = dict[str, Span]
Day = str | date | datetime

# How much a measurement differs from visit to visit in someone whose state does not change, as a share of the value.
NOISE = {"height": 0.0, "spo2": 0.003, "temperature": 0.004, "sodium": 0.008, "chloride": 0.008, "mcv": 0.008,
         "weight": 0.008, "calcium": 0.01, "albumin": 0.015, "inr": 0.02}  # fmt: skip

VISITS = {
    "check-up": (("AMB", "ambulatory"), ("185349003", "Encounter for check up")),
    "problem": (("AMB", "ambulatory"), ("185347001", "Encounter for problem")),
    "emergency": (("EMER", "emergency"), ("50849002", "Emergency room admission")),
    "inpatient": (("IMP", "inpatient encounter"), ("183452005", "Emergency hospital admission")),
    "prenatal": (("AMB", "ambulatory"), ("424619006", "Prenatal visit")),
}


def day(text: Day) -> date | datetime:
    """A day, or a moment in UTC, from its ISO text."""
    if not isinstance(text, str):
        return text
    return datetime.fromisoformat(text).astimezone(UTC) if "T" in text else date.fromisoformat(text)


def at_clinic(on: Day, hour: int = 9, minute: int = 30) -> datetime:
    """A moment of a day: as given, or 09:30 UTC."""
    found = day(on)
    return found if isinstance(found, datetime) else datetime.combine(found, time(hour, minute), UTC)


class Chart:
    """Collects the resources of one synthetic patient."""

    def __init__(
        self,
        name: str,
        *,
        family: str,
        given: str,
        gender: str,
        born: str,
        uuids: bool = False,
        si: bool = False,
        chinese: bool = False,
        **patient: Any,
    ) -> None:
        self.name, self.si, self.chinese, self.uuids = name, si, chinese, uuids
        self.female = gender == "female"
        self.born = date.fromisoformat(born)
        self.rng = random.Random(f"{SEED}/{name}")
        self.entries: list[Json] = []
        self._counts: dict[str, int] = {}
        self.patient_id = self.id("patient") if uuids else name
        whole = f"{family}{given}" if chinese else f"{given} {family}"
        self.patient: Json = {
            "resourceType": "Patient",
            "id": self.patient_id,
            "identifier": [{"system": "https://ehr.example.org/mrn", "value": f"SYN-{name}"}],
            "active": True,
            "name": [{"use": "official", "text": whole, "family": family, "given": [given]}],
            "gender": gender,
            "birthDate": born,
            **patient,
        }
        self.subject = self.add(self.patient)

    # -- identity ------------------------------------------------------------------------------------------------

    def id(self, kind: str) -> str:
        """The next id of a kind: `<name>-<kind>-<n>`, or a uuid."""
        number = self._counts[kind] = self._counts.get(kind, 0) + 1
        label = f"{self.name}-{kind}-{number}"
        return str(uuid.uuid5(NAMESPACE, label)) if self.uuids else label

    def add(self, resource: Json, full_url: str | None = None) -> str:
        """Puts a resource into the chart and gives the reference to it, as this chart writes references."""
        relative = f"{resource['resourceType']}/{resource['id']}"
        reference = f"urn:uuid:{resource['id']}" if self.uuids else relative
        url = full_url or (reference if self.uuids else f"{SERVER}/{relative}")
        self.entries.append({"fullUrl": url, "resource": resource})
        return reference

    def age(self, on: date) -> float:
        """Age in years on a day."""
        return (on - self.born).days / 365.25

    # -- history -------------------------------------------------------------------------------------------------

    def problem(self, key: str, onset: Day, *, text: str | None = None, **more: Any) -> str:
        """A problem with SNOMED CT and ICD-10 codes; further members as `fhir.condition` takes them."""
        known = PROBLEMS[key]
        codings = [(SNOMED, known.snomed, known.display)] if known.snomed else []
        if self.chinese:
            codings = [(ICD10_WHO, known.icd10_who or known.icd10, known.zh or known.display)]
        else:
            codings.append((ICD10, known.icd10, known.title))
        shown = text or (known.zh if self.chinese else known.display)
        code = fhir.concept(codings, shown)
        return self.add(fhir.condition(self.id("problem"), self.subject, code, day(onset), **more))

    def medicine(
        self, key: str, since: Day, *, dosage: str | None = None, medication: Json | None = None, **more: Any
    ) -> str:
        """A medication order with RxNorm code and dosage text."""
        known = MEDICINES[key]
        written = fhir.medicine_concept_zh(known) if self.chinese else fhir.medicine_concept(known)
        named = {"medicationCodeableConcept": written}
        words = dosage or ("遵医嘱" if self.chinese else known.dosage)
        return self.add(
            fhir.medication_request(self.id("medicine"), self.subject, medication or named, day(since), words, **more)
        )

    def allergy(self, code: Json, recorded: str, reaction: str | None = None, criticality: str = "low") -> str:
        """An allergy."""
        return self.add(
            fhir.allergy(self.id("allergy"), self.subject, code, date.fromisoformat(recorded), reaction, criticality)
        )

    def no_known_allergies(self, recorded: str) -> str:
        """The statement that there are none."""
        return self.allergy(fhir.concept([(SNOMED, "716186003", "No known allergy")]), recorded)

    def procedure(self, key: str, on: Day, status: str = "completed") -> str:
        """A procedure."""
        return self.add(fhir.procedure(self.id("procedure"), self.subject, PROCEDURES[key], day(on), status))

    def vaccines(self, given: Mapping[str, Iterable[str]]) -> None:
        """Vaccinations: which, and on what days."""
        for key, days in given.items():
            for on in days:
                self.add(fhir.immunization(self.id("vaccine"), self.subject, VACCINES[key], date.fromisoformat(on)))

    def visit(self, kind: str, start: Day, *, hours: float | None = 0.5, reason: str | None = None) -> str:
        """An encounter; with hours None it is still going on."""
        class_, type_ = VISITS[kind]
        begun = at_clinic(start)
        end = None if hours is None else begun + timedelta(hours=hours)
        return self.add(fhir.encounter(self.id("visit"), self.subject, class_, type_, begun, end, reason))

    def note(self, text: str, on: Day) -> str:
        """A clinical note in plain text."""
        body = {
            "resourceType": "DocumentReference",
            "id": self.id("note"),
            "status": "current",
            "type": fhir.loinc("11506-3", "Progress note"),
            "subject": {"reference": self.subject},
            "date": fhir.instant(at_clinic(on)),
            "content": [
                {"attachment": {"contentType": "text/plain", "data": base64.b64encode(text.encode()).decode()}}
            ],
        }
        return self.add(body)

    # -- measurements --------------------------------------------------------------------------------------------

    def lab(self, key: str, number: float, on: Day, encounter: str | None = None, **more: Any) -> str:
        """A laboratory result with unit, reference range and interpretation; `more` replaces members."""
        test = LABS[key]
        adult = self.age(at_clinic(on).date()) >= 18
        low, high = test.range_for(self.female) if adult else (None, None)
        code, unit, digits = test.loinc, test.unit, test.digits
        if self.si and test.si is not None:
            number = test.si.of(number)
            low, high = (None if x is None else test.si.of(x) for x in (low, high))
            code, unit, digits = test.si_loinc or code, test.si.unit, test.si.digits
        rounded = round(number, digits)
        limits = [None if x is None else round(x, digits) for x in (low, high)]
        shown: dict[str, Any] = {}
        ranges = fhir.reference_range(limits[0], limits[1], unit)
        if ranges:
            shown = {"interpretation": fhir.interpretation(rounded, *limits), "referenceRange": ranges}
        display = test.display if not (self.si and test.si_loinc) else test.display.replace("Mass", "Moles")
        named = fhir.loinc(code, display, test.zh if self.chinese else test.name)
        value_x = {"valueQuantity": fhir.quantity(rounded, unit)}
        members: dict[str, Any] = {"value": value_x, "encounter": encounter} | shown | more
        return self.add(
            fhir.observation(
                self.id(key.replace("_", "-")), self.subject, named, at_clinic(on), "laboratory", **members
            )
        )

    def vital(self, key: str, number: float, on: Day, encounter: str | None = None, **more: Any) -> str:
        """A vital sign; a `value` among `more` replaces the Quantity."""
        sign = VITALS[key]
        named = fhir.loinc(sign.loinc, sign.display, sign.zh if self.chinese else None)
        value_x = {"valueQuantity": fhir.quantity(round(number, sign.digits), sign.unit)}
        members: dict[str, Any] = {"value": value_x, "encounter": encounter} | more
        return self.add(
            fhir.observation(
                self.id(key.replace("_", "-")), self.subject, named, at_clinic(on), "vital-signs", **members
            )
        )

    def blood_pressure(self, sbp: float, dbp: float, on: Day, encounter: str | None = None, **more: Any) -> str:
        """A blood pressure as panel 85354-9 with two components."""
        parts = [
            {
                "code": fhir.loinc(VITALS[key].loinc, VITALS[key].display),
                "valueQuantity": fhir.quantity(round(value), "mm[Hg]"),
            }
            for key, value in (("sbp", sbp), ("dbp", dbp))
        ]
        panel = fhir.loinc(
            "85354-9", "Blood pressure panel with all children optional", "血压" if self.chinese else None
        )
        return self.add(
            fhir.observation(
                self.id("blood-pressure"),
                self.subject,
                panel,
                at_clinic(on),
                "vital-signs",
                encounter=encounter,
                component=parts,
                **more,
            )
        )

    def smoking(self, answer: str, on: Day, encounter: str | None = None) -> str:
        """The smoking status."""
        code, display, zh = SMOKING[answer]
        value = {"valueCodeableConcept": fhir.concept([(SNOMED, code, display)], zh if self.chinese else None)}
        status = fhir.loinc("72166-2", "Tobacco smoking status", "吸烟状况" if self.chinese else None)
        return self.add(
            fhir.observation(
                self.id("smoking"),
                self.subject,
                status,
                at_clinic(on),
                "social-history",
                value=value,
                encounter=encounter,
            )
        )

    def measurements(self, values: Mapping[str, float], on: Day, encounter: str | None = None) -> None:
        """Vital signs and laboratory results of one visit; eGFR, LDL, BMI and red cells follow from the others."""
        given = dict(values)
        if "sbp" in given:
            self.blood_pressure(given.pop("sbp"), given.pop("dbp"), on, encounter)
        if "weight" in given and "height" in given:
            given["bmi"] = given["weight"] / (given["height"] / 100) ** 2
        if "creatinine" in given:
            age = self.age(at_clinic(on).date())
            if age >= 18:
                given["egfr"] = egfr_2021(given["creatinine"], age, self.female)
        if all(x in given for x in LIPID_PANEL) and given["triglycerides"] < 400:
            given["ldl"] = given["cholesterol"] - given["hdl"] - given["triglycerides"] / 5
        if "hemoglobin" in given and "mcv" in given:
            given["rbc"] = given["hemoglobin"] * 30 / given["mcv"]
        for key, value in given.items():
            (self.vital if key in VITALS else self.lab)(key, value, on, encounter)

    def follow_up(
        self,
        days: Sequence[str],
        values: Mapping[str, Span],
        *,
        panels: Iterable[str] = (*BASIC_METABOLIC, *BLOOD_COUNT, *LIVER_PANEL, *LIPID_PANEL),
        smoking: str | None = "never",
        kind: str = "check-up",
        reason: str | None = None,
    ) -> None:
        """Visits with the same measurements each: healthy values for `panels` unless `values` says otherwise."""
        spans: dict[str, Span] = {key: LABS[key].usual_for(self.female) for key in panels}
        spans |= values
        for index, on in enumerate(days):
            visit = self.visit(kind, on, reason=reason)
            share = index / (len(days) - 1) if len(days) > 1 else 1.0
            found = {key: self._along(span, share, key) for key, span in spans.items()}
            self.measurements(found, on, visit)
            if smoking:
                self.smoking(smoking, on, visit)

    def _along(self, span: Span, share: float, key: str) -> float:
        """The value at a share of the way, with a little noise except at the end."""
        first, last = span if isinstance(span, tuple) else (span, span)
        value = first + (last - first) * share
        if share == 1.0:
            return value
        return value * (1 + NOISE.get(key, 0.025) * (2 * self.rng.random() - 1))

    def bundle(self) -> Json:
        """The whole chart as a Bundle of type collection."""
        return {
            "resourceType": "Bundle",
            "id": f"{self.name}-record",
            "type": "collection",
            "timestamp": fhir.instant(AS_OF),
            "entry": self.entries,
        }


def egfr_2021(creatinine_mg_dl: float, age: float, female: bool) -> float:
    """eGFR in mL/min/{1.73_m2} as a laboratory reports it. Source: Inker 2021, doi:10.1056/NEJMoa2102953."""
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = creatinine_mg_dl / kappa
    sex = 1.012 if female else 1.0
    return float(142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.200 * 0.9938 ** int(age) * sex)
