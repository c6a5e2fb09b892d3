"""Escrow's records, numbers and digests against the ABI, the source and the reference encoders."""

from __future__ import annotations

import re
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account.messages import _hash_eip191_message, encode_typed_data
from hypothesis import given
from hypothesis import strategies as st

from settle.domain.chain_events import field_name
from settle.domain.escrow import clock, terms
from settle.domain.escrow.encoding import encode_terms
from settle.domain.escrow.instruction_words import decode_instruction, encode_instruction
from settle.domain.escrow.terms import EscrowId, EscrowTerms, escrow_id
from settle.domain.ids import checksum_address, to_hex
from settle.domain.instruction import Instruction, SigningDomain
from tests.parity.abi_records import (
    ESCROW_ENUMS,
    ESCROW_STRUCTS,
    Abi,
    canonical,
    field_names,
    from_domain,
    solidity_constants,
)
from tests.support.escrow_strategies import any_terms, byte, int128
from tests.support.strategies import addresses, domains, instructions, uint64, uint128, words

SOURCE = (
    Path(__file__).parents[2] / "contracts" / "src" / "interfaces" / "IEscrow.sol"
).read_text()
FLAGS = re.compile(r"^uint\d+ constant (WAY_\w+) = 1 << (\d+);", re.MULTILINE)


def test_every_number_of_the_interface_has_its_twin() -> None:
    found = solidity_constants(FLAGS.sub("", SOURCE))
    assert len(found) == 10
    assert {name: getattr(terms, name) for name in found} == found
    flags = {name: 1 << int(bit) for name, bit in FLAGS.findall(SOURCE)}
    assert set(flags) == {"WAY_DISPUTE", "WAY_PAY_OUT", "WAY_GIVE_UP"}
    assert {name: getattr(clock, name) for name in flags} == flags
    ends = [clock.WAY_AGREEMENT, clock.WAY_CONDITION, clock.WAY_PANEL]
    ends += [clock.WAY_FALLBACK, clock.WAY_DEFAULT, clock.WAY_SILENCE]
    assert ends == [1 << by for by in ESCROW_ENUMS["EndedBy"]]


def test_every_enum_has_the_same_members_in_the_same_order() -> None:
    found = re.findall(r"^enum (\w+) \{([^}]*)\}", SOURCE, re.MULTILINE)
    members = {
        name: [field_name(word).upper() for word in re.findall(r"\w+", body)]
        for name, body in found
    }
    assert members == {name: _names(kind) for name, kind in ESCROW_ENUMS.items()}


def _names(kind: type[IntEnum]) -> list[str]:
    assert [member.value for member in kind] == list(range(len(kind)))
    return [member.name for member in kind]


def test_every_struct_has_the_same_fields_in_the_same_order() -> None:
    text = re.sub(r"//[^\n]*", "", SOURCE)
    found = {
        name: [field_name(line.split()[-1]) for line in body.split(";") if line.strip()]
        for name, body in re.findall(r"^struct (\w+) \{([^}]*)\}", text, re.MULTILINE)
    }
    assert found == {name: field_names(kind) for name, kind in ESCROW_STRUCTS.items()}


def parameter(function: str, name: str) -> Any:
    """Return the ABI of an argument."""
    entries = Abi("Settlement").entries
    entry = next(e for e in entries if e["type"] == "function" and e["name"] == function)
    return next(part for part in entry["inputs"] if part["name"] == name)


@given(drawn=any_terms)
def test_terms_are_encoded_as_the_abi_says(drawn: EscrowTerms) -> None:
    part = parameter("openEscrow", "terms")
    assert encode_terms(drawn) == encode([canonical(part)], [from_domain(drawn, part)])


@given(drawn=instructions)
def test_an_instruction_is_shown_as_the_abi_says(drawn: Instruction) -> None:
    part = parameter("settle", "instruction")
    encoded = encode([canonical(part)], [from_domain(drawn, part)])
    assert encode_instruction(drawn) == encoded
    assert decode_instruction(encoded) == drawn
    assert decode_instruction(encoded + bytes(32)) is None
    assert decode_instruction(encoded[:-1]) is None


# ------------------------------------------------------------------------------ digests


def reference(domain: SigningDomain, message: dict[str, Any], *types: str) -> bytes:
    """Give the digest as eth-account gives it."""
    described = {
        "name": domain.name,
        "version": domain.version,
        "chainId": domain.chain_id,
        "verifyingContract": checksum_address(domain.verifying_contract),
    }
    structs = {}
    for text in types:
        name, fields = text.removesuffix(")").split("(", 1)
        parts = [field.split(" ") for field in fields.split(",")]
        structs[name] = [{"name": label, "type": kind} for kind, label in parts]
    return bytes(_hash_eip191_message(encode_typed_data(described, structs, message)))


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def as_message(value: Any, names: list[str]) -> dict[str, Any]:
    return {camel(name): plain(getattr(value, name)) for name in names}


def plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return checksum_address(value) if len(value) == 20 else to_hex(value)  # type: ignore[arg-type]
    return [plain(inner) for inner in value] if isinstance(value, tuple | list) else value


@given(drawn=any_terms.filter(lambda found: len(found.program) != 20), domain=domains)
def test_an_escrows_id_is_its_eip712_digest(drawn: EscrowTerms, domain: SigningDomain) -> None:
    names = [name for name in field_names(EscrowTerms) if name != "lines"]
    message = as_message(drawn, names)
    message["lines"] = [as_message(line, field_names(type(line))) for line in drawn.lines]
    alone = terms.TERMS_TYPE.removesuffix(terms.LINE_TYPE)
    assert escrow_id(drawn, domain) == reference(domain, message, alone, terms.LINE_TYPE)


FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "escrow": st.binary(min_size=32, max_size=32).map(EscrowId),
    "milestone": byte,
    "signer": addresses,
    "arbiter": addresses,
    "account": addresses,
    "statement": words,
    "feed": words,
    "evidence": words,
    "kind": byte,
    "at": uint64,
    "value": int128,
    "observedAt": uint64,
    "validBy": uint64,
    "paid": st.lists(uint128, max_size=4).map(tuple),
    "reason": st.binary(min_size=4, max_size=4),
}
MESSAGES = [
    (terms.attestation_digest, terms.ATTESTATION_TYPE),
    (terms.reading_digest, terms.READING_TYPE),
    (terms.ruling_digest, terms.RULING_TYPE),
    (terms.split_digest, terms.SPLIT_TYPE),
    (terms.dispute_digest, terms.DISPUTE_TYPE),
    (terms.escrow_withdrawal_digest, terms.ESCROW_WITHDRAWAL_TYPE),
]


@pytest.mark.parametrize(("digest", "kind"), MESSAGES, ids=lambda one: str(one)[:24])
@given(data=st.data(), domain=domains)
def test_every_message_is_signed_as_eip712_says(
    digest: Any, kind: str, data: st.DataObject, domain: SigningDomain
) -> None:
    names = [field.split(" ")[1] for field in kind.removesuffix(")").split("(", 1)[1].split(",")]
    values = {name: data.draw(FIELDS[name], name) for name in names}
    message = {name: plain(value) for name, value in values.items()}
    fields = {field_name(name): value for name, value in values.items()}
    assert digest(**fields, domain=domain) == reference(domain, message, kind)
