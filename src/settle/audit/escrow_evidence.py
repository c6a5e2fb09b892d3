"""Holds what a call showed against what a milestone's condition asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Final

from settle.audit import books as state
from settle.audit import terms as signed_terms
from settle.audit.abi import WORD, AbiError, word
from settle.audit.calls import Call
from settle.audit.escrow_act import Act
from settle.audit.escrow_conditions import (
    FEED,
    NEVER,
    OUTCOME,
    PREIMAGE,
    READING,
    SETTLED,
    SIGNED,
    TIME,
    Node,
    holds,
    leaves,
    takes_evidence,
)
from settle.audit.escrow_digests import EscrowDigests
from settle.audit.findings import Code
from settle.audit.published import SETTLEMENT
from settle.audit.signatures import signer_of
from settle.audit.stage import Stage
from settle.domain.keccak import keccak256

_GET_ROUND: Final = keccak256(b"getRoundData(uint80)")[:4]
_ROUND_ANSWER: Final = 160
_FEED_GAS: Final = 72_000  # the contract gives 50,000; a call pays for itself and its data besides
_ROUND_BYTES: Final = 10
_HEAD_WORDS: Final = 11  # of an instruction, the last of them the place of its legs
_LEG_WORDS: Final = 4


class EvidenceJudge:
    """Judges evidence; remembers every reading, so that an oracle's second word is told."""

    def __init__(self, stage: Stage, digests: EscrowDigests) -> None:
        """Work on `stage`."""
        self._stage = stage
        self._digests = digests
        self._readings: dict[tuple[bytes, bytes, int, int], int] = {}

    def holds(self, call: Call, act: Act, evidence: Sequence[bytes]) -> bool:
        """Whether the condition of the act's milestone held, all evidence looked at."""
        if len(evidence) != act.condition.evidence:
            self._tell(call, act, f"{len(evidence)} pieces of evidence")
            return False
        brought: Iterator[bytes] = iter(evidence)
        facts: dict[int, bool] = {}
        for place, (leaf, negated) in enumerate(leaves(act.condition.root)):
            shown = next(brought) if takes_evidence(leaf, negated) else b""
            facts[place] = self._fact(call, act, leaf, shown, negated=negated)
        return holds(act.condition.root, facts)

    def _fact(self, call: Call, act: Act, leaf: Node, shown: bytes, *, negated: bool) -> bool:
        """Whether a leaf holds; of a negated one, whether it can never hold any more."""
        books, now = self._stage.books, call.place.time
        match leaf.kind:
            case value if value == NEVER:
                return False
            case value if value == TIME:
                return now >= act.clock.moved(act.milestone, leaf.number(0))
            case value if value == OUTCOME:
                outcome = act.escrow.outcome(leaf.number(0))
                # Before the end neither it nor its negation holds.
                return outcome > 0 and bool(leaf.number(1) >> (outcome - 1) & 1) != negated
            case value if value == SETTLED and not negated:
                return leaf.fields[0] in books.recorded
        if not shown:
            return False
        judge = {
            SIGNED: self._signed,
            READING: self._reading,
            FEED: self._feed,
            PREIMAGE: self._preimage,
            SETTLED: self._not_settled,
        }[leaf.kind]
        return judge(call, act, leaf, shown)

    def _signed(self, call: Call, act: Act, leaf: Node, shown: bytes) -> bool:
        signer, statement = leaf.fields
        observed_at = int.from_bytes(shown[:8], "big")
        digest = self._digests.attestation(
            act.identity, act.milestone, signer, statement, observed_at
        )
        return self._attested(call, act, digest, signer, shown[8:], observed_at)

    def _reading(self, call: Call, act: Act, leaf: Node, shown: bytes) -> bool:
        signer, feed, kind, at = (*leaf.fields[:2], leaf.number(2), leaf.number(3))
        value = int.from_bytes(shown[:16], "big", signed=True)
        observed_at = int.from_bytes(shown[16:24], "big")
        if kind == 1 and observed_at != at:
            self._tell(call, act, f"a reading of {observed_at}, wanted {at}")
        what = (signer, feed, kind, at)
        digest = self._digests.reading(act.identity, act.milestone, what, value, observed_at)
        if not self._attested(call, act, digest, signer, shown[24:], observed_at):
            return False
        first = self._readings.setdefault(what, value)
        if first != value:
            self._stage.findings.tell(
                call.place,
                Code.EQUIVOCATION,
                f"round or instant {at}",
                instruction=act.identity,
                account=signer,
                stated=value,
                computed=first,
            )
        return value in leaf.bounds()

    def _attested(
        self, call: Call, act: Act, digest: bytes, signer: bytes, signature: bytes, at: int
    ) -> bool:
        self._stage.consents.signatures += 1
        if not act.escrow.opened_at <= at <= call.place.time:
            self._tell(call, act, f"observed at {at}", signer)
        if signer_of(digest, signature) == signer:
            return True
        self._tell(call, act, "a statement that its signer did not sign", signer)
        return False

    def _preimage(self, call: Call, act: Act, leaf: Node, shown: bytes) -> bool:
        if len(shown) == 32 and hashlib.sha256(shown).digest() == leaf.fields[0]:
            return True
        self._tell(call, act, "a preimage that does not fit")
        return False

    def _not_settled(self, call: Call, act: Act, leaf: Node, shown: bytes) -> bool:
        """Whether the instruction did not settle and never can any more."""
        stage = self._stage
        contract = stage.published[SETTLEMENT]
        asks = contract.functions[contract.selector("idOf")]
        try:
            terms = signed_terms.instruction(asks.arguments(shown)["instruction"])
        except AbiError as error:
            self._tell(call, act, f"an instruction that cannot be read: {error}")
            return False
        wanted = leaf.fields[0]
        if (
            not _is_strict(shown, len(terms.legs))
            or stage.digests.instruction(terms) != wanted
            or not terms.options & signed_terms.OPTION_RECORD
        ):
            self._tell(call, act, "another instruction, or one that is not recorded")
            return False
        ended = stage.books.nonce(terms.initiator, terms.nonce) in {state.SETTLED, state.CANCELLED}
        over = call.place.time >= terms.settle_by
        return wanted not in stage.books.recorded and (ended or over)

    def _feed(self, call: Call, act: Act, leaf: Node, shown: bytes) -> bool:
        feed, kind, at = leaf.fields[0], leaf.number(1), leaf.number(2)
        chosen = int.from_bytes(shown[:_ROUND_BYTES], "big")
        answer = self._round(call, act, feed, chosen)
        if answer is None:
            return False
        value, updated_at = answer
        fits = chosen == at
        if kind == 1:
            before = self._round(call, act, feed, chosen - 1) if chosen else None
            fits = before is not None and before[1] < at <= updated_at
        if len(shown) != _ROUND_BYTES or not fits or updated_at < act.escrow.opened_at:
            self._tell(call, act, f"round {chosen} is not the one that counts", feed)
        return value in leaf.bounds()

    def _round(self, call: Call, act: Act, feed: bytes, number: int) -> tuple[int, int] | None:
        """What a feed says of a round: its answer and when it was given, which has to be over."""
        question = _GET_ROUND + word(number)
        for told in self._stage.consents.answers(call, feed, question, _FEED_GAS):
            updated_at = int.from_bytes(told[96:128], "big")
            if (
                len(told) >= _ROUND_ANSWER
                and int.from_bytes(told[:32], "big") == number
                and 0 < updated_at <= call.place.time
            ):
                return int.from_bytes(told[32:64], "big", signed=True), updated_at
        self._stage.findings.tell(
            call.place,
            Code.EVIDENCE_UNEVIDENCED,
            f"round {number}",
            instruction=act.identity,
            account=feed,
        )
        return None

    def _tell(self, call: Call, act: Act, fact: str, account: bytes | None = None) -> None:
        self._stage.findings.tell(
            call.place, Code.EVIDENCE, fact, instruction=act.identity, account=account
        )


def _is_strict(shown: bytes, legs: int) -> bool:
    """Whether it is the one encoding of an instruction with so many legs."""
    return (
        0 < legs <= signed_terms.MAX_LEGS
        and len(shown) == (_HEAD_WORDS + 2 + _LEG_WORDS * legs) * WORD
        and shown[:WORD] == word(WORD)
        and shown[_HEAD_WORDS * WORD :][:WORD] == word(_HEAD_WORDS * WORD)
    )
