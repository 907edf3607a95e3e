"""A language model beside the hooks: never in their way, never trusted, its words used where they are there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import orjson
import pytest
from answers import CALLS, RISK, bundle, loaded
from faulty_model import Model, misbehaving

from cds_service.app import create_model
from cds_service.clock import FixedClock
from cds_service.observer import Nobody
from cds_service.pipeline import Pipeline
from cds_service.replay import replay
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.prefetch import request_for
from cds_service.settings import Llm, Settings
from cds_service.stores.assessments import AssessmentStore
from cds_service.stores.audit import AuditStore, Kept
from cds_service.stores.database import Database, migrate
from cds_service.stores.wordings import WordingStore
from cds_service.summary.cleaning import MARK
from cds_service.telling import Teller
from cds_service.wording import Budget, PipeBell, Writer

SAMPLE = "diabetes-poor-control"
WORDED = "worded by a language model"


class Counted(Nobody):
    """Remembers what it is told about summaries."""

    def __init__(self) -> None:
        self.by: list[str] = []
        self.outcomes: list[tuple[str, int, int, int]] = []

    def told(self, by: str) -> None:
        self.by.append(by)

    def worded(self, outcome: str, kept: int, dropped: int, put_back: int) -> None:
        self.outcomes.append((outcome, kept, dropped, put_back))


@dataclass
class Ward:
    """A service with its store and its language model, at a moment that moves."""

    store: AssessmentStore
    settings: Settings
    now: Any = AS_OF
    calls: int = 0
    sleep: Callable[[float], None] = lambda _: None

    def __post_init__(self) -> None:
        self.counted = Counted()
        self.words = WordingStore(self.store.database)
        self.rings = 0

    def ring(self) -> None:
        self.rings += 1

    def pipeline(self) -> Pipeline:
        teller = Teller(self.words, self.settings, self.counted, self, self.sleep)
        return Pipeline(loaded(), self.settings, FixedClock(self.now), self.store, self.counted, teller)

    def writer(self) -> Writer:
        model = create_model(self.settings)
        return Writer(self.pipeline(), self.words, self.settings, FixedClock(self.now), model, self.counted)

    def call(self, sample: str = SAMPLE, changed: Any = None, service: str = RISK) -> dict[str, Any]:
        pipeline = self.pipeline()
        request = asked(sample, service) if changed is None else asked_for(changed, service)
        self.calls += 1
        request["hookInstance"] = str(uuid5(CALLS, str(self.calls)))
        request["fhirServer"] = "https://ehr.example/fhir"
        request["fhirAuthorization"] = {
            "access_token": "ehr-token-1f2e", "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y",
        }  # fmt: skip
        found: dict[str, Any] = orjson.loads(pipeline.answer(service, orjson.dumps(request)))
        return found

    def later(self) -> None:
        self.now += timedelta(minutes=30)

    def entries(self) -> list[Kept]:
        return [e for e in AuditStore(self.store.database).entries() if e.kind == "wording"]


@pytest.fixture
def server() -> Iterator[Model]:
    with misbehaving(speak=copies) as model:
        yield model


@pytest.fixture
def ward(server: Model, tmp_path: Path) -> Iterator[Ward]:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    migrate(url)
    store = AssessmentStore(Database(url))
    settings = Settings(llm=Llm(url=server.url, model="tiny")).with_("dev", allow_insecure_loopback=True)
    yield Ward(store, settings)
    store.close()


def copies(body: dict[str, Any]) -> str:
    lines = re.findall(r"^(F\d+) \| (.*)$", body["messages"][-1]["content"], re.M)
    said = [{"text": text.replace(MARK, " ") + ".", "cites": [id_]} for id_, text in lines]
    return json.dumps({"sentences": said[::-1]}, ensure_ascii=False)


@lru_cache(maxsize=8)
def asked(sample: str, service: str) -> dict[str, Any]:
    return asked_for(bundle(sample), service)


def asked_for(patient: Any, service: str) -> dict[str, Any]:
    entries: Any = Pipeline(loaded(), Settings(), FixedClock(AS_OF)).discovery()["services"]
    return request_for(next(e for e in entries if e["id"] == service), patient)


def detail(response: dict[str, Any]) -> str:
    return "\n".join(card["detail"] for card in response["cards"])


def card_without_summary(response: dict[str, Any]) -> Any:
    """All of a response that a model must not move: everything but the lines from the record."""
    cards = json.loads(json.dumps(response["cards"]))
    for card in cards:
        card["detail"] = re.sub(r"### From the record.*?(?=\n###|\Z)", "", card["detail"], flags=re.S)
    return [{k: v for k, v in card.items() if k not in ("uuid", "suggestions", "links")} for card in cards]


def test_a_hook_answers_without_the_model_and_the_next_with_its_words(ward: Ward, server: Model) -> None:
    """First the deterministic text; then, for the same facts, the checked one, on otherwise the same card."""
    first = ward.call()
    assert WORDED not in detail(first)
    assert server.received == []
    assert ward.rings == 1
    assert ward.writer().work()
    ward.later()
    second = ward.call()
    assert WORDED in detail(second)
    assert card_without_summary(first) == card_without_summary(second)
    assert ward.counted.by == ["record", "model"]
    assert len(server.received) == 1
    assert not ward.writer().work()


def test_what_was_sent_and_what_came_of_it_is_in_the_audit_record(ward: Ward, server: Model) -> None:
    """Word for word, after scrubbing, with model, kept and dropped."""
    ward.call()
    ward.writer().work()
    (entry,) = ward.entries()
    assert entry.content is not None
    assert entry.content["sent"] == server.received[0]["messages"]
    assert (entry.content["outcome"], entry.content["model"]) == ("used", "tiny")
    assert entry.content["kept"] > 0
    assert ward.counted.outcomes == [("used", entry.content["kept"], 0, 0)]
    assert AuditStore(ward.store.database).verify().faults == ()


def test_an_answer_in_a_models_words_replays_bit_for_bit(ward: Ward) -> None:
    """Its words are part of what the answer rested on; the model is not asked again."""
    ward.call()
    ward.writer().work()
    ward.later()
    assert WORDED in detail(ward.call())
    with ward.store.database.engine.connect() as connection:
        ids = connection.exec_driver_sql("SELECT id FROM assessments ORDER BY at").scalars().all()
    for id_ in ids:
        assert replay(ward.pipeline(), ward.store, UUID(id_)).state == "same"


def quotes(body: dict[str, Any]) -> str:
    """A model that copies the facts and quotes what the first row of general knowledge says."""
    (row,) = re.findall(r"^(K1) \| (.*)$", body["messages"][-1]["content"], re.M)
    text = row[1].replace(MARK, " ").removeprefix("General knowledge, not about this patient: ")
    said = json.loads(copies(body))["sentences"]
    return json.dumps({"sentences": [{"text": text, "cites": ["K1"]}, *said]}, ensure_ascii=False)


def test_general_knowledge_that_a_model_quotes_is_labelled_and_linked_and_replays(ward: Ward, server: Model) -> None:
    """At discharge it stands on the card without a model too: once either way, after the record's own lines."""
    server.speak = quotes
    label = "**General knowledge, not about this patient:** ACE inhibitors interact with"
    link = "(https://doi.org/10.1161/CIR.0000000000001063)"
    for worded in (False, True):
        text = detail(ward.call("medicines-changed", service="transition-of-care"))
        assert (WORDED in text) == worded
        assert text.count(label) == 1
        assert link in text[text.index(label) :].splitlines()[0]
        assert text.index("Furosemide 40 mg") < text.index(label)
        ward.writer().work()
        ward.later()
    (entry,) = ward.entries()
    assert entry.content is not None
    assert [row.partition("/")[0] for row in entry.content["quoted"]] == ["curbside"]
    with ward.store.database.engine.connect() as connection:
        ids = connection.exec_driver_sql("SELECT id FROM assessments").scalars().all()
    assert [replay(ward.pipeline(), ward.store, UUID(id_)).state for id_ in ids] == ["same", "same"]


def test_no_token_is_ever_queued_or_kept(ward: Ward, tmp_path: Path) -> None:
    """The EHR's token is in no file, not even while a summary waits."""
    ward.call()
    assert ward.words.waiting() == 1
    taken = ward.words.take(ward.now, 60)
    assert taken is not None
    import zlib

    assert b"ehr-token" not in zlib.decompress(taken.body)
    assert not any(b"ehr-token" in file.read_bytes() for file in tmp_path.iterdir())


@pytest.mark.parametrize("behaviour", ["error_500", "foreign", "lost", "too_long", "no_choices", "overflow"])
def test_a_failing_model_changes_nothing_and_is_not_asked_at_every_hook(
    ward: Ward, server: Model, behaviour: str
) -> None:
    """The deterministic summary stands, the reason is in the audit record; after a while it is tried again."""
    server.behaviours[:] = [behaviour]
    first = ward.call()
    ward.writer().work()
    asked = len(server.received)
    second = ward.call()
    assert detail(first).split("From the record")[1] == detail(second).split("From the record")[1]
    assert ward.words.waiting() == 0
    assert len(server.received) == asked
    (entry,) = ward.entries()
    assert entry.content is not None
    assert entry.content["outcome"] not in ("", "used")
    ward.later()
    ward.call()
    assert ward.words.waiting() == 1


def test_a_hook_that_may_wait_gets_the_words_at_once(ward: Ward) -> None:
    """Within `llm.wait_ms` the first answer has them; its compute turn is given up meanwhile."""
    ward.settings = ward.settings.with_("llm", wait_ms=1000)
    ward.sleep = lambda _: ward.writer().work() and None
    assert WORDED in detail(ward.call())


def test_a_hook_waits_no_longer_than_it_may(ward: Ward, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody words anything: the time passes, the deterministic text is sent."""
    slept: list[float] = []
    ward.settings = ward.settings.with_("llm", wait_ms=100)

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        from threading import Event

        Event().wait(seconds)

    ward.sleep = sleep
    assert WORDED not in detail(ward.call())
    assert 0 < sum(slept) <= 0.2


def test_a_silent_service_has_nothing_worded(ward: Ward) -> None:
    """What nobody sees is not sent anywhere."""
    from cds_service.settings import ServiceSettings

    ward.settings = Settings(
        llm=ward.settings.llm, services={RISK: ServiceSettings(silent=True)}, dev=ward.settings.dev
    )
    assert ward.call()["cards"] == []
    assert ward.words.waiting() == 0


def test_another_fact_is_another_text(ward: Ward) -> None:
    """A text never outlives what it rests on."""
    ward.call()
    ward.writer().work()
    changed = json.loads(json.dumps(bundle(SAMPLE)))
    rows = [e["resource"] for e in changed["entry"]]
    condition = next(r for r in rows if r["resourceType"] == "Condition")
    added = {**condition, "id": "new", "code": {"text": "Asthma"}}
    changed["entry"].append({"resource": added})
    ward.later()
    assert WORDED not in detail(ward.call(changed=changed))
    assert ward.words.waiting() == 1


def test_the_hourly_limit_holds(ward: Ward, server: Model) -> None:
    """Beyond it nothing is asked, and the audit record says so."""
    ward.settings = ward.settings.with_("llm", calls_per_hour=1)
    writer = ward.writer()
    ward.call()
    writer.work()
    ward.call("primary-prevention")
    writer.work()
    assert len(server.received) == 1
    assert [e.content["outcome"] for e in ward.entries() if e.content] == ["used", "hourly limit reached"]


def test_the_budget_forgets_after_an_hour() -> None:
    """Calls and tokens both count."""
    now = [0.0]
    budget = Budget(2, 1000, lambda: now[0])
    budget.spend(1, 10)
    assert budget.allows()
    budget.spend(1, 10)
    assert not budget.allows()
    now[0] = 3601.0
    budget.spend(1, 2000)
    assert not budget.allows()
    now[0] = 7300.0
    assert budget.allows()


def test_a_bell_is_heard_once_and_never_blocks() -> None:
    """However often it rings."""
    bell = PipeBell()
    for _ in range(100_000):
        bell.ring()
    while bell.heard(0):
        pass
    bell.ring()
    assert bell.heard(1)
    assert not bell.heard(0)
    bell.close()


def test_a_store_that_is_away_costs_the_words_only(ward: Ward) -> None:
    """The card comes without them."""
    with ward.store.database.engine.connect() as connection:
        connection.exec_driver_sql("DROP TABLE worded")
    response = ward.call()
    assert response["cards"]
    assert WORDED not in detail(response)


def test_without_a_url_there_is_no_model() -> None:
    """Off by default."""
    assert Settings().llm.url == ""


def obeys(body: dict[str, Any]) -> str:
    """Says what the hostile sample's notes ask for, citing everything, and the rest rightly."""
    said = json.loads(copies(body))["sentences"]
    ids = [one["cites"][0] for one in said]
    claims = ("10-year risk is 0.1 %.", "Potassium 4.0 mmol/L.")
    return json.dumps({"sentences": [*said, *({"text": claim, "cites": ids[:12]} for claim in claims)]})


@pytest.mark.parametrize("behaviour", ["answer", "error_500", "foreign", "too_long"])
def test_hostile_notes_move_no_estimate_whatever_the_model_does(ward: Ward, server: Model, behaviour: str) -> None:
    """The sample with hostile text: everything but the lines from the record is the same, and no claim is shown."""
    server.speak, server.behaviours[:] = obeys, [behaviour]
    first = ward.call("hostile-text")
    assert first["cards"]
    ward.writer().work()
    ward.later()
    second = ward.call("hostile-text")
    assert card_without_summary(first) == card_without_summary(second)
    assert (WORDED in detail(second)) == (behaviour == "answer")
    for claim in ("10-year risk is 0.1", "Potassium 4.0"):
        assert claim not in detail(second)
    sent = server.sent()
    assert not any(text in sent for text in ("Bobby", "onerror", "<script", "evil.example", "Ignore previous"))
