"""Takes the terms of an escrow that a party proposes, for everybody named in them to sign."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settle.domain.errors import Forbidden, InvalidInput
from settle.domain.escrow.clock import conditions_of
from settle.domain.escrow.conditions import Reading, Signed, leaves_of
from settle.domain.escrow.register import AssetEntry, Register
from settle.domain.escrow.terms import EscrowTerms, escrow_id, parties_of, signers_of
from settle.domain.escrow.well_formed import check_terms
from settle.domain.escrow.wording import print_terms
from settle.domain.keccak import keccak256
from settle.services.escrow_news import tell_people
from settle.services.escrow_rows import EscrowRow, EscrowStatus

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from settle.domain.ids import Address, Lei
    from settle.services.venue import Venue


def propose_escrow(
    venue: Venue, conn: Connection, caller: Lei, terms: EscrowTerms, at: int
) -> tuple[EscrowRow, bool]:
    """Store proposed terms; the escrow, and whether it is new. The same terms again are no fault.

    Raises: Reverted, with the contract's own error, for terms that could not be opened at `at`;
    Forbidden if the caller is no party; InvalidInput `escrow_text` if the hash in them is not that
    of the English that they print as.
    """
    escrow = escrow_id(terms, venue.domain)
    known = venue.store.escrow(conn, escrow)
    own = venue.store.accounts_of(conn, [caller]).get(caller, ())
    if not set(own) & set(parties_of(terms)):
        raise Forbidden("an escrow is proposed by one of its depositors or beneficiaries")
    if known is not None:
        return known, False
    check_terms(terms, now=at)
    text = print_terms(terms, _register(venue, conn, terms))
    if keccak256(text.encode()) != terms.text:
        raise InvalidInput(
            "escrow_text", "the terms name another text than they print as", "/terms/text"
        )
    row = EscrowRow(
        escrow=escrow,
        terms=terms,
        text=text,
        status=EscrowStatus.PROPOSED,
        proposed_by=caller,
        reason="",
        wake_at=terms.open_by,
        transaction_id=None,
        version=1,
        created_at=at,
        updated_at=at,
    )
    venue.store.add_escrow(conn, row, people_of(terms))
    tell_people(venue, conn, row, "escrow.proposed", at)
    return row, True


def people_of(terms: EscrowTerms) -> tuple[Address, ...]:
    """Everybody with a part in it: who signs the terms, and whose word a condition asks for."""
    named = [
        leaf.signer
        for condition in conditions_of(terms)
        for leaf, _ in leaves_of(condition)
        if isinstance(leaf, Signed | Reading)
    ]
    return tuple(dict.fromkeys((*signers_of(terms), *named)))


def _register(venue: Venue, conn: Connection, terms: EscrowTerms) -> Register:
    wanted = {line.asset for line in terms.lines}
    return Register(
        AssetEntry(number=row.asset, code=row.code, decimals=row.decimals)  # type: ignore[arg-type]  # numbered by the chain
        for row in venue.store.assets(conn)
        if row.asset in wanted
    )
