"""The process that opens documents: one after the other from its input, a line of JSON for each to its output.

It limits itself before it reads anything: memory, processor time, no file may grow. Its parent ends it when one
document takes too long. Run as `python -I -m cds_service.documents.child`.
"""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import asdict
from typing import Any

from cds_service.documents.formats import read
from cds_service.documents.readable import Unreadable

_MEMORY = 1_500_000_000
_CPU_S = 120


def _limit() -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_S, _CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(task: dict[str, Any], data: bytes) -> dict[str, Any]:
    try:
        if task.get("picture"):
            from cds_service.documents.pictures import png

            return {"picture": png(data)}
        return asdict(read(data, str(task.get("type", ""))))
    except Unreadable as error:
        return {"problem": error.word}
    except MemoryError:
        return {"problem": "memory"}
    except Exception:  # noqa: BLE001 - a library's own failure on a damaged file, of whatever kind: it has no text
        return {"problem": "damaged"}


def main() -> None:
    """Serves until its input ends."""
    _limit()
    logging.disable(logging.CRITICAL)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while head := source.readline():
        task = json.loads(head)
        answer = _answer(task, source.read(int(task["size"])))
        sink.write(json.dumps(answer).encode() + b"\n")
        sink.flush()


if __name__ == "__main__":
    main()
