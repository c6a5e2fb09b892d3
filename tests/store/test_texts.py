"""What columns keep as text comes back as it was, and says so where it cannot."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settle.domain.errors import Broken
from settle.domain.ids import Address, AssetId
from settle.domain.instruction import Instruction, Leg
from settle.domain.instruction_json import from_json
from settle.domain.reasons import Reason
from settle.store.texts import reasons_of, reasons_text, side_of, side_text, terms_of, terms_text
from tests.support.trade_rows import INSTRUCTION
from tests.support.trade_sides import ACCOUNT_A, DELIVERY

words = st.binary(min_size=32, max_size=32)
addresses = st.binary(min_size=20, max_size=20).map(Address)
uint64, uint128 = st.integers(0, 2**64 - 1), st.integers(0, 2**128 - 1)
legs = st.builds(
    Leg,
    asset=st.integers(0, 2**32 - 1).map(AssetId),
    deliverer=addresses,
    receiver=addresses,
    quantity=uint128,
)
instructions = st.builds(
    Instruction,
    initiator=addresses,
    nonce=uint64,
    settle_from=uint64,
    settle_by=uint64,
    cycle=words,
    options=st.integers(0, 2**32 - 1),
    minimum_lot=uint128,
    predecessor=words,
    trade_ref=words,
    terms=words,
    legs=st.lists(legs, max_size=8).map(tuple),
)


@given(instructions)
def test_terms_come_back_and_are_what_strangers_read(terms: Instruction) -> None:
    text = terms_text(terms)
    assert text is not None
    assert terms_of(text) == terms == from_json(json.loads(text))


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"initiator":1}', "nothing"])
def test_damaged_terms_are_broken(text: str) -> None:
    with pytest.raises(Broken):
        terms_of(text)


def test_terms_without_a_member_are_broken() -> None:
    text = terms_text(INSTRUCTION)
    assert text is not None
    members = json.loads(text)
    for name in members:
        with pytest.raises(Broken):
            terms_of(json.dumps({key: value for key, value in members.items() if key != name}))


def test_every_field_of_a_side_comes_back() -> None:
    full = replace(
        DELIVERY,
        **{
            field.name: "text"
            for field in fields(DELIVERY)
            if getattr(DELIVERY, field.name) is None
        },
    )
    full = replace(full, account=ACCOUNT_A, counterparty_account=ACCOUNT_A, opt_out=False)
    for side in (full, DELIVERY, replace(DELIVERY, amount=None, currency=None)):
        assert side_of(side_text(side)) == side


def test_reasons_come_back() -> None:
    reasons = (
        Reason(code="LACK", leg=3, who=ACCOUNT_A, needed=2**256 - 1, have=2**255),
        Reason(code="CMIS"),
    )
    assert reasons_of(reasons_text(reasons)) == reasons
    assert reasons_of(reasons_text(())) == ()
