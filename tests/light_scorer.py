"""A scorer of one published score for tests that start processes: importable there, and ready at once."""

from __future__ import annotations

from typing import Any

from cds_service import registry
from cds_service.clock import FixedClock
from cds_service.cohort.scoring import Scorer
from cds_service.pipeline import Pipeline
from cds_service.registry import Registry
from cds_service.sandbox.chart import AS_OF
from cds_service.settings import Settings


def make(settings: Settings, choice: Any) -> Scorer:
    """As `make_scorer` does, with the models of one file."""
    found = {model.id: model for model in registry._models(registry.shipped("models") / "ckd_epi_2021.py")}
    return Scorer(Pipeline(Registry(found, {}, {}), settings, FixedClock(AS_OF)), found, choice)
