"""The shipped model of survival after lung adenocarcinoma: a stress test that never reaches a card."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from answers import loaded

from cds_service.features import gene_sets
from cds_service.features.extract import extract
from cds_service.risk.fused import FusedModel
from cds_service.risk.model import NotEstimated
from tests.features import built

FOLDER = Path(__file__).parent.parent.parent / "models" / "lung-adenocarcinoma-survival"


@pytest.fixture(scope="module")
def model(load_model: Callable[[str], ModuleType]) -> FusedModel:
    found = load_model("lung-adenocarcinoma-survival/model").model
    assert isinstance(found, FusedModel)
    return found


def test_no_record_holds_its_inputs_so_it_never_speaks(model: FusedModel) -> None:
    """And no hook names it."""
    assert isinstance(model.estimate(extract(built.record(), model.features)), NotEstimated)
    services = loaded().services.values()
    assert not any(model.id in service.models for service in services)


def test_five_published_sets_weigh_the_same_in_their_published_direction(model: FusedModel) -> None:
    """38 of 2,812 genes; what each adds, adds up; a set that is one higher moves the margin one way or the other."""
    assert len(model.inputs) == sum(len(one.genes) for one in gene_sets.LUNG_ADENOCARCINOMA) == 38
    scorer = model.scorers["death", "rna"]
    row = np.random.default_rng(1).normal(size=38).astype(np.float32)
    phi, margin = scorer.explain([], row)
    assert phi.sum() == pytest.approx(margin, abs=1e-9)
    ids = [feature.id for feature in model.inputs]
    for one, group in zip(gene_sets.LUNG_ADENOCARCINOMA, model.groups, strict=True):
        higher = row.copy()
        higher[[ids.index(id_) for id_ in group.features]] += 1.0
        assert np.sign(scorer.explain([], higher)[1] - margin) == one.sign


def test_a_table_is_scored_with_the_columns_it_does_not_use(model: FusedModel, tmp_path: Path) -> None:
    """Other genes and copy numbers may stand in the table; a row without values is refused and still ranked."""
    used = [i.column.name for i in model.manifest.inputs if i.column is not None]
    header = ["case_id", *used, "XYZ_rnaseq", "XYZ_cnv", "age"]
    lines = [["a", *["0.5"] * 38, "1", "2", "70"], ["b", *[""] * 41]]
    path = tmp_path / "rows.csv"
    path.write_text("\n".join(",".join(line) for line in [header, *lines]) + "\n")
    found = model.predict_table(path)
    assert found.header == ("case_id", "death_1y", "death_1y_unrestricted", "death_3y", "death_3y_unrestricted")
    a, b = found.lines
    assert a[1] == a[2]
    assert b[1] is None
    assert isinstance(b[2], float)
    assert float(a[2] or 0) < float(a[4] or 0)


def test_the_card_says_plainly_what_it_cannot_do(model: FusedModel) -> None:
    """No stage, no patient, and a digest of the weights."""
    card = (FOLDER / "card.md").read_text()
    assert "It cannot tell who will die" in card
    assert "never on a card" in card
    assert all(part.sha256 in card for part in model.manifest.parts)
