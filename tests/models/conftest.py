"""What the tests of published scores share: the models' modules, made-up patients, vector files."""

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from cds_service.features.feature import (
    ConditionFeature,
    Demographic,
    Feature,
    FeatureValue,
    FeatureValues,
    MedicationFeature,
    Reason,
    Unusable,
)
from cds_service.features.operations import Surgery
from cds_service.features.recent import Recent
from cds_service.language import msg
from cds_service.risk.model import NotEstimated, PublishedScore, RiskEstimate

ROOT = Path(__file__).parent.parent.parent
OWN_VECTORS = ROOT / "tests" / "vectors"
AS_OF = datetime(2026, 11, 1, 12, tzinfo=UTC)


def module(name: str) -> ModuleType:
    """A fresh module of a file in `models/`, so that a test may change its numbers."""
    key = f"models_under_test_{name}"
    spec = importlib.util.spec_from_file_location(key, ROOT / "models" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[key] = loaded
    spec.loader.exec_module(loaded)
    return loaded


@pytest.fixture(scope="session")
def scores() -> Mapping[str, ModuleType]:
    """The modules of all published scores by file name; tests leave them as they are."""
    return {path.stem: module(path.stem) for path in sorted((ROOT / "models").glob("*.py"))}


@pytest.fixture(scope="session")
def load_model() -> Callable[[str], ModuleType]:
    """A fresh module whose numbers a test may change."""
    return module


Build = Callable[..., FeatureValues]


@pytest.fixture(scope="session")
def patient() -> Build:
    return build


def build(
    model: PublishedScore,
    given: Mapping[Feature, Any],
    *,
    at: Mapping[Feature, datetime] | None = None,
    faults: Mapping[Feature, Reason] | None = None,
) -> FeatureValues:
    """The values of a patient: what is given, "no" for conditions and medicines, absent for all else.

    at: times of measurements (default: 30 days before `AS_OF`); faults: features that are unusable.
    """
    entries: dict[str, FeatureValue | Unusable] = {}
    for feature in {*model.features, *given}:
        reason = (faults or {}).get(feature)
        time = (at or {}).get(feature, AS_OF - timedelta(days=30))
        if reason is None and feature in given:
            measured = not isinstance(feature, Demographic)
            sources = (f"Observation/{feature.id}",) if measured else ("Patient/1",)
            entries[feature.id] = FeatureValue(feature, given[feature], time if measured else None, sources)
        elif reason is None and isinstance(feature, ConditionFeature | MedicationFeature | Recent | Surgery):
            entries[feature.id] = FeatureValue(feature, False, None, (), inferred=True)
        else:
            words = msg("{label}: {reason}", label=feature.label, reason=(reason or Reason.ABSENT).value)
            entries[feature.id] = Unusable(feature, reason or Reason.ABSENT, words)
    return FeatureValues(AS_OF, entries)


@pytest.fixture(scope="session")
def estimates() -> Callable[[PublishedScore, FeatureValues], tuple[RiskEstimate, ...]]:
    def run(model: PublishedScore, values: FeatureValues) -> tuple[RiskEstimate, ...]:
        result = model.estimate(values)
        assert not isinstance(result, NotEstimated), str(result.reason)
        for estimate in result:
            assert estimate.explanation.residual() <= 1e-9
        return result

    return run


@pytest.fixture(scope="session")
def refusal() -> Callable[[PublishedScore, FeatureValues], NotEstimated]:
    def run(model: PublishedScore, values: FeatureValues) -> NotEstimated:
        result = model.estimate(values)
        assert isinstance(result, NotEstimated)
        return result

    return run


@pytest.fixture(scope="session")
def cases() -> Callable[[str], list[dict[str, Any]]]:
    def read(name: str) -> list[dict[str, Any]]:
        return list(json.loads((OWN_VECTORS / f"{name}.json").read_text())["cases"])

    return read
