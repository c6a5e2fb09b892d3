"""Runs migrations on the connection that `settle.store.migrate` brings along."""

from __future__ import annotations

from alembic import context

from settle.store.tables import metadata


def run() -> None:
    """Migrate inside the caller's transaction; it commits."""
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    context.run_migrations()


run()
