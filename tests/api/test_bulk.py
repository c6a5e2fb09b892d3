"""Five hundred at a time: one transaction, a handful of statements, every answer in its place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, event

from settle.chain.eip712 import sign
from settle.store.database import Database
from tests.api.world import World

MANY = 500


@contextmanager
def counted(database: Database) -> Iterator[dict[str, int]]:
    """Count writing transactions and the statements of all."""
    found = {"transactions": 0, "statements": 0}
    engine = database._engine

    def begun(connection: Connection) -> None:
        if connection.get_execution_options().get("settle_writes"):
            found["transactions"] += 1

    def executed(*_: object) -> None:
        found["statements"] += 1

    event.listen(engine, "begin", begun)
    event.listen(engine, "before_cursor_execute", executed)
    try:
        yield found
    finally:
        event.remove(engine, "begin", begun)
        event.remove(engine, "before_cursor_execute", executed)


def test_a_bulk_request_is_one_transaction_whatever_its_size(any_world: World) -> None:
    world = any_world
    world.get(world.a, "/v1/assets")
    made = {}
    for party, other, delivers in ((world.a, world.b, True), (world.b, world.a, False)):
        sides = [
            world.side(party, other, delivers=delivers, common_reference=f"C-{number}")
            for number in range(MANY)
        ]
        with counted(world.database) as found:
            answer = world.post(party, "/v1/trades/batch", {"trades": sides})
        assert answer.status_code == 200, answer.text
        assert found["transactions"] == 2  # the nonce of the request; all the rest
        assert found["statements"] < 80
        results = answer.json()["results"]
        assert [one["reference"] for one in results] == [side["reference"] for side in sides]
        made[party.name] = results
    assert {one["status"] for one in made["bravo"]} == {"Matched"}
    digests = [one["digest"] for one in made["bravo"]]
    for party, status in ((world.a, "Matched"), (world.b, "Affirmed")):
        signatures = [
            {"digest": one, "signature": "0x" + sign(bytes.fromhex(one[2:]), party.key).hex()}
            for one in digests
        ]
        with counted(world.database) as found:
            answer = world.post(party, "/v1/instructions/signatures", {"signatures": signatures})
        assert answer.status_code == 200, answer.text
        assert found["transactions"] == 2
        assert found["statements"] < 80
        assert {one["status"] for one in answer.json()["results"]} == {status}
        assert [one["digest"] for one in answer.json()["results"]] == digests


def test_a_page_of_many_trades_is_a_handful_of_statements(world: World) -> None:
    sides = [world.side(world.a, world.b, delivers=True) for _ in range(MANY)]
    world.post(world.a, "/v1/trades/batch", {"trades": sides})
    with counted(world.database) as found:
        page = world.get(world.a, "/v1/trades?limit=500").json()
    assert len(page["trades"]) == MANY
    assert page["next_cursor"] is None
    assert found["statements"] < 40


def test_nonces_of_requests_that_come_together_share_a_transaction(world: World) -> None:
    from concurrent.futures import ThreadPoolExecutor

    from settle.api.nonce_book import NonceBook

    book = NonceBook(world.database, world.store)
    assert world.a.lei is not None
    lei = world.a.lei
    with counted(world.database) as found, ThreadPoolExecutor(16) as pool:
        nonces = [f"{number % 40:032x}" for number in range(80)]
        fresh = list(pool.map(lambda nonce: book.use(lei, nonce, world.now + 60), nonces))
    assert fresh.count(True) == 40
    assert found["transactions"] < 80
