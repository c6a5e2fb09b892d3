"""A trade as columns and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from settle.domain.ids import InstructionId, Lei, TradeId
from settle.domain.status import Status
from settle.services.trade_rows import Queue, TradeRow
from settle.store.texts import (
    differences_of,
    differences_text,
    reasons_of,
    reasons_text,
    terms_of,
    terms_text,
)

if TYPE_CHECKING:
    from sqlalchemy import Row

    from settle.domain.ids import Address


def nonce_key(initiator: Address, nonce: int) -> bytes:
    """Both in one column: SQLite finds no pair in a list of pairs without reading the table."""
    return initiator + nonce.to_bytes(8, "big")


def opening_of(row: TradeRow) -> dict[str, Any]:
    """What is written once, when the trade opens."""
    return {
        "trade_id": row.trade_id,
        "first_side": row.first_side,
        "deliverer_lei": row.deliverer_lei,
        "receiver_lei": row.receiver_lei,
        "settlement_date": row.settlement_date,
        "created_at": row.created_at,
    }


def terms_columns_of(row: TradeRow) -> dict[str, Any]:
    """What a match decides."""
    return {
        "second_side": row.second_side,
        "initiator": row.initiator,
        "nonce": row.nonce,
        "digest": row.digest,
        "instruction": terms_text(row.instruction),
        "settle_from": row.settle_from,
        "settle_by": row.settle_by,
        "deadline_at": row.deadline_at,
        "value": row.value,
        "deliverer_account": row.deliverer_account,
        "receiver_account": row.receiver_account,
    }


def state_of(row: TradeRow) -> dict[str, Any]:
    """What changes at any time."""
    return {
        "status": row.status.value,
        "version": row.version,
        "nonce_key": nonce_key(row.initiator, row.nonce) if row.nonce_bound else None,
        "priority": row.priority,
        "differences": differences_text(row.differences),
        "near_trade": row.near_trade,
        "queue": None if row.queue is None else row.queue.value,
        "wake_at": row.wake_at,
        "batch_id": row.batch_id,
        "batch_cap": row.batch_cap,
        "cancel_id": row.cancel_id,
        "reasons": reasons_text(row.reasons),
        "reasons_at": row.reasons_at,
        "updated_at": row.updated_at,
        "ended_at": row.ended_at,
        "ended_block": row.ended_block,
        "settled_tx": row.settled_tx,
    }


def trade_of(row: Row[Any]) -> TradeRow:
    """A trade from its columns."""
    return TradeRow(
        trade_id=TradeId(row.trade_id),
        status=Status(row.status),
        version=row.version,
        first_side=row.first_side,
        second_side=row.second_side,
        deliverer_lei=Lei(row.deliverer_lei),
        receiver_lei=Lei(row.receiver_lei),
        initiator=row.initiator,
        nonce=row.nonce,
        nonce_bound=row.nonce_key is not None,
        digest=None if row.digest is None else InstructionId(row.digest),
        instruction=terms_of(row.instruction),
        settlement_date=row.settlement_date,
        settle_from=row.settle_from,
        settle_by=row.settle_by,
        deadline_at=row.deadline_at,
        priority=row.priority,
        value=row.value,
        deliverer_account=row.deliverer_account,
        receiver_account=row.receiver_account,
        differences=differences_of(row.differences),
        near_trade=None if row.near_trade is None else TradeId(row.near_trade),
        reasons=reasons_of(row.reasons),
        reasons_at=row.reasons_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
        queue=None if row.queue is None else Queue(row.queue),
        wake_at=row.wake_at,
        batch_id=row.batch_id,
        batch_cap=row.batch_cap,
        cancel_id=row.cancel_id,
        ended_at=row.ended_at,
        ended_block=row.ended_block,
        settled_tx=row.settled_tx,
    )
