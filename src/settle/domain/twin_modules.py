"""Twin of Ledger.sol: how modules hold value and move it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from settle.domain.chain_errors import Reverted
from settle.domain.chain_events import Moved
from settle.domain.ids import Address, AssetId
from settle.domain.instruction import MAX_MOVES, MAX_WINDOW
from settle.domain.ledger import Hold, Move, Standing, hold_id
from settle.domain.ledger_errors import (
    AccountNotAdmitted,
    DeadlinePassed,
    DeadlineTooFar,
    HoldAlreadyLive,
    HoldingTooLarge,
    HoldNotLive,
    HoldNotReleasable,
    HoldOfAnotherModule,
    ModuleNotActive,
    MoveOutOfRange,
    MovesNotGroupedByAsset,
    MovesNotZeroSum,
    QuantityIsZero,
    TooManyMoves,
)
from settle.domain.money import UINT128_MAX
from settle.domain.twin_ledger import (
    require_admitted,
    require_available,
    require_not_frozen,
    require_open,
)
from settle.domain.twin_state import ChainState, Draft, Step


def place_hold(state: ChainState, hold: Hold, *, caller: Address, now: int) -> Step:
    """Reserve value for the calling module. Raises: Reverted."""
    _require_module(state, caller)
    if hold.module != caller:
        raise Reverted(HoldOfAnotherModule(module=hold.module, caller=caller))
    if hold.quantity == 0:
        raise Reverted(QuantityIsZero())
    if now >= hold.deadline:
        raise Reverted(DeadlinePassed(deadline=hold.deadline, now=now))
    if hold.deadline > now + MAX_WINDOW:
        raise Reverted(DeadlineTooFar(deadline=hold.deadline, latest=now + MAX_WINDOW))
    require_open(state, hold.asset)
    require_admitted(state, hold.account)
    require_not_frozen(state, hold.account)
    if state.is_live(hold):
        raise Reverted(HoldAlreadyLive(hold=hold_id(hold)))
    require_available(state, hold.account, hold.asset, hold.quantity)
    draft = Draft(state)
    draft.place(hold)
    return draft.close()


def release_hold(state: ChainState, hold: Hold, *, caller: Address, now: int) -> Step:
    """Give held value back: its module at any time, anyone once overdue. Raises: Reverted."""
    if not state.is_live(hold):
        raise Reverted(HoldNotLive(hold=hold_id(hold)))
    if hold.module != caller and now < hold.deadline:
        raise Reverted(HoldNotReleasable(hold=hold_id(hold), deadline=hold.deadline, now=now))
    draft = Draft(state)
    draft.end(hold, executed=False)
    return draft.close()


def post(
    state: ChainState,
    purpose: bytes,
    executed: Sequence[Hold],
    moves: Sequence[Move],
    *,
    caller: Address,
    now: int,
) -> Step:
    """End the holds for their owners, then post moves that add up to zero. Raises: Reverted."""
    _require_module(state, caller)
    count = len(executed) + len(moves)
    if count > MAX_MOVES:
        raise Reverted(TooManyMoves(moves=count, max=MAX_MOVES))
    draft = Draft(state)
    for hold in executed:
        _execute(draft, hold, caller, now)
    asset, total = AssetId(0), 0
    for k, line in enumerate(moves):
        if k == 0 or line.asset != asset:
            if line.asset < asset:
                raise Reverted(MovesNotGroupedByAsset(asset=line.asset, previous=asset))
            if total:
                raise Reverted(MovesNotZeroSum(asset=asset, sum=total))
            asset = line.asset
            require_open(draft.state, asset)
        total += line.delta
        _move(draft, purpose, line, caller)
    if total:
        raise Reverted(MovesNotZeroSum(asset=asset, sum=total))
    return draft.close()


def _require_module(state: ChainState, caller: Address) -> None:
    if caller not in state.books.modules:
        raise Reverted(ModuleNotActive(module=caller))


def _execute(draft: Draft, hold: Hold, caller: Address, now: int) -> None:
    if hold.module != caller:
        raise Reverted(HoldOfAnotherModule(module=hold.module, caller=caller))
    if not draft.state.is_live(hold):
        raise Reverted(HoldNotLive(hold=hold_id(hold)))
    if now >= hold.deadline:
        raise Reverted(DeadlinePassed(deadline=hold.deadline, now=now))
    draft.end(hold, executed=True)


def _move(draft: Draft, purpose: bytes, line: Move, caller: Address) -> None:
    if line.delta == 0 or abs(line.delta) > UINT128_MAX:
        raise Reverted(MoveOutOfRange(asset=line.asset, delta=line.delta))
    before = draft.books.holding(line.account, line.asset)
    if line.delta < 0:
        require_not_frozen(draft.state, line.account)
        require_available(draft.state, line.account, line.asset, -line.delta)
    else:
        standing = draft.books.account(line.account).standing
        if standing is Standing.UNKNOWN:
            raise Reverted(AccountNotAdmitted(account=line.account, standing=standing))
        if before.balance + line.delta > UINT128_MAX:
            raise Reverted(
                HoldingTooLarge(account=line.account, asset=line.asset, quantity=line.delta)
            )
    draft.tell(
        Moved(
            module=caller,
            id=purpose,
            asset=line.asset,
            account=line.account,
            delta=line.delta,
            holding=replace(before, available=before.available + line.delta),
        )
    )
