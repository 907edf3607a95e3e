"""The token of a CDS Client (CDS Hooks 2.0, "Trusting CDS Clients"): read, judged, its signature checked.

Nothing in the token chooses a key or an algorithm: `alg` must be one that is configured for the issuer, `kid`
only selects among the issuer's configured keys, and `jwk`, `x5c`, `x5u` are not even read. What is cheap is checked
before the signature, so that junk costs little.
"""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from cds_service.errors import Unauthorized

if TYPE_CHECKING:
    from joserfc.jws import JWSRegistry

    from cds_service.security.keys import Key

ALGORITHMS = ("ES384", "RS384", "RS256", "ES256")
MAX_BYTES = 16_384
_MAX_JTI = 1024
_MAX_TENANT = 500
Number = int | float


class Header(msgspec.Struct, frozen=True):
    """What is read of the JOSE header."""

    alg: str
    kid: str
    typ: str | None = None
    jku: str | None = None
    crit: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    b64: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Claims(msgspec.Struct, frozen=True):
    """What is read of the claims; times in seconds since 1970."""

    iss: str
    aud: str | list[str]
    exp: Number
    iat: Number
    jti: str
    nbf: Number | None = None
    tenant: str | None = None


_HEADER: msgspec.json.Decoder[Header] = msgspec.json.Decoder(Header)
_CLAIMS: msgspec.json.Decoder[Claims] = msgspec.json.Decoder(Claims)


@cache
def registry(algorithm: str) -> JWSRegistry:
    """What checks signatures of one algorithm; loaded where a client is configured, before the workers are made.

    Headers may hold members that we do not know (certificates, extensions); they are not used.
    """
    from joserfc.jws import JWSRegistry

    found = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    found.max_header_length = found.max_payload_length = MAX_BYTES
    return found


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it was read: nothing of it is proved before `check_signature`."""

    compact: str
    header: Header
    claims: Claims

    @property
    def audiences(self) -> frozenset[str]:
        """The values of `aud`, which is a text or a list."""
        aud = self.claims.aud
        return frozenset([aud] if isinstance(aud, str) else aud)


def bearer(authorization: str | None) -> str:
    """The token of an Authorization header. Raises Unauthorized."""
    scheme, _, token = (authorization or "").partition(" ")
    if not token:
        raise Unauthorized("no bearer token")
    if scheme.lower() != "bearer":
        raise Unauthorized("the Authorization header is not of the Bearer scheme")
    return token.strip()


def read(compact: str) -> Token:
    """The header and claims of a signed token in compact form. Raises Unauthorized for anything else."""
    if len(compact) > MAX_BYTES:
        raise Unauthorized("the token is too long")
    parts = compact.split(".")
    if len(parts) != 3 or not all(parts):
        raise Unauthorized("the token is not a signed JWT")
    try:
        header = _HEADER.decode(_decoded(parts[0]))
        claims = _CLAIMS.decode(_decoded(parts[1]))
    except msgspec.ValidationError as error:
        raise Unauthorized(_wrong(str(error))) from None
    except (msgspec.MsgspecError, UnicodeError, binascii.Error, ValueError, RecursionError):
        raise Unauthorized("the token's header or claims are not JSON in base64url") from None
    if header.crit is not msgspec.UNSET or header.b64 is not msgspec.UNSET:
        raise Unauthorized("the token's header asks for an extension that is not supported")
    if header.typ is not None and header.typ.upper() != "JWT":
        raise Unauthorized("the token's typ is not JWT")
    if not claims.jti or len(claims.jti) > _MAX_JTI:
        raise Unauthorized("the token's jti is empty or too long")
    tenant = claims.tenant or ""
    if len(tenant) > _MAX_TENANT or not tenant.isprintable():  # PostgreSQL could not keep it, nor what it did
        raise Unauthorized("the token's tenant is too long or holds control characters")
    return Token(compact, header, claims)


def _wrong(message: str) -> str:
    """Which member of header or claims is missing or of another type, from the parser's message: names, no values."""
    if missing := re.search(r"missing required field `(\w+)`", message):
        return f"the token has no {missing.group(1)}"
    found = re.search(r"at `\$\.(\w+)", message)
    return f"the token's {found.group(1) if found else 'header or claims'} must be of another type"


def _decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "=" * (-len(part) % 4))


def check_times(claims: Claims, now: datetime, *, leeway_s: int, max_life_s: int) -> None:
    """Raises Unauthorized unless the token is in force now, with clocks `leeway_s` apart, and of a short life."""
    times = [claims.exp, claims.iat, claims.nbf if claims.nbf is not None else claims.iat]
    if not all(abs(t) < 1e12 for t in times):
        raise Unauthorized("a time in the token is out of range")
    moment = now.timestamp()
    if moment >= claims.exp + leeway_s:
        raise Unauthorized("the token has expired")
    if claims.iat > moment + leeway_s:
        raise Unauthorized("the token was issued in the future (iat)")
    if claims.nbf is not None and claims.nbf > moment + leeway_s:
        raise Unauthorized("the token is not yet valid (nbf)")
    if claims.exp <= claims.iat:
        raise Unauthorized("the token expires before it was issued")
    if claims.exp - claims.iat > max_life_s:
        raise Unauthorized("the token's life is longer than security.max_token_life_s")


def check_signature(token: Token, key: Key) -> None:
    """Raises Unauthorized unless this key made the token's signature with the algorithm that its header names."""
    from joserfc.errors import JoseError
    from joserfc.jws import extract_compact, validate_compact

    if token.header.alg not in ALGORITHMS:
        raise Unauthorized("the token's algorithm is not accepted")
    own = registry(token.header.alg)
    try:
        signed: Any = extract_compact(token.compact.encode("ascii"), registry=own)
        valid = validate_compact(signed, key, registry=own)
    except (JoseError, ValueError, TypeError, RecursionError):
        valid = False
    if not valid:
        raise Unauthorized("the signature is wrong")
