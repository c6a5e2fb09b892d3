"""Well-formed terms with one thing made wrong, or with any byte of their conditions changed."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from settle.domain.escrow.terms import MAX_DISPUTE, MAX_ESCROW_WINDOW, MIN_STEP, EscrowTerms
from settle.domain.ids import ZERO_ADDRESS, AssetId


def misdrawn(random: Random, terms: EscrowTerms) -> EscrowTerms:
    """Return the terms with one change that may, and mostly does, make them malformed."""
    change = random.choice((_lines, _lines, _clocks, _program, _program, _panel, _sizes))
    return change(random, terms)


def _lines(random: Random, terms: EscrowTerms) -> EscrowTerms:
    index = random.randrange(len(terms.lines))
    line = terms.lines[index]
    changes: tuple[dict[str, Any], ...] = (
        {"milestone": line.milestone + 1},
        {"milestone": 255},
        {"milestone": max(0, line.milestone - 1)},
        {"quantity": 0, "if_met": 0, "by_default": 0, "if_unruled": 0},
        {"beneficiary": line.depositor},
        {"depositor": ZERO_ADDRESS},
        {"beneficiary": ZERO_ADDRESS},
        {"if_met": line.quantity + 1},
        {"by_default": line.quantity + 1},
        {"if_unruled": 2**128 - 1},
        {"asset": AssetId(99)},
        {"quantity": 2**128 - 1},
    )
    wrong = replace(line, **random.choice(changes))
    lines = (*terms.lines[:index], wrong, *terms.lines[index + 1 :])
    return replace(terms, lines=lines)


def _clocks(random: Random, terms: EscrowTerms) -> EscrowTerms:
    index = random.randrange(len(terms.deadlines))
    earlier, later = terms.deadlines[:index], terms.deadlines[index + 1 :]
    deadline = random.choice(
        (
            terms.open_by,
            terms.open_by + MIN_STEP - 1,
            terms.open_by + MIN_STEP,
            terms.deadlines[index] - 1,
            terms.deadlines[index] - MIN_STEP,
            terms.open_by + MAX_ESCROW_WINDOW + MIN_STEP,
            2**64 - 1,
        )
    )
    changed = replace(terms, deadlines=(*earlier, deadline, *later))
    opened = replace(terms, open_by=random.choice((0, 1, terms.open_by - 5_000, 2**64 - 1)))
    return random.choice((changed, changed, opened))


def _program(random: Random, terms: EscrowTerms) -> EscrowTerms:
    program = bytearray(terms.program)
    at = random.randrange(len(program))
    draw = random.random()
    if draw < 0.5:
        program[at] = random.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 16, 17, 18, 19, 20, 255))
    elif draw < 0.7:
        program = program[:at]
    elif draw < 0.8:
        program += random.randbytes(random.randint(1, 3))
    elif draw < 0.9:
        program[at:at] = bytes((random.choice((16, 17, 18, 19)), random.randint(0, 9)))
    else:
        program[:0] = bytes((0x11, 2)) * random.randint(1, 5)
    return replace(terms, program=bytes(program))


def _panel(random: Random, terms: EscrowTerms) -> EscrowTerms:
    party = terms.lines[0].depositor
    changes: tuple[dict[str, Any], ...] = (
        {"quorum": random.choice((0, 1, 4, 255))},
        {"answer_time": random.choice((0, 1, MAX_DISPUTE, MAX_DISPUTE + 1, 2**64 - 1))},
        {"fallback_time": random.choice((0, 1, MAX_DISPUTE, 2**64 - 1))},
        {"fallback_arbiter": random.choice((ZERO_ADDRESS, party, *terms.arbiters))},
        {"arbiters": (*terms.arbiters, *terms.arbiters[:1])},
        {"arbiters": (*terms.arbiters[1:], party)},
        {"arbiters": (*terms.arbiters, ZERO_ADDRESS)},
        {"arbiters": ()},
    )
    return replace(terms, **random.choice(changes))


def _sizes(random: Random, terms: EscrowTerms) -> EscrowTerms:
    many = terms.lines[:1] * random.choice((0, 17, 18))
    return random.choice(
        (
            replace(terms, lines=many),
            replace(terms, deadlines=()),
            replace(terms, deadlines=terms.deadlines[:1] * 9),
            replace(terms, arbiters=(terms.lines[0].beneficiary,) * 8),
            replace(terms, program=terms.program.ljust(2049, b"\x00")),
            replace(terms, program=terms.program.ljust(2048, b"\x00")),
            replace(terms, program=b""),
        )
    )


def malformed(random: Random, terms: EscrowTerms) -> EscrowTerms:
    """Return the terms with a change after which, by construction, they cannot be well-formed."""
    index = random.randrange(len(terms.lines))
    line = terms.lines[index]
    of_line: tuple[dict[str, Any], ...] = (
        {"milestone": len(terms.deadlines)},
        {"milestone": 255},
        {"quantity": 0},
        {"beneficiary": line.depositor},
        {"depositor": ZERO_ADDRESS},
        {"beneficiary": ZERO_ADDRESS},
        {"if_met": line.quantity + 1},
        {"by_default": 2**128 - 1},
        {"if_unruled": line.quantity + 1},
    )
    of_terms: tuple[dict[str, Any], ...] = (
        {"lines": ()},
        {"lines": terms.lines[:1] * 17},
        {"deadlines": ()},
        {"deadlines": (*terms.deadlines, terms.deadlines[-1] + MIN_STEP)},
        {"deadlines": (terms.open_by, *terms.deadlines[1:])},
        {"deadlines": (terms.open_by + MIN_STEP - 1, *terms.deadlines[1:])},
        {"deadlines": (terms.open_by + MAX_ESCROW_WINDOW, *terms.deadlines[1:])},
        {"open_by": terms.deadlines[0]},
        {"open_by": 0},
        {"program": b""},
        {"program": terms.program[: random.randrange(len(terms.program))]},
        {"program": terms.program + random.randbytes(random.randint(1, 9))},
        {"program": bytes((0x14,)) + terms.program[1:]},
        {"program": bytes((0x13, 0x01)) + terms.program},
        {"program": bytes((0x11, 2)) * 4 + terms.program},
        {"program": bytes((0x10, 1)) + terms.program},
        {"program": terms.program.ljust(2049, b"\x00")},
        {"arbiters": (line.depositor,)},
        {"arbiters": (ZERO_ADDRESS,)},
        {"arbiters": (*terms.arbiters, *terms.arbiters[:1]) if terms.arbiters else (b"\x01" * 20,)},
        {"quorum": terms.quorum + len(terms.arbiters) + 1},
        {"quorum": 0 if terms.arbiters else 1},
        {"answer_time": MAX_DISPUTE + 1},
        {"answer_time": 0 if terms.arbiters else 1},
        {"fallback_time": 0 if terms.fallback_time else 1},
        {"fallback_arbiter": line.beneficiary},
    )
    if random.random() < len(of_line) / (len(of_line) + len(of_terms)):
        wrong = replace(line, **random.choice(of_line))
        return replace(terms, lines=(*terms.lines[:index], wrong, *terms.lines[index + 1 :]))
    return replace(terms, **random.choice(of_terms))
