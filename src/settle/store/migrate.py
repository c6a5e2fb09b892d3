"""Brings a database to the schema of this version, or refuses one that is newer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from settle.domain.errors import Broken

if TYPE_CHECKING:
    from sqlalchemy import Connection


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration without a file: the scripts beside this one, this connection."""
    config = Config()
    directory = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(directory).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """Run the migrations that are missing, inside the caller's transaction.

    Raises Broken if the database has a revision that this version does not know.
    """
    config = configuration(connection)
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    present = MigrationContext.configure(connection).get_current_heads()
    if not set(present) <= known:
        message = (
            f"the database has schema {', '.join(present)}, this version knows none after "
            f"{scripts.get_current_head()}: a newer version of settle wrote it"
        )
        raise Broken(message, code="schema_newer")
    if present != tuple(scripts.get_heads()):
        command.upgrade(config, "head")


def prove_writable(connection: Connection) -> None:
    """Write something that is really committed, so that a full or read-only disk shows now."""
    connection.execute(text("UPDATE openings SET number = number + 1 WHERE id = 1"))
