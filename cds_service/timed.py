"""Sockets that keep one deadline: for `outbound.py` alone, which imports this when something is first fetched.

The time-outs of `requests` are per read: a server that sends one byte a second never meets them. Here every read
waits at most for what is left of the deadline of the request that its thread is busy with, and so do looking up the
name, connecting and the TLS handshake.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import certifi
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.poolmanager import PoolManager

from cds_service.clock import Deadline

_LOOK_UPS = 4  # names looked up at once; a resolver cannot be interrupted, only left waiting
logging.getLogger("urllib3").setLevel(logging.CRITICAL)  # its lines hold URLs, and those the ids of patients


class _Busy(threading.local):
    deadline: Deadline | None = None


_busy = _Busy()


@contextmanager
def keeping(deadline: Deadline) -> Iterator[None]:
    """Makes all sockets that this thread reads from keep a deadline."""
    _busy.deadline = deadline
    try:
        yield
    finally:
        _busy.deadline = None


def _left() -> float:
    """Seconds left to this thread. Raises TimeoutError if there are none."""
    left = _busy.deadline.remaining() if _busy.deadline is not None else 0.0
    if left <= 0:
        raise TimeoutError("the deadline has passed")
    return left


class _Socket(socket.socket):
    def recv_into(self, *args: Any) -> int:
        self.settimeout(_left())
        return super().recv_into(*args)

    def sendall(self, *args: Any) -> None:
        self.settimeout(_left())
        super().sendall(*args)


class _TlsSocket(ssl.SSLSocket):
    def recv_into(self, *args: Any) -> int:
        self.settimeout(_left())
        return super().recv_into(*args)

    def sendall(self, *args: Any) -> None:
        self.settimeout(_left())
        super().sendall(*args)


def tls_context(ca_file: str) -> ssl.SSLContext:
    """Trusts the system's authorities, those that come with certifi, and the file's. Raises OSError."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(certifi.where())
    if ca_file:
        context.load_verify_locations(ca_file)
    context.sslsocket_class = _TlsSocket
    return context


class _Names:
    """Looks names up in threads of its own, so that a resolver that hangs holds nobody beyond the deadline."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_LOOK_UPS, "names")

    def addresses(self, host: str, port: int) -> list[Any]:
        """What `getaddrinfo` finds. Raises OSError."""
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return self._threads.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM).result(_left())
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)


def _connect(names: _Names, connection: HTTPConnection) -> socket.socket:
    """A connected socket; the time that is left is shared among the addresses of the name."""
    try:
        found = names.addresses(connection.host.strip("[]"), connection.port)
    except socket.gaierror as error:
        raise NameResolutionError(connection.host, connection, error) from error
    problem: OSError = OSError("the name has no address")
    for tried, (family, kind, protocol, _, address) in enumerate(found):
        sock = _Socket(family, kind, protocol)
        try:
            sock.settimeout(_left() / (len(found) - tried))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.settimeout(_left())  # the TLS handshake that may follow has this in all
        except OSError as error:
            sock.close()
            problem = error
        else:
            return sock
    if isinstance(problem, TimeoutError):
        raise problem
    raise NewConnectionError(connection, "no connection") from problem


class Adapter(HTTPAdapter):
    """The requests adapter for one server: no proxies, no environment, no retries, sockets that keep the deadline."""

    def __init__(self, context: ssl.SSLContext | None, connections: int) -> None:
        """context: None for a server that is asked without TLS; authorities take a twentieth of a second to load."""
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=connections)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **pool_kwargs: Any) -> None:
        """A pool whose connections are ours."""
        names = _Names()

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return _connect(names, self)

        class Tls(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return _connect(names, self)

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class TlsPool(HTTPSConnectionPool):
            ConnectionCls = Tls

        self.poolmanager = PoolManager(connections, maxsize=maxsize, block=block, ssl_context=self._context)
        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": TlsPool}

    def cert_verify(self, conn: Any, url: Any, verify: Any, cert: Any) -> None:
        """Nothing: the context verifies, with authorities loaded once instead of for each connection."""
