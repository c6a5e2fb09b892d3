"""Every rule at its edge, on contract and twin; the scenarios meet every reason and error."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from settle.domain.chain_errors import ERROR_TYPES
from settle.domain.chain_events import EVENT_TYPES
from settle.domain.escrow.errors import EscrowError
from settle.domain.escrow.events import EscrowEvent
from settle.domain.reason_kinds import ON_CHAIN
from settle.domain.registry_errors import RegistryError
from settle.domain.registry_events import AuthorityEvent, RegistryEvent
from tests.parity.lockstep import Lockstep
from tests.parity.scenario import Scenario
from tests.parity.scenarios_ledger import LEDGER
from tests.parity.scenarios_settling import SETTLING

Told = Callable[[Scenario], None]
# Refused before anything is asked, and by gas alone: tests/parity/test_encoding.py has these.
NOT_HERE = {
    *("NotCanonical", "NotEnoughGas", "OnlyForSettlement"),
    *("AffirmationHasNoCode", "EscrowHasNoCode"),
}


@pytest.mark.parametrize("told", [*SETTLING, *LEDGER], ids=lambda told: told.__name__)
def test_contract_and_twin_agree_when(told: Told, both: Lockstep) -> None:
    told(Scenario(both))


def test_the_scenarios_meet_every_reason_error_and_event(market: Lockstep) -> None:
    seen = market.copy().seen
    for told in (*SETTLING, *LEDGER):
        snapshot = market.world.evm.snapshot()
        now = market.world.evm.now
        both = market.copy()
        told(Scenario(both))
        seen.add(both.seen)
        market.world.evm.revert(snapshot)
        market.world.evm.now = now
    assert set(seen.first_reasons) == {kind.code for kind in ON_CHAIN}
    not_these = (RegistryError, EscrowError)
    errors = {kind.__name__ for kind in ERROR_TYPES.values() if not issubclass(kind, not_these)}
    assert set(seen.errors) == errors - NOT_HERE
    others = (RegistryEvent, AuthorityEvent, EscrowEvent)
    events = {name for name, kind in EVENT_TYPES.items() if not issubclass(kind, others)}
    assert set(seen.events) == events
