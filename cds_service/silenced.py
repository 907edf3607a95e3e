"""Which models are silent because monitoring found them outside their range: asked of the store now and then."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

from cds_service.errors import StoreError
from cds_service.stores.database import Database
from cds_service.stores.fallen_back import FallBackStore

_log = structlog.get_logger(__name__)
FRESH_S = 30.0  # how long an answer of the store holds: a running worker falls silent within that time


class Silenced:
    """The models that are silent, as a running worker knows them."""

    def __init__(self, database: Database, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._store, self._monotonic = FallBackStore(database), monotonic
        self._known: frozenset[tuple[str, str]] = frozenset()
        self._until = float("-inf")

    def now(self) -> frozenset[tuple[str, str]]:
        """Pairs of model id and version, at most `FRESH_S` old.

        While the database is away, what was known last: a model that was silent stays so.
        """
        at = self._monotonic()
        if at >= self._until:
            self._until = at + FRESH_S  # first, so that one thread asks and the others go on
            try:
                self._known = frozenset((one.model, one.version) for one in self._store.in_force())
            except StoreError as error:
                _log.error("silent models not read", reason=str(error))
        return self._known
