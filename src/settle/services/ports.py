"""What the services and the chain adapters need from others, named for the need.

Every method works inside the caller's database transaction, which is the `Connection` it gets:
nothing here begins, commits or rolls back. Rows are the frozen dataclasses of `chain_rows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

    from settle.domain.chain_events import Recorded
    from settle.domain.ids import Address
    from settle.domain.reasons import Reason
    from settle.services.chain_calls import FinalHead, SignedInstruction
    from settle.services.chain_rows import (
        AccountRow,
        Alarm,
        AssetRow,
        AttemptRow,
        BlockRow,
        Cursor,
        DerivedRow,
        EscrowStateRow,
        Lease,
        LogRow,
        NewTransaction,
        TransactionRow,
    )
    from settle.services.escrow_calls import EscrowCall


class Transactions(Protocol):
    """Where database transactions come from. A writer waits for the writer before it."""

    def transaction(self) -> AbstractContextManager[Connection]:
        """Begin; commit at the end of the block, roll back if it raises."""

    def reading(self) -> AbstractContextManager[Connection]:
        """Begin a transaction that sees one state and writes nothing; it waits for nobody."""


# ---------------------------------------------------------------------------- SenderStore


class LeaseStore(Protocol):
    """One writer per name, with a fencing token."""

    def lease(self, conn: Connection, name: str) -> Lease | None:
        """The lease as it stands, expired or not. None if it was never granted."""

    def grant_lease(self, conn: Connection, lease: Lease, *, replaces: int) -> bool:
        """Write the lease if the stored token still equals `replaces` (0: none stored).

        Renewal writes the same token with a later `expires_at`. False if another was faster.
        """

    def holds_lease(self, conn: Connection, name: str, token: int) -> bool:
        """Whether `token` is the current one.

        The row stays locked until the transaction ends, so that nobody takes the lease over between
        this answer and the commit.
        """


class TransactionStore(Protocol):
    """Transactions of a signing key."""

    def open_sender(self, conn: Connection, sender: bytes, first_nonce: int) -> int:
        """Remember a signing key at its first use; its next nonce, then and ever after."""

    def advance_nonce(self, conn: Connection, sender: bytes, nonce: int) -> None:
        """Let the next nonce be at least this, once a person has said that others used the key."""

    def add_transaction(self, conn: Connection, transaction: NewTransaction) -> TransactionRow:
        """Take the sender's next nonce and write the row, state QUEUED. The sender was opened."""

    def open_transactions(
        self, conn: Connection, sender: bytes, *, limit: int
    ) -> Sequence[TransactionRow]:
        """Those in a state that is not terminal, lowest nonce first."""

    def call_data(self, conn: Connection, transaction_ids: Sequence[int]) -> Mapping[int, bytes]:
        """The `data` of transactions."""

    def update_transactions(self, conn: Connection, rows: Sequence[TransactionRow]) -> None:
        """Write state, attempt_hash, block number and hash, succeeded and gas_used of the rows."""


class AttemptStore(Protocol):
    """Signed bytes of transactions."""

    def attempts(
        self, conn: Connection, transaction_ids: Sequence[int]
    ) -> Mapping[int, Sequence[AttemptRow]]:
        """Attempts by transaction, oldest first; a transaction without any may be missing."""

    def add_attempts(self, conn: Connection, attempts: Sequence[tuple[AttemptRow, bytes]]) -> None:
        """Write attempts with their signed bytes. A hash that is there already is a fault."""

    def signed_bytes(self, conn: Connection, hashes: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """The signed bytes of attempts, by hash."""

    def note_broadcasts(self, conn: Connection, hashes: Sequence[bytes], at: int) -> None:
        """Set `broadcast_at` and count one more broadcast."""


class SenderStore(LeaseStore, TransactionStore, AttemptStore, Protocol):
    """All that the sender writes."""


class AlarmStore(Protocol):
    """Alarms for people. Only people clear them."""

    def raise_alarm(self, conn: Connection, alarm: Alarm) -> None:
        """Write it, unless one of the same kind and subject is open."""

    def open_alarms(self, conn: Connection, subject: str) -> Sequence[Alarm]:
        """Alarms of the subject that nobody cleared."""

    def clear_alarms(self, conn: Connection, subject: str, at: int) -> int:
        """Mark them cleared; how many there were."""


# -------------------------------------------------------------------------- FollowerStore


class ChainStore(Protocol):
    """Blocks, raw events and the cursor."""

    def cursor(self, conn: Connection) -> Cursor | None:
        """How far the chain was read. None before the first block."""

    def set_cursor(self, conn: Connection, cursor: Cursor) -> None:
        """Write it, in the transaction that wrote what it stands for."""

    def blocks(self, conn: Connection, first: int, last: int) -> Sequence[BlockRow]:
        """Blocks first..last as far as stored, ascending."""

    def logs(self, conn: Connection, first: int, last: int) -> Sequence[LogRow]:
        """Events of blocks first..last in chain order."""

    def add_blocks(
        self, conn: Connection, blocks: Sequence[BlockRow], logs: Sequence[LogRow]
    ) -> None:
        """Write blocks with their events."""

    def mark_final(self, conn: Connection, through: int) -> None:
        """Set the flag on blocks up to and including `through`, drop their before-images."""

    def remove_blocks(self, conn: Connection, first: int) -> None:
        """Delete blocks >= first with their events; put derived rows back to their before-images.

        Newest block first.
        """

    def forget_chain(self, conn: Connection) -> None:
        """Delete blocks, events, derived rows and the cursor: the start of a rebuild."""


class DerivedStore(Protocol):
    """What is folded from the events: each row restated by the event that changed it last."""

    def put_derived(
        self, conn: Connection, rows: Iterable[DerivedRow], *, undo_block: int | None
    ) -> None:
        """Insert or overwrite derived rows by key (account+asset, asset, account, instruction).

        `undo_block`: keep the first before-image (row or its absence) of each key under this block
        number, so that `remove_blocks` can undo. None where the block is final already.
        """

    def account_row(self, conn: Connection, account: bytes) -> AccountRow | None:
        """The derived row of an account."""

    def asset_row(self, conn: Connection, asset: int) -> AssetRow | None:
        """The derived row of an asset."""

    def escrow_row(self, conn: Connection, escrow: bytes) -> EscrowStateRow | None:
        """The derived row of an escrow."""


class FollowerStore(ChainStore, DerivedStore, AlarmStore, Protocol):
    """All that the follower writes."""


# -------------------------------------------------- what the services need of the chain


class ChainReader(Protocol):
    """Questions to the chain. Each method asks at one block, the newest there is.

    Not at the newest final one: the followed rows, which it is compared with, are ahead of that.
    Raises: Unavailable.
    """

    def why_not(self, requests: Sequence[SignedInstruction]) -> Sequence[tuple[Reason, ...]]:
        """All reasons for each request, in the order of the requests; empty: it would settle."""

    def escrow_gas(self, call: EscrowCall) -> int:
        """How much gas an act on an escrow would take now. Raises Refused if it would revert."""

    def accepts(self, account: Address, digest: bytes, signature: bytes) -> bool:
        """Whether the account is a wallet that takes the signature for its own (ERC-1271)."""


class Outgoing(Protocol):
    """Calls to be sent by the operator's key, written in the caller's transaction."""

    def room(self, conn: Connection) -> int:
        """How many more transactions make sense now."""

    def settle_many(self, conn: Connection, batch: Sequence[SignedInstruction], *, gas: int) -> int:
        """Enqueue `settleMany`; the number of the transaction. Purpose `settle`."""

    def cancel(self, conn: Connection, instruction: SignedInstruction, *, valid_by: int) -> int:
        """Enqueue `cancel` with its Cancellation signatures, one of every account in order.

        Gives the number of the transaction. Purpose `cancel`.
        """

    def escrow(self, conn: Connection, call: EscrowCall, *, gas: int) -> int:
        """Enqueue an act on an escrow; the number of the transaction. Purpose `escrow`."""


# --------------------------------------------- what the chain adapters tell the services


class ChainListener(Protocol):
    """Called by the follower in its transaction, after it wrote its own rows.

    With finality at insertion `appeared`, then `became_final`, come for the same events.
    """

    def appeared(self, conn: Connection, events: Sequence[Recorded], *, at: int) -> None:
        """Events of blocks that were not known before, in chain order, final or not."""

    def became_final(
        self, conn: Connection, events: Sequence[Recorded], head: FinalHead, *, at: int
    ) -> None:
        """Events of blocks that are final from now on, each once, in chain order.

        Called without events, too, when only the head moved on: time passes.
        """

    def retracted(self, conn: Connection, events: Sequence[Recorded], *, at: int) -> None:
        """Events of blocks that a reorganisation took out, in chain order.

        Derived rows are back to what they were before; `appeared` for the new branch comes after.
        """


class ResultListener(Protocol):
    """Called by the sender, once for each transaction that ended, where it writes that it did."""

    def ended(self, conn: Connection, transaction: TransactionRow) -> None:
        """It is final: succeeded, reverted, void or displaced."""
