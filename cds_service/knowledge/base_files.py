"""The curated base: tab-separated text files in `base/`, one fact a line, read into the graph.

A word that begins with `class:` names a class, any other a drug. Lists are separated by `|`. `citation` holds keys of
`citations.tsv`, or `label:DRUG` for the US prescribing information of a drug, which DailyMed finds by its name.
`checked` says against which independent table a row was compared (`onc`, `ansm`, `cpic`), or nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote_plus

from cds_service.errors import KnowledgeError
from cds_service.features import chinese_names
from cds_service.features.order_reasons import ALL_USES
from cds_service.fhir.codes import ATC, ICD10_CM, LOINC, RXNORM, SNOMED, icd10_key
from cds_service.knowledge import schema
from cds_service.knowledge.graph import Source
from cds_service.knowledge.rows import Edge, Writer, slug

FOLDER = Path(__file__).parent / "base"
SOURCE = "curbside"
RELEASED = "2026-11"
LABEL = "https://dailymed.nlm.nih.gov/dailymed/search.cfm?labeltype=human&query="
# File -> its relation, and the columns that name a row.
_EDGES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "interactions": ("interacts-with", ("subject", "object")),
    "contraindications": ("contraindicated-in", ("subject", "condition")),
    "allergies": ("cross-reacts-with", ("subject", "object")),
    "limits": ("limited-by", ("subject", "test", "comparison", "value")),
    "duplications": ("duplicates", ("subject",)),
    "monitoring": ("monitored-by", ("subject", "test")),
    "genes": ("dosed-by-gene", ("subject", "gene", "phenotype")),
    "indications": ("treats", ("subject", "condition")),
    "guidelines": ("recommended-for", ("action", "condition")),
    "targets": ("recommended-for", ("action", "test")),
}
COMPARISONS = frozenset({"below", "at-least"})
LEVELS = frozenset({"A", "B", "C", "D"})


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file: its place, and its values by column."""

    file: str
    number: int
    values: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.values[column]

    def many(self, column: str) -> tuple[str, ...]:
        """The parts of a list."""
        return tuple(part for part in self.values.get(column, "").split("|") if part)

    def error(self, what: str) -> KnowledgeError:
        """What is wrong with the row."""
        return KnowledgeError(f"knowledge: base/{self.file}.tsv line {self.number}: {what}")


def lines(file: str) -> Iterator[Line]:
    """The rows of a file. Raises KnowledgeError with the line that has another number of columns."""
    text = (FOLDER / f"{file}.tsv").read_text("utf-8").splitlines()
    header = text[0].split("\t")
    for number, line in enumerate(text[1:], start=2):
        values = line.split("\t")
        if len(values) != len(header):
            raise KnowledgeError(
                f"knowledge: base/{file}.tsv line {number} has {len(values)} columns, expected {len(header)}"
            )
        yield Line(file, number, dict(zip(header, values, strict=True)))


@cache
def digest() -> str:
    """A digest of all files of the base."""
    found = hashlib.sha256(str(schema.VERSION).encode())
    for path in (*sorted(FOLDER.glob("*.tsv")), chinese_names.FILE):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def write(into: Writer, further: Callable[[Writer], int]) -> None:
    """Puts the base into a database; `further` writes its other rows and counts them.

    Raises KnowledgeError with the line at fault.
    """
    _classes(into)
    _drugs(into)
    _conditions(into)
    for line in lines("tests"):
        node = into.node("test", line["label"], f"test:{line['id']}")
        into.codes((LOINC, code, node) for code in line.many("loinc"))
    written = sum(_edges(into, file, relation, names) for file, (relation, names) in _EDGES.items())
    written += further(into)
    into.finish(Source(SOURCE, "Curbside's curated base", RELEASED, "Apache-2.0", "", written, 0, 0, digest()))


def _classes(into: Writer) -> None:
    for line in lines("classes"):
        into.node("class", line["label"], f"class:{line['id']}")
        for other in line.many("names"):
            into.name(other, f"class:{line['id']}")
        into.codes((SNOMED, code, f"class:{line['id']}") for code in line.many("snomed"))


def _drugs(into: Writer) -> None:
    classes = {line["id"] for line in lines("classes")}
    for line in lines("drugs"):
        node = into.node("drug", line["name"])
        for other in (*line.many("brands"), *line.many("synonyms")):
            into.name(other, node)
        if line["rxcui"]:
            into.code(RXNORM, line["rxcui"], node)
        into.codes((ATC, code, node) for code in line.many("atc"))
        for id_ in line.many("classes"):
            if id_ not in classes:
                raise line.error(f"there is no class {id_}")
            into.member(node, f"class:{id_}")
    for line in lines("combinations"):  # several nodes under one name: all of them are meant
        for ingredient in line.many("ingredients"):
            into.name(line["name"], _drug(ingredient, line))
    for name, meant in chinese_names.table().items():
        for word in meant:
            into.name(name, word if word.startswith("class:") else f"drug:{slug(word)}")


def _conditions(into: Writer) -> None:
    for line in lines("conditions"):
        node = into.node("disease", line["label"], f"disease:{line['id']}")
        into.codes((SNOMED, code, node) for code in line.many("snomed"))
        into.codes((ICD10_CM, icd10_key(code), node) for code in line.many("icd10"))
        if line["parent"]:
            into.member(node, f"disease:{line['parent']}")


def _edges(into: Writer, file: str, relation: str, names: tuple[str, ...]) -> int:
    count = 0
    for line in lines(file):
        key = f"{file}/{'+'.join(slug(line[name]) if name != 'value' else line[name] for name in names)}"
        if not into.edge(_edge(into, line, relation, key)):
            raise line.error("the same row is there already")
        count += 1
    return count


def _edge(into: Writer, line: Line, relation: str, key: str) -> Edge:
    severity, level = line.values.get("severity", ""), line["level"]
    if severity not in ("", *schema.SEVERITIES) or level not in LEVELS:
        raise line.error(f"severity {severity!r} or level {level!r} is unknown")
    subject, object_, context = _ends(into, line, relation)
    citations = [citation(key_, line) for key_ in line.many("citation")]
    if not citations:
        raise line.error("has no citation")
    return Edge(
        row=key,
        subject=subject,
        relation=relation,
        object=object_,
        context=context,
        severity=severity,
        level=level,
        statement=line["statement"],
        properties=_properties(line, citations[1:]),
        citation=citations[0][0],
        url=citations[0][1],
        year=citations[0][2],
        checked=line.values.get("checked", ""),
    )


def _ends(into: Writer, line: Line, relation: str) -> tuple[str, str, str]:
    """Subject, object and context of a row."""
    if relation == "recommended-for":
        matter = _test(line["test"], line) if "test" in line.values else condition_node(line["condition"], line)
        return into.node("guideline", line["action"]), matter, ""
    subject = node_of(line["subject"], line)
    if relation in ("interacts-with", "cross-reacts-with"):
        return subject, node_of(line["object"], line), ""
    if relation in ("contraindicated-in", "treats"):
        return subject, condition_node(line["condition"], line), ""
    if relation in ("limited-by", "monitored-by"):
        return subject, _test(line["test"], line), ""
    if relation == "dosed-by-gene":
        gene = into.node("gene", line["gene"], f"gene:{line['gene']}")
        return subject, gene, into.node("phenotype", f"{line['gene']} {line['phenotype']}")
    return subject, subject, ""


def _properties(line: Line, others: list[tuple[str, str, str]]) -> dict[str, object]:
    found: dict[str, object] = {}
    if line.values.get("management"):
        found["management"] = line["management"]
    if line.many("alternative"):
        found["alternative"] = [node_of(name, line) for name in line.many("alternative")]
    if line.many("unless"):
        found["unless"] = [condition_node(name, line) for name in line.many("unless")]
    if line.values.get("comparison"):
        if line["comparison"] not in COMPARISONS:
            raise line.error(f"comparison must be one of {', '.join(sorted(COMPARISONS))}")
        found |= {"comparison": line["comparison"], "value": float(line["value"])}
    for column in ("every_days", "start_days", "population", "scope", "asks", "before"):
        if line.values.get(column):
            found[column] = line[column]
    for column in ("use", "other_uses"):
        if line.many(column):
            found[column] = list(uses(line, column))
    if others:
        found["also"] = [{"citation": label, "url": url, "year": year} for label, url, year in others]
    return found


def uses(line: Line, column: str) -> frozenset[str]:
    """The uses of a medicine, as an order's reasons name them, in a column. Raises KnowledgeError."""
    named = frozenset(line.many(column))
    if odd := named - ALL_USES:
        raise line.error(f"{column} must be among {', '.join(sorted(ALL_USES))}, and not {', '.join(sorted(odd))}")
    return named


def node_of(name: str, line: Line) -> str:
    """The node of a drug, or of a class (`class:id`), as a file names it. Raises KnowledgeError."""
    if name.startswith("class:"):
        if name.removeprefix("class:") not in _known("classes", "id"):
            raise line.error(f"there is no class {name}")
        return name
    return _drug(name, line)


def _drug(name: str, line: Line) -> str:
    if name not in _known("drugs", "name"):
        raise line.error(f"there is no drug {name!r}")
    return f"drug:{slug(name)}"


def condition_node(name: str, line: Line) -> str:
    """The node of a condition. Raises KnowledgeError."""
    if name not in _known("conditions", "id"):
        raise line.error(f"there is no condition {name!r}")
    return f"disease:{name}"


def _test(name: str, line: Line) -> str:
    if name not in _known("tests", "id"):
        raise line.error(f"there is no test {name!r}")
    return f"test:{name}"


@cache
def _known(file: str, column: str) -> frozenset[str]:
    return frozenset(line[column] for line in lines(file))


@cache
def _citations() -> Mapping[str, tuple[str, str, str]]:
    return {line["id"]: (line["label"], line["url"], line["year"]) for line in lines("citations")}


def citation(key: str, line: Line) -> tuple[str, str, str]:
    """(label, URL, year) of a citation. Raises KnowledgeError."""
    if key.startswith("label:"):
        name = key.removeprefix("label:")
        _drug(name, line)
        return f"US prescribing information: {name} (DailyMed)", LABEL + quote_plus(name), "current"
    if key not in _citations():
        raise line.error(f"there is no citation {key!r}")
    return _citations()[key]
