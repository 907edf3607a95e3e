"""Reading published tables: tab-separated text or JSON lines, packed or not, with the line of whatever is wrong."""

from __future__ import annotations

import csv
import gzip
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from cds_service.errors import InputError
from cds_service.fhir.codes import RXNORM
from cds_service.knowledge.rows import Report, Writer
from cds_service.knowledge.terms import Terms

_MOST_BAD = 0.2  # of the rows: with more, it is another file
_DATED = re.compile(r"(?<!\d)((?:19|20)\d\d)(?:-(0[1-9]|1[0-2])(?:-(\d\d))?)?(?!\d)")


@dataclass(frozen=True, slots=True)
class Import:
    """One run over one file. classes: a second file, where the source has one. released: of the file."""

    path: Path
    released: str
    write: Writer
    terms: Terms
    report: Report
    classes: Path | None = None

    @property
    def year(self) -> str:
        """Of the release."""
        return self.released[:4]

    def drug(self, name: str, rxcui: str = "") -> str:
        """The node of a drug by its name, else by its code; made, and told, if nobody knows it."""
        plain = " ".join(word for word in name.lower().split() if word not in _SALTS)
        known = [n for n in (*self.terms.exact(name), *self.terms.exact(plain)) if n.startswith("drug:")]
        if not known and rxcui:
            known = [n for n in self.terms.coded(RXNORM, rxcui) if n.startswith("drug:")]
        if known:
            return known[0]
        node = self.write.node("drug", name.lower())
        if rxcui:
            self.write.code(RXNORM, rxcui, node)
        else:
            self.report.unresolved[name] += 1
        return node


_SALTS = frozenset(
    ("mesylate", "maleate", "hydrochloride", "tosylate", "sodium", "acetate", "succinate", "tartrate", "phosphate",
     "dimaleate", "mofetil", "tert-butylamine", "besylate", "citrate", "fumarate", "sulfate")
)  # fmt: skip
Reader = Callable[[Import], None]


def text_of(path: Path) -> str:
    """The text of a file, unpacked if it is gzip. Raises InputError."""
    try:
        data = path.read_bytes()
        return (gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data).decode("utf-8")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        what = type(error).__name__
        raise InputError(f"{path} cannot be read as UTF-8 text ({what}). Give the published file.") from error


def table(path: Path, columns: tuple[str, ...], report: Report) -> Iterator[tuple[int, Mapping[str, str]]]:
    """(line, row) of a tab-separated file with at least these columns. Raises InputError if it is another file."""
    reader = csv.reader(io.StringIO(text_of(path)), delimiter="\t", quoting=csv.QUOTE_NONE)
    header = next(reader, [])
    lacking = [column for column in columns if column not in header]
    if lacking:
        names = ", ".join(lacking)
        raise InputError(f"{path} lacks the columns {names}: it is not this source's file. Nothing changed.")
    total = bad = 0
    for number, row in enumerate(reader, start=2):
        total += 1
        if len(row) != len(header):
            bad += 1
            report.skipped.append((number, f"has {len(row)} columns, expected {len(header)}"))
            continue
        yield number, dict(zip(header, row, strict=True))
    _judge(path, total, bad)


def objects(path: Path, members: tuple[str, ...], report: Report) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """(line, object) of a file of JSON lines whose objects have these members. Raises InputError."""
    total = bad = 0
    for number, line in enumerate(text_of(path).splitlines(), start=1):
        if not line.strip():
            continue
        total += 1
        problem, value = _object(line, members)
        if problem:
            bad += 1
            report.skipped.append((number, problem))
        else:
            yield number, value
    _judge(path, total, bad)


def _object(line: str, members: tuple[str, ...]) -> tuple[str, Mapping[str, Any]]:
    try:
        value = orjson.loads(line)
    except orjson.JSONDecodeError:
        return "is not JSON", {}
    if not isinstance(value, dict):
        return "is not a JSON object", {}
    lacking = [name for name in members if name not in value]
    return (f"lacks {', '.join(lacking)}", {}) if lacking else ("", value)


def _judge(path: Path, total: int, bad: int) -> None:
    if total == 0 or bad > _MOST_BAD * total:
        raise InputError(f"{path}: {bad} of {total} rows are malformed: it is not this source's file. Nothing changed.")


def release_in(name: str) -> str:
    """The date in a file's name, as far as it goes, or empty."""
    found = _DATED.findall(name)
    return "-".join(part for part in found[-1] if part) if found else ""
