"""The SMART authorization server's memory: launches, codes and tokens, each good for what it was made for."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

CODE_LIFE = timedelta(minutes=1)
TOKEN_LIFE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Launch:
    """What the EHR has open when it starts an app. app_context: the card's, handed on untouched."""

    patient: str
    encounter: str | None = None
    app_context: str | None = None
    framed: bool = False


@dataclass(frozen=True, slots=True)
class Grant:
    """What an access token allows: one patient's record, in some scopes."""

    client_id: str
    launch: Launch
    scope: tuple[str, ...]
    expires: datetime
    nonce: str | None = None

    def allows(self, type_: str, action: str) -> bool:
        """True if a v2 scope lets the type be read (`r`) or searched (`s`)."""
        for scope in self.scope:
            context, _, rest = scope.partition("/")
            if context not in ("patient", "user") or not rest:
                continue
            name, _, letters = rest.partition("?")[0].partition(".")
            if name in (type_, "*") and action in {"read": "rs", "*": "cruds"}.get(letters, letters):
                return True
        return False


@dataclass(frozen=True, slots=True)
class Code:
    """An authorization code and what its exchange must show."""

    grant: Grant
    redirect_uri: str
    challenge: str
    expires: datetime


@dataclass(slots=True)
class Tokens:
    """All of them, in memory. now: the EHR's clock."""

    now: Callable[[], datetime]
    launches: dict[str, Launch] = field(default_factory=dict)
    codes: dict[str, Code] = field(default_factory=dict)
    access: dict[str, Grant] = field(default_factory=dict)
    refresh: dict[str, Grant] = field(default_factory=dict)

    def launch(self, opened: Launch) -> str:
        """An opaque launch value."""
        value = secrets.token_urlsafe(16)
        self.launches[value] = opened
        return value

    def code(self, grant: Grant, redirect_uri: str, challenge: str) -> str:
        """A code for one exchange within a minute."""
        value = secrets.token_urlsafe(24)
        self.codes[value] = Code(grant, redirect_uri, challenge, self.now() + CODE_LIFE)
        return value

    def exchange(self, value: str, redirect_uri: str, verifier: str, client_id: str) -> Grant | None:
        """The grant of a code, which is then used up; None if anything about it is wrong."""
        code = self.codes.pop(value, None)
        if code is None or code.expires < self.now() or code.redirect_uri != redirect_uri:
            return None
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        return code.grant if digest == code.challenge and code.grant.client_id == client_id else None

    def token(self, grant: Grant) -> str:
        """An access token."""
        value = secrets.token_urlsafe(32)
        self.access[value] = grant
        return value

    def refresh_token(self, grant: Grant) -> str:
        """A refresh token, good for one use."""
        value = secrets.token_urlsafe(32)
        self.refresh[value] = grant
        return value

    def granted(self, authorization: str) -> Grant | None:
        """The grant of an `Authorization` header, or None if it has no token that is good now."""
        kind, _, value = authorization.partition(" ")
        grant = self.access.get(value) if kind.lower() == "bearer" else None
        return grant if grant is not None and grant.expires >= self.now() else None
