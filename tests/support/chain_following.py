"""A follower over a real SQLite file, what it told, and a rebuild from nothing to compare with."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from chain_market import Market
from sqlalchemy import Connection, text

from settle.chain.follower import Follower, Step
from settle.domain.chain_events import Recorded
from settle.services.chain_calls import FinalHead
from settle.store.chain_tables import SqlFollowerStore
from settle.store.database import Database, open_database

TABLES = {
    "blocks": "number",
    "chain_events": "block_number, log_index",
    "holdings": "account, asset",
    "supplies": "asset",
    "assets": "asset",
    "chain_accounts": "account",
    "outcomes": "instruction",
    "undo": "block_number, kind, key",
}


class Told:
    """A listener that writes what it hears into the same database, in the same transaction."""

    def prepare(self, conn: Connection) -> None:
        conn.execute(
            text(
                "CREATE TABLE IF NOT EXISTS heard (what TEXT, block INTEGER, hash TEXT, "
                "position INTEGER, kind TEXT)"
            )
        )

    def appeared(self, conn: Connection, events: Sequence[Recorded], *, at: int) -> None:
        self._write(conn, "appeared", events)

    def became_final(
        self, conn: Connection, events: Sequence[Recorded], head: FinalHead, *, at: int
    ) -> None:
        assert all(e.place.block_number <= head.number for e in events)
        self._write(conn, "final", events)

    def retracted(self, conn: Connection, events: Sequence[Recorded], *, at: int) -> None:
        self._write(conn, "retracted", events)

    def _write(self, conn: Connection, what: str, events: Sequence[Recorded]) -> None:
        if events:
            conn.execute(
                text("INSERT INTO heard VALUES (:what, :block, :hash, :position, :kind)"),
                [
                    {
                        "what": what,
                        "block": e.place.block_number,
                        "hash": e.place.block_hash.hex(),
                        "position": e.place.log_index,
                        "kind": type(e.event).__name__,
                    }
                    for e in events
                ],
            )


class Following:
    """A database that follows a market's chain; `follower()` starts another process."""

    def __init__(
        self, market: Market, path: Path, *, depth: int, log_range: int = 500, url: str = ""
    ) -> None:
        self.market = market
        self.profile = dataclasses.replace(
            market.engine.profile, finality_depth=depth, log_range=log_range
        )
        path.mkdir(exist_ok=True)
        self.database: Database = open_database(url or f"sqlite:///{path / 'settle.sqlite'}")
        self.store = SqlFollowerStore()
        self.told = Told()
        with self.database.transaction() as conn:
            self.told.prepare(conn)

    def follower(self, at: Callable[[str], None] = lambda _step: None) -> Follower:
        return Follower(
            database=self.database,
            store=self.store,
            node=self.market.node,
            deployment=self.market.deployment,
            profile=self.profile,
            clock=lambda: 1_700_000_000,
            listeners=[self.told],
            at=at,
        )

    def catch_up(self, follower: Follower | None = None) -> Step:
        if follower is None:
            follower = self.follower()
            follower.open()
        total = Step()
        while True:
            step = follower.step()
            total = Step(
                blocks=total.blocks + step.blocks,
                events=total.events + step.events,
                retracted=total.retracted + step.retracted,
                behind=step.behind,
            )
            if step.idle:
                return total

    def tables(self) -> dict[str, list[tuple[object, ...]]]:
        with self.database.reading() as conn:
            return {
                name: [
                    tuple(row) for row in conn.execute(text(f"SELECT * FROM {name} ORDER BY {key}"))
                ]
                for name, key in TABLES.items()
            }

    def heard(self, what: str) -> list[tuple[object, ...]]:
        with self.database.reading() as conn:
            heard = "SELECT block, hash, position, kind FROM heard WHERE what = :what"
            rows = conn.execute(text(f"{heard} ORDER BY rowid"), {"what": what})
            return [(block, bytes.fromhex(hash_), *rest) for block, hash_, *rest in rows]

    def close(self) -> None:
        self.database.close()
