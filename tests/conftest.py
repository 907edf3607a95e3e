"""What all tests share: no deadline for property tests, because a slow machine is no failure; and language models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from hypothesis import settings

settings.register_profile("curbside", deadline=None)
settings.load_profile("curbside")


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
