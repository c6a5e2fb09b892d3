"""What the sender keeps: its lease, its transactions with their nonces, the attempts it signed."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from settle.domain.errors import Broken
from settle.services.chain_rows import (
    AttemptKind,
    AttemptRow,
    Lease,
    NewTransaction,
    TransactionRow,
    TransactionState,
)
from settle.store.columns import upsert
from settle.store.tables_chain import (
    UNFINISHED,
    attempt_bytes,
    leases,
    senders,
    transaction_data,
    transactions,
)
from settle.store.tables_chain import attempts as attempt_table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Leases:
    """One writer per name, with a fencing token."""

    def lease(self, conn: Connection, name: str) -> Lease | None:
        """The lease as it stands, expired or not. None if it was never granted."""
        row = conn.execute(select(leases).where(leases.c.name == name)).one_or_none()
        if row is None:
            return None
        return Lease(name=row.name, holder=row.holder, token=row.token, expires_at=row.expires_at)

    def grant_lease(self, conn: Connection, lease: Lease, *, replaces: int) -> bool:
        """Write the lease if the stored token still equals `replaces` (0: none stored)."""
        values = {"holder": lease.holder, "token": lease.token, "expires_at": lease.expires_at}
        if replaces == 0:
            fresh = upsert(conn, leases).values(name=lease.name, **values).on_conflict_do_nothing()
            written = conn.execute(fresh.returning(leases.c.token)).scalar_one_or_none()
            return written is not None
        statement = update(leases).where(leases.c.name == lease.name, leases.c.token == replaces)
        return conn.execute(statement.values(**values)).rowcount == 1

    def holds_lease(self, conn: Connection, name: str, token: int) -> bool:
        """Whether `token` is the current one; the row stays locked until the transaction ends."""
        statement = select(leases.c.token).where(leases.c.name == name).with_for_update()
        return conn.execute(statement).scalar_one_or_none() == token


class SentTransactions:
    """Transactions of the signing keys and their nonces."""

    def open_sender(self, conn: Connection, sender: bytes, first_nonce: int) -> int:
        """Remember a signing key at its first use; its next nonce, then and ever after."""
        known = conn.execute(select(senders.c.next_nonce).where(senders.c.sender == sender))
        found: int | None = known.scalar_one_or_none()
        if found is not None:
            return found
        conn.execute(insert(senders).values(sender=sender, next_nonce=first_nonce))
        return first_nonce

    def advance_nonce(self, conn: Connection, sender: bytes, nonce: int) -> None:
        """Make `nonce` the next one, if the stored one is lower. The sender was opened."""
        conn.execute(
            update(senders)
            .where(senders.c.sender == sender, senders.c.next_nonce < nonce)
            .values(next_nonce=nonce)
        )

    def add_transaction(self, conn: Connection, transaction: NewTransaction) -> TransactionRow:
        """Take the sender's next nonce and write the row, state QUEUED. The sender was opened."""
        taken = conn.execute(
            update(senders)
            .where(senders.c.sender == transaction.sender)
            .values(next_nonce=senders.c.next_nonce + 1)
            .returning(senders.c.next_nonce)
        ).scalar_one_or_none()
        if taken is None:
            raise Broken(f"the sender 0x{transaction.sender.hex()} was never opened")
        number = conn.execute(
            insert(transactions)
            .values(
                sender=transaction.sender,
                nonce=taken - 1,
                to_address=transaction.to,
                gas=transaction.gas,
                purpose=transaction.purpose,
                subject=transaction.subject,
                state=TransactionState.QUEUED.value,
                created_at=transaction.created_at,
            )
            .returning(transactions.c.transaction_id)
        ).scalar_one()
        conn.execute(insert(transaction_data).values(transaction_id=number, data=transaction.data))
        return TransactionRow(
            transaction_id=number,
            sender=transaction.sender,
            nonce=taken - 1,
            to=transaction.to,
            gas=transaction.gas,
            purpose=transaction.purpose,
            subject=transaction.subject,
            state=TransactionState.QUEUED,
            created_at=transaction.created_at,
        )

    def transaction(self, conn: Connection, transaction_id: int) -> TransactionRow | None:
        """One transaction, in whatever state."""
        found = conn.execute(
            select(transactions).where(transactions.c.transaction_id == transaction_id)
        ).one_or_none()
        return None if found is None else _transaction(found)

    def open_transactions(
        self, conn: Connection, sender: bytes, *, limit: int
    ) -> Sequence[TransactionRow]:
        """Those in a state that is not terminal, lowest nonce first."""
        statement = (
            select(transactions)
            .where(transactions.c.sender == sender, UNFINISHED)
            .order_by(transactions.c.nonce)
            .limit(limit)
        )
        return [_transaction(row) for row in conn.execute(statement)]

    def call_data(self, conn: Connection, transaction_ids: Sequence[int]) -> Mapping[int, bytes]:
        """The `data` of transactions."""
        number = transaction_data.c.transaction_id
        found = conn.execute(select(transaction_data).where(number.in_(transaction_ids)))
        return {row.transaction_id: row.data for row in found}

    def update_transactions(self, conn: Connection, rows: Sequence[TransactionRow]) -> None:
        """Write state, attempt_hash, block number and hash, succeeded and gas_used of the rows."""
        if not rows:
            return
        conn.execute(
            update(transactions)
            .where(transactions.c.transaction_id == bindparam("key"))
            .values(
                state=bindparam("new_state"),
                attempt_hash=bindparam("new_attempt_hash"),
                block_number=bindparam("new_block_number"),
                block_hash=bindparam("new_block_hash"),
                succeeded=bindparam("new_succeeded"),
                gas_used=bindparam("new_gas_used"),
            ),
            [
                {
                    "key": row.transaction_id,
                    "new_state": row.state.value,
                    "new_attempt_hash": row.attempt_hash,
                    "new_block_number": row.block_number,
                    "new_block_hash": row.block_hash,
                    "new_succeeded": row.succeeded,
                    "new_gas_used": row.gas_used,
                }
                for row in rows
            ],
        )


class Attempts:
    """Signed bytes of transactions."""

    def attempts(
        self, conn: Connection, transaction_ids: Sequence[int]
    ) -> Mapping[int, Sequence[AttemptRow]]:
        """Attempts by transaction, oldest first."""
        statement = (
            select(attempt_table)
            .where(attempt_table.c.transaction_id.in_(transaction_ids))
            .order_by(attempt_table.c.transaction_id, attempt_table.c.position)
        )
        found: dict[int, list[AttemptRow]] = defaultdict(list)
        for row in conn.execute(statement):
            found[row.transaction_id].append(_attempt(row))
        return dict(found)

    def add_attempts(self, conn: Connection, attempts: Sequence[tuple[AttemptRow, bytes]]) -> None:
        """Write attempts with their signed bytes. A hash that is there already is a fault."""
        if not attempts:
            return
        positions = _next_positions(conn, [row.transaction_id for row, _ in attempts])
        rows = []
        for row, _ in attempts:
            rows.append(
                {
                    "hash": row.hash,
                    "transaction_id": row.transaction_id,
                    "position": positions[row.transaction_id],
                    "kind": row.kind.value,
                    "max_fee_per_gas": row.max_fee_per_gas,
                    "max_priority_fee_per_gas": row.max_priority_fee_per_gas,
                    "created_at": row.created_at,
                    "broadcast_at": row.broadcast_at,
                    "broadcasts": row.broadcasts,
                }
            )
            positions[row.transaction_id] += 1
        conn.execute(insert(attempt_table), rows)
        conn.execute(
            insert(attempt_bytes),
            [{"hash": row.hash, "signed": signed} for row, signed in attempts],
        )

    def signed_bytes(self, conn: Connection, hashes: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """The signed bytes of attempts, by hash."""
        found = conn.execute(select(attempt_bytes).where(attempt_bytes.c.hash.in_(hashes)))
        return {row.hash: row.signed for row in found}

    def note_broadcasts(self, conn: Connection, hashes: Sequence[bytes], at: int) -> None:
        """Set `broadcast_at` and count one more broadcast."""
        conn.execute(
            update(attempt_table)
            .where(attempt_table.c.hash.in_(hashes))
            .values(broadcast_at=at, broadcasts=attempt_table.c.broadcasts + 1)
        )


def _next_positions(conn: Connection, transaction_ids: Sequence[int]) -> defaultdict[int, int]:
    counted = conn.execute(
        select(attempt_table.c.transaction_id, func.count())
        .where(attempt_table.c.transaction_id.in_(transaction_ids))
        .group_by(attempt_table.c.transaction_id)
    )
    positions: defaultdict[int, int] = defaultdict(int)
    for number, count in counted:
        positions[number] = count
    return positions


def _transaction(row: Row[Any]) -> TransactionRow:
    return TransactionRow(
        transaction_id=row.transaction_id,
        sender=row.sender,
        nonce=row.nonce,
        to=row.to_address,
        gas=row.gas,
        purpose=row.purpose,
        subject=row.subject,
        state=TransactionState(row.state),
        created_at=row.created_at,
        attempt_hash=row.attempt_hash,
        block_number=row.block_number,
        block_hash=row.block_hash,
        succeeded=row.succeeded,
        gas_used=row.gas_used,
    )


def _attempt(row: Row[Any]) -> AttemptRow:
    return AttemptRow(
        hash=row.hash,
        transaction_id=row.transaction_id,
        kind=AttemptKind(row.kind),
        max_fee_per_gas=row.max_fee_per_gas,
        max_priority_fee_per_gas=row.max_priority_fee_per_gas,
        created_at=row.created_at,
        broadcast_at=row.broadcast_at,
        broadcasts=row.broadcasts,
    )


class SqlSenderStore(Leases, SentTransactions, Attempts):
    """All that the sender writes: the port `SenderStore`."""
