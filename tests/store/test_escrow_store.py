"""The port EscrowStore, on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from settle.domain.errors import Broken
from settle.domain.escrow.conditions import Never
from settle.domain.escrow.events import EndedBy, Outcome
from settle.domain.escrow.program import write_program
from settle.domain.escrow.record_text import record_text
from settle.domain.escrow.state import EscrowRecord, MilestoneRecord
from settle.domain.escrow.terms import EscrowId, EscrowLine, EscrowTerms
from settle.domain.ids import Address, AssetId, InstructionId
from settle.services.chain_rows import EscrowStateRow, RecordedRow
from settle.services.escrow_rows import EscrowRow, EscrowStatus, MessageKind, MessageRow
from settle.store.chain_tables import SqlFollowerStore
from settle.store.trading import SqlTradingStore
from tests.support.trade_sides import ACCOUNT_A, ACCOUNT_B, LEI_A

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.services.escrow_ports import EscrowStore
    from settle.store.database import Database

STORE: EscrowStore = SqlTradingStore()
CHAIN = SqlFollowerStore()
MOST = 2**128 - 1
ACCOUNT_C = Address(b"\xcc" * 20)


def identity(n: int) -> EscrowId:
    return EscrowId(n.to_bytes(32, "big"))


def escrow(n: int, *, created_at: int = 100, wake_at: int | None = 500) -> EscrowRow:
    """One line of the largest amount that a holding can have."""
    line = EscrowLine(
        milestone=0,
        asset=AssetId(2**32 - 1),
        depositor=ACCOUNT_A,
        beneficiary=ACCOUNT_B,
        quantity=MOST,
        if_met=MOST,
        by_default=0,
        if_unruled=1,
    )
    terms = EscrowTerms(
        open_by=500,
        lines=(line,),
        deadlines=(2**63,),
        program=write_program([Never()]),
        salt=n.to_bytes(32, "big"),
    )
    return EscrowRow(
        escrow=identity(n),
        terms=terms,
        text="1. A pays B.\n\u00a7 2 \u2014 \u201cnever\u201d",
        status=EscrowStatus.PROPOSED,
        proposed_by=LEI_A,
        reason="",
        wake_at=wake_at,
        transaction_id=None,
        version=1,
        created_at=created_at,
        updated_at=created_at,
    )


def add(conn: Connection, *rows: EscrowRow) -> None:
    for row in rows:
        STORE.add_escrow(conn, row, [ACCOUNT_A, ACCOUNT_B])


def said(n: int, kind: MessageKind, author: Address = ACCOUNT_A, **changes: int) -> MessageRow:
    told = {"milestone": 0, "place": 0, "created_at": 1, **changes}
    content = {"paid": [str(MOST)], "data": "0x", "valid_by": "9", "signature": "0x"}
    return MessageRow(escrow=identity(n), kind=kind, author=author, content=content, **told)


def test_a_row_comes_back_as_it_was_written(database: Database) -> None:
    with database.transaction() as conn:
        add(conn, escrow(1))
    with database.reading() as conn:
        assert STORE.escrow(conn, identity(1)) == escrow(1)
        assert STORE.escrow(conn, identity(2)) is None
        assert STORE.escrows(conn, [identity(2), identity(1)]) == [escrow(1)]
        assert STORE.people_of(conn, identity(1)) == [ACCOUNT_A, ACCOUNT_B]


def test_a_change_made_on_an_old_version_is_refused(database: Database) -> None:
    with database.transaction() as conn:
        add(conn, escrow(1))
        opened = STORE.update_escrow(conn, replace(escrow(1), status=EscrowStatus.OPEN))
        assert (opened.status, opened.version) == (EscrowStatus.OPEN, 2)
    with pytest.raises(Broken, match="another version"), database.transaction() as conn:
        STORE.update_escrow(conn, replace(escrow(1), status=EscrowStatus.LAPSED))
    with database.reading() as conn:
        assert STORE.escrow(conn, identity(1)) == opened


def test_lists_are_of_those_with_a_part_newest_first(database: Database) -> None:
    with database.transaction() as conn:
        add(conn, escrow(1, created_at=5), escrow(2, created_at=7), escrow(3, created_at=7))
        STORE.add_escrow(conn, escrow(4, created_at=9), [ACCOUNT_C])
        STORE.update_escrow(conn, replace(escrow(2, created_at=7), status=EscrowStatus.OPEN))

    def listed(
        accounts: list[Address] | None,
        *statuses: EscrowStatus,
        below: tuple[int, EscrowId] | None = None,
        limit: int = 9,
    ) -> list[int]:
        with database.reading() as conn:
            rows = STORE.list_escrows(
                conn, accounts=accounts, statuses=statuses, below=below, limit=limit
            )
        return [int.from_bytes(row.escrow, "big") for row in rows]

    assert listed([ACCOUNT_A, ACCOUNT_B]) == [3, 2, 1]
    assert listed([ACCOUNT_C]) == [4]
    assert listed([]) == []
    assert listed(None) == [4, 3, 2, 1]
    assert listed([ACCOUNT_A], EscrowStatus.OPEN) == [2]
    assert listed([ACCOUNT_A], limit=1) == [3]
    assert listed([ACCOUNT_A], below=(7, identity(3))) == [2, 1]
    assert listed([ACCOUNT_A], below=(5, identity(1))) == []
    with database.reading() as conn:
        assert STORE.is_seen_by(conn, identity(4), [ACCOUNT_A, ACCOUNT_C])
        assert not STORE.is_seen_by(conn, identity(4), [ACCOUNT_A])


def test_of_one_author_in_one_place_the_last_message_counts(database: Database) -> None:
    first = said(1, MessageKind.AGREEMENT)
    others = [
        said(1, MessageKind.AGREEMENT, ACCOUNT_B, created_at=2),
        said(1, MessageKind.RULING, created_at=3),
        said(1, MessageKind.RULING, place=1, created_at=4),
        said(1, MessageKind.AGREEMENT, milestone=1, created_at=5),
    ]
    with database.transaction() as conn:
        add(conn, escrow(1))
        STORE.put_messages(conn, [first, *others, said(2, MessageKind.CONSENT)])
        newer = replace(first, content={**first.content, "paid": ["7"]}, created_at=6)
        STORE.put_messages(conn, [newer])
    with database.reading() as conn:
        assert STORE.messages(conn, identity(1)) == [*others, newer]


def test_what_the_chain_says_comes_back(database: Database) -> None:
    ended = MilestoneRecord(
        outcome=Outcome.SPLIT,
        ended_by=EndedBy.FALLBACK_ARBITER,
        paid=(MOST, 0),
        waits=True,
        ended_at=2**40,
        disputed_at=3,
    )
    record = EscrowRecord(opened_at=2, milestones=(ended, MilestoneRecord()))
    instruction = InstructionId(b"\7" * 32)
    with database.transaction() as conn:
        rows = [
            EscrowStateRow(escrow=identity(1), withdrawn=False, record=record_text(record)),
            EscrowStateRow(escrow=identity(2), withdrawn=True, record=""),
            RecordedRow(instruction=instruction, block_number=2**40),
        ]
        CHAIN.put_derived(conn, rows, undo_block=None)
        wanted = [identity(n) for n in (1, 2, 3)]
        assert STORE.escrow_records(conn, wanted) == {identity(1): record, identity(2): None}
        assert STORE.is_recorded(conn, instruction)
        assert not STORE.is_recorded(conn, InstructionId(b"\6" * 32))


def test_the_executor_sees_what_is_due_and_not_on_its_way(database: Database) -> None:
    def awake(at: int, limit: int = 9) -> list[int]:
        with database.reading() as conn:
            rows = STORE.awake_escrows(conn, at, limit)
        return [int.from_bytes(row.escrow, "big") for row in rows]

    def wakes() -> int | None:
        with database.reading() as conn:
            return STORE.next_escrow_wake(conn)

    with database.transaction() as conn:
        assert not STORE.has_live_escrows(conn)
        add(conn, escrow(1, wake_at=30), escrow(2, wake_at=20), escrow(3, wake_at=None))
        add(conn, escrow(4, wake_at=10))
        STORE.update_escrow(conn, replace(escrow(4, wake_at=10), transaction_id=77))
        assert STORE.has_live_escrows(conn)
    assert awake(19) == []
    assert awake(30) == [2, 1]
    assert awake(30, limit=1) == [2]
    assert wakes() == 20
    with database.transaction() as conn:
        found = STORE.escrow_of_transaction(conn, 77)
        assert found is not None
        assert found.escrow == identity(4)
        assert STORE.escrow_of_transaction(conn, 78) is None
        STORE.wake_escrows(conn, [identity(3)], 5)
    assert awake(30) == [3, 2, 1]


def test_news_wake_those_that_wait_for_them(database: Database) -> None:
    def asleep(n: int, reason: str = "", status: EscrowStatus = EscrowStatus.OPEN) -> None:
        with database.transaction() as conn:
            row = escrow(n, wake_at=None)
            STORE.add_escrow(conn, row, [ACCOUNT_A if n < 3 else ACCOUNT_C])
            STORE.update_escrow(conn, replace(row, reason=reason, status=status))

    def awake() -> set[int]:
        with database.reading() as conn:
            rows = STORE.awake_escrows(conn, 9, 9)
        return {int.from_bytes(row.escrow, "big") for row in rows}

    asleep(1, reason="too little is there")
    asleep(2)
    asleep(3, reason="too little is there")
    asleep(4, status=EscrowStatus.ENDED)
    with database.transaction() as conn:
        STORE.wake_escrows_of(conn, [ACCOUNT_A, ACCOUNT_B], 9)
    assert awake() == {1}
    with database.transaction() as conn:
        STORE.wake_waiting_escrows(conn, 9)
    assert awake() == {1, 2, 3}
