"""Looks at the place of a SQLite file before SQLite does, so that the message names the cause."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from settle.domain.errors import Unavailable

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

MINIMUM_FREE_BYTES: Final = 16 * 1024 * 1024
"""Less than this is not enough for the write-ahead log of one busy minute."""


def check_place(address: URL) -> None:
    """Raise Unavailable if the file of a SQLite address can not be written and grow."""
    if address.database is None or address.database.startswith("file:"):
        return  # a URI with options of its own: SQLite itself answers
    path = Path(address.database).absolute()
    if not path.parent.is_dir():
        _refuse(path, f"there is no directory {path.parent}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        _refuse(path, f"the directory {path.parent} cannot be written")
    if path.exists() and not os.access(path, os.W_OK):
        _refuse(path, "the file cannot be written")
    free = shutil.disk_usage(path.parent).free
    if free < MINIMUM_FREE_BYTES:
        _refuse(path, f"its disk has {free} bytes free, at least {MINIMUM_FREE_BYTES} are needed")


def _refuse(path: Path, why: str) -> None:
    raise Unavailable(f"the database {path} cannot be used: {why}", code="database_unavailable")
