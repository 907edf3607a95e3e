"""The weights of every shipped model: what a service computes from them is what XGBoost does."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from answers import loaded

from cds_service.errors import PluginError
from cds_service.risk.margin import Margin
from cds_service.risk.trained import TrainedModel

MODELS = [m for m in loaded().models.values() if isinstance(m, TrainedModel)]


def margins(model: TrainedModel) -> list[tuple[Margin, float]]:
    """Every margin of a model, with the expected value that the manifest states."""
    declared = model.manifest
    own = [(part.margin, declared.narrower[part.outcome].expected_margin) for part in model.narrower]
    return [(model.margin, declared.expected_margin), *own]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.id)
def test_attributions_and_margins_are_those_of_xgboost(model: TrainedModel) -> None:
    """On rows that lie on the model's own splits, with gaps; the expected value is the manifest's."""
    for margin, expected in margins(model):
        assert margin.tables is not None
        assert margin.tables.difference(margin.booster) < 1e-5
        assert margin.tables.expected == pytest.approx(expected, abs=1e-5)
    model.check()


def test_tables_that_differ_are_named() -> None:
    """`curbside check` fails, with the file; also where an outcome's own trees are read wrongly."""
    (model,) = (one for one in MODELS if one.narrower)
    for margin, _ in margins(model):
        assert margin.tables is not None
        wrong = dataclasses.replace(margin.tables, amounts=margin.tables.amounts * 1.001)
        with pytest.raises(PluginError, match=rf"{margin.path.name}: Curbside and XGBoost compute values"):
            spoilt(model, margin, dataclasses.replace(margin, tables=wrong)).check()


def spoilt(model: TrainedModel, margin: Margin, by: Margin) -> TrainedModel:
    parts = tuple(dataclasses.replace(part, margin=by) if part.margin is margin else part for part in model.narrower)
    return dataclasses.replace(model, margin=by if model.margin is margin else model.margin, narrower=parts)


def test_serving_imports_neither_xgboost_nor_sqlalchemy(tmp_path: Path) -> None:
    """Some tenths of a second and 40 MB that training and checks need, and PostgreSQL or what is rare."""
    script = (
        "import sys; from cds_service.app import create_app; from cds_service.settings import Settings;"
        f"create_app(Settings().with_('store', url='sqlite:///{tmp_path / 'a.db'}'));"
        "sys.exit(not {'xgboost', 'sqlalchemy', 'lxml', 'yaml'}.isdisjoint(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
