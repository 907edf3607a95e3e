"""Reads `code_map.toml`: a hospital's own codes and units, checked by name before the service starts.

[codes."https://lab.example.org/tests"]     # the local code system
KREA = "http://loinc.org|2160-0"            # local code = standard code that an input reads (docs/inputs.md)
ASZ  = "curbside|ascites_grade"             # an input without a standard code, by its id

[units]
"mg%" = "mg/dL"                             # local unit = UCUM
"""

from __future__ import annotations

import difflib
import hashlib
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from cds_service.errors import SettingsError
from cds_service.features import catalogue, medicines
from cds_service.features.feature import Coded, ConditionFeature, MedicationFeature, Quantity
from cds_service.fhir import units
from cds_service.fhir.code_map import NONE, CodeMap, Pair
from cds_service.fhir.codes import ATC, CURBSIDE, ICD10, ICD10_CM, LOINC, RXNORM, SNOMED, canonical_system, icd10_key

_SHORT = {"curbside": CURBSIDE, "loinc": LOINC, "snomed": SNOMED, "icd-10-cm": ICD10_CM, "icd-10": ICD10,
          "rxnorm": RXNORM, "atc": ATC}  # fmt: skip
_UNSEARCHABLE = re.compile(r"[,|$\s\\]")


def load(path: Path | None) -> CodeMap:
    """The code map of a file, or an empty one. Raises SettingsError naming the entry, and what to change."""
    if path is None:
        return NONE
    try:
        data = path.read_bytes()
        tables = tomllib.loads(data.decode("utf-8-sig"))
    except FileNotFoundError as error:
        raise SettingsError(f"settings: codes.map: there is no file {path}. Name an existing file.") from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(f"settings: codes.map: {path} cannot be read as TOML: {error}.") from error
    for name in tables:
        if name not in ("codes", "units"):
            raise SettingsError(f"code map: there is no table [{name}]. It has [codes.SYSTEM] and [units].")
    codes, local_units = dict(_codes(tables.get("codes", {}))), dict(_units(tables.get("units", {})))
    return CodeMap(codes, local_units, hashlib.sha256(data).hexdigest()[:16])


def _codes(table: Any) -> Iterator[tuple[Pair, Pair]]:
    known = _known()
    for system, entries in _table(table, "codes").items():
        where = f'code map: codes."{system}"'
        if not re.match(r"(https?://|urn:)", system) or _UNSEARCHABLE.search(system):
            raise SettingsError(f"{where} must be the URI of a code system, such as https://lab.example.org/tests.")
        for code, target in _table(entries, f'codes."{system}"').items():
            if _UNSEARCHABLE.search(code):
                raise SettingsError(f"{where}.{code}: a code with spaces, commas or bars cannot be searched for.")
            yield (system, code), _target(f"{where}.{code}", target, known)


def _target(where: str, target: Any, known: Mapping[str, frozenset[str]]) -> Pair:
    """The standard code, if an input reads it."""
    system, bar, code = target.partition("|") if isinstance(target, str) else ("", "", "")
    found = canonical_system(_SHORT.get(system, system)) or ""
    if not bar or found not in known:
        raise SettingsError(f"{where} must be SYSTEM|CODE with one of {', '.join(_SHORT)} as the system.")
    if not _reads(found, code, known[found]):
        near = difflib.get_close_matches(code, known[found], n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]}?" if near else " See docs/inputs.md."
        raise SettingsError(f"{where}: no input reads the code {code} of {system}.{hint}")
    return found, code


def _reads(system: str, code: str, known: frozenset[str]) -> bool:
    """True if an input looks at the code; ICD-10 and ATC inputs hold prefixes."""
    if system in (ICD10, ICD10_CM):
        return any(icd10_key(code).startswith(icd10_key(prefix)) for prefix in known)
    if system == ATC:
        return any(code.startswith(prefix) for prefix in known)
    return code in known


def _known() -> dict[str, frozenset[str]]:
    """Code system -> all codes, or prefixes, that some input looks at."""
    found: dict[str, set[str]] = {s: set() for s in (LOINC, CURBSIDE, SNOMED, ICD10, ICD10_CM, RXNORM, ATC)}
    for feature in catalogue.all_features():
        if isinstance(feature, Quantity | Coded):
            for code in feature.codes:
                found[LOINC if re.fullmatch(r"\d+-\d", code) else CURBSIDE].add(code)
        if isinstance(feature, Coded):
            for system, code in feature.answers:
                found.setdefault(system, set()).add(code)
        if isinstance(feature, ConditionFeature):
            found[SNOMED].update(feature.snomed)
            found[ICD10].update(feature.icd10)
            found[ICD10_CM].update(feature.icd10)
        if isinstance(feature, MedicationFeature):
            found[RXNORM].update(feature.ingredients)
            found[ATC].update(feature.atc)
    found[RXNORM].update(medicines.NAME_OF_CODE, medicines.PRODUCTS)
    return {system: frozenset(codes) for system, codes in found.items()}


def _units(table: Any) -> Iterator[tuple[str, str]]:
    for local, unit in _table(table, "units").items():
        if not isinstance(unit, str) or units.read(unit) is None:
            raise SettingsError(f'code map: units."{local}" must be a UCUM unit such as mg/dL, got another.')
        yield local, unit


def _table(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise SettingsError(f"code map: [{name}] must be a table.")
    return value
