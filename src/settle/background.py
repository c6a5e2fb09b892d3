"""The loops in the background, watched: whether each goes round, since when not, and why."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from settle.api.context import Check
from settle.api.logs import log
from settle.chain.loop import Loop
from settle.domain.errors import SettleError, Unavailable

if TYPE_CHECKING:
    from settle.api.metrics import Metrics

STALE_AFTER_S: Final = 15
"""A loop whose last good round is older, its pause not counted, is told as not working."""
_TELL_AGAIN_S: Final = 30
_BEGINNING: Final = "has not gone round yet"


class WatchedLoop:
    """A loop that says how it is. A fault ends it; the process goes on and is not ready."""

    def __init__(
        self,
        name: str,
        step: Callable[[], bool],
        *,
        metrics: Metrics,
        busy_pause_ms: int = 0,
        idle_pause_ms: int = 200,
        on_fault: Callable[[str, Exception], None] = lambda _name, _fault: None,
    ) -> None:
        """`step` gives True when it was idle, as `Loop` takes it."""
        self.name = name
        self._step = step
        self._stale_after_s = STALE_AFTER_S + idle_pause_ms / 1000
        self._failures = metrics.loop_failures.labels(name)
        self._on_fault = on_fault
        self._good_at: float | None = None
        self._began_at = time.monotonic()
        self._trouble = ""
        self._told_at = float("-inf")
        self._loop = Loop(
            name,
            self._round,
            busy_pause_ms=busy_pause_ms,
            idle_pause_ms=idle_pause_ms,
            on_fault=self._faulted,
            on_unavailable=self._unavailable,
        )

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._began_at = time.monotonic()
        self._loop.start()

    def wake(self) -> None:
        """Say that there is something to do."""
        self._loop.wake()

    def stop(self) -> None:
        """End after the round that is under way."""
        self._loop.stop()

    def check(self) -> Check:
        """Say whether it goes round."""
        if self._loop.fault is not None:
            return Check(name=self.name, ok=False, detail=_words(self._loop.fault))
        if not self._loop.is_running:
            return Check(name=self.name, ok=False, detail="is not running")
        if self._good_at is None:
            return Check(name=self.name, ok=False, detail=self._trouble or _BEGINNING)
        age_s = int(time.monotonic() - self._good_at)
        if age_s > self._stale_after_s:
            reason = self._trouble or "the round under way does not end"
            return Check(name=self.name, ok=False, detail=f"{age_s} s without a round: {reason}")
        return Check(name=self.name, ok=True)

    def _round(self) -> bool:
        idle = self._step()
        self._good_at = time.monotonic()
        self._trouble = ""
        return idle

    def _unavailable(self, fault: Unavailable) -> None:
        self._failures.inc()
        self._trouble = _words(fault)
        now = time.monotonic()
        if now > self._told_at + _TELL_AGAIN_S:
            self._told_at = now
            log().warning("loop waits", loop=self.name, code=fault.code, detail=fault.message)

    def _faulted(self, fault: Exception) -> None:
        self._failures.inc()
        log().error("loop ended", loop=self.name, detail=_words(fault), exc_info=fault)
        self._on_fault(self.name, fault)


def _words(fault: Exception) -> str:
    if isinstance(fault, SettleError):
        return f"{fault.code}: {fault.message}"
    return type(fault).__name__


def stop_all(loops: Sequence[WatchedLoop]) -> None:
    """End all of them, in this order, whatever becomes of one."""
    for loop in loops:
        try:
            loop.stop()
        except Unavailable as error:
            log().error("loop does not end", loop=loop.name, detail=error.message)
