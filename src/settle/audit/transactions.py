"""Transactions: encoded again from their fields, so that neither hash nor sender is believed.

Sources: EIP-155, EIP-2718, EIP-2930, EIP-1559, EIP-4844, EIP-7702.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from settle.audit import rlp, signatures, wire
from settle.audit.wire import Json
from settle.domain.keccak import keccak256

_Reader = Callable[[Json], rlp.Item]
_EIP155_BASE: Final = 35
_LEGACY_BASE: Final = 27


@dataclass(frozen=True, slots=True)
class Sent:
    """A signed transaction. `to` is None where it creates a contract. `raw` is what tries hold."""

    hash: bytes
    raw: bytes
    kind: int
    sender: bytes
    nonce: int
    to: bytes | None
    data: bytes


def _number(value: Json) -> bytes:
    return rlp.number(wire.number(value))


def _address(value: Json) -> bytes:
    return b"" if value is None else wire.data(value, 20)


def _access_list(value: Json) -> rlp.Item:
    return [
        [
            wire.data(wire.field(entry, "address"), 20),
            [wire.data(key, 32) for key in wire.field(entry, "storageKeys")],
        ]
        for entry in wire.records(value, "the access list")
    ]


def _hashes(value: Json) -> rlp.Item:
    return [wire.data(item, 32) for item in value]


def _authorizations(value: Json) -> rlp.Item:
    return [
        [
            _number(wire.field(entry, "chainId")),
            wire.data(wire.field(entry, "address"), 20),
            *(_number(wire.field(entry, name)) for name in ("nonce", "yParity", "r", "s")),
        ]
        for entry in wire.records(value, "the authorization list")
    ]


_CALL: Final = (("to", _address), ("value", _number), ("input", wire.data))
_FEES: Final = (("maxPriorityFeePerGas", _number), ("maxFeePerGas", _number), ("gas", _number))
_ACCESS: Final = (("accessList", _access_list),)
_BLOBS: Final = (("maxFeePerBlobGas", _number), ("blobVersionedHashes", _hashes))
_OPENING: Final = (("chainId", _number), ("nonce", _number))

FIELDS: Final[dict[int, tuple[tuple[str, _Reader], ...]]] = {
    0: (("nonce", _number), ("gasPrice", _number), ("gas", _number), *_CALL),
    1: (*_OPENING, ("gasPrice", _number), ("gas", _number), *_CALL, *_ACCESS),
    2: (*_OPENING, *_FEES, *_CALL, *_ACCESS),
    3: (*_OPENING, *_FEES, *_CALL, *_ACCESS, *_BLOBS),
    4: (*_OPENING, *_FEES, *_CALL, *_ACCESS, ("authorizationList", _authorizations)),
}
"""What is signed of each type, in order. Behind it stand parity (v in type 0), r and s."""


def read(told: Mapping[str, Json]) -> Sent:
    """Read a transaction of a block. Raises Unreadable for a type that is not in FIELDS."""
    kind = wire.number(told.get("type", "0x0"))
    if kind not in FIELDS:
        raise wire.Unreadable(f"a transaction of type {kind}")
    body = [reader(wire.field(told, name)) for name, reader in FIELDS[kind]]
    r, s = (wire.number(wire.field(told, name)) for name in ("r", "s"))
    if kind == 0:
        v = wire.number(wire.field(told, "v"))
        raw = rlp.encode([*body, rlp.number(v), rlp.number(r), rlp.number(s)])
        if v >= _EIP155_BASE:
            chain_id, parity = divmod(v - _EIP155_BASE, 2)
            body += [rlp.number(chain_id), b"", b""]
        else:
            parity = v - _LEGACY_BASE
        signed = keccak256(rlp.encode(body))
    else:
        parity = wire.number(told["v"] if told.get("yParity") is None else told["yParity"])
        head = bytes((kind,))
        signed = keccak256(head + rlp.encode(body))
        raw = head + rlp.encode([*body, rlp.number(parity), rlp.number(r), rlp.number(s)])
    sender = signatures.recover(signed, r, s, parity)
    if sender is None:
        raise wire.Unreadable("a transaction whose signature recovers to nobody")
    return Sent(
        hash=keccak256(raw),
        raw=raw,
        kind=kind,
        sender=sender,
        nonce=wire.number(wire.field(told, "nonce")),
        to=_address(wire.field(told, "to")) or None,
        data=wire.data(wire.field(told, "input")),
    )


def created_by(sender: bytes, nonce: int) -> bytes:
    """Address of the contract that a transaction creates."""
    return keccak256(rlp.encode([sender, rlp.number(nonce)]))[12:]
