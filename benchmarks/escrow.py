"""Escrows by the thousand: `python -m benchmarks.escrow`, seeded and the same each time.

Random histories on the compiled contract and on its twin, differences counted; every state of
random well-formed terms, those without a way to an end counted; terms that are malformed by
construction, those accepted by the contract or the twin counted.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

from settle.domain.chain_errors import Reverted
from settle.domain.escrow.explore import explore
from settle.domain.escrow.terms import signers_of
from settle.domain.escrow.well_formed import check_terms
from settle.domain.ids import Address, AssetId, InstructionId
from tests.parity.escrow_both import EscrowBoth, feed_code
from tests.parity.escrow_walk import EscrowWalk
from tests.parity.lockstep import Lockstep
from tests.parity.market import prepare
from tests.parity.world import START, World
from tests.support.escrow_draws import Cast, draw_terms
from tests.support.escrow_misdraws import malformed

RESULT: Final = Path(__file__).parent / "results" / "escrow.json"
_STEPS: Final = 60
_PARTIES: Final = tuple(Address(bytes([n]) * 20) for n in range(1, 5))
_NEUTRALS: Final = tuple(Address(bytes([n]) * 20) for n in range(11, 16))
CAST: Final = Cast(
    parties=_PARTIES,
    neutrals=_NEUTRALS,
    assets=(AssetId(1), AssetId(2), AssetId(3)),
    feeds=(Address(b"\xfe" * 20),),
    instructions=(InstructionId(b"\x71" * 32), InstructionId(b"\x72" * 32)),
)


def explored(terms: int, seed: int) -> tuple[dict[str, int], dict[str, int]]:
    """Explore random well-formed terms to their last state."""
    states = stuck = without_exit = unfinished = 0
    for number in _told("explored", terms):
        found = explore(draw_terms(Random(seed + number), CAST, now=START, most=3), apart=False)
        states += found.states
        stuck += found.stuck
        without_exit += found.without_exit
        unfinished += not found.complete
    ways = {"terms": terms, "states": states, "stuck": stuck, "not_to_the_end": unfinished}
    return ways, {"states": states, "without_exit": without_exit}


def refused(count: int, seed: int, market: Lockstep) -> dict[str, int]:
    """Show malformed terms to the contract and to the twin, with a signature for everybody."""
    world, accepted, differing = market.world, 0, 0
    world.evm.now = START
    for number in _told("refused", count):
        random = Random(seed + number)
        terms = malformed(random, draw_terms(random, CAST, now=START, most=3))
        data = world.abi.call("openEscrow", terms, [b"\x01" * 65] * len(signers_of(terms)))
        outcome = world.evm.view(world.settlement, data)
        try:
            check_terms(terms, now=START)
            error = None
        except Reverted as reverted:
            error = reverted.error
        differing += outcome.succeeded or world.abi.error(outcome.output) != error
        accepted += outcome.succeeded or error is None
    return {
        "malformed_terms": count,
        "accepted_by_mistake": accepted,
        "refused_differently": differing,
    }


def parity(histories: int, seed: int, market: Lockstep) -> dict[str, Any]:
    """Live random histories on contract and twin; say what was met on the way."""
    evm = market.world.evm
    feed = evm.create(feed_code())
    differences, errors, events = [], set(), set()
    for number in _told("histories", histories):
        evm.now = START
        snapshot = evm.snapshot()
        both = EscrowBoth(market.copy(), feed)
        try:
            EscrowWalk(both, seed + number).run(_STEPS)
            both.both.compare_books()
        except AssertionError as error:
            differences.append(f"seed {seed + number}: {error}")
        errors |= set(both.both.seen.errors)
        events |= set(both.both.seen.events)
        evm.revert(snapshot)
    for difference in differences[:3]:
        print(difference, file=sys.stderr)
    return {
        "histories": histories,
        "steps_each": _STEPS,
        "differences": len(differences),
        "errors_met": sorted(errors),
        "events_met": sorted(events),
    }


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--histories", type=int, default=200)
    parser.add_argument("--terms", type=int, default=10_000)
    parser.add_argument("--malformed", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--result", type=Path, default=RESULT)
    chosen = parser.parse_args(arguments)
    began = time.monotonic_ns()
    market = prepare(World())
    ways, exits = explored(chosen.terms, chosen.seed)
    result = {
        "parity": parity(chosen.histories, chosen.seed, market),
        "explored": ways,
        "exits": exits,
        "refused": refused(chosen.malformed, chosen.seed, market),
        "seed": chosen.seed,
        "seconds": (time.monotonic_ns() - began) // 10**9,
        "command": "make bench-escrow",
        "engine": "py-evm 'cancun' in this process, message by message",
        "machine": f"{os.cpu_count()} shared cores, {platform.machine()}, Python "
        f"{platform.python_version()}",
    }
    chosen.result.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))
    faults = (
        result["parity"]["differences"],
        ways["stuck"],
        ways["not_to_the_end"],
        exits["without_exit"],
        result["refused"]["accepted_by_mistake"],
        result["refused"]["refused_differently"],
    )
    return 1 if any(faults) else 0


def _told(what: str, count: int) -> Iterator[int]:
    for number in range(count):
        if number % max(1, count // 20) == 0:
            print(f"{what} {number}/{count}", file=sys.stderr, flush=True)
        yield number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
