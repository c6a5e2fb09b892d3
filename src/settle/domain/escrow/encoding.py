"""The terms as bytes and back: what `abi.encode(terms)` gives on chain, in its one strict form.

Whoever reads an escrow from calldata or from a file of a counterparty gets the same terms, hence
the same id and the same printed text.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from settle.domain.ids import ADDRESS_BYTES, WORD_BYTES, Address, AssetId
from settle.domain.instruction import UINT32_MAX, UINT64_MAX
from settle.domain.money import UINT128_MAX

_HEAD_WORDS: Final = 12
_LINE_WORDS: Final = 8
_BYTE_MAX: Final = 255
_ADDRESS_MAX: Final = (1 << 8 * ADDRESS_BYTES) - 1


def encode_terms(terms: EscrowTerms) -> bytes:
    """Encode the terms as Solidity's `abi.encode` does."""
    lines = [word for line in terms.lines for word in _line_words(line)]
    padding = -len(terms.program) % WORD_BYTES
    tails = (
        _word(len(terms.lines)) + b"".join(map(_word, lines)),
        _list(terms.deadlines),
        _word(len(terms.program)) + terms.program + bytes(padding),
        _list([_number(one) for one in terms.arbiters]),
    )
    offsets = [_HEAD_WORDS * WORD_BYTES]
    for tail in tails:
        offsets.append(offsets[-1] + len(tail))
    head = (
        _word(terms.open_by),
        *map(_word, offsets[: len(tails)]),
        _word(terms.quorum),
        _word(terms.answer_time),
        _word(_number(terms.fallback_arbiter)),
        _word(terms.fallback_time),
        terms.text,
        terms.ref,
        terms.salt,
    )
    return _word(WORD_BYTES) + b"".join((*head, *tails))


def decode_terms(data: bytes) -> EscrowTerms:
    """Read the terms back.

    Raises: InvalidInput if the bytes are not what `encode_terms` gives for some terms: another
    order of the parts, bits outside a type and bytes behind the end are refused.
    """
    reader = _Reader(data)
    head = WORD_BYTES
    offsets = [head + reader.number(head + k * WORD_BYTES, len(data)) for k in range(1, 5)]
    at = iter(range(head + 5 * WORD_BYTES, head + _HEAD_WORDS * WORD_BYTES, WORD_BYTES))
    terms = EscrowTerms(
        open_by=reader.number(head, UINT64_MAX),
        lines=reader.lines(offsets[0]),
        deadlines=reader.numbers(offsets[1], MAX_MILESTONES, UINT64_MAX),
        program=reader.text(offsets[2]),
        arbiters=tuple(
            _address(one) for one in reader.numbers(offsets[3], MAX_ARBITERS, _ADDRESS_MAX)
        ),
        quorum=reader.number(next(at), _BYTE_MAX),
        answer_time=reader.number(next(at), UINT64_MAX),
        fallback_arbiter=_address(reader.number(next(at), _ADDRESS_MAX)),
        fallback_time=reader.number(next(at), UINT64_MAX),
        text=reader.word(next(at)),
        ref=reader.word(next(at)),
        salt=reader.word(next(at)),
    )
    if encode_terms(terms) != data:
        raise InvalidInput("terms_encoding", "the bytes are not the one encoding of the terms")
    return terms


class _Reader:
    """Reads words at offsets of the data."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def word(self, at: int) -> bytes:
        found = self._data[at : at + WORD_BYTES]
        if len(found) < WORD_BYTES:
            raise InvalidInput("terms_encoding", f"the bytes end before word {at}")
        return found

    def number(self, at: int, maximum: int) -> int:
        found = int.from_bytes(self.word(at), "big")
        if found > maximum:
            raise InvalidInput("terms_encoding", f"the number at byte {at} is too large")
        return found

    def numbers(self, at: int, count: int, maximum: int) -> tuple[int, ...]:
        length = self.number(at, count)
        first = at + WORD_BYTES
        places = range(first, first + length * WORD_BYTES, WORD_BYTES)
        return tuple(self.number(place, maximum) for place in places)

    def text(self, at: int) -> bytes:
        length = self.number(at, MAX_PROGRAM)
        return self._data[at + WORD_BYTES : at + WORD_BYTES + length]

    def lines(self, at: int) -> tuple[EscrowLine, ...]:
        count = self.number(at, MAX_ESCROW_LINES)
        size = _LINE_WORDS * WORD_BYTES
        first = at + WORD_BYTES
        return tuple(self._line(first + k * size) for k in range(count))

    def _line(self, at: int) -> EscrowLine:
        bounds = (_BYTE_MAX, UINT32_MAX, _ADDRESS_MAX, _ADDRESS_MAX, *(UINT128_MAX,) * 4)
        words = [self.number(at + k * WORD_BYTES, bound) for k, bound in enumerate(bounds)]
        return EscrowLine(
            milestone=words[0],
            asset=AssetId(words[1]),
            depositor=_address(words[2]),
            beneficiary=_address(words[3]),
            quantity=words[4],
            if_met=words[5],
            by_default=words[6],
            if_unruled=words[7],
        )


def _line_words(line: EscrowLine) -> tuple[int, ...]:
    return (
        line.milestone,
        line.asset,
        _number(line.depositor),
        _number(line.beneficiary),
        line.quantity,
        line.if_met,
        line.by_default,
        line.if_unruled,
    )


def _list(numbers: Sequence[int]) -> bytes:
    return _word(len(numbers)) + b"".join(map(_word, numbers))


def _word(number: int) -> bytes:
    return number.to_bytes(WORD_BYTES, "big")


def _number(address: Address) -> int:
    return int.from_bytes(address, "big")


def _address(number: int) -> Address:
    return Address(number.to_bytes(ADDRESS_BYTES, "big"))
