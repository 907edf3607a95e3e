"""What is served of models: a list, and the source attributes of each one."""

import re

import msgspec
import pytest
from answers import loaded
from flask.testing import FlaskClient

from cds_service import source_attributes
from cds_service.app import create_app
from cds_service.language import words
from cds_service.risk.fused import FusedModel
from cds_service.risk.model import PublishedScore
from cds_service.risk.trained import TrainedModel
from cds_service.settings import Settings
from cds_service.source_attributes import EVIDENCE_BASED, PREDICTIVE

LOADED = loaded().models
SAY = words("en")


def client() -> FlaskClient:
    return create_app(Settings()).test_client()


def test_a_model_is_served_with_its_source_attributes() -> None:
    """45 CFR 170.315(b)(11)(iv): (A) for a published score, (B) for a trained model, fused ones too."""
    web = client()
    listed = {row["id"]: row for row in web.get("/models").get_json()["models"]}
    trained = [id_ for id_, row in listed.items() if row["kind"] == "trained"]
    assert {"mortality", "breast-cancer-survival"} <= set(trained)
    for id_ in trained:
        found = web.get(f"/models/{id_}").get_json()
        assert list(found["sourceAttributes"]) == list(PREDICTIVE)
        assert found["version"] == listed[id_]["version"]
    score = web.get("/models/ckd-epi-2021").get_json()
    assert list(score["sourceAttributes"]) == list(EVIDENCE_BASED)
    assert score["limits"]
    assert "renal-dosing" in score["services"]
    assert listed["sofa-1996"]["services"] == []  # for `models predict` and cohorts alone
    missing = web.get("/models/none")
    assert missing.status_code == 404
    assert missing.get_json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("id_", LOADED)
def test_every_model_has_all_its_source_attributes(id_: str) -> None:
    """31 of a trained model, 13 of a published score, none of them empty."""
    found = source_attributes.of(LOADED[id_], SAY)
    assert list(found) == list(PREDICTIVE if LOADED[id_].trained else EVIDENCE_BASED)
    assert len(found) == (31 if LOADED[id_].trained else 13)
    assert all(text.strip() for text in found.values())


TRAINED = [id_ for id_, model in LOADED.items() if model.trained]
LICENCES = {
    "readmission-30d": "https://creativecommons.org/licenses/by/4.0/",
    "icu-mortality": "https://opendatacommons.org/licenses/by/1-0/",
    "serious-illness": "https://creativecommons.org/licenses/by/4.0/",
    "breast-cancer-survival": "https://opendatacommons.org/licenses/odbl/1-0/",
}


NINE = (
    "race", "ethnicity", "language", "sexual orientation", "gender identity", "sex", "date of birth",
    "social determinants", "health status assessments",
)  # fmt: skip


@pytest.mark.parametrize("id_", TRAINED)
def test_each_variable_of_the_regulation_is_told_to_be_an_input_or_none(id_: str) -> None:
    """(B)(4)(ii) asks for those of (A)(5) to (13); what is said of sex and consciousness is true of the inputs."""
    text = source_attributes.of(LOADED[id_], SAY)["sensitive_inputs"].lower()
    assert [word for word in NINE if word not in text] == []
    asked = {declared.id for declared in LOADED[id_].manifest.inputs}
    assert text.startswith("sex and age, from the date of birth, are inputs") == ("sex" in asked)
    assert ("of health status assessments the glasgow" in text) == any(one.startswith("gcs") for one in asked)
    assert not asked & {"race", "ethnicity", "language", "sdi"}


@pytest.mark.parametrize("id_", TRAINED)
def test_the_attributes_of_a_trained_model_hold_the_figures_of_its_card(id_: str) -> None:
    """Discrimination and calibration with intervals, and how far groups lie apart."""
    found = source_attributes.of(LOADED[id_], SAY)
    assert re.search(r": (AUROC|C) 0\.\d{3} \(0\.\d{3} to 0\.\d{3}\)", found["validity_in_test_data"])
    assert re.search(r"Calibration, .*: slope [01]\.\d\d \(", found["validity_in_test_data"])
    assert re.search(r"(AUROC|C) from 0\.\d{3} \(.+\) to 0\.\d{3} \(.+\); slope", found["fairness_in_test_data"])


def test_a_version_that_a_site_calibrated_says_whose_figures_it_holds() -> None:
    """The card's are those of the version before."""
    model = LOADED["serious-illness"]
    assert isinstance(model, TrainedModel)
    local = model.with_manifest(msgspec.structs.replace(model.manifest, recalibrates=model.version))
    found = source_attributes.of(local, SAY)
    assert found["validity_in_test_data"].startswith(f"Of version {model.version}, before it was calibrated here")
    assert "recalibration.md" in found["local_validity"]


@pytest.mark.parametrize("id_", LICENCES)
def test_the_notice_that_a_licence_asks_for_is_in_card_manifest_and_answer(id_: str) -> None:
    """Attribution, and where the licence can be read."""
    model = LOADED[id_]
    assert isinstance(model, TrainedModel | FusedModel)
    served = client().get(f"/models/{id_}").get_json()["licence"]
    assert LICENCES[id_] in served == model.manifest.population.licence
    card = (model.folder / "card.md").read_text(encoding="utf-8")
    assert LICENCES[id_] in card.partition("## Licence and version")[2]


@pytest.mark.parametrize("id_", [id_ for id_, model in LOADED.items() if isinstance(model, PublishedScore)])
def test_the_year_of_the_source_is_among_the_release_dates(id_: str) -> None:
    """A citation without a year would leave the attribute without a date."""
    assert source_attributes.of(LOADED[id_], SAY)["release_dates"].startswith(("Source: 19", "Source: 20"))


@pytest.mark.parametrize(
    ("id_", "attribute", "text"),
    [
        ("pce-2013", "use_of_race", "Used: "),
        ("ckd-epi-2021", "use_of_race", "Not used."),
        ("ckd-epi-2021", "use_of_sex", "Used: "),
        ("fib-4", "use_of_sex", "Not used."),
        ("kfre-4", "use_of_date_of_birth", "Used: "),
        ("prevent-sdi", "use_of_social_determinants", "Used: "),
        ("prevent-base", "use_of_social_determinants", "Not used."),
        ("findrisc", "use_of_health_status_assessments", "Used: "),
        ("fib-4", "use_of_health_status_assessments", "Not used."),
    ],
)
def test_what_a_score_uses_is_told_from_what_it_asks_for(id_: str, attribute: str, text: str) -> None:
    """Race in the Pooled Cohort Equations, sex through eGFR, deprivation in PREVENT."""
    assert source_attributes.of(LOADED[id_], SAY)[attribute].startswith(text)
