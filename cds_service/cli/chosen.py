"""The model that a command names."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from cds_service.errors import InputError
from cds_service.settings import Settings

if TYPE_CHECKING:
    from cds_service.registry import Registry
    from cds_service.risk.fused import FusedModel
    from cds_service.risk.model import RiskModel
    from cds_service.risk.trained import TrainedModel


def registry(settings: Settings) -> Registry:
    """All models and services that the settings load. Raises PluginError or SettingsError."""
    from cds_service.app import load_registry

    return load_registry(settings)


def model(loaded: Registry, model_id: str) -> RiskModel:
    """The model of an id. Raises InputError that names one like it."""
    if model_id not in loaded.models:
        near = difflib.get_close_matches(model_id, loaded.models, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"Loaded: {', '.join(loaded.models)}."
        raise InputError(f"there is no model {model_id!r}. {hint}")
    return loaded.models[model_id]


def trained(settings: Settings, model_id: str, instead: str = "Use --bundle.") -> TrainedModel | FusedModel:
    """The model of an id that was learnt from data. Raises InputError if there is none, or it is a published score.

    instead: what to do with a published score.
    """
    from cds_service.risk.fused import FusedModel
    from cds_service.risk.trained import TrainedModel

    found = model(registry(settings), model_id)
    if not isinstance(found, TrainedModel | FusedModel):
        raise InputError(f"{found.id} is a published score and has no source table. {instead}")
    return found
