"""Evidence as it is brought to the chain: bytes for each leaf that takes some, and what they say.

`evaluate` is the twin of the contract's evaluation: it looks at every piece that was brought, in
order and without a short cut, and then says whether the condition holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, assert_never

from settle.domain.chain_errors import Reverted
from settle.domain.escrow.conditions import (
    BY_INSTANT,
    AllOf,
    AnyOf,
    AtLeast,
    Condition,
    Feed,
    Never,
    Not,
    OutcomeOf,
    Preimage,
    Reading,
    Settled,
    Signed,
    TimeReached,
    evidence_leaves,
)
from settle.domain.escrow.errors import (
    EvidenceCount,
    EvidenceFromTheFuture,
    EvidenceInvalid,
    EvidenceStale,
    FeedSilent,
    InstructionNotTheOne,
    PreimageLength,
    PreimageWrong,
    ReadingOfAnotherRound,
)
from settle.domain.escrow.events import Outcome
from settle.domain.escrow.instruction_words import decode_instruction
from settle.domain.escrow.terms import EscrowId, attestation_digest, reading_digest
from settle.domain.ids import ZERO_WORD, Address, InstructionId
from settle.domain.instruction import (
    MAX_LEGS,
    OPTION_RECORD,
    Instruction,
    SigningDomain,
    instruction_id,
)

SECRET_BYTES: Final = 32
_INSTANT_BYTES: Final = 8
_VALUE_BYTES: Final = 16
_ROUND_BYTES: Final = 10

Binds: TypeAlias = Callable[[Address, bytes, bytes], bool]
"""Whether bytes are the account's signature over a digest, or its wallet takes them for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRound:
    """What a feed contract says of one round: its value, and when it was set (unix seconds)."""

    answer: int
    updated_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the books do not know and a call can ask: signatures and contracts that report values.

    `binds` takes wallets, too; `recovers` takes plain keys only, as evidence does, so that what
    was good stays good. `feed_round` gives None where the contract gives no answer to use.
    """

    binds: Binds
    recovers: Binds
    feed_round: Callable[[Address, int], FeedRound | None] = lambda _contract, _round: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """All that evaluating one milestone needs to know of the chain. Instants in unix seconds.

    `outcomes` has NONE where a milestone has not ended; `moved` says where disputes moved an
    instant of this milestone to; `is_recorded` and `cannot_settle` speak of instructions.
    """

    escrow: EscrowId
    milestone: int
    opened_at: int
    moved: Callable[[int], int]
    outcomes: Sequence[Outcome]
    domain: SigningDomain
    facts: Facts
    is_recorded: Callable[[InstructionId], bool]
    cannot_settle: Callable[[Instruction], bool]


# ------------------------------------------------------------------------------ writing


def signed_evidence(observed_at: int, signature: bytes) -> bytes:
    """Write the evidence for a SIGNED leaf."""
    return observed_at.to_bytes(_INSTANT_BYTES, "big") + signature


def reading_evidence(value: int, observed_at: int, signature: bytes) -> bytes:
    """Write the evidence for a READING leaf; the value is an int128."""
    return value.to_bytes(_VALUE_BYTES, "big", signed=True) + signed_evidence(
        observed_at, signature
    )


def feed_evidence(number: int) -> bytes:
    """Write the evidence for a FEED leaf: the number of the round to ask for."""
    return number.to_bytes(_ROUND_BYTES, "big")


# ------------------------------------------------------------------------------ evaluating


def evaluate(
    condition: Condition, evidence: Sequence[bytes], standing: Standing, *, now: int
) -> bool:
    """Say whether the condition holds on this evidence: one entry a leaf, empty where not shown.

    Raises: Reverted for evidence that is brought and not good.
    """
    asked = evidence_leaves(condition)
    if len(evidence) != len(asked):
        raise Reverted(EvidenceCount(given=len(evidence), needed=len(asked)))
    shown = [
        _examine(leaf, index, piece, standing, now) if piece else False
        for index, (leaf, piece) in enumerate(zip(asked, evidence, strict=True))
    ]
    return _holds(condition, iter(shown), standing, now)


def _holds(condition: Condition, shown: Iterator[bool], standing: Standing, now: int) -> bool:
    match condition:
        case Never():
            return False
        case TimeReached():
            return now >= standing.moved(condition.at)
        case Signed() | Reading() | Feed() | Preimage():
            return next(shown)
        case Settled():
            return standing.is_recorded(condition.instruction)
        case OutcomeOf():
            return _came(condition, standing) is True
        case Not():
            if isinstance(condition.of, OutcomeOf):
                return _came(condition.of, standing) is False
            return next(shown)
        case AllOf() | AnyOf() | AtLeast():
            held = sum([_holds(inner, shown, standing, now) for inner in condition.of])
            return held >= needed_of(condition)
        case _:
            assert_never(condition)


def needed_of(branch: AllOf | AnyOf | AtLeast) -> int:
    """Give how many conditions of a branch have to hold."""
    match branch:
        case AllOf():
            return len(branch.of)
        case AnyOf():
            return 1
        case AtLeast():
            return branch.count
        case _:
            assert_never(branch)


def _came(leaf: OutcomeOf, standing: Standing) -> bool | None:
    """Whether a milestone ended as the leaf asks; None while it has not ended."""
    outcome = standing.outcomes[leaf.milestone]
    return None if outcome is Outcome.NONE else in_mask(outcome, leaf.mask)


def in_mask(outcome: Outcome, mask: int) -> bool:
    """Whether the outcome's bit is in a mask of OUTCOME."""
    return bool(mask >> outcome - 1 & 1)


# ------------------------------------------------------------------------------ each piece


def _examine(leaf: Condition, index: int, piece: bytes, standing: Standing, now: int) -> bool:
    match leaf:
        case Signed():
            return _examine_signed(leaf, index, piece, standing, now)
        case Reading():
            return _examine_reading(leaf, index, piece, standing, now)
        case Feed():
            return _examine_feed(leaf, index, piece, standing, now)
        case Preimage():
            if len(piece) != SECRET_BYTES:
                raise Reverted(PreimageLength(index=index, length=len(piece)))
            if hashlib.sha256(piece).digest() != leaf.digest:
                raise Reverted(PreimageWrong(index=index))
            return True
        case Settled():
            return _examine_unsettled(leaf, index, piece, standing)
        case _:
            raise AssertionError("a leaf that takes no evidence")


def _examine_signed(leaf: Signed, index: int, piece: bytes, standing: Standing, now: int) -> bool:
    if len(piece) < _INSTANT_BYTES:
        raise Reverted(EvidenceInvalid(index=index))
    observed_at = int.from_bytes(piece[:_INSTANT_BYTES], "big")
    _examine_time(index, observed_at, standing, now)
    digest = attestation_digest(
        standing.escrow,
        standing.milestone,
        leaf.signer,
        leaf.statement,
        observed_at=observed_at,
        domain=standing.domain,
    )
    if not standing.facts.recovers(leaf.signer, digest, piece[_INSTANT_BYTES:]):
        raise Reverted(EvidenceInvalid(index=index))
    return True


def _examine_reading(leaf: Reading, index: int, piece: bytes, standing: Standing, now: int) -> bool:
    head = _VALUE_BYTES + _INSTANT_BYTES
    if len(piece) < head:
        raise Reverted(EvidenceInvalid(index=index))
    value = int.from_bytes(piece[:_VALUE_BYTES], "big", signed=True)
    observed_at = int.from_bytes(piece[_VALUE_BYTES:head], "big")
    if leaf.kind == BY_INSTANT and observed_at != leaf.at:
        raise Reverted(ReadingOfAnotherRound(index=index, given=observed_at, wanted=leaf.at))
    _examine_time(index, observed_at, standing, now)
    digest = reading_digest(
        standing.escrow,
        standing.milestone,
        leaf.signer,
        leaf.feed,
        kind=leaf.kind,
        at=leaf.at,
        value=value,
        observed_at=observed_at,
        domain=standing.domain,
    )
    if not standing.facts.recovers(leaf.signer, digest, piece[head:]):
        raise Reverted(EvidenceInvalid(index=index))
    return leaf.low <= value <= leaf.high


def _examine_time(index: int, observed_at: int, standing: Standing, now: int) -> None:
    if observed_at > now:
        raise Reverted(EvidenceFromTheFuture(index=index, observed_at=observed_at, now=now))
    if observed_at < standing.opened_at:
        raise Reverted(
            EvidenceStale(index=index, observed_at=observed_at, earliest=standing.opened_at)
        )


def _examine_feed(leaf: Feed, index: int, piece: bytes, standing: Standing, now: int) -> bool:
    """Take the round that the terms name, or the first that was set at or after the instant."""
    if len(piece) != _ROUND_BYTES:
        raise Reverted(EvidenceInvalid(index=index))
    number = int.from_bytes(piece, "big")
    another = ReadingOfAnotherRound(index=index, given=number, wanted=leaf.at)
    if number != leaf.at if leaf.kind != BY_INSTANT else number == 0:
        raise Reverted(another)
    found = standing.facts.feed_round(leaf.contract, number)
    if found is None or not 0 < found.updated_at <= now:
        raise Reverted(FeedSilent(index=index, feed=leaf.contract))
    if leaf.kind == BY_INSTANT and found.updated_at < leaf.at:
        raise Reverted(another)
    if found.updated_at < standing.opened_at:
        raise Reverted(
            EvidenceStale(index=index, observed_at=found.updated_at, earliest=standing.opened_at)
        )
    if leaf.kind == BY_INSTANT:
        before = standing.facts.feed_round(leaf.contract, number - 1)
        if before is None:
            raise Reverted(FeedSilent(index=index, feed=leaf.contract))
        if not 0 < before.updated_at < leaf.at:
            raise Reverted(another)
    return leaf.low <= found.answer <= leaf.high


def _examine_unsettled(leaf: Settled, index: int, piece: bytes, standing: Standing) -> bool:
    instruction = decode_instruction(piece)
    if instruction is None:
        raise Reverted(EvidenceInvalid(index=index))
    found = InstructionId(ZERO_WORD)
    if 0 < len(instruction.legs) <= MAX_LEGS:
        found = instruction_id(instruction, standing.domain)
    if found != leaf.instruction:
        raise Reverted(InstructionNotTheOne(index=index, id=found, wanted=leaf.instruction))
    if not instruction.options & OPTION_RECORD:
        raise Reverted(EvidenceInvalid(index=index))
    return not standing.is_recorded(found) and standing.cannot_settle(instruction)
