"""How like the people a model learnt from a patient is: all inputs taken together, and what came of like estimates.

`likeness.json` holds the average and the spread of each input among those people, the distance that one in twenty of
them exceeds (the rule of the card's section on applicability), and what came of people with like estimates. The
manifest holds its SHA-256. Of a fused model, what came of like estimates stands in the manifest itself.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from operator import ge
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from cds_service.errors import PluginError
from cds_service.features.feature import Derived, FeatureValue, Reason, Unusable
from cds_service.language import Message, msg
from cds_service.risk import published, table
from cds_service.risk.calibration import Target
from cds_service.risk.manifest import Input
from cds_service.risk.model import NotEstimated, Refusal

FILE = "likeness.json"
FURTHEST = 6.0  # standard deviations of one input that count: a single mistyped value does not decide alone
_NAMED = 3
_EVERY = 100.0  # percent
_ALL_CELLS = 102.0  # percent; shares are rounded to whole ones
Floats = NDArray[np.float64]
Entries = Sequence[FeatureValue | Unusable]


class Alike(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Training people whose out-of-fold estimate lay between two risks, and the share it came to; percent.

    apart: within how many percentage points of each other refits put nine in ten of them; None if nobody knows.
    """

    low: float
    high: float
    people: int
    came: float
    apart: float | None = None


class Likeness(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """inputs: id -> average and standard deviation, of those measured. unlike_from: the mean squared distance.

    similar: outcome or horizon -> what came of people with like estimates, lowest estimates first. refits: how many
    models were fitted as the model was, on resampled training people.
    """

    inputs: dict[str, tuple[float, float]]
    unlike_from: float
    similar: dict[str, tuple[Alike, ...]] = {}
    refits: int = 0


def read(folder: Path, sha256: str | None, inputs: Sequence[Input], targets: Sequence[Target]) -> Likeness | None:
    """The file of a model's folder, or None if neither folder nor manifest has one.

    sha256: of the file, from the manifest. targets: of the calibration that the model was trained with; none for a
    site's own calibration, under which other people have like estimates. Raises PluginError naming the file if it is
    missing, changed, not named in the manifest, or tells of other inputs or targets.
    """
    file = folder / FILE
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        if sha256 is None:
            return None
        raise PluginError(f"{file}: is missing; restore the file or train the model again") from None
    if sha256 is None:
        raise PluginError(
            f"{file}: manifest.json has no SHA-256 of it; write both with `python -m cds_service.training.likeness`, "
            "or remove the file"
        )
    if hashlib.sha256(content).hexdigest() != sha256:
        raise PluginError(f"{file}: is not the manifest's (SHA-256 differs); restore both files of one version")
    try:
        found = msgspec.json.decode(content, type=Likeness)
    except msgspec.MsgspecError as error:
        raise PluginError(f"{file}: {error}; restore the file, or train the model again") from error
    if (fault := next(_faults(found, inputs, targets), None)) is not None:
        raise PluginError(f"{file}: {fault}; restore the file, or train the model again")
    return found


def _faults(found: Likeness, inputs: Sequence[Input], targets: Sequence[Target]) -> Iterator[str]:
    if unknown := set(found.inputs) - {declared.id for declared in inputs}:
        yield f"inputs: the model has no {', '.join(sorted(unknown))}"
    if not all(spread > 0 for _, spread in found.inputs.values()) or not found.unlike_from > 0:
        yield "a standard deviation or unlike_from is not above 0"
    if found.similar and set(found.similar) != {str(target) for target in targets}:
        yield f"similar: the model's calibration is not the one of {', '.join(found.similar)}"
    for target, bands in found.similar.items():
        edges = [(band.low, band.high) for band in bands]
        if not all(0 <= low <= high <= _EVERY for low, high in edges) or not all(a <= b for a, b in pairwise(edges)):
            yield f"similar: the estimates of {target} do not rise from 0 to 100 %"
        if not all(band.apart is None or (0 <= band.apart <= _EVERY and found.refits > 1) for band in bands):
            yield f"similar: {target}: refits are no points of 0 to 100 apart, or there are not two of them"
        if not all(band.people > 0 and 0 <= band.came <= _EVERY for band in bands):
            yield f"similar: {target} came to a share of nobody, or not to 0 to 100 % of them"


def row_of(entries: Entries, learnt: Mapping[str, Input]) -> list[float]:
    """The entries as numbers, NaN where there is none. learnt: by the feature's id."""
    return [
        table.number(entry.value, learnt[entry.feature.id]) if isinstance(entry, FeatureValue) else math.nan
        for entry in entries
    ]


def scale_of(known: Likeness, ids: Iterable[str]) -> Floats:
    """Averages and spreads of some inputs, shape (2, n); NaN for one of which the training data had no value."""
    none = (math.nan, math.nan)
    return np.array([known.inputs.get(id_, none) for id_ in ids], dtype=np.float64).T


def unlike(known: Likeness | None, entries: Entries, row: Sequence[float], scale: Floats) -> tuple[Message, ...]:
    """A remark on a patient who is unlike the people that the model learnt from, with what sets them most apart.

    row, scale: of the entries, as `row_of` and `scale_of` give them.
    """
    if known is None:
        return ()
    distances = np.minimum(np.abs(np.asarray(row, dtype=np.float64) - scale[0]) / scale[1], FURTHEST)
    there = ~np.isnan(distances)
    if not there.any() or float(np.mean(distances[there] ** 2)) <= known.unlike_from:
        return ()
    found = [(distances[at], entries[int(at)]) for at in np.flatnonzero(there)]
    measured = [(d, e) for d, e in found if isinstance(e, FeatureValue) and not isinstance(e.feature, Derived)]
    furthest = sorted(measured, key=lambda pair: -pair[0])
    named = [
        msg("{label} {value}", label=entry.feature.label, value=published.in_words(entry))
        for _, entry in furthest[:_NAMED]
    ]
    if not named:
        return ()
    return (
        msg(
            "Taken together, the inputs are unlike those of 95 in 100 people that the model learnt from (furthest: "
            "{what}): such estimates may be less exact",
            what=published.enumerated(named),
        ),
    )


def of_like(
    known: Likeness | None, target: Target, risk: float, outcome: Message, years: int | None
) -> tuple[Message, ...]:
    """What came of the people with an estimate like this one, and how far refits differ on them; nothing where nobody
    had one, or nobody knows.
    """
    bands = known.similar.get(str(target), ()) if known is not None else ()
    shown = float(published.percent(risk))
    if not bands or not bands[0].low <= shown <= bands[-1].high:
        return ()
    band = next(one for one in bands if shown <= one.high)
    told = came_to(band.people, band.low, band.high, band.came, outcome, years)
    if known is None or band.apart is None:
        return (told,)
    steady = msg(
        "Refitted on {refits} other samples of its training patients, the model gives nine in ten patients with such "
        "an estimate risks at most {points} percentage points apart: that is how steady the method is, and no interval "
        "for one patient's risk",
        refits=known.refits,
        points=f"{band.apart:.1f}",
    )
    return told, steady


def came_to(people: int, low: float, high: float, came: float, outcome: Message, years: int | None) -> Message:
    """To how many of those with a like estimate the outcome came; low, high, came: percent."""
    told = {"people": people, "low": f"{low:.1f}", "high": f"{high:.1f}", "came": f"{came:.0f}", "outcome": outcome}
    if years is None:
        return msg(
            "Of {people} training patients with an estimate of {low} to {high}%, {came}% had it: {outcome}", **told
        )
    if years == 1:
        return msg(
            "Of {people} training patients with an estimate of {low} to {high}%, {came}% had it: {outcome} within a "
            "year",
            **told,
        )
    return msg(
        "Of {people} training patients with an estimate of {low} to {high}%, {came}% had it: {outcome} within {years} "
        "years",
        **told,
        years=years,
    )


def contradiction(model_id: str, entries: Entries) -> NotEstimated | None:
    """A refusal where values of one moment cannot all be right, or None."""
    there = {entry.feature.id: entry for entry in entries if isinstance(entry, FeatureValue)}
    for ids, wrong in _RULES:
        found = [there[id_] for id_ in ids if id_ in there]
        if len(found) < len(ids) or len({entry.effective for entry in found}) > 1:
            continue
        if wrong(*(float(entry.value) for entry in found)):
            named = [
                msg("{label} {value}", label=entry.feature.label, value=published.in_words(entry)) for entry in found
            ]
            reason = msg("{values} cannot all be right", values=published.enumerated(named))
            faults = tuple(
                Unusable(entry.feature, Reason.CONFLICT, reason, entry.effective, entry.sources) for entry in found
            )
            return NotEstimated(model_id, Refusal.INPUT, published.not_calculated([reason]), faults)
    return None


def contradictory(matrix: NDArray[np.float32], place: Mapping[str, int]) -> NDArray[np.bool_]:
    """The rows of which that is so. place: column of each input by id."""
    found = np.zeros(len(matrix), dtype=np.bool_)
    for ids, wrong in _RULES:
        if all(id_ in place for id_ in ids):
            found |= wrong(*(matrix[:, place[id_]].astype(np.float64) for id_ in ids))
    return found


def _too_many(*shares: Any) -> Any:
    return sum(shares) > _ALL_CELLS


_RULES: tuple[tuple[tuple[str, ...], Callable[..., Any]], ...] = (  # of numbers, or of columns of them
    (("dbp", "sbp"), ge),
    (("hdl", "total_cholesterol"), ge),
    (("lymphocytes_percent", "neutrophils_percent", "monocytes_percent"), _too_many),
)
