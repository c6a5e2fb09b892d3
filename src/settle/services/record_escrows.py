"""Writes what the chain says into the escrows: statuses by final blocks, news by any block."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from settle.domain.books import holdings_after
from settle.domain.chain_events import AccountFrozen, AssetFrozen, InstructionRecorded
from settle.domain.escrow.events import (
    DisputeOpened,
    EscrowConsentWithdrawn,
    EscrowEvent,
    EscrowOpened,
    MilestoneEnded,
    PaymentsGivenUp,
    PaymentsMade,
)
from settle.services.chain_rows import TransactionState
from settle.services.escrow_executor import RETRY_S
from settle.services.escrow_news import tell_people
from settle.services.escrow_rows import EscrowStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from settle.domain.chain_events import Recorded
    from settle.domain.escrow.terms import EscrowId
    from settle.services.chain_calls import FinalHead
    from settle.services.chain_rows import TransactionRow
    from settle.services.escrow_rows import EscrowRow
    from settle.services.venue import Venue

ESCROW = "escrow"
"""The purpose of the transactions that carry acts on escrows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordEscrows:
    """The ports `ChainListener` and `ResultListener`, for escrows."""

    venue: Venue

    def appeared(self, conn: Connection, events: Sequence[Recorded], *, at: int) -> None:
        """Events of blocks that were not known before: have those looked at that they concern."""
        store = self.venue.store
        if not store.has_live_escrows(conn):
            return
        ids: set[EscrowId] = set()
        accounts = set()
        for one in events:
            if isinstance(one.event, EscrowEvent):
                ids.add(one.event.id)
            elif isinstance(one.event, AccountFrozen):
                accounts.add(one.event.account)
            accounts |= {account for account, _, _ in holdings_after(one.event)}
        store.wake_escrows(conn, ids, at)
        store.wake_escrows_of(conn, accounts, at)
        if any(isinstance(one.event, AssetFrozen | InstructionRecorded) for one in events):
            store.wake_waiting_escrows(conn, at)

    def became_final(
        self, conn: Connection, events: Sequence[Recorded], head: FinalHead, *, at: int
    ) -> None:
        """Events of blocks that are final from now on: statuses, and what people are told."""
        del head
        concerned = [one for one in events if isinstance(one.event, EscrowEvent)]
        store = self.venue.store
        ids = {one.event.id for one in concerned if isinstance(one.event, EscrowEvent)}
        rows = {row.escrow: row for row in store.escrows(conn, ids)}
        records = store.escrow_records(conn, rows)
        for one in concerned:
            event = one.event
            row = rows.get(event.id) if isinstance(event, EscrowEvent) else None
            if row is None or not isinstance(event, EscrowEvent):
                continue
            record = records.get(row.escrow)
            status = EscrowStatus.OPEN
            if isinstance(event, EscrowConsentWithdrawn):
                status = EscrowStatus.WITHDRAWN
            elif record is not None and record.has_ended:
                status = EscrowStatus.ENDED
            if status is not row.status:
                row = store.update_escrow(conn, replace(row, status=status, updated_at=at))
                rows[row.escrow] = row
            self._tell(conn, row, one, at)

    def retracted(self, conn: Connection, events: Sequence[Recorded], *, at: int) -> None:
        """Events of blocks that a reorganisation took out: look again."""
        ids = {one.event.id for one in events if isinstance(one.event, EscrowEvent)}
        self.venue.store.wake_escrows(conn, ids, at)

    def ended(self, conn: Connection, transaction: TransactionRow) -> None:
        """An act's transaction is final: the escrow is free for the next one."""
        row = self.venue.store.escrow_of_transaction(conn, transaction.transaction_id)
        if row is None:
            return
        at = self.venue.clock()
        went = transaction.state is TransactionState.SUCCEEDED
        wake_at = at if went else at + RETRY_S
        self.venue.store.update_escrow(conn, replace(row, transaction_id=None, wake_at=wake_at))

    def _tell(self, conn: Connection, row: EscrowRow, one: Recorded, at: int) -> None:
        match one.event:
            case EscrowOpened():
                kind, more = "escrow.opened", {}
            case MilestoneEnded() as event:
                kind = "escrow.milestone_ended"
                more = {
                    "milestone": event.milestone,
                    "by": event.by.name,
                    "outcome": event.outcome.name,
                    "waits": event.waits,
                    "paid": [str(amount) for amount in event.paid],
                }
            case PaymentsMade(milestone=milestone) | PaymentsGivenUp(milestone=milestone):
                kind, more = "escrow.wait_over", {"milestone": milestone}
            case DisputeOpened(milestone=milestone):
                kind, more = "escrow.disputed", {"milestone": milestone}
            case EscrowConsentWithdrawn():
                kind, more = "escrow.withdrawn", {}
            case _:
                return
        block = one.place.block_number
        tell_people(self.venue, conn, row, kind, at, block=block, **more)
