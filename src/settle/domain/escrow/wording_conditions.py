"""Conditions as sentences: a line for each node, the parts of a branch numbered below it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, assert_never

from settle.domain.escrow.conditions import (
    BY_INSTANT,
    REFUNDED_BIT,
    RELEASED_BIT,
    SPLIT_BIT,
    AllOf,
    AnyOf,
    AtLeast,
    Condition,
    Feed,
    Leaf,
    Never,
    Not,
    OutcomeOf,
    Preimage,
    Reading,
    Settled,
    Signed,
    TimeReached,
)
from settle.domain.escrow.wording_words import instant, listed, mark, statement
from settle.domain.ids import Address, to_hex

_OUTCOMES: Final = (
    (RELEASED_BIT, "released (all of it goes to the beneficiaries)"),
    (REFUNDED_BIT, "refunded (all of it returns)"),
    (SPLIT_BIT, "split (a part goes to the beneficiaries)"),
)
_INDENT: Final = "    "

Named = Callable[[Address], str]


def condition_lines(condition: Condition, named: Named) -> list[str]:
    """Write a condition: one sentence, or a head and its numbered parts below it.

    `named` gives the name that the text uses for an account.
    """
    return list(_lines(condition, named, 1))


def _lines(condition: Condition, named: Named, depth: int) -> Iterator[str]:
    if not isinstance(condition, AllOf | AnyOf | AtLeast):
        yield _sentence(condition, named)
        return
    yield _head(condition)
    for index, part in enumerate(condition.of):
        first, *rest = _lines(part, named, depth + 1)
        yield f"{_INDENT}{mark(depth, index)} {first}"
        yield from (_INDENT + line for line in rest)


def _head(branch: AllOf | AnyOf | AtLeast) -> str:
    match branch:
        case AllOf():
            return "all of the following hold:"
        case AnyOf():
            return "at least one of the following holds:"
        case AtLeast():
            return f"at least {branch.count} of the following {len(branch.of)} hold:"
        case _:
            assert_never(branch)


def _sentence(condition: Leaf | Not, named: Named) -> str:
    match condition:
        case Never():
            return "there is no condition: nothing that anybody shows ends this milestone."
        case TimeReached():
            return f"{instant(condition.at)} is reached (moved by disputes, see Disputes)."
        case Signed():
            who = named(condition.signer)
            return f"{who} states under its signature: {statement(condition.statement)}."
        case Reading() | Feed():
            return _reading(condition, named)
        case Preimage():
            digest = to_hex(condition.digest)
            return f"a secret of exactly 32 bytes is shown whose SHA-256 is {digest}."
        case Settled():
            return f"the instruction {to_hex(condition.instruction)} has settled."
        case OutcomeOf():
            return f"milestone {condition.milestone + 1} is decided as {_outcomes(condition)}."
        case Not():
            return _negated(condition.of)
        case _:
            assert_never(condition)


def _negated(fact: Settled | OutcomeOf) -> str:
    if isinstance(fact, Settled):
        name = to_hex(fact.instruction)
        return f"the instruction {name} has not settled and can settle no more."
    which = _outcomes(fact)
    return f"milestone {fact.milestone + 1} is decided, and as something else than {which}."


def _outcomes(leaf: OutcomeOf) -> str:
    return listed([text for bit, text in _OUTCOMES if leaf.mask & bit], "or")


def _reading(leaf: Reading | Feed, named: Named) -> str:
    between = f"lies between {leaf.low} and {leaf.high}, both included"
    if isinstance(leaf, Reading):
        which = f"the instant {instant(leaf.at)}" if leaf.kind == BY_INSTANT else f"round {leaf.at}"
        source = f"which {named(leaf.signer)} states under its signature for {which}"
        return f"the value of {statement(leaf.feed)}, {source}, {between}."
    round_ = (
        f"of the first round that was set at or after {instant(leaf.at)}"
        if leaf.kind == BY_INSTANT
        else f"of round {leaf.at}"
    )
    return f"the value {round_} in the contract {named(leaf.contract)} {between}."
