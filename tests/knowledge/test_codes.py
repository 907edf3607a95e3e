"""Every code of the base resolves to what it stands beside, is one of its system, and is in a table that others made.

A wrong digit would turn a product into another medicine, or a patient's problem into another: check digits catch most,
the independent tables (where the reference data are there) the rest.
"""

import csv
import gzip
import json
import os
import re
from collections import defaultdict
from pathlib import Path

import pytest

from cds_service.fhir.codes import ATC, ICD10_CM, LOINC, RXNORM, SNOMED, icd10_key
from cds_service.knowledge import base_files, library
from cds_service.knowledge.rows import slug

LIBRARY = library.base()
DATA = Path(os.environ.get("CURBSIDE_DATA", Path(__file__).parents[2] / ".." / "shared" / "data")) / "knowledge"
CHECKED = {"ansm", "onc", "cpic", "cpic-db", "value-set", "two-lists", "unchecked"}
# Faults of the independent tables: a code cut short, one of two drugs, and codes of salts and products (ONC).
FAULTS = {("furosemide", "460"), ("cefotetan", "2184"), ("azithromycin", "1299904"), ("mefenamic acid", "257844"),
          ("tacrolimus", "235991")}  # fmt: skip
_D = ((0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 2, 3, 4, 0, 6, 7, 8, 9, 5), (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
      (3, 4, 0, 1, 2, 8, 9, 5, 6, 7), (4, 0, 1, 2, 3, 9, 5, 6, 7, 8), (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
      (6, 5, 9, 8, 7, 1, 0, 4, 3, 2), (7, 6, 5, 9, 8, 2, 1, 0, 4, 3), (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
      (9, 8, 7, 6, 5, 4, 3, 2, 1, 0))  # fmt: skip
_P = ((0, 1, 2, 3, 4, 5, 6, 7, 8, 9), (1, 5, 7, 6, 2, 8, 3, 0, 9, 4), (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
      (8, 9, 1, 6, 0, 4, 3, 5, 2, 7), (9, 4, 5, 3, 1, 2, 6, 8, 7, 0), (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
      (2, 7, 9, 3, 8, 0, 6, 4, 1, 5), (7, 0, 4, 6, 9, 1, 3, 2, 5, 8))  # fmt: skip


def is_sctid(code: str) -> bool:
    """The check digit of SNOMED CT (Verhoeff), and the partition of a concept."""
    check = 0
    for place, digit in enumerate(reversed(code)):
        check = _D[check][_P[place % 8][int(digit)]]
    return check == 0 and code[-3:-1] in ("00", "10")


def is_loinc(code: str) -> bool:
    """The check digit of LOINC (mod 10)."""
    number, _, check = code.partition("-")
    doubled = "".join(str(int(d) * 2) if i % 2 == 0 else d for i, d in enumerate(reversed(number)))
    return str(-sum(int(d) for d in doubled) % 10) == check


def test_a_check_digit_catches_a_slip():
    """The two functions know a right code from one with a digit exchanged."""
    assert is_sctid("195967001")
    assert not is_sctid("195976001")
    assert is_loinc("2160-0")
    assert not is_loinc("2106-0")


def test_every_ingredient_code_resolves_to_its_drug_alone():
    """A code that two drugs share, or that the names of another overrule, would be a wrong medicine."""
    drugs = [line for line in base_files.lines("drugs") if line["rxcui"]]
    assert len(drugs) >= 700
    for line in drugs:
        node = (f"drug:{slug(line['name'])}",)
        assert re.fullmatch(r"[1-9]\d{1,6}", line["rxcui"]), line["name"]
        assert LIBRARY.terms.coded(RXNORM, line["rxcui"]) == node, line["name"]
        assert LIBRARY.terms.medicine([(RXNORM, line["rxcui"])], []).nodes == node
        assert set(line.many("checked")) <= CHECKED
        assert line["checked"], f"{line['name']}: say which table has the code"


def test_medicines_without_a_code_are_listed_for_whoever_asks():
    """The page is whole and names nobody who has one."""
    page = (Path(__file__).parents[2] / "docs" / "evidence" / "without-rxnorm.md").read_text("utf-8")
    listed = {name for line in page.splitlines() if line.startswith("- ") for name in line[2:].split(", ")}
    assert listed == {line["name"] for line in base_files.lines("drugs") if not line["rxcui"]}


def test_every_atc_code_is_one_and_resolves_to_its_drug():
    """Seven characters, and the drug among what it means."""
    for line in base_files.lines("drugs"):
        for code in line.many("atc"):
            assert re.fullmatch(r"[A-DGHJL-NPRSV]\d{2}[A-Z]{2}\d{2}", code), (line["name"], code)
            assert f"drug:{slug(line['name'])}" in LIBRARY.terms.coded(ATC, code)


def test_every_code_of_a_condition_and_of_a_class_has_its_check_digit_and_resolves():
    """SNOMED CT by Verhoeff's digit, ICD-10-CM by its form."""
    for file, kind in (("conditions", "disease"), ("classes", "class")):
        for line in base_files.lines(file):
            node = f"{kind}:{line['id']}"
            for code in line.many("snomed"):
                assert is_sctid(code), (line["id"], code)
                assert node in LIBRARY.graph.coded(SNOMED, code)
            for code in line.many("icd10"):
                assert re.fullmatch(r"[A-TV-Z]\d[0-9A-Z](\.[0-9A-Z]{1,4})?", code), (line["id"], code)
                assert node in LIBRARY.graph.coded(ICD10_CM, icd10_key(code))


def test_every_code_of_a_test_and_of_screening_has_its_check_digit():
    """LOINC by its digit."""
    for file in ("tests", "preventive"):
        for line in base_files.lines(file):
            assert [code for code in line.many("loinc") if not is_loinc(code)] == [], line["id"]
    for line in base_files.lines("tests"):
        assert all(f"test:{line['id']}" in LIBRARY.graph.coded(LOINC, code) for code in line.many("loinc"))


def tables() -> dict[str, dict[str, set[str]]]:
    """Source -> drug -> its RxNorm codes, in the tables of ANSM, ONC and CPIC."""
    found: dict[str, dict[str, set[str]]] = {name: defaultdict(set) for name in ("ansm", "onc", "cpic")}
    with (DATA / "ddi_ansm_worldvista_2016.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            for end in "12":
                if row[f"kind{end}"] == "drug":
                    found["ansm"][row[f"name{end}"].lower()].add(row[f"rxcui_or_class{end}"])
    with (DATA / "ddi_ansm_worldvista_classes_2016.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            found["ansm"][row["drug"].lower()].add(row["rxcui"])
    with (DATA / "ddi_onc_lists.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            for end in "12":
                found["onc"][row[f"drug{end}"].lower()].add(row[f"rxcui{end}"])
    with (DATA / "cpic_recommendations_2022-05.jsonl").open(encoding="utf-8") as file:
        for one in map(json.loads, file):
            found["cpic"][one["drug"].lower()].add(one["rxnorm"])
    return found


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the reference data: set CURBSIDE_DATA")
def test_an_ingredient_code_is_that_of_the_table_that_it_names():
    """What `checked` says is true, and no table that knows the name gives another code only."""
    found = tables()
    of_code = {name: {code for codes in table.values() for code in codes} for name, table in found.items()}
    wrong = []
    for line in base_files.lines("drugs"):
        names = [line["name"], *(other.lower() for other in line.many("synonyms"))]
        for source in found:
            if source in line.many("checked") and line["rxcui"] not in of_code[source]:
                wrong.append((line["name"], source, "does not have the code"))
            given = {code for name in names for code in found[source].get(name, ()) if code.isdigit()}
            given -= {code for name, code in FAULTS if name == line["name"]}
            if line["rxcui"] and given and line["rxcui"] not in given:
                wrong.append((line["name"], source, given))
    assert wrong == []


@pytest.mark.skipif(not DATA.is_dir(), reason="needs the reference data: set CURBSIDE_DATA")
def test_an_icd_code_of_a_condition_is_in_the_official_table():
    """A category or a code of ICD-10-CM; or one that came after the table of 2021."""
    with gzip.open(DATA / "icd10cm_2021_codes.tsv.gz", "rt", encoding="utf-8") as file:
        known = {row["code"].replace(".", "") for row in csv.DictReader(file, delimiter="\t")}
    newer = {"C84A", "D8184", "D84821", "E8720", "E8721", "E8722", "Z8684"}
    codes = {icd10_key(code) for line in base_files.lines("conditions") for code in line.many("icd10")}
    assert codes - known - newer == set()
