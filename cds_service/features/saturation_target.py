"""Whether an oxygen saturation of 88-92 % is prescribed, which is what NEWS2 scores on its scale 2.

Two things say so: an observation that somebody scored on scale 2 within the last day (SNOMED CT, UK edition; value
set CareConnect-SaturatedOxygenSp02Scale-1 of HL7 UK), and an active order whose words name the target. No code of the
international edition does. It is never inferred from a diagnosis: most people with COPD are not on scale 2, and the
Royal College of Physicians leaves the choice to a clinician who has seen the blood gas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from cds_service.features.feature import Feature, FeatureValue
from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import SNOMED, codings
from cds_service.fhir.record import PatientRecord
from cds_service.language import msg

SCALE_1, SCALE_2 = "1104311000000102", "1104321000000108"  # RCP NEWS2 - oxygen saturation scale 1 (2) score
_SCALES = frozenset({SCALE_1, SCALE_2})
TOKENS = tuple(f"{SNOMED}|{code}" for code in (SCALE_1, SCALE_2))  # for searches
SCORED_WITHIN = timedelta(days=1)
_ABOUT = re.compile(r"oxygen|satur|sats|spo2|sp02|\bo2\b", re.IGNORECASE)
_RANGE = re.compile(r"(?<!\d)88\s*%?\s*(?:[-\u2010-\u2014~]|to|and|until)\s*92(?!\d)", re.IGNORECASE)
_OTHERWISE = re.compile(r"\b(?:not?|never|unless|instead|stop(?:ped)?|cancel\w*|if)\b|94", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PrescribedTarget(Feature):
    """True if a saturation of 88-92 % is prescribed."""


def prescribed_target(record: PatientRecord, feature: PrescribedTarget) -> FeatureValue:
    """True with what says so, else False; the latest scale that was scored comes before an older order."""
    scored = _last_scored(record)
    if scored is not None and scored[0] == SCALE_1:
        return FeatureValue(feature, False, None, (scored[1],))
    if scored is not None:
        note = msg("Saturation was scored on scale 2 within the last day.")
        return FeatureValue(feature, True, None, (scored[1],), note=note)
    orders = tuple(sorted(_orders(record)))
    if not orders:
        return FeatureValue(feature, False, None, (), inferred=True)
    return FeatureValue(feature, True, None, orders, note=msg("An active order names the target of 88% to 92%."))


def _last_scored(record: PatientRecord) -> tuple[str, str] | None:
    """The code of the scale that was last scored, and the reference of the observation."""
    if record.other_codes.isdisjoint(_SCALES):
        return None  # nearly always: a record of hundreds of measurements is then not put in order for this
    for row in record.rows(fhir.Observation):
        time = record.date_of(row)
        if time is None or record.as_of - time.start > SCORED_WITHIN:
            return None
        for system, code in codings((row.code, *(component.code for component in row.component))):
            if system == SNOMED and code in (SCALE_1, SCALE_2):
                return code, record.reference(row)
    return None


def _orders(record: PatientRecord) -> Iterator[str]:
    """References of active orders whose words name the target, and nothing that speaks against it."""
    for row in record.rows(fhir.ServiceRequest):
        if row.status != "active" or row.do_not_perform or row.code is None:
            continue
        words = " ".join(filter(None, (row.code.text, *(c.display for c in row.code.coding))))
        if _ABOUT.search(words) and _RANGE.search(words) and not _OTHERWISE.search(words):
            yield record.reference(row)
