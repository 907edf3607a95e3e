"""`manifest.json` of a fused model: one calibrated model a modality, and a combiner for every pattern of modalities.

A part's log-odds are those of its outcome at the longest horizon: intercept + slope x its margin. A pattern's log-odds
are intercept(horizon) + slope(horizon) x the weighted sum of the log-odds of its parts. Both are affine, so that
attributions of the margins stay exact on the fused log-odds; a modality that is missing is another pattern, fitted and
calibrated apart. Where slopes differ, lines of two horizons may cross: a longer horizon is never below a shorter one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, combinations, pairwise
from pathlib import Path

import msgspec

from cds_service.errors import PluginError
from cds_service.risk.manifest import Input, Population, Speaks, Table


class Modality(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of data.

    inputs: ids of all that its models take, in their order; context (age) may be among them. own: those that make it
    present; minimum: how many of these must be measured, derived ones not counted.
    kind: `trees` (XGBoost's UBJSON), `forest` (trees in our own format), `linear` on an embedding (JSON), whose only
    input is the embedding, `additive` on numbers (JSON), or `apart` (a file that only its own library can read: it is
    computed in a process apart, which must answer within timeout_ms, and is not explained).
    """

    id: str
    label: str
    inputs: tuple[str, ...]
    own: tuple[str, ...]
    minimum: int
    kind: str = "trees"
    timeout_ms: int = 500


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The model of one modality and outcome: log-odds = intercept + slope x margin.

    expected: the margin's average in the training population. sha256: of the file of weights.
    """

    modality: str
    outcome: str
    weights: str
    sha256: str
    intercept: float
    slope: float
    expected: float


class Pattern(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The combiner of one outcome where exactly these modalities are there.

    weights: modality -> weight of its log-odds, none negative. intercepts: horizon in years -> intercept, rising.
    people: training patients who had them. slopes: horizon -> slope of the weighted sum, above 0; 1 where none is here.
    """

    outcome: str
    modalities: tuple[str, ...]
    weights: dict[str, float]
    intercepts: dict[str, float]
    people: int
    slopes: dict[str, float] = {}

    def line(self, horizon: int) -> tuple[float, float]:
        """Intercept and slope at a horizon."""
        return self.intercepts[str(horizon)], self.slopes.get(str(horizon), 1.0)


class Similar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Training patients whose out-of-fold estimate lay between two risks, and the share that had the outcome.

    observed: with censored patients accounted for (Kaplan-Meier or Aalen-Johansen by weighting), 0-1.
    """

    outcome: str
    horizon: int
    low: float
    high: float
    people: int
    observed: float


class Fusion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All of a fused model's `manifest.json`. outcomes: widest first; each includes those after it.

    horizons: in years; a single 0 if the outcome's own words tell, as of death in hospital.
    recalibrates: the version whose weights these are, if a site calibrated them anew.
    likeness: the SHA-256 of `likeness.json`; None if there is none, as beside an imported model.
    """

    id: str
    version: str
    title: str
    outcomes: tuple[str, ...]
    horizons: tuple[int, ...]
    inputs: tuple[Input, ...]
    modalities: tuple[Modality, ...]
    parts: tuple[Part, ...]
    patterns: tuple[Pattern, ...]
    similar: tuple[Similar, ...]
    speaks: Speaks
    population: Population
    table: Table
    training: dict[str, str | int | float]
    versions: dict[str, str]
    recalibrates: str | None = None
    likeness: str | None = None


def read(path: Path) -> Fusion:
    """The manifest in a file. Raises PluginError naming the file and what is wrong."""
    try:
        declared = msgspec.json.decode(path.read_bytes(), type=Fusion)
    except FileNotFoundError as error:
        raise PluginError(f"{path}: is missing; train the model again or restore the file") from error
    except msgspec.MsgspecError as error:
        raise PluginError(f"{path}: is not a fused model's manifest: {error}") from error
    fault = next(_faults(declared), None)
    if fault is not None:
        raise PluginError(f"{path}: {fault}; train the model again or restore the file")
    return declared


def write(manifest: Fusion, path: Path) -> None:
    """The manifest as indented JSON, the same bytes for the same manifest."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n")


def subsets(modalities: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Every pattern of modalities that is not empty, in the order of the modalities."""
    ids = tuple(modalities)
    return tuple(chain.from_iterable(combinations(ids, size) for size in range(1, len(ids) + 1)))


def _faults(declared: Fusion) -> Iterator[str]:
    ids = [m.id for m in declared.modalities]
    patterns = {(p.outcome, p.modalities) for p in declared.patterns}
    for outcome in declared.outcomes:
        for modalities in subsets(ids):
            if (outcome, modalities) not in patterns:
                yield f"the pattern {' + '.join(modalities)} of {outcome} has no combiner"
    known = {i.id for i in declared.inputs}
    for modality in declared.modalities:
        if not {*modality.inputs, *modality.own} <= known:
            yield f"the modality {modality.id} takes inputs that are not declared"
    for pattern in declared.patterns:
        steps = [pattern.intercepts.get(str(h), float("nan")) for h in declared.horizons]
        if not all(a < b for a, b in pairwise(steps)) or steps[0] != steps[0]:
            yield f"the intercepts of {pattern.outcome} with {' + '.join(pattern.modalities)} do not rise"
        if set(pattern.weights) != set(pattern.modalities) or min(pattern.weights.values()) < 0:
            yield f"the weights of {pattern.outcome} with {' + '.join(pattern.modalities)} are not those of these"
        if not all(slope > 0 for slope in pattern.slopes.values()):
            yield f"a slope of {pattern.outcome} with {' + '.join(pattern.modalities)} is not above 0"
    for group in declared.similar:
        if group.outcome not in declared.outcomes or group.horizon not in declared.horizons:
            yield f"similar: tells of {group.outcome} at {group.horizon}, which the model does not"
        if not (0 <= group.low <= group.high <= 1 and 0 <= group.observed <= 1 and group.people > 0):
            yield f"similar: a group of {group.outcome} holds no risks of 0 to 1, or nobody"
    if {(p.outcome, p.modality) for p in declared.parts} != {(o, m) for o in declared.outcomes for m in ids}:
        yield "there must be one part for each modality and outcome"
