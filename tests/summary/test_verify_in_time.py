"""What the record itself tells of place, order and time: the first stay, what was given when, what is only booked."""

from datetime import UTC, datetime

import pytest

from cds_service.summary.chart import Chart
from cds_service.summary.verify import Sentence, verify

AS_OF = datetime(2024, 6, 30, tzinfo=UTC)
ACTIVE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}]}


def _platelets(id_, value, day):
    quantity = {"value": value, "unit": "10*3/uL", "system": "http://unitsofmeasure.org", "code": "10*3/uL"}
    code = {"coding": [{"system": "http://loinc.org", "code": "777-3", "display": "Platelets"}], "text": "Platelets"}
    return {"resourceType": "Observation", "id": id_, "status": "final", "code": code, "effectiveDateTime": day,
            "valueQuantity": quantity}  # fmt: skip


def _stay(id_, reason, **period):
    return {"resourceType": "Encounter", "id": id_, "status": "finished" if "end" in period else "in-progress",
            "class": {"code": "IMP"}, "period": period, "reasonCode": [{"text": reason}]}  # fmt: skip


ROWS = [
    {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1950-01-01"},
    {"resourceType": "Condition", "id": "fall", "code": {"text": "Fall at home"}, "onsetDateTime": "2024-06-01",
     "clinicalStatus": ACTIVE},
    _platelets("before", 180, "2024-06-02"),
    _platelets("after", 62, "2024-06-08"),
    {"resourceType": "MedicationRequest", "id": "heparin", "status": "active", "intent": "order",
     "authoredOn": "2024-06-10", "medicationCodeableConcept": {"text": "Heparin"}},
    {"resourceType": "Procedure", "id": "biopsy", "status": "completed", "code": {"text": "Biopsy"},
     "performedDateTime": "2024-06-05"},
    _stay("middle", "Heart failure", start="2023-09-03", end="2023-09-09"),
    _stay("old", "Heart failure", start="2023-01-01", end="2023-01-07"),
    _stay("now", "Fall at home", start="2024-06-01"),
    *({"resourceType": "Encounter", "id": id_, "status": "finished", "class": {"code": "AMB"},
       "type": [{"text": words}], "period": {"start": day, "end": day}}
      for id_, words, day in (("check-1", "Check-up", "2022-01-10"), ("check-2", "Check-up", "2022-05-05"),
                              ("wound", "Wound care", "2022-09-01"))),
    {"resourceType": "Appointment", "id": "clinic", "status": "booked", "start": "2024-07-10T10:00:00Z",
     "description": "Follow-up visit cardiology"},
    {"resourceType": "ServiceRequest", "id": "echo", "status": "active", "intent": "order",
     "code": {"text": "Echocardiogram"}, "authoredOn": "2024-06-20"},
]  # fmt: skip
CHART = Chart.from_bundle({"resourceType": "Bundle", "entry": [{"resource": row} for row in ROWS]}, AS_OF)
BOTH = "Observation/before Observation/after"


@pytest.mark.parametrize(("text", "cites", "right"), [
    ("She fell at home.", "Condition/fall", True),
    ("She fell in the hospital.", "Condition/fall", False),
    ("She was admitted after a fall at home.", "Condition/fall Encounter/now", True),
    ("She fell at home after admission.", "Condition/fall Encounter/now", False),
    ("Platelets fell from 180 to 62.", BOTH, True),
    ("Platelets rose to 180 on heparin.", f"{BOTH} MedicationRequest/heparin", False),
    ("Platelets fell from 180 to 62 on heparin.", f"{BOTH} MedicationRequest/heparin", False),
    ("血小板在肝素治疗中由180降至62。", f"{BOTH} MedicationRequest/heparin", False),
    ("Her first admission was on 1 January 2023.", "Encounter/old", True),
    ("This is her first admission.", "Encounter/now", False),
    ("首次入院。", "Encounter/now", False),
    ("Her last admission was on 3 September 2023.", "Encounter/middle", True),
    ("Her last admission before the present one was on 3 September 2023.", "Encounter/middle Encounter/now", True),
    ("Her last admission was on 1 January 2023.", "Encounter/old", False),
    ("Her last admission before the present one was on 1 January 2023.", "Encounter/old Encounter/now", False),
    ("Check-up, 2 times, last 5 May 2022", "Encounter/check-1 Encounter/check-2", True),
    ("She came for a check-up 2 times, last on 5 May 2022.", "Encounter/check-1 Encounter/check-2", True),
    ("Check-up, 2 times, last 10 January 2022", "Encounter/check-1 Encounter/check-2", False),
    ("The biopsy took place after the admission.", "Procedure/biopsy Encounter/now", True),
    ("The biopsy took place before the admission.", "Procedure/biopsy Encounter/now", False),
    ("入院后行活检。", "Procedure/biopsy Encounter/now", True),
    ("入院前行活检。", "Procedure/biopsy Encounter/now", False),
    ("Platelets have been normal since June 2024.", "Observation/before", True),
    ("Platelets have been normal since June 2024.", BOTH, False),
    ("A cardiology follow-up visit is booked for 10 July 2024.", "Appointment/clinic", True),
    ("A follow-up visit with cardiology took place.", "Appointment/clinic", False),
    ("She attended a cardiology follow-up visit.", "Appointment/clinic", False),
    ("The follow-up visit in cardiology was completed.", "Appointment/clinic", False),
    ("An echocardiogram is ordered.", "ServiceRequest/echo", True),
    ("The echocardiogram took place on 20 June 2024.", "ServiceRequest/echo", False),
])  # fmt: skip
def test_place_order_and_time_are_those_of_the_record(text, cites, right):
    """A right sentence stands beside each wrong one."""
    (found,) = verify([Sentence(text, tuple(cites.split()))], CHART)
    assert found.keep is right, found.reasons
