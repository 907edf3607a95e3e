"""What recipes of fused survival models share: rows, study, weights, manifest, card, and reports on other rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cds_service.risk.fused import FusedModel
from cds_service.risk.likeness import Likeness
from cds_service.training import card, folder, fused_card, fused_folder, fusing, likeness, local_fused, local_survival
from cds_service.training.declaring import Origin, Table
from cds_service.training.evaluation import check_enough, check_trainable
from cds_service.training.fused_evidence import Evidence
from cds_service.training.fused_folder import Fusion, Modality
from cds_service.training.fused_model import Parameters
from cds_service.training.fusing import Plan
from cds_service.training.linear import Flags, Floats, Matrix
from cds_service.training.local import caution
from cds_service.training.local_fused import Seen
from cds_service.training.modalities import Kind, Patients
from cds_service.training.tables import Data, Source


@dataclass(frozen=True, slots=True)
class Fusing:
    """How the parts learn and are joined, as in `fusing.Plan`. further: what the manifest tells of it besides.

    bins: groups of similar patients whose outcomes the manifest holds.
    """

    kinds: tuple[Kind, ...]
    rounds: int
    start: Parameters
    space: Mapping[str, tuple[str, float, float]] = field(default_factory=dict)
    alone: frozenset[str] = frozenset()
    by_horizon: bool = False
    calibration: int = 5
    bins: int = 8
    further: Mapping[str, int | float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FusedRecipe:
    """A recipe. outcomes: id -> as a reader calls it, any death first. panels: in words -> columns missing together.

    patients: what came to the rows. spoken: for whom the model gives a number; who: these in words. linear, ceiling,
    published, thresholds, linear_words: as in `fused_evidence.Evidence`. words: what only a person can say, `words.md`.
    """

    id: str
    version: str
    title: str
    outcomes: Mapping[str, str]
    horizons: tuple[int, ...]
    seed: int
    table: Table
    origin: Origin
    patients: Callable[[Data], Patients]
    speaks: folder.Speaks
    spoken: Callable[[Patients], Flags]
    modalities: tuple[Modality, ...]
    learning: Fusing
    linear: Callable[[Data, Patients], Floats]
    ceiling: Callable[[Data, Patients], Matrix]
    subgroups: Callable[[Data, Patients], Mapping[str, Flags]]
    panels: Mapping[str, Sequence[int]]
    who: str
    words: Path
    thresholds: Mapping[tuple[str, int], Sequence[float]] = field(default_factory=dict)
    published: Callable[[Patients], Mapping[str, Mapping[str, Floats]]] = lambda patients: {}
    linear_words: str = "Cox regression (ridge, splines), same inputs"

    def train(
        self,
        data: Path,
        out: Path,
        trials: int,
        *,
        rounds: int | None = None,
        outer: int = 5,
        refits: int = 20,
        replicates: int = 500,
    ) -> None:
        """Writes weights, manifest, card and plots into `out`; the same data and trials give the same bytes."""
        table = self.table.read(data)
        patients, how = self.patients(table), self.learning
        check_trainable(data.name, self._seen(patients))
        plan = Plan(
            how.kinds, self.horizons, how.start, how.space, rounds or how.rounds, trials if how.space else 0, self.seed,
            outer, calibration=how.calibration, alone=how.alone, by_horizon=how.by_horizon,
        )  # fmt: skip
        evidence = Evidence(
            patients=patients, plan=plan, fusing=fusing.run(patients, plan), spoken=self.spoken(patients),
            outcomes=self.outcomes, subgroups=self.subgroups(table, patients), linear=self.linear(table, patients),
            ceiling=self.ceiling(table, patients), thresholds=self.thresholds, panels=self.panels, who=self.who,
            refits=refits, replicates=replicates, linear_words=self.linear_words, published=self.published(patients),
        )  # fmt: skip
        like = likeness.of(patients.matrix, table.inputs, evidence.spoken)
        written = fused_folder.write(out, self._manifest(table, evidence), evidence.fusing.final, like)
        fused_card.write(out, written, evidence, card.read_words(self.words))

    def likeness(self, data: Path) -> Likeness:
        """How like its training rows a patient is told to be, from the table that it was trained on."""
        table = self.table.read(data)
        patients = self.patients(table)
        return likeness.of(patients.matrix, table.inputs, self.spoken(patients))

    def evaluate(self, data: Path, model: FusedModel) -> str:
        """How the model does on rows with outcomes, in the source data's columns; Markdown."""
        table = self.table.read(data)
        patients = self.patients(table)
        check_enough(data.name, self._seen(patients))
        log_odds = model.rows.log_odds(patients.matrix)
        parts = {
            "everyone": np.ones(len(patients), dtype=np.bool_),
            "for whom it speaks": model.rows.speaks(patients.matrix),
        }
        blocks = [
            f"## {words.capitalize()}\n\n{local_survival.figures(patients, outcome, self.horizons, log_odds, parts)}"
            for outcome, words in self.outcomes.items()
        ]
        head = f"# {self.title}, version {model.version}, on {data.name}"
        return (
            "\n\n".join([head, caution(table.inputs, model.manifest.inputs, model.manifest.recalibrates), *blocks])
            + "\n"
        )

    def _seen(self, patients: Patients) -> dict[str, Floats]:
        """By outcome in words, 1 or 0 of each patient."""
        return {self.outcomes[name]: np.asarray(came, dtype=np.float64) for name, came in patients.came.items()}

    def observed(self, data: Path, model: FusedModel) -> Seen:
        """What came to the rows of a table, and for which of them the model speaks."""
        return local_fused.of_patients(self.patients(self.table.read(data)), model)

    def _manifest(self, table: Data, evidence: Evidence) -> Fusion:
        patients, plan = evidence.patients, evidence.plan
        return Fusion(
            id=self.id,
            version=self.version,
            title=self.title,
            outcomes=tuple(patients.came),
            horizons=self.horizons,
            inputs=table.inputs,
            modalities=self.modalities,
            parts=(),
            patterns=(),
            similar=fused_folder.similar(patients, evidence.ours, evidence.spoken.tolist(), self.learning.bins),
            speaks=self.speaks,
            population=folder.Population(
                source=self.origin.source,
                licence=self.origin.licence,
                people=len(patients),
                deaths=int(patients.ended.sum()),
                description=self.origin.description,
                horizons=_counts(patients, self.horizons),
            ),
            table=folder.Table(self.table.id, tuple(self.table.unused)),
            training={"seed": self.seed, **self.learning.further, **_how(plan, evidence.fusing.final.parameters)},
            versions=folder.versions(),
        )


def kinds(modalities: Sequence[Modality], sources: Sequence[Source]) -> tuple[Kind, ...]:
    """Each modality by columns of the matrix, with the directions that its inputs are held to."""
    place = {source.feature.id: position for position, source in enumerate(sources)}
    return tuple(
        Kind(
            m.id,
            [place[id_] for id_ in m.inputs],
            [place[id_] for id_ in m.own],
            m.minimum,
            [sources[place[id_]].monotone for id_ in m.inputs],
        )
        for m in modalities
    )


def _counts(patients: Patients, horizons: Sequence[int]) -> dict[str, dict[str, int]]:
    """By outcome and horizon, how many were there, to how many it came, and how many were lost before."""
    return {
        f"{outcome} within {h} {'year' if h == 1 else 'years'}": {
            "people": len(patients),
            "with it": int((came & (patients.months <= 12 * h)).sum()),
            "lost before": int((~patients.ended & (patients.months <= 12 * h)).sum()),
        }
        for outcome, came in patients.came.items()
        for h in horizons
    }


def _how(plan: Plan, parameters: Parameters) -> dict[str, str | int | float]:
    """What the manifest tells of the study; sums have neither rounds nor parameters."""
    folds = {"trials": plan.trials, "outer_folds": plan.outer}
    if all(kind.linear for kind in plan.kinds):
        return {**folds, "calibration_folds": plan.calibration}
    inner = {"inner_folds": plan.inner, "calibration_folds": plan.calibration}
    return {"rounds": plan.rounds, **folds, **inner, **parameters}
