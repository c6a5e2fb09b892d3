"""A POST has its effect once, however often it comes; the first answer stands."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from settle.api import trade_routes
from settle.domain.errors import Unavailable
from tests.api.world import World


def test_a_repeat_is_answered_as_the_first_was(any_world: World) -> None:
    world = any_world
    side = world.side(world.a, world.b, delivers=True)
    first = world.post(world.a, "/v1/trades", side, key="one")
    world.submit(world.b, world.a, delivers=False)
    again = world.post(world.a, "/v1/trades", side, key="one")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Location"] == first.headers["Location"]
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert len(world.get(world.a, "/v1/trades").json()["trades"]) == 1


def test_the_same_side_under_another_key_is_told_as_a_repeat(world: World) -> None:
    side = world.side(world.a, world.b, delivers=True)
    assert world.post(world.a, "/v1/trades", side).status_code == 201
    again = world.post(world.a, "/v1/trades", side)
    assert (again.status_code, again.json()["repeated"]) == (200, True)


def test_another_body_or_another_path_under_the_key_is_refused(world: World) -> None:
    side = world.side(world.a, world.b, delivers=True)
    world.post(world.a, "/v1/trades", side, key="one")
    for target, document in (
        ("/v1/trades", {**side, "quantity": "501"}),
        ("/v1/trades/batch", {"trades": [side]}),
    ):
        answer = world.post(world.a, target, document, key="one")
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert len(world.get(world.a, "/v1/trades").json()["trades"]) == 1


def test_a_key_belongs_to_one_participant(world: World) -> None:
    for party, other in ((world.a, world.b), (world.b, world.c)):
        side = world.side(party, other, delivers=True)
        assert world.post(party, "/v1/trades", side, key="one").status_code == 201


def test_a_refusal_is_an_answer_that_stands(world: World) -> None:
    side = world.side(world.a, world.b, delivers=True)
    world.post(world.a, "/v1/trades", side)
    other = {**side, "quantity": "7"}
    first = world.post(world.a, "/v1/trades", other, key="one")
    assert (first.status_code, first.json()["code"]) == (409, "duplicate_reference")
    again = world.post(world.a, "/v1/trades", other, key="one")
    assert (again.status_code, again.content) == (409, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_what_was_not_understood_uses_up_no_key(world: World) -> None:
    side = world.side(world.a, world.b, delivers=True)
    assert world.post(world.a, "/v1/trades", {**side, "x": 1}, key="one").status_code == 422
    assert world.post(world.a, "/v1/trades", side, key="one").status_code == 201


def test_what_may_go_better_next_time_uses_up_no_key(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = world.side(world.a, world.b, delivers=True)

    def fails(*_: Any, **__: Any) -> None:
        raise Unavailable("the disk is full", retry_after_s=7)

    with monkeypatch.context() as patch:
        patch.setattr(trade_routes, "submit_sides", fails)
        answer = world.post(world.a, "/v1/trades", side, key="one")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "7")
    assert answer.json()["retryable"] is True
    assert world.post(world.a, "/v1/trades", side, key="one").status_code == 201


def test_what_is_under_way_is_told_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    side = world.side(world.a, world.b, delivers=True)
    entered, leave = threading.Event(), threading.Event()
    real = trade_routes.examine_sides

    def slow(*args: Any, **more: Any) -> Any:
        entered.set()
        assert leave.wait(10)
        return real(*args, **more)

    monkeypatch.setattr(trade_routes, "examine_sides", slow)
    answers: list[Any] = []
    first = threading.Thread(
        target=lambda: answers.append(world.post(world.a, "/v1/trades", side, key="one"))
    )
    first.start()
    assert entered.wait(10)
    second = world.post(world.a, "/v1/trades", side, key="one")
    assert (second.status_code, second.json()["code"]) == (409, "request_in_progress")
    assert second.headers["Retry-After"] == "1"
    assert second.json()["retryable"] is True
    leave.set()
    first.join(10)
    assert answers[0].status_code == 201
    assert world.post(world.a, "/v1/trades", side, key="one").content == answers[0].content


def test_a_key_that_a_dead_process_took_is_free_after_a_while(world: World) -> None:
    side = world.side(world.a, world.b, delivers=True)
    answer = world.post(world.a, "/v1/trades", side, key="one")
    assert world.a.lei is not None
    with world.database.transaction() as conn:
        stored = world.store.claim_key(conn, world.a.lei, "one", b"", world.now)
        assert stored is not None
        world.store.forget_keys(conn, world.now + 1)
        world.store.claim_key(conn, world.a.lei, "one", stored.body_digest, world.now)
    early = world.post(world.a, "/v1/trades", side, key="one")
    assert early.json()["code"] == "request_in_progress"
    world.now += 61
    late = world.post(world.a, "/v1/trades", side, key="one")
    assert (late.status_code, late.json()["trade_id"]) == (200, answer.json()["trade_id"])


@pytest.mark.parametrize("key", ["", "a b", "ä", "x" * 256])
def test_a_key_is_short_and_plain(world: World, key: str) -> None:
    body = b"{}"
    headers = {
        "Authorization": world.sign(world.a, "POST", "/v1/trades", body, key=key),
        "Idempotency-Key": key.encode("latin-1"),
    }
    answer = world.http.post("/v1/trades", content=body, headers=headers)
    assert answer.status_code in {401, 422}


def test_a_post_without_a_key_is_refused(world: World) -> None:
    headers = {"Authorization": world.sign(world.a, "POST", "/v1/trades", b"{}")}
    answer = world.http.post("/v1/trades", content=b"{}", headers=headers)
    assert answer.status_code == 422
    faults = {fault["parameter"]: fault["code"] for fault in answer.json()["errors"]}
    assert faults["header:Idempotency-Key"] == "missing_field"
