"""What the follower keeps: blocks, raw events, the cursor, and the rows derived from them.

Derived rows of blocks that are not final yet can be put back: the first image that a block
overwrites is kept under the block's number until it is final.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, delete, select, update

from settle.services.chain_rows import (
    AccountRow,
    AssetRow,
    BlockRow,
    Cursor,
    EscrowStateRow,
    LogRow,
)
from settle.store import derived
from settle.store.alarms import Alarms
from settle.store.bulk import BulkStatement
from settle.store.columns import batches, upsert, upsert_in
from settle.store.tables_chain import (
    UNFINAL,
    assets,
    chain_accounts,
    chain_events,
    escrow_states,
    undo,
)
from settle.store.tables_chain import blocks as block_table
from settle.store.tables_chain import cursor as cursor_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from settle.services.chain_rows import DerivedRow

_ONLY: Final = 1
_ADD_BLOCKS: Final = BulkStatement.inserting(block_table)
_ADD_LOGS: Final = BulkStatement.inserting(chain_events)
_ADD_IMAGES: Final = BulkStatement(
    lambda dialect: upsert_in(dialect, undo).on_conflict_do_nothing(),
    [column.name for column in undo.columns],
)


class FollowedChain:
    """Blocks, raw events and the cursor: the port `ChainStore`."""

    def cursor(self, conn: Connection) -> Cursor | None:
        """How far the chain was read. None before the first block."""
        row = conn.execute(select(cursor_table)).one_or_none()
        if row is None:
            return None
        return Cursor(
            genesis_hash=row.genesis_hash,
            number=row.number,
            hash=row.hash,
            final_number=row.final_number,
        )

    def set_cursor(self, conn: Connection, cursor: Cursor) -> None:
        """Write it, in the transaction that wrote what it stands for."""
        values = {
            "genesis_hash": cursor.genesis_hash,
            "number": cursor.number,
            "hash": cursor.hash,
            "final_number": cursor.final_number,
        }
        statement = upsert(conn, cursor_table).values(id=_ONLY, **values)
        conn.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))

    def blocks(self, conn: Connection, first: int, last: int) -> Sequence[BlockRow]:
        """Blocks first..last as far as stored, ascending."""
        found = conn.execute(
            select(block_table)
            .where(block_table.c.number.between(first, last))
            .order_by(block_table.c.number)
        )
        return [
            BlockRow(
                number=row.number,
                hash=row.hash,
                parent_hash=row.parent_hash,
                timestamp=row.timestamp,
                final=row.final,
            )
            for row in found
        ]

    def logs(self, conn: Connection, first: int, last: int) -> Sequence[LogRow]:
        """Events of blocks first..last in chain order."""
        number = chain_events.c.block_number
        found = conn.execute(
            select(chain_events)
            .where(number.between(first, last))
            .order_by(number, chain_events.c.log_index)
        ).all()
        return [
            LogRow(
                block_number=row.block_number,
                block_hash=row.block_hash,
                log_index=row.log_index,
                transaction_hash=row.transaction_hash,
                address=row.address,
                topics=row.topics,
                data=row.data,
                kind=row.kind,
            )
            for row in found
        ]

    def add_blocks(
        self, conn: Connection, blocks: Sequence[BlockRow], logs: Sequence[LogRow]
    ) -> None:
        """Write blocks with their events."""
        _ADD_BLOCKS.run(
            conn,
            [
                {
                    "number": block.number,
                    "hash": block.hash,
                    "parent_hash": block.parent_hash,
                    "timestamp": block.timestamp,
                    "final": block.final,
                }
                for block in blocks
            ],
        )
        _ADD_LOGS.run(
            conn,
            [
                {
                    "block_number": log.block_number,
                    "log_index": log.log_index,
                    "block_hash": log.block_hash,
                    "transaction_hash": log.transaction_hash,
                    "address": log.address,
                    "topics": log.topics,
                    "data": log.data,
                    "kind": log.kind,
                }
                for log in logs
            ],
        )

    def mark_final(self, conn: Connection, through: int) -> None:
        """Set the flag on blocks up to and including `through`, drop their before-images."""
        conn.execute(
            update(block_table).where(UNFINAL, block_table.c.number <= through).values(final=True)
        )
        conn.execute(delete(undo).where(undo.c.block_number <= through))

    def remove_blocks(self, conn: Connection, first: int) -> None:
        """Delete blocks >= first with their events; put derived rows back as they were before."""
        images = conn.execute(
            select(undo).where(undo.c.block_number >= first).order_by(undo.c.block_number.desc())
        ).all()
        # The oldest image of a key is the last one applied, so only that one need be written.
        oldest = {(row.kind, row.key): row.before for row in images}
        for kind in derived.KINDS:
            mine = {key: before for (name, key), before in oldest.items() if name == kind.name}
            gone = [kind.key_values(key) for key, before in mine.items() if before is None]
            if gone:
                conn.execute(kind.deletion(), gone)
            back = [kind.read(before) for before in mine.values() if before is not None]
            _PUT[kind.name].run(conn, back)
        conn.execute(delete(undo).where(undo.c.block_number >= first))
        conn.execute(delete(chain_events).where(chain_events.c.block_number >= first))
        conn.execute(delete(block_table).where(block_table.c.number >= first))

    def forget_chain(self, conn: Connection) -> None:
        """Delete blocks, events, derived rows and the cursor: the start of a rebuild."""
        for table in (
            undo,
            chain_events,
            block_table,
            cursor_table,
            *(kind.table for kind in derived.KINDS),
        ):
            conn.execute(delete(table))


class DerivedRows:
    """What is folded from the events: the port `DerivedStore`."""

    def put_derived(
        self, conn: Connection, rows: Iterable[DerivedRow], *, undo_block: int | None
    ) -> None:
        """Insert or overwrite derived rows by key; of one key given twice the last counts."""
        by_kind: dict[str, dict[str, dict[str, Any]]] = {}
        for row in rows:
            kind = derived.kind_of(row)
            values = kind.values(row)
            by_kind.setdefault(kind.name, {})[kind.key(values)] = values
        for kind in derived.KINDS:
            mine = by_kind.get(kind.name)
            if not mine:
                continue
            if undo_block is not None:
                _keep_images(conn, kind, mine, undo_block)
            _PUT[kind.name].run(conn, list(mine.values()))

    def account_row(self, conn: Connection, account: bytes) -> AccountRow | None:
        """The derived row of an account."""
        row = conn.execute(
            select(chain_accounts).where(chain_accounts.c.account == account)
        ).one_or_none()
        return None if row is None else derived.account_row(row)

    def escrow_row(self, conn: Connection, escrow: bytes) -> EscrowStateRow | None:
        """The derived row of an escrow."""
        row = conn.execute(
            select(escrow_states).where(escrow_states.c.escrow == escrow)
        ).one_or_none()
        return None if row is None else derived.escrow_row(row)

    def asset_row(self, conn: Connection, asset: int) -> AssetRow | None:
        """The derived row of an asset."""
        row = conn.execute(select(assets).where(assets.c.asset == asset)).one_or_none()
        return None if row is None else derived.asset_row(row)


class SqlFollowerStore(FollowedChain, DerivedRows, Alarms):
    """All that the follower writes: the port `FollowerStore`."""


def _writing(kind: derived.Kind) -> BulkStatement:
    """Insert or overwrite rows of a derived table."""

    def statement(dialect: str) -> Any:  # noqa: ANN401  one of two dialects' Insert
        insertion = upsert_in(dialect, kind.table)
        fresh = {name: insertion.excluded[name] for name in kind.changing}
        return insertion.on_conflict_do_update(index_elements=list(kind.keys), set_=fresh)

    return BulkStatement(statement, [column.name for column in kind.table.columns])


_PUT: Final = {kind.name: _writing(kind) for kind in derived.KINDS}


def _keep_images(
    conn: Connection, kind: derived.Kind, rows: dict[str, dict[str, Any]], block: int
) -> None:
    present = {}
    for some in batches(rows.values()):
        for values in map(dict, conn.execute(kind.selection(some)).mappings()):
            present[kind.key(values)] = kind.write(values)
    _ADD_IMAGES.run(
        conn,
        [
            {"block_number": block, "kind": kind.name, "key": key, "before": present.get(key)}
            for key in rows
        ],
    )
