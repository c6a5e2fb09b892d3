"""Twin of Ledger.sol: accounts, assets and supply."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from settle.domain.chain_errors import Reverted
from settle.domain.chain_events import (
    AccountFrozen,
    AssetCreated,
    AssetFrozen,
    ChainEvent,
    Issued,
    ModuleSet,
    Redeemed,
    StandingSet,
)
from settle.domain.ids import Address, AssetId
from settle.domain.instruction import Redemption
from settle.domain.ledger import Asset, AssetClass, NonceState, Standing
from settle.domain.ledger_errors import (
    AccountIsFrozen,
    AccountNotAdmitted,
    AssetCodeTaken,
    AssetInvalid,
    AssetIsFrozen,
    AssetUnknown,
    DeadlinePassed,
    HoldingTooSmall,
    NonceUsed,
    QuantityIsZero,
    SignatureInvalid,
    SupplyTooLarge,
)
from settle.domain.money import UINT128_MAX
from settle.domain.twin_state import Brought, ChainState, Draft, Step

MAX_DECIMALS: Final = 18
_FIRST_VISIBLE: Final = 0x21
_LAST_VISIBLE: Final = 0x7E


def set_standing(state: ChainState, account: Address, standing: Standing, class_: int) -> Step:
    """Set whether an account may settle. Freeze and withdrawals stay as they are."""
    return _said(state, StandingSet(account=account, standing=standing, class_=class_))


def freeze_account(state: ChainState, account: Address, *, frozen: bool, why: bytes) -> Step:
    """Stop or allow debits of an account, for a reason of four letters."""
    return _said(state, AccountFrozen(account=account, frozen=frozen, reason=why))


def freeze_asset(state: ChainState, asset: AssetId, *, frozen: bool, why: bytes) -> Step:
    """Stop or allow debits of an asset, for a reason of four letters. Raises: Reverted."""
    if asset not in state.books.assets:
        raise Reverted(AssetUnknown(asset=asset))
    return _said(state, AssetFrozen(asset=asset, frozen=frozen, reason=why))


def create_asset(
    state: ChainState, *, class_: AssetClass, decimals: int, code: bytes, issuer: Address
) -> Step:
    """Add an asset under the next number; codes are unique. Raises: Reverted."""
    if class_ is AssetClass.NONE or decimals > MAX_DECIMALS or not _is_code(code):
        raise Reverted(AssetInvalid(class_=class_, decimals=decimals, code=code))
    assets = state.books.assets
    for number, asset in assets.items():
        if asset.code == code:
            raise Reverted(AssetCodeTaken(code=code, asset=number))
    return _said(
        state,
        AssetCreated(
            asset=AssetId(len(assets) + 1),
            class_=class_,
            decimals=decimals,
            code=code,
            issuer=issuer,
        ),
    )


def set_module(state: ChainState, module: Address, *, active: bool) -> Step:
    """Let a contract move value by holds and postings, or stop it."""
    return _said(state, ModuleSet(module=module, active=active))


def issue(state: ChainState, asset: AssetId, account: Address, quantity: int, ref: bytes) -> Step:
    """Bring value into being in an admitted account (law L2). Raises: Reverted."""
    found = require_open(state, asset)
    require_admitted(state, account)
    if quantity == 0:
        raise Reverted(QuantityIsZero())
    supply = found.total_supply + quantity
    if supply > UINT128_MAX:
        raise Reverted(SupplyTooLarge(asset=asset, supply=supply, max=UINT128_MAX))
    before = state.books.holding(account, asset)
    return _said(
        state,
        Issued(
            asset=asset,
            account=account,
            ref=ref,
            quantity=quantity,
            holding=replace(before, available=before.available + quantity),
            total_supply=supply,
        ),
    )


def redeem(state: ChainState, order: Redemption, *, brought: Brought, now: int) -> Step:
    """Take value out of the books under its holder's signature. Raises: Reverted."""
    asset, account, quantity = order.asset, order.account, order.quantity
    found = require_open(state, asset)
    if quantity == 0:
        raise Reverted(QuantityIsZero())
    if now >= order.valid_by:
        raise Reverted(DeadlinePassed(deadline=order.valid_by, now=now))
    if state.books.nonce_state(account, order.nonce) is not NonceState.OPEN:
        raise Reverted(NonceUsed(account=account, nonce=order.nonce))
    require_not_frozen(state, account)
    if brought is not Brought.GOOD:
        raise Reverted(SignatureInvalid(account=account))
    before = state.books.holding(account, asset)
    require_available(state, account, asset, quantity)
    return _said(
        state,
        Redeemed(
            asset=asset,
            account=account,
            ref=order.ref,
            nonce=order.nonce,
            quantity=quantity,
            holding=replace(before, available=before.available - quantity),
            total_supply=found.total_supply - quantity,
        ),
    )


def require_open(state: ChainState, asset: AssetId) -> Asset:
    """Ask that an asset exists and is not frozen. Raises: Reverted."""
    found = state.books.assets.get(asset)
    if found is None:
        raise Reverted(AssetUnknown(asset=asset))
    if found.frozen:
        raise Reverted(AssetIsFrozen(asset=asset))
    return found


def require_admitted(state: ChainState, account: Address) -> None:
    """Ask that an account may enter. Raises: Reverted."""
    standing = state.books.account(account).standing
    if standing is not Standing.ADMITTED:
        raise Reverted(AccountNotAdmitted(account=account, standing=standing))


def require_not_frozen(state: ChainState, account: Address) -> None:
    """Ask that an account may be debited. Raises: Reverted."""
    if state.books.account(account).frozen:
        raise Reverted(AccountIsFrozen(account=account))


def require_available(state: ChainState, account: Address, asset: AssetId, needed: int) -> None:
    """Ask that an account has enough available. Raises: Reverted."""
    available = state.books.holding(account, asset).available
    if available < needed:
        raise Reverted(
            HoldingTooSmall(account=account, asset=asset, available=available, needed=needed)
        )


def _is_code(code: bytes) -> bool:
    """Whether a code is visible ASCII, then nothing: two that print alike are the same."""
    text = code.rstrip(b"\x00")
    return bool(text) and all(_FIRST_VISIBLE <= byte <= _LAST_VISIBLE for byte in text)


def _said(state: ChainState, event: ChainEvent) -> Step:
    draft = Draft(state)
    draft.tell(event)
    return draft.close()
