"""Whatever arrives at whatever path: no 5xx, nothing echoed, nothing in the log; and every 200 keeps to the standard.

Bodies are made from the declared shapes of FHIR resources, with members of wrong types among them, from real calls
with something changed, and from plain bytes; hypothesis gives the seed of each case and finds the smallest that fails.
Routes are read from the application, so that a new one is fuzzed without being named here.
"""

from __future__ import annotations

import functools
import io
import json
import random
import re
import string
from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

import msgspec
import pytest
import structlog
from answers import loaded
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from thorough import examples
from werkzeug.routing import Rule

from cds_service import registry
from cds_service.app import create_app, create_pipeline, create_store
from cds_service.cli import calls, options
from cds_service.clock import FixedClock
from cds_service.fhir import resources as fhir
from cds_service.settings import Settings
from cds_service.web import logs

MARK = "Zq7Marker"  # in every text that is sent: it must come back in no refusal and in no log line
SAMPLE = options.read_bundle(registry.shipped("fhir_samples") / "patients" / "primary-prevention.json")
NOW = calls.written(SAMPLE)
FUZZ = settings(
    max_examples=examples(120),
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.generate, Phase.shrink),
)
SEEDS = given(seed=st.integers(0, 2**32))

ODD = (
    MARK, f"{MARK}<script>", f"[{MARK}](javascript:1)", f"{MARK}\u202e\x00", f"{MARK}\ud800", f"{MARK}\U0001f600\r\n",
    "", "2026-13-45T99:00:00Z", MARK * 300,
)  # fmt: skip
USEFUL = (
    "Patient/primary-prevention", "final", "active", "completed", "entered-in-error", "http://loinc.org", "2160-0",
    "8480-6", "http://snomed.info/sct", "38341003", "44054006", "http://unitsofmeasure.org", "mg/dL", "mm[Hg]",
    "2026-01-01", "2026", "2026-10-01T10:00:00+02:00", "#x", "urn:uuid:1", "R", "primary-prevention",
)  # fmt: skip
NUMBERS = (0, -1, 1, 5.5, 120, 1e308, -1e-308, 2**53, 10**30, float("nan"), float("inf"))


class Draw(random.Random):
    """Random JSON from one seed."""

    def text(self) -> str:
        """An odd text, one that means something, or noise."""
        noise = MARK + "".join(self.choices(string.printable + "äß漢\u0301\ufeff", k=self.randint(0, 8)))
        return self.choice((self.choice(ODD), self.choice(USEFUL), noise))

    def scalar(self) -> Any:
        """Any JSON value without members."""
        return self.choice((None, True, False, self.choice(NUMBERS), self.text(), self.text(), [], {}))

    def any(self, depth: int = 0) -> Any:
        """Any JSON value."""
        kind = self.random() if depth < 4 else 1
        if kind < 0.2:
            return [self.any(depth + 1) for _ in range(self.randint(0, 3))]
        if kind < 0.4:
            return {self.text(): self.any(depth + 1) for _ in range(self.randint(0, 3))}
        return self.scalar()

    def uuid(self) -> str:
        """A UUID."""
        return str(UUID(int=self.getrandbits(128), version=4))

    def struct(self, kind: type[Any], depth: int = 0) -> dict[str, Any]:
        """Some members of a declared struct, fewer the deeper it lies, and now and then one of a wrong type."""
        tag, fields = declared(kind)
        names = self.sample(sorted(fields), min(len(fields), self.randint(0, max(2, 9 - 2 * depth))))
        wrong = self.random() < 0.1
        return {n: self.any() if wrong and n == names[0] else self.shaped(fields[n], depth + 1) for n in names} | tag

    def shaped(self, info: msgspec.inspect.Type, depth: int) -> Any:
        """A JSON value of a declared type."""
        if isinstance(info, msgspec.inspect.StructType):
            return self.struct(info.cls, depth)
        if isinstance(info, msgspec.inspect.UnionType):
            return self.shaped(self.choice(info.types), depth)
        if isinstance(info, (msgspec.inspect.VarTupleType, msgspec.inspect.ListType)):
            return [self.shaped(info.item_type, depth + 1) for _ in range(self.randint(0, 2 if depth < 5 else 0))]
        if isinstance(info, msgspec.inspect.StrType):
            return self.text()
        if isinstance(info, (msgspec.inspect.FloatType, msgspec.inspect.IntType)):
            return self.choice(NUMBERS)
        return self.random() < 0.5 if isinstance(info, msgspec.inspect.BoolType) else self.any()

    def bundle(self) -> dict[str, Any]:
        """A Bundle of up to four resources, perhaps with a further page."""
        entries = [{"resource": self.struct(self.choice(RESOURCES))} for _ in range(self.randint(0, 4))]
        link = [{"relation": "next", "url": f"https://{MARK}.example/"}]
        return {"resourceType": "Bundle", "entry": entries, **self.choice(({}, {"link": link}))}


RESOURCES = [kind for kind in fhir.AnyResource.__args__ if issubclass(kind, fhir.Resource)]


@functools.cache
def declared(kind: type[Any]) -> tuple[Mapping[str, str], Mapping[str, msgspec.inspect.Type]]:
    """The tag of a struct, and its members by their JSON names."""
    info: Any = msgspec.inspect.type_info(kind)
    tag = {info.tag_field: info.tag} if info.tag_field is not None else {}
    return tag, {field.encode_name: field.type for field in info.fields}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    assert NOW is not None
    made = Settings().with_("store", url=f"sqlite:///{tmp_path_factory.mktemp('fuzz')}/a.db")
    store = create_store(made)
    clock = FixedClock(NOW)
    yield create_app(made, clock, pipeline=create_pipeline(made, clock, store, loaded()), store=store)
    store.close()


@pytest.fixture(scope="module")
def log() -> Iterator[io.BytesIO]:
    stream = io.BytesIO()
    logs.configure(stream)
    yield stream
    structlog.reset_defaults()


class Samples(dict[str, Any]):
    """Calls by service; hypothesis shows arguments, and these are long."""

    def __repr__(self) -> str:
        return "samples"


@pytest.fixture(scope="module")
def samples(app: Flask) -> Samples:
    """A good call for each service."""
    services = app.test_client().get("/cds-services").get_json()["services"]
    made = {service["id"]: calls.request(SAMPLE, service) for service in services}
    return Samples({id_: json.loads(body) for id_, body in made.items() if body is not None})


def paths(app: Flask, services: list[str]) -> list[tuple[str, str]]:
    """Every method and path of the application, with known and unknown ids."""
    found = []
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"OPTIONS"}):
            found += [(method, path) for path in filled(rule, services)]
    return found


def filled(rule: Rule, services: list[str]) -> list[str]:
    made = [rule.rule]
    for name in rule.arguments:
        known = services if name == "service_id" else []
        slot = re.compile(rf"<(?:\w+:)?{name}>")
        made = [slot.sub(value, path) for path in made for value in (*known, MARK)]
    return made


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")


def holds(app: Flask, log: io.BytesIO, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
    """One call, and what must hold of its answer."""
    before = len(log.getvalue())
    sent = {"Content-Type": "application/json", **headers}
    response = app.test_client().open(path, method=method, data=body, headers=sent)
    assert response.status_code < 500, response.data
    line = log.getvalue()[before:]
    assert MARK.encode() not in line
    if response.status_code >= 400:
        assert MARK.encode() not in response.data
        assert MARK not in str(response.headers)
        if method != "HEAD" and response.mimetype != "text/html":
            assert response.get_json()["resourceType"] == "OperationOutcome"
        assert response.mimetype != "text/html" or path.startswith("/knowledge")  # a page's refusal is a page
    elif response.content_type == "application/json" and response.data:
        nothing_empty(response.get_json())


def nothing_empty(value: Any, name: str = "") -> None:
    """No null, empty text, array or object, but for the two lists that may be."""
    if name not in ("cards", "services"):
        assert value not in (None, "", [], {}), name
    for key, inner in (
        value.items() if isinstance(value, dict) else [("", v) for v in value] if isinstance(value, list) else ()
    ):
        nothing_empty(inner, key)


HEADERS = {
    "Content-Type": ("application/json", "application/json; charset=utf-16", f"text/{MARK}", ""),
    "Content-Encoding": ("identity", "gzip", MARK),
    "Authorization": ("Bearer x.y.z", f"Bearer {MARK}", f"Basic {MARK}", "Bearer", ""),
    "X-Request-Id": (MARK, "a" * 5000, "2f1c9a52-7f4e-4a58-b2a5-0f7f3f0a1c11"),
    "Origin": (f"https://{MARK}.example", "null", ""),
    "X-Forwarded-For": (MARK, "127.0.0.1", "203.0.113.9, 127.0.0.1", ",,"),
    "If-None-Match": (MARK, "*", f'"{MARK}"'),
    "Accept": (MARK, "text/html", "*/*;q=0"),
}
ENDS = ("", "", "/", f"?a={MARK}", f"/../{MARK}", "//", "%00", "%ff", "/feedback", f"/{MARK}")


@FUZZ
@SEEDS
def test_anything_at_any_path(app: Flask, log: io.BytesIO, samples: Samples, seed: int) -> None:
    """Every route and method, known and unknown ids, any headers, any body."""
    draw = Draw(seed)
    method, path = draw.choice(paths(app, list(samples)))
    method = draw.choice((method, method, "POST", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS"))
    body = draw.choice((draw.randbytes(draw.randint(0, 60)), encoded(draw.any())))
    headers = {name: draw.choice(values) for name, values in HEADERS.items() if draw.random() < 0.3}
    holds(app, log, method, path + draw.choice(ENDS), body, headers)


@FUZZ
@SEEDS
def test_resources_of_every_declared_shape(app: Flask, log: io.BytesIO, samples: Samples, seed: int) -> None:
    """A good call some of whose prefetch keys hold other resources, now and then with members of wrong types."""
    draw = Draw(seed)
    service = draw.choice(sorted(samples))
    call = json.loads(json.dumps(samples[service])) | {"hookInstance": draw.uuid()}
    for key in draw.sample(sorted(call["prefetch"]), draw.randint(1, 3)):
        call["prefetch"][key] = draw.choice((draw.bundle(), draw.bundle(), draw.struct(draw.choice(RESOURCES)), None))
    holds(app, log, "POST", f"/cds-services/{service}", encoded(call), {})


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every member of a JSON value, but of long lists only the first ones."""
    inner = value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    for key, member in inner:
        yield (*path, key)
        yield from places(member, (*path, key))


@FUZZ
@SEEDS
def test_a_good_call_with_something_changed(app: Flask, log: io.BytesIO, samples: Samples, seed: int) -> None:
    """Any members gone or of another type, at any depth; unknown members and extensions beside them."""
    draw = Draw(seed)
    service = draw.choice(sorted(samples))
    call = json.loads(json.dumps(samples[service])) | {"hookInstance": draw.uuid()}
    for _ in range(draw.randint(1, 3)):
        path = draw.choice(list(places(call)))
        parent = call
        for step in path[:-1]:
            parent = parent[step]
        change = draw.choice(("gone", "other", "beside"))
        if change == "gone":
            del parent[path[-1]]
        elif change == "other":
            parent[path[-1]] = draw.any()
        elif isinstance(parent, dict):
            parent[draw.choice(("extension", MARK))] = draw.any()
    holds(app, log, "POST", f"/cds-services/{service}", encoded(call), {})


@FUZZ
@SEEDS
def test_any_feedback(app: Flask, log: io.BytesIO, samples: Samples, seed: int) -> None:
    """Items of any shape, for known and unknown services; no card of ours is among them."""
    draw = Draw(seed)

    def item() -> dict[str, Any]:
        good = {
            "card": draw.uuid(),
            "outcome": draw.choice(("accepted", "overridden")),
            "outcomeTimestamp": "2026-11-01T09:00:00Z",
            "acceptedSuggestions": [{"id": draw.uuid()}],
            "overrideReason": {"reason": {"code": draw.text(), "system": draw.text()}, "userComment": draw.text()},
            MARK: draw.any(),
        }
        return {name: draw.any() if draw.random() < 0.2 else v for name, v in good.items() if draw.random() < 0.8}

    body = {"feedback": [item() for _ in range(draw.randint(0, 3))]} if draw.random() < 0.9 else draw.any()
    service = draw.choice((*sorted(samples), MARK))
    holds(app, log, "POST", f"/cds-services/{service}/feedback", encoded(body), {})


@pytest.mark.parametrize(
    "body",
    [
        b'{"hook":NaN}',
        b'{"a":1e999999}',
        b'{"a":' * 100_000,
        b"[" * 100_000,
        b'{"hook":"\xff\xfe"}',
        b'{"hook":"\\ud800"}',
        b"\xef\xbb\xbf{}",
        b'{"hookInstance":"' + b"f" * 100_000 + b'"}',
        b'{"hook":"patient-view","hook":"patient-view"}',
        b"9" * 100_000,
        b"\x00" * 1000,
    ],
    ids=range(11),
)
def test_known_ways_to_break_a_parser(app: Flask, log: io.BytesIO, samples: Samples, body: bytes) -> None:
    """Depth, huge numbers, lone surrogates, byte-order marks, duplicate keys: a refusal each."""
    for service in samples:
        for path in (f"/cds-services/{service}", f"/cds-services/{service}/feedback"):
            holds(app, log, "POST", path, body, {})
