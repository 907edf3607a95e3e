"""The sandbox EHR: a SMART server that refuses what it must, and a CDS Client that shows, applies and tells."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet
from listening import listening

from cds_service.app import create_app as create_service
from cds_service.clock import FixedClock
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.ehr import serve, state, view
from cds_service.sandbox.ehr.smart import CLIENT_ID
from cds_service.sandbox.ehr.state import Ehr
from cds_service.sandbox.ehr.tokens import Launch
from cds_service.sandbox.patients import BY_NAME
from cds_service.settings import Client, Dev, Server, Settings, Store

REDIRECT = "http://localhost:9/app/callback"
VERIFIER = "a-verifier-that-is-long-enough-for-the-rules-of-pkce-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
PATIENTS = ("missing-lipids", "acute-deterioration", "healthy-adult", "unsafe-orders")


def new_ehr(service: str = "http://127.0.0.1:9", base: str = "http://127.0.0.1:8") -> Ehr:
    bundles = [(BY_NAME[name].chart().bundle(), BY_NAME[name].purpose) for name in PATIENTS]
    return Ehr(bundles, base=base, service=service, now=lambda: AS_OF, redirects=(REDIRECT,))


@pytest.fixture
def ehr() -> Ehr:
    return new_ehr()


@pytest.fixture
def browser(ehr: Ehr) -> FlaskClient:
    return serve.create_app(ehr).test_client()


def asking(ehr: Ehr, **changes: str | None) -> dict[str, str]:
    asked: dict[str, str | None] = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT,
        "scope": "launch/patient openid fhirUser patient/Observation.rs online_access",
        "state": "s1",
        "aud": ehr.fhir,
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "nonce": "n1",
        "patient": "missing-lipids",
        **changes,
    }
    return {name: value for name, value in asked.items() if value is not None}


def came_back(response: Any) -> dict[str, str]:
    assert response.status_code == 302
    assert response.location.startswith(REDIRECT)
    return {name: values[0] for name, values in parse_qs(urlsplit(response.location).query).items()}


def exchange(browser: FlaskClient, code: str, **changes: str) -> Any:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT,
        "code_verifier": VERIFIER,
        "client_id": CLIENT_ID,
        **changes,
    }
    return browser.post("/smart/token", data=form)


def test_a_code_becomes_a_token_for_one_patient_once(ehr: Ehr, browser: FlaskClient) -> None:
    """The whole exchange, the id_token checked with the published keys, and the code used up."""
    back = came_back(browser.get("/smart/authorize", query_string=asking(ehr)))
    assert back["state"] == "s1"
    got = exchange(browser, back["code"]).get_json()
    assert got["patient"] == "missing-lipids"
    keys = KeySet.import_key_set(browser.get("/jwks").get_json())
    claims = jwt.decode(got["id_token"], keys, algorithms=["ES384"]).claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (ehr.fhir, CLIENT_ID, "n1")
    assert claims["fhirUser"].endswith("Practitioner/example")
    assert exchange(browser, back["code"]).get_json() == {"error": "invalid_grant"}
    again = browser.post(
        "/smart/token",
        data={"grant_type": "refresh_token", "refresh_token": got["refresh_token"], "client_id": CLIENT_ID},
    )
    assert again.get_json()["access_token"] != got["access_token"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"aud": "https://other.example/fhir"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"state": None}, "invalid_request"),
        ({"scope": None}, "invalid_scope"),
        ({"launch": "made-up"}, "invalid_request"),
        ({"scope": "patient/Observation.rs"}, "invalid_scope"),
    ],
)
def test_a_wrong_authorization_request_goes_back_with_an_error(
    ehr: Ehr, browser: FlaskClient, changes: dict[str, str | None], error: str
) -> None:
    """As OAuth says, and without a code."""
    back = came_back(browser.get("/smart/authorize", query_string=asking(ehr, **changes)))
    assert back["error"] == error
    assert "code" not in back


@pytest.mark.parametrize("changes", [{"client_id": "other"}, {"redirect_uri": "https://evil.example/"}])
def test_an_unregistered_app_is_never_sent_anywhere(ehr: Ehr, browser: FlaskClient, changes: dict[str, str]) -> None:
    """The browser stays here: no open redirect."""
    response = browser.get("/smart/authorize", query_string=asking(ehr, **changes))
    assert response.status_code == 400
    assert "registered" in response.text


@pytest.mark.parametrize("changes", [{"code_verifier": "x" * 50}, {"redirect_uri": "http://localhost:9/other"}])
def test_a_code_is_no_use_to_another(ehr: Ehr, browser: FlaskClient, changes: dict[str, str]) -> None:
    """Without the verifier, or for another redirect URI, there is no token."""
    back = came_back(browser.get("/smart/authorize", query_string=asking(ehr)))
    assert exchange(browser, back["code"], **changes).status_code == 400


def test_a_token_reads_its_patient_and_its_scopes_and_nothing_else(ehr: Ehr, browser: FlaskClient) -> None:
    """Another patient's rows are not there; a type outside the scopes is forbidden; no token, no data."""
    back = came_back(browser.get("/smart/authorize", query_string=asking(ehr)))
    token = exchange(browser, back["code"]).get_json()["access_token"]
    bearer = {"Authorization": f"Bearer {token}"}
    own = browser.get("/fhir/Observation?patient=missing-lipids&_count=5", headers=bearer).get_json()
    assert len(own["entry"]) == 5
    assert any(link["relation"] == "next" for link in own["link"])
    other = browser.get("/fhir/Observation?patient=acute-deterioration", headers=bearer).get_json()
    assert other["total"] == 0
    assert browser.get("/fhir/Condition?patient=missing-lipids", headers=bearer).status_code == 403
    assert browser.get("/fhir/Observation?patient=missing-lipids").status_code == 401


def test_another_sites_page_presses_no_button(browser: FlaskClient) -> None:
    """A form on another site cannot sign orders or flip switches."""
    response = browser.post("/switches", data={"no-prefetch": "on"}, headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403


def test_html_in_a_card_stays_text() -> None:
    """GitHub-flavoured Markdown without HTML, as a careful EHR renders it."""
    html = view.markdown("**bold** <script>alert(1)</script>\n\n| a | b |\n|---|---|\n| 1 | 2 |")
    assert "<strong>bold</strong>" in html
    assert "<script>" not in html
    assert "<table>" in html


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ehr, FlaskClient]]:
    """The EHR and the real service on loopback, with signed calls."""
    folder: Path = tmp_path_factory.mktemp("together")
    ehr = new_ehr()
    app = serve.create_app(ehr)
    with listening(app) as port:
        ehr.base = f"http://127.0.0.1:{port}"
        ehr.signer.issuer = ehr.foreign.issuer = ehr.fhir
        ehr.signer.jku = ehr.foreign.jku = f"{ehr.base}/jwks"
        client = Client(issuer=ehr.fhir, jwks_url=f"{ehr.base}/jwks", fhir_base_urls=(ehr.fhir,))
        with listening(lambda *_: []) as free:
            pass
        settings = Settings(
            server=Server(port=free),
            store=Store(url=f"sqlite:///{folder / 'store.db'}"),
            dev=Dev(allow_insecure_loopback=True),
            clients={"sandbox": client},
        )
        service = create_service(settings, FixedClock(AS_OF))
        ehr.service = f"http://127.0.0.1:{free}"
        with listening(service, free):
            yield ehr, app.test_client()


def test_an_accepted_suggestion_is_in_the_chart_and_the_service_knows(together: tuple[Ehr, FlaskClient]) -> None:
    """Open the chart, take the suggestion: the draft order is there, and feedback was acknowledged."""
    ehr, browser = together
    page = browser.post("/patients/missing-lipids/hooks/patient-view").text
    assert "10-year cardiovascular risk" in page
    shown = next(s for s in ehr.cards.values() if s.chart == "missing-lipids" and s.card.get("suggestions"))
    suggestion = shown.card["suggestions"][0]
    before = len(ehr.charts["missing-lipids"].drafts)
    done = browser.post(f"/cards/{shown.card['uuid']}/accept", data={"suggestion": suggestion["uuid"]}).text
    assert "Feedback was sent" in done
    assert len(ehr.charts["missing-lipids"].drafts) == before + 1
    assert ehr.exchanges[0].status == 200


def test_a_dismissal_carries_its_reason(together: tuple[Ehr, FlaskClient]) -> None:
    """The coded reason and the comment go out as `overrideReason`."""
    ehr, browser = together
    browser.post("/patients/acute-deterioration/hooks/encounter-start")
    shown = next(s for s in ehr.cards.values() if s.chart == "acute-deterioration")
    reason = shown.card["overrideReasons"][0]["code"]
    told = browser.post(f"/cards/{shown.card['uuid']}/dismiss", data={"reason": reason, "comment": "seen"}).text
    assert "Feedback was sent" in told
    assert f'"code": "{reason}"' in ehr.exchanges[0].request


@pytest.mark.parametrize(
    ("switches", "words"),
    [
        ({"no-prefetch"}, 'class="card '),
        ({"no-prefetch", "refused-token"}, "412"),
        ({"bad-signature"}, "did not accept this EHR"),
    ],
)
def test_a_switch_changes_what_the_service_meets(
    together: tuple[Ehr, FlaskClient], switches: set[str], words: str
) -> None:
    """Without prefetch the record is fetched; where that is refused the page says so; a foreign key gets no answer."""
    ehr, browser = together
    ehr.switches = switches
    try:
        assert words in browser.post("/patients/acute-deterioration/hooks/patient-view").text
    finally:
        ehr.switches = set()


def test_the_developers_view_masks_tokens(together: tuple[Ehr, FlaskClient]) -> None:
    """Everything else of the exchange is there."""
    ehr, browser = together
    browser.post("/patients/healthy-adult/hooks/patient-view")
    page = browser.get("/exchanges").text
    assert "(masked)" in page
    assert "hookInstance" in page
    assert ehr.tokens.access
    assert not any(token in page for token in ehr.tokens.access)


def test_a_draft_is_selected_signed_and_removed(ehr: Ehr, browser: FlaskClient) -> None:
    """An order goes through the chart as a person moves it; free text is an order too, an empty form is not."""
    chart = ehr.charts["healthy-adult"]
    assert browser.post("/patients/healthy-adult/orders", data={"key": "ibuprofen"}).location.endswith("order-select")
    browser.post("/patients/healthy-adult/orders", data={"key": "", "text": "some herbal tea"})
    refused = browser.post("/patients/healthy-adult/orders", data={})
    assert refused.status_code == 400
    assert "Choose an order from the list, or write one." in refused.text
    assert "Draft an order" in refused.text  # beside the form, in the chart
    first, second = chart.drafts
    browser.post(f"/patients/healthy-adult/orders/{second}/remove")
    assert chart.drafts == [first]
    assert "Check before signing" in browser.get("/patients/healthy-adult").text
    browser.post("/patients/healthy-adult/orders/sign")
    assert (chart.drafts, chart.shelf.rows[first]["status"]) == ([], "active")


def test_drafts_of_a_record_are_drafts_of_its_chart(ehr: Ehr, browser: FlaskClient) -> None:
    """What the record holds as a draft can be checked and signed at once."""
    drafts = ehr.charts["unsafe-orders"].drafts
    assert len(drafts) == 4
    assert browser.get("/patients/unsafe-orders").text.count(">Remove</button>") == len(drafts)
    assert ehr.charts["healthy-adult"].drafts == []


@pytest.mark.parametrize("hook", ["order-select", "order-sign", "order-dispatch", "medication-verify"])
def test_a_moment_that_comes_with_an_order_asks_for_one(ehr: Ehr, browser: FlaskClient, hook: str) -> None:
    """Nothing is called about an order that nobody chose."""
    ehr.charts["healthy-adult"].drafts.clear()
    for row in ehr.charts["healthy-adult"].rows("MedicationRequest"):
        ehr.charts["healthy-adult"].remove(f"MedicationRequest/{row['id']}")
    before = len(ehr.exchanges)
    said = browser.post(f"/patients/healthy-adult/hooks/{hook}").text
    assert "choose a medicine or a test" in said or "draft one first" in said
    assert len(ehr.exchanges) == before


def test_a_scope_is_read_as_smart_writes_it() -> None:
    """v2 letters, v1 words, wildcards, and nothing without a context."""
    from cds_service.sandbox.ehr.tokens import Grant

    grant = Grant("c", Launch("p"), ("patient/Observation.rs", "user/Condition.read", "openid"), AS_OF)
    assert grant.allows("Observation", "s")
    assert grant.allows("Condition", "r")
    assert not grant.allows("Patient", "r")
    assert Grant("c", Launch("p"), ("patient/*.rs",), AS_OF).allows("Patient", "r")


def test_two_bundles_of_one_patient_are_refused() -> None:
    """A folder of bundles must not mix a patient's records."""
    bundle = BY_NAME["healthy-adult"].chart().bundle()
    with pytest.raises(state.InputError, match="same patient"):
        Ehr([(bundle, ""), (bundle, "")], base="http://127.0.0.1:8", service="", now=lambda: AS_OF)
