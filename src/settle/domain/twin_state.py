"""What the twin of the contracts works on: a state, and the draft of one call's outcome.

State is the books and nothing else: a call decides which events it says, and the events, folded
into the books, are the next state. So whatever the twin does obeys law L8 by its shape.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final, NoReturn, TypeAlias

from settle.domain.books import apply_event, close_transaction
from settle.domain.books_state import Books
from settle.domain.chain_errors import InstructionRefused, Reverted
from settle.domain.chain_events import ChainEvent, HoldEnded, HoldPlaced, Place
from settle.domain.ids import ZERO_ADDRESS, ZERO_WORD, Address, AssetId, InstructionId
from settle.domain.instruction import Instruction, SigningDomain, instruction_id
from settle.domain.ledger import Hold, Holding
from settle.domain.reasons import Reason

HERE: Final = Place(block_number=0, block_hash=ZERO_WORD, transaction=ZERO_WORD, log_index=0)


class Brought(Enum):
    """What was brought in the place of a signature; whether it binds is found out before."""

    NOTHING = "nothing"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainState:
    """The state of the contract that `domain` names. Treat the books as frozen: calls copy them."""

    domain: SigningDomain
    books: Books = field(default_factory=Books)

    @property
    def ledger(self) -> Address:
        """The contract itself: the module of all that instructions reserve."""
        return self.domain.verifying_contract

    def id_of(self, instruction: Instruction) -> InstructionId:
        """Return the instruction's id."""
        return instruction_id(instruction, self.domain)

    def is_open(self, asset: AssetId) -> bool:
        """Whether the asset exists and is not frozen."""
        found = self.books.assets.get(asset)
        return found is not None and not found.frozen

    def is_live(self, hold: Hold) -> bool:
        """Whether a module's hold of exactly these terms is live."""
        return hold.module != self.ledger and hold in self.books.holds


Step: TypeAlias = tuple[ChainState, tuple[ChainEvent, ...]]
"""What a call that was not refused gives: the state after it and what it said."""


class Draft:
    """The outcome of one call while it is worked out: `state` as it stands, `said` so far."""

    __slots__ = ("_said", "state")

    def __init__(self, state: ChainState) -> None:
        """Start from a state, which is left as it is."""
        self.state = replace(state, books=state.books.copy())
        self._said: list[ChainEvent] = []

    @property
    def books(self) -> Books:
        """The books as they stand."""
        return self.state.books

    def tell(self, event: ChainEvent) -> None:
        """Say an event, and let it happen. Raises: Broken if it does not follow."""
        apply_event(self.books, HERE, event)
        self._said.append(event)

    def place(self, hold: Hold) -> None:
        """Turn available into held; the caller knows that it is covered."""
        before = self.books.holding(hold.account, hold.asset)
        self.tell(
            HoldPlaced(
                purpose=hold.purpose,
                index=hold.index,
                module=hold.module,
                account=hold.account,
                asset=hold.asset,
                quantity=hold.quantity,
                deadline=hold.deadline,
                holding=Holding(
                    available=before.available - hold.quantity, held=before.held + hold.quantity
                ),
            )
        )

    def end(self, hold: Hold, *, executed: bool) -> None:
        """Turn held into available again."""
        before = self.books.holding(hold.account, hold.asset)
        self.tell(
            HoldEnded(
                purpose=hold.purpose,
                index=hold.index,
                module=hold.module,
                account=hold.account,
                asset=hold.asset,
                quantity=hold.quantity,
                deadline=hold.deadline,
                executed=executed,
                holding=Holding(
                    available=before.available + hold.quantity, held=before.held - hold.quantity
                ),
            )
        )

    def close(self) -> Step:
        """Return the outcome. Raises: Broken if a transaction may not end like this."""
        close_transaction(self.books)
        return self.state, tuple(self._said)


def reason(code: str, leg: int, who: Address, needed: int = 0, have: int = 0) -> Reason:
    """Make a reason as it is read from the chain, where the zero address is nobody."""
    found = None if who == ZERO_ADDRESS else who
    return Reason(code=code, leg=leg, who=found, needed=needed, have=have)


def refuse(instruction: InstructionId, code: str, who: Address) -> NoReturn:
    """Refuse for a reason that has no values. Raises: Reverted."""
    raise Reverted(InstructionRefused(id=instruction, reason=reason(code, 0, who)))


def refuse_if(instruction: InstructionId, reasons: list[Reason]) -> None:
    """Refuse for the first reason, if there is one. Raises: Reverted."""
    if reasons:
        raise Reverted(InstructionRefused(id=instruction, reason=reasons[0]))
