"""What is served of models: a list, and the source attributes of each trained one."""

from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.risk.attributes import ATTRIBUTES
from cds_service.settings import Settings


def client() -> FlaskClient:
    return create_app(Settings()).test_client()


def test_a_trained_model_is_served_with_all_31_source_attributes() -> None:
    """45 CFR 170.315(b)(11)(iv)(B); a published score has its source and limits."""
    web = client()
    listed = {row["id"]: row for row in web.get("/models").get_json()["models"]}
    trained = [id_ for id_, row in listed.items() if row["kind"] == "trained"]
    assert "mortality" in trained
    for id_ in ("mortality", "icu-mortality"):
        found = web.get(f"/models/{id_}").get_json()
        assert list(found["sourceAttributes"]) == list(ATTRIBUTES)
        assert found["version"] == listed[id_]["version"]
    score = web.get("/models/ckd-epi-2021").get_json()
    assert "sourceAttributes" not in score
    assert score["limits"]
    missing = web.get("/models/none")
    assert missing.status_code == 404
    assert missing.get_json()["resourceType"] == "OperationOutcome"
