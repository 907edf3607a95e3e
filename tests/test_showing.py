"""What becomes of findings at a site: rests, silence, order, links, and what is written to the chart."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from answers import Site, bundle, loaded, resources

from cds_service import service_settings
from cds_service.errors import SettingsError
from cds_service.fhir.propose import validate
from cds_service.security.trust import Caller
from cds_service.settings import Alerts, Client, ServiceSettings, Settings
from cds_service.stores.assessments import AssessmentStore
from cds_service.stores.audit import AuditStore
from cds_service.stores.database import Database, migrate

DAY = timedelta(days=1)
LIPIDS = "missing-lipids"  # a card with suggestions
PRIMARY = "primary-prevention"  # a card with an estimate
LIVER, KIDNEY_LIVER = "masld-high-fib4", "kidney-liver-check"  # two findings of different urgency


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    migrate(url)
    store = AssessmentStore(Database(url))
    yield Site(store)
    store.close()


def suppressed(site: Site) -> list[dict[str, Any]]:
    """What the latest assessment says rests."""
    return [row for row in site.kept()[-1].results if "suppressed" in row]


def audited(site: Site) -> dict[str, Any]:
    entries = [e for e in AuditStore(site.store.database).entries() if e.kind == "assessment"]
    assert entries[-1].content is not None
    return dict(entries[-1].content)


def test_an_overridden_card_rests_and_comes_back(site: Site) -> None:
    """For thirty days; assessment and audit record say so each time."""
    (card,) = site.call(PRIMARY)["cards"]
    site.give(card)
    site.later(29 * DAY)
    assert site.call(PRIMARY)["cards"] == []
    (row,) = suppressed(site)
    assert (row["finding"], row["suppressed"]) == ("prevent-base/total_cvd/10y", "overridden")
    assert audited(site)["suppressed"] == [row]
    site.later(DAY)
    assert len(site.call(PRIMARY)["cards"]) == 1
    assert suppressed(site) == []


def test_it_comes_back_when_the_risk_has_risen(site: Site) -> None:
    """From 10 % to more than 1.25 times that: the blood pressure went up."""
    (card,) = site.call(PRIMARY)["cards"]
    site.give(card)
    worse = copy.deepcopy(bundle(PRIMARY))
    for row in resources(worse, "Observation"):
        for component in row.get("component", ()):
            if component["code"]["coding"][0]["code"] == "8480-6":
                component["valueQuantity"]["value"] = 175
    (again,) = site.call(PRIMARY, changed=worse)["cards"]
    assert again["uuid"] != card["uuid"]


def test_feedback_of_one_client_does_not_silence_another(site: Site) -> None:
    """Equal patient ids of two clients are two people."""
    (card,) = site.call(PRIMARY)["cards"]
    site.give(card)
    site.caller = Caller("other", "https://other", None)
    assert len(site.call(PRIMARY)["cards"]) == 1


def test_an_accepted_suggestion_is_not_made_again(site: Site) -> None:
    """The order may take days to reach the record; meanwhile nobody is asked twice."""
    (card,) = site.call(LIPIDS)["cards"]
    taken = card["suggestions"][0]
    site.give(card, (taken["uuid"],))
    labels = [s["label"] for c in site.call(LIPIDS)["cards"] for s in c.get("suggestions", ())]
    assert taken["label"] not in labels
    assert "accepted" in {row["suppressed"] for row in suppressed(site)}


def test_a_silent_service_computes_and_stores_and_shows_nothing(site: Site) -> None:
    """Its cards are in the assessment; no feedback on them is possible."""
    site.settings = Settings(services={"cardiovascular-risk": ServiceSettings(silent=True)})
    assert site.call(LIPIDS) == {"cards": []}
    assessment = site.kept()[-1]
    assert "10-year cardiovascular risk" in assessment.cards[0]["summary"]
    assert assessment.response == b'{"cards":[]}'
    assert (audited(site)["kept_back"], audited(site)["cards"]) == (1, [])


def test_one_card_a_finding_and_no_more_than_wanted(site: Site) -> None:
    """The most urgent first; what did not fit is told in the record."""
    site.settings = Settings().with_("cards", grouping="finding")
    first, second = site.call(LIVER, KIDNEY_LIVER)["cards"]
    assert (first["indicator"], second["indicator"]) == ("warning", "info")
    assert first["uuid"] != second["uuid"]
    assert ("From the record" in first["detail"], "From the record" in second["detail"]) == (True, False)
    site.settings = site.settings.with_("alerts", max_cards=1)
    assert [c["summary"] for c in site.call(LIVER, KIDNEY_LIVER)["cards"]] == [first["summary"]]
    assert [(row["finding"], row["suppressed"]) for row in suppressed(site)] == [
        ("uacr-due", "more urgent cards came first")
    ]


def test_each_finding_of_a_service_can_be_overridden_by_itself(site: Site) -> None:
    """With one card a finding, the others stay."""
    site.settings = Settings().with_("cards", grouping="finding")
    first, second = site.call(LIVER, KIDNEY_LIVER)["cards"]
    site.give(first, service=KIDNEY_LIVER)
    assert [c["summary"] for c in site.call(LIVER, KIDNEY_LIVER)["cards"]] == [second["summary"]]


def test_the_app_is_told_the_cards_uuid_and_nothing_else(site: Site) -> None:
    """A smart link beside the guideline."""
    site.settings = Settings().with_("app", launch_url="https://apps.example.org/launch")
    (card,) = site.call(LIVER, KIDNEY_LIVER)["cards"]
    by_type = {link["type"]: link for link in card["links"]}
    assert by_type["smart"]["url"] == "https://apps.example.org/launch"
    assert by_type["smart"]["appContext"] == card["uuid"]
    assert by_type["absolute"]["url"].startswith("https://doi.org/")
    assert "appContext" not in by_type["absolute"]


def test_the_only_thing_to_do_is_recommended(site: Site) -> None:
    """One suggestion for the most urgent finding; with several nobody is told which."""
    everything = [c for name in (LIPIDS, "masld-high-fib4") for c in cards_of_all(site, name)]
    offered = [c["suggestions"] for c in everything if "suggestions" in c]
    assert any(len(suggestions) == 1 and suggestions[0].get("isRecommended") for suggestions in offered)
    assert all(sum(s.get("isRecommended", False) for s in suggestions) <= 1 for suggestions in offered)


def cards_of_all(site: Site, sample: str) -> list[dict[str, Any]]:
    return [c for service in ("cardiovascular-risk", "kidney-liver-check") for c in site.call(sample, service)["cards"]]


def test_an_estimate_can_be_noted_in_the_chart(site: Site) -> None:
    """Offered last, never as the recommended choice; once noted, not offered again until it changes."""
    site.settings = Settings().with_("cards", offer_recording=True)
    (card,) = site.call(PRIMARY)["cards"]
    offer = card["suggestions"][-1]
    assert offer["label"].startswith("Record this estimate in the chart (")
    assert "isRecommended" not in offer
    (action,) = offer["actions"]
    validate(action["resource"])
    assert (action["type"], action["resource"]["status"]) == ("create", "final")
    assert action["resource"]["prediction"][0]["probabilityDecimal"] == pytest.approx(10.35, abs=0.01)
    site.give(card, (offer["uuid"],))
    (again,) = site.call(PRIMARY)["cards"]
    assert "suggestions" not in again


def test_estimates_are_written_once_for_a_client_that_agreed(site: Site) -> None:
    """systemActions: off by default; the same numbers are not written twice; nothing from a silent service."""
    client = Client(issuer="https://ehr", system_actions=True)
    site.caller = Caller("ehr", "https://ehr", None)
    site.settings = Settings(clients={"ehr": client})
    (action,) = site.call(PRIMARY)["systemActions"]
    validate(action["resource"])
    assert (action["type"], action["resource"]["status"]) == ("create", "preliminary")
    assert action["resource"]["basis"]
    assert action["description"]
    assert "systemActions" not in site.call(PRIMARY)
    site.caller = Caller("ehr", "https://ehr", "another tenant")
    site.settings = Settings(clients={"ehr": Client(issuer="https://ehr")})
    assert "systemActions" not in site.call(PRIMARY)
    silent = {"cardiovascular-risk": ServiceSettings(silent=True)}
    site.settings = Settings(clients={"ehr": client}, services=silent)
    assert "systemActions" not in site.call(PRIMARY)


def test_what_nobody_signed_off_is_never_written_to_a_chart(site: Site) -> None:
    """A demonstration may show a trained model; a chart outlives the demonstration."""
    site.caller = Caller("ehr", "https://ehr", None)
    clients = {"ehr": Client(issuer="https://ehr", system_actions=True)}
    site.settings = (
        Settings(clients=clients).with_("models", show_unvalidated=True).with_("cards", offer_recording=True)
    )
    answer = site.call("heart-failure", "prognosis")
    assert answer["cards"]
    assert "systemActions" not in answer
    assert "suggestions" not in answer["cards"][0]


def test_thresholds_of_the_site_decide(site: Site) -> None:
    """A higher threshold for a statin: the estimate of 5.9 % is no longer a card."""
    assert site.call(PRIMARY)["cards"]
    site.settings = Settings(services={"cardiovascular-risk": ServiceSettings(thresholds={"statin_at_ascvd": 40.0})})
    assert site.call(PRIMARY)["cards"] == []


@pytest.mark.parametrize(
    ("services", "sentence"),
    [
        ({"cardio-risk": ServiceSettings()}, "services.cardio-risk is no loaded service. Did you mean cardiovasc"),
        (
            {"cardiovascular-risk": ServiceSettings(thresholds={"statin_at_ascvs": 5})},
            "thresholds.statin_at_ascvs is no threshold of this service. Did you mean statin_at_ascvd?",
        ),
        (
            {"cardiovascular-risk": ServiceSettings(thresholds={"statin_at_ascvd": 500})},
            "thresholds.statin_at_ascvd must be between 1 and 50 %, got 500.",
        ),
        ({"deterioration": ServiceSettings(thresholds={"x": 1})}, "x is no threshold of this service. It has none."),
    ],
)
def test_a_misspelt_setting_stops_the_start(services: dict[str, ServiceSettings], sentence: str) -> None:
    """The default would go on unnoticed."""
    with pytest.raises(SettingsError) as caught:
        service_settings.check(loaded().services, Settings(services=services))
    assert sentence in str(caught.value)


def test_a_launch_url_must_be_one() -> None:
    """A link that leads nowhere helps nobody."""
    with pytest.raises(SettingsError, match=r"app\.launch_url"):
        service_settings.check(loaded().services, Settings().with_("app", launch_url="apps.example.org"))


def test_what_a_service_declares_and_a_site_sets_about_rests() -> None:
    """The site's word about a service, else the service's, else the site's for all."""
    services, settings = loaded().services, Settings(alerts=Alerts(overridden_days=10))
    assert service_settings.rules(services["prognosis"], settings).overridden == 10 * DAY
    assert service_settings.rules(services["deterioration"], settings).overridden == timedelta(hours=4)
    assert service_settings.rules(services["deterioration"], settings).accepted == timedelta(hours=4)
    own = Settings(services={"deterioration": ServiceSettings(overridden_days=0.5)})
    assert service_settings.rules(services["deterioration"], own).overridden == timedelta(hours=12)


def test_cards_go_on_while_feedback_cannot_be_read(site: Site) -> None:
    """A broken table costs the rests, not the card."""
    with site.store.database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE feedback RENAME TO away")
    assert site.call(PRIMARY)["cards"]


def test_every_service_offers_reasons_that_fit_it(site: Site) -> None:
    """Its own first, then the common ones, each once, with a display."""
    (card,) = site.call(PRIMARY)["cards"]
    codes = [reason["code"] for reason in card["overrideReasons"]]
    assert codes[0] == "risk-benefit-ratio"
    assert "patient-contraindication" in codes
    assert len(set(codes)) == len(codes)
    assert all(reason["display"] and UUID(card["uuid"]) for reason in card["overrideReasons"])


def test_a_service_knows_which_others_are_heard_at_its_hook() -> None:
    """One that is silenced, or answers another hook, cannot be left anything to say."""
    services = loaded().services
    heard = service_settings.beside(services["drug-safety"], services.values(), Settings())
    assert "renal-dosing" in heard
    assert not heard & {"drug-safety", "renal-dosing-select", "cardiovascular-risk"}
    silenced = Settings(services={"renal-dosing": ServiceSettings(silent=True)})
    assert "renal-dosing" not in service_settings.beside(services["drug-safety"], services.values(), silenced)
