"""What guidelines say of a measurement that can be changed (`base/targets.tsv`): rows by the inputs of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache

from cds_service.knowledge.base_files import lines
from cds_service.knowledge.graph import Evidence
from cds_service.knowledge.library import Library

Find = Callable[[Iterable[str]], tuple[Evidence, ...]]


def finder(library: Library | None) -> Find:
    """A function from ids of features to the dated and cited rows about them; it finds nothing without a graph."""

    def found(features: Iterable[str]) -> tuple[Evidence, ...]:
        nodes = [node for id_ in features if (node := _nodes().get(id_)) is not None]
        if library is None or not nodes:
            return ()
        rows = library.graph.evidence(relation="recommended-for", objects=nodes)
        return tuple(row for row in rows if row.citation and row.url and row.year)

    return found


@cache
def _nodes() -> Mapping[str, str]:
    return {id_: f"test:{line['id']}" for line in lines("tests") for id_ in line.many("feature")}
