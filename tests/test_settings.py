"""Settings: file, variables, errors that name the key, and the page made from the code."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from cds_service.errors import SettingsError
from cds_service.settings import Settings, load, reference

DOCS = Path(__file__).parent.parent / "docs" / "settings.md"


def write(folder: Path, text: str) -> Path:
    path = folder / "curbside.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_the_defaults_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing needs to be set to start."""
    monkeypatch.chdir(tmp_path)
    assert load(None, {}) == Settings()


def test_the_file_in_the_working_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`curbside.toml` needs no option."""
    write(tmp_path, "[server]\nport = 9001\n")
    monkeypatch.chdir(tmp_path)
    assert load(None, {}).server.port == 9001


def test_a_variable_names_the_file(tmp_path: Path) -> None:
    """CURBSIDE_CONFIG is for containers."""
    path = write(tmp_path, "[server]\nport = 9002\n")
    assert load(None, {"CURBSIDE_CONFIG": str(path)}).server.port == 9002


def test_a_variable_wins_over_the_file(tmp_path: Path) -> None:
    """The environment has the last word, with the type of the key."""
    path = write(tmp_path, "[server]\nport = 9001\nhost = '0.0.0.0'\n")
    variables = {
        "CURBSIDE_SERVER__PORT": "9100",
        "CURBSIDE_MODELS__SHOW_UNVALIDATED": "yes",
        "CURBSIDE_LIMITS__READ_S": "2.5",
        "CURBSIDE_DATA": "../elsewhere",
        "CURBSIDE_EXAMPLES": "10",
        "HOME": "/somewhere",
    }
    settings = load(path, variables)
    assert (settings.server.port, settings.server.host) == (9100, "0.0.0.0")
    assert settings.models.show_unvalidated is True
    assert settings.limits.read_s == 2.5


def test_folders_are_relative_to_the_file(tmp_path: Path) -> None:
    """A settings file means the same from any working folder."""
    path = write(tmp_path, "[plugins]\nmodels = ['local/models', '/srv/models']\n")
    assert load(path, {}).plugins.models == (tmp_path / "local" / "models", Path("/srv/models"))


@pytest.mark.parametrize("text", ["/a:/b", '["/a", "/b"]'])
def test_folders_in_a_variable(text: str) -> None:
    """Separated as in PATH, or JSON."""
    assert load(None, {"CURBSIDE_PLUGINS__HOOKS": text}).plugins.hooks == (Path("/a"), Path("/b"))


@pytest.mark.parametrize("as_variable", [False, True])
def test_a_sign_off_says_who_when_and_on_which_report(tmp_path: Path, as_variable: bool) -> None:
    """One table a model, in the file or as JSON."""
    if as_variable:
        text = '{"mortality": {"version": "1.0", "by": "Dr Li", "on": "2026-05-06", "report": "R-17"}}'
        settings = load(write(tmp_path, ""), {"CURBSIDE_MODELS__SIGNED_OFF": text})
    else:
        text = '[models.signed_off.mortality]\nversion = "1.0"\nby = "Dr Li"\non = 2026-05-06\nreport = "R-17"\n'
        settings = load(write(tmp_path, text), {})
    entry = settings.models.signed_off["mortality"]
    assert (entry.version, entry.by, entry.on, entry.report) == ("1.0", "Dr Li", date(2026, 5, 6), "R-17")


@pytest.mark.parametrize("as_variable", [False, True])
def test_a_client_is_a_table_under_a_name(tmp_path: Path, as_variable: bool) -> None:
    """Many clients, each with its own keys; the file of keys lies beside the settings."""
    if as_variable:
        table = '{"issuer": "https://ehr.example", "jwks_file": "keys.json", "tenants": ["a", "b"]}'
        settings = load(write(tmp_path, ""), {"CURBSIDE_CLIENTS__MAIN": table})
    else:
        text = '[clients.main]\nissuer = "https://ehr.example"\njwks_file = "keys.json"\ntenants = ["a", "b"]\n'
        settings = load(write(tmp_path, text), {})
    client = settings.clients["main"]
    assert (client.issuer, client.jwks_file, client.tenants) == (
        "https://ehr.example",
        tmp_path / "keys.json",
        ("a", "b"),
    )
    assert (client.jti, client.algorithms) == ("enforce", ("ES384", "RS384"))


def test_lists_of_texts_in_a_variable_are_separated_by_commas() -> None:
    """URLs hold colons."""
    cors = load(None, {"CURBSIDE_CORS__ORIGINS": "https://a.example, http://localhost:8000"}).cors
    assert cors.origins == ("https://a.example", "http://localhost:8000")


def test_a_file_that_begins_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    """As some editors write it; before, "invalid statement at line 1, column 1"."""
    assert load(write(tmp_path, "\ufeff[server]\nport = 8099\n"), {}).server.port == 8099


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[server]\nprt = 1\n", "there is no key server.prt. Did you mean port?"),
        ("[servers]\nport = 1\n", "there is no section [servers]. Did you mean server?"),
        ("[zzz]\n", "there is no section [zzz]. Known: server, "),
        ("server = 1\n", "server must be a table"),
        ("[server]\nport = 'high'\n", "server.port must be a whole number, got 'high'"),
        ("[server]\nport = 80.5\n", "server.port must be a whole number, got 80.5"),
        ("[server]\nport = true\n", "server.port must be a whole number, got True"),
        ("[llm]\ntimeout_s = '5 s'\n", "llm.timeout_s must be a number of seconds, got '5 s'"),
        ("[llm]\ntimeout_s = nan\n", "llm.timeout_s must be a number of seconds, got nan"),
        ("[limits]\nrate_per_s = inf\n", "limits.rate_per_s must be a number of calls a second, got inf"),
        ("[server]\nport = 70000\n", "server.port must be between 0 and 65535, got 70000"),
        ("[limits]\nmax_body_bytes = 1\n", "limits.max_body_bytes must be at least 1000, got 1"),
        ("[server]\nhost = 1\n", "server.host must be text in quotes, got 1"),
        ("[cards]\nlanguage = 'fr'\n", "cards.language must be one of en, zh_Hans, got 'fr'"),
        ("[models]\nshow_unvalidated = 'maybe'\n", "models.show_unvalidated must be true or false, got 'maybe'"),
        ("[plugins]\nmodels = [1]\n", "plugins.models must be a list of folders"),
        ("[models]\nsigned_off = 1\n", "models.signed_off must hold one table a model"),
        ("[models.signed_off.m]\nby = 'x'\n", "models.signed_off.m must have exactly the keys version, by, on, report"),
        (
            "[models.signed_off.m]\nversion = '1'\nby = ' '\non = 2026-01-01\nreport = 'r'\n",
            "models.signed_off.m.by is empty",
        ),
        (
            "[models.signed_off.m]\nversion = '1'\nby = 'x'\non = 'soon'\nreport = 'r'\n",
            "models.signed_off.m.on must be a date such as 2026-05-06, got 'soon'",
        ),
        ("[clients]\nmain = 1\n", "clients.main must be a table: write [clients.main] above its keys"),
        ("[clients.main]\nisuer = 'x'\n", "there is no key clients.main.isuer. Did you mean issuer?"),
        ("[clients.main]\njti = 'maybe'\n", "clients.main.jti must be one of enforce, log, got 'maybe'"),
        ("[cors]\norigins = [1]\n", "cors.origins must be a list of texts"),
        ("[server\n", "cannot be read as TOML"),
        ("a = " + "[" * 5000, "cannot be read as TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    """An error names the key, what arrived, and the nearest name."""
    with pytest.raises(SettingsError) as caught:
        load(write(tmp_path, text), {})
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("CURBSIDE_SERVER__PROT", "no key server.prot. Did you mean port?"),
        ("CURBSIDE_SERVER_PORT", "CURBSIDE_SERVER_PORT names no setting. Did you mean CURBSIDE_SERVER__PORT?"),
        ("CURBSIDE_MODELS__SIGNED_OFF", "models.signed_off must be JSON"),
    ],
)
def test_a_wrong_variable_is_named(name: str, sentence: str) -> None:
    """A misspelt variable is not ignored."""
    with pytest.raises(SettingsError) as caught:
        load(None, {name: "x"})
    assert sentence in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """--config with a wrong path does not fall back to defaults."""
    with pytest.raises(SettingsError, match="there is no file"):
        load(tmp_path / "none.toml", {})


def test_the_default_store_is_in_the_users_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Assessments do not land in whatever folder the service was started from, and others cannot list them."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert Settings().store_url() == f"sqlite:///{tmp_path}/state/curbside/curbside.db"
    assert (tmp_path / "state" / "curbside").stat().st_mode & 0o077 == 0
    assert Settings().with_("store", url="sqlite:////x.db").store_url() == "sqlite:////x.db"


def test_the_settings_page_is_current() -> None:
    """`docs/settings.md` is made from the code: `python -m cds_service.settings > docs/settings.md`."""
    assert DOCS.read_text(encoding="utf-8") == reference()
