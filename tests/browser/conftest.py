"""The sandbox EHR and the service on loopback under two names, and a real browser that reaches nothing else."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import answers
import pytest
from faulty_model import Model, misbehaving
from listening import listening

from benchmarks.servers import free_port
from cds_service.app import create_app, create_pipeline, create_store
from cds_service.clock import FixedClock
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.ehr import serve
from cds_service.sandbox.ehr.smart import CLIENT_ID
from cds_service.sandbox.ehr.state import Ehr
from cds_service.sandbox.patients import BY_NAME
from cds_service.settings import App, Client, Dev, Llm, Models, Settings, SmartEhr, Store
from cds_service.stores.fallen_back import FallBackStore

PATIENTS = (
    "missing-lipids",
    "primary-prevention",
    "heart-failure",
    "acute-deterioration",
    "chinese-record",
    "hostile-text",
    "contradictory",
)
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--test-third-party-cookie-phaseout",  # cookies of other sites are blocked, as browsers are about to
)


@dataclass
class Place:
    """Where the two are, and what the browser did that it should not have."""

    ehr: Ehr
    url: str
    app: str
    watching: FallBackStore
    model: Model
    errors: list[str] = field(default_factory=list)


def _chromium() -> str:
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if name and (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("Chromium is not installed: on Debian, apt-get install chromium")
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (the extra test)")
    path = _chromium()
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The EHR at 127.0.0.1 and the service at localhost: two sites to a browser, as in life."""
    folder: Path = tmp_path_factory.mktemp("place")
    port = free_port()
    app_url = f"http://localhost:{port}"
    bundles = [(BY_NAME[name].chart().bundle(), BY_NAME[name].purpose) for name in PATIENTS]
    clock = FixedClock(AS_OF)
    redirects = (f"{app_url}/app/callback",)
    ehr = Ehr(
        bundles, base="http://127.0.0.1:8", service=f"http://127.0.0.1:{port}", now=clock.now, redirects=redirects
    )
    with misbehaving() as model, listening(serve.create_app(ehr)) as ehr_port:
        ehr.base = f"http://127.0.0.1:{ehr_port}"
        ehr.signer.issuer = ehr.foreign.issuer = ehr.fhir
        ehr.signer.jku = ehr.foreign.jku = f"{ehr.base}/jwks"
        settings = (
            Settings(
                store=Store(url=f"sqlite:///{folder / 'store.db'}"),
                dev=Dev(allow_insecure_loopback=True),
                models=Models(show_unvalidated=True),
                llm=Llm(url=model.url, model="tiny", local=True, timeout_s=60),
                app=App(launch_url=f"{app_url}/app/launch"),
                clients={"main": Client(issuer=ehr.fhir, jwks_url=f"{ehr.base}/jwks", fhir_base_urls=(ehr.fhir,))},
                smart={
                    "main": SmartEhr(
                        issuer=ehr.fhir,
                        client_id=CLIENT_ID,
                        client="main",
                        frame_ancestors=(ehr.base,),
                        governance=("Practitioner/example",),
                    )
                },
            )
            .with_("server", port=port)
            .with_("security", keys_timeout_s=30.0)
        )
        store = create_store(settings)
        pipeline = create_pipeline(settings, clock, store, answers.loaded())
        with listening(create_app(settings, clock, pipeline=pipeline, store=store), port):
            yield Place(ehr, ehr.base, app_url, FallBackStore(store.database), model)
        store.close()


@pytest.fixture
def new_page(browser: Any, place: Place) -> Iterator[Callable[..., Any]]:
    """Opens pages; at the end none of them may have logged an error or asked another host for anything."""
    contexts = []
    place.errors.clear()

    def open_(**options: Any) -> Any:
        context = browser.new_context(**options)
        contexts.append(context)
        context.on("page", lambda page: _watch(page, place))
        page = context.new_page()
        page.set_default_timeout(60_000)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert place.errors == []


def _watch(page: Any, place: Place) -> None:
    def console(message: Any) -> None:
        if message.type in ("error", "warning"):
            place.errors.append(f"console: {message.text}")

    def request(asked: Any) -> None:
        if urlsplit(asked.url).hostname not in ("127.0.0.1", "localhost", None):
            place.errors.append(f"left the host: {asked.url}")

    page.on("console", console)
    page.on("pageerror", lambda error: place.errors.append(f"page: {error}"))
    page.on("request", request)
