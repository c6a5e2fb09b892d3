"""Contract and twin live through the same histories of escrows and never differ.

SETTLE_ESCROW_WALKS and SETTLE_ESCROW_SEED make it more histories or others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from random import Random
from typing import get_args

import pytest

from settle.domain.chain_errors import Reverted
from settle.domain.escrow.errors import EscrowError
from settle.domain.escrow.events import EscrowEvent
from settle.domain.escrow.terms import signers_of
from settle.domain.escrow.well_formed import check_terms
from settle.domain.ids import Address, AssetId
from tests.parity.escrow_both import EscrowBoth, feed_code
from tests.parity.escrow_walk import EscrowWalk
from tests.parity.lockstep import Lockstep
from tests.parity.world import START
from tests.support.escrow_draws import Cast, draw_terms
from tests.support.escrow_misdraws import malformed

CAST = Cast(
    parties=[Address(bytes([n]) * 20) for n in range(1, 5)],
    neutrals=[Address(bytes([n]) * 20) for n in range(11, 16)],
    assets=(AssetId(1), AssetId(2)),
)
WALKS = int(os.environ.get("SETTLE_ESCROW_WALKS", "12"))
FIRST = int(os.environ.get("SETTLE_ESCROW_SEED", "1"))
STEPS = 60


@pytest.fixture(scope="module")
def with_feed(market: Lockstep) -> Iterator[EscrowBoth]:
    evm = market.world.evm
    evm.now = START
    snapshot = evm.snapshot()
    yield EscrowBoth(market, market.world.evm.create(feed_code()))
    evm.revert(snapshot)


@pytest.fixture
def escrows(with_feed: EscrowBoth) -> Iterator[EscrowBoth]:
    evm = with_feed.world.evm
    evm.now = START
    snapshot = evm.snapshot()
    yield EscrowBoth(with_feed.both.copy(), with_feed.feed)
    evm.revert(snapshot)


# What a dozen histories may miss; `make bench-escrow` lives through hundreds and tells what it met.
RARE = frozenset(
    "EscrowConsentWithdrawn PaymentsGivenUp ArbiterTwice ArbiterUnknown ConditionTooLarge "
    "ConsentWasWithdrawn EvidenceCount InstructionNotTheOne OnlyForTheBooks PaymentsNotFrozen "
    "PreimageLength PreimageWrong QuorumMissing RulingTooEarly TooManyArbiters".split()
)
MET: set[str] = set()
"""The events and errors that the histories of this run came across."""


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WALKS))
def test_contract_and_twin_agree_at_every_step(escrows: EscrowBoth, seed: int) -> None:
    EscrowWalk(escrows, seed).run(STEPS)
    escrows.both.compare_books()
    MET.update(escrows.both.seen.events, escrows.both.seen.errors)


def test_malformed_terms_are_refused_for_the_same_error(with_feed: EscrowBoth) -> None:
    world = with_feed.world
    world.evm.now = START
    for seed in range(400):
        random = Random(seed)
        terms = malformed(random, draw_terms(random, CAST, now=START, most=3))
        with pytest.raises(Reverted) as refused:
            check_terms(terms, now=START)
        signatures = [b"\x01" * 65] * len(signers_of(terms))
        outcome = world.evm.view(world.settlement, world.abi.call("openEscrow", terms, signatures))
        assert not outcome.succeeded, f"seed {seed}"
        assert world.abi.error(outcome.output) == refused.value.error, f"seed {seed}"
        MET.add(type(refused.value.error).__name__)


def test_the_histories_meet_nearly_all_that_can_happen() -> None:
    if not MET:
        pytest.fail("the histories run before this, in the order of the file")
    assert {kind.__name__ for kind in get_args(EscrowEvent)} - MET <= RARE
    assert {kind.__name__ for kind in get_args(EscrowError)} - MET <= RARE
