"""The one encoding of conditions in bytes: prefix form, big endian, one after another.

Twin of the contract's reading of `program`: the same bounds, refused for the same errors in the
same order.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, assert_never

from settle.domain.chain_errors import Reverted
from settle.domain.escrow.conditions import (
    BY_INSTANT,
    MAX_CHILDREN,
    MAX_MASK,
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
from settle.domain.escrow.terms import MAX_CONDITION_DEPTH, MAX_CONDITION_NODES, MIN_STEP
from settle.domain.escrow.terms_errors import (
    ConditionMalformed,
    ConditionTooDeep,
    ConditionTooLarge,
    DeadlinesInvalid,
    ProgramNotUsedUp,
)
from settle.domain.ids import ADDRESS_BYTES, WORD_BYTES, ZERO_ADDRESS, Address, InstructionId

_NEVER, _TIME, _SIGNED, _READING, _FEED, _PREIMAGE, _SETTLED, _OUTCOME = range(8)
_ALL, _ANY, _AT_LEAST, _NOT = range(0x10, 0x14)
_VALUE_BYTES: Final = 16
_ROUND_BYTES: Final = 10


# ------------------------------------------------------------------------------ writing


def write_program(conditions: Sequence[Condition]) -> bytes:
    """Encode the conditions of all milestones, in their order. Bounds are asked when read."""
    return b"".join(map(write_condition, conditions))


def write_condition(condition: Condition) -> bytes:
    """Encode one condition."""
    match condition:
        case AllOf():
            return bytes((_ALL, len(condition.of))) + write_program(condition.of)
        case AnyOf():
            return bytes((_ANY, len(condition.of))) + write_program(condition.of)
        case AtLeast():
            head = bytes((_AT_LEAST, condition.count, len(condition.of)))
            return head + write_program(condition.of)
        case Not():
            return bytes((_NOT,)) + write_condition(condition.of)
        case _:
            return _write_leaf(condition)


def _write_leaf(leaf: Leaf) -> bytes:
    match leaf:
        case Never():
            return bytes((_NEVER,))
        case TimeReached():
            return bytes((_TIME,)) + leaf.at.to_bytes(8, "big")
        case Signed():
            return bytes((_SIGNED,)) + leaf.signer + leaf.statement
        case Reading():
            at = leaf.at.to_bytes(8, "big")
            head = bytes((_READING,)) + leaf.signer + leaf.feed + bytes((leaf.kind,)) + at
            return head + _write_range(leaf)
        case Feed():
            at = leaf.at.to_bytes(_ROUND_BYTES, "big")
            return bytes((_FEED,)) + leaf.contract + bytes((leaf.kind,)) + at + _write_range(leaf)
        case Preimage():
            return bytes((_PREIMAGE,)) + leaf.digest
        case Settled():
            return bytes((_SETTLED,)) + leaf.instruction
        case OutcomeOf():
            return bytes((_OUTCOME, leaf.milestone, leaf.mask))
        case _:
            assert_never(leaf)


def _write_range(leaf: Reading | Feed) -> bytes:
    ends = (leaf.low, leaf.high)
    return b"".join(end.to_bytes(_VALUE_BYTES, "big", signed=True) for end in ends)


# ------------------------------------------------------------------------------ reading


def read_program(
    program: bytes,
    deadlines: Sequence[int],
    *,
    open_by: int,
    shared: Collection[int] = (),
) -> tuple[Condition, ...]:
    """Decode the conditions of all milestones and ask all bounds.

    `shared` has the milestones with payments of more than one depositor: no secret ends them, for
    whoever shows it must not wait behind the freeze of another.

    Raises: Reverted with the error that the contract gives for the same bytes.
    """
    reader = _Reader(program, deadlines, open_by, shared)
    conditions = tuple(reader.condition(milestone) for milestone in range(len(deadlines)))
    if reader.offset != len(program):
        raise Reverted(ProgramNotUsedUp(used=reader.offset, length=len(program)))
    return conditions


class _Reader:
    """Reads once from the front; `offset` is where the next node begins."""

    def __init__(
        self,
        program: bytes,
        deadlines: Sequence[int],
        open_by: int,
        shared: Collection[int],
    ) -> None:
        self.offset = 0
        self._program, self._deadlines, self._open_by = program, deadlines, open_by
        self._shared = shared
        self._milestone = self._nodes = self._start = 0

    def condition(self, milestone: int) -> Condition:
        self._milestone, self._nodes = milestone, 0
        return self._node(1)

    def _node(self, depth: int) -> Condition:
        self._start = start = self.offset
        if start >= len(self._program):
            raise self._malformed(start)
        self._nodes += 1
        if self._nodes > MAX_CONDITION_NODES:
            raise Reverted(
                ConditionTooLarge(
                    milestone=self._milestone, nodes=self._nodes, max=MAX_CONDITION_NODES
                )
            )
        if depth > MAX_CONDITION_DEPTH:
            raise Reverted(ConditionTooDeep(milestone=self._milestone, max=MAX_CONDITION_DEPTH))
        opcode = self._number(1)
        if opcode == _NOT:
            return self._negation(start, depth)
        if opcode >= _ALL:
            return self._branch(opcode, start, depth)
        if opcode == _NEVER and depth > 1:
            raise self._malformed(start)
        return self._leaf(opcode)

    def _negation(self, start: int, depth: int) -> Not:
        if self._program[self.offset : self.offset + 1] not in (
            bytes((_SETTLED,)),
            bytes((_OUTCOME,)),
        ):
            raise self._malformed(start)
        inner = self._node(depth + 1)
        if not isinstance(inner, Settled | OutcomeOf):
            raise self._malformed(start)
        return Not(of=inner)

    def _branch(self, opcode: int, start: int, depth: int) -> Condition:
        if opcode > _AT_LEAST:
            raise self._malformed(start)
        count = self._number(1) if opcode == _AT_LEAST else 0
        children = self._number(1)
        if not 2 <= children <= MAX_CHILDREN:
            raise self._malformed(start)
        if opcode == _AT_LEAST and not 1 < count < children:
            raise self._malformed(start)
        of = tuple(self._node(depth + 1) for _ in range(children))
        if opcode == _AT_LEAST:
            return AtLeast(count=count, of=of)
        return AllOf(of=of) if opcode == _ALL else AnyOf(of=of)

    def _leaf(self, opcode: int) -> Leaf:
        match opcode:
            case 0:
                return Never()
            case 1:
                return TimeReached(at=self._instant(8))
            case 2:
                return Signed(signer=self._address(), statement=self._bytes(WORD_BYTES))
            case 3:
                return self._reading()
            case 4:
                return self._feed()
            case 5:
                return self._preimage()
            case 6:
                return Settled(instruction=InstructionId(self._bytes(WORD_BYTES)))
            case 7:
                return self._outcome()
        raise self._malformed(self._start)

    def _reading(self) -> Reading:
        signer, feed, kind = self._address(), self._bytes(WORD_BYTES), self._kind()
        at, low, high = self._number(8), *self._range()
        self._check_instant(kind, at)
        return Reading(signer=signer, feed=feed, kind=kind, at=at, low=low, high=high)

    def _feed(self) -> Feed:
        contract, kind = self._address(), self._kind()
        at, low, high = self._number(_ROUND_BYTES), *self._range()
        self._check_instant(kind, at)
        return Feed(contract=contract, kind=kind, at=at, low=low, high=high)

    def _preimage(self) -> Preimage:
        digest = self._bytes(WORD_BYTES)
        if self._milestone in self._shared:
            raise self._malformed(self._start)
        return Preimage(digest=digest)

    def _outcome(self) -> OutcomeOf:
        milestone, mask = self._number(1), self._number(1)
        if not 1 <= mask <= MAX_MASK or milestone >= self._milestone:
            raise self._malformed(self._start)
        self._before_deadline(self._deadlines[milestone])
        return OutcomeOf(milestone=milestone, mask=mask)

    # -------------------------------------------------------------------------- fields

    def _bytes(self, count: int) -> bytes:
        found = self._program[self.offset : self.offset + count]
        if len(found) < count:
            raise self._malformed(self._start)
        self.offset += count
        return found

    def _number(self, count: int) -> int:
        return int.from_bytes(self._bytes(count), "big")

    def _instant(self, count: int) -> int:
        at = self._number(count)
        self._before_deadline(at)
        return at

    def _address(self) -> Address:
        address = Address(self._bytes(ADDRESS_BYTES))
        if address == ZERO_ADDRESS:
            raise self._malformed(self._start)
        return address

    def _kind(self) -> int:
        kind = self._number(1)
        if kind > BY_INSTANT:
            raise self._malformed(self._start)
        return kind

    def _range(self) -> tuple[int, int]:
        low, high = (
            int.from_bytes(self._bytes(_VALUE_BYTES), "big", signed=True) for _ in range(2)
        )
        if low > high:
            raise self._malformed(self._start)
        return low, high

    def _check_instant(self, kind: int, at: int) -> None:
        """Ask that a reading's instant is open to nobody's choice and leaves time to bring it."""
        if kind == BY_INSTANT:
            if at < self._open_by:
                raise self._malformed(self._start)
            self._before_deadline(at)

    def _before_deadline(self, instant: int) -> None:
        deadline, limit = self._deadlines[self._milestone], instant + MIN_STEP
        if limit > deadline:
            raise Reverted(
                DeadlinesInvalid(milestone=self._milestone, deadline=deadline, limit=limit)
            )

    def _malformed(self, offset: int) -> Reverted:
        return Reverted(ConditionMalformed(milestone=self._milestone, offset=offset))
