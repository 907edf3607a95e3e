"""A past answer is given again bit for bit, or the thing that changed is named."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Iterator
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from answers import RISK, Site, bundle, loaded
from hypothesis import given
from hypothesis import strategies as st

from cds_service.app import create_pipeline
from cds_service.cli import calls, run
from cds_service.clock import FixedClock
from cds_service.errors import InputError, PreconditionFailed, StoreError
from cds_service.keeping import Keeper
from cds_service.language import msg
from cds_service.needs import Gap
from cds_service.outbound import Secret
from cds_service.pipeline import Pipeline
from cds_service.protocol.request import FhirAuthorization, decode
from cds_service.replay import Replay, replay
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.prefetch import NoEncounter, request_for
from cds_service.security.trust import Caller
from cds_service.settings import Client, ServiceSettings, Settings
from cds_service.stores.assessments import AssessmentStore
from cds_service.stores.database import Database, migrate
from cds_service.stores.requests import Basis, freeze, thaw
from cds_service.stores.retention import Holder, RetentionStore
from cds_service.stores.tables import ASSESSMENTS, REQUESTS
from cds_service.suppression import Seen

DAY = timedelta(days=1)
PRIMARY = "primary-prevention"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    migrate(url)
    store = AssessmentStore(Database(url))
    yield Site(store)
    store.close()


def again(site: Site, settings: Settings | None = None, pipeline: Pipeline | None = None) -> list[Replay]:
    """Every stored answer, given again much later and without the store."""
    chosen = pipeline or create_pipeline(settings or site.settings, FixedClock(site.now + 900 * DAY), None, loaded())
    return [replay(chosen, site.store, assessment.id) for assessment in site.kept()]


def test_every_sample_patient_and_every_service(site: Site) -> None:
    """Each patient at a fifth of the services, each service for a fifth of the patients: cards, none, refusals."""
    site.settings = Settings().with_("models", show_unvalidated=True)
    entries: Any = site.pipeline().discovery()["services"]
    for number, sample in enumerate(calls.samples()):
        for entry in entries[number % 5 :: 5]:
            with contextlib.suppress(NoEncounter, PreconditionFailed):
                site.call(sample, entry["id"])
    found = again(site)
    assert len(found) > 50
    assert {(one.state, one.changed) for one in found} == {("same", ())}
    assert sum(len(json.loads(one.now)["cards"]) for one in found) > 12


def test_what_rested_then_rests_in_the_replay(site: Site) -> None:
    """The decision is given again as it was made, although by now the override has run out, or is deleted."""
    site.settings = Settings().with_("cards", offer_recording=True, grouping="finding")
    (card,) = site.call(PRIMARY)["cards"]
    site.give(card)
    site.later(DAY)
    assert site.call(PRIMARY)["cards"] == []
    with site.store.database.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM feedback")
        connection.exec_driver_sql("DELETE FROM shown_findings")
    assert [one.state for one in again(site)] == ["same", "same"]


def test_system_actions_and_silent_cards_are_given_again(site: Site) -> None:
    """Also what nobody saw."""
    site.caller = Caller("ehr", "https://ehr", None)
    site.settings = Settings(clients={"ehr": Client(issuer="https://ehr", system_actions=True)})
    assert "systemActions" in site.call(PRIMARY)
    assert again(site)[0].state == "same"
    site.settings = Settings(services={RISK: ServiceSettings(silent=True)})
    site.call(PRIMARY)
    assert again(site)[1] == Replay("same", AS_OF, (), b'{"cards":[]}', b'{"cards":[]}')


def test_a_setting_that_shapes_answers_is_named(site: Site) -> None:
    """By its section; settings that shape nothing are not."""
    site.call(PRIMARY)
    thresholds = Settings(services={RISK: ServiceSettings(thresholds={"statin_at_ascvd": 40.0})})
    (found,) = again(site, thresholds)
    assert (found.state, found.changed) == ("differs", ("the settings [services] are not those of then",))
    assert json.loads(found.now) == {"cards": []}
    (found,) = again(site, Settings().with_("server", port=9000).with_("limits", max_depth=32))
    assert (found.state, found.changed) == ("same", ())


def test_a_new_version_of_a_model_is_named(site: Site) -> None:
    """With both versions."""
    site.call(PRIMARY)
    registry = loaded()
    ours: Any = {id_: model for id_, model in registry.models.items() if id_.startswith("prevent-")}
    newer = {id_: dataclasses.replace(model, version="9.9.9") for id_, model in ours.items()}
    changed = dataclasses.replace(registry, models={**registry.models, **newer})
    (found,) = again(site, pipeline=Pipeline(changed, Settings(), FixedClock(site.now)))
    then = registry.models["prevent-base"].version
    assert f"model prevent-base was {then}, and is 9.9.9 now" in found.changed
    assert found.state == "differs"  # the card names the version


def test_changed_code_is_named_even_if_the_answer_is_the_same(site: Site) -> None:
    """Same bytes by other code is worth knowing."""
    site.call(PRIMARY)
    with site.store.database.engine.begin() as connection:
        versions = {**site.kept()[0].versions, "code": "0000", "curbside": "0.0.1", "gone": "1"}
        connection.execute(ASSESSMENTS.update().values(versions=versions))
    (found,) = again(site)
    assert found.state == "same"
    assert found.changed[0].startswith("Curbside was 0.0.1, and is ")
    assert "the code is not that of then" in found.changed
    assert "model gone was 1, and is not loaded now" in found.changed


def test_a_service_that_is_gone_is_named(site: Site) -> None:
    """Its plugin was taken away."""
    site.call(PRIMARY)
    others = {id_: s for id_, s in loaded().services.items() if id_ != RISK}
    registry = dataclasses.replace(loaded(), services=others)
    (found,) = again(site, pipeline=Pipeline(registry, Settings(), FixedClock(site.now)))
    assert (found.state, found.changed) == ("differs", (f"the service {RISK} is no longer loaded",))


def test_an_answer_without_its_request_says_so(site: Site) -> None:
    """One that was stored before requests were kept."""
    site.call(PRIMARY)
    with site.store.database.engine.begin() as connection:
        connection.execute(REQUESTS.delete())
    (found,) = again(site)
    assert found.state == "differs"
    assert "the request was not kept" in found.changed[0]


def test_a_forgotten_patients_answer_replays_as_deleted(site: Site) -> None:
    """With the moment, from the audit record; an answer that never was is an error."""
    site.call(PRIMARY)
    id_ = site.kept()[0].id
    RetentionStore(site.store.database).forget(PRIMARY, Holder(None, None), AS_OF + DAY)
    found = replay(site.pipeline(), site.store, id_)
    assert found == Replay("deleted", AS_OF + DAY, ("its content was forgotten",))
    with pytest.raises(InputError, match="there is no assessment"):
        replay(site.pipeline(), site.store, UUID(int=0))


def test_two_services_at_the_same_moment_say_it_once(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that comes second finds out when it stores, decides again, and its replay knows why."""
    site.call(PRIMARY)
    other = "another-service"
    with site.store.database.engine.begin() as connection:
        connection.execute(sa.text("UPDATE shown_findings SET service_id = :other"), {"other": other})
    read = Keeper.seen
    reads: list[tuple[Seen, ...]] = []

    def late(self: Any, *arguments: Any) -> tuple[Seen, ...]:
        reads.append(read(self, *arguments) if reads else ())
        return reads[-1]

    monkeypatch.setattr(Keeper, "seen", late)
    assert site.call(PRIMARY)["cards"] == []
    assert len(reads) == 2
    assert "shown by another service" in {row.get("suppressed") for row in site.kept()[1].results}
    assert [one.state for one in again(site)] == ["same", "same"]


def basis(**options: Any) -> tuple[Basis, Any]:
    body, needs = asked()
    return Basis(decode(body), **options), needs


@lru_cache(maxsize=1)
def asked() -> tuple[bytes, Any]:
    """The body of a call, and what its service needs."""
    pipeline = create_pipeline(Settings(), FixedClock(AS_OF), None, loaded())
    desk = pipeline.desk(RISK)
    entries: Any = pipeline.discovery()["services"]
    body = request_for(next(e for e in entries if e["id"] == RISK), bundle(PRIMARY))
    return json.dumps(body).encode(), desk.needs


def test_the_token_of_the_ehr_is_never_kept() -> None:
    """Used and forgotten."""
    kept, needs = basis()
    request = dataclasses.replace(kept.request, fhir_authorization=FhirAuthorization(Secret("s3cret")))
    thawed = thaw(freeze(dataclasses.replace(kept, request=request)), needs)
    assert thawed.request.fhir_authorization is None
    assert thawed == kept


def test_a_prefetch_value_that_nobody_asked_for_costs_no_card_and_is_counted() -> None:
    """The same answer as without it, and the stored assessment says that something was left aside."""
    body, needs = asked()
    more = json.loads(body)
    more["prefetch"]["vendorNote"] = "Zzyzx"
    pipeline = create_pipeline(Settings(), FixedClock(AS_OF), None, loaded())
    desk = pipeline.desk(RISK)
    plain, with_more = (
        pipeline.decide(desk, Basis(decode(sent, keys=needs)), AS_OF) for sent in (body, json.dumps(more).encode())
    )
    assert with_more.response == plain.response
    before, counted = (
        {reason: n for row in pipeline.recorded(desk, one).results for reason, n in row.get("left_out", {}).items()}
        for one in (plain, with_more)
    )
    assert counted == {**before, "no resource, under a prefetch key that nobody asked for": 1}


def test_what_may_not_be_used_is_not_kept_either() -> None:
    """Of a resource with a sensitivity label: that it is there, whose it is, and its label."""
    sample = json.loads(json.dumps(bundle(PRIMARY)))
    row = next(e["resource"] for e in sample["entry"] if e["resource"]["resourceType"] == "Observation")
    system = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
    row["meta"] = {"security": [{"system": system, "code": "HIV"}]}
    pipeline = create_pipeline(Settings(), FixedClock(AS_OF), None, loaded())
    entries: Any = pipeline.discovery()["services"]
    body = request_for(next(e for e in entries if e["id"] == RISK), sample)
    kept = Basis(decode(json.dumps(body).encode()))
    desk = pipeline.desk(RISK)
    thawed = thaw(freeze(kept), desk.needs)
    stubs = [
        r
        for value in thawed.request.prefetch.values()
        for r in value.resources
        if getattr(r, "meta", None) is not None and r.meta.security  # type: ignore[union-attr]
    ]
    assert [(stub.id, stub.value_quantity, stub.code.coding) for stub in stubs] == [(row["id"], None, ())]  # type: ignore[union-attr]
    then, now = (pipeline.decide(desk, b, AS_OF).response for b in (kept, thawed))
    assert then == now


@given(
    st.lists(st.sampled_from(["labs", "conditions", "vitalSigns"]), unique=True),
    st.booleans(),
    st.lists(st.tuples(st.text(max_size=5), st.none() | st.floats(0, 1), st.lists(st.text(max_size=3), max_size=2))),
)
def test_whatever_was_known_comes_back(
    keys: list[str], writes: bool, seen: list[tuple[str, float | None, list[str]]]
) -> None:
    """Gaps with their reasons, what was known about findings, what the client allowed."""
    kept, needs = basis(
        seen=tuple(Seen("accepted", f, AS_OF, RISK, 1, size, tuple(keys)) for f, size, keys in seen), writes=writes
    )
    gaps = tuple(Gap(key, needs[key], msg("answered {status}", status=503), partial=writes) for key in keys)
    kept = dataclasses.replace(kept, gaps=gaps, admitted=("HIV",))
    kept = dataclasses.replace(kept, request=dataclasses.replace(kept.request, passed_over=len(seen)))
    assert thaw(freeze(kept), needs) == kept


@pytest.mark.parametrize("body", [b"", b"nonsense", freeze(basis()[0])[:-20]])
def test_a_request_that_cannot_be_read_is_a_store_error(body: bytes) -> None:
    """A sentence, not a traceback."""
    with pytest.raises(StoreError, match="cannot be read by this version"):
        thaw(body, {})


def test_the_commands(site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """replay, audit verify and export, records prune, forget and backup, with their exit codes."""
    monkeypatch.setenv("CURBSIDE_STORE__URL", site.store.database.url)
    answer = site.call(PRIMARY)
    id_ = str(site.kept()[0].id)

    def told(*arguments: str, code: int = 0) -> str:
        assert run(arguments) == code
        return capsys.readouterr().out

    assert "the same answer, byte for byte" in told("replay", id_)
    assert json.loads(told("replay", id_, "--json"))["state"] == "same"
    assert json.loads(told("replay", id_, "--response")) == answer
    assert json.loads(told("replay", "--all", "--json")) == {"answers": 1, "differ": []}
    monkeypatch.setenv("CURBSIDE_CARDS__LANGUAGE", "zh_Hans")
    differ = json.loads(told("replay", "--all", "--since", "2000-01-01T00:00:00Z", "--json", code=1))["differ"]
    assert differ[0]["cards"][0]["kind"] == "changed"
    assert "the settings [cards] are not the same" in told("replay", "--all", code=1)
    monkeypatch.delenv("CURBSIDE_CARDS__LANGUAGE")
    head = told("audit", "verify").splitlines()[-1]
    assert head.startswith("1:")
    assert json.loads(told("audit", "export"))["resourceType"] == "AuditEvent"
    assert told("audit", "export", "--since", "2099-01-01T00:00:00Z") == ""
    assert told("records", "prune", "--older-than", "36500d") == "0 assessments deleted\n"
    assert told("records", "forget", "nobody", code=1) == "nothing is kept about that patient\n"
    assert told("records", "forget", PRIMARY) == "1 assessments deleted\n"
    assert "deleted" in told("replay", id_, code=1)
    assert "1 deleted: whole" in told("audit", "verify", "--noted", head)
    assert "does not have the hash" in told("audit", "verify", "--noted", f"1:{'0' * 64}", code=1)
    copy = Path(site.store.database.url.removeprefix("sqlite:///")).with_name("copy.db")
    told("records", "backup", str(copy))
    assert copy.is_file()
    for wrong in (
        ("replay", "x"),
        ("replay",),
        ("audit", "verify", "--noted", "x"),
        ("records", "prune", "--older-than", "1y"),
    ):
        assert run(wrong) == 2
    assert run(("records", "forget", "p", "--client", "nobody")) == 2
    assert run(("replay", str(UUID(int=0)))) == 2


def test_an_id_that_two_clients_know_must_be_told_apart(
    site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may mean two people; nothing is deleted before somebody says whom."""
    monkeypatch.setenv("CURBSIDE_STORE__URL", site.store.database.url)
    site.call(PRIMARY)
    site.caller = Caller("ehr", "https://ehr", "north")
    site.call(PRIMARY)
    assert run(("records", "forget", PRIMARY)) == 2
    assert "client none, tenant none" in capsys.readouterr().err
    assert len(site.kept()) == 2
    assert run(("records", "forget", PRIMARY, "--client", "https://ehr", "--tenant", "none")) == 1
    assert len(site.kept()) == 2
    assert run(("records", "forget", PRIMARY, "--tenant", "none")) == 0
    assert [one.client for one in site.kept()] == ["https://ehr"]
    site.caller = Caller()
    site.call(PRIMARY)
    assert run(("records", "forget", PRIMARY, "--client", "https://ehr")) == 0
    assert [one.client for one in site.kept()] == [None]
