"""Every SNOMED CT and LOINC code that the package holds is listed with what it was checked against."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from cds_service.features.inputs_page import page

ROOT = Path(__file__).parents[1]
LISTED = ROOT / "docs" / "evidence" / "codes.tsv"
SOURCES = {"measures", "hl7", "synthea", "examples", "guide", "nlm", "repositories"}
_RACES = {"2106-3", "2054-5", "1002-5", "2135-2", "2186-5"}  # CDC race and ethnicity, not LOINC
# Verhoeff's tables for the check digit of SNOMED CT.
_D = ("0123456789", "1234067895", "2340178956", "3401289567", "4012395678", "5987604321", "6598710432", "7659821043",
      "8765932104", "9876543210")  # fmt: skip
_P = ("0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258")


def is_sctid(code: str) -> bool:
    """True if it has the check digit, and the partition of a concept."""
    check = 0
    for place, digit in enumerate(reversed(code)):
        check = int(_D[check][int(_P[place % 8][int(digit)])])
    return check == 0 and code[-3:-1] in ("00", "10")


def is_loinc(code: str) -> bool:
    """True if it has the check digit (mod 10); answers (LA...) have another one."""
    number, _, check = code.partition("-")
    doubled = "".join(str(int(d) * 2) if i % 2 == 0 else d for i, d in enumerate(reversed(number)))
    return str(-sum(int(d) for d in doubled) % 10) == check


@pytest.fixture(scope="module")
def listed() -> dict[str, set[str]]:
    """Code -> what it was checked against."""
    with LISTED.open(encoding="utf-8") as file:
        return {
            row["code"]: set(filter(None, row["checked"].split("|"))) for row in csv.DictReader(file, delimiter="\t")
        }


def _words() -> set[str]:
    """The quoted words of the package that may be codes, and the code columns of the base."""
    found: set[str] = set()
    for folder in ("cds_service", "hooks", "models"):
        for file in (ROOT / folder).rglob("*.py"):
            text = file.read_text("utf-8")
            for quoted in re.findall(r'"""(.+?)"""|"([^"\n]*)"', text, re.DOTALL):
                found.update(w for part in quoted for w in part.split() if re.fullmatch(r"(LA)?[\d-]{5,18}", w))
    for file in (ROOT / "cds_service" / "knowledge" / "base").glob("*.tsv"):
        with file.open(encoding="utf-8") as rows:
            for row in csv.DictReader(rows, delimiter="\t"):
                found.update(w for name in ("snomed", "loinc") for w in (row.get(name) or "").split("|") if w)
    return found


def test_every_code_of_the_package_is_listed(listed: dict[str, set[str]]) -> None:
    """A new code is added to the list, with a source or openly without one."""
    words = _words()
    snomed = {w for w in words if w.isdigit() and len(w) >= 6 and is_sctid(w)}
    loinc = {w for w in words if re.fullmatch(r"LA\d+-\d", w) or (re.fullmatch(r"\d{3,6}-\d", w) and is_loinc(w))}
    assert len(snomed) > 1000
    assert len(loinc) > 300
    missing = (snomed | loinc) - _RACES - listed.keys()
    assert missing == set(), f"add to docs/evidence/codes.tsv, `checked` empty if nothing was found: {missing}"


def test_every_input_is_found_by_codes_with_their_check_digit() -> None:
    """A mistyped LOINC code is none for the other tests, and no record ever holds it."""
    loinc = set(re.findall(r"(?<![\w-])\d{3,6}-\d(?![\w-])", page()))
    assert len(loinc) > 140
    assert [code for code in sorted(loinc) if not is_loinc(code)] == []


def test_every_listed_code_has_its_check_digit_and_known_sources(listed: dict[str, set[str]]) -> None:
    """A slip of one digit is found without a terminology server."""
    assert [code for code in listed if code.isdigit() and not is_sctid(code)] == []
    assert [code for code in listed if "-" in code and not code.startswith("LA") and not is_loinc(code)] == []
    assert set().union(*listed.values()) == SOURCES


def test_few_codes_rest_on_knowledge_alone(listed: dict[str, set[str]]) -> None:
    """At least 99 of 100 of SNOMED CT, and 7 of 10 of LOINC, were found beside their name somewhere else."""
    for rest, share in ((lambda code: code.isdigit(), 0.99), (lambda code: "-" in code, 0.7)):
        own = [sources for code, sources in listed.items() if rest(code)]
        assert sum(map(bool, own)) / len(own) >= share
