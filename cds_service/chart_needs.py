"""What the review app asks of a patient's chart once a clinician asks a question: searches that name the patient alone.

The facts of `summary/collecting.py` read these types. What a service's models read is narrower, in codes and windows,
and is asked for by `needs.py`. Documents are not among them: the app reads them with their text, under limits of their
own. Observations are asked for by category, because many servers search them by category or code only
(hl7.org/fhir/us/core/STU6.1/StructureDefinition-us-core-observation-lab.html, "Mandatory Search Parameters").
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from cds_service.hook_needs import LEAVING
from cds_service.language import Message, msg
from cds_service.needs import COMMON, ENCOUNTERS, IMMUNIZATIONS, PROCEDURES, Need

_PATIENT = "{{context.patientId}}"


def _list(type_: str, query: str, label: Message, *, patient: str = "patient=", part: bool = False) -> Need:
    return Need(f"{type_}?{patient}{_PATIENT}{query}", (type_,), label, required=False, part=part)


def _observed(categories: str, label: Message) -> Need:
    return _list("Observation", f"&category={categories}&_sort=-date&_count=200", label, part=True)


# All rows of a list are read, page by page, also those that are over: a question may be about them.
CHART: Mapping[str, Need] = MappingProxyType({
    "conditions": replace(COMMON["conditions"], required=False),
    "prescriptions": _list("MedicationRequest", "&_sort=-authoredon&_count=200", COMMON["medications"].label),
    "medicines": _list("MedicationStatement", "&_count=200", COMMON["medicationStatements"].label),
    "allergies": COMMON["allergies"],
    "laboratory": _observed("laboratory", msg("laboratory results")),
    "vitalSigns": _observed("vital-signs", msg("vital signs")),
    "socialHistory": _observed("social-history", msg("social history")),
    "observations": _observed("survey,exam,imaging,procedure,therapy,activity", msg("other observations")),
    "procedures": replace(PROCEDURES, newest=False),
    "encounters": replace(ENCOUNTERS, newest=False, label=msg("visits and stays")),
    "reports": _list("DiagnosticReport", "&_sort=-date&_count=50", msg("reports")),
    "immunizations": IMMUNIZATIONS,
    "orders": _list("ServiceRequest", "&_sort=-authored&_count=100", COMMON["orders"].label),
    "carePlans": _list("CarePlan", "&_count=50", LEAVING["carePlans"].label),
    "goals": _list("Goal", "&_count=50", msg("goals")),
    "devices": _list("Device", "&_count=50", msg("devices")),
    "flags": _list("Flag", "&_count=50", msg("warnings on the chart")),
    "appointments": _list("Appointment", "&_sort=-date&_count=100", LEAVING["appointments"].label),
    "familyHistory": _list("FamilyMemberHistory", "&_count=50", msg("family history")),
    "adverseEvents": _list("AdverseEvent", "&_count=50", msg("adverse events"), patient="subject=Patient/"),
    "consents": _list("Consent", "&_count=50", msg("consents and advance directives")),
    "deviceUse": _list("DeviceUseStatement", "&_count=50", msg("devices in use")),
})  # fmt: skip
