"""Random values of the domain, for Hypothesis."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from settle.domain.ids import ZERO_WORD, Address, AssetId, Bic, CurrencyCode, Isin
from settle.domain.instruction import (
    MAX_LEGS,
    UINT32_MAX,
    UINT64_MAX,
    Instruction,
    Leg,
    Redemption,
    SigningDomain,
)
from settle.domain.money import UINT128_MAX
from settle.domain.side import TradeSide
from tests.support.trade_sides import ACCOUNT_A, ACCOUNT_B, LEI_A, LEI_B, delivery, receipt

uint32 = st.integers(0, UINT32_MAX)
uint64 = st.integers(0, UINT64_MAX)
uint128 = st.integers(0, UINT128_MAX)
addresses = st.binary(min_size=20, max_size=20).map(Address)
words = st.just(ZERO_WORD) | st.binary(min_size=32, max_size=32)
legs = st.builds(
    Leg, asset=uint32.map(AssetId), deliverer=addresses, receiver=addresses, quantity=uint128
)
instructions = st.builds(
    Instruction,
    initiator=addresses,
    nonce=uint64,
    settle_from=uint64,
    settle_by=uint64,
    cycle=words,
    options=uint32,
    minimum_lot=uint128,
    predecessor=words,
    trade_ref=words,
    terms=words,
    legs=st.lists(legs, max_size=MAX_LEGS).map(tuple),
)
domains = st.builds(
    SigningDomain,
    chain_id=st.integers(1, 2**63),
    verifying_contract=addresses,
    name=st.just("settle") | st.text(max_size=10),
    version=st.just("1") | st.text(max_size=3),
)
redemptions = st.builds(
    Redemption,
    account=addresses,
    asset=uint32.map(AssetId),
    quantity=uint128,
    ref=words,
    nonce=uint64,
    valid_by=uint64,
)

# Few values for each field, so that two sides drawn at random often agree.
_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "transaction_type": st.sampled_from(["TRAD", "REPU"]),
    "isin": st.sampled_from([Isin("DE0007164600"), Isin("US0378331005")]),
    "quantity": st.integers(1, 3),
    "quantity_kind": st.sampled_from(["Unit", "FaceAmt", "AmtsdVal"]),
    "trade_date": st.sampled_from([date(2026, 11, 23) + timedelta(days=k) for k in range(2)]),
    "settlement_date": st.sampled_from([date(2026, 11, 25) + timedelta(days=k) for k in range(2)]),
    "delivering_depository": st.sampled_from([None, Bic("DAKVDEFF"), Bic("MGTCBEBE")]),
    "receiving_depository": st.sampled_from([None, Bic("DAKVDEFF"), Bic("MGTCBEBE")]),
    "common_reference": st.sampled_from([None, "R1", "R2"]),
    "opt_out": st.sampled_from([None, False, True]),
    "ex_cum": st.sampled_from([None, "CCPN", "XCPN"]),
    "delivering_client": st.sampled_from([None, "C1", "C2"]),
    "receiving_client": st.sampled_from([None, "C1", "C2"]),
    "partial_allowed": st.booleans(),
    "minimum_lot": st.integers(0, 2),
    "received_at": st.integers(0, 3),
    "side_id": st.uuids().map(str),
    "nonce": uint64,
    "trade_ref": words,
    "terms": words,
}
_amounts = st.integers(1, 500) | st.integers(9_999_500, 10_002_600)


@st.composite
def sides(draw: st.DrawFn) -> TradeSide:
    """One side of A or of B, in either direction; several fields may differ from the example's."""
    changed = draw(st.lists(st.sampled_from(sorted(_FIELDS)), max_size=4, unique=True))
    changes = {field: draw(_FIELDS[field]) for field in changed}
    of_a = draw(st.booleans())
    side = (delivery if of_a else receipt)(**{"side_id": draw(_FIELDS["side_id"]), **changes})
    if draw(st.integers(0, 4)) == 0:  # the other direction
        side = replace(
            side,
            movement="RECE" if of_a else "DELI",
            delivering_party=LEI_B,
            receiving_party=LEI_A,
        )
    currency = draw(st.sampled_from(["EUR", "EUR", "EUR", "USD"]))
    own, other = (ACCOUNT_A, ACCOUNT_B) if of_a else (ACCOUNT_B, ACCOUNT_A)
    strange = Address(b"\xcc" * 20)
    return replace(
        side,
        account=draw(st.sampled_from([None, own])),
        counterparty_account=draw(st.sampled_from([None, other, strange])),
        **(
            {"payment": "FREE", "currency": None, "amount": None}
            if draw(st.integers(0, 4)) == 0
            else {"currency": CurrencyCode(currency), "amount": draw(_amounts)}
        ),
    )


@st.composite
def pairs(draw: st.DrawFn) -> tuple[TradeSide, TradeSide]:
    """Two sides of one trade, in either order: what the second may choose is drawn, most match."""
    first = draw(sides())
    amount = first.amount
    if amount is not None:
        amount = max(1, amount + draw(st.sampled_from([0, 0, -200, 200, 201, -2_500, 2_500])))
    to_b = first.submitted_by == LEI_A
    accounts = [None, ACCOUNT_B if to_b else ACCOUNT_A]
    second = replace(
        first,
        side_id=draw(_FIELDS["side_id"]),
        reference="answer",
        received_at=draw(_FIELDS["received_at"]),
        submitted_by=first.counterparty,
        movement="RECE" if first.movement == "DELI" else "DELI",
        amount=amount,
        account=draw(st.sampled_from(accounts)),
        counterparty_account=draw(st.sampled_from([None, first.account])),
        common_reference=draw(st.sampled_from([None, first.common_reference])),
        partial_allowed=draw(st.booleans()),
        minimum_lot=draw(st.integers(0, 2)),
        nonce=draw(uint64),
        trade_ref=draw(words),
        terms=draw(words),
    )
    return (first, second) if draw(st.booleans()) else (second, first)
