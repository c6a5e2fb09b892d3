"""Nothing lost, nothing doubled, no gap: runs by seed over every step and every fault.

SETTLE_CRASH_RUNS and SETTLE_CRASH_SEED say how many and from where; `make crash` runs 12,000.
"""

from __future__ import annotations

import pytest

from tests.crash.campaign import RUNS, SEED, Figures, run_seeds
from tests.crash.story import Bench

SLICE = 100


@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("first", range(SEED, SEED + RUNS, SLICE))
def test_no_run_loses_doubles_or_leaves_a_gap(bench: Bench, first: int) -> None:
    seeds = range(first, min(first + SLICE, SEED + RUNS))
    figures = run_seeds(bench, seeds, Figures())
    assert not figures.failed
    met = {name.partition(":")[0].partition(" ")[0] for name in figures.faults}
    if len(seeds) == SLICE:
        assert met == {"killed", "node", "database", "chain"}, "runs without faults prove nothing"
