"""A made-up population whose outcomes follow a known rule, as a FHIR Bulk Data export (NDJSON).

    python -m cds_service.sandbox.population OUT --patients 20000 --seed 1

Everybody has one visit; three in ten also have a stay in hospital. Whether someone dies within five years of the visit
is drawn from the mortality model's own estimate, moved by a known intercept and slope: so the calibration and the
discrimination that a backtest must find are known. From a known day on the intercept is higher: the drift that it must
find. Who comes back within 30 days of a stay is drawn from the LACE index. The same seed gives the same bytes.
"""

from __future__ import annotations

import argparse
import math
import os
import random
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import orjson

from cds_service.app import load_registry
from cds_service.cohort.patients import Loaded
from cds_service.errors import InputError
from cds_service.features.extract import extract
from cds_service.needs import with_inputs
from cds_service.protocol.request import decode_resource
from cds_service.risk.model import NotEstimated, RiskModel
from cds_service.sandbox import resources as fhir
from cds_service.sandbox.resources import Json
from cds_service.sandbox.terms import ICD10, LABS, SNOMED, VITALS
from cds_service.settings import Settings

FIRST, DAYS = datetime(2017, 1, 1, 8, tzinfo=UTC), 1460  # visits fall on these days
UNTIL = date(2026, 11, 1)  # what happened later is not in the export
TYPES = ("Patient", "Encounter", "Observation", "Condition")
LISTED = frozenset(TYPES)
FIVE_YEARS = timedelta(days=1826)
_US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
_CATEGORIES = "urn:oid:2.16.840.1.113883.6.238"
RACES = (("2106-3", "White", 0.62), ("2054-5", "Black or African American", 0.2), ("2028-9", "Asian", 0.15),
         ("1002-5", "American Indian or Alaska Native", 0.03))  # fmt: skip
LANGUAGES = (("en", 0.8), ("es", 0.14), ("zh", 0.06))
SITES = (("north", 0.5), ("south", 0.35), ("harbour", 0.15))
_V3 = "http://terminology.hl7.org/CodeSystem/v3-ActCode"


@dataclass(frozen=True, slots=True)
class Mechanism:
    """The rule of the outcomes, on log-odds.

    death: intercept and slope on the log-odds of the served five-year estimate; drift is added to the intercept for
    visits from drift_from on. readmission: intercept, and slope a point of LACE.
    """

    death: tuple[float, float] = (-0.3, 0.9)
    drift: float = 0.7
    drift_from: date = date(2019, 7, 1)
    readmission: tuple[float, float] = (-3.2, 0.2)

    def dies(self, estimate: float, on: date) -> float:
        """Probability 0-1 of death within five years of a visit."""
        intercept, slope = self.death
        shift = self.drift if on >= self.drift_from else 0.0
        return _expit(intercept + shift + slope * math.log(estimate / (1.0 - estimate)))

    def returns(self, lace: float) -> float:
        """Probability 0-1 of a stay that begins within 30 days of another's end."""
        return _expit(self.readmission[0] + self.readmission[1] * lace)


@dataclass(frozen=True, slots=True)
class Served:
    """The models that the outcomes follow."""

    mortality: RiskModel
    lace: RiskModel

    @classmethod
    def load(cls) -> Served:
        """As they are installed."""
        models = load_registry(Settings()).models
        return cls(models["mortality"], models["lace"])


@dataclass(frozen=True, slots=True)
class Person:
    """One patient: all resources, and what the outcomes were drawn from. dies, returns: None where nobody asked."""

    resources: tuple[Json, ...]
    visit: datetime
    estimate: float | None
    dies: float | None
    died: bool
    lace: float | None
    returns: float | None


def people(patients: int, seed: int, mechanism: Mechanism, served: Served) -> Iterator[Person]:
    """Patients one after another."""
    for number in range(patients):
        yield _Maker(f"p{number:06}", random.Random(f"{seed}/{number}"), mechanism, served).person()


def write(out: Path, patients: int, seed: int, mechanism: Mechanism | None = None) -> None:
    """Writes an export into a new folder, which appears when it is whole. Raises InputError if it is there."""
    if out.exists():
        raise InputError(f"{out} is there already. Name a new folder.")
    folder = out.with_name(out.name + ".partial")
    folder.mkdir(parents=True, exist_ok=True)
    served = Served.load()
    with ExitStack() as stack:
        files = {type_: stack.enter_context((folder / f"{type_}.ndjson").open("wb")) for type_ in TYPES}
        for person in people(patients, seed, mechanism or Mechanism(), served):
            for resource in person.resources:
                files[resource["resourceType"]].write(orjson.dumps(resource) + b"\n")
    os.replace(folder, out)


class _Maker:
    """Makes one patient."""

    def __init__(self, id_: str, rng: random.Random, mechanism: Mechanism, served: Served) -> None:
        self.id, self.rng, self.mechanism, self.served = id_, rng, mechanism, served
        self.subject = f"Patient/{id_}"
        self.visit = FIRST + timedelta(days=rng.randrange(DAYS), minutes=rng.randrange(540))
        self.age, self.female, self.ill = rng.uniform(50, 79), rng.random() < 0.52, rng.gauss(0, 1)
        self.site = _drawn(rng, SITES)
        self.rows: list[Json] = []

    def person(self) -> Person:
        patient = self._patient()
        self.rows.append(patient)
        self._encounter("visit", ("AMB", "ambulatory"), self.visit, self.visit + timedelta(minutes=30), "clinic")
        self._measured()
        if self.rng.random() < 0.12 + 0.1 * max(self.ill, 0):
            self._diagnosis("I50.9", "Heart failure, unspecified", self.visit - timedelta(days=200))
        estimate = self._estimate(self.served.mortality, self.visit, 5)
        chance = self.mechanism.dies(estimate, self.visit.date()) if estimate is not None else None
        died = chance is not None and self.rng.random() < chance
        if died:
            death = self.visit + self.rng.uniform(0.02, 0.98) * FIVE_YEARS
            patient["deceasedDateTime"] = fhir.instant(death)
        lace, returns = self._stays(death if died else None)
        return Person(tuple(self.rows), self.visit, estimate, chance, died, lace, returns)

    def _patient(self) -> Json:
        code, display = _race(self.rng)
        hispanic = self.rng.random() < 0.18
        ethnicity = ("2135-2", "Hispanic or Latino") if hispanic else ("2186-5", "Not Hispanic or Latino")
        language = {"coding": [{"system": "urn:ietf:bcp:47", "code": _drawn(self.rng, LANGUAGES)}]}
        return {
            "resourceType": "Patient",
            "id": self.id,
            "gender": "female" if self.female else "male",
            "birthDate": (self.visit - timedelta(days=365.25 * self.age)).date().isoformat(),
            "communication": [{"language": language, "preferred": True}],
            "extension": [_category("race", code, display), _category("ethnicity", *ethnicity)],
        }

    def _encounter(self, name: str, class_: tuple[str, str], start: datetime, end: datetime, ward: str) -> Json:
        kind = ("183452005", "Emergency hospital admission") if class_[0] == "IMP" else ("185349003", "Check up")
        body = fhir.encounter(f"{self.id}-{name}", self.subject, class_, kind, start, end)
        body["serviceProvider"] = {"reference": f"Organization/{self.site}"}
        body["location"] = [{"location": {"reference": f"Location/{self.site}-{ward}"}}]
        doctor = f"Practitioner/{self.site}-{self.rng.randrange(12)}"
        body["participant"] = [{"individual": {"reference": doctor}}]
        self.rows.append(body)
        return body

    def _measured(self) -> None:
        """Blood pressure and laboratory values of the visit; the iller, the further off; one in eight is lacking."""
        rng, ill, old = self.rng, self.ill, (self.age - 50) / 29
        at = self.visit - timedelta(days=3)
        sbp = 118 + 14 * old + 12 * rng.gauss(0, 1)
        parts = [
            {"code": fhir.loinc(VITALS[key].loinc, key), "valueQuantity": fhir.quantity(round(value), "mm[Hg]")}
            for key, value in (("sbp", sbp), ("dbp", 62 + 0.12 * sbp + 6 * rng.gauss(0, 1)))
        ]
        panel = fhir.loinc("85354-9", "Blood pressure panel")
        self._observation("bp", panel, at, "vital-signs", component=parts)
        values = {
            "creatinine": 0.82 + 0.12 * old + (0.0 if self.female else 0.18) + 0.18 * max(ill, -0.8),
            "albumin": 4.35 - 0.2 * old - 0.22 * ill,
            "cholesterol": 195 - 12 * ill + 30 * rng.gauss(0, 1),
            "hdl": 54 - 4 * ill + (6 if self.female else -4) + 8 * rng.gauss(0, 1),
            "hba1c": 5.7 + 0.35 * max(ill, 0) + 0.3 * abs(rng.gauss(0, 1)),
            "alp": 72 + 10 * max(ill, 0) + 12 * rng.gauss(0, 1),
            "crp": 2.0 + 5 * max(ill, 0) + abs(rng.gauss(0, 1)),
            "wbc": 6.6 + 0.6 * ill + 1.2 * rng.gauss(0, 1),
            "rdw": 13.2 + 0.5 * old + 0.7 * ill,
            "mcv": 90 + 1.2 * ill + 3 * rng.gauss(0, 1),
        }
        for key, value in values.items():
            if rng.random() < 0.875 and key in LABS:
                test = LABS[key]
                quantity = {"valueQuantity": fhir.quantity(round(max(value, 0.1), test.digits), test.unit)}
                self._observation(key, fhir.loinc(test.loinc, test.display), at, "laboratory", value=quantity)

    def _observation(self, name: str, code: Json, at: datetime, category: str, **more: object) -> None:
        id_ = f"{self.id}-{name}"
        self.rows.append(fhir.observation(id_, self.subject, code, at, category, **more))  # type: ignore[arg-type]

    def _diagnosis(self, code: str, display: str, on: datetime) -> None:
        concept = fhir.concept([(ICD10, code, display)] + ([(SNOMED, "84114007", display)] if code == "I50.9" else []))
        self.rows.append(
            {
                "resourceType": "Condition",
                "id": f"{self.id}-{code}",
                "clinicalStatus": {"coding": [{"code": "active"}]},
                "code": concept,
                "subject": {"reference": self.subject},
                "recordedDate": fhir.instant(on),
            }
        )

    def _stays(self, death: datetime | None) -> tuple[float | None, float | None]:
        """A stay in three of ten, and who comes back; the LACE index and the chance that it gave."""
        rng = self.rng
        start = self.visit + timedelta(days=rng.randrange(60, 600), hours=rng.randrange(12))
        end = start + timedelta(days=min(1 + int(rng.expovariate(0.25)), 30))
        if rng.random() > 0.3 or (death is not None and death < end + timedelta(days=40)):
            return None, None
        for number in range(min(int(rng.expovariate(1.2)), 3)):
            before = start - timedelta(days=20 + 30 * number)
            self._encounter(f"ed{number}", ("EMER", "emergency"), before, before + timedelta(hours=4), "emergency")
        stay = self._encounter("stay", ("IMP", "inpatient encounter"), start, end, f"ward-{rng.randrange(1, 4)}")
        stay["hospitalization"] = {"dischargeDisposition": {"coding": [{"code": "home"}]}}
        stay["priority"] = {"coding": [{"system": f"{_V3[:-7]}ActPriority", "code": rng.choice(("EM", "EM", "EL"))}]}
        lace = self._estimate(self.served.lace, end, None)
        chance = self.mechanism.returns(lace) if lace is not None else None
        if chance is not None and rng.random() < chance:
            back = end + timedelta(days=rng.uniform(1, 29))
            self._encounter("back", ("IMP", "inpatient encounter"), back, back + timedelta(days=3), "ward-1")
        return lace, chance

    def _estimate(self, model: RiskModel, at: datetime, years: int | None) -> float | None:
        """What the model would say of the record at a moment; None where it refuses."""
        rows = tuple(decode_resource(orjson.dumps(row)) for row in self.rows)
        record = Loaded(self.id, rows, (None,) * len(rows), 0, LISTED).record(at)
        result = model.estimate(extract(record, with_inputs(model.features)))
        if isinstance(result, NotEstimated):
            return None
        return next(made.value for made in result if made.horizon_years == years)


def _category(kind: str, code: str, display: str) -> Json:
    coding = {"system": _CATEGORIES, "code": code, "display": display}
    return {"url": f"{_US_CORE}/us-core-{kind}", "extension": [{"url": "ombCategory", "valueCoding": coding}]}


def _drawn(rng: random.Random, shares: tuple[tuple[str, float], ...]) -> str:
    return rng.choices([name for name, _ in shares], [share for _, share in shares])[0]


def _race(rng: random.Random) -> tuple[str, str]:
    code, display, _ = rng.choices(RACES, [share for _, _, share in RACES])[0]
    return code, display


def _expit(log_odds: float) -> float:
    return 1.0 / (1.0 + math.exp(-log_odds))


def main() -> None:
    """Writes a population."""
    parser = argparse.ArgumentParser(description="A made-up population with a known outcome rule, as NDJSON.")
    parser.add_argument("out", type=Path, help="a new folder")
    parser.add_argument("--patients", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    try:
        write(given.out, given.patients, given.seed)
    except InputError as error:
        raise SystemExit(f"population: {error}") from error


if __name__ == "__main__":
    main()
