"""No statement reads a whole table that grows with history."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from settle.domain.ids import AssetId, InstructionId
from settle.domain.status import Status
from settle.services.chain_rows import BlockRow, HoldingRow
from settle.store.chain_tables import SqlFollowerStore
from settle.store.database import open_database
from settle.store.trading import SqlTradingStore
from settle.store.transactions import SqlSenderStore
from tests.support.trade_rows import event as new_event
from tests.support.trade_rows import number, side, trade
from tests.support.trade_sides import ACCOUNT_A, ACCOUNT_B, LEI_A, LEI_B

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import Connection

TRADING, CHAIN, SENDER = SqlTradingStore(), SqlFollowerStore(), SqlSenderStore()
DIGEST = InstructionId(bytes(32))
HOLDING = HoldingRow(account=ACCOUNT_A, asset=1, available=1, held=0)
OTHER = HoldingRow(account=ACCOUNT_B, asset=2, available=1, held=0)
KEYS = [(ACCOUNT_A, AssetId(1)), (ACCOUNT_B, AssetId(2))]

SMALL = re.compile(
    r"SCAN ("
    r"\d+ CONSTANT ROWS|CONSTANT ROW|cursor|openings|assets|leases|alarms|senders"
    # Indexes that hold nothing but what is open.
    r"|trades USING (COVERING )?INDEX trades_(ready|in_flight|wake|unsettled)"
    # In the order of the index, and cut off.
    r"|trades USING INDEX sqlite_autoindex_trades_1|blocks USING INDEX sqlite_autoindex_blocks_1"
    r")$"
)

CALLS: dict[str, Callable[[Connection], object]] = {
    "sides_by_reference": lambda c: TRADING.sides_by_reference(c, LEI_A, ["x", "y"]),
    "sides_to_match": lambda c: TRADING.sides_to_match(c, [b"x"], besides=LEI_A, limit=9),
    "sides_nearby": lambda c: TRADING.sides_nearby(
        c,
        reference_keys=[b"x"],
        security_keys=[b"y"],
        bare_security_keys=[b"z"],
        besides=LEI_A,
        limit=9,
    ),
    "sides_of": lambda c: TRADING.sides_of(c, [number(1), number(2)]),
    "wallet_signatures": lambda c: TRADING.wallet_signatures(c, [DIGEST, DIGEST]),
    "set_side_states": lambda c: TRADING.set_side_states(c, [side(1)]),
    "end_sides": lambda c: TRADING.end_sides(c, [number(1), number(2)]),
    "trades": lambda c: TRADING.trades(c, [number(1), number(2)]),
    "trades_by_digest": lambda c: TRADING.trades_by_digest(c, [DIGEST, DIGEST]),
    "trades_on_nonces": lambda c: TRADING.trades_on_nonces(c, [(ACCOUNT_A, 1), (ACCOUNT_B, 2)]),
    "trades_near": lambda c: TRADING.trades_near(c, [number(1)]),
    "update_trades": lambda c: TRADING.update_trades(c, [trade(1, version=2)]),
    "set_terms": lambda c: TRADING.set_terms(c, [trade(1)]),
    "unsigned_trades": lambda c: TRADING.unsigned_trades(c, LEI_A, above=None, limit=9),
    "overdue_trades": lambda c: TRADING.overdue_trades(c, 5, limit=9),
    "count_unsettled": TRADING.count_unsettled,
    "signatures": lambda c: TRADING.signatures(c, [DIGEST, DIGEST]),
    "cancellations": lambda c: TRADING.cancellations(c, DIGEST),
    "ready_trades": lambda c: TRADING.ready_trades(c, 9),
    "sent_trades": TRADING.sent_trades,
    "trades_of_batch": lambda c: TRADING.trades_of_batch(c, 1),
    "trade_of_cancellation": lambda c: TRADING.trade_of_cancellation(c, 1),
    "positions": lambda c: TRADING.positions(c, [number(1), number(2)]),
    "move_in_queue": lambda c: TRADING.move_in_queue(c, [trade(1)]),
    "drop_waits": lambda c: TRADING.drop_waits(c, [number(1), number(2)]),
    "wake": lambda c: TRADING.wake(c, holdings=KEYS, facts=["x", "y"]),
    "wake_by_time": lambda c: TRADING.wake_by_time(c, 5),
    "next_wake": TRADING.next_wake,
    "read_events": lambda c: TRADING.read_events(c, viewer=LEI_A, after=5, limit=9),
    "read_all_events": lambda c: TRADING.read_events(c, viewer=None, after=5, limit=9),
    "last_event": lambda c: TRADING.last_event(c, viewer=LEI_A),
    "append_events": lambda c: TRADING.append_events(c, [new_event(1, LEI_A, LEI_B)]),
    "claim_key": lambda c: TRADING.claim_key(c, LEI_A, "k", bytes(32), 1),
    "forget_keys": lambda c: TRADING.forget_keys(c, 1),
    "forget_request_nonces": lambda c: TRADING.forget_request_nonces(c, 1),
    "holdings_at": lambda c: TRADING.holdings_at(c, KEYS),
    "holdings_of": lambda c: TRADING.holdings_of(c, [ACCOUNT_A, ACCOUNT_B]),
    "final_head": TRADING.final_head,
    "followed_to": TRADING.followed_to,
    "owners_of": lambda c: TRADING.owners_of(c, [ACCOUNT_A, ACCOUNT_B]),
    "blocks": lambda c: CHAIN.blocks(c, 1, 2),
    "logs": lambda c: CHAIN.logs(c, 1, 2),
    "mark_final": lambda c: CHAIN.mark_final(c, 1),
    "put_derived": lambda c: CHAIN.put_derived(c, [HOLDING, OTHER], undo_block=2),
    "remove_blocks": lambda c: CHAIN.remove_blocks(c, 1),
    "open_transactions": lambda c: SENDER.open_transactions(c, bytes(20), limit=9),
    "attempts": lambda c: SENDER.attempts(c, [1, 2]),
    "signed_bytes": lambda c: SENDER.signed_bytes(c, [bytes(32), bytes(32)]),
    "call_data": lambda c: SENDER.call_data(c, [1, 2]),
    "note_broadcasts": lambda c: SENDER.note_broadcasts(c, [bytes(32)], 1),
} | {
    f"list {viewer or 'all'} {status or 'any'}": lambda c, v=viewer, s=status: TRADING.list_trades(
        c, viewer=v, statuses=[s] if s else [], below=None, limit=9
    )
    for viewer in (None, LEI_A)
    for status in (None, Status.SETTLED, Status.PENDING)
}


@pytest.mark.parametrize("name", CALLS)
def test_a_statement_finds_its_rows_by_an_index(name: str, tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'db'}")
    statements: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, sql: str, given: Any, *_: object) -> None:
        statements.append((sql, given[0] if isinstance(given, list) else given))

    with database.transaction() as conn:
        TRADING.add_trades(conn, [trade(1), trade(2)])
        CHAIN.add_blocks(
            conn,
            [BlockRow(number=1, hash=bytes(32), parent_hash=bytes(32), timestamp=1, final=False)],
            [],
        )
        CHAIN.put_derived(conn, [HOLDING], undo_block=1)
        event.listen(conn, "before_cursor_execute", note)
        CALLS[name](conn)
        event.remove(conn, "before_cursor_execute", note)
        plans = [
            (row[3], sql)
            for sql, given in statements
            for row in conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", given)
        ]
    database.close()
    assert statements
    scans = [found for found in plans if found[0].startswith("SCAN") and not SMALL.match(found[0])]
    assert not scans


def test_a_scan_would_be_seen() -> None:
    assert not SMALL.match("SCAN trades")
    assert not SMALL.match("SCAN holdings")
    assert not SMALL.match("SCAN sides USING INDEX sqlite_autoindex_sides_1")
