"""Every way of `docs/adding-a-model.md` to bring in a model, as a hospital goes it: program, import, check, predict."""

import contextlib
import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("skops", reason="needs the train extra")
pytest.importorskip("skl2onnx", reason="needs the train extra")

from cds_service.cli import run
from cds_service.explain import tree
from cds_service.features.extract import extract
from cds_service.needs import with_inputs
from cds_service.registry import load
from cds_service.risk import apart
from cds_service.risk.apart import Process
from cds_service.risk.model import NotEstimated
from tests.features import built
from tests.training.test_importing import IDS, PATIENT, declaration, rows, with_gaps, write_samples

PAGE = (Path(__file__).parent.parent.parent / "docs" / "adding-a-model.md").read_text()
PROGRAMS = [
    block for block in re.findall(r"```python\n(.*?)```", PAGE, re.S) if ".fit(x, y)" in block or "train(" in block
]
KINDS = ("xgboost", "skops", "onnx", "apart")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the page's program leaves, with the declaration as the page says and sample rows."""
    monkeypatch.chdir(tmp_path)
    x, y = with_gaps(rows(200)) if kind == "xgboost" else rows(200)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(PROGRAMS[KINDS.index(kind)], "docs/adding-a-model.md", "exec"), {"x": x, "y": y})
    (file,) = tmp_path.glob("model.*")
    told = declaration().replace("model.json", file.name)
    told = told.replace("minimum = 3", "minimum = 2" if kind == "xgboost" else f"minimum = {len(IDS)}")
    if kind == "onnx":
        told = told.replace("intercept = 0.0\nslope = 1.0", f'of = "vote"\n{printed.getvalue()}')
    (tmp_path / "declaration.toml").write_text(told)
    write_samples(tmp_path, x)
    settings = f'[plugins]\nmodels = ["models"]\n[models]\nunexplained = {str(kind == "apart").lower()}\n'
    (tmp_path / "curbside.toml").write_text(settings)
    return tmp_path


def test_a_documented_program_leads_to_an_estimate(
    kind: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Explained exactly, or labelled as not explained; a patient without albumin gets what the declaration promises."""
    monkeypatch.setattr(Process, "check", lambda self: None)  # the estimate below starts it
    assert len(PROGRAMS) == len(KINDS)
    out = folder / "models" / "hospital-death"
    assert run(["models", "import", "declaration.toml", "--samples", "samples.csv", "--out", str(out)]) == 0
    assert ("no exact explanation" in capsys.readouterr().out) == (kind == "apart")
    model: Any = load(extra_models=[folder / "models"]).models["hospital-death"]
    (estimate,) = model.estimate(extract(built.record(*PATIENT), with_inputs(model.features)))
    assert 0 < estimate.value < 1
    assert estimate.explanation.residual() <= 5e-5
    assert (tree.NO_EXPLANATION in estimate.notes) == (kind == "apart")
    assert ("No exact explanation" in (out / "card.md").read_text()) == (kind == "apart")
    assert bool(estimate.explanation.contributions) == (kind != "apart")
    without = model.estimate(extract(built.record(PATIENT[0], PATIENT[2]), with_inputs(model.features)))
    assert isinstance(without, NotEstimated) == (kind != "xgboost")
    if kind == "onnx":  # the calibration that the program printed: votes alone would be far off
        x, y = rows(200)
        ((_, log_odds),) = model.rows.log_odds(x).items()
        assert np.mean(1 / (1 + np.exp(-log_odds))) == pytest.approx(y.mean(), abs=0.05)
    apart.end_all()
