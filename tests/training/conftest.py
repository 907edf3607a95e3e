"""A small generated table in the columns of the mortality model's source data."""

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="session")
def recipe() -> ModuleType:
    """The module of `models/mortality/train.py`."""
    spec = importlib.util.spec_from_file_location("recipe_under_test", ROOT / "models" / "mortality" / "train.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def people(recipe: ModuleType) -> Callable[[Path, int], Path]:
    """Writes a table of generated people, half of them of 50 to 79 years, with deaths that age and creatinine drive."""

    def write(path: Path, n: int) -> Path:
        g = np.random.default_rng(11)
        columns = {name: np.full(n, "", dtype=object) for name in ("sampleID", *recipe.UNUSED)}
        age = g.integers(20, 86, n)
        creat = g.lognormal(-0.1, 0.25, n).round(2)
        values = {
            "age": age, "gender": g.integers(1, 3, n), "sbp": g.normal(125, 18, n).round(), "creat": creat,
            "dbp": g.normal(72, 10, n).round(), "bmi": g.normal(28, 5, n).clip(15).round(1),
            "waist": g.normal(98, 14, n).clip(55).round(), "bun": g.normal(13, 3, n).clip(3).round(),
            "uap": g.normal(5.4, 1.2, n).clip(1).round(1), "albumin": g.normal(4.2, 0.3, n).round(1),
            "alp": g.normal(70, 15, n).clip(20).round(), "ttbl": g.normal(0.7, 0.2, n).clip(0.1).round(1),
            "ggt": g.lognormal(3, 0.5, n).round(), "glucose": g.normal(99, 15, n).clip(50).round(),
            "hba1c": g.normal(5.6, 0.5, n).round(1), "totchol": g.normal(197, 30, n).clip(80).round(),
            "hdl": g.normal(52, 10, n).clip(15).round(), "crp": g.lognormal(-1.5, 0.8, n).round(2),
            "wbc": g.normal(7, 1.5, n).clip(2).round(1), "lymph": g.normal(30, 6, n).clip(3).round(1),
            "neut": g.normal(58, 7, n).clip(10).round(1), "monopa": g.normal(8, 1.5, n).clip(1).round(1),
            "rbc": g.normal(4.6, 0.4, n).round(2), "mcv": g.normal(90, 4, n).round(1),
            "rdw": g.normal(13, 1, n).round(1),
        }  # fmt: skip
        months = g.exponential(60 * np.exp(-(age - 60) / 18 - 1.5 * (creat - 0.9)), n) * 6
        year = g.choice([1999, 2001, 2003, 2005, 2007, 2009], n)
        follow = (2016 - year) * 12
        columns |= {
            "year": year, "wave": (year - 1997) // 2, "ethnicity": g.integers(1, 5, n),
            "permth_int": np.minimum(months, follow).round(), "death_allcause": (months <= follow).astype(int),
            "sampleID": [f"g_{i}" for i in range(n)],
        }  # fmt: skip
        missing = {name: g.random(n) < 0.05 for name in values if name not in {"age", "gender"}}
        names = [*columns, *values]
        lines = [",".join(names)]
        for i in range(n):
            cells = [str(columns[name][i]) for name in columns]
            cells += ["" if name in missing and missing[name][i] else str(values[name][i]) for name in values]
            lines.append(",".join(cells))
        path.write_text("\n".join(lines) + "\n")
        return path

    return write


@pytest.fixture(scope="session", autouse=True)
def few_draws() -> Iterator[None]:
    """Small tables need fewer trees of rivals, fewer rows and draws to show how steady estimates are, fewer dots."""
    from cds_service.training import card, rivals, steadiness

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steadiness, "EXPLAINED", 40)
        patch.setattr(steadiness, "DONORS", 5)
        patch.setattr(card, "SHOWN_INPUTS", 4)
        patch.setattr(card, "SWARM", 100)
        patch.setattr(rivals, "ROUNDS", 25)
        patch.setattr(rivals, "DRAWN_ROUNDS", (12, 40))
        yield
