"""The right to send under a key: one process at a time, told apart by a token that only grows.

Whoever holds the lease proves it inside every database transaction that it writes, so a process
that was taken for dead and comes back writes nothing any more.
"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

from settle.chain.processes import ProcessId, this_process
from settle.domain.errors import Unavailable
from settle.services.chain_rows import Lease

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from settle.services.ports import LeaseStore, Transactions

LEASE_S: Final = 15
RENEW_AFTER_S: Final = 5
_PARTS: Final = 3


class HeldLease:
    """A lease of this process. Not for several threads at once, but for `prove`."""

    def __init__(
        self,
        *,
        database: Transactions,
        store: LeaseStore,
        name: str,
        clock: Callable[[], int],
        holder: str | None = None,
    ) -> None:
        """`holder` tells processes apart; by default this machine and process."""
        self._database = database
        self._store = store
        self._clock = clock
        self._holder = holder or this_holder()
        self.name = name
        self.token = 0  # none: never taken, or lost to another
        self._renewed_at = 0

    def take(self) -> None:
        """Take the lease from nobody, from one whose time is up, or from a dead process here.

        Raises Unavailable while another holds it.
        """
        now = self._clock()
        with self._database.transaction() as conn:
            found = self._store.lease(conn, self.name)
            if found is not None and found.expires_at > now and not _is_dead(found.holder):
                raise Unavailable(
                    f"{found.holder} sends under {self.name} already",
                    retry_after_s=found.expires_at - now,
                    code="lease_held",
                )
            replaces = 0 if found is None else found.token
            self._grant(conn, token=replaces + 1, replaces=replaces, expires_at=now + LEASE_S)
        self.token = replaces + 1
        self._renewed_at = now

    def is_due(self) -> bool:
        """Whether it is time to renew."""
        return self._clock() >= self._renewed_at + RENEW_AFTER_S

    def renew(self, conn: Connection) -> None:
        """Prolong the lease. Raises Unavailable if another has it now."""
        now = self._clock()
        self._grant(conn, token=self.token, replaces=self.token, expires_at=now + LEASE_S)
        self._renewed_at = now

    def prove(self, conn: Connection) -> None:
        """Make sure that what this transaction writes is ours to write, until it commits.

        Raises Unavailable if another took the lease over: nothing of the transaction may stay.
        """
        if not self.token or not self._store.holds_lease(conn, self.name, self.token):
            raise self._lost()

    def give_up(self) -> None:
        """Let the next one take it at once."""
        with self._database.transaction() as conn:
            self._grant(conn, token=self.token, replaces=self.token, expires_at=self._clock())
        self.token = 0

    def _grant(self, conn: Connection, *, token: int, replaces: int, expires_at: int) -> None:
        lease = Lease(name=self.name, holder=self._holder, token=token, expires_at=expires_at)
        if not self._store.grant_lease(conn, lease, replaces=replaces):
            raise self._lost()

    def _lost(self) -> Unavailable:
        self.token = 0
        return Unavailable(f"another process took over {self.name}", code="lease_lost")


def this_holder() -> str:
    """Name this process so that another one on this machine can tell whether it lives."""
    me = this_process()
    return f"{_machine()}/{me.pid}/{me.started}"


def _machine() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = ""
    return f"{socket.gethostname()}#{boot}"


def _is_dead(holder: str) -> bool:
    """Whether the holder ran on this machine and is gone; of other machines nobody knows."""
    machine, *process = holder.split("/")
    if machine != _machine() or len(process) != _PARTS - 1 or not process[0].isdigit():
        return False
    return not ProcessId(int(process[0]), process[1]).is_alive()
