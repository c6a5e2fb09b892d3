"""Root of the Merkle Patricia trie over a list: what the roots in a header commit to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from settle.audit import rlp
from settle.domain.keccak import keccak256

EMPTY_ROOT: Final = keccak256(rlp.encode(b""))
_HASH_BYTES: Final = 32
_ODD: Final = 0x10
_LEAF: Final = 0x20

Pair = tuple[bytes, bytes]
"""Nibbles of the key, one a byte, and the value."""


def list_root(values: Sequence[bytes]) -> bytes:
    """Root of the trie that maps rlp(index) to each value. 32 bytes."""
    if not values:
        return EMPTY_ROOT
    pairs = sorted(
        (_nibbles(rlp.encode(rlp.number(index))), value) for index, value in enumerate(values)
    )
    return keccak256(rlp.encode(_node(pairs, 0)))


def _nibbles(key: bytes) -> bytes:
    return bytes(half for octet in key for half in (octet >> 4, octet & 15))


def _node(pairs: Sequence[Pair], depth: int) -> rlp.Item:
    """Give the node of these pairs, which agree in their first `depth` nibbles."""
    first = pairs[0][0]
    if len(pairs) == 1:
        return [_path(first[depth:], _LEAF), pairs[0][1]]
    # Sorted: what the first and the last share, all share. No key is the prefix of another.
    last = pairs[-1][0]
    shared = depth
    while first[shared] == last[shared]:
        shared += 1
    if shared > depth:
        return [_path(first[depth:shared], 0), _reference(pairs, shared)]
    branch: list[rlp.Item] = [b""] * 17
    start = 0
    while start < len(pairs):
        nibble = pairs[start][0][depth]
        end = start + 1
        while end < len(pairs) and pairs[end][0][depth] == nibble:
            end += 1
        branch[nibble] = _reference(pairs[start:end], depth + 1)
        start = end
    return branch


def _reference(pairs: Sequence[Pair], depth: int) -> rlp.Item:
    """Give the node itself where it is shorter than a hash, its hash otherwise."""
    node = _node(pairs, depth)
    encoded = rlp.encode(node)
    return node if len(encoded) < _HASH_BYTES else keccak256(encoded)


def _path(nibbles: bytes, kind: int) -> bytes:
    """Pack nibbles with their kind in front (yellow paper, appendix C)."""
    if len(nibbles) % 2:
        head, rest = bytes((kind | _ODD | nibbles[0],)), nibbles[1:]
    else:
        head, rest = bytes((kind,)), nibbles
    pairs = zip(rest[::2], rest[1::2], strict=True)
    return head + bytes(high << 4 | low for high, low in pairs)
