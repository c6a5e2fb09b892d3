"""The simulation sees each promise broken: the real code is made wrong, a seed must tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from settle.chain.attempts import AttemptMaker, Due
from settle.chain.hand_out import HandOut
from settle.services.record_outcomes import RecordOutcomes
from settle.services.trade_rows import Queue
from settle.store.requests import Requests
from settle.store.trading import SqlTradingStore
from settle.store.transactions import SqlSenderStore
from tests.crash.campaign import Figures, run_seeds
from tests.crash.story import Bench

MOST_SEEDS = 60
Patch = Callable[[pytest.MonkeyPatch], None]


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _bytes_leave_unstored(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(HandOut, "keep", _nothing)


def _a_nonce_is_skipped(patch: pytest.MonkeyPatch) -> None:
    add = SqlSenderStore.add_transaction

    def skipping(self: SqlSenderStore, conn: Any, transaction: Any) -> Any:
        row = add(self, conn, transaction)
        self.advance_nonce(conn, transaction.sender, row.nonce + 2)
        return row

    patch.setattr(SqlSenderStore, "add_transaction", skipping)


def _nothing_goes_out_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(AttemptMaker, "due", lambda *_: Due())


def _ends_of_transactions_are_not_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(RecordOutcomes, "ended", _nothing)


def _what_is_sent_stays_ready(patch: pytest.MonkeyPatch) -> None:
    move = SqlTradingStore.move_in_queue

    def forgetful(self: SqlTradingStore, conn: Any, rows: Any) -> None:
        move(self, conn, [row for row in rows if row.queue is not Queue.SENT])

    patch.setattr(SqlTradingStore, "move_in_queue", forgetful)


def _answers_are_not_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Requests, "answer_key", _nothing)


def _keys_are_not_kept(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Requests, "claim_key", _nothing)


def _an_event_gets_no_number(patch: pytest.MonkeyPatch) -> None:
    append = SqlTradingStore.append_events

    def losing(self: SqlTradingStore, conn: Any, events: Any) -> None:
        append(self, conn, [one for one in events if one.kind != "trade.settled"])

    patch.setattr(SqlTradingStore, "append_events", losing)


def _an_event_comes_twice(patch: pytest.MonkeyPatch) -> None:
    append = SqlTradingStore.append_events

    def twice(self: SqlTradingStore, conn: Any, events: Any) -> None:
        append(self, conn, [*events, *(one for one in events if one.kind == "trade.settled")])

    patch.setattr(SqlTradingStore, "append_events", twice)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("broken", "kinds"),
    [
        (_bytes_leave_unstored, {"lost"}),
        (_a_nonce_is_skipped, {"gaps"}),
        (_nothing_goes_out_again, {"lost", "gaps"}),
        (_ends_of_transactions_are_not_told, {"lost"}),
        (_what_is_sent_stays_ready, {"doubled"}),
        (_answers_are_not_kept, {"lost"}),
        (_keys_are_not_kept, {"lost", "doubled"}),
        (_an_event_gets_no_number, {"lost"}),
        (_an_event_comes_twice, {"doubled"}),
    ],
)
def test_a_broken_promise_is_seen(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, broken: Patch, kinds: set[str]
) -> None:
    broken(monkeypatch)
    figures = Figures()
    for seed in range(MOST_SEEDS):
        run_seeds(bench, [seed], figures)
        if kinds & set(figures.kinds):
            return
    raise AssertionError(f"{MOST_SEEDS} seeds saw nothing of {kinds}: {dict(figures.kinds)}")
