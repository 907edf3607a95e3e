"""A recipe of an outcome at horizons, from follow-up that ends; see `recipes`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cds_service.risk import speaking
from cds_service.training import card, folder
from cds_service.training.declaring import Size
from cds_service.training.evaluation import Rows
from cds_service.training.evidence import Evidence
from cds_service.training.hazard import Cohort, People
from cds_service.training.ordered import Ordered
from cds_service.training.recipes import Declared, Parts
from cds_service.training.study import Plan, Study
from cds_service.training.tables import Data


@dataclass(frozen=True, kw_only=True)
class HorizonRecipe(Declared[int]):
    """Of death within some years. waves: the rows of each year of enrolment; last_wave: of each horizon, the last one
    that was followed so long.
    """

    cohort: Callable[[Data], Cohort]
    waves: Callable[[Data], Parts]
    last_wave: dict[int, int]

    def spoken(self, table: Data) -> Rows:
        """The rows of the ages for which the model speaks, however little is measured: the card judges gaps apart."""
        return speaking.of_rows(folder.Speaks(self.speaks.age, (), 0), table.matrix, self.table.place)

    def deaths(self, table: Data) -> int:
        """How many died at any time."""
        return int(self.cohort(table).died.sum())

    def counts(self, cohort: People[int]) -> dict[str, dict[str, int]]:
        """By horizon, the last wave, the people of whom it is known, and those who died."""
        found = super().counts(cohort)
        return {horizon: {"last_wave": self.last_wave[int(horizon)], **one} for horizon, one in found.items()}

    def _card(
        self, out: Path, written: folder.Manifest, table: Data, result: Study | Ordered, plan: Plan, size: Size
    ) -> None:
        assert isinstance(result, Study)
        youngest, eldest = self.speaks.age
        age = table.matrix[:, self.table.place[speaking.AGE]]
        evidence = Evidence(
            manifest=written,
            cohort=self.cohort(table),
            study=result,
            spoken=self.spoken(table),
            subgroups=self.subgroups(table),
            age_bands={
                f"{low}–{low + 9}": np.asarray((age >= low) & (age < low + 10))
                for low in range(youngest, eldest + 1, 10)
            },
            waves=self.waves(table),
            dropout=self.gaps.dropout(self.table),
            patterns=self.gaps.patterns,
            ceiling=self.ceiling(table),
            thresholds=self.thresholds,
            seed=self.seed,
            replicates=size.replicates,
            recipe=plan.recipe,
            refits=size.refits,
        )
        card.write(out, evidence, card.read_words(self.words))
