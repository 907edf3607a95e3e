"""A text of the record that is one long run of a character costs no more time than its length."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
from answers import bundle, loaded

from cds_service.app import create_pipeline
from cds_service.cli import calls
from cds_service.clock import FixedClock
from cds_service.documents.sentences import passages
from cds_service.pipeline import Pipeline
from cds_service.sandbox.chart import AS_OF
from cds_service.settings import Settings

TEXTS = frozenset({"text", "display", "valueString", "conclusion", "title"})
MOST_FIELDS = 25
LENGTH = 30_000


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return create_pipeline(Settings(), FixedClock(AS_OF), None, loaded())


def stretched(value: Any, run: str, done: list[str], name: str = "") -> Any:
    """JSON with a run of characters behind its first texts."""
    if isinstance(value, dict):
        return {key: stretched(inner, run, done, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [stretched(inner, run, done, name) for inner in value]
    if isinstance(value, str) and name in TEXTS and len(done) < MOST_FIELDS:
        done.append(value)
        return f"{value} {run}"
    return value


@pytest.mark.parametrize("run", [" ", "1", ", "], ids=repr)
def test_a_long_run_in_a_text_is_read_in_time(pipeline: Pipeline, run: str) -> None:
    """A pattern that tries each place of a pasted text anew would hold a worker for minutes."""
    long = stretched(bundle("contradictory"), run * (LENGTH // len(run)), [])
    services: Any = pipeline.discovery()["services"]
    for service in services:
        body = calls.request(long, service)
        if body is None:
            continue
        started = time.process_time()
        answer = pipeline.answer(service["id"], body)
        assert time.process_time() - started < 1.0, service["id"]
        assert "cards" in orjson.loads(answer)


@pytest.mark.parametrize("run", ["Dr. ", " ", "A. ", "1."])
def test_a_document_of_one_long_run_is_cut_into_sentences_in_time(run: str) -> None:
    """A note of abbreviations alone was read over again from its beginning at each of them."""
    started = time.process_time()
    assert passages("DocumentReference/1", [[1, False, run * (LENGTH // len(run)) + "The end is near."]])
    assert time.process_time() - started < 2.0
