"""Sends the transactions of one key: each exactly once, in order, whatever ends in between.

A transaction gets its nonce in the database transaction that writes its row. Its signed bytes are
stored before a node sees them; after a crash the same bytes go out again. All attempts are watched
until one is final. What a node says when it takes or refuses bytes decides nothing: only what is in
the chain does. Each nonce ends as one of ours or as an alarm; none stays open behind another.

One process sends under a key, by a lease whose token is proved in every write.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.chain.attempts import AttemptMaker
from settle.chain.eip712 import address_of
from settle.chain.hand_out import HandOut
from settle.chain.key_watch import FOREIGN, KeyWatch, SendingStore
from settle.chain.lease import HeldLease
from settle.chain.outcomes import UNFINISHED, Outcomes, Sighting
from settle.chain.signing import ENVELOPE_BYTES
from settle.domain.errors import InvalidInput
from settle.services.chain_rows import (
    AttemptRow,
    NewTransaction,
    TransactionRow,
    TransactionState,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Connection

    from settle.chain.node import Node
    from settle.chain.profile import EngineProfile
    from settle.services.ports import Transactions

_WINDOW: Final = 4  # rows looked at in one round, as a multiple of those in flight


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round did, in transactions. `open` is what is left of those looked at."""

    signed: int = 0
    broadcast: int = 0
    finished: int = 0
    open: int = 0

    @property
    def idle(self) -> bool:
        """Whether there is nothing to wait for."""
        return self.open == 0


class Sender:
    """One signing key. `pump` is called by one thread; `enqueue` by any, in its own transaction."""

    def __init__(
        self,
        *,
        database: Transactions,
        store: SendingStore,
        node: Node,
        key: bytes,
        profile: EngineProfile,
        clock: Callable[[], int],
        on_result: Callable[[Connection, TransactionRow], None],
        holder: str | None = None,
        at: Callable[[str], None] = lambda _step: None,
    ) -> None:
        """`on_result` gets each transaction once, when it ended, in the transaction that says so.

        `clock` gives unix seconds. `at` is told each step boundary by name; tests end there.
        """
        self.address = address_of(key)
        self.subject = f"sender:0x{self.address.hex()}"
        self._database = database
        self._store = store
        self._node = node
        self._profile = profile
        self._clock = clock
        self._on_result = on_result
        self._at = at
        self._lease = HeldLease(
            database=database, store=store, name=self.subject, clock=clock, holder=holder
        )
        self._watch = KeyWatch(
            database=database,
            store=store,
            node=node,
            profile=profile,
            lease=self._lease,
            sender=self.address,
            clock=clock,
        )
        self._maker = AttemptMaker(profile=profile, key=key, clock=clock)
        self._outcomes = Outcomes(node=node, profile=profile, clock=clock)
        self._opened = False
        self._starting = threading.Lock()
        self._pumping = threading.Lock()
        self._out = HandOut(
            database=database,
            store=store,
            node=node,
            profile=profile,
            lease=self._lease,
            watch=self._watch,
            maker=self._maker,
            sender=self.address,
            clock=clock,
            at=at,
        )

    # -------------------------------------------------------------------------- life

    def start(self) -> None:
        """Take the lease and compare what we know of the key with the chain, where not done yet.

        Raises Unavailable while another process sends under this key; Broken if the chain knows
        transactions of the key that are not ours, or has lost some of ours.
        """
        with self._starting:
            if not self._lease.token:
                self._opened = False
                self._lease.take()
                self._at("lease taken")
            if not self._opened:
                self._watch.compare_with_chain()
                self._opened = True

    def stop(self) -> None:
        """Give the lease back, so that the next process need not wait."""
        if self._lease.token:
            self._lease.give_up()

    def acknowledge(self) -> None:
        """Go on after an alarm, on a person's word: nonces that others took are skipped."""
        if not self._lease.token:
            self._lease.take()
        self._watch.acknowledge()

    # ----------------------------------------------------------------------- queueing

    def enqueue(
        self, conn: Connection, *, purpose: str, to: bytes, data: bytes, gas: int, subject: str = ""
    ) -> TransactionRow:
        """Write a call to be sent, with its nonce, in the caller's transaction.

        Raises InvalidInput if no node would take it: too much gas, or too many bytes.
        """
        if gas > self._profile.transaction_gas_limit:
            limit = self._profile.transaction_gas_limit
            raise InvalidInput("transaction_gas", f"{gas} gas, a transaction takes {limit}")
        if len(data) + ENVELOPE_BYTES > self._profile.transaction_bytes_limit:
            limit = self._profile.transaction_bytes_limit
            raise InvalidInput("transaction_bytes", f"{len(data)} bytes, the node takes {limit}")
        self._lease.prove(conn)
        return self._store.add_transaction(
            conn,
            NewTransaction(
                sender=self.address,
                to=to,
                data=data,
                gas=gas,
                purpose=purpose,
                subject=subject,
                created_at=self._clock(),
            ),
        )

    def room(self, conn: Connection) -> int:
        """How many more transactions make sense now: those in a block are out of the way."""
        limit = self._profile.in_flight
        rows = self._store.open_transactions(conn, self.address, limit=limit * _WINDOW)
        return limit - sum(row.state is not TransactionState.MINED for row in rows)

    # ------------------------------------------------------------------------ a round

    def pump(self) -> Round:
        """Look at the chain, then sign and hand out what is due. Call it again and again.

        Starts by itself where `start` was not called, or another held the lease meanwhile.
        Raises Unavailable (node or database silent, or the lease lost), Broken after an alarm.
        """
        with self._pumping:
            self.start()
            return self._pump()

    def _pump(self) -> Round:
        if self._lease.is_due():
            with self._database.transaction() as conn:
                self._lease.renew(conn)
            self._watch.compare_with_chain()
        with self._database.reading() as conn:
            self._watch.refuse_halted(conn)
            limit = self._profile.in_flight * _WINDOW
            rows = self._store.open_transactions(conn, self.address, limit=limit)
            attempts = self._store.attempts(conn, [row.transaction_id for row in rows])
        if not rows:
            return Round()
        sighting = self._outcomes.look(self.address, rows, attempts)
        self._at("chain read")
        finished = self._record(sighting)
        waiting = [row for row in sighting.rows if row.state is TransactionState.SENT]
        queued = [row for row in sighting.rows if row.state is TransactionState.QUEUED]
        fresh = queued[: max(0, self._profile.in_flight - len(waiting))]
        signed = self._sign(fresh, sighting)
        broadcast = self._out.hand_out(waiting, attempts, signed, sighting)
        return Round(
            signed=len(fresh),
            broadcast=broadcast,
            finished=finished,
            # A full window may hide more behind it.
            open=max(len(rows) - finished, int(len(rows) == limit)),
        )

    def _record(self, sighting: Sighting) -> int:
        """Write what the chain says; whoever waits for an end is told in the same transaction."""
        if not sighting.changed:
            return 0
        ended = [row for row in sighting.changed if row.state not in UNFINISHED]
        foreign = [row for row in ended if row.state is TransactionState.DISPLACED]
        with self._database.transaction() as conn:
            self._lease.prove(conn)
            self._store.update_transactions(conn, sighting.changed)
            self._at("outcome written")
            for row in ended:
                self._on_result(conn, row)
            if foreign:
                nonces = ", ".join(str(row.nonce) for row in foreign)
                self._watch.alarm(
                    conn,
                    FOREIGN,
                    f"a transaction that this system did not sign took nonce {nonces} of "
                    f"0x{self.address.hex()}: somebody else has the key. Replace the key, or "
                    "acknowledge the alarm to go on.",
                )
            self._at("before outcome commit")
        self._at("outcome committed")
        return len(ended)

    def _sign(
        self, fresh: Sequence[TransactionRow], sighting: Sighting
    ) -> list[tuple[AttemptRow, bytes]]:
        """Sign and store; only stored bytes may ever leave."""
        if not fresh:
            return []
        with self._database.reading() as conn:
            data = self._store.call_data(conn, [row.transaction_id for row in fresh])
        signed = [
            self._maker.first(row, data[row.transaction_id], sighting.head.base_fee)
            for row in fresh
        ]
        self._at("signed")
        self._out.keep(signed, fresh)
        return signed
