"""A hospital's own codes and units: mapped in a file, checked by name, searched for, and part of a replay."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from cds_service import local_codes
from cds_service.app import create_pipeline
from cds_service.cli import run
from cds_service.clock import FixedClock
from cds_service.errors import SettingsError
from cds_service.protocol.request import decode
from cds_service.sandbox.chart import AS_OF
from cds_service.sandbox.patients import BY_NAME
from cds_service.sandbox.prefetch import request_for
from cds_service.settings import Settings

LAB = "https://lab.example.org/tests"
MAP = f"""
[codes."{LAB}"]
KREA = "loinc|2160-0"
ASZ = "curbside|ascites_grade"
[codes."{LAB}/answers"]
A1 = "curbside|mild"
[codes."{LAB}/problems"]
VHF = "snomed|49436004"
[units]
"mg%" = "mg/dL"
"""


def pipeline(tmp_path: Path, text: str | None = MAP):
    settings = Settings().with_("models", show_unvalidated=True)
    if text is not None:
        path = tmp_path / "code_map.toml"
        path.write_text(text)
        settings = settings.with_("codes", map=path)
    return create_pipeline(settings, FixedClock(AS_OF))


def localised(bundle: dict) -> dict:
    """The record with creatinine and atrial fibrillation under local codes, and a local unit."""
    text = orjson.dumps(bundle).decode()
    text = text.replace('"system":"http://loinc.org","code":"2160-0"', f'"system":"{LAB}","code":"KREA"')
    text = text.replace(
        '"system":"http://snomed.info/sct","code":"49436004"', f'"system":"{LAB}/problems","code":"VHF"'
    )
    text = text.replace('"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"I48.91"', '"system":"urn:x","code":"x"')
    return orjson.loads(
        text.replace('"unit":"mg/dL","system":"http://unitsofmeasure.org","code":"mg/dL"', '"unit":"mg%"')
    )


def decided(line, name: str, service: str):
    entry = next(s for s in line.discovery()["services"] if s["id"] == service)
    body = orjson.dumps(request_for(entry, localised(BY_NAME[name].chart().bundle())))
    return line.assess(line.desk(service), decode(body))


def test_local_codes_and_units_give_the_same_values(tmp_path: Path) -> None:
    """Creatinine in mg% under a code of the laboratory, fibrillation under one of the EHR; without the map, nothing."""
    with_map, without = pipeline(tmp_path), pipeline(tmp_path, None)
    found = decided(with_map, "contained-references", "af-anticoagulation").case
    creatinine = next(v for v in found.values if v.feature.id == "creatinine")
    assert creatinine.value == 1.0
    assert found.results["cha2ds2-va"][0].value == 1
    plain = decided(without, "contained-references", "af-anticoagulation").case
    assert next(v for v in plain.values if v.feature.id == "creatinine").reason.value == "absent"
    assert plain.results["cha2ds2-va"].refusal.value == "not-applicable"


def test_prefetch_searches_for_local_codes_and_for_no_id_of_an_input(tmp_path: Path) -> None:
    """Templates name `system|code` of the hospital; an input without a code is asked for only where it is mapped."""
    for line, mapped in ((pipeline(tmp_path), True), (pipeline(tmp_path, None), False)):
        templates = {s["id"]: s["prefetch"] for s in line.discovery()["services"]}
        assert (f"{LAB}|KREA" in templates["af-anticoagulation"]["labs"]) is mapped
        assert (f"{LAB}|ASZ" in templates["cirrhosis"].get("answers", "")) is mapped
        assert all(
            "ascites_grade" not in t and "urn:curbside" not in t for own in templates.values() for t in own.values()
        )


def test_its_digest_is_a_version_of_every_answer(tmp_path: Path) -> None:
    """A replay tells that the file has changed."""
    first = pipeline(tmp_path)
    one = first.versions(first.desk("cirrhosis"))["settings.codes"]
    other = pipeline(tmp_path, MAP + '"mg pct" = "mg/dL"\n')
    assert other.versions(other.desk("cirrhosis"))["settings.codes"] != one
    bare = pipeline(tmp_path, None)
    assert "settings.codes" in first.versions(first.desk("diabetes"))
    assert "settings.codes" not in bare.versions(bare.desk("diabetes"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '[codes."https://x.org/a"]\nK = "loinc|2160-9"',
            "no input reads the code 2160-9 of loinc. Did you mean 2160-0?",
        ),
        ('[codes."https://x.org/a"]\nK = "2160-0"', "must be SYSTEM|CODE"),
        ('[codes."https://x.org/a"]\nK = "loink|2160-0"', "must be SYSTEM|CODE"),
        ('[codes."https://x.org/a"]\nK = 3', "must be SYSTEM|CODE"),
        ('[codes."https://x.org/a"]\n"K,1" = "loinc|2160-0"', "cannot be searched for"),
        ("[codes.lab]\nK = 'loinc|2160-0'", "must be the URI of a code system"),
        ("[code]\nK = 'x'", "there is no table [code]"),
        ('[units]\n"mg%" = "milligrams"', 'units."mg%" must be a UCUM unit'),
        ("[units", "cannot be read as TOML"),
    ],
)
def test_a_wrong_entry_stops_the_start_with_its_name(tmp_path: Path, text: str, words: str) -> None:
    """One sentence that says which entry and what it must be."""
    path = tmp_path / "code_map.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        local_codes.load(path)
    assert words in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The path is the mistake, most often."""
    with pytest.raises(SettingsError, match="there is no file"):
        local_codes.load(tmp_path / "nowhere.toml")


def test_the_documented_map_is_one(tmp_path: Path) -> None:
    """The example of the documentation loads."""
    page = (Path(__file__).parent.parent / "docs" / "local-codes.md").read_text()
    path = tmp_path / "code_map.toml"
    path.write_text(page.split("```toml\n# code_map.toml\n")[1].split("```")[0])
    found = local_codes.load(path)
    assert len(found.codes) == 5
    assert found.units == {"mg%": "mg/dL"}


def test_commands_on_a_bundle_read_local_codes_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A creatinine under the hospital's own code is found by `models predict` once the map says what it is."""
    (tmp_path / "code_map.toml").write_text('[codes."https://lab.example.org"]\nKREA = "loinc|2160-0"\n')
    (tmp_path / "curbside.toml").write_text(f'[codes]\nmap = "{tmp_path / "code_map.toml"}"\n')
    measured = {
        "resourceType": "Observation", "id": "krea", "status": "final", "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": "https://lab.example.org", "code": "KREA"}]},
        "effectiveDateTime": "2026-10-30", "valueQuantity": {"value": 1.0, "unit": "mg/dL"},
    }  # fmt: skip
    patient = {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "1960-01-01"}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": patient}, {"resource": measured}]}
    (tmp_path / "bundle.json").write_text(orjson.dumps(bundle).decode())
    predict = ["predict", "ckd-epi-2021", "--bundle", str(tmp_path / "bundle.json"), "--as-of", "2026-11-01T00:00:00Z"]
    assert run(["models", *predict]) == 1
    capsys.readouterr()
    assert run(["models", "--config", str(tmp_path / "curbside.toml"), *predict]) == 0
    assert "Observation/krea" in capsys.readouterr().out
