"""Our own packing of the signed terms against the reference encoder and against the contract."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from settle.domain.ids import Address, InstructionId, checksum_address, to_hex
from settle.domain.instruction import (
    CANCELLATION_TYPE,
    INSTRUCTION_TYPE,
    LEG_TYPE,
    MAX_BATCH_LEGS,
    MAX_LEGS,
    MAX_MOVES,
    MAX_WINDOW,
    OPTION_PARTIAL,
    OPTION_RECORD,
    OPTIONS_KNOWN,
    REDEMPTION_TYPE,
    RELEASE_TYPE,
    RESERVATION_TYPE,
    WITHDRAWAL_TYPE,
    Instruction,
    Redemption,
    SigningDomain,
    cancellation_digest,
    instruction_id,
    redemption_digest,
    release_digest,
    reservation_digest,
    withdrawal_digest,
)
from tests.support.strategies import domains, instructions, redemptions

CONTRACTS = Path(__file__).parents[2] / "contracts" / "src"


def _fields(text: str) -> list[tuple[str, str]]:
    """The fields of a type string such as `Leg(uint32 asset,...)`, as (name, type)."""
    inside = text[text.index("(") + 1 : text.index(")")]
    return [(name, kind) for kind, name in (field.split(" ") for field in inside.split(","))]


def _types(*strings: str) -> dict[str, list[dict[str, str]]]:
    return {
        text[: text.index("(")]: [{"name": name, "type": kind} for name, kind in _fields(text)]
        for text in strings
    }


def _reference(domain: SigningDomain, message: dict[str, Any], *types: str) -> bytes:
    """The digest as eth-account gives it."""
    described = {
        "name": domain.name,
        "version": domain.version,
        "chainId": domain.chain_id,
        "verifyingContract": checksum_address(domain.verifying_contract),
    }
    return bytes(_hash_eip191_message(encode_typed_data(described, _types(*types), message)))


def _as_message(instruction: Instruction) -> dict[str, Any]:
    return {
        "initiator": checksum_address(instruction.initiator),
        "nonce": instruction.nonce,
        "settleFrom": instruction.settle_from,
        "settleBy": instruction.settle_by,
        "cycle": to_hex(instruction.cycle),
        "options": instruction.options,
        "minimumLot": instruction.minimum_lot,
        "predecessor": to_hex(instruction.predecessor),
        "tradeRef": to_hex(instruction.trade_ref),
        "terms": to_hex(instruction.terms),
        "legs": [
            {
                "asset": leg.asset,
                "deliverer": checksum_address(leg.deliverer),
                "receiver": checksum_address(leg.receiver),
                "quantity": leg.quantity,
            }
            for leg in instruction.legs
        ],
    }


@given(instruction=instructions, domain=domains)
def test_an_instructions_id_is_its_eip712_digest(
    instruction: Instruction, domain: SigningDomain
) -> None:
    of_instruction = INSTRUCTION_TYPE.removesuffix(LEG_TYPE)
    reference = _reference(domain, _as_message(instruction), of_instruction, LEG_TYPE)
    assert instruction_id(instruction, domain) == reference


ids = st.binary(min_size=32, max_size=32)
signers = st.binary(min_size=20, max_size=20).map(Address)


@given(account=signers, about=ids, committed=st.booleans(), domain=domains)
def test_a_reservation_is_signed_as_eip712_says(
    account: Address, about: bytes, committed: bool, domain: SigningDomain
) -> None:
    message = {
        "account": checksum_address(account),
        "instruction": to_hex(about),
        "committed": committed,
    }
    digest = reservation_digest(account, InstructionId(about), domain, committed=committed)
    assert digest == _reference(domain, message, RESERVATION_TYPE)


@pytest.mark.parametrize(
    ("digest", "kind"), [(release_digest, RELEASE_TYPE), (withdrawal_digest, WITHDRAWAL_TYPE)]
)
@given(account=signers, about=ids, domain=domains)
def test_a_message_about_an_instruction_is_signed_as_eip712_says(
    digest: Any, kind: str, account: Address, about: bytes, domain: SigningDomain
) -> None:
    message = {"account": checksum_address(account), "instruction": to_hex(about)}
    assert digest(account, about, domain) == _reference(domain, message, kind)


@given(account=signers, about=ids, valid_by=st.integers(0, 2**64 - 1), domain=domains)
def test_a_cancellation_is_signed_as_eip712_says(
    account: Address, about: bytes, valid_by: int, domain: SigningDomain
) -> None:
    message = {
        "account": checksum_address(account),
        "instruction": to_hex(about),
        "validBy": valid_by,
    }
    digest = cancellation_digest(account, InstructionId(about), domain, valid_by=valid_by)
    assert digest == _reference(domain, message, CANCELLATION_TYPE)


@given(redemption=redemptions, domain=domains)
def test_a_redemption_is_signed_as_eip712_says(
    redemption: Redemption, domain: SigningDomain
) -> None:
    message = {
        "account": checksum_address(redemption.account),
        "asset": redemption.asset,
        "quantity": redemption.quantity,
        "ref": to_hex(redemption.ref),
        "nonce": redemption.nonce,
        "validBy": redemption.valid_by,
    }
    assert redemption_digest(redemption, domain) == _reference(domain, message, REDEMPTION_TYPE)


def test_the_contract_hashes_the_same_type_strings() -> None:
    text = (CONTRACTS / "libraries" / "Typed.sol").read_text()
    strings = set(re.findall(r'"([A-Z][^"]*\([^"]*)"', text))
    assert strings == {
        LEG_TYPE,
        INSTRUCTION_TYPE,
        RESERVATION_TYPE,
        RELEASE_TYPE,
        WITHDRAWAL_TYPE,
        CANCELLATION_TYPE,
        REDEMPTION_TYPE,
    }


def test_the_solidity_structs_have_these_fields_in_this_order() -> None:
    text = (CONTRACTS / "interfaces" / "Types.sol").read_text()
    for name, kind in (("Leg", LEG_TYPE), ("Instruction", INSTRUCTION_TYPE)):
        body = re.search(rf"struct {name} \{{(.*?)\}}", text, re.DOTALL)
        assert body
        members = re.findall(r"(\S+) (\w+);", body[1])
        assert [(field, kind_) for kind_, field in members] == _fields(kind)


def test_the_bounds_are_those_of_the_contract() -> None:
    text = (CONTRACTS / "interfaces" / "Types.sol").read_text()
    stated = dict(re.findall(r"constant (\w+) = (\w+)(?: days)?;", text))
    assert int(stated["MAX_LEGS"]) == MAX_LEGS
    assert int(stated["MAX_BATCH_LEGS"]) == MAX_BATCH_LEGS
    assert int(stated["MAX_MOVES"]) == MAX_MOVES
    assert int(stated["MAX_WINDOW"]) * 86_400 == MAX_WINDOW
    assert int(stated["OPTION_PARTIAL"]) == OPTION_PARTIAL
    assert int(stated["OPTION_RECORD"]) == OPTION_RECORD
    assert OPTIONS_KNOWN == OPTION_PARTIAL | OPTION_RECORD
    assert "uint32 constant OPTIONS_KNOWN = OPTION_PARTIAL | OPTION_RECORD;" in text
