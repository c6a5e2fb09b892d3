"""What the use cases keep about participants, sides, trades and events: frozen rows.

Instants are unix seconds, quantities integers in the asset's smallest unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from settle.domain.ids import Address, Bic, InstructionId, Lei, TradeId
from settle.domain.instruction import Instruction
from settle.domain.matching import Mismatch
from settle.domain.reasons import Reason
from settle.domain.side import TradeSide
from settle.domain.status import Status


class Role(StrEnum):
    """What a participant of the venue may do at its interfaces."""

    PARTICIPANT = "participant"
    OPERATOR = "operator"
    AUDITOR = "auditor"

    @property
    def sees_all(self) -> bool:
        """Whether the trades of others are visible."""
        return self is not Role.PARTICIPANT


@dataclass(frozen=True, slots=True, kw_only=True)
class ParticipantRow:
    """An admitted legal entity."""

    lei: Lei
    bic: Bic | None
    name: str
    role: Role
    participant_class: int
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedAccount:
    """An account and whose it is. Position 0 is used where a side names no account."""

    address: Address
    lei: Lei
    position: int
    created_at: int


class SideState(StrEnum):
    """Whether a side can still match."""

    OPEN = "open"
    MATCHED = "matched"
    ENDED = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class SideRow:
    """A side as submitted. The keys are hashes of what two sides must have in common.

    `equal_key`: all that must be equal; `reference_key`: the parties and the common reference;
    `security_key`: the parties and the security. `presigned`: the terms that it signed beforehand.
    """

    side: TradeSide
    trade_id: TradeId
    state: SideState
    equal_key: bytes
    reference_key: bytes | None
    security_key: bytes
    presigned: Instruction | None = None


class Queue(StrEnum):
    """Where a consented trade stands with the executor."""

    READY = "ready"
    """To be looked at."""
    WAITING = "waiting"
    """Until a fact that blocks it changes."""
    SENT = "sent"
    """In a transaction that no block is known to hold."""
    SEEN = "seen"
    """Settled in a block that is not final."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeRow:
    """A trade: one side, or two that match. `version` grows with each change.

    `deadline_at`: the chain's time at which silence ends it. `value`: the amount, or the quantity
    where it is free. `differences` are told as the first side sees them; `near_trade` is the trade
    of the side that they compare with. `batch_id` and `cancel_id` number transactions.
    """

    trade_id: TradeId
    status: Status
    version: int
    first_side: str
    second_side: str | None
    deliverer_lei: Lei
    receiver_lei: Lei
    initiator: Address
    nonce: int
    nonce_bound: bool
    digest: InstructionId | None
    instruction: Instruction | None
    settlement_date: date
    settle_from: int
    settle_by: int
    deadline_at: int
    priority: int
    value: int
    deliverer_account: Address | None
    receiver_account: Address | None
    differences: tuple[Mismatch, ...]
    near_trade: TradeId | None
    reasons: tuple[Reason, ...]
    reasons_at: int | None
    created_at: int
    updated_at: int
    queue: Queue | None = None
    wake_at: int | None = None
    batch_id: int | None = None
    batch_cap: int | None = None
    cancel_id: int | None = None
    ended_at: int | None = None
    ended_block: int | None = None
    settled_tx: bytes | None = None

    @property
    def parties(self) -> tuple[Lei, Lei]:
        """The deliverer and the receiver."""
        return self.deliverer_lei, self.receiver_lei


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureRow:
    """An account's consent to an instruction: a signature over its digest that was checked.

    `by_wallet`: no key gave it, the account's code took it for its own (ERC-1271).
    """

    digest: InstructionId
    account: Address
    signature: bytes
    created_at: int
    by_wallet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationRow:
    """An account's consent to end an instruction, checked; it serves until `valid_by`."""

    digest: InstructionId
    account: Address
    valid_by: int
    signature: bytes
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A trade waits for a fact to change. Of a holding: until `needed` is available there."""

    fact: str
    trade_id: TradeId
    account: Address | None = None
    asset: int | None = None
    needed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """Something to tell. `visible_to`: at most two participants; operator and auditor see all."""

    kind: str
    trade_id: TradeId | None
    visible_to: tuple[Lei, ...]
    payload: str
    created_at: int
    block_number: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRow:
    """An event as one viewer sees it. `number` counts its events from 1, without a gap."""

    number: int
    seq: int
    kind: str
    trade_id: TradeId | None
    block_number: int | None
    payload: str
    created_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAnswer:
    """What an idempotency key stands for. `http_status` None: the first request is under way."""

    body_digest: bytes
    http_status: int | None
    response: bytes | None
    created_at: int
