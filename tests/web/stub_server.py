"""Serves a stand-in for the pipeline with the real server: `python stub_server.py PORT [SECTION__KEY=VALUE ...]`."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from flask import Flask

from cds_service import settings as settings_module
from cds_service.errors import CurbsideError, UnknownService
from cds_service.web.metrics import Metrics
from cds_service.web.server import serve  # before anything that loads numpy


class StubPipeline:
    """Answers like a pipeline: at once, as soon as the file of `{"until": file}` is there, or with a crash."""

    def discovery(self) -> dict[str, Any]:
        return {"services": [{"id": "stub", "hook": "patient-view", "description": "a stand-in"}]}

    def desk(self, service_id: str) -> Any:
        if service_id != "stub":
            raise UnknownService("there is no such service")
        return SimpleNamespace(service=SimpleNamespace(id="stub"))

    def answer(self, service_id: str, body: bytes, client: object = None, **_: object) -> bytes:
        if b'"crash"' in body:
            raise RuntimeError("SECRET-PATIENT-NAME")
        if b'"until"' in body:
            done = Path(json.loads(body)["until"])
            done.with_suffix(".begun").touch()
            ends = time.monotonic() + 60.0
            while not done.exists() and time.monotonic() < ends:
                time.sleep(0.01)
        return b'{"cards":[]}'


def create(counted: Metrics) -> Flask:
    from cds_service.web import cds_hooks, errors, health, logs, metrics
    from cds_service.web.peers import Peers

    logs.configure()
    app = Flask("stub", static_folder=None)
    errors.register(app, counted)
    metrics.register(app, counted, Peers(()), settings.metrics.port)
    app.register_blueprint(cds_hooks.blueprint(StubPipeline(), settings.limits.max_body_bytes))  # type: ignore[arg-type]
    app.register_blueprint(health.blueprint(None))
    return app


if __name__ == "__main__":
    variables = dict(f"CURBSIDE_{argument}".split("=", 1) for argument in sys.argv[2:])
    try:
        settings = settings_module.load(None, {**variables, "CURBSIDE_SERVER__PORT": sys.argv[1]})
    except CurbsideError as error:
        sys.exit(str(error))
    shared = Metrics.shared()
    serve(lambda: create(shared), settings, metrics=shared, on_ready=lambda url: print(url, flush=True))
