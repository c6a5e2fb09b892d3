"""Random calls of modules: holds placed and released, and postings."""

from __future__ import annotations

from settle.domain import chainstate as twin
from settle.domain.ids import Address, AssetId
from settle.domain.instruction import MAX_WINDOW
from settle.domain.ledger import Hold, Move
from settle.domain.money import UINT128_MAX
from tests.parity.draws import Draws
from tests.parity.market import set_module
from tests.parity.terms import ASSETS


def change_module(draws: Draws) -> None:
    module = draws.random.choice(draws.both.world.owners[:2])
    set_module(draws.both, module, active=draws.random.random() < 0.8)


def some_module(draws: Draws) -> Address:
    return draws.random.choice((*[draws.both.world.owners[0]] * 8, draws.both.world.owners[1]))


def some_hold(draws: Draws, module: Address) -> Hold:
    random, both = draws.random, draws.both
    account, asset = random.choice(both.world.owners), random.choice(ASSETS[1:7])
    have = both.state.books.holding(account, asset).available
    return Hold(
        module=module if random.random() < 0.95 else both.world.settlement,
        purpose=bytes(32),
        index=random.randint(0, 1),
        account=account,
        asset=asset if random.random() < 0.97 else AssetId(0),
        quantity=random.choice((0, 1, 1, 2, 2, 3, 3, have, have + 1)),
        deadline=both.now + random.choice((-1, 0, 1, 5, 90, 90, MAX_WINDOW, MAX_WINDOW + 1)),
    )


def old_hold(draws: Draws, module: Address) -> Hold:
    """Return a hold that was tried before, or one that was not."""
    live = [hold for hold in draws.both.holds if draws.both.state.is_live(hold)]
    if live and draws.random.random() < 0.85:
        return draws.random.choice(live)
    return draws.random.choice((*draws.both.holds, some_hold(draws, module)))


def place_hold(draws: Draws) -> None:
    both, caller = draws.both, some_module(draws)
    repeated = draws.both.holds and draws.random.random() < 0.15
    hold = old_hold(draws, caller) if repeated else some_hold(draws, caller)
    both.holds.append(hold)
    both.act(
        "placeHold",
        (hold,),
        caller,
        lambda: twin.place_hold(both.state, hold, caller=caller, now=both.now),
    )


def release_hold(draws: Draws) -> None:
    both = draws.both
    hold = old_hold(draws, some_module(draws))
    caller = draws.random.choice((hold.module, both.world.stranger))
    both.act(
        "releaseHold",
        (hold,),
        caller,
        lambda: twin.release_hold(both.state, hold, caller=caller, now=both.now),
    )


def post(draws: Draws) -> None:
    both, random, caller = draws.both, draws.random, some_module(draws)
    live = [hold for hold in both.holds if both.state.is_live(hold)]
    executed = random.sample(live, min(len(live), random.choice((0, 0, 1, 2))))
    if random.random() < 0.05 and both.holds:
        executed.append(random.choice(both.holds))
    moves = some_moves(draws)
    purpose = random.randbytes(32)
    if not executed and not moves:
        return
    both.act(
        "post",
        (purpose, executed, moves),
        caller,
        lambda: twin.post(both.state, purpose, executed, moves, caller=caller, now=both.now),
    )


def some_moves(draws: Draws) -> list[Move]:
    """Return lines that mostly balance; some are out of order, range or balance."""
    random, owners = draws.random, draws.both.world.owners
    moves: list[Move] = []
    for asset in sorted(random.sample(ASSETS[1:7], random.randint(1, 3))):
        giver, taker = random.sample(owners, 2)
        have = draws.both.state.books.holding(giver, asset).available
        quantity = random.choice((1, 2, max(1, have // 2), max(1, have), have + 1))
        lines = [
            Move(asset=asset, account=giver, delta=-quantity),
            Move(asset=asset, account=taker, delta=quantity),
        ]
        moves += lines if random.random() < 0.8 else lines[::-1]
    draw = random.random()
    strange = random.choice((owners[0], draws.both.world.stranger))
    if draw < 0.06:
        delta = random.choice((0, 1, -1, 2**128, -(2**128), UINT128_MAX, 2**255 - 1, -(2**255)))
        moves.append(Move(asset=moves[-1].asset, account=strange, delta=delta))
    elif draw < 0.09:
        random.shuffle(moves)
    elif draw < 0.11:
        moves.append(Move(asset=AssetId(8), account=strange, delta=1))
    elif draw < 0.12:
        moves *= 150
    return moves
