"""What the API is made of, handed over by the composition root, and who is asking."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from settle.domain.ids import Address, Lei
from settle.services.trade_rows import Role

if TYPE_CHECKING:
    from settle.api.event_watch import EventWatch
    from settle.api.iso_names import IsoNames
    from settle.api.metrics import Metrics
    from settle.services.ports import ChainStore
    from settle.services.receipts import ReceiptBook
    from settle.services.trade_ports import TradingStore
    from settle.services.venue import Venue
    from settle.settings import ApiSettings
    from settle.store.database import Database
    from settle.store.receipts import ReceiptStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that must be so for the API to take work."""

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who signed the request. `lei` is None for the operator's and the auditor's own keys."""

    role: Role
    lei: Lei | None
    key: Address

    @property
    def name(self) -> Lei:
        """Under which idempotency keys and nonces of this caller are kept."""
        return self.lei if self.lei is not None else Lei(f"@{self.role.value}")

    @property
    def viewer(self) -> Lei | None:
        """Whose things are visible; None where all are."""
        return None if self.role.sees_all else self.lei


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """Who signs receipts, and where they are kept."""

    book: ReceiptBook
    store: ReceiptStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiContext:
    """Everything that requests are answered with. `audiences`: what signatures may be for.

    `on_commit` is called after each write, so that who waits for it looks.
    """

    database: Database
    venue: Venue
    settings: ApiSettings
    audiences: tuple[str, ...]
    watch: EventWatch
    metrics: Metrics
    followed: ChainStore
    iso_names: IsoNames
    receipts: Receipts
    checks: Callable[[], Sequence[Check]]
    on_commit: Callable[[], None]

    @property
    def store(self) -> TradingStore:
        """Where the use cases keep things."""
        return self.venue.store

    def clock(self) -> int:
        """Unix seconds."""
        return self.venue.clock()
