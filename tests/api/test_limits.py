"""Too much at a time is refused with 429, and nothing of it is accepted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from settle.api import trade_routes
from settle.api.limits import Limits
from settle.domain.errors import Unavailable
from settle.domain.ids import Lei
from settle.settings import ApiSettings
from settle.store.database import open_database
from tests.api.world import World

A, B = Lei("A"), Lei("B")


@pytest.fixture
def narrow(tmp_path: Path) -> Iterator[World]:
    """A venue with small bounds."""
    database = open_database(f"sqlite:///{tmp_path / 'settle.sqlite'}")
    bounds = {
        "requests_per_s": 1,
        "requests_at_once": 8,
        "max_underway": 2,
        "max_streams": 3,
        "max_streams_in_all": 4,
    }
    made = World(database, **bounds)
    with made.http:
        yield made
    database.close()


def limits(at: list[float], **bounds: int) -> Limits:
    told: dict[str, Any] = {"requests_per_s": 2, "requests_at_once": 4, **bounds}
    return Limits(ApiSettings(**told), lambda: at[0])


def test_a_burst_is_taken_and_then_the_rate_alone() -> None:
    at = [100.0]
    bounds = limits(at)
    for left in (3, 2, 1, 0):
        bounds.take(A)
        assert bounds.headers(A)["RateLimit"] == f'"requests";r={left};t={(5 - left) // 2}'
    assert bounds.headers(A)["RateLimit-Policy"] == '"requests";q=4;w=2'
    with pytest.raises(Unavailable) as refusal:
        bounds.take(A)
    assert (refusal.value.code, refusal.value.retry_after_s) == ("rate_limited", 1)
    bounds.take(B)
    at[0] += 0.5
    bounds.take(A)
    with pytest.raises(Unavailable):
        bounds.take(A)
    at[0] += 1_000
    assert bounds.headers(A)["RateLimit"] == '"requests";r=4;t=0'


def test_streams_are_bounded_for_one_and_for_all_and_given_back() -> None:
    bounds = limits([0.0], max_streams=2, max_streams_in_all=3)
    with bounds.stream(A), bounds.stream(A):
        with pytest.raises(Unavailable, match="of yours"), bounds.stream(A):
            pass
        with bounds.stream(B):
            with pytest.raises(Unavailable, match="this server"), bounds.stream(B):
                pass
            with pytest.raises(Unavailable, match="this server"), bounds.stream(Lei("C")):
                pass
    with bounds.stream(A), bounds.stream(B), bounds.stream(B):
        pass


def test_what_is_over_the_rate_is_refused_and_nothing_of_it_accepted(narrow: World) -> None:
    world = narrow
    answers = [
        world.post(world.a, "/v1/trades", world.side(world.a, world.b, delivers=True))
        for _ in range(20)
    ]
    taken = [one for one in answers if one.status_code == 201]
    refused = [one for one in answers if one.status_code == 429]
    assert len(taken) + len(refused) == len(answers)
    assert refused
    for one in refused:
        assert (one.json()["code"], one.json()["retryable"]) == ("rate_limited", True)
        assert int(one.headers["Retry-After"]) >= 1
        assert one.headers["RateLimit"].startswith('"requests";r=0;')
    with world.database.reading() as conn:
        assert world.store.last_event(conn, viewer=None) == len(taken)
    assert world.get(world.b, "/v1/assets").headers["RateLimit"].startswith('"requests";r=7;')


def test_no_more_than_so_many_requests_of_one_are_under_way(
    narrow: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = narrow
    leave, entered = threading.Event(), threading.Semaphore(0)
    real = trade_routes.examine_sides

    def slow(*given: Any, **more: Any) -> Any:
        entered.release()
        assert leave.wait(20)
        return real(*given, **more)

    monkeypatch.setattr(trade_routes, "examine_sides", slow)
    answers: list[Any] = []

    def send() -> None:
        side = world.side(world.a, world.b, delivers=True)
        answers.append(world.post(world.a, "/v1/trades", side))

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
        assert entered.acquire(timeout=20)
    third = world.post(world.a, "/v1/trades", world.side(world.a, world.b, delivers=True))
    assert (third.status_code, third.json()["code"]) == (429, "queue_full")
    assert world.get(world.b, "/v1/assets").status_code == 200
    leave.set()
    for thread in threads:
        thread.join(20)
    assert [one.status_code for one in answers] == [201, 201]
    assert len(world.get(world.a, "/v1/trades").json()["trades"]) == 2


def test_open_streams_are_bounded_and_refused_politely(narrow: World) -> None:
    """Straight against the application: a stream stays open until its client hangs up."""
    world = narrow
    statuses: list[int] = []

    async def one(gone: asyncio.Event, begun: asyncio.Event) -> None:
        headers = {"authorization": world.sign(world.a, "GET", "/v1/events"), "host": "testserver"}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": "/v1/events",
            "raw_path": b"/v1/events",
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "server": ("testserver", 80),
            "client": ("127.0.0.1", 1),
            "state": {},
        }
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
                begun.set()

        await world.app(scope, receive, send)

    async def open_many(count: int) -> None:
        gone = asyncio.Event()
        begun = [asyncio.Event() for _ in range(count)]
        tasks = [asyncio.create_task(one(gone, event)) for event in begun]
        for event in begun:
            await asyncio.wait_for(event.wait(), 20)
        gone.set()
        await asyncio.wait_for(asyncio.gather(*tasks), 20)

    asyncio.run(open_many(5))
    assert sorted(statuses) == [200, 200, 200, 429, 429]
    statuses.clear()
    asyncio.run(open_many(3))
    assert statuses == [200, 200, 200], "what hung up gave its place back"
