"""Escrows: what the chain keeps of them, and what their people sent.

Revision 0005, after 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "escrow_states",
        sa.Column("escrow", sa.LargeBinary(32), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("escrow", name="escrow_states_pkey"),
    )
    op.create_table(
        "recorded",
        sa.Column("instruction", sa.LargeBinary(32), nullable=False),
        sa.Column("block_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("instruction", name="recorded_pkey"),
    )
    op.create_table(
        "escrows",
        sa.Column("escrow", sa.LargeBinary(32), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("status", sa.String(12), nullable=False),
        sa.Column("proposed_by", sa.String(20), nullable=False),
        sa.Column("open_by", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("wake_at", sa.BigInteger()),
        sa.Column("transaction_id", sa.BigInteger()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("escrow", name="escrows_pkey"),
    )
    awake = sa.text("wake_at IS NOT NULL")
    op.create_index(
        "escrows_awake", "escrows", ["wake_at"], sqlite_where=awake, postgresql_where=awake
    )
    sent = sa.text("transaction_id IS NOT NULL")
    op.create_index(
        "escrows_sent", "escrows", ["transaction_id"], sqlite_where=sent, postgresql_where=sent
    )
    op.create_table(
        "escrow_people",
        sa.Column("account", sa.LargeBinary(20), nullable=False),
        sa.Column("escrow", sa.LargeBinary(32), nullable=False),
        sa.PrimaryKeyConstraint("account", "escrow", name="escrow_people_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "escrow_messages",
        sa.Column("escrow", sa.LargeBinary(32), nullable=False),
        sa.Column("milestone", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("author", sa.LargeBinary(20), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "escrow", "milestone", "kind", "author", "place", name="escrow_messages_pkey"
        ),
        sqlite_with_rowid=False,
    )
