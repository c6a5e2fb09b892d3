"""The tables about the chain: what we send to it, what we read of it, what follows from that.

The derived tables (holdings, supplies, assets, chain_accounts, outcomes) hold nothing that a
rebuild from the chain does not restore (law L8).
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from settle.store.columns import Octets, account_bytes, metadata, uint64, uint128

UNFINISHED: Final = text("state IN ('queued', 'sent', 'mined')")
UNFINAL: Final = text("NOT final")
UNCLEARED: Final = text("cleared_at IS NULL")

leases = Table(
    "leases",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("holder", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)

senders = Table(
    "senders",
    metadata,
    Column("sender", Octets(20), primary_key=True),
    Column("next_nonce", BigInteger, nullable=False),
)

transactions = Table(
    "transactions",
    metadata,
    Column(
        "transaction_id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("sender", ForeignKey(senders.c.sender), nullable=False),
    Column("nonce", BigInteger, nullable=False),
    Column("to_address", Octets(20), nullable=False),
    Column("gas", BigInteger, nullable=False),
    Column("purpose", String(40), nullable=False),
    Column("subject", Text, nullable=False),
    Column("state", String(12), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("attempt_hash", Octets(32)),
    Column("block_number", BigInteger),
    Column("block_hash", Octets(32)),
    Column("succeeded", Boolean),
    Column("gas_used", BigInteger),
    UniqueConstraint("sender", "nonce"),
    Index(
        "transactions_unfinished",
        *("sender", "nonce"),
        sqlite_where=UNFINISHED,
        postgresql_where=UNFINISHED,
    ),
)

transaction_data = Table(
    "transaction_data",
    metadata,
    Column(
        "transaction_id",
        ForeignKey(transactions.c.transaction_id),
        primary_key=True,
        autoincrement=False,
    ),
    Column("data", Octets, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("hash", Octets(32), primary_key=True),
    Column("transaction_id", ForeignKey(transactions.c.transaction_id), nullable=False),
    Column("position", Integer, nullable=False, doc="0 for the first attempt"),
    Column("kind", String(12), nullable=False),
    Column("max_fee_per_gas", uint128(), nullable=False),
    Column("max_priority_fee_per_gas", uint128(), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("broadcast_at", BigInteger),
    Column("broadcasts", Integer, nullable=False),
    UniqueConstraint("transaction_id", "position"),
)

attempt_bytes = Table(
    "attempt_bytes",
    metadata,
    Column("hash", ForeignKey(attempts.c.hash), primary_key=True),
    Column("signed", Octets, nullable=False),
)

alarms = Table(
    "alarms",
    metadata,
    Column(
        "alarm_id",
        BigInteger().with_variant(Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    Column("kind", String(40), nullable=False),
    Column("subject", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("raised_at", BigInteger, nullable=False),
    Column("cleared_at", BigInteger),
    Index(
        "alarms_open_key",
        *("kind", "subject"),
        unique=True,
        sqlite_where=UNCLEARED,
        postgresql_where=UNCLEARED,
    ),
)

cursor = Table(
    "cursor",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("genesis_hash", Octets(32), nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("hash", Octets(32), nullable=False),
    Column("final_number", BigInteger, nullable=False),
)

blocks = Table(
    "blocks",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", Octets(32), nullable=False),
    Column("parent_hash", Octets(32), nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("final", Boolean, nullable=False),
    Index(
        "blocks_unfinal",
        "number",
        sqlite_where=UNFINAL,
        postgresql_where=UNFINAL,
    ),
)

chain_events = Table(
    "chain_events",
    metadata,
    Column("block_number", ForeignKey(blocks.c.number), primary_key=True, autoincrement=False),
    Column("log_index", Integer, primary_key=True, autoincrement=False),
    Column("block_hash", Octets(32), nullable=False),
    Column("transaction_hash", Octets(32), nullable=False),
    Column("address", Octets(20), nullable=False),
    Column("topics", Octets, nullable=False),
    Column("data", Octets, nullable=False),
    Column("kind", String(40), nullable=False),
    sqlite_with_rowid=False,
)

holdings = Table(
    "holdings",
    metadata,
    Column("account", account_bytes(), primary_key=True),
    Column("asset", BigInteger, primary_key=True, autoincrement=False),
    Column("available", uint128(), nullable=False),
    Column("held", uint128(), nullable=False),
    sqlite_with_rowid=False,
)

supplies = Table(
    "supplies",
    metadata,
    Column("asset", BigInteger, primary_key=True, autoincrement=False),
    Column("total", uint128(), nullable=False),
)

assets = Table(
    "assets",
    metadata,
    Column("asset", BigInteger, primary_key=True, autoincrement=False),
    Column("asset_class", Integer, nullable=False),
    Column("decimals", Integer, nullable=False),
    Column("code", String(12), nullable=False, index=True),
    Column("issuer", Octets(20), nullable=False),
    Column("frozen", Boolean, nullable=False),
)

chain_accounts = Table(
    "chain_accounts",
    metadata,
    Column("account", account_bytes(), primary_key=True),
    Column("standing", Integer, nullable=False),
    Column("account_class", Integer, nullable=False),
    Column("frozen", Boolean, nullable=False),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("instruction", Octets(32), primary_key=True),
    Column("outcome", String(12), nullable=False),
    Column("initiator", Octets(20), nullable=False),
    Column("nonce", uint64(), nullable=False),
    Column("block_number", BigInteger, nullable=False),
    Column("transaction_hash", Octets(32), nullable=False),
    Column("log_index", Integer, nullable=False),
)

escrow_states = Table(
    "escrow_states",
    metadata,
    Column("escrow", Octets(32), primary_key=True),
    Column("withdrawn", Boolean, nullable=False),
    Column("record", Text, nullable=False, doc="JSON; empty: not open"),
)

recorded = Table(
    "recorded",
    metadata,
    Column("instruction", Octets(32), primary_key=True),
    Column("block_number", BigInteger, nullable=False),
)

undo = Table(
    "undo",
    metadata,
    Column("block_number", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(16), primary_key=True),
    Column("key", String(72), primary_key=True),
    Column("before", Text, doc="the row before the block, JSON; null: there was none"),
    sqlite_with_rowid=False,
)
