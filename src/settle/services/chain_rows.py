"""What the sender and the follower keep: frozen rows, no behaviour.

Addresses are 20 bytes, hashes 32 bytes, quantities integers in the asset's smallest unit, instants
whole unix seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to write under a name. `token` grows by one with each new holder, never shrinks."""

    name: str
    holder: str
    token: int
    expires_at: int


class TransactionState(StrEnum):
    """Where a transaction stands. The last four are terminal."""

    QUEUED = "queued"
    """Has its nonce, is not signed yet."""
    SENT = "sent"
    """Signed bytes are stored; whether a node has them is unknown."""
    MINED = "mined"
    """One of its attempts is in a block that is not final yet."""
    SUCCEEDED = "succeeded"
    """Final; the call did not revert. What it did is told by its events."""
    REVERTED = "reverted"
    """Final; the call reverted as a whole, nothing of it happened."""
    VOID = "void"
    """Final; a no-op of the same nonce was mined instead. Nothing of it happened or ever will."""
    DISPLACED = "displaced"
    """Final; a transaction that this system did not sign took the nonce."""


class AttemptKind(StrEnum):
    """Why an attempt was made."""

    FIRST = "first"
    REPLACEMENT = "replacement"
    """The same call at a higher fee."""
    NOOP = "noop"
    """Nothing at all, to use up the nonce of a transaction that no node takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTransaction:
    """A call to be sent. The nonce comes with the row, in the same database transaction.

    `purpose` says what it is for in one word; `subject` is whatever the caller needs to recognise
    its result (JSON text).
    """

    sender: bytes
    to: bytes
    data: bytes
    gas: int
    purpose: str
    subject: str
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionRow:
    """A transaction of ours. `data` is left out (see `SenderStore.call_data`): it is large."""

    transaction_id: int
    sender: bytes
    nonce: int
    to: bytes
    gas: int
    purpose: str
    subject: str
    state: TransactionState
    created_at: int
    attempt_hash: bytes | None = None
    """The attempt that was mined."""
    block_number: int | None = None
    block_hash: bytes | None = None
    succeeded: bool | None = None
    gas_used: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    """Signed bytes of a transaction, written before the first broadcast.

    Nothing of it changes afterwards but when it was broadcast and how often.
    """

    hash: bytes
    transaction_id: int
    kind: AttemptKind
    max_fee_per_gas: int
    max_priority_fee_per_gas: int
    created_at: int
    broadcast_at: int | None = None
    """When it was handed to a node last."""
    broadcasts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRow:
    """A block as followed. `final` says that the engine's finality rule covers it."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """One event of a contract of ours, raw. (block_number, log_index) is unique."""

    block_number: int
    block_hash: bytes
    log_index: int
    transaction_hash: bytes
    address: bytes
    topics: bytes
    """The topics, 32 bytes each, one after the other."""
    data: bytes
    kind: str
    """Name of the event, `unknown` where no contract of ours declares it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far the chain is in the database. `final_number` never shrinks."""

    genesis_hash: bytes
    number: int
    hash: bytes
    final_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldingRow:
    """Derived. What an account holds of an asset."""

    account: bytes
    asset: int
    available: int
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SupplyRow:
    """Derived. How much of an asset there is."""

    asset: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AssetRow:
    """Derived. An asset of the ledger; `asset_class` is the number of the contract's enum."""

    asset: int
    asset_class: int
    decimals: int
    code: str
    issuer: bytes
    frozen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """Derived. What the ledger says of an account; `standing` numbers the contract's enum."""

    account: bytes
    standing: int
    account_class: int
    frozen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeRow:
    """Derived. The end of an instruction; outcome is `settled` or `cancelled`."""

    instruction: bytes
    outcome: str
    initiator: bytes
    nonce: int
    block_number: int
    transaction_hash: bytes
    log_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowStateRow:
    """Derived. What the chain keeps of an escrow: its record as text, or that it never opens.

    `record` is what `settle.domain.escrow.record_text` writes; empty while it is not open.
    """

    escrow: bytes
    withdrawn: bool
    record: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedRow:
    """Derived. An instruction whose settlement the chain remembers by its id."""

    instruction: bytes
    block_number: int


DerivedRow = (
    HoldingRow | SupplyRow | AssetRow | AccountRow | OutcomeRow | EscrowStateRow | RecordedRow
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarm:
    """Something that a person must look at. At most one open alarm per (kind, subject)."""

    kind: str
    subject: str
    message: str
    raised_at: int
