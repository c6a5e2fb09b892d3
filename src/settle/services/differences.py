"""Why a side does not match: told as reasons, and forgotten when the nearest side is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from settle.domain.reasons import Reason
from settle.domain.status import SideDiffers, Status

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

    from settle.domain.ids import TradeId
    from settle.domain.matching import Mismatch
    from settle.services.changes import Changes
    from settle.services.trade_ports import TradingStore

NO_COUNTERPARTY_SIDE: Final = "CMIS"
COUNTERPARTY_CANCELLED: Final = "CPCA"


def reasons_of_differences(differences: Sequence[Mismatch]) -> tuple[Reason, ...]:
    """A reason for each code; without differences there is no side to differ from."""
    codes = dict.fromkeys(one.code for one in differences) or (NO_COUNTERPARTY_SIDE,)
    return tuple(Reason(code=code) for code in codes)


def forget_nearby(
    store: TradingStore,
    conn: Connection,
    changes: Changes,
    gone: Collection[TradeId],
    code: str,
    at: int,
) -> None:
    """Let unmatched trades no longer name differences from sides that are gone.

    `gone`: their trades. `code` says why there is nothing to differ from any more.
    """
    nearby = store.trades_near(conn, gone)
    changes.load(nearby)
    for trade in nearby:
        row = changes[trade.trade_id]
        if row.status is Status.UNMATCHED and row.near_trade in gone:
            changes.edit(row.trade_id, differences=(), near_trade=None)
            changes.change(row.trade_id, SideDiffers(at=at, reasons=(Reason(code=code),)))
