"""The id_token by itself: what is wrong with it is named for the log, and nothing of it is told."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from cds_service.security.id_token import Expected, Untrusted, checked

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
S = int(NOW.timestamp())
KEY = ECKey.generate_key("P-384", {"kid": "one"})
EXPECTED = Expected("https://ehr.example/fhir", "app", "once")
GOOD = {
    "iss": "https://ehr.example/fhir/",
    "aud": "app",
    "sub": "someone",
    "fhirUser": "Practitioner/1",
    "exp": S + 300,
    "iat": S,
    "nonce": "once",
}
STRANGE = [
    {"kty": "EC", "crv": "brainpoolP384r1", "kid": "two", "x": "AA", "y": "AA"},
    {"kty": "AKP", "kid": "three", "pub": "AA"},
    {"kty": "RSA", "kid": "four"},
    "no key",
]


def signed(claims: dict[str, Any], key: Any = KEY) -> str:
    left = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": "ES384", "kid": "one"}, left, key, algorithms=["ES384"])


def published(*more: Any) -> dict[str, Any]:
    return {"keys": [*more, KEY.as_dict(private=False)]}


@pytest.mark.parametrize("keys", [published(), published(*STRANGE)], ids=["alone", "among strange ones"])
def test_a_good_one_is_believed_whatever_other_keys_the_ehr_publishes(keys: dict[str, Any]) -> None:
    """RFC 7517, 5: kinds, curves and members that are not known are passed over."""
    assert checked(signed(GOOD), keys, EXPECTED, NOW)["sub"] == "someone"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"iss": "https://login.ehr.example"}, "iss is neither"),
        ({"aud": "secret-app"}, "aud is not"),
        ({"aud": ["app", "secret-app"]}, "azp"),
        ({"exp": S - 61}, "exp is over"),
        ({"iat": S + 61}, "iat lies ahead"),
        ({"nonce": "secret"}, "nonce is not"),
        ({"sub": None}, "sub is missing"),
        ({"fhirUser": None}, "fhirUser is missing"),
    ],
)
def test_the_log_names_the_claim_that_is_wrong(changed: dict[str, Any], why: str) -> None:
    """By its name and what to look at, never by its value."""
    with pytest.raises(Untrusted, match=why) as refused:
        checked(signed(GOOD | changed), published(), EXPECTED, NOW)
    assert not any(str(value) in str(refused.value) for value in changed.values() if value)


def test_no_other_key_is_believed() -> None:
    """Nor none, nor a key set that holds nothing to read."""
    other = signed(GOOD, ECKey.generate_key("P-384"))
    rsa = RSAKey.generate_key(2048, {"kid": "one"}).as_dict(private=False)
    for compact, keys in (
        (other, published()),
        (signed(GOOD), {"keys": [rsa]}),
        (signed(GOOD), {}),
        ("a.b.c", published()),
    ):
        with pytest.raises(Untrusted, match="not signed with a key"):
            checked(compact, keys, EXPECTED, NOW)
    for compact in (None, 5, "x" * 20_001):
        with pytest.raises(Untrusted, match="no id_token"):
            checked(compact, published(), EXPECTED, NOW)
