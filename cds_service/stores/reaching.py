"""How PostgreSQL is reached: in bounded time, and not again for a while after it could not be.

A hook call waits for nobody: while the database is away, one call in some seconds tries it, and the others go on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Engine, event

from cds_service.breaker import Breaker

_PAUSE_S = 5.0
ARGUMENTS: Mapping[str, Any] = {
    "connect_timeout": 2,  # seconds, for names, sockets and log-in together; libpq knows no shorter time
    "tcp_user_timeout": 2500,  # ms until a connection whose other end has gone counts as broken
    "options": "-c lock_timeout=2500 -c idle_in_transaction_session_timeout=60000",
}
PATIENT: Mapping[str, Any] = {**ARGUMENTS, "connect_timeout": 10}  # for a start, behind which no call waits


def guard(engine: Engine) -> None:
    """Lets an engine's connections be opened through a breaker."""
    breaker = Breaker(1, _PAUSE_S)

    @event.listens_for(engine, "do_connect")
    def connect(dialect: Any, _record: Any, arguments: Any, keywords: Any) -> Any:
        failure: type[Exception] = dialect.loaded_dbapi.OperationalError
        if not breaker.admits():
            raise failure("the database could not be reached a moment ago")
        report = breaker.failed
        try:
            connection = dialect.connect(*arguments, **keywords)
            report = breaker.succeeded
        finally:
            report()
        return connection
