"""Whether a disease is well or poorly controlled, by the cited measurement and a published limit.

Source: HbA1c below 7.0 % as ADA 2025's general goal, above 9.0 % as HEDIS's poor control; blood pressure of 140/90 mmHg
or more as HEDIS's uncontrolled.
"""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.summary.amounts import as_unit
from cds_service.summary.claims import Claim
from cds_service.summary.evidence import Part
from cds_service.summary.levels import pressures

_GOAL, _POOR, _TOP, _LOW = 7.0, 9.0, 140, 90


def control_reasons(found: Sequence[Claim], usable: Sequence[Part]) -> list[str]:
    """What is wrong about `well controlled`, `poorly controlled`: nothing cited shows it."""
    said = {value for claim in found for value in claim.values("control")}
    shown = {how for part in usable for how in _shown(part)}
    return [f"no cited measurement shows that control is {value}" for value in sorted(said - shown)]


def _shown(part: Part) -> set[str]:
    both = pressures(part)
    if both is not None:
        return {"good"} if both[0] < _TOP and both[1] < _LOW else {"poor", "not good"}
    amount = next((a for a in part.amounts if a.unit and not a.comparator), None)
    if "#hba1c" not in part.affirmed or part.kind != "Observation" or amount is None:
        return set()
    value = as_unit("%", amount, part.source.codes)
    if value is None:
        return set()
    return {"good"} if value < _GOAL else {"poor", "not good"} if value > _POOR else {"not good"}
