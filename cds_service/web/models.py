"""`GET /models` and `GET /models/{id}`: what is loaded, and the source attributes of each model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson
from flask import Blueprint, Response

from cds_service import source_attributes
from cds_service.errors import UnknownModel
from cds_service.language import Message
from cds_service.risk.model import RiskModel
from cds_service.web.outcome import JSON


def blueprint(
    models: Mapping[str, RiskModel], say: Callable[[Message], str], run_by: Callable[[str], tuple[str, ...]]
) -> Blueprint:
    """The routes. say: a message in the site's language. run_by: the services that run a model of an id."""
    routes = Blueprint("models", __name__, url_prefix="/models")

    @routes.get("")
    def every() -> Response:
        rows = [_head(model, say) | {"services": run_by(model.id)} for model in models.values()]
        return Response(orjson.dumps({"models": rows}), mimetype=JSON)

    @routes.get("/<model_id>")
    def one(model_id: str) -> Response:
        if model_id not in models:
            raise UnknownModel("there is no model of this id; GET /models lists them")
        found = about(models[model_id], say) | {"services": run_by(model_id)}
        return Response(orjson.dumps(found), mimetype=JSON)

    return routes


def about(model: RiskModel, say: Callable[[Message], str]) -> dict[str, Any]:
    """All that is said of one model; `sourceAttributes` where it has them (45 CFR 170.315(b)(11)(iv))."""
    limits = getattr(model, "limits", None)
    found = _head(model, say) | {
        "source": model.citation.text,
        "url": model.citation.url,
        "limits": say(limits) if limits is not None else "",
    }
    if licence := source_attributes.licence(model):
        found["licence"] = licence
    attributes = source_attributes.of(model, say)
    return found | ({"sourceAttributes": attributes} if attributes else {})


def _head(model: RiskModel, say: Callable[[Message], str]) -> dict[str, Any]:
    kind = "trained" if model.trained else "published"
    return {"id": model.id, "version": model.version, "title": say(model.title), "kind": kind}
