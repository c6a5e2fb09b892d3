"""Fifty threads send one request under one key, to two processes' worth of API on one database."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from fastapi.testclient import TestClient

from settle.api.app import create_app
from tests.api.world import BASE, World

THREADS = 50


def at_once(work: Callable[[int], None]) -> None:
    """Run it in all threads; whatever one raises is raised here."""
    faults: list[BaseException] = []
    begin = threading.Barrier(THREADS)

    def run(number: int) -> None:
        begin.wait(30)
        try:
            work(number)
        except BaseException as fault:  # noqa: BLE001  raised in the test
            faults.append(fault)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    if faults:
        raise faults[0]


def patiently(world: World, http: Any, side: dict[str, Any], early: list[Any]) -> Any:
    """Send it as a client does: again while it is under way, signed anew, under the same key."""
    headers, body = world.headers(world.a, "/v1/trades", side, key="one")
    for _ in range(400):
        answer = http.post("/v1/trades", content=body, headers=headers)
        if answer.status_code != 409:
            return answer
        early.append((answer.json()["code"], answer.headers["Retry-After"]))
        time.sleep(0.05)
        headers, body = world.headers(world.a, "/v1/trades", side, key="one")
    raise AssertionError("it is under way for ever")


def test_fifty_at_once_are_one_trade_and_fifty_identical_answers(any_world: World) -> None:
    world = any_world
    side = world.side(world.a, world.b, delivers=True)
    # Two applications that know nothing of each other but the database, as two processes do.
    doors = [world.http, TestClient(create_app(world.context), base_url=BASE)]
    answers: list[Any] = []
    early: list[Any] = []
    at_once(lambda n: answers.append(patiently(world, doors[n % 2], side, early)))
    assert len(answers) == THREADS
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len({(a.headers["ETag"], a.headers["Location"]) for a in answers}) == 1
    assert sum("Idempotency-Replayed" not in answer.headers for answer in answers) == 1
    assert set(early) <= {("request_in_progress", "1")}
    assert len(world.get(world.a, "/v1/trades").json()["trades"]) == 1
    with world.database.reading() as conn:
        assert world.store.last_event(conn, viewer=world.a.lei) == 1


def test_fifty_different_bodies_under_one_key_are_one_trade_and_refusals(any_world: World) -> None:
    world = any_world
    sides = [
        world.side(world.a, world.b, delivers=True, quantity=str(n + 1)) for n in range(THREADS)
    ]
    answers: list[Any] = []
    at_once(lambda n: answers.append(patiently(world, world.http, sides[n], [])))
    told = sorted((answer.status_code, answer.json().get("code")) for answer in answers)
    assert told == [(201, None)] + [(422, "idempotency_key_reused")] * (THREADS - 1)
    assert len(world.get(world.a, "/v1/trades").json()["trades"]) == 1


def test_what_became_of_a_request_is_found_by_its_reference(any_world: World) -> None:
    world = any_world
    side = world.side(world.a, world.b, delivers=True)
    lost = world.post(world.a, "/v1/trades", side, key="one").json()
    with world.database.transaction() as conn:
        assert world.store.forget_keys(conn, world.now + 1) == 1
    found = world.get(world.a, f"/v1/trades?reference={side['reference']}").json()["trades"]
    assert [one["trade_id"] for one in found] == [lost["trade_id"]]
    again = world.post(world.a, "/v1/trades", side, key="another")
    assert (again.status_code, again.json()["repeated"]) == (200, True)
    assert again.json()["trade_id"] == lost["trade_id"]
    for other in (world.b, world.c):
        answer = world.get(other, f"/v1/trades?reference={side['reference']}")
        assert answer.json()["trades"] == []
