"""The SMART client alone: the three ways in which an app proves itself, key rotation, refresh, and what it asks for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from joserfc.jwk import ECKey, RSAKey
from listening import listening

from cds_service.clock import FixedClock
from cds_service.errors import SettingsError
from cds_service.outbound import Failure, OutboundError, Secret
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.ehr import serve
from cds_service.sandbox.ehr.smart import CLIENT_ID, Smart
from cds_service.sandbox.ehr.state import Ehr
from cds_service.sandbox.ehr.tokens import Launch
from cds_service.sandbox.patients import BY_NAME
from cds_service.security.smart import Flow, Grant, LaunchError, SmartClient
from cds_service.settings import Dev, Settings, SmartEhr

CALLBACK = "https://cds.example/app/callback"


@pytest.fixture(scope="module")
def place() -> Iterator[tuple[Ehr, Smart, FlaskClient]]:
    behaviour = Smart()
    bundle = (BY_NAME["healthy-adult"].chart().bundle(), "")
    ehr = Ehr([bundle], base="http://127.0.0.1:8", service="", now=lambda: AS_OF, redirects=(CALLBACK,))
    app = serve.create_app(ehr, behaviour)
    with listening(app) as port:
        ehr.base = f"http://127.0.0.1:{port}"
        ehr.signer.issuer = ehr.fhir
        yield ehr, behaviour, app.test_client()


@pytest.fixture(autouse=True)
def public_again(place: tuple[Ehr, Smart, FlaskClient]) -> Iterator[None]:
    yield
    place[1].secret = place[1].client_keys = None


def client(ehr: Ehr, **changes: Any) -> SmartClient:
    registered = replace(SmartEhr(issuer=ehr.fhir, client_id=CLIENT_ID), **changes)
    return SmartClient(Settings(dev=Dev(allow_insecure_loopback=True), smart={"main": registered}), FixedClock(AS_OF))


def launched(place: tuple[Ehr, Smart, FlaskClient], smart: SmartClient) -> Grant:
    """The grant of a whole launch."""
    ehr, _, browser = place
    launch = ehr.tokens.launch(Launch("healthy-adult", app_context="card"))
    flow, url = smart.begin(smart.by_issuer(ehr.fhir + "/"), launch, CALLBACK, ("Patient", "Observation"))
    split = urlsplit(url)
    back = browser.get(f"{split.path}?{split.query}").location
    return smart.finish(flow, parse_qs(urlsplit(back).query)["code"][0], CALLBACK)


def keys_file(path: Path, *keys: Any) -> Path:
    path.write_text(json.dumps({"keys": [key.as_dict(private=True) for key in keys]}))
    return path


def test_a_public_client_is_granted_what_it_asked_for(place: tuple[Ehr, Smart, FlaskClient]) -> None:
    """PKCE alone; patient, user, scopes and context arrive, and no text shows the token."""
    grant = launched(place, client(place[0]))
    assert (grant.patient, grant.app_context) == ("healthy-adult", "card")
    assert grant.user.endswith("Practitioner/example")
    assert grant.allows("Observation")
    assert not grant.allows("Condition")
    assert grant.access_token.reveal() not in repr(grant)


def test_the_audience_is_the_issuer_as_the_ehr_writes_it(place: tuple[Ehr, Smart, FlaskClient]) -> None:
    """It may compare them to the letter, with a final slash or without."""
    ehr = place[0]
    smart = client(ehr, issuer=f"{ehr.fhir}/")
    registration = smart.by_issuer(ehr.fhir)
    for told, sent in (("", f"{ehr.fhir}/"), (ehr.fhir, ehr.fhir), (f"{ehr.fhir}/", f"{ehr.fhir}/")):
        url = smart.begin(registration, "launch", CALLBACK, (), told)[1]
        assert parse_qs(urlsplit(url).query)["aud"] == [sent]


def test_a_client_with_a_secret_sends_it_as_basic(place: tuple[Ehr, Smart, FlaskClient], tmp_path: Path) -> None:
    """The right one is let in, another is refused."""
    place[1].secret = "open sesame"
    (tmp_path / "right").write_text("open sesame\n")
    (tmp_path / "wrong").write_text("guess")
    assert launched(place, client(place[0], auth="client_secret", secret_file=tmp_path / "right"))
    with pytest.raises(LaunchError):
        launched(place, client(place[0], auth="client_secret", secret_file=tmp_path / "wrong"))


@pytest.mark.parametrize("key", [ECKey.generate_key("P-384", {"kid": "a"}), RSAKey.generate_key(2048, {"kid": "a"})])
def test_a_client_with_a_key_signs_assertions(
    place: tuple[Ehr, Smart, FlaskClient], tmp_path: Path, key: ECKey | RSAKey
) -> None:
    """ES384 and RS384; the EHR checks them with the key set that the app publishes."""
    smart = client(place[0], auth="private_key_jwt", key_file=keys_file(tmp_path / "keys.json", key))
    place[1].client_keys = smart.public_keys()
    assert launched(place, smart)
    stranger = keys_file(tmp_path / "other.json", ECKey.generate_key("P-384", {"kid": "a"}))
    with pytest.raises(LaunchError):
        launched(place, client(place[0], auth="private_key_jwt", key_file=stranger))


@pytest.mark.parametrize(
    "key",
    [
        ECKey.generate_key("P-384", {"kid": "a"}).as_dict(private=False),
        ECKey.generate_key("P-256", {"kid": "a"}).as_dict(private=True),
    ],
    ids=["public", "another curve"],
)
def test_a_key_that_could_sign_no_assertion_ends_the_start(tmp_path: Path, key: dict[str, Any]) -> None:
    """Else each launch would fail, and nobody would know before."""
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [key]}))
    ehr = SmartEhr("https://e.example/fhir", "app", auth="private_key_jwt", key_file=tmp_path / "keys.json")
    with pytest.raises(SettingsError, match=r"smart\.main\.key_file must hold private keys alone"):
        SmartClient(Settings(smart={"main": ehr}), FixedClock(AS_OF))


def test_rotation_publishes_both_keys_and_signs_with_the_first(
    place: tuple[Ehr, Smart, FlaskClient], tmp_path: Path
) -> None:
    """The next key is known to the EHR before it signs; nothing private is published."""
    old, new = ECKey.generate_key("P-384", {"kid": "old"}), ECKey.generate_key("P-384", {"kid": "new"})
    before = client(place[0], auth="private_key_jwt", key_file=keys_file(tmp_path / "a.json", old, new))
    after = client(place[0], auth="private_key_jwt", key_file=keys_file(tmp_path / "b.json", new, old))
    place[1].client_keys = before.public_keys()
    assert launched(place, before)
    assert launched(place, after)
    published = before.public_keys()["keys"]
    assert {key["kid"] for key in published} == {"old", "new"}
    assert not any("d" in key for key in published)


def test_a_token_is_renewed_for_the_same_patient(place: tuple[Ehr, Smart, FlaskClient]) -> None:
    """By the refresh token, which is good once; one that the EHR refused is not sent again."""
    smart = client(place[0])
    grant = launched(place, smart)
    registration = smart.by_issuer(place[0].fhir)
    renewed = smart.refresh(registration, grant)
    assert renewed.patient == grant.patient
    assert renewed.access_token.reveal() != grant.access_token.reveal()
    refused = smart.refresh(registration, grant)
    assert refused == replace(grant, refresh_token=None)
    assert smart.refresh(registration, refused) is refused


@pytest.mark.parametrize(
    ("status", "answer", "kept"),
    [
        (200, {"access_token": "b"}, "was"),
        (200, {"access_token": "b", "refresh_token": None}, "was"),
        (200, {"access_token": "b", "refresh_token": "new", "expires_in": "300"}, "new"),
        (200, {"access_token": None}, "was"),
        (200, {"access_token": "b", "patient": "p-2"}, None),
        (400, {"error": "invalid_grant"}, None),
        (401, {"error": "invalid_client"}, "was"),
        (503, {}, "was"),
    ],
)
def test_a_refresh_token_is_kept_until_another_comes_or_the_ehr_refuses_it(
    place: tuple[Ehr, Smart, FlaskClient], status: int, answer: dict[str, Any], kept: str | None, monkeypatch: Any
) -> None:
    """RFC 6749, 6: a server that does not rotate sends none; one that fails for a moment has not refused."""
    smart = client(place[0])
    grant = replace(launched(place, smart), refresh_token=Secret("was"))

    def post(*_: Any, **__: Any) -> SimpleNamespace:
        if status != 200:
            raise OutboundError(Failure.STATUS, status)
        good = {"token_type": "Bearer", "expires_in": 300}
        return SimpleNamespace(body=json.dumps(good | answer).encode())

    monkeypatch.setattr(smart._outbound, "post", post)
    renewed = smart.refresh(smart.by_issuer(place[0].fhir), grant)
    assert (renewed.refresh_token and renewed.refresh_token.reveal()) == kept
    assert (renewed.access_token.reveal() == "b") == (kept is not None and answer.get("access_token") == "b")
    assert renewed.patient == grant.patient


@pytest.mark.parametrize(
    "answer",
    [
        b"[" * 100_000,
        b"\xff\xfe{}",
        b'{"expires_in": NaN}',
        {"expires_in": "soon"},
        {"patient": "../../Group/1"},
        {"patient": "1?_include=*"},
        {"patient": {"id": "1"}},
        {"access_token": "a\r\nX-Role: admin"},
        {"access_token": "\u20ac"},
        {"token_type": "mac"},
        {"scope": None},
    ],
    ids=str,
)
def test_an_odd_answer_of_the_token_endpoint_opens_nothing(answer: bytes | dict[str, Any], monkeypatch: Any) -> None:
    """A sentence, not a crash; no id that could lead a query elsewhere, no token that could be a further header."""
    smart = client(Ehr([], base="http://127.0.0.1:8", service="", now=lambda: AS_OF))
    good = {"access_token": "abc", "token_type": "Bearer", "scope": "", "patient": "p-1", "expires_in": 300}
    body = answer if isinstance(answer, bytes) else json.dumps(good | answer).encode()
    monkeypatch.setattr(smart, "_outbound", SimpleNamespace(post=lambda *_, **__: SimpleNamespace(body=body)))
    monkeypatch.setattr(smart, "_id_token", lambda *_: {"fhirUser": "Practitioner/1"})
    flow = Flow("main", "state", "nonce", "verifier", "http://127.0.0.1:8/token", "http://127.0.0.1:8/jwks")
    with pytest.raises(LaunchError):
        smart.finish(flow, "code", CALLBACK)


@pytest.mark.parametrize("lasts", [-1e300, 0, 1e300])
def test_any_number_of_seconds_is_a_time(lasts: float, monkeypatch: Any) -> None:
    """A token that has run out already, or lasts for ever, opens a review that knows how long it has."""
    smart = client(Ehr([], base="http://127.0.0.1:8", service="", now=lambda: AS_OF))
    told = {"access_token": "abc", "token_type": "Bearer", "scope": "", "patient": "p-1", "expires_in": lasts}
    body = json.dumps(told).encode()
    monkeypatch.setattr(smart, "_outbound", SimpleNamespace(post=lambda *_, **__: SimpleNamespace(body=body)))
    monkeypatch.setattr(smart, "_id_token", lambda *_: {"fhirUser": "Practitioner/1"})
    flow = Flow("main", "state", "nonce", "verifier", "http://127.0.0.1:8/token", "http://127.0.0.1:8/jwks")
    assert AS_OF <= smart.finish(flow, "code", CALLBACK).expires <= AS_OF + timedelta(days=1)


@pytest.mark.parametrize("endpoint", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
def test_one_ehr_cannot_name_an_endpoint_of_another(endpoint: str, monkeypatch: Any) -> None:
    """Both are registered: one that is broken into must get neither the codes nor the secrets of the other."""
    north = SmartEhr(issuer="https://north.example/fhir", client_id="n", origins=("https://login.north.example",))
    south = SmartEhr(issuer="https://south.example/fhir", client_id="s")
    smart = SmartClient(Settings(smart={"north": north, "south": south}), FixedClock(AS_OF))
    found: dict[str, Any] = dict.fromkeys(
        ("authorization_endpoint", "token_endpoint", "jwks_uri"), "https://login.north.example/x"
    )
    found["code_challenge_methods_supported"] = ["S256"]
    monkeypatch.setattr(smart, "_json", lambda *_: found)
    launch = (smart.by_issuer(north.issuer), "launch", CALLBACK, ("Patient",))
    assert smart.begin(*launch)[1].startswith("https://login.north.example/x?")
    found[endpoint] = "https://south.example/x"
    with pytest.raises(LaunchError) as refused:
        smart.begin(*launch)
    assert f"{endpoint} is on a host that is neither the issuer's nor among" in refused.value.reason
    del found[endpoint]
    with pytest.raises(LaunchError) as refused:
        smart.begin(*launch)
    assert refused.value.reason == f"the EHR's {endpoint} is missing from its smart-configuration"


@pytest.mark.parametrize(
    ("stated", "told", "taken"),
    [
        ("https://south.example/fhir", "https://south.example/fhir/", False),
        ("https://south.example/auth", "https://south.example/auth", False),
        ("https://sts.example/south", "https://sts.example/south", False),
        ("https://sts.example/north/", "https://sts.example/north", True),
        ("", "https://sts.example/north", True),
        ("https://elsewhere.example", "https://elsewhere.example", True),
    ],
)
def test_one_ehr_cannot_call_itself_by_the_name_of_another(
    stated: str, told: str, taken: bool, monkeypatch: Any
) -> None:
    """A code that comes with the other's `iss` stays with us, whatever the discovery document of the first says."""
    north = SmartEhr(issuer="https://north.example/fhir", client_id="n", id_token_issuer="https://sts.example/north")
    south = SmartEhr(issuer="https://south.example/fhir", client_id="s", id_token_issuer="https://sts.example/south/")
    smart = SmartClient(Settings(smart={"north": north, "south": south}), FixedClock(AS_OF))
    sent: list[object] = []
    monkeypatch.setattr(smart, "_tokens", lambda *of: sent.append(of) or {})
    monkeypatch.setattr(smart, "_id_token", lambda *_: {"fhirUser": "Practitioner/1"})
    flow = Flow("north", "state", "nonce", "verifier", "https://north.example/t", "https://north.example/k", stated)
    with pytest.raises(LaunchError) as refused:  # an answer without a token, once the code was sent
        smart.finish(flow, "code", CALLBACK, told)
    assert bool(sent) is taken
    assert ("another EHR's" in refused.value.reason) is not taken
