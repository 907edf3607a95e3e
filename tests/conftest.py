"""What all tests share.

Property tests may be slow, because a slow machine is no failure; weights are read once; and language models.
"""

from __future__ import annotations

import atexit
import gc
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import pytest
import thorough
from hypothesis import HealthCheck, settings

from cds_service import registry
from cds_service.documents import process
from cds_service.explain.leaf_tables import LeafTables

# A usual run tries the same examples as the one before, so that a change is judged by what it changed; a thorough one
# looks for new ones.
settings.register_profile(
    "curbside",
    deadline=None,
    derandomize=thorough.TIMES == 1,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("curbside")

# The same bytes give the same tables, and the shipped files the same models and hooks, which nothing changes: made once
# for all tests of a process, which load them hundreds of times. The checks of a start are made each time.
LeafTables.read = lru_cache(maxsize=64)(LeafTables.read)  # type: ignore[method-assign,assignment]
SHIPPED = {registry.shipped(kind) for kind in ("models", "hooks")}
read_anew = registry._module
read_once = lru_cache(maxsize=256)(read_anew)


def of_plugin(file: Path) -> ModuleType:
    shipped = file.parent in SHIPPED or file.parent.parent in SHIPPED
    return read_once(file) if shipped else read_anew(file)


registry._module = of_plugin

# A document takes as long as a busy machine needs. Its processor time is what a test of it measures.
process.SECONDS = 120.0

# jsonschema would compile its grammar for seconds, in each process; it is for a format that no test asks for.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

# A store syncs each transaction to the disk: half the time of its tests. Where memory holds files, theirs lie there and
# go with them, if there is room and programs may run from it (a container's often has neither).
MEMORY = Path("/dev/shm")
ROOMY = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > 4e9
if ROOMY and "TMPDIR" not in os.environ and not os.statvfs(MEMORY).f_flag & os.ST_NOEXEC:
    FILES, OWNER = tempfile.mkdtemp(prefix="curbside-tests-", dir=MEMORY), os.getpid()
    os.chmod(FILES, 0o755)  # PostgreSQL runs under an account of its own
    tempfile.tempdir = os.environ["TMPDIR"] = FILES
    atexit.register(lambda: os.getpid() == OWNER and shutil.rmtree(FILES, ignore_errors=True))  # not in a fork

# The user's own store and graph are not the tests', nor do two test processes share one.
STATE, OWNER = tempfile.mkdtemp(prefix="curbside-state-"), os.getpid()
os.environ["XDG_STATE_HOME"] = STATE
atexit.register(lambda: os.getpid() == OWNER and shutil.rmtree(STATE, ignore_errors=True))

gc.set_threshold(50_000, 20, 50)  # as in a worker: looking for cycles more often was a sixth of the tests' time

FIRST = (
    "browser", "training", "cli", "web", "cohort", "test_real_bundles.py", "test_fetch.py", "test_replay.py", "sandbox",
    "dialogue", "documents", "test_translations.py", "test_wording_beside_hooks.py", "stores", "test_deploy.py",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long comes first, so that two processes, which get file by file, end at the same time."""
    here, ranks = Path(__file__).parent, {name: rank for rank, name in enumerate(FIRST)}
    items.sort(key=lambda item: ranks.get(item.path.relative_to(here).parts[0], len(ranks)))


def pytest_collection_finish() -> None:
    """What came with the imports and the collection lives as long as the process: it is not looked through again."""
    gc.collect()
    gc.freeze()


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
