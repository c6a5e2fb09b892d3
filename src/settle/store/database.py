"""Opens the database and hands out transactions, the same way on SQLite and PostgreSQL.

One writer at a time: `BEGIN IMMEDIATE` on SQLite, an advisory lock on PostgreSQL. So what a use
case reads inside its transaction stays true until it commits, and events get their numbers in the
order of the commits. Readers never wait: they see the state of the last commit before they began.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import QueuePool

from settle.domain.errors import Broken, InvalidInput, SettleError, Unavailable
from settle.store import disk, migrate

if TYPE_CHECKING:
    from collections.abc import Iterator

BUSY_TIMEOUT_S: Final = 15
WRITER_LOCK: Final = 0x5E77_1E00  # any number, the same in every process
_POOL_SIZE: Final = 8
_POOL_OVERFLOW: Final = 56
"""More than the threads that serve requests and loops, two each: none waits for another's."""
_DRIVERS: Final = {"sqlite": "sqlite+pysqlite", "postgresql": "postgresql+psycopg"}
_CONNECTION_LOST: Final = "08"  # SQLSTATE class
_PERMANENT_SQLITE: Final = ("malformed", "not a database", "no such", "syntax error")


class Database:
    """An open database of the current schema.

    Threads may share it: each transaction has a connection of its own.
    """

    def __init__(self, engine: Engine) -> None:
        """Take an engine that `open_database` has prepared."""
        self._engine = engine
        self._writer = threading.Lock()

    @property
    def kind(self) -> str:
        """`sqlite` or `postgresql`."""
        return self._engine.dialect.name

    @property
    def name(self) -> str:
        """The address without its password."""
        return self._engine.url.render_as_string(hide_password=True)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Begin a writing transaction; commit at the end of the block, roll back if it raises.

        Raises: Unavailable if the writer before it does not end, the disk is full or the server is
        gone; Broken if a constraint of the schema says that a belief of ours is false.
        """
        if not self._writer.acquire(timeout=BUSY_TIMEOUT_S):
            raise Unavailable("another writer holds the database", retry_after_s=1)
        try:
            with _translated(self.name), self._engine.connect() as connection:
                connection.execution_options(settle_writes=True)
                with connection.begin():
                    yield connection
        finally:
            self._writer.release()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Begin a transaction that sees one state of the database and cannot write."""
        with _translated(self.name), self._engine.connect() as connection:
            if self.kind == "postgresql":
                connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Give all connections back."""
        self._engine.dispose()


def open_database(url: str) -> Database:
    """Open a database, bring its schema up to date, and prove that it can be written.

    `url` is that of SQLAlchemy: `sqlite:////path/to/file` or `postgresql://user@host/name`.
    Raises: InvalidInput for another kind of address; Unavailable where the place is read-only, full
    or not there; Broken if a newer version of this program wrote it, or it is damaged.
    """
    address = _address(url)
    if address.get_backend_name() == "sqlite":
        disk.check_place(address)
    engine = _engine(address)
    database = Database(engine)
    try:
        with database.transaction() as connection:
            migrate.upgrade(connection)
        with database.transaction() as connection:
            migrate.prove_writable(connection)
    except BaseException:
        database.close()
        raise
    return database


def _address(url: str) -> URL:
    try:
        address = make_url(url)
        driver = _DRIVERS[address.get_backend_name()]
    except (exc.ArgumentError, KeyError):
        message = "a database is sqlite:////path/to/file or postgresql://user@host/name"
        raise InvalidInput("database_url", message) from None
    if address.get_backend_name() == "sqlite" and address.database in (None, "", ":memory:"):
        raise InvalidInput("database_url", "the SQLite database needs a file: sqlite:////path")
    return address.set(drivername=driver)


def _engine(address: URL) -> Engine:
    sqlite = address.get_backend_name() == "sqlite"
    engine = create_engine(
        address,
        poolclass=QueuePool,
        pool_size=_POOL_SIZE,
        max_overflow=_POOL_OVERFLOW,
        pool_pre_ping=not sqlite,
        connect_args=(
            {"timeout": BUSY_TIMEOUT_S, "isolation_level": None, "check_same_thread": False}
            if sqlite
            else {"connect_timeout": BUSY_TIMEOUT_S}
        ),
    )
    if sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "begin", _begin_postgresql)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401  any driver's object
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA cache_size=-4096")  # KiB a connection, whatever the file's size
        cursor.execute("PRAGMA temp_store=MEMORY")
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("settle_writes")
    connection.exec_driver_sql("PRAGMA query_only = OFF" if writes else "PRAGMA query_only = ON")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("settle_writes"):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{BUSY_TIMEOUT_S}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})")


@contextmanager
def _translated(name: str) -> Iterator[None]:
    """Turn the driver's errors into ours, by who can act on them."""
    try:
        yield
    except SettleError:
        raise
    except exc.TimeoutError as error:
        raise Unavailable("all database connections are in use", retry_after_s=1) from error
    except exc.DBAPIError as error:
        raise _fault(error, name) from error


def _fault(error: exc.DBAPIError, name: str) -> SettleError:
    text = str(error.orig).strip()
    if isinstance(error, exc.OperationalError | exc.InterfaceError):
        if any(sign in text for sign in _PERMANENT_SQLITE):
            return Broken(f"the database {name} is damaged: {text}", code="database_damaged")
        if "locked" in text or "lock timeout" in text:
            return Unavailable("another writer holds the database", retry_after_s=1)
        return Unavailable(
            f"the database {name} does not work: {text}", code="database_unavailable"
        )
    if error.connection_invalidated or _sqlstate(error).startswith(_CONNECTION_LOST):
        return Unavailable(f"the database {name} is gone: {text}", code="database_unavailable")
    return Broken(f"the database {name} refused what should hold: {text}", code="database_refused")


def _sqlstate(error: exc.DBAPIError) -> str:
    return getattr(error.orig, "sqlstate", None) or ""
