"""The models of single modalities in a fused model: trees, and lines on embeddings; each explains its margin."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from cds_service.errors import PluginError
from cds_service.explain import kept_tables
from cds_service.explain.forest import Forest
from cds_service.explain.leaf_paths import LeafPaths, exact
from cds_service.explain.leaf_tables import AGREEMENT, LeafTables, difference, residual
from cds_service.features.embedding import Embedding, vector
from cds_service.features.feature import Feature, FeatureValue, Unusable
from cds_service.language import Message
from cds_service.risk.apart import ROWS_SECONDS, ApartError, Process
from cds_service.risk.fusion import Fusion, Modality

Floats = NDArray[np.float64]
_ADDS_UP = 1e-6  # tables of leaves keep float32


class Scorer(Protocol):
    """The model of one modality and outcome: a margin and what each input adds to it."""

    def explain(self, entries: Sequence[FeatureValue | Unusable], row: NDArray[np.float32]) -> tuple[Floats, float]:
        """What each input adds to the margin, and the margin itself, computed apart."""
        ...

    def margins(self, matrix: NDArray[np.float32]) -> Floats:
        """The margin of each row of a table; NaN where it cannot be computed from a table."""
        ...


@dataclass(frozen=True, slots=True)
class Trees:
    """Trees, read without the library that grew them. content: XGBoost's UBJSON, or our own format."""

    tables: LeafTables | LeafPaths
    content: bytes

    def fault(self) -> str | None:
        """What is wrong with how the trees are read, by XGBoost or, for our own format, by their own sum; or None."""
        if self.content.startswith(b'{"n_features"'):
            apart = residual(self.tables)
            return None if apart <= _ADDS_UP else f"its contributions miss its output by {apart:.2g}"
        import xgboost

        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(bytearray(self.content))
        apart = difference(self.tables, booster)
        return None if apart <= AGREEMENT else f"Curbside and XGBoost compute values {apart:.2g} apart"

    def explain(self, entries: Sequence[FeatureValue | Unusable], row: NDArray[np.float32]) -> tuple[Floats, float]:
        """Exact SHAP values of the margin."""
        phi, margin = self.tables.explain(row)
        return np.asarray(phi, dtype=np.float64), float(margin)

    def margins(self, matrix: NDArray[np.float32]) -> Floats:
        """One margin a row."""
        forest = self.tables.forest
        return np.array([forest.margin(forest.goes_left(row)) for row in matrix], dtype=np.float64)


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A linear model of an embedding: the sum of weight x (value - mean) / scale over its dimensions."""

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weight: tuple[float, ...]

    def explain(self, entries: Sequence[FeatureValue | Unusable], row: NDArray[np.float32]) -> tuple[Floats, float]:
        """All dimensions count as one input: single ones mean nothing to a reader."""
        (entry,) = entries
        if isinstance(entry, Unusable):
            return np.zeros(1), 0.0
        parts = (vector(str(entry.value)) - np.array(self.mean)) / np.array(self.scale) * np.array(self.weight)
        return np.array([parts.sum()]), float(np.dot(parts, np.ones(len(parts))))

    def margins(self, matrix: NDArray[np.float32]) -> Floats:
        """A table has no embeddings."""
        return np.full(len(matrix), np.nan)


class Additive(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The intercept and a sum of weight x (value - mean) / scale; what is not measured adds nothing.

    logarithm: of one plus the size of the value, with its sign, in place of the value.
    """

    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weight: tuple[float, ...]
    logarithm: bool
    intercept: float = 0.0

    def explain(self, entries: Sequence[FeatureValue | Unusable], row: NDArray[np.float32]) -> tuple[Floats, float]:
        """What each input adds: exact, because it is a sum."""
        parts = self._parts(row[None, :])[0]
        return parts, float(self.margins(row[None, :])[0])

    def margins(self, matrix: NDArray[np.float32] | Floats) -> Floats:
        """One margin a row."""
        return np.asarray(self.intercept + self._parts(matrix).sum(axis=1), dtype=np.float64)

    def _parts(self, matrix: NDArray[np.float32] | Floats) -> Floats:
        given = np.sign(matrix) * np.log1p(np.abs(matrix)) if self.logarithm else matrix
        parts = (given - np.array(self.mean)) / np.array(self.scale) * np.array(self.weight)
        return np.asarray(np.nan_to_num(parts), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Apart:
    """A model that is none of these: a process apart computes its margin, and nobody can tell what an input added."""

    process: Process

    def explain(self, entries: Sequence[FeatureValue | Unusable], row: NDArray[np.float32]) -> tuple[Floats, float]:
        """No contributions, and the margin. Raises ApartError if there is no answer in time."""
        return np.zeros(len(row)), float(self.process.margins(row[None, :])[0])

    def margins(self, matrix: NDArray[np.float32]) -> Floats:
        """One margin a row. Raises PluginError if there is no answer, or the library cannot use the rows."""
        try:
            return self.process.margins(matrix, ROWS_SECONDS)
        except ApartError as error:
            raise PluginError(f"{self.process.file}: {error}; try `curbside check`, which starts it") from None


def read(path: Path, sha256: str, modality: Modality, features: Sequence[Feature]) -> Scorer:
    """The model of one part, after its digest was checked. Raises PluginError."""
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise PluginError(f"{path}: the weights are missing; restore the file or train the model again") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise PluginError(
            f"{path}: these are not the manifest's weights (SHA-256 differs); restore both of one version"
        )
    return _READERS[modality.kind](path, content, modality, features) if modality.kind in _READERS else _unknown(path)


def _unknown(path: Path) -> Scorer:
    raise PluginError(
        f"{path}: belongs to a modality of a kind that Curbside does not know; known are {', '.join(_READERS)}"
    )


def _trees(path: Path, content: bytes, modality: Modality, features: Sequence[Feature]) -> Scorer:
    if modality.kind == "forest":
        forest = Forest.of_nodes(content)
        tables: LeafTables | LeafPaths | None = None if forest is None else exact(forest)
    else:
        tables = kept_tables.tables(path, content, hashlib.sha256(content).hexdigest()) or _deep(content)
    if tables is None or tables.forest.n_features != len(modality.inputs):
        raise PluginError(
            f"{path}: is not a plain sum of trees over the {len(modality.inputs)} inputs of {modality.id}"
        )
    return Trees(tables, content)


def _line(path: Path, content: bytes, modality: Modality, features: Sequence[Feature]) -> Scorer:
    try:
        line = msgspec.json.decode(content, type=Line)
    except msgspec.MsgspecError as error:
        raise PluginError(f"{path}: is not a linear model of an embedding: {error}") from error
    taken = [f for f in features if f.id in modality.inputs and isinstance(f, Embedding)]
    if len(taken) != 1 or not len(line.mean) == len(line.scale) == len(line.weight) == taken[0].dimension:
        raise PluginError(f"{path}: {modality.id} needs one embedding as its input, of as many dimensions as weights")
    return line


def _deep(content: bytes) -> LeafPaths | None:
    forest = Forest.read(content)
    return None if forest is None else LeafPaths.of(forest)


def _apart(path: Path, content: bytes, modality: Modality, features: Sequence[Feature]) -> Scorer:
    return Apart(Process(path, hashlib.sha256(content).hexdigest(), modality.timeout_ms / 1000))


def _additive(path: Path, content: bytes, modality: Modality, features: Sequence[Feature]) -> Scorer:
    try:
        found = msgspec.json.decode(content, type=Additive)
    except msgspec.MsgspecError as error:
        raise PluginError(f"{path}: is not a sum over inputs: {error}") from error
    if not len(found.mean) == len(found.scale) == len(found.weight) == len(modality.inputs):
        raise PluginError(f"{path}: has other numbers of weights than {modality.id} has inputs")
    return found


_READERS: Mapping[str, Callable[[Path, bytes, Modality, Sequence[Feature]], Scorer]] = {
    "trees": _trees,
    "forest": _trees,
    "apart": _apart,
    "additive": _additive,
    "linear": _line,
}


def check_features(
    folder: Path, declared: Fusion, features: Sequence[Feature], outcome_words: Mapping[str, Message]
) -> None:
    """Raises PluginError if the manifest was trained with other inputs or outcomes than model.py declares."""
    file = folder / "manifest.json"
    trained_on = [(i.id, i.unit) for i in declared.inputs]
    asked_for = [(f.id, str(getattr(f, "unit", ""))) for f in features]
    if trained_on != asked_for:
        raise PluginError(f"{file}: the weights were trained on other inputs than model.py declares; train again")
    if set(outcome_words) != set(declared.outcomes):
        raise PluginError(f"{file}: its outcomes are not those that model.py has words for; mend model.py")
