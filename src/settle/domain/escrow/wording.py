"""The terms in English that a lawyer can follow, word for word the same for the same terms.

Nothing goes into the text but the terms (without their `text`) and the chain's register of
assets, so whoever reads the terms back from the chain prints the same. `text` in the terms is the
keccak256 of it. What runs is the program; a text that differs from it is refused by every signer.

The wording never changes under its number: another wording is another number, and old ones stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from settle.domain.escrow.clock import agreeing_of, conditions_of, may_be_disputed
from settle.domain.escrow.conditions import (
    Condition,
    Feed,
    Reading,
    Signed,
    leaves_of,
    named_milestones,
)
from settle.domain.escrow.register import Register
from settle.domain.escrow.terms import (
    MAX_WAIT,
    EscrowLine,
    EscrowTerms,
    first_line_of,
    lines_of,
    parties_of,
    shared_milestones,
)
from settle.domain.escrow.wording_conditions import condition_lines
from settle.domain.escrow.wording_words import duration, instant, listed
from settle.domain.ids import ZERO_ADDRESS, Address, AssetId, to_hex
from settle.domain.keccak import keccak256

WORDING: Final = 1


def print_terms(terms: EscrowTerms, register: Register) -> str:
    """Write the terms in English, in numbered clauses.

    Raises: Reverted if the program is none; InvalidInput for an asset outside the register.
    """
    conditions = conditions_of(terms)
    names = _names(terms, conditions)
    clauses = [
        _who(names),
        _deposits(terms, register, names),
        _opening(terms),
        *(
            _milestone(terms, register, names, k, condition)
            for k, condition in enumerate(conditions)
        ),
        _disputes(terms, names),
        _ladder(),
        _reference(terms),
    ]
    numbered = (
        f"{number}. {title}\n" + "\n".join(lines)
        for number, (title, lines) in enumerate(clauses, start=1)
    )
    return f"ESCROW TERMS (wording {WORDING})\n\n" + "\n\n".join(numbered) + "\n"


def text_hash(terms: EscrowTerms, register: Register) -> bytes:
    """Give the keccak256 of the printed text: what `text` in the terms must be."""
    return keccak256(print_terms(terms, register).encode())


def with_text(terms: EscrowTerms, register: Register) -> EscrowTerms:
    """Give the same terms with the hash of their printed text in `text`."""
    return replace(terms, text=text_hash(terms, register))


_Clause = tuple[str, Sequence[str]]


# ------------------------------------------------------------------------------ who and what


def _names(terms: EscrowTerms, conditions: Sequence[Condition]) -> dict[Address, str]:
    """Name every account, by the first part it has: party, arbiter, fallback, witness, source."""
    names = {
        account: f"Party {chr(ord('A') + k) if k < 26 else k + 1}"
        for k, account in enumerate(parties_of(terms))
    }
    for k, arbiter in enumerate(terms.arbiters, start=1):
        names.setdefault(arbiter, f"Arbiter {k}")
    if terms.fallback_arbiter != ZERO_ADDRESS:
        names.setdefault(terms.fallback_arbiter, "the Fallback Arbiter")
    leaves = [leaf for condition in conditions for leaf, _ in leaves_of(condition)]
    witnesses = dict.fromkeys(leaf.signer for leaf in leaves if isinstance(leaf, Signed))
    sources = dict.fromkeys(
        leaf.signer if isinstance(leaf, Reading) else leaf.contract
        for leaf in leaves
        if isinstance(leaf, Reading | Feed)
    )
    for kind, accounts in (("Witness", witnesses), ("Source", sources)):
        unnamed = [account for account in accounts if account not in names]
        names |= {account: f"{kind} {k}" for k, account in enumerate(unnamed, start=1)}
    return names


def _who(names: dict[Address, str]) -> _Clause:
    lines = [f"   {name[0].upper()}{name[1:]}: account {to_hex(a)}" for a, name in names.items()]
    rest = "   Witnesses, Sources and Arbiters receive nothing under these terms."
    return "Who is who", [*lines, rest]


def _deposits(terms: EscrowTerms, register: Register, names: dict[Address, str]) -> _Clause:
    totals: dict[tuple[Address, AssetId], int] = {}
    for line in terms.lines:
        key = (line.depositor, line.asset)
        totals[key] = totals.get(key, 0) + line.quantity
    assets = [register.entry(asset) for asset in dict.fromkeys(asset for _, asset in totals)]
    return "Deposits", [
        *(
            f"   {names[depositor]} deposits {register.amount(asset, total)}."
            for (depositor, asset), total in totals.items()
        ),
        "   The value stays in the depositor's own account and remains its property; it is held",
        "   there, and nobody can use it for anything else, until these terms pay or return it.",
        *(
            f"   {one.code} is asset {one.number} of the books, with {one.decimals} decimals."
            for one in assets
        ),
    ]


def _opening(terms: EscrowTerms) -> _Clause:
    return "Opening", [
        "   These terms are opened at once and whole, with the signatures of everybody who gives,",
        f"   receives or arbitrates, before {instant(terms.open_by)}, or never.",
        "   Until they are opened, any one of those who sign may withdraw, and they open no more.",
    ]


# ------------------------------------------------------------------------------ milestones


def _milestone(
    terms: EscrowTerms,
    register: Register,
    names: dict[Address, str],
    milestone: int,
    condition: Condition,
) -> _Clause:
    first, *rest = condition_lines(condition, names.__getitem__)
    first_line = first_line_of(terms, milestone)
    lines = enumerate(lines_of(terms, milestone), start=first_line + 1)
    agree = listed([names[account] for account in agreeing_of(terms, milestone)])
    return f"Milestone {milestone + 1}", [
        f"   Condition: {first}",
        *(f"   {line}" for line in rest),
        f"   Deadline: {instant(terms.deadlines[milestone])}. What is shown before it counts; from",
        "   it on only the default does.",
        *(
            text
            for number, line in lines
            for text in _payment(terms, register, names, number, line)
        ),
        *_together(terms, milestone),
        *_dispute_of(terms, milestone),
        f"   A split of this milestone needs the agreement of {agree}.",
    ]


def _payment(
    terms: EscrowTerms, register: Register, names: dict[Address, str], number: int, line: EscrowLine
) -> Iterator[str]:
    gives, gets = names[line.depositor], names[line.beneficiary]
    held = register.amount(line.asset, line.quantity)
    yield f"   Payment {number}: of {held} held by {gives} for {gets},"
    cases = [
        ("if the condition is shown to hold", line.if_met),
        ("if the deadline comes first", line.by_default),
    ]
    if may_be_disputed(terms, line.milestone):
        cases.append(("if it was disputed and nobody rules", line.if_unruled))
    elif line.if_unruled != line.by_default:
        cases.append(("(stated for a dispute, which cannot be)", line.if_unruled))
    for case, amount in cases:
        yield f"      {case}: {_outcome(register, line, gets, gives, amount)}"


def _outcome(register: Register, line: EscrowLine, gets: str, gives: str, amount: int) -> str:
    rest = line.quantity - amount
    if not amount:
        return f"all returns to {gives}."
    if not rest:
        return f"all goes to {gets}."
    paid, back = register.amount(line.asset, amount), register.amount(line.asset, rest)
    return f"{paid} goes to {gets}, {back} returns to {gives}."


def _together(terms: EscrowTerms, milestone: int) -> Iterator[str]:
    if milestone in shared_milestones(terms):
        yield "   The payments of this milestone are made together or not at all. If a freeze stops"
        yield f"   one for {duration(MAX_WAIT)}, a giver that no freeze stops may have all of them"
        yield "   return, even though the milestone was decided."


def _dispute_of(terms: EscrowTerms, milestone: int) -> Iterator[str]:
    if may_be_disputed(terms, milestone):
        latest = terms.deadlines[milestone] + _longest_shift(terms)[milestone]
        yield "   A dispute is possible. Disputes can keep this milestone open until"
        yield f"   {instant(latest)} at the latest."
    elif terms.arbiters:
        yield "   No dispute is possible here: a secret is involved, and whoever knows it must be"
        yield "   able to rely on the deadline."
    else:
        yield "   No dispute is possible here: no arbiters are named."


def _longest_shift(terms: EscrowTerms) -> list[int]:
    """Give by how many seconds disputes can move each deadline at most."""
    longest: list[int] = []
    for k, condition in enumerate(conditions_of(terms)):
        inherited = max((longest[one] for one in named_milestones(condition)), default=0)
        longest.append(inherited + (terms.dispute_time if may_be_disputed(terms, k) else 0))
    return longest


# ------------------------------------------------------------------------------ rules for all


def _disputes(terms: EscrowTerms, names: dict[Address, str]) -> _Clause:
    if not terms.arbiters:
        return "Disputes", ["   No arbiters are named, so there are no disputes."]
    panel = listed([names[arbiter] for arbiter in terms.arbiters])
    lines = [
        f"   The panel is {panel}; {terms.quorum} of them decide.",
        "   Each giver or receiver of a milestone may dispute it, once, before its deadline. That",
        f"   moves the deadline by {duration(terms.dispute_time)}, and by as much each time that",
        "   its condition waits for and that was not reached, and those of every milestone that",
        "   depends on it. The condition can still be met before the new deadline: a dispute",
        "   extends the time for performance, too.",
    ]
    if terms.fallback_arbiter == ZERO_ADDRESS:
        return "Disputes", [*lines, "   The panel decides until the new deadline."]
    last = duration(terms.fallback_time)
    return "Disputes", [
        *lines,
        f"   The panel has at least {duration(terms.answer_time)}. If it is silent,",
        f"   {names[terms.fallback_arbiter]} decides alone in the last {last} before the",
        "   deadline or before a time that would meet the condition, whichever comes first.",
    ]


def _ladder() -> _Clause:
    return "What comes first, and what happens by silence", [
        "   (1) What all who must agree have agreed, at any time before a milestone has ended.",
        "   (2) The condition, shown to hold by anybody, before the deadline. A statement counts",
        "       if what it states was observed after the opening, and before it is shown.",
        "   (3) A ruling in a dispute. Arbiters say how much of each payment is made, and nothing",
        "       else: they can neither receive value nor send it to anybody else.",
        "   (4) From the deadline on the default, or what is stated for a dispute without ruling.",
        "       Anybody may call for it, and nothing else is then needed from anybody.",
        "   A milestone is decided even where an account or an asset is frozen. A payment out of a",
        "   frozen account or of a frozen asset waits, and with it the milestone's other payments;",
        "   anybody may make them when the freeze is over. What returns, and what reaches a frozen",
        "   receiver, never waits.",
        "   A milestone counts as decided for others also while its payments wait.",
    ]


def _reference(terms: EscrowTerms) -> _Clause:
    return "Reference", [
        f"   Reference of the parties (salted hash): {to_hex(terms.ref)}",
        f"   Number that makes these terms unique: {to_hex(terms.salt)}",
    ]
