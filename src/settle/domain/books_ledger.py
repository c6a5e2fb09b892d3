"""How each event of the ledger moves the books: accounts, assets, holdings, holds, supply."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from settle.domain import chain_events as said
from settle.domain.books_state import Books, BooksDiffer
from settle.domain.chain_events import LedgerEvent, Place
from settle.domain.ids import Address, AssetId
from settle.domain.ledger import Asset, Hold, Holding, NonceState


def advance_ledger(books: Books, place: Place, event: LedgerEvent) -> None:
    """Apply one event of the ledger in place. Raises: BooksDiffer."""
    match event:
        case said.StandingSet() | said.AccountFrozen():
            _change_account(books, event)
        case said.AssetFrozen():
            asset = _asset(books, place, event.asset)
            books.assets[event.asset] = replace(asset, frozen=event.frozen)
        case said.AssetCreated():
            _create_asset(books, place, event)
        case said.ModuleSet():
            (books.modules.add if event.active else books.modules.discard)(event.module)
        case said.Issued():
            _change_supply(books, place, event, event.quantity)
        case said.Redeemed():
            _change_supply(books, place, event, -event.quantity)
            _spend_nonce(books, place, event)
        case said.Posted():
            _post(books, place, event)
        case said.Moved():
            _move(books, place, event)
        case said.HoldPlaced() | said.HoldEnded():
            _change_hold(books, place, event)
        case _:
            assert_never(event)


def _change_account(books: Books, event: said.StandingSet | said.AccountFrozen) -> None:
    word = books.account(event.account)
    if isinstance(event, said.AccountFrozen):
        books.accounts[event.account] = replace(word, frozen=event.frozen)
    else:
        books.accounts[event.account] = replace(word, standing=event.standing, class_=event.class_)


def _change(
    books: Books,
    place: Place,
    event: said.Issued | said.Redeemed | said.Moved | said.HoldPlaced | said.HoldEnded,
    available: int,
    held: int,
) -> None:
    set_holding(books, place, (event.account, event.asset), (available, held), event.holding)


def set_holding(
    books: Books,
    place: Place,
    key: tuple[Address, AssetId],
    delta: tuple[int, int],
    stated: Holding,
) -> None:
    """Add to a holding what the event says was added; the sum must be what it says is there."""
    account, asset = key
    _asset(books, place, asset)
    before = books.holding(account, asset)
    for fact, found, computed in (
        ("the available quantity", stated.available, before.available + delta[0]),
        ("the held quantity", stated.held, before.held + delta[1]),
    ):
        if found != computed or computed < 0:
            raise BooksDiffer(
                place, fact, stated=found, computed=computed, account=account, asset=asset
            )
    books.holdings[key] = stated


def _post(books: Books, place: Place, event: said.Posted) -> None:
    asset, quantity = event.asset, event.quantity
    deliverer, receiver = (event.deliverer, asset), (event.receiver, asset)
    set_holding(books, place, deliverer, (-quantity, 0), event.deliverer_holding)
    set_holding(books, place, receiver, (quantity, 0), event.receiver_holding)
    books.posted.setdefault(event.instruction, place)


def _move(books: Books, place: Place, event: said.Moved) -> None:
    _change(books, place, event, event.delta, 0)
    key = (event.id, event.asset)
    before = books.moved[key][0] if key in books.moved else 0
    books.moved[key] = (before + event.delta, place)


def _asset(books: Books, place: Place, asset: AssetId) -> Asset:
    if asset not in books.assets:
        raise BooksDiffer(place, "the asset", stated="in use", computed="unknown", asset=asset)
    return books.assets[asset]


def _create_asset(books: Books, place: Place, event: said.AssetCreated) -> None:
    following = len(books.assets) + 1
    if event.asset != following:
        raise BooksDiffer(
            place, "the number of the new asset", stated=event.asset, computed=following
        )
    books.assets[event.asset] = Asset(
        class_=event.class_,
        decimals=event.decimals,
        frozen=False,
        code=event.code,
        issuer=event.issuer,
        total_supply=0,
    )


def _change_supply(
    books: Books, place: Place, event: said.Issued | said.Redeemed, delta: int
) -> None:
    asset = _asset(books, place, event.asset)
    supply = asset.total_supply + delta
    if event.total_supply != supply:
        raise BooksDiffer(
            place,
            "the total supply",
            stated=event.total_supply,
            computed=supply,
            account=event.account,
            asset=event.asset,
        )
    _change(books, place, event, delta, 0)
    books.assets[event.asset] = replace(asset, total_supply=supply)


def _spend_nonce(books: Books, place: Place, event: said.Redeemed) -> None:
    state = books.nonce_state(event.account, event.nonce)
    if state is not NonceState.OPEN:
        raise BooksDiffer(
            place,
            f"nonce {event.nonce}",
            stated="spent by a redemption",
            computed=state.name,
            account=event.account,
        )
    books.set_nonce(event.account, event.nonce, NonceState.SETTLED)


def _change_hold(books: Books, place: Place, event: said.HoldPlaced | said.HoldEnded) -> None:
    hold = hold_of_event(event)
    begins = isinstance(event, said.HoldPlaced)
    if begins == (hold in books.holds):
        raise BooksDiffer(
            place,
            f"hold {event.index} of 0x{event.purpose.hex()}",
            stated="placed" if begins else "ended",
            computed="live already" if begins else "not live",
            account=event.account,
            asset=event.asset,
        )
    quantity = event.quantity if begins else -event.quantity
    _change(books, place, event, -quantity, quantity)
    (books.holds.add if begins else books.holds.remove)(hold)


def hold_of_event(event: said.HoldPlaced | said.HoldEnded) -> Hold:
    """Return the hold that an event speaks of."""
    return Hold(
        module=event.module,
        purpose=event.purpose,
        index=event.index,
        account=event.account,
        asset=event.asset,
        quantity=event.quantity,
        deadline=event.deadline,
    )
