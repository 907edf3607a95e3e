"""Where a call comes from: the peer's address, or what a configured proxy says; and whether that is this machine."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from cds_service.errors import SettingsError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_FORWARDING = frozenset(
    {"HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_X_FORWARDED_HOST", "HTTP_VIA"}
)


class Peers:
    """Judges the WSGI environ of a call by the proxies that are trusted (`security.trusted_proxies`)."""

    def __init__(self, trusted: tuple[str, ...], public_url: str = "") -> None:
        """Raises SettingsError for a text that is no address or network, and for a public URL that is none."""
        self._trusted = tuple(_network(text) for text in trusted)
        parts = urlsplit(public_url)
        if public_url and (
            parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment
        ):
            raise SettingsError(
                "settings: server.public_url must be the URL that CDS Clients call, such as "
                f"https://cds.hospital.example, got {public_url!r}."
            )
        self._public_host = urlsplit(public_url).hostname if public_url else None

    def address(self, environ: Mapping[str, str]) -> str | None:
        """The caller's address, or None if it cannot be known.

        X-Forwarded-For counts only if a trusted proxy sent it, and only as far as trusted proxies wrote it: the last
        address that is not one of theirs.
        """
        at = _address(environ.get("REMOTE_ADDR", ""))
        if at is None or not self._trusts(at):
            return str(at) if at else None
        for text in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
            at = _address(text.strip())
            if at is None:
                return None
            if not self._trusts(at):
                break
        return str(at)

    def local(self, environ: Mapping[str, str]) -> bool:
        """True for a caller on this machine.

        A call that a proxy passed on from elsewhere is none, even if the proxy runs here and nobody configured it;
        neither is a page that reached us under a name of its own (DNS rebinding).
        """
        return self.elsewhere(environ) is None

    def elsewhere(self, environ: Mapping[str, str]) -> str | None:
        """Why a caller does not count as one on this machine, for the log; None for one who does."""
        at = _address(environ.get("REMOTE_ADDR", ""))
        if at is not None and self._trusts(at):
            at = _address(self.address(environ) or "")
        elif not _FORWARDING.isdisjoint(environ):
            return "a proxy passed the call on"
        if at is None or not at.is_loopback:
            return "the caller is not on this machine"
        return None if self._own_name(environ.get("HTTP_HOST", "")) else "the Host header is no name of this machine"

    def _trusts(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self._trusted)

    def _own_name(self, host_header: str) -> bool:
        host = _host(host_header)
        if not host:
            return host is not None and not host_header
        address = _address(host)
        return (
            (address is not None and address.is_loopback)
            or host == "localhost"
            or host.endswith(".localhost")
            or host == self._public_host
        )


@lru_cache(maxsize=256)
def _host(header: str) -> str | None:
    """The name in a Host header, without its port; empty if there is none, None if it cannot be read."""
    try:
        return urlsplit(f"//{header}").hostname or ""
    except ValueError:
        return None


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise SettingsError(
            f"settings: security.trusted_proxies must hold addresses or networks such as 10.1.0.0/24, got {text!r}."
        ) from None


@lru_cache(maxsize=1024)
def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
