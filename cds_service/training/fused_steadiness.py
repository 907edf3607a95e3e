"""How steady a fused model's answers are, as `steadiness` tells it of one margin.

Refits repeat all that the method does, calibration and combiners included, on the patients of all folds but the first,
drawn with replacement, and are asked about those of the first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cds_service.risk.calibration import expit
from cds_service.risk.manifest import Input
from cds_service.training import fusing, steadiness
from cds_service.training import steady_words as words
from cds_service.training.fused_evidence import Evidence, by_pattern, patterns_of
from cds_service.training.fused_figures import judged
from cds_service.training.fused_model import Fused
from cds_service.training.linear import Floats, Matrix
from cds_service.training.progress import bar

_BINS = 8


@dataclass(frozen=True, slots=True)
class _HeldOut:
    """The first fold's rows for which the model speaks, and the model that saw none of them."""

    evidence: Evidence
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, evidence: Evidence) -> _HeldOut:
        return cls(evidence, np.flatnonzero((evidence.fusing.fold == 0) & evidence.spoken))

    @property
    def matrix(self) -> Matrix:
        return self.evidence.patients.matrix[self.rows]

    @property
    def model(self) -> Fused:
        return self.evidence.fusing.folds[0]

    def risks(self, model: Fused, matrix: Matrix) -> dict[tuple[str, int], Floats]:
        """By outcome and horizon, as the model gives them."""
        outcomes = tuple(self.evidence.patients.came)
        found = by_pattern(matrix, outcomes, self.evidence.plan, model.log_odds)
        return {case: expit(line) for case, line in found.items()}

    def reasons(self, model: Fused, outcome: str, to: Floats) -> NDArray[np.int64]:
        """The three largest groups of contributions of some rows."""
        matrix = self.matrix[: steadiness.EXPLAINED]
        phi = np.zeros(matrix.shape)
        for pattern, rows in patterns_of(matrix, self.evidence.plan):
            phi[rows] = model.contributions(matrix[rows], outcome, pattern)
        return words.reasons(phi @ to)


def applicable(evidence: Evidence) -> str:
    """Concordance and calibration for rows that pass the checks made of each patient, and for those that do not."""
    p, horizons = evidence.patients, evidence.plan.horizons
    beyond, odd = words.unusual(p.matrix, evidence.fusing.fold, evidence.spoken)
    everyone = np.ones(len(p), dtype=np.bool_)
    parts = words.checked(everyone, evidence.spoken, beyond, odd, "another illness, or too little measured")
    blocks = [
        f"**{title.capitalize()}**\n\n{judged(p, outcome, horizons, evidence.ours, parts)}"
        for outcome, title in evidence.outcomes.items()
    ]
    return words.applicable(blocks)


def similar(evidence: Evidence) -> str:
    """What came of patients with like estimates, out of fold, those who were lost accounted for by weights."""
    rows, keep = [], evidence.spoken
    for outcome, horizon in evidence.cases:
        risk = expit(evidence.ours[outcome, horizon][keep])
        happened, weight = (column[keep] for column in evidence.seen(outcome, horizon))
        for group in np.array_split(np.argsort(risk, kind="stable"), _BINS):
            rows.append(words.alike(evidence.title(outcome, horizon), risk[group], happened[group], weight[group]))
    return words.similar(rows)


def refitted(evidence: Evidence, inputs: Sequence[Input]) -> str:
    """Range over refits, share of refits on the same side of each threshold, and how often reasons stay the same."""
    held_out, refits = _HeldOut.of(evidence), _refits(evidence)
    to = words.to_groups([declared.group or declared.id for declared in inputs])
    own = held_out.risks(held_out.model, held_out.matrix)
    each = [held_out.risks(model, held_out.matrix) for model in refits]
    rows = []
    for outcome in evidence.outcomes:
        others = [held_out.reasons(model, outcome, to) for model in refits]
        top = words.kept(held_out.reasons(held_out.model, outcome, to), others)
        for horizon in evidence.plan.horizons:
            risks, title = np.array([one[outcome, horizon] for one in each]), evidence.title(outcome, horizon)
            for threshold in evidence.limits(outcome, horizon):
                rows.append(words.agreement(title, threshold, own[outcome, horizon], risks, top))
    averages = "" if len(evidence.thresholds) == len(evidence.cases) else (
        "\n\nWhere nobody decides by a threshold, the average risk stands in its place."
    )  # fmt: skip
    return words.refitted(len(refits), rows) + averages


def plausible(evidence: Evidence) -> str:
    """What estimates would have been with other values in place of what is missing, by what is missing."""
    held_out, rows = _HeldOut.of(evidence), []
    matrix = held_out.matrix[: steadiness.EXPLAINED]
    for name, columns in evidence.panels.items():
        drawn = [held_out.risks(held_out.model, each) for each in _filled(evidence, matrix, list(columns))]
        for outcome, horizon in evidence.cases:
            risks = np.array([one[outcome, horizon] for one in drawn])
            title = f"{evidence.title(outcome, horizon)}: {name}"
            rows.append(words.moved(title, risks, evidence.limits(outcome, horizon)[0]))
    return words.plausible(steadiness.DONORS, rows)


def _refits(evidence: Evidence) -> list[Fused]:
    """Models fitted as that of the first fold was, on its patients drawn with replacement."""
    plan, seen = evidence.plan, np.flatnonzero(evidence.fusing.fold != 0)
    given, found = evidence.fusing.folds[0].parameters, []
    with bar(evidence.refits, "Refits") as step:
        for number in range(evidence.refits):
            drawn = np.random.default_rng([plan.seed, number]).choice(seen, len(seen))
            found.append(fusing.fit(evidence.patients, np.sort(drawn), plan, step, "Refits", given))
    return found


def _filled(evidence: Evidence, matrix: Matrix, columns: list[int]) -> list[Matrix]:
    """Copies of rows with some columns of others, each together from a patient of whom at least half is measured."""
    train = evidence.patients.matrix[evidence.fusing.fold != 0]
    there = np.flatnonzero((~np.isnan(train[:, columns])).mean(axis=1) >= 0.5)
    generator, copies = np.random.default_rng(evidence.plan.seed), []
    for _ in range(steadiness.DONORS):
        copy = matrix.copy()
        copy[:, columns] = train[generator.choice(there, len(matrix))][:, columns]
        copies.append(copy)
    return copies
