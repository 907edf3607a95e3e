"""Drug interactions: the French regulator's thesaurus as WorldVistA has it, with its classes; and the ONC lists.

Names and severities only. Source: github.com/dbmi-pitt/public-PDDI-analysis; Phansalkar 2012 and 2013.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from cds_service.errors import InputError
from cds_service.knowledge.importers.reading import Import, table
from cds_service.knowledge.rows import Edge, slug

_ANSM = {
    "contraindicated": "contraindicated",
    "not-recommended": "major",
    "precaution": "moderate",
    "take-into-account": "minor",
}
_ONC = {
    "onc-high-priority": ("major", "Phansalkar 2012", "https://doi.org/10.1136/amiajnl-2011-000612", "2012"),
    "onc-non-interruptive": ("minor", "Phansalkar 2013", "https://doi.org/10.1136/amiajnl-2012-001089", "2013"),
}
_END = ("kind", "name", "rxcui_or_class")


def ansm(run: Import) -> None:
    """Writes the thesaurus and the members of its classes; a class without members is named as unresolved."""
    if run.classes is None:
        raise InputError(f"{run.path}: the classes' file is missing. Name it with --classes.")
    known = _classes(run)
    empty: set[str] = set()
    columns = tuple(f"{part}{end}" for end in "12" for part in _END)
    for number, row in table(run.path, (*columns, "severity", "source_table"), run.report):
        if row["severity"] not in _ANSM or not row["name1"] or not row["name2"]:
            run.report.skipped.append((number, "lacks a name, or has an unknown severity"))
            continue
        ends = [_end(run, row, end, known, empty) for end in "12"]
        edge = Edge(
            row=f"{slug(row['name1'])}+{slug(row['name2'])}",
            subject=ends[0],
            relation="interacts-with",
            object=ends[1],
            severity=_ANSM[row["severity"]],
            level="regulator",
            statement=f"Listed as {row['severity'].replace('-', ' ')}.",
            properties={"management": "See the thesaurus.", "table": row["source_table"]},
            citation="ANSM thesaurus of drug interactions",
            url="https://ansm.sante.fr/",
            year=run.year,
        )
        run.report.rows += run.write.edge(edge)
    run.report.unresolved.update(f"class {name}" for name in sorted(empty))


def _classes(run: Import) -> dict[str, str]:
    """Class name in letters alone -> node; the two files spell some of them differently."""
    assert run.classes is not None
    known: dict[str, str] = {}
    for number, row in table(run.classes, ("class_name", "class_code", "drug", "rxcui"), run.report):
        if not row["class_name"]:
            run.report.skipped.append((number, "of the classes' file lacks a class"))
            continue
        name = row["class_name"].strip()
        node = known.setdefault(_letters(name), run.write.node("class", name.capitalize(), f"class:ansm-{slug(name)}"))
        if row["drug"]:
            run.write.member(run.drug(row["drug"], row["rxcui"]), node)
        elif row["rxcui"]:  # a member by its code alone
            for drug in run.terms.coded("http://www.nlm.nih.gov/research/umls/rxnorm", row["rxcui"]):
                run.write.member(drug, node)
    return known


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower()).removesuffix("s")


def _end(run: Import, row: Mapping[str, str], end: str, known: Mapping[str, str], empty: set[str]) -> str:
    name = row[f"name{end}"].strip()
    if row[f"kind{end}"] != "class":
        return run.drug(name, row[f"rxcui_or_class{end}"])
    node = known.get(_letters(name))
    if node is None:
        empty.add(name)
        node = run.write.node("class", name.capitalize(), f"class:ansm-{slug(name)}")
    return node


def onc(run: Import) -> None:
    """Writes the high-priority pairs as major, the non-interruptive ones as minor."""
    for number, row in table(run.path, ("drug1", "rxcui1", "drug2", "rxcui2", "list"), run.report):
        if row["list"] not in _ONC or not row["drug1"] or not row["drug2"]:
            run.report.skipped.append((number, "lacks a drug, or has an unknown list"))
            continue
        severity, citation, url, year = _ONC[row["list"]]
        edge = Edge(
            row=f"{row['list']}/{slug(row['drug1'])}+{slug(row['drug2'])}",
            subject=run.drug(row["drug1"], row["rxcui1"]),
            relation="interacts-with",
            object=run.drug(row["drug2"], row["rxcui2"]),
            severity=severity,
            level="panel",
            statement=f"On the list {row['list']}.",
            properties={"management": "See the list."},
            citation=citation,
            url=url,
            year=year,
        )
        run.report.rows += run.write.edge(edge)
