"""Takes the consents of accounts to matched instructions, one or many."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.domain.errors import Forbidden, InvalidInput, NotFound
from settle.domain.ids import to_hex
from settle.domain.instruction import accounts_of
from settle.domain.status import ConsentsComplete, Status
from settle.services.changes import Changes, load_current
from settle.services.check_signature import signer_among
from settle.services.examine_sides import by_index
from settle.services.trade_rows import Queue, SignatureRow, TradeRow

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection

    from settle.domain.ids import Address, InstructionId, Lei
    from settle.services.venue import Venue

MAX_SIGNATURES: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """A signature as it was brought: over the digest, of one of the caller's accounts."""

    digest: InstructionId
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedConsent:
    """A consent and whose it is; the trade as it was when that was checked."""

    trade: TradeRow
    digest: InstructionId
    account: Address
    signature: bytes
    by_wallet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """What became of a consent. Not accepted: the trade has ended or is being cancelled."""

    digest: InstructionId
    account: Address
    trade: TradeRow
    accepted: bool


def own_accounts(trade: TradeRow, lei: Lei) -> tuple[Address, ...]:
    """The accounts of a participant in a matched trade."""
    ends = (
        (trade.deliverer_lei, trade.deliverer_account),
        (trade.receiver_lei, trade.receiver_account),
    )
    return tuple(account for owner, account in ends if owner == lei and account is not None)


def check_consents(
    venue: Venue,
    caller: Lei,
    consents: Sequence[Consent],
    *,
    pointer: Callable[[int], str] = by_index,
) -> list[CheckedConsent]:
    """Find out whose signatures these are. No lock is held: a wallet may have to be asked.

    Raises: NotFound for a digest that the caller has no part in; Forbidden `signature_of_another`
    for one that none of the caller's accounts in it gave. Either refuses all of them.
    """
    if not 0 < len(consents) <= MAX_SIGNATURES:
        raise InvalidInput("signatures_count", f"1 to {MAX_SIGNATURES} signatures at a time")
    with venue.database.reading() as conn:
        trades = venue.store.trades_by_digest(conn, {one.digest for one in consents})
    checked = []
    for index, one in enumerate(consents):
        trade = trades.get(one.digest)
        if trade is None or caller not in trade.parties:
            raise NotFound(f"{pointer(index)}: no instruction {to_hex(one.digest)} of yours")
        signer = signer_among(venue, one.digest, one.signature, own_accounts(trade, caller))
        if signer is None:
            message = f"{pointer(index)}: the signature is not of your account over these terms"
            raise Forbidden(message, code="signature_of_another")
        checked.append(
            CheckedConsent(
                trade=trade,
                digest=one.digest,
                account=signer.account,
                signature=one.signature,
                by_wallet=signer.by_wallet,
            )
        )
    return checked


def sign_instructions(
    venue: Venue, conn: Connection, consents: Sequence[CheckedConsent], at: int
) -> list[Signed]:
    """Store consents that `check_consents` passed. With the last one of a trade it is affirmed.

    Idempotent: a consent that is there already changes nothing.
    """
    changes = Changes(load_current(venue.store, conn, [one.trade for one in consents]).values())
    there = venue.store.signatures(conn, {one.digest for one in consents})
    signers: dict[InstructionId, set[Address]] = defaultdict(set)
    for digest, given in there.items():
        signers[digest] = set(given)
    rows: list[SignatureRow] = []
    accepted: dict[InstructionId, bool] = {}
    for one in consents:
        trade = changes[one.trade.trade_id]
        accepted[one.digest] = one.account in signers[one.digest] or _awaits_consent(trade)
        if not _awaits_consent(trade) or one.account in signers[one.digest]:
            continue
        signers[one.digest].add(one.account)
        rows.append(_row(one, at))
        _affirm_if_complete(changes, trade, signers, at)
    venue.store.add_signatures(conn, rows)
    changes.save(venue.store, conn)
    return [
        Signed(
            digest=one.digest,
            account=one.account,
            trade=changes[one.trade.trade_id],
            accepted=accepted[one.digest],
        )
        for one in consents
    ]


def _awaits_consent(trade: TradeRow) -> bool:
    return trade.status is Status.MATCHED and trade.cancel_id is None


def _affirm_if_complete(
    changes: Changes,
    trade: TradeRow,
    signers: Mapping[InstructionId, set[Address]],
    at: int,
) -> None:
    if trade.instruction is None or trade.digest is None:
        return
    if signers[trade.digest] >= set(accounts_of(trade.instruction)):
        changes.change(trade.trade_id, ConsentsComplete(at=at))
        changes.edit(trade.trade_id, queue=Queue.READY)
    else:
        changes.tell("trade.signed", changes.edit(trade.trade_id, updated_at=at), at)


def _row(one: CheckedConsent, at: int) -> SignatureRow:
    return SignatureRow(
        digest=one.digest,
        account=one.account,
        signature=one.signature,
        created_at=at,
        by_wallet=one.by_wallet,
    )
