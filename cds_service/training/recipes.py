"""What recipes of models of one table share: rows, study, weights, manifest, card, and reports on other rows.

A `train.py` declares what is the model's own; the steps stand here, in the order in which they are done. An
`OutcomeRecipe` is of outcomes that came or did not; one of follow-up that ends is in `horizon_recipe`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic

import numpy as np

from cds_service.risk.calibration import T, Target
from cds_service.risk.likeness import Alike, Likeness
from cds_service.risk.trained import TrainedModel
from cds_service.training import card, folder, likeness, ordered, outcome_card, steadiness, study
from cds_service.training.declaring import Gaps, Learning, Origin, Size, Table
from cds_service.training.evaluation import Judge, Rows, check_enough, check_trainable, local_table
from cds_service.training.evidence import OutcomeEvidence
from cds_service.training.hazard import Floats, Matrix, People, Recipe
from cds_service.training.local import Local, caution
from cds_service.training.ordered import Ordered
from cds_service.training.outcomes import Outcomes
from cds_service.training.steadiness import Tested
from cds_service.training.study import Plan, Study
from cds_service.training.tables import Data

Parts = Mapping[str, Rows]  # name -> rows


@dataclass(frozen=True, kw_only=True)
class Declared(ABC, Generic[T]):
    """A recipe. outcome: as the manifest names it; titles: each target as a reader calls it.

    cohort: what came to the rows. subgroups: who is reported on apart. ceiling: every column that does not leak.
    thresholds: risks for net benefit. everyone, those: in words, all rows and the rows for which the model speaks.
    words: what only a person can say of the model, `words.md`.
    """

    id: str
    version: str
    title: str
    outcome: str
    titles: Mapping[T, str]
    seed: int
    table: Table
    speaks: folder.Speaks
    gaps: Gaps
    learning: Learning
    origin: Origin
    cohort: Callable[[Data], People[T]]
    subgroups: Callable[[Data], Parts]
    ceiling: Callable[[Data], Matrix]
    thresholds: Mapping[T, Sequence[float]]
    everyone: str
    those: str
    words: Path

    def train(
        self,
        data: Path,
        out: Path,
        trials: int,
        *,
        rounds: int | None = None,
        outer: int = 5,
        replicates: int | None = None,
        rival: int | None = None,
        refits: int = 6,
    ) -> None:
        """Writes weights, manifest, card and plots into `out`; the same data and trials give the same bytes."""
        how = self.learning
        size = Size(rounds or how.rounds, outer, replicates or how.replicates, rival or how.rival, refits)
        table = self.table.read(data)
        cohort = self.cohort(table)
        check_trainable(data.name, {self.titles[t]: cohort.within(t)[known] for t, known in cohort.known.items()})
        plan = self.plan(table, trials, size)
        result, narrower = self._studied(table, plan)
        declared = self._manifest(table, result, plan, narrower)
        similar = self._similar(table, result, plan, size.refits)
        like = likeness.of(table.matrix, table.inputs, self.spoken(table), similar, size.refits)
        own = {name: one.final for name, one in narrower.items()}
        written = folder.write(out, declared, result.final.booster, own, like)
        self._card(out, written, table, result, plan, size)

    def likeness(self, data: Path) -> Likeness:
        """How like its training rows a patient is told to be, from the table that it was trained on."""
        table = self.table.read(data)
        return likeness.of(table.matrix, table.inputs, self.spoken(table))

    def evaluate(self, data: Path, model: TrainedModel) -> str:
        """How the model does on rows with outcomes, in the source data's columns; Markdown."""
        table = self.table.read(data)
        cohort, spoken, groups = self.cohort(table), self.spoken(table), self.subgroups(table)
        check_enough(data.name, {self.titles[t]: cohort.within(t)[known] for t, known in cohort.known.items()})
        log_odds, blocks = model.rows.log_odds(table.matrix), {}
        for target, known in cohort.known.items():
            judge = Judge(cohort.within(target), self.seed, patients=cohort.groups)
            parts = {self.everyone: known, self.those: known & spoken}
            parts |= {name: known & spoken & rows for name, rows in groups.items()}
            blocks[_capital(self.titles[target])] = local_table(judge, log_odds[target], parts)
        beware = caution(table.inputs, model.manifest.inputs, model.manifest.recalibrates)
        return outcome_card.report(f"{self.title}, version {model.version}, on {data.name}", beware, blocks)

    def observed(self, data: Path) -> Local:
        """What came to the rows of a table, and for which of them the model speaks."""
        table = self.table.read(data)
        cohort = self.cohort(table)
        came: dict[Target, tuple[Rows, Floats]] = {t: (known, cohort.within(t)) for t, known in cohort.known.items()}
        return Local(table.matrix, came, self.spoken(table), cohort.groups)

    def spoken(self, table: Data) -> Rows:
        """The rows for which the model gives a number, by the rule of a record."""
        return self.table.spoken(table, self.speaks)

    def plan(self, table: Data, trials: int, size: Size) -> Plan:
        """How the study is done."""
        how, dropout = self.learning, self.gaps.dropout(self.table)
        signs = [source.monotone for source in self.table.sources]
        everyone = np.ones(len(table.matrix), dtype=np.bool_)
        return Plan(
            recipe=Recipe(
                size.rounds, signs, dropout if self.gaps.trained else None, self.seed, how.cuts, chains=how.chains
            ),
            start=how.start,
            space=how.space,
            calibrated_on=everyone if how.everyone else self.spoken(table),
            trials=trials,
            outer=size.outer,
            inner=how.inner,
            seed=self.seed,
            held_out=how.held_out,
            from_outer=how.from_outer,
            own_slopes=how.own_slopes,
        )

    def counts(self, cohort: People[T]) -> dict[str, dict[str, int]]:
        """By target, of how many rows it is known, and to how many it came."""
        rows, came = self.origin.counted
        return {
            str(target): {rows: int(known.sum()), came: int(cohort.within(target)[known].sum())}
            for target, known in cohort.known.items()
        }

    def _studied(self, table: Data, plan: Plan) -> tuple[Study | Ordered, Mapping[str, Study]]:
        """The study, and those of outcomes with a margin of their own that its outcome includes."""
        return study.run(self.cohort(table), plan), {}

    def _similar(
        self, table: Data, result: Study | Ordered, plan: Plan, refits: int
    ) -> Mapping[str, tuple[Alike, ...]]:
        """By target, what came of rows with like out-of-fold risks, as the card has it, and how far refits differ."""
        found: dict[str, tuple[Alike, ...]] = {}
        for one, cohort, titles in self._margins(self.cohort(table), result):
            tested = Tested(one, cohort, plan.recipe, titles, {}, (), self.spoken(table), self.seed, refits)
            found |= steadiness.bands(tested)
        return found

    def _margins(
        self, cohort: People[T], result: Study | Ordered
    ) -> list[tuple[Study, People[T] | Outcomes, Mapping[Target, str]]]:
        """Each margin's study, its rows, and the titles of what it tells of."""
        titles: dict[Target, str] = dict(self.titles.items())
        if isinstance(result, Ordered) and isinstance(cohort, Outcomes):
            return [(one, cohort.alone(name), {name: titles[name]}) for name, one in result.studies.items()]
        assert isinstance(result, Study)
        return [(result, cohort, titles)]

    @abstractmethod
    def deaths(self, table: Data) -> int | None:
        """How many died; None if the outcome is another."""

    @abstractmethod
    def _card(
        self, out: Path, written: folder.Manifest, table: Data, result: Study | Ordered, plan: Plan, size: Size
    ) -> None: ...

    def _manifest(
        self, table: Data, result: Study | Ordered, plan: Plan, narrower: Mapping[str, Study]
    ) -> folder.Manifest:
        final, origin = result.final, self.origin
        return folder.Manifest(
            id=self.id,
            version=self.version,
            title=self.title,
            outcome=self.outcome,
            inputs=table.inputs,
            speaks=self.speaks,
            calibration=folder.calibrated(final.calibration, self.learning.on),
            expected_margin=folder.expected_margin(final.booster, table.matrix),
            population=folder.Population(
                origin.source,
                origin.licence,
                len(table.matrix),
                self.deaths(table),
                origin.description,
                self.counts(self.cohort(table)),
            ),
            table=folder.Table(self.table.id, tuple(self.table.unused)),
            training={**self._how(plan), **final.parameters, **_named(narrower)},
            versions=folder.versions(),
            weights="",
            sha256="",
        )

    def _how(self, plan: Plan) -> dict[str, str | int | float]:
        """What the manifest tells of the study, in the order of its steps."""
        grown = {"cuts": plan.recipe.cuts} if plan.recipe.cuts else {}
        grown |= {"chains": plan.recipe.chains} if plan.recipe.chains > 1 else {}
        folds = {"outer_folds": plan.outer, "inner_folds": plan.inner}
        if plan.held_out:
            folds["inner_held_out"] = plan.held_out
        elif plan.from_outer:
            folds["from_outer"] = 1
        return {
            "seed": self.seed,
            "rounds": plan.recipe.rounds,
            **grown,
            **self.learning.further,
            "trials": plan.trials,
            **folds,
        }


def _capital(title: str) -> str:
    return title[:1].upper() + title[1:]


def _named(narrower: Mapping[str, Study]) -> dict[str, int | float]:
    return {f"{name}_{p}": value for name, one in narrower.items() for p, value in one.final.parameters.items()}


@dataclass(frozen=True, kw_only=True)
class OutcomeRecipe(Declared[str]):
    """Of outcomes that came or did not, by name, narrowest first.

    apart: whether each has trees of its own, of which the widest outcome's bound the others'. who: in words, the rows
    that the card's figures are of. scores: published scores and guesses of each row, as in `OutcomeEvidence`.
    """

    cohort: Callable[[Data], Outcomes]
    who: str
    apart: bool = False
    scores: Callable[[Data], Mapping[str, Mapping[str, Floats]]] = lambda table: {}

    def deaths(self, table: Data) -> int | None:
        """How many had the outcome that is death; None if none is."""
        name = self.origin.deaths
        return None if name is None else int(self.cohort(table).within(name).sum())

    def _studied(self, table: Data, plan: Plan) -> tuple[Study | Ordered, Mapping[str, Study]]:
        if not self.apart:
            return super()._studied(table, plan)
        result = ordered.run(self.cohort(table), plan)
        *narrower, _ = result.studies
        return result, {name: result.studies[name] for name in narrower}

    def _card(
        self, out: Path, written: folder.Manifest, table: Data, result: Study | Ordered, plan: Plan, size: Size
    ) -> None:
        evidence = OutcomeEvidence(
            manifest=written,
            cohort=self.cohort(table),
            study=result,
            titles=self.titles,
            spoken=self.spoken(table),
            who=self.who,
            subgroups=self.subgroups(table),
            dropout=self.gaps.dropout(self.table),
            patterns=self.gaps.patterns,
            scores=self.scores(table),
            ceiling=self.ceiling(table),
            thresholds=self.thresholds,
            seed=self.seed,
            replicates=size.replicates,
            trials=size.rival,
            recipe=plan.recipe,
            refits=size.refits,
            inner=1,
        )
        outcome_card.write(out, evidence, card.read_words(self.words))
