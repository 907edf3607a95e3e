"""Trained models: tree weights, a manifest that says what they mean, and the words that a clinician reads."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cds_service.errors import PluginError
from cds_service.explain import tree
from cds_service.explain.explanation import Contribution
from cds_service.explain.leaf_tables import AGREEMENT, LeafTables
from cds_service.explain.tree import Group
from cds_service.features.feature import Demographic, Derived, Feature, FeatureValue, FeatureValues, Reason, Unusable
from cds_service.language import Message, msg
from cds_service.risk import manifest as manifests
from cds_service.risk import published, table
from cds_service.risk.calibration import Calibration, Target
from cds_service.risk.manifest import Input, Manifest
from cds_service.risk.model import Band, Citation, EstimateKind, NotEstimated, Refusal, Result, RiskEstimate

if TYPE_CHECKING:
    import xgboost

_AGE = "age"
Gates = tuple[tuple[Feature, Message], ...]
Thresholds = Sequence[tuple[float, Band]]  # inclusive lower threshold of the probability, band; lowest first


@dataclass(frozen=True, slots=True)
class _Read:
    """What the estimates of all horizons share: contributions, inputs with and without a value, and what to note."""

    shown: tuple[Contribution, ...]
    found: tuple[FeatureValue, ...]
    gone: tuple[Unusable, ...]
    effective: datetime | None
    notes: tuple[Message, ...]


@dataclass(frozen=True)
class TrainedModel:
    """A model learnt from data: one folder in `models/` holds it, its `model.py` declares one of these.

    outcome_words: one for all horizons, or by the name of each outcome.
    bands: horizon in years, or outcome -> (inclusive lower threshold of the probability, band), lowest first.
    population: whom the baseline of explanations is an average over.
    limits: what it must not be used for, for `curbside models show` and the card.
    gates: yes/no features with the reasons why the model does not speak where they are true; no inputs.
    made: columns of the source data's tables that are computed from others.
    """

    folder: Path
    title: Message
    citation: Citation
    inputs: tuple[Feature, ...] = field(repr=False)
    groups: tuple[Group, ...] = field(repr=False)
    outcome_words: Message | Mapping[str, Message]
    population: Message
    limits: Message = field(repr=False)
    bands: Mapping[Target, Thresholds]
    manifest: Manifest = field(repr=False)
    calibration: Calibration
    tables: LeafTables | None = field(default=None, repr=False)
    gates: Gates = field(default=(), repr=False)
    made: tuple[table.Made, ...] = field(default=(), repr=False)
    trained: bool = True

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        title: Message,
        citation: Citation,
        features: tuple[Feature, ...],
        groups: tuple[Group, ...],
        outcome_words: Message | Mapping[str, Message],
        population: Message,
        limits: Message,
        bands: Mapping[int, Thresholds] | Mapping[str, Thresholds] | None = None,
        gates: Gates = (),
        made: tuple[table.Made, ...] = (),
    ) -> TrainedModel:
        """The model of a folder with `manifest.json` and its weights.

        features: in the manifest's order. Raises PluginError naming the file if the manifest or the weights are
        missing, the weights' SHA-256 differs, or features or groups are not those that the model was trained with.
        """
        declared = manifests.read(folder / "manifest.json")
        _check_features(folder, declared, features, groups)
        try:
            calibration = Calibration(
                declared.calibration.slope, {_target(h): a for h, a in declared.calibration.intercepts.items()}
            )
        except ValueError as error:
            raise PluginError(f"{folder / 'manifest.json'}: calibration: {error}") from error
        _check_words(folder, calibration, outcome_words)
        tables = LeafTables.read(_weights(folder, declared))
        if tables is not None:
            _check_width(folder, declared, tables.forest.n_features)
        loaded = cls(
            folder=folder,
            title=title,
            citation=citation,
            inputs=features,
            groups=groups,
            outcome_words=outcome_words,
            population=population,
            limits=limits,
            bands=dict((bands or {}).items()),
            manifest=declared,
            calibration=calibration,
            tables=tables,
            gates=gates,
            made=made,
        )
        if tables is None:
            _ = loaded.booster  # now, not at the first patient
        return loaded

    @cached_property
    def booster(self) -> xgboost.Booster:
        """The ensemble in XGBoost, one thread. A service with tables never asks for it. Raises PluginError."""
        import xgboost

        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(bytearray(_weights(self.folder, self.manifest)))
        _check_width(self.folder, self.manifest, booster.num_features())
        return booster

    def check(self) -> None:
        """Raises PluginError if what explains the estimates differs from XGBoost."""
        if self.tables is not None and (apart := self.tables.difference(self.booster)) > AGREEMENT:
            raise PluginError(
                f"{self.folder / self.manifest.weights}: Curbside and XGBoost compute values {apart:.2g} apart from "
                "these weights; report it, and do not use the model"
            )

    @property
    def id(self) -> str:
        """kebab-case, from the manifest."""
        return self.manifest.id

    @property
    def version(self) -> str:
        """From the manifest; new weights or a new calibration are a new version."""
        return self.manifest.version

    @property
    def features(self) -> tuple[Feature, ...]:
        """All that it asks of a record: its inputs in the manifest's order, then its gates."""
        return (*self.inputs, *(feature for feature, _ in self.gates))

    def estimate(self, values: FeatureValues) -> Result:
        """One estimate a horizon, explained; or a refusal."""
        refusal = self._refusal(values)
        if refusal is not None:
            return refusal
        entries = [values[feature] for feature in self.inputs]
        row = [
            table.number(entry.value if isinstance(entry, FeatureValue) else None, declared)
            for entry, declared in zip(entries, self.manifest.inputs, strict=True)
        ]
        matrix = np.array([row], dtype=np.float32)
        attribution = tree.tabled(self.tables, matrix) if self.tables is not None else None
        attribution = attribution or tree.attribute(self.booster, matrix)
        amounts = self.calibration.slope * attribution.phi[0]
        shown = tree.contributions(amounts, entries, self.groups, published.in_words)
        notes = (*self._beyond(entries), *self._not_excluded(values))
        found = tuple(entry for entry in entries if isinstance(entry, FeatureValue))
        gone = tuple(e for e in entries if isinstance(e, Unusable) and not isinstance(e.feature, Derived))
        read = _Read(shown, found, gone, published.oldest(found), notes)
        return tuple(self._estimate(h, attribution, read) for h in self.calibration.horizons)

    def margins(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """The uncalibrated output of each row of a matrix, shape (n_rows, n_inputs)."""
        return tree.margins(self.booster, matrix)

    def predict_table(self, path: Path) -> table.Predictions:
        """Probabilities for the rows of a file in the source data's own columns.

        Raises FeatureMismatch or BadRequest as `table.read` does; nothing is predicted if a single cell is at fault.
        """
        declared = self.manifest
        rows = table.read(path, declared.inputs, declared.table, self.made)
        matrix = table.matrix(rows.values, declared.inputs, self.inputs)
        margin = self.margins(matrix) if len(rows.ids) else np.empty(0)
        spoken = self._speaks(matrix) & self._applies(rows)
        header, columns = [declared.table.id], [list[str | float | None](rows.ids)]
        for horizon in self.calibration.horizons:
            risk = self.calibration.probability(horizon, margin).tolist()
            name = f"{declared.outcome}_{horizon}y" if isinstance(horizon, int) else horizon
            header += [name, f"{name}_unrestricted"]
            columns += [[p if ok else None for p, ok in zip(risk, spoken, strict=True)], risk]
        return table.Predictions(tuple(header), tuple(zip(*columns, strict=True)))

    def _estimate(self, horizon: Target, attribution: tree.Attribution, read: _Read) -> RiskEstimate:
        """The estimate of one horizon; the contributions serve all, because they share a slope."""
        margin = float(attribution.margins[0])
        risk = float(self.calibration.probability(horizon, margin))
        thresholds = self.bands.get(horizon)
        return RiskEstimate(
            model_id=self.id,
            version=self.version,
            kind=EstimateKind.PROBABILITY,
            outcome=horizon if isinstance(horizon, str) else self.manifest.outcome,
            outcome_words=self._words(horizon),
            horizon_years=horizon if isinstance(horizon, int) else None,
            value=risk,
            unit="1",
            band=published.band_of(risk, thresholds) if thresholds else None,
            explanation=tree.explanation(
                read.shown,
                baseline=float(self.calibration.log_odds(horizon, attribution.expected)),
                output=float(self.calibration.log_odds(horizon, margin)),
                population=self.population,
            ),
            inputs=read.found,
            not_measured=read.gone,
            effective=read.effective,
            notes=read.notes,
        )

    @cached_property
    def _by_id(self) -> Mapping[str, Feature]:
        return {feature.id: feature for feature in self.inputs}

    @cached_property
    def _measurable(self) -> tuple[Feature, ...]:
        return tuple(feature for feature in self.inputs if _counts(feature))

    def _words(self, target: Target) -> Message:
        return self.outcome_words if isinstance(self.outcome_words, Message) else self.outcome_words[str(target)]

    def _refusal(self, values: FeatureValues) -> NotEstimated | None:
        """Why the model does not speak about this person, or None."""
        speaks = self.manifest.speaks
        by_id = self._by_id
        age = values.usable(by_id[_AGE]) if _AGE in by_id else None
        youngest, eldest = speaks.age
        if age is not None and not youngest <= published.whole_years(age) <= eldest:
            reason = msg(
                "age {age} is outside {youngest}–{eldest}",
                age=published.whole_years(age),
                youngest=youngest,
                eldest=eldest,
            )
            return published.not_applicable(self.id, reason)
        gate = published.first_true(values, [gate for gate in self.gates if gate[0] in values])
        if gate is not None:
            return published.not_applicable(self.id, gate)
        for id_, never in speaks.never.items():
            entry = values.usable(by_id[id_])
            if entry is not None and entry.value in never:
                what = msg("{label}: {value}", label=by_id[id_].label, value=entry.value)
                return published.not_applicable(self.id, what)
        outside = [u for u in values.unusable(self.inputs) if u.reason is Reason.OUTSIDE]
        if outside:
            return published.not_applicable(self.id, outside[0].words)
        required = published.needed(self.id, values, [by_id[id_] for id_ in speaks.required])
        if isinstance(required, NotEstimated):
            return required
        measurable = self._measurable
        absent = values.unusable(measurable)
        measured = len(measurable) - len(absent)
        if measured >= speaks.minimum:
            return None
        reason = msg(
            "Not calculated: {measured} of its {all} measurements are on record, at least {minimum} are needed",
            measured=measured,
            all=len(measurable),
            minimum=speaks.minimum,
        )
        return NotEstimated(self.id, Refusal.INPUT, reason, absent)

    def _speaks(self, matrix: NDArray[np.float32]) -> NDArray[np.bool_]:
        """For which rows of a matrix the model gives a number; the same rule as for a record."""
        speaks = self.manifest.speaks
        place = {declared.id: position for position, declared in enumerate(self.manifest.inputs)}
        measured = ~np.isnan(matrix)
        counted = [place[f.id] for f in self._measurable]
        ok = measured[:, counted].sum(axis=1) >= speaks.minimum
        for id_ in speaks.required:
            ok &= measured[:, place[id_]]
        if _AGE in place:
            age = matrix[:, place[_AGE]]
            ok &= (age >= speaks.age[0]) & (age <= speaks.age[1])
        return np.asarray(ok, dtype=np.bool_)

    def _applies(self, rows: table.Rows) -> NDArray[np.bool_]:
        """For which rows no input has a word at which the model does not apply."""
        ok = np.ones(len(rows.ids), dtype=np.bool_)
        for id_, words in self.manifest.speaks.never.items():
            ok &= np.array([value not in words for value in rows.values[id_]], dtype=np.bool_)
        return ok

    def _not_excluded(self, values: FeatureValues) -> tuple[Message, ...]:
        """Whatever the model does not speak for and nobody can tell here."""
        gates = [gate for gate in self.gates if gate[0] in values]
        unknown = published.unknown_conditions(values, gates)
        if not unknown:
            return ()
        return (
            msg("Not excluded, for want of data: {what}", what=published.listed([u.feature.label for u in unknown])),
        )

    def _beyond(self, entries: Sequence[FeatureValue | Unusable]) -> tuple[Message, ...]:
        """Values beyond all that the model has seen; trees take them for the most extreme value seen."""
        beyond = [
            msg(
                "{label} {value} lies beyond the training data ({lowest} to {highest}); "
                "the model treats it as the nearest value it has seen",
                label=entry.feature.label,
                value=published.in_words(entry),
                lowest=_in_unit(entry.feature, learnt.training.lowest),
                highest=_in_unit(entry.feature, learnt.training.highest),
            )
            for entry, learnt in zip(entries, self.manifest.inputs, strict=True)
            if isinstance(entry, FeatureValue) and _beyond(entry, learnt)
        ]
        return tuple(beyond)


def _target(key: str) -> Target:
    """A horizon or an outcome, from its key in the manifest."""
    return int(key) if key.isdecimal() else key


def _check_words(folder: Path, calibration: Calibration, words: Message | Mapping[str, Message]) -> None:
    names = {target for target in calibration.horizons if isinstance(target, str)}
    if names != (set() if isinstance(words, Message) else set(words)):
        raise PluginError(
            f"{folder / 'manifest.json'}: its outcomes ({', '.join(sorted(names)) or 'horizons only'}) are not those "
            "that model.py has words for; train again or mend model.py"
        )


def _counts(feature: Feature) -> bool:
    """Whether a feature is a measurement: neither derived from others nor a demographic."""
    return not isinstance(feature, (Derived, Demographic))


def _beyond(entry: FeatureValue, learnt: Input) -> bool:
    if isinstance(entry.feature, Demographic) or isinstance(entry.value, (str, bool)):
        return False
    return not learnt.training.lowest <= float(entry.value) <= learnt.training.highest


def _in_unit(feature: Feature, value: float) -> Message:
    return published.with_unit(value, getattr(feature, "unit", "1"), getattr(feature, "digits", 0))


def _check_features(folder: Path, declared: Manifest, features: Sequence[Feature], groups: Sequence[Group]) -> None:
    file = folder / "manifest.json"
    trained_on = [(i.id, i.unit) for i in declared.inputs]
    asked_for = [(f.id, str(getattr(f, "unit", ""))) for f in features]
    if trained_on != asked_for:
        differing = sorted(f"{id_} in {unit or 'no unit'}" for id_, unit in set(trained_on) ^ set(asked_for))
        raise PluginError(
            f"{file}: the weights were trained on other inputs than model.py declares, "
            f"see {', '.join(differing) or 'their order'}; declare the same features in the same order, or train again"
        )
    in_manifest = {i.id: i.group for i in declared.inputs if i.group is not None}
    in_code = {feature: group.id for group in groups for feature in group.features}
    if in_manifest != in_code:
        raise PluginError(f"{file}: its groups of inputs are not those of model.py; train again or mend model.py")


def _weights(folder: Path, declared: Manifest) -> bytes:
    """The weights, after their digest was checked."""
    path = folder / declared.weights
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise PluginError(f"{path}: the weights are missing; restore the file or train the model again") from error
    if hashlib.sha256(content).hexdigest() != declared.sha256:
        raise PluginError(
            f"{path}: these are not the weights of {folder / 'manifest.json'} (SHA-256 differs); "
            "restore both files from one version"
        )
    return content


def _check_width(folder: Path, declared: Manifest, taken: int) -> None:
    if taken != len(declared.inputs):
        raise PluginError(f"{folder / declared.weights}: takes {taken} inputs, the manifest has {len(declared.inputs)}")
