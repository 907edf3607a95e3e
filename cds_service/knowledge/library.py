"""The knowledge that serving uses: the graph, its names, and how loud a row may be; opened once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cds_service.knowledge import build
from cds_service.knowledge.graph import Graph
from cds_service.knowledge.policy import Policy
from cds_service.knowledge.terms import Terms
from cds_service.settings import Settings


@dataclass(frozen=True)
class Library:
    """One graph with all that is needed to ask it about a patient."""

    graph: Graph
    terms: Terms
    policy: Policy

    def name(self, node: str) -> str:
        """What a node is called, or its id if it is not in the graph."""
        found = self.graph.node(node)
        return found.name if found is not None else node.partition(":")[2]

    def rxcui(self, node: str) -> str | None:
        """The RxNorm ingredient code of a drug, if it is known."""
        return self.terms.rxcui.get(node)

    def cited(self, source: str) -> str:
        """A source and its release in words."""
        found = self.graph.by_source[source]
        return f"{found.title}, {found.released}"


def opened(settings: Settings) -> Library:
    """The library that the settings name. Raises KnowledgeError."""
    path = settings.knowledge_path()
    if settings.knowledge.path is None and not path.exists():
        return Library(*_base(), Policy(settings.knowledge))
    graph = build.opened(path)
    return Library(graph, Terms(graph), Policy(settings.knowledge))


@lru_cache(maxsize=1)
def _base() -> tuple[Graph, Terms]:
    graph = build.opened(None)
    return graph, Terms(graph)


@lru_cache(maxsize=1)
def base() -> Library:
    """The curated base alone, with the default settings."""
    return Library(*_base(), Policy())
