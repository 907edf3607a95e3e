"""What a clinician decides about a card in the review, as feedback."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from werkzeug.datastructures import MultiDict

from cds_service.errors import BadRequest
from cds_service.language import Message, msg
from cds_service.protocol.feedback import Item
from cds_service.suppression import ANSWERS, SNOOZED, Rules
from cds_service.web.app.opening import Opened

SNOOZE = (*SNOOZED, "Snoozed in the review app")
_LONGEST_COMMENT, _LONGEST_FORM = 2000, 40


def item(shown: Opened, form: MultiDict[str, str], now: datetime, user: str) -> Item:
    """The decision of a user that a form tells. Raises BadRequest in a sentence for what is missing."""
    return replace(_decided(shown, form, now), user=user, form=form.get("form", "")[:_LONGEST_FORM] or None)


def rests(rules: Rules, card: Mapping[str, Any]) -> Message:
    """For how long a card's findings rest once it is overridden or snoozed, so that nobody snoozes for a month."""
    critical = card.get("indicator") == "critical"
    overridden, snoozed = (_time(rules.window(outcome, critical)) for outcome in ANSWERS)
    if overridden == snoozed:
        return msg("Overridden or snoozed, it rests for {time}. It comes back sooner if it gets worse.", time=snoozed)
    return msg(
        "Snoozed, it rests for {snoozed}; overridden, for {overridden}. It comes back sooner if it gets worse.",
        snoozed=snoozed,
        overridden=overridden,
    )


def _time(window: timedelta) -> Message:
    hours = round(window.total_seconds() / 3600, 1)
    if hours < 48:
        return msg("{hours} hours", hours=f"{hours:g}")
    return msg("{days} days", days=f"{hours / 24:g}")


def _decided(shown: Opened, form: MultiDict[str, str], now: datetime) -> Item:
    card = next((c for c in shown.cards if c["uuid"] == form.get("card")), None)
    if card is None:
        raise BadRequest(msg("Choose a card of this review."))
    outcome, uuid = form.get("outcome"), UUID(card["uuid"])
    if outcome == "accepted":
        return Item(uuid, "accepted", now, _chosen(card, form.getlist("suggestion")))
    comment = form.get("comment", "").replace("\x00", "").strip()[:_LONGEST_COMMENT] or None
    if outcome == "snoozed":
        return Item(uuid, "overridden", now, (), SNOOZE, comment)
    if outcome != "overridden":
        raise BadRequest(msg("Choose whether to accept, override or snooze the card."))
    return Item(uuid, "overridden", now, (), _reason(card, form.get("reason"), comment), comment)


def _chosen(card: Mapping[str, Any], wanted: list[str]) -> tuple[UUID, ...]:
    chosen = tuple(UUID(s["uuid"]) for s in card.get("suggestions", ()) if s["uuid"] in wanted)
    if not chosen:
        raise BadRequest(msg("Choose at least one suggestion to accept."))
    return chosen


def _reason(card: Mapping[str, Any], code: str | None, comment: str | None) -> tuple[str, str, str] | None:
    reason = next((r for r in card.get("overrideReasons", ()) if r["code"] == code), None)
    if reason is None and comment is None:
        raise BadRequest(msg("Choose a reason for the override, or write one."))
    return (reason["system"], reason["code"], reason["display"]) if reason is not None else None
