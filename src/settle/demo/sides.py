"""What each party of a deal states."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from settle.demo.plan import Deal, Fate
from settle.domain.ids import WORD_BYTES
from settle.domain.side import TradeSide

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from settle.demo.bank import Bank
    from settle.demo.stage import Hours

_DAYS_UNTIL_CANCELLED: Final = 3


def settlement_date(deal: Deal, hours: Hours) -> date:
    """Choose the day: today, but for what is to lapse at its last close or to wait for its date."""
    if deal.fate is Fate.NEVER_SIGNED:
        return hours.last_day_is_today
    if deal.fate is Fate.CANCELLED:
        return hours.today + timedelta(days=_DAYS_UNTIL_CANCELLED)
    return hours.today


def sides_of(
    deals: Sequence[Deal], place: int, banks: Sequence[Bank], hours: Hours
) -> list[TradeSide]:
    """State what the bank at `place` states of its deals, with the next nonces of its account."""
    own = banks[place]
    nonces = own.desk.journal.next_nonces(own.account, len(deals))
    return [
        _side(deal, banks, hours, sells=deal.seller == place, nonce=nonce)
        for deal, nonce in zip(deals, nonces, strict=True)
    ]


def _side(deal: Deal, banks: Sequence[Bank], hours: Hours, *, sells: bool, nonce: int) -> TradeSide:
    seller, buyer = banks[deal.seller], banks[deal.buyer]
    own, other = (seller, buyer) if sells else (buyer, seller)
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
        nonce=nonce,
        # Drawn, so that nobody who reads the chain finds the trade by trying.
        trade_ref=secrets.token_bytes(WORD_BYTES),
        terms=secrets.token_bytes(WORD_BYTES),
    )
