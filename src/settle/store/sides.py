"""Sides of trades as they were submitted."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    bindparam,
    select,
    update,
)

from settle.domain.ids import TradeId
from settle.services.trade_rows import SideRow, SideState
from settle.store.bulk import BulkStatement
from settle.store.columns import batches
from settle.store.tables import OPEN_SIDE, sides
from settle.store.texts import side_of, side_text, terms_of, terms_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from settle.domain.ids import Lei


_ADD: Final = BulkStatement.inserting(sides)
_SET_STATE: Final = BulkStatement.of(
    update(sides).where(sides.c.side_id == bindparam("key")).values(state=bindparam("new_state"))
)


class Sides:
    """The port `SideStore`."""

    def sides_by_reference(
        self, conn: Connection, lei: Lei, references: Collection[str]
    ) -> Mapping[str, SideRow]:
        """Sides of a participant by its own references."""
        found: dict[str, SideRow] = {}
        for some in batches(references):
            statement = select(sides).where(sides.c.lei == lei, sides.c.reference.in_(some))
            found |= {row.reference: _side(row) for row in conn.execute(statement)}
        return found

    def sides_to_match(
        self, conn: Connection, equal_keys: Collection[bytes], *, besides: Lei, limit: int
    ) -> Sequence[SideRow]:
        """Open sides of others with one of these keys, oldest first."""
        return _open(conn, sides.c.equal_key.in_(equal_keys), besides, limit)

    def sides_nearby(
        self,
        conn: Connection,
        *,
        reference_keys: Collection[bytes],
        security_keys: Collection[bytes],
        bare_security_keys: Collection[bytes],
        besides: Lei,
        limit: int,
    ) -> Sequence[SideRow]:
        """Open sides of others that may mean the same trade, oldest first."""
        columns = sides.c
        bare = columns.reference_key.is_(None)
        # One statement for each index: SQLite reads the whole table for the three in one.
        found: dict[str, SideRow] = {}
        for condition, keys in (
            (columns.reference_key.in_(reference_keys), reference_keys),
            (columns.security_key.in_(security_keys), security_keys),
            (and_(columns.security_key.in_(bare_security_keys), bare), bare_security_keys),
        ):
            if keys:
                rows = _open(conn, condition, besides, limit)
                found |= {row.side.side_id: row for row in rows}
        return [found[number] for number in sorted(found)[:limit]]

    def sides_of(
        self, conn: Connection, trade_ids: Collection[TradeId]
    ) -> Mapping[TradeId, Sequence[SideRow]]:
        """Sides by trade, oldest first."""
        found: dict[TradeId, list[SideRow]] = defaultdict(list)
        for some in batches(trade_ids):
            statement = select(sides).where(sides.c.trade_id.in_(some)).order_by(sides.c.side_id)
            for row in conn.execute(statement).all():
                found[TradeId(row.trade_id)].append(_side(row))
        return dict(found)

    def add_sides(self, conn: Connection, rows: Sequence[SideRow]) -> None:
        """Write new sides."""
        _ADD.run(conn, [_columns(row) for row in rows])

    def set_side_states(self, conn: Connection, rows: Sequence[SideRow]) -> None:
        """Write the state of sides."""
        _SET_STATE.run(
            conn, [{"key": row.side.side_id, "new_state": row.state.value} for row in rows]
        )

    def end_sides(self, conn: Connection, trade_ids: Collection[TradeId]) -> None:
        """Let the sides of these trades match no more."""
        for some in batches(trade_ids):
            conn.execute(
                update(sides).where(sides.c.trade_id.in_(some)).values(state=SideState.ENDED.value)
            )


def _open(
    conn: Connection, condition: ColumnElement[bool], besides: Lei, limit: int
) -> list[SideRow]:
    statement = (
        select(sides)
        .where(OPEN_SIDE, condition, sides.c.lei != besides)
        .order_by(sides.c.side_id)
        .limit(limit)
    )
    return [_side(row) for row in conn.execute(statement).all()]


def _columns(row: SideRow) -> dict[str, Any]:
    return {
        "side_id": row.side.side_id,
        "trade_id": row.trade_id,
        "lei": row.side.submitted_by,
        "reference": row.side.reference,
        "state": row.state.value,
        "equal_key": row.equal_key,
        "reference_key": row.reference_key,
        "security_key": row.security_key,
        "fields": side_text(row.side),
        "instruction": terms_text(row.presigned),
        "received_at": row.side.received_at,
    }


def _side(row: Row[Any]) -> SideRow:
    return SideRow(
        side=side_of(row.fields),
        trade_id=TradeId(row.trade_id),
        state=SideState(row.state),
        equal_key=row.equal_key,
        reference_key=row.reference_key,
        security_key=row.security_key,
        presigned=terms_of(row.instruction),
    )
