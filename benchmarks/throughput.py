"""Speed from the API to final on chain and in the database: `python -m benchmarks`.

The operator is one process, the chain one (anvil), every pair of participants one. Sides are
submitted and signed in bulk by clients with their own keys; the executor settles them gross, in
batches. What is open is bounded, so the rate is one that the system keeps up, not a burst.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.gas import ROOT
from benchmarks.load import ISIN, Pair, run_pair
from settle.chain.profile import load_profile
from settle.demo.audits import audit
from settle.demo.plan import Fate, cast
from settle.demo.stage import Stage, hours
from settle.demo.tape import Tape, TapeTrade
from settle.domain.ids import CurrencyCode
from settle.local_chain import open_local_chain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RESULT: Final = ROOT / "benchmarks" / "results" / "throughput.json"
_PAIRS: Final = 2
_AHEAD: Final = 3_000
_HELD: Final = 10**15
_LONG_S: Final = 7_200
_DRAIN_S: Final = 120


def main(arguments: Sequence[str]) -> int:
    """Measure and write the file."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=60, help="of one run")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--open", type=int, default=10_000, help="open trades at the restart")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="settle-bench-") as folder:
        document = _measure(Path(folder), options.seconds, options.runs, options.open)
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(document, indent=2, sort_keys=True) + "\n")
    sys.stdout.write(RESULT.read_text())
    return 0


def _measure(folder: Path, seconds: int, runs: int, open_trades: int) -> dict[str, Any]:
    with _stage(folder) as stage:
        rates: list[float] = []
        waits: list[int] = []
        for number in range(runs):
            rate, times = _run(stage, seconds, number)
            rates.append(rate)
            waits += times
            _say(f"run {number + 1}: {rate:.0f} trades/s")
        memory = _memory_mb(stage)
        restart = _restart(stage, open_trades)
        _say(f"restart with {restart['trades']} open trades: {restart['seconds']} s")
        report = audit(stage, folder / "operator.db")
        waits.sort()
        return {
            "command": f"python -m benchmarks --seconds {seconds} --runs {runs}",
            "machine": f"{os.cpu_count()} shared cores; operator, anvil and clients on it together",
            "runs": runs,
            "run_seconds": seconds,
            "trades": len(waits),
            "trades_per_s": round(statistics.median(rates)),
            "trades_per_s_spread": [round(min(rates)), round(max(rates))],
            "time_to_final_s": {
                "p50": waits[len(waits) // 2],
                "p99": waits[len(waits) * 99 // 100],
                "resolution": 1,
            },
            "api_memory_mb": memory,
            "restart_open": restart,
            "audit_instructions_per_s": report["instructions_per_s"],
            "audit_verdict": report["verdict"],
        }


@contextmanager
def _stage(folder: Path) -> Iterator[Stage]:
    profile = load_profile(ROOT / "chain.toml", "anvil")
    chain = open_local_chain(profile, folder, root=ROOT)
    members = cast(2 * _PAIRS)
    line = TapeTrade(line=2, isin=ISIN, quantity=1, currency=CurrencyCode("EUR"), amount=1)
    stage = Stage(chain, profile, ROOT, members, hours(int(time.time()), _LONG_S), _say)
    try:
        stage.admit()
        stage.create_assets(Tape(trades=(line,), decimals={ISIN: 0}))
        stage.issue({place: {ISIN: _HELD, "EUR": _HELD} for place in range(2 * _PAIRS)})
        stage.hours = hours(int(time.time()), _LONG_S)
        stage.start_operator()
        stage.introduce()
        yield stage
    finally:
        stage.close()


def _pairs(stage: Stage, number: int, fate: Fate) -> list[Pair]:
    return [
        Pair(
            number=number * _PAIRS + place,
            members=(stage.banks[2 * place].member, stage.banks[2 * place + 1].member),
            keys=(stage.banks[2 * place].key, stage.banks[2 * place + 1].key),
            folder=str(stage.chain.folder / f"pair{place}"),
            url=stage.url,
            hours=stage.hours,
            domain=stage.chain.deployment.domain,
            fate=fate,
        )
        for place in range(_PAIRS)
    ]


def _run(stage: Stage, seconds: int, number: int) -> tuple[float, list[int]]:
    """Trade for so long; the rate from the first submission to the last final trade, and waits."""
    before = _settled(stage)
    began = time.monotonic()
    began_at = int(time.time())
    submitted = _load(stage, _pairs(stage, number, Fate.SETTLES), seconds, 10**9, before)
    give_up_at = time.monotonic() + _DRAIN_S
    while (done := _settled(stage) - before) < submitted and time.monotonic() < give_up_at:
        time.sleep(0.1)
    took = time.monotonic() - began
    if done < submitted:
        _say(f"{submitted - done} of {submitted} trades are not final after {_DRAIN_S} s more")
    with _database(stage) as db:
        rows = db.execute(
            "SELECT updated_at - created_at FROM trades "
            "WHERE status = 'Settled' AND created_at >= ?",
            (began_at,),
        )
        return done / took, [row[0] for row in rows]


def _load(stage: Stage, pairs: list[Pair], seconds: int, most: int, before: int) -> int:
    context = multiprocessing.get_context("spawn")
    submitted, settled = context.Value("q", 0), context.Value("q", 0)
    ahead = _AHEAD if most == 10**9 else 10**9
    workers = [
        context.Process(target=run_pair, args=(pair, seconds, most, ahead, submitted, settled))
        for pair in pairs
    ]
    for worker in workers:
        worker.start()
    while any(worker.is_alive() for worker in workers):
        settled.value = _settled(stage) - before
        time.sleep(0.2)
    for worker in workers:
        worker.join()
        if worker.exitcode:
            raise SystemExit(f"a pair of participants ended with {worker.exitcode}")
    return int(submitted.value)


def _restart(stage: Stage, count: int) -> dict[str, Any]:
    """Kill the operator with so many open trades, and wait until it takes requests again."""
    pairs = [replace(pair) for pair in _pairs(stage, 1_000, Fate.CANCELLED)]
    submitted = _load(stage, pairs, 600, count // _PAIRS, 0)
    time.sleep(5)
    stage.kill_operator()
    began = time.monotonic()
    stage.start_operator()
    with stage.operator() as api:
        api.participants()
    return {"trades": submitted, "seconds": round(time.monotonic() - began, 2)}


@contextmanager
def _database(stage: Stage) -> Iterator[sqlite3.Connection]:
    db = sqlite3.connect(f"file:{stage.chain.folder / 'operator.db'}?mode=ro", uri=True)
    try:
        yield db
    finally:
        db.close()


@dataclass
class _Count:
    """Trades that are final in the database, counted on from where the last look ended.

    Counting all of them anew several times a second would take a core from what is measured.
    """

    seq: int = 0
    settled: int = 0

    def look(self, stage: Stage) -> int:
        with _database(stage) as db:
            last, found = db.execute(
                "SELECT max(seq), sum(kind = 'trade.settled') FROM events WHERE seq > ?",
                (self.seq,),
            ).fetchone()
        if last is not None:
            self.seq, self.settled = last, self.settled + found
        return self.settled


_COUNT: Final = _Count()


def _settled(stage: Stage) -> int:
    return _COUNT.look(stage)


def _memory_mb(stage: Stage) -> int:
    for line in Path(f"/proc/{stage.operator_pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    raise SystemExit("the operator's process is gone")


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
