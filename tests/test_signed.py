"""A trained model speaks after a sign-off of exactly what runs, and falls silent when any of it changes."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from answers import loaded
from click.testing import CliRunner, Result

from cds_service import local_codes, settings_file, signed
from cds_service.app import create_store, load_registry
from cds_service.cli.models import models
from cds_service.desks import Desks
from cds_service.errors import CurbsideError, SettingsError
from cds_service.registry import Registry
from cds_service.settings import SignOff, load
from cds_service.stores.audit import AuditStore

MORTALITY = loaded().models["mortality"].version
BEGIN = "# the site\n[server]\nport = 8081\n\n[services.prognosis]\nthresholds = { speak_from = 30.0 }\n"


@pytest.fixture(scope="module")
def registry() -> Registry:
    """All models."""
    return load_registry(load(Path("/dev/null"), {}))


class Site:
    """A settings file, a store, and a report about the mortality model as it runs there."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.folder, self.registry = folder, registry
        self.file = folder / "curbside.toml"
        self.file.write_text(f'{BEGIN}\n[store]\nurl = "sqlite:///{folder / "store.db"}"\n')
        self.report = folder / "report.html"
        self.write_report()

    def state(self) -> str:
        settings = load(self.file, {})
        code_map = local_codes.load(settings.codes.map).digest
        return signed.state(self.registry.models["mortality"], self.registry.services.values(), settings, code_map)

    def write_report(self, **changed: Any) -> None:
        settings, model = load(self.file, {}), self.registry.models["mortality"]
        conditions = signed.conditions(model, self.registry.services.values(), settings, "")
        entry = {"version": model.version, "conditions": conditions} | changed
        facts = {"models": {"mortality": entry}, "judged": ["mortality"]}
        self.report.write_text(f"<html>{signed.FACTS}{orjson.dumps(facts).decode()}</script></html>")

    def sign(self, *more: str, model: str = "mortality") -> Result:
        given = ["--config", str(self.file), "sign-off", model, "--report", str(self.report), "--by", 'Dr "Li", CMIO']
        return CliRunner().invoke(models, [*given, *more])


@pytest.fixture
def site(tmp_path: Path, registry: Registry) -> Site:
    """A site before anything was signed."""
    return Site(tmp_path, registry)


def test_a_sign_off_is_in_the_settings_and_in_the_audit_record(site: Site) -> None:
    """The model may speak; the rest of the file is as it was; the audit chain holds who, what and on which report."""
    assert site.state() == "none"
    result = site.sign()
    assert result.exit_code == 0, (result.output, result.exception)
    assert site.state() == "valid"
    assert site.file.read_text().startswith(BEGIN)
    store = create_store(load(site.file, {}))
    (entry,) = AuditStore(store.database).entries()
    verdict = AuditStore(store.database).verify()
    store.close()
    assert entry.kind == "sign-off"
    assert entry.content is not None
    assert entry.content["by"] == 'Dr "Li", CMIO'
    assert not verdict.faults
    assert site.sign().exit_code == 0
    assert site.file.read_text().count("[models.signed_off.mortality]") == 1


def test_another_threshold_code_map_or_version_asks_again(site: Site) -> None:
    """What was signed is what runs, or the model is silent."""
    assert site.sign().exit_code == 0
    whole = site.file.read_text()
    site.file.write_text(whole.replace("speak_from = 30.0", "speak_from = 20.0"))
    assert site.state() == "other conditions"
    (site.folder / "map.toml").write_text('[units]\n"mg%" = "mg/dL"\n')
    site.file.write_text(f'{whole}\n[codes]\nmap = "map.toml"\n')
    assert site.state() == "other conditions"
    site.file.write_text(whole.replace(f'version = "{MORTALITY}"', 'version = "0.9.0"'))
    assert site.state() == "another version"
    lines = [line for line in whole.splitlines() if not line.startswith("conditions")]
    site.file.write_text("\n".join(lines))
    assert site.state() == "by hand"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"version": "0.9.0"}, f"is about mortality 0.9.0, and {MORTALITY} is loaded"),
        ({"conditions": "x"}, "other thresholds"),
    ],
)
def test_a_report_about_something_else_is_refused(site: Site, changed: dict[str, str], words: str) -> None:
    """Nothing is written to the settings."""
    site.write_report(**changed)
    before = site.file.read_text()
    result = site.sign()
    assert isinstance(result.exception, CurbsideError)
    assert words in str(result.exception)
    assert site.file.read_text() == before


def test_what_is_no_report_is_taken_only_when_one_says_so(site: Site) -> None:
    """A hospital's own report cannot be checked, and the audit record says so; published scores need none."""
    site.report.write_text("our own")
    assert "--other-report" in str(site.sign().exception)
    assert site.sign("--other-report").exit_code == 0
    assert site.state() == "valid"
    assert "published score" in str(site.sign(model="lace").exception)


def test_a_file_that_cannot_be_edited_is_left_alone_and_the_table_is_told() -> None:
    """An inline table cannot be continued: the words to write by hand are in the message."""
    text = "[models]\nsigned_off = { }\n"
    entry = SignOff("1", "x", date(2026, 1, 1), "r")
    with pytest.raises(SettingsError, match=r"Write it yourself:\n\[models.signed_off.m\]"):
        settings_file.with_sign_off(text, "m", entry)
    made = settings_file.with_sign_off("", "m", entry)
    assert tomllib.loads(made)["models"]["signed_off"]["m"]["by"] == "x"


def test_a_model_for_tables_alone_is_not_signed_off(site: Site) -> None:
    """No record holds what it reads: that it would speak is no true word."""
    result = site.sign("--other-report", model="lung-adenocarcinoma-survival")
    assert isinstance(result.exception, CurbsideError)
    assert "reads nothing that a record holds" in str(result.exception)
    assert "signed_off" not in site.file.read_text()


def test_a_sign_off_of_a_model_that_no_service_runs_says_so(site: Site) -> None:
    """It does not promise that it speaks after a restart, nor once a hook names it: that has thresholds of its own."""
    result = site.sign("--other-report", model="breast-cancer-survival")
    assert "No service runs it" in result.output
    assert "sign it off again" in result.output


def test_a_sign_off_lapses_where_the_site_wants_it(site: Site) -> None:
    """On its last day the model speaks, the day after it is silent and says why."""
    site.sign()
    settings = load(site.file, {}).with_("models", sign_off_days=30)
    model, last = site.registry.models["mortality"], settings.models.signed_off["mortality"].on + timedelta(days=29)
    desks = Desks(site.registry, settings, None)
    moment = datetime.combine(last, time(12), UTC)
    assert desks.validated(model, moment)
    assert not desks.validated(model, moment + timedelta(days=1))
    told = {m.id: str(words_) for m, words_, _ in desks.allowed(moment)}
    assert told["mortality"].endswith(f"until {last + timedelta(days=1):%-d %b %Y}")
    told = {m.id: str(words_) for m, words_, _ in desks.allowed(moment + timedelta(days=1))}
    assert told["mortality"] == "silent: the sign-off has lapsed; evaluate it again"
