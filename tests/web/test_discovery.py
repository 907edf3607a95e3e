"""Discovery: cached by its ETag, and in the words of CDS Hooks 2.0 or 3.0."""

from __future__ import annotations

from typing import Any

import answers
import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app, create_pipeline
from cds_service.protocol.hooks import HOOKS
from cds_service.registry import Registry
from cds_service.settings import Settings

PATH = "/cds-services"


@pytest.fixture(scope="module")
def loaded() -> Registry:
    return answers.loaded()


def client(loaded: Registry, settings: Settings) -> FlaskClient:
    return create_app(settings, pipeline=create_pipeline(settings, loaded=loaded)).test_client()


@pytest.fixture(scope="module")
def plain(loaded: Registry) -> FlaskClient:
    return client(loaded, Settings())


def test_an_unchanged_list_is_not_sent_again(plain: FlaskClient) -> None:
    """304 without a body, for the ETag that was given and in any form that HTTP allows."""
    first = plain.get(PATH)
    assert first.status_code == 200
    tag = first.headers["ETag"]
    assert tag.startswith('"')
    assert first.headers["Cache-Control"] == "private, no-cache"
    for offered in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = plain.get(PATH, headers={"If-None-Match": offered})
        assert (again.status_code, again.data) == (304, b"")
        assert again.headers["ETag"] == tag
        assert again.headers["X-Request-Id"]


@pytest.mark.parametrize("offered", ['"other"', "other", ""])
def test_another_tag_gets_the_list(plain: FlaskClient, offered: str) -> None:
    """What the client has is old."""
    assert plain.get(PATH, headers={"If-None-Match": offered}).get_json()["services"]


def test_the_tag_follows_the_list(plain: FlaskClient, loaded: Registry) -> None:
    """Another language is another list."""
    chinese = client(loaded, Settings().with_("cards", language="zh_Hans"))
    newer = client(loaded, Settings().with_("discovery", version="3.0"))
    tags = {c.get(PATH).headers["ETag"] for c in (plain, newer)}
    assert len(tags) == 2
    assert chinese.get(PATH).status_code == 200


def test_versions_are_a_setting(plain: FlaskClient, loaded: Registry) -> None:
    """3.0 adds the version of the standard and of the hook; 2.0 has neither."""
    for entry in plain.get(PATH).get_json()["services"]:
        assert not {"version", "hookVersion"} & set(entry)
    services: list[Any] = client(loaded, Settings().with_("discovery", version="3.0")).get(PATH).get_json()["services"]
    for entry in services:
        assert (entry["version"], entry["hookVersion"]) == ("3.0.0", HOOKS[entry["hook"]].version)
