"""CORS by allow-list: which pages may call from a browser, on every response, errors and preflights too."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask, Response, request

from cds_service.errors import SettingsError
from cds_service.settings import Cors

Headers = tuple[tuple[str, str], ...]
_METHODS = "GET, POST"
_SENT = "Authorization, Content-Type, If-None-Match, X-Request-Id"
_SHOWN = "ETag, Retry-After, WWW-Authenticate, X-Request-Id"


@dataclass(frozen=True, slots=True)
class Policy:
    """The answers to a browser's questions."""

    origins: frozenset[str]
    max_age_s: int

    @classmethod
    def of(cls, settings: Cors) -> Policy:
        """The policy of the settings. Raises SettingsError for an origin that no browser would send."""
        for origin in settings.origins:
            parts = urlsplit(origin)
            if parts.scheme not in ("https", "http") or origin != f"{parts.scheme}://{parts.netloc}" or "*" in origin:
                raise SettingsError(
                    f"settings: cors.origins must hold origins such as https://sandbox.example.org, got {origin!r}. "
                    "Give scheme, host and port, without a path and without *."
                )
        return cls(frozenset(o.lower() for o in settings.origins), settings.max_age_s)

    def headers(self, origin: str | None) -> Headers:
        """What every response carries. A page of another origin gets an answer that its browser keeps from it."""
        if not self.origins:
            return ()
        if origin is None or origin.lower() not in self.origins:
            return (("Vary", "Origin"),)
        return (
            ("Vary", "Origin"),
            ("Access-Control-Allow-Origin", origin),
            ("Access-Control-Expose-Headers", _SHOWN),
        )

    def preflight(self, origin: str | None) -> Headers:
        """What the answer to a preflight carries beside `headers`."""
        if origin is None or origin.lower() not in self.origins:
            return ()
        return (
            ("Access-Control-Allow-Methods", _METHODS),
            ("Access-Control-Allow-Headers", _SENT),
            ("Access-Control-Max-Age", str(self.max_age_s)),
        )


def register(app: Flask, policy: Policy) -> None:
    """Answers preflights before anything else looks at the caller, and marks every response."""

    def preflight() -> Response | None:
        if request.method != "OPTIONS" or "Access-Control-Request-Method" not in request.headers:
            return None
        response = Response(status=204)
        del response.headers["Content-Type"]  # there is no content
        response.headers.extend(policy.preflight(request.headers.get("Origin")))
        return response

    def mark(response: Response) -> Response:
        response.headers.extend(policy.headers(request.headers.get("Origin")))
        return response

    app.before_request(preflight)
    if policy.origins:  # without any, `headers` has nothing to add
        app.after_request(mark)
