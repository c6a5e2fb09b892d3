"""Contract and twin walk together, and never say or keep anything different.

SETTLE_LOCKSTEP_WALKS and SETTLE_LOCKSTEP_SEED make it a longer walk or another one.
"""

from __future__ import annotations

import os

import pytest

from tests.parity.lockstep import Lockstep
from tests.parity.walk import Walk

WALKS = int(os.environ.get("SETTLE_LOCKSTEP_WALKS", "12"))
FIRST = int(os.environ.get("SETTLE_LOCKSTEP_SEED", "1"))
STEPS = 80


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WALKS))
def test_contract_twin_and_folded_events_agree_at_every_step(both: Lockstep, seed: int) -> None:
    Walk(both, seed).run(STEPS)
