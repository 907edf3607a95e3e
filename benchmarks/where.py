"""Where the CPU of one call goes, step by step, in one process without HTTP's own part.

`python -m benchmarks.where` prints a Markdown table. Each step's time is its own, without that of the steps within it;
many different bodies in turn, so that nothing is warmer than it would be in service. Two units of the same run stand
beside each other: milliseconds, which move with the machine, and shares, which hardly do.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import uuid4

os.environ.setdefault("OMP_NUM_THREADS", "1")

from benchmarks.bodies import hook_call, renewed
from cds_service import settings as settings_module
from cds_service.app import create_app
from cds_service.web import logs
from cds_service.web.server import GC_THRESHOLDS
from cds_service.web.wsgi import call

CALLS = {20: 240, 200: 120, 2000: 16}
PATIENTS = 32
STEPS = (
    ("bytes to request", "cds_service.pipeline", "decode"),
    ("request to record", "cds_service.pipeline", "clinical_context"),
    ("record to features", "cds_service.pipeline", "extract"),
    ("tree attributions and margin", "cds_service.explain.tree", "tabled"),
    ("estimates and contributions", "cds_service.pipeline", "estimate"),
    ("the service's decision, judging", "cds_service.pipeline", "Pipeline.decide"),
    ("summary from the record", "cds_service.showing", "summarise"),
    ("card", "cds_service.showing", "compose"),
    ("findings to cards, otherwise", "cds_service.showing", "Showing.show"),
    ("response to JSON values", "cds_service.protocol.response", "HookResponse.wire"),
    ("what is known of the patient (read)", "cds_service.keeping", "Keeper.seen"),
    ("request made ready for keeping", "cds_service.keeping", "freeze"),
    ("audit entry", "cds_service.stores.audit", "append"),
    ("commit", "cds_service.stores.sqlite_file", "SqliteFile.commit"),
    ("keeping, otherwise", "cds_service.keeping", "Keeper.keep"),
    ("the line, otherwise; objects freed", "cds_service.pipeline", "Pipeline.answer"),
    ("Flask, headers, log, metrics", "cds_service.web.wsgi", "call"),
)


class Watch:
    """Own CPU time of each step, by its label."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = {label: 0.0 for label, _, _ in STEPS}
        self._within: list[float] = []

    def timed(self, label: str, step: Callable[..., Any]) -> Callable[..., Any]:
        """The step, watched."""

        @wraps(step)
        def watched(*given: Any, **named: Any) -> Any:
            begun = time.thread_time()
            self._within.append(0.0)
            try:
                return step(*given, **named)
            finally:
                took = time.thread_time() - begun
                self.spent[label] += took - self._within.pop()
                if self._within:
                    self._within[-1] += took

        return watched


def watched() -> tuple[Watch, Callable[..., Any]]:
    """A watch on all steps, and the watched way in."""
    watch = Watch()
    for label, module, path in STEPS[:-1]:
        owner: Any = importlib.import_module(module)
        *outer, name = path.split(".")
        for part in outer:
            owner = getattr(owner, part)
        setattr(owner, name, watch.timed(label, getattr(owner, name)))
    return watch, watch.timed(STEPS[-1][0], call)


def scope(body: bytes) -> dict[str, Any]:
    """The ASGI scope of one call of the service."""
    headers = [(b"host", b"127.0.0.1:8000"), (b"content-type", b"application/json")]
    headers.append((b"content-length", str(len(body)).encode()))
    fixed = {"type": "http", "method": "POST", "query_string": b"", "scheme": "http", "headers": headers}
    where = {"server": ("127.0.0.1", 8000), "client": ("127.0.0.1", 40000)}
    return {**fixed, **where, "raw_path": b"/cds-services/prognosis"}


def main() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory() as folder, open(os.devnull, "wb") as nowhere:
        logs.configure(nowhere)
        store = {"CURBSIDE_STORE__URL": f"sqlite:///{folder}/where.db", "CURBSIDE_MODELS__SHOW_UNVALIDATED": "true"}
        app = create_app(settings_module.load(None, store))
        gc.collect()
        gc.freeze()  # as the server does
        gc.set_threshold(*GC_THRESHOLDS)
        counts = {kilobytes: counted(app, kilobytes) for kilobytes in CALLS}
        watch, enter = watched()
        columns: dict[int, dict[str, float]] = {}
        for kilobytes, count in CALLS.items():
            bodies = [hook_call(patient, kilobytes) for patient in range(PATIENTS)]
            for number in range(-PATIENTS // 2, count):
                if number == 0:
                    watch.spent = dict.fromkeys(watch.spent, 0.0)
                body = renewed(bodies[number % PATIENTS], uuid4())
                if enter(app, scope(body), body)[0] != 200:
                    raise RuntimeError("a call was refused")
            columns[kilobytes] = {label: spent / count * 1e3 for label, spent in watch.spent.items()}
            columns[kilobytes]["*`json.loads` of the same body*"] = parsing(bodies)
    totals = {kb: sum(column[label] for label, _, _ in STEPS) for kb, column in columns.items()}
    print("| step | " + " | ".join(f"{kb} KB, ms | share" for kb in CALLS) + " |")
    print("|---|" + "---:|---:|" * len(CALLS))
    for label in columns[20]:
        cells = [f"{c[label]:.2f} | {100 * c[label] / totals[kb]:.0f} %" for kb, c in columns.items()]
        print(f"| {label} | " + " | ".join(cells) + " |")
    print("| *calls of functions, of Python and built in* | " + " | ".join(f"{n:,} |" for n in counts.values()) + " |")
    print("| **all steps** | " + " | ".join(f"**{total:.2f}** | 100 %" for total in totals.values()) + " |")


def counted(app: Any, kilobytes: int) -> int:
    """How many functions one call of the service calls: the same on every machine, however busy it is."""
    seen = dict.fromkeys(("call", "c_call"), 0)

    def count(_frame: object, event: str, _argument: object) -> None:
        if event in seen:
            seen[event] += 1

    for _ in range(2):  # the first fills what is remembered
        body = renewed(hook_call(3, kilobytes), uuid4())
        seen.update(dict.fromkeys(seen, 0))
        sys.setprofile(count)
        call(app, scope(body), body)
        sys.setprofile(None)
    return sum(seen.values())


def parsing(bodies: list[bytes]) -> float:
    """Milliseconds that `json` takes for a body: the measure of the machine at that moment."""
    begun = time.thread_time()
    for body in bodies:
        json.loads(body)
    return (time.thread_time() - begun) / len(bodies) * 1e3


if __name__ == "__main__":
    main()
