"""An EHR and the review app for tests, and how a browser gets from the one to the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from listening import listening

from benchmarks.servers import free_port
from cds_service.app import create_app, create_pipeline, create_store
from cds_service.registry import Registry
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.ehr import serve
from cds_service.sandbox.ehr.smart import CLIENT_ID, Smart
from cds_service.sandbox.ehr.state import Ehr
from cds_service.sandbox.ehr.tokens import Launch
from cds_service.sandbox.patients import BY_NAME
from cds_service.settings import App, Client, Dev, Llm, Models, Settings, SmartEhr, Store
from cds_service.stores.assessments import AssessmentStore
from cds_service.web.metrics import Metrics

APP = "https://cds.example"


CALLBACK = f"{APP}/app/callback"


class Ticking:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at: datetime = AS_OF

    def now(self) -> datetime:
        return self.at


@dataclass
class Site:
    """An EHR and the app, each with a browser; the app is called without a socket, the EHR's endpoints over one."""

    ehr: Ehr
    behaviour: Smart
    chart: FlaskClient
    app: Flask
    clock: Ticking
    store: AssessmentStore

    def browser(self) -> FlaskClient:
        return self.app.test_client()

    def launch(self, patient: str, card: str | None = None, **more: Any) -> str:
        return self.ehr.tokens.launch(Launch(patient, None, card, **more))

    def cards(self, patient: str, hook: str = "patient-view") -> list[dict[str, Any]]:
        self.ehr.cards.clear()
        page = self.chart.post(f"/patients/{patient}/hooks/{hook}").text
        assert "gave no list" not in page
        return [shown.card for shown in self.ehr.cards.values()]


@contextmanager
def running(
    folder: Path,
    loaded: Registry,
    patients: tuple[str, ...],
    llm: Llm | None = None,
    more: tuple[Any, ...] = (),
    chart_types: tuple[str, ...] = (),
) -> Iterator[Site]:
    """An EHR and the app over some sample patients.

    llm: a language model for the app. more: further bundles. chart_types: of the app's settings.
    """
    clock, behaviour = Ticking(), Smart()
    bundles = [(bundle, "") for bundle in (*(BY_NAME[name].chart().bundle() for name in patients), *more)]
    ehr = Ehr(bundles, base="http://127.0.0.1:8", service="", now=clock.now, redirects=(CALLBACK,))
    sandbox = serve.create_app(ehr, behaviour)
    with listening(sandbox) as port:
        ehr.base = f"http://127.0.0.1:{port}"
        ehr.signer.issuer = ehr.foreign.issuer = ehr.fhir
        ehr.signer.jku = ehr.foreign.jku = f"{ehr.base}/jwks"
        settings = Settings(
            store=Store(url=f"sqlite:///{folder / 'store.db'}"),
            dev=Dev(allow_insecure_loopback=True),
            models=Models(show_unvalidated=True),
            llm=llm or Llm(),
            app=App(launch_url=f"{APP}/app/launch", chart_types=chart_types),
            clients={"main": Client(issuer=ehr.fhir, jwks_url=f"{ehr.base}/jwks", fhir_base_urls=(ehr.fhir,))},
            smart={
                "main": SmartEhr(
                    issuer=ehr.fhir,
                    client_id=CLIENT_ID,
                    client="main",
                    frame_ancestors=("https://ehr.example",),
                    governance=("Practitioner/example",),
                )
            },
        )
        store = create_store(settings)
        free = free_port()
        # One test's dead server must not be left alone in the next.
        settings = settings.with_("server", port=free).with_("fetch", failures=1000)
        settings = settings.with_("security", keys_timeout_s=30.0)
        metrics = Metrics()
        pipeline = create_pipeline(settings, clock, store, loaded, metrics)
        app = create_app(settings, clock, pipeline=pipeline, store=store, metrics=metrics)
        ehr.service = f"http://127.0.0.1:{free}"
        with listening(app, free):
            yield Site(ehr, behaviour, sandbox.test_client(), app, clock, store)
        store.close()


def leave(site: Site, browser: FlaskClient, launch: str) -> str:
    """The URL of the EHR to which a launch sends the browser."""
    response = browser.get("/app/launch", query_string={"iss": site.ehr.fhir, "launch": launch}, base_url=APP)
    assert response.status_code == 302, response.text
    return str(response.location)


def authorize(site: Site, url: str) -> str:
    """The URL of the app to which the EHR sends the browser back."""
    split = urlsplit(url)
    response = site.chart.get(f"{split.path}?{split.query}")
    assert response.status_code == 302, response.text
    return str(response.location)


def back(browser: FlaskClient, url: str) -> Any:
    split = urlsplit(url)
    return browser.get(f"{split.path}?{split.query}", base_url=APP)


def opened(site: Site, browser: FlaskClient, launch: str) -> str:
    """The path of the review that a launch opens."""
    response = back(browser, authorize(site, leave(site, browser, launch)))
    assert response.status_code == 302, response.text
    return urlsplit(response.location).path


def csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return found.group(1)
