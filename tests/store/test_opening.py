"""Opening a database: what is refused at the start, and that both schemas are the same."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import select, text, update

from settle.domain.errors import Broken, InvalidInput, Unavailable
from settle.store import disk
from settle.store.database import Database, open_database
from settle.store.tables import metadata, openings, participants

if TYPE_CHECKING:
    from pathlib import Path

PARTICIPANT = {
    "lei": "X" * 20,
    "name": "x",
    "role": "participant",
    "participant_class": 1,
    "created_at": 1,
}


def test_the_migrations_give_the_tables_that_the_code_names(database: Database) -> None:
    with database.transaction() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        differences = [
            found
            for found in compare_metadata(context, metadata)
            # An index over a descending column cannot be read back from SQLite.
            if "trades_ready" not in str(found)
        ]
    assert not differences


def test_opening_again_keeps_what_is_there(engine_url: str) -> None:
    first = open_database(engine_url)
    with first.transaction() as conn:
        conn.execute(participants.insert(), PARTICIPANT)
    first.close()
    second = open_database(engine_url)
    with second.reading() as conn:
        assert conn.execute(select(participants.c.lei)).scalars().all() == ["X" * 20]
        assert conn.execute(select(openings.c.number)).scalar_one() == 2
    second.close()


def test_a_newer_schema_is_refused_by_name(engine_url: str) -> None:
    opened = open_database(engine_url)
    with opened.transaction() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    opened.close()
    with pytest.raises(Broken, match=r"9999.*newer version") as refusal:
        open_database(engine_url)
    assert refusal.value.code == "schema_newer"


def test_a_failing_transaction_leaves_nothing(database: Database) -> None:
    def stops_half_way() -> None:
        with database.transaction() as conn:
            conn.execute(participants.insert(), PARTICIPANT)
            raise KeyError

    with pytest.raises(KeyError):
        stops_half_way()
    with database.reading() as conn:
        assert conn.execute(select(participants)).all() == []


def test_foreign_keys_hold(database: Database) -> None:
    with pytest.raises(Broken), database.transaction() as conn:
        conn.execute(
            text("INSERT INTO request_keys (key, lei, created_at) VALUES (:key, 'nobody', 1)"),
            {"key": b"\x01" * 20},
        )


def test_a_reader_cannot_write(database: Database) -> None:
    with pytest.raises((Broken, Unavailable)), database.reading() as conn:
        conn.execute(participants.insert(), PARTICIPANT)


def test_a_reader_sees_one_state(database: Database) -> None:
    with database.reading() as reader:
        before = reader.execute(select(openings.c.number)).scalar_one()
        with database.transaction() as writer:
            writer.execute(update(openings).values(number=99))
        assert reader.execute(select(openings.c.number)).scalar_one() == before
    with database.reading() as reader:
        assert reader.execute(select(openings.c.number)).scalar_one() == 99


def test_writers_wait_for_each_other_also_between_processes(engine_url: str) -> None:
    """Each of 4 threads, two per opening, adds 25: no addition is lost."""
    openings_of_it = [open_database(engine_url) for _ in range(2)]

    def add(opened: Database) -> None:
        for _ in range(25):
            with opened.transaction() as conn:
                number = conn.execute(select(openings.c.number)).scalar_one()
                conn.execute(update(openings).values(number=number + 1))

    threads = [threading.Thread(target=add, args=(openings_of_it[n % 2],)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with openings_of_it[0].reading() as conn:
        assert conn.execute(select(openings.c.number)).scalar_one() == 2 + 100
    for opened in openings_of_it:
        opened.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://x/y", "no url"])
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        open_database(url)


def test_sqlite_runs_with_the_settings_that_keep_promises(tmp_path: Path) -> None:
    opened = open_database(f"sqlite:///{tmp_path / 'db'}")
    with opened.transaction() as conn:
        settings = [
            conn.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        ]
    opened.close()
    assert settings == ["wal", 2, 1, 15_000]


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"no directory .*nowhere"):
        open_database(f"sqlite:///{tmp_path / 'nowhere' / 'db'}")


def test_a_database_that_cannot_be_written_is_refused_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "db"
    open_database(f"sqlite:///{path}").close()
    with pytest.raises(Unavailable, match="readonly"):
        open_database(f"sqlite:///file:{path}?mode=ro&uri=true")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everything")
def test_a_write_protected_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "db"
    open_database(f"sqlite:///{path}").close()
    path.chmod(0o444)
    with pytest.raises(Unavailable, match="cannot be written"):
        open_database(f"sqlite:///{path}")


def test_a_disk_that_is_nearly_full_is_refused_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "MINIMUM_FREE_BYTES", 1 << 62)
    with pytest.raises(Unavailable, match="bytes free"):
        open_database(f"sqlite:///{tmp_path / 'db'}")


FULL_DISK = """
import sys
from settle.domain.errors import Unavailable
from settle.store.database import open_database
try:
    open_database(sys.argv[1])
except Unavailable as refusal:
    print(refusal.code)
"""


def test_a_disk_that_is_full_is_refused_at_the_start(tmp_path: Path) -> None:
    """Files of the process may not grow beyond 64 KiB, which fails a write as a full disk does."""

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, 65_536))

    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, f"sqlite:///{tmp_path / 'db'}"],
        preexec_fn=small_files,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "database_unavailable", done.stderr


def test_a_damaged_file_is_broken_and_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "db"
    path.write_bytes(b"this is no database" * 1000)
    with pytest.raises(Broken):
        open_database(f"sqlite:///{path}")
    assert path.read_bytes() == b"this is no database" * 1000


def test_a_writer_that_never_ends_is_unavailable_not_a_hang(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("settle.store.database.BUSY_TIMEOUT_S", 0.1)
    path = tmp_path / "db"
    opened = open_database(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(Unavailable, match="another writer"), opened.transaction():
        pass
    other.close()
    opened.close()


def test_the_address_is_shown_without_its_password() -> None:
    with pytest.raises(Unavailable) as refusal:
        open_database("postgresql://user:secret@127.0.0.1:1/none")
    assert "secret" not in str(refusal.value)
