"""What each party of a deal states."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from settle.demo.plan import Deal, Fate
from settle.domain.side import TradeSide

if TYPE_CHECKING:
    from datetime import date

    from settle.demo.actor import Actor
    from settle.demo.stage import Hours

_DAYS_UNTIL_CANCELLED: Final = 3


def settlement_date(deal: Deal, hours: Hours) -> date:
    """Choose the day: today, but for what is to lapse at its last close or to wait for its date."""
    if deal.fate is Fate.NEVER_SIGNED:
        return hours.last_day_is_today
    if deal.fate is Fate.CANCELLED:
        return hours.today + timedelta(days=_DAYS_UNTIL_CANCELLED)
    return hours.today


def side_of(deal: Deal, own: Actor, other: Actor, *, sells: bool, hours: Hours) -> TradeSide:
    """State one side, with the next nonce of the own account."""
    seller, buyer = (own, other) if sells else (other, own)
    trade_ref, terms = own.salts(deal.reference)
    day = settlement_date(deal, hours)
    return TradeSide(
        side_id="",
        reference=f"{deal.reference}{'S' if sells else 'B'}",
        received_at=0,
        submitted_by=own.member.lei,
        movement="DELI" if sells else "RECE",
        payment="APMT",
        transaction_type="TRAD",
        isin=deal.trade.isin,
        quantity=deal.trade.quantity if sells else deal.buyer_quantity,
        quantity_kind="Unit",
        currency=deal.trade.currency,
        amount=deal.trade.amount if sells else deal.buyer_amount,
        trade_date=min(day, hours.today),
        settlement_date=day,
        delivering_party=seller.member.lei,
        receiving_party=buyer.member.lei,
        common_reference=deal.reference,
        account=own.account,
        counterparty_account=other.account,
        nonce=own.journal.next_nonces(own.account)[0],
        trade_ref=trade_ref,
        terms=terms,
    )
