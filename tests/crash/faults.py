"""All faults of a run, thrown in one place: ends of the process, the node's, the database's."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event, exc

from settle.domain.errors import Unavailable
from settle.store.database import Database

_PAGES = 2**30
_SENDING = {
    *("signed", "before attempt commit", "attempt committed", "replacement signed"),
    *("before broadcast", "after broadcast", "broadcast noted"),
    *("before eth_sendRawTransaction", "after eth_sendRawTransaction"),
    *("outcome written", "before outcome commit", "outcome committed"),
    *("blocks removed", "turned back"),
}
"""Steps that a run passes seldom; they are hit more often for it."""
_SENDING_SHARE = 6


class Killed(BaseException):
    """The process ends here, by SIGKILL: nothing after this line runs."""


@dataclass
class Faults:
    """What goes wrong, by one generator. `calm`: nothing any more."""

    dice: random.Random
    calm: bool = False
    kills: float = 0.012
    node: float = 0.05
    database: float = 0.05
    count: Counter[str] = field(default_factory=Counter)

    def kill(self, where: str) -> None:
        """End the process here, perhaps."""
        if self._hits(self.kills * (_SENDING_SHARE if where in _SENDING else 1)):
            self.count[f"killed {where}"] += 1
            raise Killed(where)

    def of_node(self, method: str) -> str | None:
        """Say how a request to the node goes wrong."""
        sends = method == "eth_sendRawTransaction"
        if not self._hits(self.node * (_SENDING_SHARE if sends else 1)):
            return None
        kinds = ["before", "after", "status", "status after", "forgets"]
        if sends:
            kinds += ["hash", "after"]
        return self._noted("node", self.dice.choice(kinds))

    def of_database(self) -> str | None:
        """Say how a writing transaction goes wrong."""
        if not self._hits(self.database):
            return None
        return self._noted("database", self.dice.choice(["away", "refuses", "full", "lost answer"]))

    def _noted(self, who: str, kind: str) -> str:
        self.count[f"{who}: {kind}"] += 1
        return kind

    def _hits(self, share: float) -> bool:
        return not self.calm and self.dice.random() < share


class FaultyDatabase(Database):
    """The real database; transactions end as the faults say."""

    def __init__(self, engine: Engine, faults: Faults) -> None:
        super().__init__(engine)
        self._faults = faults

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        self._faults.kill("before a transaction")
        fault = self._faults.of_database()
        if fault == "away":
            raise Unavailable("the database is away", code="database_unavailable")
        with super().transaction() as conn:
            # A real SQLITE_FULL: the file may not grow by a page.
            pages = conn.exec_driver_sql("PRAGMA page_count").scalar_one()
            most = pages if fault == "full" else _PAGES
            conn.exec_driver_sql(f"PRAGMA max_page_count={most}")
            yield conn
            self._faults.kill("before a commit")
            if fault == "refuses":
                conn.info["refuses"] = True
        self._faults.kill("after a commit")
        if fault == "lost answer":
            raise Unavailable("committed, but nobody heard of it", code="database_unavailable")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with super().reading() as conn:
            yield conn


def refuse_commits(engine: Engine) -> None:
    """Let a commit fail as a disk does, where a fault asks for it."""

    def refuse(conn: Any) -> None:
        if conn.info.pop("refuses", False):
            raise exc.OperationalError("COMMIT", None, sqlite3.OperationalError("disk I/O error"))

    event.listen(engine, "commit", refuse)
