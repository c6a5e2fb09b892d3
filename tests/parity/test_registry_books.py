"""The registry of participants, rebuilt from its events, is the registry on chain."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest

from settle.domain.books import Books, fold
from settle.domain.chain_events import Place, Recorded
from settle.domain.ids import ZERO_ADDRESS, Address
from settle.domain.keccak import keccak256
from settle.domain.ledger import Standing
from tests.parity.abi_records import Abi
from tests.parity.evm import DEPLOYER, Log
from tests.parity.lockstep import Lockstep
from tests.parity.world import World

REGISTRY_ROLE = 7
LEIS = tuple(f"{n:018d}00".encode() for n in range(3))
ACCOUNTS = tuple(Address(bytes([n]) * 20) for n in range(1, 9))
BIC = b"MARKDEFF".ljust(11, b"\x00")


@pytest.fixture
def world(both: Lockstep) -> World:
    """The registry may write standings, which it alone does in production."""
    world, manager = both.world, Abi("AccessManager")
    selector = keccak256(b"setStanding(address,uint8,uint8)")[:4]
    for data in (
        manager.call("setTargetFunctionRole", world.settlement, [selector], REGISTRY_ROLE),
        manager.call("grantRole", REGISTRY_ROLE, world.participants, 0),
    ):
        assert world.evm.call(world.authority, data, DEPLOYER).succeeded
    return world


def test_the_registry_folded_from_its_events_is_the_registry(world: World) -> None:
    random, registry = Random(5), Abi("Participants")
    logs: list[Log] = []
    told: dict[str, int] = {}
    for _ in range(120):
        lei, account = random.choice(LEIS), random.choice((*ACCOUNTS, ZERO_ADDRESS))
        name, arguments = random.choice(
            (
                ("admit", (lei, BIC, random.randint(0, 9), random.sample(ACCOUNTS, 2))),
                ("openAccount", (lei, account)),
                ("setStanding", (lei, random.choice(tuple(Standing)), b"TEST")),
            )
        )
        outcome = world.evm.call(world.participants, registry.call(name, *arguments), DEPLOYER)
        logs += outcome.logs
        ending = name if outcome.succeeded else type(registry.error(outcome.output)).__name__
        told[ending] = told.get(ending, 0) + 1
    assert len(told) > 6, f"too little happened: {told}"
    compare(world, fold(recorded(world, logs)))


def recorded(world: World, logs: list[Log]) -> Iterator[Recorded]:
    decoders = {world.participants: Abi("Participants"), world.settlement: Abi("Settlement")}
    for index, log in enumerate(logs):
        place = Place(block_number=1, block_hash=bytes(32), transaction=bytes(32), log_index=index)
        event = decoders[log.emitter].event(log)
        yield Recorded(place=place, emitter=log.emitter, event=event)


def compare(world: World, books: Books) -> None:
    for lei in LEIS:
        found = view(world, "participantOf", lei)
        expected = books.participants.get(lei)
        if expected is None:
            assert found["standing"] is Standing.UNKNOWN
            continue
        assert found["standing"] is expected.standing
        assert (found["class_"], found["bic"]) == (expected.class_, expected.bic)
        accounts = [view(world, "accountAt", lei, k) for k in range(found["accounts"])]
        assert tuple(accounts) == expected.accounts
        for account in accounts:
            word = world.storage.account(account)
            assert word == books.account(account)
            assert (word.standing, word.class_) == (expected.standing, expected.class_)
    for account in ACCOUNTS:
        assert view(world, "leiOf", account) == books.owners.get(account, bytes(20))


def view(world: World, name: str, *arguments: Any) -> Any:
    abi = Abi("Participants")
    output = world.evm.view(world.participants, abi.call(name, *arguments)).output
    return abi.result(name, output)
