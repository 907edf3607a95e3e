"""Rises and falls: at least two cited values of one measurement, in the order and by the amount that is said."""

from __future__ import annotations

from collections.abc import Sequence

from cds_service.fhir.stated import Amount
from cds_service.summary.amounts import Number, agrees, as_unit
from cds_service.summary.claims import Claim
from cds_service.summary.comparing import doubled_or_halved
from cds_service.summary.degrees import degree_fits
from cds_service.summary.evidence import Part
from cds_service.summary.levels import level_of
from cds_service.summary.lexicon import Token, lexicon

_WORSE_HIGH = frozenset({
    "#creatinine", "#hba1c", "#glucose", "#bun", "#sbp", "#dbp", "#bp", "#ldl", "#cholesterol", "#triglyceride",
    "#uacr", "#crp", "#bnp",
    "#bilirubin", "#lactate", "#pain", "#urate", "#troponin", "#psa",
})  # fmt: skip
_WORSE_LOW = frozenset({"#egfr", "#hemoglobin", "#hdl", "#spo2", "#lvef", "#albumin", "#mmse"})
_STABLE = 0.1
_STEADY = {  # relative changes of what the body keeps within narrow limits
    "#temp": 0.01, "#spo2": 0.02, "#sodium": 0.02, "#potassium": 0.09, "#height": 0.01, "#weight": 0.04, "#bmi": 0.04,
    "#hba1c": 0.06, "#calcium": 0.05, "#hemoglobin": 0.07,
}  # fmt: skip
_FROM = frozenset({"from", "由", "从", "at", "was", "为"})
_EARLIER_VALUE = frozenset({"from", "compared with", "compared to", "versus", "vs", "较", "比", "由", "从"})
_LATER_VALUE = frozenset({"to", "at", "至", "到", "为", "降至", "升至"})
_BY = frozenset({"by", "了"})
_AMOUNTS = frozenset(
    {
        "down",
        "lost",
        "gained",
        "loss",
        "gain",
        "put on",
        "has put on",
        "增加",
        "减少",
        "下降",
        "上升",
        "增长",
        "减轻",
        "降低",
        "升高",
        "增高",
        "减",
        "增",
        "fell",
        "fallen",
        "dropped",
        "decreased",
        "increased",
        "rose",
        "risen",
        "has fallen",
        "has risen",
        "has dropped",
        "has decreased",
        "has increased",
    }
)  # before how much
Point = tuple[Part, Amount]


def trend_reasons(claim: Claim, about: Sequence[Part], said: set[str], counted: set[int]) -> list[str]:
    """What is wrong about a rise or fall. counted: the places of numbers that count things, as `two checks`."""
    series = max(_series([q for p in about for q in _own(p)]), key=len, default=[])
    numbers = [
        (at, t)
        for at, t in enumerate(claim.tokens)
        if t.number is not None and t.kind == "number" and at not in counted
    ]
    if len(series) < 2:
        return ["a change needs two dated values, and fewer are cited"]
    first, last = series[0], series[-1]
    if "range" in said:
        starts = [at for at, t in enumerate(claim.tokens) if t.text.lower() == "between" or t.value == "range"]
        after = [t.number for at, t in numbers if t.number is not None and at > (starts[0] if starts else -1)]
        return _ranged(series, after[:2])
    plain = [(at, t.number) for at, t in numbers if t.number is not None and not _delta(claim.tokens, at)]
    if len(plain) >= 2:
        one, other = _with_unit(plain[0][1], plain[1][1]), _with_unit(plain[1][1], plain[0][1])
        found = _ends(series, other, one) if _backwards(claim.tokens, plain[1][0]) else _ends(series, one, other)
        if found is None:
            return ["the values of the change are not those cited, or not in that order"]
        first, last = found
    elif len(plain) == 1:
        number = plain[0][1]
        start = _backwards(claim.tokens, plain[0][0]) or any(
            t.text.lower().endswith(("from", "由", "从")) for t in claim.tokens[max(0, plain[0][0] - 2) : plain[0][0]]
        )
        part, amount = first if start else last
        if not agrees(number, amount, part.source.codes):
            return [f"{number.value:g} is not the {'first' if start else 'last'} cited value"]
    if _denied(claim):
        flat = {"same"} if said == {"changed"} else said
        return [] if _direction(claim, flat, first, last) and flat == said else ["the cited values do show that change"]
    if "monotone" in said and not _monotone(series):
        return ["the cited values do not change steadily"]
    return _direction(claim, said, first, last) + _deltas(claim, numbers, first, last)


def _denied(claim: Claim) -> bool:
    """True for `has not risen`, `no significant change`: a denial stands before the word of change."""
    places = [at for at, t in enumerate(claim.tokens) if t.kind == "trend"]
    denials = [at for at, t in enumerate(claim.tokens) if t.kind == "deny"]
    return bool(places and denials) and min(denials) < max(places)


def _backwards(tokens: Sequence[Token], at: int) -> bool:
    """True for the second number of `rose to 64 in October from 58` and of `1.36, 较4月的1.37`: the earlier value."""
    before = [t for t in tokens[max(0, at - 4) : at] if t.when is None]
    for token in reversed(before):
        text = token.text.lower()
        if text in _EARLIER_VALUE or text.endswith(" from"):
            return True
        if text in _LATER_VALUE or token.kind not in ("neutral", "compare", "kind", "term"):
            return False
    return False


def several(about: Sequence[Part]) -> bool:
    """True if there are two dated values of one measurement at least."""
    return any(len(points) > 1 for points in _series(about))


def _own(part: Part) -> list[Part]:
    """A part, or the two components of a whole blood pressure."""
    if "#bp" in part.affirmed and not part.amounts:
        return [p for p in part.siblings if p.amounts] or [part]
    return [part]


def _ranged(series: list[Point], numbers: list[Number]) -> list[str]:
    """What is wrong about the two ends of a range."""
    ordered = sorted(series, key=lambda point: point[1].value)
    if len(numbers) != 2:
        return ["a range needs its two ends"]
    low, high = _with_unit(numbers[0], numbers[1]), numbers[1]
    ends = ((low, ordered[0]), (high, ordered[-1]))
    right = all(agrees(number, amount, part.source.codes) for number, (part, amount) in ends)
    return [] if right else ["the ends of the range are not the lowest and highest cited values"]


def _monotone(series: list[Point]) -> bool:
    values = [amount.value for _, amount in series]
    return len(values) > 2 and values in (sorted(values), sorted(values, reverse=True))


def told(claim: Claim) -> set[int]:
    """The places of the numbers that say the change itself: from, to and by."""
    found = [at for at, t in enumerate(claim.tokens) if t.number is not None and t.kind == "number"]
    deltas = {at for at in found if _delta(claim.tokens, at)}
    return deltas | set([at for at in found if at not in deltas][:2])


def _with_unit(number: Number, other: Number) -> Number:
    """A number without a unit takes that of the number after it: from 1.2 to 1.8 mg/dL."""
    return Number(number.value, number.unit or other.unit, number.decimals, number.end, number.digits)


def _series(about: Sequence[Part]) -> list[list[Point]]:
    """Dated values by what they measure, the earliest first."""
    found: dict[frozenset[str], list[Point]] = {}
    for part in about:
        value = next((a for a in part.amounts if a.path.startswith("value") and not a.comparator), None)
        if value is not None and part.moment is not None:
            terms = frozenset(t for t in part.affirmed if lexicon().classes.get(t) == "measure")
            key = terms or frozenset(str(c) for c in part.source.codes)
            if all(p.reference != part.reference for p, _ in found.setdefault(key, [])):
                found[key].append((part, value))
    for points in found.values():
        points.sort(key=lambda point: (point[0].moment is None, point[0].moment))
    return list(found.values())


def _ends(series: list[Point], start: Number, end: Number) -> tuple[Point, Point] | None:
    for n, first in enumerate(series):
        if agrees(start, first[1], first[0].source.codes):
            for last in reversed(series[n + 1 :]):
                if agrees(end, last[1], last[0].source.codes) and last[0].moment != first[0].moment:
                    return first, last
    return None


def _delta(tokens: Sequence[Token], at: int) -> bool:
    """True for the number of `by 0.6` and `by 50 %`."""
    before = [t for t in tokens[max(0, at - 3) : at] if t.text.lower() not in ("of", "a") and t.kind != "compare"]
    if before and before[-1].text.lower() in _AMOUNTS and not _goes_on(tokens, at):
        return True
    for token in reversed(tokens[max(0, at - 3) : at]):
        if token.text.lower() in _BY or token.text.lower().endswith(" by"):
            return True
        if token.kind not in ("neutral", "compare") or token.text.lower() in ("to", "至", "到"):
            return False
    return False


def _just_before(tokens: Sequence[Token], at: int) -> Sequence[Token]:
    return tokens[max(0, at - 2) : at]


def _goes_on(tokens: Sequence[Token], at: int) -> bool:
    """True for the first number of `lost 80 to 75 kg`."""
    return any(t.text.lower() in ("to", "至", "到", "→") for t in tokens[at + 1 : at + 2])


def _in(last: Point, unit: str | None) -> float:
    found = as_unit(unit, last[1], last[0].source.codes)
    return last[1].value if found is None else found


def _direction(claim: Claim, said: set[str], first: Point, last: Point) -> list[str]:
    before, now = first[1].value, _in(last, first[1].unit)
    change = (now - before) / abs(before) if before else now - before
    terms = {t.value for m in claim.mentions for t in m.tokens} | first[0].affirmed
    bad_up, bad_down = terms & _WORSE_HIGH, terms & _WORSE_LOW
    tests = {
        "up": change > 0,
        "down": change < 0,
        "same": abs(change) <= next((limit for term, limit in _STEADY.items() if term in terms), _STABLE),
        **doubled_or_halved(change, claim, claim.tokens),
        "worse": bool(bad_up and change > 0) or bool(bad_down and change < 0) or _off(last, change),
        "better": bool(bad_up and change < 0) or bool(bad_down and change > 0) or _off(first, -change),
        "changed": change != 0,
    }
    wrong = [f"the cited values do not show that ({value})" for value in sorted(said) if not tests.get(value, True)]
    far = all(degree_fits(degree, change) for degree in claim.values("degree"))
    return wrong if far or said & {"same", "range"} else [*wrong, "the change is not that large or small"]


def _off(point: Point, change: float) -> bool:
    """True if a change leads further out of the normal range from where a value already is."""
    level = level_of(point[0])
    return (level == "high" and change > 0) or (level == "low" and change < 0)


def _deltas(claim: Claim, numbers: list[tuple[int, Token]], first: Point, last: Point) -> list[str]:
    for at, token in numbers:
        number = token.number
        if number is None or not _delta(claim.tokens, at):
            continue
        before, now = first[1].value, _in(last, first[1].unit)
        if number.unit not in (None, "%"):
            ends = [as_unit(number.unit, amount, part.source.codes) for part, amount in (first, last)]
            if ends[0] is None or ends[1] is None:
                return [f"the change is not {token.text}"]
            before, now = ends[0], ends[1]
        difference = abs(now - before)
        limit = {t.value for t in _just_before(claim.tokens, at) if t.kind == "compare"} & {"gt", "ge", "lt", "le"}
        if limit and number.unit != "%":
            if (difference > number.value) == bool(limit & {"gt", "ge"}):
                continue
            return [f"the change is not {token.text}"]
        if number.unit == "%" and first[1].unit != "%":
            difference = 100 * difference / abs(before) if before else 0.0
        half = number.worded and number.value == 0.5
        more = any(t.kind == "compare" and t.value in ("gt", "ge") for t in claim.tokens)
        if half and before:
            share = difference / abs(before)
            if share > 0.5 if more else abs(share - 0.5) <= 0.05:
                continue
            return [f"the change is not {token.text}"]
        about = any(t.kind == "compare" and t.value == "about" for t in claim.tokens)
        tolerance = max(0.5 * 10.0**-number.decimals, (0.1 if about else 0.02) * difference)
        options = [difference, 100 * difference / abs(before)] if number.unit == "%" and before else [difference]
        if not any(abs(number.value - option) <= tolerance for option in options):
            return [f"the change is not {token.text}"]
    return []
