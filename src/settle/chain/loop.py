"""Keeps a step going in a thread: the sender's rounds, the follower's steps, the executor's."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from settle.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST_PAUSE_MS: Final = 5_000


class Loop:
    """Calls `step` until it is stopped. A step says whether it found nothing to do.

    Unavailable is waited out, longer each time. Broken ends the loop: `fault` keeps it, and
    `on_fault` hears of it. Whatever else is raised is a fault of the program and ends it as well.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], bool],
        *,
        busy_pause_ms: int = 0,
        idle_pause_ms: int = 200,
        on_fault: Callable[[Exception], None] = lambda _fault: None,
        on_unavailable: Callable[[Unavailable], None] = lambda _fault: None,
    ) -> None:
        """`step` gives True when it was idle. Pauses are in milliseconds."""
        self.name = name
        self.fault: Exception | None = None
        self._step = step
        self._busy_pause_ms = busy_pause_ms
        self._idle_pause_ms = idle_pause_ms
        self._on_fault = on_fault
        self._on_unavailable = on_unavailable
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def wake(self) -> None:
        """End a pause: there is something to do."""
        self._wake.set()

    def stop(self, patience_s: int = 30) -> None:
        """End after the step that is under way. Raises Unavailable if it does not end."""
        self._stopping.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(patience_s)
            if self._thread.is_alive():
                raise Unavailable(f"the loop {self.name} does not end")

    @property
    def is_running(self) -> bool:
        """Whether steps are still taken."""
        return self._thread.is_alive()

    def _run(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            self._wake.clear()
            try:
                idle = self._step()
                failures = 0
                pause_ms = self._idle_pause_ms if idle else self._busy_pause_ms
            except Unavailable as fault:
                failures += 1
                self._on_unavailable(fault)
                pause_ms = min(LONGEST_PAUSE_MS, self._idle_pause_ms * 2 ** min(failures, 10))
            except Exception as fault:  # noqa: BLE001 kept, told, and shown by whoever owns the loop
                self.fault = fault
                self._on_fault(fault)
                return
            if pause_ms and not self._stopping.is_set():
                self._wake.wait(pause_ms / 1000)
