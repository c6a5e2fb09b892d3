"""Random calls about instructions: settling, affirming, reserving, and every way out."""

from __future__ import annotations

from settle.domain import chainstate as twin
from settle.domain.ids import Address
from settle.domain.instruction import (
    Instruction,
    accounts_of,
    cancellation_digest,
    release_digest,
    reservation_digest,
    withdrawal_digest,
)
from settle.domain.twin_state import Brought
from tests.parity.draws import Draws


def settle(draws: Draws) -> None:
    both, (instruction, brought) = draws.both, draws.request(draws.instruction())
    kinds = [kind for _, kind in brought]
    clear = both.compare_why_not((instruction, brought))
    said = both.act(
        "settle",
        (instruction, [signature for signature, _ in brought]),
        draws.random.choice(both.world.owners),
        lambda: twin.settle(both.state, instruction, kinds, now=both.now),
    )
    assert clear == (said is not None), "law L6"


def settle_many(draws: Draws) -> None:
    both, random = draws.both, draws.random
    requests = [draws.request(draws.instruction()) for _ in range(random.choice((0, 1, 2, 3, 6)))]
    if random.random() < 0.03 and requests:
        requests *= random.choice((10, 200))
    kinds = [(instruction, [kind for _, kind in brought]) for instruction, brought in requests]
    signed = [(instruction, [s for s, _ in brought]) for instruction, brought in requests]
    both.act(
        "settleMany",
        (signed,),
        both.world.stranger,
        lambda: twin.settle_many(both.state, kinds, now=both.now),
    )


def affirm(draws: Draws) -> None:
    both, instruction = draws.both, draws.instruction()
    chance = draws.random.choice((0.2, 0.5, 0.9, 1.0))
    brought = draws.brought(accounts_of(instruction), draws.name(instruction), chance)
    caller = draws.caller(instruction.initiator)
    both.act(
        "affirm",
        (instruction, [signature for signature, _ in brought]),
        caller,
        lambda: twin.affirm(
            both.state, instruction, [k for _, k in brought], caller=caller, now=both.now
        ),
    )


def affirm_and_commit(draws: Draws) -> None:
    """Bring an instruction to where its reservations bind, if everything allows it."""
    both, instruction = draws.both, draws.instruction()
    digest, world = both.state.id_of(instruction), both.world
    accounts = accounts_of(instruction)
    brought = [world.bring(a, digest, draws.random, Brought.GOOD) for a in accounts]
    both.act(
        "affirm",
        (instruction, [signature for signature, _ in brought]),
        world.stranger,
        lambda: twin.affirm(
            both.state,
            instruction,
            [kind for _, kind in brought],
            caller=world.stranger,
            now=both.now,
        ),
    )
    for account in dict.fromkeys(leg.deliverer for leg in instruction.legs):
        if draws.random.random() < 0.9:
            reserve_of(draws, instruction, account, committed=True)


def reserve(draws: Draws) -> None:
    instruction = draws.instruction()
    account = draws.party(instruction)
    reserve_of(draws, instruction, account, committed=draws.random.random() < 0.6)


def reserve_of(
    draws: Draws, instruction: Instruction, account: Address, *, committed: bool
) -> None:
    both, caller = draws.both, draws.caller(account)
    digest = reservation_digest(
        account, both.state.id_of(instruction), both.world.domain, committed=committed
    )
    signature, kind = draws.message(account, digest, caller)
    both.act(
        "reserve",
        (instruction, account, committed, signature),
        caller,
        lambda: twin.reserve(
            both.state,
            instruction,
            account,
            committed=committed,
            brought=kind,
            caller=caller,
            now=both.now,
        ),
    )


def release(draws: Draws) -> None:
    both, instruction = draws.both, draws.reserved()
    account = draws.party(instruction)
    caller = draws.caller(account)
    digest = release_digest(account, both.state.id_of(instruction), both.world.domain)
    signature, kind = draws.message(account, digest, caller)
    both.act(
        "release",
        (instruction, account, signature),
        caller,
        lambda: twin.release(
            both.state, instruction, account, brought=kind, caller=caller, now=both.now
        ),
    )


def withdraw(draws: Draws) -> None:
    both, instruction = draws.both, draws.instruction()
    account = draws.party(instruction)
    caller = draws.caller(account)
    digest = withdrawal_digest(account, both.state.id_of(instruction), both.world.domain)
    signature, kind = draws.message(account, digest, caller)
    both.act(
        "withdraw",
        (instruction, account, signature),
        caller,
        lambda: twin.withdraw(
            both.state, instruction, account, brought=kind, caller=caller, now=both.now
        ),
    )


def cancel(draws: Draws) -> None:
    both, instruction = draws.both, draws.instruction()
    valid_by = both.now + draws.random.choice((-1, 0, 1, 1, 50, 50))
    caller = draws.caller(instruction.initiator)

    def digest(account: Address) -> bytes:
        name = both.state.id_of(instruction)
        return cancellation_digest(account, name, both.world.domain, valid_by=valid_by)

    alone = draws.random.random() < 0.5
    accounts = (instruction.initiator,) if alone else accounts_of(instruction)
    chance = draws.random.choice((0.7, 1.0))
    brought = draws.brought(accounts, digest, chance)
    while len(brought) != len(accounts) and len(brought) in {1, len(accounts_of(instruction))}:
        brought = draws.brought(accounts, digest, chance)  # else each would stand for another
    both.act(
        "cancel",
        (instruction, valid_by, [signature for signature, _ in brought]),
        caller,
        lambda: twin.cancel(
            both.state,
            instruction,
            [kind for _, kind in brought],
            valid_by=valid_by,
            caller=caller,
            now=both.now,
        ),
    )
