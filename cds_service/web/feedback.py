"""CDS Hooks feedback over HTTP: what became of cards, committed before it is acknowledged.

Items that can be kept are kept whatever the others of the call are like: a CDS Client that sends its outcomes in
batches must not lose them all for a card that was deleted here, and it may not look into the body of a 200.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from flask import Blueprint, Response, g

from cds_service.clock import Clock
from cds_service.errors import StoreError
from cds_service.protocol.feedback import decode, refusal
from cds_service.stores.feedback import FeedbackStore
from cds_service.stores.scopes import scope_of
from cds_service.web.auth import caller
from cds_service.web.cds_hooks import read_body
from cds_service.web.outcome import JSON

if TYPE_CHECKING:
    from cds_service.pipeline import Pipeline


def blueprint(pipeline: Pipeline, store: FeedbackStore | None, clock: Clock, max_body_bytes: int) -> Blueprint:
    """`POST /cds-services/{id}/feedback`. store: None where nothing is stored; feedback is then refused."""
    routes = Blueprint("feedback", __name__)

    @routes.post("/cds-services/<service_id>/feedback", strict_slashes=False)
    def receive(service_id: str) -> Response:
        service = pipeline.desk(service_id).service.id
        g.service = service  # logged only if it is one of ours
        sent = decode(read_body(max_body_bytes))
        if store is None:
            raise StoreError("feedback cannot be kept: this service runs without a store")
        found = caller()
        also = () if found.use is None else (found.use.write,)
        kept = store.keep(
            service, scope_of(found.issuer, found.tenant), sent.items, clock.now(), also, client=found.client
        )
        found.stored()
        if faults := (*sent.faults, *kept.faults):
            raise refusal(faults, len(sent.items) - len(kept.faults))
        return Response(orjson.dumps({"received": len(sent.items)}), mimetype=JSON)

    return routes
