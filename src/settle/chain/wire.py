"""Numbers and bytes as JSON-RPC writes them: 0x and hex, quantities without leading zeros."""

from __future__ import annotations

from settle.domain.errors import Unavailable


def quantity(number: int) -> str:
    """Write a number: 0 is `0x0`."""
    return hex(number)


def data(octets: bytes) -> str:
    """Write bytes: none is `0x`."""
    return "0x" + octets.hex()


def to_int(text: object) -> int:
    """Read a number. Raises Unavailable if a node writes something else."""
    if isinstance(text, str):
        try:
            return int(text, 16)
        except ValueError:
            pass
    raise Unavailable(f"the node wrote {text!r} where a number in hex belongs", code="node_answer")


def to_bytes(text: object) -> bytes:
    """Read bytes. Raises Unavailable if a node writes something else."""
    if isinstance(text, str) and text.startswith("0x"):
        try:
            return bytes.fromhex(text[2:])
        except ValueError:
            pass
    raise Unavailable(f"the node wrote {text!r} where bytes in hex belong", code="node_answer")
