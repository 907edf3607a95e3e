"""A review with a token that is good: of several requests that find it run out, one asks the EHR for another.

A refresh token that rotates is good once. An EHR that sees it twice takes it for stolen, and may end the whole grant.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import timedelta

from flask import Request, g, request

from cds_service.clock import Clock, Deadline
from cds_service.errors import BadRequest
from cds_service.language import msg
from cds_service.security.smart import SmartClient
from cds_service.web.app.session import Review, Sessions

_MARGIN = timedelta(seconds=5)  # a token that runs out before its use is of no use
_LONGEST = timedelta(seconds=20)  # that one request may keep the others from renewing: more than the EHR is given
_PATIENCE_S = 11.0  # for another request to have renewed it: its discovery document, and its token
_LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Renewal:
    """Renews the tokens of reviews."""

    sessions: Sessions
    smart: SmartClient
    clock: Clock

    def good(self, review: Review, request: Request) -> Review:
        """The review with a token that is good, wherever the EHR gives one. Raises SessionOver, StoreError."""
        if self._lasts(review) or review.grant.refresh_token is None:
            return review
        with _away(request):
            if self.sessions.renewing(review, request, self.clock.now() + _LONGEST):
                try:
                    return self._renewed(self.sessions.find(review.id, request), request)
                finally:
                    self.sessions.renewed(review, request)
            return self._awaited(review, request)

    def _lasts(self, review: Review) -> bool:
        return review.grant.expires > self.clock.now() + _MARGIN

    def _renewed(self, review: Review, request: Request) -> Review:
        if self._lasts(review) or review.grant.refresh_token is None:  # another request was just before
            return review
        grant = self.smart.refresh(self.smart.registrations[review.registration], review.grant)
        used = review.grant.refresh_token.reveal()

        def renewed(was: Review) -> Review:  # one that took longer than `_LONGEST` undoes no later renewal
            kept = was.grant.refresh_token
            return replace(was, grant=grant) if kept is not None and kept.reveal() == used else was

        return self.sessions.change(review, request, renewed)

    def _awaited(self, review: Review, request: Request) -> Review:
        deadline = Deadline.after(_PATIENCE_S)
        while self.sessions.under_renewal(review, request) and deadline.remaining():
            time.sleep(_LOOK_S)
        return self.sessions.find(review.id, request)


def _away(request: Request) -> AbstractContextManager[None]:
    away: Callable[[], AbstractContextManager[None]] = request.environ.get("curbside.away", nullcontext)
    return away()


def finder(sessions: Sessions, smart: SmartClient, clock: Clock) -> Callable[[str], Review]:
    """Finds the review of an address for the request at hand, with a token that is good wherever the EHR gives one.

    What a form sends must come from the open review. The function raises SessionOver and BadRequest.
    """
    renewal = Renewal(sessions, smart, clock)

    def found(id_: str) -> Review:
        review = sessions.find(id_, request)
        g.app_language = review.language
        sent = request.form.get("csrf", "").encode() if request.method == "POST" else review.csrf.encode()
        if not secrets.compare_digest(sent, review.csrf.encode()):
            raise BadRequest(msg("This form was not sent from the open review. Go back to the review and try again."))
        return renewal.good(review, request)

    return found
