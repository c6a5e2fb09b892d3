"""How each event of an escrow moves the holdings of the books.

What the events say of the escrow itself needs the time of the block: see escrow/state.py.
"""

from __future__ import annotations

from settle.domain.books_ledger import set_holding
from settle.domain.books_state import Books
from settle.domain.chain_events import Place
from settle.domain.escrow.events import EscrowEvent, LineHeld, LinePaid, LineReturned


def advance_escrow(books: Books, place: Place, event: EscrowEvent) -> None:
    """Apply one event of an escrow in place. Raises: BooksDiffer."""
    match event:
        case LineHeld():
            key, change = (event.depositor, event.asset), (-event.quantity, event.quantity)
            set_holding(books, place, key, change, event.holding)
        case LineReturned():
            key, change = (event.depositor, event.asset), (event.quantity, -event.quantity)
            set_holding(books, place, key, change, event.holding)
        case LinePaid():
            gives, gets = (event.depositor, event.asset), (event.beneficiary, event.asset)
            set_holding(books, place, gives, (0, -event.quantity), event.depositor_holding)
            set_holding(books, place, gets, (event.quantity, 0), event.beneficiary_holding)
        case _:
            return
