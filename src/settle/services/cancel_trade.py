"""Ends a trade before it settles: alone while it is unmatched, by both parties from then on.

A match is a fact of both sides, so each of them signs the cancellation. What was matched may have
been signed by its parties without our knowledge; only the chain can make that worthless, so the
cancellation goes there and the trade is cancelled when a final block says so. Both sign one
instant until which that serves: whoever asks first names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from settle.domain.instruction import accounts_of, cancellation_digest
from settle.domain.reasons import Reason
from settle.domain.status import SideCancelled, Status
from settle.services.chain_calls import SignedInstruction
from settle.services.changes import Changes, load_current
from settle.services.check_signature import signer_among
from settle.services.differences import COUNTERPARTY_CANCELLED, forget_nearby
from settle.services.sign_instructions import own_accounts
from settle.services.trade_rows import CancellationRow, Queue, TradeRow

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.domain.ids import Address, InstructionId, Lei, TradeId
    from settle.services.venue import Venue


MINIMUM_VALIDITY_S: Final = 30
"""Shorter than this a cancellation may come too late for a block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCancellation:
    """A signature over Cancellation(account, instruction, validBy); `valid_by` in unix seconds."""

    valid_by: int
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCancellation:
    """A request to cancel, and the trade as it was when that was checked.

    `account` and `signed` are there if the trade had matched by then.
    """

    trade: TradeRow
    caller: Lei
    account: Address | None = None
    signed: SignedCancellation | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """What became of it. Not ended: `missing` are the accounts that have not asked for it yet.

    With none missing it is on its way to the chain. `valid_by` is what they all have to sign.
    """

    trade: TradeRow
    missing: tuple[Address, ...] = ()
    valid_by: int | None = None


def check_cancellation(
    venue: Venue, caller: Lei, trade_id: TradeId, signed: SignedCancellation | None
) -> CheckedCancellation:
    """Find out whether the caller may ask for it. No lock is held: a wallet may have to be asked.

    Raises: NotFound; Forbidden for an allegement, which is not the caller's to cancel, or for
    somebody else's signature; InvalidInput `signature_missing` for a trade that has matched.
    """
    with venue.database.reading() as conn:
        trade = venue.store.trades(conn, [trade_id]).get(trade_id)
        if trade is None or caller not in trade.parties:
            raise NotFound(f"you have no trade {trade_id}")
        sides = venue.store.sides_of(conn, [trade_id])[trade_id]
    if trade.digest is None:
        if all(row.side.submitted_by != caller for row in sides):
            raise Forbidden(f"the trade {trade_id} is alleged to you: do not answer it")
        return CheckedCancellation(trade=trade, caller=caller)
    if signed is None:
        message = "a matched trade is cancelled by both: sign Cancellation(account,instruction,..)"
        raise InvalidInput("signature_missing", message, "/signature")
    account = _signer(venue, trade.digest, own_accounts(trade, caller), signed)
    return CheckedCancellation(trade=trade, caller=caller, account=account, signed=signed)


def _signer(
    venue: Venue,
    digest: InstructionId,
    accounts: tuple[Address, ...],
    signed: SignedCancellation,
) -> Address:
    for account in accounts:
        of_it = cancellation_digest(account, digest, venue.domain, valid_by=signed.valid_by)
        if signer_among(venue, of_it, signed.signature, (account,)) is not None:
            return account
    message = "the signature is not one of your account over this cancellation"
    raise Forbidden(message, code="signature_of_another")


def cancel_trade(
    venue: Venue, conn: Connection, request: CheckedCancellation, at: int
) -> Cancellation:
    """Cancel an unmatched trade, or note that the caller asks to cancel a matched one.

    When all accounts have asked, the cancellation is sent to the chain. Asking again is no fault.
    Raises: Conflict `trade_ended` for a trade that has ended otherwise; `trade_matched` if it
    matched in between: ask again with a signature; `valid_by_differs` if the other party has asked
    with another `valid_by`, which still serves; InvalidInput `valid_by` for one that is too near.
    """
    number = request.trade.trade_id
    changes = Changes(load_current(venue.store, conn, [request.trade]).values())
    trade = changes[number]
    if trade.status is Status.CANCELLED:
        return Cancellation(trade=trade)
    if trade.status.is_terminal:
        raise Conflict("trade_ended", f"the trade {number} is {trade.status}", trade.reasons)
    if trade.status is Status.UNMATCHED:
        _cancel_unmatched(venue, conn, changes, trade, at)
        missing: tuple[Address, ...] = ()
    else:
        missing = _ask(venue, conn, changes, request, at)
    changes.save(venue.store, conn)
    valid_by = None if request.signed is None else request.signed.valid_by
    return Cancellation(trade=changes[number], missing=missing, valid_by=valid_by)


def _cancel_unmatched(
    venue: Venue, conn: Connection, changes: Changes, trade: TradeRow, at: int
) -> None:
    sides = venue.store.sides_of(conn, [trade.trade_id])[trade.trade_id]
    # Terms that were signed beforehand could still settle, so their nonce stays theirs.
    presigned = any(row.presigned is not None for row in sides)
    changes.edit(trade.trade_id, nonce_bound=presigned)
    changes.change(trade.trade_id, SideCancelled(at=at, reasons=(Reason(code="CANI"),)))
    gone = [trade.trade_id]
    forget_nearby(venue.store, conn, changes, gone, COUNTERPARTY_CANCELLED, at)


def _ask(
    venue: Venue, conn: Connection, changes: Changes, request: CheckedCancellation, at: int
) -> tuple[Address, ...]:
    """Note the request; who has not asked yet."""
    trade = changes[request.trade.trade_id]
    signed, account = request.signed, request.account
    if signed is None or account is None or trade.digest is None or trade.instruction is None:
        message = f"the trade {trade.trade_id} has matched: cancelling it takes a signature"
        raise Conflict("trade_matched", message)
    if trade.cancel_id is not None:
        return ()
    if signed.valid_by < at + MINIMUM_VALIDITY_S:
        message = f"it must serve for {MINIMUM_VALIDITY_S} seconds at least"
        raise InvalidInput("valid_by", message, "/valid_by")
    asked = dict(venue.store.cancellations(conn, trade.digest))
    for other in asked.values():
        if other.account != account and signed.valid_by != other.valid_by > at:
            message = f"the other party asks for it until {other.valid_by}: sign that instant"
            raise Conflict("valid_by_differs", message)
    asked[account] = CancellationRow(
        digest=trade.digest,
        account=account,
        valid_by=signed.valid_by,
        signature=signed.signature,
        created_at=at,
    )
    venue.store.put_cancellation(conn, asked[account])
    told = {"requested_by": request.caller, "valid_by": str(signed.valid_by)}
    changes.tell("trade.cancellation_requested", trade, at, **told)
    agreed = {a for a, row in asked.items() if row.valid_by == signed.valid_by}
    missing = tuple(one for one in accounts_of(trade.instruction) if one not in agreed)
    if not missing:
        sent = send_cancellation(venue, conn, trade, at)
        changes.edit(
            trade.trade_id,
            cancel_id=sent,
            queue=_stays_in_flight(trade),
            wake_at=None,
            updated_at=at,
        )
    return missing


def send_cancellation(venue: Venue, conn: Connection, trade: TradeRow, at: int) -> int | None:
    """Send to the chain what all accounts have signed; the number of the transaction.

    None if it is not the same for all of them, or serves no more.
    """
    if trade.instruction is None or trade.digest is None:
        return None
    asked = venue.store.cancellations(conn, trade.digest)
    accounts = accounts_of(trade.instruction)
    until = {asked[account].valid_by if account in asked else 0 for account in accounts}
    if len(until) != 1 or min(until) <= at:
        return None
    call = SignedInstruction(
        instruction=trade.instruction,
        signatures=tuple(asked[account].signature for account in accounts),
    )
    return venue.outgoing.cancel(conn, call, valid_by=min(until))


def _stays_in_flight(trade: TradeRow) -> Queue | None:
    """What is in a transaction already may still settle before it is cancelled."""
    return trade.queue if trade.queue in {Queue.SENT, Queue.SEEN} else None
