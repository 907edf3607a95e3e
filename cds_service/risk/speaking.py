"""For whom a model learnt from data speaks: refusals and remarks that single and fused models share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from cds_service.features.earlier_stays import EarlierStays
from cds_service.features.feature import Demographic, Derived, Feature, FeatureValue, FeatureValues, Reason, Unusable
from cds_service.language import Message, msg
from cds_service.risk import published
from cds_service.risk.manifest import Input, Speaks
from cds_service.risk.model import NotEstimated

AGE = "age"
Gates = tuple[tuple[Feature, Message], ...]  # yes/no features, and why a model does not speak where they are true


def refusal(
    model_id: str, speaks: Speaks, values: FeatureValues, inputs: Mapping[str, Feature], gates: Gates
) -> NotEstimated | None:
    """Why a model does not speak about this person, or what it cannot do without; None if neither is so.

    inputs: by id. The first that applies of: age, gates, words of an input, a stay that is not there, missing inputs.
    """
    age = values.usable(inputs[AGE]) if AGE in inputs else None
    youngest, eldest = speaks.age
    if age is not None and not youngest <= published.whole_years(age) <= eldest:
        years = published.whole_years(age)
        reason = msg("age {age} is outside {youngest}–{eldest}", age=years, youngest=youngest, eldest=eldest)
        return published.not_applicable(model_id, reason)
    gate = published.first_true(values, _asked(values, gates))
    if gate is not None:
        return published.not_applicable(model_id, gate)
    for id_, never in speaks.never.items():
        entry = values.usable(inputs[id_])
        if entry is not None and entry.value in never:
            what = msg("{label}: {value}", label=inputs[id_].label, value=entry.value)
            return published.not_applicable(model_id, what)
    outside = [one for one in values.unusable(tuple(inputs.values())) if one.reason is Reason.OUTSIDE]
    if outside:
        return published.not_applicable(model_id, outside[0].words)
    required = published.needed(model_id, values, [inputs[id_] for id_ in speaks.required])
    return required if isinstance(required, NotEstimated) else None


def of_rows(speaks: Speaks, matrix: NDArray[np.float32], place: Mapping[str, int]) -> NDArray[np.bool_]:
    """For which rows of a matrix age and required inputs let a model speak; the same rule as for a record.

    matrix: shape (n_rows, n_inputs). place: column of each input by id.
    """
    ok = np.ones(len(matrix), dtype=np.bool_)
    for id_ in speaks.required:
        ok &= ~np.isnan(matrix[:, place[id_]])
    if AGE in place:
        age = matrix[:, place[AGE]]
        ok &= (age >= speaks.age[0]) & (age <= speaks.age[1])
    return ok


def not_excluded(values: FeatureValues, gates: Gates) -> tuple[Message, ...]:
    """A remark on whatever the model does not speak for and nobody can tell here; empty if there is none."""
    unknown = [u for u in values.unusable([feature for feature, _ in _asked(values, gates)]) if _is_unseen(u)]
    if not unknown:
        return ()
    return (msg("Not excluded, for want of data: {what}", what=published.listed([u.feature.label for u in unknown])),)


def _is_unseen(gone: Unusable) -> bool:
    """Whether nobody could look: without the list, or without the patient's sex; what nobody measured is told apart."""
    personal = isinstance(gone.feature, Derived) and isinstance(gone.feature.inputs[0], Demographic)
    return personal or gone.reason in (Reason.NO_LIST, Reason.UNREADABLE, Reason.UNAVAILABLE)


def is_measured(feature: Feature) -> bool:
    """Whether a feature is a measurement: neither derived from others nor a demographic."""
    return not isinstance(feature, (Derived, Demographic))


def could_be_there(gone: Unusable) -> bool:
    """Whether an input is missing: neither computed from others, nor of an earlier stay that never was."""
    never = isinstance(gone.feature, EarlierStays) and gone.reason is Reason.ABSENT
    return not never and not isinstance(gone.feature, Derived)


def beyond(entries: Iterable[FeatureValue | Unusable], learnt: Mapping[str, Input]) -> tuple[FeatureValue, ...]:
    """Values beyond all that the model has seen. learnt: by the feature's id."""
    return tuple(entry for entry in entries if isinstance(entry, FeatureValue) and _is_beyond(entry, learnt))


def _is_beyond(entry: FeatureValue, learnt: Mapping[str, Input]) -> bool:
    if isinstance(entry.feature, Demographic) or isinstance(entry.value, (str, bool)):
        return False
    seen = learnt[entry.feature.id].training
    return not seen.lowest <= float(entry.value) <= seen.highest


def _asked(values: FeatureValues, gates: Gates) -> Sequence[tuple[Feature, Message]]:
    return [gate for gate in gates if gate[0] in values]
