"""Tells how far a number of things is: how many are done, how fast, how long it still takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

_SECOND: Final = 10**9


class Progress:
    """Tells at most once a second, and when all is done."""

    def __init__(
        self,
        what: str,
        total: int,
        tell: Callable[[str], None],
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Begin now. `tell` takes a line; `clock` gives nanoseconds."""
        self._what, self._total, self._tell, self._clock = what, total, tell, clock
        self._began = self._told = clock()
        self._done = self._said = 0

    def add(self, count: int) -> None:
        """Note that so many more are done."""
        self.reached(self._done + count)

    def reached(self, done: int) -> None:
        """Note how many are done by now."""
        now = self._clock()
        self._done = done
        if done == self._said or (now - self._told < _SECOND and done < self._total):
            return
        self._said, self._told = done, now
        rate = done * _SECOND // max(1, now - self._began)
        left = (self._total - done) // max(1, rate)
        self._tell(f"{self._what} {done}/{self._total}, {rate}/s, {left} s left")
