"""Hashes by which the store finds sides that may match, without reading all that wait.

They only narrow the search: `settle.domain.matching` decides.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING

from settle.domain.matching import match_key

if TYPE_CHECKING:
    from settle.domain.side import TradeSide

KEY_BYTES = 16


def equal_key(side: TradeSide) -> bytes:
    """Equal for two sides of which all that must be equal is: the `match_key` of the domain."""
    return _hash(*match_key(side))


def reference_key(side: TradeSide) -> bytes | None:
    """Equal for two sides of the same parties, in either direction, with one common reference."""
    if side.common_reference is None:
        return None
    return _hash("reference", *_pair(side), side.common_reference)


def security_key(side: TradeSide) -> bytes:
    """Equal for two sides of the same parties, in either direction, in one security."""
    return _hash("security", *_pair(side), side.isin)


def _pair(side: TradeSide) -> tuple[str, str]:
    first, second = sorted((side.delivering_party, side.receiving_party))
    return first, second


def _hash(*values: object) -> bytes:
    # repr puts quotes around text, so that no two lists of values read alike.
    return blake2b(repr(values).encode(), digest_size=KEY_BYTES).digest()
