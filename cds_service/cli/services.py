"""`curbside services`: what this installation answers."""

from __future__ import annotations

import click

from cds_service.cli import options
from cds_service.language import words
from cds_service.settings import Settings


@click.command()
@options.config
@options.as_json
def services(settings: Settings, as_json: bool) -> None:
    """List the CDS Services: hook, id, title and models; then the thresholds that a site may set."""
    from cds_service import local_codes, registry, service_settings

    local_codes.load(settings.codes.map)  # its inputs read by it: a wrong one is told here too
    loaded = registry.load(extra_models=settings.plugins.models, extra_hooks=settings.plugins.hooks)
    say = words(settings.cards.language)
    rows: list[options.Json] = [
        {
            "id": service.id,
            "hook": service.hook,
            "title": say(service.title),
            "description": say(service.description),
            "models": list(service.models),
            "silent": service_settings.of(service, settings).silent,
            "thresholds": service_settings.thresholds(service, settings),
        }
        for service in loaded.services.values()
    ]
    if as_json:
        options.print_json(rows)
        return
    from cds_service.cli.terminal import table

    table(("hook", "id", "title", "models"), [(r["hook"], r["id"], r["title"], ", ".join(r["models"])) for r in rows])
    declared = [
        (service.id, name, f"{service_settings.thresholds(service, settings)[name]:g}", t.unit, say(t.meaning))
        for service in loaded.services.values()
        for name, t in service.thresholds.items()
    ]
    if declared:
        click.echo()
        table(("service", "threshold", "now", "unit", "meaning"), declared)
