"""Events come in order, without a gap, to those whom they concern; and they are waited for."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

from settle.domain.reasons import Reason
from settle.domain.status import Obstructed
from settle.services.changes import Changes
from tests.api.world import Party, World


def events(world: World, party: Party, **headers: str) -> list[dict[str, Any]]:
    """What is there now: the stream is cut at its end."""
    found: list[dict[str, Any]] = []
    target = "/v1/events"
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    sent["Authorization"] = world.sign(party, "GET", target)
    with world.database.reading() as conn:
        last = world.store.last_event(conn, viewer=party.lei)
    begin = int(sent.get("Last-Event-ID", 0))
    stop = threading.Timer(0.5, world.watch.stop)
    stop.start()
    answer = world.http.get(target, headers=sent)
    stop.join()
    world.watch.stopping = False
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/event-stream")
    for block in answer.text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
        if "data" in lines:
            data = json.loads(lines["data"])
            assert lines["id"] == str(data["number"])
            assert lines["event"] == data["kind"]
            found.append(data)
    assert [one["number"] for one in found] == list(range(begin + 1, last + 1))
    return found


def test_each_gets_the_events_of_its_own_trades_numbered_without_a_gap(any_world: World) -> None:
    world = any_world
    world.affirmed()
    world.submit(world.b, world.c, delivers=True)
    of_a, of_b, of_c = (events(world, party) for party in (world.a, world.b, world.c))
    assert [one["kind"] for one in of_a] == [
        "trade.received",
        "trade.matched",
        "trade.signed",
        "trade.affirmed",
    ]
    assert [one["kind"] for one in of_b] == [*(one["kind"] for one in of_a), "trade.received"]
    assert [one["kind"] for one in of_c] == ["trade.received"]
    everything = events(world, world.auditor)
    assert [one["number"] for one in everything] == [1, 2, 3, 4, 5]


def test_a_stream_goes_on_behind_the_last_event_seen(world: World) -> None:
    world.affirmed()
    assert [one["number"] for one in events(world, world.a, Last_Event_ID="2")] == [3, 4]
    ahead = world.get(world.a, "/v1/events", Last_Event_ID="99")
    assert (ahead.status_code, ahead.json()["code"]) == (409, "event_unknown")
    for wrong in ("-1", "abc", "1.5"):
        assert world.get(world.a, "/v1/events", Last_Event_ID=wrong).status_code == 422


def test_an_event_does_not_tell_what_another_has(world: World) -> None:
    made = world.affirmed()
    short = Reason(code="LACK", leg=0, who=world.a.account, needed=500, have=123_456)
    with world.database.transaction() as conn:
        changes = Changes(world.store.trades(conn, [made["trade_id"]]).values())
        changes.change(made["trade_id"], Obstructed(at=world.now, reasons=(short,)))
        changes.save(world.store, conn)
    assert events(world, world.a)[-1]["payload"]["reasons"][0]["have"] == "123456"
    assert events(world, world.b)[-1]["payload"]["reasons"][0]["have"] is None
    assert events(world, world.operator)[-1]["payload"]["reasons"][0]["have"] == "123456"


def test_an_answer_waits_until_the_trade_is_final(world: World) -> None:
    made = world.affirmed()
    path = f"/v1/trades/{made['trade_id']}"
    timer = threading.Timer(0.5, world.settle, [made["trade_id"]])
    timer.start()
    began = time.monotonic()
    answer = world.get(world.a, path, Prefer="respond-async, wait=20")
    took_s = time.monotonic() - began
    timer.join()
    assert answer.json()["status"] == "Settled"
    assert answer.json()["ended_block"] == 7
    assert answer.headers["Preference-Applied"] == "wait=20"
    assert 0.4 < took_s < 10


def test_an_answer_that_waited_long_enough_comes_as_things_are(world: World) -> None:
    made = world.affirmed()
    began = time.monotonic()
    answer = world.get(world.a, f"/v1/trades/{made['trade_id']}", Prefer="wait=1")
    assert answer.json()["status"] == "Affirmed"
    assert 0.9 < time.monotonic() - began < 10


def test_a_post_that_waited_is_repeated_with_the_final_answer(world: World) -> None:
    made = world.matched()
    digest = made["digest"]
    from settle.chain.eip712 import sign

    def body(party: Party) -> dict[str, str]:
        return {"signature": "0x" + sign(bytes.fromhex(digest[2:]), party.key).hex()}

    path = f"/v1/instructions/{digest}/signature"
    world.post(world.a, path, body(world.a))
    timer = threading.Timer(0.5, world.settle, [made["trade_id"]])
    timer.start()
    first = world.post(world.b, path, body(world.b), key="one", Prefer="wait=20")
    timer.join()
    assert first.json()["status"] == "Settled"
    again = world.post(world.b, path, body(world.b), key="one")
    assert again.content == first.content


def test_who_waits_lets_go_when_the_server_ends(world: World) -> None:
    made = world.affirmed()
    timer = threading.Timer(0.5, world.watch.stop)
    timer.start()
    began = time.monotonic()
    answer = world.get(world.a, f"/v1/trades/{made['trade_id']}", Prefer="wait=50")
    assert answer.json()["status"] == "Affirmed"
    assert time.monotonic() - began < 10
