"""Shows trades: to a participant its own and those alleged to it, to operator and auditor all.

What another party stated stays its own where the viewer has no part in it: its reference, and its
client. The rest it had to state to name the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from settle.domain.errors import Conflict, InvalidInput, NotFound
from settle.domain.instruction import Instruction, accounts_of
from settle.domain.matching import Mismatch, proposed_terms
from settle.domain.window import Window
from settle.services.sign_instructions import own_accounts

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import Connection

    from settle.domain.ids import Address, InstructionId, Lei, TradeId
    from settle.domain.side import TradeSide
    from settle.domain.status import Status
    from settle.services.trade_rows import SideRow, TradeRow
    from settle.services.venue import Venue

MOST_AT_A_TIME: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeView:
    """A trade as a viewer sees it, sides oldest first. `consents`: the accounts that have signed.

    `differences` are told as the viewer sees them: ours is the viewer's side, for operator and
    auditor that of the first side. `alleged`: the viewer is named and has not answered.
    """

    trade: TradeRow
    sides: tuple[TradeSide, ...]
    differences: tuple[Mismatch, ...]
    consents: tuple[Address, ...]
    alleged: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """All that settles, cancels or releases without us: the terms and every signature, in order."""

    trade_id: TradeId
    digest: InstructionId
    instruction: Instruction
    accounts: tuple[Address, ...]
    signatures: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToSign:
    """An instruction that waits for a participant's consent, by `accounts` of its own.

    `own_side` is what it instructed, to compare the terms with.
    """

    trade: TradeRow
    own_side: TradeSide
    accounts: tuple[Address, ...]


def list_trades(
    venue: Venue,
    conn: Connection,
    viewer: Lei | None,
    *,
    statuses: Collection[Status] = (),
    below: TradeId | None = None,
    limit: int = 100,
) -> list[TradeView]:
    """List trades, newest first, ids below `below`. `viewer` None sees all."""
    _check_limit(limit)
    rows = venue.store.list_trades(conn, viewer=viewer, statuses=statuses, below=below, limit=limit)
    return view_trades(venue, conn, viewer, rows)


def show_trade(venue: Venue, conn: Connection, viewer: Lei | None, trade_id: TradeId) -> TradeView:
    """Show one trade. Raises NotFound also for a trade that the viewer has no part in."""
    return view_trades(venue, conn, viewer, [find_trade(venue, conn, viewer, trade_id)])[0]


def find_trade(venue: Venue, conn: Connection, viewer: Lei | None, trade_id: TradeId) -> TradeRow:
    """The row of a trade that the viewer may see. Raises NotFound for any other."""
    row = venue.store.trades(conn, [trade_id]).get(trade_id)
    if row is None or (viewer is not None and viewer not in row.parties):
        raise NotFound(f"there is no trade {trade_id}")
    return row


def view_trades(
    venue: Venue, conn: Connection, viewer: Lei | None, rows: Sequence[TradeRow]
) -> list[TradeView]:
    """Show rows that the viewer may see, in two statements whatever their number."""
    sides = venue.store.sides_of(conn, [row.trade_id for row in rows])
    digests = [row.digest for row in rows if row.digest is not None]
    consents = venue.store.signatures(conn, digests)
    return [
        _view(
            row,
            sides.get(row.trade_id, ()),
            tuple(consents.get(row.digest, ())) if row.digest is not None else (),
            viewer,
        )
        for row in rows
    ]


def list_to_sign(
    venue: Venue,
    conn: Connection,
    lei: Lei,
    *,
    above: TradeId | None = None,
    limit: int = 100,
) -> list[ToSign]:
    """List the instructions that wait for a participant's consent, oldest first."""
    _check_limit(limit)
    rows = venue.store.unsigned_trades(conn, lei, above=above, limit=limit)
    sides = venue.store.sides_of(conn, [row.trade_id for row in rows])
    return [
        ToSign(
            trade=row,
            own_side=next(s.side for s in sides[row.trade_id] if s.side.submitted_by == lei),
            accounts=own_accounts(row, lei),
        )
        for row in rows
    ]


def show_bundle(venue: Venue, conn: Connection, viewer: Lei | None, trade_id: TradeId) -> Bundle:
    """Give the terms with all signatures, to both parties as soon as the last one is there.

    Raises: NotFound; Conflict `bundle_incomplete` while a signature is missing.
    """
    row = find_trade(venue, conn, viewer, trade_id)
    if row.instruction is None or row.digest is None:
        raise Conflict("bundle_incomplete", "the trade has not matched")
    given = venue.store.signatures(conn, [row.digest]).get(row.digest, {})
    accounts = accounts_of(row.instruction)
    missing = [account for account in accounts if account not in given]
    if missing:
        raise Conflict("bundle_incomplete", f"{len(missing)} signatures are missing")
    return Bundle(
        trade_id=trade_id,
        digest=row.digest,
        instruction=row.instruction,
        accounts=accounts,
        signatures=tuple(given[account] for account in accounts),
    )


def alleged_terms(venue: Venue, conn: Connection, viewer: Lei, trade_id: TradeId) -> Instruction:
    """Give the terms that result if the viewer states the same as the side alleged to it.

    What it signs to answer an allegement in one request.
    Raises: NotFound; Conflict `not_alleged` where the viewer has nothing to answer.
    """
    row = find_trade(venue, conn, viewer, trade_id)
    sides = venue.store.sides_of(conn, [trade_id])[trade_id]
    if row.digest is not None or len(sides) != 1 or sides[0].side.submitted_by == viewer:
        raise Conflict("not_alleged", f"the trade {trade_id} waits for no answer of yours")
    side = sides[0].side
    codes = [code for code in (side.isin, side.currency) if code is not None]
    own = venue.store.accounts_of(conn, row.parties)
    return proposed_terms(
        side,
        venue.store.asset_numbers(conn, codes),
        {lei: accounts[0] for lei, accounts in own.items()},
        Window(settle_from=row.settle_from, settle_by=row.settle_by),
    )


def _check_limit(limit: int) -> None:
    if not 0 < limit <= MOST_AT_A_TIME:
        raise InvalidInput("limit_range", f"between 1 and {MOST_AT_A_TIME} at a time", "/limit")


def _view(
    row: TradeRow, sides: Sequence[SideRow], consents: tuple[Address, ...], viewer: Lei | None
) -> TradeView:
    own = viewer is None or any(one.side.submitted_by == viewer for one in sides)
    first = viewer is None or (bool(sides) and sides[0].side.submitted_by == viewer)
    return TradeView(
        trade=row,
        sides=tuple(_shown(one.side, viewer) for one in sides),
        differences=row.differences if first else tuple(map(_turned, row.differences)),
        consents=consents,
        alleged=not own,
    )


def _shown(side: TradeSide, viewer: Lei | None) -> TradeSide:
    if viewer is None or side.submitted_by == viewer:
        return side
    if side.movement == "DELI":
        return replace(side, reference="", delivering_client=None)
    return replace(side, reference="", receiving_client=None)


def _turned(one: Mismatch) -> Mismatch:
    return replace(one, ours=one.theirs, theirs=one.ours)
