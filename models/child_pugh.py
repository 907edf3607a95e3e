"""Child-Pugh: severity of cirrhosis; ascites and encephalopathy need a clinician, so that a record gives an interval.

Source: Pugh RN et al. Br J Surg 1973;60:646-649, doi:10.1002/bjs.1800600817, with the INR in place of the
prothrombin time (1.7 and 2.3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from cds_service.api import (
    Band,
    Citation,
    Coded,
    ConditionFeature,
    FeatureValue,
    FeatureValues,
    Message,
    NotEstimated,
    PublishedScore,
    Reason,
    Refusal,
    Result,
    Unusable,
    catalogue,
    msg,
    points,
    published,
)

ID, VERSION = "child-pugh", "1.0.0"

# (threshold, points below it); the threshold itself counts as written: bilirubin 2 to 3 mg/dL is two points.
BILIRUBIN = ((2.0, 1), (3.0, 2), (inf, 3))  # mg/dL: below 2, 2 to 3, above 3
ALBUMIN = ((2.8, 3), (3.5, 2), (inf, 1))  # g/dL: below 2.8, 2.8 to 3.5, above 3.5
INR = ((1.7, 1), (2.3, 2), (inf, 3))  # below 1.7, 1.7 to 2.3, above 2.3
ASCITES = {"none": 1, "mild": 2, "moderate_severe": 3}
ENCEPHALOPATHY = {0: 1, 1: 2, 2: 2, 3: 3, 4: 3}  # West Haven grade
LISTED = 2  # points that ascites or encephalopathy on the problem list are worth at least
CLASS_B, CLASS_C = 7, 10

BANDS = (
    (-inf, Band("A", msg("class A, 5 to 6: well compensated"))),
    (CLASS_B, Band("B", msg("class B, 7 to 9: significant impairment"))),
    (CLASS_C, Band("C", msg("class C, 10 to 15: decompensated"))),
)
TESTS = {
    "bilirubin": (catalogue.BILIRUBIN_QUARTER, BILIRUBIN),
    "albumin": (catalogue.ALBUMIN_QUARTER, ALBUMIN),
    "inr": (catalogue.INR, INR),
}
NO_CIRRHOSIS = msg("no cirrhosis on the problem list")
ANTICOAGULATED = msg("The INR is raised by a vitamin K antagonist: Child-Pugh may overstate the liver disease.")
ASCITES_WORDS = {"none": msg("none"), "mild": msg("mild"), "moderate_severe": msg("moderate or severe")}


def of_value(rows: tuple[tuple[float, int], ...], value: float) -> int:
    """Points of a value: the middle row holds both of its edges."""
    (low, below), (high, between), (_, above) = rows
    return below if value < low else above if value > high else between


def child_class(total: int) -> Band:
    """Class A, B or C of a total."""
    return published.band_of(total, BANDS)


def possible(classes: Sequence[Band]) -> Message:
    """The classes that are left while inputs are missing."""
    *others, last = [one.id for one in classes]
    return msg("class {others} or {last}: inputs are missing", others=", ".join(others), last=last)


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """Points and class for one vector case; None if an input is null."""
    if any(inputs[name] is None for name in (*TESTS, "ascites", "encephalopathy_grade")):
        return {"points": None, "cls": None}
    total = sum(of_value(rows, inputs[name]) for name, (_, rows) in TESTS.items())
    total += ASCITES[inputs["ascites"]] + ENCEPHALOPATHY[inputs["encephalopathy_grade"]]
    return {"points": total, "cls": child_class(total).id}


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same for one GDL fixture, which gives ascites, encephalopathy and INR in words."""
    words = {
        "Ascites Score": {"Absent": 1, "Slight": 2, "Mild": 2, "Moderate": 3},
        "Encephalopathy Score": {"No Encephalopathy": 1, "Grade 1-2": 2, "Grade 3-4": 3},
        "INR Score": {"<1.7": 1, "1.7-2.2": 2, "1.7-2.3": 2, "> 2.2": 3, ">2.2": 3, "> 2.3": 3, ">2.3": 3},
    }
    bilirubin = of_value(BILIRUBIN, inputs["Total Bilirubin"]["value"])
    albumin = of_value(ALBUMIN, inputs["Serum albumin"]["value"])
    total = bilirubin + albumin + sum(table[inputs[name]["label"]] for name, table in words.items())
    return {
        "Albumin Score": {"points": float(albumin)},
        "Total Bilirubin Score": {"points": float(bilirubin)},
        "Total Score": total,
        "Child Class": {"label": f"Child Class {child_class(total).id}"},
    }


def compute(values: FeatureValues) -> Result:
    """The points that the record allows, with a class if all of them lie in one."""
    if not values.flag(catalogue.CIRRHOSIS):
        unknown = values.unusable((catalogue.CIRRHOSIS,))
        return published.not_applicable(ID, unknown[0].words if unknown else NO_CIRRHOSIS, unknown)
    age = published.adult(ID, values, msg("Child-Pugh"))
    if isinstance(age, NotEstimated):
        return age
    tests = [_test(values, name) for name in TESTS]
    if not any(item.found for item in tests):  # nothing but the problem list: the interval would say nothing
        missing = tuple(fault for item in tests for fault in item.missing)
        return NotEstimated(ID, Refusal.INPUT, published.not_calculated([m.words for m in missing]), missing)
    items = (
        *tests,
        _sign(values, catalogue.ASCITES_GRADE, catalogue.ASCITES, {str(k): v for k, v in ASCITES.items()}),
        _sign(
            values,
            catalogue.ENCEPHALOPATHY_GRADE,
            catalogue.HEPATIC_ENCEPHALOPATHY,
            {str(k): v for k, v in ENCEPHALOPATHY.items()},
        ),
    )
    notes = (ANTICOAGULATED,) if values.flag(catalogue.VITAMIN_K_ANTAGONIST) else ()
    return (
        points.estimate(
            ID,
            VERSION,
            "child_pugh",
            msg("Child-Pugh"),
            items,
            child_class,
            answers=ASCITES_WORDS,
            notes=notes,
            between=possible,
        ),
    )


def _test(values: FeatureValues, name: str) -> points.Item:
    feature, rows = TESTS[name]
    found = values[feature]
    if isinstance(found, Unusable):
        return points.Item(1, 3, missing=(found,))
    worth = of_value(rows, float(found.value))
    return points.Item(worth, worth, (found,))


def _sign(values: FeatureValues, graded: Coded, listed: ConditionFeature, worth: Mapping[str, int]) -> points.Item:
    """Points of ascites or encephalopathy: as graded, at least two if listed, else anything from one to three.

    That it is not on the problem list says little: it comes and goes, and is written in notes.
    """
    grade = values.usable(graded)
    if grade is not None and str(grade.value) in worth:
        points_ = worth[str(grade.value)]
        return points.Item(points_, points_, (grade,))
    problem = values.usable(listed)
    ask = Unusable(graded, Reason.ABSENT, msg("{sign} needs a clinician's judgement", sign=graded.label))
    if isinstance(problem, FeatureValue) and problem.value is True:
        return points.Item(LISTED, 3, (problem,), (ask,))
    return points.Item(1, 3, missing=(ask,))


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("Child-Pugh"),
    citation=Citation(
        "Pugh RN et al. Transection of the oesophagus for bleeding oesophageal varices. Br J Surg 1973;60:646-649",
        "https://doi.org/10.1002/bjs.1800600817",
    ),
    features=(
        catalogue.AGE,
        catalogue.CIRRHOSIS,
        *(feature for feature, _ in TESTS.values()),
        catalogue.ASCITES_GRADE,
        catalogue.ASCITES,
        catalogue.ENCEPHALOPATHY_GRADE,
        catalogue.HEPATIC_ENCEPHALOPATHY,
        catalogue.VITAMIN_K_ANTAGONIST,
    ),
    compute=compute,
    vectors={
        "Child-Pugh": check,
        "gdl-lang/common-clinical-models gdl2/Child_pugh_score_for_cirrhosis.v1.test.yml": check_fixture,
    },
    limits=msg(
        "For adults with cirrhosis on the problem list, from blood tests of the last 90 days. Ascites and "
        "encephalopathy need a clinician: unless they are graded, the interval of possible points is given, and a "
        "class only if all of it lies in one. A vitamin K antagonist raises the INR without worse liver disease."
    ),
    tolerance=0.0,
)
