"""Which signatures wallets gave: asking a wallet takes gas.

Revision 0004, after 0003. What is stored already counts as given by keys, as nearly all of it was;
a batch that turns out too small for a wallet is sent again in halves.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column, and an index over the few rows that have it."""
    op.add_column(
        "signatures",
        sa.Column("by_wallet", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.create_index(
        "signatures_of_wallets",
        "signatures",
        ["digest"],
        sqlite_where=sa.text("by_wallet"),
        postgresql_where=sa.text("by_wallet"),
    )
