"""Random conditions and terms of escrows, for Hypothesis: any values of the right form."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

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
)
from settle.domain.escrow.terms import EscrowLine, EscrowTerms
from settle.domain.ids import ZERO_ADDRESS, AssetId, InstructionId
from tests.support.strategies import addresses, uint32, uint64, uint128, words

byte = st.integers(0, 255)
int128 = st.integers(-(2**127), 2**127 - 1)
neutrals = addresses.filter(lambda address: address != ZERO_ADDRESS)
HORIZON = 10_000_000
instants = st.integers(0, HORIZON - 1)

lines = st.builds(
    EscrowLine,
    milestone=byte,
    asset=uint32.map(AssetId),
    depositor=addresses,
    beneficiary=addresses,
    quantity=uint128,
    if_met=uint128,
    by_default=uint128,
    if_unruled=uint128,
)
any_terms = st.builds(
    EscrowTerms,
    open_by=uint64,
    lines=st.lists(lines, max_size=16).map(tuple),
    deadlines=st.lists(uint64, max_size=8).map(tuple),
    program=st.binary(max_size=200),
    arbiters=st.lists(addresses, max_size=7).map(tuple),
    quorum=byte,
    answer_time=uint64,
    fallback_arbiter=addresses,
    fallback_time=uint64,
    text=words,
    ref=words,
    salt=words,
)


def _ranges(kind: Any, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Condition]:
    ends = st.tuples(int128, int128).map(sorted)
    drawn = st.fixed_dictionaries({**fields, "kind": st.integers(0, 1), "at": instants})
    return st.builds(lambda f, r: kind(**f, low=r[0], high=r[1]), drawn, ends)


settled = st.builds(Settled, instruction=words.map(InstructionId))


def leaves(milestone: int) -> st.SearchStrategy[Condition]:
    """Any leaf that the condition of this milestone may have."""
    outcomes = st.builds(
        OutcomeOf, milestone=st.integers(0, max(0, milestone - 1)), mask=st.integers(1, 6)
    )
    negated = [st.builds(Not, of=settled)]
    plain: list[st.SearchStrategy[Condition]] = [
        st.builds(TimeReached, at=instants),
        st.builds(Signed, signer=neutrals, statement=words),
        _ranges(Reading, signer=neutrals, feed=words),
        _ranges(Feed, contract=neutrals),
        st.builds(Preimage, digest=words),
        settled,
    ]
    if milestone:
        negated.append(st.builds(Not, of=outcomes))
        plain.append(outcomes)
    return st.one_of(*plain, *negated)


def _branches(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    few = st.lists(inner, min_size=2, max_size=3).map(tuple)
    three = st.lists(inner, min_size=3, max_size=3).map(tuple)
    return (
        st.builds(AllOf, of=few)
        | st.builds(AnyOf, of=few)
        | st.builds(AtLeast, count=st.just(2), of=three)
    )


def conditions(milestone: int) -> st.SearchStrategy[Condition]:
    """Any condition within the bounds: at most 3 branches above a leaf, NOT counted as one."""
    leaf = st.one_of(leaves(milestone))
    small = leaf.filter(lambda found: not isinstance(found, Not))
    two = _branches(leaf)
    return st.one_of(st.just(Never()), leaf, two, _branches(st.one_of(small, two)))
