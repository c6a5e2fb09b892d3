"""What is sent to the chain and what is read of it.

Revision 0003, after 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "alarms",
        sa.Column(
            "alarm_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.Column("cleared_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("alarm_id", name="alarms_pkey"),
    )
    op.create_index(
        "alarms_open_key",
        "alarms",
        ["kind", "subject"],
        unique=True,
        sqlite_where=sa.text("cleared_at IS NULL"),
        postgresql_where=sa.text("cleared_at IS NULL"),
    )
    op.create_table(
        "assets",
        sa.Column("asset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("asset_class", sa.Integer(), nullable=False),
        sa.Column("decimals", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(12), nullable=False),
        sa.Column("issuer", sa.LargeBinary(20), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("asset", name="assets_pkey"),
    )
    op.create_index("assets_code", "assets", ["code"])
    op.create_table(
        "blocks",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("parent_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="blocks_pkey"),
    )
    op.create_index(
        "blocks_unfinal",
        "blocks",
        ["number"],
        sqlite_where=sa.text("NOT final"),
        postgresql_where=sa.text("NOT final"),
    )
    op.create_table(
        "chain_accounts",
        sa.Column("account", sa.LargeBinary(20), nullable=False),
        sa.Column("standing", sa.Integer(), nullable=False),
        sa.Column("account_class", sa.Integer(), nullable=False),
        sa.Column("frozen", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("account", name="chain_accounts_pkey"),
    )
    op.create_table(
        "cursor",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("genesis_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("final_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="cursor_pkey"),
    )
    op.create_table(
        "holdings",
        sa.Column("account", sa.LargeBinary(20), nullable=False),
        sa.Column("asset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("available", sa.String(39), nullable=False),
        sa.Column("held", sa.String(39), nullable=False),
        sa.PrimaryKeyConstraint("account", "asset", name="holdings_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="leases_pkey"),
    )
    op.create_table(
        "outcomes",
        sa.Column("instruction", sa.LargeBinary(32), nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("initiator", sa.LargeBinary(20), nullable=False),
        sa.Column("nonce", sa.String(20), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("log_index", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("instruction", name="outcomes_pkey"),
    )
    op.create_table(
        "senders",
        sa.Column("sender", sa.LargeBinary(20), nullable=False),
        sa.Column("next_nonce", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sender", name="senders_pkey"),
    )
    op.create_table(
        "supplies",
        sa.Column("asset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("total", sa.String(39), nullable=False),
        sa.PrimaryKeyConstraint("asset", name="supplies_pkey"),
    )
    op.create_table(
        "undo",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("key", sa.String(72), nullable=False),
        sa.Column("before", sa.Text()),
        sa.PrimaryKeyConstraint("block_number", "kind", "key", name="undo_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "chain_events",
        sa.Column("block_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("log_index", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("block_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("transaction_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("address", sa.LargeBinary(20), nullable=False),
        sa.Column("topics", sa.LargeBinary(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["block_number"], ["blocks.number"], name="chain_events_block_number_fkey"
        ),
        sa.PrimaryKeyConstraint("block_number", "log_index", name="chain_events_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "transactions",
        sa.Column(
            "transaction_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("sender", sa.LargeBinary(20), nullable=False),
        sa.Column("nonce", sa.BigInteger(), nullable=False),
        sa.Column("to_address", sa.LargeBinary(20), nullable=False),
        sa.Column("gas", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.String(40), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("attempt_hash", sa.LargeBinary(32)),
        sa.Column("block_number", sa.BigInteger()),
        sa.Column("block_hash", sa.LargeBinary(32)),
        sa.Column("succeeded", sa.Boolean()),
        sa.Column("gas_used", sa.BigInteger()),
        sa.ForeignKeyConstraint(["sender"], ["senders.sender"], name="transactions_sender_fkey"),
        sa.PrimaryKeyConstraint("transaction_id", name="transactions_pkey"),
        sa.UniqueConstraint("sender", "nonce", name="transactions_sender_nonce_key"),
    )
    op.create_index(
        "transactions_unfinished",
        "transactions",
        ["sender", "nonce"],
        sqlite_where=sa.text("state IN ('queued', 'sent', 'mined')"),
        postgresql_where=sa.text("state IN ('queued', 'sent', 'mined')"),
    )
    op.create_table(
        "attempts",
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column(
            "transaction_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("max_fee_per_gas", sa.String(39), nullable=False),
        sa.Column("max_priority_fee_per_gas", sa.String(39), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("broadcast_at", sa.BigInteger()),
        sa.Column("broadcasts", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["transaction_id"], ["transactions.transaction_id"], name="attempts_transaction_id_fkey"
        ),
        sa.PrimaryKeyConstraint("hash", name="attempts_pkey"),
        sa.UniqueConstraint(
            "transaction_id", "position", name="attempts_transaction_id_position_key"
        ),
    )
    op.create_table(
        "transaction_data",
        sa.Column(
            "transaction_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["transaction_id"],
            ["transactions.transaction_id"],
            name="transaction_data_transaction_id_fkey",
        ),
        sa.PrimaryKeyConstraint("transaction_id", name="transaction_data_pkey"),
    )
    op.create_table(
        "attempt_bytes",
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("signed", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["hash"], ["attempts.hash"], name="attempt_bytes_hash_fkey"),
        sa.PrimaryKeyConstraint("hash", name="attempt_bytes_pkey"),
    )
