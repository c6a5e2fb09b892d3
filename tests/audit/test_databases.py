"""The operator's database, and copies of it in which one thing was changed."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from audited_world import World, found
from market_life import ALPHA, BRAVO, CHARLIE
from operator_database import make_database
from sqlalchemy import create_engine, text

from settle.audit.database import OperatorDatabase
from settle.audit.findings import Code, Finding
from settle.audit.report import AuditReport
from settle.domain.errors import InvalidInput, Unavailable

TAMPERED = frozenset(
    (
        Code.DATABASE_CURSOR,
        Code.DATABASE_MISSING,
        Code.DATABASE_ADDED,
        Code.DATABASE_DIFFERS,
        Code.DATABASE_UNREADABLE,
    )
)


@pytest.fixture(scope="session")
def original(anvil: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("operator") / "settle.sqlite"
    make_database(anvil, f"sqlite:///{path}")
    return path


@pytest.fixture
def tamper(anvil: World, original: Path, tmp_path: Path) -> Callable[..., AuditReport]:
    """Audit with a copy of the database in which statements were run."""

    def run(*statements: str, **values: Any) -> AuditReport:
        copied = tmp_path / "copy.sqlite"
        for suffix in ("", "-wal", "-shm"):
            if (part := Path(f"{original}{suffix}")).exists():
                shutil.copy(part, f"{copied}{suffix}")
        with closing(sqlite3.connect(copied)) as connection, connection:
            for statement in statements:
                changed = connection.execute(statement, values).rowcount
                assert changed != 0, f"nothing changed: {statement}"
        return anvil.audit(database_url=f"sqlite:///{copied}")

    return run


def only(report: AuditReport, code: Code, **place: object) -> Finding:
    """The finding, with nothing found but what the database is at fault for."""
    assert {finding.code for finding in report.findings} <= TAMPERED
    return found(report, code, **place)


def first_settled(anvil: World) -> dict[str, Any]:
    settled = anvil.life.settled[0]
    receipt = anvil.life.market.node.receipts([settled.transaction])[0]
    assert receipt is not None
    return {
        "instruction": anvil.life.identity(settled.terms),
        "transaction": settled.transaction,
        "block": receipt.block_number,
    }


# ---------------------------------------------------------------------------- clean


def test_the_operators_own_database_is_clean(tamper: Callable[..., AuditReport]) -> None:
    report = tamper()
    assert [str(finding) for finding in report.findings] == []
    assert "the operator's database" in " ".join(report.checked)


def test_a_database_in_postgresql_is_audited(anvil: World, postgres_database: str) -> None:
    make_database(anvil, postgres_database)
    assert anvil.audit(database_url=postgres_database).findings == ()
    engine = create_engine(postgres_database)
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE holdings SET available = :more WHERE account = :account AND asset = 1"),
            {"more": f"{7:039d}", "account": bytes(ALPHA)},
        )
    engine.dispose()
    report = anvil.audit(database_url=postgres_database)
    assert only(report, Code.DATABASE_DIFFERS, account=ALPHA, asset=1).stated[0] == 7  # type: ignore[index]


def test_a_database_that_is_behind_is_compared_where_it_stands(
    fresh: World, tmp_path: Path
) -> None:
    fresh.life.settle()
    url = f"sqlite:///{tmp_path / 'behind.sqlite'}"
    make_database(fresh, url)
    stands = fresh.life.market.node.head().number
    fresh.life.settle_many()
    report = fresh.audit(database_url=url)
    assert report.findings == ()
    assert report.last_block > stands
    with pytest.raises(InvalidInput, match="audit at least up to there"):
        fresh.audit(database_url=url, to_block=stands - 1)


def test_the_snapshot_does_not_move_with_the_operator(fresh: World, tmp_path: Path) -> None:
    """What the operator writes while the audit runs is not seen."""
    url = f"sqlite:///{tmp_path / 'moving.sqlite'}"
    fresh.life.settle()
    make_database(fresh, url)
    database = OperatorDatabase(url)
    before = list(database.holdings())
    fresh.life.settle()
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE holdings SET held = :more"), {"more": f"{1:039d}"})
    engine.dispose()
    assert list(database.holdings()) == before
    database.close()


# ---------------------------------------------------------------------------- derived rows


def test_a_changed_holding_is_found(anvil: World, tamper: Callable[..., AuditReport]) -> None:
    report = tamper(
        "UPDATE holdings SET available = :more WHERE account = :account AND asset = 3",
        more=f"{123_456:039d}",
        account=bytes(BRAVO),
    )
    difference = only(report, Code.DATABASE_DIFFERS, account=BRAVO, asset=3)
    assert difference.block == report.last_block
    assert difference.stated[0] == 123_456  # type: ignore[index]
    assert difference.computed[0] != 123_456  # type: ignore[index]
    assert report.counts.differences == 1


def test_a_missing_or_added_holding_is_found(tamper: Callable[..., AuditReport]) -> None:
    gone = tamper("DELETE FROM holdings WHERE account = :a AND asset = 1", a=bytes(CHARLIE))
    only(gone, Code.DATABASE_MISSING, account=CHARLIE, asset=1)
    more = tamper(
        "INSERT INTO holdings (account, asset, available, held) VALUES (:a, 2, :one, :none)",
        a=bytes(CHARLIE),
        one=f"{1:039d}",
        none=f"{0:039d}",
    )
    only(more, Code.DATABASE_ADDED, account=CHARLIE, asset=2)


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE supplies SET total = :text WHERE asset = 1", {"asset": 1}),
        ("UPDATE assets SET decimals = 6 WHERE asset = 3", {"asset": 3}),
        ("UPDATE assets SET code = 'USD' WHERE asset = 3", {"asset": 3}),
        ("UPDATE assets SET frozen = 1 WHERE asset = 2", {"asset": 2}),
        ("UPDATE chain_accounts SET standing = 2 WHERE account = :account", {"account": ALPHA}),
        ("UPDATE chain_accounts SET frozen = 1 WHERE account = :account", {"account": ALPHA}),
    ],
)
def test_a_changed_derived_row_is_found(
    tamper: Callable[..., AuditReport], statement: str, place: dict[str, Any]
) -> None:
    values = {"text": f"{5:039d}", "account": bytes(ALPHA)}
    used = {name: value for name, value in values.items() if f":{name}" in statement}
    report = tamper(statement, **used)
    only(report, Code.DATABASE_DIFFERS, block=report.last_block, **place)
    assert report.counts.differences == 1


@pytest.mark.parametrize("table", ["supplies", "assets", "chain_accounts"])
def test_a_missing_derived_row_is_found(tamper: Callable[..., AuditReport], table: str) -> None:
    key = "account" if table == "chain_accounts" else "asset"
    statement = f"DELETE FROM {table} WHERE {key} = (SELECT min({key}) FROM {table})"
    only(tamper(statement), Code.DATABASE_MISSING)


# ---------------------------------------------------------------------------- settlements


def test_a_missing_settlement_is_found(anvil: World, tamper: Callable[..., AuditReport]) -> None:
    place = first_settled(anvil)
    report = tamper(
        "DELETE FROM outcomes WHERE instruction = :instruction",
        instruction=bytes(place["instruction"]),
    )
    only(report, Code.DATABASE_MISSING, **place)
    # The trade says settled, and no outcome stands behind it.
    only(report, Code.DATABASE_DIFFERS, instruction=place["instruction"])


def test_an_added_settlement_is_found(anvil: World, tamper: Callable[..., AuditReport]) -> None:
    block = first_settled(anvil)["block"]
    report = tamper(
        "INSERT INTO outcomes (instruction, outcome, initiator, nonce, block_number, "
        "transaction_hash, log_index) SELECT :other, outcome, initiator, nonce, block_number, "
        "transaction_hash, log_index FROM outcomes WHERE block_number = :block",
        other=b"\x99" * 32,
        block=block,
    )
    only(report, Code.DATABASE_ADDED, instruction=b"\x99" * 32, block=block)


def test_a_doubled_settlement_is_found(anvil: World, tamper: Callable[..., AuditReport]) -> None:
    place = first_settled(anvil)
    report = tamper(
        "CREATE TABLE doubled AS SELECT * FROM outcomes",
        "INSERT INTO doubled SELECT * FROM outcomes WHERE instruction = :instruction",
        "DROP TABLE outcomes",
        "ALTER TABLE doubled RENAME TO outcomes",
        instruction=bytes(place["instruction"]),
    )
    assert "twice" in only(report, Code.DATABASE_ADDED, **place).fact


@pytest.mark.parametrize(
    "change",
    [
        "outcome = 'cancelled'",
        "initiator = x'1111111111111111111111111111111111111111'",
        "nonce = '00000000000000000007'",
        "log_index = 77",
        f"transaction_hash = x'{'22' * 32}'",
        "block_number = block_number + 1",
    ],
)
def test_a_changed_settlement_is_found(
    anvil: World, tamper: Callable[..., AuditReport], change: str
) -> None:
    place = first_settled(anvil)
    report = tamper(
        f"UPDATE outcomes SET {change} WHERE instruction = :instruction",
        instruction=bytes(place["instruction"]),
    )
    wrong = {Code.DATABASE_DIFFERS, Code.DATABASE_MISSING, Code.DATABASE_ADDED}
    about = {f.code for f in report.findings if f.instruction == place["instruction"]}
    assert about
    assert about <= wrong


def test_a_settlement_of_a_block_to_come_is_found(tamper: Callable[..., AuditReport]) -> None:
    report = tamper(
        "UPDATE outcomes SET block_number = 1000000 "
        "WHERE log_index = (SELECT max(log_index) FROM outcomes)"
    )
    only(report, Code.DATABASE_ADDED, block=1_000_000)
    only(report, Code.DATABASE_MISSING)


# ---------------------------------------------------------------------------- blocks, events


@pytest.mark.parametrize("column", ["data", "topics", "address", "transaction_hash", "block_hash"])
def test_a_changed_event_is_found(
    anvil: World, tamper: Callable[..., AuditReport], column: str
) -> None:
    block = first_settled(anvil)["block"]
    report = tamper(
        f"UPDATE chain_events SET {column} = x'42' WHERE block_number = :block AND log_index = 0",
        block=block,
    )
    only(report, Code.DATABASE_DIFFERS, block=block, log_index=0)


def test_a_missing_added_or_renamed_event_is_found(
    anvil: World, tamper: Callable[..., AuditReport]
) -> None:
    block = first_settled(anvil)["block"]
    where = "WHERE block_number = :block AND log_index = 0"
    gone = tamper(f"DELETE FROM chain_events {where}", block=block)
    only(gone, Code.DATABASE_MISSING, block=block, log_index=0)
    renamed = tamper(f"UPDATE chain_events SET kind = 'Issued' {where}", block=block)
    only(renamed, Code.DATABASE_DIFFERS, block=block, log_index=0)
    more = tamper(
        "INSERT INTO chain_events (block_number, log_index, block_hash, transaction_hash, address, "
        "topics, data, kind) SELECT block_number, 50, block_hash, transaction_hash, address, "
        f"topics, data, kind FROM chain_events {where}",
        block=block,
    )
    only(more, Code.DATABASE_ADDED, block=block, log_index=50)


@pytest.mark.parametrize("column", ["hash", "parent_hash", "timestamp"])
def test_a_changed_block_is_found(
    anvil: World, tamper: Callable[..., AuditReport], column: str
) -> None:
    block = first_settled(anvil)["block"]
    value = "5" if column == "timestamp" else f"x'{'33' * 32}'"
    report = tamper(f"UPDATE blocks SET {column} = {value} WHERE number = :block", block=block)
    only(report, Code.DATABASE_DIFFERS, block=block)


def test_a_missing_block_is_found(anvil: World, tamper: Callable[..., AuditReport]) -> None:
    block = first_settled(anvil)["block"]
    report = tamper("DELETE FROM blocks WHERE number = :block", block=block)
    only(report, Code.DATABASE_MISSING, block=block)


# ---------------------------------------------------------------------------- cursor


@pytest.mark.parametrize(
    "change",
    [
        f"hash = x'{'44' * 32}'",
        f"genesis_hash = x'{'44' * 32}'",
        "number = number + 5",
        "final_number = number + 1",
    ],
)
def test_a_changed_cursor_is_found(tamper: Callable[..., AuditReport], change: str) -> None:
    only(tamper(f"UPDATE cursor SET {change}"), Code.DATABASE_CURSOR)


def test_a_cursor_that_was_put_back_leaves_rows_of_blocks_to_come(
    tamper: Callable[..., AuditReport],
) -> None:
    report = tamper("UPDATE cursor SET number = number - 3, final_number = number - 3")
    only(report, Code.DATABASE_CURSOR)
    only(report, Code.DATABASE_ADDED, block=report.last_block)


# ---------------------------------------------------------------------------- trades


@pytest.mark.parametrize(
    "change",
    [
        "status = 'Pending'",
        "status = 'Cancelled'",
        f"settled_tx = x'{'55' * 32}'",
        "settled_tx = NULL",
        "ended_block = ended_block + 1",
        "ended_block = NULL",
        f"digest = x'{'66' * 32}'",
        'instruction = replace(instruction, \'"asset": "1"\', \'"asset": "2"\')',
        "instruction = NULL",
        "instruction = '{}'",
    ],
)
def test_a_changed_trade_is_found(
    anvil: World, tamper: Callable[..., AuditReport], change: str
) -> None:
    place = first_settled(anvil)
    report = tamper(
        f"UPDATE trades SET {change} WHERE digest = :digest", digest=bytes(place["instruction"])
    )
    assert "trade TRADE" in only(report, Code.DATABASE_DIFFERS).fact


def test_a_trade_that_never_settled_is_found(tamper: Callable[..., AuditReport]) -> None:
    report = tamper(
        "CREATE TABLE more AS SELECT * FROM trades LIMIT 1",
        "UPDATE more SET trade_id = 'TRADE', digest = NULL, nonce = '00000000000000000009'",
        "INSERT INTO trades SELECT * FROM more",
    )
    assert "trade TRADE" in only(report, Code.DATABASE_DIFFERS).fact


# ---------------------------------------------------------------------------- no database


@pytest.mark.parametrize("table", ["cursor", "holdings", "outcomes", "trades", "blocks"])
def test_a_missing_table_is_a_finding(tamper: Callable[..., AuditReport], table: str) -> None:
    only(tamper(f"ALTER TABLE {table} RENAME TO away"), Code.DATABASE_UNREADABLE)


def test_an_empty_database_is_a_finding(tamper: Callable[..., AuditReport]) -> None:
    only(tamper("DELETE FROM cursor"), Code.DATABASE_CURSOR)


def test_what_is_no_database_is_refused(anvil: World, tmp_path: Path) -> None:
    for url in ("mysql://host/name", "nonsense", "sqlite://", "sqlite:///:memory:"):
        with pytest.raises(InvalidInput, match="database"):
            anvil.audit(database_url=url)
    with pytest.raises(Unavailable, match="cannot be opened"):
        anvil.audit(database_url=f"sqlite:///{tmp_path / 'nothing.sqlite'}")
    text_file = tmp_path / "text.sqlite"
    text_file.write_text("not a database at all, but long enough to be looked at" * 10)
    with pytest.raises(Unavailable, match="cannot be opened"):
        anvil.audit(database_url=f"sqlite:///{text_file}")


def test_the_audit_writes_nothing(anvil: World, original: Path) -> None:
    before = original.read_bytes()
    anvil.audit(database_url=f"sqlite:///{original}")
    assert original.read_bytes() == before
