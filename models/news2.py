"""NEWS2: the National Early Warning Score, with the interval of possible totals if observations are missing.

Source: Royal College of Physicians. National Early Warning Score (NEWS) 2. London: RCP, 2017; charts 1 to 4.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor, inf
from typing import Any

from cds_service.api import (
    Band,
    Baseline,
    Citation,
    Contribution,
    EstimateKind,
    Explanation,
    Feature,
    FeatureValue,
    FeatureValues,
    Message,
    NotEstimated,
    PublishedScore,
    Reason,
    Refusal,
    Result,
    RiskEstimate,
    Scale,
    Unusable,
    catalogue,
    msg,
    published,
)

ID, VERSION = "news2", "1.2.0"
YOUNGEST = 16
TAKEN_TOGETHER = timedelta(hours=4)  # the shortest interval at which the RCP asks for a new set at 1 to 4 points

# Chart 1: (highest value of the row, points), lowest first; values as charted, temperature to 0.1 Cel.
Rows = tuple[tuple[float, int], ...]
RESPIRATORY_RATE: Rows = ((8, 3), (11, 1), (20, 0), (24, 2), (inf, 3))  # /min
SPO2_SCALE_1: Rows = ((91, 3), (93, 2), (95, 1), (inf, 0))  # %
SPO2_SCALE_2: Rows = ((83, 3), (85, 2), (87, 1), (inf, 0))  # %, target 88-92 %: on air, and up to 92 on oxygen
SPO2_SCALE_2_OXYGEN: Rows = ((83, 3), (85, 2), (87, 1), (92, 0), (94, 1), (96, 2), (inf, 3))  # %, on oxygen
TEMPERATURE: Rows = ((35.0, 3), (36.0, 1), (38.0, 0), (39.0, 1), (inf, 2))  # Cel
SYSTOLIC: Rows = ((90, 3), (100, 2), (110, 1), (219, 0), (inf, 3))  # mm[Hg]
HEART_RATE: Rows = ((40, 3), (50, 1), (90, 0), (110, 1), (130, 2), (inf, 3))  # /min
OXYGEN = {False: 0, True: 2}
CONSCIOUSNESS = {"A": 0, "C": 3, "V": 3, "P": 3, "U": 3}

URGENT, EMERGENCY = 5, 7  # chart 2: thresholds of the total
SINGLE = 3  # chart 2: points of one parameter that need a review by themselves
HIGHEST = {"rr": 3, "spo2": 3, "o2": 2, "temp": 3, "sbp": 3, "hr": 3, "acvpu": 3}

FEATURES: dict[str, Feature] = {
    "rr": catalogue.RESPIRATORY_RATE_ACUTE,
    "spo2": catalogue.SPO2_ACUTE,
    "o2": catalogue.SUPPLEMENTAL_OXYGEN,
    "temp": catalogue.TEMPERATURE_ACUTE,
    "sbp": catalogue.SBP_ACUTE,
    "hr": catalogue.HEART_RATE_ACUTE,
    "acvpu": catalogue.CONSCIOUSNESS,
}
GATES = ((catalogue.PREGNANCY, msg("NEWS2 is not for pregnancy")),)
CONSCIOUSNESS_WORDS = {
    "A": msg("alert"),
    "C": msg("new confusion"),
    "V": msg("responds to voice"),
    "P": msg("responds to pain"),
    "U": msg("unresponsive"),
}
BANDS = {
    "low": Band("low", msg("low, 0 to 4: ward-based response")),
    "low-medium": Band("low-medium", msg("low-medium, 3 in one parameter: urgent ward-based review")),
    "medium": Band("medium", msg("medium, 5 to 6: urgent response")),
    "high": Band("high", msg("high, 7 or more: emergency response")),
    "undetermined": Band("undetermined", msg("undetermined: observations are missing")),
}
SCALE_2_NOTE = msg("SpO2 is scored on scale 2: a target of 88% to 92% is prescribed.")
RETAINERS = (catalogue.HYPERCAPNIA, catalogue.COPD)  # in whom a clinician may have to choose scale 2
AGE_UNKNOWN = msg("The patient's age is not known: this holds from age {low} on.", low=YOUNGEST)
FEWEST_POINTS = msg("zero points; observations that are missing count none, so the sum is the least possible total")


@dataclass(frozen=True, slots=True)
class Score:
    """Points by parameter at the least possible total, and the bounds of the total.

    points: parameter -> points; a missing parameter is absent.
    """

    points: Mapping[str, int]
    low: int
    high: int

    @property
    def complete(self) -> bool:
        """True if all seven parameters were observed."""
        return len(self.points) == len(HIGHEST)

    @property
    def risk(self) -> str:
        """The id of the band: that of the highest threshold which the least possible total reaches."""
        if self.low >= EMERGENCY:
            return "high"
        if self.low >= URGENT:
            return "medium"
        if SINGLE in self.points.values():
            return "low-medium"
        return "low" if self.complete else "undetermined"


def score(observed: Mapping[str, float | bool | str], scale_2: bool) -> Score:
    """NEWS2 of the observed parameters (a missing one is absent or None).

    observed: rr and hr in /min, spo2 in %, temp in Cel, sbp in mm[Hg], o2 yes or no, acvpu A, C, V, P or U.
    scale_2: a clinician prescribed an SpO2 target of 88-92 %.
    """
    seen = {name: observed[name] for name in HIGHEST if observed.get(name) is not None}
    possible = (bool(seen["o2"]),) if "o2" in seen else (False, True)
    by_oxygen = [_points(seen, oxygen, scale_2) for oxygen in possible]
    unseen = sum(HIGHEST[name] for name in HIGHEST if name not in seen and name != "o2")
    totals = [sum(points.values()) for points in by_oxygen]
    least = by_oxygen[0]  # air never scores more than oxygen
    if "o2" not in seen:
        least = {name: points for name, points in least.items() if name != "o2"}
    return Score(least, low=totals[0], high=totals[-1] + unseen)


def _points(seen: Mapping[str, float | bool | str], oxygen: bool, scale_2: bool) -> dict[str, int]:
    """Points of each parameter seen, and of oxygen, if oxygen is (not) given."""
    spo2 = SPO2_SCALE_1 if not scale_2 else SPO2_SCALE_2_OXYGEN if oxygen else SPO2_SCALE_2
    rows = {"rr": RESPIRATORY_RATE, "spo2": spo2, "temp": TEMPERATURE, "sbp": SYSTOLIC, "hr": HEART_RATE}
    points = {"o2": OXYGEN[oxygen]}
    for name, value in seen.items():
        if name in rows:
            points[name] = _row(rows[name], as_charted(name, float(value)))
        elif name == "acvpu":
            points[name] = CONSCIOUSNESS[str(value)]
    return points


def _row(rows: Rows, value: float) -> int:
    return next(points for highest, points in rows if value <= highest)


def as_charted(name: str, value: float) -> float:
    """A value as it is written on the chart: temperature to 0.1 Cel, everything else to a whole number."""
    return round(value, 1) if name == "temp" else floor(value + 0.5)


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """Total, risk and points for one vector case; a total only if all parameters are given."""
    result = score(inputs, bool(inputs.get("scale2")))
    return {
        "total": result.low if result.complete else None,
        "risk": result.risk,
        "components": {name: result.points.get(name) for name in HIGHEST},
        "low": result.low,
        "high": result.high,
    }


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """Total and points for one GDL fixture, whose scale 2 is chosen by hypercapnic respiratory failure."""
    measured = {
        "rr": "Respiration rate",
        "spo2": "spO2",
        "temp": "Temperature",
        "sbp": "Systolic BP",
        "hr": "Heart rate",
    }
    observed: dict[str, float | bool | str] = {ours: inputs[theirs]["value"] for ours, theirs in measured.items()}
    observed["o2"] = inputs["Supplemental oxygen"]["label"] != "Room air"
    observed["acvpu"] = "A" if inputs["Consciousness"]["label"] == "Alert" else "C"
    result = score(observed, inputs["Hypercapnic respiratory failure"]["label"] == "Yes")
    names = {
        "Respiratory rate": "rr",
        "SpO2": "spo2",
        "Temperature": "temp",
        "Systolic blood pressure": "sbp",
        "Pulse": "hr",
    }
    shown = {theirs: {"points": float(result.points[ours])} for theirs, ours in names.items()}
    return {"Total score": result.low, **shown}


def compute(values: FeatureValues) -> Result:
    """NEWS2, or the interval of possible totals, from observations taken together within the last day.

    Age decides whether it applies and adds no points. Where it is not known the total is given on that condition: who
    is brought in without papers must not lack an alarm.
    """
    known_age = values.usable(catalogue.AGE)
    age = published.whole_years(known_age) if known_age is not None else None
    if age is not None and age < YOUNGEST:
        return published.not_applicable(ID, msg("NEWS2 is for age {low} and over; age is {age}", low=YOUNGEST, age=age))
    if gate := published.first_true(values, GATES):
        return published.not_applicable(ID, gate)
    found, missing = _taken_together(values)
    if not found:
        reason = published.not_calculated([fault.words for fault in missing.values()])
        return NotEstimated(ID, Refusal.INPUT, reason, tuple(missing.values()))
    return (_estimate(values, found, missing),)


def _taken_together(values: FeatureValues) -> tuple[dict[str, FeatureValue], dict[str, Unusable]]:
    """The observations of the latest set, and the parameters that it lacks with the reason."""
    usable = {name: values.usable(feature) for name, feature in FEATURES.items()}
    times = [value.effective for value in usable.values() if value is not None and value.effective is not None]
    latest = max(times, default=values.as_of)
    found: dict[str, FeatureValue] = {}
    missing: dict[str, Unusable] = {}
    for name, value in usable.items():
        if value is None:
            missing[name] = values.unusable((FEATURES[name],))[0]
        elif value.effective is None or latest - value.effective > TAKEN_TOGETHER:
            missing[name] = _not_of_the_set(value)
        else:
            found[name] = value
    return found, missing


def _not_of_the_set(value: FeatureValue) -> Unusable:
    label, time = value.feature.label, value.effective
    if time is None:
        words = msg("{label} has no time of observation", label=label)
    else:
        words = msg("{label} of {time} is over 4 hours older than the latest observations", label=label, time=time)
    return Unusable(value.feature, Reason.STALE, words, time, value.sources)


def _estimate(
    values: FeatureValues, found: Mapping[str, FeatureValue], missing: Mapping[str, Unusable]
) -> RiskEstimate:
    target = values.usable(catalogue.SPO2_SCALE_2)
    scale_2 = target is not None and bool(target.value)
    result = score({name: value.value for name, value in found.items()}, scale_2)
    times = [value.effective for value in found.values() if value.effective is not None]
    inputs = (*found.values(), *((target,) if target is not None and scale_2 else ()))
    taken = _taken(min(times), max(times))
    scale = (SCALE_2_NOTE,) if scale_2 else _other_scale(values, found, result)
    return RiskEstimate(
        model_id=ID,
        version=VERSION,
        kind=EstimateKind.POINTS,
        outcome="news2",
        outcome_words=msg("NEWS2"),
        horizon_years=None,
        value=float(result.low),
        unit="1",
        band=BANDS[result.risk],
        explanation=Explanation(
            scale=Scale.POINTS,
            baseline_kind=Baseline.ZERO,
            baseline=0.0,
            baseline_words=FEWEST_POINTS if missing else msg("zero points"),
            contributions=_contributions(result, found, missing),
            output=float(result.low),
        ),
        inputs=inputs,
        not_measured=tuple(missing.values()),
        high=None if result.complete else float(result.high),
        effective=min(times),
        notes=(*_condition(values), *scale, taken, *published.remarks(found.values())),
    )


def _condition(values: FeatureValues) -> tuple[Message, ...]:
    return () if values.usable(catalogue.AGE) is not None else (AGE_UNKNOWN,)


def _contributions(
    result: Score, found: Mapping[str, FeatureValue], missing: Mapping[str, Unusable]
) -> tuple[Contribution, ...]:
    """One a parameter in the order of the chart; a missing one without value and points."""
    return tuple(
        published.contribution(float(result.points[name]), (found[name],), answers=CONSCIOUSNESS_WORDS)
        if name in found
        else published.not_measured(missing[name])
        for name in FEATURES
    )


def _other_scale(values: FeatureValues, found: Mapping[str, FeatureValue], result: Score) -> tuple[Message, ...]:
    """What scale 2 would give where a clinician may have to choose it; it is never inferred from a diagnosis."""
    known = next((feature for feature in RETAINERS if feature in values and values.flag(feature)), None)
    other = score({name: value.value for name, value in found.items()}, scale_2=True)
    if known is None or (other.low, other.high) == (result.low, result.high):
        return ()
    total = msg("{points}", points=other.low)
    if not other.complete:
        total = msg("{low} to {high}", low=other.low, high=other.high)
    words = msg(
        "{condition} is on the problem list, and no saturation target of 88% to 92% is on record: SpO2 is scored on "
        "scale 1. On scale 2, which a clinician may prescribe for hypercapnic failure, the total would be {total}.",
        condition=known.label,
        total=total,
    )
    return (words,)


def _taken(first: datetime, last: datetime) -> Message:
    if last - first > timedelta(minutes=1):
        return msg("Observations taken between {first} and {last}.", first=first, last=last)
    return msg("Observations taken at {time}.", time=first)


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("NEWS2"),
    citation=Citation(
        "Royal College of Physicians. National Early Warning Score (NEWS) 2. London: RCP, 2017",
        "https://www.rcp.ac.uk/resources/national-early-warning-score-news-2/",
    ),
    features=(
        catalogue.AGE,
        *FEATURES.values(),
        catalogue.SPO2_SCALE_2,
        *RETAINERS,
        *(feature for feature, _ in GATES),
    ),
    compute=compute,
    vectors={"NEWS2": check, "gdl-lang/common-clinical-models gdl2/NEWS2.v1.test.yml": check_fixture},
    limits=msg(
        "From age 16, not in pregnancy, from observations of the last 24 hours that were taken within 4 hours of each "
        "other. Missing observations give the interval of possible totals, and never a low risk. Confusion counts "
        "only if it is recorded as new. SpO2 scale 2 is used only if a target of 88% to 92% is prescribed. Where the "
        "age is not known the total is given on that condition."
    ),
    tolerance=0.0,
)
