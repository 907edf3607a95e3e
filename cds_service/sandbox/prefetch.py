"""The CDS Client's side: fills prefetch templates from a Bundle in memory and builds complete requests.

`resolve` answers as an EHR with a FHIR server would: reads give the resource or null, searches a searchset Bundle,
empty if nothing matches, with a `next` link if `_count` cut it; references become `Type/id`, whatever they were.
A template with a token that the context does not have is left out, as CDS Hooks 2.0 wants it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from cds_service.errors import InputError
from cds_service.sandbox.chart import NAMESPACE, SERVER
from cds_service.sandbox.resources import Json
from cds_service.sandbox.search import Known, search

_ORDERS = frozenset({"MedicationRequest", "ServiceRequest", "DeviceRequest", "NutritionOrder"})
_TOKEN = re.compile(r"\{\{\s*(.*?)\s*\}\}")
_USER_TOKENS = {
    "userPractitionerId": "Practitioner",
    "userPractitionerRoleId": "PractitionerRole",
    "userPatientId": "Patient",
    "userRelatedPersonId": "RelatedPerson",
}


class NoPatient(InputError):
    """The Bundle holds no Patient with an id and no row that names one."""


class NoEncounter(InputError):
    """The Bundle holds no Encounter that an encounter hook could be about."""


class Shelf:
    """The resources of a Bundle as a FHIR server holds them: by `Type/id`, with references rewritten."""

    def __init__(self, bundle: Mapping[str, Any]) -> None:
        self.rows: dict[str, Json] = {}
        self._names: dict[str, str] = {}
        for entry in bundle.get("entry") or []:
            resource = entry.get("resource")
            if not isinstance(resource, dict) or not resource.get("resourceType"):
                continue
            url = entry.get("fullUrl") or ""
            id_ = resource.get("id") or url.rsplit(":", 1)[-1].rsplit("/", 1)[-1]
            name = f"{resource['resourceType']}/{id_}"
            self.rows[name] = resource if "id" in resource else {**resource, "id": id_}
            self._names.setdefault(f"urn:uuid:{id_}", name)  # some makers leave fullUrl out and mean the id
            if url:
                self._names[url] = name

    def canonical(self, reference: str) -> str:
        """A reference as this server writes it: `Type/id` for what it holds, else as it was."""
        return self._names.get(reference, reference.removeprefix(f"{SERVER}/"))

    def served(self, value: Any) -> Any:
        """A copy of a resource in which every reference is canonical."""
        if isinstance(value, dict):
            return {
                key: self.canonical(item) if key == "reference" and isinstance(item, str) else self.served(item)
                for key, item in value.items()
            }
        return [self.served(item) for item in value] if isinstance(value, list) else value

    def _entry(self, row: Json) -> Json:
        """A row as a searchset Bundle holds it."""
        url = f"{SERVER}/{row['resourceType']}/{row['id']}"
        return {"fullUrl": url, "resource": self.served(row), "search": {"mode": "match"}}

    def read(self, path: str) -> Json | None:
        """`Type/id`, or None."""
        found = self.rows.get(path)
        return None if found is None else dict(self.served(found))

    def _search(self, query: str) -> tuple[list[Json], int]:
        return search(query, self.rows.values(), self.canonical)

    def query(self, query: str) -> Json:
        """The searchset Bundle of a type search."""
        rows, total = self._search(query)
        links = [{"relation": "self", "url": f"{SERVER}/{query}"}]
        if len(rows) < total:
            links.append({"relation": "next", "url": f"{SERVER}/{query}&_offset={len(rows)}"})
        body: Json = {"resourceType": "Bundle", "type": "searchset", "total": total, "link": links}
        return body | ({"entry": [self._entry(row) for row in rows]} if rows else {})


class ReadShelf(Shelf):
    """A Shelf whose rows change no more: each question is answered and each row copied once, and is the same again."""

    def __init__(self, bundle: Mapping[str, Any]) -> None:
        super().__init__(bundle)
        self._answered: dict[str, Json | None] = {}
        self._known = Known()
        self._entries: dict[int, Json] = {}

    @classmethod
    def of(cls, shelf: Shelf) -> ReadShelf:
        """What a shelf holds now."""
        found = cls({})
        found.rows, found._names = dict(shelf.rows), shelf._names
        return found

    def _search(self, query: str) -> tuple[list[Json], int]:
        return search(query, self.rows.values(), self.canonical, self._known)

    def _entry(self, row: Json) -> Json:
        if id(row) not in self._entries:
            self._entries[id(row)] = super()._entry(row)
        return self._entries[id(row)]

    def read(self, path: str) -> Json | None:
        """`Type/id`, or None."""
        if path not in self._answered:
            self._answered[path] = super().read(path)
        return self._answered[path]

    def query(self, query: str) -> Json:
        """The searchset Bundle of a type search."""
        found = self._answered.get(query)
        if found is None:
            found = self._answered[query] = super().query(query)
        return found


Record = Mapping[str, Any] | Shelf


def _shelf(record: Record) -> Shelf:
    return record if isinstance(record, Shelf) else Shelf(record)


def resolve(templates: Mapping[str, str], record: Record, context: Mapping[str, Any]) -> dict[str, Any]:
    """Prefetch key -> resource, searchset Bundle or None, for each template whose tokens the context fills.

    Raises UnsupportedSearch for a template that a simple FHIR server could not run.
    """
    shelf = _shelf(record)
    found: dict[str, Any] = {}
    for key, template in templates.items():
        query = fill(template, context)
        if query is not None:
            found[key] = shelf.query(query) if "?" in query else shelf.read(query)
    return found


def fill(template: str, context: Mapping[str, Any]) -> str | None:
    """The template with its tokens replaced, or None if the context lacks one of them."""
    values = [_value(token, context) for token in _TOKEN.findall(template)]
    if any(value is None for value in values):
        return None
    rest = iter(values)
    return _TOKEN.sub(lambda _: str(next(rest)), template)


def _value(token: str, context: Mapping[str, Any]) -> str | None:
    if token in _USER_TOKENS:
        type_, _, id_ = str(context.get("userId", "")).partition("/")
        return id_ if type_ == _USER_TOKENS[token] and id_ else None
    value = context.get(token.removeprefix("context.")) if token.startswith("context.") else None
    return value if isinstance(value, str) and value else None


def patient_id(record: Record) -> str:
    """The id of the Patient of a record, else the one that its first row names. Raises NoPatient."""
    shelf = _shelf(record)
    for name in shelf.rows:
        if name.startswith("Patient/"):
            return name.partition("/")[2]
    for row in shelf.rows.values():
        subject = row.get("subject") or row.get("patient") or row.get("beneficiary") or {}
        reference = shelf.canonical(subject.get("reference", "")) if isinstance(subject, dict) else ""
        if reference.startswith("Patient/"):
            return reference.partition("/")[2]
    raise NoPatient("the Bundle holds no Patient, and no row that names one")


def current_encounter(record: Record) -> str:
    """The id of the Encounter in progress that began last, else of the last one. Raises NoEncounter."""
    rows = [r for name, r in _shelf(record).rows.items() if name.startswith("Encounter/")]
    if not rows:
        raise NoEncounter("the Bundle holds no Encounter: name one, or use a patient-view service")
    latest = max(rows, key=lambda r: (r.get("status") == "in-progress", (r.get("period") or {}).get("start") or ""))
    return str(latest["id"])


def drafts(record: Record, *, selected: bool) -> Json:
    """The members of the context of an order hook: the orders that the record holds as drafts, in a Bundle.

    selected: with `selections`, all of them as chosen just now.
    """
    shelf = _shelf(record)
    found = {
        name: dict(shelf.served(row))
        for name, row in shelf.rows.items()
        if row["resourceType"] in _ORDERS and row.get("status") == "draft"
    }
    entries = [{"resource": row} for row in found.values()]
    chosen = {"selections": list(found)} if selected else {}
    return {**chosen, "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": entries}}


def _verified(record: Record) -> Json:
    """The order that a pharmacist looks at: the first draft, else the first prescription, else one of nothing."""
    shelf = _shelf(record)
    rows = [dict(shelf.served(r)) for r in shelf.rows.values() if r["resourceType"] == "MedicationRequest"]
    rows.sort(key=lambda r: (r.get("status") != "draft", str(r.get("id"))))
    return rows[0] if rows else {"resourceType": "MedicationRequest", "status": "draft", "intent": "order"}


def request_for(
    service: Mapping[str, Any],
    record: Record,
    *,
    encounter_id: str | None = None,
    user: str = "Practitioner/example",
) -> Json:
    """A complete CDS Hooks request for a service as discovery describes it, about the patient of a Bundle or Shelf.

    encounter_id: needed by encounter hooks; by default the current one. Order hooks get the record's draft orders.
    hookInstance is the same for the same service, patient and encounter. Raises NoPatient or NoEncounter.
    """
    shelf = _shelf(record)
    patient = patient_id(shelf)
    encounter = encounter_id
    if encounter is None and str(service["hook"]).startswith("encounter-"):
        encounter = current_encounter(shelf)
    context: Json = {"userId": user, "patientId": patient} | ({"encounterId": encounter} if encounter else {})
    if service["hook"] in ("order-select", "order-sign"):
        context |= drafts(shelf, selected=service["hook"] == "order-select")
    elif service["hook"] == "medication-refill":
        context |= {"medications": drafts(shelf, selected=False)["draftOrders"]}
    elif service["hook"] == "medication-verify":
        context |= {"medication": _verified(shelf)}
    return {
        "hook": service["hook"],
        "hookInstance": str(uuid.uuid5(NAMESPACE, f"{service['id']}/{patient}/{encounter or ''}")),
        "context": context,
        "prefetch": resolve(service.get("prefetch") or {}, shelf, context),
    }
