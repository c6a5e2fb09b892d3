"""A loop in the background is never silent about how it is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from settle import background
from settle.api.metrics import Metrics
from settle.background import WatchedLoop
from settle.domain.errors import Broken, Unavailable
from tests.api.world import wait_for

Make = Callable[..., WatchedLoop]


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[WatchedLoop] = []

    def one(step: Callable[[], bool], idle_pause_ms: int = 5) -> WatchedLoop:
        faults: list[tuple[str, Exception]] = []
        loop = WatchedLoop(
            "follower",
            step,
            metrics=Metrics(),
            idle_pause_ms=idle_pause_ms,
            on_fault=lambda name, fault: faults.append((name, fault)),
        )
        loop.faults = faults  # type: ignore[attr-defined]
        made.append(loop)
        return loop

    yield one
    background.stop_all(made)


def test_a_loop_that_was_not_started_is_not_well(make: Make) -> None:
    assert make(lambda: True).check().detail == "is not running"


def test_a_loop_that_goes_round_is_well_also_in_a_long_pause(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "STALE_AFTER_S", 0)
    loop = make(lambda: True, idle_pause_ms=60_000)
    loop.start()
    wait_for(lambda: loop.check().ok)


def test_a_loop_that_waits_for_others_says_for_what(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "STALE_AFTER_S", 0)
    gone = threading.Event()

    def step() -> bool:
        if gone.is_set():
            raise Unavailable("no answer from the node", code="node_unreachable")
        return True

    loop = make(step)
    loop.start()
    wait_for(lambda: loop.check().ok)
    gone.set()
    wait_for(lambda: "node_unreachable: no answer" in loop.check().detail)
    assert not loop.check().ok
    gone.clear()
    wait_for(lambda: loop.check().ok)


def test_a_loop_in_a_round_that_does_not_end_is_not_well(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "STALE_AFTER_S", -1)
    entered, leave = threading.Event(), threading.Event()
    rounds = iter(range(10_000))

    def step() -> bool:
        if next(rounds) == 3:
            entered.set()
            leave.wait(10)
        return False

    loop = make(step)
    loop.start()
    assert entered.wait(5)
    wait_for(lambda: "does not end" in loop.check().detail)
    leave.set()


def test_a_loop_that_broke_says_why_and_stays_down(make: Make) -> None:
    def step() -> bool:
        raise Broken("the chain went back", code="chain_went_back")

    loop = make(step)
    loop.start()
    wait_for(lambda: loop.check().detail == "chain_went_back: the chain went back")
    assert not loop.check().ok
    wait_for(lambda: loop.faults)  # type: ignore[attr-defined]
    [(name, fault)] = loop.faults  # type: ignore[attr-defined]
    assert (name, type(fault)) == ("follower", Broken)
    loop.wake()
    assert not loop.check().ok
