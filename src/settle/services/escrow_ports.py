"""What the use cases of escrows ask of a store: rows in, rows out, all in one transaction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection

    from settle.domain.escrow.state import EscrowRecord
    from settle.domain.escrow.terms import EscrowId
    from settle.domain.ids import Address, InstructionId
    from settle.services.escrow_rows import EscrowRow, EscrowStatus, MessageRow


class EscrowStore(Protocol):
    """Escrows, the messages about them, and what the chain says of them."""

    def add_escrow(self, conn: Connection, row: EscrowRow, people: Collection[Address]) -> None:
        """Write a new escrow and who may see it."""

    def update_escrow(self, conn: Connection, row: EscrowRow) -> EscrowRow:
        """Write what changes of an escrow, under the next version; the row as it is then.

        Raises Broken where another version is stored.
        """

    def escrow(self, conn: Connection, escrow: EscrowId) -> EscrowRow | None:
        """An escrow by its id."""

    def escrows(self, conn: Connection, ids: Collection[EscrowId]) -> Sequence[EscrowRow]:
        """Escrows by id, as far as known."""

    def list_escrows(
        self,
        conn: Connection,
        *,
        accounts: Collection[Address] | None,
        statuses: Collection[EscrowStatus],
        below: tuple[int, EscrowId] | None,
        limit: int,
    ) -> Sequence[EscrowRow]:
        """Newest first, of people with one of these accounts or, with None, of all."""

    def is_seen_by(self, conn: Connection, escrow: EscrowId, accounts: Collection[Address]) -> bool:
        """Whether one of the accounts has a part in the escrow."""

    def people_of(self, conn: Connection, escrow: EscrowId) -> Sequence[Address]:
        """The accounts that have a part in the escrow."""

    def put_messages(self, conn: Connection, rows: Sequence[MessageRow]) -> None:
        """Write messages, in place of what the same author said in the same place before."""

    def messages(self, conn: Connection, escrow: EscrowId) -> Sequence[MessageRow]:
        """All messages about an escrow, oldest first."""

    def escrow_records(
        self, conn: Connection, ids: Collection[EscrowId]
    ) -> Mapping[EscrowId, EscrowRecord | None]:
        """What the newest followed block says; None: withdrawn from. One never seen is missing."""

    def is_recorded(self, conn: Connection, instruction: InstructionId) -> bool:
        """Whether the chain remembers that this instruction settled."""

    def awake_escrows(self, conn: Connection, at: int, limit: int) -> Sequence[EscrowRow]:
        """Those to look at now that have nothing on its way, earliest first."""

    def has_live_escrows(self, conn: Connection) -> bool:
        """Whether there is one to which something can happen still."""

    def wake_escrows(self, conn: Connection, ids: Collection[EscrowId], at: int) -> None:
        """Have these looked at."""

    def wake_escrows_of(self, conn: Connection, accounts: Collection[Address], at: int) -> None:
        """Have those looked at that wait for something and that these accounts have a part in."""

    def wake_waiting_escrows(self, conn: Connection, at: int) -> None:
        """Have all looked at that wait for something: a fact changed that concerns many."""

    def next_escrow_wake(self, conn: Connection) -> int | None:
        """The earliest instant at which one is to be looked at."""

    def escrow_of_transaction(self, conn: Connection, transaction_id: int) -> EscrowRow | None:
        """The escrow whose act a transaction carries."""
