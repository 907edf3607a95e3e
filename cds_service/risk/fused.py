"""Fused models: several modalities, each with its own calibrated model, joined on the log-odds (late fusion).

What is missing is a defined case: every pattern of modalities has a combiner of its own, fitted and calibrated on
patients who were shown to it so. Contributions are exact for every feature and add up for every modality.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cds_service.errors import BadRequest, PluginError
from cds_service.explain import tree
from cds_service.explain.tree import Group
from cds_service.features.feature import Derived, Feature, FeatureValue, FeatureValues, Unusable
from cds_service.language import Message, msg
from cds_service.risk import fusion, likeness, published, speaking, table
from cds_service.risk.apart import ApartError
from cds_service.risk.calibration import expit
from cds_service.risk.fused_notes import Notes
from cds_service.risk.fused_rows import FusedRows
from cds_service.risk.fused_sums import At, Sums
from cds_service.risk.fusion import Fusion, Modality, Pattern
from cds_service.risk.manifest import Input
from cds_service.risk.modality import Apart, Scorer, Trees, check_features
from cds_service.risk.modality import read as read_part
from cds_service.risk.model import Band, Citation, EstimateKind, NotEstimated, Refusal, Result, RiskEstimate
from cds_service.risk.speaking import Gates

Entries = Mapping[str, FeatureValue | Unusable]


@dataclass(frozen=True)
class FusedModel:
    """A fused model: one folder in `models/` holds it, its `model.py` declares one of these.

    outcome_words: outcome -> words. bands: (outcome, horizon) -> thresholds of the probability, lowest first.
    gates: yes/no features with the reasons why the model does not speak where they are true.
    scorers: (outcome, modality) -> its model. like: as in `TrainedModel`. research: cards say that it is for no more.
    """

    folder: Path
    title: Message
    citation: Citation
    inputs: tuple[Feature, ...] = field(repr=False)
    groups: tuple[Group, ...] = field(repr=False)
    outcome_words: Mapping[str, Message]
    population: Message
    limits: Message = field(repr=False)
    manifest: Fusion = field(repr=False)
    scorers: Mapping[tuple[str, str], Scorer] = field(repr=False)
    bands: Mapping[tuple[str, int], Sequence[tuple[float, Band]]] = field(default_factory=dict, repr=False)
    gates: Gates = field(default=(), repr=False)
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
        outcome_words: Mapping[str, Message],
        population: Message,
        limits: Message,
        bands: Mapping[tuple[str, int], Sequence[tuple[float, Band]]] | None = None,
        gates: Gates = (),
        research: bool = False,
    ) -> FusedModel:
        """The model of a folder with `manifest.json` and the weights of its parts.

        Raises PluginError naming the file if one is missing or changed, or features are not those trained with.
        """
        declared = fusion.read(folder / "manifest.json")
        check_features(folder, declared, features, outcome_words)
        kinds = {m.id: m for m in declared.modalities}
        scorers = {
            (part.outcome, part.modality): read_part(folder / part.weights, part.sha256, kinds[part.modality], features)
            for part in declared.parts
        }
        return cls(folder, title, citation, features, groups, outcome_words, population, limits, declared, scorers,
                   dict(bands or {}), gates, likeness.read(folder, declared.likeness, declared.inputs, ()),
                   research=research)  # fmt: skip

    @property
    def id(self) -> str:
        """kebab-case, from the manifest."""
        return self.manifest.id

    @property
    def version(self) -> str:
        """From the manifest."""
        return self.manifest.version

    @property
    def features(self) -> tuple[Feature, ...]:
        """All that it asks of a record: its inputs, then its gates."""
        return (*self.inputs, *(feature for feature, _ in self.gates))

    def check(self) -> None:
        """Raises PluginError if a part's trees are read differently elsewhere, or a process apart does not answer."""
        for (outcome, modality), scorer in self.scorers.items():
            if isinstance(scorer, Apart):
                scorer.process.check()
            elif isinstance(scorer, Trees) and (fault := scorer.fault()) is not None:
                raise PluginError(
                    f"{self.folder}: weights of {outcome}, {modality}: {fault}; report it, and do not use the model"
                )

    @property
    def explained(self) -> bool:
        """False if a part is computed in a process apart, and so not explained."""
        return not any(isinstance(scorer, Apart) for scorer in self.scorers.values())

    def estimate(self, values: FeatureValues) -> Result:
        """One estimate for each outcome and horizon, explained by feature; its notes tell the sum of each modality."""
        entries = {feature.id: values[feature] for feature in self.inputs}
        present = self.present(entries)
        refusal = self._refusal(values, present)
        if refusal is not None:
            return refusal
        try:
            fused = {outcome: self._fused(outcome, present, entries) for outcome in self.manifest.outcomes}
        except ApartError as error:
            return NotEstimated(self.id, Refusal.FAILED, error.words)
        found = []
        for position, outcome in enumerate(self.manifest.outcomes):
            for horizon in self.manifest.horizons:
                used = self._widest(position, horizon, fused)
                found.append(self._estimate(outcome, horizon, used, entries, values))
        return tuple(found)

    def present(self, entries: Entries) -> tuple[str, ...]:
        """The modalities of which enough is measured, in the manifest's order."""
        return tuple(
            modality.id
            for modality in self.manifest.modalities
            if sum(_has_measurement(entries[id_]) for id_ in modality.own) >= modality.minimum
        )

    def by_modality(self, outcome: str, values: FeatureValues) -> Mapping[str, float]:
        """What the features of each modality add to an outcome's log-odds at the longest horizon, beyond the average.

        An input that every modality takes, such as age, stands for itself. The sum over modalities equals that over
        features; absent ones are not there.
        """
        entries = {feature.id: values[feature] for feature in self.inputs}
        at = self._fused(outcome, self.present(entries), entries).at(self.manifest.horizons[-1])
        return {id_: at.slope * amount for id_, amount in at.fused.by_modality.items()}

    def predict_table(self, path: Path) -> table.Predictions:
        """Probabilities for the rows of a file in the source data's own columns.

        Raises FeatureMismatch or BadRequest as `table.read` does. The columns `*_unrestricted` are filled for every
        row: with too little of every modality, from what there is.
        """
        if any(modality.kind == "linear" for modality in self.manifest.modalities):
            raise BadRequest(f"{self.id} takes an embedding, which a table cannot hold. Use --bundle and --embedding.")
        return self.rows.predict(path)

    @cached_property
    def rows(self) -> FusedRows:
        """The same model for tables."""
        return FusedRows(self.manifest, self.inputs, tuple(gate for gate, _ in self.gates), self.scorers)

    def _fused(self, outcome: str, present: tuple[str, ...], entries: Entries) -> Sums:
        pattern = self._patterns[outcome, present]
        amounts: dict[str, float] = {}
        baseline = output = 0.0
        for modality in self.manifest.modalities:
            if modality.id not in present:
                continue
            amounts |= {id_: amounts.get(id_, 0.0) for id_ in modality.inputs}
            if pattern.weights[modality.id] == 0.0:
                continue
            part, scorer = self._parts[outcome, modality.id], self.scorers[outcome, modality.id]
            given = [entries[id_] for id_ in modality.inputs]
            phi, margin = scorer.explain(given, self._row(modality, entries))
            scale = pattern.weights[modality.id] * part.slope
            shift = pattern.weights[modality.id] * part.intercept
            baseline += shift + scale * part.expected
            output += shift + scale * margin
            for id_, amount in zip(modality.inputs, (scale * phi).tolist(), strict=True):
                amounts[id_] += amount
        sums: dict[str, float] = {}
        for id_, amount in amounts.items():
            sums[self._owners[id_]] = sums.get(self._owners[id_], 0.0) + amount
        return Sums(outcome, pattern, baseline, output, amounts, sums)

    def _widest(self, position: int, horizon: int, fused: Mapping[str, Sums]) -> At:
        """Its own log-odds, or those of a narrower outcome or shorter horizon if higher: it includes these."""
        within = [h for h in reversed(self.manifest.horizons) if h <= horizon]
        candidates = [fused[outcome].at(h) for h in within for outcome in self.manifest.outcomes[position:]]
        return max(candidates, key=lambda one: one.log_odds)

    def _estimate(self, outcome: str, horizon: int, used: At, entries: Entries, values: FeatureValues) -> RiskEstimate:
        given, moved = list(entries.values()), used.fused.amounts
        amounts = used.slope * np.array([moved.get(feature.id, 0.0) for feature in self.inputs])
        seen = [entry for entry in given if entry.feature.id in moved]
        kept = np.array([feature.id in moved for feature in self.inputs])
        risk = float(expit(np.asarray(used.log_odds)))
        found = tuple(entry for entry in seen if isinstance(entry, FeatureValue))
        thresholds = self.bands.get((outcome, horizon))
        return RiskEstimate(
            model_id=self.id,
            version=self.version,
            kind=EstimateKind.PROBABILITY,
            outcome=outcome,
            outcome_words=self.outcome_words[outcome],
            horizon_years=horizon or None,
            value=risk,
            unit="1",
            band=published.band_of(risk, thresholds) if thresholds else None,
            explanation=tree.explanation(
                tree.contributions(amounts[kept], seen, self.groups, published.in_words),
                baseline=used.intercept + used.slope * used.fused.baseline,
                output=used.log_odds,
                population=self.population,
            )
            if self.explained
            else tree.unexplained(used.log_odds),
            inputs=found,
            not_measured=tuple(e for e in given if isinstance(e, Unusable) and not isinstance(e.feature, Derived)),
            effective=published.oldest(found),
            notes=(
                *self._notes.of(used, outcome, horizon, risk),
                *self._unlike(seen),
                *self._beyond(found),
                *speaking.not_excluded(values, self.gates),
            ),
        )

    def _beyond(self, found: Sequence[FeatureValue]) -> tuple[Message, ...]:
        """Numbers beyond all that the model has seen."""
        return tuple(
            msg(
                "{label} {value} lies beyond the training data",
                label=entry.feature.label,
                value=published.in_words(entry),
            )
            for entry in speaking.beyond(found, self._declared)
        )

    def _unlike(self, seen: Sequence[FeatureValue | Unusable]) -> tuple[Message, ...]:
        if self.like is None:
            return ()
        scale = likeness.scale_of(self.like, [entry.feature.id for entry in seen])
        return likeness.unlike(self.like, seen, likeness.row_of(seen, self._declared), scale)

    def _refusal(self, values: FeatureValues, present: tuple[str, ...]) -> NotEstimated | None:
        """Why the model does not speak about this person, or None."""
        by_id = {feature.id: feature for feature in self.inputs}
        refused = speaking.refusal(self.id, self.manifest.speaks, values, by_id, self.gates)
        if refused is not None:
            return refused
        if present:
            return None
        absent = values.unusable([by_id[id_] for m in self.manifest.modalities for id_ in m.own])
        reason = msg("Not calculated: there is too little of {modalities}",
                     modalities=published.enumerated([Message(m.label, {})
                                                      for m in self.manifest.modalities]))  # fmt: skip
        return NotEstimated(self.id, Refusal.INPUT, reason, absent)

    def _row(self, modality: Modality, entries: Entries) -> NDArray[np.float32]:
        if modality.kind == "linear":
            return np.empty(0, dtype=np.float32)
        numbers = []
        for id_ in modality.inputs:
            entry = entries[id_]
            value = entry.value if isinstance(entry, FeatureValue) else None
            numbers.append(table.number(value, self._declared[id_]))
        return np.array(numbers, dtype=np.float32)

    @cached_property
    def _owners(self) -> Mapping[str, str]:
        """The modality of each input: the first that takes it; an input of all of several stands for itself."""
        taken = {i.id: [m.id for m in self.manifest.modalities if i.id in m.inputs] for i in self.manifest.inputs}
        several = len(self.manifest.modalities)
        return {id_: id_ if 1 < len(by) == several else by[0] for id_, by in taken.items() if by}

    @cached_property
    def _notes(self) -> Notes:
        labels = {f.id: f.label for f in self.inputs}
        return Notes(self.manifest, labels, self.outcome_words, frozenset(self._owners.values()), self.explained)

    @cached_property
    def _declared(self) -> Mapping[str, Input]:
        return {declared.id: declared for declared in self.manifest.inputs}

    @cached_property
    def _patterns(self) -> Mapping[tuple[str, tuple[str, ...]], Pattern]:
        return {(p.outcome, p.modalities): p for p in self.manifest.patterns}

    @cached_property
    def _parts(self) -> Mapping[tuple[str, str], fusion.Part]:
        return {(p.outcome, p.modality): p for p in self.manifest.parts}


def _has_measurement(entry: FeatureValue | Unusable) -> bool:
    return isinstance(entry, FeatureValue) and speaking.is_measured(entry.feature)
