from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from settle.domain.chain_errors import Reverted
from settle.domain.errors import InvalidInput
from settle.domain.escrow.conditions import Condition
from settle.domain.escrow.encoding import decode_terms, encode_terms
from settle.domain.escrow.program import read_program, write_program
from settle.domain.escrow.terms import MIN_STEP, EscrowLine, EscrowTerms, escrow_id
from settle.domain.escrow.terms_errors import ProgramNotUsedUp
from settle.domain.escrow.terms_json import terms_from_json, terms_to_json
from settle.domain.ids import Address
from settle.domain.instruction import SigningDomain
from tests.support import escrow_strategies as escrows
from tests.support import strategies

DOMAIN = SigningDomain(chain_id=31_337, verifying_contract=Address(b"\x11" * 20))
_BY_NAME: dict[str, st.SearchStrategy[Any]] = {
    "open_by": strategies.uint64,
    "deadlines": st.lists(strategies.uint64, max_size=8).map(tuple),
    "program": st.binary(max_size=20),
    "arbiters": st.lists(strategies.addresses, max_size=7).map(tuple),
    "quorum": escrows.byte,
    "answer_time": strategies.uint64,
    "fallback_arbiter": strategies.addresses,
    "fallback_time": strategies.uint64,
    "text": strategies.words,
    "ref": strategies.words,
    "salt": strategies.words,
    "milestone": escrows.byte,
    "asset": strategies.uint32,
    "depositor": strategies.addresses,
    "beneficiary": strategies.addresses,
    "quantity": strategies.uint128,
    "if_met": strategies.uint128,
    "by_default": strategies.uint128,
    "if_unruled": strategies.uint128,
}
LINE_FIELDS = tuple(field.name for field in fields(EscrowLine))
TERM_FIELDS = tuple(field.name for field in fields(EscrowTerms) if field.name != "lines")


def test_every_field_is_under_test() -> None:
    assert set(_BY_NAME) == {*TERM_FIELDS, *LINE_FIELDS}


@given(data=st.data(), terms=escrows.any_terms, name=st.sampled_from(TERM_FIELDS))
def test_a_change_of_one_field_gives_another_id(
    data: st.DataObject, terms: EscrowTerms, name: str
) -> None:
    other = replace(terms, **{name: data.draw(_BY_NAME[name])})
    assume(other != terms)
    assert escrow_id(other, DOMAIN) != escrow_id(terms, DOMAIN)


@given(data=st.data(), terms=escrows.any_terms, name=st.sampled_from(LINE_FIELDS))
def test_a_change_in_one_line_gives_another_id(
    data: st.DataObject, terms: EscrowTerms, name: str
) -> None:
    assume(terms.lines)
    index = data.draw(st.integers(0, len(terms.lines) - 1))
    line = replace(terms.lines[index], **{name: data.draw(_BY_NAME[name])})
    lines = (*terms.lines[:index], line, *terms.lines[index + 1 :])
    assume(lines != terms.lines)
    assert escrow_id(replace(terms, lines=lines), DOMAIN) != escrow_id(terms, DOMAIN)


@given(terms=escrows.any_terms)
def test_json_gives_back_the_same_terms(terms: EscrowTerms) -> None:
    assert terms_from_json(json.loads(json.dumps(terms_to_json(terms)))) == terms


@given(terms=escrows.any_terms)
def test_the_encoding_gives_back_the_same_terms(terms: EscrowTerms) -> None:
    assert decode_terms(encode_terms(terms)) == terms


@given(terms=escrows.any_terms, data=st.data())
def test_other_bytes_are_other_terms_or_none(terms: EscrowTerms, data: st.DataObject) -> None:
    encoded = bytearray(encode_terms(terms))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        found = decode_terms(bytes(encoded))
    except InvalidInput:
        return
    assert found != terms


@given(data=st.data(), count=st.integers(1, 4))
def test_a_program_gives_back_the_same_conditions(data: st.DataObject, count: int) -> None:
    conditions = tuple(data.draw(escrows.conditions(milestone)) for milestone in range(count))
    deadlines = tuple(escrows.HORIZON + milestone * MIN_STEP for milestone in range(1, count + 1))
    assert read_program(write_program(conditions), deadlines, open_by=0) == conditions


@given(
    condition=st.integers(1, 3).flatmap(escrows.conditions),
    cut=st.integers(1, 200),
    more=st.binary(min_size=1, max_size=3),
)
def test_no_byte_can_be_missing_or_left_over(condition: Condition, cut: int, more: bytes) -> None:
    deadlines = tuple(escrows.HORIZON * k for k in range(2, 6))
    written = write_program((condition,) * 4)
    assume(_reads(written, deadlines))
    with pytest.raises(Reverted):
        read_program(written[:-cut], deadlines, open_by=0)
    with pytest.raises(Reverted) as refused:
        read_program(written + more, deadlines, open_by=0)
    assert isinstance(refused.value.error, ProgramNotUsedUp)


def _reads(program: bytes, deadlines: tuple[int, ...]) -> bool:
    try:
        read_program(program, deadlines, open_by=0)
    except Reverted:
        return False
    return True


@given(program=st.binary(max_size=60), count=st.integers(1, 3))
def test_what_is_read_is_written_as_the_same_bytes(program: bytes, count: int) -> None:
    deadlines = tuple(2**64 - (4 - milestone) * MIN_STEP for milestone in range(count))
    try:
        conditions = read_program(program, deadlines, open_by=0)
    except Reverted:
        return
    assert write_program(conditions) == program
