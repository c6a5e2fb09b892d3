"""Receipts and their logs, encoded again as the header's receiptsRoot commits to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from settle.audit import rlp, wire
from settle.audit.wire import Json
from settle.domain.keccak import keccak256


@dataclass(frozen=True, slots=True)
class Log:
    """An event as the chain has it. `index` counts the logs of the block."""

    index: int
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction. `raw` is what receipt tries hold, `bloom` that of its logs."""

    raw: bytes
    succeeded: bool
    bloom: int
    logs: tuple[Log, ...]


class Blooms:
    """Bits of addresses and topics, remembered: the same ones come again and again."""

    _ROOM = 50_000

    def __init__(self) -> None:
        """Start with nothing remembered."""
        self._bits: dict[bytes, int] = {}

    def of(self, logs: Iterable[Log]) -> int:
        """Bloom of logs, 2048 bits (yellow paper 4.3.1)."""
        bloom = 0
        for log in logs:
            bloom |= self._of(log.address)
            for topic in log.topics:
                bloom |= self._of(topic)
        return bloom

    def _of(self, item: bytes) -> int:
        bits = self._bits.get(item)
        if bits is None:
            if len(self._bits) >= self._ROOM:
                self._bits.clear()
            digest = keccak256(item)
            bits = 0
            for start in (0, 2, 4):
                bits |= 1 << (int.from_bytes(digest[start : start + 2], "big") & 2047)
            self._bits[item] = bits
        return bits


def read(told: Mapping[str, Json], kind: int, first_index: int, blooms: Blooms) -> Receipt:
    """Read the receipt of a transaction of a type; its logs are counted from `first_index`.

    Raises Unreadable.
    """
    logs = tuple(
        Log(
            first_index + position,
            wire.data(wire.field(log, "address"), 20),
            tuple(wire.data(topic, 32) for topic in wire.field(log, "topics")),
            wire.data(wire.field(log, "data")),
        )
        for position, log in enumerate(wire.records(wire.field(told, "logs"), "the logs"))
    )
    bloom = blooms.of(logs)
    succeeded = wire.number(wire.field(told, "status"))
    body = rlp.encode(
        [
            rlp.number(succeeded),
            rlp.number(wire.number(wire.field(told, "cumulativeGasUsed"))),
            bloom.to_bytes(256, "big"),
            [[log.address, list(log.topics), log.data] for log in logs],
        ]
    )
    return Receipt(
        raw=(bytes((kind,)) + body) if kind else body,
        succeeded=succeeded == 1,
        bloom=bloom,
        logs=logs,
    )
