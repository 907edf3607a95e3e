"""The process that computes an imported model which nothing else can: questions of JSON in, answers of JSON out.

A question has a number and rows; its answer has the number and a margin for each row. Number 0 says that it is ready.

It limits itself before it reads the file: memory, and no file may grow. What a library prints goes nowhere. It does not
start where a library says other things of made-up rows than at import (`training.witness`). Run as
`python -I -m cds_service.training.worker FILE SHA256`; it ends when its input does.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np

_MEMORY = 8_000_000_000


def _limit() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(file: str, sha256: str) -> int:
    """Serves until its input ends; 1 if the file is another than was imported."""
    _limit()
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    path = Path(file)
    if hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
        return 1
    say = _answers()
    from cds_service.training import witness
    from cds_service.training.foreign import opened

    model = opened(path)
    if not witness.agrees(path, model.margins):
        return 1
    say({"number": 0})
    for line in sys.stdin.buffer:
        question = json.loads(line)
        number = question["number"]
        try:
            rows = np.array([[np.nan if v is None else v for v in row] for row in question["rows"]], dtype=np.float64)
            say({"number": number, "margins": model.margins(rows).tolist() if len(rows) else []})
        except Exception:  # noqa: BLE001 - whatever a library says of a row it cannot use
            say({"number": number, "problem": "rows"})
    return 0


def _answers() -> Callable[[dict[str, object]], None]:
    """What puts an answer on the pipe; all that is printed otherwise from now on is lost."""
    pipe = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)

    def say(answer: dict[str, object]) -> None:
        pipe.write(json.dumps(answer).encode() + b"\n")
        pipe.flush()

    return say


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
