"""Escrows and the messages about them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Row, func, select, update

from settle.domain.errors import Broken
from settle.domain.escrow.record_text import record_of
from settle.domain.escrow.terms import EscrowId
from settle.domain.escrow.terms_json import terms_from_json, terms_to_json
from settle.domain.ids import Lei
from settle.services.escrow_rows import EscrowRow, EscrowStatus, MessageKind, MessageRow
from settle.store.bulk import BulkStatement
from settle.store.columns import batches, upsert_in
from settle.store.tables_chain import escrow_states, recorded
from settle.store.tables_escrow import AWAKE, SENT, escrow_messages, escrow_people, escrows
from settle.store.texts import dump

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from settle.domain.escrow.state import EscrowRecord
    from settle.domain.ids import Address, InstructionId

_KEY: Final = ("escrow", "milestone", "kind", "author", "place")
_ADD: Final = BulkStatement.inserting(escrows)
_ADD_PEOPLE: Final = BulkStatement.inserting(escrow_people)


def _putting(dialect: str) -> Any:  # noqa: ANN401  one of two dialects' Insert
    insertion = upsert_in(dialect, escrow_messages)
    fresh = {name: insertion.excluded[name] for name in ("content", "created_at")}
    return insertion.on_conflict_do_update(index_elements=list(_KEY), set_=fresh)


_PUT_MESSAGES: Final = BulkStatement(_putting, [column.name for column in escrow_messages.columns])


class Escrows:
    """The port `EscrowStore`."""

    def add_escrow(self, conn: Connection, row: EscrowRow, people: Collection[Address]) -> None:
        """Write a new escrow and who may see it."""
        terms = dump(terms_to_json(row.terms))
        opening = {"escrow": row.escrow, "terms": terms, "text": row.text}
        more = {"proposed_by": row.proposed_by, "open_by": row.terms.open_by}
        _ADD.run(conn, [opening | more | _state(row) | {"created_at": row.created_at}])
        _ADD_PEOPLE.run(conn, [{"account": one, "escrow": row.escrow} for one in people])

    def update_escrow(self, conn: Connection, row: EscrowRow) -> EscrowRow:
        """Write what changes of an escrow, under the next version; the row as it is then.

        Raises Broken where another version is stored.
        """
        values = _state(row) | {"version": row.version + 1}
        statement = update(escrows).where(
            escrows.c.escrow == row.escrow, escrows.c.version == row.version
        )
        if conn.execute(statement.values(values)).rowcount != 1:
            raise Broken(f"escrow 0x{row.escrow.hex()} has another version than {row.version}")
        found = self.escrow(conn, row.escrow)
        assert found is not None, "it was just written"
        return found

    def escrow(self, conn: Connection, escrow: EscrowId) -> EscrowRow | None:
        """An escrow by its id."""
        return next(iter(self.escrows(conn, [escrow])), None)

    def escrows(self, conn: Connection, ids: Collection[EscrowId]) -> Sequence[EscrowRow]:
        """Escrows by id, as far as known."""
        found: list[EscrowRow] = []
        for some in batches(ids):
            statement = select(escrows).where(escrows.c.escrow.in_(some))
            found += [_escrow(row) for row in conn.execute(statement).all()]
        return found

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
        columns = escrows.c
        statement = select(escrows).order_by(columns.created_at.desc(), columns.escrow.desc())
        if accounts is not None:
            mine = select(escrow_people.c.escrow).where(escrow_people.c.account.in_(accounts))
            statement = statement.where(columns.escrow.in_(mine))
        if statuses:
            statement = statement.where(columns.status.in_([one.value for one in statuses]))
        if below is not None:
            created_at, escrow = below
            older = columns.created_at < created_at
            same = (columns.created_at == created_at) & (columns.escrow < escrow)
            statement = statement.where(older | same)
        return [_escrow(row) for row in conn.execute(statement.limit(limit)).all()]

    def is_seen_by(self, conn: Connection, escrow: EscrowId, accounts: Collection[Address]) -> bool:
        """Whether one of the accounts has a part in the escrow."""
        columns = escrow_people.c
        mine = select(func.count()).where(columns.escrow == escrow, columns.account.in_(accounts))
        return bool(conn.execute(mine).scalar_one())

    def people_of(self, conn: Connection, escrow: EscrowId) -> Sequence[Address]:
        """The accounts that have a part in the escrow."""
        columns = escrow_people.c
        return list(conn.execute(select(columns.account).where(columns.escrow == escrow)).scalars())

    # ------------------------------------------------------------------- messages

    def put_messages(self, conn: Connection, rows: Sequence[MessageRow]) -> None:
        """Write messages, in place of what the same author said in the same place before."""
        _PUT_MESSAGES.run(
            conn,
            [
                {
                    "escrow": row.escrow,
                    "milestone": row.milestone,
                    "kind": row.kind.value,
                    "author": row.author,
                    "place": row.place,
                    "content": dump(dict(row.content)),
                    "created_at": row.created_at,
                }
                for row in rows
            ],
        )

    def messages(self, conn: Connection, escrow: EscrowId) -> Sequence[MessageRow]:
        """All messages about an escrow, oldest first."""
        columns = escrow_messages.c
        statement = select(escrow_messages).where(columns.escrow == escrow)
        order = (columns.created_at, *(columns[name] for name in _KEY[1:]))
        return [_message(row) for row in conn.execute(statement.order_by(*order)).all()]

    # ------------------------------------------------------------------- what the chain says

    def escrow_records(
        self, conn: Connection, ids: Collection[EscrowId]
    ) -> Mapping[EscrowId, EscrowRecord | None]:
        """What the newest followed block says; None: withdrawn from. One never seen is missing."""
        found: dict[EscrowId, EscrowRecord | None] = {}
        for some in batches(ids):
            statement = select(escrow_states).where(escrow_states.c.escrow.in_(some))
            for row in conn.execute(statement).all():
                found[EscrowId(row.escrow)] = record_of(row.record) if row.record else None
        return found

    def is_recorded(self, conn: Connection, instruction: InstructionId) -> bool:
        """Whether the chain remembers that this instruction settled."""
        found = conn.execute(select(recorded).where(recorded.c.instruction == instruction))
        return found.one_or_none() is not None

    # ------------------------------------------------------------------- the executor's view

    def awake_escrows(self, conn: Connection, at: int, limit: int) -> Sequence[EscrowRow]:
        """Those to look at now that have nothing on its way, earliest first."""
        columns = escrows.c
        statement = select(escrows).where(
            AWAKE, columns.wake_at <= at, columns.transaction_id.is_(None)
        )
        found = conn.execute(statement.order_by(columns.wake_at).limit(limit))
        return [_escrow(row) for row in found.all()]

    def has_live_escrows(self, conn: Connection) -> bool:
        """Whether there is one to which something can happen still."""
        over = [one.value for one in EscrowStatus if one.is_terminal]
        live = select(escrows.c.escrow).where(escrows.c.status.not_in(over)).limit(1)
        return conn.execute(live).first() is not None

    def wake_escrows(self, conn: Connection, ids: Collection[EscrowId], at: int) -> None:
        """Have these looked at."""
        for some in batches(ids):
            conn.execute(update(escrows).where(escrows.c.escrow.in_(some)).values(wake_at=at))

    def wake_escrows_of(self, conn: Connection, accounts: Collection[Address], at: int) -> None:
        """Have those looked at that wait for something and that these accounts have a part in."""
        for some in batches(accounts):
            mine = select(escrow_people.c.escrow).where(escrow_people.c.account.in_(some))
            waiting = (escrows.c.reason != "") & escrows.c.escrow.in_(mine)
            conn.execute(update(escrows).where(waiting).values(wake_at=at))

    def wake_waiting_escrows(self, conn: Connection, at: int) -> None:
        """Have all looked at that wait for something: a fact changed that concerns many."""
        open_ = escrows.c.status.in_([EscrowStatus.SIGNED.value, EscrowStatus.OPEN.value])
        conn.execute(update(escrows).where(open_).values(wake_at=at))

    def next_escrow_wake(self, conn: Connection) -> int | None:
        """The earliest instant at which one is to be looked at."""
        found: int | None = conn.execute(
            select(func.min(escrows.c.wake_at)).where(AWAKE, escrows.c.transaction_id.is_(None))
        ).scalar_one_or_none()
        return found

    def escrow_of_transaction(self, conn: Connection, transaction_id: int) -> EscrowRow | None:
        """The escrow whose act a transaction carries."""
        row = conn.execute(
            select(escrows).where(SENT, escrows.c.transaction_id == transaction_id)
        ).one_or_none()
        return None if row is None else _escrow(row)


def _state(row: EscrowRow) -> dict[str, Any]:
    return {
        "status": row.status.value,
        "reason": row.reason,
        "wake_at": row.wake_at,
        "transaction_id": row.transaction_id,
        "version": row.version,
        "updated_at": row.updated_at,
    }


def _escrow(row: Row[Any]) -> EscrowRow:
    return EscrowRow(
        escrow=EscrowId(row.escrow),
        terms=terms_from_json(json.loads(row.terms)),
        text=row.text,
        status=EscrowStatus(row.status),
        proposed_by=Lei(row.proposed_by),
        reason=row.reason,
        wake_at=row.wake_at,
        transaction_id=row.transaction_id,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def _message(row: Row[Any]) -> MessageRow:
    return MessageRow(
        escrow=EscrowId(row.escrow),
        milestone=row.milestone,
        kind=MessageKind(row.kind),
        author=row.author,
        place=row.place,
        content=json.loads(row.content),
        created_at=row.created_at,
    )
