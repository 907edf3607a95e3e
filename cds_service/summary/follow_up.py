"""What lies ahead: appointments, planned visits, plans of care, orders, reports that are not final, and goals."""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import structs

from cds_service.fhir import codes
from cds_service.fhir.record import PatientRecord
from cds_service.fhir.resources import (
    ActivityDetail,
    Appointment,
    CarePlan,
    DiagnosticReport,
    Encounter,
    Goal,
    ServiceRequest,
)
from cds_service.fhir.times import Span, parse
from cds_service.language import Message, msg
from cds_service.markdown import shorten
from cds_service.summary.facts import GOAL, PLAN, Fact
from cds_service.summary.history import ENDED, dated
from cds_service.summary.must import FOLLOW_UP, OVERDUE, PENDING
from cds_service.summary.rows import MAX_NAME, as_known, name_of

_AHEAD = frozenset({"proposed", "pending", "booked", "arrived", "checked-in", "waitlist"})
_NOT_FINAL = frozenset({"registered", "partial", "preliminary"})
_PLACES = ("HealthcareService", "Location")  # people's names are not for a summary
# Referral, follow-up visit, encounter to arrange; and the categories of referrals. SNOMED CT.
_REFERRAL = frozenset({"3457005", "306206005", "390906007", "185389009", "281036007", "308335008"})
_REFERRED = re.compile(
    r"(?i)\b(follow[- ]?up|referral|refer to|consult\w*|visit|clinic|appointment|telephone call|rehabilitation"
    r"|home (?:care|health|nursing)|physiotherapy|physical therapy)\b|随访|复诊|转诊|门诊|会诊|预约|康复|家庭护理"
)


def goals(record: PatientRecord) -> tuple[Fact, ...]:
    """Goals of care that are pursued; those whose day has passed are said to be overdue."""
    found = []
    for row in record.rows(Goal):
        name = name_of(row.description)
        if row.lifecycle_status in ENDED or not name:
            continue
        fact = dated(record, GOAL, name, row, (record.reference(row),), status="active")
        days = [span for one in row.target if (span := parse(one.due_date)) is not None]
        reached = "achieved" in codes.status_codes(row.achievement_status)
        if days and not reached and max(days).end <= record.as_of:
            text = msg("{goal}: due {date}, overdue", goal=name, date=as_known(max(days)))
            fact = structs.replace(fact, text=text, tags=fact.tags | {OVERDUE})
        found.append(fact)
    return tuple(found)


def plans(record: PatientRecord) -> tuple[Fact, ...]:
    """Plans of care that run, orders whose result is awaited, and reports that are not final."""
    found = []
    for plan in record.rows(CarePlan):
        name = plan.title or next((n for c in plan.category if (n := name_of(c))), None)
        if plan.status == "active" and name:
            steps = [n for a in plan.activity if a.detail is not None and (n := _step(a.detail))]
            words = f"{name}: {', '.join(dict.fromkeys(steps))}" if steps else name
            tags = frozenset({FOLLOW_UP})
            found.append(dated(record, PLAN, words, plan, (record.reference(plan),), status="active", tags=tags))
    for order in record.rows(ServiceRequest):
        name = name_of(order.code)
        if order.status == "active" and not order.do_not_perform and name:
            span = record.date_of(order)
            text = msg("{order}, ordered", order=name)
            if span is not None:
                text = msg("{order}, ordered {date}", order=name, date=as_known(span))
            if (ahead := due(order)) is not None:
                text = msg("{order}, due {date}", order=text, date=as_known(ahead))
            time = span.start if span is not None else None
            tags = frozenset({FOLLOW_UP if is_referral(order) else PENDING})
            found.append(Fact(PLAN, text, (record.reference(order),), time, status="planned", key=name, tags=tags))
    return (*found, *_unfinished(record))


def _step(detail: ActivityDetail) -> str | None:
    """What an activity of a plan is called, else how it is described."""
    said = " ".join((detail.description or "").split())
    return name_of(detail.code) or (shorten(said, MAX_NAME) if said else None)


def _unfinished(record: PatientRecord) -> Iterator[Fact]:
    """Reports that are registered, partial or preliminary."""
    for report in record.rows(DiagnosticReport):
        name = name_of(report.code)
        if report.status in _NOT_FINAL and name:
            span = record.date_of(report)
            text = msg("{report}: the report is not final", report=name)
            if span is not None:
                text = msg("{result}, {date}", result=text, date=as_known(span))
            time = span.start if span is not None else None
            yield Fact(PLAN, text, (record.reference(report),), time, status="planned", key=name,
                       tags=frozenset({PENDING}))  # fmt: skip


def appointments(record: PatientRecord) -> tuple[Fact, ...]:
    """Appointments that lie ahead, or have no day yet, the next first."""
    found: list[tuple[bool, float, Fact]] = []
    for row in record.rows(Appointment):
        start = parse(row.start)
        if row.status not in _AHEAD or (start is not None and start.end <= record.as_of):
            continue
        text = _told(row, appointment_name(row), start)
        reference = record.reference(row)
        key = f"appointment/{row.start or '~'}/{reference}"  # the next first
        # Not `effective`: it has not happened.
        fact = Fact(PLAN, text, (reference,), None, status="planned", key=key, tags=frozenset({FOLLOW_UP}))
        found.append((start is None, start.start.timestamp() if start is not None else 0.0, fact))
    found.sort(key=lambda one: (one[0], one[1], one[2].references))
    return tuple(fact for _, _, fact in found)


def planned_visits(record: PatientRecord) -> tuple[Fact, ...]:
    """Encounters that are planned for a day ahead."""
    found: list[tuple[float, Fact]] = []
    for row in record.unordered(Encounter):  # later ones too: `rows` holds what has begun
        start = parse(row.period.start) if row.period is not None else None
        if row.status != "planned" or start is None or start.end <= record.as_of:
            continue
        kind = row.type[0] if row.type else row.service_type
        name = name_of(kind) or (row.class_.display if row.class_ is not None else None) or msg("visit")
        text = msg("{name}, planned for {date}", name=name, date=as_known(start))
        reference = record.reference(row)
        key = f"appointment/{start.start:%Y-%m-%d}/{reference}"
        fact = Fact(PLAN, text, (reference,), None, status="planned", key=key, tags=frozenset({FOLLOW_UP}))
        found.append((start.start.timestamp(), fact))
    return tuple(fact for _, fact in sorted(found, key=lambda pair: (pair[0], pair[1].references)))


def nothing_booked(record: PatientRecord) -> tuple[Fact, ...]:
    """One line where the list of appointments came and none lies ahead; it cites nothing, for there is nothing."""
    if record.has_list("Appointment") and not appointments(record) and not planned_visits(record):
        return (Fact(PLAN, msg("No appointment is booked"), (), None, tags=frozenset({FOLLOW_UP})),)
    return ()


def is_referral(order: ServiceRequest) -> bool:
    """True for an order of a visit, a referral or a call: by category or code, else by its words."""
    stated = {code for _, code in codes.codings((order.code, *order.category))}
    return not stated.isdisjoint(_REFERRAL) or _REFERRED.search(name_of(order.code) or "") is not None


def due(order: ServiceRequest) -> Span | None:
    """When an order is to be carried out; None if it does not say."""
    begun = order.occurrence_period.start if order.occurrence_period is not None else None
    return parse(order.occurrence_date_time) or parse(begun)


def appointment_name(row: Appointment) -> str | Message:
    """What an appointment is called: its description, else its service, else its place."""
    said = " ".join((row.description or "").split())
    if said:
        return shorten(said, MAX_NAME)
    coded = (name_of(c) for c in (*row.service_type, row.appointment_type, *row.specialty))
    places = (one.actor.display for one in row.participant if one.actor is not None
              and (one.actor.reference or "").startswith(_PLACES))  # fmt: skip
    found = next((n for n in coded if n), None) or next((d for d in places if d), None)
    return shorten(found, MAX_NAME) if found else msg("a visit")


def _told(row: Appointment, name: str | Message, start: Span | None) -> Message:
    proposed = row.status in ("proposed", "pending", "waitlist")
    if start is None:
        asked = next((span for p in row.requested_period if (span := parse(p.start)) is not None), None)
        if asked is not None:
            return msg("{name}: appointment wished from {date}, not confirmed", name=name, date=as_known(asked))
        return msg("{name}: appointment without a day", name=name)
    if proposed:
        return msg("{name}: appointment proposed for {date}, not confirmed", name=name, date=as_known(start))
    return msg("{name}: appointment on {date}", name=name, date=as_known(start))
