"""Random well-formed terms, seeded: for the explorer, the parity runs and the benchmark."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from settle.domain.escrow.conditions import (
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
    leaves_of,
)
from settle.domain.escrow.program import write_program
from settle.domain.escrow.terms import MIN_STEP, EscrowLine, EscrowTerms
from settle.domain.ids import ZERO_ADDRESS, Address, AssetId, InstructionId

SECRETS: Final = tuple(bytes([n]) * 32 for n in range(1, 4))
STATEMENTS: Final = tuple(
    text.encode().ljust(32, b"\x00") for text in ("delivered", "accepted", "insured")
)
_STEPS: Final = (MIN_STEP, MIN_STEP + 1, 2 * MIN_STEP, 10 * MIN_STEP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who and what the terms are drawn over."""

    parties: Sequence[Address]
    neutrals: Sequence[Address]
    assets: Sequence[AssetId]
    feeds: Sequence[Address] = ()
    instructions: Sequence[InstructionId] = ()
    quantity: int = 60


def draw_terms(random: Random, cast: Cast, *, now: int, most: int = 4) -> EscrowTerms:
    """Return well-formed terms that open in some hours, with up to so many milestones."""
    open_by = now + random.choice((1, MIN_STEP, 3 * MIN_STEP))
    count = random.randint(1, most)
    conditions: list[Condition] = []
    deadlines: list[int] = []
    panel = random.random() < 0.6
    for milestone in range(count):
        conditions.append(_condition(random, cast, open_by, milestone))
        after = [open_by, *_instants(conditions[-1], deadlines)]
        deadlines.append(max(after) + random.choice(_STEPS))
    lines = tuple(
        line
        for milestone in range(count)
        for line in _lines(random, cast, milestone, one_giver=_is_locked(conditions[milestone]))
    )
    terms = EscrowTerms(
        open_by=open_by,
        lines=lines,
        deadlines=tuple(deadlines),
        program=write_program(conditions),
        ref=random.randbytes(32),
        salt=random.randbytes(32),
    )
    return _with_panel(random, terms, cast) if panel else terms


def _with_panel(random: Random, terms: EscrowTerms, cast: Cast) -> EscrowTerms:
    members = random.sample(list(cast.neutrals), random.randint(1, min(4, len(cast.neutrals))))
    fallback = members.pop() if len(members) > 1 and random.random() < 0.6 else ZERO_ADDRESS
    fields = {
        "arbiters": tuple(members),
        "quorum": random.randint(len(members) // 2 + 1, len(members)),
        "answer_time": random.choice((1, 600, 3 * MIN_STEP)),
        "fallback_arbiter": fallback,
        "fallback_time": random.choice((1, 900)) if fallback != ZERO_ADDRESS else 0,
    }
    return EscrowTerms(
        **{name: getattr(terms, name) for name in EscrowTerms.__slots__ if name not in fields},
        **fields,
    )


def _instants(condition: Condition, deadlines: Sequence[int]) -> list[int]:
    match condition:
        case TimeReached():
            return [condition.at]
        case Reading() | Feed():
            return [condition.at] if condition.kind else []
        case OutcomeOf():
            return [deadlines[condition.milestone]]
        case Not():
            return _instants(condition.of, deadlines)
        case AllOf() | AnyOf() | AtLeast():
            return [at for inner in condition.of for at in _instants(inner, deadlines)]
        case _:
            return []


def _condition(random: Random, cast: Cast, open_by: int, milestone: int) -> Condition:
    if random.random() < 0.1:
        return Never()
    return _node(random, cast, open_by, milestone, random.choice((1, 1, 2, 2, 3)))


def _node(random: Random, cast: Cast, open_by: int, milestone: int, depth: int) -> Condition:
    if depth == 1:
        return _leaf(random, cast, open_by, milestone)
    of = tuple(
        _node(random, cast, open_by, milestone, depth - 1 if random.random() < 0.5 else 1)
        for _ in range(random.choice((2, 2, 3)))
    )
    kind = random.choice((AllOf, AnyOf, AtLeast))
    if kind is AtLeast and len(of) > 2:
        return AtLeast(count=2, of=of)
    return AnyOf(of=of) if kind is AnyOf else AllOf(of=of)


def _leaf(random: Random, cast: Cast, open_by: int, milestone: int) -> Condition:
    later = open_by + random.choice((0, 1, MIN_STEP, 5 * MIN_STEP))
    draw = random.random()
    if milestone and draw < 0.3:
        outcome = OutcomeOf(milestone=random.randrange(milestone), mask=random.randint(1, 6))
        return Not(of=outcome) if random.random() < 0.3 else outcome
    if draw < 0.5:
        return TimeReached(at=later)
    if draw < 0.75:
        signer = random.choice((*cast.neutrals, *cast.parties))
        return Signed(signer=signer, statement=random.choice(STATEMENTS))
    if draw < 0.82:
        return Preimage(digest=hashlib.sha256(random.choice(SECRETS)).digest())
    if draw < 0.88 and cast.instructions:
        settled = Settled(instruction=random.choice(cast.instructions))
        return Not(of=settled) if random.random() < 0.5 else settled
    low = random.choice((-5, 0, 3))
    kind = random.randint(0, 1)
    fields = {"kind": kind, "at": later if kind else random.randint(1, 4), "low": low}
    if draw < 0.92 and cast.feeds:
        return Feed(contract=random.choice(cast.feeds), high=low + 4, **fields)
    feed = random.choice(STATEMENTS)
    return Reading(signer=random.choice(cast.neutrals), feed=feed, high=low + 4, **fields)


def _is_locked(condition: Condition) -> bool:
    return any(isinstance(leaf, Preimage) for leaf, _ in leaves_of(condition))


def _lines(random: Random, cast: Cast, milestone: int, *, one_giver: bool) -> list[EscrowLine]:
    lines = [_line(random, cast, milestone) for _ in range(random.choice((1, 1, 1, 2, 3)))]
    giver = lines[0].depositor
    return [line for line in lines if not one_giver or line.depositor == giver]


def _line(random: Random, cast: Cast, milestone: int) -> EscrowLine:
    depositor, beneficiary = random.sample(list(cast.parties), 2)
    quantity = random.randint(1, cast.quantity)

    def share() -> int:
        return random.choice((0, quantity, random.randint(0, quantity)))

    return EscrowLine(
        milestone=milestone,
        asset=random.choice(list(cast.assets)),
        depositor=depositor,
        beneficiary=beneficiary,
        quantity=quantity,
        if_met=share(),
        by_default=share(),
        if_unruled=share(),
    )
