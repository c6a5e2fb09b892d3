"""How each event of settlement moves the books: nonces, consents, reservations, outcomes."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from settle.domain import chain_events as said
from settle.domain.books_state import Books, BooksDiffer, LiveInstruction
from settle.domain.chain_events import Place, SettlementEvent
from settle.domain.ids import Address, InstructionId
from settle.domain.ledger import NonceState


def advance_instruction(books: Books, place: Place, event: SettlementEvent) -> None:
    """Apply one event of settlement in place. Raises: BooksDiffer."""
    match event:
        case said.InstructionNotSettled():
            return
        case said.InstructionAffirmed():
            _affirm(books, place, event)
        case said.Reserved():
            live = _live(books, place, event.id, event.account)
            kept = tuple(entry for entry in live.reserved if entry[0] != event.account)
            reserved = (*kept, (event.account, event.committed))
            books.live[event.id] = replace(live, reserved=reserved)
        case said.ReservationEnded():
            live = _live(books, place, event.id, event.account)
            kept = tuple(entry for entry in live.reserved if entry[0] != event.account)
            if kept == live.reserved:
                raise BooksDiffer(
                    place,
                    f"the reservation of instruction 0x{event.id.hex()}",
                    stated="ended",
                    computed="not there",
                    account=event.account,
                )
            books.live[event.id] = replace(live, reserved=kept)
        case said.ConsentWithdrawn():
            word = books.account(event.account)
            books.accounts[event.account] = replace(word, withdrawals=word.withdrawals + 1)
            books.withdrawn.add((event.account, event.id))
        case said.InstructionSettled():
            if event.id not in books.posted:
                fact = f"the legs of instruction 0x{event.id.hex()}"
                raise BooksDiffer(place, fact, stated="settled", computed="never posted")
            del books.posted[event.id]
            _end(books, place, event, NonceState.SETTLED)
        case said.InstructionCancelled():
            _end(books, place, event, NonceState.CANCELLED)
        case _:
            assert_never(event)


def _live(
    books: Books, place: Place, instruction: InstructionId, account: Address
) -> LiveInstruction:
    live = books.live.get(instruction)
    if live is None:
        fact = f"instruction 0x{instruction.hex()}"
        raise BooksDiffer(place, fact, stated="live", computed="not live", account=account)
    return live


def _affirm(books: Books, place: Place, event: said.InstructionAffirmed) -> None:
    live = books.live.get(event.id)
    state = books.nonce_state(event.initiator, event.nonce)
    expected = NonceState.OPEN if live is None else NonceState.LIVE
    if state is not expected:
        raise _nonce_differs(place, event, "live", state)
    if live is None:
        books.set_nonce(event.initiator, event.nonce, NonceState.LIVE)
        live = LiveInstruction(
            initiator=event.initiator, nonce=event.nonce, accounts=event.accounts, consents=0
        )
    if live.consents & ~event.consents or live.accounts != event.accounts:
        raise BooksDiffer(
            place,
            f"the consents of instruction 0x{event.id.hex()}",
            stated=f"{event.consents:b} of {event.accounts}",
            computed=f"at least {live.consents:b} of {live.accounts}",
            account=event.initiator,
        )
    books.live[event.id] = replace(live, consents=event.consents)


def _end(
    books: Books,
    place: Place,
    event: said.InstructionSettled | said.InstructionCancelled,
    outcome: NonceState,
) -> None:
    state = books.nonce_state(event.initiator, event.nonce)
    expected = NonceState.LIVE if event.id in books.live else NonceState.OPEN
    if state is not expected:
        raise _nonce_differs(place, event, outcome.name.lower(), state)
    books.live.pop(event.id, None)
    books.set_nonce(event.initiator, event.nonce, outcome)
    books.outcomes[event.id] = outcome


def _nonce_differs(
    place: Place,
    event: said.InstructionAffirmed | said.InstructionSettled | said.InstructionCancelled,
    stated: str,
    state: NonceState,
) -> BooksDiffer:
    return BooksDiffer(
        place,
        f"nonce {event.nonce}",
        stated=f"{stated} by instruction 0x{event.id.hex()}",
        computed=state.name.lower(),
        account=event.initiator,
    )
