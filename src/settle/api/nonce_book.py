"""Uses up the nonces of signed requests: each once, whatever becomes of the request.

Requests that arrive together share one database transaction: the first writes for all that wait.
"""

from __future__ import annotations

import threading
from collections import deque
from concurrent.futures import Future
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from settle.domain.ids import Lei
    from settle.services.ports import Transactions
    from settle.services.trade_ports import RequestStore

_Entry = tuple["Lei", str, int, Future[bool]]


class NonceBook:
    """Nonces that were used, in the database. Threads may share it."""

    def __init__(self, database: Transactions, store: RequestStore) -> None:
        """Keep them in this database."""
        self._database = database
        self._store = store
        self._waiting: deque[_Entry] = deque()
        self._writing = threading.Lock()

    def use(self, name: Lei, nonce: str, expires_at: int) -> bool:
        """Whether the nonce was fresh; it is used now, and that is committed.

        Raises Unavailable if the database does not take it: then it is not used.
        """
        mine: Future[bool] = Future()
        self._waiting.append((name, nonce, expires_at, mine))
        with self._writing:
            if not mine.done():
                self._write()
        return mine.result()

    def _write(self) -> None:
        batch: list[_Entry] = []
        while self._waiting:
            batch.append(self._waiting.popleft())
        try:
            with self._database.transaction() as conn:
                answers = [
                    self._store.use_request_nonce(conn, name, nonce, expires_at)
                    for name, nonce, expires_at, _ in batch
                ]
        except BaseException as error:
            for *_, waiting in batch:
                waiting.set_exception(error)
            raise
        for answer, (*_, waiting) in zip(answers, batch, strict=True):
            waiting.set_result(answer)
