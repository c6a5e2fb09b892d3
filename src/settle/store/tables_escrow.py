"""The tables of escrows: what was proposed, who may see it, and what its people sent.

What the chain says of them is in `tables_chain.escrow_states`.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table, Text, text

from settle.store.columns import Octets, account_bytes, metadata

AWAKE: Final = text("wake_at IS NOT NULL")
SENT: Final = text("transaction_id IS NOT NULL")

escrows = Table(
    "escrows",
    metadata,
    Column("escrow", Octets(32), primary_key=True),
    Column("terms", Text, nullable=False, doc="JSON"),
    Column("text", Text, nullable=False, doc="the English whose hash is in the terms"),
    Column("status", String(12), nullable=False),
    Column("proposed_by", String(20), nullable=False),
    Column("open_by", BigInteger, nullable=False),
    Column("reason", Text, nullable=False, doc="why nothing happens now; empty: nothing to do"),
    Column("wake_at", BigInteger, doc="when the executor looks again; null: when news come"),
    Column("transaction_id", BigInteger, doc="the act that is on its way"),
    Column("version", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index("escrows_awake", "wake_at", sqlite_where=AWAKE, postgresql_where=AWAKE),
    Index("escrows_sent", "transaction_id", sqlite_where=SENT, postgresql_where=SENT),
)

escrow_people = Table(
    "escrow_people",
    metadata,
    Column("account", account_bytes(), primary_key=True),
    Column("escrow", Octets(32), primary_key=True),
    sqlite_with_rowid=False,
)

escrow_messages = Table(
    "escrow_messages",
    metadata,
    Column("escrow", Octets(32), primary_key=True),
    Column("milestone", Integer, primary_key=True, autoincrement=False),
    Column("kind", String(12), primary_key=True),
    Column("author", account_bytes(), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("content", Text, nullable=False, doc="JSON"),
    Column("created_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
