"""An instruction as `abi.encode` writes it: how its full terms are shown as evidence."""

from __future__ import annotations

from typing import Final

from settle.domain.ids import ADDRESS_BYTES, WORD_BYTES, Address, AssetId
from settle.domain.instruction import MAX_LEGS, UINT32_MAX, UINT64_MAX, Instruction, Leg
from settle.domain.money import UINT128_MAX

_HEAD_WORDS: Final = 11
_LEG_WORDS: Final = 4
_ADDRESS_MAX: Final = (1 << 8 * ADDRESS_BYTES) - 1
_ANY: Final = (1 << 256) - 1
_BOUNDS: Final = (
    _ADDRESS_MAX,
    UINT64_MAX,
    UINT64_MAX,
    UINT64_MAX,
    _ANY,
    UINT32_MAX,
    UINT128_MAX,
    _ANY,
    _ANY,
    _ANY,
)
_LEG_BOUNDS: Final = (UINT32_MAX, _ADDRESS_MAX, _ADDRESS_MAX, UINT128_MAX)


def encode_instruction(instruction: Instruction) -> bytes:
    """Encode an instruction as Solidity's `abi.encode` does."""
    words = (
        WORD_BYTES,
        _number(instruction.initiator),
        instruction.nonce,
        instruction.settle_from,
        instruction.settle_by,
        _number(instruction.cycle),
        instruction.options,
        instruction.minimum_lot,
        _number(instruction.predecessor),
        _number(instruction.trade_ref),
        _number(instruction.terms),
        _HEAD_WORDS * WORD_BYTES,
        len(instruction.legs),
        *(
            word
            for leg in instruction.legs
            for word in (leg.asset, _number(leg.deliverer), _number(leg.receiver), leg.quantity)
        ),
    )
    return b"".join(word.to_bytes(WORD_BYTES, "big") for word in words)


def decode_instruction(data: bytes) -> Instruction | None:
    """Read an instruction back; None if the bytes are not its one encoding."""
    words = [
        int.from_bytes(data[at : at + WORD_BYTES], "big") for at in range(0, len(data), WORD_BYTES)
    ]
    fixed = 2 + _HEAD_WORDS
    if len(data) % WORD_BYTES or len(words) < fixed:
        return None
    head, count = words[1:_HEAD_WORDS], words[fixed - 1]
    if count > MAX_LEGS or len(words) != fixed + count * _LEG_WORDS:
        return None
    legs = [words[at : at + _LEG_WORDS] for at in range(fixed, len(words), _LEG_WORDS)]
    bounded = all(word <= bound for word, bound in zip(head, _BOUNDS, strict=True)) and all(
        word <= bound for leg in legs for word, bound in zip(leg, _LEG_BOUNDS, strict=True)
    )
    if not bounded:
        return None
    found = Instruction(
        initiator=_address(head[0]),
        nonce=head[1],
        settle_from=head[2],
        settle_by=head[3],
        cycle=head[4].to_bytes(WORD_BYTES, "big"),
        options=head[5],
        minimum_lot=head[6],
        predecessor=head[7].to_bytes(WORD_BYTES, "big"),
        trade_ref=head[8].to_bytes(WORD_BYTES, "big"),
        terms=head[9].to_bytes(WORD_BYTES, "big"),
        legs=tuple(
            Leg(
                asset=AssetId(asset),
                deliverer=_address(deliverer),
                receiver=_address(receiver),
                quantity=quantity,
            )
            for asset, deliverer, receiver, quantity in legs
        ),
    )
    return found if encode_instruction(found) == data else None


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big")


def _address(number: int) -> Address:
    return Address(number.to_bytes(ADDRESS_BYTES, "big"))
