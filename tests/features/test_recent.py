"""Conditions that count while they are new, and suspicions."""

from typing import Any

import pytest
from built import ICD10_CM, SNOMED, SUBJECT, concept, condition, reason, status, usable

from cds_service.features import catalogue as c
from cds_service.features.feature import Reason


def test_an_infarction_counts_for_a_month_even_if_it_is_resolved() -> None:
    """The onset decides, not the status; an old one is none."""
    new = condition("I21.4", ICD10_CM, onsetDateTime="2026-05-10", clinical="resolved")
    assert usable(c.ACUTE_INFARCTION_OR_STROKE, new).value is True
    old = condition("I21.4", ICD10_CM, onsetDateTime="2026-04-01")
    assert usable(c.ACUTE_INFARCTION_OR_STROKE, old).value is False


def test_without_a_date_or_a_list_nobody_knows() -> None:
    """An undated entry may be new; an empty list says nothing."""
    undated = condition("I21.4", ICD10_CM, onsetDateTime=None)
    assert reason(c.ACUTE_INFARCTION_OR_STROKE, undated) is Reason.UNREADABLE
    assert reason(c.ACUTE_INFARCTION_OR_STROKE) is Reason.NO_LIST


def doubted(code: str) -> dict[str, Any]:
    return condition(code, verificationStatus=status("ver-status", "provisional"))


ORDER = {"resourceType": "ServiceRequest", "id": "o", "status": "active", "intent": "order", "subject": SUBJECT}
VISIT = {"resourceType": "Encounter", "id": "v", "status": "in-progress", "class": {"code": "EMER"}, "subject": SUBJECT,
         "period": {"start": "2026-06-01T08:00:00Z"}}  # fmt: skip


@pytest.mark.parametrize(
    "row",
    [
        doubted("128053003"),
        condition("432805000"),
        ORDER | {"reasonCode": [{"text": "Swollen calf, DVT?"}]},
        ORDER | {"reasonCode": [concept("432805000", SNOMED)]},
        VISIT | {"reasonCode": [{"text": "Query deep vein thrombosis"}]},
    ],
)
def test_a_suspicion_is_read_where_it_is_written(row: dict[str, Any]) -> None:
    """Unconfirmed entries, codes of suspicion, and reasons of open orders and of the present visit."""
    found = usable(c.SUSPECTED_DVT, row)
    assert found.value is True
    assert found.sources == (f"{row['resourceType']}/{row['id']}",)


@pytest.mark.parametrize(
    "row",
    [
        condition("128053003"),
        condition("128053003", verificationStatus=status("ver-status", "refuted")),
        ORDER | {"status": "completed", "reasonCode": [{"text": "DVT?"}]},
        VISIT | {"status": "finished", "reasonCode": [{"text": "DVT"}]},
        ORDER | {"reasonCode": [{"text": "DVT prophylaxis"}]},
        VISIT | {"reasonCode": [{"text": "History of deep vein thrombosis"}]},
    ],
)
def test_a_diagnosis_and_what_is_over_are_no_suspicion(row: dict[str, Any]) -> None:
    """What is confirmed needs no score, what was refuted or done neither."""
    assert reason(c.SUSPECTED_DVT, row) is Reason.ABSENT
