"""Whoever asks why a card was shown gets all of it from what was kept, and what would have been without a resource."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from answers import Site, loaded

from cds_service import account
from cds_service.cli import run
from cds_service.errors import InputError
from cds_service.fhir.audit_event import audit_event
from cds_service.settings import Settings
from cds_service.stores.assessments import AssessmentStore
from cds_service.stores.audit import AuditStore
from cds_service.stores.database import Database, migrate

SHOWN = Settings().with_("models", show_unvalidated=True)
CALLS = [
    ("braf-v600e-melanoma", "precision-oncology"), ("unsafe-orders", "drug-safety"),
    ("gene-drafts", "pharmacogenomics"),
    ("primary-prevention", "cardiovascular-risk"), ("acute-deterioration", "kidney-liver-check"),
    ("going-home", "transition-of-care"), ("healthy-adult", "preventive-care"), ("cirrhosis", "cirrhosis"),
]  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path_factory.mktemp('account') / 'a.db'}"
    migrate(url)
    store = AssessmentStore(Database(url))
    yield Site(store, SHOWN)
    store.close()


def accounted(site: Site, id_: UUID) -> account.Account:
    return account.account(site.pipeline(), loaded(), site.settings, site.store, id_)


@pytest.mark.parametrize(("sample", "service"), CALLS, ids=[service for _, service in CALLS])
def test_every_number_and_row_of_a_card_has_its_place(site: Site, sample: str, service: str) -> None:
    """Estimates add up from what is listed; inputs name resources of the record; rows of the knowledge have words."""
    site.later(timedelta(days=1))
    card, *_ = site.call(sample, service)["cards"]
    found = accounted(site, UUID(card["uuid"]))
    assert (found.state, found.service, found.cards[0]["uuid"]) == ("same", service, card["uuid"])
    assert found.audit[0].kind == "assessment"
    for model in found.models:
        assert model.version == model.now == loaded().models[model.id].version
        assert bool(model.refusal) != bool(model.estimates)
        for one in model.estimates:
            value = one["baseline"] + sum(amount for _, amount in one["contributions"])
            read = {id_ for ids, amount in one["contributions"] if amount for id_ in ids}
            assert read <= {row["id"] for row in found.inputs}
            if one["scale"] == "natural":
                assert value == pytest.approx(one["value"], abs=0.5)  # MELD is rounded
    for row in found.inputs:
        assert all("/" in source for source in row.get("sources", ()))
    if service in ("precision-oncology", "drug-safety", "pharmacogenomics"):
        places = [place for row in found.findings for place in row.get("path", ())]
        assert any(place in found.rows for place in places)
        assert any(place.split("/")[0] in ("Observation", "MedicationRequest") for place in places)


def test_a_trained_model_says_its_line_and_who_signed_it(site: Site) -> None:
    """Intercepts and slope as in its manifest; by nobody, where nobody did."""
    site.later(timedelta(days=1))
    site.call("going-home", "transition-of-care")
    model = next(m for m in accounted(site, site.kept()[-1].id).models if m.id == "readmission-30d")
    assert model.kind == "trained"
    assert model.signed_off == "by nobody"
    assert "log-odds of" in model.calibration
    assert "x margin" in model.calibration


def test_what_became_of_a_card_is_told(site: Site) -> None:
    """Outcome, time, and the audit entry of the feedback."""
    site.later(timedelta(days=1))
    card, *_ = site.call("cirrhosis", "cirrhosis")["cards"]
    site.later(timedelta(minutes=3))
    site.give(card, service="cirrhosis")
    found = accounted(site, UUID(card["uuid"]))
    assert [(str(one.card), one.outcome, one.at) for one in found.feedback] == [(card["uuid"], "overridden", site.now)]
    assert [line.kind for line in found.audit] == ["assessment", "feedback"]


def test_what_would_have_been_without_a_resource_is_told(site: Site) -> None:
    """The card that rested on it is gone, others stay; without what nothing rested on it is the same."""
    site.later(timedelta(days=1))
    card, *_ = site.call("unsafe-orders", "drug-safety")["cards"]
    id_, pipeline = UUID(card["uuid"]), site.pipeline()
    found = account.without(pipeline, site.store, id_, ["MedicationRequest/unsafe-orders-medicine-2"])
    assert found is not None
    assert [one.before for one in found.cards if one.kind == "gone"] == [card["summary"]]
    assert not {one.now for one in found.cards} & {card["summary"]}
    assert found.why[0].words == "left out: MedicationRequest/unsafe-orders-medicine-2"
    assert not [why for why in found.why if "report this" in why.words]
    draft = account.without(pipeline, site.store, id_, ["MedicationRequest/unsafe-orders-medicine-4"])
    assert draft is not None
    assert "gone" in {one.kind for one in draft.cards}
    with pytest.raises(InputError, match=r"did not read Observation/none\. Its inputs rest on: MedicationRequest/"):
        account.without(pipeline, site.store, id_, ["Observation/none"])
    with pytest.raises(InputError, match="there is no answer 00000000"):
        accounted(site, UUID(int=3))


def test_the_commands_tell_it_in_words_and_as_json(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`audit show CARD`, and `replay CARD --without RESOURCE`; the audit export names cards, findings and versions."""
    site.later(timedelta(days=1))
    card, *_ = site.call("primary-prevention")["cards"]
    config = tmp_path / "curbside.toml"
    config.write_text(f'[store]\nurl = "{site.store.database.url}"\n[models]\nshow_unvalidated = true\n')

    def told(*command: str) -> tuple[int, str]:
        code = run((*command, "--config", str(config)))
        return code, capsys.readouterr().out

    code, page = told("audit", "show", card["uuid"])
    assert code == 0, page
    for words in (card["summary"], "Observation/primary-prevention-blood-pressure-6", "no feedback came",
                  "on the scale log-odds", "prevent-base 1.1.0"):  # fmt: skip
        assert words in page, words
    assert json.loads(told("audit", "show", card["uuid"], "--json")[1])["state"] == "same"
    code, less = told("replay", card["uuid"], "--without", "Observation/primary-prevention-blood-pressure-6")
    assert (code, "input sbp: 138.0 mm[Hg]" in less) == (1, True)
    event = json.loads(told("audit", "export")[1].splitlines()[-1])
    details = {one["type"]: one["valueString"] for one in event["entity"][-1]["detail"]}
    assert card["uuid"] in details["cards"]
    assert details["version prevent-base"] == "1.1.0"


def test_a_question_to_the_record_is_no_deletion(site: Site) -> None:
    """Every kind of entry that Curbside writes has an action of its own; only deletions are told as deletions."""
    kinds = {"assessment", "feedback", "wording", "dialogue", "chart", "sign-off", "fall-back", "fall-back-lifted"}
    kinds |= {"pruned"}
    assert {entry.kind for entry in AuditStore(site.store.database).entries()} <= kinds
    for kind in sorted(kinds):
        event = audit_event(1, site.now, kind, None, b"", {"user": "Practitioner/7"})
        assert (event["type"]["code"] == "destroy") == (kind == "pruned"), kind
    asked = audit_event(1, site.now, "dialogue", None, b"", {"user": "Practitioner/7"})
    assert (asked["action"], asked["agent"][0]["who"]) == ("E", {"reference": "Practitioner/7"})
