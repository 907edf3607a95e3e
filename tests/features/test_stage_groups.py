"""Stage groups of a tumour, as mCODE writes them in each of its editions."""

from __future__ import annotations

import pytest
from built import NOW, record

from cds_service.features.extract import extract
from cds_service.features.feature import Unusable
from cds_service.features.oncology import STAGE_4, TUMOR_STAGE

LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"


@pytest.mark.parametrize(
    "asked", [(LOINC, "21908-9"), (SNOMED, "399537006"), (SNOMED, "399588009"), (SNOMED, "399390009")]
)
@pytest.mark.parametrize(
    ("code", "stage"),
    [("1222724007", "stage 1"), ("1222766008", "stage 2"), ("1222806003", "stage 3"), ("1222837003", "stage 4"),
     ("258219007", "stage 2"), ("1222605001", None)],
)  # fmt: skip
def test_a_stage_group_in_codes_of_snomed_ct_is_read(asked: tuple[str, str], code: str, stage: str | None) -> None:
    """mCODE STU3 has codes of the AJCC's groups that earlier editions had not; stage 0 is none of the four."""
    row = {
        "resourceType": "Observation",
        "id": "stage",
        "status": "final",
        "subject": {"reference": "Patient/p1"},
        "effectiveDateTime": NOW.isoformat(),
        "code": {"coding": [{"system": asked[0], "code": asked[1]}]},
        "valueCodeableConcept": {"coding": [{"system": SNOMED, "code": code}]},
    }
    values = extract(record(row), [TUMOR_STAGE, STAGE_4])
    found = values[TUMOR_STAGE]
    assert (None if isinstance(found, Unusable) else found.value) == stage
    assert values.flag(STAGE_4) == (None if stage is None else stage == "stage 4")
