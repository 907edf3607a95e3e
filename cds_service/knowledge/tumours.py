"""What evidence says of a tumour's variant: what may help, what will not, prognosis and diagnosis, in this disease.

A treatment is named as an option only if a row of level A or B supports it in the patient's disease or in one above
it, and nothing of the same level or better speaks against it. Levels C, D and E are shown, never followed alone.
Levels: A, validated; B, clinical studies; C, cases; D, preclinical; E, inferential (CIViC).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cds_service.features.feature import ConditionFeature, FeatureValue
from cds_service.knowledge.base_files import SOURCE
from cds_service.knowledge.base_variants import DOID
from cds_service.knowledge.graph import Evidence
from cds_service.knowledge.library import Library
from cds_service.knowledge.variants import Variant

Match = Literal["same", "above", "confirm"]
Verdict = Literal["option", "conflict", "resistance", "weak"]
FOLLOWED = frozenset({"A", "B"})
_LEVELS = "ABCDE"
_HARM = frozenset({"Resistance", "Reduced Sensitivity", "Adverse Response"})
_ROOT = "disease:cancer"


@dataclass(frozen=True, slots=True)
class Cancer:
    """A cancer on the problem list: its node, the entry, and the diseases above it."""

    node: str
    fact: FeatureValue
    above: frozenset[str]


@dataclass(frozen=True, slots=True)
class Regimen:
    """What is known of one drug, or of drugs together, for a variant in a disease.

    level: of the best row that decides the verdict. match: how the rows' disease is the patient's.
    """

    drugs: tuple[str, ...]
    verdict: Verdict
    level: str
    supporting: tuple[Evidence, ...]
    against: tuple[Evidence, ...]
    match: Match


@dataclass(frozen=True, slots=True)
class Judged:
    """A variant in one cancer. node: the variant's first. unused: rows of other diseases, or without direction."""

    variant: Variant
    node: str
    cancer: Cancer
    regimens: tuple[Regimen, ...]
    outlook: tuple[Evidence, ...]
    diagnosis: tuple[Evidence, ...]
    unused: int


def cancers(library: Library, present: Callable[[str], FeatureValue | None]) -> tuple[Cancer, ...]:
    """The cancers on the problem list, the most specific of each line only."""
    found = []
    for node in library.terms.conditions:
        above = library.terms.above(node)
        if _ROOT in above and (fact := present(node)) is not None:
            found.append(Cancer(node, fact, above - {node}))
    general = {up for cancer in found for up in cancer.above}
    return tuple(cancer for cancer in found if cancer.node not in general)


def now_present(conditions: Mapping[str, ConditionFeature]) -> dict[str, ConditionFeature]:
    """The conditions as present diseases: a cancer that was, or of which only the history is coded, is not treated."""
    return {
        node: replace(f, ever=False, icd10=tuple(c for c in f.icd10 if not c.startswith("Z")))
        for node, f in conditions.items()
    }


def known(library: Library, variant: Variant) -> tuple[str, ...]:
    """The graph's nodes of a variant: by its own names, then of the groups that it belongs to."""
    found = [n.id for name in (*variant.names, *variant.wider) for n in library.graph.named(name, "variant")]
    return tuple(dict.fromkeys(found))


def judge(library: Library, variant: Variant, nodes: Sequence[str], cancer: Cancer) -> Judged:
    """All that is known of the variant in this cancer. nodes: as `known` gives them."""
    same = _by_doid(library)
    fitting: list[tuple[Match, Evidence]] = []
    unused = 0
    for row in _once(library.graph.evidence(nodes, "predicts")):
        match = _match(library, same.get(row.context, row.context), cancer)
        if match is None or row.direction not in ("supports", "does-not-support"):
            unused += 1
        else:
            fitting.append((match, row))
    regimens = _regimens([(m, r) for m, r in fitting if r.properties.get("type") == "Predictive"])
    outlook, diagnosis = (_of_type(fitting, kind) for kind in ("Prognostic", "Diagnostic"))
    return Judged(variant, nodes[0], cancer, regimens, outlook, diagnosis, unused)


def _of_type(rows: Sequence[tuple[Match, Evidence]], kind: str) -> tuple[Evidence, ...]:
    found = [r for match, r in rows if match != "confirm" and r.properties.get("type") == kind and r.level in FOLLOWED]
    return tuple(sorted(found, key=_rank))


def _once(rows: Iterable[Evidence]) -> Iterable[Evidence]:
    """A row that names several drugs once."""
    return {row.id: row for row in rows}.values()


def _by_doid(library: Library) -> dict[str, str]:
    """CIViC's disease node -> the base's."""
    return {f"disease:doid-{code.partition(':')[2]}": node for code, node in library.graph.codes(DOID, SOURCE)}


def _match(library: Library, disease: str, cancer: Cancer) -> Match | None:
    if disease == cancer.node:
        return "same"
    if disease in cancer.above:
        return "above"
    right_below = cancer.node in library.terms.above(disease) and cancer.node != _ROOT
    return "confirm" if right_below else None


def _regimens(rows: Sequence[tuple[Match, Evidence]]) -> tuple[Regimen, ...]:
    groups: dict[tuple[str, ...], list[tuple[Match, Evidence]]] = {}
    for match, row in rows:
        drugs = tuple(sorted(str(d).lower() for d in row.properties.get("drugs", ())))
        if not drugs:
            continue
        together = row.source == SOURCE or row.properties.get("together") == "Combination"
        for each in [drugs] if together else [(d,) for d in drugs]:
            groups.setdefault(each, []).append((match, row))
    found = [regimen for drugs, group in groups.items() if (regimen := _regimen(drugs, group)) is not None]
    order = ("option", "resistance", "conflict", "weak")
    return tuple(
        sorted(found, key=lambda r: (order.index(r.verdict), r.level, _unlike_base(r), _later(r), -_year(r), r.drugs))
    )


def _regimen(drugs: tuple[str, ...], group: Sequence[tuple[Match, Evidence]]) -> Regimen | None:
    helps = sorted((r for _, r in group if _helps(r)), key=_rank)
    fails = sorted((r for _, r in group if _fails(r)), key=_rank)
    if not helps and not fails:
        return None
    good, bad = (rows[0].level if rows else "F" for rows in (helps, fails))
    if bad in FOLLOWED and bad < good:
        verdict: Verdict = "resistance"
    elif good not in FOLLOWED:
        verdict = "weak"
    else:
        verdict = "option" if good < bad else "conflict"
    matches = {m for m, r in group if r is (fails if verdict == "resistance" else helps or fails)[0]}
    match: Match = "same" if "same" in matches else "above" if "above" in matches else "confirm"
    return Regimen(drugs, verdict, min(good, bad), tuple(helps), tuple(fails), match)


def _helps(row: Evidence) -> bool:
    return row.properties.get("significance") == "Sensitivity/Response" and row.direction == "supports"


def _fails(row: Evidence) -> bool:
    significance = row.properties.get("significance")
    if significance in _HARM:
        return row.direction == "supports"
    return significance == "Sensitivity/Response" and row.direction == "does-not-support"


def _rank(row: Evidence) -> tuple[int, bool, str]:
    return (_LEVELS.find(row.level), row.source != SOURCE, row.id)


def _unlike_base(regimen: Regimen) -> bool:
    """False for what the curated base says too: it comes first among equals."""
    return not any(row.source == SOURCE for row in (*regimen.supporting, *regimen.against))


def _later(regimen: Regimen) -> bool:
    """True for what stands only after earlier treatment: it comes behind what may be given first."""
    return any(str(row.properties.get("management", "")).startswith("After ") for row in regimen.supporting[:1])


def _year(regimen: Regimen) -> int:
    """Of the row that decides: what was shown later was mostly shown against what came before."""
    rows = regimen.supporting or regimen.against
    return int(rows[0].year) if rows[0].year.isdigit() else 0
