"""The page `docs/http-api.md`: `python -m cds_service.http_api > docs/http-api.md`.

Routes are read from the application, schemas from the declarations that it runs on, refusals from the tree of errors.
What cannot be read from code is said here, one entry a route; a route without an entry is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import orjson

from cds_service import errors
from cds_service.app import create_app, create_pipeline
from cds_service.errors import CurbsideError
from cds_service.protocol import schemas
from cds_service.protocol.hooks import DEPRECATED, HOOKS
from cds_service.registry import Registry
from cds_service.settings import Settings
from cds_service.web.outcome import HEADERS

_ALWAYS = (errors.Unauthorized, errors.TooManyRequests, errors.Overloaded)
_BODY = (errors.BadRequest, errors.PayloadTooLarge, errors.UnsupportedMediaType, errors.RequestTimeout)


@dataclass(frozen=True, slots=True)
class Entry:
    """What a reader needs to know of one route. refusals: beside those that any call may get."""

    what: str
    who: str
    answer: str
    refusals: tuple[type[CurbsideError], ...] = ()


_CLIENTS = "a CDS Client with its token; without any client configured, callers on this machine"
ENTRIES: Mapping[tuple[str, str], Entry] = {
    ("GET", "/cds-services"): Entry(
        "Discovery: the services, their hooks and prefetch templates.",
        _CLIENTS,
        "200 with `services`, and an `ETag`; 304 without a body if `If-None-Match` holds it",
        _ALWAYS,
    ),
    ("POST", "/cds-services/<service_id>"): Entry(
        "A hook call.",
        _CLIENTS,
        "200 with `cards`, stored before it is sent",
        (*_ALWAYS, *_BODY, errors.Forbidden, errors.UnknownService, errors.PreconditionFailed),
    ),
    ("POST", "/cds-services/<service_id>/feedback"): Entry(
        "What became of cards, several in one call; repeats change nothing, and an item at fault costs none of the "
        "others. See [feedback](feedback.md).",
        _CLIENTS,
        '200 with `{"received": n}`, once all items are committed',
        (*_ALWAYS, *_BODY, errors.UnknownService, errors.UnknownCard, errors.StoreError),
    ),
    ("GET", "/models"): Entry(
        "The models that are loaded: id, version, title, published or trained, and the services that run them.",
        _CLIENTS,
        "200 with `models`",
        _ALWAYS,
    ),
    ("GET", "/models/<model_id>"): Entry(
        "One model: source, limits, and its source attributes of 45 CFR 170.315(b)(11)(iv), 31 if trained, else 13.",
        _CLIENTS,
        "200 with `id`, `version`, `source`, `limits`, `services` and `sourceAttributes`",
        (*_ALWAYS, errors.UnknownModel),
    ),
    ("GET", "/knowledge"): Entry(
        "What the knowledge graph says of `code` (system, a bar, code), else of `text`: plain links as from an "
        "Infobutton. HTML or JSON by `Accept`; no patient is asked for.",
        _CLIENTS,
        "200 with `rows`, at most 50, the most severe first; 404 with an OperationOutcome if nothing is known",
        (*_ALWAYS, errors.BadRequest),
    ),
    ("GET", "/knowledge/rows/<path:row_id>"): Entry(
        "One row of the knowledge graph, as the paths of findings name it.",
        _CLIENTS,
        "200 with `rows`, one for each drug that the row names; 404 with a note",
        _ALWAYS,
    ),
    ("GET", "/health/live"): Entry("Whether the process lives.", "anyone", '200 with `{"status": "live"}`'),
    ("GET", "/health/ready"): Entry(
        "Whether cards can be given: models are loaded and have run before the service listens.",
        "anyone",
        '200 with `{"status": "ready", "store": "ok" | "failing" | "none"}`',
    ),
    ("GET", "/metrics"): Entry(
        "Metrics of all workers in Prometheus' text format.",
        "callers on this machine, and whoever reaches `metrics.port`",
        "200; for others there is no such page (404)",
    ),
}


def routes() -> list[tuple[str, str]]:
    """Method and path of everything that the application answers."""
    settings = Settings()
    pipeline = create_pipeline(settings, loaded=Registry({}, {}, {}))  # routes do not depend on plugins
    rules = create_app(settings, pipeline=pipeline).url_map.iter_rules()
    return sorted((method, rule.rule) for rule in rules for method in (rule.methods or set()) - {"HEAD", "OPTIONS"})


def page() -> str:
    """The whole page. Raises KeyError naming a route that has no entry."""
    lines = [
        "# HTTP API",
        "",
        "Made from the code: `python -m cds_service.http_api > docs/http-api.md`.",
        "Registering a client and its tokens: [security](security.md). The protocol: CDS Hooks 2.0, by setting 3.0.",
        "",
        "| method | path | what | who may call |",
        "|---|---|---|---|",
    ]
    found = sorted(routes(), key=list(ENTRIES).index)
    lines += [f"| {m} | `{_shown(p)}` | {ENTRIES[m, p].what} | {ENTRIES[m, p].who} |" for m, p in found]
    lines += ["", "HEAD is answered wherever GET is. Another method gets 405 with `Allow`, another path 404.", ""]
    for method, path in found:
        lines += _route(method, path, ENTRIES[method, path])
    return "\n".join([*lines, *_headers(), *_bodies()]) + "\n"


def _shown(path: str) -> str:
    return path.replace("<service_id>", "{id}").replace("<model_id>", "{id}")


def _route(method: str, path: str, entry: Entry) -> list[str]:
    lines = [f"## {method} {_shown(path)}", "", f"{entry.what}", "", f"Answer: {entry.answer}.", ""]
    if entry.refusals:
        lines += ["| refusal | issue code | when |", "|---|---|---|", *_refusals(entry.refusals), ""]
    return lines


def _refusals(kinds: Iterable[type[CurbsideError]]) -> list[str]:
    rows = []
    for kind in sorted(kinds, key=lambda k: (k.http_status, k.__name__)):
        when = " ".join(str(kind.__doc__).split("\n\n")[0].split())
        retry = ", with `Retry-After`" if kind in (errors.TooManyRequests, errors.Overloaded) else ""
        rows.append(f"| {kind.http_status}{retry} | `{kind.issue_code}` | {when} |")
    return rows


def _headers() -> list[str]:
    return [
        "## Every answer",
        "",
        "A refusal is a FHIR OperationOutcome with one issue; its `diagnostics` says what to change and holds no value",
        "that was sent. 500 is a fault of the service: its `diagnostics` holds the request id and nothing else.",
        "",
        "| header | value |",
        "|---|---|",
        "| `X-Request-Id` | the caller's own if it is a UUID, else a new one; also in the log |",
        *(f"| `{name}` | `{value}` |" for name, value in HEADERS),
        "",
        "Discovery has `Cache-Control: private, no-cache` instead. Origins of `cors.origins` get CORS headers on every",
        "answer, refusals too; `OPTIONS` answers their preflights without a token.",
        "",
    ]


_STRANGE_KEYS = (
    "What comes under a prefetch key that the service did not ask for is read if it is a resource, and else passed "
    "over and counted in the stored assessment."
)


def _bodies() -> list[str]:
    lines = ["## Body of a hook call", "", *_json(schemas.hook_request())]
    lines += [_STRANGE_KEYS, ""]
    lines += ["`context` by hook; members that are not listed are passed over:", ""]
    lines += ["| hook | version | required | optional |", "|---|---|---|---|"]
    for id_, schema in schemas.contexts().items():
        required = schema["required"]
        optional = [name for name in schema["properties"] if name not in required]
        lines.append(f"| {id_} | {HOOKS[id_].version} | {_names(required)} | {_names(optional)} |")
    renamed = ", ".join(f"{hook.id} as {hook.read_as}" for hook in DEPRECATED.values())
    lines += ["", f"Deprecated hooks are read as their successors: {renamed}.", ""]
    lines += ["## Body of the answer", "", *_json(schemas.hook_response())]
    return [*lines, "## Body of feedback", "", *_json(schemas.feedback_request())[:-1]]


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _json(value: object) -> list[str]:
    return ["```json", orjson.dumps(value, option=orjson.OPT_INDENT_2).decode(), "```", ""]


if __name__ == "__main__":
    print(page(), end="")
