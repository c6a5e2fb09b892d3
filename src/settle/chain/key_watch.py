"""Watches a signing key: whether others use it, and whether the chain lost what was final."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from settle.domain.errors import Broken
from settle.services.chain_rows import Alarm
from settle.services.ports import AlarmStore, SenderStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from settle.chain.lease import HeldLease
    from settle.chain.node import Node
    from settle.chain.profile import EngineProfile
    from settle.services.ports import Transactions

FOREIGN: Final = "foreign_transaction"
WENT_BACK: Final = "chain_went_back"
STUCK: Final = "sender_stuck"
HALTING: Final = frozenset({FOREIGN, WENT_BACK})
"""Alarms after which nothing is sent until a person has acknowledged them."""


class SendingStore(SenderStore, AlarmStore, Protocol):
    """What the sender writes, and the alarms."""


class KeyWatch:
    """The alarms of one key."""

    def __init__(
        self,
        *,
        database: Transactions,
        store: SendingStore,
        node: Node,
        profile: EngineProfile,
        lease: HeldLease,
        sender: bytes,
        clock: Callable[[], int],
    ) -> None:
        """Watch `sender` for the holder of `lease`."""
        self._database = database
        self._store = store
        self._node = node
        self._depth = profile.finality_depth
        self._lease = lease
        self._sender = sender
        self._clock = clock

    def refuse_halted(self, conn: Connection) -> None:
        """Raise Broken while an alarm stands that stops this key."""
        for alarm in self._store.open_alarms(conn, self._lease.name):
            if alarm.kind in HALTING:
                raise Broken(alarm.message, code=alarm.kind)

    def alarm(self, conn: Connection, kind: str, message: str) -> None:
        """Write an alarm of this key in the caller's transaction."""
        self._store.raise_alarm(
            conn,
            Alarm(kind=kind, subject=self._lease.name, message=message, raised_at=self._clock()),
        )

    def compare_with_chain(self) -> None:
        """Open the key and compare the nonces that we gave out with those in the chain.

        Raises Broken, and leaves an alarm, if the chain has more than we sent or fewer than were
        final.
        """
        head = self._node.head()
        in_chain = self._node.nonce(self._sender, head.number)
        in_final = self._node.nonce(self._sender, max(0, head.number - self._depth))
        with self._database.transaction() as conn:
            self._lease.prove(conn)
            following = self._store.open_sender(conn, self._sender, in_chain)
            unfinished = self._store.open_transactions(conn, self._sender, limit=1)
            self.refuse_halted(conn)
            finished = unfinished[0].nonce if unfinished else following
            fault = self._fault(in_chain, in_final, following, finished)
            if fault is not None:
                self.alarm(conn, *fault)
        if fault is not None:
            raise Broken(fault[1], code=fault[0])

    def _fault(
        self, in_chain: int, in_final: int, following: int, finished: int
    ) -> tuple[str, str] | None:
        if in_final > following:
            return FOREIGN, (
                f"the chain has {in_final} transactions of 0x{self._sender.hex()}, this database "
                f"sent {following}: another program uses the key, or the database is an old copy. "
                "Find out which, then acknowledge the alarm to go on after them."
            )
        if in_chain < finished:
            return WENT_BACK, (
                f"the chain has {in_chain} transactions of 0x{self._sender.hex()}, {finished} were "
                "final: the node lost blocks, or it is another chain. Restore the node's data; "
                "nothing is sent until the alarm is acknowledged."
            )
        return None

    def acknowledge(self) -> None:
        """Go on after an alarm, on a person's word: nonces that others took are skipped."""
        head = self._node.head()
        nonce = self._node.nonce(self._sender, head.number)
        with self._database.transaction() as conn:
            self._lease.prove(conn)
            self._store.clear_alarms(conn, self._lease.name, self._clock())
            self._store.advance_nonce(conn, self._sender, nonce)
