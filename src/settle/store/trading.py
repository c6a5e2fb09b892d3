"""All that the use cases write and read, in one object without state."""

from __future__ import annotations

from settle.store.books import ReadBooks
from settle.store.directory import Directory
from settle.store.escrows import Escrows
from settle.store.events import Events
from settle.store.queue import ExecutionQueue
from settle.store.requests import Requests
from settle.store.sides import Sides
from settle.store.signatures import Signatures
from settle.store.trades import Trades


class SqlTradingStore(
    Directory, ReadBooks, Sides, Trades, Signatures, ExecutionQueue, Events, Requests, Escrows
):
    """The port `TradingStore`."""
