"""The chart of the open patient: read when a question is asked, with the user's own token and within its scopes.

What was read is kept beside the review, encrypted as the review is, and ends with it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import structlog
from flask import Request

from cds_service.chart_needs import CHART
from cds_service.clock import Clock, Deadline
from cds_service.errors import SettingsError, StoreError
from cds_service.fetch import Fetcher, Gathered
from cds_service.fhir.client import REFUSED, status_words
from cds_service.language import Message, msg
from cds_service.needs import Gap
from cds_service.observer import NOBODY, Observer
from cds_service.outbound import Outbound
from cds_service.protocol.request import FhirAuthorization, HookRequest, PrefetchValue
from cds_service.security.smart import SmartClient
from cds_service.settings import Settings
from cds_service.stores import audit
from cds_service.stores.database import Database
from cds_service.stores.requests import Basis, freeze, thaw
from cds_service.web.app.joint_record import Joint, joint
from cds_service.web.app.opening import Opened, Opener
from cds_service.web.app.renewing import Renewal
from cds_service.web.app.session import Review, Sessions

TYPES = tuple(dict.fromkeys((*(type_ for need in CHART.values() for type_ in need.types), "Medication")))
_FRESH = timedelta(minutes=10)  # for which further questions rest on what was read
_DEADLINE_S = 15.0
_REQUESTS = 120
_MAX_BYTES = 20_000_000
_MOST_KEPT = 16_000_000  # bytes of a chart kept beside a review; a larger one is read anew for each question
_OUT_OF_SCOPE = msg("the EHR does not grant it to this app")
_NOT_ASKED = msg("this hospital's settings do not ask the EHR for it")
_UNAUTHORIZED, _FORBIDDEN = 401, 403
_SAID = {
    status_words(_UNAUTHORIZED): msg("the leave that the EHR gave has run out: open this review again from the EHR"),
    status_words(_FORBIDDEN): REFUSED,
}
_log = structlog.get_logger(__name__)


class Unread(msgspec.Struct, frozen=True):
    """Lists of a chart (keys of CHART) that were not looked at for one reason, or, if partial, not to their end.

    by_choice: the settings leave them out.
    """

    keys: tuple[str, ...]
    reason: Message
    partial: bool
    by_choice: bool = False


@dataclass(frozen=True, slots=True)
class Read:
    """A chart as it was read at a moment. basis: the lists that came, and those that did not, with the reason."""

    at: datetime
    basis: Basis

    @property
    def unread(self) -> tuple[Unread, ...]:
        """What was not looked at, the lists of one reason together."""
        grouped: dict[tuple[bool, str, str], list[Gap]] = {}
        for gap in self.basis.gaps:
            grouped.setdefault((gap.partial, gap.reason.text, str(gap.reason)), []).append(gap)
        return tuple(
            Unread(tuple(gap.key for gap in gaps), gaps[0].reason, partial, gaps[0].reason == _NOT_ASKED)
            for (partial, *_), gaps in sorted(grouped.items(), key=lambda pair: pair[0][0])
        )

    @property
    def counts(self) -> Mapping[str, int]:
        """How many entries came of each list that was read, whole or in part, in the order of CHART."""
        came = self.basis.request.prefetch
        return {key: len(came[key].resources) for key in CHART if key in came}


class Charts:
    """Reads and keeps the charts of reviews. Made before the fork; connects after it."""

    def __init__(
        self,
        settings: Settings,
        smart: SmartClient,
        sessions: Sessions,
        opener: Opener,
        database: Database,
        clock: Clock,
        asked: Iterable[str],
        observer: Observer = NOBODY,
    ) -> None:
        """asked: the types whose scopes a launch asks for. Raises SettingsError for an issuer that cannot be called."""
        self._smart, self._sessions, self._opener = smart, sessions, opener
        self._database, self._clock, self._asked = database, clock, frozenset(asked)
        self._renewal = Renewal(sessions, smart, clock)
        fetch = settings.fetch
        wire = Outbound(
            [one.issuer for one in smart.registrations.values()],
            allow_insecure_loopback=settings.dev.allow_insecure_loopback,
            ca_file=fetch.ca_file,
            connections=fetch.connections,
            failures=fetch.failures,
            pause_s=fetch.pause_s,
            purpose="chart",
            observer=observer,
        )
        limits = replace(settings.limits, max_fetches=_REQUESTS)
        self._fetcher = Fetcher(wire, replace(settings, limits=limits, fetch=replace(fetch, max_bytes=_MAX_BYTES)))

    def kept(self, review: Review, request: Request) -> Read | None:
        """The chart that was read for a review before; None if none was. Raises StoreError."""
        found = self._sessions.beside("chart", review, request)
        if found is None:
            return None
        try:
            basis = thaw(b64decode(found["body"]), CHART)
        except StoreError:  # of another release: it is read anew
            return None
        return Read(datetime.fromisoformat(found["at"]), basis)

    def fresh(self, review: Review, request: Request) -> Read | None:
        """The chart that was read for a review not long ago, which a question may rest on. Raises StoreError."""
        found = self.kept(review, request)
        return found if found is not None and abs(self._clock.now() - found.at) < _FRESH else None

    def read(self, review: Review, shown: Opened, request: Request) -> Read:
        """The chart as it is now, which is kept from now on, and entered in the audit record.

        Raises SessionOver where the review is closed meanwhile.
        """
        at = self._clock.now()
        got, gaps = self._gathered(review, request)
        read = Read(at, Basis(got, gaps, admitted=shown.decision.basis.admitted))
        self._note(read, shown.assessment.id, review.grant.user)
        body = b64encode(freeze(read.basis)).decode()
        if len(body) <= _MOST_KEPT:
            try:
                self._sessions.keep_beside("chart", review, request, {"at": at.isoformat(), "body": body})
            except StoreError as error:
                _log.error("chart not kept beside the review", reason=str(error))
        return read

    def current(self, review: Review, request: Request) -> Review:
        """The review with a token that is good now. Raises SessionOver, StoreError."""
        return self._renewal.good(self._sessions.find(review.id, request), request)

    def together(self, shown: Opened, read: Read) -> Joint:
        """What the assessment rests on and the chart as one record."""
        basis, at = shown.decision.basis, shown.assessment.at
        return joint(basis, at, self._opener.lists(shown), read.basis, read.at, self._opener.code_map)

    def _gathered(self, review: Review, request: Request) -> Gathered:
        """All that the EHR gives; asked once more for what an outdated token was refused."""
        deadline = Deadline.after(_DEADLINE_S)
        found = self._gather(review, {}, deadline)
        if any(gap.reason == status_words(_UNAUTHORIZED) for gap in found.gaps):
            current = self.current(review, request)
            if current.grant.access_token.reveal() != review.grant.access_token.reveal():
                lacking = {gap.key for gap in found.gaps}
                had = {key: value for key, value in found.request.prefetch.items() if key not in lacking}
                found = self._gather(current, had, deadline)
        return Gathered(
            found.request, tuple(replace(gap, reason=_SAID.get(gap.reason, gap.reason)) for gap in found.gaps)
        )

    def _gather(self, review: Review, had: Mapping[str, PrefetchValue], deadline: Deadline) -> Gathered:
        grant, issuer = review.grant, self._smart.registrations[review.registration].issuer
        leave = FhirAuthorization(grant.access_token, grant.scopes)
        call = HookRequest("patient-view", uuid4(), grant.patient, None, None, issuer, had, {}, leave)
        denied = {key for key, need in CHART.items() if not all(map(grant.allows, need.types))}
        allowed = {key: need for key, need in CHART.items() if key not in denied}
        found = self._fetcher.gather(call, allowed, issuer, deadline)
        refused = tuple(Gap(key, need, self._why(need.types)) for key, need in CHART.items() if key in denied)
        return Gathered(found.request, (*found.gaps, *refused))

    def _why(self, types: Iterable[str]) -> Message:
        return _OUT_OF_SCOPE if self._asked.issuperset(types) else _NOT_ASKED

    def _note(self, read: Read, assessment: UUID, user: str) -> None:
        """Writes which searches were made and how many entries came of each; nothing of what they say."""
        counts = read.counts
        content: dict[str, Any] = {
            "user": user,
            "read": {key: {"query": CHART[key].template, "entries": n} for key, n in counts.items()},
            "not_read": {gap.key: str(gap.reason) for gap in read.basis.gaps},
        }
        try:
            audit.note(self._database, audit.Entry("chart", read.at, assessment, content))
        except StoreError as error:
            _log.error("reading of the chart not in the audit record", reason=str(error))


def further_types(settings: Settings) -> tuple[str, ...]:
    """The types that the settings ask the EHR for beside the models' inputs. Raises SettingsError for others."""
    for type_ in settings.app.chart_types:
        if type_ not in TYPES:
            raise SettingsError(
                f"settings: app.chart_types: {type_!r} is no type that a chart is asked for. Choose among "
                f"{', '.join(TYPES)}."
            )
    return settings.app.chart_types
