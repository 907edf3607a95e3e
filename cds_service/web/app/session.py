"""The review that a browser has open: one cookie a launch, the launch's id in the URL, all else on the server."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from flask import Request, redirect, request
from werkzeug.wrappers import Response

from cds_service.addresses import Secret
from cds_service.clock import Clock
from cds_service.errors import CurbsideError
from cds_service.language import msg
from cds_service.security.smart import Grant
from cds_service.settings import App
from cds_service.stores.app_sessions import AppSessionStore
from cds_service.web.app.pages import Pages

BESIDE = ("dialogue", "documents", "chart", "asked")
_RENEWAL = "renewal"
_ID = re.compile(r"[A-Za-z0-9_-]{16}")


class SessionOver(CurbsideError):
    """No review is open under this address in this browser."""

    http_status = 401
    issue_code = "login"


@dataclass(frozen=True, slots=True)
class Review:
    """One open review.

    id: in the URL; another than the cookie's value. registration: the EHR's name in the settings. card: uuid of the
    card that opened it, if one did. csrf: what every form must carry. ends: when it ends in any case.
    """

    id: str
    registration: str
    grant: Grant
    card: str | None
    csrf: str
    ends: datetime
    language: str = "en"

    def content(self) -> dict[str, Any]:
        """All of it as JSON, for the encrypted session."""
        grant = self.grant
        return {
            "id": self.id,
            "registration": self.registration,
            "card": self.card,
            "csrf": self.csrf,
            "ends": self.ends.isoformat(),
            "language": self.language,
            "grant": {
                "patient": grant.patient,
                "encounter": grant.encounter,
                "user": grant.user,
                "user_name": grant.user_name,
                "scopes": list(grant.scopes),
                "access_token": grant.access_token.reveal(),
                "refresh_token": grant.refresh_token.reveal() if grant.refresh_token is not None else None,
                "expires": grant.expires.isoformat(),
                "needs_banner": grant.needs_banner,
                "app_context": grant.app_context,
            },
        }

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Review:
        """The review in a session's JSON."""
        kept = dict(content["grant"])
        refresh = kept["refresh_token"]
        kept |= {
            "scopes": tuple(kept["scopes"]),
            "access_token": Secret(kept["access_token"]),
            "refresh_token": Secret(refresh) if refresh is not None else None,
            "expires": datetime.fromisoformat(kept["expires"]),
        }
        own = {name: content[name] for name in ("id", "registration", "card", "csrf", "language")}
        return cls(**own, grant=Grant(**kept), ends=datetime.fromisoformat(content["ends"]))


class Sessions:
    """Opens, finds and ends reviews."""

    def __init__(self, store: AppSessionStore, settings: App, clock: Clock) -> None:
        self._store = store
        self._idle = timedelta(minutes=settings.idle_minutes)
        self._longest = timedelta(hours=settings.session_hours)
        self._clock = clock

    def open(self, registration: str, grant: Grant) -> tuple[Review, str]:
        """A new review and the value of its cookie."""
        now = self._clock.now()
        review = Review(
            secrets.token_urlsafe(12),
            registration,
            grant,
            grant.app_context,
            secrets.token_urlsafe(24),
            now + self._longest,
        )
        self._store.prune(now)
        return review, self._store.put("review", review.content(), now + self._idle)

    def find(self, id_: str, request: Request) -> Review:
        """The review that this browser has open under an id; its time to idle begins anew. Raises SessionOver.

        Closed as well is one that would stay open for longer than any: the clock was set back since it was used.
        """
        value = request.cookies.get(cookie(id_)) if _ID.fullmatch(id_) else None
        now = self._clock.now()
        found = self._store.get("review", value, now) if value else None
        review = Review.of(found.content) if found is not None else None
        if value is None or found is None or review is None or review.id != id_ or review.ends <= now:
            raise _over()
        if found.expires - now > 2 * self._idle:
            raise _over()
        if found.expires - now < self._idle * 0.9:
            self._store.stretch(value, min(now + self._idle, review.ends))
        return review

    def beside(self, kind: str, review: Review, request: Request) -> Any:
        """What is kept beside a review (one of BESIDE); None if nothing is. Raises StoreError."""
        found = self._store.get(kind, _beside(kind, review, request), self._clock.now())
        return found.content["kept"] if found is not None else None

    def keep_beside(self, kind: str, review: Review, request: Request, kept: Any) -> None:
        """Keeps something beside a review, encrypted as it is, until it ends. Raises StoreError.

        What comes after a review was closed, while it was on its way, is not kept.
        """
        value = _beside(kind, review, request)
        self._store.put(kind, {"kept": kept}, review.ends, value)
        if self._store.get("review", request.cookies[cookie(review.id)], self._clock.now()) is None:
            self._store.drop(value)

    def taken(self, kind: str, review: Review, request: Request) -> Any:
        """What is kept beside a review, once: of two requests one gets it, the other None. Raises StoreError."""
        found = self._store.take(kind, _beside(kind, review, request), self._clock.now())
        return found["kept"] if found is not None else None

    def change(self, review: Review, request: Request, how: Callable[[Review], Review]) -> Review:
        """The review once `how` has changed what is kept of it, which another request may have changed meanwhile.

        Raises SessionOver where it was closed meanwhile, StoreError where it cannot be kept.
        """
        value = request.cookies[cookie(review.id)]
        kept = self._store.change("review", value, lambda was: how(Review.of(was)).content(), self._clock.now())
        if kept is None:
            raise _over()
        return Review.of(kept)

    def renewing(self, review: Review, request: Request, until: datetime) -> bool:
        """True for one of those who would renew the review's token, until it has `renewed` or its time is up."""
        return self._store.claim(_RENEWAL, _beside(_RENEWAL, review, request), self._clock.now(), until)

    def under_renewal(self, review: Review, request: Request) -> bool:
        """True while another request renews the review's token."""
        return self._store.claimed(_beside(_RENEWAL, review, request), self._clock.now())

    def renewed(self, review: Review, request: Request) -> None:
        """Lets others renew it again."""
        self._store.drop(_beside(_RENEWAL, review, request))

    def end(self, review: Review, request: Request) -> None:
        """Closes a review for good, with all that is kept beside it."""
        for kind in (*BESIDE, _RENEWAL):
            self._store.drop(_beside(kind, review, request))
        self._store.drop(request.cookies[cookie(review.id)])


def _beside(kind: str, review: Review, request: Request) -> str:
    return f"{request.cookies[cookie(review.id)]}:{kind}"


def _over() -> SessionOver:
    return SessionOver(msg("This review is closed, or was opened in another browser. Start it again from the EHR."))


def switcher(sessions: Sessions, pages: Pages) -> Callable[[], Response | None]:
    """Before a page of a review: keeps the language that its address asks for, and opens the page without the wish."""

    def switch() -> Response | None:
        id_ = (request.view_args or {}).get("id_")
        if id_ is None or request.method != "GET" or "lang" not in request.args:
            return None
        review, language = sessions.find(id_, request), pages.language()
        sessions.change(review, request, lambda was: replace(was, language=language))
        return redirect(request.path)

    return switch


def cookie(id_: str) -> str:
    """The name of the cookie of a review or a launch."""
    return f"__Host-curbside-{id_}"


def give(response: Response, id_: str, value: str) -> None:
    """Sets a cookie that works in a frame of another site, for that site alone."""
    response.set_cookie(cookie(id_), value, path="/", secure=True, httponly=True, samesite="None", partitioned=True)


def take(response: Response, id_: str) -> None:
    """Deletes such a cookie."""
    response.set_cookie(
        cookie(id_), "", max_age=0, path="/", secure=True, httponly=True, samesite="None", partitioned=True
    )
