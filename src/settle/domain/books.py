"""The books, rebuilt from the events alone (law L8).

`fold` replays what the contracts said and checks each statement on the way: the delta, applied to
what was there, must give the result that the event names; an outcome is final once; the lines of a
posting add up to zero; legs move only together with their instruction. The first statement that
does not follow raises BooksDiffer, which names the place and both values.
"""

from __future__ import annotations

from collections.abc import Iterable

from settle.domain import chain_events as said
from settle.domain.books_escrow import advance_escrow
from settle.domain.books_instructions import advance_instruction
from settle.domain.books_ledger import advance_ledger
from settle.domain.books_registry import advance_registry
from settle.domain.books_state import Books, BooksDiffer, LiveInstruction, Participant
from settle.domain.chain_events import ChainEvent, LedgerEvent, Place, Recorded, SettlementEvent
from settle.domain.escrow.events import EscrowEvent, LineHeld, LinePaid, LineReturned
from settle.domain.ids import Address, AssetId
from settle.domain.ledger import Holding
from settle.domain.registry_events import RegistryEvent

__all__ = [
    "Books",
    "BooksDiffer",
    "LiveInstruction",
    "Participant",
    "advance",
    "apply_event",
    "close_transaction",
    "fold",
    "holdings_after",
]


def fold(recorded: Iterable[Recorded], start: Books | None = None) -> Books:
    """Replay events, in the order of the chain and in whole transactions, upon a state.

    Returns new books; `start` (default: empty) is left as it was.
    Raises: BooksDiffer at the first statement that does not follow from those before it.
    """
    books = Books() if start is None else start.copy()
    for record in recorded:
        advance(books, record)
    close_transaction(books)
    return books


def advance(books: Books, record: Recorded) -> None:
    """Apply one event to the books in place, for whoever reads a long history in parts.

    Call `close_transaction` where a part ends. Raises: BooksDiffer; the books are then spoilt.
    """
    place = record.place
    last = books.last
    if last is not None:
        if (place.block_number, place.log_index) <= (last.block_number, last.log_index):
            raise BooksDiffer(place, "the event before this one", stated=place, computed=last)
        if place.transaction != last.transaction:
            close_transaction(books)
    books.last = place
    apply_event(books, place, record.event)


def apply_event(books: Books, place: Place, event: ChainEvent) -> None:
    """Apply one event in place and leave the order of places to the caller. Raises: BooksDiffer.

    Events of authority change no books.
    """
    if isinstance(event, LedgerEvent):
        advance_ledger(books, place, event)
    elif isinstance(event, SettlementEvent):
        advance_instruction(books, place, event)
    elif isinstance(event, EscrowEvent):
        advance_escrow(books, place, event)
    elif isinstance(event, RegistryEvent):
        advance_registry(books, place, event)


def close_transaction(books: Books) -> None:
    """Check what must hold at the end of a transaction: laws L1 and L2.

    Every posted leg belongs to an instruction settled in this transaction, and the lines that
    modules posted add up to zero for each asset. Raises: BooksDiffer.
    """
    for instruction, place in books.posted.items():
        fact = f"the outcome of instruction 0x{instruction.hex()}"
        raise BooksDiffer(place, fact, stated="legs that moved", computed="never settled")
    for (_, asset), (total, place) in books.moved.items():
        if total:
            fact = "the sum of a posting"
            raise BooksDiffer(place, fact, stated=total, computed=0, asset=asset)
    books.moved.clear()


def holdings_after(event: ChainEvent) -> tuple[tuple[Address, AssetId, Holding], ...]:
    """Return each holding that an event touched and what it states to be there afterwards."""
    match event:
        case said.Posted():
            return (
                (event.deliverer, event.asset, event.deliverer_holding),
                (event.receiver, event.asset, event.receiver_holding),
            )
        case LinePaid():
            return (
                (event.depositor, event.asset, event.depositor_holding),
                (event.beneficiary, event.asset, event.beneficiary_holding),
            )
        case LineHeld() | LineReturned():
            return ((event.depositor, event.asset, event.holding),)
        case said.Issued() | said.Redeemed() | said.Moved() | said.HoldPlaced() | said.HoldEnded():
            return ((event.account, event.asset, event.holding),)
        case _:
            return ()
