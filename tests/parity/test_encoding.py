"""What the contract refuses before there is anything for a twin to think about."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from settle.chain.eip712 import compact, sign
from settle.domain.chain_errors import (
    AffirmationHasNoCode,
    EscrowHasNoCode,
    NotCanonical,
    OnlyForSettlement,
)
from settle.domain.ids import Address
from settle.domain.instruction import accounts_of
from settle.domain.registry_errors import AccessManagedUnauthorized
from settle.domain.twin_state import Brought
from tests.parity.abi_records import Abi
from tests.parity.evm import artifact
from tests.parity.lockstep import Lockstep
from tests.parity.scenario import Scenario
from tests.parity.world import AGREED

WORD = 32
# Words of the terms behind the start of the instruction, and how many bytes of each may be used.
NARROW = {0: 20, 1: 8, 2: 8, 3: 8, 5: 4, 6: 16}
FIRST_LEG = 12
LEG_WORDS = {0: 4, 1: 20, 2: 20, 3: 16}
LEGS = {FIRST_LEG + word + 4 * k: size for k in (0, 1) for word, size in LEG_WORDS.items()}
PLACES = {**NARROW, **LEGS}


@pytest.mark.parametrize(("word", "size"), PLACES.items())
@pytest.mark.parametrize("name", ["settle", "whyNot", "affirm", "idOf"])
def test_a_dirty_word_gives_no_second_id(both: Lockstep, name: str, word: int, size: int) -> None:
    world = both.world
    a, b, *_ = world.owners
    trade = Scenario(both).dvp(a, b)
    digest = both.state.id_of(trade)
    signatures = [world.good(account, digest, Scenario(both)._random) for account in (a, b)]
    rest = () if name == "idOf" else (signatures,)
    data = bytearray(world.abi.call(name, trade, *rest))
    assert world.evm.view(world.settlement, bytes(data)).succeeded
    start = 4 + int.from_bytes(data[4 : 4 + WORD], "big")
    for dirt in (start + WORD * word, start + WORD * (word + 1) - size - 1):
        spoilt = bytearray(data)
        spoilt[dirt] ^= 0x80
        outcome = world.evm.call(world.settlement, bytes(spoilt), world.stranger)
        assert not outcome.succeeded
        assert world.abi.error(outcome.output) == NotCanonical()


def test_only_the_forms_of_a_signature_that_are_one_consent(both: Lockstep) -> None:
    world, scenario = both.world, Scenario(both)
    for account in (world.owners[0], world.wallet):
        trade = scenario.dvp(account, world.owners[1])
        digest = both.state.id_of(trade)
        consent = (world.good(world.owners[1], digest, scenario._random), Brought.GOOD)
        for forged in world.forgeries(account, digest):
            assert not both.compare_why_not((trade, [(forged, Brought.BAD), consent])), forged
        if account == world.wallet:
            forms = [AGREED, AGREED + b"and more"]
        else:
            signature = sign(digest, world.keys[account])
            forms = [signature, compact(signature)]
        for form in forms:
            assert both.compare_why_not((trade, [(form, Brought.GOOD), consent])), form


def test_a_call_with_little_gas_never_makes_a_good_signature_look_bad(both: Lockstep) -> None:
    world, scenario = both.world, Scenario(both)
    trade = scenario.dvp(world.wallet, world.owners[0])
    digest = both.state.id_of(trade)
    signatures = [world.good(account, digest, scenario._random) for account in accounts_of(trade)]
    data = world.abi.call("settleMany", [(trade, signatures)])
    endings: dict[str, list[int]] = {}
    for gas in range(30_000, 300_000, 1_000):
        snapshot = world.evm.snapshot()
        outcome = world.evm.call(world.settlement, data, world.stranger, gas)
        world.evm.revert(snapshot)
        if outcome.succeeded:
            assert world.abi.result("settleMany", outcome.output) == (bytes(4),)
            ending = "settled"
        else:
            found = world.abi.error(outcome.output) if outcome.output else None
            ending = type(found).__name__ if found else "out of gas"
        endings.setdefault(ending, []).append(gas)
    assert {"settled", "NotEnoughGas"} <= set(endings) <= {"settled", "NotEnoughGas", "out of gas"}
    assert max(endings["NotEnoughGas"]) < min(endings["settled"])


def test_the_other_half_of_the_code_serves_no_direct_call(both: Lockstep) -> None:
    world = both.world
    a, b, *_ = world.owners
    trade = Scenario(both).dvp(a, b)
    where = Abi("Settlement").result(
        "affirmation", world.evm.view(world.settlement, world.abi.call("affirmation")).output
    )
    for name, rest in (
        ("affirm", ([b"", b""],)),
        ("reserve", (a, True, b"")),
        ("release", (a, b"")),
        ("withdraw", (b, b"")),
        ("cancel", (both.now + 1, [b""])),
    ):
        outcome = world.evm.call(where, world.abi.call(name, trade, *rest), a)
        assert Abi("Affirmation").error(outcome.output) == OnlyForSettlement()


def test_settlement_is_deployed_after_the_other_parts_of_its_code(both: Lockstep) -> None:
    world = both.world
    nobody, somebody = Address(b"\x99" * 20), world.settlement
    code = bytes.fromhex(artifact("Settlement")["bytecode"][2:])
    for parts, error in (
        ((nobody, somebody), AffirmationHasNoCode(affirmation=nobody)),
        ((somebody, nobody), EscrowHasNoCode(escrow=nobody)),
    ):
        outcome = world.evm.try_to_create(code + encode(["address"] * 3, [world.authority, *parts]))
        assert not outcome.succeeded
        assert world.abi.error(outcome.output) == error


def test_nobody_without_the_role_changes_a_rule(both: Lockstep) -> None:
    world = both.world
    account = world.owners[0]
    for name, arguments in (
        ("setStanding", (account, 1, 0)),
        ("freezeAccount", (account, True, b"TEST")),
        ("freezeAsset", (1, True, b"TEST")),
        ("createAsset", (1, 0, b"NEW".ljust(12, b"\0"), account)),
        ("setModule", (account, True)),
        ("issue", (1, account, 1, bytes(32))),
        ("redeem", (account, 1, 1, bytes(32), 0, both.now + 1, b"\x01")),
    ):
        data = world.abi.call(name, *arguments)
        outcome = world.evm.call(world.settlement, data, account)
        assert world.abi.error(outcome.output) == AccessManagedUnauthorized(caller=account)
