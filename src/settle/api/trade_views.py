"""Shows trades to one caller: its own side in full, of the other party what the trade is about."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from settle.api.instruction_documents import InstructionOut, LegOut
from settle.api.problems import reason_out
from settle.api.trade_documents import (
    DifferenceOut,
    SideOut,
    SubmittedOut,
    TradeOut,
)
from settle.domain.errors import InvalidInput
from settle.domain.matching import Mismatch, proposed_terms

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.api.asset_names import AssetNames
    from settle.api.context import Caller
    from settle.domain.ids import Address, AssetId, InstructionId, Lei, TradeId
    from settle.domain.instruction import Instruction
    from settle.domain.side import TradeSide
    from settle.services.chain_rows import AssetRow
    from settle.services.submit_sides import Submitted
    from settle.services.trade_rows import SideRow, TradeRow
    from settle.services.venue import Venue

Signers = Mapping["InstructionId", Mapping["Address", bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Surroundings:
    """What stands around the trades of a page, read in a few statements."""

    sides: Mapping[TradeId, Sequence[SideRow]]
    consents: Signers
    accounts: Mapping[Lei, Sequence[Address]]
    assets: Mapping[int, AssetRow]
    numbers: Mapping[str, AssetId]


class TradeViews:
    """Makes documents of trades."""

    def __init__(self, venue: Venue, names: AssetNames) -> None:
        """Read from this venue's store."""
        self._venue = venue
        self._names = names

    def show(self, conn: Connection, caller: Caller, rows: Sequence[TradeRow]) -> list[TradeOut]:
        """Show trades that the caller may see."""
        around = self._read(conn, rows)
        return [self._trade(caller, row, around) for row in rows]

    def instruction(self, conn: Connection, terms: Instruction) -> InstructionOut:
        """Show signed terms with names and decimals beside the quantities."""
        return instruction_out(terms, self._names.of(conn, {leg.asset for leg in terms.legs}))

    def _read(self, conn: Connection, rows: Sequence[TradeRow]) -> _Surroundings:
        store = self._venue.store
        digests = {row.digest for row in rows if row.digest is not None}
        sides = store.sides_of(conn, [row.trade_id for row in rows])
        codes = {
            code
            for found in sides.values()
            for one in found
            for code in (one.side.isin, one.side.currency)
            if code is not None
        }
        numbers = store.asset_numbers(conn, codes)
        return _Surroundings(
            sides=sides,
            consents=store.signatures(conn, digests) if digests else {},
            accounts=store.accounts_of(conn, {lei for row in rows for lei in row.parties}),
            assets=self._names.of(conn, set(numbers.values())),
            numbers=numbers,
        )

    def _trade(self, caller: Caller, row: TradeRow, around: _Surroundings) -> TradeOut:
        sides = around.sides.get(row.trade_id, ())
        own = None if caller.viewer is None else around.accounts.get(caller.viewer, ())
        mine, other = _sides_for(caller.viewer, sides)
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
            side=None if mine is None else _side(mine.side, caller.viewer, around),
            allegement=None if other is None else _side(other.side, caller.viewer, around),
            digest=row.digest,
            instruction=None if terms is None else instruction_out(terms, around.assets),
            proposed=None if terms is not None else self._proposed(sides, around),
            consented=_signers(around.consents, row.digest),
            differences=differences_out(
                row.differences if mine is None or mine.side.side_id == row.first_side else ()
            ),
            reasons=tuple(reason_out(reason, own) for reason in row.reasons),
            reasons_at=row.reasons_at,
            created_at=row.created_at,
            updated_at=row.updated_at,
            ended_at=row.ended_at,
            ended_block=row.ended_block,
            settled_transaction=row.settled_tx,
        )

    def _proposed(self, sides: Sequence[SideRow], around: _Surroundings) -> InstructionOut | None:
        """What follows from the one side that waits; nothing where the register changed since."""
        if len(sides) != 1:
            return None
        [one] = sides
        terms = one.presigned
        try:
            if terms is None:
                window = self._venue.rules.window(one.side.settlement_date)
                first = {lei: own[0] for lei, own in around.accounts.items() if own}
                terms = proposed_terms(one.side, around.numbers, first, window)
        except InvalidInput:
            return None
        return instruction_out(terms, around.assets)


def _sides_for(
    viewer: Lei | None, sides: Sequence[SideRow]
) -> tuple[SideRow | None, SideRow | None]:
    """The caller's own side and, where it has none, the other's; both for who sees everything."""
    if viewer is None:
        first, second, *_ = (*sides, None, None)
        return first, second
    mine = next((row for row in sides if row.side.submitted_by == viewer), None)
    other = next((row for row in sides if row.side.submitted_by != viewer), None)
    return mine, None if mine is not None else other


def _side(side: TradeSide, viewer: Lei | None, around: _Surroundings) -> SideOut:
    full = viewer is None or viewer == side.submitted_by

    def decimals(code: str | None) -> int | None:
        number = None if code is None else around.numbers.get(code)
        row = None if number is None else around.assets.get(number)
        return None if row is None else row.decimals

    return SideOut(
        side_id=side.side_id,
        lei=side.submitted_by,
        reference=side.reference if full else None,
        received_at=side.received_at,
        movement=side.movement,
        payment=side.payment,
        transaction_type=side.transaction_type,
        isin=side.isin,
        quantity=side.quantity,
        quantity_decimals=decimals(side.isin),
        quantity_kind=side.quantity_kind,
        currency=side.currency,
        amount=side.amount,
        amount_decimals=decimals(side.currency),
        trade_date=side.trade_date,
        settlement_date=side.settlement_date,
        delivering_party=side.delivering_party,
        receiving_party=side.receiving_party,
        delivering_depository=side.delivering_depository,
        receiving_depository=side.receiving_depository,
        common_reference=side.common_reference,
        opt_out=side.opt_out,
        ex_cum=side.ex_cum,
        delivering_client=side.delivering_client if full else None,
        receiving_client=side.receiving_client if full else None,
        account=side.account,
        counterparty_account=side.counterparty_account,
        partial_allowed=side.partial_allowed,
        minimum_lot=side.minimum_lot,
        nonce=side.nonce,
        trade_ref=side.trade_ref,
        terms=side.terms,
    )


def _signers(signed: Signers, digest: InstructionId | None) -> tuple[bytes, ...]:
    return () if digest is None else tuple(sorted(signed.get(digest, ())))


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
