"""What the use cases need of the store, cut by aggregate.

Every method works inside the caller's transaction. Methods take and give many rows at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from settle.services.escrow_ports import EscrowStore

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from sqlalchemy import Connection

    from settle.domain.ids import Address, AssetId, Bic, InstructionId, Lei, TradeId
    from settle.domain.status import Status
    from settle.services.chain_rows import AccountRow, AssetRow, HoldingRow
    from settle.services.trade_rows import (
        CancellationRow,
        EventRow,
        NewEvent,
        OwnedAccount,
        ParticipantRow,
        Queue,
        SideRow,
        SignatureRow,
        StoredAnswer,
        TradeRow,
        Wait,
    )


class DirectoryStore(Protocol):
    """Who takes part, and with which accounts and keys."""

    def put_participants(self, conn: Connection, rows: Sequence[ParticipantRow]) -> None:
        """Add participants, or restate them by LEI."""

    def participants(self, conn: Connection) -> Sequence[ParticipantRow]:
        """All of them, by LEI."""

    def participants_of(
        self, conn: Connection, leis: Collection[Lei]
    ) -> Mapping[Lei, ParticipantRow]:
        """Those of these LEIs that are known."""

    def participant_by_bic(self, conn: Connection, bic: Bic) -> ParticipantRow | None:
        """The participant with this BIC."""

    def put_accounts(self, conn: Connection, rows: Sequence[OwnedAccount]) -> None:
        """Add accounts. One that is there already stays whose it is."""

    def accounts_of(
        self, conn: Connection, leis: Collection[Lei]
    ) -> Mapping[Lei, Sequence[Address]]:
        """Accounts by owner, in order of position."""

    def owners_of(self, conn: Connection, accounts: Collection[Address]) -> Mapping[Address, Lei]:
        """Owners of these accounts, as far as known."""

    def put_request_key(self, conn: Connection, key: Address, lei: Lei, at: int) -> None:
        """Let a key sign requests for a participant."""

    def revoke_request_key(self, conn: Connection, key: Address, at: int) -> bool:
        """End that. False if it did not."""

    def request_key_owner(self, conn: Connection, key: Address) -> ParticipantRow | None:
        """Whose requests a key signs; None for an unknown or revoked one."""


class BooksStore(Protocol):
    """What the follower derived from the chain."""

    def assets(self, conn: Connection) -> Sequence[AssetRow]:
        """All assets, by number."""

    def asset_numbers(self, conn: Connection, codes: Collection[str]) -> Mapping[str, AssetId]:
        """Assets by ISIN or currency, as far as known."""

    def holdings_at(
        self, conn: Connection, keys: Collection[tuple[Address, AssetId]]
    ) -> Mapping[tuple[Address, AssetId], HoldingRow]:
        """Holdings by account and asset; one that never was is missing."""

    def holdings_of(self, conn: Connection, accounts: Collection[Address]) -> Sequence[HoldingRow]:
        """All holdings of these accounts."""

    def account_rows(
        self, conn: Connection, accounts: Collection[Address]
    ) -> Mapping[Address, AccountRow]:
        """What the chain says of these accounts."""

    def followed_to(self, conn: Connection) -> int | None:
        """Number of the newest block that is stored, final or not."""

    def final_head(self, conn: Connection) -> tuple[int, int] | None:
        """Number and timestamp of the newest final block that is stored."""


class SideStore(Protocol):
    """Sides as submitted."""

    def sides_by_reference(
        self, conn: Connection, lei: Lei, references: Collection[str]
    ) -> Mapping[str, SideRow]:
        """Sides of a participant by its own references."""

    def sides_to_match(
        self, conn: Connection, equal_keys: Collection[bytes], *, besides: Lei, limit: int
    ) -> Sequence[SideRow]:
        """Open sides of others with one of these keys, oldest first."""

    def sides_nearby(
        self,
        conn: Connection,
        *,
        reference_keys: Collection[bytes],
        security_keys: Collection[bytes],
        bare_security_keys: Collection[bytes],
        besides: Lei,
        limit: int,
    ) -> Sequence[SideRow]:
        """Open sides of others that may mean the same trade, oldest first.

        `bare_security_keys` finds those alone that give no common reference.
        """

    def sides_of(
        self, conn: Connection, trade_ids: Collection[TradeId]
    ) -> Mapping[TradeId, Sequence[SideRow]]:
        """Sides by trade, oldest first."""

    def add_sides(self, conn: Connection, rows: Sequence[SideRow]) -> None:
        """Write new sides."""

    def set_side_states(self, conn: Connection, rows: Sequence[SideRow]) -> None:
        """Write the state of sides."""

    def end_sides(self, conn: Connection, trade_ids: Collection[TradeId]) -> None:
        """Let the sides of these trades match no more."""


class TradeStore(Protocol):
    """Trades."""

    def add_trades(self, conn: Connection, rows: Sequence[TradeRow]) -> None:
        """Write new trades."""

    def update_trades(self, conn: Connection, rows: Sequence[TradeRow]) -> None:
        """Write all but the terms of trades, whose versions grew by one.

        Raises Broken where another version is stored.
        """

    def set_terms(self, conn: Connection, rows: Sequence[TradeRow]) -> None:
        """Write what a match decides: second side, terms, digest, nonce, window, accounts, value.

        `update_trades` has to follow for the same rows.
        """

    def trades(self, conn: Connection, ids: Collection[TradeId]) -> Mapping[TradeId, TradeRow]:
        """Trades by id, as far as known."""

    def trades_by_digest(
        self, conn: Connection, digests: Collection[InstructionId]
    ) -> Mapping[InstructionId, TradeRow]:
        """Trades by the digest of their terms."""

    def trades_on_nonces(
        self, conn: Connection, nonces: Collection[tuple[Address, int]]
    ) -> Mapping[tuple[Address, int], TradeId]:
        """Trades that bind these nonces of their initiators."""

    def trades_near(self, conn: Connection, trade_ids: Collection[TradeId]) -> Sequence[TradeRow]:
        """Unmatched trades whose differences are told from one of these."""

    def list_trades(
        self,
        conn: Connection,
        *,
        viewer: Lei | None,
        statuses: Collection[Status],
        below: TradeId | None,
        limit: int,
    ) -> Sequence[TradeRow]:
        """Newest first, ids below `below`; of one participant or, with None, of all."""

    def unsigned_trades(
        self, conn: Connection, lei: Lei, *, above: TradeId | None, limit: int
    ) -> Sequence[TradeRow]:
        """Matched trades that lack a consent of this participant, oldest first."""

    def overdue_trades(
        self, conn: Connection, chain_time: int, *, limit: int
    ) -> Sequence[TradeRow]:
        """Open trades whose deadline the chain's time has reached."""

    def count_unsettled(self, conn: Connection) -> Mapping[Status, int]:
        """How many trades there are in each status but Settled."""


class SignatureStore(Protocol):
    """Signatures that were checked."""

    def signatures(
        self, conn: Connection, digests: Collection[InstructionId]
    ) -> Mapping[InstructionId, Mapping[Address, bytes]]:
        """Consents by digest and account; a digest without any may be missing."""

    def wallet_signatures(
        self, conn: Connection, digests: Collection[InstructionId]
    ) -> Mapping[InstructionId, int]:
        """How many consents to each wallets gave; one without any is missing."""

    def add_signatures(self, conn: Connection, rows: Sequence[SignatureRow]) -> None:
        """Write consents. One that is there already stays."""

    def cancellations(
        self, conn: Connection, digest: InstructionId
    ) -> Mapping[Address, CancellationRow]:
        """Who asked to end an instruction."""

    def put_cancellation(self, conn: Connection, row: CancellationRow) -> None:
        """Write that an account asks to end an instruction, in place of what it asked before."""


class QueueStore(Protocol):
    """The executor's view of consented trades."""

    def ready_trades(self, conn: Connection, limit: int) -> Sequence[TradeRow]:
        """Ready ones: most urgent priority, then older settlement date, then larger value."""

    def sent_trades(self, conn: Connection) -> Sequence[TradeId]:
        """Those in transactions that no block is known to hold, in order of the transactions."""

    def trades_of_batch(self, conn: Connection, batch_id: int) -> Sequence[TradeRow]:
        """Those still carried by a transaction."""

    def trade_of_cancellation(self, conn: Connection, cancel_id: int) -> TradeRow | None:
        """The trade that a transaction is to cancel."""

    def positions(
        self, conn: Connection, trade_ids: Collection[TradeId]
    ) -> Mapping[TradeId, tuple[int, Queue | None]]:
        """Version and place in the queue, as they are now."""

    def move_in_queue(self, conn: Connection, rows: Sequence[TradeRow]) -> None:
        """Write queue, wake_at, batch_id and batch_cap alone: nothing that others are told."""

    def add_waits(self, conn: Connection, waits: Sequence[Wait]) -> None:
        """Remember what trades wait for."""

    def drop_waits(self, conn: Connection, trade_ids: Collection[TradeId]) -> None:
        """Forget what trades waited for."""

    def wake(
        self,
        conn: Connection,
        *,
        holdings: Collection[tuple[Address, AssetId]] = (),
        facts: Collection[str] = (),
    ) -> int:
        """Make ready who waits for one of these facts, or for a holding now enough; how many."""

    def wake_by_time(self, conn: Connection, at: int) -> int:
        """Make ready whoever waits for an instant that has come; how many."""

    def next_wake(self, conn: Connection) -> int | None:
        """The earliest instant that a trade waits for."""


class EventStore(Protocol):
    """What is told to others, in the order of the commits."""

    def append_events(self, conn: Connection, events: Sequence[NewEvent]) -> None:
        """Give them the next numbers. To be called last in a transaction: others wait for it."""

    def read_events(
        self, conn: Connection, *, viewer: Lei | None, after: int, limit: int
    ) -> Sequence[EventRow]:
        """A viewer's events with numbers above `after`; with None, all events."""

    def last_event(self, conn: Connection, *, viewer: Lei | None) -> int:
        """The viewer's last number; 0 before the first."""


class RequestStore(Protocol):
    """What must not be done twice."""

    def claim_key(
        self, conn: Connection, lei: Lei, key: str, body_digest: bytes, at: int
    ) -> StoredAnswer | None:
        """Take an idempotency key; None if it was free, else what it stands for."""

    def retake_key(self, conn: Connection, lei: Lei, key: str, at: int) -> None:
        """Take a key over from a request that never ended."""

    def answer_key(
        self, conn: Connection, lei: Lei, key: str, http_status: int, response: bytes
    ) -> None:
        """Keep the answer."""

    def free_key(self, conn: Connection, lei: Lei, key: str) -> None:
        """Let a key be taken again, where nothing was done under it."""

    def forget_keys(self, conn: Connection, before: int) -> int:
        """Drop keys that are older."""

    def use_request_nonce(self, conn: Connection, lei: Lei, nonce: str, expires_at: int) -> bool:
        """Whether the nonce was fresh; it is used now."""

    def forget_request_nonces(self, conn: Connection, before: int) -> int:
        """Drop nonces of requests that have expired."""


class TradingStore(
    DirectoryStore,
    BooksStore,
    SideStore,
    TradeStore,
    SignatureStore,
    QueueStore,
    EventStore,
    RequestStore,
    EscrowStore,
    Protocol,
):
    """All that the use cases write and read."""
