"""Scores that are off by default: computed and asked for only where a site enables them."""

from datetime import UTC, datetime
from pathlib import Path

import answers
import pytest

from cds_service.app import create_pipeline, load_registry
from cds_service.clock import FixedClock
from cds_service.errors import SettingsError
from cds_service.registry import Registry
from cds_service.risk.model import is_on
from cds_service.settings import Settings, load

CLOCK = FixedClock(datetime(2026, 11, 1, 9, tzinfo=UTC))
SERVICE = "af-anticoagulation"


@pytest.fixture(scope="module")
def loaded() -> Registry:
    return answers.loaded()


def models_of(loaded: Registry, *enabled: str) -> list[str]:
    """Ids of the models that the service runs."""
    settings = Settings().with_("models", enabled=enabled)
    return [m.id for m in create_pipeline(settings, CLOCK, loaded=loaded).desk(SERVICE).models]


def test_superseded_scores_and_other_editions_are_off(loaded: Registry) -> None:
    """What is off is what a site must ask for."""
    off = {id_ for id_, model in loaded.models.items() if not is_on(model, ())}
    assert off == {
        "cha2ds2-vasc",
        "kfre-4-other-regions",
        "kfre-8-other-regions",
        "pce-2013",
        "score2-low",
        "score2-moderate",
        "score2-high",
        "score2-very-high",
    }
    assert is_on(loaded.models["pce-2013"], ("pce-2013",))


def test_a_service_runs_an_off_model_only_if_it_is_enabled(loaded: Registry) -> None:
    """The second edition of a score costs nothing where nobody wants it."""
    assert "cha2ds2-vasc" not in models_of(loaded)
    assert "cha2ds2-vasc" in models_of(loaded, "cha2ds2-vasc")


def test_no_model_that_is_on_asks_for_race(loaded: Registry) -> None:
    """Race is read for the superseded equations alone, and only where they are enabled."""
    asking = {id_ for id_, model in loaded.models.items() if any(f.id == "race" for f in model.features)}
    assert asking == {"pce-2013"}


@pytest.mark.parametrize("as_variable", [False, True])
def test_the_setting_is_a_list_of_ids(tmp_path: Path, as_variable: bool) -> None:
    """In the file, or with commas in a variable."""
    file = tmp_path / "curbside.toml"
    file.write_text("" if as_variable else '[models]\nenabled = ["pce-2013", "score2-low"]\n')
    environ = {"CURBSIDE_MODELS__ENABLED": "pce-2013, score2-low"} if as_variable else {}
    assert load(file, environ).models.enabled == ("pce-2013", "score2-low")


def test_an_enabled_model_that_is_not_loaded_is_refused_with_the_nearest() -> None:
    """A misspelt score would stay off unnoticed."""
    with pytest.raises(SettingsError, match=r"names no loaded model\. Did you mean pce-2013"):
        load_registry(Settings().with_("models", enabled=("pce-2012",)))
