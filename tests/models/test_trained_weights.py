"""The weights of every shipped model: what a service computes from them is what XGBoost does."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
from answers import loaded

from cds_service.errors import PluginError
from cds_service.risk.trained import TrainedModel

MODELS = [m for m in loaded().models.values() if isinstance(m, TrainedModel)]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.id)
def test_attributions_and_margins_are_those_of_xgboost(model: TrainedModel) -> None:
    """On rows that lie on the model's own splits, with gaps; the expected value is the manifest's."""
    assert model.tables is not None
    assert model.tables.difference(model.booster) < 1e-5
    assert model.tables.expected == pytest.approx(model.manifest.expected_margin, abs=1e-5)
    model.check()


def test_tables_that_differ_are_named() -> None:
    """`curbside check` fails, with the file."""
    model = MODELS[0]
    assert model.tables is not None
    wrong = dataclasses.replace(model.tables, amounts=model.tables.amounts * 1.001)
    with pytest.raises(PluginError, match=r"weights\.ubj: Curbside and XGBoost compute values"):
        dataclasses.replace(model, tables=wrong).check()


def test_serving_imports_neither_xgboost_nor_sqlalchemy(tmp_path: Path) -> None:
    """Some tenths of a second and 40 MB that training and checks need, and PostgreSQL or what is rare."""
    script = (
        "import sys; from cds_service.app import create_app; from cds_service.settings import Settings;"
        f"create_app(Settings().with_('store', url='sqlite:///{tmp_path / 'a.db'}'));"
        "sys.exit(not {'xgboost', 'sqlalchemy', 'lxml', 'yaml'}.isdisjoint(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
