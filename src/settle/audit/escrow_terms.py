"""The terms of an escrow as they come out of calldata, and what they say by themselves.

Source: contracts/src/interfaces/IEscrow.sol and docs/escrow.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from settle.audit.abi import Value

MAX_LINES: Final = 16
MAX_MILESTONES: Final = 8
MAX_ARBITERS: Final = 7
MAX_PROGRAM: Final = 2_048
MAX_WINDOW_S: Final = 1_096 * 86_400
MAX_DISPUTE_S: Final = 90 * 86_400
MAX_WAIT_S: Final = 30 * 86_400
MIN_STEP_S: Final = 3_600
NOBODY: Final = bytes(20)


class Line(NamedTuple):
    """One payment that hangs on a milestone. Read by position, as the ABI has it."""

    milestone: int
    asset: int
    depositor: bytes
    beneficiary: bytes
    quantity: int
    if_met: int
    by_default: int
    if_unruled: int


class EscrowTerms(NamedTuple):
    """All the terms. Read by position, as the ABI has it. Instants are unix seconds."""

    open_by: int
    lines: tuple[Line, ...]
    deadlines: tuple[int, ...]
    program: bytes
    arbiters: tuple[bytes, ...]
    quorum: int
    answer_time: int
    fallback: bytes
    fallback_time: int
    text: bytes
    ref: bytes
    salt: bytes

    @property
    def extension(self) -> int:
        """By how much a dispute moves time, in seconds."""
        return self.answer_time + self.fallback_time

    def of(self, milestone: int) -> list[tuple[int, Line]]:
        """A milestone's lines with their places among all."""
        return [(k, line) for k, line in enumerate(self.lines) if line.milestone == milestone]

    def parties(self, milestones: Iterable[int]) -> tuple[bytes, ...]:
        """Depositors and beneficiaries of these milestones, in order of first appearance."""
        chosen = set(milestones)
        return tuple(
            dict.fromkeys(
                account
                for line in self.lines
                if line.milestone in chosen
                for account in (line.depositor, line.beneficiary)
            )
        )

    def signers(self) -> tuple[bytes, ...]:
        """Whose signatures open it, in their order."""
        neutral = (*self.arbiters, *((self.fallback,) if self.fallback != NOBODY else ()))
        return tuple(dict.fromkeys((*self.parties(range(len(self.deadlines))), *neutral)))


def escrow_terms(value: Value) -> EscrowTerms:
    """Name the parts of decoded terms."""
    open_by, lines, *rest = value
    return EscrowTerms(open_by, tuple([Line(*line) for line in lines]), *rest)


def faults(terms: EscrowTerms, now: int) -> list[str]:
    """Say what the contract would not have opened, conditions apart."""
    return count_faults(terms) or [
        *_line_faults(terms),
        *_time_faults(terms, now),
        *_panel_faults(terms),
    ]


def count_faults(terms: EscrowTerms) -> list[str]:
    """Say what there is too much of; of lines and milestones also if there are none."""
    counts = (
        (len(terms.lines), 1, MAX_LINES, "lines"),
        (len(terms.deadlines), 1, MAX_MILESTONES, "milestones"),
        (len(terms.arbiters), 0, MAX_ARBITERS, "arbiters"),
        (len(terms.program), 0, MAX_PROGRAM, "bytes of conditions"),
    )
    return [f"{count} {what}" for count, low, high, what in counts if not low <= count <= high]


def _line_faults(terms: EscrowTerms) -> list[str]:
    found: list[str] = []
    for k, line in enumerate(terms.lines):
        parties = {line.depositor, line.beneficiary}
        if line.quantity == 0 or len(parties) == 1 or NOBODY in parties:
            found.append(f"line {k} moves nothing, or from nobody, or to its own depositor")
        if max(line.if_met, line.by_default, line.if_unruled) > line.quantity:
            found.append(f"line {k} pays more than is held")
    places = [line.milestone for line in terms.lines]
    if places != sorted(places) or set(places) != set(range(len(terms.deadlines))):
        found.append("the lines do not go through the milestones in order")
    return found


def _time_faults(terms: EscrowTerms, now: int) -> list[str]:
    found = [] if now < terms.open_by else ["it was to be opened before"]
    for m, deadline in enumerate(terms.deadlines):
        if not terms.open_by + MIN_STEP_S <= deadline <= now + MAX_WINDOW_S:
            found.append(f"the deadline of milestone {m}")
    return found


def _panel_faults(terms: EscrowTerms) -> list[str]:
    n, alone = len(terms.arbiters), terms.fallback != NOBODY
    if n == 0:
        wrong = bool(terms.quorum or terms.extension or alone)
    else:
        wrong = (
            not n < 2 * terms.quorum <= 2 * n
            or terms.answer_time == 0
            or alone != bool(terms.fallback_time)
            or terms.extension > MAX_DISPUTE_S
            or len({*terms.arbiters, terms.fallback, NOBODY}) != n + 1 + alone
        )
    found = ["the panel"] if wrong else []
    parties = set(terms.parties(range(len(terms.deadlines))))
    if parties & {*terms.arbiters, terms.fallback}:
        found.append("an arbiter is a party")
    return found
