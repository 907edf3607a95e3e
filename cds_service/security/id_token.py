"""The id_token of a launch: the EHR's word on who is at the screen, believed once every claim of it is checked.

Source: OpenID Connect Core 1.0, 3.1.3.7; hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS = ("ES384", "ES256", "RS384", "RS256")
_LEEWAY_S = 60
_LONGEST = 20_000


class Untrusted(Exception):
    """An id_token that is not believed; its words are for the log and hold no claim."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What its claims must be. issuer: without a final slash. client_id: of this app. nonce: of this launch."""

    issuer: str
    client_id: str
    nonce: str


def checked(compact: Any, key_set: Mapping[str, Any], expected: Expected, now: datetime) -> Mapping[str, Any]:
    """The claims of an id_token signed with a key of the set. Raises Untrusted, naming the first that is wrong."""
    if not isinstance(compact, str) or len(compact) > _LONGEST:
        raise Untrusted("there is no id_token in the EHR's answer")
    try:
        claims = jwt.decode(compact, _keys(key_set), algorithms=list(ALGORITHMS)).claims
    except (JoseError, ValueError, TypeError, KeyError):
        raise Untrusted("the id_token is not signed with a key and an algorithm that are accepted") from None
    found = claims.get("aud")
    audiences = found if isinstance(found, list) else [found]
    at, exp, iat = now.timestamp(), claims.get("exp"), claims.get("iat")
    nonce, user = claims.get("nonce"), claims.get("fhirUser")
    issuer = str(claims.get("iss", "")).rstrip("/")
    for good, why in (
        (issuer == expected.issuer, "iss is neither issuer nor id_token_issuer of the registration"),
        (expected.client_id in audiences, "aud is not the client_id of the registration"),
        (len(audiences) == 1 or claims.get("azp") == expected.client_id, "aud names several, and azp is another's"),
        (isinstance(exp, int | float) and exp > at - _LEEWAY_S, "exp is over or missing"),
        (isinstance(iat, int | float) and iat < at + _LEEWAY_S, "iat lies ahead or is missing"),
        (isinstance(nonce, str) and _same(nonce, expected.nonce), "nonce is not that of this launch"),
        (bool(claims.get("sub")), "sub is missing"),
        (isinstance(user, str), "fhirUser is missing: the scopes openid and fhirUser must be granted"),
    ):
        if not good:
            raise Untrusted(f"the id_token's {why}")
    return claims


def _same(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode(), other.encode())


def _keys(key_set: Mapping[str, Any]) -> KeySet:
    """The keys that can be read: RFC 7517, 5, has a reader pass over kinds that it does not know."""
    found = []
    listed = key_set.get("keys")
    for one in listed if isinstance(listed, list) else ():
        try:
            found += KeySet.import_key_set({"keys": [one]}).keys
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return KeySet(found)
