"""What a summary must be able to tell at each hook, whatever models run: further prefetch keys and codes.

All of it is optional: an EHR that has no Appointment, say, leaves the key out, and the card names what is not
available. Sources of the lists: what a discharge summary must hold (Joint Commission RC.02.04.01; medicines,
pending results and follow-up: Kripalani S et al. JAMA 2007;297:831-841, doi:10.1001/jama.297.8.831); results that a
laboratory reports at once (Howanitz PJ et al. Arch Pathol Lab Med 2002;126:663-669).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from cds_service.features import catalogue
from cds_service.language import Message, msg
from cds_service.needs import COMMON, ENCOUNTERS, ENDED_MEDICATIONS, Need, SummaryNeeds
from cds_service.needs import KEYS as _KEYS

_PATIENT = "{{context.patientId}}"
PREGNANCY_STATUS = ("82810-3",)
DIRECTIVES = ("75320-2", "42348-3")  # advance directives
EGFR = catalogue.EGFR_REPORTED.codes
CREATININE = ("2160-0", "38483-4", "14682-9")
HAEMOGLOBIN = ("718-7", "30313-1", "59260-0")
POTASSIUM = ("2823-3", "6298-4")
QTC = ("8636-3", "8634-8")
WEIGHT = ("29463-7", "3141-9")
# Systolic and diastolic pressure, heart rate, respiratory rate, saturation, temperature: the last ones of a stay.
VITAL_SIGNS = (("8480-6",), ("8462-4",), ("8867-4",), ("9279-1",), ("59408-5", "2708-6"), ("8310-5",))
_PANELS = ("85354-9",)  # a blood pressure is found by the code of its panel
# Sodium, glucose, calcium, platelets, leucocytes, INR, lactate, troponin: what else is critical most often.
_CRITICAL = ("2951-2", "2947-0", "2345-7", "2339-0", "17861-6", "777-3", "26515-7", "26464-8", "6690-2", "6301-6",
             "34714-6", "2524-7", "32693-4", "10839-9", "6598-7", "67151-1", "89579-7")  # fmt: skip


def _list(type_: str, query: str, label: Message, *, newest: bool = False, part: bool = False) -> Need:
    template = f"{type_}?patient={_PATIENT}{query}"
    return Need(template, (type_,), label, required=False, newest=newest, part=part)


_STATEMENTS = _list("MedicationStatement", "&status=active,on-hold,stopped,completed&_count=200",
                    COMMON["medicationStatements"].label)  # fmt: skip
LEAVING: Mapping[str, Need] = MappingProxyType({
    "medicationStatements": _STATEMENTS,
    "endedMedications": ENDED_MEDICATIONS,
    "appointments": _list(
        "Appointment", "&status=proposed,pending,booked,waitlist&_sort=-date&_count=50", msg("appointments"),
        newest=True,
    ),
    "carePlans": _list("CarePlan", "&status=active&_count=50", msg("care plans")),
    "unfinishedReports": _list(
        "DiagnosticReport", "&status=registered,partial,preliminary&_sort=-date&_count=50",
        msg("reports that are not final"), newest=True, part=True,
    ),
})  # fmt: skip
_ADMITTED: Mapping[str, Need] = MappingProxyType({
    "devices": _list("Device", "&_count=50", msg("devices")),
    "flags": _list("Flag", "&status=active&_count=50", msg("warnings on the chart")),
})  # fmt: skip
_SEEN: Mapping[str, Need] = MappingProxyType({
    "encounters": ENCOUNTERS,
    "goals": _list("Goal", "&_count=50", msg("goals")),
})  # fmt: skip
_ANSWERS = (*PREGNANCY_STATUS, *DIRECTIVES)
_RESULTS = (*CREATININE, *HAEMOGLOBIN, *POTASSIUM, *_CRITICAL)  # at every hook: one may be critical
_ORDER = SummaryNeeds(_ANSWERS, (*EGFR, *_RESULTS, *QTC, *WEIGHT))
_TOLD: Mapping[str, SummaryNeeds] = {
    "patient-view": SummaryNeeds(_ANSWERS, _RESULTS, lists=_SEEN),
    "encounter-start": SummaryNeeds(_ANSWERS, _RESULTS, lists=_ADMITTED),
    "encounter-discharge": SummaryNeeds(
        _ANSWERS, _RESULTS,
        (*_PANELS, *(code for group in VITAL_SIGNS for code in group)), LEAVING,
    ),
    **dict.fromkeys(("order-select", "order-sign", "medication-refill", "medication-verify"), _ORDER),
}  # fmt: skip
KEYS = _KEYS.union(*(told.lists for told in _TOLD.values()))


def of(hook: str) -> SummaryNeeds:
    """What the summaries of a hook tell beside what models read; elsewhere answers and results."""
    return _TOLD.get(hook, SummaryNeeds(_ANSWERS, _RESULTS))
