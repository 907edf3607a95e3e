"""Limits by the patient's values: what a draft breaks, what `renal-dosing` judges in its place, what is not known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from cds_service import orders
from cds_service.drug_findings.steps import WORDS, capital, ordered, row_steps
from cds_service.features import catalogue
from cds_service.features.feature import Feature, FeatureValue, Reason
from cds_service.features.medicines_on_record import drafted
from cds_service.findings import EvidenceFinding, Finding, Severity
from cds_service.hook import Case
from cds_service.knowledge import renal_limits, safety
from cds_service.language import inside, msg
from cds_service.risk import published
from cds_service.risk.model import Citation, NotEstimated

CLEARANCE, CHILD_PUGH = "cockcroft-gault", "child-pugh"
TESTS: dict[str, Feature] = {
    "test:egfr": catalogue.EGFR,
    "test:creatinine": catalogue.CREATININE,
    "test:potassium": catalogue.POTASSIUM,
    "test:sodium": catalogue.SODIUM,
    "test:platelets": catalogue.PLATELETS,
    "test:hemoglobin": catalogue.HEMOGLOBIN,
    "test:white-cells": catalogue.WBC,
    "test:liver-tests": catalogue.ALT,
    "test:glucose": catalogue.GLUCOSE,
    "test:inr": catalogue.INR,
    "test:qtc": catalogue.QTC,
    "test:digoxin-level": catalogue.DIGOXIN_LEVEL,
    "test:lithium-level": catalogue.LITHIUM_LEVEL,
    "test:age": catalogue.AGE,
}
MODELS = {"test:crcl": CLEARANCE, "test:child-pugh": CHILD_PUGH}
UNITS = {"test:egfr": "mL/min/1.73 m²", "test:crcl": "mL/min"}
KIDNEY = frozenset({"test:egfr", "test:crcl", "test:creatinine"})
# A value that says nothing of a limit when it is older, though it still counts as one that was measured.
SHORT_LIVED = {
    "test:inr": timedelta(days=7),
    "test:glucose": timedelta(hours=12),
    "test:digoxin-level": timedelta(days=14),
    "test:lithium-level": timedelta(days=14),
}
BY_DOSE = {"order-sign": "renal-dosing", "order-select": "renal-dosing-select"}
ADULT = 18
SCHWARTZ, HEALTHY_CHILD = 0.413, 75.0  # mL/min/{1.73_m2} per cm of height over mg/dL; lower limit of normal


def values(case: Case) -> Callable[[str], FeatureValue | None]:
    """The patient's value for a test node, from a measurement or from a model's first estimate."""

    def value(test: str) -> FeatureValue | None:
        if test in MODELS:
            result = case.results[MODELS[test]]
            if isinstance(result, NotEstimated):
                return None
            estimate = result[0]
            label = case.models[MODELS[test]].title
            sources = tuple(dict.fromkeys(s for v in estimate.inputs for s in v.sources))
            return FeatureValue(Feature(test, label), estimate.value, estimate.effective, sources)
        found = case.values.usable(TESTS[test]) if test in TESTS else None
        if found is None or test not in SHORT_LIVED:
            return found
        fresh = found.effective is not None and case.context.now - found.effective <= SHORT_LIVED[test]
        return found if fresh else None

    return value


def limits(case: Case, draft: safety.Exposure, value: Callable[[str], FeatureValue | None]) -> Iterable[safety.Hit]:
    """Limits that the draft breaks and that are told here; none by an eGFR of which a card says that it is unknown."""
    unknown = any(not finding.quiet for finding in kidney_unknown(case, draft))
    for hit in safety.limits(case.knowledge, draft, value):
        if not (unknown and hit.other == "test:egfr") and not left_to_renal_dosing(case, hit.rows[0], draft):
            yield hit


def left_to_renal_dosing(case: Case, row: safety.Evidence, draft: safety.Exposure) -> bool:
    """True for a row by kidney function that `renal-dosing` judges, by the dose too, in this order here and now."""
    age = case.values.usable(catalogue.AGE)
    if "asks" not in row.properties or BY_DOSE.get(case.context.hook) not in case.beside:
        return False
    if age is None or published.whole_years(age) < ADULT:
        return False
    of = renal_limits.judged_as(row.subject)
    medicine = drafted(case.context.record, draft.row) if draft.row is not None else None
    return medicine is not None and medicine.belongs_to(of)


def kidney_unknown(case: Case, draft: safety.Exposure) -> tuple[Finding, ...]:
    """A limit by kidney function that cannot be judged; it opens a card where a creatinine is there but unusable."""
    rows = [r for r in safety.limited(case.knowledge, draft, KIDNEY) if not left_to_renal_dosing(case, r, draft)]
    unusable = case.values.unusable([catalogue.EGFR])
    unsteady = bool(case.values.flag(catalogue.CREATININE_UNSTEADY))
    if not rows or not (unusable or unsteady):
        return ()
    node = next(n for n in draft.nodes if rows[0].subject in case.knowledge.terms.above(n))
    name = case.knowledge.name(node)
    words = unusable[0].words if unusable else msg("creatinine is not steady")
    quiet = not unsteady and unusable[0].reason in (Reason.ABSENT, Reason.STALE, *orders.UNSEEN)
    child = _bedside_schwartz(case)
    if child is not None and child >= HEALTHY_CHILD:
        return ()
    if child is not None:
        words = msg("{why}; bedside Schwartz gives about {egfr} mL/min/1.73 m²", why=words, egfr=round(child))
    measured = case.values.usable(catalogue.CREATININE) is not None and not unsteady
    wanted = (
        ()
        if quiet or measured
        else orders.offer(case.context, orders.CREATININE, msg("Needed to judge an order of {drug}", drug=msg(name)))
    )
    finding = EvidenceFinding(
        key=f"drug-safety/kidney-unknown/{node.partition(':')[2]}",
        severity=Severity.WARNING if unsteady else Severity.INFO,
        headline=msg("{drug}: its limit by kidney function was not checked: {why}", drug=capital(name), why=words),
        short_headline=msg("{drug}: its limit by kidney function was not checked", drug=capital(name)),
        advice=msg(
            "Know the kidney function before this medicine is given: below {value} {unit} of {test} it is rated "
            "{limit}.",
            limit=WORDS[rows[0].severity],
            value=rows[0].properties["value"],
            unit=UNITS.get(rows[0].object, "mg/dL"),
            test=msg(inside(case.knowledge.name(rows[0].object))),
        ),
        advice_source=Citation(rows[0].citation, rows[0].url),
        proposals=tuple(wanted),
        quiet=quiet,
        path=(ordered(case, draft), *row_steps(case, rows[0])),
    )
    return (finding,)


def _bedside_schwartz(case: Case) -> float | None:
    """A child's eGFR in mL/min/{1.73_m2} from height and creatinine; None from 18 years on and in the first year.

    Source: Schwartz GJ et al. J Am Soc Nephrol 2009;20:629-637, doi:10.1681/ASN.2008030287.
    """
    age, height = case.values.number(catalogue.AGE), case.values.number(catalogue.HEIGHT)
    creatinine = case.values.number(catalogue.CREATININE)
    if age is None or height is None or creatinine is None or not 1 <= age < ADULT:
        return None
    return SCHWARTZ * height / creatinine
