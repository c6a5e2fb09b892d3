"""The instructions that conditions name by their ids: what they move, in words.

The terms hold an id only, so the printed text does; each party's own document has the full terms
beside it. Without them nobody signs: an id could stand for a trade that moves nothing of weight.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from settle.domain.errors import InvalidInput
from settle.domain.escrow.clock import conditions_of
from settle.domain.escrow.conditions import Condition, Settled, leaves_of
from settle.domain.escrow.document import Node
from settle.domain.escrow.findings import REFUSED, WARNING, Finding
from settle.domain.escrow.reading_values import word_at
from settle.domain.escrow.register import Register
from settle.domain.escrow.terms import EscrowTerms, lines_of
from settle.domain.escrow.wording_words import instant
from settle.domain.ids import Address, InstructionId, to_hex
from settle.domain.instruction import (
    OPTION_RECORD,
    Instruction,
    Leg,
    SigningDomain,
    accounts_of,
    instruction_id,
)
from settle.domain.instruction_json import from_json
from settle.domain.twin_examine import check_terms

_MOST: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedInstruction:
    """An instruction under the id that its writer states for it."""

    id: InstructionId
    instruction: Instruction


def instructions_at(node: Node | None) -> tuple[NamedInstruction, ...]:
    """Read the list of instructions, if there is one. Raises: InvalidInput."""
    if node is None:
        return ()
    found = tuple(map(_instruction_at, node.elements("instructions", most=_MOST)))
    if len({one.id for one in found}) < len(found):
        raise node.fault("instruction_twice", "an instruction stands here twice")
    return found


def _instruction_at(node: Node) -> NamedInstruction:
    node.table(("id", "instruction"))
    try:
        instruction = from_json(node.at("instruction").value)
    except InvalidInput as error:
        text = f"{error.pointer or 'here'}: {error.message}"
        raise node.at("instruction").fault(error.code, text) from error
    return NamedInstruction(id=InstructionId(word_at(node.at("id"))), instruction=instruction)


def check_instructions(
    terms: EscrowTerms,
    conditions: Sequence[Condition],
    instructions: Sequence[NamedInstruction],
    domain: SigningDomain | None,
) -> Iterator[Finding]:
    """Refuse ids without their terms, and instructions that nobody can show to have settled.

    Without a `domain`, whether an id is that of its terms stays open, and is said to.
    """
    known = {one.id: one.instruction for one in instructions}
    for milestone, leaf, _ in _leaves(conditions):
        name = to_hex(leaf.instruction)
        if leaf.instruction not in known:
            text = f"instruction {name} is named by its id alone: its terms are not beside it"
            yield Finding(REFUSED, "instruction_unseen", milestone, text)
            continue
        instruction = known[leaf.instruction]
        reasons = check_terms(instruction)
        if reasons:
            codes = ", ".join(dict.fromkeys(one.code for one in reasons))
            text = f"instruction {name} can never settle: {codes}"
            yield Finding(REFUSED, "instruction_dead", milestone, text)
            continue
        if not instruction.options & OPTION_RECORD:
            text = (
                f"instruction {name} is not to be recorded (option {OPTION_RECORD}): nobody could "
                "show that it settled, or that it did not"
            )
            yield Finding(REFUSED, "instruction_unrecorded", milestone, text)
        if domain is None:
            text = f"whether {name} is the id of its terms is seen where the contract is known"
            yield Finding(WARNING, "instruction_id_open", milestone, text)
        elif instruction_id(instruction, domain) != leaf.instruction:
            other = to_hex(instruction_id(instruction, domain))
            text = f"the terms beside instruction {name} are those of {other}"
            yield Finding(REFUSED, "instruction_another", milestone, text)
        if not set(accounts_of(instruction)) & {x.depositor for x in lines_of(terms, milestone)}:
            text = f"instruction {name} moves nothing of or to those who pay here: others decide"
            yield Finding(WARNING, "instruction_of_others", milestone, text)


def print_instructions(
    terms: EscrowTerms,
    instructions: Sequence[NamedInstruction],
    *,
    register: Register,
    labels: Mapping[Address, str],
) -> str:
    """Write what each instruction moves that a condition names; empty where none is named.

    `labels` are the writer's names of accounts. Stands beside the printed text, not in it.
    """
    known = {one.id: one.instruction for one in instructions}
    lines: list[str] = []
    for milestone, leaf, negated in _leaves(conditions_of(terms)):
        asked = "has not settled and can settle no more" if negated else "has settled"
        lines += ["", f"   Milestone {milestone + 1} asks whether this instruction {asked}:"]
        lines.append(f"   {to_hex(leaf.instruction)}")
        if leaf.instruction not in known:
            lines.append("      ITS TERMS ARE NOT KNOWN HERE.")
            continue
        instruction = known[leaf.instruction]
        lines += [f"      {_movement(leg, register, labels)}" for leg in instruction.legs]
        begins, ends = instant(instruction.settle_from), instant(instruction.settle_by)
        lines.append(f"      It can settle from {begins} on and before {ends};")
        lines.append(f"      {_who(instruction.initiator, labels)} initiated it.")
    return "\n".join(["INSTRUCTIONS NAMED IN THE CONDITIONS", *lines, ""]) if lines else ""


def _leaves(conditions: Sequence[Condition]) -> Iterator[tuple[int, Settled, bool]]:
    for milestone, condition in enumerate(conditions):
        for leaf, negated in leaves_of(condition):
            if isinstance(leaf, Settled):
                yield milestone, leaf, negated


def _movement(leg: Leg, register: Register, labels: Mapping[Address, str]) -> str:
    if leg.asset in register.by_number:
        moved = register.amount(leg.asset, leg.quantity)
    else:
        moved = f"{leg.quantity} smallest units of asset {leg.asset}"
    return f"{moved} from {_who(leg.deliverer, labels)} to {_who(leg.receiver, labels)}"


def _who(account: Address, labels: Mapping[Address, str]) -> str:
    """Name an account by its whole address, and the writer's name for it."""
    name = f" ({labels[account]})" if account in labels else ""
    return f"account {to_hex(account)}{name}"
