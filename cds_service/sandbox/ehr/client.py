"""The sandbox EHR as a CDS Client: discovery, hook calls with prefetch and tokens, and feedback."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import orjson
import requests

from cds_service.protocol.hooks import HOOKS
from cds_service.sandbox import prefetch
from cds_service.sandbox.ehr.state import USER, Chart, Ehr, Exchange, ShownCard
from cds_service.sandbox.ehr.tokens import TOKEN_LIFE, Grant, Launch
from cds_service.sandbox.resources import Json

_TIMEOUT_S = 30
_USER_ID = f"Practitioner/{USER['id']}"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one service said. cards: empty with a problem in words where it gave none because of an error."""

    service: Json
    cards: tuple[Json, ...]
    problem: str | None
    milliseconds: float


class CdsClient:
    """Calls Curbside as an EHR does."""

    def __init__(self, ehr: Ehr) -> None:
        self._ehr = ehr
        self._session = requests.Session()
        self._session.trust_env = False  # no proxy between two programs of one machine

    def services(self) -> list[Json]:
        """The services of the discovery response; empty if the service cannot be reached."""
        url = f"{self._ehr.service}/cds-services"
        status, body, _ = self._call("discovery", "GET", url, None)
        found: list[Json] = body.get("services", []) if status == 200 else []
        return found

    def hook(self, chart: Chart, hook: str, members: Mapping[str, Any]) -> list[Answer]:
        """The answers of every service of a hook, about a chart. members: of the context beside the ids."""
        services = [service for service in self.services() if service["hook"] == hook]
        with self._ehr.lock:
            shelf = prefetch.ReadShelf.of(chart.shelf)
        return [self._invoke(chart, shelf, service, members) for service in services]

    def feedback(self, shown: ShownCard, item: Mapping[str, Any]) -> bool:
        """Tells the service what became of a card; True if it took it."""
        url = f"{self._ehr.service}/cds-services/{shown.service}/feedback"
        stamp = self._ehr.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        body = {"feedback": [{"card": shown.card["uuid"], "outcomeTimestamp": stamp, **item}]}
        return self._call(f"feedback: {shown.service}", "POST", url, body)[0] == 200

    def _invoke(self, chart: Chart, shelf: prefetch.Shelf, service: Json, members: Mapping[str, Any]) -> Answer:
        request = self._request(chart, shelf, service, members)
        if request is None:
            return Answer(service, (), "This chart has no encounter.", 0.0)
        url = f"{self._ehr.service}/cds-services/{service['id']}"
        status, body, spent = self._call(f"{service['hook']}: {service['id']}", "POST", url, request)
        if status != 200:
            issues = body.get("issue") or [{"diagnostics": "No answer."}]
            return Answer(service, (), f"{status}: {issues[0].get('diagnostics', '')}", spent)
        cards = tuple(body["cards"])
        with self._ehr.lock:
            for card in cards:
                self._ehr.cards[card["uuid"]] = ShownCard(chart.id, service["id"], card)
        return Answer(service, cards, None, spent)

    def _request(self, chart: Chart, shelf: prefetch.Shelf, service: Json, members: Mapping[str, Any]) -> Json | None:
        context: Json = {"userId": _USER_ID, "patientId": chart.id, **members}
        encounter = current_encounter(chart)
        if encounter:
            context["encounterId"] = encounter
        elif HOOKS[service["hook"]].encounter:
            return None
        body: Json = {
            "hook": service["hook"],
            "hookInstance": str(uuid.uuid4()),
            "context": context,
            "fhirServer": self._ehr.fhir,
            "fhirAuthorization": self._authorization(chart, encounter),
        }
        answers = prefetch.resolve(service.get("prefetch") or {}, shelf, context)
        if "partial-prefetch" in self._ehr.switches:
            answers = {key: answers[key] for key in list(answers)[::2]}
        return body if "no-prefetch" in self._ehr.switches else body | {"prefetch": answers}

    def _authorization(self, chart: Chart, encounter: str | None) -> Json:
        launch = Launch(chart.id, encounter)
        grant = Grant("cds-service", launch, ("patient/*.rs", "user/*.rs"), self._ehr.now() + TOKEN_LIFE)
        return {
            "access_token": self._ehr.tokens.token(grant),
            "token_type": "Bearer",
            "expires_in": int(TOKEN_LIFE.total_seconds()),
            "scope": " ".join(grant.scope),
            "subject": grant.client_id,
            "patient": chart.id,
        }

    def _call(self, what: str, method: str, url: str, body: Json | None) -> tuple[int, Json, float]:
        """Status, JSON and milliseconds of a call; status 0 if there was no answer. The developer's view has it."""
        headers = self._ehr.headers(url) | {"Content-Type": "application/json"}
        sent = orjson.dumps(body) if body is not None else None
        started = time.perf_counter()
        try:
            response = self._session.request(method, url, data=sent, headers=headers, timeout=_TIMEOUT_S)
            status, content = response.status_code, response.content
        except requests.RequestException as error:
            status, content = 0, orjson.dumps({"issue": [{"diagnostics": f"no answer: {type(error).__name__}"}]})
        spent = 1000 * (time.perf_counter() - started)
        answer = _json(content)
        shown = _without_token(body) if body is not None else None
        self._ehr.note(Exchange(uuid.uuid4().hex, what, url, _pretty(shown), status, _pretty(answer), spent))
        return status, answer, spent


def current_encounter(chart: Chart) -> str | None:
    """The id of the encounter in progress that began last, else of the last one; None without any."""
    rows = chart.rows("Encounter")
    if not rows:
        return None
    latest = max(rows, key=lambda r: (r.get("status") == "in-progress", (r.get("period") or {}).get("start") or ""))
    return str(latest["id"])


def _json(content: bytes) -> Json:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _without_token(body: Json) -> Json:
    """The body with its access token masked: the developer's view is no place for it either."""
    if "fhirAuthorization" not in body:
        return body
    return body | {"fhirAuthorization": body["fhirAuthorization"] | {"access_token": "(masked)"}}


def _pretty(value: Any) -> str:
    return "" if value is None else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
