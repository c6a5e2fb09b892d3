"""A trade all the way: submitted by both, matched, signed, settled, final, told."""

from __future__ import annotations

import json

from settle.domain.status import Status
from settle.services.trade_rows import Queue
from tests.support.trade_sides import LEI_A, LEI_B, LEI_C
from tests.support.venue_world import ACCOUNTS, World


def test_a_trade_goes_all_the_way(world_on_both: World) -> None:
    world = world_on_both
    ours, theirs = world.pair()
    [first] = world.submit(ours)
    assert first.trade.status is Status.UNMATCHED
    [second] = world.submit(theirs)
    assert second.trade.trade_id == first.trade.trade_id
    assert second.trade.status is Status.MATCHED
    trade = second.trade
    assert trade.instruction is not None
    assert trade.instruction.initiator == ACCOUNTS[LEI_A]
    [half] = world.sign(trade, LEI_B)
    assert (half.accepted, half.trade.status) == (True, Status.MATCHED)
    [whole] = world.sign(trade, LEI_A)
    assert (whole.trade.status, whole.trade.queue) == (Status.AFFIRMED, Queue.READY)
    step = world.step()
    assert (step.sent, step.parked, len(step.transactions)) == (1, 0, 1)
    assert world.row(trade).queue is Queue.SENT
    assert world.step().sent == 0  # what is in flight is not chosen twice
    world.mine(final=False)
    assert (world.row(trade).status, world.row(trade).queue) == (Status.AFFIRMED, Queue.SEEN)
    world.mine()
    settled = world.row(trade)
    assert (settled.status, settled.queue, settled.ended_block) == (Status.SETTLED, None, 2)
    assert settled.settled_tx == (1).to_bytes(32, "big")
    kinds = ["received", "matched", "signed", "affirmed", "seen", "settled"]
    assert [event.kind for event in world.told(LEI_A)] == [f"trade.{kind}" for kind in kinds]
    assert [event.number for event in world.told(LEI_B)] == [1, 2, 3, 4, 5, 6]
    assert world.told(LEI_C) == []
    last = json.loads(world.told(LEI_B)[-1].payload)
    assert last["status"] == "Settled"
    assert last["transaction"] == "0x" + (1).to_bytes(32, "big").hex()


def test_with_finality_at_insertion_nothing_is_told_twice(world: World) -> None:
    trade = world.affirm()
    world.settle()
    assert world.kinds(trade)[-2:] == ["trade.affirmed", "trade.settled"]


def test_many_sides_are_a_handful_of_statements(world: World) -> None:
    """The number of statements does not grow with the number of sides."""
    from sqlalchemy import event

    statements: list[str] = []
    engine = world.database._engine
    event.listen(engine, "before_cursor_execute", lambda _c, _cur, sql, *_: statements.append(sql))
    counts = []
    for size in (3, 300):
        pairs = [world.pair() for _ in range(size)]
        for sides in zip(*pairs, strict=True):
            statements.clear()
            world.submit(*sides)
            counts.append(len(statements))
    assert counts[:2] == counts[2:]
    assert max(counts) < 30
