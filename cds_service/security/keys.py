"""Public keys of a CDS Client: read from its key set (JWKS), kept while it cannot be read, looked up by `kid`.

Only the public numbers of EC (P-384, P-256) and RSA keys are taken. Whatever else a key set holds (symmetric and
private parts, certificates, keys for encryption, key types that are not known here) is passed over.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import structlog

from cds_service.clock import Clock
from cds_service.errors import CurbsideError

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, RSAKey  # loaded where there are keys

    Key = ECKey | RSAKey
Read = Callable[[], bytes]
Away = Callable[[], AbstractContextManager[None]]
Spawn = Callable[[Callable[[], None]], None]
_RSA_BITS = (2048, 8192)
_CURVES = {"P-384": "ES384", "P-256": "ES256"}
_MAX_KEYS = 200
_log = structlog.get_logger(__name__)


class KeySetError(CurbsideError):
    """A key set cannot be read or holds no key that could be used; the message says why."""


class _Jwk(msgspec.Struct, frozen=True):
    kty: str = ""
    kid: str = ""
    use: str = "sig"
    alg: str | None = None
    key_ops: list[str] | None = None
    crv: str | None = None
    x: str | None = None
    y: str | None = None
    n: str | None = None
    e: str | None = None


class _Jwks(msgspec.Struct, frozen=True):
    keys: list[msgspec.Raw]


_SET: msgspec.json.Decoder[_Jwks] = msgspec.json.Decoder(_Jwks)
_KEY: msgspec.json.Decoder[_Jwk] = msgspec.json.Decoder(_Jwk)


@dataclass(frozen=True, slots=True)
class KeySet:
    """The usable keys of one document, by `kid` and algorithm."""

    keys: Mapping[tuple[str, str], Key]

    def find(self, kid: str, algorithm: str) -> Key | None:
        """The key of that id for that algorithm, or None."""
        return self.keys.get((kid, algorithm))


def parse(document: bytes) -> KeySet:
    """The usable keys of a JWKS. Raises KeySetError if it is none, or holds none."""
    try:
        entries = _SET.decode(document).keys
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise KeySetError('it is not a JWKS: expected a JSON object with a list "keys"') from None
    found: dict[tuple[str, str], Key] = {}
    for entry in entries[:_MAX_KEYS]:
        for algorithm, kid, key in _usable(entry):
            found.setdefault((kid, algorithm), key)
    if not found:
        raise KeySetError(
            "it holds no signature key with a kid for ES384 (P-384), ES256 (P-256) or RS384/RS256 (2048 bits or more)"
        )
    return KeySet(found)


def _usable(entry: msgspec.Raw) -> list[tuple[str, str, Key]]:
    """Algorithm, kid and key for each algorithm that one entry may be used with; nothing for any other entry."""
    try:
        jwk = _KEY.decode(entry)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    if not jwk.kid or jwk.use != "sig" or (jwk.key_ops is not None and "verify" not in jwk.key_ops):
        return []
    key, algorithms = _imported(jwk)
    if key is None:
        return []
    return [(algorithm, jwk.kid, key) for algorithm in algorithms if jwk.alg in (None, algorithm)]


def _imported(jwk: _Jwk) -> tuple[Key | None, tuple[str, ...]]:
    from joserfc.errors import JoseError
    from joserfc.jwk import ECKey, RSAKey

    public: dict[str, Any]
    try:
        if jwk.kty == "EC" and jwk.crv in _CURVES and jwk.x and jwk.y:
            public = {"kty": "EC", "crv": jwk.crv, "x": jwk.x, "y": jwk.y}
            return ECKey.import_key(public), (_CURVES[jwk.crv],)
        if jwk.kty == "RSA" and jwk.n and jwk.e and _RSA_BITS[0] <= _bits(jwk.n) <= _RSA_BITS[1]:
            public = {"kty": "RSA", "n": jwk.n, "e": jwk.e}
            return RSAKey.import_key(public), ("RS384", "RS256")
    except (JoseError, ValueError, TypeError):  # numbers that are no key, such as a point beside the curve
        return None, ()
    return None, ()


def _bits(modulus: str) -> int:
    """Bits that a number in base64url holds, to the next whole byte."""
    return len(modulus.rstrip("=")) * 6 // 8 * 8


@dataclass(frozen=True, slots=True)
class Lives:
    """How long keys are used: when they are read again, how often at most, and how old they may grow."""

    refresh: timedelta
    stale: timedelta
    retry: timedelta = timedelta(seconds=30)


class KeyRing:
    """The keys of one CDS Client, in one process; shared by its threads.

    read: gives the document, in bounded time; raises CurbsideError or OSError. Keys older than `lives.refresh` are
    read again beside the calls (`spawn`); an unknown kid, or no keys, makes the call itself read, at most once in
    `lives.retry`. What cannot be read leaves the old keys in use until `lives.stale`.
    """

    def __init__(self, name: str, read: Read, lives: Lives, clock: Clock, spawn: Spawn | None = None) -> None:
        self._name = name
        self._read = read
        self._lives = lives
        self._clock = clock
        self._spawn = spawn or _in_background
        self._lock = threading.Lock()
        self._known: tuple[KeySet, datetime] | None = None
        self._tried: datetime | None = None

    def find(self, kid: str, algorithm: str, away: Away = nullcontext) -> Key | None:
        """The key of that id for that algorithm, or None if the client has none (or none that is fresh enough).

        away: entered while the call itself has to wait for the key set, so that others may compute.
        """
        now = self._clock.now()
        known = self._fresh(now)
        key = known.find(kid, algorithm) if known else None
        if key is None:
            with away():
                self.refresh(now)
            known = self._fresh(now)
            return known.find(kid, algorithm) if known else None
        if self._age(now) >= self._lives.refresh and self._may_try(now):
            self._spawn(lambda: self.refresh(now))
        return key

    def refresh(self, now: datetime) -> None:
        """Reads the key set, unless that was tried just now. A failure is logged and leaves the old keys.

        While another call reads, only calls that have no keys at all wait for it.
        """
        none = self._known is None
        if not (none or self._may_try(now)) or not self._lock.acquire(blocking=none):
            return
        try:
            if self._may_try(now):
                self._tried = now
                self._known = parse(self._read()), now
        except (CurbsideError, OSError) as error:
            _log.warning("key set not read", client=self._name, reason=_reason(error))
        finally:
            self._lock.release()

    def _may_try(self, now: datetime) -> bool:
        return self._tried is None or abs(now - self._tried) >= self._lives.retry

    def _fresh(self, now: datetime) -> KeySet | None:
        return self._known[0] if self._known is not None and self._age(now) <= self._lives.stale else None

    def _age(self, now: datetime) -> timedelta:
        """For how long the keys have been known; as old as its step where the clock was set back meanwhile."""
        return abs(now - self._known[1]) if self._known is not None else timedelta()


def _reason(error: CurbsideError | OSError) -> str:
    return str(error) if isinstance(error, CurbsideError) else str(error.strerror)


def _in_background(task: Callable[[], None]) -> None:
    threading.Thread(target=task, name="keys", daemon=True).start()
