"""What is ordered already is not offered again, and missing inputs know the order that mends them."""

from datetime import UTC, datetime

import orjson
import pytest

from cds_service import orders
from cds_service.cards import action
from cds_service.features import catalogue
from cds_service.features.feature import Reason, Unusable
from cds_service.fhir import propose
from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import LOINC
from cds_service.fhir.context import ClinicalContext
from cds_service.fhir.record import PatientRecord
from cds_service.language import msg, words

DECODER = fhir.decoder(fhir.AnyResource)


def order(status="active", code="24331-1", text="x", **members):
    body = {
        "resourceType": "ServiceRequest",
        "id": "o1",
        "status": status,
        "subject": {"reference": "Patient/p1"},
        "code": {"coding": [{"system": LOINC, "code": code}], "text": text},
        **members,
    }
    return DECODER.decode(orjson.dumps(body))


@pytest.fixture
def context():
    def make(*rows, drafts=()):
        now = datetime(2026, 11, 1, tzinfo=UTC)
        patient = DECODER.decode(b'{"resourceType":"Patient","id":"p1"}')
        found = [patient, *rows]
        record = PatientRecord.from_resources(found, [None] * len(found), "p1", now)
        return ClinicalContext(record, "patient-view", None, "e7", None, tuple(drafts), now)

    return make


@pytest.mark.parametrize("status", ["draft", "active", "on-hold"])
def test_a_pending_order_silences_the_offer(context, status):
    """Ordered and not yet done: nothing to suggest."""
    assert orders.offer(context(order(status)), orders.LIPID_PANEL, "why") == ()


@pytest.mark.parametrize(
    "row", [order("completed"), order("revoked"), order(doNotPerform=True), order(code="718-7", text="Hemoglobin")]
)
def test_other_orders_do_not(context, row):
    """Done, revoked, forbidden, or something else."""
    (proposal,) = orders.offer(context(row), orders.LIPID_PANEL, "why")
    assert proposal.key == "lipid-panel"
    assert proposal.resource["encounter"] == {"reference": "Encounter/e7"}
    assert proposal.resource["reasonCode"] == [{"text": "why"}]


def test_a_draft_of_the_hook_counts_as_pending(context):
    """What the clinician is just ordering is not suggested."""
    assert orders.offer(context(drafts=(order("draft"),)), orders.LIPID_PANEL, "why") == ()


def test_the_same_digits_in_another_system_are_another_order(context):
    """The system counts, never the code alone."""
    local = order(code="x", text="y")
    other = replace_code(local, "http://example.org/codes", "24331-1")
    assert orders.offer(context(other), orders.LIPID_PANEL, "why") != ()


def replace_code(row, system, code):
    coding = fhir.Coding(system=system, code=code)
    return type(row)(**{**{f: getattr(row, f) for f in row.__struct_fields__}, "code": fhir.CodeableConcept((coding,))})


def test_missing_inputs_name_the_order_that_mends_them():
    """Each order once, in the order of the inputs; what no order brings is left out."""
    inputs = (catalogue.CREATININE, catalogue.TOTAL_CHOLESTEROL, catalogue.HDL, catalogue.SMOKING)
    missing = [Unusable(feature, Reason.ABSENT, msg("absent")) for feature in inputs]
    assert orders.mending(missing) == (orders.CREATININE, orders.LIPID_PANEL)


@pytest.mark.parametrize("what", orders.ORDERABLE, ids=lambda what: what.key)
def test_every_orderable_is_valid_and_recognises_itself(context, what):
    """Its draft passes validation, and once accepted it is not offered again."""
    (proposal,) = orders.offer(context(), what, "why")
    placed = DECODER.decode(orjson.dumps({**proposal.resource, "id": "o2", "status": "active"}))
    assert orders.pending(context(placed), what)
    assert set(what.mends) <= {feature.id for feature in catalogue.all_features()}


REFERRAL = orders.referral("r", msg("x"), msg("Referral to nephrology"), "nephrolog")


@pytest.mark.parametrize("what", [orders.CREATININE, REFERRAL])
def test_an_order_speaks_the_readers_language_and_is_known_again_in_it(context, what):
    """Accepted in Chinese it is a Chinese order, with its reason and its code, and is not offered a second time."""
    (proposal,) = orders.offer(context(), what, msg("eGFR is due"))
    english, chinese = (action(proposal, words(language)).resource for language in ("en", "zh_Hans"))
    assert english["code"]["text"] == what.order.text
    assert (english["reasonCode"], chinese["reasonCode"]) == ([{"text": "eGFR is due"}], [{"text": "应检测 eGFR"}])
    assert not chinese["code"]["text"].isascii()
    assert chinese["code"].get("coding") == english["code"].get("coding")
    propose.validate(chinese)
    named = {"id": "o2", "status": "active", "code": {"text": chinese["code"]["text"]}}
    accepted = DECODER.decode(orjson.dumps(chinese | named))
    assert orders.offer(context(accepted), what, msg("eGFR is due")) == ()
