"""Keccak-256, the hash of the chain."""

from __future__ import annotations

from eth_hash.auto import keccak as _keccak

_keccak(b"")  # lets the library choose and check its backend once, here


def keccak256(data: bytes) -> bytes:
    """Hash bytes to 32 bytes."""
    return _keccak.hasher(data)
