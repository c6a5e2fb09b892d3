"""Trades: written whole, found by id, by the digest of their terms, by nonce and by party."""

from __future__ import annotations

from heapq import merge
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    bindparam,
    exists,
    func,
    select,
    true,
    update,
)

from settle.domain.errors import Broken
from settle.domain.ids import InstructionId, TradeId
from settle.domain.status import Status
from settle.store.bulk import BulkStatement
from settle.store.columns import batches
from settle.store.tables import OPEN, UNSETTLED, signatures, trades
from settle.store.trade_columns import nonce_key, opening_of, state_of, terms_columns_of, trade_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from settle.domain.ids import Address, Lei
    from settle.services.trade_rows import TradeRow


def _writes(*names: str) -> dict[str, Any]:
    return {name: bindparam(f"new_{name}") for name in names}


_ADD: Final = BulkStatement.inserting(trades)
_SET_STATE: Final = BulkStatement.of(
    update(trades)
    .where(trades.c.trade_id == bindparam("key"), trades.c.version == bindparam("old_version"))
    .values(
        _writes(
            *("status", "version", "nonce_key", "priority", "differences", "near_trade"),
            *("queue", "wake_at", "batch_id", "batch_cap", "cancel_id", "reasons", "reasons_at"),
            *("updated_at", "ended_at", "ended_block", "settled_tx"),
        )
    )
)
_SET_TERMS: Final = BulkStatement.of(
    update(trades)
    .where(trades.c.trade_id == bindparam("key"))
    .values(
        _writes(
            *("second_side", "initiator", "nonce", "digest", "instruction", "settle_from"),
            *("settle_by", "deadline_at", "value", "deliverer_account", "receiver_account"),
        )
    )
)


class Trades:
    """The port `TradeStore`."""

    def add_trades(self, conn: Connection, rows: Sequence[TradeRow]) -> None:
        """Write new trades."""
        _ADD.run(conn, [opening_of(r) | terms_columns_of(r) | state_of(r) for r in rows])

    def update_trades(self, conn: Connection, rows: Sequence[TradeRow]) -> None:
        """Write all but the terms of trades, whose versions grew by one."""
        written = _SET_STATE.run(
            conn,
            [
                {"key": row.trade_id, "old_version": row.version - 1, **_renamed(state_of(row))}
                for row in rows
            ],
        )
        if written != len(rows):
            raise Broken(f"{len(rows)} trades were to change, {written} had the version expected")

    def set_terms(self, conn: Connection, rows: Sequence[TradeRow]) -> None:
        """Write what a match decides."""
        _SET_TERMS.run(conn, [{"key": r.trade_id, **_renamed(terms_columns_of(r))} for r in rows])

    def trades(self, conn: Connection, ids: Collection[TradeId]) -> Mapping[TradeId, TradeRow]:
        """Trades by id, as far as known."""
        found = _found(conn, trades.c.trade_id, ids)
        return {row.trade_id: row for row in found}

    def trades_by_digest(
        self, conn: Connection, digests: Collection[InstructionId]
    ) -> Mapping[InstructionId, TradeRow]:
        """Trades by the digest of their terms."""
        found = _found(conn, trades.c.digest, digests)
        return {row.digest: row for row in found if row.digest is not None}

    def trades_on_nonces(
        self, conn: Connection, nonces: Collection[tuple[Address, int]]
    ) -> Mapping[tuple[Address, int], TradeId]:
        """Trades that bind these nonces of their initiators."""
        columns = trades.c
        statement = select(columns.initiator, columns.nonce, columns.trade_id)
        found: dict[tuple[Address, int], TradeId] = {}
        for some in batches([nonce_key(*pair) for pair in nonces]):
            for row in conn.execute(statement.where(columns.nonce_key.in_(some))):
                found[row.initiator, row.nonce] = TradeId(row.trade_id)
        return found

    def trades_near(self, conn: Connection, trade_ids: Collection[TradeId]) -> Sequence[TradeRow]:
        """Unmatched trades whose differences are told from one of these."""
        return _found(conn, trades.c.near_trade, trade_ids)

    def list_trades(
        self,
        conn: Connection,
        *,
        viewer: Lei | None,
        statuses: Collection[Status],
        below: TradeId | None,
        limit: int,
    ) -> Sequence[TradeRow]:
        """Newest first, ids below `below`; of one participant or, with None, of all."""
        statement = select(trades).order_by(trades.c.trade_id.desc()).limit(limit)
        if statuses:
            statement = statement.where(trades.c.status.in_([s.value for s in statuses]))
            if Status.SETTLED not in statuses:
                statement = statement.where(UNSETTLED)  # lets the small indexes be used
        if below is not None:
            statement = statement.where(trades.c.trade_id < below)
        of_party = (true(),) if viewer is None else _parties(viewer)
        found = [_read(conn, statement.where(condition)) for condition in of_party]
        newest = merge(*found, key=lambda row: row.trade_id, reverse=True)
        return list(islice(newest, limit))

    def unsigned_trades(
        self, conn: Connection, lei: Lei, *, above: TradeId | None, limit: int
    ) -> Sequence[TradeRow]:
        """Matched trades that lack a consent of this participant, oldest first."""
        statement = (
            select(trades)
            .where(
                UNSETTLED,
                trades.c.status == Status.MATCHED.value,
                trades.c.cancel_id.is_(None),
            )
            .order_by(trades.c.trade_id)
            .limit(limit)
        )
        if above is not None:
            statement = statement.where(trades.c.trade_id > above)
        own = (trades.c.deliverer_account, trades.c.receiver_account)
        found = [
            _read(conn, statement.where(condition, ~_consented(account)))
            for condition, account in zip(_parties(lei), own, strict=True)
        ]
        return list(islice(merge(*found, key=lambda row: row.trade_id), limit))

    def overdue_trades(
        self, conn: Connection, chain_time: int, *, limit: int
    ) -> Sequence[TradeRow]:
        """Open trades whose deadline the chain's time has reached."""
        deadline = trades.c.deadline_at
        due = select(trades).where(OPEN, deadline <= chain_time).order_by(deadline).limit(limit)
        return _read(conn, due)

    def count_unsettled(self, conn: Connection) -> Mapping[Status, int]:
        """How many trades there are in each status but Settled."""
        counted = conn.execute(
            select(trades.c.status, func.count()).where(UNSETTLED).group_by(trades.c.status)
        )
        return {Status(status): number for status, number in counted}


def _renamed(columns: dict[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in columns.items()}


def _parties(lei: Lei) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return trades.c.deliverer_lei == lei, trades.c.receiver_lei == lei


def _consented(account: ColumnElement[Any]) -> ColumnElement[bool]:
    return exists().where(
        signatures.c.digest == trades.c.digest,
        signatures.c.account == account,
    )


def _found(
    conn: Connection, column: ColumnElement[Any], keys: Collection[object]
) -> list[TradeRow]:
    found: list[TradeRow] = []
    for some in batches(keys):
        found += _read(conn, select(trades).where(column.in_(some)))
    return found


def _read(conn: Connection, statement: Select[Any]) -> list[TradeRow]:
    return [trade_of(row) for row in conn.execute(statement).all()]
