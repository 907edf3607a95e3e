"""The review app over the patients that a module of tests names."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from answers import loaded
from reviewing import Site, running

from cds_service.sandbox.chart import AS_OF


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running(tmp_path_factory.mktemp("site"), loaded(), request.module.PATIENTS) as made:
        yield made


@pytest.fixture(autouse=True)
def as_before(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "site" in request.fixturenames:
        site = request.getfixturevalue("site")
        site.behaviour.id_token.clear()
        site.behaviour.configuration.clear()
        site.ehr.switches = set()
        site.clock.at = AS_OF
