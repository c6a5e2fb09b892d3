"""All that the use cases write and read, in one object without state."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settle.services.receipts import entries_of
from settle.store.books import ReadBooks
from settle.store.directory import Directory
from settle.store.escrows import Escrows
from settle.store.events import Events
from settle.store.queue import ExecutionQueue
from settle.store.receipts import ReceiptStore
from settle.store.requests import Requests
from settle.store.sides import Sides
from settle.store.signatures import Signatures
from settle.store.trades import Trades

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from settle.services.receipts import ReceiptBook
    from settle.services.trade_rows import NewEvent


class SqlTradingStore(
    Directory, ReadBooks, Sides, Trades, Signatures, ExecutionQueue, Events, Requests, Escrows
):
    """The port `TradingStore`."""

    def __init__(self, book: ReceiptBook | None = None) -> None:
        """`book` signs receipts; without it, as in a tool that only reads, none are written."""
        self._book = book
        self._receipts = ReceiptStore()

    def append_events(self, conn: Connection, events: Sequence[NewEvent]) -> None:
        """Give them the next numbers, and a receipt to whom they are the end or the match."""
        super().append_events(conn, events)
        if self._book is not None:
            self._receipts.add_receipts(conn, self._book, entries_of(events))
