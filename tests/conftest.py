"""What all tests share.

Property tests have no deadline, because a slow machine is no failure; weights are read once; and language models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path

import pytest
from hypothesis import settings

from cds_service.explain.leaf_tables import LeafTables

settings.register_profile("curbside", deadline=None)
settings.load_profile("curbside")

# The same bytes give the same tables: made once for all tests of a process, which load models hundreds of times.
LeafTables.read = lru_cache(maxsize=64)(LeafTables.read)  # type: ignore[method-assign,assignment]


@pytest.fixture(scope="session")
def loaded_once() -> Iterator[None]:
    """The shipped models and hooks are loaded once, whoever asks for them in this process; they are never changed."""
    from cds_service import registry

    load = registry.load
    kept: list[registry.Registry] = []

    def once(*, extra_models: Iterable[Path] = (), extra_hooks: Iterable[Path] = ()) -> registry.Registry:
        models, hooks = tuple(extra_models), tuple(extra_hooks)
        if models or hooks:
            return load(extra_models=models, extra_hooks=hooks)
        if not kept:
            kept.append(load())
        return kept[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "load", once)
        yield


@pytest.fixture(scope="session")
def scripted_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Gives the base URL of a llama.cpp server whose model always answers a text; each text once a session."""
    pytest.importorskip("xllamacpp", reason="llama.cpp's server is not installed (the extra test)")
    import tiny_models

    urls: dict[str, str] = {}
    folder = tmp_path_factory.mktemp("models")
    with ExitStack() as running:

        def url(reply: str) -> str:
            if reply not in urls:
                file = tiny_models.scripted(folder / f"{len(urls)}.gguf", reply)
                urls[reply] = running.enter_context(tiny_models.served(file))
            return urls[reply]

        yield url


@pytest.fixture(scope="session")
def untrained_model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a llama.cpp server whose model was never trained."""
    pytest.importorskip("xllamacpp", reason="llama.cpp's server is not installed (the extra test)")
    import tiny_models

    with tiny_models.served(tiny_models.untrained(tmp_path_factory.mktemp("model") / "untrained.gguf")) as url:
        yield url
