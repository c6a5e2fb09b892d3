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
        case said.InstructionNotSettled() | said.InstructionRecorded():
            return
        case said.InstructionAffirmed():
            _affirm(books, place, event)
        case said.Reserved():
            _reserve(books, place, event)
        case said.ReservationEnded():
            _release(books, place, event)
        case said.ConsentWithdrawn():
            _withdraw(books, place, event)
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


def _reserve(books: Books, place: Place, event: said.Reserved) -> None:
    live = _live(books, place, event.id, event.account)
    others = live.without_reservation(event.account)
    reserved = others.reserved | {(event.account, event.committed)}
    books.live[event.id] = replace(live, reserved=reserved)


def _release(books: Books, place: Place, event: said.ReservationEnded) -> None:
    live = _live(books, place, event.id, event.account)
    rest = live.without_reservation(event.account)
    if rest == live:
        raise BooksDiffer(
            place,
            f"the reservation of instruction 0x{event.id.hex()}",
            stated="ended",
            computed="not there",
            account=event.account,
        )
    books.live[event.id] = replace(rest, released=live.released | {event.account})


def _withdraw(books: Books, place: Place, event: said.ConsentWithdrawn) -> None:
    key = (event.account, event.id)
    if key in books.withdrawn:
        fact = f"the consent to instruction 0x{event.id.hex()}"
        raise BooksDiffer(
            place, fact, stated="withdrawn", computed="withdrawn before", account=event.account
        )
    books.withdrawn.add(key)
    word = books.account(event.account)
    books.accounts[event.account] = replace(word, withdrawals=word.withdrawals + 1)
    live = books.live.get(event.id)
    if live is not None:
        lost = live.consents & ~event.consents
        if event.consents & ~live.consents or lost.bit_count() > 1:
            raise _consents_differ(place, event, live, event.account)
        rest = live.without_reservation(event.account)
        books.live[event.id] = replace(rest, consents=event.consents)


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
        raise _consents_differ(place, event, live, event.initiator)
    books.live[event.id] = replace(live, consents=event.consents)


def _consents_differ(
    place: Place,
    event: said.InstructionAffirmed | said.ConsentWithdrawn,
    live: LiveInstruction,
    account: Address,
) -> BooksDiffer:
    return BooksDiffer(
        place,
        f"the consents of instruction 0x{event.id.hex()}",
        stated=f"{event.consents:b}",
        computed=f"{live.consents:b} of {live.accounts} before",
        account=account,
    )


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
