"""The signed terms as they come out of calldata, and what they say by themselves."""

from __future__ import annotations

from typing import Final, NamedTuple

from settle.audit.abi import Value

MAX_LEGS: Final = 8
MAX_WINDOW_S: Final = 120 * 86_400
_OPTION_PARTIAL: Final = 1
OPTION_RECORD: Final = 2
_OPTIONS_KNOWN: Final = _OPTION_PARTIAL | OPTION_RECORD


class Leg(NamedTuple):
    """One movement. Read by position, as the ABI has it."""

    asset: int
    deliverer: bytes
    receiver: bytes
    quantity: int


class Instruction(NamedTuple):
    """All the terms. Read by position, as the ABI has it."""

    initiator: bytes
    nonce: int
    settle_from: int
    settle_by: int
    cycle: bytes
    options: int
    minimum_lot: int
    predecessor: bytes
    trade_ref: bytes
    terms: bytes
    legs: tuple[Leg, ...]


def instruction(value: Value) -> Instruction:
    """Name the parts of a decoded instruction."""
    return Instruction._make((*value[:-1], tuple([Leg(*leg) for leg in value[-1]])))


def parties(legs: tuple[Leg, ...]) -> tuple[bytes, ...]:
    """Accounts in order of first appearance, deliverer before receiver: the order of signatures."""
    return tuple(dict.fromkeys(account for leg in legs for account in (leg[1], leg[2])))


def faults(terms: Instruction) -> list[str]:
    """Say what no state of the chain could make settle."""
    found: list[str] = []
    if not 0 < len(terms.legs) <= MAX_LEGS:
        return [f"{len(terms.legs)} legs"]
    for position, leg in enumerate(terms.legs):
        if leg.quantity == 0:
            found.append(f"leg {position} moves nothing")
        if leg.deliverer == leg.receiver:
            found.append(f"leg {position} goes to its own deliverer")
    if all(terms.initiator not in (leg.deliverer, leg.receiver) for leg in terms.legs):
        found.append("the initiator is no party")
    if terms.settle_from >= terms.settle_by:
        found.append("the window is empty")
    if terms.options & ~_OPTIONS_KNOWN:
        found.append(f"options {terms.options:#x}")
    if any(terms.cycle):
        found.append("it names a cycle")
    if any(terms.predecessor):
        found.append("it names a predecessor")
    largest = terms.legs[0].quantity if terms.options & _OPTION_PARTIAL else 0
    if terms.minimum_lot > largest:
        found.append("the smallest part is larger than the whole")
    return found
