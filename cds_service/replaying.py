"""Two answers to the same stored request beside each other: which cards differ, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from cds_service.answers import Answer

Cause = Literal[
    "model", "threshold", "code map", "knowledge", "settings", "service", "input", "estimate", "finding", "wording",
    "code",
]  # fmt: skip
_STATES = {
    "gone": "the service is not loaded",
    "refused": "it refuses this request (412)",
    "unkept": "the request was not kept: the assessment is older than the keeping of requests",
}
_MOST = 6  # sentences of one kind


@dataclass(frozen=True, slots=True)
class CardChange:
    """One card that differs: `gone`, `new` or `changed`, with its summaries; None where there is none."""

    kind: str
    before: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Why:
    """One thing that is not the same. words: both sides, with an arrow between."""

    cause: Cause
    words: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One answer that differs."""

    id: UUID
    at: datetime
    service: str
    cards: tuple[CardChange, ...]
    why: tuple[Why, ...]


def compare(before: Answer, now: Answer) -> Difference | None:
    """How one answer differs from another to the same request; None if they are the same to the byte."""
    answered = before.state == now.state == "answered"
    if answered and before.response == now.response and before.kept_back == now.kept_back:
        return None
    cards = tuple(_changes(_by_uuid(before), _by_uuid(now)))
    why = tuple(_why(before, now))
    return Difference(before.id, before.at, before.service, cards, why)


def _by_uuid(answer: Answer) -> dict[str, dict[str, Any]]:
    return {card.get("uuid", str(number)): card for number, card in enumerate(answer.cards)}


def _changes(then: Mapping[str, dict[str, Any]], now: Mapping[str, dict[str, Any]]) -> Iterator[CardChange]:
    """By uuid; a card whose place among the others is another has another uuid, and is known by its summary."""
    gone = {uuid: card for uuid, card in then.items() if uuid not in now}
    new = {uuid: card for uuid, card in now.items() if uuid not in then}
    moved = {uuid: same for uuid, card in gone.items() if (same := _of_summary(card, new)) is not None}
    for uuid, card in then.items():
        here = now[moved.get(uuid, uuid)] if uuid in moved or uuid in now else None
        if here is None:
            yield CardChange("gone", card["summary"], None)
        elif _without_uuids(here) != _without_uuids(card):
            yield CardChange("changed", card["summary"], here["summary"])
    for uuid, card in new.items():
        if uuid not in moved.values():
            yield CardChange("new", None, card["summary"])


def _of_summary(card: Mapping[str, Any], others: Mapping[str, dict[str, Any]]) -> str | None:
    return next((uuid for uuid, other in others.items() if other["summary"] == card["summary"]), None)


def _without_uuids(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _without_uuids(value) for name, value in part.items() if name != "uuid"}
    return [_without_uuids(one) for one in part] if isinstance(part, list) else part


def _why(before: Answer, now: Answer) -> list[Why]:
    """First what was changed, then what followed from it; words alone, or the code, where nothing else tells."""
    if before.state != now.state:
        state = next(answer.state for answer in (now, before) if answer.state != "answered")
        side = "" if now.state == state else "there: "
        return [*_shaped(before, now), Why("service", side + _STATES[state])]
    made = list(_shaped(before, now))
    followed = [
        *_each("input", before.inputs, now.inputs),
        *_each("estimate", before.estimates, now.estimates),
        *_each("finding", before.findings, now.findings),
    ]
    if not followed and not any(why.cause in ("model", "knowledge") for why in made):
        made.append(Why("wording", "the same inputs, estimates and findings in other words"))
    code = before.versions.get("code") != now.versions.get("code")
    if code and not any(why.cause in ("model", "threshold", "code map", "knowledge", "settings") for why in made):
        made.append(Why("code", _release(before, now)))
    if not made:
        made.append(Why("code", "nothing that should matter is different: please report this"))
    return made + followed


def _release(before: Answer, now: Answer) -> str:
    then, here = before.versions.get("curbside", "?"), now.versions.get("curbside", "?")
    return f"Curbside {then} → {here}" if then != here else f"the code of Curbside {here} is another"


def _shaped(before: Answer, now: Answer) -> Iterator[Why]:
    """What shapes answers, and is another."""
    thresholds = list(_thresholds(before.thresholds, now.thresholds))
    for name in dict.fromkeys((*before.versions, *now.versions)):
        then, here = before.versions.get(name), now.versions.get(name)
        if then == here or name in ("curbside", "code"):
            continue
        if name == "settings.codes":
            yield Why("code map", f"the code map: {then or 'none'} → {here or 'none'}")
        elif name == "settings.services" and thresholds:
            continue
        elif name.startswith("settings."):
            yield Why("settings", f"the settings [{name.removeprefix('settings.')}] are not the same")
        elif name == "knowledge":
            yield from _knowledge(before.rows, now.rows, then, here)
        elif _estimated(name, before) or _estimated(name, now) or then is None or here is None:
            yield Why("model", f"model {name}: {then or 'not loaded'} → {here or 'not loaded'}")
    yield from thresholds


def _estimated(model: str, answer: Answer) -> bool:
    """Whether a model gave a number; of those that refused on both sides a new version changes nothing."""
    return any(name.startswith(f"{model}/") for name in answer.estimates)


def _thresholds(then: Mapping[str, float] | None, here: Mapping[str, float] | None) -> Iterator[Why]:
    if then is None or here is None:
        return
    for name in sorted({*then, *here}):
        if then.get(name) != here.get(name):
            yield Why("threshold", f"threshold {name}: {_shown(then.get(name))} → {_shown(here.get(name))}")


def _knowledge(
    then: Mapping[str, str] | None, here: Mapping[str, str] | None, edition: str | None, edition_here: str | None
) -> Iterator[Why]:
    if then is None or here is None:
        yield Why("knowledge", f"the knowledge: {edition or 'not used'} → {edition_here or 'not used'}")
        return
    for row in sorted({*then, *here}):
        if then.get(row) != here.get(row):
            what = "new" if row not in then else "gone" if row not in here else "changed"
            yield Why("knowledge", f"knowledge row {row}: {what}")


def _each(cause: Cause, then: Mapping[str, str], here: Mapping[str, str]) -> list[Why]:
    changed = [name for name in dict.fromkeys((*then, *here)) if then.get(name) != here.get(name)]
    found = [Why(cause, f"{cause} {n}: {then.get(n, 'none')} → {here.get(n, 'none')}") for n in changed[:_MOST]]
    if len(changed) > _MOST:
        found.append(Why(cause, f"and {len(changed) - _MOST} more of its {cause}s"))
    return found


def _shown(value: float | None) -> str:
    return "none" if value is None else f"{value:g}"
