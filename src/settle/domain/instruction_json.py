"""The signed terms as JSON: snake_case keys, integers as strings, bytes as 0x and hexadecimal.

Reading is strict: a missing or unknown key, a JSON number, a number out of range or a wrong length
is refused, naming the member by its JSON pointer (RFC 6901).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from settle.domain.errors import InvalidInput
from settle.domain.ids import Address, AssetId, account_address, parse_word, to_hex
from settle.domain.instruction import MAX_LEGS, UINT32_MAX, UINT64_MAX, Instruction, Leg
from settle.domain.money import UINT128_MAX, parse_units

_INTEGERS: Final = {
    "nonce": UINT64_MAX,
    "settle_from": UINT64_MAX,
    "settle_by": UINT64_MAX,
    "options": UINT32_MAX,
    "minimum_lot": UINT128_MAX,
}
_WORDS: Final = ("cycle", "predecessor", "trade_ref", "terms")
INSTRUCTION_KEYS: Final = frozenset({"initiator", *_INTEGERS, *_WORDS, "legs"})
LEG_KEYS: Final = frozenset({"asset", "deliverer", "receiver", "quantity"})


def to_json(instruction: Instruction) -> dict[str, object]:
    """Write the terms as a JSON object."""
    return {
        "initiator": to_hex(instruction.initiator),
        "nonce": str(instruction.nonce),
        "settle_from": str(instruction.settle_from),
        "settle_by": str(instruction.settle_by),
        "cycle": to_hex(instruction.cycle),
        "options": str(instruction.options),
        "minimum_lot": str(instruction.minimum_lot),
        "predecessor": to_hex(instruction.predecessor),
        "trade_ref": to_hex(instruction.trade_ref),
        "terms": to_hex(instruction.terms),
        "legs": [
            {
                "asset": str(leg.asset),
                "deliverer": to_hex(leg.deliverer),
                "receiver": to_hex(leg.receiver),
                "quantity": str(leg.quantity),
            }
            for leg in instruction.legs
        ],
    }


def from_json(document: object, pointer: str = "") -> Instruction:
    """Read the terms from a JSON object.

    Raises: InvalidInput with the pointer, below `pointer`, of the first member that is wrong.
    Whether the terms make sense (a leg to itself, an empty window) is for the chain's rules to say.
    """
    members = _members(document, INSTRUCTION_KEYS, pointer)
    numbers = {
        key: parse_units(members[key], f"{pointer}/{key}", maximum=maximum)
        for key, maximum in _INTEGERS.items()
    }
    words = {key: parse_word(_string(members, key, pointer), f"{pointer}/{key}") for key in _WORDS}
    return Instruction(
        initiator=_address(members, "initiator", pointer),
        nonce=numbers["nonce"],
        settle_from=numbers["settle_from"],
        settle_by=numbers["settle_by"],
        cycle=words["cycle"],
        options=numbers["options"],
        minimum_lot=numbers["minimum_lot"],
        predecessor=words["predecessor"],
        trade_ref=words["trade_ref"],
        terms=words["terms"],
        legs=_legs(members["legs"], f"{pointer}/legs"),
    )


def _legs(value: object, pointer: str) -> tuple[Leg, ...]:
    if not isinstance(value, list):
        raise InvalidInput("legs_form", "expected a list of legs", pointer)
    if len(value) > MAX_LEGS:
        message = f"an instruction has at most {MAX_LEGS} legs, not {len(value)}"
        raise InvalidInput("too_many_legs", message, pointer)
    return tuple(_leg(leg, f"{pointer}/{index}") for index, leg in enumerate(value))


def _leg(value: object, pointer: str) -> Leg:
    members = _members(value, LEG_KEYS, pointer)
    return Leg(
        asset=AssetId(parse_units(members["asset"], f"{pointer}/asset", maximum=UINT32_MAX)),
        deliverer=_address(members, "deliverer", pointer),
        receiver=_address(members, "receiver", pointer),
        quantity=parse_units(members["quantity"], f"{pointer}/quantity"),
    )


def _members(value: object, keys: frozenset[str], pointer: str) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise InvalidInput("object_expected", "expected a JSON object", pointer)
    for key in value:
        if key not in keys:
            name = str(key).replace("~", "~0").replace("/", "~1")
            raise InvalidInput("unknown_key", f"there is no member {key!r}", f"{pointer}/{name}")
    for key in sorted(keys):
        if key not in value:
            raise InvalidInput("missing_key", f"the member {key} is missing", f"{pointer}/{key}")
    return value


def _string(members: Mapping[str, object], key: str, pointer: str) -> str:
    value = members[key]
    if not isinstance(value, str):
        raise InvalidInput("string_expected", "expected a string", f"{pointer}/{key}")
    return value


def _address(members: Mapping[str, object], key: str, pointer: str) -> Address:
    return account_address(_string(members, key, pointer), f"{pointer}/{key}")
