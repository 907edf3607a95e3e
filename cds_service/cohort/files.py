"""The files of a population: FHIR Bulk Data exports (NDJSON by type, gzipped or not), and folders of bundles.

Read line by line; each resource comes with whose it is, or with the reason why it cannot be used.
Source: hl7.org/fhir/uv/bulkdata.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

import msgspec

from cds_service.errors import InputError

BUNDLES = (".json", ".json.gz")
LINES = (".ndjson", ".ndjson.gz")
UNREADABLE = (OSError, EOFError, zlib.error)
BETWEEN = b"\x1e"  # no JSON holds it as it is: between the resources of a patient
_LONGEST_LINE = 64_000_000
_MARK = b"\xef\xbb\xbf"  # with which some programs begin a file in UTF-8
_NOT_FHIR = "the line is not a FHIR resource in JSON"
_OF_NOBODY = "names no patient by reference; it is left out"
_OF_PATIENTS = frozenset({
    "AllergyIntolerance", "CarePlan", "ClinicalImpression", "Condition", "Coverage", "DiagnosticReport", "Encounter",
    "Goal", "Immunization", "MedicationAdministration", "MedicationDispense", "MedicationRequest",
    "MedicationStatement", "Observation", "Procedure", "ServiceRequest", "Specimen",
})  # fmt: skip


class Head(msgspec.Struct, rename="camel"):
    """What is read of a line to know whose it is."""

    resource_type: str = ""
    id: str | None = None
    subject: _Reference | None = None
    patient: _Reference | None = None
    beneficiary: _Reference | None = None


class _Reference(msgspec.Struct):
    reference: str | None = None


class _Entry(msgspec.Struct, rename="camel"):
    full_url: str | None = None
    resource: msgspec.Raw = msgspec.Raw()


class _Bundle(msgspec.Struct, rename="camel"):
    resource_type: str = ""
    entry: list[_Entry] = []


_HEAD = msgspec.json.Decoder(Head)
_BUNDLE = msgspec.json.Decoder(_Bundle)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be read: where, and why; never what it said. line: from 1; 0 for the whole file."""

    file: str
    line: int
    reason: str


def files_of(folder: Path) -> list[Path]:
    """The files of a population, in the order of their names. Raises InputError for what is no folder, or has none."""
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder. Give the folder of an export or of bundles.")
    found = sorted(p for p in folder.rglob("*") if p.is_file() and p.name.endswith((*LINES, *BUNDLES)))
    if not found:
        raise InputError(
            f"there is no FHIR file in {folder}. Give a folder of .ndjson or .json files, each gzipped or not."
        )
    return found


def opened(file: Path) -> IO[bytes]:
    """A file for reading, unpacked if its name ends in .gz."""
    return cast("IO[bytes]", gzip.open(file, "rb") if file.name.endswith(".gz") else file.open("rb"))


class Keyed(msgspec.Struct, frozen=True):
    """One resource as it stands in a file, and whose it is; or the reason why it cannot be used.

    name: `Type/id`, empty without an id. order: by file and place in it.
    """

    file: str
    line: int
    order: tuple[int, int]
    type: str = ""
    name: str = ""
    patient: str | None = None
    body: bytes = b""
    url: str | None = None
    problem: tuple[str, int, str] | None = None


def keyed_file(file: Path, name: str, number: int) -> Iterator[Keyed]:
    """The resources of a file of either kind. number: of the file, for the order. Raises one of `UNREADABLE`."""
    if not file.name.endswith(LINES):
        yield from keyed_bundle(file, name, number)
        return
    with opened(file) as stream:
        for place, line in enumerate(iter(lambda: stream.readline(_LONGEST_LINE), b""), 1):
            if place == 1:
                line = line.removeprefix(_MARK)
            if line.strip():
                yield keyed_line(line, name, place, (number, place))


def broken_off(name: str, number: int, error: Exception) -> Keyed:
    """The problem of a file that cannot be read to its end."""
    reason = f"the file cannot be read to its end ({type(error).__name__})"
    return Keyed(name, 0, (number, 0), problem=(name, 0, reason))


def keyed_line(
    body: bytes, file: str, line: int, order: tuple[int, int], url: str | None = None, owner: str | None = None
) -> Keyed:
    """One resource in JSON. owner: the patient of the bundle that it stands in, where that has one."""
    head = _head(body)
    if head is None or not head.resource_type or BETWEEN in body:
        return Keyed(file, line, order, problem=(file, line, _NOT_FHIR))
    if head.resource_type == "Patient" and not head.id:
        return Keyed(file, line, order, problem=(file, line, "a Patient without an id"))
    name = f"{head.resource_type}/{head.id}" if head.id else ""
    patient = owner or _patient_of(head)
    if patient is None and head.resource_type in _OF_PATIENTS:
        return Keyed(file, line, order, problem=(file, line, f"{_article(head.resource_type)} {_OF_NOBODY}"))
    return Keyed(file, line, order, head.resource_type, name, patient, body.strip(), url)


def _article(type_: str) -> str:
    return f"an {type_}" if type_[0] in "AEIO" else f"a {type_}"


def keyed_bundle(file: Path, name: str, number: int) -> Iterator[Keyed]:
    """The resources of a file that holds a Bundle, or one resource. number: of the file, for the order."""
    with opened(file) as stream:
        data = stream.read().removeprefix(_MARK)
    try:
        bundle = _BUNDLE.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        yield Keyed(name, 0, (number, 0), problem=(name, 0, "the file is not a FHIR Bundle in JSON"))
        return
    if bundle.resource_type != "Bundle":
        yield keyed_line(data, name, 0, (number, 0))
        return
    heads = [_head(bytes(entry.resource)) for entry in bundle.entry]
    people = [head.id for head in heads if head is not None and head.resource_type == "Patient"]
    owner = people[0] if len(people) == 1 else None
    for place, entry in enumerate(bundle.entry, 1):
        if bytes(entry.resource):
            yield keyed_line(bytes(entry.resource), name, place, (number, place), entry.full_url, owner)


def _head(body: bytes) -> Head | None:
    try:
        return _HEAD.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _patient_of(head: Head) -> str | None:
    """The id of the patient whose resource it is, or None."""
    if head.resource_type == "Patient":
        return head.id
    for reference in (head.subject, head.patient, head.beneficiary):
        target = reference.reference if reference is not None else None
        if target:
            parts = target.split("/_history/", 1)[0].rsplit("/", 2)
            if len(parts) >= 2 and parts[-2] == "Patient":
                return parts[-1]
    return None
