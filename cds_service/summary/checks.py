"""What a claim says of the things that it names, checked part by part: numbers, times, status, trends, sides."""

from __future__ import annotations

from itertools import pairwise

from cds_service.fhir.stated import Json
from cds_service.summary.chart import Chart
from cds_service.summary.claims import Claim
from cds_service.summary.comparing import against_then
from cds_service.summary.counting import counts
from cds_service.summary.doubts import certainty, planned
from cds_service.summary.evidence import Part
from cds_service.summary.figures import KINDS, RANGE_WORDS, numbers
from cds_service.summary.leveling import against_before, beyond_range, is_level, level_reasons, moved, written
from cds_service.summary.levels import DERIVED
from cds_service.summary.links import COMPLICATED
from cds_service.summary.order import before_or_after
from cds_service.summary.placing import time_reasons
from cds_service.summary.ranks import rank_reasons
from cds_service.summary.trends import several, told, trend_reasons

_STATEFUL = frozenset({
    "Condition", "MedicationRequest", "MedicationStatement", "AllergyIntolerance", "CarePlan", "DeviceUseStatement",
    "Goal", "Encounter", "Device",
})  # fmt: skip
_DOCUMENTS = frozenset({"DocumentReference", "Composition", "DiagnosticReport", "ClinicalImpression"})
_SEEN = frozenset({"visit", "appointment", "consultation", "clinic visit", "就诊", "门诊"})
_ARRIVAL = frozenset({"admission", "arrival", "on arrival", "入院", "到院"})
_TREATED = frozenset({"treated with", "treatment with", "治疗"})
_AROUND = 86_400.0  # seconds
_ACTS = frozenset({"Procedure", "Immunization"})
_GOING_ON = frozenset({
    "currently", "current", "ongoing", "receiving", "receives", "is receiving", "in progress", "presently",
    "at present", "still", "continues", "continues on", "目前", "正在", "仍",
})  # fmt: skip
_PRESENT = _GOING_ON | frozenset({
    "active", "now", "persists", "suffers from", "suffering from", "lives with", "living with", "existing",
    "has active",    "活动性", "活动期", "仍在", "现患", "尚", "持续", "当前", "存在", "present",
})  # fmt: skip
_SPANNING = frozenset({"since", "has", "have", "自", "以来", "伴有", "合并", "存在", "has had since"})
_EARLIER = frozenset({"previously", "previous", "formerly", "曾", "曾经", "既往", "以前", "past"})
_MEDICINES = frozenset({"MedicationRequest", "MedicationStatement"})
Group = list[Part]


def check(claim: Claim, named: list[Group], about: Group, usable: Group, chart: Chart) -> tuple[Group, list[str]]:
    """The parts that the claim's numbers leave, and what is wrong.

    named: for each of the claim's names the parts that bear it. about: all of them, or what was spoken of before.
    """
    reasons: list[str] = []
    counted = counts(claim, usable, reasons)
    trend = claim.values("trend") - written(about, "trend")
    trend |= against_before(claim)
    trend -= {"up", "down"} if is_level(claim, about) and not moved(claim) else set()
    trend |= against_then(claim, about) if not beyond_range(claim.tokens) else set()
    alone = not trend and not {"compare", "level"} & {t.kind for t in claim.tokens}
    if alone and _dashed(claim) and several(about) and all(p.kind == "Observation" for p in about):
        trend = trend | {"range"}
    if _between(claim) is not None and "range" not in trend and several(about):
        trend = trend | {"range"}
    if _from_to(claim) and not trend and several(about) and all(p.kind == "Observation" for p in about):
        trend = {"changed"}
    arrows = any(t.text in ("→", "->") for t in claim.tokens)
    if trend or arrows:
        reasons += trend_reasons(claim, about, trend, counted)
        numbers(claim, [], about, counted | told(claim), reasons)
        left: Group = []
    else:
        left = numbers(claim, named, about, counted, reasons)
    narrowed = left or about
    reasons += time_reasons(claim, named, narrowed, about, chart)
    reasons += _states(claim, named, narrowed)
    reasons += _kinds(claim, about, usable, chart)
    reasons += level_reasons(claim, narrowed, named)
    reasons += rank_reasons(claim, narrowed, usable, chart)
    reasons += _doses(claim, narrowed) + _forms(claim, narrowed)
    reasons += _causes(claim, named, about)
    return narrowed, reasons


def _from_to(claim: Claim) -> bool:
    """True for `from 2.10 to 1.10`: two values in the order of time."""
    for at, token in enumerate(claim.tokens[:-3]):
        rest = claim.tokens[at + 1 : at + 4]
        if token.text.lower() in ("from", "由", "从") and rest[0].number is not None and rest[2].number is not None:
            return rest[1].text.lower() in ("to", "至", "到")
    return False


def _dashed(claim: Claim) -> bool:
    """True for `113–117`, of several values their range."""
    if any(t.text in ("→", "->") or t.text.lower() in RANGE_WORDS for t in claim.tokens):
        return False
    numbered = [at for at, t in enumerate(claim.tokens[:-2]) if t.number is not None and t.kind == "number"]
    return any(claim.tokens[n + 1].text in ("-", "–", "~") and claim.tokens[n + 2].number for n in numbered)


def _between(claim: Claim) -> int | None:
    """The place of `between 113 and 117`; None if the claim has none."""
    for at, token in enumerate(claim.tokens[:-3]):
        numbered = claim.tokens[at + 1].number is not None and claim.tokens[at + 3].number is not None
        if token.text.lower() == "between" and numbered and claim.tokens[at + 2].text.lower() == "and":
            return at
    return None


def _states(claim: Claim, named: list[Group], narrowed: Group) -> list[str]:
    reasons = []
    said = claim.values("state")
    denied = any(m.denied for m in claim.mentions) or bool(claim.of("deny"))
    said |= {"active"} if _is_now(claim) else set()
    going_on = any(t.kind == "state" and t.text.lower() in _GOING_ON for t in claim.tokens)
    for group in named or [narrowed]:
        if going_on and not denied and group and all(p.kind in _ACTS and p.state == "past" for p in group):
            reasons.append("it is said to go on, and the record says that it is completed")
        stateful = [p for p in group if p.kind in _STATEFUL and p.state]
        if not stateful:
            over = said & {"past", "stopped", "held"}
            if over and group and all(p.kind == "Observation" and not p.text for p in group):
                written = {v for p in group for k, v in p.operators if k == "state"}
                reasons += [] if over & written else ["a measurement cannot be over"]
            continue
        states = {p.state for p in stateful}
        earlier = any(t.kind == "neutral" and t.text.lower() in _EARLIER for t in claim.tokens)
        if earlier and states == {"active"} and all(p.kind in _MEDICINES for p in stateful):
            reasons.append("it is said to have been taken earlier, and the record says that it is active")
        present = any(t.kind == "state" and t.text.lower() in _PRESENT for t in claim.tokens)
        if present and not denied and states == {"history"}:
            reasons.append("it is said to be present, and the record gives it as history")
        if "active" in said and not denied and not said & {"past", "stopped", "completed", "held"}:
            needs = [p for p in stateful if p.kind != "Encounter" or _at_present(claim)]
            if needs and not any(p.state in ("active", "history") for p in needs):
                reasons.append("it is said to be current, and the record says that it is not")
        written = {v for p in stateful for k, v in p.operators if k == "state"}  # in remission, in the name itself
        over = said & {"past", "stopped", "completed"} - written
        if over and not denied and states <= {"active", "planned", "history"}:
            reasons.append("it is said to be over, and the record says that it is active")
        if (
            "stopped" in said
            and not denied
            and not any(
                p.source.status in ("stopped", "cancelled", "ended", "revoked") or p.source.clinical for p in stateful
            )
        ):
            reasons.append("it is said to have been stopped, which the record does not say")
        if "held" in said and not any(p.source.status == "on-hold" for p in stateful):
            reasons.append("it is said to be on hold, which the record does not say")
    reasons += certainty(claim, named)
    reasons += planned(claim, narrowed)
    return reasons


def _at_present(claim: Claim) -> bool:
    """True if a claim says that a visit goes on: in progress, still in hospital."""
    said = [t for t in claim.tokens if ("state", "active") in ((t.kind, t.value), *t.also)]
    return any(t.text.lower() not in _SPANNING for t in said)


def _is_now(claim: Claim) -> bool:
    """True for `she is overweight`: a person, is, and the name at once."""
    texts = [t.text.lower() for t in claim.tokens]
    for mention in claim.mentions:
        before = [t for t in texts[: mention.at] if t not in ("a", "an", "also")]
        if before[-1:] == ["is"] and before[-2:-1] and before[-2] in ("she", "he", "patient", "the patient"):
            return True
    return False


def _kinds(claim: Claim, about: Group, usable: Group, chart: Chart) -> list[str]:
    reasons = []
    group = about or usable
    for token in claim.of("kind"):
        value = token.value if token.kind == "kind" else next(v for k, v in token.also if k == "kind")
        wanted = KINDS.get(value, frozenset({value})) | _DOCUMENTS
        if token.text.lower() in _SEEN:
            wanted |= {"Appointment"}
        if token.text.lower() in ("dose", "doses"):
            wanted |= {"Immunization"}
        if token.text.lower() in _ARRIVAL and any(_at_arrival(p, chart) for p in group):
            continue
        if (
            token.text.lower() in _SEEN
            and "latest" in claim.values("rank")
            and any(_when_seen(p, chart) for p in group)
        ):
            continue
        words = any(("kind", value) in p.operators for p in group)
        if "prescribed" in token.text.lower():
            wanted |= {"ServiceRequest"}
        if token.text.lower() in _TREATED:
            wanted |= {"Procedure"}
        beside = value == "Medication" and all(p.kind == "Condition" for p in group) and usable
        beside = beside or (value == "Encounter" and before_or_after(claim, token) and usable)
        if not words and not any(p.kind in wanted for p in (beside or group)):
            reasons.append(f"what is cited is no {token.text}")
        denied = len(claim.of("deny")) % 2 == 1 and not claim.mentions and "count" not in {t.kind for t in claim.tokens}
        if denied and value == "Encounter" and any(p.kind == "Encounter" for p in group):
            reasons.append("what is cited is a visit or stay")
        if (
            value == "AllergyIntolerance"
            and not claim.mentions
            and not len(claim.of("deny")) % 2
            and _no_allergy(group)
        ):
            reasons.append("what is cited says that there is no allergy")
    return reasons


def _no_allergy(group: Group) -> bool:
    return bool(group) and all({"#nka", "#nkda"} & p.affirmed for p in group if p.kind == "AllergyIntolerance")


def _at_arrival(part: Part, chart: Chart) -> bool:
    """True for what was recorded within a day of the start of a stay, as `on admission` says."""
    if part.kind not in ("Observation", "Condition", "Procedure") or part.moment is None:
        return False
    for stay in chart.of_kind("Encounter"):
        start = next((m.span.start for m in stay.dates if m.path.endswith(".start")), None)
        near = start is not None and -_AROUND <= (part.moment - start).total_seconds() <= _AROUND
        if near and _is_stay(stay.json):
            return True
    return False


def _when_seen(part: Part, chart: Chart) -> bool:
    """True for a measurement of the day of a visit, as `at the last visit` says."""
    if part.kind != "Observation" or part.moment is None:
        return False
    starts = [m.span.start for visit in chart.of_kind("Encounter") for m in visit.dates if m.path.endswith(".start")]
    return any(start.date() == part.moment.date() for start in starts)


def _is_stay(row: Json) -> bool:
    class_ = row.get("class")
    return isinstance(class_, dict) and class_.get("code") in ("IMP", "EMER", "ACUTE", "NONAC", "OBSENC", "SS")


def _doses(claim: Claim, about: Group) -> list[str]:
    reasons = []
    for kind in ("freq", "route"):
        for token in claim.of(kind):
            value = token.value if token.kind == kind else next(v for k, v in token.also if k == kind)
            if any(_taken(p, kind, value) for p in about):
                continue
            reasons.append(f"{token.text} is not what is cited")
    return reasons


def _forms(claim: Claim, about: Group) -> list[str]:
    """What is wrong about tablets and capsules: the cited medicine comes in another form."""
    said = claim.values("form")
    known = {v for p in about for k, v in p.operators if k == "form"}
    return [f"the form is not {value}" for value in sorted(said - known) if known and about]


def _taken(part: Part, kind: str, value: str) -> bool:
    found = {v for k, v in part.operators if k == kind}
    if value in found:
        return True
    if kind == "freq":
        return value == "1" and bool(found & {"1m", "1n"})
    if value == "oral":
        return bool({"tablet", "capsule", "片", "chewable"} & part.affirmed) and not found
    return value == "injection" and bool(found & {"iv", "sc", "im"})


def _causes(claim: Claim, named: list[Group], about: Group) -> list[str]:
    said = claim.values("cause") | ({"due"} if _from_another(claim, named) else set())
    if "due" in said:
        inside = any(
            ("cause", "due") in p.operators and (not p.text or all(p in group for group in named)) for p in about
        )
        allergy = any(p.kind == "AllergyIntolerance" for p in about)
        linked = any(p.reasons for p in about)
        by = {t.text.lower() for t in claim.of("cause")}
        left = bool(by) and by <= COMPLICATED  # judged by `follow_reasons`
        if not inside and not allergy and not linked and not left:
            return ["the record does not name that cause"]
    in_text = any(p.text and ("cause", "shown") in p.operators for p in about)
    if "shown" in said and not in_text and not _by_definition(claim, named):
        return ["the record does not say that the one shows the other"]
    return []


def _by_definition(claim: Claim, named: list[Group]) -> bool:
    """True for `eGFR 40, consistent with reduced kidney function`: what it is consistent with is what it is called."""
    told = zip(claim.mentions, named, strict=True) if len(named) == len(claim.mentions) else ()
    after = [(m, g) for m, g in told if m.at > min(n for n, t in enumerate(claim.tokens) if t in claim.of("cause"))]
    return bool(after) and all(
        {t.value for t in m.tokens} <= DERIVED and all(p.kind == "Observation" for p in g) for m, g in after
    )


def _from_another(claim: Claim, named: list[Group]) -> bool:
    """True for `A from B` where B is a condition: a cause, said in the plainest way."""
    if len(named) != len(claim.mentions):
        return False
    for (one, _), (other, cause) in pairwise(zip(claim.mentions, named, strict=True)):
        between = [t.text.lower() for t in claim.tokens[one.end : other.at]]
        if "from" in between and all(p.kind == "Condition" for p in cause):
            return True
    return False
