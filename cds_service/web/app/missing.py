"""What was missing, old or not usable in an assessment, told of what could have mattered to it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cds_service.features.feature import Derived, Feature, FeatureValues, FirstOf, Unusable
from cds_service.language import Message
from cds_service.risk.model import NotEstimated, Refusal
from cds_service.web.app.opening import Opened


def missing(shown: Opened) -> list[Message]:
    """Inputs without a usable value, each sentence once: of the models that apply, and of the service's own rules.

    A model that does not apply to the patient lacks nothing. Of what is computed, or read in one of several ways, the
    parts are told, and only where the whole has no value.
    """
    case = shown.decision.case
    applying = [
        case.models[id_]
        for id_, result in case.results.items()
        if not (isinstance(result, NotEstimated) and result.refusal is Refusal.NOT_APPLICABLE)
    ]
    features = [*(feature for model in applying for feature in model.features), *shown.features]
    return list({str(one.words): one.words for one in _gone(case.values, features)}.values())


def _gone(values: FeatureValues, features: Iterable[Feature]) -> Iterator[Unusable]:
    for feature in features:
        entry = values.entries.get(feature.id)
        if isinstance(entry, Unusable):
            yield from list(_gone(values, _parts(feature))) or (entry,)


def _parts(feature: Feature) -> tuple[Feature, ...]:
    if isinstance(feature, Derived):
        return feature.inputs
    return feature.alternatives if isinstance(feature, FirstOf) else ()
