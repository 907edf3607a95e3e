"""What a service asks of the CDS Client: prefetch templates derived from the features that it uses.

One declaration holds code, unit and window of an input; discovery and execution read the same one, so that
what is asked for and what is used cannot drift apart. Templates keep to CDS Hooks 2.0 tokens, reads and type
searches with `_sort=-date` and `_count`, because clients skip what they cannot run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from cds_service.features.aggregate import Aggregate
from cds_service.features.diagnosis_groups import DiagnosisGroup
from cds_service.features.discharge import AtDischarge, EndFact
from cds_service.features.earlier_stays import EarlierStays
from cds_service.features.embedding import Embedding
from cds_service.features.feature import (
    Ambulatory,
    Coded,
    ConditionFeature,
    Derived,
    Feature,
    FirstOf,
    Lasting,
    LowestRatio,
    Quantity,
)
from cds_service.features.hospital import InHospital, MeasuredInHospital
from cds_service.features.in_stay import DoneInStay
from cds_service.features.kidney_injury import Unsteady
from cds_service.features.operations import Surgery
from cds_service.features.recent import Suspected
from cds_service.features.saturation_target import TOKENS, PrescribedTarget
from cds_service.features.stays import Fact, OfStay
from cds_service.fhir.code_map import NONE, CodeMap
from cds_service.fhir.codes import CURBSIDE, EMBEDDING, LOINC, SNOMED
from cds_service.language import Message, msg

_PATIENT = "{{context.patientId}}"
_KEYS_BY_CATEGORY = {
    "laboratory": "labs",
    "vital-signs": "vitalSigns",
    "genomics": "genomics",
    "screening": "screenings",
}
_COUNTS = {"labs": 500, "vitalSigns": 200, "answers": 50, "genomics": 200, "screenings": 100, "latest": 100}
_LABELS = {
    "labs": msg("laboratory results"),
    "vitalSigns": msg("vital signs"),
    "answers": msg("answers and observations"),
    "genomics": msg("genetic results"),
    "screenings": msg("results of screening"),
    "latest": msg("further latest measurements"),
}
_LOINC = f"{LOINC}|"
_CODE = re.compile(r"\d+-\d")


@dataclass(frozen=True, slots=True)
class Need:
    """One prefetch key: its template, the resource types it brings, and whether the service can do without it.

    label: what clinicians call it. newest: the first page is enough, for it holds the latest.
    part: it asks for some rows of its types only, and so says nothing about whether their list is complete.
    """

    template: str
    types: tuple[str, ...]
    label: Message
    required: bool = True
    newest: bool = False
    part: bool = False


@dataclass(frozen=True, slots=True)
class SummaryNeeds:
    """What a summary tells beside what models read. answers, latest, signs: LOINC codes. lists: by prefetch key."""

    answers: tuple[str, ...] = ()
    latest: tuple[str, ...] = ()
    signs: tuple[str, ...] = ()
    lists: Mapping[str, Need] = field(default_factory=dict)


NOTHING = SummaryNeeds()


@dataclass(frozen=True, slots=True)
class Gap:
    """A prefetch key without its data, or without the end of them, and why."""

    key: str
    need: Need
    reason: Message
    partial: bool = False


# Every service reads these: the person, the lists that absence is read from, and what the summary must not miss.
COMMON: Mapping[str, Need] = {
    "patient": Need(f"Patient/{_PATIENT}", ("Patient",), msg("patient")),
    "conditions": Need(f"Condition?patient={_PATIENT}&_count=500", ("Condition",), msg("problem list")),
    "medications": Need(
        f"MedicationRequest?patient={_PATIENT}&status=active,on-hold&_sort=-authoredon&_count=200",
        ("MedicationRequest",),
        msg("prescribed medicines"),
    ),
    "medicationStatements": Need(
        f"MedicationStatement?patient={_PATIENT}&status=active,on-hold&_count=200",
        ("MedicationStatement",),
        msg("medicines taken"),
        required=False,
    ),
    "allergies": Need(
        f"AllergyIntolerance?patient={_PATIENT}&_count=100", ("AllergyIntolerance",), msg("allergies"), required=False
    ),
    "orders": Need(
        f"ServiceRequest?patient={_PATIENT}&status=active,draft&_sort=-authored&_count=100",
        ("ServiceRequest",),
        msg("orders"),
        required=False,
    ),
}
EMBEDDINGS = "embeddings"
KEYS = frozenset({
    *COMMON, "encounter", "encounters", "procedures", "operations", "sessions", "immunizations", EMBEDDINGS, *_COUNTS,
})  # fmt: skip
ENCOUNTER = Need("Encounter/{{context.encounterId}}", ("Encounter",), msg("encounter"), required=False)
# For what needs to know whether a patient is, or was when it was measured, in hospital.
ENCOUNTERS = Need(
    f"Encounter?patient={_PATIENT}&_sort=-date&_count=50",
    ("Encounter",),
    msg("stays in hospital"),
    required=False,
    newest=True,
)

# For what needs to know what was done, in the stay or in the weeks before.
PROCEDURES = Need(
    f"Procedure?patient={_PATIENT}&_sort=-date&_count=100",
    ("Procedure",),
    msg("procedures"),
    required=False,
    newest=True,
)
# What stays of an operation, however long ago it was; and a treatment of which the last session tells.
OPERATIONS, SESSIONS = "operations", "sessions"
_DONE_LABELS = {OPERATIONS: msg("operations"), SESSIONS: msg("dialysis sessions")}
_DONE_COUNTS = {OPERATIONS: 50, SESSIONS: 5}
# What is on hold or was stopped, by the last change: a medicine of many years may have been stopped yesterday.
ENDED_MEDICATIONS = Need(
    f"MedicationRequest?patient={_PATIENT}&status=on-hold,stopped,completed&_sort=-_lastUpdated&_count=200",
    ("MedicationRequest",),
    msg("medicines that were stopped"),
    required=False,
    newest=True,
    part=True,
)
IMMUNIZATIONS = Need(
    f"Immunization?patient={_PATIENT}&_sort=-date&_count=200",
    ("Immunization",),
    msg("vaccinations"),
    required=False,
)
_LISTS = {"procedures": PROCEDURES, "immunizations": IMMUNIZATIONS, "endedMedications": ENDED_MEDICATIONS}
_OF_ENCOUNTERS = (
    Ambulatory, InHospital, MeasuredInHospital, OfStay, EarlierStays, Suspected, AtDischarge, DiagnosisGroup, Aggregate,
    DoneInStay,
)  # fmt: skip


def with_inputs(features: Iterable[Feature]) -> Iterator[Feature]:
    """The features and, before each derived one, all that it is computed or chosen from; each once."""
    seen: set[str] = set()
    stack = list(features)[::-1]
    while stack:
        feature = stack.pop()
        if feature.id in seen:
            continue
        missing = [f for f in _parts(feature) if f.id not in seen]
        if missing:
            stack.extend([feature, *missing[::-1]])
            continue
        seen.add(feature.id)
        yield feature


def _parts(feature: Feature) -> tuple[Feature, ...]:
    """The features from which another is computed or chosen."""
    if isinstance(feature, Derived):
        return feature.inputs
    if isinstance(feature, Aggregate):
        return (feature.of,)
    if isinstance(feature, Lasting | Unsteady):
        return (feature.creatinine,)
    if isinstance(feature, MeasuredInHospital):
        return feature.measured
    if isinstance(feature, LowestRatio):
        return (feature.numerator, feature.denominator)
    return feature.alternatives if isinstance(feature, FirstOf) else ()


def data_needs(
    features: Iterable[Feature],
    hook: str,
    optional: Iterable[str] = (),
    code_map: CodeMap = NONE,
    lists: Iterable[str] = (),
    told: SummaryNeeds = NOTHING,
) -> dict[str, Need]:
    """The prefetch keys of a service, in a stable order: the common lists, then Observations by code.

    optional: keys that the service can do without. code_map: the hospital's own codes, which are searched for too.
    lists: keys of further lists that it reads. told: what its summary must be able to tell; it can do without.
    """
    tokens_by_key: dict[str, dict[str, None]] = {}
    needs = dict(COMMON) | {key: _LISTS[key] for key in lists}
    if hook.startswith("encounter-"):
        needs["encounter"] = ENCOUNTER
    every = tuple(with_inputs(features))
    for feature in every:
        if isinstance(feature, Quantity | Coded):
            tokens = _tokens((*feature.panels, *feature.codes), code_map)
            tokens_by_key.setdefault(_key(feature), {}).update(dict.fromkeys(tokens))
        elif isinstance(feature, PrescribedTarget):
            tokens_by_key.setdefault("vitalSigns", {}).update(dict.fromkeys(TOKENS))
        elif isinstance(feature, Embedding):
            tokens_by_key.setdefault(EMBEDDINGS, {})[f"{EMBEDDING}|{feature.encoder}"] = None
        if isinstance(feature, _OF_ENCOUNTERS):
            needs["encounters"] = ENCOUNTERS
        if isinstance(feature, Surgery | DoneInStay) or getattr(feature, "fact", None) in (
            Fact.PROCEDURE,
            EndFact.PROCEDURES,
        ):
            needs["procedures"] = PROCEDURES
    only_told = _with_told(tokens_by_key, told, code_map)
    for key, count in _COUNTS.items():
        if tokens_by_key.get(key):  # an input without a code of its own is asked for by no search
            joined = ",".join(tokens_by_key[key])
            template = f"Observation?patient={_PATIENT}&code={joined}&_sort=-date&_count={count}"
            spare = key in only_told
            needs[key] = Need(template, ("Observation",), _LABELS[key], not spare, newest=spare, part=spare)
    if vectors := tokens_by_key.get(EMBEDDINGS):  # a modality that is missing is a case of its own
        template = f"Observation?patient={_PATIENT}&code={','.join(vectors)}&_sort=-date&_count=20"
        needs[EMBEDDINGS] = Need(template, ("Observation",), msg("vectors"), required=False, newest=True)
    needs |= _done(every, code_map)
    needs |= {key: need for key, need in told.lists.items() if key not in needs or key in COMMON}
    spared = {key: replace(need, required=False) for key, need in needs.items() if key in set(optional)}
    return needs | spared


def _done(features: Iterable[Feature], code_map: CodeMap) -> dict[str, Need]:
    """Procedures that say of a condition that it is there: those of any time, and those of which the last tells."""
    codes: dict[str, dict[str, None]] = {}
    for feature in features:
        if isinstance(feature, ConditionFeature) and feature.elsewhere is not None and feature.elsewhere.done:
            key = OPERATIONS if feature.elsewhere.done_days is None else SESSIONS
            codes.setdefault(key, {}).update(dict.fromkeys(feature.elsewhere.done))
    needs = {}
    for key in sorted(codes):
        tokens = [f"{SNOMED}|{code}" for code in codes[key]]
        tokens += [f"{system}|{local}" for code in codes[key] for system, local in code_map.local((SNOMED, code))]
        template = f"Procedure?patient={_PATIENT}&code={','.join(tokens)}&_sort=-date&_count={_DONE_COUNTS[key]}"
        needs[key] = Need(template, ("Procedure",), _DONE_LABELS[key], required=False, newest=True, part=True)
    return needs


def _with_told(tokens_by_key: dict[str, dict[str, None]], told: SummaryNeeds, code_map: CodeMap) -> set[str]:
    """Adds what only the summary tells; the keys that nothing else asks for.

    What is measured often has a key of its own: its rows must not push others off the first page.
    """
    asked = {token for tokens in tokens_by_key.values() for token in tokens}
    only_told = set()
    for key, codes in (("answers", told.answers), ("vitalSigns", told.signs), ("latest", told.latest)):
        tokens = [token for token in _tokens(codes, code_map) if token not in asked]
        if tokens:
            if not tokens_by_key.get(key):
                only_told.add(key)
            tokens_by_key.setdefault(key, {}).update(dict.fromkeys(tokens))
    return only_told


def _tokens(codes: Iterable[str], code_map: CodeMap) -> list[str]:
    """Search tokens of LOINC codes and of the local codes that mean them; those of other systems name theirs.

    An input's own id is no code of any system.
    """
    found = []
    for code in codes:
        if "|" in code:
            found.append(code)
            continue
        standard = _CODE.fullmatch(code) is not None
        found += [f"{_LOINC}{code}"] if standard else []
        found += [f"{system}|{local}" for system, local in code_map.local((LOINC if standard else CURBSIDE, code))]
    return found


def fed_by(features: Iterable[Feature]) -> dict[str, frozenset[str]]:
    """Prefetch key -> ids of the features that read its Observations: what they lack if it could not be had."""
    found: dict[str, set[str]] = {}
    for feature in features:
        for measured in (feature, *_parts(feature)):
            if isinstance(measured, Quantity | Coded) and not isinstance(feature, Derived):
                found.setdefault(_key(measured), set()).add(feature.id)
            elif isinstance(measured, Embedding):
                found.setdefault(EMBEDDINGS, set()).add(feature.id)
    return {key: frozenset(ids) for key, ids in found.items()}


def _key(feature: Quantity | Coded) -> str:
    return _KEYS_BY_CATEGORY.get(feature.category, "answers")
