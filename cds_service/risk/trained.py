"""Trained models: tree weights, a manifest that says what they mean, and the words that a clinician reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cds_service.errors import PluginError
from cds_service.explain import kept_tables, tree
from cds_service.explain.explanation import Contribution
from cds_service.explain.leaf_tables import AGREEMENT, LeafTables
from cds_service.explain.tree import Group
from cds_service.features.feature import Feature, FeatureValue, FeatureValues, Unusable
from cds_service.language import Message, msg
from cds_service.risk import loading, published, speaking, table
from cds_service.risk import manifest as manifests
from cds_service.risk.calibration import Calibration, Target, expit
from cds_service.risk.manifest import Input, Manifest
from cds_service.risk.model import Band, Citation, EstimateKind, NotEstimated, Refusal, Result, RiskEstimate
from cds_service.risk.narrower import Narrower
from cds_service.risk.speaking import Gates

if TYPE_CHECKING:
    import xgboost

Thresholds = Sequence[tuple[float, Band]]  # inclusive lower threshold of the probability, band; lowest first


@dataclass(frozen=True, slots=True)
class _Scaled:
    """The calibrated log-odds of one outcome: where they start, what the inputs add, and where they end."""

    baseline: float
    shown: tuple[Contribution, ...]
    output: float


@dataclass(frozen=True, slots=True)
class _Read:
    """What the estimates of all horizons share: inputs with and without a value, and what to note."""

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
    narrower: outcomes with a margin of their own, which the first target of the calibration includes.
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
    made: tuple[table.Computed, ...] = field(default=(), repr=False)
    narrower: tuple[Narrower, ...] = field(default=(), repr=False)
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
        made: tuple[table.Computed, ...] = (),
    ) -> TrainedModel:
        """The model of a folder with `manifest.json` and its weights.

        features: in the manifest's order. Raises PluginError naming the file if the manifest or the weights are
        missing, the weights' SHA-256 differs, or features or groups are not those that the model was trained with.
        """
        declared = manifests.read(folder / "manifest.json")
        loading.check_features(folder, declared, features, groups)
        calibration = loading.calibration(folder, declared)
        narrower = tuple(loading.narrower(folder, outcome, own) for outcome, own in declared.narrower.items())
        loading.check_words(folder, [*declared.narrower, *calibration.horizons], outcome_words)
        weights = loading.read_weights(folder, declared.weights, declared.sha256)
        tables = kept_tables.tables(folder / declared.weights, weights, declared.sha256)
        if tables is not None:
            loading.check_width(folder, declared, tables.forest.n_features)
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
            narrower=narrower,
        )
        if tables is None:
            _ = loaded.booster  # now, not at the first patient
        return loaded

    @cached_property
    def booster(self) -> xgboost.Booster:
        """The ensemble in XGBoost, one thread. A service with tables never asks for it. Raises PluginError."""
        import xgboost

        booster = xgboost.Booster({"nthread": 1})
        booster.load_model(bytearray(loading.read_weights(self.folder, self.manifest.weights, self.manifest.sha256)))
        loading.check_width(self.folder, self.manifest, booster.num_features())
        return booster

    def check(self) -> None:
        """Raises PluginError if what explains the estimates differs from XGBoost."""
        if self.tables is not None and (apart := self.tables.difference(self.booster)) > AGREEMENT:
            raise PluginError(
                f"{self.folder / self.manifest.weights}: Curbside and XGBoost compute values {apart:.2g} apart from "
                "these weights; report it, and do not use the model"
            )
        for part in self.narrower:
            part.check()

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
        notes = (*self._beyond(entries), *speaking.not_excluded(values, self.gates))
        found = tuple(entry for entry in entries if isinstance(entry, FeatureValue))
        gone = tuple(e for e in entries if isinstance(e, Unusable) and speaking.could_be_there(e))
        read = _Read(found, gone, published.oldest(found), notes)
        scaled = self._scaled(matrix, attribution, entries)
        return tuple(self._estimate(target, one, read) for target, one in scaled.items())

    def _scaled(
        self, matrix: NDArray[np.float32], attribution: tree.Attribution, entries: Sequence[FeatureValue | Unusable]
    ) -> dict[Target, _Scaled]:
        """Each outcome's log-odds, narrowest first; the horizons of one slope share their contributions."""
        known = self.calibration
        margin = float(attribution.margins[0])
        lines = {h: known.in_force(h, margin) for h in known.horizons}
        shown = {b: self._shown(b, attribution, entries) for b in {known.slope_of(line) for line in lines.values()}}
        wide = {h: _on(known, line, attribution, shown[known.slope_of(line)]) for h, line in lines.items()}
        includes = wide[self.calibration.horizons[0]]
        lower: dict[Target, _Scaled] = {}
        for part in self.narrower:
            found = part.attribution(matrix)
            own = _on(part.calibration, part.outcome, found, self._shown(part.calibration.slope, found, entries))
            lower[part.outcome] = own if own.output <= includes.output else includes
        return lower | wide

    def _shown(
        self, slope: float, attribution: tree.Attribution, entries: Sequence[FeatureValue | Unusable]
    ) -> tuple[Contribution, ...]:
        return tree.contributions(slope * attribution.phi[0], entries, self.groups, published.in_words)

    def log_odds(self, matrix: NDArray[np.float32]) -> dict[Target, NDArray[np.float64]]:
        """Calibrated log-odds of each row of a matrix, by outcome or horizon, narrowest first."""
        margin = self.margins(matrix) if len(matrix) else np.empty(0)
        wide = {h: self.calibration.log_odds(h, margin) for h in self.calibration.horizons}
        includes = wide[self.calibration.horizons[0]]
        lower: dict[Target, NDArray[np.float64]] = {}
        for part in self.narrower:
            lower[part.outcome] = part.log_odds(matrix, includes) if len(matrix) else np.empty(0)
        return lower | wide

    def with_manifest(self, changed: Manifest) -> TrainedModel:
        """The same weights under another calibration. Raises PluginError if it cannot be one."""
        calibration = loading.calibration(self.folder, changed)
        parts = tuple(loading.narrower(self.folder, name, own) for name, own in changed.narrower.items())
        return replace(self, manifest=changed, calibration=calibration, narrower=parts)

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
        spoken = self._speaks(matrix) & self._applies(rows)
        header, columns = [declared.table.id], [list[str | float | None](rows.ids)]
        for horizon, log_odds in self.log_odds(matrix).items():
            risk = expit(log_odds).tolist()
            name = f"{declared.outcome}_{horizon}y" if isinstance(horizon, int) else horizon
            header += [name, f"{name}_unrestricted"]
            columns += [[p if ok else None for p, ok in zip(risk, spoken, strict=True)], risk]
        return table.Predictions(tuple(header), tuple(zip(*columns, strict=True)))

    def _estimate(self, horizon: Target, scaled: _Scaled, read: _Read) -> RiskEstimate:
        """The estimate of one horizon or outcome."""
        risk = float(expit(np.asarray(scaled.output)))
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
                scaled.shown,
                baseline=scaled.baseline,
                output=scaled.output,
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
    def _learnt(self) -> Mapping[str, Input]:
        return {declared.id: declared for declared in self.manifest.inputs}

    @cached_property
    def _measurable(self) -> tuple[Feature, ...]:
        return tuple(feature for feature in self.inputs if speaking.is_measured(feature))

    def _words(self, target: Target) -> Message:
        return self.outcome_words if isinstance(self.outcome_words, Message) else self.outcome_words[str(target)]

    def _refusal(self, values: FeatureValues) -> NotEstimated | None:
        """Why the model does not speak about this person, or None."""
        speaks = self.manifest.speaks
        refused = speaking.refusal(self.id, speaks, values, self._by_id, self.gates)
        if refused is not None:
            return refused
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
        place = {declared.id: position for position, declared in enumerate(self.manifest.inputs)}
        measured = ~np.isnan(matrix[:, [place[feature.id] for feature in self._measurable]])
        enough = measured.sum(axis=1) >= self.manifest.speaks.minimum
        return np.asarray(enough & speaking.of_rows(self.manifest.speaks, matrix, place), dtype=np.bool_)

    def _applies(self, rows: table.Rows) -> NDArray[np.bool_]:
        """For which rows no input has a word at which the model does not apply."""
        ok = np.ones(len(rows.ids), dtype=np.bool_)
        for id_, words in self.manifest.speaks.never.items():
            ok &= np.array([value not in words for value in rows.values[id_]], dtype=np.bool_)
        return ok

    def _beyond(self, entries: Sequence[FeatureValue | Unusable]) -> tuple[Message, ...]:
        """Values beyond all that the model has seen; trees take them for the most extreme value seen."""
        return tuple(
            msg(
                "{label} {value} lies beyond the training data ({lowest} to {highest}); "
                "the model treats it as the nearest value it has seen",
                label=entry.feature.label,
                value=published.in_words(entry),
                lowest=_in_unit(entry.feature, self._learnt[entry.feature.id].training.lowest),
                highest=_in_unit(entry.feature, self._learnt[entry.feature.id].training.highest),
            )
            for entry in speaking.beyond(entries, self._learnt)
        )


def _on(
    calibration: Calibration, target: Target, attribution: tree.Attribution, shown: tuple[Contribution, ...]
) -> _Scaled:
    """A margin's attributions on the scale of one target's own line."""
    return _Scaled(
        baseline=float(calibration.line(target, attribution.expected)),
        shown=shown,
        output=float(calibration.line(target, float(attribution.margins[0]))),
    )


def _in_unit(feature: Feature, value: float) -> Message:
    return published.with_unit(value, getattr(feature, "unit", "1"), getattr(feature, "digits", 0))
