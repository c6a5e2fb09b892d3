"""Who takes part, what was instructed, and what became of it.

Revision 0001, after nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "cancellations",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("account", sa.LargeBinary(20), nullable=False),
        sa.Column("valid_by", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "account", name="cancellations_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "openings",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="openings_pkey"),
    )
    op.create_table(
        "participants",
        sa.Column("lei", sa.String(20), nullable=False),
        sa.Column("bic", sa.String(11)),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("participant_class", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lei", name="participants_pkey"),
        sa.UniqueConstraint("bic", name="participants_bic_key"),
    )
    op.create_table(
        "signatures",
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        sa.Column("account", sa.LargeBinary(20), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "account", name="signatures_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "trades",
        sa.Column("trade_id", sa.String(26), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("first_side", sa.String(26), nullable=False),
        sa.Column("second_side", sa.String(26)),
        sa.Column("deliverer_lei", sa.String(20), nullable=False),
        sa.Column("receiver_lei", sa.String(20), nullable=False),
        sa.Column("initiator", sa.LargeBinary(20), nullable=False),
        sa.Column("nonce", sa.String(20), nullable=False),
        sa.Column("nonce_key", sa.LargeBinary(28)),
        sa.Column("digest", sa.LargeBinary(32)),
        sa.Column("instruction", sa.Text()),
        sa.Column("settlement_date", sa.Date(), nullable=False),
        sa.Column("settle_from", sa.BigInteger(), nullable=False),
        sa.Column("settle_by", sa.BigInteger(), nullable=False),
        sa.Column("deadline_at", sa.BigInteger(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("value", sa.String(39), nullable=False),
        sa.Column("deliverer_account", sa.LargeBinary(20)),
        sa.Column("receiver_account", sa.LargeBinary(20)),
        sa.Column("differences", sa.Text(), nullable=False),
        sa.Column("near_trade", sa.String(26)),
        sa.Column("queue", sa.String(12)),
        sa.Column("wake_at", sa.BigInteger()),
        sa.Column("batch_id", sa.BigInteger()),
        sa.Column("batch_cap", sa.Integer()),
        sa.Column("cancel_id", sa.BigInteger()),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("reasons_at", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("ended_block", sa.BigInteger()),
        sa.Column("settled_tx", sa.LargeBinary(32)),
        sa.PrimaryKeyConstraint("trade_id", name="trades_pkey"),
        sa.UniqueConstraint("nonce_key", name="trades_nonce_key_key"),
    )
    op.create_index(
        "trades_cancel",
        "trades",
        ["cancel_id"],
        sqlite_where=sa.text("cancel_id IS NOT NULL"),
        postgresql_where=sa.text("cancel_id IS NOT NULL"),
    )
    op.create_index(
        "trades_deadline",
        "trades",
        ["deadline_at"],
        sqlite_where=sa.text("status NOT IN ('Settled', 'Cancelled', 'Rejected', 'Lapsed')"),
        postgresql_where=sa.text("status NOT IN ('Settled', 'Cancelled', 'Rejected', 'Lapsed')"),
    )
    op.create_index("trades_deliverer", "trades", ["deliverer_lei", "trade_id"])
    op.create_index(
        "trades_deliverer_unsettled",
        "trades",
        ["deliverer_lei", "status", "trade_id"],
        sqlite_where=sa.text("status <> 'Settled'"),
        postgresql_where=sa.text("status <> 'Settled'"),
    )
    op.create_index("trades_digest_key", "trades", ["digest"], unique=True)
    op.create_index(
        "trades_in_flight",
        "trades",
        ["batch_id", "trade_id"],
        sqlite_where=sa.text("queue IN ('sent', 'seen')"),
        postgresql_where=sa.text("queue IN ('sent', 'seen')"),
    )
    op.create_index(
        "trades_near",
        "trades",
        ["near_trade"],
        sqlite_where=sa.text("near_trade IS NOT NULL"),
        postgresql_where=sa.text("near_trade IS NOT NULL"),
    )
    op.create_index(
        "trades_ready",
        "trades",
        ["priority", "settlement_date", sa.literal_column("value DESC"), "trade_id"],
        sqlite_where=sa.text("queue = 'ready'"),
        postgresql_where=sa.text("queue = 'ready'"),
    )
    op.create_index("trades_receiver", "trades", ["receiver_lei", "trade_id"])
    op.create_index(
        "trades_receiver_unsettled",
        "trades",
        ["receiver_lei", "status", "trade_id"],
        sqlite_where=sa.text("status <> 'Settled'"),
        postgresql_where=sa.text("status <> 'Settled'"),
    )
    op.create_index(
        "trades_unsettled",
        "trades",
        ["status", "trade_id"],
        sqlite_where=sa.text("status <> 'Settled'"),
        postgresql_where=sa.text("status <> 'Settled'"),
    )
    op.create_index(
        "trades_wake",
        "trades",
        ["wake_at"],
        sqlite_where=sa.text("wake_at IS NOT NULL"),
        postgresql_where=sa.text("wake_at IS NOT NULL"),
    )
    op.create_table(
        "accounts",
        sa.Column("address", sa.LargeBinary(20), nullable=False),
        sa.Column("lei", sa.String(20), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["lei"], ["participants.lei"], name="accounts_lei_fkey"),
        sa.PrimaryKeyConstraint("address", name="accounts_pkey"),
        sa.UniqueConstraint("lei", "position", name="accounts_lei_position_key"),
    )
    op.create_index("accounts_lei", "accounts", ["lei"])
    op.create_table(
        "request_keys",
        sa.Column("key", sa.LargeBinary(20), nullable=False),
        sa.Column("lei", sa.String(20), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["lei"], ["participants.lei"], name="request_keys_lei_fkey"),
        sa.PrimaryKeyConstraint("key", name="request_keys_pkey"),
    )
    op.create_index("request_keys_lei", "request_keys", ["lei"])
    op.create_table(
        "sides",
        sa.Column("side_id", sa.String(26), nullable=False),
        sa.Column("trade_id", sa.String(26), nullable=False),
        sa.Column("lei", sa.String(20), nullable=False),
        sa.Column("reference", sa.String(64), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("equal_key", sa.LargeBinary(16), nullable=False),
        sa.Column("reference_key", sa.LargeBinary(16)),
        sa.Column("security_key", sa.LargeBinary(16), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("instruction", sa.Text()),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["lei"], ["participants.lei"], name="sides_lei_fkey"),
        sa.ForeignKeyConstraint(["trade_id"], ["trades.trade_id"], name="sides_trade_id_fkey"),
        sa.PrimaryKeyConstraint("side_id", name="sides_pkey"),
        sa.UniqueConstraint("lei", "reference", name="sides_lei_reference_key"),
    )
    op.create_index(
        "sides_open_equal",
        "sides",
        ["equal_key", "side_id"],
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "sides_open_reference",
        "sides",
        ["reference_key", "side_id"],
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "sides_open_security",
        "sides",
        ["security_key", "side_id"],
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index("sides_trade_id", "sides", ["trade_id"])
    op.create_table(
        "waits",
        sa.Column("fact", sa.String(80), nullable=False),
        sa.Column("trade_id", sa.String(26), nullable=False),
        sa.Column("account", sa.LargeBinary(20)),
        sa.Column("asset", sa.BigInteger()),
        sa.Column("needed", sa.String(39)),
        sa.ForeignKeyConstraint(["trade_id"], ["trades.trade_id"], name="waits_trade_id_fkey"),
        sa.PrimaryKeyConstraint("fact", "trade_id", name="waits_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "waits_holding",
        "waits",
        ["account", "asset", "needed"],
        sqlite_where=sa.text("needed IS NOT NULL"),
        postgresql_where=sa.text("needed IS NOT NULL"),
    )
    op.create_index("waits_trade_id", "waits", ["trade_id"])
    op.execute("INSERT INTO openings (id, number) VALUES (1, 0)")
