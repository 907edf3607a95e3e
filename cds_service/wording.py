"""The process beside the hooks that has a language model word summaries: bounded, drained on SIGTERM, safe to kill.

It takes what the hooks queued, makes the deterministic summary again from what the answer rested on, has it worded,
and keeps the text with an entry in the audit record: what was sent, what was kept and dropped, or why there is none.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from datetime import timedelta
from threading import Lock
from typing import Any

import structlog

from cds_service.clock import Clock
from cds_service.errors import CurbsideError, PreconditionFailed, StoreError
from cds_service.observer import NOBODY, Observer
from cds_service.pipeline import Pipeline
from cds_service.settings import Settings
from cds_service.stores import audit
from cds_service.stores.requests import thaw
from cds_service.stores.wordings import Wanted, WordingStore
from cds_service.summary import prompt
from cds_service.summary.llm import LanguageModel, Reason
from cds_service.summary.rewrite import MOST_ATTEMPTS, Rewriting, rewrite
from cds_service.telling import question

_log = structlog.get_logger(__name__)
_LOOK_S = 2.0  # how often the queue is looked at when nobody rings: for what other machines queued
_HOUR_S = 3600.0


class PipeBell:
    """A bell that processes forked after it share: whoever rings never waits, one listens."""

    def __init__(self) -> None:
        self._listening, self._ringing = os.pipe()
        os.set_blocking(self._listening, False)
        os.set_blocking(self._ringing, False)

    def ring(self) -> None:
        """At once; a bell that rings already rings no louder."""
        try:
            os.write(self._ringing, b"\0")
        except BlockingIOError:
            return

    def heard(self, seconds: float) -> bool:
        """True as soon as it rings, False when that many seconds have passed without."""
        ready, _, _ = select.select([self._listening], [], [], seconds)
        if ready:
            try:
                os.read(self._listening, 65_536)
            except BlockingIOError:
                return False
        return bool(ready)

    def close(self) -> None:
        """Gives its two descriptors back."""
        os.close(self._listening)
        os.close(self._ringing)


class Budget:
    """Calls and tokens of the last hour, in this process."""

    def __init__(self, calls: int, tokens: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._most_calls, self._most_tokens, self._monotonic = calls, tokens, monotonic
        self._spent: deque[tuple[float, int, int]] = deque()
        self._lock = Lock()

    def allows(self) -> bool:
        """True if another question may be asked."""
        with self._lock:
            while self._spent and self._spent[0][0] <= self._monotonic() - _HOUR_S:
                self._spent.popleft()
            calls, tokens = sum(c for _, c, _ in self._spent), sum(t for _, _, t in self._spent)
            return calls < self._most_calls and tokens < self._most_tokens

    def spend(self, calls: int, tokens: int) -> None:
        """Notes what a question cost."""
        with self._lock:
            self._spent.append((self._monotonic(), calls, tokens))


class Writer:
    """Words what is queued. One for a machine; several machines share the queue."""

    def __init__(
        self,
        pipeline: Pipeline,
        store: WordingStore,
        settings: Settings,
        clock: Clock,
        model: LanguageModel,
        observer: Observer = NOBODY,
    ) -> None:
        llm = settings.llm
        self._pipeline, self._store, self._settings = pipeline, store, settings
        self._clock, self._model, self._observer = clock, model, observer
        self._budget = Budget(llm.calls_per_hour, llm.tokens_per_hour)
        self._lease_s = llm.timeout_s * MOST_ATTEMPTS + 60
        self._computing = Lock()
        self._stopping = False

    def run(self, bell: PipeBell, drain_s: float) -> None:
        """Works until SIGTERM, SIGINT or the end of its parent; what is not finished by then goes back to the queue.

        Raises what a piece of work raised that is no failure of a server: the process is then started anew, and the
        piece is given up after its second try.
        """
        self._listen_for_the_end(bell)
        parent = os.getppid()
        running: dict[Future[None], Wanted] = {}
        most = self._settings.llm.calls_at_once
        with ThreadPoolExecutor(most, "wording") as threads:
            while not self._stopping and os.getppid() == parent:
                for done in [future for future in running if future.done()]:
                    del running[done]
                    done.result()
                wanted = self._next() if len(running) < most else None
                if wanted is None:
                    bell.heard(_LOOK_S)
                    continue
                future = threads.submit(self.word, wanted)
                running[future] = wanted
                future.add_done_callback(lambda _: bell.ring())
            self._drain(running, drain_s)

    def _listen_for_the_end(self, bell: PipeBell) -> None:
        def end(*_: Any) -> None:
            self._stopping = True
            bell.ring()

        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
            signal.signal(number, end)

    def _drain(self, running: dict[Future[None], Wanted], drain_s: float) -> None:
        """Lets what runs finish; what does not goes back, and the process ends without it."""
        late = wait(running, timeout=drain_s).not_done
        for future in late:
            try:
                self._store.release(running[future])
            except StoreError as error:
                _log.error("summary not given back", reason=str(error))
        if late:
            os._exit(0)  # a thread that waits for a server cannot be stopped

    def _next(self) -> Wanted | None:
        try:
            return self._store.take(self._clock.now(), self._lease_s)
        except StoreError as error:
            _log.error("queue not read", reason=str(error))
            return None

    def work(self) -> bool:
        """Words one summary, if one waits; False if none does."""
        wanted = self._next()
        if wanted is not None:
            self.word(wanted)
        return wanted is not None

    def word(self, wanted: Wanted) -> None:
        """Words one summary and keeps what came of it."""
        try:
            found = self._worded(wanted)
        except PreconditionFailed:
            found = Rewriting(reason="the service would refuse this request today")
        except CurbsideError as error:
            found = Rewriting(reason=f"what it rested on cannot be read ({type(error).__name__})")
        self._budget.spend(found.attempts, found.prompt_tokens + found.answer_tokens)
        self._observer.worded(found.reason or "used", found.kept, len(found.dropped), found.put_back)
        now = self._clock.now()
        entry = audit.Entry("wording", now, wanted.assessment_id, self._content(wanted, found))
        try:
            self._store.finish(wanted, now, found.told, found.reason, entry)
        except StoreError as error:
            _log.error("worded summary not stored", reason=str(error))

    def _worded(self, wanted: Wanted) -> Rewriting:
        if not self._budget.allows():
            return Rewriting(reason=Reason.HOURLY.value)
        with self._computing:
            desk = self._pipeline.desk(wanted.service_id)
            decision = self._pipeline.decide(desk, thaw(wanted.body, desk.needs), wanted.at)
        asked = question(decision.summary, decision.basis.request.hook, self._settings, wanted.at.date())
        return rewrite(self._model, self._settings.llm, asked, decision.case.context.record)

    def _content(self, wanted: Wanted, found: Rewriting) -> dict[str, Any]:
        """What the audit record says: what left, as it left, and what came of it."""
        llm = self._settings.llm
        return {
            "service": wanted.service_id,
            "key": wanted.key,
            "endpoint": llm.url,
            "model": llm.model,
            "prompt": prompt.VERSION,
            "scrubbed": found.scrubbed,
            "outcome": found.reason or "used",
            "sent": [{"role": role, "content": content} for role, content in found.sent],
            "attempts": found.attempts,
            "form": found.mode,
            "tokens": [found.prompt_tokens, found.answer_tokens],
            "kept": found.kept,
            "dropped": [{"text": one.text, "reasons": list(one.reasons)} for one in found.dropped],
            "put_back": found.put_back,
            "quoted": [cite for line in found.told if line.by == "general" for cite in line.cites],
            "waited_s": round(max(timedelta(), self._clock.now() - wanted.at).total_seconds(), 1),
        }
