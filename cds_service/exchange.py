"""One exchange with another machine: what is sent, what comes back under a cap and a deadline, why nothing did.

Only `outbound.py` makes one. Errors hold neither URLs, which may name a patient, nor tokens.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from cds_service import __version__
from cds_service.addresses import Secret
from cds_service.clock import Deadline
from cds_service.errors import CurbsideError

if TYPE_CHECKING:
    import requests

    from cds_service.timed import Adapter

USER_AGENT = f"Curbside/{__version__}"
_CHUNK = 65_536


class Failure(Enum):
    """Why nothing came back."""

    NOT_ALLOWED = "not allowed"
    TIMEOUT = "no answer in time"
    REFUSED = "no connection"
    BROKEN = "answer broken off"
    STATUS = "status"
    TOO_LARGE = "answer too large"
    PAUSED = "left alone after repeated failures"


class OutboundError(CurbsideError):
    """A request out that failed. `status` is the server's, where it answered one."""

    http_status = 502
    issue_code = "transient"

    def __init__(self, kind: Failure, status: int | None = None) -> None:
        super().__init__(f"outbound: {kind.value}" + (f" {status}" if status is not None else ""))
        self.kind = kind
        self.status = status


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered, with a status of 200 to 299 or one that was asked for. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


def prepared(
    method: str, url: str, body: bytes | None, headers: Mapping[str, str], token: Secret | None
) -> requests.PreparedRequest:
    """The request as it is sent; compressed answers are not asked for."""
    import requests

    sent = {**headers, "User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    if token is not None:
        sent["Authorization"] = f"{token.scheme} {token.reveal()}"
    return requests.Request(method, url, headers=sent, data=body).prepare()


def send(adapter: Adapter, request: requests.PreparedRequest, deadline: Deadline) -> requests.Response:
    """The head of the answer. One further try where no answer began: a kept connection may have been closed."""
    import requests

    for last in (False, True):
        left = deadline.remaining()
        if left <= 0:
            raise OutboundError(Failure.TIMEOUT)
        try:
            return adapter.send(request, stream=True, timeout=left, verify=True, proxies={})
        except (requests.RequestException, OSError) as error:
            if isinstance(error, requests.Timeout | TimeoutError) or deadline.remaining() <= 0:
                raise OutboundError(Failure.TIMEOUT) from None
            if last or request.method != "GET":
                raise OutboundError(Failure.REFUSED if _no_connection(error) else Failure.BROKEN) from None
    raise AssertionError("the loop returns or raises")


def _no_connection(error: Exception) -> bool:
    """True if there was no connection to begin with: no such name, nobody listens, a certificate not to be trusted."""
    import requests
    from urllib3.exceptions import MaxRetryError, NewConnectionError

    cause = error.args[0] if error.args else None
    return isinstance(error, requests.exceptions.SSLError) or (
        isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
    )


def lines(response: requests.Response, deadline: Deadline, max_bytes: int) -> Iterator[bytes]:
    """The lines of an answer. The deadline is kept read by read: between two, this thread may do other things."""
    from urllib3.exceptions import HTTPError

    from cds_service.timed import keeping

    size, rest = 0, b""
    while True:
        try:
            with keeping(deadline):
                chunk: bytes = response.raw.read1(_CHUNK)
        except (HTTPError, OSError):
            raise OutboundError(Failure.TIMEOUT if deadline.remaining() <= 0 else Failure.BROKEN) from None
        if not chunk:
            break
        size += len(chunk)
        if size > max_bytes:
            raise OutboundError(Failure.TOO_LARGE)
        *ended, rest = (rest + chunk).split(b"\n")
        yield from (line.rstrip(b"\r") for line in ended)
    if rest:
        yield rest


def whole(response: requests.Response, deadline: Deadline, max_bytes: int, also: Collection[int] = ()) -> Answer:
    """The whole answer, under the cap; `from None` throughout, because causes hold URLs."""
    from urllib3.exceptions import HTTPError

    if not 200 <= response.status_code < 300 and response.status_code not in also:
        raise OutboundError(Failure.STATUS, response.status_code)
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and int(announced) > max_bytes:
        raise OutboundError(Failure.TOO_LARGE)
    chunks: list[bytes] = []
    size = 0
    raw: Any = response.raw
    try:
        while chunk := raw.read(_CHUNK, decode_content=True):
            size += len(chunk)
            if size > max_bytes:
                raise OutboundError(Failure.TOO_LARGE)
            chunks.append(chunk)
    except (HTTPError, OSError):
        raise OutboundError(Failure.TIMEOUT if deadline.remaining() <= 0 else Failure.BROKEN) from None
    return Answer(response.status_code, {k.lower(): v for k, v in response.headers.items()}, b"".join(chunks))
