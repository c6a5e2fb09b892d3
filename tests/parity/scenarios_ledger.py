"""Every error with which the ledger refuses, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from settle.domain.ids import AssetId
from settle.domain.instruction import MAX_MOVES, MAX_WINDOW, Redemption
from settle.domain.ledger import AssetClass, Hold, Move, Standing, code_bytes
from settle.domain.money import UINT128_MAX
from tests.parity.market import GRANT, create_asset, issue, set_module, set_standing
from tests.parity.scenario import BAD, Scenario, leg


def assets(s: Scenario) -> None:
    both, a = s.both, s.both.world.owners[0]
    for kind, decimals, code, told in (
        (AssetClass.NONE, 0, b"NEW", "AssetInvalid"),
        (AssetClass.OTHER, 19, b"NEW", "AssetInvalid"),
        (AssetClass.OTHER, 18, b"", "AssetInvalid"),
        (AssetClass.OTHER, 18, b"A\x00B", "AssetInvalid"),
        (AssetClass.OTHER, 18, b"A B", "AssetInvalid"),
        (AssetClass.OTHER, 18, b"A\x7f", "AssetInvalid"),
        (AssetClass.OTHER, 18, b"ASSET1", "AssetCodeTaken"),
        (AssetClass.OTHER, 18, b"!~ABCDEFGHIJ", ""),
    ):
        create_asset(both, kind, decimals, code.ljust(12, b"\x00"), a)
        both.compare_books()
        assert both.last == told
    assert s.freeze_asset(0) == s.freeze_asset(8) == "AssetUnknown"


def supply(s: Scenario) -> None:
    both, (a, b, *_) = s.both, s.both.world.owners
    total = both.state.books.assets[AssetId(1)].total_supply
    for asset, account, quantity, told in (
        (9, a, 1, "AssetUnknown"),
        (1, both.world.stranger, 1, "AccountNotAdmitted"),
        (1, a, 0, "QuantityIsZero"),
        (1, a, UINT128_MAX - total + 1, "SupplyTooLarge"),
        (1, a, UINT128_MAX - total, ""),
        (1, b, 1, "SupplyTooLarge"),
    ):
        issue(both, AssetId(asset), account, quantity)
        both.compare_books()
        assert both.last == told
    s.freeze_asset(1)
    issue(both, AssetId(1), a, 1)
    assert both.last == "AssetIsFrozen"
    set_standing(both, b, Standing.SUSPENDED, 0)
    issue(both, AssetId(2), b, 1)
    assert both.last == "AccountNotAdmitted"


def redemption(s: Scenario) -> None:
    a, b, *_ = s.both.world.owners
    now = s.both.now
    order = Redemption(
        account=a, asset=AssetId(1), quantity=GRANT, ref=bytes(32), nonce=0, valid_by=now + 1
    )
    assert s.redeem(replace(order, asset=AssetId(9))) == "AssetUnknown"
    assert s.redeem(replace(order, quantity=0)) == "QuantityIsZero"
    assert s.redeem(replace(order, valid_by=now)) == "DeadlinePassed"
    assert s.redeem(order, BAD) == "SignatureInvalid"
    assert s.redeem(replace(order, quantity=GRANT + 1)) == "HoldingTooSmall"
    s.freeze_account(a)
    assert s.redeem(order) == "AccountIsFrozen"
    s.freeze_account(a, frozen=False)
    s.freeze_asset(1)
    assert s.redeem(order) == "AssetIsFrozen"
    s.freeze_asset(1, frozen=False)
    # Who is suspended may leave.
    set_standing(s.both, a, Standing.SUSPENDED, 0)
    assert s.redeem(order) == ""
    assert s.redeem(order) == "NonceUsed"
    set_standing(s.both, a, Standing.ADMITTED, 0)
    assert s.settle(s.dvp(a, b)) == "XDON"
    live = s.dvp(a, b)
    assert s.affirm(live) == ""
    assert s.redeem(replace(order, asset=AssetId(2), nonce=live.nonce)) == "NonceUsed"


def holds(s: Scenario) -> None:
    both, (module, a, b, *_) = s.both, s.both.world.owners
    hold = Hold(
        module=module,
        purpose=b"margin".ljust(32),
        index=3,
        account=a,
        asset=AssetId(1),
        quantity=GRANT,
        deadline=both.now + 5,
    )
    far = both.now + MAX_WINDOW
    for odd, caller, told in (
        (hold, a, "ModuleNotActive"),
        (replace(hold, module=a), module, "HoldOfAnotherModule"),
        (replace(hold, quantity=0), module, "QuantityIsZero"),
        (replace(hold, deadline=both.now), module, "DeadlinePassed"),
        (replace(hold, deadline=far + 1), module, "DeadlineTooFar"),
        (replace(hold, asset=AssetId(0)), module, "AssetUnknown"),
        (replace(hold, account=both.world.stranger), module, "AccountNotAdmitted"),
        (replace(hold, quantity=GRANT + 1), module, "HoldingTooSmall"),
        (replace(hold, quantity=1, deadline=far), module, ""),
        (replace(hold, quantity=1, deadline=far - 1), module, ""),
        (replace(hold, quantity=1, deadline=far), module, "HoldAlreadyLive"),
    ):
        assert s.place_hold(odd, caller) == told
    # The two differ in their deadline alone, and the event tells which one ended.
    assert s.release_hold(replace(hold, quantity=1, deadline=far), module) == ""
    assert s.release_hold(replace(hold, quantity=1, deadline=far), module) == "HoldNotLive"
    assert s.release_hold(replace(hold, quantity=1, deadline=far - 1), module) == ""
    s.freeze_account(a)
    assert s.place_hold(hold, module) == "AccountIsFrozen"
    s.freeze_account(a, frozen=False)
    s.freeze_asset(1)
    assert s.place_hold(hold, module) == "AssetIsFrozen"
    s.freeze_asset(1, frozen=False)
    assert s.place_hold(hold, module) == ""
    s.wait_until(hold.deadline - 1)
    assert s.release_hold(hold, b) == "HoldNotReleasable"
    s.wait_until(hold.deadline)
    assert s.post((hold,), (), module) == "DeadlinePassed"
    set_module(both, module, active=False)
    assert s.release_hold(hold, b) == ""
    assert s.place_hold(hold, module) == "ModuleNotActive"


def postings(s: Scenario) -> None:
    both, (module, a, b, *_) = s.both, s.both.world.owners
    assert s.post((), (), a) == "ModuleNotActive"
    hold = Hold(
        module=module,
        purpose=b"margin".ljust(32),
        index=0,
        account=a,
        asset=AssetId(1),
        quantity=GRANT,
        deadline=both.now + 5,
    )
    give, take = line(1, a, -GRANT), line(1, b, GRANT)
    assert s.post((hold,), (), module) == "HoldNotLive"
    assert s.post((replace(hold, module=b),), (), module) == "HoldOfAnotherModule"
    assert s.place_hold(hold, module) == ""
    assert s.post((), (give, take), module) == "HoldingTooSmall"
    full = (line(2, b, 1), line(2, b, -1)) * (MAX_MOVES // 2)
    assert s.post((), full, module) == ""
    assert s.post((hold,), full, module) == "TooManyMoves"
    # What is held counts for how much a holding can take, also for a moment.
    room = UINT128_MAX - GRANT
    assert s.post((), (line(1, a, room + 1), line(1, a, -room - 1)), module) == "HoldingTooLarge"
    assert s.post((), (line(1, a, room), line(1, a, -room)), module) == ""
    frozen = (line(2, b, -1), line(2, a, 1))
    for moves, told in (
        ((give,) * (MAX_MOVES + 1), "TooManyMoves"),
        ((give, take) * (MAX_MOVES // 2 - 1), "HoldingTooSmall"),
        ((line(2, b, -1), line(2, a, 1), give, take), "MovesNotGroupedByAsset"),
        ((give, line(2, a, 1), line(2, b, -1)), "MovesNotZeroSum"),
        ((give, line(1, b, GRANT - 1)), "MovesNotZeroSum"),
        ((line(1, b, 0),), "MoveOutOfRange"),
        ((line(1, b, UINT128_MAX + 1),), "MoveOutOfRange"),
        ((line(1, b, -UINT128_MAX - 1),), "MoveOutOfRange"),
        ((line(1, b, -(2**255)),), "MoveOutOfRange"),
        ((line(1, b, 2**255 - 1),), "MoveOutOfRange"),
        ((line(1, b, UINT128_MAX),), "HoldingTooLarge"),
        ((line(0, b, 1), line(0, b, -1)), "AssetUnknown"),
        ((line(1, both.world.stranger, 1),), "AccountNotAdmitted"),
    ):
        assert s.post((hold,), moves, module) == told
    s.freeze_account(b)
    assert s.post((hold,), frozen, module) == "AccountIsFrozen"
    set_standing(both, b, Standing.SUSPENDED, 0)
    # Whoever is suspended or frozen is still credited.
    assert s.post((hold,), (give, take), module) == ""
    s.freeze_asset(2)
    assert s.post((), frozen, module) == "AssetIsFrozen"
    # What an instruction reserved is no module's to release.
    s.freeze_asset(2, frozen=False)
    s.freeze_account(b, frozen=False)
    set_standing(both, b, Standing.ADMITTED, 0)
    trade = s.dvp(b, a, legs=(leg(1, b, a, 1), leg(2, a, b, 1)))
    assert s.affirm(trade) == s.reserve(trade, b, committed=False) == ""
    reserved = Hold(
        module=both.world.settlement,
        purpose=both.state.id_of(trade),
        index=0,
        account=b,
        asset=AssetId(1),
        quantity=1,
        deadline=trade.settle_by,
    )
    both.holds.append(reserved)
    assert s.release_hold(reserved, module) == "HoldNotLive"
    s.wait_until(trade.settle_by)
    assert s.release_hold(reserved, b) == "HoldNotLive"
    assert s.release(trade, b, BAD) == ""


def precedence_of_redeem_and_issue(s: Scenario) -> None:
    """Everything is wrong at once, and is put right one by one."""
    both, (a, b, *_) = s.both, s.both.world.owners
    now = both.now
    trade = s.dvp(a, b)
    assert s.settle(trade) == ""
    s.freeze_account(a)
    order = Redemption(
        account=a, asset=AssetId(9), quantity=0, ref=bytes(32), nonce=trade.nonce, valid_by=now
    )
    assert s.redeem(order, BAD) == "AssetUnknown"
    order = replace(order, asset=AssetId(1))
    assert s.redeem(order, BAD) == "QuantityIsZero"
    order = replace(order, quantity=GRANT + 1)
    assert s.redeem(order, BAD) == "DeadlinePassed"
    order = replace(order, valid_by=now + 1)
    assert s.redeem(order, BAD) == "NonceUsed"
    order = replace(order, nonce=77)
    assert s.redeem(order, BAD) == "AccountIsFrozen"
    s.freeze_account(a, frozen=False)
    assert s.redeem(order, BAD) == "SignatureInvalid"
    assert s.redeem(order) == "HoldingTooSmall"
    for asset, account, quantity, told in (
        (9, both.world.stranger, 0, "AssetUnknown"),
        (1, both.world.stranger, 0, "AccountNotAdmitted"),
        (1, a, 0, "QuantityIsZero"),
    ):
        issue(both, AssetId(asset), account, quantity)
        assert both.last == told
    create_asset(both, AssetClass.NONE, 0, code_bytes("ASSET1"), a)
    assert both.last == "AssetInvalid"


def precedence_of_holds(s: Scenario) -> None:
    """Everything is wrong at once, and is put right one by one."""
    both, (module, a, b, *_) = s.both, s.both.world.owners
    now = both.now
    s.freeze_account(a)
    set_standing(both, a, Standing.SUSPENDED, 0)
    hold = Hold(
        module=b,
        purpose=bytes(32),
        index=0,
        account=a,
        asset=AssetId(9),
        quantity=0,
        deadline=now,
    )
    assert s.place_hold(hold, a) == "ModuleNotActive"
    assert s.place_hold(hold, module) == "HoldOfAnotherModule"
    hold = replace(hold, module=module)
    assert s.place_hold(hold, module) == "QuantityIsZero"
    hold = replace(hold, quantity=GRANT + 5)
    assert s.place_hold(hold, module) == "DeadlinePassed"
    assert s.place_hold(replace(hold, deadline=now + MAX_WINDOW + 1), module) == "DeadlineTooFar"
    hold = replace(hold, deadline=now + 1)
    assert s.place_hold(hold, module) == "AssetUnknown"
    hold = replace(hold, asset=AssetId(1))
    s.freeze_asset(1)
    assert s.place_hold(hold, module) == "AssetIsFrozen"
    s.freeze_asset(1, frozen=False)
    assert s.place_hold(hold, module) == "AccountNotAdmitted"
    set_standing(both, a, Standing.ADMITTED, 0)
    assert s.place_hold(hold, module) == "AccountIsFrozen"
    s.freeze_account(a, frozen=False)
    assert s.place_hold(hold, module) == "HoldingTooSmall"
    issue(both, AssetId(1), a, 5)
    assert s.place_hold(hold, module) == ""
    assert s.place_hold(hold, module) == "HoldAlreadyLive"


def precedence_of_postings(s: Scenario) -> None:
    """Everything is wrong at once, and is put right one by one."""
    both, (module, a, b, *_) = s.both, s.both.world.owners
    hold = Hold(
        module=module,
        purpose=bytes(32),
        index=0,
        account=a,
        asset=AssetId(1),
        quantity=GRANT,
        deadline=both.now + 1,
    )
    assert s.place_hold(hold, module) == ""
    set_module(both, module, active=False)
    too_many = (line(1, a, 2**255 - 1), line(0, b, -1)) * MAX_MOVES
    foreign = replace(hold, module=b, index=9)
    assert s.post((foreign,), too_many, module) == "ModuleNotActive"
    set_module(both, module, active=True)
    assert s.post((foreign,), too_many, module) == "TooManyMoves"
    assert s.post((foreign,), too_many[:2], module) == "HoldOfAnotherModule"
    s.wait_until(hold.deadline)
    assert s.post((replace(hold, index=9),), too_many[:2], module) == "HoldNotLive"
    assert s.post((hold,), too_many[:2], module) == "DeadlinePassed"
    assert s.post((), too_many[1:3], module) == "AssetUnknown"
    assert s.post((), too_many[:2], module) == "MoveOutOfRange"
    assert s.post((), (line(1, b, 1), line(0, b, -1)), module) == "MovesNotGroupedByAsset"
    assert s.post((), (line(1, b, 1), line(9, b, -1)), module) == "MovesNotZeroSum"


def line(asset: int, account: bytes, delta: int) -> Move:
    """Return a line of a posting."""
    return Move(asset=AssetId(asset), account=account, delta=delta)  # type: ignore[arg-type]


LEDGER: tuple[Callable[[Scenario], None], ...] = (
    *(assets, supply, redemption, holds, postings, precedence_of_redeem_and_issue),
    *(precedence_of_holds, precedence_of_postings),
)
