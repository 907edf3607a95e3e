"""Draft orders of medicines that have a limit by kidney function: what, by which measure, how much a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import combinations

from cds_service.features import catalogue, medicines
from cds_service.features.courses import Course, at_once, follow
from cds_service.features.doses import drafted_daily_mg
from cds_service.features.feature import MedicationFeature
from cds_service.features.medicines_on_record import Medicine, drafted
from cds_service.features.order_reasons import CLOTS, NONE, PREVENTION, THROMBOSIS, Reasons, reasons_of
from cds_service.fhir.resources import MedicationRequest
from cds_service.findings import Proposal
from cds_service.hook import Case
from cds_service.knowledge import renal_limits
from cds_service.language import Message, msg, within

APIXABAN = (renal_limits.APIXABAN, renal_limits.Measure.CLEARANCE)  # by criteria of its own, not by a limit
MODELS = {renal_limits.Measure.CLEARANCE: "cockcroft-gault", renal_limits.Measure.EGFR: "ckd-epi-2021"}
ROUNDING = 1.1  # a dose by weight is rounded to what a syringe holds
UNITS = {renal_limits.Measure.CLEARANCE: "mL/min", renal_limits.Measure.EGFR: "mL/min/1.73 m²"}
NAMES = {
    renal_limits.Measure.CLEARANCE: msg("creatinine clearance"),
    renal_limits.Measure.EGFR: msg("eGFR"),
}


@dataclass(frozen=True)
class Draft:
    """A draft order of a medicine of the table: what, how much a day in mg if that can be read, for which weight.

    beside: further orders of the same medicine in the same call, which the kidney clears together with it.
    """

    row: MedicationRequest
    medicine: Medicine
    of: MedicationFeature
    measure: renal_limits.Measure
    daily_mg: float | None
    weight_kg: float | None
    reasons: Reasons = NONE
    beside: tuple[Draft, ...] = ()

    @property
    def orders(self) -> tuple[Draft, ...]:
        """This order and those beside it."""
        return (self, *self.beside)

    @property
    def course(self) -> Course:
        """When this order runs."""
        return self.medicine.course

    @property
    def least_mg(self) -> float | None:
        """The highest sum of daily doses that could be read and run at once, in mg; None if none could be read."""
        known = [(draft.course, draft.daily_mg) for draft in self.orders if draft.daily_mg is not None]
        return at_once([course for course, _ in known], [dose for _, dose in known]) if known else None

    @property
    def together_mg(self) -> float | None:
        """The highest sum of daily doses that run at once, in mg; None if one of them could not be read."""
        return None if any(draft.daily_mg is None for draft in self.orders) else self.least_mg

    @property
    def one_by_one(self) -> bool:
        """True if of the orders of this medicine two follow each other."""
        return any(follow(one.course, other.course) for one, other in combinations(self.orders, 2))

    @property
    def uses(self) -> frozenset[str]:
        """What the orders say that they are for."""
        return frozenset().union(*(draft.reasons.uses for draft in self.orders))

    def limit(self, value: float) -> renal_limits.Limit | None:
        """The row that holds at this kidney function for what the orders are for, or None."""
        return renal_limits.strictest(self.of, value, self.uses)

    def most_mg(self, limit: renal_limits.Limit) -> float | None:
        """The highest daily dose of a row for this patient, by weight where the row doses so; None if it has none."""
        if limit.most_mg_kg is None or self.weight_kg is None or CLOTS & self.uses == {PREVENTION}:
            return limit.most_mg
        return limit.most_mg_kg * self.weight_kg * ROUNDING

    def kept(self, limit: renal_limits.Limit) -> bool:
        """True if the daily dose is known and keeps to the row's highest, for every use unless the orders name one."""
        most = self.most_mg(limit) if CLOTS & self.uses == {THROMBOSIS} else limit.most_mg
        return most is not None and self.together_mg is not None and self.together_mg <= most

    def exceeds(self, limit: renal_limits.Limit) -> bool:
        """True if the daily dose is known and above what the row allows for any indication."""
        most = self.most_mg(limit)
        return most is not None and self.least_mg is not None and self.least_mg > most

    @property
    def name(self) -> Message:
        """What the order names: the medicine, and not the class that the row is about."""
        return msg(self.medicine.label) if self.of == medicines.NSAID and self.medicine.label else self.of.label

    @property
    def title(self) -> Message:
        """The name at the beginning of a sentence."""
        name = self.name
        return msg(name.text[:1].upper() + name.text[1:]) if name is not self.of.label else name

    @property
    def reference(self) -> str:
        """How the draft is cited."""
        return self.medicine.reference


def drafts_of(case: Case) -> tuple[Draft, ...]:
    """The drafts that are on the table, in the order of the client."""
    found = []
    for row in case.context.drafts:
        if not isinstance(row, MedicationRequest):
            continue
        medicine = drafted(case.context.record, row)
        if medicine is None or medicine.local:
            continue
        known = {of: measure for of, measure in (*renal_limits.MEDICINES, APIXABAN) if medicine.belongs_to(of)}
        wider = {renal_limits.NARROWER.get(of) for of in known}
        for of, measure in known.items():
            if of not in wider:
                dose = drafted_daily_mg(row, medicine.label or "", of)
                reasons = reasons_of(case.context.record, row)
                found.append(Draft(row, medicine, of, measure, dose, case.values.number(catalogue.WEIGHT), reasons))
    return _together(found)


def _together(found: Iterable[Draft]) -> tuple[Draft, ...]:
    """The orders of one medicine as one, with the others beside the first; an order that came twice is one."""
    groups: dict[tuple[str, str], dict[str, Draft]] = {}
    for place, draft in enumerate(found):
        name = ", ".join(sorted(draft.medicine.names)) or draft.of.id
        groups.setdefault((draft.of.id, name), {})[draft.row.id or str(place)] = draft
    return tuple(replace(first, beside=tuple(rest)) for first, *rest in (group.values() for group in groups.values()))


def ordered(draft: Draft) -> tuple[tuple[Message, str], ...]:
    """Each order by its words, with the daily dose as it was read; of several, their sum."""
    steps = tuple(_ordered(one) for one in draft.orders)
    if not draft.beside or draft.together_mg is None:
        return steps
    cited = ", ".join(dict.fromkeys(one.reference for one in draft.orders))
    words = msg("Together {dose} mg a day", dose=f"{draft.together_mg:g}")
    if draft.one_by_one:
        words = msg("They do not all run at once: at most {dose} mg a day", dose=f"{draft.together_mg:g}")
    return (*steps, (words, cited))


def _ordered(draft: Draft) -> tuple[Message, str]:
    name = draft.medicine.label or draft.of.label
    words = msg("Draft order: {name}; the daily dose could not be read", name=name)
    if draft.daily_mg is not None:
        words = msg("Draft order: {name}; {dose} mg a day", name=name, dose=f"{draft.daily_mg:g}")
    return draft.reasons.told(draft.course.told(words)), ", ".join((draft.reference, *draft.reasons.sources))


def row_step(draft: Draft, limit: renal_limits.Limit) -> tuple[Message, str]:
    """The row of the table in its own words, with the measure and unit of its numbers."""
    shown = {"measure": NAMES[draft.measure], "unit": UNITS[draft.measure]}
    return msg("Limit by {measure} ({unit}): {words}", words=limit.words, **shown), f"renal-limits/{limit.id}"


def withdrawals(draft: Draft) -> tuple[Proposal, ...]:
    """Takes the draft off, and each of those beside it; nothing is prescribed in its place."""
    drafts = [one for one in draft.orders if one.row.id]
    return tuple(_withdrawal(one, f"/{place}" if place else "") for place, one in enumerate(drafts))


def _withdrawal(draft: Draft, place: str) -> Proposal:
    return Proposal(
        key=f"withdraw/{draft.of.id}{place}",
        label=msg("Remove the draft order of {medicine}", medicine=within(draft.name)),
        description=msg("Deletes the draft, which has not been signed"),
        action="delete",
        resource_id=f"MedicationRequest/{draft.row.id}",
    )
