"""What an assessment rests on and the chart as one record: whose rows, which version, what a reference means."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import UUID

from cds_service.fhir import resources as fhir
from cds_service.fhir.code_map import NONE
from cds_service.protocol.request import HookRequest, decode_resource, value_of
from cds_service.sandbox.chart import AS_OF
from cds_service.stores.requests import Basis
from cds_service.summary.facts import medicine_name
from cds_service.web.app.joint_record import Joint, joint

INSIDE, OUTSIDE, OTHER = "http://fhir.inside/r4", "https://ehr.example/fhir", "https://elsewhere.example/fhir"
OWN = {"reference": "Patient/p"}


def row(type_: str, id_: str, **members: Any) -> dict[str, Any]:
    return {"resourceType": type_, "id": id_, "subject": OWN, **members}


def problem(id_: str, text: str, **members: Any) -> dict[str, Any]:
    return row("Condition", id_, code={"text": text}, **members)


def basis(server: str, **lists: list[dict[str, Any]]) -> Basis:
    """What came from a server under some keys."""
    values = {}
    for key, rows in lists.items():
        entries = [{"fullUrl": f"{server}/{one['resourceType']}/{one['id']}", "resource": one} for one in rows]
        bundle = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
        values[key] = value_of(decode_resource(json.dumps(bundle).encode()))
    return Basis(HookRequest("patient-view", UUID(int=1), "p", None, None, server, values, {}))


def together(assessed: Basis, chart: Basis, chart_hours: float = 1.0) -> Joint:
    return joint(assessed, AS_OF, {"conditions": ("Condition",)}, chart, AS_OF + timedelta(hours=chart_hours), NONE)


def assessed(*rows: dict[str, Any], server: str = OUTSIDE) -> Basis:
    return basis(server, patient=[{"resourceType": "Patient", "id": "p"}], conditions=list(rows))


def problems(both: Joint) -> list[str | None]:
    return sorted(one.code.text or "" for one in both.context.record.rows(fhir.Condition) if one.code is not None)


def test_what_was_read_last_counts() -> None:
    """Be it the chart, as it nearly always is, or the assessment."""
    before, after = assessed(problem("c", "Asthma")), basis(OUTSIDE, conditions=[problem("c", "COPD")])
    assert problems(together(before, after)) == ["COPD"]
    assert problems(together(before, after, chart_hours=-1.0)) == ["Asthma"]


def test_one_server_under_two_addresses_has_one_patient() -> None:
    """The hook named it from inside, the app calls it from outside; absolute references follow the address."""
    inside = problem("a", "Asthma", subject={"reference": f"{INSIDE}/Patient/p"})
    outside = problem("b", "Gout", subject={"reference": f"{OUTSIDE}/Patient/p"})
    both = together(assessed(inside, server=INSIDE), basis(OUTSIDE, conditions=[outside]))
    assert problems(both) == ["Asthma", "Gout"]
    assert both.left_out == ()


def test_a_patient_of_another_server_with_the_same_id_is_another() -> None:
    """The row is counted, and its list counts as one that did not come whole."""
    foreign = problem("f", "Lymphoma", subject={"reference": f"{OTHER}/Patient/p"})
    both = together(assessed(problem("a", "Asthma")), basis(OUTSIDE, conditions=[foreign, problem("b", "Gout")]))
    assert problems(both) == ["Asthma", "Gout"]
    assert [str(one) for one in both.left_out] == [
        "Entries left out, because they are another patient's or do not say whose: 1."
    ]
    assert not both.context.record.has_list("Condition")


def test_a_medication_of_another_server_names_no_medicine_here() -> None:
    """Though one of the own server has the same id: it would be told as what the patient takes."""
    product = {"resourceType": "Medication", "id": "7", "code": {"text": "Warfarin 5 mg tablet"}}
    order = row("MedicationRequest", "m", status="active", intent="order")
    chart = basis(
        OUTSIDE,
        prescriptions=[
            order | {"medicationReference": {"reference": f"{OTHER}/Medication/7"}},
            order | {"id": "n", "medicationReference": {"reference": "Medication/7"}},
        ],
        products=[product],
    )
    record = together(assessed(), chart).context.record
    named = {one.id: medicine_name(record, one) for one in record.rows(fhir.MedicationRequest)}
    assert named == {"m": None, "n": "Warfarin 5 mg tablet"}
