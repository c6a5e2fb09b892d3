"""Two sides of one trade to begin from: 500 shares for 28,100 euro, on Thursday."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from settle.domain.ids import Address, AssetId, CurrencyCode, Isin, Lei, lei_check_digits
from settle.domain.side import TradeSide

LEI_A = Lei("529900AAAAAAAAAAAA" + lei_check_digits("529900AAAAAAAAAAAA"))
LEI_B = Lei("529900BBBBBBBBBBBB" + lei_check_digits("529900BBBBBBBBBBBB"))
LEI_C = Lei("529900CCCCCCCCCCCC" + lei_check_digits("529900CCCCCCCCCCCC"))
ACCOUNT_A = Address(b"\xaa" * 20)
ACCOUNT_B = Address(b"\xbb" * 20)
ACCOUNTS = {LEI_A: ACCOUNT_A, LEI_B: ACCOUNT_B}
SHARE = Isin("DE0007164600")
EUR = CurrencyCode("EUR")
ASSETS = {SHARE: AssetId(1), EUR: AssetId(2)}

DELIVERY = TradeSide(
    side_id="side-a",
    reference="A-1",
    received_at=1_000,
    submitted_by=LEI_A,
    movement="DELI",
    payment="APMT",
    transaction_type="TRAD",
    isin=SHARE,
    quantity=500,
    quantity_kind="Unit",
    currency=EUR,
    amount=2_810_000,
    trade_date=date(2026, 11, 24),
    settlement_date=date(2026, 11, 26),
    delivering_party=LEI_A,
    receiving_party=LEI_B,
    nonce=7,
    trade_ref=b"\x01" * 32,
    terms=b"\x02" * 32,
)
RECEIPT = replace(
    DELIVERY,
    side_id="side-b",
    reference="B-1",
    received_at=2_000,
    submitted_by=LEI_B,
    movement="RECE",
    nonce=9,
    trade_ref=b"\x03" * 32,
    terms=b"\x04" * 32,
)


def delivery(**changes: Any) -> TradeSide:
    """A's side, with changes."""
    return replace(DELIVERY, **changes)


def receipt(**changes: Any) -> TradeSide:
    """B's side, with changes."""
    return replace(RECEIPT, **changes)
