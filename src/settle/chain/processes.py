"""Processes by identity: a pid alone may meanwhile belong to another."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_POLL_S: Final = 0.02
_STAT_STATE: Final = 0  # fields of /proc/PID/stat behind the name, see proc(5)
_STAT_STARTED: Final = 19


@dataclass(frozen=True, slots=True)
class ProcessId:
    """A process for as long as it lives: its pid and when it started, in the system's words."""

    pid: int
    started: str

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        return _started(self.pid) == self.started

    def stop(self, patience_s: int = 10) -> None:
        """Ask it to end, then end it. Nothing happens if it is gone already."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self.is_alive():
                return
            os.kill(self.pid, number)
            deadline = time.monotonic() + patience_s
            while self.is_alive() and time.monotonic() < deadline:
                _reap(self.pid)
                time.sleep(_POLL_S)


def identify(pid: int) -> ProcessId | None:
    """Tell which process runs under a pid now, None if there is none."""
    started = _started(pid)
    return None if started is None else ProcessId(pid, started)


def this_process() -> ProcessId:
    """Tell who we are."""
    me = identify(os.getpid())
    assert me is not None, "a running process runs"
    return me


def free_port() -> int:
    """Find a port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _started(pid: int) -> str | None:
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[_STAT_STATE] in "ZX" else fields[_STAT_STARTED]
    command = ["ps", "-o", "state=,lstart=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()  # noqa: S603
    return None if not answer or answer[0].startswith("Z") else " ".join(answer[1:])


def _reap(pid: int) -> None:
    with contextlib.suppress(ChildProcessError):  # not a child of ours: its parent reaps it
        os.waitpid(pid, os.WNOHANG)
