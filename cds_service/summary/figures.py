"""The numbers of a claim: counted things, compared limits, and values of what the claim names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from cds_service.fhir.stated import Amount
from cds_service.summary.amounts import Number, agrees, as_unit
from cds_service.summary.claims import Claim
from cds_service.summary.evidence import Part
from cds_service.summary.lexicon import Token
from cds_service.summary.limits import has_limit, limit_word, limits, outside

Group = list[Part]
MEDICATION = frozenset(
    {"MedicationRequest", "MedicationStatement", "MedicationAdministration", "Medication", "MedicationDispense"}
)
KINDS = {
    "Medication": MEDICATION,
    "Condition": frozenset({"Condition", "Encounter", "DiagnosticReport"}),
    "Procedure": frozenset(
        {"Procedure", "Observation", "DiagnosticReport", "ServiceRequest", "ImagingStudy", "Encounter"}
    ),
    "Encounter": frozenset({"Encounter"}),
    "CarePlan": frozenset({"CarePlan", "MedicationRequest", "Procedure", "ServiceRequest"}),
    "Device": frozenset({"Device", "DeviceUseStatement", "Procedure"}),
}
RANGE_WORDS = frozenset(
    {
        "range",
        "ref",
        "reference",
        "limit",
        "limits",
        "interval",
        "reference range",
        "upper limit",
        "lower limit",
        "参考范围",
        "参考",
        "上限",
        "下限",
        "参考值",
        "范围",
        "上限值",
    }
)
_SCHEDULE = frozenset({  # numbers of a timing: how often, never how much
    "sequence", "frequency", "frequencyMax", "period", "periodMax", "count", "numberOfRepeatsAllowed",
})  # fmt: skip
_COUNTED = frozenset({"Condition", "Procedure", "Encounter", "Immunization", "AllergyIntolerance"})
_OPPOSITE = {"gt": "le", "lt": "ge", "ge": "lt", "le": "gt"}
_PARTING = frozenset({"with", "on", "at", "in", "by", "from", "after", "despite", "伴", "时"})
MEASURE_WORDS = frozenset({"个", "项", "种", "次", "条", "例"})


def numbers(claim: Claim, named: list[Group], about: Group, counts: set[int], reasons: list[str]) -> Group:
    """The parts that hold the claim's numbers; adds a reason for each that none holds. counts: places of counts."""
    left: Group = []
    ranged = any(t.text.lower() in RANGE_WORDS or (t.kind == "level" and "r" in t.text) for t in claim.tokens)
    skip: set[int] = set()
    for at, token in enumerate(claim.tokens):
        if token.number is None or at in counts or at in skip:
            continue
        bound = _bound(claim, named, about, at)
        approximate = _roughly(claim.tokens, at)
        plural = _plural(claim, named, at)
        if plural is not None and token.number.worded and all(p.kind in _COUNTED for p in plural):
            if len({p.reference for p in plural}) != int(token.number.value):
                reasons.append(f"{token.text} are counted, {len({p.reference for p in plural})} are cited")
            continue
        comparison = _comparison(claim.tokens, at)
        upper = _range_end(claim.tokens, at)
        if comparison and upper is not None:
            skip.add(upper)
            second = claim.tokens[upper].number
            found = [p for p in bound if second is not None and outside(p, token.number, second, comparison)]
        elif comparison:
            limit = limit_word(claim.tokens, at)
            found = [p for p in bound if _compares(p, token, comparison)]
            found = [p for p in found if limit is None or has_limit(p, token.number, limit)]
        elif ranged and upper is not None and (second := claim.tokens[upper].number) is not None:
            skip.add(upper)
            found = [p for p in bound if limits(p, token.number, second)]
        elif (limit := limit_word(claim.tokens, at)) is not None:
            found = [p for p in bound if has_limit(p, token.number, limit)]
        elif token.second is not None:
            found = _pressed(bound, token, approximate)
        else:
            found = [p for p in bound if _has(p, token.number, claim, approximate)]
        if not found and plural is not None:
            if len({p.reference for p in plural}) != int(token.number.value):
                reasons.append(f"{token.text} are counted, {len({p.reference for p in plural})} are cited")
            continue
        if not found and not _idle(token, claim.tokens[at + 1 : at + 2]):
            reasons.append(
                f"{token.text} is not what is cited" + (f" for {claim.mentions[0].text}" if claim.mentions else "")
            )
        left += found
    return left


def _roughly(tokens: Sequence[Token], at: int) -> bool:
    """True if `about` stands just before a number, or 左右 just after it."""
    near = [*tokens[max(0, at - 2) : at], *tokens[at + 1 : at + 2]]
    return any(("compare", "about") in ((t.kind, t.value), *t.also) for t in near)


def _plural(claim: Claim, named: list[Group], at: int) -> Group | None:
    """The parts of the name that a number counts: two echocardiograms; None if it counts none."""
    number = claim.tokens[at].number
    if number is None or number.unit or number.decimals or len(named) != len(claim.mentions):
        return None
    for mention, group in zip(claim.mentions, named, strict=True):
        between = claim.tokens[at + 1 : mention.at]
        if mention.at > at and all(t.kind in ("neutral", "state", "kind", "form") for t in between):
            return (
                group
                if mention.tokens[-1].text.lower().endswith("s") or any(t.text in MEASURE_WORDS for t in between)
                else None
            )
    return None


def _idle(token: Token, following: Sequence[Token]) -> bool:
    """True for `one` that counts nothing: one of the problems."""
    if token.number is None or not token.number.worded or token.number.value != 1 or token.number.unit:
        return False
    return not following or following[0].text.lower() not in (
        "tablet",
        "capsule",
        "puff",
        "pill",
        "spray",
        "片",
        "粒",
        "tab",
    )


def _bound(claim: Claim, named: list[Group], about: Group, at: int) -> Group:
    """The parts that a number speaks of: of the nearest name before it, else of the nearest after it."""
    before = [n for n, m in enumerate(claim.mentions) if m.at < at]
    following = [n for n, m in enumerate(claim.mentions) if m.at > at]
    if not named or len(named) != len(claim.mentions):
        return about
    adjacent = [n for n in following if _leads(claim.tokens[at + 1 : claim.mentions[n].at])]
    if before:
        # `mg of metformin`: what follows at once takes the number, unless a name stands right before it
        close = all(
            t.kind in ("neutral", "kind", "route", "form") for t in claim.tokens[claim.mentions[before[-1]].end : at]
        )
        if adjacent and not close:
            return named[adjacent[0]]
        return named[before[-1]]
    return named[following[0]] if following else about


def _leads(between: Sequence[Token]) -> bool:
    """True if a number goes with the name after it: `40 mg of furosemide`, never `10.4 with an albumin`."""
    return all(t.kind in ("neutral", "form") and t.text.lower() not in _PARTING for t in between)


def _comparison(tokens: Sequence[Token], at: int) -> str | None:
    for n in range(at - 1, max(-1, at - 7), -1):
        token = tokens[n]
        if token.kind == "compare" and token.value != "about":
            denied = n > 0 and tokens[n - 1].kind == "deny"
            return _OPPOSITE[token.value] if denied else token.value
        if token.kind not in ("neutral", "compare"):
            return None
    return None


def _range_end(tokens: Sequence[Token], at: int) -> int | None:
    """The place of the second number of `0.6 to 1.2`."""
    for n in range(at + 1, min(at + 3, len(tokens))):
        if tokens[n].number is not None and tokens[n].kind == "number":
            return n if n > at + 1 else None
        if tokens[n].text.lower() not in ("to", "-", "–", "至", "~", "到"):
            return None
    return None


def _compares(part: Part, token: Token, comparison: str) -> bool:
    number = token.number
    assert number is not None
    if part.kind not in ("Observation",) and ("compare", comparison) in part.operators:
        wanted = {number.value} | ({token.second.value} if token.second is not None else set())
        return wanted <= {n.value for n in part.numbers}
    if token.second is not None:
        return False
    for amount in values(part):
        if amount.comparator:
            same = {">": "gt", "<": "lt", ">=": "ge", "<=": "le"}.get(amount.comparator)
            limit = as_unit(number.unit, amount, part.source.codes)
            if same == comparison and limit is not None and abs(limit - number.value) <= 1e-6 * abs(number.value):
                return True
            continue
        value = as_unit(number.unit, amount, part.source.codes)
        if value is not None and _holds(value, comparison, number.value):
            return True
    return False


def _holds(value: float, comparison: str, limit: float) -> bool:
    tests: dict[str, Callable[[float, float], bool]] = {
        "gt": lambda a, b: a > b, "lt": lambda a, b: a < b, "ge": lambda a, b: a >= b, "le": lambda a, b: a <= b,
    }  # fmt: skip
    return tests[comparison](value, limit)


def values(part: Part) -> list[Amount]:
    """The measured values of an Observation, all amounts of another resource."""
    if part.kind == "Observation":
        return [a for a in part.amounts if a.path.startswith("value")]
    return [a for a in part.amounts if a.path.rpartition(".")[2] not in _SCHEDULE and "initialFill" not in a.path]


def _pressed(bound: Group, token: Token, approximate: bool) -> Group:
    """Parts that hold both numbers of `142/88`: a blood pressure, or two strengths of one medicine."""
    first, second = token.number, token.second
    assert first is not None
    assert second is not None
    found = [p for p in bound if _paired(p, first, second) or _strengths(p, first, second)]
    for part in bound:
        siblings = [p for p in _family(part) if p.reference == part.reference]
        top = any("#sbp" in p.affirmed and _matches(p, first, approximate) for p in siblings)
        low = any("#dbp" in p.affirmed and _matches(p, second, approximate) for p in siblings)
        if top and low:
            found.append(part)
    return found


def _paired(part: Part, first: Number, second: Number) -> bool:
    """True if a part's text has both numbers as one, in the same unit if the sentence has one."""
    units = {n.unit for n in part.numbers if n.value in (first.value, second.value)}
    return (first.value, second.value) in part.pairs and (first.unit is None or first.unit in units)


def _strengths(part: Part, first: Number, second: Number) -> bool:
    """True for `10/10 mg` of a product named 10 mg/10 mg."""
    following = zip(part.numbers, part.numbers[1:], strict=False)
    return bool(second.unit) and any(
        a.unit == b.unit == second.unit and (a.value, b.value) == (first.value, second.value) for a, b in following
    )


def _family(part: Part) -> Group:
    return part.siblings or [part]


def _matches(part: Part, number: Number, approximate: bool) -> bool:
    return any(agrees(number, a, part.source.codes, about=approximate) for a in values(part))


def figure(part: Part, token: Token, claim: Claim) -> bool:
    """True if a part holds the number, or both numbers of a pressure."""
    if token.number is None:
        return False
    if token.second is not None:
        return bool(_pressed([part], token, False))
    return _has(part, token.number, claim, "about" in claim.values("compare"))


def _beside(part: Part, number: Number) -> bool:
    """True for the 1 L/min of `90 % on 1 L/min`: another component of the same resource, in a unit of its own."""
    own = values(part)
    if not number.unit or not own or any(as_unit(number.unit, a, part.source.codes) is not None for a in own):
        return False
    return any(_matches(p, number, False) for p in part.siblings if p is not part and p.reference == part.reference)


def _has(part: Part, number: Number, claim: Claim, approximate: bool) -> bool:
    following = next((b for a, b in pairwise(claim.tokens) if a.number is number), None)
    if part.strength is not None and number.unit and following is not None and following.kind == "form":
        return part.strength == number.value  # 2 mg capsules are capsules of 2 mg
    if part.strength == number.value and number.unit and claim.of("freq") and not claim.of("form"):
        return False  # 1 mg every 12 hours, of two capsules of 1 mg
    if _matches(part, number, approximate) or _beside(part, number):
        return True
    if number.unit == "L" and "#oxygen_flow" in part.affirmed:  # 2 L of oxygen
        return any(a.unit == "L/min" and a.value == number.value for a in values(part))
    drugs = {t.value for m in claim.mentions for t in m.tokens if t.kind == "term"} & set(part.doses)
    if drugs and number.unit:
        given = [part.doses[drug] for drug in drugs]
        return any(agrees(number, Amount(n.value, n.unit, None, "text"), ()) for n in given)
    return any(
        agrees(number, Amount(n.value, n.unit, None, "text"), part.source.codes, about=False)
        for n in part.numbers
        if n.unit or not number.unit
    )
