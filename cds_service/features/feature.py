"""What a model may ask of a record: features, their values, and the reasons why a value is unusable.

A feature is declared once, in `catalogue.py`, with its codes, unit, plausible range, look-back window
and what absence means. Extraction (`extract.py`) turns a record into `FeatureValues`: for each feature
either a `FeatureValue` with its time and source, or an `Unusable` with a worded reason. Never a default.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

import msgspec

from cds_service.language import Message

Value = float | bool | str


class Absence(Enum):
    """What it means that a record holds nothing for a feature."""

    UNKNOWN = "unknown"  # a vital sign, a laboratory value: nothing can be concluded
    NO_IF_LISTED = "no-if-listed"  # a condition or medicine: "no" if the list exists, else unknown


class Reason(Enum):
    """Why a feature has no usable value."""

    ABSENT = "absent"
    STALE = "stale"
    IMPLAUSIBLE = "implausible"
    UNIT = "unit"  # missing or unknown unit
    COMPARATOR = "comparator"  # "<5" where a number is needed
    NO_NUMBER = "no-number"  # dataAbsentReason, or a value of another type
    CONFLICT = "conflict"  # several different values at one time
    SETTING = "setting"  # measured in hospital, where a value of every day is needed
    NO_LIST = "no-list"  # no problem or medication list from which absence could be read
    UNREADABLE = "unreadable"  # the list has an entry that cannot be read: absence cannot be concluded
    OUTSIDE = "outside"  # asked of a stay that is not on record or too young: nothing could be there yet
    UNAVAILABLE = "unavailable"  # the EHR did not let us see whether there is one

    @property
    def was_measured(self) -> bool:
        """True if there is, or may be, a value on record that could not be used."""
        return self not in (Reason.ABSENT, Reason.NO_LIST, Reason.UNREADABLE, Reason.OUTSIDE)


@dataclass(frozen=True, slots=True)
class Feature:
    """Base of all features. `id` is snake_case and never changes its meaning."""

    id: str
    label: Message


@dataclass(frozen=True, slots=True)
class Demographic(Feature):
    """Age in years (float, completed years for scores: see `whole_years`), sex ("female"/"male"), or recorded race.

    Race ("white"/"black") is asked for by no model that is on by default.
    """


@dataclass(frozen=True, slots=True)
class Quantity(Feature):
    """A measured number from an Observation or one of its components.

    unit: UCUM unit in which the value is given to models, after conversion.
    codes: LOINC codes; matched on any coding of `Observation.code` or of a component's code.
    plausible: inclusive limits in `unit`; outside is refused as implausible, never clipped.
    look_back: how old a value may be; None for no limit.
    conversions: UCUM unit -> (factor, offset) to `unit` for this analyte (molar to mass and the like);
        general UCUM conversions (prefixes, [degF], [lb_av], kPa ...) need no entry.
    category: `laboratory` or `vital-signs`, for prefetch and documentation.
    digits: decimals shown on cards.
    panels: codes of panels that carry the value as a component; searches by code must name them too. LOINC, or
        `system|code`.
    bounds: which way a limit of the method's range counts as its number, with a note: "above" (">14 %"), "below"
        ("<3 mg/g") or both. Elsewhere a limit is no number: nobody knows how far beyond it the value lies.
    """

    unit: str
    codes: tuple[str, ...]
    plausible: tuple[float, float]
    look_back: timedelta | None
    category: str
    digits: int = 0
    conversions: Mapping[str, tuple[float, float]] = field(default_factory=dict, hash=False, compare=False)
    panels: tuple[str, ...] = ()
    bounds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Worst(Quantity):
    """The highest or the lowest usable value in the window, instead of the latest."""

    highest: bool = True


@dataclass(frozen=True, slots=True)
class Earlier(Quantity):
    """The latest usable value that is at least so old: how it was before the present illness."""

    at_least: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Ambulatory(Quantity):
    """The latest usable value that was not taken in a stay in hospital or an emergency visit."""


@dataclass(frozen=True, slots=True)
class LowestRatio(Feature):
    """The lowest ratio, in the window of the numerator, of two quantities measured together.

    apart: how long before the numerator its denominator may have been measured. scale: the ratio is multiplied by it.
    """

    unit: str
    numerator: Quantity
    denominator: Quantity
    apart: timedelta
    scale: float = 1.0
    digits: int = 0


@dataclass(frozen=True, slots=True)
class Coded(Feature):
    """A coded answer from an Observation, mapped to a short word, e.g. smoking status -> "current".

    codes: of LOINC, or `system|code` of SNOMED CT.
    answers: (system URI, code) -> word; a code outside is unusable, never guessed.
    shared: the codes tell of other matters too, so that an answer outside says nothing of this one.
    """

    codes: tuple[str, ...]
    answers: Mapping[tuple[str, str], Value] = field(hash=False, compare=False)
    look_back: timedelta | None = None
    category: str = "social-history"
    panels: tuple[str, ...] = ()
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What beside the problem list says that a condition is there.

    codes: SNOMED CT codes of an order in force, or of the kind of a visit that goes on; words: as such an order is
    written, lower case. questions: LOINC codes; answers: codes that say yes; days: for how long an answer can hold.
    done: SNOMED CT codes of a Procedure that was done; done_days: how long ago at most, None for ever.
    """

    codes: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    days: int = 0
    done: tuple[str, ...] = ()
    done_days: int | None = None


@dataclass(frozen=True, slots=True)
class ConditionFeature(Feature):
    """True if an active condition of the value set is on record.

    snomed: exact SNOMED CT codes (descendants listed); icd10: ICD-10(-CM) prefixes, dots included.
    ever: True counts resolved conditions too (a past stroke stays a stroke).
    most_days: an entry that began and was recorded longer ago counts, with a note (a pregnancy, for an order).
    forgotten_days: one that began and was recorded longer ago does not count: nobody closed it (pneumonia, pregnancy).
    elsewhere: what says the same outside the list.
    again: only entries count that are said to have come back (a recurrence or relapse).
    combined: those of the ICD-10 codes that name it within another disease, whose onset is not its own.
    """

    snomed: tuple[str, ...]
    icd10: tuple[str, ...]
    ever: bool = False
    absence: Absence = Absence.NO_IF_LISTED
    most_days: int | None = None
    combined: tuple[str, ...] = ()
    elsewhere: Elsewhere | None = None
    forgotten_days: int | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class MedicationFeature(Feature):
    """True if a current medicine has one of the ingredients.

    ingredients: RxNorm ingredient codes (known products are mapped to theirs); names: ingredient names as
    they occur in displays and texts, lower case, for products without a known code; atc: ATC prefixes.
    """

    ingredients: tuple[str, ...]
    absence: Absence = Absence.NO_IF_LISTED
    names: tuple[str, ...] = ()
    atc: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Derived(Feature):
    """Computed from other features by a pure function of their values, in the order of `inputs`.

    A derived value carries the sources of all its inputs and the time of the oldest measurement.
    `compute` may return None where the formula does not apply; then it is unusable (`inapplicable`).
    partial: it is computed from what there is, and given None for what is not; else it needs every input.
    """

    unit: str
    inputs: tuple[Feature, ...]
    compute: Callable[..., Value | None]
    digits: int = 0
    inapplicable: Message | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Lasting(Feature):
    """True if eGFR (CKD-EPI 2021) has lastingly been low: an unbroken run of values below a threshold.

    The run ends with the latest value and spans more than `apart`; one value, however low, is none.
    creatinine: what eGFR is computed from, with the age of each day. below: in mL/min/{1.73_m2}, of whole numbers.
    """

    creatinine: Quantity
    below: float
    apart: timedelta


@dataclass(frozen=True, slots=True)
class FirstOf(Feature):
    """The first usable of several features that mean the same, in order of preference."""

    unit: str
    alternatives: tuple[Feature, ...]
    digits: int = 0


class FeatureValue(msgspec.Struct, frozen=True):
    """A usable value with what a clinician needs to trace it.

    sources: references such as `Observation/123`, in a stable order; for absence read from a list ("no
    diabetes on the problem list") they are empty and `inferred` is True.
    effective: time of the measurement, with the record's own offset, onset for conditions; None where it has none.
    note: what a reader must know of it, e.g. that a newer entry exists which cannot be used.
    stated: the unit in which the record holds a measurement.
    """

    feature: Feature
    value: Value
    effective: datetime | None
    sources: tuple[str, ...]
    inferred: bool = False
    note: Message | None = None
    stated: str | None = None


class Unusable(msgspec.Struct, frozen=True):
    """A feature without a usable value, the reason in a code and in words, and where it was seen."""

    feature: Feature
    reason: Reason
    words: Message
    effective: datetime | None = None
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class FeatureValues:
    """The values of one patient at one moment, by feature."""

    as_of: datetime
    entries: Mapping[str, FeatureValue | Unusable]

    def __getitem__(self, feature: Feature) -> FeatureValue | Unusable:
        return self.entries[feature.id]

    def __contains__(self, feature: object) -> bool:
        return isinstance(feature, Feature) and feature.id in self.entries

    def __iter__(self) -> Iterator[FeatureValue | Unusable]:
        return iter(self.entries.values())

    def usable(self, feature: Feature) -> FeatureValue | None:
        """The value of a feature, or None if it is unusable."""
        found = self.entries[feature.id]
        return found if isinstance(found, FeatureValue) else None

    def number(self, feature: Feature) -> float | None:
        """The value of a numeric feature as float, or None if it is unusable."""
        found = self.usable(feature)
        return None if found is None else float(found.value)

    def flag(self, feature: Feature) -> bool | None:
        """The value of a yes/no feature, or None if it is unusable."""
        found = self.usable(feature)
        return None if found is None else bool(found.value)

    def text(self, feature: Feature) -> str | None:
        """The value of a coded feature, or None if it is unusable."""
        found = self.usable(feature)
        return None if found is None else str(found.value)

    def unusable(self, features: Iterable[Feature]) -> tuple[Unusable, ...]:
        """Those of the features that have no usable value, in the order given."""
        found = [self.entries[f.id] for f in features]
        return tuple([x for x in found if type(x) is Unusable])
