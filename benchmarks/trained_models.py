"""What each trained model costs for one record: inputs given, estimate, exact contributions and notes, on one thread.

Beside it, XGBoost with its own TreeSHAP on the same row and the same weights, which gives margins and no words.
`python -m benchmarks.trained_models` prints a Markdown table. Nothing is refitted here: ranges over refits are made
when a model is trained, and stand in its card.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import xgboost

from cds_service.app import load_registry
from cds_service.clock import SystemClock
from cds_service.features.feature import FeatureValue, FeatureValues, Unusable
from cds_service.risk.fused import FusedModel
from cds_service.risk.modality import Trees
from cds_service.risk.model import NotEstimated
from cds_service.risk.trained import TrainedModel
from cds_service.settings import Settings

ROUNDS, CALLS = 7, 20


def median_row(model: TrainedModel | FusedModel) -> tuple[FeatureValues, Mapping[str, float]]:
    """The median of each input, the age within the model's range, and gates false; and the same as numbers by input."""
    entries: dict[str, FeatureValue | Unusable] = {}
    numbers: dict[str, float] = {}
    as_of = SystemClock().now()
    for feature, declared in zip(model.inputs, model.manifest.inputs, strict=True):
        youngest, eldest = model.manifest.speaks.age
        median = declared.training.p50
        numbers[feature.id] = min(max(median, youngest), eldest) if feature.id == "age" else median
        words = {number: word for word, number in declared.answers.items()}
        value = words.get(round(median), numbers[feature.id])
        entries[feature.id] = FeatureValue(feature, value, as_of, ())
    for gate, _ in model.gates:
        entries[gate.id] = FeatureValue(gate, False, as_of, ())
    return FeatureValues(as_of, entries), numbers


def bare(model: TrainedModel | FusedModel, numbers: Mapping[str, float]) -> Callable[[], None] | None:
    """XGBoost's margin and TreeSHAP on the same row; None for a model that is a sum."""
    if isinstance(model, TrainedModel):
        pairs = [(model.margin.booster, [i.id for i in model.manifest.inputs])]
    else:
        kinds = {m.id: m.inputs for m in model.manifest.modalities}
        trees = [(m, s) for (_, m), s in model.scorers.items() if isinstance(s, Trees)]
        pairs = [(_booster(scorer), list(kinds[modality])) for modality, scorer in trees]
    if not pairs:
        return None
    rows = [(b, np.array([[numbers[i] for i in ids]], dtype=np.float32)) for b, ids in pairs]

    def run() -> None:
        for booster, row in rows:
            booster.predict(xgboost.DMatrix(row, nthread=1), pred_contribs=True)

    return run


def _booster(scorer: Trees) -> xgboost.Booster:
    booster = xgboost.Booster({"nthread": 1})
    booster.load_model(bytearray(scorer.content))
    return booster


def cpu_ms(work: Callable[[], object]) -> float:
    """Milliseconds of CPU of one call, the median of several rounds."""
    taken = []
    for _ in range(ROUNDS):
        begun = time.thread_time()
        for _ in range(CALLS):
            work()
        taken.append((time.thread_time() - begun) / CALLS * 1e3)
    return sorted(taken)[ROUNDS // 2]


def main() -> None:
    """Prints the table and the sum of its rows."""
    print("| model | explained estimate, CPU ms | bare XGBoost + TreeSHAP, CPU ms |\n|---|---:|---:|")
    ours = theirs = 0.0
    for model in load_registry(Settings()).models.values():
        if not isinstance(model, TrainedModel | FusedModel):
            continue
        values, numbers = median_row(model)
        answer = model.estimate(values)
        if isinstance(answer, NotEstimated):
            print(f"| {model.id} | refused: {answer.reason} | |")
            continue
        mine, other = cpu_ms(lambda m=model, v=values: m.estimate(v)), bare(model, numbers)
        cost = cpu_ms(other) if other is not None else 0.0
        ours, theirs = ours + mine, theirs + cost
        print(f"| {model.id} | {mine:.2f} | {f'{cost:.2f}' if other is not None else 'no trees'} |")
    print(f"| all | {ours:.2f} | {theirs:.2f} |")


if __name__ == "__main__":
    main()
