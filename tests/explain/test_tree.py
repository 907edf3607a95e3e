"""Exact attributions of trees on the calibrated log-odds."""

from datetime import UTC, datetime

import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

from cds_service.errors import FeatureMismatch
from cds_service.explain import tree
from cds_service.explain.explanation import Baseline, Scale
from cds_service.explain.tree import Group
from cds_service.features import catalogue as c
from cds_service.features.feature import FeatureValue, Reason, Unusable
from cds_service.language import Message, msg

FEATURES = (c.SBP, c.DBP, c.CREATININE, c.BUN, c.ALBUMIN, c.RDW)
GROUPS = (
    Group("pressure", msg("Blood pressure"), ("sbp", "dbp")),
    Group("kidney", msg("Kidney function"), ("creatinine", "bun")),
)
SLOPE, INTERCEPT = 1.3, -2.5
cell = st.one_of(st.just(float("nan")), st.floats(-3, 3, width=32))


@pytest.fixture(scope="module")
def booster() -> xgboost.Booster:
    generator = np.random.default_rng(5)
    rows = generator.normal(size=(3000, len(FEATURES))).astype(np.float32)
    rows[generator.random(rows.shape) < 0.2] = np.nan
    filled = np.nan_to_num(rows)
    hazard = np.exp(filled[:, 0] + filled[:, 2] * filled[:, 4])
    times = generator.exponential(1 / hazard).clip(1e-3)
    times = np.where(times < 2, times, -2.0)
    params = {"objective": "survival:cox", "max_depth": 4, "eta": 0.1, "nthread": 1, "seed": 0}
    return xgboost.train(params, xgboost.DMatrix(rows, times, nthread=1), 120)


def entries(row: list[float]) -> list[FeatureValue | Unusable]:
    when = datetime(2026, 1, 1, tzinfo=UTC)
    return [
        Unusable(feature, Reason.ABSENT, msg("absent"))
        if np.isnan(value)
        else FeatureValue(feature, value, when.replace(day=position + 1), (f"Observation/{feature.id}",))
        for position, (feature, value) in enumerate(zip(FEATURES, row, strict=True))
    ]


def words(found: FeatureValue) -> Message:
    return msg("{value}", value=f"{found.value:.1f}")


@settings(deadline=None, max_examples=examples(60))
@given(row=st.lists(cell, min_size=6, max_size=6))
def test_baseline_and_contributions_add_up_to_the_calibrated_log_odds(
    booster: xgboost.Booster, row: list[float]
) -> None:
    """For any patient and any pattern of missing inputs, within 5e-5 (float32)."""
    found = tree.attribute(booster, np.array([row], dtype=np.float32))
    shown = tree.contributions(SLOPE * found.phi[0], entries(row), GROUPS, words)
    explanation = tree.explanation(
        shown,
        baseline=INTERCEPT + SLOPE * found.expected,
        output=INTERCEPT + SLOPE * float(found.margins[0]),
        population=msg("all"),
    )
    assert explanation.residual() <= 5e-5
    assert explanation.scale is Scale.LOG_ODDS
    assert explanation.baseline_kind is Baseline.POPULATION
    assert sum(item.value is None for item in shown) == (1 if any(np.isnan(row)) else 0)


def test_the_values_agree_with_the_shap_package(booster: xgboost.Booster) -> None:
    """The native computation and the reference implementation give the same numbers."""
    shap = pytest.importorskip("shap", reason="needs the train extra")
    generator = np.random.default_rng(6)
    rows = generator.normal(size=(50, len(FEATURES))).astype(np.float32)
    rows[generator.random(rows.shape) < 0.2] = np.nan
    found = tree.attribute(booster, rows)
    explainer = shap.TreeExplainer(booster, feature_perturbation="tree_path_dependent")
    assert np.allclose(found.phi, explainer.shap_values(rows), atol=1e-4)


def test_correlated_inputs_are_added_up_and_what_is_missing_comes_last_as_one() -> None:
    """A missing member of a group belongs to "not measured", not to the group."""
    row = [140.0, float("nan"), 1.2, 20.0, float("nan"), 13.0]
    shown = tree.contributions(np.array([0.1, 0.2, 0.3, 0.4, 0.5, -0.6]), entries(row), GROUPS, words)
    assert [str(item.label) for item in shown] == [
        "Blood pressure",
        "Kidney function",
        "Red cell distribution width",
        "Not measured",
    ]
    assert [round(item.amount, 6) for item in shown] == [0.1, 0.7, -0.6, 0.7]
    assert [item.features for item in shown] == [("sbp",), ("creatinine", "bun"), ("rdw",), ("dbp", "albumin")]
    assert str(shown[1].value) == "Creatinine 1.2, Urea nitrogen 20.0"
    assert shown[1].effective == datetime(2026, 1, 3, tzinfo=UTC)
    assert shown[1].sources == ("Observation/creatinine", "Observation/bun")
    assert shown[3].value is None


def test_a_matrix_of_another_width_is_refused(booster: xgboost.Booster) -> None:
    """Before XGBoost sees it."""
    with pytest.raises(FeatureMismatch, match="takes 6 inputs"):
        tree.attribute(booster, np.zeros((1, 7), dtype=np.float32))
