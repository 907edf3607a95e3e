"""A service that cannot listen where it is told says which key to change, before it loads anything."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from cds_service.errors import SettingsError
from cds_service.settings import Settings
from cds_service.web import ports


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of this machine where somebody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        yield listener.getsockname()[1]


@pytest.fixture(autouse=True)
def nothing_inherited(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GUNICORN_FD", "LISTEN_FDS"):
        monkeypatch.delenv(name, raising=False)


def listening(section: str, **values: object) -> Settings:
    return Settings().with_("server", port=0).with_(section, **values)


@pytest.mark.parametrize("section", ["server", "metrics"])
def test_a_port_that_is_taken_is_named_with_its_key(taken: int, section: str) -> None:
    """Hook calls and metrics have a port each."""
    with pytest.raises(SettingsError, match=rf"{section}\.port: 127\.0\.0\.1:{taken} is in use\. Stop what"):
        ports.free(listening(section, host="127.0.0.1", port=taken))


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_a_host_that_is_not_this_machine_is_named(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address of documentation, and a name that means nothing."""
    if host.endswith("invalid"):
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: (_ for _ in ()).throw(socket.gaierror()))
    with pytest.raises(SettingsError, match=rf"server\.host {host} is not an address of this machine"):
        ports.free(listening("server", host=host))


@pytest.mark.parametrize("hosts", [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1")])
def test_calls_and_metrics_do_not_share_a_port(hosts: tuple[str, str]) -> None:
    """`curbside check` says it too: there a running service may hold both."""
    both = Settings().with_("server", host=hosts[0], port=8942).with_("metrics", host=hosts[1], port=8942)
    with pytest.raises(SettingsError, match=r"server\.port and metrics\.port are both 8942"):
        ports.distinct(both)


def test_a_free_port_is_free_and_stays_so(taken: int) -> None:
    """The look leaves nothing behind, and sockets that are handed down are not looked for again."""
    ports.free(listening("metrics", port=0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GUNICORN_FD", "5")
        ports.free(listening("server", host="127.0.0.1", port=taken))
