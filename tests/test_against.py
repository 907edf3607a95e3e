"""Two releases beside each other on the site's own stored requests: every card that differs, and why."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from answers import RISK, Site
from msgspec.structs import replace

from cds_service.against import installation
from cds_service.answers import Answer, stored
from cds_service.cli import run
from cds_service.registry import shipped
from cds_service.replaying import compare
from cds_service.sandbox.chart import AS_OF
from cds_service.stores.assessments import AssessmentStore
from cds_service.stores.database import Database, migrate
from cds_service.stores.tables import ASSESSMENTS

PRIMARY = "primary-prevention"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One stored answer with a card."""
    url = f"sqlite:///{tmp_path_factory.mktemp('against') / 'a.db'}"
    migrate(url)
    store = AssessmentStore(Database(url))
    made = Site(store)
    assert len(made.call(PRIMARY)["cards"]) == 1
    yield made
    store.close()


@pytest.fixture
def told(site: Site, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs a command on the store; its exit code and what it said."""
    monkeypatch.setenv("CURBSIDE_STORE__URL", site.store.database.url)

    def tell(*arguments: str) -> tuple[int, str]:
        code = run(arguments)
        found = capsys.readouterr()
        return code, found.out + found.err

    return tell


def test_another_version_of_a_model_and_the_cards_that_it_changes(told: Any, tmp_path: Path) -> None:
    """MODEL=FOLDER: the model's two versions, and the card."""
    source = (shipped("models") / "prevent.py").read_text()
    (tmp_path / "model.py").write_text(source.replace('VERSION = "1.1.0"', 'VERSION = "0.9.0"'))
    code, said = told("replay", "--against", f"prevent-full={tmp_path}")
    assert code == 1, said
    assert "model prevent-full: 0.9.0 → 1.1.0" in said
    assert "card changed: " in said
    assert "1 stored requests answered again: 1 answers differ." in said
    assert "because of: 1 model" in said
    code, said = told("replay", "--against", "prevent-full=7.7.7")
    assert (code, "Kept: 1.1.0" in said) == (2, True)
    assert told("replay", "--against", "prevent-full=1.1.0")[0] == 0
    assert told("replay", "--against", "nothing=1.1.0")[0] == 2


def test_a_threshold_is_named_with_both_values(told: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers that were written under other settings; the card that is new is listed."""
    file, config = tmp_path / "then.jsonl", tmp_path / "other.toml"
    config.write_text(f"[services.{RISK}.thresholds]\nstatin_at_ascvd = 40.0\n")
    told("replay", "--all", "--answers", str(file), "--config", str(config))
    code, said = told("replay", "--against", str(file), "--json")
    (one,) = json.loads(said)["differ"]
    assert code == 1
    assert [card["kind"] for card in one["cards"]] == ["new"]
    (threshold,) = [why["words"] for why in one["why"] if why["cause"] == "threshold"]
    assert threshold.startswith("threshold statin_at_ascvd: 40 → ")
    assert told("replay", "--against", str(file), "--since", "2099-01-01T00:00:00Z")[0] == 0


def test_the_answers_that_a_release_sent_are_compared_by_its_version(site: Site, told: Any) -> None:
    """The version that the assessments recorded; one that sent none is refused with those that did."""
    version = site.kept()[0].versions["curbside"]
    assert told("replay", "--against", version) == (0, "1 stored requests answered again: 0 answers differ.\n")
    code, said = told("replay", "--against", "0.0.1-none")
    assert code == 2
    assert f"stored are answers of {version}" in said
    with site.store.database.engine.begin() as connection:
        changed = {**site.kept()[0].versions, "curbside": "0.0.1"}
        connection.execute(ASSESSMENTS.update().values(versions=changed, response=b'{"cards":[]}'))
    code, said = told("replay", "--against", "0.0.1")
    assert "Curbside 0.0.1 → " in said or "card new" in said
    assert code == 1


def other(folder: Path, script: str) -> Path:
    """An executable that stands for another installation."""
    file = folder / "curbside"
    file.write_text(f"#!{sys.executable}\nimport json, sys\nasked, told = sys.argv[3], sys.argv[5]\n{script}")
    file.chmod(0o755)
    return file


def test_another_installation_answers_in_its_own_process_and_never_sees_the_database(told: Any, tmp_path: Path) -> None:
    """It is given the requests in a file; its answers are compared with those of now."""
    script = """
assert sys.argv[1:3] == ["replay", "--requests"] and sys.argv[4] == "--answers"
lines = [json.loads(line) for line in open(asked)]
assert lines[0]["basis"]
answer = {k: lines[0][k] for k in ("id", "service", "at")} | {"response": '{"cards":[]}', "versions": {"gone": "2.0"}}
open(told, "w").write(json.dumps(answer) + "\\n")
"""
    code, said = told("replay", "--against", str(other(tmp_path, script)))
    assert code == 1, said
    assert "model gone: 2.0 → not loaded" in said
    assert "card new: " in said


def test_an_installation_that_fails_is_told_in_its_own_words(told: Any, tmp_path: Path) -> None:
    """And so is a path where there is none."""
    code, said = told("replay", "--against", str(other(tmp_path, "sys.exit('no such option: --requests')")))
    assert (code, "It said: no such option: --requests" in said) == (2, True)
    (tmp_path / "empty").mkdir()
    code, said = told("replay", "--against", str(tmp_path / "empty"))
    assert (code, "no installation of Curbside" in said) == (2, True)


@pytest.mark.parametrize(
    "wrong", [("--all", "--against", "x"), ("--answers", "x"), (), ("--since", "2026-01-01T00:00:00Z")]
)
def test_wrong_usage_is_refused(told: Any, wrong: tuple[str, ...]) -> None:
    """With a sentence and exit code 2."""
    assert told("replay", *wrong)[0] == 2


def test_environments_checkouts_and_wheels_are_told_apart(tmp_path: Path) -> None:
    """Each is called with the Python and the path that it needs."""
    checkout = installation(Path(__file__).parent.parent, tmp_path)
    assert checkout is not None
    assert checkout.command[1:] == ("-m", "cds_service.cli")
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").symlink_to(sys.executable)
    venv = installation(tmp_path / "venv", tmp_path)
    assert venv is not None
    assert venv.command[0] == str(tmp_path / "venv" / "bin" / "python")
    with zipfile.ZipFile(tmp_path / "c.whl", "w") as wheel:
        wheel.writestr("cds_service/__init__.py", "")
    wheeled = installation(tmp_path / "c.whl", tmp_path / "unpacked")
    assert wheeled is not None
    assert (tmp_path / "unpacked" / "cds_service" / "__init__.py").exists()
    assert wheeled.environment == {"PYTHONPATH": str(tmp_path / "unpacked")}


def answer(**changed: Any) -> Answer:
    card = {"uuid": "1", "summary": "10-year risk 9%", "detail": "words"}
    base = Answer(
        UUID(int=1), "s", AS_OF, versions={"curbside": "1", "code": "a"}, inputs={"sbp": "130"},
        estimates={"m/o/10": "0.09"}, findings={"k": "info"}, thresholds={"t": 7.5}, rows={"r/1": "words"},
        response=json.dumps({"cards": [card]}),
    )  # fmt: skip
    return replace(base, **changed)


@pytest.mark.parametrize(
    ("changed", "cause", "words"),
    [
        ({"versions": {"curbside": "2", "code": "b"}}, "wording", "in other words"),
        ({"versions": {"curbside": "2", "code": "b"}, "inputs": {"sbp": "missing"}}, "code", "Curbside 1 → 2"),
        ({"versions": {"curbside": "1", "code": "a", "settings.codes": "f"}}, "code map", "the code map: none → f"),
        ({"versions": {"curbside": "1", "code": "a", "knowledge": "f"}, "rows": {}}, "knowledge", "row r/1: gone"),
        ({"thresholds": {"t": 10.0}}, "threshold", "threshold t: 7.5 → 10"),
        ({"inputs": {"sbp": "missing"}}, "input", "input sbp: 130 → missing"),
        ({"estimates": {"m/o/10": "0.2"}}, "estimate", "estimate m/o/10: 0.09 → 0.2"),
        ({"findings": {}}, "finding", "finding k: info → none"),
        ({"state": "refused"}, "service", "it refuses this request"),
        ({"state": "gone"}, "service", "the service is not loaded"),
    ],
)  # fmt: skip
def test_each_cause_is_told(changed: dict[str, Any], cause: str, words: str) -> None:
    """What was changed, and what followed."""
    found = compare(answer(), answer(response='{"cards":[]}', **changed))
    assert found is not None
    assert [card.kind for card in found.cards] == ["gone"]
    assert [why.words for why in found.why if why.cause == cause and words in why.words], found.why


def test_the_same_answer_is_no_difference(site: Site) -> None:
    """Whatever else changed."""
    (pair,) = stored(site.store, None)
    assert compare(pair[0], replace(pair[0], versions={}, inputs={})) is None
