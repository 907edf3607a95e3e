"""Where a call comes from, with and without proxies."""

from __future__ import annotations

import pytest

from cds_service.errors import SettingsError
from cds_service.web.peers import Peers

TRUSTED = ("10.1.0.0/24", "127.0.0.1", "fd00::/8")


@pytest.mark.parametrize(
    ("remote", "forwarded", "address"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("10.1.0.5", "198.51.100.1", "198.51.100.1"),
        ("10.1.0.5", "127.0.0.1, 198.51.100.1", "198.51.100.1"),
        ("10.1.0.5", "1.1.1.1, 198.51.100.1, 10.1.0.9", "198.51.100.1"),
        ("10.1.0.5", "10.1.0.7", "10.1.0.7"),
        ("fd00::1", "2001:db8::1", "2001:db8::1"),
        ("::ffff:10.1.0.5", "198.51.100.1", "198.51.100.1"),
        ("10.1.0.5", None, None),
        ("10.1.0.5", "unknown", None),
        ("10.1.0.5", "198.51.100.1, garbage", None),
        ("", "198.51.100.1", None),
    ],
)
def test_only_what_trusted_proxies_wrote_counts(remote: str, forwarded: str | None, address: str | None) -> None:
    """Anyone can send X-Forwarded-For; the last address before our own proxies is the one they saw."""
    environ = {"REMOTE_ADDR": remote} | ({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {})
    assert Peers(TRUSTED).address(environ) == address


@pytest.mark.parametrize(
    ("environ", "local"),
    [
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8080"}, True),
        ({"REMOTE_ADDR": "127.8.8.8", "HTTP_HOST": "localhost"}, True),
        ({"REMOTE_ADDR": "::1", "HTTP_HOST": "[::1]:8080"}, True),
        ({"REMOTE_ADDR": "::ffff:127.0.0.1", "HTTP_HOST": "demo.localhost"}, True),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "cds.example"}, True),
        ({"REMOTE_ADDR": "127.0.0.1"}, True),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "rebound.example"}, False),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1.evil.example"}, False),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "[::1"}, False),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost", "HTTP_X_REAL_IP": "127.0.0.1"}, False),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "localhost", "HTTP_VIA": "1.1 proxy"}, False),
        ({"REMOTE_ADDR": "10.0.0.1", "HTTP_HOST": "localhost"}, False),
        ({"REMOTE_ADDR": "0.0.0.0", "HTTP_HOST": "localhost"}, False),
        ({"REMOTE_ADDR": "", "HTTP_HOST": "localhost"}, False),
        ({"HTTP_HOST": "localhost"}, False),
    ],
)
def test_this_machine_is_what_came_straight_from_it(environ: dict[str, str], local: bool) -> None:
    """Not what a proxy here passed on, and not a page that was bound to our address."""
    assert Peers((), "https://cds.example/base").local(environ) is local


@pytest.mark.parametrize(
    ("forwarded", "local"), [(None, False), ("127.0.0.1", True), ("127.0.0.9", True), ("198.51.100.1", False)]
)
def test_behind_a_trusted_proxy_its_word_counts(forwarded: str | None, local: bool) -> None:
    """A proxy that says nothing of the caller makes nobody local."""
    environ = {"REMOTE_ADDR": "10.1.0.5", "HTTP_HOST": "localhost"}
    environ |= {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    assert Peers(("10.1.0.0/24",)).local(environ) is local


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_X_FORWARDED_FOR": "127.0.0.1"}, "a proxy passed the call on"),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "cds.example"}, "the Host header is no name of this machine"),
        ({"REMOTE_ADDR": "203.0.113.9", "HTTP_HOST": "127.0.0.1"}, "the caller is not on this machine"),
        ({"REMOTE_ADDR": "127.0.0.1", "HTTP_HOST": "127.0.0.1:8080"}, None),
    ],
)
def test_why_a_caller_is_elsewhere_is_said(environ: dict[str, str], words: str | None) -> None:
    """An operator whose own machine is refused has to be told that it is the proxy, or the name."""
    assert Peers(()).elsewhere(environ) == words


def test_a_text_that_is_no_network_is_named() -> None:
    """A host name would have to be looked up, and could be anyone's."""
    with pytest.raises(SettingsError, match=r"security\.trusted_proxies must hold addresses"):
        Peers(("proxy.example",))


@pytest.mark.parametrize("url", ["cds.example/", "ftp://cds.example", "https://", "https://cds.example/?a=1"])
def test_a_public_url_that_nobody_could_call_is_refused(url: str) -> None:
    """It is the audience of every token: each call would be refused."""
    with pytest.raises(SettingsError, match=r"server\.public_url must be the URL that CDS Clients call"):
        Peers((), url)
