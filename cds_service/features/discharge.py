"""What a stay in hospital tells at its end: where from, where to, how much was found, given and done, what came before.

Words come from `Encounter.hospitalization` and `Encounter.priority` by the code systems that HL7 and the National
Uniform Billing Committee give for them. What is not stated, or stated in another code, is unknown, never "home".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum

from cds_service.features import operations, stays
from cds_service.features.catalogue import HBA1C, METFORMIN
from cds_service.features.contacts import held, is_part
from cds_service.features.feature import Derived, Feature, FeatureValue, MedicationFeature, Reason, Unusable
from cds_service.features.medicines_on_record import MedicationList, distinct
from cds_service.features.stay_diagnoses import StayDiagnoses
from cds_service.features.stays import Stay
from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import codings
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.times import parse
from cds_service.language import msg

HOME, HOME_CARE, OUTPATIENT, NURSING = "home", "home with home care", "outpatient care", "nursing facility"
HOSPITAL, REHABILITATION, AGAINST = "another hospital", "rehabilitation", "left against advice"
PSYCHIATRIC = "psychiatric hospital"
DIED, HOSPICE = "died", "hospice"
ELECTIVE, URGENT, EMERGENCY = "elective", "urgent", "emergency"
REFERRED, BY_EMERGENCY, TRANSFERRED = "referral", "emergency department", "transfer"
# Code -> word; the two systems share no code.
_DISPOSITIONS: Mapping[str, str] = {
    "home": HOME, "alt-home": HOME, "long": NURSING, "snf": NURSING, "other-hcf": HOSPITAL, "rehab": REHABILITATION,
    "psy": PSYCHIATRIC, "aadvice": AGAINST, "exp": DIED, "hosp": HOSPICE,
    "01": HOME, "06": HOME_CARE, "03": NURSING, "04": NURSING, "61": NURSING, "64": NURSING, "02": HOSPITAL,
    "63": HOSPITAL, "66": HOSPITAL, "43": HOSPITAL, "05": REHABILITATION, "62": REHABILITATION, "07": AGAINST,
    "65": PSYCHIATRIC, "20": DIED, "40": DIED, "41": DIED, "42": DIED, "50": HOSPICE, "51": HOSPICE,
}  # fmt: skip
_SOURCES: Mapping[str, str] = {
    "gp": REFERRED, "mp": REFERRED, "outp": REFERRED, "emd": BY_EMERGENCY, "hosp-trans": TRANSFERRED,
    "nursing": TRANSFERRED, "psych": TRANSFERRED, "rehab": TRANSFERRED,
}  # fmt: skip
_PRIORITIES: Mapping[str, str] = {
    "EL": ELECTIVE, "R": ELECTIVE, "P": ELECTIVE, "UR": URGENT, "A": URGENT, "EM": EMERGENCY, "S": EMERGENCY,
    "T": EMERGENCY,
}  # fmt: skip
YEAR = timedelta(days=366)
MOST_DIAGNOSES, MOST_PROCEDURES = 16.0, 6.0  # as far as the training data count


class EndFact(Enum):
    """What is asked of the end of a stay."""

    SOURCE = "source"
    PRIORITY = "priority"
    DISPOSITION = "disposition"
    DIAGNOSES = "diagnoses"
    MEDICINES = "medicines"
    PROCEDURES = "procedures"
    EMERGENCY_VISITS = "emergency-visits"
    OUTPATIENT_VISITS = "outpatient-visits"


@dataclass(frozen=True, slots=True)
class AtDischarge(Feature):
    """A word or a number of a stay that ends. unit: UCUM, empty for words."""

    fact: EndFact
    unit: str = ""
    digits: int = 0


ADMISSION_SOURCE = AtDischarge("admission_source", msg("Admitted from"), EndFact.SOURCE)
ADMISSION_PRIORITY = AtDischarge("admission_priority", msg("Kind of admission"), EndFact.PRIORITY)
DISPOSITION = AtDischarge("disposition", msg("Discharged to"), EndFact.DISPOSITION)
DIAGNOSES = AtDischarge("stay_diagnoses", msg("Diagnoses of the stay"), EndFact.DIAGNOSES, "1")
MEDICINES = AtDischarge("stay_medicines", msg("Medicines in the stay"), EndFact.MEDICINES, "1")
PROCEDURES = AtDischarge("stay_procedures", msg("Procedures in the stay"), EndFact.PROCEDURES, "1")
EMERGENCY_YEAR = AtDischarge(
    "emergency_visits_year", msg("Emergency visits in the 12 months before the stay"), EndFact.EMERGENCY_VISITS, "1"
)
OUTPATIENT_YEAR = AtDischarge(
    "outpatient_visits_year", msg("Outpatient visits in the 12 months before the stay"), EndFact.OUTPATIENT_VISITS, "1"
)
HBA1C_OF_STAY = replace(HBA1C, id="hba1c_stay", label=msg("HbA1c of the last 30 days"), look_back=timedelta(days=30))


_LABELS = {
    "insulin": msg("Insulin"),
    "sulfonylurea": msg("Sulfonylurea"),
    "glitazone": msg("Glitazone"),
    "other_glucose_lowering": msg("Another glucose-lowering medicine"),
}


def _medicine(id_: str, names: str, rxnorm: str, atc: str) -> MedicationFeature:
    return MedicationFeature(
        id_, _LABELS[id_], tuple(rxnorm.split()), names=tuple(names.split()), atc=tuple(atc.split())
    )


INSULIN = _medicine(
    "insulin", "insulin glargine lispro aspart detemir degludec glulisine", "5856 274783 86009 51428 139825 1670007 "
    "400008", "A10A",
)  # fmt: skip
SULFONYLUREA = _medicine(
    "sulfonylurea", "glipizide glimepiride glyburide glibenclamide gliclazide gliquidone", "4821 25789 4815 4816 25793",
    "A10BB A10BD01 A10BD02 A10BD04 A10BD06",
)  # fmt: skip
OTHER_GLUCOSE_LOWERING = _medicine(
    "other_glucose_lowering", "repaglinide nateglinide acarbose miglitol voglibose sitagliptin saxagliptin linagliptin "
    "alogliptin vildagliptin empagliflozin dapagliflozin canagliflozin ertugliflozin liraglutide semaglutide "
    "dulaglutide exenatide lixisenatide tirzepatide",
    "73044 274332 16681 593411 857974 1100699 1368001 596554 1545653 1488564 "
    "1373458 1992672 475968 1991302 1551291 60548 1440051 2601723", "A10BF A10BH A10BJ A10BK A10BX",
)  # fmt: skip
GLITAZONE = _medicine(
    "glitazone", "pioglitazone rosiglitazone", "33738 84108", "A10BG A10BD03 A10BD04 A10BD05 A10BD06 A10BD09"
)
DIABETES_MEDICINES = Derived(
    "diabetes_medicines",
    msg("Kinds of glucose-lowering medicine"),
    "1",
    (INSULIN, METFORMIN, SULFONYLUREA, GLITAZONE, OTHER_GLUCOSE_LOWERING),
    lambda *taken: float(sum(map(bool, taken))),
)


def at_discharge(
    record: PatientRecord, feature: AtDischarge, stay: Stay | None, medicines: Callable[[], MedicationList],
    diagnoses: Callable[[], StayDiagnoses],
) -> FeatureValue | Unusable:  # fmt: skip
    """The word or number with its sources, or why it cannot be told. stay: the present one."""
    if stay is None:
        words = msg("{what} cannot be told: no stay in hospital is on record", what=feature.label)
        return Unusable(feature, Reason.OUTSIDE, words)
    match feature.fact:
        case EndFact.SOURCE:
            given = stay.row.hospitalization.admit_source if stay.row.hospitalization is not None else None
            return _word(record, feature, stay, given, _SOURCES)
        case EndFact.DISPOSITION:
            given = stay.row.hospitalization.discharge_disposition if stay.row.hospitalization is not None else None
            return _word(record, feature, stay, given, _DISPOSITIONS)
        case EndFact.PRIORITY:
            return _word(record, feature, stay, stay.row.priority, _PRIORITIES)
        case EndFact.DIAGNOSES:
            return diagnoses().count(feature, MOST_DIAGNOSES)
        case EndFact.MEDICINES:
            return _medicines(record, feature, stay, medicines())
        case EndFact.PROCEDURES:
            return _procedures(record, feature, stay)
        case _:
            return _earlier(record, feature, stay)


def _word(
    record: PatientRecord, feature: Feature, stay: Stay, stated: fhir.CodeableConcept | None, words: Mapping[str, str]
) -> FeatureValue | Unusable:
    """The one word that the codes of an element mean; two are a conflict."""
    source = (record.reference(stay.row),)
    found = {words[code] for _, code in codings((stated,)) if code in words}
    if len(found) == 1:
        return FeatureValue(feature, found.pop(), stay.begun.start, source)
    if found:
        return Unusable(
            feature, Reason.CONFLICT, msg("{what} has contradictory codes", what=feature.label), None, source
        )
    if stated is not None and stated.coding:
        said = msg("{what} is coded in a way that cannot be read", what=feature.label)
        return Unusable(feature, Reason.NO_NUMBER, said, None, source)
    return Unusable(feature, Reason.ABSENT, msg("{what} is not on record", what=feature.label), None, source)


def _medicines(record: PatientRecord, feature: Feature, stay: Stay, current: MedicationList) -> FeatureValue | Unusable:
    """Different medicines ordered in the stay or in force at its end; unknown if no order of the stay is on record."""
    ordered = [
        row for row in record.rows(fhir.MedicationRequest)
        if row.status in ("active", "completed", "stopped", "on-hold") and not row.do_not_perform
        and (record.refers(row.encounter, row, stay.row) or _in(record, row, stay))
    ]  # fmt: skip
    if not ordered:
        words = msg("{what} cannot be told: no order of the stay is on record", what=feature.label)
        return Unusable(feature, Reason.NO_LIST, words)
    sources = {record.reference(row) for row in ordered} | {m.reference for m in current.medicines}
    return FeatureValue(feature, float(distinct(record, ordered, current)), stay.begun.start, tuple(sorted(sources)))


def _procedures(record: PatientRecord, feature: Feature, stay: Stay) -> FeatureValue | Unusable:
    """Procedures of the stay that a hospital would code; the training data count to six."""
    if not record.rows(fhir.Procedure) and not record.has_list("Procedure"):
        words = msg("{what} cannot be told: no procedures were supplied", what=feature.label)
        return Unusable(feature, Reason.NO_LIST, words)
    rows = [row for row in operations.done(record) if operations.is_coded(row) and _in(record, row, stay)]
    sources = tuple(sorted(record.reference(row) for row in rows))
    return FeatureValue(feature, min(float(len(rows)), MOST_PROCEDURES), stay.begun.start, sources, inferred=not rows)


def _earlier(record: PatientRecord, feature: AtDischarge, stay: Stay) -> FeatureValue | Unusable:
    """Visits of a kind in the year before the stay, without one that led to it."""
    since = stay.begun.start - YEAR
    kind: Iterable[fhir.Encounter] = stays.visits(record)
    if feature.fact is EndFact.OUTPATIENT_VISITS:
        every = record.rows(fhir.Encounter)
        kind = (r for r in every if r.class_ is not None and r.class_.code == "AMB" and held(r))
    found = (r for r in kind if not stays.led_to(record, r, stay) and stays.before(record, r, since, stay))
    rows = [r for r in found if not is_part(record, r)]
    return stays.counted(record, feature, rows, since)


def _in(record: PatientRecord, row: fhir.Resource, stay: Stay) -> bool:
    """Whether something happened between the beginning and the end of a stay."""
    span = record.date_of(row)
    ended = parse(stay.row.period.end) if stay.row.period is not None else None
    return span is not None and span.end >= stay.begun.start and (ended is None or span.start <= ended.end)
