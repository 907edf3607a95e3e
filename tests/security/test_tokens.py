"""Tokens of CDS Clients: what is accepted, and every way of forging one that is not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from ehrs import ISSUER, JWKS_URL, URL, MovingClock, Web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc.jwk import ECKey
from thorough import examples

from cds_service.errors import Forbidden, SettingsError, Unauthorized
from cds_service.sandbox.signing import SigningClient
from cds_service.security.trust import Caller, Trust
from cds_service.settings import Client, Settings

Make = Callable[..., Trust]


def refused(trust: Trust, token: str) -> str:
    """The reason in the log for refusing a token; the caller is never told it."""
    with pytest.raises(Unauthorized) as caught:
        trust.identify(f"Bearer {token}", URL)
    assert str(caught.value) == "the call is not authorised"
    assert token not in caught.value.reason
    return caught.value.reason


def accepted(trust: Trust, token: str) -> Caller:
    return trust.identify(f"Bearer {token}", URL)


def part(value: object) -> str:
    return base64.urlsafe_b64encode(value if isinstance(value, bytes) else orjson.dumps(value)).rstrip(b"=").decode()


def test_a_token_proves_its_client(trust: Trust, ehr: SigningClient) -> None:
    """Issuer, name in the settings and FHIR servers are known from then on."""
    caller = accepted(trust, ehr.token(URL))
    assert (caller.client, caller.issuer, caller.tenant) == ("main", ISSUER, None)
    assert caller.fhir_base_urls == ("https://ehr.example/fhir",)


@pytest.mark.parametrize("algorithm", ["ES384", "RS384"])
def test_both_recommended_algorithms_are_accepted(trust: Trust, web: Web, clock: MovingClock, algorithm: str) -> None:
    """CDS Hooks recommends ES384 and RS384."""
    ehr = SigningClient(ISSUER, algorithm=algorithm, now=clock.now)
    web.documents[JWKS_URL] = ehr.jwks
    assert accepted(trust, ehr.token(URL)).client == "main"


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
def test_shorter_digests_are_accepted_only_by_setting(
    trusting: Make, web: Web, clock: MovingClock, algorithm: str
) -> None:
    """For clients that sign with nothing better: the older public sandboxes sign ES256, the CRD client RS256."""
    ehr = SigningClient(ISSUER, algorithm=algorithm, now=clock.now)
    web.documents[JWKS_URL] = ehr.jwks
    assert "algorithm" in refused(trusting(), ehr.token(URL))
    assert accepted(trusting(algorithms=(algorithm,)), ehr.token(URL)).client == "main"


@pytest.mark.parametrize("name", ["none", "None", "NONE", "nOnE"])
def test_an_unsigned_token_is_refused(trust: Trust, ehr: SigningClient, name: str) -> None:
    """`alg: none` in any spelling, with an empty signature or a made-up one."""
    unsigned = f"{part(ehr.header(alg=name))}.{part(ehr.claims(URL))}."
    assert "not a signed JWT" in refused(trust, unsigned)
    assert "algorithm" in refused(trust, unsigned + part(b"x"))


@pytest.mark.parametrize(("name", "digest"), [("HS256", hashlib.sha256), ("HS384", hashlib.sha384)])
def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(
    trust: Trust, ehr: SigningClient, name: str, digest: Any
) -> None:
    """The classic confusion of algorithms: everybody has the public key."""
    signed = f"{part(ehr.header(alg=name))}.{part(ehr.claims(URL))}"
    for secret in (ehr.key.as_pem(private=False), ehr.jwks()):
        signature = hmac.new(secret, signed.encode(), digest).digest()
        assert "algorithm" in refused(trust, f"{signed}.{part(signature)}")


def test_hmac_cannot_be_configured(trusting: Make) -> None:
    """A settings file cannot open that door."""
    with pytest.raises(SettingsError, match=r"clients\.main\.algorithms must be some of ES384, RS384, RS256"):
        trusting(algorithms=("HS256",))


def test_a_wrong_audience_is_refused(trust: Trust, ehr: SigningClient) -> None:
    """A token for another service of ours, or for its base URL, opens nothing here."""
    for audience in (URL + "2", "https://cds.example/cds-services", URL + "/", URL.upper(), ""):
        assert "audience" in refused(trust, ehr.token(audience))


def test_a_list_of_audiences_must_hold_the_called_url(trust: Trust, ehr: SigningClient) -> None:
    """`aud` is a text or a list."""
    assert accepted(trust, ehr.token(["https://other.example", URL])).client == "main"
    assert "audience" in refused(trust, ehr.token(["https://other.example"]))
    assert "audience" in refused(trust, ehr.token([]))


def test_a_configured_audience_is_accepted(trusting: Make, ehr: SigningClient) -> None:
    """Some EHRs have the audience typed in by hand."""
    token = ehr.token("curbside-prod")
    assert "audience" in refused(trusting(), token)
    assert accepted(trusting(audiences=("curbside-prod",)), token).client == "main"


def test_times_hold_with_a_minute_of_leeway(trust: Trust, ehr: SigningClient, clock: MovingClock) -> None:
    """Clocks differ; a token is refused a minute after it expired, and not before."""
    now = int(clock.at.timestamp())
    for claims in (
        {"exp": now - 59, "iat": now - 300},
        {"iat": now + 60, "exp": now + 300},
        {"nbf": now + 60},
        {"nbf": now - 300},
    ):
        assert accepted(trust, ehr.token(URL, claims=claims)).client == "main"
    assert "expired" in refused(trust, ehr.token(URL, claims={"exp": now - 60, "iat": now - 300}))
    assert "future (iat)" in refused(trust, ehr.token(URL, claims={"iat": now + 61, "exp": now + 300}))
    assert "not yet valid (nbf)" in refused(trust, ehr.token(URL, claims={"nbf": now + 61}))
    assert "before it was issued" in refused(trust, ehr.token(URL, claims={"exp": now, "iat": now}))


def test_a_token_lives_a_quarter_of_an_hour_at_most(trust: Trust, ehr: SigningClient, clock: MovingClock) -> None:
    """A stolen token is soon worthless, whatever its maker wrote."""
    now = int(clock.at.timestamp())
    assert accepted(trust, ehr.token(URL, claims={"exp": now + 900})).client == "main"
    assert "life" in refused(trust, ehr.token(URL, claims={"exp": now + 901}))
    assert "life" in refused(trust, ehr.token(URL, claims={"exp": now + 60, "iat": now - 900}))


def test_an_issuer_that_is_not_configured_is_refused_without_a_fetch(
    trust: Trust, ehr: SigningClient, web: Web
) -> None:
    """The token cannot make us fetch a stranger's keys."""
    assert "issuer is not configured" in refused(trust, ehr.token(URL, claims={"iss": "https://evil.example"}))
    assert "issuer is not configured" in refused(trust, ehr.token(URL, claims={"iss": ISSUER + "/"}))
    assert web.fetched == []


def test_one_client_cannot_speak_for_another(web: Web, clock: MovingClock, ehr: SigningClient) -> None:
    """Keys belong to their issuer."""
    other = SigningClient("https://other.example", now=clock.now)
    web.documents["https://other.example/keys"] = other.jwks
    clients = {
        "main": Client(issuer=ISSUER, jwks_url=JWKS_URL),
        "other": Client(issuer="https://other.example", jwks_url="https://other.example/keys"),
    }
    trust = Trust(replace(Settings(), clients=clients), clock, web.fetch)
    assert trust.identify(f"Bearer {other.token(URL)}", URL).client == "other"
    assert "signature is wrong" in refused(trust, other.token(URL, claims={"iss": ISSUER}))


def test_a_jku_must_be_the_configured_one(trust: Trust, ehr: SigningClient, web: Web) -> None:
    """It is compared, and never followed."""
    assert "jku" in refused(trust, ehr.token(URL, header={"jku": "https://evil.example/keys"}))
    assert "jku" in refused(trust, ehr.token(URL, header={"jku": JWKS_URL + "?"}))
    assert accepted(trust, ehr.token(URL, header={"jku": None})).client == "main"
    assert set(web.fetched) == {JWKS_URL}


def test_with_a_file_of_keys_a_jku_is_ignored_or_compared(
    trusting: Make, ehr: SigningClient, web: Web, tmp_path: Path
) -> None:
    """The public sandbox client sends one that nobody can reach."""
    (tmp_path / "keys.json").write_bytes(ehr.jwks())
    by_file: dict[str, Any] = {"jwks_url": "", "jwks_file": tmp_path / "keys.json"}
    token = ehr.token(URL, header={"jku": "https://unreachable.example/keys"})
    assert accepted(trusting(**by_file), token).client == "main"
    assert "jku" in refused(trusting(**by_file, jku="https://ehr.example/keys"), token)
    assert web.fetched == []


def test_keys_in_the_token_are_ignored(trust: Trust, ehr: SigningClient, clock: MovingClock) -> None:
    """An attacker who brings a key along is refused; a client that repeats its own is not."""
    evil = SigningClient(ISSUER, now=clock.now)
    brought = {**evil.key.as_dict(private=False), "kid": "key-1"}
    for header in (
        {"jwk": brought},
        {"x5c": [base64.b64encode(b"certificate" * 100).decode()]},
        {"x5u": "https://evil.example/certificate", "x5t": "AAAA"},
    ):
        assert "signature is wrong" in refused(trust, evil.token(URL, header=header))
        assert accepted(trust, ehr.token(URL, header=header)).client == "main"


def test_an_unknown_kid_is_refused(trust: Trust, ehr: SigningClient) -> None:
    """Only the client's own keys count; the path that a kid might spell is never one."""
    for kid in ("key-2", "../../etc/passwd", "", "key-1 ", "' OR 1=1"):
        assert "no key of that kid" in refused(trust, ehr.token(URL, header={"kid": kid}))


def test_a_kid_may_hold_any_characters(trust: Trust, ehr: SigningClient) -> None:
    """One vendor's are base64."""
    ehr.rotate("ab+/cd==")
    assert accepted(trust, ehr.token(URL)).client == "main"


def test_a_tampered_token_is_refused(trust: Trust, ehr: SigningClient) -> None:
    """Another claim, another header or another token's signature."""
    header, payload, signature = ehr.token(URL).split(".")
    claims = orjson.loads(base64.urlsafe_b64decode(payload + "=="))
    other = part({**claims, "tenant": "another"})
    assert "signature is wrong" in refused(trust, f"{header}.{other}.{signature}")
    assert "signature is wrong" in refused(trust, f"{part({**ehr.header(), 'x': 1})}.{payload}.{signature}")
    assert "signature is wrong" in refused(trust, f"{header}.{payload}.{ehr.token(URL).split('.')[2]}")
    assert "signature is wrong" in refused(trust, f"{header}.{payload}.{part(bytes(96))}")
    assert "signature is wrong" in refused(trust, f"{header}.{payload}.{signature[:-2]}")


def test_a_signature_on_another_curve_is_refused(
    trust: Trust, ehr: SigningClient, web: Web, clock: MovingClock
) -> None:
    """P-256 under the name of ES384, signed so or published so."""
    small = ECKey.generate_key("P-256")
    header, payload, _ = ehr.token(URL).split(".")
    r, s = decode_dss_signature(small.private_key.sign(f"{header}.{payload}".encode(), ECDSA(hashes.SHA384())))
    forged = f"{header}.{payload}.{part(r.to_bytes(48, 'big') + s.to_bytes(48, 'big'))}"
    assert "signature is wrong" in refused(trust, forged)
    published = {**small.as_dict(private=False), "kid": "key-1", "use": "sig", "alg": "ES384"}
    web.documents[JWKS_URL] = lambda: orjson.dumps({"keys": [published]})
    clock.move(seconds=31)
    ehr.kid = "key-9"
    assert "no key of that kid" in refused(trust, ehr.token(URL))


@pytest.mark.parametrize("claim", ["iss", "aud", "exp", "iat", "jti"])
def test_a_token_without_a_required_claim_is_refused(trust: Trust, ehr: SigningClient, claim: str) -> None:
    """All five are required by CDS Hooks."""
    assert refused(trust, ehr.token(URL, claims={claim: None})) == f"the token has no {claim}"


def test_a_token_without_a_kid_is_refused(trust: Trust, ehr: SigningClient) -> None:
    """Required by CDS Hooks; we do not try one key after another."""
    assert refused(trust, ehr.token(URL, header={"kid": None})) == "the token has no kid"


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("exp", "1778068800"),
        ("exp", True),
        ("exp", 10**30),
        ("exp", -(10**400)),
        ("exp", 1e300),
        ("iat", [1]),
        ("iat", -(10**18)),
        ("nbf", "soon"),
        ("iss", 1),
        ("aud", {"a": 1}),
        ("aud", [1]),
        ("jti", ""),
        ("jti", 5),
        ("jti", "x" * 1025),
        ("tenant", 7),
        ("tenant", "north\x00"),
        ("tenant", "x" * 501),
    ],
)
def test_a_claim_of_a_wrong_kind_is_refused(trust: Trust, ehr: SigningClient, claim: str, value: object) -> None:
    """No number is guessed from a text, and no size upsets us."""
    payload = json.dumps({**ehr.claims(URL), claim: value}).encode()
    refused(trust, ehr.sign(ehr.header(), payload))


@pytest.mark.parametrize(
    "header", [{"crit": ["exp"]}, {"crit": []}, {"b64": False, "crit": ["b64"]}, {"b64": True}, {"typ": "at+jwt"}]
)
def test_a_header_that_asks_for_more_is_refused(trust: Trust, ehr: SigningClient, header: dict[str, Any]) -> None:
    """Critical extensions, unencoded payloads, tokens of another type."""
    signed = ehr.token(URL).split(".")
    refused(trust, f"{part(ehr.header(**header))}.{signed[1]}.{signed[2]}")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        "..",
        "a.b.c",
        "a.b.c.d",
        "e30.e30.e30",
        f"{part(b'[' * 9000)}.{part(b'[' * 2000)}.x",
        part(b'{"alg":"ES384","kid":' + b"[" * 5000) + ".e30.x",
        "é.é.é",
        "\x00.\x00.\x00",
        part({"alg": "ES384", "kid": "key-1"}) + "." + part(b'{"exp": NaN}') + ".x",
        "x" * 20_000,
    ],
)
def test_what_is_no_token_is_refused(trust: Trust, token: str) -> None:
    """Any bytes in the header end in the same answer."""
    with pytest.raises(Unauthorized):
        trust.identify(f"Bearer {token}", URL)


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Token x.y.z"])
def test_a_call_without_a_bearer_token_is_refused(trust: Trust, header: str | None) -> None:
    """No token, no answer."""
    with pytest.raises(Unauthorized):
        trust.identify(header, URL)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=examples(30))
@given(data=st.data())
def test_no_change_of_a_token_is_accepted(trust: Trust, ehr: SigningClient, data: st.DataObject) -> None:
    """Any character of the signed parts replaced by any other makes it worthless."""
    token = ehr.token(URL)
    signed = token.rindex(".")
    at = data.draw(st.integers(0, signed - 1))
    other = data.draw(st.characters(min_codepoint=33, max_codepoint=126).filter(lambda c: c != token[at]))
    refused(trust, token[:at] + other + token[at + 1 :])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=examples(30))
@given(payload=st.binary(max_size=300), header=st.binary(max_size=300))
def test_no_bytes_upset_the_reader(trust: Trust, header: bytes, payload: bytes) -> None:
    """Nothing but a refusal comes of junk."""
    refused(trust, f"{part(header)}.{part(payload)}.{part(b'x')}")


def test_the_tenant_is_kept_and_may_be_limited(trusting: Make, ehr: SigningClient) -> None:
    """One EHR may speak for several organisations."""
    ehr.tenant = "north"
    assert accepted(trusting(), ehr.token(URL)).tenant == "north"
    assert accepted(trusting(tenants=("north", "south")), ehr.token(URL)).tenant == "north"
    assert "tenant" in refused(trusting(tenants=("south",)), ehr.token(URL))
    ehr.tenant = None
    assert "tenant" in refused(trusting(tenants=("south",)), ehr.token(URL))


def test_a_refusal_names_the_client_where_its_issuer_is_known(trust: Trust, ehr: SigningClient) -> None:
    """For the log: whose registration is to be mended."""
    with pytest.raises(Unauthorized) as caught:
        trust.identify(f"Bearer {ehr.token('x')}", URL)
    assert caught.value.client == "main"
    with pytest.raises(Unauthorized) as caught:
        trust.identify(f"Bearer {ehr.token(URL, claims={'iss': 'https://evil.example'})}", URL)
    assert caught.value.client is None


def test_a_token_is_used_once_in_a_process(trust: Trust, ehr: SigningClient) -> None:
    """A replay is refused before any work is done, also while the database is away."""
    token = ehr.token(URL)
    trust.reserve(accepted(trust, token))
    with pytest.raises(Unauthorized) as caught:
        trust.reserve(accepted(trust, token))
    assert "used before" in caught.value.reason


def test_a_client_may_be_allowed_to_repeat_tokens(trusting: Make, ehr: SigningClient) -> None:
    """`jti = "log"`: some EHRs use a token until it expires."""
    trust = trusting(jti="log")
    caller = accepted(trust, ehr.token(URL))
    trust.reserve(caller)
    trust.reserve(caller)
    assert caller.use is not None
    assert not caller.use.enforce


def test_a_call_may_name_only_its_clients_fhir_servers(trust: Trust, ehr: SigningClient) -> None:
    """Exactly, but for a final slash; any other is refused, and so nothing is ever fetched from it."""
    caller = accepted(trust, ehr.token(URL))
    assert caller.fhir_base("https://ehr.example/fhir") == "https://ehr.example/fhir"
    assert caller.fhir_base("https://ehr.example/fhir/") == "https://ehr.example/fhir"
    assert caller.fhir_base(None) is None
    for other in (
        "https://ehr.example/fhir2",
        "https://ehr.example/fhir/../admin",
        "https://EHR.example/fhir",
        "http://ehr.example/fhir",
        "https://ehr.example:8443/fhir",
        "https://evil.example/https://ehr.example/fhir",
        "http://169.254.169.254",
        "file:///etc/passwd",
        "",
    ):
        with pytest.raises(Forbidden, match="fhirServer is not"):
            caller.fhir_base(other)


def test_a_caller_without_a_token_has_nothing_fetched_but_by_setting(clock: MovingClock, web: Web) -> None:
    """The public sandbox client names its own server in every call: it is answered from prefetch."""
    local = Trust(Settings(), clock, web.fetch).local
    assert local.fhir_base("https://anything.example") is None
    trust = Trust(Settings().with_("dev", fhir_base_urls=("http://127.0.0.1:9/fhir",)), clock, web.fetch)
    assert trust.local.fhir_base("http://127.0.0.1:9/fhir") == "http://127.0.0.1:9/fhir"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"issuer": ""}, "clients.main.issuer is missing"),
        ({"jwks_url": ""}, "must have either jwks_url or jwks_file"),
        ({"jwks_file": Path("keys.json")}, "must have either jwks_url or jwks_file"),
        ({"jwks_url": "http://ehr.example/keys"}, "clients.main.jwks_url must be https, got http"),
        ({"jwks_url": "http://127.0.0.1/keys"}, "clients.main.jwks_url must be https, got http"),
        ({"jwks_url": "ehr.example/keys"}, "clients.main.jwks_url must be an absolute URL"),
        ({"fhir_base_urls": ("https://user:secret@ehr.example",)}, "clients.main.fhir_base_urls must be an absolute"),
        ({"algorithms": ()}, "clients.main.algorithms must be some of"),
    ],
)
def test_an_unusable_client_is_named_at_start(trusting: Make, changes: dict[str, Any], sentence: str) -> None:
    """The sentence names the client, the key and what to change; no secret in a URL is repeated."""
    with pytest.raises(SettingsError) as caught:
        trusting(**changes)
    assert sentence in str(caught.value)
    assert "secret" not in str(caught.value)


def test_two_clients_cannot_share_an_issuer(clock: MovingClock, web: Web) -> None:
    """Which of them called could not be told."""
    one = Client(issuer=ISSUER, jwks_url=JWKS_URL)
    with pytest.raises(SettingsError, match=r"clients\.b\.issuer is also that of clients\.a"):
        Trust(replace(Settings(), clients={"a": one, "b": one}), clock, web.fetch)
