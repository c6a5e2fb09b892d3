"""What every use case is given: the store, the chain, the rules. Composed once, at the start."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from settle.services.market_rules import MarketRules

if TYPE_CHECKING:
    from settle.domain.ids import Address, TradeId
    from settle.domain.instruction import SigningDomain
    from settle.services.ports import AlarmStore, ChainReader, Outgoing, Transactions
    from settle.services.trade_ports import TradingStore


class Recover(Protocol):
    """Tells who signed a digest."""

    def __call__(self, digest: bytes, signature: bytes) -> Address:
        """The address. Raises InvalidInput for bytes that are no signature of anybody."""


class Clock(Protocol):
    """The time, for callbacks that are not given it."""

    def __call__(self) -> int:
        """Unix seconds."""


class NewId(Protocol):
    """Where ids of trades and sides come from."""

    def __call__(self, at: int) -> TradeId:
        """A fresh one, larger than those before it. `at` in unix seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Venue:
    """The operator's place: ports and rules. Values and stateless objects, safe for threads."""

    database: Transactions
    store: TradingStore
    alarms: AlarmStore
    chain: ChainReader
    outgoing: Outgoing
    recover: Recover
    clock: Clock
    new_id: NewId
    domain: SigningDomain
    rules: MarketRules = field(default_factory=MarketRules)
