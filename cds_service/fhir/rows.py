"""Which of the resources of a request are usable rows about the one patient, each counted once."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from cds_service.fhir import resources as fhir
from cds_service.fhir.codes import status_codes
from cds_service.fhir.sensitivity import WITHHELD, withheld
from cds_service.fhir.subjects import ANOTHER, NOBODY, Servers, Subjects
from cds_service.fhir.times import Span, parse

USABLE_OBSERVATION = frozenset({"final", "amended", "corrected", "preliminary"})
_WITHDRAWN = frozenset({"entered-in-error", "cancelled", "not-done"})
_CANCELLED = "cancelled"
_MODIFIED = "modifier not understood"
_NO_META = fhir.Meta()
_LONG = 19  # digits; no server counts so far
_DENIED = frozenset({"entered-in-error", "refuted"})


@dataclass(frozen=True, slots=True)
class Selection:
    """Usable rows by type, why others were left out, keys of rows without an id, and what was selected from.

    not_done: what was stated not to have been done, which is no row of what was.
    cut: types of which not all that counts is here: rows with a modifier, or none but rows of others.
    servers: base URLs of the CDS Client's FHIR server.
    """

    patient: fhir.Patient | None
    rows: Mapping[type[Any], list[Any]]
    dropped: Counter[str]
    names: Mapping[int, str]
    resources: Sequence[fhir.AnyResource]
    full_urls: Sequence[str | None]
    not_done: Sequence[fhir.Resource]
    cut: frozenset[str]
    servers: Servers

    def by_url(self) -> dict[str, fhir.Resource]:
        """The usable rows by the full URL of their entry."""
        usable = {id(row): row for group in self.rows.values() for row in group}
        pairs = zip(self.full_urls, self.resources, strict=True)
        return {url: usable[id(row)] for url, row in pairs if url and id(row) in usable}

    def reference(self, resource: fhir.Resource) -> str:
        """How the resource is cited: `Observation/123`; its full URL or its type alone if it has no id."""
        if resource.id is not None:
            return f"{type(resource).__name__}/{resource.id}"
        name = self.names.get(id(resource), "")
        return name if name.startswith(("urn:", "http")) else type(resource).__name__

    def sort_key(self, row: fhir.Resource) -> str:
        """A text that orders rows of one time, the same whatever the order of input."""
        return row.id if row.id is not None else self.names.get(id(row), "")


def select(
    resources: Sequence[fhir.AnyResource],
    full_urls: Sequence[str | None],
    patient_id: str,
    fhir_server: str | None,
    admitted: Collection[str] = frozenset(),
) -> Selection:
    """The usable rows about the patient. admitted: sensitivity labels whose rows may be used.

    A label on the Patient does not withhold it: without it there is nobody to speak of.
    """
    servers = Servers(fhir_server, resources, full_urls)
    subjects = Subjects.of(patient_id, resources, full_urls, servers)
    kept, names = _once(resources, full_urls)
    dropped: Counter[str] = Counter()
    patient: fhir.Patient | None = None
    rows: dict[type[Any], list[Any]] = {kind: [] for kind in kept}
    not_done: list[fhir.Resource] = []
    cut: set[str] = set()
    for kind, group in kept.items():
        if kind is fhir.Patient:
            patient = next((cast("fhir.Patient", row) for row in group if row.id == patient_id), None)
            if others := len(group) - (patient is not None):
                dropped["another patient"] += others
            continue
        if kind is fhir.Observation:
            plain = _plain(cast("Sequence[fhir.Observation]", group), subjects)
            if len(plain) == len(group):
                rows[kind] = plain
                continue
        reasons: Counter[str] = Counter()
        for row in group:
            reason = _left_out(row, subjects) or (WITHHELD if withheld(row, admitted) else None)
            if reason is None:
                rows[kind].append(row)
            else:
                reasons[reason] += 1
                if reason == _CANCELLED and getattr(row, "status", None) == "not-done" and not withheld(row, admitted):
                    not_done.append(row)
        dropped += reasons
        if reasons[_MODIFIED] or (not rows[kind] and (reasons[ANOTHER] or reasons[NOBODY])):
            cut.add(kind.__name__)
    return Selection(patient, rows, dropped, names, resources, full_urls, not_done, frozenset(cut), servers)


def _plain(group: Sequence[fhir.Observation], subjects: Subjects) -> list[fhir.Observation]:
    """The Observations that are usable at first sight: in most records all of them."""
    own = subjects.names
    return [
        row
        for row in group
        if row.status in USABLE_OBSERVATION
        and row.subject is not None
        and row.subject.reference in own
        and (row.meta is None or not row.meta.security)
        and not row.modified
    ]


def _once(
    resources: Sequence[fhir.AnyResource], full_urls: Sequence[str | None]
) -> tuple[Mapping[type[Any], Sequence[fhir.Resource]], dict[int, str]]:
    """Each resource once, by type: of several versions with one id the latest; and the keys of those without id."""
    groups: defaultdict[type[Any], list[Any]] = defaultdict(list)
    for row in resources:
        groups[type(row)].append(row)
    read = {kind: group for kind, group in groups.items() if issubclass(kind, fhir.Resource)}
    ids = [{row.id for row in group} for group in read.values()]
    if sum(map(len, ids)) == sum(map(len, read.values())) and not any(None in known for known in ids):
        return read, {}
    return _latest(resources, full_urls)


def _latest(
    resources: Sequence[fhir.AnyResource], full_urls: Sequence[str | None]
) -> tuple[Mapping[type[Any], Sequence[fhir.Resource]], dict[int, str]]:
    latest: dict[Any, fhir.Resource] = {}
    names: dict[int, str] = {}
    for resource, url in zip(resources, full_urls, strict=True):
        if not isinstance(resource, fhir.Resource):
            continue
        key: Any = (type(resource), resource.id)
        if resource.id is None:
            key = names[id(resource)] = url or _fingerprint(resource)
        known = latest.setdefault(key, resource)
        if known is not resource and _version(resource) > _version(known):
            latest[key] = resource
    groups: defaultdict[type[Any], list[fhir.Resource]] = defaultdict(list)
    for row in latest.values():
        groups[type(row)].append(row)
    return groups, names


def _version(row: fhir.Resource) -> tuple[float, int, bytes]:
    """What orders versions of one resource, so that input order never decides: last change, version, content.

    FHIR leaves the form of a version open; most servers count, and what counts is compared as a number.
    """
    meta = row.meta or _NO_META
    changed = parse(meta.last_updated)
    named = (meta.version_id or "").removeprefix("W/").strip('"')
    version = int(named) if named.isdecimal() and len(named) < _LONG else -1
    return (changed.start.timestamp() if changed is not None else float("-inf"), version, msgspec.json.encode(row))


def _fingerprint(row: fhir.Resource) -> str:
    return hashlib.sha256(msgspec.json.encode(row)).hexdigest()


def strangers(rows: Sequence[fhir.AnyResource], types: Collection[str], subjects: Subjects) -> bool:
    """True if there are rows of the types, and each is another patient's or nobody's."""
    found = False
    for row in rows:
        if type(row).__name__ in types and isinstance(row, fhir.Resource):
            if _whose(row, subjects) is None:
                return False  # the first row, in nearly every list
            found = True
    return found


def strange(
    resources: Sequence[fhir.AnyResource], full_urls: Sequence[str | None], patient_id: str, fhir_server: str | None
) -> frozenset[int]:
    """The rows (by `id()`) of what one server sent that are another patient's, or do not say whose."""
    servers = Servers(fhir_server, resources, full_urls)
    subjects = Subjects.of(patient_id, resources, full_urls, servers)
    read = (row for row in resources if isinstance(row, fhir.Resource))
    return frozenset(id(row) for row in read if _whose(row, subjects) is not None)


def _whose(row: fhir.Resource, subjects: Subjects) -> str | None:
    """None if a row is the patient's, else why not.

    A Medication and a Practitioner are nobody's: they are reached by reference. A Patient is judged by its id.
    """
    kind = type(row)
    if kind in _NOBODYS:
        return None
    if kind is fhir.Appointment:
        return _attended(cast("fhir.Appointment", row), subjects)
    owner: fhir.Reference | None = getattr(row, _SUBJECT.get(kind, "subject"), None)
    return subjects.verdict(owner, row)


def _left_out(row: fhir.Resource, subjects: Subjects) -> str | None:
    """Why a row may not be used, or None if it may."""
    kind = type(row)
    if kind in _NOBODYS:
        return _MODIFIED if row.modified else None
    verdict = _whose(row, subjects)
    if verdict is not None:
        return verdict
    if row.modified:
        return _MODIFIED
    status = getattr(row, "status", None)
    if status == "entered-in-error":
        return "entered in error"
    if status in _WITHDRAWN:
        return _CANCELLED
    if kind is fhir.Observation:
        return None if status in USABLE_OBSERVATION else "status"
    if kind is fhir.Condition or kind is fhir.AllergyIntolerance:
        denied = status_codes(cast("fhir.Condition", row).verification_status) & _DENIED
        return None if not denied else "entered in error" if "entered-in-error" in denied else "refuted"
    return None


def _attended(row: fhir.Appointment, subjects: Subjects) -> str | None:
    """None if the patient is one of those who take part, else why it is not the patient's."""
    found = [subjects.verdict(one.actor, row) for one in row.participant]
    return None if None in found else found[0] if found else NOBODY


_NOBODYS = frozenset({fhir.Medication, fhir.Practitioner, fhir.Patient})
_SUBJECT: Mapping[type[Any], str] = {
    fhir.AllergyIntolerance: "patient",
    fhir.Immunization: "patient",
    fhir.RelatedPerson: "patient",
    fhir.Device: "patient",
    fhir.Consent: "patient",
    fhir.FamilyMemberHistory: "patient",
}


def _period(period: fhir.Period | None) -> tuple[str | None, ...]:
    return (period.start, period.end) if period is not None else ()


_DATES: Mapping[type[Any], Callable[[Any], tuple[str | None, ...]]] = {
    fhir.Condition: lambda r: (r.onset_date_time, *_period(r.onset_period)[:1], r.recorded_date),
    fhir.MedicationRequest: lambda r: (r.authored_on,),
    fhir.MedicationStatement: lambda r: (r.effective_date_time, *_period(r.effective_period), r.date_asserted),
    fhir.MedicationAdministration: lambda r: (r.effective_date_time, *_period(r.effective_period)),
    fhir.AllergyIntolerance: lambda r: (r.onset_date_time, r.recorded_date),
    fhir.Procedure: lambda r: (r.performed_date_time, *_period(r.performed_period)),
    fhir.Encounter: lambda r: _period(r.period),
    fhir.Immunization: lambda r: (r.occurrence_date_time,),
    fhir.ServiceRequest: lambda r: (r.authored_on,),
    fhir.Appointment: lambda r: (r.created,),  # known since then; when it is to be lies ahead
    fhir.Flag: lambda r: _period(r.period)[:1],
    fhir.DeviceUseStatement: lambda r: (r.timing_date_time, *_period(r.timing_period), r.recorded_on),
    fhir.Goal: lambda r: (r.start_date,),
    fhir.Consent: lambda r: (r.date_time,),
    fhir.CarePlan: lambda r: (*_period(r.period)[:1], r.created),
    fhir.AdverseEvent: lambda r: (r.date,),
    fhir.DiagnosticReport: lambda r: (r.effective_date_time, *_period(r.effective_period), r.issued),
    fhir.DocumentReference: lambda r: (r.date,),
    fhir.FamilyMemberHistory: lambda r: (r.date,),
}


def date_of(row: fhir.Resource, read: Callable[[str | None], Span | None] = parse) -> Span | None:
    """The time that a row is about: effective, onset, authored, performed or start; None if it has none.

    For an Observation without an effective time, `issued`; of an effective period, its end.
    """
    if type(row) is fhir.Observation:
        text = row.effective_date_time or row.effective_instant
        if text is None and row.effective_period is not None:
            text = row.effective_period.end or row.effective_period.start
        return read(text or row.issued)
    texts = _DATES.get(type(row))
    if texts is None:
        return None
    for text in texts(row):
        if text is not None and (span := read(text)) is not None:
            return span
    return None
