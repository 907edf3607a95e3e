"""What published scores share: values in words, contributions, and refusals that name every input at fault."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial

from cds_service.explain.explanation import Contribution
from cds_service.features.aggregate import Aggregate
from cds_service.features.catalogue import AGE, CREATININE_UNSTEADY, LITTLE_MUSCLE
from cds_service.features.feature import (
    Coded,
    ConditionFeature,
    Derived,
    Feature,
    FeatureValue,
    FeatureValues,
    FirstOf,
    LowestRatio,
    MedicationFeature,
    Quantity,
    Reason,
    Unusable,
)
from cds_service.language import Message, msg, within
from cds_service.risk.model import Band, NotEstimated, Refusal, RiskEstimate
from cds_service.risk.values_in_words import in_words as in_words
from cds_service.risk.values_in_words import measured as measured
from cds_service.risk.values_in_words import percent as percent
from cds_service.risk.values_in_words import printed_unit as printed_unit
from cds_service.risk.values_in_words import whole_years as whole_years
from cds_service.risk.values_in_words import with_unit as with_unit

ADULT = 18  # completed years
_OF_SEVERAL = {  # a reason of one input -> of several
    msg("{what} is not on record").text: msg("{what} are not on record").text,
    msg("{what} was last measured on {when}, too long ago").text: msg(
        "{what} were last measured on {when}, too long ago"
    ).text,
}
_PLURAL = frozenset({"Triglycerides", "Platelets", "White blood cells", "Lowest platelets"})  # labels, in English

_MEASURED = (Quantity, Derived, FirstOf, LowestRatio, Coded, Aggregate)
ACVPU_WORDS = {
    "A": msg("alert"),
    "C": msg("new confusion"),
    "V": msg("responds to voice"),
    "P": msg("responds to pain"),
    "U": msg("unresponsive"),
}


def adult(model_id: str, values: FeatureValues, score: Message) -> FeatureValue | NotEstimated:
    """An adult's age, or the refusal of a score that speaks for adults alone. score: what the sentence calls it."""
    age = values.entries[AGE.id]
    if isinstance(age, Unusable):
        return NotEstimated(model_id, Refusal.INPUT, not_calculated(_reasons((age,))), (age,))
    return _minor(model_id, age, score) or age


def of_adult(
    model_id: str, values: FeatureValues, features: Sequence[Feature], score: Message
) -> Mapping[str, FeatureValue] | NotEstimated:
    """The values of all features by id, age among them, of an adult; or a refusal as of `needed` and `adult`."""
    found = needed(model_id, values, features)
    if isinstance(found, NotEstimated):
        return found
    return _minor(model_id, found[AGE.id], score) or found


def _minor(model_id: str, age: FeatureValue, score: Message) -> NotEstimated | None:
    years = whole_years(age)
    if years >= ADULT:
        return None
    return not_applicable(model_id, msg("{score} speaks for adults; age is {age}", score=score, age=years))


def contribution(
    amount: float,
    found: Sequence[FeatureValue],
    *,
    label: Message | None = None,
    value: Message | None = None,
    answers: Mapping[str, Message] | None = None,
) -> Contribution:
    """The contribution of one input, or of several that the equation uses as one.

    found: the input values behind it; label and value default to those of the first. Its date is that of the first
    where the first one's value is printed, else the oldest: a date beside a number is the number's own.
    """
    first = found[0]
    shown = value or partial(in_words, first, answers)
    if len(found) == 1:  # nearly all
        feature = first.feature
        return Contribution((feature.id,), label or feature.label, amount, shown, first.effective, first.sources)
    oldest_of_all = min((f.effective for f in found if f.effective is not None), default=None)
    return Contribution(
        features=tuple(f.feature.id for f in found),
        label=label or first.feature.label,
        amount=amount,
        shown=shown,
        effective=first.effective or oldest_of_all if value is None else oldest_of_all,
        sources=tuple(dict.fromkeys(source for f in found for source in f.sources)),
    )


def with_amount(shown: Contribution, amount: float) -> Contribution:
    """The same input with another amount: for several outcomes of one model."""
    return Contribution(shown.features, shown.label, amount, shown.shown, shown.effective, shown.sources)


def not_measured(missing: Unusable) -> Contribution:
    """The contribution of an input that a point score does without: no points, no value."""
    return Contribution((missing.feature.id,), missing.feature.label, 0.0, None)


def oldest(found: Iterable[FeatureValue]) -> datetime | None:
    """The time of the oldest measurement; age, sex, and the onset of conditions do not count."""
    measured = (f for f in found if isinstance(f.feature, _MEASURED) and not _of_conditions(f.sources))
    times = [f.effective for f in measured if f.effective is not None]
    return min(times) if times else None


def interval(estimate: RiskEstimate) -> Message:
    """The points of an estimate, or the lowest and the highest that are possible."""
    if estimate.high is None:
        return msg("{number}", number=f"{estimate.value:.0f}")
    return msg("{low} to {high}", low=f"{estimate.value:.0f}", high=f"{estimate.high:.0f}")


def span(estimate: RiskEstimate) -> Message:
    """The day of an estimate's measurements, or the first and the last one; or that they have no date."""
    measured = (f for f in estimate.inputs if isinstance(f.feature, _MEASURED) and not _of_conditions(f.sources))
    days = sorted({f.effective.date() for f in measured if f.effective is not None})
    if not days:
        return msg("values without a date")
    if len(days) == 1:
        return msg("{date}", date=days[0])
    return msg("values from {first} to {last}", first=days[0], last=days[-1])


def _of_conditions(sources: Sequence[str]) -> bool:
    return bool(sources) and all(source.startswith("Condition/") for source in sources)


def listed(messages: Sequence[Message]) -> Message:
    """Several phrases as one, in their order, each said once."""
    distinct = tuple(dict.fromkeys(messages))
    joined = distinct[0]
    for following in distinct[1:]:
        joined = msg("{first}; {following}", first=joined, following=following)
    return joined


def enumerated(messages: Sequence[Message]) -> Message:
    """Several names with commas between them."""
    joined = messages[0]
    for following in messages[1:]:
        joined = msg("{first}, {following}", first=joined, following=following)
    return joined


def lacked(missing: Iterable[Unusable]) -> Message:
    """Which of the inputs that a score does without were not recorded, and which are there and cannot be used.

    At least one; in groups, each with the names of its inputs.
    """
    leads = {
        "absent": msg("not recorded: {missing}"),
        "old": msg("too old: {missing}"),
        "unusable": msg("recorded, but not usable: {missing}"),
        "unseen": msg("not shown by the EHR: {missing}"),
    }
    groups: dict[str, list[Message]] = {}
    for one in missing:
        kind = "unusable" if one.reason.was_measured else "absent"
        kind = {Reason.STALE: "old", Reason.UNAVAILABLE: "unseen"}.get(one.reason, kind)
        groups.setdefault(kind, []).append(within(one.feature.label))
    return listed([msg(lead.text, missing=enumerated(groups[kind])) for kind, lead in leads.items() if kind in groups])


def remarks(found: Iterable[FeatureValue]) -> tuple[Message, ...]:
    """What the record's own entries give to remark, e.g. that a newer one cannot be used; each once."""
    notes = [f.note for f in found if f.note is not None]
    return tuple(dict.fromkeys(notes)) if notes else ()


def not_applicable(model_id: str, reason: Message, unusable: tuple[Unusable, ...] = ()) -> NotEstimated:
    """A refusal because the score does not speak about this person."""
    return NotEstimated(model_id, Refusal.NOT_APPLICABLE, reason, unusable)


def needed(
    model_id: str, values: FeatureValues, features: Sequence[Feature]
) -> Mapping[str, FeatureValue] | NotEstimated:
    """The values of all features by id, or a refusal that names every unusable one of them."""
    entries = values.entries
    found = {feature.id: value for feature in features if type(value := entries[feature.id]) is FeatureValue}
    if len(found) < len(features):
        faults = values.unusable(features)
        if faults:
            return NotEstimated(model_id, Refusal.INPUT, not_calculated(_reasons(faults)), faults)
    return found


def not_calculated(reasons: Sequence[Message]) -> Message:
    """Why there is no number: every reason, said once."""
    return msg("Not calculated: {reasons}", reasons=listed(_together(reasons)))


def _reasons(faults: Sequence[Unusable]) -> list[Message]:
    """The reasons in words; a list that was not supplied is named once for all that it would have told."""
    unlisted = [f for f in faults if f.reason is Reason.NO_LIST]
    conditions = [f.feature.label for f in unlisted if isinstance(f.feature, ConditionFeature)]
    medicines = [f.feature.label for f in unlisted if isinstance(f.feature, MedicationFeature)]
    grouped = [f for f in unlisted if isinstance(f.feature, ConditionFeature | MedicationFeature)]
    reasons = _together([f.words for f in faults if f not in grouped])
    if conditions:
        reasons.append(
            msg(
                "the problem list is empty or was not supplied, so it does not tell of {conditions}",
                conditions=enumerated(conditions),
            )
        )
    if medicines:
        reasons.append(msg("there is no medication list to tell of {medicines}", medicines=enumerated(medicines)))
    return reasons


def _together(reasons: Sequence[Message]) -> list[Message]:
    """Reasons that differ in the input alone as one: `A, B are not on record`."""
    alike: dict[tuple[object, ...], list[Message]] = {}
    for reason in dict.fromkeys(reasons):
        plural = _OF_SEVERAL.get(reason.text)
        alike.setdefault((reason if plural is None else reason.text, reason.values.get("when")), []).append(reason)
    told = []
    for group in alike.values():
        first = group[0]
        labels = [what for one in group if isinstance(what := one.values.get("what"), Message)]
        if len(group) > 1 or (first.text in _OF_SEVERAL and labels and labels[0].text in _PLURAL):
            first = msg(_OF_SEVERAL[first.text], **{**first.values, "what": enumerated(labels)})
        told.append(first)
    return told


LITTLE_MUSCLE_NOTE = msg(
    "Little muscle is on record: creatinine is low there and overstates kidney function; measure cystatin C."
)


def of_creatinine(values: FeatureValues) -> tuple[Message, ...]:
    """What a reader must know of an estimate from creatinine alone."""
    return (LITTLE_MUSCLE_NOTE,) if LITTLE_MUSCLE in values and values.flag(LITTLE_MUSCLE) else ()


def not_steady(model_id: str, values: FeatureValues) -> NotEstimated | None:
    """A refusal while creatinine rises or falls as in acute kidney injury: eGFR holds in a steady state alone."""
    found = values.usable(CREATININE_UNSTEADY) if CREATININE_UNSTEADY in values else None
    if found is None or not found.value:
        return None
    reason = msg("kidney function is not steady")
    if found.note is not None:
        reason = msg("{reason}: {values}", reason=reason, values=found.note)
    return NotEstimated(model_id, Refusal.OUT_OF_RANGE, not_calculated([reason]))


def outside(feature: Feature, value: float, low: float, high: float) -> Message | None:
    """In words that a value is outside the limits of validity (both inclusive), or None if it is inside."""
    if low <= value <= high:
        return None
    unit = getattr(feature, "unit", "1")
    digits = getattr(feature, "digits", 0)
    while low <= round(value, digits) <= high and digits < 6:
        digits += 1  # 129.9 beside a limit of 130 is not printed as 130
    return msg(
        "{label} {value} is outside the limits {low} to {high}",
        label=feature.label,
        value=with_unit(value, unit, digits),
        low=f"{low:.10g}",
        high=with_unit(high, unit, 0 if high == int(high) else 1),
    )


def out_of_range(model_id: str, reasons: Sequence[Message]) -> NotEstimated:
    """A refusal because inputs lie outside the limits within which the score was validated."""
    return NotEstimated(model_id, Refusal.OUT_OF_RANGE, not_calculated(reasons))


def first_true(values: FeatureValues, gates: Sequence[tuple[Feature, Message]]) -> Message | None:
    """The reason of the first condition that is on record, or None; unknown conditions do not count."""
    entries = values.entries
    for feature, reason in gates:
        found = entries[feature.id]
        if type(found) is FeatureValue and found.value:
            return reason
    return None


def unknown_conditions(values: FeatureValues, gates: Sequence[tuple[Feature, Message]]) -> tuple[Unusable, ...]:
    """The conditions that could be neither confirmed nor excluded for want of a list."""
    return tuple(u for u in values.unusable([feature for feature, _ in gates]) if u.reason is Reason.NO_LIST)


def band_of(value: float, bands: Sequence[tuple[float, Band]]) -> Band:
    """The last band whose lower threshold the value reaches.

    bands: (inclusive lower threshold, band), lowest first; the first threshold must be minus infinity.
    """
    reached = bands[0][1]
    for threshold, band in bands:
        if value >= threshold:
            reached = band
    return reached
