"""Writes the messages that a participant gets: one for each event that says where a trade stands.

They are made of what is stored when they are asked for, so nothing can be lost between. The number
of a message is that of its event.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from settle.domain.errors import NotFound
from settle.domain.ids import Address, Lei, account_address, to_hex
from settle.domain.reasons import Reason
from settle.domain.status import Status, TradeState
from settle.iso20022 import sese025
from settle.iso20022.sese024 import References, answer_version, status_message
from settle.services.sign_instructions import own_accounts

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.domain.side import TradeSide
    from settle.services.chain_rows import AssetRow
    from settle.services.ports import ChainStore
    from settle.services.trade_rows import EventRow, TradeRow
    from settle.services.venue import Venue

RECEIVED: Final = "trade.received"
KINDS: Final = frozenset({RECEIVED, *(f"trade.{status.value.lower()}" for status in Status)})
"""Events of which messages tell; the others are between the API and its clients."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message to be written: the event, the trade as it is now, the participant's own side."""

    event: EventRow
    trade: TradeRow
    side: TradeSide

    @property
    def is_confirmation(self) -> bool:
        """Whether it confirms a settlement."""
        return self.event.kind == f"trade.{Status.SETTLED.value.lower()}"


def messages_behind(
    venue: Venue, conn: Connection, lei: Lei, after: int, limit: int
) -> tuple[list[Outgoing], int | None]:
    """Give the messages of the next events, and behind which to go on; None: these were the last.

    `limit` counts events, so that there may be fewer messages.
    """
    rows = venue.store.read_events(conn, viewer=lei, after=after, limit=limit)
    following = rows[-1].number if len(rows) == limit else None
    return _with_sides(venue, conn, lei, rows), following


def message_at(venue: Venue, conn: Connection, lei: Lei, number: int) -> Outgoing:
    """Give one message. Raises NotFound if the event of this number has none."""
    rows = venue.store.read_events(conn, viewer=lei, after=number - 1, limit=1)
    found = _with_sides(venue, conn, lei, [row for row in rows if row.number == number])
    if not found:
        raise NotFound(f"there is no message {number} for you")
    return found[0]


def _with_sides(
    venue: Venue, conn: Connection, lei: Lei, rows: Sequence[EventRow]
) -> list[Outgoing]:
    told = [(row, row.trade_id) for row in rows if row.kind in KINDS and row.trade_id is not None]
    numbers = {number for _, number in told}
    trades = venue.store.trades(conn, numbers)
    sides = venue.store.sides_of(conn, numbers)
    found = []
    for row, number in told:
        mine = next(
            (one.side for one in sides.get(number, ()) if one.side.submitted_by == lei), None
        )
        # An allegement is no status of a side that was not stated.
        first = mine is not None and mine.side_id == trades[number].first_side
        if mine is not None and (first or row.kind != RECEIVED):
            found.append(Outgoing(event=row, trade=trades[number], side=mine))
    return found


def name_of(message: Outgoing, instruction: str) -> str:
    """Name a message for a sender of `instruction`, such as sese.023.001.11."""
    return sese025.VERSION if message.is_confirmation else answer_version(instruction)


def write_message(
    venue: Venue,
    chain: ChainStore,
    conn: Connection,
    message: Outgoing,
    own: Collection[Address],
    instruction: str,
) -> bytes:
    """Write a message as XML. Raises InvalidInput for what it cannot carry."""
    if message.is_confirmation:
        return sese025.confirmation(message.side, _settled(venue, chain, conn, message))
    payload = json.loads(message.event.payload)
    state = TradeState(
        status=Status(payload["status"]), reasons=tuple(map(_reason, payload["reasons"]))
    )
    told_on = datetime.fromtimestamp(message.event.created_at, ZoneInfo(venue.rules.zone)).date()
    return status_message(
        answer_version(instruction),
        references_of(message.side, message.trade),
        state,
        viewer=own,
        failing=told_on > message.side.settlement_date,
    )


def references_of(side: TradeSide, trade: TradeRow) -> References:
    """Give the names under which a trade is spoken of to one side."""
    return References(owner=side.reference, servicer=trade.trade_id, common=side.common_reference)


def _settled(
    venue: Venue, chain: ChainStore, conn: Connection, message: Outgoing
) -> sese025.Settled:
    row = message.trade
    if row.instruction is None or row.ended_block is None:
        raise NotFound("the trade settled by terms that did not match here")
    delivery, *payments = row.instruction.legs
    decimals = {asset.asset: asset.decimals for asset in _assets(venue, conn)}
    [block] = chain.blocks(conn, row.ended_block, row.ended_block)
    names = venue.store.participants_of(conn, row.parties)

    def party(lei: Lei) -> sese025.NamedParty:
        found = names[lei]
        return sese025.NamedParty(lei=lei, name=found.name, bic=found.bic)

    digest = "" if row.digest is None else to_hex(row.digest)
    return sese025.Settled(
        servicer_reference=row.trade_id,
        quantity=delivery.quantity,
        quantity_decimals=decimals[delivery.asset],
        amount=payments[0].quantity if payments else None,
        amount_decimals=decimals[payments[0].asset] if payments else 0,
        settled_at=block.timestamp,
        account=own_accounts(row, message.side.submitted_by)[0],
        delivering=party(row.deliverer_lei),
        receiving=party(row.receiver_lei),
        evidence=f"instruction {digest} settled in block {row.ended_block}",
    )


def _assets(venue: Venue, conn: Connection) -> Sequence[AssetRow]:
    return venue.store.assets(conn)


def _reason(told: dict[str, Any]) -> Reason:
    return Reason(
        code=told["code"],
        leg=told["leg"],
        who=None if told["who"] is None else account_address(told["who"]),
        needed=int(told["needed"]),
        have=int(told["have"]),
    )
