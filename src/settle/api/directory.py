"""Enters participants, accounts and request keys in the directory. The chain is what admits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settle.domain.errors import Conflict, NotFound
from settle.domain.ids import Address, Bic, Lei, to_hex
from settle.services.admit_participants import Admission, admit_participants
from settle.services.trade_rows import Role

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.api.venue_documents import ParticipantIn
    from settle.services.trade_ports import DirectoryStore
    from settle.services.trade_rows import ParticipantRow
    from settle.services.venue import Venue


def enter_participant(
    venue: Venue, conn: Connection, told: ParticipantIn, at: int
) -> ParticipantRow:
    """Add a participant or restate it; accounts that are new to it are added behind the others.

    Raises: Conflict for a BIC or an account of another.
    """
    lei = Lei(told.lei)
    accounts = tuple(Address(account) for account in dict.fromkeys(told.accounts))
    for account in accounts:
        _refuse_key_of_another(venue.store, conn, account, lei)
    admission = Admission(
        lei=lei,
        bic=None if told.bic is None else Bic(told.bic),
        name=told.name,
        accounts=accounts,
        role=Role(told.role),
        participant_class=told.participant_class,
    )
    admit_participants(venue, conn, [admission], at)
    return venue.store.participants_of(conn, [lei])[lei]


def enter_key(store: DirectoryStore, conn: Connection, lei: Lei, key: Address, at: int) -> None:
    """Let a key sign requests for a participant.

    Raises: NotFound for an unknown participant; Conflict for a key or an account of another.
    """
    if lei not in store.participants_of(conn, [lei]):
        raise NotFound(f"there is no participant {lei}")
    owner = store.owners_of(conn, [key]).get(key, lei)
    if owner != lei:
        raise Conflict("key_taken", f"{to_hex(key)} is an account of {owner}")
    _refuse_key_of_another(store, conn, key, lei)
    store.put_request_key(conn, key, lei, at)
    holder = store.request_key_owner(conn, key)
    if holder is None or holder.lei != lei:
        raise Conflict("key_revoked", f"the key {to_hex(key)} was revoked, for good")


def _refuse_key_of_another(store: DirectoryStore, conn: Connection, key: Address, lei: Lei) -> None:
    holder = store.request_key_owner(conn, key)
    if holder is not None and holder.lei != lei:
        raise Conflict("key_taken", f"{to_hex(key)} signs requests for {holder.lei}")
