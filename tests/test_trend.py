"""Trend: the same score from the record as it was, at a bounded cost."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise

import orjson
import pytest

from cds_service.features.extract import extract
from cds_service.fhir.record import PatientRecord
from cds_service.needs import with_inputs
from cds_service.protocol.request import decode_resource
from cds_service.sandbox import samples
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.patients import BY_NAME
from cds_service.trend import earlier, says_something


@pytest.fixture(scope="module")
def models():
    line = samples.pipeline()
    services = [service["id"] for service in line.discovery()["services"]]
    return {m.id: m for desk in map(line.desk, services) for m in desk.models}


def record(name: str, as_of: datetime = AS_OF) -> PatientRecord:
    return PatientRecord.from_bundle(decode_resource(orjson.dumps(BY_NAME[name].chart().bundle())), as_of)


def estimate(model, found: PatientRecord):
    result = model.estimate(extract(found, tuple(with_inputs(model.features))))
    assert isinstance(result, tuple), str(result.reason)
    return result[0]


def test_an_earlier_value_is_what_was_computed_then(models) -> None:
    """The record read as of that day gives the same number, with the age of that day."""
    model, found = models["fib-4"], record("masld-high-fib4")
    before = earlier(model, found, estimate(model, found))
    assert [e.at.year for e in before] == [2026, 2025, 2024]
    for one in before:
        assert one.estimate.value == estimate(model, record("masld-high-fib4", one.at)).value
    assert [round(e.estimate.value, 2) for e in before] == [3.17, 2.61, 2.12]


def test_moments_keep_their_distance_and_their_number(models) -> None:
    """A daily measurement costs no more than a yearly one: at most three, far enough apart."""
    model, found = models["prevent-base"], record("five-megabytes")
    result = model.estimate(extract(found, tuple(with_inputs(model.features))))
    full = models["prevent-hba1c"] if not isinstance(result, tuple) else model
    before = earlier(full, found, estimate(full, found))
    assert 0 < len(before) <= 3
    moments = [AS_OF, *(e.at for e in before)]
    assert all((a - b).days >= 150 for a, b in pairwise(moments))


def test_without_earlier_inputs_there_is_no_trend(models) -> None:
    """One set of values has no history; a model that declares none has none."""
    model = models["fib-4"]
    young = record("masld-high-fib4", datetime(2023, 11, 1, tzinfo=UTC))
    assert len(earlier(model, young, estimate(model, young))) <= 1
    assert earlier(models["cha2ds2-va"], young, estimate(model, young)) == ()


def test_a_steady_score_says_nothing(models) -> None:
    """A difference too small to tell is not told."""
    model, found = models["fib-4"], record("masld-high-fib4")
    now = estimate(model, found)
    before = earlier(model, found, now)
    assert says_something(model, now, before)
    assert not says_something(model, now, ())
    assert not says_something(model, before[0].estimate, before[:1])
