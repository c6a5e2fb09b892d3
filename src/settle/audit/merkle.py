"""Merkle Patricia tries: what the roots in a header commit to (yellow paper, appendix D)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from settle.audit import rlp
from settle.domain.keccak import keccak256

EMPTY_ROOT: Final = keccak256(rlp.encode(b""))
_HASH_BYTES: Final = 32
_BRANCH: Final = 17
_ODD: Final = 0x10
_LEAF: Final = 0x20

Pair = tuple[bytes, bytes]
"""Nibbles of the key, one a byte, and the value."""


def list_root(values: Sequence[bytes]) -> bytes:
    """Root of the trie that maps rlp(index) to each value. 32 bytes."""
    return map_root((rlp.encode(rlp.number(index)), value) for index, value in enumerate(values))


def map_root(entries: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Root of the trie over keys and values. No key is the beginning of another. 32 bytes."""
    pairs = sorted((_nibbles(key), value) for key, value in entries)
    if not pairs:
        return EMPTY_ROOT
    return keccak256(rlp.encode(_node(pairs, 0)))


def proven(root: bytes, key: bytes, proof: Sequence[bytes]) -> bytes | None:
    """Follow a key from a root through the nodes of a proof; its value, None where it has none.

    Raises ValueError where the nodes are not those that the root commits to.
    """
    path, rest = _nibbles(key), iter(proof)
    node: rlp.Item = root
    while True:
        if isinstance(node, bytes):
            encoded = next(rest, None)
            if encoded is None or keccak256(encoded) != node:
                raise ValueError("a node that the root does not commit to")
            node = rlp.decode(encoded)
        if isinstance(node, bytes):
            raise ValueError("a node of no known form")  # noqa: TRY004  data, not a type
        if len(node) == _BRANCH:
            child = node[path[0]] if path else node[-1]
            done, path = not path, path[1:]
        else:
            head = node[0]
            if len(node) != 2 or not isinstance(head, bytes):
                raise ValueError("a node of no known form")
            shared, leaf = _unpacked(head)
            if path[: len(shared)] != shared or (leaf and path != shared):
                return None
            child, done, path = node[1], leaf, path[len(shared) :]
        if done:
            return child if isinstance(child, bytes) and child else None
        if child == b"":
            return None
        node = child


def _unpacked(packed: bytes) -> tuple[bytes, bool]:
    """Give the nibbles of a node's path, and whether it is a leaf."""
    nibbles = _nibbles(packed)
    return nibbles[1 if nibbles[0] & 1 else 2 :], bool(nibbles[0] & 2)


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
