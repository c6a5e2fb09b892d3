"""Keccak-256, the hash of the chain, by a C extension: hashing is most of what an id costs."""

from __future__ import annotations

from eth_hash.backends import pysha3


def keccak256(data: bytes) -> bytes:
    """Hash bytes to 32 bytes."""
    return pysha3.keccak256(data)
