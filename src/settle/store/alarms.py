"""Alarms: what a person must look at, and whether one did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, select, update

from settle.services.chain_rows import Alarm
from settle.store.columns import upsert
from settle.store.tables_chain import UNCLEARED, alarms

if TYPE_CHECKING:
    from collections.abc import Sequence


class Alarms:
    """The port `AlarmStore`."""

    def raise_alarm(self, conn: Connection, alarm: Alarm) -> None:
        """Write it, unless one of the same kind and subject is open."""
        conn.execute(
            upsert(conn, alarms)
            .values(
                kind=alarm.kind,
                subject=alarm.subject,
                message=alarm.message,
                raised_at=alarm.raised_at,
            )
            .on_conflict_do_nothing()
        )

    def open_alarms(self, conn: Connection, subject: str | None = None) -> Sequence[Alarm]:
        """Alarms that nobody cleared, oldest first; of one subject or, with None, of all."""
        statement = select(alarms).where(UNCLEARED).order_by(alarms.c.alarm_id)
        if subject is not None:
            statement = statement.where(alarms.c.subject == subject)
        return [
            Alarm(
                kind=row.kind,
                subject=row.subject,
                message=row.message,
                raised_at=row.raised_at,
            )
            for row in conn.execute(statement)
        ]

    def clear_alarms(self, conn: Connection, subject: str, at: int) -> int:
        """Mark them cleared; how many there were."""
        return conn.execute(
            update(alarms).where(alarms.c.subject == subject, UNCLEARED).values(cleared_at=at)
        ).rowcount
