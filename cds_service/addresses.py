"""What a URL is allowed to be, taken apart; and secrets that no text of ours shows. For `outbound.py`."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

_PORTS = {"https": 443, "http": 80}


class Secret:
    """A text that is used and forgotten: no repr, no str and no pickle of it shows what it is."""

    __slots__ = ("_text", "scheme")

    def __init__(self, text: str, scheme: str = "Bearer") -> None:
        """scheme: of the Authorization header that it is meant for."""
        self._text = text
        self.scheme = scheme

    def reveal(self) -> str:
        """The text; for the one header that it is meant for."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(hidden)"

    def __reduce__(self) -> str:
        raise TypeError("a secret is not written anywhere")


@dataclass(frozen=True, slots=True)
class Base:
    """A base URL, taken apart: what lies below it on the same origin is admitted, and nothing else."""

    scheme: str
    host: str
    port: int
    path: str

    @classmethod
    def of(cls, url: str) -> Base | None:
        """The parts of an absolute http(s) URL without credentials, query or fragment; None for anything else."""
        parts = parts_of(url)
        if parts is None or parts[1]:
            return None
        return parts[0]

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port."""
        return self.scheme, self.host, self.port

    @property
    def loopback(self) -> bool:
        """True for localhost and the addresses of this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def admits(self, url: str) -> bool:
        """True if a URL is this base or lies below its path."""
        parts = parts_of(url)
        if parts is None or parts[0].origin != self.origin:
            return False
        return parts[0].path == self.path or parts[0].path.startswith(self.path + "/")


_PLAIN = re.compile(r"[!-~]+")  # printable ASCII without space


def parts_of(url: str) -> tuple[Base, str] | None:
    """A URL's base and query; None if it is not plain, or could mean another place than it seems to."""
    if _PLAIN.fullmatch(url) is None or "\\" in url or "#" in url:
        return None
    try:
        split = urlsplit(url)
        port = split.port
    except ValueError:
        return None
    if split.scheme not in _PORTS or not split.hostname or "@" in split.netloc:
        return None
    path = split.path
    while (plainer := unquote(path)) != path:
        path = plainer
    if any(segment.partition(";")[0] in (".", "..") for segment in path.split("/")) or "\\" in path:
        return None  # some servers read `..;x` as `..`
    base = Base(split.scheme, split.hostname, port or _PORTS[split.scheme], split.path.rstrip("/"))
    return base, split.query
