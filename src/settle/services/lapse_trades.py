"""Ends what silence ends: trades whose deadline the chain's own time has passed (law L7, L10).

The chain's time and not the wall clock's: no block after the final head has an earlier time, so
what has not settled by then never will.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from settle.domain.reasons import Reason
from settle.domain.status import Status, WindowEnded
from settle.services.changes import Changes
from settle.services.differences import forget_nearby

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.services.chain_calls import FinalHead
    from settle.services.trade_rows import TradeRow
    from settle.services.venue import Venue

AT_A_TIME: Final = 1_000


def lapse_trades(venue: Venue, conn: Connection, head: FinalHead, at: int) -> int:
    """Lapse what is overdue at the final head, AT_A_TIME at most; how many there were.

    To be called after the outcomes of the head's own block were written.
    """
    overdue = venue.store.overdue_trades(conn, head.timestamp, limit=AT_A_TIME)
    if not overdue:
        return 0
    changes = Changes(overdue)
    for trade in overdue:
        fact = WindowEnded(at=at, block=head.number, reasons=_why(trade, head))
        changes.change(trade.trade_id, fact)
        if head.timestamp >= trade.settle_by:
            changes.edit(trade.trade_id, nonce_bound=False)
    gone = [trade.trade_id for trade in overdue if trade.status is Status.UNMATCHED]
    forget_nearby(venue.store, conn, changes, gone, "CMIS", at)
    changes.save(venue.store, conn)
    return len(overdue)


def _why(trade: TradeRow, head: FinalHead) -> tuple[Reason, ...]:
    """The deadline, and what stood in the way until it came."""
    if trade.status is Status.UNMATCHED:
        return (Reason(code="CANS"), *trade.reasons)
    passed = Reason(code="ADEA", needed=trade.settle_by, have=head.timestamp)
    return (passed, *(one for one in trade.reasons if one.code not in {"FUTU", "ADEA"}))
