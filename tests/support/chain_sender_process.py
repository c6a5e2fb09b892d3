"""A process that queues calls and sends them until all have ended; tests kill it."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from chain_engines import mine, profile_by_hand
from sqlalchemy import Connection, text

from settle.chain.node import Node
from settle.chain.rpc import Rpc
from settle.chain.sender import Sender
from settle.services.chain_rows import TransactionRow
from settle.store.alarms import Alarms
from settle.store.database import open_database
from settle.store.transactions import SqlSenderStore


class Store(SqlSenderStore, Alarms):
    """What the sender writes."""


def told(conn: Connection, row: TransactionRow) -> None:
    conn.execute(
        text("INSERT INTO told VALUES (:nonce, :state, :purpose)"),
        {"nonce": row.nonce, "state": row.state.value, "purpose": row.purpose},
    )


def main() -> None:
    name, url, path, key, counter, slot, calls = sys.argv[1:]
    database = open_database(f"sqlite:///{path}/settle.sqlite")
    node = Node(Rpc(url))
    sender = Sender(
        database=database,
        store=Store(),
        node=node,
        key=bytes.fromhex(key),
        profile=profile_by_hand(name),
        clock=lambda: int(time.time()),
        on_result=told,
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sender.start()
    while True:
        with database.transaction() as conn:
            queued = conn.execute(text("SELECT count(*) FROM transactions")).scalar_one()
            if queued < int(calls):
                sender.enqueue(
                    conn,
                    purpose="x",
                    to=bytes.fromhex(counter),
                    data=(int(slot) + queued).to_bytes(32, "big"),
                    gas=60_000,
                )
        if sender.pump().idle and queued >= int(calls):
            return
        mine(node)


if __name__ == "__main__":
    main()
