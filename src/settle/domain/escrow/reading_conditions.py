"""Conditions as people write them: a table with one member that names its kind.

{ signed = { by = "carrier", statement = "delivered" } }
{ all = [ { time = "7 days" }, { not = { outcome = { of = "delivery", is = "refunded" } } } ] }
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from settle.domain.escrow.conditions import (
    BY_INSTANT,
    BY_ROUND,
    MAX_CHILDREN,
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
from settle.domain.escrow.document import Node
from settle.domain.escrow.reading_values import instant_at, statement_at, value_at, word_at
from settle.domain.escrow.terms import MAX_CONDITION_DEPTH
from settle.domain.ids import Address, InstructionId
from settle.domain.instruction import UINT64_MAX

_BITS: Final = {"released": RELEASED_BIT, "refunded": REFUNDED_BIT, "split": SPLIT_BIT}
_ROUND_MAX: Final = 2**80 - 1
_MOST_DECIMALS: Final = 38


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """What the names in a document stand for; `milestones` has those above the condition."""

    account: Callable[[Node], Address]
    milestones: Mapping[str, int]
    open_by: int


def condition_at(node: Node, names: Names, depth: int = 1) -> Condition:
    """Read a condition. Raises: InvalidInput with the line and the path of what is wrong."""
    if node.value == "never":
        if depth > 1:
            raise node.fault("never_inside", "'never' stands alone, not within another condition")
        return Never()
    if not isinstance(node.value, dict):
        kinds = ", ".join(_KINDS)
        raise node.fault("condition_form", f"expected 'never' or a table with one of {kinds}")
    kind = next((name for name in _KINDS if name in node.value), None)
    if kind is None:
        raise node.fault("condition_kind", f"a condition is one of {', '.join(_KINDS)}")
    node.table((kind, "of") if kind == "at_least" else (kind,))
    if depth > MAX_CONDITION_DEPTH:
        raise node.fault("condition_depth", f"conditions stand at most {MAX_CONDITION_DEPTH} deep")
    if kind in ("all", "any", "at_least"):
        return _branch(node, kind, names, depth)
    if kind == "not":
        return _negation(node.at(kind), names, depth)
    return _LEAVES[kind](node.at(kind), names)


def _branch(node: Node, kind: str, names: Names, depth: int) -> Condition:
    parts = node.at("of" if kind == "at_least" else kind)
    of = tuple(
        condition_at(part, names, depth + 1)
        for part in parts.elements("conditions", least=2, most=MAX_CHILDREN)
    )
    if kind == "all":
        return AllOf(of=of)
    if kind == "any":
        return AnyOf(of=of)
    count = node.at(kind).number("how many have to hold", 1, MAX_CHILDREN)
    if not 1 < count < len(of):
        text = f"between 1 and {len(of)}: for one write any, for each write all"
        raise node.at(kind).fault("at_least_count", text)
    return AtLeast(count=count, of=of)


def _negation(node: Node, names: Names, depth: int) -> Not:
    inner = condition_at(node, names, depth + 1)
    if not isinstance(inner, Settled | OutcomeOf):
        text = (
            "'not' stands over settled or outcome only: for everything else, not being shown "
            "works through the default at the deadline"
        )
        raise node.fault("not_over_facts", text)
    return Not(of=inner)


# ------------------------------------------------------------------------------ leaves


def _time(node: Node, names: Names) -> Leaf:
    return TimeReached(at=instant_at(node, names.open_by))


def _signed(node: Node, names: Names) -> Leaf:
    node.table(("by", "statement"))
    return Signed(signer=names.account(node.at("by")), statement=statement_at(node.at("statement")))


def _reading(node: Node, names: Names) -> Leaf:
    node.table(("by", "feed", "low", "high"), ("round", "at", "decimals"))
    kind, at = _which(node, "at", UINT64_MAX, names)
    low, high = _range(node)
    return Reading(
        signer=names.account(node.at("by")),
        feed=statement_at(node.at("feed")),
        kind=kind,
        at=at,
        low=low,
        high=high,
    )


def _feed(node: Node, names: Names) -> Leaf:
    node.table(("contract", "low", "high"), ("round", "first_from", "decimals"))
    kind, at = _which(node, "first_from", _ROUND_MAX, names)
    low, high = _range(node)
    contract = names.account(node.at("contract"))
    return Feed(contract=contract, kind=kind, at=at, low=low, high=high)


def _which(node: Node, instant: str, most: int, names: Names) -> tuple[int, int]:
    """Read which value of a feed counts: that of a round, or the one at or after an instant."""
    round_, at = node.get("round"), node.get(instant)
    if (round_ is None) == (at is None):
        text = f"state either round or {instant}: the terms fix which value counts"
        raise node.fault("which_reading", text)
    if round_ is not None:
        return BY_ROUND, round_.number("a round", 0, most)
    assert at is not None
    return BY_INSTANT, instant_at(at, names.open_by)


def _range(node: Node) -> tuple[int, int]:
    stated = node.get("decimals")
    decimals = 0 if stated is None else stated.number("decimals", 0, _MOST_DECIMALS)
    low, high = value_at(node.at("low"), decimals), value_at(node.at("high"), decimals)
    if low > high:
        raise node.at("low").fault("range_order", "low is above high")
    return low, high


def _preimage(node: Node, _names: Names) -> Leaf:
    return Preimage(digest=word_at(node))


def _settled(node: Node, _names: Names) -> Leaf:
    return Settled(instruction=InstructionId(word_at(node)))


def _outcome(node: Node, names: Names) -> Leaf:
    node.table(("of", "is"))
    name = node.at("of").text("the name of a milestone")
    if name not in names.milestones:
        text = f"{name!r} is no milestone above this one: outcomes come from above only"
        raise node.at("of").fault("milestone_unknown", text)
    stated = node.at("is")
    if isinstance(stated.value, str):
        parts = [stated]
    else:
        parts = list(stated.elements("outcomes", least=1, most=2))
    mask = 0
    for part in parts:
        word = part.text("released, refunded or split")
        if word not in _BITS:
            text = f"an outcome is released, refunded or split, not {word!r}"
            raise part.fault("outcome_unknown", text)
        mask |= _BITS[word]
    return OutcomeOf(milestone=names.milestones[name], mask=mask)


_LEAVES: Final[Mapping[str, Callable[[Node, Names], Leaf]]] = {
    "time": _time,
    "signed": _signed,
    "reading": _reading,
    "feed": _feed,
    "preimage": _preimage,
    "settled": _settled,
    "outcome": _outcome,
}
_KINDS: Final = (*_LEAVES, "all", "any", "at_least", "not")
