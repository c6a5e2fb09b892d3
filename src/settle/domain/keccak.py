"""Keccak-256, the hash of the chain: the C extension where it is installed, else PyCryptodome.

The extension (`eth-hash[pysha3]`) is four times faster, and hashing is most of what an id costs.
"""

from __future__ import annotations

from collections.abc import Callable

_hash: Callable[[bytes], bytes]
try:
    from eth_hash.backends import pysha3

    _hash = pysha3.keccak256
except ImportError:
    from eth_hash.backends import pycryptodome

    _hash = pycryptodome.keccak256


def keccak256(data: bytes) -> bytes:
    """Hash bytes to 32 bytes."""
    return _hash(data)
