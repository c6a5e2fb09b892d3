"""Lets trades wait that cannot settle now: with their reasons, until what has to change changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from settle.domain.ledger import Standing
from settle.domain.reasons import kind_of
from settle.domain.status import Obstructed, Status
from settle.services.facts import delivered, required, sleep_until
from settle.services.records import altered
from settle.services.trade_rows import Queue

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from settle.domain.ids import Address, TradeId
    from settle.domain.reasons import Reason
    from settle.services.chain_rows import HoldingRow
    from settle.services.changes import Changes
    from settle.services.choose_batches import Candidate
    from settle.services.facts import Key
    from settle.services.trade_ports import TradingStore
    from settle.services.trade_rows import TradeRow, Wait

Parked = tuple["Candidate", tuple["Reason", ...]]
_NEXT_BLOCK_S: Final = 2


def park_trades(
    store: TradingStore, conn: Connection, parked: Sequence[Parked], changes: Changes, at: int
) -> list[TradeRow]:
    """Note what each trade waits for, and tell its reasons where they are news.

    Gives the rows that only move in the queue; the others are in `changes`.
    """
    outdated = _outdated(store, conn, parked)
    moved: list[TradeRow] = []
    waits: list[Wait] = []
    for one, reasons in parked:
        trade = one.trade
        sleep = sleep_until(trade.trade_id, one.signed.instruction, reasons, at)
        waits += sleep.waits
        wake_at = at + _NEXT_BLOCK_S if trade.trade_id in outdated else sleep.wake_at
        asleep = altered(trade, queue=Queue.WAITING, wake_at=wake_at, batch_id=None)
        if trade.status is Status.PENDING and names(reasons) == names(trade.reasons):
            moved.append(asleep)
        else:
            changes.load([trade])
            changes.put(asleep)
            changes.change(trade.trade_id, Obstructed(at=at, reasons=reasons))
    store.add_waits(conn, waits)
    return moved


def wake_changed(
    store: TradingStore,
    conn: Connection,
    parked: Sequence[Parked],
    freed: Sequence[Candidate],
    *,
    holdings: Mapping[Key, int],
    followed_to: int | None,
) -> None:
    """Nobody sleeps through what changed between the decision and its writing.

    That is a holding, a newer block, or that somebody for whom room was kept goes not along.
    `holdings` and `followed_to` are what the decision was made on, `freed` go not along.
    """
    keys = {key for one, _ in parked for key in required(one.signed.instruction)}
    now = available(store.holdings_at(conn, keys))
    moved = {key for key in keys if now.get(key, 0) != holdings.get(key, 0)}
    moved |= {key for one in freed for key in delivered(one.signed.instruction)}
    facts: set[str] = set()
    if store.followed_to(conn) != followed_to:
        for one, reasons in parked:
            sleep = sleep_until(one.trade.trade_id, one.signed.instruction, reasons, 0)
            facts.update(wait.fact for wait in sleep.waits if wait.needed is None)
    store.wake(conn, holdings=moved, facts=facts)


def _outdated(store: TradingStore, conn: Connection, parked: Sequence[Parked]) -> set[TradeId]:
    """Trades with a reason about an account or an asset that the followed books contradict.

    The chain told it at another block than the books are at; no event will tell the end of it.
    """
    told = [
        (one, reason, kind)
        for one, reasons in parked
        for reason in reasons
        if (kind := kind_of(reason.code).clears_by) in {"standing", "asset"}
    ]
    if not told:
        return set()
    whose = {reason.who for _, reason, _ in told if reason.who is not None}
    free = {
        account
        for account, row in store.account_rows(conn, whose).items()
        if row.standing == Standing.ADMITTED and not row.frozen
    }
    usable = {row.asset for row in store.assets(conn) if not row.frozen}
    return {
        one.trade.trade_id
        for one, reason, kind in told
        if (kind == "standing" and reason.who in free)
        or (kind == "asset" and one.signed.instruction.legs[reason.leg].asset in usable)
    }


def available(rows: Mapping[Key, HoldingRow]) -> dict[Key, int]:
    """What is available in each holding."""
    return {key: row.available for key, row in rows.items()}


def names(reasons: Sequence[Reason]) -> set[tuple[str, int, Address | None]]:
    """Reasons without their numbers, which change with every posting."""
    return {(one.code, one.leg, one.who) for one in reasons}
