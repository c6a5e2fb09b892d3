"""How each event of the registry moves the books: participants and whose an account is."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from settle.domain import registry_events as said
from settle.domain.books_state import Books, BooksDiffer, Participant
from settle.domain.chain_events import Place
from settle.domain.ledger import Standing


def advance_registry(books: Books, place: Place, event: said.RegistryEvent) -> None:
    """Apply one event of the registry in place. Raises: BooksDiffer."""
    match event:
        case said.ParticipantAdmitted():
            if event.lei in books.participants:
                fact = f"participant {event.lei.decode('ascii', 'replace')}"
                raise BooksDiffer(place, fact, stated="admitted", computed="admitted before")
            books.participants[event.lei] = Participant(
                standing=Standing.ADMITTED, class_=event.class_, bic=event.bic
            )
        case said.ParticipantStandingSet():
            participant = _participant(books, place, event)
            books.participants[event.lei] = replace(participant, standing=event.standing)
        case said.AccountOpened():
            participant = _participant(books, place, event)
            if event.account in books.owners:
                raise BooksDiffer(
                    place,
                    "the account",
                    stated="opened",
                    computed="opened before",
                    account=event.account,
                )
            books.owners[event.account] = event.lei
            accounts = (*participant.accounts, event.account)
            books.participants[event.lei] = replace(participant, accounts=accounts)
        case _:
            assert_never(event)


def _participant(
    books: Books, place: Place, event: said.ParticipantStandingSet | said.AccountOpened
) -> Participant:
    if event.lei not in books.participants:
        fact = f"participant {event.lei.decode('ascii', 'replace')}"
        raise BooksDiffer(place, fact, stated="known", computed="unknown")
    return books.participants[event.lei]
