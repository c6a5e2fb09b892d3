"""Signed words about an escrow, each as the message that the API takes.

Everything is hashed here, under the domain of the participant's own deployment file: nothing is
signed that somebody else has hashed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

from settle.client.escrows import EscrowMessage
from settle.domain.errors import InvalidInput, Refused
from settle.domain.escrow.clock import conditions_of
from settle.domain.escrow.conditions import (
    Feed,
    Leaf,
    Preimage,
    Reading,
    Settled,
    Signed,
    evidence_leaves,
)
from settle.domain.escrow.evidence import feed_evidence, reading_evidence, signed_evidence
from settle.domain.escrow.instruction_words import encode_instruction
from settle.domain.escrow.terms import (
    FALLBACK_INDEX,
    attestation_digest,
    dispute_digest,
    escrow_id,
    escrow_withdrawal_digest,
    reading_digest,
    ruling_digest,
    signers_of,
    split_digest,
)
from settle.domain.instruction import instruction_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from settle.client.signer import Signer
    from settle.domain.escrow.terms import EscrowTerms
    from settle.domain.instruction import Instruction, SigningDomain

REASON_BYTES: Final = 4
_Asked = TypeVar("_Asked", Signed, Reading)


class EscrowWords:
    """What one account says about one escrow. Milestones count from 0."""

    def __init__(self, terms: EscrowTerms, domain: SigningDomain, signer: Signer) -> None:
        """Speak about the escrow of `terms` under `domain`, as the account of `signer`."""
        self.id = escrow_id(terms, domain)
        self._terms, self._domain, self._signer = terms, domain, signer
        self._account = signer.address

    def consent(self) -> EscrowMessage:
        """Sign the terms. Raises: Refused if the account is none of those who sign."""
        if self._account not in signers_of(self._terms):
            raise Refused((), "this account does not sign these terms", code="not_a_signer")
        signature = self._signer.sign(self.id)
        return EscrowMessage(kind="consent", author=self._account, signature=signature)

    def withdrawal(self) -> EscrowMessage:
        """Take the signature back, before the opening and for good."""
        digest = escrow_withdrawal_digest(self._account, self.id, self._domain)
        return EscrowMessage(
            kind="withdrawal", author=self._account, signature=self._signer.sign(digest)
        )

    def statement(self, milestone: int, *, observed_at: int) -> EscrowMessage:
        """Attest what the condition asks this account to attest. Raises: Refused if nothing."""
        place, leaf = self._leaf(milestone, Signed)
        digest = attestation_digest(
            *(self.id, milestone, self._account, leaf.statement),
            observed_at=observed_at,
            domain=self._domain,
        )
        evidence = signed_evidence(observed_at, self._signer.sign(digest))
        return _evidence(milestone, place, evidence)

    def reading(self, milestone: int, value: int, *, observed_at: int) -> EscrowMessage:
        """State the value of the feed that the condition asks this account for."""
        place, leaf = self._leaf(milestone, Reading)
        digest = reading_digest(
            *(self.id, milestone, self._account, leaf.feed),
            kind=leaf.kind,
            at=leaf.at,
            value=value,
            observed_at=observed_at,
            domain=self._domain,
        )
        evidence = reading_evidence(value, observed_at, self._signer.sign(digest))
        return _evidence(milestone, place, evidence)

    def preimage(self, milestone: int, secret: bytes) -> EscrowMessage:
        """Show the secret of the condition's hash lock; whoever reads it here has it."""
        for place, leaf in enumerate(self._evidence(milestone)):
            if isinstance(leaf, Preimage):
                return _evidence(milestone, place, secret)
        raise Refused((), "the condition has no hash lock", code="not_asked")

    def round(self, milestone: int, number: int) -> EscrowMessage:
        """Name the round of the contract's feed that the condition is to be asked for."""
        places = [
            place for place, leaf in enumerate(self._evidence(milestone)) if isinstance(leaf, Feed)
        ]
        if len(places) != 1:
            message = f"the condition asks for {len(places)} rounds of a contract's feed, not 1"
            raise Refused((), message, code="not_asked")
        return _evidence(milestone, places[0], feed_evidence(number))

    def unsettled(self, milestone: int, instructions: Sequence[Instruction]) -> EscrowMessage:
        """Show the terms of an instruction that did not settle, for the contract to look it up.

        Of `instructions`, it is the one that the condition names. Raises: Refused if there is none.
        """
        by_id = {instruction_id(one, self._domain): one for one in instructions}
        for place, leaf in enumerate(self._evidence(milestone)):
            if isinstance(leaf, Settled) and leaf.instruction in by_id:
                shown = encode_instruction(by_id[leaf.instruction])
                return _evidence(milestone, place, shown)
        message = "the condition asks of none of these instructions that it has not settled"
        raise Refused((), message, code="not_asked")

    def split(self, milestone: int, paid: Sequence[int], *, valid_by: int) -> EscrowMessage:
        """Agree what each line of a milestone pays."""
        digest = split_digest(
            *(self.id, milestone, self._account, paid), valid_by=valid_by, domain=self._domain
        )
        return EscrowMessage(
            kind="agreement",
            author=self._account,
            milestone=milestone,
            paid=tuple(paid),
            valid_by=valid_by,
            signature=self._signer.sign(digest),
        )

    def dispute(self, milestone: int, evidence: bytes, *, valid_by: int) -> EscrowMessage:
        """Ask the panel; `evidence` is the hash of the file that stays with the party."""
        digest = dispute_digest(
            *(self.id, milestone, self._account, evidence), valid_by=valid_by, domain=self._domain
        )
        return EscrowMessage(
            kind="dispute",
            author=self._account,
            milestone=milestone,
            data=evidence,
            valid_by=valid_by,
            signature=self._signer.sign(digest),
        )

    def ruling(
        self, milestone: int, paid: Sequence[int], *, reason: str, valid_by: int
    ) -> EscrowMessage:
        """Rule what each line pays; `reason` has four letters. Raises: Refused for no arbiter."""
        code = reason.encode("ascii", "replace")
        if len(code) != REASON_BYTES or not reason.isalnum():
            raise InvalidInput("reason", "a ruling's reason has four letters or digits")
        panel = dict(zip(self._terms.arbiters, range(FALLBACK_INDEX), strict=False))
        panel.setdefault(self._terms.fallback_arbiter, FALLBACK_INDEX)
        if self._account not in panel:
            raise Refused((), "this account is no arbiter here", code="not_an_arbiter")
        digest = ruling_digest(
            *(self.id, milestone, self._account, paid),
            reason=code,
            valid_by=valid_by,
            domain=self._domain,
        )
        return EscrowMessage(
            kind="ruling",
            author=self._account,
            milestone=milestone,
            place=panel[self._account],
            paid=tuple(paid),
            data=code,
            valid_by=valid_by,
            signature=self._signer.sign(digest),
        )

    def _evidence(self, milestone: int) -> tuple[Leaf, ...]:
        return evidence_leaves(conditions_of(self._terms)[milestone])

    def _leaf(self, milestone: int, kind: type[_Asked]) -> tuple[int, _Asked]:
        found = [
            (place, leaf)
            for place, leaf in enumerate(self._evidence(milestone))
            if isinstance(leaf, kind) and leaf.signer == self._account
        ]
        if len(found) != 1:
            message = f"the condition asks this account for {len(found)} such statements, not 1"
            raise Refused((), message, code="not_asked")
        return found[0]


def _evidence(milestone: int, place: int, data: bytes) -> EscrowMessage:
    return EscrowMessage(kind="evidence", milestone=milestone, place=place, data=data)
