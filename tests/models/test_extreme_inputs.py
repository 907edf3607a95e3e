"""Every trained model on inputs beyond its training data, and with hardly any input: a note, a refusal, no silence."""

from datetime import UTC, datetime

import pytest
from answers import loaded

from cds_service.features.feature import Demographic, Derived, FeatureValue, FeatureValues, Reason, Unusable
from cds_service.language import msg, words
from cds_service.risk.fused import FusedModel
from cds_service.risk.model import NotEstimated
from cds_service.risk.trained import TrainedModel

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SAY = words("en")
Model = TrainedModel | FusedModel
TRAINED = {id_: m for id_, m in loaded().models.items() if isinstance(m, Model)}
each = pytest.mark.parametrize("id_", TRAINED)


def usual(model: Model) -> dict[str, FeatureValue | Unusable]:
    """The median of each input, the age within the model's range, gates false."""
    entries: dict[str, FeatureValue | Unusable] = {
        gate.id: FeatureValue(gate, False, NOW, ()) for gate, _ in model.gates
    }
    youngest, eldest = model.manifest.speaks.age
    for feature, declared in zip(model.inputs, model.manifest.inputs, strict=True):
        median = declared.training.p50
        answers = {number: word for word, number in declared.answers.items()}
        number = min(max(median, youngest), eldest) if feature.id == "age" else median
        entries[feature.id] = FeatureValue(feature, answers.get(round(median), number), NOW, ())
    return entries


@each
def test_a_number_beyond_the_training_data_is_noted(id_: str) -> None:
    """Each measured input in turn, at three times the highest value seen; what is derived follows from these."""
    model = TRAINED[id_]
    entries = usual(model)
    tried = 0
    for feature, declared in zip(model.inputs, model.manifest.inputs, strict=True):
        given = entries[feature.id]
        assert isinstance(given, FeatureValue)
        if isinstance(feature, Demographic | Derived) or isinstance(given.value, str | bool):
            continue
        extreme = FeatureValue(feature, 3 * declared.training.highest + 10, NOW, ())
        result = model.estimate(FeatureValues(NOW, entries | {feature.id: extreme}))
        if isinstance(result, NotEstimated):  # beside the others it contradicts them, such as HDL above the total
            assert "cannot all be right" in SAY(result.reason), feature.id
            continue
        assert any("beyond the training data" in SAY(note) for note in result[0].notes), feature.id
        tried += 1
    assert tried


@each
def test_hardly_any_input_is_refused(id_: str) -> None:
    """Age alone calculates nothing."""
    model = TRAINED[id_]
    entries = {
        name: entry if name == "age" else Unusable(entry.feature, Reason.ABSENT, msg("none on record"))
        for name, entry in usual(model).items()
    }
    assert isinstance(model.estimate(FeatureValues(NOW, entries)), NotEstimated)
