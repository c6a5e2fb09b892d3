"""The port FollowerStore, on both databases: what a reorganisation undoes is undone exactly."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from sqlalchemy import select

from settle.services.chain_rows import (
    AccountRow,
    AssetRow,
    BlockRow,
    Cursor,
    HoldingRow,
    LogRow,
    OutcomeRow,
    SupplyRow,
)
from settle.store import derived
from settle.store.chain_tables import SqlFollowerStore
from settle.store.tables_chain import undo

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.services.chain_rows import DerivedRow
    from settle.services.ports import FollowerStore
    from settle.store.database import Database

STORE = SqlFollowerStore()
MOST = 2**128 - 1


def block(number: int, *, final: bool = False) -> BlockRow:
    return BlockRow(
        number=number,
        hash=bytes([number]) * 32,
        parent_hash=bytes([max(0, number - 1)]) * 32,
        timestamp=1_000 + number,
        final=final,
    )


def log(number: int, index: int) -> LogRow:
    return LogRow(
        block_number=number,
        block_hash=bytes([number]) * 32,
        log_index=index,
        transaction_hash=b"\x09" * 32,
        address=b"\x08" * 20,
        topics=b"\x07" * 64,
        data=b"",
        kind="Posted",
    )


def holding(account: int, asset: int, available: int, held: int = 0) -> HoldingRow:
    return HoldingRow(account=bytes([account]) * 20, asset=asset, available=available, held=held)


def books(conn: Connection) -> dict[str, set[tuple[object, ...]]]:
    return {
        kind.name: {tuple(row) for row in conn.execute(select(kind.table))}
        for kind in derived.KINDS
    }


def test_the_store_is_the_port(database: Database) -> None:
    port: FollowerStore = STORE
    with database.reading() as conn:
        assert port.cursor(conn) is None


def test_blocks_and_events_come_back_in_chain_order(database: Database) -> None:
    blocks = [block(n) for n in (1, 2, 3)]
    logs = [log(2, 5), log(2, 0), log(1, 1), log(3, 10)]
    with database.transaction() as conn:
        STORE.add_blocks(conn, blocks, logs)
        STORE.add_blocks(conn, [], [])
    with database.reading() as conn:
        assert STORE.blocks(conn, 2, 9) == blocks[1:]
        assert [(row.block_number, row.log_index) for row in STORE.logs(conn, 1, 2)] == [
            (1, 1),
            (2, 0),
            (2, 5),
        ]
        assert STORE.logs(conn, 3, 3) == [log(3, 10)]


def test_the_cursor_is_one_row(database: Database) -> None:
    for number in (1, 2):
        cursor = Cursor(genesis_hash=b"\x00" * 32, number=number, hash=b"\x01" * 32, final_number=0)
        with database.transaction() as conn:
            STORE.set_cursor(conn, cursor)
            assert STORE.cursor(conn) == cursor


def test_any_128_bit_quantity_is_exact(database: Database) -> None:
    rows = [holding(1, 1, MOST, MOST), holding(2, 2**32 - 1, 2**64 + 1, 2**63)]
    with database.transaction() as conn:
        STORE.put_derived(conn, [*rows, SupplyRow(asset=1, total=MOST)], undo_block=None)
    with database.reading() as conn:
        found = books(conn)
    assert found["holding"] == {(r.account, r.asset, r.available, r.held) for r in rows}
    assert found["supply"] == {(1, MOST)}


def test_every_kind_of_row_is_written_and_overwritten(database: Database) -> None:
    asset = AssetRow(
        asset=3, asset_class=1, decimals=2, code="DE0007164600", issuer=b"\x05" * 20, frozen=False
    )
    account = AccountRow(account=b"\x01" * 20, standing=1, account_class=2, frozen=True)
    outcome = OutcomeRow(
        instruction=b"\x06" * 32,
        outcome="settled",
        initiator=b"\x01" * 20,
        nonce=2**64 - 1,
        block_number=4,
        transaction_hash=b"\x07" * 32,
        log_index=9,
    )
    with database.transaction() as conn:
        rows: list[DerivedRow] = [asset, account, outcome]
        STORE.put_derived(conn, iter(rows), undo_block=4)
        assert STORE.asset_row(conn, 3) == asset
        assert STORE.account_row(conn, b"\x01" * 20) == account
        assert STORE.asset_row(conn, 4) is None
        assert STORE.account_row(conn, b"\x02" * 20) is None
        thawed = AccountRow(account=b"\x01" * 20, standing=2, account_class=2, frozen=False)
        STORE.put_derived(conn, [account, thawed], undo_block=5)
        assert STORE.account_row(conn, b"\x01" * 20) == thawed
        STORE.remove_blocks(conn, 5)
        assert STORE.account_row(conn, b"\x01" * 20) == account
        STORE.remove_blocks(conn, 4)
        assert all(not rows for rows in books(conn).values())


def test_removing_blocks_gives_the_books_of_the_block_before(database: Database) -> None:
    """A random history of 12 blocks; each depth of reorganisation gives exactly the older books."""
    chance = random.Random(7)
    history: list[dict[str, set[tuple[object, ...]]]] = []
    with database.transaction() as conn:
        for number in range(12):
            history.append(books(conn))
            STORE.add_blocks(conn, [block(number)], [log(number, 0)])
            for _ in range(2):  # two writes in one block: only the first image counts
                rows: list[DerivedRow] = [
                    holding(chance.randrange(4), chance.randrange(3), chance.randrange(MOST))
                    for _ in range(4)
                ]
                rows.append(SupplyRow(asset=chance.randrange(3), total=chance.randrange(MOST)))
                STORE.put_derived(conn, rows, undo_block=number)
        for first in (11, 9, 8, 4, 0):
            STORE.remove_blocks(conn, first)
            assert books(conn) == history[first]
            assert STORE.blocks(conn, first, 99) == []
            assert STORE.logs(conn, first, 99) == []
        assert conn.execute(select(undo)).all() == []


def test_what_is_final_keeps_no_images(database: Database) -> None:
    with database.transaction() as conn:
        for number in (1, 2, 3):
            STORE.add_blocks(conn, [block(number)], [])
            STORE.put_derived(conn, [holding(1, 1, number)], undo_block=number)
        STORE.mark_final(conn, 2)
        assert [row.final for row in STORE.blocks(conn, 1, 3)] == [True, True, False]
        assert conn.execute(select(undo.c.block_number)).scalars().all() == [3]
        STORE.remove_blocks(conn, 3)
        assert books(conn)["holding"] == {(b"\x01" * 20, 1, 2, 0)}


def test_more_keys_than_a_query_takes(database: Database) -> None:
    rows = [
        HoldingRow(account=n.to_bytes(20, "big"), asset=n % 7, available=n, held=0)
        for n in range(2_500)
    ]
    with database.transaction() as conn:
        STORE.put_derived(conn, rows, undo_block=1)
        STORE.put_derived(conn, rows, undo_block=2)
        STORE.remove_blocks(conn, 2)
        assert len(books(conn)["holding"]) == 2_500
        STORE.remove_blocks(conn, 1)
        assert not books(conn)["holding"]


def test_forgetting_the_chain_leaves_nothing_derived(database: Database) -> None:
    with database.transaction() as conn:
        STORE.add_blocks(conn, [block(1)], [log(1, 0)])
        STORE.put_derived(conn, [holding(1, 1, 5)], undo_block=1)
        cursor = Cursor(genesis_hash=b"\x00" * 32, number=1, hash=b"\x01" * 32, final_number=0)
        STORE.set_cursor(conn, cursor)
        STORE.forget_chain(conn)
        assert STORE.cursor(conn) is None
        assert STORE.blocks(conn, 0, 9) == []
        assert all(not rows for rows in books(conn).values())
