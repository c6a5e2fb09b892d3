"""Every error, event, struct, enum and constant of the contracts has its twin, field for field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from settle.domain import instruction as terms
from settle.domain.chain_errors import ERROR_TYPES
from settle.domain.chain_events import EVENT_TYPES, field_name
from settle.domain.ledger import NonceState
from tests.parity.abi_records import ENUMS, STRUCTS, field_names, solidity_constants
from tests.parity.evm import artifact

SOURCES = Path(__file__).parents[2] / "contracts" / "src"
OURS = ("Settlement", "Affirmation", "Participants", "Approver")
# OpenZeppelin's, which no call of ours provokes and no state of ours depends on.
NOT_OURS = {
    "event": {"EIP712DomainChanged"},
    "error": {
        "AccessManagedInvalidAuthority",
        "AddressEmptyCode",
        "ECDSAInvalidSignature",
        "ECDSAInvalidSignatureLength",
        "ECDSAInvalidSignatureS",
        "FailedCall",
        "InsufficientBalance",
        "InvalidShortString",
        "StringTooLong",
    },
}
NOT_IN_AN_ABI = {"Panic"}
TYPES = (SOURCES / "interfaces" / "Types.sol").read_text()


def declared(kind: str) -> dict[str, list[str]]:
    """Return the arguments of each event or error of our contracts, as fields are named."""
    return {
        entry["name"]: [field_name(part["name"]) for part in entry["inputs"]]
        for name in OURS
        for entry in artifact(name)["abi"]
        if entry["type"] == kind and entry["name"] not in NOT_OURS[kind]
    }


@pytest.mark.parametrize(("kind", "records"), [("event", EVENT_TYPES), ("error", ERROR_TYPES)])
def test_every_event_and_error_has_its_record(kind: str, records: dict[str, type]) -> None:
    found = {name: field_names(record) for name, record in records.items()}
    for name in NOT_IN_AN_ABI & set(found):
        del found[name]
    assert found == declared(kind)


@pytest.mark.parametrize("kind", ["event", "error"])
def test_what_is_left_out_exists(kind: str) -> None:
    names = {e["name"] for name in OURS for e in artifact(name)["abi"] if e["type"] == kind}
    assert NOT_OURS[kind] <= names


def members(text: str) -> dict[str, list[str]]:
    """Return the members of each enum, as Python writes constants."""
    found = re.findall(r"^enum (\w+) \{([^}]*)\}", text, re.MULTILINE)
    return {
        name: [field_name(word).upper() for word in re.findall(r"\w+", body)]
        for name, body in found
    }


def test_every_enum_has_the_same_members_in_the_same_order() -> None:
    expected = {name: [member.name for member in kind] for name, kind in ENUMS.items()}
    assert members(TYPES) == expected
    assert all([m.value for m in kind] == list(range(len(kind))) for kind in ENUMS.values())


def test_every_struct_has_the_same_fields_in_the_same_order() -> None:
    text = re.sub(r"//[^\n]*", "", TYPES)
    found = {
        name: [field_name(line.split()[-1]) for line in body.split(";") if line.strip()]
        for name, body in re.findall(r"^struct (\w+) \{([^}]*)\}", text, re.MULTILINE)
    }
    batched = found.pop("SignedInstruction")  # in Python a pair: an instruction, its signatures
    assert batched == ["instruction", "signatures"]
    assert found == {name: field_names(kind) for name, kind in STRUCTS.items()}


def test_every_constant_has_the_same_value() -> None:
    found = solidity_constants(TYPES)
    assert len(found) == TYPES.count(" constant ")
    assert {name: getattr(terms, name) for name in found} == found


def test_the_states_of_a_nonce_have_the_same_numbers() -> None:
    text = (SOURCES / "libraries" / "NonceBits.sol").read_text()
    found = dict(re.findall(r"uint\d+ internal constant (\w+) = (\d);", text))
    assert {name: int(value) for name, value in found.items()} == {
        state.name: state.value for state in NonceState
    }


def test_a_field_is_the_argument_in_snake_case() -> None:
    cases: dict[str, Any] = {
        "totalSupply": "total_supply",
        "now_": "now",
        "class": "class_",
        "id": "id",
        "EMoney": "e_money",
        "CentralBankMoney": "central_bank_money",
    }
    assert {name: field_name(name) for name in cases} == cases
