"""The sandbox EHR as a web application on loopback."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, Response, render_template, request
from werkzeug.serving import WSGIRequestHandler, make_server

from cds_service.sandbox.ehr import fhir_api, pages, smart
from cds_service.sandbox.ehr.client import CdsClient
from cds_service.sandbox.ehr.state import Ehr

_FORBIDDEN = {"cross-site", "same-site"}  # pages of other sites press no buttons here


def create_app(ehr: Ehr, behaviour: smart.Smart | None = None) -> Flask:
    """The EHR's Flask application. behaviour: for tests that need an authorization server at fault."""
    app = Flask("cds_service.sandbox.ehr")
    app.register_blueprint(smart.blueprint(ehr, behaviour or smart.Smart()))
    app.register_blueprint(fhir_api.blueprint(ehr))
    app.register_blueprint(pages.blueprint(ehr, CdsClient(ehr)))
    # Framed by a chart, and where a form that chooses a patient leads: browsers hold redirects against form-action too.
    apps = " ".join(sorted({uri.rsplit("/", uri.count("/") - 2)[0] for uri in ehr.redirects}))

    @app.before_request
    def only_our_pages() -> tuple[str, int] | None:
        browser = request.headers.get("Sec-Fetch-Site")
        if request.method == "POST" and browser in _FORBIDDEN and request.endpoint != "smart.token":
            return render_template("message.html", title="Not from here", text="This came from another site."), 403
        return None

    @app.after_request
    def head(response: Response) -> Response:
        response.headers.setdefault(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
            f"form-action 'self' {apps}; frame-ancestors 'none'; base-uri 'none'; frame-src 'self' {apps}",
        )
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        return response

    @app.errorhandler(404)
    def missing(_: Exception) -> tuple[str, int]:
        return render_template("message.html", title="Not here", text="There is no such page, patient or card."), 404

    return app


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_: object, **__: object) -> None:
        """Nothing: the developer's view has the calls that matter."""


@contextmanager
def running(app: Flask, host: str, port: int) -> Iterator[None]:
    """Serves in threads of its own until the end of the block. Raises OSError if the port cannot be used."""
    server = make_server(host, port, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
