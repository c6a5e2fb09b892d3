"""Lets escrows happen: opens what is signed, ends what can end, pays what waited.

Driven by news and by the clock. Whether an act goes through is asked of the contract before it is
sent; what it did is read from its events. One act an escrow is on its way at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from settle.domain.errors import Refused
from settle.services.escrow_acts import next_instant, possible_acts
from settle.services.escrow_news import tell_people
from settle.services.escrow_rows import EscrowStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from settle.domain.escrow.state import EscrowRecord
    from settle.services.escrow_calls import EscrowCall
    from settle.services.escrow_rows import EscrowRow, MessageRow
    from settle.services.venue import Venue

LOOKED_AT: Final = 50
"""Escrows in one step at most."""
RETRY_S: Final = 30
"""Until an act that was refused is tried again, where no news come before."""
_GAS_MORE: Final = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowStep:
    """What a step did. `again`: there is more to do right now."""

    sent: int = 0
    looked_at: int = 0
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    row: EscrowRow
    record: EscrowRecord | None
    withdrawn: bool
    messages: Sequence[MessageRow]


class EscrowExecutor:
    """Steps are called by one thread."""

    def __init__(self, venue: Venue) -> None:
        """Work for `venue`."""
        self._venue = venue

    def step(self, at: int) -> EscrowStep:
        """Look at what is awake. Raises Unavailable if the database or the chain do not answer."""
        cases, now, room = self._look(at)
        sent = 0
        for case in cases[: max(1, room)]:
            sent += self._handle(case, now, at, room - sent)
        return EscrowStep(sent=sent, looked_at=len(cases), again=len(cases) == LOOKED_AT)

    def _look(self, at: int) -> tuple[list[_Case], int, int]:
        venue = self._venue
        with venue.database.reading() as conn:
            head = venue.store.final_head(conn)
            # The chain's clock counts; where it is ahead of ours, it wakes as well.
            since = max(at, head[1]) if head else at
            rows = venue.store.awake_escrows(conn, since, LOOKED_AT) if head else []
            records = venue.store.escrow_records(conn, [row.escrow for row in rows])
            cases = [
                _Case(
                    row=row,
                    record=records.get(row.escrow),
                    withdrawn=row.escrow in records and records[row.escrow] is None,
                    messages=venue.store.messages(conn, row.escrow),
                )
                for row in rows
            ]
            return cases, head[1] if head else 0, venue.outgoing.room(conn)

    def _handle(self, case: _Case, now: int, at: int, room: int) -> int:
        """Send the first act that the contract takes, or note why there is none."""
        refused = ""
        call: EscrowCall | None = None
        gas = 0
        if not case.withdrawn:
            for one in possible_acts(case.row, case.record, case.messages, now):
                try:
                    gas = int(self._venue.chain.escrow_gas(one) * _GAS_MORE)
                except Refused as error:
                    refused = refused or _told(one, error)
                    continue
                call = one
                break
        with self._venue.database.transaction() as conn:
            row = self._venue.store.escrow(conn, case.row.escrow)
            assert row is not None, "escrows are never deleted"
            if row.version != case.row.version:
                return 0  # news came meanwhile: it is awake still
            if call is not None and room > 0:
                number = self._venue.outgoing.escrow(conn, call, gas=gas)
                changed = replace(row, transaction_id=number, reason="", wake_at=None)
                self._venue.store.update_escrow(conn, replace(changed, updated_at=at))
                return 1
            lapsed = (
                case.record is None
                and not case.withdrawn
                and now >= row.terms.open_by
                and not row.status.is_terminal
            )
            if lapsed:
                ended = replace(row, status=EscrowStatus.LAPSED, reason="", wake_at=None)
                row = self._venue.store.update_escrow(conn, replace(ended, updated_at=at))
                tell_people(self._venue, conn, row, "escrow.lapsed", at)
                return 0
            later = next_instant(row, case.record, now)
            if refused or call is not None:
                later = min(later or at + RETRY_S, at + RETRY_S)
            elif later is not None:
                later = max(later, at + 1)
            self._venue.store.update_escrow(
                conn, replace(row, reason=refused, wake_at=later, updated_at=row.updated_at)
            )
            return 0


def _told(call: EscrowCall, error: Refused) -> str:
    """Why an act does not go through; that a condition does not hold yet is no reason to tell."""
    return "" if error.code == "condition_not_met" else f"{call.function}: {error.message}"
