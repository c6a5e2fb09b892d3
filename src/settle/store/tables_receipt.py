"""The table of receipts: each participant's chain of them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table, Text

from settle.store.columns import Octets, metadata

receipts = Table(
    "receipts",
    metadata,
    Column("lei", String(20), primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("previous", Octets(32), nullable=False, doc="digest of the receipt before"),
    Column("kind", String(12), nullable=False),
    Column("request", Octets(32), nullable=False),
    Column("contents", Text, nullable=False, doc="JSON"),
    Column("issued_at", BigInteger, nullable=False),
    Column("signature", Octets, nullable=False),
    sqlite_with_rowid=False,
)
