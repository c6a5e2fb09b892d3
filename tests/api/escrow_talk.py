"""What people say about escrows to an API of tests: terms, proposals, signed messages."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import Any

from settle.chain.eip712 import address_of, sign
from settle.domain.escrow.conditions import Condition, Signed
from settle.domain.escrow.evidence import signed_evidence
from settle.domain.escrow.program import write_program
from settle.domain.escrow.record_text import record_text
from settle.domain.escrow.register import AssetEntry, Register
from settle.domain.escrow.state import EscrowRecord, MilestoneRecord
from settle.domain.escrow.terms import (
    EscrowId,
    EscrowLine,
    EscrowTerms,
    attestation_digest,
    dispute_digest,
    escrow_id,
    escrow_withdrawal_digest,
    ruling_digest,
    split_digest,
)
from settle.domain.escrow.terms_json import terms_to_json
from settle.domain.escrow.wording import with_text
from settle.domain.ids import AssetId, to_hex
from settle.services.chain_rows import EscrowStateRow
from settle.services.escrow_rows import EscrowStatus
from settle.store.chain_tables import SqlFollowerStore
from tests.api.world import EURO, Party, World

HOUR_S, DAY_S = 3_600, 86_400
DELIVERED = b"delivered".ljust(32, b"\0")
PANEL_KEYS = tuple(bytes([n]) * 32 for n in (31, 32, 33))
REGISTER = Register([AssetEntry(number=AssetId(EURO), code="EUR", decimals=2)])
SALTS = count(1)


def terms_of(
    world: World, *, condition: Condition | None = None, panel: bool = False, **changes: Any
) -> EscrowTerms:
    """A pays B 1,000 cents once C says that it was delivered; else they go back."""
    terms = EscrowTerms(
        open_by=world.now + HOUR_S,
        lines=(
            EscrowLine(
                milestone=0,
                asset=AssetId(EURO),
                depositor=world.a.account,
                beneficiary=world.b.account,
                quantity=1_000,
                if_met=1_000,
                by_default=0,
                if_unruled=500 if panel else 0,
            ),
        ),
        deadlines=(world.now + DAY_S,),
        program=write_program([condition or Signed(signer=world.c.account, statement=DELIVERED)]),
        salt=next(SALTS).to_bytes(32, "big"),
    )
    if panel:
        arbiters = tuple(map(address_of, PANEL_KEYS))
        terms = replace(terms, arbiters=arbiters, quorum=2, answer_time=HOUR_S)
    return with_text(replace(terms, **changes), REGISTER)


def propose(world: World, terms: EscrowTerms, party: Party | None = None) -> Any:
    answer = world.post(party or world.a, "/v1/escrows", {"terms": terms_to_json(terms)})
    assert answer.status_code in {200, 201}, answer.text
    return answer.json()


def path_of(world: World, terms: EscrowTerms) -> str:
    return f"/v1/escrows/{to_hex(escrow_id(terms, world.venue.domain))}"


def send(world: World, party: Party, terms: EscrowTerms, message: dict[str, Any]) -> Any:
    return world.post(party, f"{path_of(world, terms)}/messages", message)


def opened(
    world: World, terms: EscrowTerms, milestone: MilestoneRecord | None = None
) -> EscrowTerms:
    """Propose it, and let it be open as a final block would."""
    propose(world, terms)
    identity = escrow_id(terms, world.venue.domain)
    record = EscrowRecord(opened_at=world.now, milestones=(milestone or MilestoneRecord(),))
    row = EscrowStateRow(escrow=identity, withdrawn=False, record=record_text(record))
    with world.database.transaction() as conn:
        SqlFollowerStore().put_derived(conn, [row], undo_block=None)
        found = world.store.escrow(conn, identity)
        assert found is not None
        world.store.update_escrow(conn, replace(found, status=EscrowStatus.OPEN))
    return terms


class Words:
    """Signed messages about one escrow, as documents."""

    def __init__(self, world: World, terms: EscrowTerms) -> None:
        self.world, self.domain = world, world.venue.domain
        self.id: EscrowId = escrow_id(terms, self.domain)
        self.valid_by = world.now + HOUR_S

    def consent(self, key: bytes) -> dict[str, Any]:
        return {"kind": "consent", "signature": to_hex(sign(self.id, key))}

    def withdrawal(self, party: Party) -> dict[str, Any]:
        digest = escrow_withdrawal_digest(party.account, self.id, self.domain)
        return self._by(party, {"kind": "withdrawal"}, digest)

    def evidence(self, party: Party) -> dict[str, Any]:
        at = self.world.now
        digest = attestation_digest(
            self.id, 0, party.account, DELIVERED, observed_at=at, domain=self.domain
        )
        return {"kind": "evidence", "data": to_hex(signed_evidence(at, sign(digest, party.key)))}

    def agreement(self, party: Party, paid: int) -> dict[str, Any]:
        digest = split_digest(
            self.id, 0, party.account, [paid], valid_by=self.valid_by, domain=self.domain
        )
        told = {"kind": "agreement", "paid": [str(paid)], "valid_by": str(self.valid_by)}
        return self._by(party, told, digest)

    def dispute(self, party: Party) -> dict[str, Any]:
        file = b"\xee" * 32
        digest = dispute_digest(
            self.id, 0, party.account, file, valid_by=self.valid_by, domain=self.domain
        )
        told = {"kind": "dispute", "data": to_hex(file), "valid_by": str(self.valid_by)}
        return self._by(party, told, digest)

    def ruling(self, place: int, paid: int) -> dict[str, Any]:
        digest = ruling_digest(
            *(self.id, 0, address_of(PANEL_KEYS[place]), [paid]),
            reason=b"DOCS",
            valid_by=self.valid_by,
            domain=self.domain,
        )
        return {
            "kind": "ruling",
            "place": place,
            "paid": [str(paid)],
            "data": to_hex(b"DOCS"),
            "valid_by": str(self.valid_by),
            "signature": to_hex(sign(digest, PANEL_KEYS[place])),
        }

    def _by(self, party: Party, told: dict[str, Any], digest: bytes) -> dict[str, Any]:
        return {
            **told,
            "author": to_hex(party.account),
            "signature": to_hex(sign(digest, party.key)),
        }
