"""The sender ends at every step boundary while the node breaks, forgets and reorganises.

Each call counts once, each end is told once, no nonce stays open.
"""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from chain_engines import mine
from chain_sending import COUNTER, Bench, Killed

from settle.chain.eip712 import address_of
from settle.chain.engine import RunningEngine
from settle.chain.sender import Sender
from settle.domain.errors import Unavailable

STEPS = {
    "lease taken",
    "chain read",
    "outcome written",
    "before outcome commit",
    "outcome committed",
    "signed",
    "before attempt commit",
    "attempt committed",
    "before broadcast",
    "after broadcast",
    "broadcast noted",
    "replacement signed",
}
CALLS = 14
KILLS = 6
SEEDS = int(os.environ.get("SETTLE_CRASH_SEEDS", "12"))


@pytest.fixture(scope="module")
def counter(engine: RunningEngine, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    made = Bench(engine, tmp_path_factory.mktemp("counter"))
    made.close()
    return made.deploy(COUNTER)


def check(bench: Bench, counter: bytes, first_slot: int, hopeless: Sequence[int] = ()) -> None:
    told = bench.results()
    assert [nonce for nonce, _, _ in told] == list(range(CALLS)), "each end once, in order"
    counts = [bench.count(counter, first_slot + i) for i in range(CALLS)]
    assert counts == [int(state == "succeeded") for _, state, _ in told], "each call once"
    assert {state for _, state, _ in told} <= {"succeeded", "void"}
    assert set(hopeless) <= {i for i, (_, state, _) in enumerate(told) if state == "void"}
    with bench.database.reading() as conn:
        assert bench.store.open_transactions(conn, bench.told_sender, limit=5) == []
        alarms = bench.store.open_alarms(conn, f"sender:0x{bench.told_sender.hex()}")
    assert {alarm.kind for alarm in alarms} <= {"sender_stuck"}
    assert bench.node.nonce(bench.told_sender, bench.node.head().number) == CALLS


class Storm:
    """One seeded run: processes that end at step boundaries, connections that break, reorgs."""

    def __init__(self, bench: Bench, counter: bytes, seed: int) -> None:
        self.rng = random.Random(seed)
        self.bench = bench
        self.counter = counter
        self.slot = 10_000 * (seed + 1)
        self.depth = self.rng.choice([0, 1, 2])
        self.profile = dataclasses.replace(
            bench.engine.profile,
            finality_depth=self.depth,
            in_flight=self.rng.choice([1, 3, 8]),
        )
        self.hopeless = self.rng.randrange(2 * CALLS)
        self.calm = False
        self.added = 0
        self.ended: set[str] = set()
        bench.faulty.fault = self.maybe_break  # type: ignore[method-assign]

    def maybe_end(self, step: str) -> None:
        assert step in STEPS
        if not self.calm and self.rng.random() < 0.12:
            self.ended.add(step)
            raise Killed(step)

    def maybe_break(self, _method: str) -> str | None:
        if self.calm or self.rng.random() > 0.04:
            return None
        return self.rng.choice(["before", "after"])

    def process(self) -> Sender | None:
        sender = self.bench.sender(self.maybe_end, profile=self.profile)
        self.bench.told_sender = sender.address
        try:
            sender.start()
        except (Killed, Unavailable):
            return None
        return sender

    def finished(self, sender: Sender) -> bool:
        if self.added < CALLS and self.rng.random() < 0.5:
            # One call has less gas than its own bytes cost: no node ever takes it.
            gas = 21_001 if self.added == self.hopeless else 60_000
            self.bench.add(sender, self.counter, slot=self.slot + self.added, gas=gas)
            self.added += 1
        return sender.pump().idle and self.added == CALLS

    def weather(self) -> None:
        if self.rng.random() < 0.5:
            mine(self.bench.node)
        if not self.calm and self.depth and self.rng.random() < 0.15:
            # Never deeper than what is not final, and the new branch is as long as the old.
            blocks = self.rng.randint(1, self.depth)
            self.bench.node.rpc.call("anvil_rollback", blocks)
            mine(self.bench.node, blocks)
        self.bench.clock.now += self.rng.choice([0, 1, 6])

    def run(self) -> None:
        sender: Sender | None = None
        for step in range(1200):
            self.calm = step > 400
            sender = sender or self.process()
            try:
                if sender is not None and self.finished(sender):
                    return
            except Killed:
                sender = None
            except Unavailable:
                pass
            self.weather()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_every_call_counts_once_whatever_ends_when(
    engine: RunningEngine, counter: bytes, tmp_path: Path, seed: int
) -> None:
    bench = Bench(engine, tmp_path)
    storm = Storm(bench, counter, seed)
    storm.run()
    assert storm.ended, "a run without an end proves nothing"
    check(bench, counter, storm.slot, [storm.hopeless] if storm.hopeless < CALLS else [])
    bench.close()


@pytest.mark.parametrize("seed", range(2))
def test_a_killed_process_is_followed_by_one_that_finishes(
    engine: RunningEngine, counter: bytes, tmp_path: Path, seed: int
) -> None:
    """The same with SIGKILL from outside, at instants that nobody chose."""
    rng = random.Random(seed)
    bench = Bench(engine, tmp_path)
    bench.close()
    slot = 1_000_000 * (seed + 1)
    arguments = [engine.url, str(tmp_path), bench.key.hex(), counter.hex(), str(slot), str(CALLS)]
    command = [
        sys.executable,
        str(Path(__file__).parents[1] / "support" / "chain_sender_process.py"),
    ]
    for life in range(KILLS + 1):
        child = subprocess.Popen(
            [*command, engine.profile.name, *arguments], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
        child.stdout.close()
        try:
            child.wait(timeout=rng.uniform(0.01, 0.25) if life < KILLS else 60)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)
            child.wait()
        else:
            break
        mine(bench.node)
    assert child.returncode == 0, "the last one finishes"
    bench = Bench(engine, tmp_path, key=bench.key)
    bench.told_sender = address_of(bench.key)
    check(bench, counter, slot)
    bench.close()
