"""The port SenderStore, on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from settle.domain.errors import Broken
from settle.services.chain_rows import (
    Alarm,
    AttemptKind,
    AttemptRow,
    Lease,
    NewTransaction,
    TransactionState,
)
from settle.store.alarms import Alarms
from settle.store.transactions import SqlSenderStore

if TYPE_CHECKING:
    from settle.services.ports import AlarmStore, SenderStore, Transactions
    from settle.store.database import Database

KEY = b"\x11" * 20
STORE = SqlSenderStore()


def call(number: int = 1, sender: bytes = KEY) -> NewTransaction:
    return NewTransaction(
        sender=sender,
        to=b"\x22" * 20,
        data=bytes([number]) * 40,
        gas=90_000,
        purpose="settle",
        subject='{"n":1}',
        created_at=1_000 + number,
    )


def attempt(transaction_id: int, number: int, kind: AttemptKind = AttemptKind.FIRST) -> AttemptRow:
    return AttemptRow(
        hash=bytes([number]) * 32,
        transaction_id=transaction_id,
        kind=kind,
        max_fee_per_gas=2**100 + number,
        max_priority_fee_per_gas=1,
        created_at=5,
    )


def test_the_store_is_the_port(database: Database) -> None:
    ports: tuple[SenderStore, AlarmStore, Transactions] = (STORE, Alarms(), database)
    assert all(ports)


def test_a_lease_passes_only_from_the_token_that_was_read(database: Database) -> None:
    first = Lease(name="sender", holder="one", token=1, expires_at=10)
    with database.transaction() as conn:
        assert STORE.lease(conn, "sender") is None
        assert STORE.grant_lease(conn, first, replaces=0)
        assert not STORE.grant_lease(conn, replace(first, holder="two"), replaces=0)
        assert STORE.grant_lease(conn, replace(first, expires_at=20), replaces=1)
        second = Lease(name="sender", holder="two", token=2, expires_at=30)
        assert STORE.grant_lease(conn, second, replaces=1)
        assert not STORE.grant_lease(conn, replace(first, expires_at=40), replaces=1)
        assert STORE.lease(conn, "sender") == second
        assert STORE.holds_lease(conn, "sender", 2)
        assert not STORE.holds_lease(conn, "sender", 1)
        assert not STORE.holds_lease(conn, "other", 1)


def test_nonces_are_dense_by_sender_and_never_taken_back(database: Database) -> None:
    other = b"\x33" * 20
    with database.transaction() as conn:
        assert STORE.open_sender(conn, KEY, 7) == 7
        assert STORE.open_sender(conn, other, 0) == 0
        rows = [STORE.add_transaction(conn, call(n)) for n in (1, 2)]
        assert [row.nonce for row in rows] == [7, 8]
        assert STORE.add_transaction(conn, call(3, other)).nonce == 0
        assert STORE.open_sender(conn, KEY, 0) == 9
        STORE.advance_nonce(conn, KEY, 5)
        assert STORE.open_sender(conn, KEY, 0) == 9
        STORE.advance_nonce(conn, KEY, 12)
        assert STORE.open_sender(conn, KEY, 0) == 12
    with database.reading() as conn:
        assert STORE.open_transactions(conn, KEY, limit=10) == rows
        assert STORE.open_transactions(conn, KEY, limit=1) == rows[:1]
        data = STORE.call_data(conn, [rows[1].transaction_id])
        assert data == {rows[1].transaction_id: call(2).data}


def test_a_nonce_is_not_lost_with_a_transaction_that_rolled_back(database: Database) -> None:
    with database.transaction() as conn:
        STORE.open_sender(conn, KEY, 0)

    def stops_half_way() -> None:
        with database.transaction() as conn:
            STORE.add_transaction(conn, call())
            raise KeyError

    with pytest.raises(KeyError):
        stops_half_way()
    with database.transaction() as conn:
        assert STORE.add_transaction(conn, call()).nonce == 0


def test_a_sender_that_was_never_opened_is_broken(database: Database) -> None:
    with pytest.raises(Broken), database.transaction() as conn:
        STORE.add_transaction(conn, call())


def test_what_became_of_a_transaction_is_written_whole(database: Database) -> None:
    with database.transaction() as conn:
        STORE.open_sender(conn, KEY, 0)
        rows = [STORE.add_transaction(conn, call(n)) for n in (1, 2, 3)]
        mined = replace(
            rows[0],
            state=TransactionState.MINED,
            attempt_hash=b"\x44" * 32,
            block_number=5,
            block_hash=b"\x55" * 32,
            succeeded=True,
            gas_used=80_000,
        )
        ended = [
            replace(row, state=state)
            for row, state in zip(
                rows[1:], (TransactionState.SUCCEEDED, TransactionState.DISPLACED), strict=True
            )
        ]
        STORE.update_transactions(conn, [mined, *ended])
        STORE.update_transactions(conn, [])
    with database.reading() as conn:
        assert STORE.open_transactions(conn, KEY, limit=10) == [mined]
        assert STORE.transaction(conn, ended[1].transaction_id) == ended[1]
        assert STORE.transaction(conn, 999) is None


def test_attempts_keep_their_order_and_their_bytes(database: Database) -> None:
    with database.transaction() as conn:
        STORE.open_sender(conn, KEY, 0)
        a, b = (STORE.add_transaction(conn, call(n)).transaction_id for n in (1, 2))
        first, other = attempt(a, 9), attempt(b, 8)
        again = attempt(a, 1, AttemptKind.REPLACEMENT)
        STORE.add_attempts(conn, [(first, b"nine"), (other, b"eight")])
        STORE.add_attempts(conn, [(again, b"one")])
        STORE.add_attempts(conn, [])
        STORE.note_broadcasts(conn, [first.hash, again.hash], at=77)
        STORE.note_broadcasts(conn, [first.hash], at=78)
    with database.reading() as conn:
        found = STORE.attempts(conn, [a, b, 999])
        assert found[a] == [
            replace(first, broadcast_at=78, broadcasts=2),
            replace(again, broadcast_at=77, broadcasts=1),
        ]
        assert found[b] == [other]
        assert STORE.signed_bytes(conn, [again.hash, b"\xff" * 32]) == {again.hash: b"one"}


def test_signed_bytes_are_never_overwritten(database: Database) -> None:
    with database.transaction() as conn:
        STORE.open_sender(conn, KEY, 0)
        number = STORE.add_transaction(conn, call()).transaction_id
        STORE.add_attempts(conn, [(attempt(number, 1), b"one")])
    with pytest.raises(Broken), database.transaction() as conn:
        STORE.add_attempts(conn, [(attempt(number, 1), b"other")])
    with database.reading() as conn:
        assert STORE.signed_bytes(conn, [attempt(number, 1).hash]) == {b"\x01" * 32: b"one"}


def test_one_alarm_of_a_kind_is_open_until_a_person_clears_it(database: Database) -> None:
    alarms = Alarms()
    alarm = Alarm(kind="reorg", subject="chain", message="first", raised_at=1)
    with database.transaction() as conn:
        alarms.raise_alarm(conn, alarm)
        alarms.raise_alarm(conn, replace(alarm, message="second", raised_at=2))
        alarms.raise_alarm(conn, replace(alarm, kind="genesis"))
        assert [found.kind for found in alarms.open_alarms(conn, "chain")] == ["reorg", "genesis"]
        assert alarms.open_alarms(conn, "chain")[0] == alarm
        assert alarms.open_alarms(conn, "other") == []
        assert len(alarms.open_alarms(conn)) == 2
        assert alarms.clear_alarms(conn, "chain", at=3) == 2
        assert alarms.clear_alarms(conn, "chain", at=4) == 0
        alarms.raise_alarm(conn, alarm)
        assert alarms.open_alarms(conn, "chain") == [alarm]
