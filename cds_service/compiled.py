"""What is worked out of a shipped file is kept beside it, as Python keeps its compiled code, and for the same reason.

It lies in `__pycache__` under a name that holds a digest of the file, of this program and of numpy, so that no change
of any of them meets an old result. A file that is missing, damaged or not writable costs the time to work it out
again, and nothing else. Whoever may write there may also change the code itself.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

_DIGEST_BYTES = 32


def compiled(source: Path, digest: str, make: Callable[[], bytes]) -> bytes:
    """What `make` gives, or what it gave before for the same source. digest: of the source's content."""
    from importlib.metadata import version

    key = hashlib.sha256(f"{digest} {program()} {version('numpy')}".encode()).hexdigest()[:24]
    path = source.parent / "__pycache__" / f"{source.name}.{key}.bin"
    kept = read(path)
    if kept is not None:
        return kept
    made = make()
    if not sys.dont_write_bytecode:
        write(path, source.name, made)
    return made


def read(path: Path) -> bytes | None:
    """What was kept in a file; None if it is not there, or damaged."""
    with suppress(OSError):
        kept = memoryview(path.read_bytes())
        if hashlib.sha256(kept[_DIGEST_BYTES:]).digest() == kept[:_DIGEST_BYTES]:
            return bytes(kept[_DIGEST_BYTES:])
    return None


def write(path: Path, name: str, made: bytes) -> None:
    """Keeps it in a file in the place of former ones of that name, where that can be done."""
    with suppress(OSError):
        _keep(path, name, made)


@lru_cache(maxsize=1)
def program() -> str:
    """A digest of the package's Python files, but for those that never shape an answer."""
    root = Path(__file__).parent
    found = hashlib.sha256()
    for path in sorted(p for p in root.rglob("*.py") if not {"_bundled", "sandbox", "training"} & set(p.parts)):
        found.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def _keep(path: Path, name: str, made: bytes) -> None:
    """Writes a whole file or none, in the place of former ones."""
    import tempfile

    path.parent.mkdir(exist_ok=True)
    former = [old for old in path.parent.glob("*.bin") if old.name.startswith(f"{name}.")]
    handle, whole = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as file:
        file.write(hashlib.sha256(made).digest() + made)
    Path(whole).chmod(0o644)
    Path(whole).replace(path)
    for old in former:
        with suppress(OSError):
            old.unlink()
