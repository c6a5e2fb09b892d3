"""The sender and the follower over PostgreSQL: what differs is only the database's address."""

from __future__ import annotations

from pathlib import Path

import pytest
from chain_engines import mine
from chain_following import Following
from chain_market import EURO, SHARES, Market, build_market
from chain_sending import COUNTER, Bench

from settle.chain.engine import RunningEngine
from settle.domain.errors import Unavailable
from settle.services.chain_rows import TransactionState


@pytest.fixture(scope="module")
def market(engine: RunningEngine) -> Market:
    made = build_market(engine)
    made.issue("ALPHA", SHARES, 1_000)
    mine(made.node, 5)
    return made


def test_each_call_is_sent_once_and_a_stale_holder_writes_nothing(
    engine: RunningEngine, tmp_path: Path, postgres_database: str
) -> None:
    bench = Bench(engine, tmp_path, url=postgres_database)
    counter = bench.deploy(COUNTER)
    first = bench.sender(holder="far-away/1/1")
    first.start()
    rows = [bench.add(first, counter, slot=i) for i in range(3)]
    first.pump()
    bench.clock.now += 60
    second = bench.sender(holder="far-away/2/1")
    second.start()
    with pytest.raises(Unavailable):
        first.pump()
    for _ in range(8):
        if second.pump().idle:
            break
        mine(bench.node)
    with bench.database.reading() as conn:
        ended = [bench.store.transaction(conn, row.transaction_id) for row in rows]
    assert [row.state for row in ended if row is not None] == [TransactionState.SUCCEEDED] * 3
    assert [bench.count(counter, i) for i in range(3)] == [1, 1, 1]
    bench.close()


def test_a_reorganisation_leaves_what_a_cold_rebuild_finds(
    market: Market, tmp_path: Path, postgres_database: str
) -> None:
    warm = Following(market, tmp_path / "warm", depth=3, url=postgres_database)
    warm.catch_up()
    market.issue("BRAVO", EURO, 77)
    warm.catch_up()
    blocks = 1 + market.engine.profile.finality_depth
    market.node.rpc.call("anvil_rollback", blocks)
    mine(market.node, blocks)
    assert warm.catch_up().retracted == blocks
    market.issue("BRAVO", EURO, 33)
    warm.catch_up()
    cold = Following(market, tmp_path / "cold", depth=3)
    cold.catch_up()
    ours, theirs = warm.tables(), cold.tables()
    for name in ("blocks", "chain_events", "outcomes"):
        assert plain(ours[name]) == plain(theirs[name])
    with warm.database.reading() as one, cold.database.reading() as other:
        for account in {bytes(a) for a, *_ in theirs["chain_accounts"]}:  # type: ignore[arg-type]
            assert warm.store.account_row(one, account) == cold.store.account_row(other, account)
    assert len(ours["holdings"]) == len(theirs["holdings"])
    warm.close()
    cold.close()


def plain(rows: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """Rows as both databases give them: bytes are bytes, true is 1."""
    return [
        tuple(
            bytes(v) if isinstance(v, memoryview) else int(v) if isinstance(v, bool) else v
            for v in row
        )
        for row in rows
    ]
