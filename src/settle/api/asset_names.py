"""Codes and decimals of assets, to stand beside quantities. Neither ever changes on chain."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.services.chain_rows import AssetRow
    from settle.services.trade_ports import BooksStore

_KEEP_S: Final = 5
"""An asset of a block that was taken back is forgotten after this time."""


class AssetNames:
    """Reads all assets at once and keeps them for a moment. Threads may share it."""

    def __init__(self, store: BooksStore, clock: Callable[[], int]) -> None:
        """Begin with none."""
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self._known: Mapping[int, AssetRow] = {}
        self._read_at = 0

    def of(self, conn: Connection, assets: Collection[int]) -> Mapping[int, AssetRow]:
        """Give the rows of these assets and of others; one that is not known is missing."""
        with self._lock:
            now = self._clock()
            missing = not self._known.keys() >= set(assets)
            if missing or now >= self._read_at + _KEEP_S:
                self._known = {row.asset: row for row in self._store.assets(conn)}
                self._read_at = now
            return self._known
