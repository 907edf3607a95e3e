"""The command line: output, exit codes, and sentences that say what to change."""

from __future__ import annotations

import gzip
import io
import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from answers import loaded

from cds_service import registry
from cds_service.cli import run

PATIENTS = registry.shipped("fhir_samples") / "patients"
AS_OF = "2026-11-01T09:00:00Z"
MODELS = {"prevent-base", "ckd-epi-2021", "fib-4", "cha2ds2-va", "news2"}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of the developer's and no state outside the test's folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


def succeeds(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    code = run(list(arguments))
    printed = capsys.readouterr()
    assert code == 0, printed.err
    return printed.out


def fails(capsys: pytest.CaptureFixture[str], code: int, *arguments: str) -> str:
    """Standard error of a command that must end with this code and print nothing else."""
    assert run(list(arguments)) == code
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    return printed.err


def sample(name: str) -> Path:
    return PATIENTS / f"{name}.json"


def cards(text: str) -> list[dict[str, Any]]:
    answer = json.loads(text)
    assert list(answer) == ["cards"]
    return list(answer["cards"])


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The first thing a user types."""
    text = succeeds(capsys, "--help")
    for name in ("demo", "serve", "services", "models", "check", "hook", "summarise", "replay", "audit", "records"):
        assert f"\n  {name}" in text
        assert "Usage: curbside " + name in succeeds(capsys, name, "--help")


def test_without_arguments_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage: exit code 2, on standard error."""
    assert "Commands:" in fails(capsys, 2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("hok",), "No such command 'hok'"),
        (("hook",), "Give one of REQUEST.json, --sample NAME or --bundle BUNDLE.json."),
        (("hook", "a.json", "--sample", "b"), "Give one of"),
        (("hook", "--sample", "x", "--pretty", "--json"), "--pretty or --json, not both"),
        (("hook", "--sample", "primary-prevntion"), "no sample patient 'primary-prevntion'. Did you mean primary-prev"),
        (("hook", "--sample", "primary-prevention", "--service", "cardio-risk"), "did you mean cardiovascular-risk?"),
        (("hook", "missing.json"), "missing.json cannot be read (No such file or directory)"),
        (("hook", "--bundle", "missing.json"), "missing.json cannot be read"),
        (
            ("hook", "--sample", "child", "--as-of", "yesterday"),
            "'yesterday' is not a date and time with a zone such as",
        ),
        (("hook", "--sample", "child", "--as-of", "2026-11-01T12:00:00"), "is not a date and time with a zone"),
        (("summarise", "missing.json"), "missing.json cannot be read"),
        (("models", "show", "fib4"), "there is no model 'fib4'. Did you mean fib-4?"),
        (("models", "predict", "fib-4"), "Give --bundle BUNDLE.json, or --table ROWS.csv with --out P.csv."),
        (("models", "predict", "fib-4", "--table", "x.csv"), "Give --bundle BUNDLE.json, or --table"),
        (
            ("models", "predict", "fib-4", "--table", "x.csv", "--out", "y.csv"),
            "published score and has no source table",
        ),
        (
            ("models", "predict", "mortality", "--table", "x.csv", "--out", "none/y.csv"),
            "none/y.csv cannot be written (no such folder). Name a file in an existing folder.",
        ),
        (("models", "evaluate", "fib-4", "--data", "."), "cases are checked by `curbside models vectors`"),
        (("models", "vectors", "missing.json"), "missing.json"),
        (("models", "train", "mortality"), "Missing option '--data'"),
        (("services", "--config", "none.toml"), "there is no file none.toml"),
    ],
)
def test_wrong_usage_says_what_to_change(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str
) -> None:
    """Exit code 2 and one sentence on standard error."""
    assert sentence in fails(capsys, 2, *arguments)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{", "is not JSON (line 1, column"),
        (b"[]", "must hold a JSON object, got list"),
        (b'{"resourceType": "Patient"}', "must hold a FHIR Bundle, got a Patient"),
        (b"{}", "must hold a FHIR Bundle, got no resourceType"),
        (b'{"resourceType": "Bundle"}', "must hold one Patient, got 0"),
        (b"\x1f\x8bnonsense", "looks like gzip but cannot be unpacked"),
    ],
)
@pytest.mark.parametrize("command", [("hook", "--bundle"), ("summarise",), ("models", "predict", "fib-4", "--bundle")])
def test_what_is_no_bundle_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: tuple[str, ...], content: bytes, sentence: str
) -> None:
    """Wherever a bundle is read, the sentence tells what arrived instead."""
    path = tmp_path / "input.json"
    path.write_bytes(content)
    assert sentence in fails(capsys, 2, *command, str(path))


def test_services_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """For people as a table, for programs as JSON."""
    listed = {row["id"]: row for row in json.loads(succeeds(capsys, "services", "--json"))}
    assert {"cardiovascular-risk", "kidney-liver-check", "deterioration"} <= set(listed)
    assert listed["deterioration"]["hook"] == "encounter-start"
    table = succeeds(capsys, "services")
    assert all(id_ in table for id_ in listed)


def test_models_are_listed_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Version, source, limits and the codes it asks for."""
    assert {row["id"] for row in json.loads(succeeds(capsys, "models", "--json"))} >= MODELS
    assert "prevent-base" in succeeds(capsys, "models")
    shown = json.loads(succeeds(capsys, "models", "show", "prevent-base", "--json"))
    assert shown["url"].startswith("https://")
    assert "2093-3" in {code for feature in shown["features"] for code in feature["codes"]}
    assert "2093-3" in succeeds(capsys, "models", "show", "prevent-base")


def test_a_sample_gives_a_card(capsys: pytest.CaptureFixture[str]) -> None:
    """A sample is answered as of the day it was written, so that its results are not old."""
    found = cards(succeeds(capsys, "hook", "--sample", "primary-prevention", "--service", "cardiovascular-risk"))
    assert "10-year cardiovascular risk" in found[0]["summary"]


def test_without_a_service_every_service_of_the_hook_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """As an EHR that has subscribed to all of them would; an unfit one (no encounter) is left out."""
    everything = cards(succeeds(capsys, "hook", "--sample", "masld-high-fib4"))
    one = cards(succeeds(capsys, "hook", "--sample", "masld-high-fib4", "--service", "kidney-liver-check"))
    assert len(everything) > len(one) > 0
    assert one[0] in everything


def test_the_same_call_gives_the_same_bytes(capsys: pytest.CaptureFixture[str]) -> None:
    """Card uuids too: a card can be compared with yesterday's."""
    call = ("hook", "--bundle", str(sample("primary-prevention")), "--service", "cardiovascular-risk", "--as-of", AS_OF)
    assert succeeds(capsys, *call) == succeeds(capsys, *call)


def test_a_packed_bundle_is_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """`.json.gz` wherever a bundle is read."""
    packed = tmp_path / "patient.json.gz"
    packed.write_bytes(gzip.compress(sample("primary-prevention").read_bytes()))
    plain = ("--service", "cardiovascular-risk", "--as-of", AS_OF)
    from_packed = cards(succeeds(capsys, "hook", "--bundle", str(packed), *plain))
    assert from_packed == cards(succeeds(capsys, "hook", "--bundle", str(sample("primary-prevention")), *plain))


def test_a_request_is_answered_as_posted(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REQUEST.json is the very body of a hook call; - is standard input."""
    from cds_service.cli import calls, options
    from cds_service.sandbox import prefetch

    bundle = options.read_bundle(sample("primary-prevention"))
    service = {"id": "cardiovascular-risk", "hook": "patient-view", "prefetch": templates(capsys)}
    body = json.dumps(prefetch.request_for(service, bundle)).encode()
    path = tmp_path / "request.json"
    path.write_bytes(body)
    expected = cards(
        succeeds(capsys, "hook", "--sample", "primary-prevention", "--service", "cardiovascular-risk", "--as-of", AS_OF)
    )
    found = cards(succeeds(capsys, "hook", str(path), "--service", "cardiovascular-risk", "--as-of", AS_OF))
    assert [card["summary"] for card in found] == [card["summary"] for card in expected]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(body)))
    assert found == cards(succeeds(capsys, "hook", "-", "--service", "cardiovascular-risk", "--as-of", AS_OF))
    assert calls.patient(bundle)["id"]


def templates(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """The prefetch templates of cardiovascular-risk."""
    from cds_service.app import create_pipeline
    from cds_service.settings import Settings

    services: Any = create_pipeline(Settings(), loaded=loaded()).discovery()["services"]
    return dict(next(s["prefetch"] for s in services if s["id"] == "cardiovascular-risk"))


def test_a_request_without_its_data_is_refused(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """No card instead of a guess: exit code 1 and the missing keys, for each service asked."""
    call = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"patientId": "p1", "userId": "Practitioner/1"},
        "prefetch": {},
    }
    path = tmp_path / "request.json"
    path.write_text(json.dumps(call))
    assert "patient" in fails(capsys, 1, "hook", str(path), "--service", "cardiovascular-risk")
    lines = fails(capsys, 1, "hook", str(path)).strip().splitlines()
    assert len(lines) > 5
    assert [line for line in lines if not re.match(r"curbside: [a-z-]+: Prefetch keys", line)] == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"{", "JSON"), (b"{}", "hook"), (b'{"hook": "order-select"}', ""), (b"[1]", "object")],
)
def test_a_file_that_is_no_request_is_refused(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, sentence: str
) -> None:
    """Exit code 2 with the same sentence as over HTTP."""
    path = tmp_path / "request.json"
    path.write_bytes(content)
    assert sentence in fails(capsys, 2, "hook", str(path))


def test_pretty_shows_the_whole_card(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Indicator, summary, detail, suggestion and source, without Markdown's marks."""
    monkeypatch.setenv("COLUMNS", "100")
    text = succeeds(capsys, "hook", "--sample", "missing-lipids", "--service", "cardiovascular-risk", "--pretty")
    assert "● 10-year cardiovascular risk (PREVENT) not calculated" in text
    assert "[ Order a lipid panel" in text
    assert "https://" in text
    assert "**" not in text
    assert max(map(len, text.splitlines())) <= 100
    quiet = succeeds(capsys, "hook", "--sample", "child", "--service", "cardiovascular-risk", "--pretty")
    assert "No card from cardiovascular-risk." in quiet


def test_a_service_whose_model_may_not_speak_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """No card from a model that nobody signed off is not the same as nothing to say; shown unvalidated, it is."""
    given = ["hook", "--sample", "going-home", "--service", "prognosis", "--pretty"]
    assert run(given) == 0
    assert "mortality is computed, and nothing of it is shown: silent until signed off" in capsys.readouterr().err
    Path("curbside.toml").write_text("[models]\nshow_unvalidated = true\n")
    assert run(given) == 0
    assert "mortality" not in capsys.readouterr().err


def test_pretty_shows_urgent_cards_first_and_the_silent_in_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader meets the critical card at the top, and what has nothing to say takes one line at the end."""
    monkeypatch.setenv("COLUMNS", "100")
    text = succeeds(capsys, "hook", "--sample", "acute-deterioration", "--pretty")
    heads = [line[2] for line in text.splitlines() if line[:2] == "│ " and line[2:3] in "■▲●"]
    assert heads == sorted(heads, key="■▲●".index)
    assert heads[0] == "■"
    assert text.count("No card from") == 1
    assert "services that were asked." in text.splitlines()[-1]


def test_a_summary_is_cited(capsys: pytest.CaptureFixture[str]) -> None:
    """Each line names the resources that say so; --service chooses and orders them."""
    path = str(sample("primary-prevention"))
    lines = json.loads(succeeds(capsys, "summarise", path, "--as-of", AS_OF, "--json"))["lines"]
    assert any("hypertension" in line["text"] and line["cites"] for line in lines)
    assert "[Condition/" in succeeds(capsys, "summarise", path, "--as-of", AS_OF)
    chosen = json.loads(
        succeeds(capsys, "summarise", path, "--as-of", AS_OF, "--service", "cardiovascular-risk", "--json")
    )
    assert {line["text"] for line in chosen["lines"]} <= {line["text"] for line in lines}


def test_a_model_is_run_on_a_bundle(capsys: pytest.CaptureFixture[str]) -> None:
    """Outputs with their inputs; a refusal is exit code 1 and names what is missing."""
    call = ("models", "predict", "prevent-base", "--as-of", AS_OF, "--bundle")
    answer = json.loads(succeeds(capsys, *call, str(sample("primary-prevention"))))
    assert any(0 < output["value"] < 1 for output in answer["outputs"])
    assert answer["as_of"].startswith("2026-11-01T09:00:00")
    assert run([*call, str(sample("missing-lipids"))]) == 1
    refused = json.loads(capsys.readouterr().out)
    assert refused["refusal"] == "input"
    assert "total_cholesterol" in {row["id"] for row in refused["unusable"]}


def test_the_record_is_read_as_known_then(capsys: pytest.CaptureFixture[str]) -> None:
    """--as-of before the measurements: they did not exist yet."""
    call = ("models", "predict", "prevent-base", "--bundle", str(sample("primary-prevention")))
    assert run([*call, "--as-of", "2010-01-01T00:00:00Z"]) == 1
    assert json.loads(capsys.readouterr().out)["refusal"] == "input"


def test_vectors_that_agree_and_vectors_that_do_not(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Exit code 1 on a mismatch, with the case, the output and both values; also where no model offers the score."""
    case = {"inputs": {"age": 82, "ast": 150, "alt": 90, "platelets": 291}, "expected": {"fib4": 4.4554}}
    path = tmp_path / "v.json"

    def check(score: str, expected: float) -> tuple[int, str]:
        content = {"meta": {"score": score}, "cases": [{**case, "expected": {"fib4": expected}}]}
        path.write_text(json.dumps(content))
        code = run(["models", "vectors", str(path)])
        return code, capsys.readouterr().out

    code, text = check("FIB-4", 4.4554)
    assert code == 0
    assert "1 of 1 cases agree" in text
    code, text = check("FIB-4", 4.5)
    assert code == 1
    assert "case 1, fib4: expected 4.5, got 4.455" in text
    code, text = check("nothing we have", 4.4554)
    assert code == 1
    assert "no loaded model offers this score" in text


def test_a_table_beside_vector_files_is_skipped_and_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A folder of vectors may hold tables of coefficients; alone such a file is a mistake."""
    case = {"inputs": {"age": 82, "ast": 150, "alt": 90, "platelets": 291}, "expected": {"fib4": 4.4554}}
    vectors, table = tmp_path / "v.json", tmp_path / "coefficients.json"
    vectors.write_text(json.dumps({"meta": {"score": "FIB-4"}, "cases": [case]}))
    table.write_text(json.dumps({"a": [1, 2]}))
    assert run(["models", "vectors", str(vectors), str(table)]) == 0
    assert f"skipped  {table}" in capsys.readouterr().out
    assert run(["models", "vectors", str(table)]) == 2


def test_check_tells_what_would_serve(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Settings, plugins, weights and store are all tried."""
    text = succeeds(capsys, "check")
    assert "prevent-base" in text
    assert "deterioration" in text
    assert (tmp_path / "state" / "curbside" / "curbside.db").exists()


def test_check_refuses_a_sign_off_for_no_model(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A misspelt model would stay silent unnoticed."""
    entry = '[models.signed_off.fib-5]\nversion = "1"\nby = "x"\non = 2026-01-01\nreport = "r"\n'
    (tmp_path / "curbside.toml").write_text(entry)
    assert "models.signed_off.fib-5 names no loaded model. Did you mean fib-4?" in fails(capsys, 1, "check")


@pytest.mark.parametrize(("code", "command"), [(2, "services"), (1, "check")])
def test_a_wrong_code_map_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path, code: int, command: str) -> None:
    """Not only where a patient is read: whoever lists or checks the services hears of it."""
    (tmp_path / "code_map.toml").write_text('[codes."https://lab.example.org/tests"]\nCREA = "loinc|0000-0"\n')
    (tmp_path / "curbside.toml").write_text("[codes]\nmap = 'code_map.toml'\n")
    assert "no input reads the code 0000-0" in fails(capsys, code, command)


def test_check_names_a_broken_plugin(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """A hospital's file with a mistake is named."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "broken.py").write_text("import nothing_of_that_name\n")
    (tmp_path / "curbside.toml").write_text("[plugins]\nmodels = ['own']\n")
    assert "broken.py: could not be loaded" in fails(capsys, 1, "check")


def test_check_tells_all_that_would_fail_at_once(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One run names everything to mend; what a service does with a patient is tried as well."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "crashing.py").write_text(
        (registry.shipped("hooks") / "kidney_liver_check.py")
        .read_text()
        .replace('id="kidney-liver-check"', 'id="crashing"')
        .replace(
            "def find(case: Case) -> tuple[Finding, ...]:\n",
            "def find(case: Case) -> tuple[Finding, ...]:\n    1 / 0\n",
        )
    )
    (tmp_path / "curbside.toml").write_text(
        '[plugins]\nhooks = ["own"]\n[cors]\norigins = ["*"]\n[server]\ntls_cert = "none.pem"\n'
        '[store]\nurl = "sqlite:////nowhere/at/all.db"\n'
    )
    told = fails(capsys, 1, "check")
    for part in ("services", "cors", "tls", "store"):
        assert f"curbside: {part}: would fail: " in told
    assert (
        "the service crashing fails on a made-up patient (ZeroDivisionError: division by zero at crashing.py:" in told
    )


def test_a_record_that_is_judged_long_after_it_was_written_is_said_to_be(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Else a sample that is a year old reads as a patient with nothing recent; --as-of is named, and ends the line."""
    request = json.loads((sample("x").parents[1] / "requests/preventive-care.healthy-adult.json").read_bytes())
    old = tmp_path / "old.json"
    old.write_text(json.dumps(request).replace('"202', '"201'))
    call = ["hook", "--service", "preventive-care", str(old)]
    run(call)
    told = capsys.readouterr().err
    assert re.search(r"the newest date in the record is (201\d-\d\d-\d\d) .* --as-of \1T23:59:59Z judges it", told)
    run([*call, "--as-of", AS_OF])
    assert "newest date" not in capsys.readouterr().err


def test_a_patient_without_orders_is_not_asked_what_a_pharmacist_verifies(capsys: pytest.CaptureFixture[str]) -> None:
    """No card about an order that nobody gave."""
    told = succeeds(capsys, "hook", "--sample", "empty-record")
    assert "not recognised" not in told


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    """`curbside hook ... | head -1` ends quietly."""
    import subprocess
    import sys

    command = f"'{sys.executable}' -m cds_service.cli hook --sample primary-prevention | head -c 1"
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"{", b"")


def test_a_card_for_people_has_one_empty_line_below_its_headline(capsys: pytest.CaptureFixture[str]) -> None:
    """Also where the detail begins with a list, which brings an empty line of its own."""
    printed = succeeds(capsys, "hook", "--sample", "unsafe-orders", "--service", "drug-safety", "--pretty")
    lines = [line.strip("│ ") for line in printed.splitlines()]
    assert not any(first == second == "" for first, second in pairwise(lines))
