"""What is read of many features at once is what each of them gives alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.cli import calls, options
from cds_service.features import catalogue as c
from cds_service.features.asked import Asked
from cds_service.features.extract import extract
from cds_service.features.feature import Reason
from cds_service.sandbox.chart import AS_OF
from tests.features.built import concept, condition, lab, prescription, record

EVERY = tuple(c.all_features())
ASKED = Asked(EVERY)
SAMPLES = sorted(p.stem for p in (Path(__file__).parents[2] / "fhir_samples" / "patients").glob("*.json"))


@pytest.mark.parametrize("name", SAMPLES)
def test_features_asked_together_give_what_each_gives_alone(name: str) -> None:
    """Looking a record's codes up among all features at once changes no value, reason or source of any sample."""
    read = calls.record(options.read_bundle(calls.sample(name)), AS_OF)
    assert extract(read, ASKED).entries == extract(read, EVERY).entries


@pytest.mark.parametrize(
    "rows",
    [
        (),
        (condition("716186003"),),
        (condition("44054006"), prescription("metformin 500 mg", "6809")),
        (prescription("?", None), lab("4548-4", 7.1, "%")),
        (prescription("by class", medicationCodeableConcept=concept("C10AA05", "http://www.whocc.no/atc")),),
    ],
)
def test_empty_unread_and_classed_lists_answer_alike(rows: tuple[dict[str, object], ...]) -> None:
    """An empty list, an entry that cannot be read and one with a class alone say the same both ways."""
    read = record(*rows, listed=("Condition", "MedicationRequest"))
    assert extract(read, ASKED).entries == extract(read, EVERY).entries


def test_what_could_not_be_had_is_not_called_absent() -> None:
    """Data that the EHR did not give are no absence, however many features are asked at once."""
    found = extract(record(condition("44054006")), ASKED, {c.HBA1C.id})[c.HBA1C]
    assert getattr(found, "reason", None) is Reason.UNAVAILABLE
