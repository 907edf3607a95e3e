"""`curbside serve`: the service over HTTP."""

from __future__ import annotations

import gc
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from cds_service.cli import options
from cds_service.kept_classes import CLASSES
from cds_service.settings import Settings

if TYPE_CHECKING:
    from cds_service.clock import Clock
    from cds_service.web.metrics import Metrics
    from cds_service.web.wsgi import Wsgi


@click.command()
@options.config
@click.option("--host", help="Address to listen on (server.host).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on (server.port).")
@click.option("--workers", type=click.IntRange(1, 256), help="Worker processes (server.workers).")
@click.option("--as-of", type=options.Moment(), metavar="TIME", hidden=True, help="For the demonstration's samples.")
def serve(settings: Settings, host: str | None, port: int | None, workers: int | None, as_of: datetime | None) -> None:
    """Serve CDS Hooks over HTTP until SIGTERM or Ctrl-C."""
    given: dict[str, Any] = {"host": host, "port": port, "workers": workers}
    settings = settings.with_("server", **{name: value for name, value in given.items() if value is not None})
    gc.disable()  # nothing that is loaded or made before the fork is garbage; workers collect again
    from cds_service.web import lean  # noqa: F401, I001 - before anything loads structlog
    from cds_service.web import server  # it sets the number of threads before numpy is imported
    from cds_service.web.metrics import Metrics

    counted = Metrics.shared()
    serving = _Serving(settings, options.clock(as_of), counted)
    server.serve(
        serving.application,
        settings,
        metrics=counted,
        on_ready=lambda url: _announce(url, settings),
        beside=serving.word if settings.llm.url else None,
    )


class _Serving:
    """The application, and where a language model is set, what words summaries beside it."""

    def __init__(self, settings: Settings, clock: Clock, counted: Metrics) -> None:
        self._settings, self._clock, self._counted = settings, clock, counted

    def application(self) -> Wsgi:
        """Made once, in the master."""
        from cds_service.app import create_app, create_model
        from cds_service.web import logs

        logs.configure()
        logs.guard()
        if any(client.jwks_file for client in self._settings.clients.values()):
            from cds_service.security.registration import require_files

            require_files(self._settings)
        bell = None
        if self._settings.llm.url:
            from cds_service.wording import PipeBell

            create_model(self._settings)  # what is wrong with its settings is told now
            bell = self._bell = PipeBell()
        app = create_app(self._settings, self._clock, metrics=self._counted, bell=bell)
        self._made = app.extensions["curbside"]
        CLASSES.keep()
        return app

    def word(self) -> None:
        """Words summaries until SIGTERM; runs in a process of its own."""
        from cds_service.app import create_writer

        pipeline, store = self._made
        writer = create_writer(pipeline, store, self._settings, self._clock, self._counted)
        writer.run(self._bell, self._settings.server.drain_s / 2)


def _announce(url: str, settings: Settings) -> None:
    with suppress(OSError):  # a full disk behind standard output is no reason not to serve
        click.echo(f"Curbside serves CDS Hooks at {url}/cds-services")
        if not settings.clients:
            click.echo("No CDS Client is configured ([clients.NAME]): only callers on this machine are answered.")
