"""A signer signs what was instructed, and names the field of everything else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from settle.domain.errors import Refused
from settle.domain.ids import Address, AssetId, CurrencyCode, Isin, Lei
from settle.domain.instruction import Instruction, Leg
from settle.domain.matching import canonical_terms, proposed_terms
from settle.domain.side import TradeSide
from settle.services.market_rules import MarketRules
from settle.signer.review import Market, review

US, THEM, STRANGER = (Lei(f"{k}" * 20) for k in (1, 2, 3))
OURS, THEIRS, OTHER = (Address(bytes([k]) * 20) for k in (1, 2, 3))
OWNERS = {OURS: US, THEIRS: THEM, OTHER: STRANGER}
MARKET = Market(
    assets={"DE0007164600": AssetId(1), "DE0007100000": AssetId(3), "EUR": AssetId(2)},
    own_accounts=frozenset({OURS}),
    owner_of=OWNERS.get,
    rules=MarketRules(),
)
SIDE = TradeSide(
    side_id="s",
    reference="R1",
    received_at=0,
    submitted_by=US,
    movement="DELI",
    payment="APMT",
    transaction_type="TRAD",
    isin=Isin("DE0007164600"),
    quantity=500,
    quantity_kind="Unit",
    currency=CurrencyCode("EUR"),
    amount=2_810_000,
    trade_date=date(2026, 11, 23),
    settlement_date=date(2026, 11, 25),
    delivering_party=US,
    receiving_party=THEM,
    account=OURS,
    counterparty_account=THEIRS,
    nonce=7,
    trade_ref=b"\x0a" * 32,
    terms=b"\x0b" * 32,
)
TERMS = proposed_terms(SIDE, MARKET.assets, {}, MARKET.rules.window(SIDE.settlement_date))
RECEIPT = replace(
    SIDE, movement="RECE", delivering_party=THEM, receiving_party=US, amount=2_810_000
)


def _leg(which: int, **changes: Any) -> Instruction:
    legs = list(TERMS.legs)
    legs[which] = replace(legs[which], **changes)
    return replace(TERMS, legs=tuple(legs))


def test_what_was_instructed_passes() -> None:
    review(TERMS, SIDE, MARKET)


ALTERED = {
    "delivery": [
        _leg(0, quantity=501),
        _leg(0, asset=AssetId(3)),
    ],
    "own account": [_leg(0, deliverer=OTHER)],
    "counterparty's account": [_leg(0, receiver=OTHER)],
    "amount": [_leg(1, quantity=2_809_999), _leg(1, quantity=2_810_001)],
    "currency": [_leg(1, asset=AssetId(1))],
    "payer": [_leg(1, deliverer=OTHER)],
    "payee": [_leg(1, receiver=OTHER)],
    "number of legs": [
        replace(TERMS, legs=TERMS.legs[:1]),
        replace(
            TERMS,
            legs=(*TERMS.legs, Leg(asset=AssetId(2), deliverer=OURS, receiver=OTHER, quantity=1)),
        ),
        replace(TERMS, legs=()),
    ],
    "settleFrom": [replace(TERMS, settle_from=TERMS.settle_from - 1)],
    "settleBy": [replace(TERMS, settle_by=TERMS.settle_by + 1)],
    "cycle": [replace(TERMS, cycle=b"\x01" * 32)],
    "predecessor": [replace(TERMS, predecessor=b"\x01" * 32)],
    "options": [replace(TERMS, options=1), replace(TERMS, options=2)],
    "nonce": [replace(TERMS, nonce=8)],
    "tradeRef": [replace(TERMS, trade_ref=bytes(32))],
    "terms": [replace(TERMS, terms=bytes(32))],
    "initiator": [replace(TERMS, initiator=OTHER)],
}


@pytest.mark.parametrize(
    ("field", "altered"), [(field, one) for field, many in ALTERED.items() for one in many]
)
def test_altered_terms_are_refused_by_the_name_of_the_field(
    field: str, altered: Instruction
) -> None:
    with pytest.raises(Refused, match=rf"^{field}: instructed .*, asked to sign") as refusal:
        review(altered, SIDE, MARKET)
    assert refusal.value.code == "not_instructed"


def test_an_account_that_is_not_the_counterpartys_is_refused_where_none_was_named() -> None:
    side = replace(SIDE, counterparty_account=None)
    review(TERMS, side, MARKET)
    altered = replace(
        TERMS,
        legs=(replace(TERMS.legs[0], receiver=OTHER), replace(TERMS.legs[1], deliverer=OTHER)),
    )
    with pytest.raises(Refused, match=r"^counterparty: instructed"):
        review(altered, side, MARKET)


@pytest.mark.parametrize(("cents", "passes"), [(200, True), (201, False), (-200, True)])
def test_a_receiver_accepts_the_deliverers_amount_within_the_tolerance(
    cents: int, passes: bool
) -> None:
    other = replace(
        SIDE, submitted_by=THEM, account=THEIRS, counterparty_account=OURS, amount=2_810_000 + cents
    )
    other = replace(other, delivering_party=THEM, receiving_party=US)
    window = MARKET.rules.window(SIDE.settlement_date)
    terms = canonical_terms(other, RECEIPT, MARKET.assets, {}, window)
    if passes:
        review(terms, RECEIPT, MARKET)
        return
    with pytest.raises(Refused, match=r"^amount: instructed 2810000 within tolerance"):
        review(terms, RECEIPT, MARKET)


def test_a_key_that_is_not_ours_is_not_signed_for() -> None:
    with pytest.raises(Refused, match=r"^own account"):
        review(TERMS, SIDE, replace(MARKET, own_accounts=frozenset({THEIRS})))
