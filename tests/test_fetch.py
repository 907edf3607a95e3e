"""What prefetch lacks: fetched from the EHR's server, key by key, or named in a 412 or on the card; always in time."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from answers import loaded

from benchmarks.servers import free_port
from cds_service import registry
from cds_service.app import create_pipeline
from cds_service.clock import Deadline, FixedClock
from cds_service.errors import PreconditionFailed
from cds_service.pipeline import Pipeline
from cds_service.protocol.request import decode
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.faults import Fault, Misbehaviour
from cds_service.sandbox.fhir_server import FhirServer
from cds_service.sandbox.prefetch import Shelf, request_for
from cds_service.sandbox.samples import read_bundle
from cds_service.security.trust import Caller
from cds_service.settings import Settings

SERVICE = "af-anticoagulation"
TOKEN = "tell-nobody-7d1f"
SLOWEST_S = 50.0  # of a server that answers in the end; the limit of a call is far below
DRAGGING = (Fault.SLOW, Fault.HANG, Fault.DRIP, Fault.DRIP_HEAD)
SAMPLE = "af-not-anticoagulated"


def sample(name: str) -> dict[str, Any]:
    """The record of one sample patient."""
    return read_bundle(registry.shipped("fhir_samples") / "patients" / f"{name}.json")


BUNDLE = sample(SAMPLE)
FULL: dict[str, str] = {}


def full(bundle: str, service: dict[str, Any]) -> str:
    """The request of the service about a sample patient with all prefetch; made once, since all ask for the same."""
    if bundle not in FULL:
        FULL[bundle] = json.dumps(request_for(service, sample(bundle)))
    return FULL[bundle]


@pytest.fixture
def server() -> Iterator[FhirServer]:
    with FhirServer([BUNDLE], token=TOKEN).running() as running:
        yield running


class Ehr:
    """A CDS Client with a FHIR server, and the service that it calls, in one process."""

    def __init__(self, server: FhirServer, bundle: str = SAMPLE, **limits: Any) -> None:
        self.server = server
        settings = (
            Settings()
            .with_("dev", allow_insecure_loopback=True, fhir_base_urls=(server.base,))
            .with_("limits", **limits)
            .with_("fetch", failures=1000)
        )
        self.pipeline: Pipeline = create_pipeline(settings, FixedClock(AS_OF), None, loaded())
        self.caller = Caller(fhir_base_urls=(server.base,))
        services: Any = self.pipeline.discovery()["services"]
        self.full = json.loads(full(bundle, next(s for s in services if s["id"] == SERVICE)))

    def request(self, without: tuple[str, ...] = (), **members: Any) -> dict[str, Any]:
        """The full request without some prefetch keys, with leave to fetch them."""
        prefetch = {key: value for key, value in self.full["prefetch"].items() if key not in without}
        granted = {
            "access_token": TOKEN,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": "patient/*.rs",
            "subject": "c",
        }
        return {
            **self.full,
            "prefetch": prefetch,
            "fhirServer": self.server.base,
            "fhirAuthorization": granted,
            **members,
        }

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The response, which must come in time: no fault lets go of a call so soon, and a busy machine may be slow."""
        drags = any(bad.fault in DRAGGING for bad in self.server.faults.values())
        deadline = Deadline.after(1.2 if drags else SLOWEST_S / 2)
        started = time.monotonic()
        try:
            answer: dict[str, Any] = json.loads(
                self.pipeline.answer(SERVICE, json.dumps(request).encode(), self.caller, deadline=deadline)
            )
        finally:
            assert time.monotonic() - started < SLOWEST_S
        return answer

    def refusal(self, request: dict[str, Any]) -> str:
        with pytest.raises(PreconditionFailed) as caught:
            self.answer(request)
        return str(caught.value)

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(self.full["prefetch"])


def name_of(bad: Misbehaviour) -> str:
    return f"{bad.fault.name}-{bad.status}" if bad.fault is Fault.STATUS else bad.fault.name


@pytest.fixture
def ehr(server: FhirServer) -> Ehr:
    return Ehr(server)


def detail(answer: dict[str, Any]) -> str:
    (card,) = answer["cards"]
    return str(card["detail"])


def asked(server: FhirServer) -> list[str]:
    """The resource types that were asked for."""
    return sorted(seen.target.removeprefix("/fhir/").partition("?")[0].partition("/")[0] for seen in server.seen)


def test_fetched_data_give_the_same_card_as_prefetched_ones(ehr: Ehr) -> None:
    """Nothing prefetched, everything fetched, with the token: byte for byte the same response."""
    whole = ehr.answer(ehr.request())
    assert ehr.server.seen == []
    assert ehr.answer(ehr.request(without=ehr.keys)) == whole
    assert len(ehr.server.seen) == len(ehr.keys)
    assert all(seen.authorized for seen in ehr.server.seen)


def test_only_what_is_absent_is_fetched(ehr: Ehr) -> None:
    """Partial prefetch, key by key; an optional key is fetched like any other."""
    assert ehr.answer(ehr.request(without=("conditions", "allergies"))) == ehr.answer(ehr.request())
    assert asked(ehr.server) == ["AllergyIntolerance", "Condition"]


def test_a_request_without_prefetch_is_fetched_whole(ehr: Ehr) -> None:
    """`prefetch` itself is optional."""
    request = ehr.request()
    del request["prefetch"]
    assert ehr.answer(request) == ehr.answer(ehr.request())


@pytest.mark.parametrize("without", [(), ("conditions",)])
def test_the_token_is_forgotten_when_all_is_fetched(ehr: Ehr, without: tuple[str, ...]) -> None:
    """What goes on to be decided and stored does not hold it."""
    decided = ehr.pipeline.assess(
        ehr.pipeline.desk(SERVICE), decode(json.dumps(ehr.request(without)).encode()), base=ehr.server.base
    )
    assert decided.basis.request.fhir_authorization is None


def test_null_means_none_and_is_not_fetched(ehr: Ehr) -> None:
    """The CDS Client has looked; its word counts."""
    request = ehr.request()
    request["prefetch"]["conditions"] = None
    ehr.answer(request)
    assert ehr.server.seen == []


def test_a_refusal_in_prefetch_is_not_tried_again(ehr: Ehr) -> None:
    """An OperationOutcome: 412 for a needed key, a line on the card for an optional one; the server is not asked."""
    refused = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}
    request = ehr.request()
    request["prefetch"]["allergies"] = refused
    assert "Not available:** allergies (the EHR refused access)" in detail(ehr.answer(request))
    request["prefetch"]["conditions"] = refused
    assert "conditions (the EHR refused access)" in ehr.refusal(request)
    assert ehr.server.seen == []


STRANGE = {"resourceType": "Practitioner", "id": "x"}


@pytest.mark.parametrize("sent", [STRANGE, {"resourceType": "Bundle", "entry": [{"resource": STRANGE}]}])
def test_an_answer_to_another_question_is_not_an_empty_list(ehr: Ehr, sent: dict[str, Any]) -> None:
    """A key with nothing of its types in it is fetched; without a server it is named, and never counts as none."""
    request = ehr.request()
    request["prefetch"] |= {"conditions": sent, "allergies": sent}
    assert ehr.answer(request) == ehr.answer(ehr.request())
    assert asked(ehr.server) == ["AllergyIntolerance", "Condition"]
    del request["fhirServer"], request["fhirAuthorization"]
    assert "conditions (the EHR sent something other than what was asked)" in ehr.refusal(request)
    request["prefetch"]["conditions"] = ehr.full["prefetch"]["conditions"]
    assert "allergies (the EHR sent something other than what was asked)" in detail(ehr.answer(request))


def test_prefetched_pages_are_continued(server: FhirServer) -> None:
    """The first page came with the call; the rest is fetched, and the answer is that of the whole list."""
    ehr = Ehr(server)
    request = ehr.request()
    entries = request["prefetch"]["conditions"]["entry"]
    assert len(entries) > 1
    following = f"{server.base}/Condition?patient={request['context']['patientId']}&_offset=1"
    request["prefetch"]["conditions"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "link": [{"relation": "next", "url": following}],
        "entry": entries[:1],
    }
    assert ehr.answer(request) == ehr.answer(ehr.request())
    assert asked(server) == ["Condition"]


def test_fetched_pages_are_followed(server: FhirServer) -> None:
    """A server with pages of one row gives the same card."""
    ehr = Ehr(server)
    server.page = 2
    assert ehr.answer(ehr.request(without=("conditions",))) == ehr.answer(ehr.request())
    assert len(server.seen) > 1


def by_reference(request: dict[str, Any], **named: str) -> None:
    """Has the call's list of medicines hold one, which is named by reference alone."""
    medicine = {
        "resourceType": "MedicationRequest",
        "id": "by-reference",
        "status": "active",
        "intent": "order",
        "subject": {"reference": f"Patient/{request['context']['patientId']}"},
        "medicationReference": {"reference": "Medication/m1", **named},
    }
    request["prefetch"]["medications"] = {"resourceType": "Bundle", "entry": [{"resource": medicine}]}


PRODUCT = {"resourceType": "Medication", "id": "m1", "code": {"text": "Apixaban 5 mg tablet"}}


def test_a_medicine_named_by_reference_alone_is_read(server: FhirServer) -> None:
    """Its Medication was not sent, and no template can ask for it: the anticoagulant is found all the same."""
    server.shelves.append(Shelf({"entry": [{"resource": PRODUCT}]}))
    ehr = Ehr(server)
    request = ehr.request()
    by_reference(request)
    assert ehr.answer(request) == {"cards": []}
    assert [seen.target for seen in server.seen] == ["/fhir/Medication/m1"]


def test_a_medicine_is_read_by_reference_only_where_that_helps(server: FhirServer) -> None:
    """Not if it has a name, if its Medication came along, if the token does not cover it, or without a server."""
    server.shelves.append(Shelf({"entry": [{"resource": PRODUCT}]}))
    ehr = Ehr(server)
    request = ehr.request()
    by_reference(request, display="Apixaban 5 mg tablet")
    assert ehr.answer(request) == {"cards": []}
    by_reference(request)
    request["prefetch"]["products"] = PRODUCT
    assert ehr.answer(request) == {"cards": []}
    del request["prefetch"]["products"]
    request["fhirAuthorization"]["scope"] = "patient/MedicationRequest.rs"
    assert ehr.answer(request)["cards"]
    assert server.seen == []


def test_a_medicine_that_is_read_late_takes_no_earlier_one_away(server: FhirServer) -> None:
    """What was read before a token ran out is kept when the rest is asked for with the next one."""
    server.shelves.append(Shelf({"entry": [{"resource": PRODUCT | {"id": "m2", "code": {"text": "Vitamin D"}}}]}))
    ehr = Ehr(server)
    request = ehr.request()
    by_reference(request)
    entries = request["prefetch"]["medications"]["entry"]
    other = {"id": "other", "medicationReference": {"reference": "Medication/m2"}}
    entries.append({"resource": entries[0]["resource"] | other})
    request["prefetch"]["medicationsByReference"] = PRODUCT
    assert ehr.answer(request) == {"cards": []}
    assert [seen.target for seen in server.seen] == ["/fhir/Medication/m2"]


@pytest.mark.parametrize("bad", [Misbehaviour(Fault.STATUS, status=404), Misbehaviour(Fault.HANG)], ids=name_of)
def test_a_medication_that_cannot_be_read_holds_up_no_card(ehr: Ehr, bad: Misbehaviour) -> None:
    """The card comes as it would without a server."""
    request = ehr.request()
    by_reference(request)
    ehr.server.faults["Medication"] = bad
    shown = ehr.answer(request)
    del request["fhirServer"], request["fhirAuthorization"]
    assert ehr.answer(request) == shown
    assert shown["cards"]


UNWELL = [
    Misbehaviour(Fault.STATUS, status=401),
    Misbehaviour(Fault.STATUS, status=403),
    Misbehaviour(Fault.STATUS, status=404),
    Misbehaviour(Fault.STATUS, status=429),
    Misbehaviour(Fault.STATUS, status=500),
    Misbehaviour(Fault.SLOW, seconds=SLOWEST_S),
    Misbehaviour(Fault.HANG),
    Misbehaviour(Fault.DRIP),
    Misbehaviour(Fault.DRIP_HEAD),
    Misbehaviour(Fault.CLOSE),
    Misbehaviour(Fault.REDIRECT),
    Misbehaviour(Fault.HUGE),
    Misbehaviour(Fault.HTML),
    Misbehaviour(Fault.TRUNCATED),
    Misbehaviour(Fault.CUT_JSON),
    Misbehaviour(Fault.WRONG_TYPES),
    Misbehaviour(Fault.OTHER_RESOURCE),
    Misbehaviour(Fault.OUTCOME),
]


@pytest.mark.parametrize("bad", UNWELL, ids=name_of)
def test_a_needed_key_that_cannot_be_fetched_is_named_in_a_412(ehr: Ehr, bad: Misbehaviour) -> None:
    """The key and a reason of our own wording, in time; never a card without it."""
    ehr.server.faults["Condition"] = bad
    told = ehr.refusal(ehr.request(without=("conditions", "labs")))
    assert told.startswith("Prefetch keys that this service needs cannot be had: conditions (the EHR")
    assert "labs" not in told
    assert "SECRET" not in told
    assert TOKEN not in told


@pytest.mark.parametrize("bad", UNWELL, ids=name_of)
def test_an_optional_key_that_cannot_be_fetched_is_said_on_the_card(ehr: Ehr, bad: Misbehaviour) -> None:
    """The card comes, in time, and says what it had to do without."""
    ehr.server.faults["AllergyIntolerance"] = bad
    shown = detail(ehr.answer(ehr.request(without=("allergies",))))
    assert "**Not available:** allergies (the EHR" in shown
    assert "SECRET" not in shown


@pytest.mark.parametrize(
    "fault", [Fault.LOOP, Fault.ENDLESS, Fault.FOREIGN_NEXT, Fault.BROKEN_NEXT], ids=lambda f: f.name
)
def test_pages_that_lead_nowhere_end_in_a_card_that_says_so(ehr: Ehr, fault: Fault) -> None:
    """The beginning of the list counts, at most 40 requests are made, and none to another server."""
    with FhirServer([BUNDLE]).running() as other:
        ehr.server.faults["AllergyIntolerance"] = Misbehaviour(fault, target=other.base)
        assert "**Incomplete:** allergies (" in detail(ehr.answer(ehr.request(without=ehr.keys)))
        assert other.seen == []
    assert len(ehr.server.seen) <= 40


@pytest.mark.parametrize("key", ["labs", "vitalSigns"])
def test_a_key_that_a_service_can_do_without_costs_only_what_needs_it(ehr: Ehr, key: str) -> None:
    """Stroke prevention needs no results: its card comes, and asks for nothing that may well be there."""
    ehr.server.faults["Observation"] = Misbehaviour(Fault.STATUS, status=403)
    answer = ehr.answer(ehr.request(without=(key,)))
    assert "CHA2DS2-VA" in answer["cards"][0]["summary"]
    assert "(the EHR's server answered 403)" in detail(answer)
    ordered = {suggestion["label"] for suggestion in answer["cards"][0].get("suggestions", [])}
    assert not ordered & {"Order a lipid panel", "Measure blood pressure", "Order serum creatinine with eGFR"}


def test_nothing_to_say_for_want_of_data_is_a_412(server: FhirServer) -> None:
    """The same key in a patient in whom nothing else speaks: never an empty list of cards for lack of data."""
    ehr = Ehr(server, bundle="healthy-adult")
    assert ehr.answer(ehr.request()) == {"cards": []}
    server.faults["Observation"] = Misbehaviour(Fault.HANG)
    assert "labs (the EHR's server did not answer in time)" in ehr.refusal(ehr.request(without=("labs",)))


@pytest.mark.parametrize(("born", "why"), [(None, "is not on record"), ("1985", "is incomplete")])
def test_nothing_to_say_for_want_of_the_age_is_a_412(ehr: Ehr, born: str | None, why: str) -> None:
    """Whether most services may speak depends on it: an empty list of cards would look like nothing to say."""
    request = json.loads(json.dumps(ehr.request()))
    request["prefetch"]["patient"]["birthDate"] = born
    told = ehr.refusal(request)
    assert told == f"The date of birth {why}, and without the age nothing can be said: send Patient.birthDate."


@pytest.mark.parametrize("service", ["drug-safety", "drug-safety-select", "drug-safety-refill", "drug-safety-verify"])
def test_no_order_is_passed_without_the_allergies(ehr: Ehr, service: str) -> None:
    """Amoxicillin for someone who may be allergic to it: no empty list of cards where nobody could look."""
    services: Any = ehr.pipeline.discovery()["services"]
    entry = next(found for found in services if found["id"] == service)
    record = sample("healthy-adult")
    order = {
        "resourceType": "MedicationRequest",
        "id": "d1",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/healthy-adult"},
        "medicationCodeableConcept": {"text": "Amoxicillin 500 mg capsule"},
    }
    record["entry"].append({"resource": order})
    request = request_for(entry, record)
    assert json.loads(ehr.pipeline.answer(service, json.dumps(request).encode())) == {"cards": []}
    del request["prefetch"]["allergies"]
    with pytest.raises(PreconditionFailed, match=r"cannot be had: allergies \(not sent by the EHR\)\.$"):
        ehr.pipeline.answer(service, json.dumps(request).encode())


@pytest.mark.parametrize("key", ["conditions", "medications"])
def test_nothing_to_say_of_half_a_list_is_a_412(server: FhirServer, key: str) -> None:
    """What stands on the pages that did not come would count as not there."""
    ehr = Ehr(server, bundle="healthy-adult")
    request = ehr.request()
    del request["fhirServer"], request["fhirAuthorization"]
    assert ehr.answer(request) == {"cards": []}
    following = [{"relation": "next", "url": f"{server.base}/page2"}]
    request["prefetch"] |= {key: {**request["prefetch"][key], "link": following}}
    told = f"Lists that this service needs are not complete: {key} (only the first page was sent)."
    assert ehr.refusal(request) == told


ELSEWHERE = "https://inside.ehr.example/fhir/Patient/"


@pytest.mark.parametrize("fetched", [True, False])
@pytest.mark.parametrize("whose", [ELSEWHERE, "Patient/x", None])
def test_a_list_of_which_no_row_is_the_patients_is_not_an_empty_one(
    server: FhirServer, fetched: bool, whose: str | None
) -> None:
    """A proxy that renames the server, a mistaken search, a reference by identifier: nobody is passed by them."""
    ehr = Ehr(server)
    patient = ehr.full["context"]["patientId"]
    subject = {"reference": whose + (patient if whose == ELSEWHERE else "")} if whose else {"display": "A"}
    why = "(what the EHR sent is another patient's, or does not say whose)"
    shelf = server.shelves[0]
    request = ehr.request(without=("conditions",) if fetched else ())
    if fetched:
        for name, row in shelf.rows.items():
            if row["resourceType"] == "Condition":
                shelf.rows[name] = {**row, "subject": subject}
        server.query = lambda type_, _: server.searchset(  # type: ignore[method-assign]
            [row for row in shelf.rows.values() if row["resourceType"] == type_], [], 0
        )
    else:
        entries = request["prefetch"]["conditions"]["entry"]
        others = [{"resource": {**entry["resource"], "subject": subject}} for entry in entries]
        request["prefetch"]["conditions"] = {"resourceType": "Bundle", "entry": others}
    assert f"conditions {why}" in ehr.refusal(request)
    request = ehr.request()
    allergy = {"resourceType": "AllergyIntolerance", "id": "a", "patient": subject}
    request["prefetch"]["allergies"] = {"resourceType": "Bundle", "entry": [{"resource": allergy}]}
    assert f"Not available:** allergies {why}" in detail(ehr.answer(request))


def test_what_the_ehr_left_out_of_prefetch_is_said(server: FhirServer) -> None:
    """With something to say on the card, else by a 412."""
    left_out = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "suppressed"}]}
    why = "(the EHR says that it left something out)"
    for bundle, key in ((SAMPLE, "labs"), ("healthy-adult", "conditions")):
        ehr = Ehr(server, bundle=bundle)
        request = ehr.request()
        request["prefetch"][key].setdefault("entry", []).append({"resource": left_out})
        if bundle == SAMPLE:
            assert f"Incomplete:** laboratory results {why}" in detail(ehr.answer(request))
        else:
            assert ehr.refusal(request) == f"Lists that this service needs are not complete: {key} {why}."
    assert server.seen == []


def test_a_token_that_covers_a_part_of_a_list_makes_it_no_whole(ehr: Ehr) -> None:
    """A scope with a query lets the server leave out rows without a word."""
    request = ehr.request(without=("conditions",))
    part = "patient/Condition.rs?category=http://terminology.hl7.org/CodeSystem/condition-category|problem-list-item"
    request["fhirAuthorization"]["scope"] = f"{part} patient/Observation.rs"
    assert "Incomplete:** problem list (the EHR's token covers only a part of it)" in detail(ehr.answer(request))
    assert asked(ehr.server) == ["Condition"]


def test_an_empty_list_that_the_token_covers_in_part_is_not_told_as_empty(ehr: Ehr) -> None:
    """Nothing came of the allergies that the token covers: what the others are is not known."""
    shelf = ehr.server.shelves[0]
    shelf.rows = {name: row for name, row in shelf.rows.items() if row["resourceType"] != "AllergyIntolerance"}
    for scope, told in (("", "The allergy list is empty"), ("?clinical-status=active", "No allergy list was supplied")):
        request = ehr.request(without=("allergies",))
        request["fhirAuthorization"]["scope"] = f"patient/AllergyIntolerance.rs{scope} patient/Observation.rs"
        assert told in detail(ehr.answer(request))


def test_what_the_token_does_not_cover_is_not_asked_for(ehr: Ehr) -> None:
    """The server is used within the scopes that were granted."""
    request = ehr.request(without=("allergies", "conditions"))
    request["fhirAuthorization"]["scope"] = "patient/Condition.rs patient/Patient.r"
    assert "allergies (not sent, and the EHR's token does not cover it)" in detail(ehr.answer(request))
    assert asked(ehr.server) == ["Condition"]


def test_a_server_that_is_not_the_callers_is_not_asked(ehr: Ehr) -> None:
    """A server without configuration: needed keys are refused as if there were none."""
    with FhirServer([BUNDLE]).running() as other:
        told = ehr.refusal(ehr.request(without=("conditions",), fhirServer=other.base))
        assert "conditions (not sent, and the EHR's server is not configured here)" in told
        assert other.seen == []


def test_without_a_server_absent_keys_are_named(ehr: Ehr) -> None:
    """412 for needed ones, a line for optional ones."""
    request = ehr.request(without=("allergies",))
    del request["fhirServer"], request["fhirAuthorization"]
    assert "**Not available:** allergies (not sent by the EHR)" in detail(ehr.answer(request))
    del request["prefetch"]["conditions"], request["prefetch"]["patient"]
    assert "patient (not sent by the EHR); conditions (not sent by the EHR)" in ehr.refusal(request)


def test_an_open_server_is_asked_without_a_token(server: FhirServer) -> None:
    """As the public sandbox's: fhirServer without fhirAuthorization."""
    server.token = None
    ehr = Ehr(server)
    request = ehr.request(without=("conditions",))
    del request["fhirAuthorization"]
    assert ehr.answer(request) == ehr.answer(ehr.request())
    assert "authorization" not in server.seen[0].headers


def test_a_deadline_that_has_passed_fetches_nothing(ehr: Ehr) -> None:
    """A body that took its whole time to arrive is answered from what it brought."""
    body = json.dumps(ehr.request(without=("allergies",))).encode()
    answer = json.loads(ehr.pipeline.answer(SERVICE, body, ehr.caller, deadline=Deadline.after(0.1)))
    assert "allergies (the EHR's server did not answer in time)" in detail(answer)
    assert ehr.server.seen == []


def test_the_requests_of_one_call_are_bounded(server: FhirServer) -> None:
    """`limits.max_fetches`, whatever the pages say; first pages come first."""
    ehr = Ehr(server, max_fetches=10)
    server.faults["*"] = Misbehaviour(Fault.ENDLESS)
    answer = ehr.answer(ehr.request(without=ehr.keys))
    assert len(server.seen) <= 10
    assert "more pages than one call may fetch" in detail(answer)


# The service as it is served: real sockets, worker processes, the limit of three seconds.


class Served:
    """`curbside serve` with one worker, whose callers on this machine may use one FHIR server."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self.log = port, log

    def call(self, request: dict[str, Any]) -> tuple[int, bytes, float]:
        """Status, body and seconds."""
        started = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            body = json.dumps(request).encode()
            connection.request("POST", f"/cds-services/{SERVICE}", body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read(), time.monotonic() - started
        finally:
            connection.close()


@contextmanager
def serving(tmp_path: Path, base: str, **variables: str) -> Iterator[Served]:
    log = tmp_path / "log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CURBSIDE_")} | {
        "CURBSIDE_STORE__URL": f"sqlite:///{tmp_path / 'a.db'}",
        "CURBSIDE_DEV__ALLOW_INSECURE_LOOPBACK": "true",
        "CURBSIDE_DEV__FHIR_BASE_URLS": base,
        "CURBSIDE_SERVER__WORKERS": "1",
        **variables,
    }
    port = free_port()
    command = [sys.executable, "-m", "cds_service.cli", "serve", "--port", str(port), "--as-of", AS_OF.isoformat()]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stream, cwd=tmp_path, env=environment)
    assert process.stdout is not None
    try:
        line = process.stdout.readline().decode()
        assert "http://" in line, log.read_text()
        yield Served(port, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        process.stdout.close()


def in_threads(served: Served, request: dict[str, Any], times: int) -> tuple[list[threading.Thread], list[Any]]:
    """Calls that run beside the test, and the list in which their answers will be."""
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(served.call(request))) for _ in range(times)]
    for thread in threads:
        thread.start()
    return threads, answers


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < ends
        time.sleep(0.05)


DEAD = 3  # on a machine that stands still, calls that hang may have ended before others are made: once more, then
SLOW = (Fault.HANG, Fault.DRIP, Fault.DRIP_HEAD, Fault.ENDLESS)


@pytest.fixture(scope="module")
def servers() -> Iterator[list[FhirServer]]:
    """Some that are dead, one that is well, and one for each way of being slow."""
    with ExitStack() as running:
        yield [running.enter_context(FhirServer([BUNDLE], token=TOKEN).running()) for _ in range(DEAD + 1 + len(SLOW))]


@pytest.fixture(scope="module")
def served(servers: list[FhirServer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served"), ",".join(server.base for server in servers)) as running:
        yield running


def test_calls_that_hang_hold_up_nobody(servers: list[FhirServer], served: Served) -> None:
    """Twenty calls wait for a dead server; others with prefetch, or with another server, are answered meanwhile.

    All twenty get their 412 in time, and the log names neither patient nor token.
    """
    other = Ehr(servers[DEAD])
    assert served.call(other.request())[0] == 200
    hung = False
    for dead in servers[:DEAD]:
        dead.faults["*"] = Misbehaviour(Fault.HANG)
        threads, answers = in_threads(served, Ehr(dead).request(without=("conditions", "labs")), 20)
        until(lambda dead=dead: len(dead.seen) >= 10)  # type: ignore[misc]
        assert [served.call(other.request())[0] for _ in range(5)] == [200] * 5
        assert served.call(other.request(without=("conditions",)))[0] == 200
        hung = any(thread.is_alive() for thread in threads)
        for thread in threads:
            thread.join()
        assert [status for status, _, _ in answers] == [412] * 20
        assert max(took for _, _, took in answers) < SLOWEST_S
        assert all(b"conditions (" in body for _, body, _ in answers)
        if hung:
            break
    assert hung
    log = served.log.read_text()
    assert TOKEN not in log
    assert other.full["context"]["patientId"] not in log


def test_the_served_answer_comes_in_time(servers: list[FhirServer], served: Served) -> None:
    """With the settings as they come, whichever way a server drags: a card without the allergies, which says so."""
    slow = servers[DEAD + 1 :]
    for server, fault in zip(slow, SLOW, strict=True):
        server.faults["AllergyIntolerance"] = Misbehaviour(fault)
    requests = [Ehr(server).request(without=("allergies",)) for server in slow]
    with ThreadPoolExecutor(len(requests)) as callers:
        answers = list(callers.map(served.call, requests))
    for fault, server, (status, body, took) in zip(SLOW, slow, answers, strict=True):
        assert (fault, status, took < SLOWEST_S) == (fault, 200, True)
        assert "allergies (" in detail(json.loads(body))
        assert len(server.seen) <= 40


def test_a_dead_server_is_left_alone_and_comes_back(tmp_path: Path) -> None:
    """After failures in a row calls do not wait for it any more; once it is well, neither."""
    settings = {"CURBSIDE_FETCH__FAILURES": "3", "CURBSIDE_FETCH__PAUSE_S": "3", "CURBSIDE_LIMITS__ANSWER_S": "1.2"}
    with FhirServer([BUNDLE], token=TOKEN).running() as server, serving(tmp_path, server.base, **settings) as served:
        request = Ehr(server).request(without=("conditions", "labs", "medications"))
        server.faults["*"] = Misbehaviour(Fault.HANG)
        assert served.call(request)[0] == 412

        def left_alone() -> bool:
            before = len(server.seen)
            status, body, _ = served.call(request)
            return (status, len(server.seen)) == (412, before) and b"tried again in a few seconds" in body

        until(left_alone)
        server.faults.clear()
        until(lambda: served.call(request)[0] == 200)
