"""Signed instructions as call data, written word by word: a batch costs microseconds a trade.

The layout is that of the contract ABI: what has no fixed size stands behind, and the head says at
which offset. Kept equal to the general encoder by tests.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from settle.domain.instruction import Instruction

_ADDRESS: Final = bytes(12)
_INSTRUCTION_HEAD: Final = 11 * 32


def pack_request(instruction: Instruction, signatures: Sequence[bytes]) -> bytes:
    """Write (instruction, signatures) as a call's arguments or as one entry of a batch."""
    packed = pack_instruction(instruction)
    return b"".join((_word(64), _word(64 + len(packed)), packed, pack_signatures(signatures)))


def pack_requests(requests: Sequence[tuple[Instruction, Sequence[bytes]]]) -> bytes:
    """Write the one argument of settleMany."""
    entries = [pack_request(instruction, signatures) for instruction, signatures in requests]
    return b"".join((_word(32), _word(len(entries)), *_offsets(entries), *entries))


def pack_instruction(instruction: Instruction) -> bytes:
    """Write an instruction: its head, then its legs."""
    word = _word
    parts = [
        _ADDRESS,
        instruction.initiator,
        word(instruction.nonce),
        word(instruction.settle_from),
        word(instruction.settle_by),
        instruction.cycle,
        word(instruction.options),
        word(instruction.minimum_lot),
        instruction.predecessor,
        instruction.trade_ref,
        instruction.terms,
        word(_INSTRUCTION_HEAD),
        word(len(instruction.legs)),
    ]
    for leg in instruction.legs:
        parts += (word(leg.asset), _ADDRESS, leg.deliverer, _ADDRESS, leg.receiver)
        parts.append(word(leg.quantity))
    return b"".join(parts)


def pack_signatures(signatures: Sequence[bytes]) -> bytes:
    """Write a list of signatures, each of its own length."""
    entries = [
        b"".join((_word(len(signature)), signature, bytes(-len(signature) % 32)))
        for signature in signatures
    ]
    return b"".join((_word(len(entries)), *_offsets(entries), *entries))


def _offsets(entries: Sequence[bytes]) -> list[bytes]:
    offset = 32 * len(entries)
    offsets: list[bytes] = []
    for entry in entries:
        offsets.append(_word(offset))
        offset += len(entry)
    return offsets


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")
