"""The rise of SOFA: organ by organ over a baseline, open where a chronic disease may explain it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest
from mutants import by, survivors

from cds_service.features import catalogue as c
from cds_service.features.feature import FeatureValues, Reason
from cds_service.risk.model import NotEstimated, RiskEstimate

Build = Callable[..., FeatureValues]
Run = Callable[..., tuple[RiskEstimate, ...]]
AT = datetime(2026, 11, 1, 6, tzinfo=UTC)
WELL: dict[Any, Any] = {
    c.AGE: 60.0, c.INFECTION: True, c.PAO2_FIO2: 450.0, c.PLATELETS_LOWEST: 250.0, c.BILIRUBIN_HIGHEST: 0.6,
    c.MAP_LOWEST: 85.0, c.GCS_LOWEST: 15.0, c.CREATININE_HIGHEST: 0.9,
}  # fmt: skip


def rise(module: ModuleType, patient: Build, changed: Mapping[Any, Any], **options: Any) -> tuple[float, float | None]:
    result = module.rise_model.estimate(patient(module.rise_model, WELL | dict(changed), **options))
    assert not isinstance(result, NotEstimated), str(result.reason)
    assert result[0].explanation.residual() <= 1e-9
    return result[0].value, result[0].high


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, (0, None)),
        ({c.CREATININE_HIGHEST: 2.4}, (2, None)),
        ({c.CREATININE_HIGHEST: 2.4, c.CREATININE_BEFORE: 1.5}, (1, None)),
        ({c.CREATININE_HIGHEST: 1.5, c.CREATININE_BEFORE: 2.4}, (0, None)),
        ({c.CREATININE_HIGHEST: 2.4, c.CKD: True}, (0, 2)),
        ({c.CREATININE_HIGHEST: 2.4, c.CKD: True, c.CREATININE_BEFORE: 1.0}, (2, None)),
        ({c.PLATELETS_LOWEST: 90.0, c.PLATELETS_BEFORE: 140.0}, (1, None)),
        ({c.PLATELETS_LOWEST: 90.0, c.CIRRHOSIS: True}, (0, 2)),
        ({c.BILIRUBIN_HIGHEST: 7.0, c.BILIRUBIN_BEFORE: 2.5}, (1, None)),
        ({c.GCS_LOWEST: 13.0}, (1, None)),
        ({c.GCS_LOWEST: 13.0, c.DEMENTIA: True}, (0, 1)),
        ({c.PAO2_FIO2: 320.0, c.COPD: True}, (0, 1)),
        ({c.MAP_LOWEST: 60.0}, (1, None)),
    ],
)
def test_each_organ_rises_over_its_baseline(
    scores: Mapping[str, ModuleType], patient: Build, changed: dict[Any, Any], expected: tuple[float, float | None]
) -> None:
    """An earlier value decides; else a listed chronic disease leaves it open; else the baseline is 0."""
    assert rise(scores["sofa"], patient, changed) == expected


def test_an_unknown_list_leaves_it_open(scores: Mapping[str, ModuleType], patient: Build) -> None:
    """Without a list nobody knows of chronic kidney disease."""
    found = rise(scores["sofa"], patient, {c.CREATININE_HIGHEST: 2.4}, faults={c.CKD: Reason.NO_LIST})
    assert found == (0, 2)


def test_the_threshold_of_the_rise_is_held(load_model: Callable[[str], ModuleType]) -> None:
    """Two points, as Sepsis-3 says."""

    def wrong(changed: ModuleType) -> bool:
        return [changed.rise_band(total).id for total in (1, 2)] != ["below-2", "sepsis"]

    assert survivors(load_model("sofa"), ("RISE_BANDS",), by(1), wrong) == []


def test_without_infection_there_is_no_rise(scores: Mapping[str, ModuleType], patient: Build) -> None:
    """The refusal of SOFA itself."""
    model = scores["sofa"].rise_model
    assert isinstance(model.estimate(patient(model, WELL | {c.INFECTION: False})), NotEstimated)
