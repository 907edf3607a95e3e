"""Point scores with inputs that may be missing: the least and the most they can be worth, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

import msgspec

from cds_service.explain.explanation import Baseline, Contribution, Explanation, Scale
from cds_service.features.feature import Feature, FeatureValue, FeatureValues, Reason, Unusable
from cds_service.language import Message, msg
from cds_service.risk import published
from cds_service.risk.model import Band, EstimateKind, RiskEstimate

Entry = TypeVar("Entry", FeatureValue, Unusable)
OPEN = Reason.ABSENT  # why an item that only a person can settle has no value
UNDETERMINED = Band("undetermined", msg("undetermined: inputs are missing"))
_ZERO = msg("zero points")
_LEAST = msg("zero points; inputs that are missing count the least that they can, so the sum is the least total")
_FEWEST = msg("zero points; inputs that are missing count none, so the sum is the least possible total")


class Item(msgspec.Struct, frozen=True):
    """One line of a point score: the least and the most points that it can be worth, given what is recorded.

    found: what the points were read from; missing: what would decide between `low` and `high`.
    label, value: for people; by default those of the first value found.
    """

    low: int
    high: int
    found: tuple[FeatureValue, ...] = ()
    missing: tuple[Unusable, ...] = ()
    label: Message | None = None
    value: Message | None = None


def settled(worth: int, found: tuple[FeatureValue, ...], label: Message | None = None) -> Item:
    """A line whose points are known."""
    return Item(worth, worth, found, label=label)


def unsettled(worth: int, missing: tuple[Unusable, ...], label: Message | None = None) -> Item:
    """A line that is worth nothing or all, and nobody knows which."""
    return Item(0, worth, missing=missing, label=label)


def measured(
    values: FeatureValues,
    feature: Feature,
    worth: Callable[[float], int],
    most: int,
    label: Message | None = None,
) -> Item:
    """The points of a measured value; anything from none to `most` if there is none that can be used."""
    found = values[feature]
    if isinstance(found, Unusable):
        return unsettled(most, (found,), label)
    return settled(worth(float(found.value)), (found,), label)


def listed(values: FeatureValues, features: Sequence[Feature], worth: int, label: Message | None = None) -> Item:
    """All points if any of the conditions or medicines is on its list, none if every list denies it."""
    if len(features) == 1:
        entry = values.entries[features[0].id]
        if isinstance(entry, Unusable):
            return Item(0, worth, (), (entry,), label)
        points = worth if entry.value is True else 0
        return Item(points, points, (entry,), (), label)
    found: list[FeatureValue] = []
    missing: list[Unusable] = []
    for feature in features:
        entry = values.entries[feature.id]
        if isinstance(entry, Unusable):
            missing.append(entry)
        else:
            found.append(entry)
    present = tuple([entry for entry in found if entry.value is True])
    if present:
        return Item(worth, worth, present, (), label)
    return Item(0, worth, (), tuple(missing), label) if missing else Item(0, 0, tuple(found), (), label)


def graver(milder: Item, worse: Item) -> Item:
    """One line of two, of which only the one that counts more counts; open as far as either is."""
    if worse.low:
        return worse
    low, high = milder.low, max(milder.high, worse.high)
    found, missing = (*milder.found, *worse.found), (*milder.missing, *worse.missing)
    return Item(low, high, milder.found if milder.low else found, missing, milder.label, milder.value)


def judged(feature: Feature) -> Unusable:
    """That an item cannot be read from a record: a clinician knows it."""
    return Unusable(feature, Reason.ABSENT, msg("{item} needs a clinician's judgement", item=feature.label))


def interval(items: Sequence[Item]) -> tuple[int, int]:
    """The least and the most possible total."""
    return sum([item.low for item in items]), sum([item.high for item in items])


def distinct(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Each of one patient's entries once, in order; by identity, as their hash goes through all codes of a feature."""
    return tuple({id(entry): entry for entry in entries}.values())


def decided(low: int, high: int, band: Callable[[int], Band]) -> Band:
    """The band that all possible totals share, or `UNDETERMINED`."""
    if low == high:
        return band(low)
    possible = {band(total).id for total in range(low, high + 1)}
    return band(low) if len(possible) == 1 else UNDETERMINED


def estimate(
    model_id: str,
    version: str,
    outcome: str,
    words: Message,
    items: Sequence[Item],
    band: Callable[[int], Band],
    *,
    answers: Mapping[str, Message] | None = None,
    notes: tuple[Message, ...] = (),
    worth: float = 1.0,
    between: Callable[[Sequence[Band]], Message] | None = None,
) -> RiskEstimate:
    """The total with its points, or the interval of possible totals if inputs are missing.

    band: total -> band; an interval has a band only if all totals in it share one.
    answers: words of coded inputs. worth: points of one unit of the items, for a score that counts in halves; `band`
        is asked in the items' units. between: names the bands between which missing inputs decide.
    """
    low, high = interval(items)
    reached = decided(low, high, band)
    if reached is UNDETERMINED and between is not None:
        possible = {b.id: b for b in map(band, range(low, high + 1))}
        reached = Band(UNDETERMINED.id, between(tuple(possible.values())))
    found = distinct([value for item in items for value in item.found])
    open_ = [item for item in items if item.low < item.high]
    missing = {(fault.feature.id, fault.reason): fault for item in open_ for fault in item.missing}
    words_if_open = _LEAST if open_ and min(item.low for item in open_) < 0 else _FEWEST
    return RiskEstimate(
        model_id=model_id,
        version=version,
        kind=EstimateKind.POINTS,
        outcome=outcome,
        outcome_words=words,
        horizon_years=None,
        value=worth * low,
        unit="1",
        band=reached,
        explanation=Explanation(
            scale=Scale.POINTS,
            baseline_kind=Baseline.ZERO,
            baseline=0.0,
            baseline_words=_ZERO if low == high else words_if_open,
            contributions=tuple([_contribution(item, answers, worth) for item in items]),
            output=worth * low,
        ),
        inputs=found,
        not_measured=tuple(missing.values()),
        high=None if low == high else worth * high,
        effective=published.oldest(found),
        notes=(*notes, *published.remarks(found)),
    )


def _contribution(item: Item, answers: Mapping[str, Message] | None, worth: float) -> Contribution:
    if len(item.found) == 1:
        first = item.found[0]
        feature, shown = first.feature, item.value or partial(published.in_words, first, answers)
        label = item.label or feature.label
        return Contribution((feature.id,), label, worth * item.low, shown, first.effective, first.sources)
    if item.found:
        return published.contribution(worth * item.low, item.found, label=item.label, value=item.value, answers=answers)
    ids = tuple([fault.feature.id for fault in item.missing])
    return Contribution(ids, item.label or item.missing[0].feature.label, worth * item.low, None)
