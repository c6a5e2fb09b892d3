from __future__ import annotations

import dataclasses
import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from chain_engines import mine
from chain_following import Following
from chain_market import ACCOUNTS, EURO, NAMES, SHARES, Market, build_market
from sqlalchemy import text

from settle.chain.direct import Order
from settle.chain.engine import RunningEngine
from settle.chain.follower import SUBJECT
from settle.chain.log_rows import LogReader
from settle.domain.books import fold
from settle.domain.errors import Broken, Refused
from settle.domain.ledger import AssetClass

SEEDS = int(os.environ.get("SETTLE_REORG_SEEDS", "6"))


@pytest.fixture(scope="module")
def market(engine: RunningEngine) -> Market:
    made = build_market(engine)
    made.issue("ALPHA", SHARES, 1_000_000)
    made.issue("BRAVO", EURO, 1_000_000_000)
    mine(made.node, 8)  # deeper than any test turns the chain
    return made


@pytest.fixture
def following(market: Market, tmp_path: Path) -> Iterator[Following]:
    made = Following(market, tmp_path / "warm", depth=3)
    yield made
    made.close()
    mine(market.node, 8)


def settle(market: Market, *trades: tuple[str, str, int, int]) -> bytes:
    """Settle trades in one batch; the id of the last."""
    requests = []
    for seller, buyer, shares, cents in trades:
        instruction = market.trade(seller, buyer, shares, cents)
        requests.append((instruction, market.signatures(instruction)))
    market.direct.send(
        Order(
            to=market.deployment.settlement,
            data=market.settlement.settle_many(requests),
            gas=2_000_000,
            what="batch",
        )
    )
    return market.settlement.instruction_id(market.node, requests[-1][0], market.node.head().number)


def cold(following: Following, path: Path) -> dict[str, list[tuple[object, ...]]]:
    other = Following(following.market, path, depth=following.profile.finality_depth)
    other.catch_up()
    tables = other.tables()
    other.close()
    return tables


def test_derived_rows_are_what_the_contract_has(following: Following) -> None:
    market = following.market
    settle(market, ("ALPHA", "BRAVO", 10, 5_000), ("ALPHA", "BRAVO", 7, 300))
    following.catch_up()
    block = market.node.head().number
    with following.database.reading() as conn:
        rows = conn.execute(text("SELECT account, asset FROM holdings")).all()
    assert len(rows) >= 4
    tables = following.tables()
    keys = [(bytes(account), int(asset)) for account, asset in rows]
    wanted = market.settlement.holdings(market.node, keys, block)
    stored = [(int(r[2]), int(r[3])) for r in sorted(tables["holdings"])]  # type: ignore[call-overload]
    got = {k: (h.available, h.held) for k, h in zip(keys, wanted, strict=True)}
    assert stored == [got[k] for k in sorted(got)]
    assets = market.settlement.assets(market.node, block)
    assert {int(r[0]): int(r[1]) for r in tables["supplies"]} == {  # type: ignore[call-overload]
        number: asset.total_supply for number, asset in assets.items() if asset.total_supply
    }
    assert [r[3] for r in tables["assets"]] == ["DE0007164600", "DE0001102580", "EUR"]
    assert tables["assets"][2][1] == int(AssetClass.CENTRAL_BANK_MONEY)
    accounts = {bytes(r[0]): r[1:] for r in tables["chain_accounts"]}  # type: ignore[arg-type]
    assert set(accounts) == {bytes(a) for a in ACCOUNTS.values()}
    assert {r[1] for r in tables["outcomes"]} == {"settled"}


def test_the_stored_events_fold_into_the_same_books(following: Following) -> None:
    settle(following.market, ("ALPHA", "BRAVO", 3, 100))
    following.catch_up()
    with following.database.reading() as conn:
        rows = following.store.logs(conn, 0, 10**9)
    books = fold(LogReader().events(rows))
    tables = following.tables()
    assert {
        (bytes(account), int(asset)): (holding.available, holding.held)
        for (account, asset), holding in books.holdings.items()
    } == {(bytes(r[0]), int(r[1])): (int(r[2]), int(r[3])) for r in tables["holdings"]}  # type: ignore[arg-type, call-overload]


def test_freezes_are_kept_beside_standing(following: Following) -> None:
    market = following.market
    market.desk.perform(
        [
            market.desk.freeze_account(ACCOUNTS["CHARLIE"], b"FRAU"),
            market.desk.freeze_asset(2, b"COAC"),
        ]
    )
    following.catch_up()
    with following.database.reading() as conn:
        account = following.store.account_row(conn, ACCOUNTS["CHARLIE"])
        asset = following.store.asset_row(conn, 2)
    assert account is not None
    assert (account.frozen, account.standing) == (True, 1)
    assert asset is not None
    assert asset.frozen
    assert asset.code == "DE0001102580"
    market.desk.perform(
        [
            market.desk.freeze_account(ACCOUNTS["CHARLIE"], b"FRAU", frozen=False),
            market.desk.freeze_asset(2, b"COAC", frozen=False),
        ]
    )
    following.catch_up()
    with following.database.reading() as conn:
        account = following.store.account_row(conn, ACCOUNTS["CHARLIE"])
    assert account is not None
    assert not account.frozen


def test_events_become_final_once_and_only_at_their_depth(following: Following) -> None:
    market = following.market
    following.catch_up()
    before = len(following.heard("final"))
    settle(market, ("ALPHA", "BRAVO", 1, 10))
    following.catch_up()
    appeared = following.heard("appeared")
    height = market.node.head().number
    [block] = {row[0] for row in appeared if row[3] == "InstructionSettled"} - {
        row[0] for row in following.heard("final") if row[3] == "InstructionSettled"
    }
    assert isinstance(block, int)
    mine(market.node, block + 2 - height)
    following.catch_up()
    assert len(following.heard("final")) == before
    mine(market.node)
    following.catch_up()
    final = following.heard("final")
    assert len(final) > before
    mine(market.node, 3)
    following.catch_up()
    assert following.heard("final") == following.heard("appeared")


def test_with_finality_at_insertion_events_are_final_at_once(
    market: Market, tmp_path: Path
) -> None:
    following = Following(market, tmp_path / "now", depth=0)
    following.catch_up()
    assert following.heard("final") == following.heard("appeared")
    tables = following.tables()
    assert tables["undo"] == []
    assert all(row[4] for row in tables["blocks"])
    following.close()


def test_ranges_give_what_single_blocks_give(market: Market, tmp_path: Path) -> None:
    wide = Following(market, tmp_path / "wide", depth=2, log_range=500)
    narrow = Following(market, tmp_path / "narrow", depth=2, log_range=1)
    wide.catch_up()
    narrow.catch_up()
    assert wide.tables() == narrow.tables()
    assert wide.heard("final") == narrow.heard("final")
    wide.close()
    narrow.close()


def test_a_reorganisation_in_the_window_leaves_no_trace_but_the_announcement(
    following: Following, tmp_path: Path
) -> None:
    market = following.market
    following.catch_up()
    mine(market.node, 4)
    following.catch_up()
    clean = following.tables()["holdings"]
    settle(market, ("ALPHA", "BRAVO", 11, 1_100))
    following.catch_up()
    dirty = following.tables()["holdings"]
    assert dirty != clean
    depth = 2 if market.engine.profile.finality_depth else 1
    market.node.rpc.call("anvil_rollback", depth)
    mine(market.node, depth)
    step = following.catch_up()
    assert step.retracted == depth
    assert following.tables()["holdings"] == clean
    retracted = following.heard("retracted")
    assert "InstructionSettled" in {row[3] for row in retracted}
    settle(market, ("ALPHA", "BRAVO", 12, 1_200))
    following.catch_up()
    assert following.tables() == cold(following, tmp_path / "cold")


def test_a_shorter_branch_is_noticed_too(following: Following, tmp_path: Path) -> None:
    market = following.market
    mine(market.node, 3)
    following.catch_up()
    market.node.rpc.call("anvil_rollback", 3)
    mine(market.node, 2)
    assert following.catch_up().retracted == 3
    mine(
        market.node
    )  # a cold start counts finality from the newest block, not from the highest ever
    following.catch_up()
    assert following.tables() == cold(following, tmp_path / "cold")


def test_a_node_that_is_a_little_behind_is_waited_for(following: Following) -> None:
    market = following.market
    mine(market.node, 3)
    following.catch_up()
    before = following.tables()
    market.node.rpc.call("anvil_rollback", 2)
    assert following.catch_up().retracted == 0
    assert following.tables() == before
    mine(market.node, 3)
    following.catch_up()


def test_a_reorganisation_beyond_the_window_stops_the_line(following: Following) -> None:
    market = following.market
    mine(market.node, 6)
    follower = following.follower()
    follower.open()
    following.catch_up(follower)
    before = following.tables()
    market.node.rpc.call("anvil_rollback", 5)
    mine(market.node, 6)
    for _ in range(2):
        with pytest.raises(Broken, match="rebuild the database") as caught:
            follower.step()
        assert caught.value.code == "deep_reorganisation"
    assert following.tables() == before
    with following.database.reading() as conn:
        [alarm] = following.store.open_alarms(conn, SUBJECT)
    assert alarm.kind == "deep_reorganisation"
    assert following.heard("retracted") == []
    follower.rebuild()
    following.catch_up(follower)
    assert following.tables() != before


def test_a_node_that_lost_final_blocks_stops_the_line(following: Following) -> None:
    market = following.market
    mine(market.node, 6)
    following.catch_up()
    market.node.rpc.call("anvil_rollback", 5)
    follower = following.follower()
    follower.open()
    with pytest.raises(Broken, match="lost blocks") as caught:
        follower.step()
    assert caught.value.code == "chain_went_back"
    with following.database.reading() as conn:
        assert [a.kind for a in following.store.open_alarms(conn, SUBJECT)] == ["chain_went_back"]


def test_another_chain_is_refused_at_the_start(following: Following) -> None:
    following.catch_up()
    market = following.market
    other = dataclasses.replace(market.deployment, genesis_hash=bytes(32))
    stranger = dataclasses.replace(market, deployment=other)
    following.market = stranger
    with pytest.raises(Broken, match="begins with block"):
        following.follower().open()
    following.market = market


def test_a_database_of_another_chain_is_refused(following: Following) -> None:
    following.catch_up()
    with following.database.transaction() as conn:
        cursor = following.store.cursor(conn)
        assert cursor is not None
        following.store.set_cursor(conn, dataclasses.replace(cursor, genesis_hash=bytes(32)))
    with pytest.raises(Broken, match="belongs to this chain"):
        following.follower().open()


def test_two_followers_of_one_database_do_not_write_twice(following: Following) -> None:
    market = following.market
    following.catch_up()
    mine(market.node)
    second = following.follower()

    def overtaken(step: str) -> None:
        if step == "chain read":
            second.step()

    first = following.follower(overtaken)
    with pytest.raises(Broken, match="two followers"):
        first.step()


class Ended(BaseException):
    pass


def act(market: Market, rng: random.Random) -> None:
    kind = rng.randrange(4)
    if kind == 0:
        market.issue(rng.choice(NAMES), rng.choice([SHARES, EURO]), rng.randint(1, 1_000))
    elif kind == 1:
        frozen = rng.random() < 0.5
        market.desk.perform(
            [market.desk.freeze_account(ACCOUNTS["CHARLIE"], b"FRAU", frozen=frozen)]
        )
    else:
        trades = [
            (*rng.sample(NAMES, 2), rng.randint(1, 50), rng.randint(1, 900))
            for _ in range(rng.randint(1, 4))
        ]
        settle(market, *trades)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_turns_and_ends_the_tables_are_those_of_a_cold_rebuild(
    market: Market, tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    depth = rng.choice([1, 2, 3])
    following = Following(market, tmp_path / "warm", depth=depth, log_range=rng.choice([1, 3, 500]))
    mine(market.node, 5)
    follower = None

    def maybe_end(step: str) -> None:
        if rng.random() < 0.1:
            raise Ended(step)

    for _ in range(25):
        try:
            if follower is None:
                follower = following.follower(maybe_end)
                follower.open()
            for _ in range(rng.randint(0, 4)):
                follower.step()
        except Ended:
            follower = None
        if rng.random() < 0.6:
            act(market, rng)
        if rng.random() < 0.4:
            blocks = rng.randint(1, depth)
            market.node.rpc.call("anvil_rollback", blocks)
            mine(market.node, blocks)
        mine(market.node, rng.choice([0, 1, 1]))
    following.catch_up()
    assert following.tables() == cold(following, tmp_path / "cold")
    final = following.heard("final")
    assert len(final) == len(set(final)), "each event is final once"
    gone = set(following.heard("retracted"))
    assert not gone & set(final), "what was final is never retracted"
    mine(market.node, depth)
    following.catch_up()
    with following.database.reading() as conn:
        stored = following.store.logs(conn, 0, 10**9)
    wanted = [(r.block_number, r.block_hash, r.log_index, r.kind) for r in stored]
    assert following.heard("final") == wanted
    following.close()
    # The market is shared: nobody stays frozen in it.
    market.desk.perform([market.desk.freeze_account(ACCOUNTS["CHARLIE"], b"FRAU", frozen=False)])


def test_a_refused_call_of_a_batch_is_an_event_and_no_loss(following: Following) -> None:
    market = following.market
    instruction = market.trade("CHARLIE", "BRAVO", 10**9, 5)
    with pytest.raises(Refused) as caught:
        market.direct.send(
            Order(
                to=market.deployment.settlement,
                data=market.settlement.settle(instruction, market.signatures(instruction)),
                gas=2_000_000,
                what="settlement",
            )
        )
    [reason] = caught.value.reasons
    assert reason.code == "LACK"
    assert reason.who == ACCOUNTS["CHARLIE"]
    [reasons] = market.settlement.why_not(
        market.node,
        [(instruction, market.signatures(instruction))],
        market.node.head().number,
    )
    assert reason in reasons
    settle(market, ("CHARLIE", "BRAVO", 10**9, 5))
    following.catch_up()
    assert "InstructionNotSettled" in {row[3] for row in following.heard("appeared")}
