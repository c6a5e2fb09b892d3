"""Enters participants, their accounts and request keys into the operator's own directory.

Whether an account may settle is decided on chain by the registrar; here is only who is who.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from settle.domain.errors import Conflict
from settle.domain.ids import to_hex
from settle.services.trade_rows import OwnedAccount, ParticipantRow, Role

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

    from settle.domain.ids import Address, Bic, Lei
    from settle.services.venue import Venue


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """A participant with its accounts, the first of which is used where a side names none."""

    lei: Lei
    bic: Bic | None
    name: str
    accounts: tuple[Address, ...]
    request_keys: tuple[Address, ...] = ()
    role: Role = Role.PARTICIPANT
    participant_class: int = 0


def admit_participants(
    venue: Venue, conn: Connection, admissions: Sequence[Admission], at: int
) -> None:
    """Add participants, or restate name, BIC, role and class of known ones and add accounts.

    Raises: Conflict `account_taken` or `bic_taken` for what belongs to another participant.
    """
    store = venue.store
    owners = store.owners_of(conn, {a for one in admissions for a in one.accounts})
    for one in admissions:
        for account in one.accounts:
            if owners.get(account, one.lei) != one.lei:
                raise Conflict("account_taken", f"{to_hex(account)} is of {owners[account]}")
        if one.bic is not None:
            holder = store.participant_by_bic(conn, one.bic)
            if holder is not None and holder.lei != one.lei:
                raise Conflict("bic_taken", f"{one.bic} is of {holder.lei}")
    store.put_participants(
        conn,
        [
            ParticipantRow(
                lei=one.lei,
                bic=one.bic,
                name=one.name,
                role=one.role,
                participant_class=one.participant_class,
                created_at=at,
            )
            for one in admissions
        ],
    )
    known = store.accounts_of(conn, {one.lei for one in admissions})
    store.put_accounts(
        conn,
        [
            OwnedAccount(address=account, lei=one.lei, position=position, created_at=at)
            for one in admissions
            for position, account in enumerate(
                (a for a in one.accounts if a not in owners), start=len(known.get(one.lei, ()))
            )
        ],
    )
    for one in admissions:
        for key in one.request_keys:
            store.put_request_key(conn, key, one.lei, at)
