"""Tells everybody with a part in an escrow what became of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from settle.domain.ids import to_hex
from settle.services.trade_rows import NewEvent

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.services.escrow_rows import EscrowRow
    from settle.services.venue import Venue

_VIEWERS = 2
"""One event is for so many participants at most."""


def tell_people(
    venue: Venue,
    conn: Connection,
    row: EscrowRow,
    kind: str,
    at: int,
    *,
    block: int | None = None,
    **more: object,
) -> None:
    """Write the events, last in the caller's transaction. Who has no part in the venue reads none.

    `more` is told besides: values that JSON has, numbers that may be large as text.
    """
    people = venue.store.people_of(conn, row.escrow)
    leis = sorted(set(venue.store.owners_of(conn, people).values()))
    payload = json.dumps(
        {"escrow": to_hex(row.escrow), "status": row.status.value, "reason": row.reason, **more},
        separators=(",", ":"),
    )
    venue.store.append_events(
        conn,
        [
            NewEvent(
                kind=kind,
                trade_id=None,
                visible_to=tuple(leis[start : start + _VIEWERS]),
                payload=payload,
                created_at=at,
                block_number=block,
            )
            for start in range(0, len(leis), _VIEWERS)
        ],
    )
