"""Shows trades to one caller: its own side in full, of the other party what the trade is about."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from settle.api.instruction_documents import InstructionOut, LegOut
from settle.api.problems import reason_out
from settle.api.trade_documents import (
    DifferenceOut,
    SideOut,
    SubmittedOut,
    TradeOut,
)
from settle.domain.matching import Mismatch
from settle.services.show_trades import TradeView, view_trades

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.api.asset_names import AssetNames
    from settle.api.context import Caller
    from settle.domain.ids import Address
    from settle.domain.instruction import Instruction
    from settle.domain.side import TradeSide
    from settle.services.chain_rows import AssetRow
    from settle.services.submit_sides import Submitted
    from settle.services.trade_rows import TradeRow
    from settle.services.venue import Venue


class TradeViews:
    """Makes documents of trades."""

    def __init__(self, venue: Venue, names: AssetNames) -> None:
        """Read from this venue's store."""
        self._venue = venue
        self._names = names

    def show(self, conn: Connection, caller: Caller, rows: Sequence[TradeRow]) -> list[TradeOut]:
        """Show trades that the caller may see."""
        views = view_trades(self._venue, conn, caller.viewer, rows)
        codes = {
            code
            for view in views
            for side in view.sides
            for code in (side.isin, side.currency)
            if code is not None
        }
        numbers = set(self._venue.store.asset_numbers(conn, codes).values())
        assets = self._names.of(conn, numbers)
        own = self.own_accounts(conn, caller)
        return [_trade(view, caller, own, assets) for view in views]

    def own_accounts(self, conn: Connection, caller: Caller) -> Collection[Address] | None:
        """Give the caller's accounts; None for who sees everything."""
        if caller.viewer is None:
            return None
        accounts = self._venue.store.accounts_of(conn, [caller.viewer])
        return frozenset(accounts.get(caller.viewer, ()))

    def instruction(self, conn: Connection, terms: Instruction) -> InstructionOut:
        """Show signed terms with names and decimals beside the quantities."""
        return instruction_out(terms, self._names.of(conn, {leg.asset for leg in terms.legs}))


def _trade(
    view: TradeView,
    caller: Caller,
    own: Collection[Address] | None,
    assets: Mapping[int, AssetRow],
) -> TradeOut:
    row = view.trade
    decimals = {asset.code: asset.decimals for asset in assets.values()}
    mine, other = _ordered(view.sides, caller)
    terms = row.instruction
    return TradeOut(
        trade_id=row.trade_id,
        status=row.status.value,
        version=row.version,
        deliverer=row.deliverer_lei,
        receiver=row.receiver_lei,
        settlement_date=row.settlement_date,
        settle_from=row.settle_from,
        settle_by=row.settle_by,
        priority=row.priority,
        alleged=view.alleged,
        side=None if mine is None else _side(mine, decimals),
        other_side=None if other is None else _side(other, decimals),
        digest=row.digest,
        instruction=None if terms is None else instruction_out(terms, assets),
        consented=view.consents,
        differences=differences_out(view.differences),
        reasons=tuple(reason_out(reason, own) for reason in row.reasons),
        reasons_at=row.reasons_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        ended_at=row.ended_at,
        ended_block=row.ended_block,
        settled_transaction=row.settled_tx,
    )


def _ordered(
    sides: Sequence[TradeSide], caller: Caller
) -> tuple[TradeSide | None, TradeSide | None]:
    """The caller's own side before the other's; the older one first for who sees everything."""
    if caller.viewer is None:
        first, second, *_ = (*sides, None, None)
        return first, second
    mine = next((side for side in sides if side.submitted_by == caller.viewer), None)
    other = next((side for side in sides if side.submitted_by != caller.viewer), None)
    return mine, other


def _side(side: TradeSide, decimals: Mapping[str, int]) -> SideOut:
    return SideOut(
        side_id=side.side_id,
        lei=side.submitted_by,
        reference=side.reference or None,
        received_at=side.received_at,
        movement=side.movement,
        payment=side.payment,
        transaction_type=side.transaction_type,
        isin=side.isin,
        quantity=side.quantity,
        quantity_decimals=decimals.get(side.isin),
        quantity_kind=side.quantity_kind,
        currency=side.currency,
        amount=side.amount,
        amount_decimals=decimals.get(side.currency or ""),
        trade_date=side.trade_date,
        settlement_date=side.settlement_date,
        delivering_party=side.delivering_party,
        receiving_party=side.receiving_party,
        delivering_depository=side.delivering_depository,
        receiving_depository=side.receiving_depository,
        common_reference=side.common_reference,
        opt_out=side.opt_out,
        ex_cum=side.ex_cum,
        delivering_client=side.delivering_client,
        receiving_client=side.receiving_client,
        account=side.account,
        counterparty_account=side.counterparty_account,
        partial_allowed=side.partial_allowed,
        minimum_lot=side.minimum_lot,
        nonce=side.nonce,
        trade_ref=side.trade_ref,
        terms=side.terms,
    )


def instruction_out(terms: Instruction, assets: Mapping[int, AssetRow]) -> InstructionOut:
    """Show signed terms; an asset that is not known yet has no code and no decimals."""
    legs = []
    for leg in terms.legs:
        asset = assets.get(leg.asset)
        legs.append(
            LegOut(
                asset=leg.asset,
                code="" if asset is None else asset.code,
                decimals=0 if asset is None else asset.decimals,
                deliverer=leg.deliverer,
                receiver=leg.receiver,
                quantity=leg.quantity,
            )
        )
    return InstructionOut(
        initiator=terms.initiator,
        nonce=terms.nonce,
        settle_from=terms.settle_from,
        settle_by=terms.settle_by,
        cycle=terms.cycle,
        options=terms.options,
        minimum_lot=terms.minimum_lot,
        predecessor=terms.predecessor,
        trade_ref=terms.trade_ref,
        terms=terms.terms,
        legs=tuple(legs),
    )


def differences_out(differences: Collection[Mismatch]) -> tuple[DifferenceOut, ...]:
    """Show what differs, ours as yours."""
    return tuple(
        DifferenceOut(field=one.field, code=one.code, yours=one.ours, theirs=one.theirs)
        for one in differences
    )


def submitted_out(result: Submitted) -> SubmittedOut:
    """Show what became of a side."""
    row = result.trade
    return SubmittedOut(
        reference=result.reference,
        side_id=result.side_id,
        trade_id=row.trade_id,
        status=row.status.value,
        version=row.version,
        digest=row.digest,
        differences=differences_out(result.differences),
        repeated=result.repeated,
    )
