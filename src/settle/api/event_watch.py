"""Wakes requests that wait for news: streams of events, and answers that wait for finality.

Whoever commits rings; what another process commits is seen at the next look, `idle_s` later at
most. One look serves all that wait.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.concurrency import run_in_threadpool

from settle.domain.errors import SettleError
from settle.domain.ids import Lei

_REST_S: Final = 0.05
"""Between two looks, so that a burst of commits is one look."""


@dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    viewer: Lei | None
    after: int
    woken: asyncio.Future[bool]


class EventWatch:
    """One for each process. `ring` may be called by any thread, all else by the event loop's."""

    def __init__(
        self,
        last_numbers: Callable[[Collection[Lei | None]], Mapping[Lei | None, int]],
        *,
        idle_s: float = 1.0,
    ) -> None:
        """`last_numbers` reads the last event's number of each viewer from the database."""
        self._last_numbers = last_numbers
        self._idle_s = idle_s
        self._waiters: set[_Waiter] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news = asyncio.Event()
        self.stopping = False

    def ring(self) -> None:
        """Say that events may have come."""
        self._soon(self._news.set)

    def stop(self) -> None:
        """Let everyone go: the server ends."""
        self.stopping = True
        self._soon(self._release)

    async def wait(self, viewer: Lei | None, after: int, timeout_s: float) -> bool:
        """Wait until the viewer has an event above `after`; False if the time ran out first."""
        if self.stopping:
            return False
        waiter = _Waiter(viewer, after, asyncio.get_running_loop().create_future())
        self._waiters.add(waiter)
        self._news.set()  # it may have come before we began to wait
        try:
            return await asyncio.wait_for(waiter.woken, timeout_s)
        except TimeoutError:
            return False
        finally:
            self._waiters.discard(waiter)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Look for news while the server serves."""
        self._loop = asyncio.get_running_loop()
        task = asyncio.create_task(self._look_forever())
        try:
            yield
        finally:
            self.stopping = True
            self._release()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            self._loop = None

    def _soon(self, act: Callable[[], None]) -> None:
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop closed in between
                loop.call_soon_threadsafe(act)

    def _release(self) -> None:
        for waiter in self._waiters:
            if not waiter.woken.done():
                waiter.woken.set_result(False)

    async def _look_forever(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), self._idle_s if self._waiters else None)
            self._news.clear()
            if self._waiters:
                await self._look()
            await asyncio.sleep(_REST_S)

    async def _look(self) -> None:
        waiting = tuple(self._waiters)
        try:
            last = await run_in_threadpool(self._last_numbers, {one.viewer for one in waiting})
        except SettleError:
            return  # the requests that wait find out for themselves; the next look may succeed
        for waiter in waiting:
            if last.get(waiter.viewer, 0) > waiter.after and not waiter.woken.done():
                waiter.woken.set_result(True)
