"""The terms of an escrow as JSON: snake_case keys, integers as strings, bytes as 0x and hex.

As strict as instruction_json.py: a missing or unknown key, a JSON number, a number out of range or
a wrong length is refused, naming the member by its JSON pointer (RFC 6901).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from settle.domain.errors import InvalidInput
from settle.domain.escrow.terms import (
    MAX_ARBITERS,
    MAX_ESCROW_LINES,
    MAX_MILESTONES,
    MAX_PROGRAM,
    EscrowLine,
    EscrowTerms,
)
from settle.domain.ids import Address, AssetId, account_address, parse_word, to_hex
from settle.domain.instruction import UINT32_MAX, UINT64_MAX
from settle.domain.money import UINT128_MAX, parse_units

_BYTE_MAX: Final = 255
_NUMBERS: Final = {
    "open_by": UINT64_MAX,
    "quorum": _BYTE_MAX,
    "answer_time": UINT64_MAX,
    "fallback_time": UINT64_MAX,
}
_WORDS: Final = ("text", "ref", "salt")
_LISTS: Final = ("lines", "deadlines", "arbiters")
TERMS_KEYS: Final = frozenset({*_NUMBERS, *_WORDS, *_LISTS, "program", "fallback_arbiter"})
_LINE_NUMBERS: Final = {
    "milestone": _BYTE_MAX,
    "asset": UINT32_MAX,
    "quantity": UINT128_MAX,
    "if_met": UINT128_MAX,
    "by_default": UINT128_MAX,
    "if_unruled": UINT128_MAX,
}
LINE_KEYS: Final = frozenset({*_LINE_NUMBERS, "depositor", "beneficiary"})
_HEX: Final = re.compile(r"0x(?:[0-9a-f]{2})*\Z")


def terms_to_json(terms: EscrowTerms) -> dict[str, object]:
    """Write the terms as a JSON object."""
    return {
        "open_by": str(terms.open_by),
        "lines": [_line_to_json(line) for line in terms.lines],
        "deadlines": [str(deadline) for deadline in terms.deadlines],
        "program": to_hex(terms.program),
        "arbiters": [to_hex(arbiter) for arbiter in terms.arbiters],
        "quorum": str(terms.quorum),
        "answer_time": str(terms.answer_time),
        "fallback_arbiter": to_hex(terms.fallback_arbiter),
        "fallback_time": str(terms.fallback_time),
        "text": to_hex(terms.text),
        "ref": to_hex(terms.ref),
        "salt": to_hex(terms.salt),
    }


def _line_to_json(line: EscrowLine) -> dict[str, str]:
    return {
        "milestone": str(line.milestone),
        "asset": str(line.asset),
        "depositor": to_hex(line.depositor),
        "beneficiary": to_hex(line.beneficiary),
        "quantity": str(line.quantity),
        "if_met": str(line.if_met),
        "by_default": str(line.by_default),
        "if_unruled": str(line.if_unruled),
    }


def terms_from_json(document: object, pointer: str = "") -> EscrowTerms:
    """Read the terms from a JSON object.

    Raises: InvalidInput with the pointer, below `pointer`, of the first member that is wrong.
    Whether terms of this form are well-formed is for `check_terms` to say.
    """
    members = _members(document, TERMS_KEYS, pointer)
    numbers = {
        key: parse_units(members[key], f"{pointer}/{key}", maximum=maximum)
        for key, maximum in _NUMBERS.items()
    }
    words = {key: parse_word(_string(members, key, pointer), f"{pointer}/{key}") for key in _WORDS}
    lines = _list(members, "lines", MAX_ESCROW_LINES, pointer)
    deadlines = _list(members, "deadlines", MAX_MILESTONES, pointer)
    arbiters = _list(members, "arbiters", MAX_ARBITERS, pointer)
    return EscrowTerms(
        open_by=numbers["open_by"],
        lines=tuple(_line(line, f"{pointer}/lines/{k}") for k, line in enumerate(lines)),
        deadlines=tuple(
            parse_units(one, f"{pointer}/deadlines/{k}", maximum=UINT64_MAX)
            for k, one in enumerate(deadlines)
        ),
        program=_program(members, pointer),
        arbiters=tuple(_address(one, f"{pointer}/arbiters/{k}") for k, one in enumerate(arbiters)),
        quorum=numbers["quorum"],
        answer_time=numbers["answer_time"],
        fallback_arbiter=_address(members["fallback_arbiter"], f"{pointer}/fallback_arbiter"),
        fallback_time=numbers["fallback_time"],
        text=words["text"],
        ref=words["ref"],
        salt=words["salt"],
    )


def _line(value: object, pointer: str) -> EscrowLine:
    members = _members(value, LINE_KEYS, pointer)
    numbers = {
        key: parse_units(members[key], f"{pointer}/{key}", maximum=maximum)
        for key, maximum in _LINE_NUMBERS.items()
    }
    return EscrowLine(
        milestone=numbers["milestone"],
        asset=AssetId(numbers["asset"]),
        depositor=_address(members["depositor"], f"{pointer}/depositor"),
        beneficiary=_address(members["beneficiary"], f"{pointer}/beneficiary"),
        quantity=numbers["quantity"],
        if_met=numbers["if_met"],
        by_default=numbers["by_default"],
        if_unruled=numbers["if_unruled"],
    )


def _program(members: Mapping[str, object], pointer: str) -> bytes:
    text = _string(members, "program", pointer)
    if not _HEX.match(text) or len(text) > 2 + 2 * MAX_PROGRAM:
        message = f"expected 0x and at most {MAX_PROGRAM} bytes in lower-case hexadecimal"
        raise InvalidInput("program_form", message, f"{pointer}/program")
    return bytes.fromhex(text[2:])


def _list(members: Mapping[str, object], key: str, most: int, pointer: str) -> list[object]:
    value = members[key]
    if not isinstance(value, list):
        raise InvalidInput("list_expected", "expected a list", f"{pointer}/{key}")
    if len(value) > most:
        message = f"at most {most} entries, not {len(value)}"
        raise InvalidInput("list_too_long", message, f"{pointer}/{key}")
    return value


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


def _address(value: object, pointer: str) -> Address:
    if not isinstance(value, str):
        raise InvalidInput("string_expected", "expected a string", pointer)
    return account_address(value, pointer)
