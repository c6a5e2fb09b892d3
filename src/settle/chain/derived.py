"""What events leave behind: each restates the rows that it changed, as they stand after it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from settle.domain.books import holdings_after
from settle.domain.chain_events import (
    AccountFrozen,
    AssetCreated,
    AssetFrozen,
    InstructionCancelled,
    InstructionRecorded,
    InstructionSettled,
    Issued,
    Redeemed,
    StandingSet,
)
from settle.domain.errors import Broken
from settle.domain.escrow.events import EscrowConsentWithdrawn, EscrowEvent
from settle.domain.escrow.record_text import record_of, record_text
from settle.domain.escrow.state import advance_record
from settle.services.chain_rows import (
    AccountRow,
    AssetRow,
    EscrowStateRow,
    HoldingRow,
    OutcomeRow,
    RecordedRow,
    SupplyRow,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import Connection

    from settle.domain.chain_events import Recorded
    from settle.services.chain_rows import DerivedRow
    from settle.services.ports import DerivedStore


class Derivation:
    """Folds events of consecutive blocks in one database transaction."""

    def __init__(self, conn: Connection, store: DerivedStore, times: Mapping[int, int]) -> None:
        """Read what is there through `store`; `times` has the timestamp of each block."""
        self._conn = conn
        self._store = store
        self._times = times
        self._escrows: dict[bytes, EscrowStateRow] = {}
        self._accounts: dict[bytes, AccountRow] = {}
        self._assets: dict[int, AssetRow] = {}

    def write(self, events: Sequence[Recorded], *, undo_block: int | None) -> None:
        """Write the last state of each row that the events changed."""
        rows = {key: row for record in events for key, row in self._rows(record)}
        if rows:
            self._store.put_derived(self._conn, rows.values(), undo_block=undo_block)

    def _rows(self, record: Recorded) -> Iterator[tuple[tuple[object, ...], DerivedRow]]:
        event = record.event
        for account, asset, holding in holdings_after(event):
            yield (
                ("holding", account, asset),
                HoldingRow(
                    account=account, asset=asset, available=holding.available, held=holding.held
                ),
            )
        match event:
            case Issued() | Redeemed():
                supply = SupplyRow(asset=event.asset, total=event.total_supply)
                yield ("supply", event.asset), supply
            case InstructionRecorded():
                row = RecordedRow(
                    instruction=event.instruction, block_number=record.place.block_number
                )
                yield ("recorded", event.instruction), row
            case _ if isinstance(event, EscrowEvent):
                escrow_row = self._escrow(event, self._times[record.place.block_number])
                self._escrows[event.id] = escrow_row
                yield ("escrow", event.id), escrow_row
            case InstructionSettled():
                yield ("outcome", event.id), _outcome(record, event, "settled")
            case InstructionCancelled():
                yield ("outcome", event.id), _outcome(record, event, "cancelled")
            case StandingSet() | AccountFrozen():
                account_row = self._account(event)
                self._accounts[event.account] = account_row
                yield ("account", event.account), account_row
            case AssetCreated() | AssetFrozen():
                asset_row = self._asset(event)
                self._assets[event.asset] = asset_row
                yield ("asset", event.asset), asset_row
            case _:
                pass

    def _escrow(self, event: EscrowEvent, now: int) -> EscrowStateRow:
        before = self._escrows.get(event.id) or self._store.escrow_row(self._conn, event.id)
        if isinstance(event, EscrowConsentWithdrawn):
            return EscrowStateRow(escrow=event.id, withdrawn=True, record="")
        known = None if before is None or not before.record else record_of(before.record)
        try:
            after = advance_record(known, event, now=now)
        except ValueError as error:
            raise Broken(f"escrow 0x{event.id.hex()}: {error}") from error
        return EscrowStateRow(escrow=event.id, withdrawn=False, record=record_text(after))

    def _account(self, event: StandingSet | AccountFrozen) -> AccountRow:
        before = self._accounts.get(event.account)
        if before is None:
            before = self._store.account_row(self._conn, event.account) or AccountRow(
                account=event.account, standing=0, account_class=0, frozen=False
            )
        if isinstance(event, AccountFrozen):
            return replace(before, frozen=event.frozen)
        return replace(before, standing=int(event.standing), account_class=event.class_)

    def _asset(self, event: AssetCreated | AssetFrozen) -> AssetRow:
        if isinstance(event, AssetCreated):
            return AssetRow(
                asset=event.asset,
                asset_class=int(event.class_),
                decimals=event.decimals,
                code=event.code.rstrip(b"\0").decode("ascii", "replace"),
                issuer=event.issuer,
                frozen=False,
            )
        before = self._assets.get(event.asset) or self._store.asset_row(self._conn, event.asset)
        if before is None:
            raise Broken(f"asset {event.asset} was frozen and never created")
        return replace(before, frozen=event.frozen)


def _outcome(
    record: Recorded, event: InstructionSettled | InstructionCancelled, outcome: str
) -> OutcomeRow:
    return OutcomeRow(
        instruction=event.id,
        outcome=outcome,
        initiator=event.initiator,
        nonce=event.nonce,
        block_number=record.place.block_number,
        transaction_hash=record.place.transaction,
        log_index=record.place.log_index,
    )
