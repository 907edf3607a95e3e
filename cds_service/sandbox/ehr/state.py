"""What the sandbox EHR holds while it runs: charts, drafts, the calls it made, its switches. Nothing is kept."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cds_service.errors import InputError
from cds_service.sandbox import prefetch
from cds_service.sandbox.ehr.tokens import Tokens
from cds_service.sandbox.prefetch import Shelf
from cds_service.sandbox.resources import Json
from cds_service.sandbox.signing import SigningClient

USER: Json = {
    "resourceType": "Practitioner",
    "id": "example",
    "name": [{"text": "Dr. Robin Okafor", "family": "Okafor", "given": ["Robin"], "prefix": ["Dr."]}],
}
REMEMBERED = 60  # exchanges

SWITCHES: Mapping[str, str] = {
    "no-prefetch": "Send no prefetch: the service has to fetch everything.",
    "partial-prefetch": "Send only every second prefetch key.",
    "refused-token": "The FHIR server refuses the service's token (401).",
    "slow-fhir": "The FHIR server takes 2 seconds for every answer.",
    "broken-fhir": "The FHIR server answers everything with 500.",
    "bad-signature": "Sign calls with a key that nobody knows.",
    "narrow-scopes": "Grant an app the patient and observations only.",
}


@dataclass(slots=True)
class Chart:
    """One patient: what the FHIR API serves, what is drafted, and what the sample is for."""

    id: str
    shelf: Shelf
    purpose: str = ""
    drafts: list[str] = field(default_factory=list)  # `Type/id` of orders that are not signed

    @classmethod
    def of(cls, bundle: Json, purpose: str) -> Chart:
        """The chart of a bundle; orders that are drafts there are drafts here. Raises InputError without a patient."""
        chart = cls(prefetch.patient_id(bundle), Shelf(bundle), purpose)
        orders = chart.rows("MedicationRequest", "ServiceRequest")
        chart.drafts += [f"{row['resourceType']}/{row['id']}" for row in orders if row.get("status") == "draft"]
        return chart

    @property
    def patient(self) -> Json:
        """The Patient resource; an empty one where the record has none."""
        return self.shelf.rows.get(f"Patient/{self.id}") or {"resourceType": "Patient", "id": self.id}

    def rows(self, *types: str) -> list[Json]:
        """All resources of some types, in the order of the record."""
        return [row for row in self.shelf.rows.values() if row["resourceType"] in types]

    def draft_bundle(self) -> Json:
        """The drafts as hooks carry them in `context.draftOrders`."""
        rows = [self.shelf.rows[name] for name in self.drafts if name in self.shelf.rows]
        return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": row} for row in rows]}

    def put(self, resource: Json) -> str:
        """Keeps a resource, with an id of its own if it has none; its name `Type/id`."""
        row = resource if resource.get("id") else {**resource, "id": f"ehr-{uuid.uuid4().hex[:12]}"}
        name = f"{row['resourceType']}/{row['id']}"
        self.shelf.rows[name] = row
        if row.get("status") == "draft" and name not in self.drafts:
            self.drafts.append(name)
        return name

    def remove(self, name: str) -> None:
        """Takes a resource out of the chart; silence if it is gone already."""
        self.shelf.rows.pop(name, None)
        if name in self.drafts:
            self.drafts.remove(name)


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call of the EHR and its answer, for developers."""

    id: str
    what: str
    url: str
    request: str
    status: int
    response: str
    milliseconds: float


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card on the screen: whose, from which service, and the URL that takes feedback about it."""

    chart: str
    service: str
    card: Json


class Ehr:
    """The EHR. All methods may be called from any thread."""

    def __init__(
        self,
        bundles: Iterable[tuple[Json, str]],
        *,
        base: str,
        service: str,
        now: Callable[[], datetime],
        redirects: Iterable[str] = (),
    ) -> None:
        """bundles: each with a sentence on its purpose. base: URL of this EHR. service: URL of Curbside.

        redirects: redirect URIs of the registered app. Raises InputError for a bundle without a patient.
        """
        self.base = base
        self.service = service
        self.now = now
        self.redirects = tuple(redirects)
        self.charts: dict[str, Chart] = {}
        for bundle, purpose in bundles:
            chart = Chart.of(bundle, purpose)
            if chart.id in self.charts:
                raise InputError(f"two bundles hold the same patient, {chart.id}. Give one bundle a patient.")
            self.charts[chart.id] = chart
        self.tokens = Tokens(now)
        self.signer = SigningClient(self.fhir, jku=f"{base}/jwks", now=now)
        self.foreign = SigningClient(self.fhir, kid=self.signer.kid, jku=f"{base}/jwks", now=now)
        self.exchanges: deque[Exchange] = deque(maxlen=REMEMBERED)
        self.cards: dict[str, ShownCard] = {}
        self.switches: set[str] = set()
        self.lock = threading.RLock()

    @property
    def fhir(self) -> str:
        """The FHIR base URL, which is also the issuer."""
        return f"{self.base}/fhir"

    def headers(self, audience: str) -> dict[str, str]:
        """The Authorization of a call, signed as the switches say."""
        signer = self.foreign if "bad-signature" in self.switches else self.signer
        return signer.authorization(audience)

    def note(self, exchange: Exchange) -> None:
        """Remembers an exchange for the developer's view."""
        with self.lock:
            self.exchanges.appendleft(exchange)

    def apply(self, chart: Chart, actions: Iterable[Mapping[str, Any]]) -> list[str]:
        """Carries out the actions of an accepted suggestion, as one; what was done, in words."""
        done = []
        with self.lock:
            for action in sorted(actions, key=lambda a: ("delete", "create", "update").index(a["type"])):
                if action["type"] == "delete":
                    chart.remove(str(action.get("resourceId")))
                else:
                    chart.put(dict(action["resource"]))
                done.append(str(action["description"]))
        return done
