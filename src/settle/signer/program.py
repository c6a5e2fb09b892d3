"""The participant's program: what it states, signs and keeps, and in which order.

Whatever is given away is on its own disk first: a side before it is submitted, a signature before
it is posted. A killed program does the same again and gives the same bytes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from settle.client.trades import SignedSide
from settle.domain.errors import Conflict, InvalidInput, Refused, Unavailable
from settle.domain.ids import Address, InstructionId, to_hex
from settle.domain.instruction import (
    Instruction,
    SigningDomain,
    cancellation_digest,
    instruction_id,
)
from settle.domain.matching import proposed_terms
from settle.domain.side import check_side
from settle.signer.bundles import Accepts, complete_signatures
from settle.signer.journal import Consent
from settle.signer.review import Market, review

if TYPE_CHECKING:
    from settle.client.client import Client
    from settle.client.documents import Signed, ToSign
    from settle.client.signer import Signer
    from settle.client.trades import Cancellation, Submitted
    from settle.domain.side import TradeSide
    from settle.signer.journal import Journal

AT_ONCE: Final = 200
CANCEL_S: Final = 600
_LONGEST_PAUSE_S: Final = 30
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Terms that were not signed, and why."""

    reference: str
    trade_id: str
    digest: bytes
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningRound:
    """What a look at the waiting terms gave: the venue's answers, and our refusals."""

    signed: tuple[Signed, ...]
    refused: tuple[Refusal, ...]


class Participant:
    """One participant with one signing key. One thread uses it at a time."""

    def __init__(
        self,
        client: Client,
        journal: Journal,
        signer: Signer,
        market: Market,
        domain: SigningDomain,
        *,
        accepts: Accepts | None = None,
    ) -> None:
        """Use what is given; nothing is sent.

        `domain` is that of the deployment file, never what the venue says. `accepts` tells whether
        a wallet takes a signature for its own (ERC-1271); None: only keys have accounts.
        """
        self.client = client
        self.journal = journal
        self.market = market
        self._signer = signer
        self._domain = domain
        self._accepts = accepts
        self._refused: dict[tuple[str, bytes], Refusal] = {}

    @property
    def account(self) -> Address:
        """The account of the key."""
        return self._signer.address

    # ---------------------------------------------------------------------- instructing

    def submit(
        self, sides: Sequence[TradeSide], *, presign: Collection[str] = ()
    ) -> list[Submitted]:
        """Remember sides, then submit them, all or none of each request.

        `presign` names references whose terms are signed beforehand; only a deliverer's side or
        one free of payment can be, because a receiver does not decide the amount. The same sides
        again change nothing; what the venue refuses is forgotten. Raises Conflict for another side
        under a known reference.
        """
        for side in sides:
            check_side(side)
            if side.reference in presign:
                _check_presigning(side)
        new = self.journal.instruct(sides)
        results: list[Submitted] = []
        try:
            for part in _parts(sides):
                results += self.client.submit_many(self._presigned(part, presign))
        except (InvalidInput, Refused):
            # Put right, what was not taken may come again under the same references.
            taken = {one.reference for one in results}
            self.journal.forget([reference for reference in new if reference not in taken])
            raise
        return results

    def _presigned(
        self, part: Sequence[TradeSide], presign: Collection[str]
    ) -> list[SignedSide | TradeSide]:
        consents = {
            side.reference: self._presign(side) for side in part if side.reference in presign
        }
        for refusal in self.journal.record(list(consents.values())).values():
            raise refusal
        return [
            SignedSide(side=one, signature=consents[one.reference].signature)
            if one.reference in consents
            else one
            for one in part
        ]

    def _presign(self, side: TradeSide) -> Consent:
        window = self.market.rules.window(side.settlement_date)
        terms = proposed_terms(side, self.market.assets, {}, window)
        return self._sign(terms, instruction_id(terms, self._domain), side)

    # --------------------------------------------------------------------------- signing

    def sign_pending(self, *, never: Collection[str] = ()) -> SigningRound:
        """Review all terms that wait and sign those that were instructed.

        References in `never` are left alone. What was refused once is told again and not reviewed
        again: the terms of a digest never change.
        """
        refused: list[Refusal] = []
        waiting: list[tuple[ToSign, Consent]] = []
        for told in self.client.to_sign():
            if told.reference in never or self._is_for_another_key(told):
                continue
            if (told.reference, told.digest) not in self._refused:
                try:
                    waiting.append((told, self._consent(told)))
                    continue
                except Refused as fault:
                    self._refuse(told, fault)
            refused.append(self._refused[told.reference, told.digest])
        signed: list[Signed] = []
        for part in _parts(waiting):
            kept = self.journal.record([consent for _, consent in part])
            for told, _ in part:
                if told.reference in kept:
                    refused.append(self._refuse(told, kept[told.reference]))
            signed += self._give([one for one in part if one[0].reference not in kept], refused)
        return SigningRound(signed=tuple(signed), refused=tuple(refused))

    def _consent(self, told: ToSign) -> Consent:
        """Sign one set of terms if it is what was instructed. Raises Refused."""
        terms = told.instruction.value()
        digest = instruction_id(terms, self._domain)
        if digest != told.digest or told.account != self.account:
            message = (
                f"asked for 0x{told.account.hex()} under {to_hex(told.digest)}, but the terms "
                f"are {to_hex(digest)} and we are {to_hex(self.account)}"
            )
            raise Refused((), message, code="not_instructed")
        return self._sign(terms, digest, self.journal.instructed(told.reference))

    def _sign(self, terms: Instruction, digest: InstructionId, side: TradeSide) -> Consent:
        review(terms, side, self.market)
        signature = self._signer.sign(digest)
        return Consent(reference=side.reference, digest=digest, terms=terms, signature=signature)

    def _refuse(self, told: ToSign, fault: Refused) -> Refusal:
        refusal = self._refused[told.reference, told.digest] = _refusal(told, fault)
        return refusal

    def _give(
        self, part: Sequence[tuple[ToSign, Consent]], refused: list[Refusal]
    ) -> Iterator[Signed]:
        """Post signatures together; where the venue refuses one of them, each by itself."""
        if not part:
            return
        try:
            yield from self.client.sign_many({told.digest: one.signature for told, one in part})
        except (Refused, InvalidInput) as fault:
            if len(part) == 1:
                refused.append(_refusal(part[0][0], fault))
                return
            for one in part:
                yield from self._give([one], refused)

    def _is_for_another_key(self, told: ToSign) -> bool:
        account = Address(told.account)
        return account != self.account and account in self.market.own_accounts

    # --------------------------------------------------------------------------- keeping

    def fetch_bundles(self) -> int:
        """Keep the bundle of every signed trade that is complete by now; gives how many came.

        Raises Refused `bundle_wrong` for terms that were not signed here, or for a signature that
        is not its account's: with such a bundle nothing could be settled.
        """
        missing = set(self.journal.without_bundle())
        if not missing:
            return 0
        kept = 0
        for trade in self.client.trades(limit=AT_ONCE):
            if trade.digest not in missing or trade.instruction is None:
                continue
            digest = InstructionId(trade.digest)
            missing.discard(digest)
            wanted = {leg.deliverer for leg in trade.instruction.legs}
            wanted |= {leg.receiver for leg in trade.instruction.legs}
            if wanted <= set(trade.consented):
                kept += self._keep(digest, trade.trade_id)
            if not missing:
                break
        return kept

    def _keep(self, digest: InstructionId, trade_id: str) -> bool:
        try:
            bundle = self.client.bundle(trade_id)
        except Conflict:
            return False  # not complete any more, or not yet
        signatures = complete_signatures(bundle, digest, self._domain, self._accepts)
        self.journal.keep_bundle(digest, signatures)
        return True

    # ------------------------------------------------------------------------ cancelling

    def cancel(self, trade_id: str) -> Cancellation:
        """Ask to end a trade. Before the match it ends by this alone.

        After it, the signature serves as long as that of the other side, if that has asked
        already, and else CANCEL_S seconds.
        """
        trade = self.client.trade(trade_id)
        if trade.digest is None:
            return self.client.cancel(trade_id, version=trade.version)
        asked = self.client.cancellation(trade_id).asked
        valid_by = next(
            (one.valid_by for one in asked if one.account != self.account),
            int(time.time()) + CANCEL_S,
        )
        digest = cancellation_digest(
            self.account, InstructionId(trade.digest), self._domain, valid_by=valid_by
        )
        return self.client.cancel(
            trade_id,
            valid_by=valid_by,
            signature=self._signer.sign(digest),
            version=trade.version,
        )

    # --------------------------------------------------------------------------- running

    def run(
        self,
        stop: threading.Event,
        *,
        pause_s: int = 1,
        on_round: Callable[[SigningRound, int], None] = lambda _round, _kept: None,
        on_unavailable: Callable[[Unavailable], None] = lambda _fault: None,
    ) -> None:
        """Sign and keep until told to stop; wait, longer each time, while nobody answers.

        `on_round` hears what was signed, what was refused for the first time, and how many bundles
        came.
        """
        failures = 0
        while not stop.is_set():
            known = set(self._refused)
            try:
                done = self.sign_pending()
                kept = self.fetch_bundles()
            except Unavailable as fault:
                failures += 1
                on_unavailable(fault)
                stop.wait(min(_LONGEST_PAUSE_S, pause_s * 2**failures))
                continue
            failures = 0
            fresh = tuple(one for one in done.refused if (one.reference, one.digest) not in known)
            if done.signed or fresh or kept:
                on_round(SigningRound(signed=done.signed, refused=fresh), kept)
            stop.wait(pause_s)


def _check_presigning(side: TradeSide) -> None:
    """Refuse what cannot be signed before the other side is there. Raises InvalidInput."""
    if side.movement == "RECE" and side.payment == "APMT":
        message = f"{side.reference!r}: the deliverer's amount counts: sign after the match"
        raise InvalidInput("presign_receiver", message)
    if side.counterparty_account is None:
        message = f"{side.reference!r}: name the counterparty's account to sign beforehand"
        raise InvalidInput("presign_account", message, "/counterparty_account")


def _parts(items: Iterable[Item]) -> Iterator[list[Item]]:
    left = iter(items)
    while part := list(islice(left, AT_ONCE)):
        yield part


def _refusal(told: ToSign, fault: Refused | InvalidInput) -> Refusal:
    return Refusal(
        reference=told.reference,
        trade_id=told.trade_id,
        digest=told.digest,
        code=fault.code,
        message=fault.message,
    )
