from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from settle.domain.ids import Address
from settle.domain.instruction import Instruction, Leg, SigningDomain, accounts_of, instruction_id
from settle.domain.instruction_json import from_json, to_json
from tests.support import strategies

DOMAIN = SigningDomain(chain_id=31_337, verifying_contract=Address(b"\x11" * 20))
_BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "initiator": strategies.addresses,
    "nonce": strategies.uint64,
    "settle_from": strategies.uint64,
    "settle_by": strategies.uint64,
    "cycle": strategies.words,
    "options": strategies.uint32,
    "minimum_lot": strategies.uint128,
    "predecessor": strategies.words,
    "trade_ref": strategies.words,
    "terms": strategies.words,
    "asset": strategies.uint32,
    "deliverer": strategies.addresses,
    "receiver": strategies.addresses,
    "quantity": strategies.uint128,
}
LEG_FIELDS = tuple(field.name for field in fields(Leg))
TERM_FIELDS = tuple(field.name for field in fields(Instruction) if field.name != "legs")


def test_every_field_is_under_test() -> None:
    assert set(_BY_NAME) == {*TERM_FIELDS, *LEG_FIELDS}


@given(data=st.data(), instruction=strategies.instructions, name=st.sampled_from(TERM_FIELDS))
def test_any_changed_field_gives_another_id(
    data: st.DataObject, instruction: Instruction, name: str
) -> None:
    value = data.draw(_BY_NAME[name])
    assume(value != getattr(instruction, name))
    changed = replace(instruction, **{name: value})
    assert instruction_id(changed, DOMAIN) != instruction_id(instruction, DOMAIN)


@given(data=st.data(), instruction=strategies.instructions, name=st.sampled_from(LEG_FIELDS))
def test_any_changed_field_of_any_leg_gives_another_id(
    data: st.DataObject, instruction: Instruction, name: str
) -> None:
    assume(instruction.legs)
    index = data.draw(st.integers(0, len(instruction.legs) - 1))
    value = data.draw(_BY_NAME[name])
    assume(value != getattr(instruction.legs[index], name))
    legs = list(instruction.legs)
    legs[index] = replace(legs[index], **{name: value})
    changed = replace(instruction, legs=tuple(legs))
    assert instruction_id(changed, DOMAIN) != instruction_id(instruction, DOMAIN)


@given(instruction=strategies.instructions, leg=strategies.legs, data=st.data())
def test_a_leg_more_gives_another_id(
    instruction: Instruction, leg: Leg, data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(instruction.legs)))
    longer = (*instruction.legs[:place], leg, *instruction.legs[place:])
    changed = replace(instruction, legs=longer)
    assert instruction_id(changed, DOMAIN) != instruction_id(instruction, DOMAIN)


@given(instruction=strategies.instructions)
def test_terms_come_back_from_json_as_they_went(instruction: Instruction) -> None:
    assert from_json(json.loads(json.dumps(to_json(instruction)))) == instruction


@given(instruction=strategies.instructions)
def test_each_account_of_the_legs_stands_once(instruction: Instruction) -> None:
    accounts = accounts_of(instruction)
    assert len(set(accounts)) == len(accounts)
    assert set(accounts) == {
        account for leg in instruction.legs for account in (leg.deliverer, leg.receiver)
    }
