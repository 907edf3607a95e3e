"""Makes the pictures of the documentation anew, from the sandbox EHR and the review app in the system's Chromium.

`make pictures` runs it: `python -m cds_service.sandbox.pictures docs/images`. It needs the extra `test` and Chromium.
The clock stands and the patients are those of the samples, so that a picture changes only where a page does.
"""

from __future__ import annotations

import io
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

import structlog

from cds_service.app import create_app, create_pipeline, create_store, load_registry
from cds_service.clock import FixedClock
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.ehr import serve
from cds_service.sandbox.ehr.smart import CLIENT_ID
from cds_service.sandbox.ehr.state import Ehr
from cds_service.sandbox.patients import BY_NAME
from cds_service.settings import App, Client, Dev, Models, Settings, SmartEhr, Store

PATIENT = "primary-prevention"
PATIENTS = (PATIENT, "diabetes-poor-control", "masld-high-fib4", "heart-failure", "af-not-anticoagulated")
_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
_GAP = 20  # pixels between two pictures that stand beside each other
_COLOURS = 96  # of a picture; pages have few
_WAIT_MS = 20_000


@dataclass(frozen=True)
class Place:
    """Where the sandbox EHR is, and the browser that looks at it."""

    url: str
    browser: Any

    def page(self, width: int, height: int, **options: Any) -> Any:
        """A page of that size, in pixels."""
        page = self.browser.new_page(viewport={"width": width, "height": height}, **options)
        page.set_default_timeout(_WAIT_MS)
        return page

    def chart(self, page: Any, patient: str = PATIENT) -> Any:
        """The page at a patient's chart, with its cards."""
        page.goto(f"{self.url}/patients/{patient}?hook=patient-view")
        page.wait_for_selector(".timing:not(:empty)")
        return page

    def review(self, page: Any) -> Any:
        """The review that the first card of a chart opens, in its own window."""
        with page.context.expect_page() as opened:
            page.get_by_role("link", name="in its own window").first.click()
        window = opened.value
        window.wait_for_selector("h1")
        return window


def main(folder: Path) -> int:
    """Writes all pictures into a folder, and says which; exit code 2 where there is no Chromium."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        print("Chromium is not installed: on Debian, apt-get install chromium fonts-noto-cjk", file=sys.stderr)
        return 2
    from playwright.sync_api import sync_playwright

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as kept, _ehr(Path(kept)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(_ARGUMENTS))
        for name, picture in PICTURES.items():
            path = folder / f"{name}.png"
            path.write_bytes(_smaller(picture(Place(url, browser))))
            print(f"{path}: {path.stat().st_size // 1024} kB")
        browser.close()
    return 0


def sandbox(place: Place) -> bytes:
    """A chart with its cards, the first one open."""
    page = place.chart(place.page(1440, 900))
    page.locator("#cards details summary").first.click()
    shot: bytes = page.screenshot()
    return shot


def review(place: Place) -> bytes:
    """The beginning of a review."""
    shot: bytes = place.review(place.chart(place.page(1280, 1250))).screenshot()
    return shot


def what_if(place: Place) -> bytes:
    """Other values of the score's inputs, and what it would say of them."""
    page = place.review(place.chart(place.page(1280, 1080)))
    page.get_by_role("link", name="What if").first.click()
    page.get_by_label("Systolic blood pressure").fill("120")
    page.get_by_label("HbA1c").fill("5.3")
    page.get_by_role("button", name="Calculate").click()
    page.get_by_text("With these values").wait_for()
    shot: bytes = page.screenshot()
    return shot


def side_panel(place: Place) -> bytes:
    """A review in a panel of 320 pixels, in Chinese: its beginning in light, its reasons in dark colours."""
    shots = []
    for scheme in ("light", "dark"):
        page = place.review(place.chart(place.page(1280, 900)))
        page.set_viewport_size({"width": 320, "height": 1000})
        page.get_by_role("button", name="简体中文").or_(page.get_by_role("link", name="简体中文")).first.click()
        page.get_by_role("heading", name="依据", exact=True).wait_for()
        page.emulate_media(color_scheme=scheme)
        if scheme == "dark":
            page.get_by_role("heading", name="依据", exact=True).evaluate("e => e.scrollIntoView()")
        shots.append(page.screenshot())
    return _beside(shots)


def ask(place: Place) -> bytes:
    """A question about the chart, what was found, and how far was looked."""
    page = place.review(place.chart(place.page(1100, 860)))
    page.get_by_role("link", name="Earlier questions and documents").click()
    page.get_by_label("Question").fill("How was the LDL cholesterol before?")
    page.get_by_role("button", name="Ask").click()
    page.locator("#latest .passages").first.wait_for()
    page.evaluate("scrollTo(0, 0)")
    shot: bytes = page.screenshot()
    return shot


def governance(place: Place) -> bytes:
    """What was shown and answered in the last days."""
    for patient in PATIENTS[1:]:
        place.chart(place.page(1280, 900), patient)
    page = place.review(place.chart(place.page(1280, 900)))
    page.get_by_role("link", name="Governance").click()
    page.get_by_text("Recent cards").wait_for()
    shot: bytes = page.screenshot()
    return shot


PICTURES: dict[str, Callable[[Place], bytes]] = {
    "sandbox": sandbox, "review": review, "what-if": what_if, "side-panel": side_panel, "ask": ask,
    "governance": governance,
}  # fmt: skip


@contextmanager
def _ehr(folder: Path) -> Iterator[str]:
    """The EHR at 127.0.0.1 and the service at localhost, on free ports; the EHR's address."""
    ehr_port, port = _free(), _free()
    url, app = f"http://127.0.0.1:{ehr_port}", f"http://localhost:{port}"
    clock = FixedClock(AS_OF)
    bundles = [(BY_NAME[name].chart().bundle(), BY_NAME[name].purpose) for name in PATIENTS]
    ehr = Ehr(bundles, base=url, service=f"http://127.0.0.1:{port}", now=clock.now, redirects=(f"{app}/app/callback",))
    smart = SmartEhr(
        issuer=ehr.fhir, client_id=CLIENT_ID, client="main", frame_ancestors=(url,),
        governance=("Practitioner/example",),
    )  # fmt: skip
    settings = Settings(
        store=Store(url=f"sqlite:///{folder / 'store.db'}"),
        dev=Dev(allow_insecure_loopback=True),
        models=Models(show_unvalidated=True),
        app=App(launch_url=f"{app}/app/launch"),
        clients={"main": Client(issuer=ehr.fhir, jwks_url=f"{url}/jwks", fhir_base_urls=(ehr.fhir,))},
        smart={"main": smart},
    ).with_("server", port=port)
    store = create_store(settings)
    pipeline = create_pipeline(settings, clock, store, load_registry(settings))
    service = create_app(settings, clock, pipeline=pipeline, store=store)
    with serve.running(service, "127.0.0.1", port), serve.running(serve.create_app(ehr), "127.0.0.1", ehr_port):
        yield url
    store.close()


def _free() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _beside(shots: list[bytes]) -> bytes:
    """Pictures of one height beside each other."""
    from PIL import Image

    parts = [Image.open(io.BytesIO(shot)).convert("RGB") for shot in shots]
    width = sum(part.width for part in parts) + _GAP * (len(parts) - 1)
    whole = Image.new("RGB", (width, max(part.height for part in parts)), "white")
    at = 0
    for part in parts:
        whole.paste(part, (at, 0))
        at += part.width + _GAP
    return _png(whole)


def _smaller(shot: bytes) -> bytes:
    """The picture with few colours: a tenth of the size, and nobody sees it."""
    from PIL import Image

    return _png(Image.open(io.BytesIO(shot)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE))


def _png(image: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images")))
