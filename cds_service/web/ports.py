"""Whether the service may listen where the settings say, told in one sentence before anything is loaded."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator

from cds_service.errors import SettingsError
from cds_service.settings import Settings, address

_INHERITED = ("GUNICORN_FD", "LISTEN_FDS")  # the sockets come from the process before, or from systemd
_ANY = ("0.0.0.0", "::", "")  # noqa: S104 - compared, not bound


def distinct(settings: Settings) -> None:
    """Raises SettingsError if hook calls and metrics were to share a port."""
    server, own = settings.server, settings.metrics
    shared = server.host == own.host or server.host in _ANY or own.host in _ANY
    if own.port and own.port == server.port and shared:
        raise SettingsError(f"settings: server.port and metrics.port are both {own.port}. Give each its own.")


def free(settings: Settings) -> None:
    """Raises SettingsError naming the key if the service could not listen at one of its addresses."""
    distinct(settings)
    if any(name in os.environ for name in _INHERITED):
        return
    for section, host, port in _listening(settings):
        try:
            _listen(host, port)
        except OSError as error:
            raise SettingsError(_sentence(section, host, port, error)) from error


def _listening(settings: Settings) -> Iterator[tuple[str, str, int]]:
    yield "server", settings.server.host, settings.server.port
    if settings.metrics.port:
        yield "metrics", settings.metrics.host, settings.metrics.port


def _listen(host: str, port: int) -> None:
    found = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, kind, protocol, _, where = found[0]
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what gunicorn sets
        listener.bind(where)
        listener.listen(1)


def _sentence(section: str, host: str, port: int, error: OSError) -> str:
    where = address(host, port)
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return f"settings: {section}.host {host} is not an address of this machine. Give one, or 0.0.0.0 for all."
    if error.errno == errno.EADDRINUSE:
        return f"settings: {section}.port: {where} is in use. Stop what listens there, or give another port."
    if error.errno == errno.EACCES:
        return f"settings: {section}.port: this user may not listen at {where}. Give a port from 1024 on."
    return f"settings: {section}.port: cannot listen at {where} ({error.strerror}). Give another."
