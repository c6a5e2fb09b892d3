"""A block as it stands once it was checked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from settle.audit.receipts import Log, Receipt
from settle.audit.transactions import Sent, created_by


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction that a block holds, with what became of it. `created`: a new contract."""

    index: int
    hash: bytes
    sender: bytes
    to: bytes | None
    data: bytes
    created: bytes | None
    succeeded: bool
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """A block. `timestamp` in unix seconds."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    state_root: bytes
    transactions: tuple[Transaction, ...]


def joined(sent: Sequence[Sent], became: Sequence[Receipt]) -> tuple[Transaction, ...]:
    """Join transactions with their receipts, in order."""
    return tuple(
        Transaction(
            index,
            one.hash,
            one.sender,
            one.to,
            one.data,
            created_by(one.sender, one.nonce) if one.to is None and receipt.succeeded else None,
            receipt.succeeded,
            receipt.logs,
        )
        for index, (one, receipt) in enumerate(zip(sent, became, strict=True))
    )
