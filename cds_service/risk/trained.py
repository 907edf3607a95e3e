"""Trained models: tree weights, a manifest that says what they mean, and the words that a clinician reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from cds_service.explain import tree
from cds_service.explain.explanation import Explanation
from cds_service.explain.tree import Group
from cds_service.features.feature import Feature, FeatureValue, FeatureValues, Unusable
from cds_service.language import Message, msg
from cds_service.risk import likeness, loading, published, speaking, table
from cds_service.risk import manifest as manifests
from cds_service.risk.calibration import Calibration, Target, expit
from cds_service.risk.manifest import Input, Manifest
from cds_service.risk.margin import Margin
from cds_service.risk.model import Band, Citation, EstimateKind, NotEstimated, Refusal, Result, RiskEstimate
from cds_service.risk.narrower import Narrower, in_force
from cds_service.risk.speaking import Gates
from cds_service.risk.trained_rows import TrainedRows

Thresholds = Sequence[tuple[float, Band]]  # inclusive lower threshold of the probability, band; lowest first
Entries = Sequence[FeatureValue | Unusable]


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
    narrower: outcomes with a margin of their own, narrowest first, which the first target of the calibration includes.
    like: the people it learnt from, as a patient is compared with them, and what came of those with like estimates.
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
    margin: Margin
    gates: Gates = field(default=(), repr=False)
    made: tuple[table.Computed, ...] = field(default=(), repr=False)
    narrower: tuple[Narrower, ...] = field(default=(), repr=False)
    like: likeness.Likeness | None = field(default=None, repr=False)
    trained: bool = True
    research: bool = False

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
        research: bool = False,
    ) -> TrainedModel:
        """The model of a folder with `manifest.json`, its weights and `likeness.json`.

        features: in the manifest's order. Raises PluginError naming the file if one of them is missing, a SHA-256
        differs, or features or groups are not those that the model was trained with.
        """
        declared = manifests.read(folder / "manifest.json")
        loading.check_features(folder, declared, features, groups)
        margin = Margin.read(folder / declared.weights, declared.sha256, len(declared.inputs))
        calibration, narrower = loading.calibrations(folder, declared, margin)
        targets = [*declared.narrower, *calibration.horizons]
        loading.check_words(folder, targets, outcome_words)
        as_trained = targets if declared.recalibrates is None else ()
        return cls(
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
            margin=margin,
            gates=gates,
            made=made,
            narrower=narrower,
            like=likeness.read(folder, declared.likeness, declared.inputs, as_trained),
            research=research,
        )

    def check(self) -> None:
        """Raises PluginError if what explains the estimates differs from XGBoost."""
        for margin in (self.margin, *(part.margin for part in self.narrower)):
            margin.check()

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
        if (refusal := likeness.contradiction(self.id, entries)) is not None:
            return refusal
        row = [
            table.number(entry.value if isinstance(entry, FeatureValue) else None, declared)
            for entry, declared in zip(entries, self.manifest.inputs, strict=True)
        ]
        matrix = np.array([row], dtype=np.float32)
        odd = likeness.unlike(self.like, entries, row, self._scale)
        notes = (*odd, *self._beyond(entries), *speaking.not_excluded(values, self.gates))
        found = tuple(entry for entry in entries if isinstance(entry, FeatureValue))
        gone = tuple(e for e in entries if isinstance(e, Unusable) and speaking.could_be_there(e))
        read = _Read(found, gone, published.oldest(found), notes)
        return tuple(self._estimate(target, told, read) for target, told in self._told(matrix, entries).items())

    def predict_table(self, path: Path) -> table.Predictions:
        """Probabilities for the rows of a file in the source data's own columns.

        Raises FeatureMismatch or BadRequest as `table.read` does; nothing is predicted if a single cell is at fault.
        """
        return self.rows.predict(path)

    @cached_property
    def rows(self) -> TrainedRows:
        """The same model for tables."""
        return TrainedRows(self.manifest, self.inputs, self.made, self.margin, self.calibration, self.narrower)

    def with_manifest(self, changed: Manifest) -> TrainedModel:
        """The same weights under another calibration. Raises PluginError if it cannot be one."""
        calibration, narrower = loading.calibrations(self.folder, changed, self.margin)
        like = msgspec.structs.replace(self.like, similar={}) if self.like is not None else None
        return replace(self, manifest=changed, calibration=calibration, narrower=narrower, like=like)

    def _told(self, matrix: NDArray[np.float32], entries: Entries) -> dict[Target, tuple[Target, Explanation]]:
        """For each outcome or horizon, narrowest first, whose explanation stands for it, and that explanation."""
        widest = self._on_its_scale(self.margin, self.calibration, matrix, entries)
        if not self.narrower:
            return {target: (target, told) for target, told in widest.items()}
        own: dict[Target, Explanation] = {}
        for part in self.narrower:
            own |= self._on_its_scale(part.margin, part.calibration, matrix, entries)
        nested = [*own, self.calibration.horizons[0]]
        own |= widest
        positions = in_force([np.array([own[target].output]) for target in nested])
        stands = dict(zip(nested, (nested[int(at)] for (at,) in positions), strict=True))
        return {target: (stands.get(target, target), own[stands.get(target, target)]) for target in own}

    def _on_its_scale(
        self, margin: Margin, calibration: Calibration, matrix: NDArray[np.float32], entries: Entries
    ) -> dict[Target, Explanation]:
        """One margin explained for each target of its calibration; those of one slope share their contributions."""
        found = margin.attribution(matrix)
        shares = tree.shares(entries, self.groups, published.in_words)
        slopes = {calibration.slope_of(target) for target in calibration.horizons}
        shown = {slope: tree.weighed(slope * found.phi[0], shares) for slope in slopes}
        return {
            target: tree.explanation(
                shown[calibration.slope_of(target)],
                baseline=float(calibration.log_odds(target, found.expected)),
                output=float(calibration.log_odds(target, float(found.margins[0]))),
                population=self.population,
            )
            for target in calibration.horizons
        }

    def _estimate(self, target: Target, told: tuple[Target, Explanation], read: _Read) -> RiskEstimate:
        """The estimate of one horizon or outcome."""
        stands, explanation = told
        risk = float(expit(np.asarray(explanation.output)))
        thresholds = self.bands.get(target)
        taken = (msg("Taken from {wider}, which includes it", wider=self._words(stands)),) if stands != target else ()
        years = target if isinstance(target, int) else None
        like = likeness.of_like(self.like, target, risk, self._words(target), years)
        return RiskEstimate(
            model_id=self.id,
            version=self.version,
            kind=EstimateKind.PROBABILITY,
            outcome=target if isinstance(target, str) else self.manifest.outcome,
            outcome_words=self._words(target),
            horizon_years=years,
            value=risk,
            unit="1",
            band=published.band_of(risk, thresholds) if thresholds else None,
            explanation=explanation,
            inputs=read.found,
            not_measured=read.gone,
            effective=read.effective,
            notes=(*taken, *like, *read.notes),
        )

    @cached_property
    def _by_id(self) -> Mapping[str, Feature]:
        return {feature.id: feature for feature in self.inputs}

    @cached_property
    def _scale(self) -> NDArray[np.float64]:
        return likeness.scale_of(self.like, self._by_id) if self.like is not None else np.empty((2, 0))

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

    def _beyond(self, entries: Entries) -> tuple[Message, ...]:
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


def _in_unit(feature: Feature, value: float) -> Message:
    return published.with_unit(value, getattr(feature, "unit", "1"), getattr(feature, "digits", 0))
