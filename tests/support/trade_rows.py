"""Rows of the use cases to begin from, for tests of the store."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from settle.domain.ids import AssetId, InstructionId, Lei, TradeId, trade_id
from settle.domain.instruction import Instruction, Leg
from settle.domain.status import Status
from settle.services.trade_rows import (
    NewEvent,
    ParticipantRow,
    Role,
    SideRow,
    SideState,
    TradeRow,
)
from tests.support.trade_sides import ACCOUNT_A, ACCOUNT_B, DELIVERY, LEI_A, LEI_B

INSTRUCTION = Instruction(
    initiator=ACCOUNT_A,
    nonce=7,
    settle_from=10,
    settle_by=20,
    legs=(
        Leg(asset=AssetId(1), deliverer=ACCOUNT_A, receiver=ACCOUNT_B, quantity=500),
        Leg(asset=AssetId(2), deliverer=ACCOUNT_B, receiver=ACCOUNT_A, quantity=2_810_000),
    ),
)


def number(n: int) -> TradeId:
    return trade_id(n, bytes(10))


def participant(lei: Lei, **changes: Any) -> ParticipantRow:
    row = ParticipantRow(
        lei=lei,
        bic=None,
        name=f"Bank {lei}",
        role=Role.PARTICIPANT,
        participant_class=1,
        created_at=1,
    )
    return replace(row, **changes)


def trade(n: int, **changes: Any) -> TradeRow:
    row = TradeRow(
        trade_id=number(n),
        status=Status.UNMATCHED,
        version=1,
        first_side=f"side-{n}",
        second_side=None,
        deliverer_lei=LEI_A,
        receiver_lei=LEI_B,
        initiator=ACCOUNT_A,
        nonce=n,
        nonce_bound=True,
        digest=InstructionId(n.to_bytes(32, "big")),
        instruction=INSTRUCTION,
        settlement_date=DELIVERY.settlement_date,
        settle_from=10,
        settle_by=20,
        deadline_at=20,
        priority=4,
        value=2_810_000,
        deliverer_account=ACCOUNT_A,
        receiver_account=ACCOUNT_B,
        differences=(),
        near_trade=None,
        reasons=(),
        reasons_at=None,
        created_at=1,
        updated_at=1,
    )
    return replace(row, **changes)


def side(n: int, **changes: Any) -> SideRow:
    row = SideRow(
        side=replace(DELIVERY, side_id=f"side-{n}", reference=f"REF-{n}"),
        trade_id=number(n),
        state=SideState.OPEN,
        equal_key=b"\x01" * 16,
        reference_key=None,
        security_key=b"\x02" * 16,
    )
    return replace(row, **changes)


def event(n: int, *visible_to: Lei, **changes: Any) -> NewEvent:
    row = NewEvent(
        kind="trade.received",
        trade_id=number(n),
        visible_to=visible_to,
        payload="{}",
        created_at=n,
    )
    return replace(row, **changes)
