"""The page of all inputs, written from their declarations.

python -m cds_service.features.inputs_page > docs/inputs.md
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import timedelta

from cds_service.features import catalogue, discharge, earlier_stays, intensive_care, oncology, serious_illness
from cds_service.features.aggregate import Aggregate
from cds_service.features.discharge import AtDischarge
from cds_service.features.earlier_stays import EarlierStays
from cds_service.features.feature import (
    Ambulatory,
    Coded,
    ConditionFeature,
    Demographic,
    Derived,
    Feature,
    FirstOf,
    Lasting,
    LowestRatio,
    MedicationFeature,
    Quantity,
)
from cds_service.features.hospital import InHospital
from cds_service.features.in_stay import DoneInStay
from cds_service.features.kidney_injury import Unsteady
from cds_service.features.operations import Surgery
from cds_service.features.recent import Recent, Suspected
from cds_service.features.saturation_target import PrescribedTarget
from cds_service.features.stays import OfStay
from cds_service.fhir.codes import CURBSIDE, LOINC, SNOMED

_HEAD = """\
# Inputs

What Curbside looks for in a record, and when it refuses what it finds.
This page is written from `cds_service/features/` by `python -m cds_service.features.inputs_page > docs/inputs.md`.

Rules that hold for all of them:

- Code and system must both match; OIDs of the systems count as the systems.
- The latest usable value inside the window counts.
  If a newer entry cannot be used, the value says so; different values of one time are a conflict and give no value.
- Units are UCUM, or a spelling that can mean one thing only.
  A missing, unknown or self-contradictory unit gives no value, and so do `<5`, a text, and a value outside the limits.
- Of a date without a day, the first day counts for the window.
- A condition is present if an entry is active and confirmed, or has no doubt stated.
  It is absent only if the problem list holds at least one entry with a code that is read here, or says that nothing is known; an empty list, or one in words alone, says nothing.
- A medicine is in use if a prescription or statement is in force.
  It is absent if the list was supplied, even if it is empty; an entry that cannot be read forbids that conclusion.
"""  # noqa: E501


_COMPUTED = (Derived, FirstOf, Lasting, LowestRatio, Demographic, Aggregate)
_READ = {
    Unsteady: "all values of `creatinine`: KDIGO 2012, with the reference values of NHS England's alerts",
    InHospital: "Encounters that go on, of class IMP, ACUTE, NONAC, EMER, OBSENC or SS",
    AtDischarge: "Encounters, and the diagnoses, medicines and procedures of the stay that ends",
    DoneInStay: "Procedures in the first hours of the stay",
    OfStay: "the inpatient Encounter that goes on or has just ended, earlier Encounters, Procedures of the stay",
    EarlierStays: "inpatient Encounters before the present one, if they reach back a year before it",
    Surgery: "Procedures that are operations by category, code or name",
    Recent: "entries of the problem list by their onset",
    Suspected: "unconfirmed entries, and reasons of open orders and of the present Encounter",
    PrescribedTarget: "active orders that name the target, and observations scored on scale 2 (SNOMED CT, UK)",
}


def page() -> str:
    """The page in Markdown."""
    features = _with_those_of_models()
    parts = [
        _HEAD,
        "## Measured\n",
        *_table(
            ("input", "id", "unit", "LOINC", "limits", "window", "further units"),
            [_quantity(f) for f in features if isinstance(f, Quantity)],
        ),
        "\n## Answers\n",
        *_table(("input", "id", "LOINC", "answers", "window"), [_coded(f) for f in features if isinstance(f, Coded)]),
        "\n## Computed, chosen and personal\n",
        *_table(
            ("input", "id", "unit", "from"),
            [_computed(f) for f in features if isinstance(f, _COMPUTED)]
            + [(str(f.label), f"`{f.id}`", "", _READ[type(f)]) for f in features if type(f) in _READ],
        ),
        "\n## Conditions\n",
        *_table(
            ("input", "id", "SNOMED CT", "ICD-10", "resolved ones count"),
            [_condition(f) for f in features if isinstance(f, ConditionFeature)],
        ),
        "\n## Medicines\n",
        *_table(
            ("input", "id", "ingredients", "ATC"),
            [
                (str(f.label), f"`{f.id}`", ", ".join(f.names), ", ".join(f.atc))
                for f in features
                if isinstance(f, MedicationFeature)
            ],
        ),
    ]
    return "\n".join(parts) + "\n"


def _with_those_of_models() -> tuple[Feature, ...]:
    """The catalogue, then what trained models add: of tumours, stays, serious illness and intensive care; each once."""
    tumours = [feature for feature in vars(oncology).values() if isinstance(feature, Feature)]
    care = [
        f
        for series in (*intensive_care.VITALS.values(), *intensive_care.LABS.values())
        for f in (series[0].of, *series)
    ]
    further = (
        *tumours, *(f for f in vars(discharge).values() if isinstance(f, Feature)), *earlier_stays.FEATURES,
        *serious_illness.FEATURES, *care, *intensive_care.OXYGENATION, intensive_care.VENTILATED,
        *intensive_care.CHANGES.values(), intensive_care.SHOCK_INDEX, intensive_care.BUN_TO_CREATININE,
        *intensive_care.POINTS,
    )  # fmt: skip
    known = catalogue.all_features()
    ids = {feature.id for feature in known}
    return (*known, *{feature.id: feature for feature in further if feature.id not in ids}.values())


def _first_of(snomed: tuple[str, ...]) -> str:
    """The codes; of a long list the first and how many follow (all are in `snomed_lists.py`)."""
    if len(snomed) <= 60:
        return ", ".join(snomed)
    return f"{', '.join(snomed[:20])} and {len(snomed) - 20} more"


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterable[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def _quantity(feature: Quantity) -> tuple[str, ...]:
    low, high = feature.plausible
    special = ", ".join(f"`{unit}`" for unit in feature.conversions)
    where = " (not taken in hospital)" if isinstance(feature, Ambulatory) else ""
    return (
        str(feature.label) + where,
        f"`{feature.id}`",
        f"`{feature.unit}`",
        _codes(feature),
        f"{low:g} to {high:g}",
        _window(feature.look_back),
        special,
    )


_SYSTEMS = {
    LOINC: "{}",
    CURBSIDE: "`curbside|{}`",
    SNOMED: "SNOMED CT {}",
    oncology.NCIT: "NCI Thesaurus {}",
    oncology.AJCC: "AJCC {}",
}


def _coded(feature: Coded) -> tuple[str, ...]:
    words: dict[object, list[str]] = {}
    for (system, code), word in feature.answers.items():
        words.setdefault(word, []).append(_SYSTEMS[system].format(code))
    answers = "; ".join(f"**{_shown(word)}**: {', '.join(codes)}" for word, codes in words.items())
    return (
        str(feature.label),
        f"`{feature.id}`",
        _codes(feature),
        answers or "none",
        _window(feature.look_back),
    )


def _codes(feature: Quantity | Coded) -> str:
    """LOINC codes, or the own id to which a hospital maps its local codes (`docs/local-codes.md`)."""
    own = feature.codes == (feature.id,)
    return (
        f"none; `curbside|{feature.id}`"
        if own
        else ", ".join(c.replace(f"{SNOMED}|", "SNOMED CT ") for c in feature.codes) or "none"
    )


def _shown(word: object) -> str:
    return {True: "yes", False: "no"}.get(word, str(word)) if isinstance(word, bool) else str(word)


def _computed(feature: Derived | FirstOf | Lasting | LowestRatio | Demographic | Aggregate) -> tuple[str, ...]:
    if isinstance(feature, Aggregate):
        source = (
            f"{feature.statistic.value} of `{feature.of.id}` in the first {feature.hours:g} h of {feature.stay.label}"
        )
        return str(feature.label), f"`{feature.id}`", f"`{feature.of.unit}`", source
    if isinstance(feature, Demographic):
        return str(feature.label), f"`{feature.id}`", "a" if feature.id == "age" else "", "Patient"
    if isinstance(feature, Lasting):
        source = f"all values of `{feature.creatinine.id}` and the age at each"
        return str(feature.label), f"`{feature.id}`", "", source
    if isinstance(feature, LowestRatio):
        source = f"lowest of `{feature.numerator.id}` / `{feature.denominator.id}` taken together"
        return str(feature.label), f"`{feature.id}`", f"`{feature.unit}`", source
    parts: tuple[Feature, ...] = feature.inputs if isinstance(feature, Derived) else feature.alternatives
    joined = (", " if isinstance(feature, Derived) else ", else ").join(f"`{part.id}`" for part in parts)
    return str(feature.label), f"`{feature.id}`", f"`{feature.unit}`" if feature.unit else "", joined


def _condition(feature: ConditionFeature) -> tuple[str, ...]:
    prefixes = ", ".join(feature.icd10)
    if feature.id == "cancer":
        prefixes = "C00 to C97 but C44, C4A, C7A, C7B"
    return (
        str(feature.label) + _elsewhere(feature) + (" (entries of a recurrence or relapse)" if feature.again else ""),
        f"`{feature.id}`",
        _first_of(feature.snomed),
        prefixes,
        "yes" if feature.ever else "",
    )


def _elsewhere(feature: ConditionFeature) -> str:
    """What beside the problem list counts, in words."""
    wanted = feature.elsewhere
    if wanted is None:
        return ""
    told = [f"orders and visits of SNOMED CT {', '.join(wanted.codes)}"] if wanted.codes else []
    if wanted.done:
        when = "" if wanted.done_days is None else f" in the last {wanted.done_days} days"
        told += [f"a Procedure{when} with one of those SNOMED CT codes that name what was done"]
    told += [f"answers {', '.join(wanted.answers)} to LOINC {', '.join(wanted.questions)}"] if wanted.questions else []
    return f" (or {'; '.join(told)})"


def _window(look_back: timedelta | None) -> str:
    if look_back is None:
        return "any time"
    if look_back <= timedelta(days=1):
        return f"{look_back.total_seconds() / 3600:g} h"
    if look_back < timedelta(days=300):
        return f"{look_back.days} d"
    return f"{round(look_back.days / 365.25)} a"


if __name__ == "__main__":
    sys.stdout.write(page())
