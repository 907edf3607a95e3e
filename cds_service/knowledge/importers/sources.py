"""Which sources can be imported, and one import from the file to the replaced graph."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cds_service.errors import InputError
from cds_service.knowledge import build, library
from cds_service.knowledge.graph import Source
from cds_service.knowledge.importers import civic, cpic, ddi, diseases
from cds_service.knowledge.importers.reading import Import, Reader, release_in, text_of
from cds_service.knowledge.rows import Report, Writer


@dataclass(frozen=True, slots=True)
class Kind:
    """A source that can be imported. read: of its published format. classes: it has a second file."""

    title: str
    licence: str
    url: str
    read: Reader
    classes: bool = False


KINDS: Mapping[str, Kind] = {
    "civic": Kind("CIViC accepted evidence", "CC0 1.0", "https://civicdb.org/", civic.read),
    "cpic": Kind("CPIC recommendations", "CC0 1.0", "https://cpicpgx.org/", cpic.read_recommendations),
    "clinpgx": Kind("CPIC guidelines, ClinPGx", "CC BY-SA 4.0", "https://www.pharmgkb.org/", cpic.read_annotations),
    "ddi-ansm": Kind("ANSM interactions (WorldVistA)", "not stated", "https://ansm.sante.fr/", ddi.ansm, classes=True),
    "ddi-onc": Kind("ONC interaction lists", "published lists", "https://doi.org/10.1136/amiajnl-2011-000612", ddi.onc),
    "pharmacotherapydb": Kind(
        "PharmacotherapyDB", "CC0 1.0", "https://doi.org/10.7554/eLife.26726", diseases.indications
    ),
    "icd10cm": Kind("ICD-10-CM", "public domain", "https://www.cdc.gov/nchs/icd/icd-10-cm.htm", diseases.icd10cm),
}


def import_file(into: Path, source: str, path: Path, classes: Path | None, released: str) -> Report:
    """Puts a file in place of what the source had before; nothing changes if the file is refused.

    classes: the second file of a source that has one; by default the only one beside it with `classes` in its name.
    released: the release, ISO; by default the date in the file's name. Raises InputError, KnowledgeError.
    """
    kind = KINDS[source]
    released = released or release_in(path.name)
    if not re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", released):
        raise InputError(f"the release of {path.name} is not in its name. Give it with --released 2026-05.")
    report = Report()
    second = (classes or _beside(path)) if kind.classes else None

    def fill(connection: sqlite3.Connection) -> None:
        writer = Writer(connection, source)
        kind.read(Import(path, released, writer, library.base().terms, report, second))
        if not report.rows:
            raise InputError(f"{path} gave no row at all. Nothing changed.")
        digest = hashlib.sha256("".join(text_of(p) for p in (path, second) if p is not None).encode()).hexdigest()[:16]
        skipped, unresolved = len(report.skipped), len(report.unresolved)
        about = (kind.title, released, kind.licence, kind.url, report.rows, skipped, unresolved, digest)
        writer.finish(Source(source, *about))
        connection.commit()

    text_of(path)
    build.rebuild(into, source, fill)
    return report


def _beside(path: Path) -> Path | None:
    found = [p for p in path.parent.glob("*classes*") if p.is_file() and p != path]
    return found[0] if len(found) == 1 else None
