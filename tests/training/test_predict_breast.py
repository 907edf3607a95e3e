"""PREDICT Breast as a score to compare with."""

import numpy as np
import pytest

from cds_service.training.predict_breast import log_hazards


def hazards(**change: float) -> tuple[float, float]:
    woman = {"age": 60.0, "size_mm": 20.0, "grade": 2.0, "nodes": 1.0, "er": 1.0, "her2": 0.0} | change
    death, cancer = log_hazards(*(np.array([value]) for value in woman.values()))
    return float(death[0]), float(cancer[0])


def test_a_worked_patient_agrees_with_the_published_equation() -> None:
    """By hand, term by term: oestrogen receptor positive, grade 2, 20 mm, one node, 60 years."""
    index = -0.033402 + 0.042447 - 0.048350 - 0.156657 + 1.493310 - 0.046437 - 0.0762
    assert hazards()[1] == pytest.approx(index + 0.742440 - 2.380487 - 1.319766, abs=1e-5)


@pytest.mark.parametrize("er", [0.0, 1.0])
@pytest.mark.parametrize("worse", [{"size_mm": 40.0}, {"nodes": 6.0}, {"her2": 1.0}, {"grade": 3.0}])
def test_worse_tumours_have_higher_hazards(er: float, worse: dict[str, float]) -> None:
    """Size, nodes, HER2 and, where the receptor is positive, grade; death is above death from the cancer."""
    before, after = hazards(er=er), hazards(er=er, **worse)
    assert after[1] > before[1] or (er == 0.0 and "grade" in worse)
    assert after[0] > after[1]


def test_what_is_not_known_gives_no_score() -> None:
    """Rather than a score of another woman."""
    for name in ("age", "size_mm", "grade", "nodes", "er", "her2"):
        assert np.isnan(hazards(**{name: np.nan})[1])
