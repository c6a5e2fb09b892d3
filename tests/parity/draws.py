"""What a random walk draws: instructions to act on, callers, and signatures good and bad."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from settle.domain import chainstate as twin
from settle.domain.ids import Address, AssetId
from settle.domain.instruction import Instruction, accounts_of
from settle.domain.ledger import Holding
from settle.domain.reasons import kind_of
from settle.domain.twin_state import Brought
from tests.parity.lockstep import Lockstep, Request
from tests.parity.terms import Terms

POOL: Final = 7


class Draws:
    """Chance with a memory: it comes back to the instructions of the last steps."""

    def __init__(self, both: Lockstep, seed: int) -> None:
        self.both = both
        self.random = Random(seed)
        world = both.world
        self.terms = Terms(self.random, world.owners, world.stranger, self.holding)
        self.pool: list[Instruction] = []
        self.focus: Instruction | None = None

    def holding(self, account: Address, asset: AssetId) -> Holding:
        return self.both.state.books.holding(account, asset)

    def instruction(self) -> Instruction:
        """Return an instruction, mostly the one of the last steps, so that it gets somewhere."""
        random = self.random
        if self.focus is not None and self.is_dead(self.focus) and random.random() < 0.6:
            self.pool.remove(self.focus)
            self.focus = None
        if not self.pool or random.random() < 0.15:
            drawn = self.terms.draw(self.both.now, self.pool)
            self.pool.append(drawn)
            self.both.instructions.append(drawn)
            if len(self.pool) > POOL:
                self.pool.pop(0)
            self.focus = drawn
        elif self.focus not in self.pool or random.random() < 0.2:
            self.focus = random.choice(self.pool)
        assert self.focus is not None
        return self.focus

    def is_dead(self, instruction: Instruction) -> bool:
        """Whether nothing can ever settle it."""
        reasons = twin.why_not(self.both.state, instruction, (), now=self.both.now)
        return any(kind_of(reason.code).permanent for reason in reasons)

    def reserved(self) -> Instruction:
        """Return an instruction with a reservation, if there is one."""
        books, state = self.both.state.books, self.both.state
        ids = {state.id_of(instruction): instruction for instruction in self.both.instructions}
        found = [ids[name] for name, live in books.live.items() if live.reserved]
        if found and self.random.random() < 0.8:
            return self.random.choice(found)
        return self.instruction()

    def kind(self, chance: float) -> Brought:
        draw = self.random.random()
        if draw < chance:
            return Brought.GOOD
        return Brought.NOTHING if draw < chance + (1 - chance) * 0.6 else Brought.BAD

    def brought(
        self, accounts: Sequence[Address], digest: Callable[[Address], bytes], chance: float
    ) -> list[tuple[bytes, Brought]]:
        world = self.both.world
        found = [world.bring(a, digest(a), self.random, self.kind(chance)) for a in accounts]
        draw = self.random.random()
        if draw < 0.02:
            return [*found, (b"one more", Brought.BAD)]
        return found[1:] if draw < 0.04 else found

    def request(self, instruction: Instruction) -> Request:
        """Return an instruction with signatures: all good, none, or any."""
        draw = self.random.random()
        if draw < 0.15:
            return instruction, []
        chance = 1.0 if draw < 0.75 else 0.6
        return instruction, self.brought(accounts_of(instruction), self.name(instruction), chance)

    def name(self, instruction: Instruction) -> Callable[[Address], bytes]:
        """Return what each account signs to consent: the id, the same for all."""
        return lambda _: self.both.state.id_of(instruction)

    def party(self, instruction: Instruction) -> Address:
        if instruction.legs and self.random.random() < 0.95:
            return self.random.choice(accounts_of(instruction))
        return self.random.choice((*self.both.world.owners, self.both.world.stranger))

    def caller(self, account: Address) -> Address:
        """Return who sends a message about an account: itself, or anyone."""
        return account if self.random.random() < 0.5 else self.random.choice(self.both.world.owners)

    def message(self, account: Address, digest: bytes, caller: Address) -> tuple[bytes, Brought]:
        own = caller == account and self.random.random() < 0.7
        kind = Brought.NOTHING if own else self.kind(0.85)
        return self.both.world.bring(account, digest, self.random, kind)
