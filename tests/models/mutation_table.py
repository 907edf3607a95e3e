"""Writes the table of mutations: `python tests/models/mutation_table.py > docs/evidence/mutations.md`.

It runs the tests that move the numbers of the published scores, and tells for each score how many mutations were
tried and how many some test noticed. Set CURBSIDE_DATA, for some of PREVENT's need the data folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import io
import sys
from pathlib import Path
from types import ModuleType

import mutants
import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "evidence" / "mutations.md"
HEAD = """# Mutations

Every coefficient, cut-off and weight of the published scores is moved, one at a time, and the tests are asked.
A mutation is *caught* if some test fails.
Made by `CURBSIDE_DATA=... python tests/models/mutation_table.py > docs/evidence/mutations.md`, which runs those tests.
`numbers` is a digest of the numbers in the score's constants: a test fails if it is no longer that of the code.

| score | mutations | caught | constants not moved | numbers |
|---|---|---|---|---|
"""
FOOT = """
## Survivors

{survivors}

## What is not moved

- A number that only builds another constant which is moved: a threshold in `BANDS`, rows in a table.
- Persons of reference and optimal values, which explanations count from: a test holds that contributions add up.
- Factors of units, and what chooses notes or variants of a score: they have tests of their own, without mutation.
- Of PREVENT's models beside the base model every coefficient is held by a digest and, with the data folder, by the
  published tables.
"""
WHY = {
    "THRESHOLDS[0][0] -> 41": "the least age is held by `AGES`; below it nobody is scored",
    "THRESHOLDS[0][0] -> 39": "the same",
}


def load(name: str) -> ModuleType:
    """A module of `models/`, under a name of its own."""
    key = f"models_in_table_{name}"
    spec = importlib.util.spec_from_file_location(key, ROOT / "models" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[key] = module
    spec.loader.exec_module(module)
    return module


def digest(module: ModuleType) -> str:
    """The first twelve hexadecimal digits of SHA-256 over every number of the constants, by name and place."""
    text = []
    for name in sorted(mutants.numbers(module)):
        text += [name + path for path, _ in mutants.changed(getattr(module, name), lambda number: (number,))]
    return hashlib.sha256("\n".join(text).encode()).hexdigest()[:12]


def main() -> int:
    """Writes the page to standard output; 1 if a test failed."""
    files = sorted(str(p) for p in HERE.glob("test_*.py") if "mutants" in p.read_text())
    report = io.StringIO()
    with contextlib.redirect_stdout(report):
        code = pytest.main(["-q", "-p", "no:cacheprovider", "-k", "held or caught", *files])
    if code:
        sys.stderr.write(report.getvalue())
        return 1
    rows, survivors = [], []
    for path in sorted((ROOT / "models").glob("*.py")):
        module, entry = load(path.stem), mutants.TALLY.get(path.stem, mutants.Tally())
        left = sorted(set(mutants.numbers(module)) - entry.names)
        caught = entry.tried - len(entry.alive)
        still = ", ".join(f"`{name}`" for name in left)
        rows.append(f"| `{path.stem}` | {entry.tried} | {caught} | {still} | {digest(module)} |")
        survivors += [f"- `{path.stem}`, `{name}`: {WHY[name]}." for name in entry.alive]
    tried, alive = (sum(f(e) for e in mutants.TALLY.values()) for f in (lambda e: e.tried, lambda e: len(e.alive)))
    rows.append(f"| all | {tried} | {tried - alive} | | |")
    sys.stdout.write(HEAD + "\n".join(rows) + "\n" + FOOT.format(survivors="\n".join(survivors) or "None."))
    return 0


if __name__ == "__main__":
    sys.exit(main())
