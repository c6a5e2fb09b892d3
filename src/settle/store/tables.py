"""The tables of the business: who takes part, what was instructed, what became of it.

Instants are unix seconds. Text that ends in JSON is written and read by the services alone; nothing
is searched inside it. `settle.store.tables_chain` has the tables about the chain, `tables_escrow`
those of escrows, `tables_receipt` that of receipts.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

from settle.store import tables_chain, tables_escrow, tables_receipt
from settle.store.columns import Octets, account_bytes, metadata, uint64, uint128

__all__ = ["metadata", "tables_chain", "tables_escrow", "tables_receipt"]

OPEN: Final = text("status NOT IN ('Settled', 'Cancelled', 'Rejected', 'Lapsed')")
UNSETTLED: Final = text("status <> 'Settled'")
READY: Final = text("queue = 'ready'")
IN_FLIGHT: Final = text("queue IN ('sent', 'seen')")
ASLEEP: Final = text("wake_at IS NOT NULL")
CANCELLING: Final = text("cancel_id IS NOT NULL")
NEAR: Final = text("near_trade IS NOT NULL")
OF_HOLDING: Final = text("needed IS NOT NULL")
OF_WALLETS: Final = text("by_wallet")
OPEN_SIDE: Final = text("state = 'open'")

openings = Table(
    "openings",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False, doc="how often the database was opened"),
)

participants = Table(
    "participants",
    metadata,
    Column("lei", String(20), primary_key=True),
    Column("bic", String(11), unique=True),
    Column("name", Text, nullable=False),
    Column("role", String(16), nullable=False),
    Column("participant_class", Integer, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

accounts = Table(
    "accounts",
    metadata,
    Column("address", account_bytes(), primary_key=True),
    Column("lei", ForeignKey(participants.c.lei), nullable=False, index=True),
    Column("position", Integer, nullable=False, doc="0: used where a side names no account"),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("lei", "position"),
)

request_keys = Table(
    "request_keys",
    metadata,
    Column("key", account_bytes(), primary_key=True, doc="address of the key"),
    Column("lei", ForeignKey(participants.c.lei), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

trades = Table(
    "trades",
    metadata,
    Column("trade_id", String(26), primary_key=True),
    Column("status", String(16), nullable=False),
    Column("version", Integer, nullable=False, doc="grows with each change; the ETag"),
    Column("first_side", String(26), nullable=False),
    Column("second_side", String(26)),
    Column("deliverer_lei", String(20), nullable=False),
    Column("receiver_lei", String(20), nullable=False),
    Column("initiator", account_bytes(), nullable=False),
    Column("nonce", uint64(), nullable=False),
    Column("nonce_key", Octets(28), unique=True, doc="both in one, null: free for others"),
    Column("digest", Octets(32)),
    Column("instruction", Text, doc="canonical terms, JSON; null until matched"),
    Column("settlement_date", Date, nullable=False),
    Column("settle_from", BigInteger, nullable=False),
    Column("settle_by", BigInteger, nullable=False),
    Column("deadline_at", BigInteger, nullable=False, doc="when silence ends it"),
    Column("priority", Integer, nullable=False),
    Column("value", uint128(), nullable=False, doc="amount, or quantity where free"),
    Column("deliverer_account", account_bytes(), doc="null until matched"),
    Column("receiver_account", account_bytes(), doc="null until matched"),
    Column("differences", Text, nullable=False, doc="from the nearest side, JSON"),
    Column("near_trade", String(26), doc="of the nearest side"),
    Column("queue", String(12), doc="ready, waiting, sent, seen; null: not the executor's"),
    Column("wake_at", BigInteger, doc="when it is looked at again"),
    Column("batch_id", BigInteger, doc="transaction that carries it"),
    Column("batch_cap", Integer, doc="largest batch that it may travel in again"),
    Column("cancel_id", BigInteger, doc="transaction that cancels it on chain"),
    Column("reasons", Text, nullable=False, doc="JSON"),
    Column("reasons_at", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger, doc="when the status became terminal"),
    Column("ended_block", BigInteger, doc="final block that ended it; null unless the chain did"),
    Column("settled_tx", Octets(32)),
    Index("trades_digest_key", "digest", unique=True),
    Index("trades_deliverer", "deliverer_lei", "trade_id"),
    Index("trades_receiver", "receiver_lei", "trade_id"),
    Index(
        "trades_deliverer_unsettled",
        *("deliverer_lei", "status", "trade_id"),
        sqlite_where=UNSETTLED,
        postgresql_where=UNSETTLED,
    ),
    Index(
        "trades_receiver_unsettled",
        *("receiver_lei", "status", "trade_id"),
        sqlite_where=UNSETTLED,
        postgresql_where=UNSETTLED,
    ),
    Index(
        "trades_unsettled",
        *("status", "trade_id"),
        sqlite_where=UNSETTLED,
        postgresql_where=UNSETTLED,
    ),
    Index("trades_deadline", "deadline_at", sqlite_where=OPEN, postgresql_where=OPEN),
    Index(
        "trades_ready",
        *("priority", "settlement_date", text("value DESC"), "trade_id"),
        sqlite_where=READY,
        postgresql_where=READY,
    ),
    Index("trades_wake", "wake_at", sqlite_where=ASLEEP, postgresql_where=ASLEEP),
    Index("trades_cancel", "cancel_id", sqlite_where=CANCELLING, postgresql_where=CANCELLING),
    Index("trades_near", "near_trade", sqlite_where=NEAR, postgresql_where=NEAR),
    Index(
        "trades_in_flight",
        *("batch_id", "trade_id"),
        sqlite_where=IN_FLIGHT,
        postgresql_where=IN_FLIGHT,
    ),
)

sides = Table(
    "sides",
    metadata,
    Column("side_id", String(26), primary_key=True),
    Column("trade_id", ForeignKey(trades.c.trade_id), nullable=False, index=True),
    Column("lei", ForeignKey(participants.c.lei), nullable=False),
    Column("reference", String(64), nullable=False),
    Column("state", String(12), nullable=False, doc="open, matched, ended"),
    Column("equal_key", Octets(16), nullable=False, doc="of what must be equal to match"),
    Column("reference_key", Octets(16), doc="of the parties and the common reference"),
    Column("security_key", Octets(16), nullable=False, doc="of the parties and the ISIN"),
    Column("fields", Text, nullable=False, doc="what was instructed, JSON"),
    Column("instruction", Text, doc="the terms that it signed beforehand, JSON"),
    Column("received_at", BigInteger, nullable=False),
    UniqueConstraint("lei", "reference"),
    *(
        Index(
            f"sides_open_{name}",
            *(f"{name}_key", "side_id"),
            sqlite_where=OPEN_SIDE,
            postgresql_where=OPEN_SIDE,
        )
        for name in ("equal", "reference", "security")
    ),
)

signatures = Table(
    "signatures",
    metadata,
    Column("digest", Octets(32), primary_key=True, doc="id of the instruction"),
    Column("account", account_bytes(), primary_key=True),
    Column("signature", Octets, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("by_wallet", Boolean, nullable=False, server_default=false()),
    sqlite_with_rowid=False,
)
Index(
    "signatures_of_wallets",
    signatures.c.digest,
    sqlite_where=OF_WALLETS,
    postgresql_where=OF_WALLETS,
)

cancellations = Table(
    "cancellations",
    metadata,
    Column("digest", Octets(32), primary_key=True, doc="id of the instruction"),
    Column("account", account_bytes(), primary_key=True),
    Column("valid_by", BigInteger, nullable=False),
    Column("signature", Octets, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

waits = Table(
    "waits",
    metadata,
    Column("fact", String(80), primary_key=True, doc="what has to change, see services/facts"),
    Column("trade_id", ForeignKey(trades.c.trade_id), primary_key=True, index=True),
    Column("account", account_bytes(), doc="of a holding"),
    Column("asset", BigInteger, doc="of a holding"),
    Column("needed", uint128(), doc="available at which it is worth another look"),
    Index(
        "waits_holding",
        "account",
        "asset",
        "needed",
        sqlite_where=OF_HOLDING,
        postgresql_where=OF_HOLDING,
    ),
    sqlite_with_rowid=False,
)

events = Table(
    "events",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", String(40), nullable=False),
    Column("trade_id", String(26)),
    Column("first_lei", String(20)),
    Column("first_number", BigInteger, doc="the event's number for that participant"),
    Column("second_lei", String(20)),
    Column("second_number", BigInteger),
    Column("block_number", BigInteger),
    Column("payload", Text, nullable=False, doc="JSON"),
    Column("created_at", BigInteger, nullable=False),
    Index("events_first_key", "first_lei", "first_number", unique=True),
    Index("events_second_key", "second_lei", "second_number", unique=True),
)

event_counters = Table(
    "event_counters",
    metadata,
    Column("stream", String(20), primary_key=True, doc="an LEI; empty: all events"),
    Column("last", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("lei", String(20), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("body_digest", Octets(32), nullable=False),
    Column("http_status", Integer, doc="null while the first request is under way"),
    Column("response", Octets),
    Column("created_at", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)

request_nonces = Table(
    "request_nonces",
    metadata,
    Column("lei", String(20), primary_key=True),
    Column("nonce", String(64), primary_key=True),
    Column("expires_at", BigInteger, nullable=False, index=True),
    sqlite_with_rowid=False,
)
