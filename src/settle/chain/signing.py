"""Signed transactions (EIP-1559), made by hand: one hash, one signature, one encoding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from settle.chain.eip712 import sign_parts
from settle.domain.keccak import keccak256

TYPE: Final = b"\x02"
NOOP_GAS: Final = 21_000
ENVELOPE_BYTES: Final = 256  # more than everything of a transaction but its call data takes


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsignedTransaction:
    """A call with what it offers, in wei per gas. `to` is empty where a contract is created."""

    chain_id: int
    nonce: int
    max_priority_fee_per_gas: int
    max_fee_per_gas: int
    gas: int
    to: bytes
    data: bytes
    value: int = 0


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """The bytes that a node takes, and their hash, which names the transaction everywhere."""

    hash: bytes
    raw: bytes


def sign_transaction(transaction: UnsignedTransaction, key: bytes) -> SignedTransaction:
    """Sign. The same transaction and key always give the same bytes (RFC 6979)."""
    fields = [
        _number(transaction.chain_id),
        _number(transaction.nonce),
        _number(transaction.max_priority_fee_per_gas),
        _number(transaction.max_fee_per_gas),
        _number(transaction.gas),
        _octets(transaction.to),
        _number(transaction.value),
        _octets(transaction.data),
        b"\xc0",  # no access list
    ]
    body = b"".join(fields)
    digest = keccak256(TYPE + _prefix(len(body), 0xC0) + body)
    parity, r, s = sign_parts(digest, key)
    body += _number(parity) + _number(r) + _number(s)
    raw = TYPE + _prefix(len(body), 0xC0) + body
    return SignedTransaction(keccak256(raw), raw)


def created_address(sender: bytes, nonce: int) -> bytes:
    """Give the address of the contract that a transaction of this sender and nonce creates."""
    body = _octets(sender) + _number(nonce)
    return keccak256(_prefix(len(body), 0xC0) + body)[12:]


def _number(number: int) -> bytes:
    return _octets(number.to_bytes((number.bit_length() + 7) // 8, "big"))


def _octets(octets: bytes) -> bytes:
    if len(octets) == 1 and octets[0] < 0x80:
        return octets
    return _prefix(len(octets), 0x80) + octets


def _prefix(length: int, kind: int) -> bytes:
    """RLP: the kind and the length, or the kind, the length of the length, and the length."""
    if length <= 55:
        return bytes((kind + length,))
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((kind + 55 + len(size),)) + size
