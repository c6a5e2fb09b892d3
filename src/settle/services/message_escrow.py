"""Takes what the people of an escrow send: signatures, evidence, splits, disputes, rulings.

Each message is checked before it is stored: whose it is, that it speaks of this escrow and
milestone, and that its kind has a place in the terms. Whether it is in time, the contract says.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from settle.domain.errors import Conflict, Forbidden, InvalidInput, NotFound
from settle.domain.escrow.clock import agreeing_of, conditions_of, may_be_disputed, moved_in
from settle.domain.escrow.conditions import Feed, evidence_leaves
from settle.domain.escrow.events import Outcome
from settle.domain.escrow.evidence import Binds, Facts, Standing, evaluate
from settle.domain.escrow.terms import (
    FALLBACK_INDEX,
    dispute_digest,
    escrow_withdrawal_digest,
    lines_of,
    parties_of,
    ruling_digest,
    signers_of,
    split_digest,
)
from settle.domain.ids import ZERO_ADDRESS, Address, to_hex
from settle.services.check_signature import signer_among
from settle.services.escrow_news import tell_people
from settle.services.escrow_rows import EscrowRow, EscrowStatus, MessageKind, MessageRow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from settle.domain.escrow.state import EscrowRecord
    from settle.domain.escrow.terms import EscrowId
    from settle.domain.ids import Lei
    from settle.services.venue import Venue


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message as it was brought. Fields that its kind does not have stay as they are here.

    `place`: the piece of evidence it is, or the arbiter's place in the panel. `data`: the evidence,
    or the hash of the file in a dispute, or a ruling's reason of four letters.
    """

    kind: MessageKind
    author: Address = ZERO_ADDRESS
    milestone: int = 0
    place: int = 0
    paid: tuple[int, ...] = ()
    data: bytes = b""
    valid_by: int = 0
    signature: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedMessage:
    """A message that may be stored, and the escrow that it is about."""

    escrow: EscrowRow
    row: MessageRow


def visible_escrow(
    venue: Venue, conn: Connection, caller: Lei | None, escrow: EscrowId
) -> EscrowRow:
    """The escrow, if the caller has a part in it; None sees all. Raises: NotFound."""
    row = venue.store.escrow(conn, escrow)
    if row is not None and caller is not None:
        own = venue.store.accounts_of(conn, [caller]).get(caller, ())
        if not venue.store.is_seen_by(conn, escrow, own):
            row = None
    if row is None:
        raise NotFound(f"you have no escrow {to_hex(escrow)}")
    return row


def check_message(
    venue: Venue, caller: Lei, escrow: EscrowId, message: Message, at: int
) -> CheckedMessage:
    """Find out whether a message is good. No lock is held: a wallet may have to be asked.

    Anyone with a part in the escrow brings anyone's message: the signature says whose it is.
    Raises: NotFound; Forbidden `signature_of_another`; InvalidInput for what has no place in the
    terms; Conflict for what comes too late; Reverted for evidence that the contract would refuse.
    """
    with venue.database.reading() as conn:
        row = visible_escrow(venue, conn, caller, escrow)
        record = venue.store.escrow_records(conn, [escrow]).get(escrow)
    check = {
        MessageKind.CONSENT: _check_consent,
        MessageKind.WITHDRAWAL: _check_withdrawal,
        MessageKind.EVIDENCE: _check_evidence,
        MessageKind.AGREEMENT: _check_agreement,
        MessageKind.DISPUTE: _check_dispute,
        MessageKind.RULING: _check_ruling,
    }[message.kind]
    if message.milestone >= len(row.terms.deadlines):
        raise InvalidInput("milestone", "the terms have no such milestone", "/milestone")
    author = check(venue, row, record, message, at)
    return CheckedMessage(
        escrow=row,
        row=MessageRow(
            escrow=escrow,
            milestone=message.milestone,
            kind=message.kind,
            author=author,
            place=message.place,
            content={
                "paid": [str(amount) for amount in message.paid],
                "data": to_hex(message.data),
                "valid_by": str(message.valid_by),
                "signature": to_hex(message.signature),
            },
            created_at=at,
        ),
    )


def accept_message(venue: Venue, conn: Connection, checked: CheckedMessage, at: int) -> EscrowRow:
    """Store a checked message, tell it, and have the executor look at the escrow."""
    row = venue.store.escrow(conn, checked.escrow.escrow)
    assert row is not None, "escrows are never deleted"
    if row.status.is_terminal:
        raise Conflict("escrow_ended", f"the escrow is {row.status.value}")
    venue.store.put_messages(conn, [checked.row])
    status = row.status
    if checked.row.kind is MessageKind.CONSENT and status is EscrowStatus.PROPOSED:
        signed = {
            one.author
            for one in venue.store.messages(conn, row.escrow)
            if one.kind is MessageKind.CONSENT
        }
        if signed >= set(signers_of(row.terms)):
            status = EscrowStatus.SIGNED
    wakes = status is not EscrowStatus.PROPOSED or checked.row.kind is MessageKind.WITHDRAWAL
    row = venue.store.update_escrow(
        conn,
        replace(row, status=status, wake_at=at if wakes else row.wake_at, updated_at=at),
    )
    tell_people(
        venue,
        conn,
        row,
        f"escrow.{checked.row.kind.value}",
        at,
        milestone=checked.row.milestone,
        author=to_hex(checked.row.author),
    )
    return row


# ------------------------------------------------------------------------------ each kind


def _check_consent(
    venue: Venue, row: EscrowRow, record: EscrowRecord | None, message: Message, at: int
) -> Address:
    _require_unopened(row, record, at)
    return _author(venue, row.escrow, message, signers_of(row.terms))


def _check_withdrawal(
    venue: Venue, row: EscrowRow, record: EscrowRecord | None, message: Message, at: int
) -> Address:
    _require_unopened(row, record, at)
    if message.author not in signers_of(row.terms):
        raise InvalidInput("author", "who withdraws is one of those who sign", "/author")
    digest = escrow_withdrawal_digest(message.author, row.escrow, venue.domain)
    return _author(venue, digest, message, (message.author,))


def _check_evidence(
    venue: Venue, row: EscrowRow, record: EscrowRecord | None, message: Message, at: int
) -> Address:
    opened = _require_running(record, message.milestone)
    leaves = evidence_leaves(conditions_of(row.terms)[message.milestone])
    if message.place >= len(leaves):
        raise InvalidInput("place", f"the condition takes {len(leaves)} pieces", "/place")
    leaf = leaves[message.place]
    if isinstance(leaf, Feed):
        return ZERO_ADDRESS  # a feed is asked on chain, when the condition is shown
    standing = Standing(
        escrow=row.escrow,
        milestone=message.milestone,
        opened_at=opened.opened_at,
        moved=lambda instant: moved_in(row.terms, opened, message.milestone, instant),
        outcomes=opened.outcomes,
        domain=venue.domain,
        facts=Facts(binds=_binds(venue), recovers=_recovers(venue)),
        is_recorded=lambda _instruction: False,
        cannot_settle=lambda _instruction: True,
    )
    condition = conditions_of(row.terms)[message.milestone]
    pieces = [message.data if k == message.place else b"" for k in range(len(leaves))]
    evaluate(condition, pieces, standing, now=at)
    return ZERO_ADDRESS


def _check_agreement(
    venue: Venue, row: EscrowRow, record: EscrowRecord | None, message: Message, at: int
) -> Address:
    _require_running(record, message.milestone)
    _require_paid(row, message)
    _require_valid(message, at)
    if message.author not in agreeing_of(row.terms, message.milestone):
        raise InvalidInput("author", "who agrees has money that hangs on the outcome", "/author")
    digest = split_digest(
        *(row.escrow, message.milestone, message.author, message.paid),
        valid_by=message.valid_by,
        domain=venue.domain,
    )
    return _author(venue, digest, message, (message.author,))


def _check_dispute(
    venue: Venue, row: EscrowRow, record: EscrowRecord | None, message: Message, at: int
) -> Address:
    opened = _require_running(record, message.milestone)
    if opened.disputed_at[message.milestone] is not None:
        raise Conflict("disputed_before", "a milestone is disputed once")
    if not may_be_disputed(row.terms, message.milestone):
        raise InvalidInput("dispute", "the terms allow no dispute of this milestone", "/milestone")
    if message.author not in parties_of(row.terms, message.milestone):
        raise InvalidInput("author", "who disputes is a party of the milestone", "/author")
    _require_valid(message, at)
    digest = dispute_digest(
        *(row.escrow, message.milestone, message.author, message.data),
        valid_by=message.valid_by,
        domain=venue.domain,
    )
    return _author(venue, digest, message, (message.author,))


def _check_ruling(
    venue: Venue, row: EscrowRow, record: EscrowRecord | None, message: Message, at: int
) -> Address:
    _require_running(record, message.milestone)
    _require_paid(row, message)
    _require_valid(message, at)
    panel = dict(enumerate(row.terms.arbiters)) | {FALLBACK_INDEX: row.terms.fallback_arbiter}
    arbiter = panel.get(message.place, ZERO_ADDRESS)
    if arbiter == ZERO_ADDRESS:
        raise InvalidInput("place", "the panel has no such arbiter", "/place")
    digest = ruling_digest(
        *(row.escrow, message.milestone, arbiter, message.paid),
        reason=message.data,
        valid_by=message.valid_by,
        domain=venue.domain,
    )
    return _author(venue, digest, message, (arbiter,))


# ------------------------------------------------------------------------------ parts


def _author(venue: Venue, digest: bytes, message: Message, accounts: Sequence[Address]) -> Address:
    found = signer_among(venue, digest, message.signature, accounts)
    if found is None:
        raise Forbidden(
            "the signature is not of one who may send this, over this", code="signature_of_another"
        )
    return found.account


def _require_unopened(row: EscrowRow, record: EscrowRecord | None, at: int) -> None:
    if record is not None or row.status not in {EscrowStatus.PROPOSED, EscrowStatus.SIGNED}:
        raise Conflict("escrow_opened", f"the escrow is {row.status.value}")
    if at >= row.terms.open_by:
        raise Conflict("escrow_lapsed", "the time to open the escrow is over")


def _require_running(record: EscrowRecord | None, milestone: int) -> EscrowRecord:
    if record is None:
        raise Conflict("escrow_not_open", "the escrow is not open")
    if record.outcomes[milestone] is not Outcome.NONE:
        raise Conflict("milestone_ended", "the milestone has its outcome")
    return record


def _require_paid(row: EscrowRow, message: Message) -> None:
    lines = lines_of(row.terms, message.milestone)
    if len(message.paid) != len(lines):
        raise InvalidInput("paid", f"the milestone has {len(lines)} lines", "/paid")
    for k, (line, amount) in enumerate(zip(lines, message.paid, strict=True)):
        if amount > line.quantity:
            raise InvalidInput("paid", f"{line.quantity} are held", f"/paid/{k}")


def _require_valid(message: Message, at: int) -> None:
    if message.valid_by <= at:
        raise InvalidInput("valid_by", "the message is over already", "/valid_by")


def _recovers(venue: Venue) -> Binds:
    def recovers(account: Address, digest: bytes, signature: bytes) -> bool:
        try:
            return venue.recover(digest, signature) == account
        except InvalidInput:
            return False

    return recovers


def _binds(venue: Venue) -> Binds:
    def binds(account: Address, digest: bytes, signature: bytes) -> bool:
        return signer_among(venue, digest, signature, (account,)) is not None

    return binds
