"""The operator's database of a market, made by the operator's own follower, with its trades."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from audited_world import World
from sqlalchemy import insert

from settle.chain.follower import Follower
from settle.domain.instruction_json import to_json
from settle.store.chain_tables import SqlFollowerStore
from settle.store.database import Database, open_database
from settle.store.tables import trades

_EMPTY: dict[type, Any] = {int: 0, object: 0, str: "", bool: False, date: date(2026, 11, 23)}


def make_database(world: World, url: str) -> None:
    """Follow the chain to its newest block and write the trades that settled alone."""
    database = open_database(url)
    try:
        follower = Follower(
            database=database,
            store=SqlFollowerStore(),
            node=world.life.market.node,
            deployment=world.deployment,
            profile=world.life.market.engine.profile,
            clock=lambda: 1_700_000_000,
        )
        follower.open()
        while not follower.step().idle:
            pass
        _write_trades(world, database)
    finally:
        database.close()


def _write_trades(world: World, database: Database) -> None:
    node = world.life.market.node
    for number, settled in enumerate(world.life.settled):
        receipt = node.receipts([settled.transaction])[0]
        assert receipt is not None
        known = {
            "trade_id": f"TRADE{number:021d}",
            "status": "Settled",
            "digest": world.life.identity(settled.terms),
            "instruction": json.dumps(to_json(settled.terms)),
            "initiator": settled.terms.initiator,
            "nonce": settled.terms.nonce,
            "settled_tx": settled.transaction,
            "ended_block": receipt.block_number,
        }
        row = {
            column.name: known[column.name]
            if column.name in known
            else _EMPTY[column.type.python_type]
            for column in trades.columns
            if column.name in known or not column.nullable
        }
        with database.transaction() as conn:
            conn.execute(insert(trades), [row])
