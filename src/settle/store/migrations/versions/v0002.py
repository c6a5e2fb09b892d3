"""What is told to others, and what requests must not do twice.

Revision 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "event_counters",
        sa.Column("stream", sa.String(20), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("stream", name="event_counters_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("trade_id", sa.String(26)),
        sa.Column("first_lei", sa.String(20)),
        sa.Column("first_number", sa.BigInteger()),
        sa.Column("second_lei", sa.String(20)),
        sa.Column("second_number", sa.BigInteger()),
        sa.Column("block_number", sa.BigInteger()),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="events_pkey"),
    )
    op.create_index("events_first_key", "events", ["first_lei", "first_number"], unique=True)
    op.create_index("events_second_key", "events", ["second_lei", "second_number"], unique=True)
    op.create_table(
        "idempotency",
        sa.Column("lei", sa.String(20), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("body_digest", sa.LargeBinary(32), nullable=False),
        sa.Column("http_status", sa.Integer()),
        sa.Column("response", sa.LargeBinary()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lei", "key", name="idempotency_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_index("idempotency_created_at", "idempotency", ["created_at"])
    op.create_table(
        "request_nonces",
        sa.Column("lei", sa.String(20), nullable=False),
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("lei", "nonce", name="request_nonces_pkey"),
        sqlite_with_rowid=False,
    )
    op.create_index("request_nonces_expires_at", "request_nonces", ["expires_at"])
