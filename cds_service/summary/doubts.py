"""Whether what a sentence is sure of is sure in the record: suspected or known, planned or done."""

from __future__ import annotations

import re

from cds_service.summary.claims import Claim
from cds_service.summary.evidence import Part

Group = list[Part]
_BOOKED = re.compile(r"(?i)(?:is |has been )?booked|已预约")
_ASKED = re.compile(
    r"(?i)^(?:please |to |plans? (?:is )?(?:to )?|will |should |recommend(?:ed)? (?:to )?)?(?:follow[- ]?up|repeat"
    r"|consider|recommend|schedule|arrange|refer|return|recheck|restart|recommence|check|obtain|order|start|begin|stop|hold|continue|resume"
    r"|increase|decrease|reduce|taper|monitor|avoid|give|administer|discuss|trial|plan(?:ned)?)\b|^(?:拟|建议|计划|嘱|请)"
)
_HEADING = re.compile(r"^[^：:。，,]{1,24}[：:]\s*")
_HAPPENED = frozenset({
    "took place", "occurred", "happened", "attended", "attended for", "completed", "finished", "has taken place",
    "was completed", "已完成", "完成",
})  # fmt: skip
_NOT_DONE_YET = frozenset({"ServiceRequest", "Appointment", "CarePlan", "Goal", "DeviceRequest", "Task"})


def certainty(claim: Claim, named: list[Group]) -> list[str]:
    """What is wrong about a suspicion: said where the record is sure, or left out where it only suspects."""
    hedged = "suspected" in claim.values("certainty")
    doubt = _doubt(claim, named, hedged)
    if doubt is not None:
        return doubt
    for group in named:
        whole = any(t.value.startswith("@") for m in claim.mentions for t in m.tokens)
        if group and all(p.suspected for p in group) and not hedged and not whole:
            return ["the record only suspects it"]
        if group and hedged and not any(p.suspected for p in group):
            return ["it is said to be suspected, and the record does not say so"]
    return []


def _doubt(claim: Claim, named: list[Group], hedged: bool) -> list[str] | None:
    """What is wrong about names that a visit only asks after (`thrombosis?`); None where there are none."""
    if len(named) != len(claim.mentions):
        return None
    asked = False
    for mention, group in zip(claim.mentions, named, strict=True):
        values = {t.value for t in mention.tokens if t.kind in ("term", "word")}
        if group and values and all(values & p.doubted and not values <= p.affirmed for p in group):
            asked = True
            if not hedged:
                return ["the record only suspects it"]
    return [] if asked else None


def planned(claim: Claim, about: Group) -> list[str]:
    """What is wrong about a plan: said of what is done, or done said of what is only planned."""
    said = claim.values("time")
    pending = [p for p in about if p.kind in _NOT_DONE_YET or p.state == "planned" or (p.text and asks(p.text))]
    over = [p for p in about if p not in pending]
    if any(_BOOKED.match(t.text) for t in claim.of("time")) and not any(_is_booked(p) for p in about):
        return ["it is said to be booked, and the record does not say so"]
    if "planned" in said and not pending and not any(("time", "planned") in p.operators for p in over):
        return ["it is said to be planned, and the record says that it is done"]
    happened = any(t.text.lower() in _HAPPENED for t in claim.tokens) and not any(p.state == "past" for p in about)
    if ("done" in said or happened) and about and not over and not all(p.kind == "CarePlan" for p in pending):
        return ["it is said to be done, and the record only plans it"]
    return []


def asks(text: str) -> bool:
    """True for a sentence of a document that asks for something: `Repeat CT in 6 months`, `Plan: start aspirin`."""
    plain = text.strip()
    return _ASKED.search(plain) is not None or _ASKED.search(_HEADING.sub("", plain)) is not None


def _is_booked(part: Part) -> bool:
    return part.kind == "Appointment" and part.source.status == "booked"
