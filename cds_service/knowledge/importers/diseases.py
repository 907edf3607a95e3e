"""Indications of PharmacotherapyDB (CC0 1.0), and the codes of ICD-10-CM (public domain).

Source: github.com/dhimmel/indications; the order file of ICD-10-CM (cms.gov), as a table or as published.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from cds_service.errors import InputError
from cds_service.fhir.codes import ICD10_CM, icd10_key
from cds_service.knowledge.importers.reading import Import, table, text_of
from cds_service.knowledge.rows import Edge, slug

_CATEGORIES = {"DM": "supports", "SYM": "supports", "NOT": "does-not-support"}
_ORDER_LINE = re.compile(r"(\d{5}) ([A-Z][0-9A-Z]{2,6}) +([01]) .{60} (.+)")


def indications(run: Import) -> None:
    """Writes which drug modifies a disease (DM), eases it (SYM), or does neither (NOT)."""
    for number, row in table(run.path, ("doid_id", "disease", "drug", "category"), run.report):
        if row["category"] not in _CATEGORIES or not row["drug"] or not row["disease"]:
            run.report.skipped.append((number, "lacks a drug, a disease or a known category"))
            continue
        disease = run.write.node("disease", row["disease"], f"disease:{slug(row['doid_id'])}")
        run.write.code("http://purl.obolibrary.org/obo/doid", row["doid_id"], disease)
        edge = Edge(
            row=f"{row['doid_id']}/{slug(row['drug'])}",
            subject=run.drug(row["drug"]),
            relation="treats",
            object=disease,
            level=row["category"],
            direction=_CATEGORIES[row["category"]],
            citation="PharmacotherapyDB (Himmelstein 2017)",
            url="https://doi.org/10.7554/eLife.26726",
            year="2017",
        )
        run.report.rows += run.write.edge(edge)


def icd10cm(run: Import) -> None:
    """Writes each code as a disease below the next shorter code."""
    known: dict[str, str] = {}
    codes: list[tuple[str, str, str]] = []
    for number, code, words in _codes(run):
        key = icd10_key(code)
        if not re.fullmatch(r"[A-Z]\d[0-9A-Z]{1,5}", key) or not words:
            run.report.skipped.append((number, "is no code with a description"))
            continue
        node = run.write.node("disease", words, f"disease:icd10cm-{key.lower()}")
        known[key] = node
        codes.append((ICD10_CM, key, node))
        parent = next((known[key[:end]] for end in range(len(key) - 1, 2, -1) if key[:end] in known), None)
        if parent is not None:
            run.write.member(node, parent)
    if not known:
        raise InputError(f"{run.path} holds no code. Give the table or the order file of ICD-10-CM. Nothing changed.")
    run.write.codes(codes)
    run.report.rows = len(known)


def _codes(run: Import) -> Iterator[tuple[int, str, str]]:
    """(line, code, description) of either format."""
    lines = text_of(run.path).splitlines()
    if lines and "\t" in lines[0]:
        for number, row in table(run.path, ("code", "billable", "description"), run.report):
            yield number, row["code"], row["description"].strip()
        return
    for number, line in enumerate(lines, start=1):
        found = _ORDER_LINE.fullmatch(line.rstrip())
        if found is None:
            run.report.skipped.append((number, "is no line of an order file"))
        else:
            yield number, found[2], found[4].strip()
