"""Examines sides before anything is stored: form, register, terms, and what was signed beforehand.

No lock is held meanwhile, because it may ask a wallet on chain and because hashing takes time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.domain.errors import Forbidden, InvalidInput
from settle.domain.ids import AssetId, InstructionId
from settle.domain.instruction import accounts_of, instruction_id
from settle.domain.matching import check_side, proposed_terms
from settle.services.check_signature import signer_among
from settle.services.records import altered
from settle.services.trade_rows import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from settle.domain.ids import Address, Lei
    from settle.domain.instruction import Instruction
    from settle.domain.side import TradeSide
    from settle.domain.window import Window
    from settle.services.trade_rows import ParticipantRow
    from settle.services.venue import Venue

MAX_SIDES: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SideRequest:
    """A side to be submitted; its `side_id` and `received_at` are not read.

    `signature` is the submitter's consent, given beforehand over the full terms: its own proposal
    (`settle.domain.matching.proposed_terms`), or the terms of the allegement that it answers. Then
    `instruction` says which; without it the proposal is meant.
    """

    side: TradeSide
    instruction: Instruction | None = None
    signature: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Presigned:
    """A consent that was checked. `answers`: the terms are those of an allegement."""

    instruction: Instruction
    digest: InstructionId
    account: Address
    signature: bytes
    by_wallet: bool
    answers: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ExaminedSide:
    """A side whose own account is settled. `over`: it comes too late, unless it is a repeat."""

    side: TradeSide
    account: Address
    assets: Mapping[str, AssetId]
    window: Window
    over: bool
    pointer: str
    presigned: Presigned | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """What the sides refer to, read in one go."""

    participants: Mapping[Lei, ParticipantRow]
    accounts: Mapping[Lei, Sequence[Address]]
    assets: Mapping[str, AssetId]

    @property
    def defaults(self) -> dict[Lei, Address]:
        """The account of each participant where a side names none."""
        return {lei: own[0] for lei, own in self.accounts.items() if own}


def by_index(index: int) -> str:
    """The pointer to an item of a list."""
    return f"/{index}"


def examine_sides(
    venue: Venue,
    caller: Lei,
    requests: Sequence[SideRequest],
    at: int,
    *,
    pointer: Callable[[int], str] = by_index,
) -> list[ExaminedSide]:
    """Check everything about sides that does not depend on what waits to match.

    `pointer` gives the JSON pointer of an item, for the messages.
    Raises: InvalidInput naming the item and the member; Forbidden for a submitter that is not the
    caller, an account of somebody else, or a signature that is not the submitter's.
    """
    if not 0 < len(requests) <= MAX_SIDES:
        raise InvalidInput("sides_count", f"between 1 and {MAX_SIDES} sides at a time")
    for index, request in enumerate(requests):
        if request.side.submitted_by != caller:
            raise Forbidden(f"{pointer(index)}: a side is submitted by its own party")
    _refuse_doubles(requests, pointer)
    register = read_register(venue, [request.side for request in requests])
    examined = []
    for index, request in enumerate(requests):
        try:
            examined.append(_examine(venue, request, register, at, pointer(index)))
        except InvalidInput as fault:
            raise fault.under(pointer(index)) from None
    return examined


def read_register(venue: Venue, sides: Sequence[TradeSide]) -> Register:
    """Read the participants, accounts and assets that sides name."""
    leis = {lei for side in sides for lei in (side.delivering_party, side.receiving_party)}
    codes = {str(side.isin) for side in sides}
    codes |= {str(side.currency) for side in sides if side.currency is not None}
    with venue.database.reading() as conn:
        return Register(
            participants=venue.store.participants_of(conn, leis),
            accounts=venue.store.accounts_of(conn, leis),
            assets=venue.store.asset_numbers(conn, codes),
        )


def _refuse_doubles(requests: Sequence[SideRequest], pointer: Callable[[int], str]) -> None:
    seen: dict[str, int] = {}
    for index, request in enumerate(requests):
        reference = request.side.reference
        if reference in seen:
            message = f"the reference {reference!r} stands at {pointer(seen[reference])}, too"
            raise InvalidInput("reference_twice", message, f"{pointer(index)}/reference")
        seen[reference] = index


def _examine(
    venue: Venue, request: SideRequest, register: Register, at: int, pointer: str
) -> ExaminedSide:
    side = request.side
    check_side(side)
    _check_parties(side, register)
    account = _own_account(side, register, pointer)
    side = altered(side, account=account)
    window = venue.rules.window(side.settlement_date)
    presigned = _presigned(venue, request, side, account, register, window)
    if presigned is not None and not presigned.answers:
        others = next(a for a in accounts_of(presigned.instruction) if a != account)
        side = altered(side, counterparty_account=others)
    return ExaminedSide(
        side=side,
        account=account,
        assets=register.assets,
        window=window,
        over=window.settle_by <= at,
        pointer=pointer,
        presigned=presigned,
    )


def _check_parties(side: TradeSide, register: Register) -> None:
    for member, lei in (
        ("delivering_party", side.delivering_party),
        ("receiving_party", side.receiving_party),
    ):
        row = register.participants.get(lei)
        if row is None or row.role is not Role.PARTICIPANT:
            raise InvalidInput("party_unknown", f"{lei} is no participant", f"/{member}")
        if not register.accounts.get(lei):
            raise InvalidInput("account_unknown", f"{lei} has no account", f"/{member}")
    for member, code in (("isin", side.isin), ("currency", side.currency)):
        if code is not None and code not in register.assets:
            raise InvalidInput("asset_unknown", f"there is no asset {code}", f"/{member}")
    told = side.counterparty_account
    if told is not None and told not in register.accounts[side.counterparty]:
        message = "the account is not one of the counterparty's"
        raise InvalidInput("account_unknown", message, "/counterparty_account")


def _own_account(side: TradeSide, register: Register, pointer: str) -> Address:
    own = register.accounts[side.submitted_by]
    if side.account is None:
        return own[0]
    if side.account not in own:
        raise Forbidden(f"{pointer}/account: the account is not one of the submitter's")
    return side.account


def _presigned(
    venue: Venue,
    request: SideRequest,
    side: TradeSide,
    account: Address,
    register: Register,
    window: Window,
) -> Presigned | None:
    if request.signature is None:
        if request.instruction is not None:
            message = "an instruction is brought for its signature, and there is none"
            raise InvalidInput("signature_missing", message, "/signature")
        return None
    proposed = proposed_terms(side, register.assets, register.defaults, window)
    given = request.instruction or proposed
    answers = given != proposed and given.initiator != account
    if not answers:
        _check_proposal(side, given, proposed)
    elif account not in accounts_of(given):
        message = "your account does not stand in this instruction"
        raise InvalidInput("instruction_differs", message, "/instruction")
    digest = instruction_id(given, venue.domain)
    signer = signer_among(venue, digest, request.signature, (account,))
    if signer is None:
        message = "the signature is not one of your account over the terms of this side"
        raise Forbidden(message, code="signature_of_another")
    return Presigned(
        instruction=given,
        digest=digest,
        account=account,
        signature=request.signature,
        by_wallet=signer.by_wallet,
        answers=answers,
    )


def _check_proposal(side: TradeSide, given: Instruction, proposed: Instruction) -> None:
    """Refuse to hold a signature that the other side's answer could make worthless."""
    if side.payment == "APMT" and side.movement == "RECE":
        message = "the deliverer's amount counts, so the receiver signs after the match"
        raise InvalidInput("presignature_of_receiver", message, "/signature")
    if side.partial_allowed:
        message = "whether parts are allowed is known after the match: sign then"
        raise InvalidInput("presignature_with_parts", message, "/signature")
    for name in (
        *("initiator", "nonce", "settle_from", "settle_by", "cycle", "options", "minimum_lot"),
        *("predecessor", "trade_ref", "terms", "legs"),
    ):
        if getattr(given, name) != getattr(proposed, name):
            message = f"{name} is not what follows from the side"
            raise InvalidInput("instruction_differs", message, f"/instruction/{name}")
