from __future__ import annotations

import threading

from settle.chain.loop import Loop
from settle.domain.errors import Broken, Unavailable


def test_a_loop_goes_on_until_it_is_stopped() -> None:
    steps = []
    enough = threading.Event()

    def step() -> bool:
        steps.append(1)
        if len(steps) == 5:
            enough.set()
        return False

    loop = Loop("steps", step)
    loop.start()
    assert enough.wait(10)
    loop.stop()
    assert not loop.is_running
    assert loop.fault is None


def test_an_idle_loop_is_woken() -> None:
    steps: list[int] = []
    seen = threading.Semaphore(0)

    def step() -> bool:
        steps.append(1)
        seen.release()
        return True

    loop = Loop("idle", step, idle_pause_ms=60_000)
    loop.start()
    assert seen.acquire(timeout=10)
    loop.wake()
    assert seen.acquire(timeout=10)
    loop.stop()


def test_a_node_that_is_away_is_waited_for() -> None:
    answers = [Unavailable("away"), Unavailable("away"), None]
    back = threading.Event()
    told: list[str] = []

    def step() -> bool:
        answer = answers.pop(0) if answers else None
        if answer is not None:
            raise answer
        back.set()
        return True

    loop = Loop("patient", step, idle_pause_ms=1, on_unavailable=lambda f: told.append(f.message))
    loop.start()
    assert back.wait(10)
    loop.stop()
    assert told == ["away", "away"]
    assert loop.fault is None


def test_what_is_broken_ends_the_loop_and_is_told() -> None:
    told: list[Exception] = []
    ended = threading.Event()

    def step() -> bool:
        raise Broken("stop")

    def tell(fault: Exception) -> None:
        told.append(fault)
        ended.set()

    loop = Loop("broken", step, on_fault=tell)
    loop.start()
    assert ended.wait(10)
    loop.stop()
    assert isinstance(loop.fault, Broken)
    assert told == [loop.fault]


def test_a_loop_that_never_began_may_be_stopped() -> None:
    Loop("never", lambda: True).stop()
