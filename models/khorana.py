"""Khorana score: venous thrombosis in an outpatient about to begin systemic treatment of cancer, in points (0-6).

Source: Khorana AA et al. Blood 2008;111:4902-4907, doi:10.1182/blood-2007-10-116327. From 2 points prophylaxis may be
offered: ASCO guideline update 2023, doi:10.1200/JCO.23.00294 (read in secondary sources; the 2019 edition,
doi:10.1200/JCO.19.01461, says the same).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cds_service.api import (
    Band,
    Citation,
    FeatureValue,
    FeatureValues,
    NotEstimated,
    PublishedScore,
    Result,
    Unusable,
    catalogue,
    msg,
    points,
    published,
)

ID, VERSION = "khorana", "1.0.0"
FIXTURES = "gdl-lang/common-clinical-models gdl2/Khorana_Risk_Score_Venous_Thromboembolism_Cancer_Patients.v0.test.yml"
VERY_HIGH, HIGH = 2, 1
SITES = {
    **dict.fromkeys(("stomach", "gastric", "pancreas", "pancreatic"), VERY_HIGH),
    **dict.fromkeys(
        (
            "lung", "lymphoma", "gynecologic", "gynecological", "gynaecologic", "gynaecological", "ovary", "ovarian",
            "cervix", "cervical", "uterus", "uterine", "endometrium", "endometrial", "bladder", "testicular", "testis",
        ),
        HIGH,
    ),
}  # fmt: skip
PLATELETS, ANEMIA, LEUKOCYTES, OBESITY = 1, 1, 1, 1
PLATELETS_FROM = 350.0  # 10*9/L
HEMOGLOBIN_BELOW = 10.0  # g/dL
LEUKOCYTES_ABOVE = 11.0  # 10*9/L
BMI_FROM = 35.0  # kg/m2
BEGUN = timedelta(days=30)  # a treatment ordered longer ago has begun
BANDS = (
    (float("-inf"), Band("low", msg("0, low"))),
    (1, Band("intermediate", msg("1, intermediate"))),
    (2, Band("consider", msg("2, intermediate: prophylaxis may be offered"))),
    (3, Band("high", msg("3 or more, high: prophylaxis may be offered"))),
)
NO_CANCER = msg("no solid tumor or lymphoma on the problem list")
BLOOD = msg("myeloma and leukemia are outside the Khorana score")
UNDER_WAY = msg("systemic treatment of cancer is under way; the Khorana score speaks before it begins")
BEFORE = msg("The values should be those before the treatment begins.")
SITE = msg(
    "Site of the cancer with more clots (stomach and pancreas 2; lung, lymphoma, bladder, testis, gynecological 1)"
)
ANEMIA_LABEL = msg("Hemoglobin below 10 g/dL or an erythropoiesis-stimulating agent")


def of_site(site: str) -> int:
    """Points of a site in words; every site that the paper does not name has none."""
    return SITES.get(site.strip().lower().replace("_", " "), 0)


def band(total: int) -> Band:
    """The band of a total: those of the paper, with 2 told apart because guidelines act from there."""
    return published.band_of(total, BANDS)


def check(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The score of one vector case; None if an input is null."""
    if any(inputs[name] is None for name in ("site", "plt", "hb", "esa", "wbc", "bmi")):
        return {"khorana": None}
    total = (
        of_site(inputs["site"])
        + PLATELETS * (inputs["plt"] >= PLATELETS_FROM)
        + ANEMIA * (inputs["hb"] < HEMOGLOBIN_BELOW or bool(inputs["esa"]))
        + LEUKOCYTES * (inputs["wbc"] > LEUKOCYTES_ABOVE)
        + OBESITY * (inputs["bmi"] >= BMI_FROM)
    )
    return {"khorana": total}


def check_fixture(inputs: Mapping[str, Any], expected: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same for one GDL fixture, whose answers of site and anemia carry their points."""
    leukocytes = LEUKOCYTES * (inputs["Leukocyte count"]["value"] > LEUKOCYTES_ABOVE)
    platelets = PLATELETS * (inputs["Platelet count"]["value"] >= PLATELETS_FROM)
    obese = OBESITY * (inputs["Body Mass Index"]["value"] >= BMI_FROM)
    answered = inputs["Cancer Type"]["points"]
    answered += inputs["Hemoglobin level <10 g/dL or using RBC growth factors"]["points"]
    total = int(answered) + leukocytes + platelets + obese
    group = {"low": "Low", "intermediate": "Intermediate", "consider": "Intermediate", "high": "High"}[band(total).id]
    return {
        "Khorana Risk Score": total,
        "Risk Group": {"label": group},
        "Pre-chemotherapy leukocyte count >11x10⁹/L": {"points": float(leukocytes)},
        "Pre-chemotherapy platelet count ≥350x10⁹/L": {"points": float(platelets)},
        "BMI ≥35 kg/m²": {"points": float(obese)},
    }


def compute(values: FeatureValues) -> Result:
    """The score, or the interval of possible totals, for an adult with a solid tumor or lymphoma before treatment."""
    if not values.flag(catalogue.CANCER):
        unknown = values.unusable((catalogue.CANCER,))
        return published.not_applicable(ID, unknown[0].words if unknown else NO_CANCER, unknown)
    sited = any(
        values.flag(f) for f in (catalogue.CANCER_VERY_HIGH, catalogue.CANCER_HIGH, catalogue.CANCER_OTHER_SITE)
    )
    if values.flag(catalogue.BLOOD_CANCER) and not sited:
        return published.not_applicable(ID, BLOOD)
    if _under_way(values):
        return published.not_applicable(ID, UNDER_WAY)
    age = published.adult(ID, values, msg("The Khorana score"))
    if isinstance(age, NotEstimated):
        return age
    items = (
        _site(values),
        points.measured(values, catalogue.PLATELETS, lambda v: PLATELETS * (v >= PLATELETS_FROM), PLATELETS),
        _anemia(values),
        points.measured(values, catalogue.WBC, lambda v: LEUKOCYTES * (v > LEUKOCYTES_ABOVE), LEUKOCYTES),
        points.measured(values, catalogue.BMI, lambda v: OBESITY * (v >= BMI_FROM), OBESITY),
    )
    return (points.estimate(ID, VERSION, "khorana", msg("Khorana score"), items, band, notes=(BEFORE,)),)


def _under_way(values: FeatureValues) -> bool:
    """True if a treatment was ordered longer than 30 days ago, or nobody knows when."""
    found = values.usable(catalogue.ANTINEOPLASTIC)
    if found is None or found.value is not True:
        return False
    return found.effective is None or values.as_of - found.effective > BEGUN


def _site(values: FeatureValues) -> points.Item:
    """The gravest site that is listed; a cancer without a site leaves the points open."""
    for feature, worth in ((catalogue.CANCER_VERY_HIGH, VERY_HIGH), (catalogue.CANCER_HIGH, HIGH)):
        found = values.usable(feature)
        if found is not None and found.value is True:
            return points.settled(worth, (found,), SITE)
    other = values.usable(catalogue.CANCER_OTHER_SITE)
    if other is not None and other.value is True:
        return points.settled(0, (other,), SITE)
    words = msg("The site of the cancer is not coded")
    cancer = values[catalogue.CANCER]
    return points.unsettled(
        VERY_HIGH, (Unusable(catalogue.CANCER_OTHER_SITE, points.OPEN, words, sources=cancer.sources),), SITE
    )


def _anemia(values: FeatureValues) -> points.Item:
    """Low hemoglobin, or an agent that treats it."""
    agent = values[catalogue.ERYTHROPOIETIC]
    if isinstance(agent, FeatureValue) and agent.value is True:
        return points.settled(ANEMIA, (agent,), ANEMIA_LABEL)
    counted = points.measured(
        values, catalogue.HEMOGLOBIN, lambda v: ANEMIA * (v < HEMOGLOBIN_BELOW), ANEMIA, ANEMIA_LABEL
    )
    if counted.high and counted.low == counted.high:
        return counted
    if isinstance(agent, Unusable):
        return points.unsettled(ANEMIA, (agent, *counted.missing), ANEMIA_LABEL)
    return counted


model = PublishedScore(
    id=ID,
    version=VERSION,
    title=msg("Khorana score"),
    citation=Citation(
        "Khorana AA et al. Development and validation of a predictive model for chemotherapy-associated thrombosis. "
        "Blood 2008;111:4902-4907",
        "https://doi.org/10.1182/blood-2007-10-116327",
    ),
    features=(
        catalogue.AGE,
        catalogue.CANCER,
        catalogue.CANCER_VERY_HIGH,
        catalogue.CANCER_HIGH,
        catalogue.CANCER_OTHER_SITE,
        catalogue.BLOOD_CANCER,
        catalogue.ANTINEOPLASTIC,
        catalogue.PLATELETS,
        catalogue.HEMOGLOBIN,
        catalogue.ERYTHROPOIETIC,
        catalogue.WBC,
        catalogue.BMI,
    ),
    compute=compute,
    vectors={"Khorana score (before systemic therapy)": check, FIXTURES: check_fixture},
    limits=msg(
        "For adult outpatients with a solid tumor or lymphoma on the problem list who are about to begin systemic "
        "treatment. Not for myeloma, leukemia or brain tumors, and not in hospital."
    ),
    tolerance=0.0,
)
