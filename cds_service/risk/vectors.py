"""Published scores against files of inputs and expected outputs: what `curbside models vectors` runs.

A file holds `{"meta": {"score": ...}, "cases": [{"inputs": {...}, "expected": {...}}, ...]}`. Further keys
of a case (such as the variant of a model) are given to the model with the inputs. An expected null means
that no number may be given. `meta.decimals` tells that the numbers were printed with so many decimals, by
a source that rounds more than the model's tolerance.

A file without `meta.score` whose `meta.origin` a model names in its `vectors` holds fixtures of somebody else's
rules, with display names for inputs and outputs. Of those only the outputs that the model gives are compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from cds_service.errors import VectorFileError
from cds_service.fhir.times import years_between
from cds_service.risk.model import PublishedScore, RiskModel, VectorCheck

_NOT_INPUTS = frozenset({"inputs", "expected", "id", "note", "source"})
# The GDL fixtures give dates of birth and the ages expected from them; all hold on this day.
_FIXTURES_WRITTEN = date(2019, 7, 1)


class NotOffered(Exception):
    """Raised by a vector function for a variant of the score that this model does not offer."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One output that differs: case number from 1, path such as `10yr.total_cvd`, and both values."""

    case: int
    path: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        return f"case {self.case}, {self.path}: expected {_shown(self.expected)}, got {_shown(self.found)}"


@dataclass(frozen=True, slots=True)
class VectorReport:
    """What became of each case of one file.

    model_id: None if no loaded model offers the score.
    passed: cases with every expected output equal within the model's tolerance.
    not_offered: case number and reason, for variants that the model does not offer: no failure, but said.
    largest_difference: over all numbers compared, in the outputs' own units.
    """

    path: Path
    score: str
    model_id: str | None
    cases: int
    passed: int
    mismatches: tuple[Mismatch, ...]
    not_offered: tuple[tuple[int, str], ...]
    largest_difference: float

    @property
    def ok(self) -> bool:
        """True if nothing differs and at least one case was compared."""
        return not self.mismatches and self.passed > 0


def check_file(path: Path, models: Iterable[RiskModel]) -> VectorReport:
    """The outcome of every case of a vector file.

    models: any models; the one whose `vectors` names the file's `meta.score` answers.
    Raises VectorFileError if the file is not a vector file.
    """
    score, cases, printed, foreign = _read(path)
    model = _model_for(score, models)
    if model is None:
        reason = "no loaded model offers this score"
        return VectorReport(
            path, score, None, len(cases), 0, (), tuple((n, reason) for n in range(1, len(cases) + 1)), 0.0
        )
    check, tolerance = model.vectors[score], max(model.tolerance, printed)
    passed, largest = 0, 0.0
    mismatches: list[Mismatch] = []
    not_offered: list[tuple[int, str]] = []
    for number, case in enumerate(cases, start=1):
        try:
            comparisons = list(_compared(check, case, foreign))
        except NotOffered as reason_:
            not_offered.append((number, str(reason_)))
            continue
        wrong = [Mismatch(number, at, e, f) for at, e, f in comparisons if not _equal(e, f, tolerance)]
        mismatches += wrong
        passed += not wrong
        largest = max([largest, *(abs(e - f) for _, e, f in comparisons if _is_number(e) and _is_number(f))])
    return VectorReport(path, score, model.id, len(cases), passed, tuple(mismatches), tuple(not_offered), largest)


def is_something_else(path: Path) -> bool:
    """True for JSON that has neither cases nor a score: a table that lies beside vector files, such as coefficients."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and not {"cases", "meta"} & content.keys()


def age_in_fixture(birth_date: str) -> int:
    """Completed years of age that a fixture means by a date of birth such as `1954-02-01T14:54Z`."""
    return int(years_between(date.fromisoformat(birth_date[:10]), _FIXTURES_WRITTEN))


def _read(path: Path) -> tuple[str, list[Mapping[str, Any]], float, bool]:
    """The score's name, the cases, the rounding error of the numbers (0 if not said), and if it is a foreign file."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        raise VectorFileError(f"{path}: cannot be read ({error.strerror}). Give the path of a vector file.") from error
    except ValueError as error:
        raise VectorFileError(f"{path}: expected JSON with `meta.score` and `cases`, got something else.") from error
    try:
        meta, cases = content["meta"], content["cases"]
        foreign = "score" not in meta
        score = meta["origin"] if foreign else meta["score"]
        well_formed = isinstance(score, str) and all(isinstance(c["inputs"], dict) and "expected" in c for c in cases)
    except (KeyError, TypeError):
        well_formed = False
    if not well_formed or not cases:
        raise VectorFileError(
            f"{path}: expected `meta.score` (or `meta.origin`) and a list `cases` of objects with `inputs` and "
            "`expected`. Compare with the files under tests/vectors."
        )
    decimals = meta.get("decimals")
    return score, cases, 0.0 if decimals is None else 0.5 * 10.0**-decimals, foreign


def _model_for(score: str, models: Iterable[RiskModel]) -> PublishedScore | None:
    offering = [m for m in models if isinstance(m, PublishedScore) and score in m.vectors]
    return offering[0] if offering else None


def _compared(check: VectorCheck, case: Mapping[str, Any], foreign: bool) -> Iterator[tuple[str, Any, Any]]:
    """Path, expected and found value of every expected output of a case; of a foreign one only what the model gives."""
    inputs = {**case["inputs"], **{k: v for k, v in case.items() if k not in _NOT_INPUTS}}
    expected = case["expected"]
    try:
        found: Any = check(inputs, expected if isinstance(expected, dict) else {})
    except KeyError as error:
        found = f"the inputs lack {error.args[0]!r}"
    except (TypeError, ValueError) as error:
        found = f"the inputs are not understood: {error}"
    if foreign and isinstance(found, Mapping):
        expected = _shared(expected, found)
        if not expected:
            raise NotOffered("the case expects none of the outputs that the model gives")
    yield from _leaves("", expected, found)


def _shared(expected: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    """What is expected under the keys that the model gives too."""
    return {
        key: _shared(value, found[key]) if isinstance(value, dict) and isinstance(found[key], Mapping) else value
        for key, value in expected.items()
        if key in found
    }


def _leaves(path: str, expected: Any, found: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(expected, dict) and expected and (found is None or isinstance(found, Mapping)):
        for key, value in expected.items():
            under = None if found is None else found.get(key, "nothing")
            yield from _leaves(f"{path}.{key}" if path else key, value, under)
    else:
        yield path or "outputs", expected, None if expected is None and _is_nothing(found) else found


def _is_nothing(found: Any) -> bool:
    if isinstance(found, Mapping):
        return all(_is_nothing(value) for value in found.values())
    return found is None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _equal(expected: Any, found: Any, tolerance: float) -> bool:
    if _is_number(expected) and _is_number(found):
        return bool(abs(expected - found) <= tolerance)
    return type(expected) is type(found) and bool(expected == found)


def _shown(value: Any) -> str:
    return json.dumps(value, default=str)
