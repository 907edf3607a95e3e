"""Key sets: what is taken from them, how often they are read, and how long they last without being read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from ehrs import JWKS_URL, URL, MovingClock, Web
from joserfc.jwk import ECKey, OctKey, RSAKey

from cds_service.errors import Unauthorized
from cds_service.sandbox.signing import SigningClient
from cds_service.security.keys import KeyRing, KeySetError, Lives, parse
from cds_service.security.trust import Trust

GOOD = ECKey.generate_key("P-384").as_dict(private=False)
RSA = RSAKey.generate_key(2048).as_dict(private=False)


def accepts(trust: Trust, ehr: SigningClient) -> bool:
    try:
        trust.identify(f"Bearer {ehr.token(URL)}", URL)
    except Unauthorized:
        return False
    return True


def document(*keys: dict[str, Any]) -> bytes:
    return orjson.dumps({"keys": list(keys)})


def test_keys_are_fetched_once_for_many_calls(trust: Trust, ehr: SigningClient, web: Web) -> None:
    """Parsed once, too."""
    assert all(accepts(trust, ehr) for _ in range(5))
    assert web.fetched == [JWKS_URL]


def test_a_new_key_is_found_when_it_is_first_used(trust: Trust, ehr: SigningClient, clock: MovingClock) -> None:
    """Rotation needs no restart."""
    assert accepts(trust, ehr)
    ehr.rotate("key-2")
    clock.move(seconds=31)
    assert accepts(trust, ehr)


def test_unknown_kids_make_one_fetch_in_half_a_minute(
    trust: Trust, ehr: SigningClient, web: Web, clock: MovingClock
) -> None:
    """Junk cannot make us hammer the EHR's server."""
    published = ehr.jwks()
    web.documents[JWKS_URL] = lambda: published
    assert accepts(trust, ehr)
    ehr.kid = "junk"
    for _ in range(10):
        assert not accepts(trust, ehr)
    assert len(web.fetched) == 1
    clock.move(seconds=29)
    assert not accepts(trust, ehr)
    assert len(web.fetched) == 1
    clock.move(seconds=1)
    for _ in range(10):
        assert not accepts(trust, ehr)
    assert len(web.fetched) == 2


def test_known_keys_survive_an_outage_for_a_bounded_time(
    trust: Trust, ehr: SigningClient, web: Web, clock: MovingClock
) -> None:
    """A day by default; then nobody knows whether they were withdrawn."""
    assert accepts(trust, ehr)
    web.away = True
    clock.move(hours=23)
    assert accepts(trust, ehr)
    clock.move(hours=1, seconds=1)
    assert not accepts(trust, ehr)
    web.away = False
    clock.move(seconds=30)
    assert accepts(trust, ehr)


def test_keys_are_read_again_beside_the_calls(trust: Trust, ehr: SigningClient, web: Web, clock: MovingClock) -> None:
    """After ten minutes by default; an outage is then retried every half minute."""
    assert accepts(trust, ehr)
    clock.move(minutes=9)
    assert accepts(trust, ehr)
    assert len(web.fetched) == 1
    clock.move(minutes=1)
    web.away = True
    for _ in range(3):
        assert accepts(trust, ehr)
    assert len(web.fetched) == 2
    clock.move(seconds=30)
    assert accepts(trust, ehr)
    assert len(web.fetched) == 3


def test_a_withdrawn_key_is_refused_after_the_next_reading(
    trust: Trust, ehr: SigningClient, web: Web, clock: MovingClock
) -> None:
    """The new key set replaces the old one whole."""
    old = SigningClient(ehr.issuer, now=clock.now)
    old.key = ehr.key
    assert accepts(trust, old)
    ehr.rotate("key-2")
    clock.move(minutes=10)
    assert accepts(trust, old)  # this call starts the reading
    assert not accepts(trust, old)
    assert accepts(trust, ehr)


@pytest.mark.parametrize("step_h", [-1, -30, 30])
def test_a_clock_that_jumps_lets_no_withdrawn_key_live_on(
    trust: Trust, ehr: SigningClient, web: Web, clock: MovingClock, step_h: int
) -> None:
    """Set back by an hour, keys are no fresher than they were; a day ahead, or back, they are read at once."""
    assert accepts(trust, ehr)
    old, kid = ehr.key, ehr.kid
    ehr.rotate("key-2")
    published = ehr.jwks()
    web.documents[JWKS_URL] = lambda: published
    ehr.key, ehr.kid = old, kid
    clock.move(hours=step_h)
    accepts(trust, ehr)  # reads the keys again beside the call, where they are not yet too old
    assert not accepts(trust, ehr)
    assert len(web.fetched) == 2


@pytest.mark.parametrize(
    "broken", [b"", b"<html>", b'{"keys": []}', b'{"keys": {}}', b"[]", b'{"keys": [{}]}', b"\xff"]
)
def test_a_broken_key_set_does_not_replace_a_good_one(
    trust: Trust, ehr: SigningClient, web: Web, clock: MovingClock, broken: bytes
) -> None:
    """A login page in its place is an outage."""
    assert accepts(trust, ehr)
    web.documents[JWKS_URL] = lambda: broken
    clock.move(minutes=11)
    assert accepts(trust, ehr)
    assert accepts(trust, ehr)
    assert len(web.fetched) == 2


def test_a_service_starts_while_the_key_set_is_away(
    trust: Trust, ehr: SigningClient, web: Web, clock: MovingClock
) -> None:
    """Its client is refused until the keys are there."""
    web.away = True
    assert not accepts(trust, ehr)
    web.away = False
    clock.move(seconds=30)
    assert accepts(trust, ehr)


def test_a_file_of_keys_is_read_again(
    trusting: Callable[..., Trust], ehr: SigningClient, clock: MovingClock, tmp_path: Path
) -> None:
    """Replacing the file rotates the keys; without it the old ones go on."""
    file = tmp_path / "keys.json"
    file.write_bytes(ehr.jwks())
    trust = trusting(jwks_url="", jwks_file=file)
    assert accepts(trust, ehr)
    ehr.rotate("key-2")
    file.write_bytes(ehr.jwks())
    clock.move(seconds=30)
    assert accepts(trust, ehr)
    file.unlink()
    clock.move(minutes=20)
    assert accepts(trust, ehr)


@pytest.mark.parametrize(
    "entry",
    [
        {**GOOD, "kid": ""},
        {k: v for k, v in GOOD.items() if k != "kid"},
        {**GOOD, "kid": "k", "use": "enc"},
        {**GOOD, "kid": "k", "key_ops": ["sign"]},
        {**GOOD, "kid": "k", "alg": "ES256"},
        {**GOOD, "kid": "k", "y": GOOD["x"]},
        {**GOOD, "kid": "k", "x": "!"},
        {**GOOD, "kid": "k", "crv": "P-256"},
        {**ECKey.generate_key("P-521").as_dict(private=False), "kid": "k"},
        {**ECKey.generate_key("P-256").as_dict(private=False), "kid": "k", "alg": "ES384"},
        {**OctKey.import_key("a secret of some length").as_dict(private=True), "kid": "k", "alg": "HS256"},
        {**RSA, "kid": "k", "n": RSA["n"][:171]},
        {**RSA, "kid": "k", "n": "A" * 20_000},
        {**RSA, "kid": "k", "e": "AA"},
        {"kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "k"},
        {"kty": "AKP", "kid": "k", "pub": "AAAA"},
        {"kty": 1, "kid": "k"},
        [],
        None,
    ],
)
def test_an_unusable_key_is_passed_over(entry: Any) -> None:
    """Beside a good one it does no harm; alone it is no key set."""
    with pytest.raises(KeySetError, match="holds no signature key"):
        parse(document(entry))
    found = parse(document(entry, {**GOOD, "kid": "good"}))
    assert found.find("good", "ES384") is not None
    assert found.find("k", "ES384") is None


def test_private_parts_are_left_behind() -> None:
    """An EHR that publishes its private key by mistake does not make us keep it."""
    private = ECKey.generate_key("P-384").as_dict(private=True)
    key = parse(document({**private, "kid": "k"})).find("k", "ES384")
    assert key is not None
    assert not key.is_private


def test_a_small_curve_serves_its_own_algorithm_alone() -> None:
    """A P-256 key is never found for ES384, whatever the client's token says."""
    found = parse(document({**ECKey.generate_key("P-256").as_dict(private=False), "kid": "k"}))
    assert found.find("k", "ES256") is not None
    assert found.find("k", "ES384") is None


def test_keys_of_both_kinds_may_share_a_kid() -> None:
    """The algorithm tells them apart."""
    found = parse(document({**GOOD, "kid": "k"}, {**RSA, "kid": "k", "alg": "RS384"}))
    assert isinstance(found.find("k", "ES384"), ECKey)
    assert isinstance(found.find("k", "RS384"), RSAKey)
    assert found.find("k", "RS256") is None


def test_calls_wait_for_the_first_keys_and_not_for_later_ones(clock: MovingClock) -> None:
    """Ten calls at the start are all answered from one fetch; a slow fetch later delays only the call that made it."""
    go, reading = threading.Event(), threading.Event()
    reads: list[int] = []

    def read() -> bytes:
        reads.append(1)
        reading.set()
        assert go.wait(60)
        return document({**GOOD, "kid": "k"})

    lives = Lives(timedelta(minutes=10), timedelta(days=1))
    ring = KeyRing("main", read, lives, clock, spawn=lambda task: task())
    found: list[bool] = []
    threads = [threading.Thread(target=lambda: found.append(ring.find("k", "ES384") is not None)) for _ in range(10)]
    for thread in threads:
        thread.start()
    assert reading.wait(60)
    go.set()
    for thread in threads:
        thread.join()
    assert (found, len(reads)) == ([True] * 10, 1)
    go.clear()
    reading.clear()
    clock.move(seconds=30)
    slow = threading.Thread(target=lambda: ring.find("new", "ES384"))
    slow.start()
    assert reading.wait(60)
    assert ring.find("k", "ES384") is not None
    assert ring.find("other", "ES384") is None
    assert slow.is_alive()
    go.set()
    slow.join()
    assert len(reads) == 2


def test_the_threads_of_a_process_read_in_the_background(clock: MovingClock) -> None:
    """Without a test's own way of running tasks, a thread does it."""
    second = threading.Event()
    reads: list[int] = []

    def read() -> bytes:
        reads.append(1)
        if len(reads) == 2:
            second.set()
        return document({**GOOD, "kid": "k"})

    ring = KeyRing("main", read, Lives(timedelta(minutes=10), timedelta(days=1)), clock)
    assert ring.find("k", "ES384") is not None
    clock.move(minutes=11)
    assert ring.find("k", "ES384") is not None
    assert second.wait(60)
