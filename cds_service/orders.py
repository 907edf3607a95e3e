"""What services may offer to order, and whether it has been ordered already: no card asks twice.

Codes: LOINC for laboratory tests and bedside measurements. Referrals and imaging are named in words, because their
codes differ by national edition of SNOMED CT.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from cds_service import language
from cds_service.features.feature import Reason, Unusable
from cds_service.fhir import codes, propose
from cds_service.fhir.context import ClinicalContext
from cds_service.fhir.resources import Appointment, ServiceRequest
from cds_service.fhir.times import parse
from cds_service.findings import Proposal
from cds_service.language import Message, Words, msg, within
from cds_service.risk.published import listed

# What the EHR did not let us see, or a list that does not say: no order brings it.
UNSEEN = frozenset({Reason.NO_LIST, Reason.UNREADABLE, Reason.UNAVAILABLE})
UNKNOWN = frozenset({Reason.ABSENT, Reason.STALE, *UNSEEN})  # nothing says that anything is wrong
_BOOKED = frozenset({"booked", "arrived", "checked-in"})
_HAN = re.compile(r"[\u4e00-\u9fff]")
_PENDING = frozenset({"draft", "active", "on-hold"})


@dataclass(frozen=True, slots=True)
class Orderable:
    """Something that a suggestion may order.

    key: stable; names the suggestion. label: what the button says.
    same: LOINC codes whose order would do as well. named: words of an order's text that mean the same.
    said: the order's text with its places, where it has some. mends: ids of the features that it would bring.
    """

    key: str
    label: Message
    order: propose.Order
    same: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    mends: tuple[str, ...] = ()
    said: Message | None = None

    @property
    def words(self) -> Message:
        """The order's text, for a reader of any language."""
        return self.said or msg(self.order.text)


LIPID_PANEL = Orderable(
    "lipid-panel",
    msg("Order a lipid panel"),
    propose.laboratory("24331-1", "Lipid 1996 panel - Serum or Plasma", "Lipid panel"),
    same=("24331-1", "57698-3", "100898-6", "2093-3", "2085-9"),
    named=("lipid", "cholesterol"),
    mends=("total_cholesterol", "hdl", "ldl", "non_hdl"),
)
CREATININE = Orderable(
    "creatinine",
    msg("Order serum creatinine with eGFR"),
    propose.laboratory("2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "Serum creatinine with eGFR"),
    same=("2160-0", "14682-9", "38483-4", "98979-8", "24323-8", "24321-2", "24362-6"),
    named=("creatinine", "metabolic panel", "renal function", "egfr"),
    mends=("creatinine", "egfr", "creatinine_highest"),
)
UACR = Orderable(
    "urine-albumin-creatinine",
    msg("Order urine albumin-to-creatinine ratio"),
    propose.laboratory("9318-7", "Albumin/Creatinine [Mass Ratio] in Urine", "Urine albumin-to-creatinine ratio"),
    same=("9318-7", "14959-1", "13705-9", "32294-1", "14585-4"),
    named=("albumin-to-creatinine", "albumin/creatinine", "albumin creatinine", "microalbumin", "uacr"),
    mends=("uacr",),
)
LIVER_PANEL = Orderable(
    "liver-panel",
    msg("Order a liver panel (AST, ALT)"),
    propose.laboratory("24325-3", "Hepatic function 2000 panel - Serum or Plasma", "Liver panel (AST, ALT)"),
    same=("24325-3", "24323-8", "1920-8", "1742-6"),
    named=("liver panel", "hepatic", "liver function", "comprehensive metabolic"),
    mends=("ast", "alt", "bilirubin_highest", "bilirubin_quarter", "albumin_quarter"),
)
BLOOD_COUNT = Orderable(
    "blood-count",
    msg("Order a blood count with platelets"),
    propose.laboratory("58410-2", "CBC panel - Blood by Automated count", "Blood count with platelets"),
    same=("58410-2", "57021-8", "777-3", "26515-7"),
    named=("blood count", "cbc", "platelet"),
    mends=("platelets", "hemoglobin", "wbc", "hemoglobin_stay", "platelets_lowest"),
)
BLOOD_PRESSURE = Orderable(
    "blood-pressure",
    msg("Measure blood pressure"),
    propose.measurement("85354-9", "Blood pressure panel with all children optional", "Blood pressure"),
    same=("85354-9", "55284-4"),
    named=("blood pressure",),
    mends=("sbp", "dbp"),
)
BODY_SIZE = Orderable(
    "weight-and-height",
    msg("Measure weight and height"),
    propose.measurement("39156-5", "Body mass index (BMI) [Ratio]", "Weight and height (body mass index)"),
    same=("39156-5", "29463-7", "8302-2"),
    named=("weight", "bmi", "body mass index"),
    mends=("bmi", "weight", "height"),
)
UREA_NITROGEN = Orderable(
    "urea-nitrogen",
    msg("Order urea nitrogen"),
    propose.laboratory("3094-0", "Urea nitrogen [Mass/volume] in Serum or Plasma", "Urea nitrogen"),
    same=("3094-0", "6299-2", "22664-7", "24323-8", "24321-2", "24362-6"),
    named=("urea", "bun", "metabolic panel", "renal function"),
    mends=("bun_acute",),
)
SODIUM = Orderable(
    "sodium",
    msg("Order sodium"),
    propose.laboratory("2951-2", "Sodium [Moles/volume] in Serum or Plasma", "Sodium"),
    same=("2951-2", "2947-0", "24323-8", "24321-2", "24326-1"),
    named=("sodium", "electrolytes", "metabolic panel"),
    mends=("sodium_stay", "sodium"),
)
POTASSIUM = Orderable(
    "potassium",
    msg("Order potassium"),
    propose.laboratory("2823-3", "Potassium [Moles/volume] in Serum or Plasma", "Potassium"),
    same=("2823-3", "6298-4", "24323-8", "24321-2", "24326-1", "24362-6"),
    named=("potassium", "electrolytes", "metabolic panel", "renal function"),
    mends=("potassium",),
)
LACTATE = Orderable(
    "lactate",
    msg("Order lactate"),
    propose.laboratory("2524-7", "Lactate [Moles/volume] in Serum or Plasma", "Lactate"),
    same=("2524-7", "32693-4", "2518-9", "2519-7"),
    named=("lactate",),
    mends=("lactate",),
)
BLOOD_CULTURE = Orderable(
    "blood-culture",
    msg("Order blood cultures"),
    propose.laboratory("600-7", "Bacteria identified in Blood by Culture", "Blood cultures, two sets"),
    same=("600-7", "17928-3", "90423-5"),
    named=("blood culture",),
)
METABOLIC_PANEL = Orderable(
    "basic-metabolic-panel",
    msg("Order a basic metabolic panel (sodium, creatinine)"),
    propose.laboratory("24321-2", "Basic metabolic 2000 panel - Serum or Plasma", "Basic metabolic panel"),
    same=("24321-2", "24323-8", "24362-6", "51990-0"),
    named=("metabolic panel", "renal function", "electrolytes"),
    mends=("sodium_quarter", "creatinine_quarter"),
)
INR = Orderable(
    "inr",
    msg("Order INR"),
    propose.laboratory("6301-6", "INR in Platelet poor plasma by Coagulation assay", "INR"),
    same=("6301-6", "34714-6", "5902-2", "34528-0"),
    named=("inr", "prothrombin"),
    mends=("inr",),
)
HBA1C = Orderable(
    "hba1c",
    msg("Order HbA1c"),
    propose.laboratory("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood", "HbA1c"),
    same=("4548-4", "17856-6", "59261-8", "4549-2"),
    named=("hba1c", "a1c", "glycated", "glycohemoglobin"),
    mends=("hba1c",),
)
ORDERABLE = (
    LIPID_PANEL, CREATININE, UACR, LIVER_PANEL, BLOOD_COUNT, BLOOD_PRESSURE, BODY_SIZE, UREA_NITROGEN, SODIUM, LACTATE,
    METABOLIC_PANEL, INR, HBA1C, POTASSIUM,
)  # fmt: skip


def referral(key: str, label: Message, text: Message, *named: str) -> Orderable:
    """A referral in words; `named` are words of an existing order's text that mean the same."""
    return Orderable(key, label, propose.referral(str(text)), named=named, said=text)


def bedside(key: str, label: Message, text: Message, *named: str) -> Orderable:
    """Observations to make at the bedside, in words."""
    return _in_words(propose.MONITORING, key, label, text, named)


def therapy(key: str, label: Message, text: Message, *named: str) -> Orderable:
    """A treatment or a measure in words, for a clinician to choose and complete."""
    return _in_words(propose.THERAPY, key, label, text, named)


def imaging(key: str, label: Message, text: Message, *named: str) -> Orderable:
    """An imaging test in words."""
    return _in_words(propose.IMAGING, key, label, text, named)


def laboratory(key: str, label: Message, text: Message, *named: str) -> Orderable:
    """A laboratory test in words, where which one it is depends on the laboratory."""
    return _in_words(propose.LABORATORY, key, label, text, named)


def screening(key: str, label: Message, text: Message, *named: str) -> Orderable:
    """Screening for cancer in words, where the patient chooses among kinds of tests."""
    return _in_words(propose.SCREENING, key, label, text, named)


def _in_words(
    category: tuple[str, str, str], key: str, label: Message, text: Message, named: tuple[str, ...]
) -> Orderable:
    return Orderable(key, label, propose.Order(category, str(text)), named=named, said=text)


def pending(context: ClinicalContext, what: Orderable) -> bool:
    """True if it is ordered and not yet done, or among the hook's drafts."""
    drafts = (d for d in context.drafts if isinstance(d, ServiceRequest))
    orders = (o for o in context.record.rows(ServiceRequest) if o.status in _PENDING)
    return any(_is(order, what) for order in (*orders, *drafts) if not order.do_not_perform)


def visit_booked(context: ClinicalContext, until: date) -> bool:
    """True if an appointment is booked for a day from tomorrow to a last one."""
    booked = (parse(row.start) for row in context.record.rows(Appointment) if row.status in _BOOKED)
    return any(span is not None and context.now.date() < span.start.date() <= until for span in booked)


def _is(order: ServiceRequest, what: Orderable) -> bool:
    if any(system == codes.LOINC and code in what.same for system, code in codes.codings((order.code,))):
        return True
    text = (codes.label(order.code) or "").casefold()
    if _HAN.search(text):  # our own order, accepted by a reader of Chinese
        return bool(what.named) and _chinese()(Message(what.words.text)).partition("{")[0].casefold() in text
    return any(name in text for name in what.named)


def _chinese() -> Words:
    """The Chinese catalogue, loaded where an order is in Chinese."""
    return language.words("zh_Hans")


def offer(
    context: ClinicalContext,
    what: Orderable,
    reason: Message | str,
    *,
    priority: str = "routine",
    due: date | None = None,
) -> tuple[Proposal, ...]:
    """One suggestion that orders it for this patient, or none if it is ordered already.

    reason: becomes `reasonCode.text`; says why in words, without the patient's values.
    """
    why = reason if isinstance(reason, Message) else msg(reason)
    if pending(context, what):
        return ()
    resource = propose.service_request(
        context.record.patient_id,
        what.order,
        str(why),
        context.now,
        encounter_id=context.encounter_id,
        priority=priority,
        due=due,
    )
    description = msg("Creates a draft order for signature: {order}", order=what.words)
    return (Proposal(what.key, what.label, description, resource, said=(what.words, why)),)


def propose_medicine(context: ClinicalContext, name: str, rxcui: str | None, reason: str) -> Mapping[str, Any]:
    """A draft of an ingredient for this patient, without a dose."""
    return propose.medication_request(
        context.record.patient_id, name, rxcui, reason, context.now, encounter_id=context.encounter_id
    )


def lacking(missing: Iterable[Unusable]) -> Message | None:
    """Which inputs there are none of, or none that can be used: those that could be ordered or asked; None if none."""
    named = [u for u in missing if u.reason not in UNSEEN]
    if not named:
        return None
    labels = listed([within(u.feature.label) for u in named])
    if all(u.reason in (Reason.ABSENT, Reason.STALE) for u in named):
        return msg("missing or old: {inputs}", inputs=labels)
    return msg("no usable value: {inputs}", inputs=labels)


def mending(missing: Iterable[Unusable]) -> tuple[Orderable, ...]:
    """What to order so that the missing inputs are there next time, each once, in the order of the inputs.

    Nothing for those that the EHR did not let us see: they may be there; nor for an eGFR that only lacks age or sex.
    """
    lacking_here = (u for u in missing if u.reason is not Reason.UNAVAILABLE and not _lies_in_the_patient(u))
    wanted = dict.fromkeys(_BY_FEATURE[u.feature.id] for u in lacking_here if u.feature.id in _BY_FEATURE)
    return tuple(ORDERABLE[index] for index in wanted)


def _lies_in_the_patient(missing: Unusable) -> bool:
    """True if what is wrong stands in the Patient, which no measurement mends."""
    return bool(missing.sources) and all(source.startswith("Patient/") for source in missing.sources)


_BY_FEATURE: Mapping[str, int] = {id_: index for index, what in enumerate(ORDERABLE) for id_ in what.mends}
