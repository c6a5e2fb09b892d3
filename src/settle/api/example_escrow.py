"""The escrow of which the examples of the API's document tell: a delivery that a third attests."""

from __future__ import annotations

from typing import Final

from settle.api.escrow_documents import EscrowsPage
from settle.api.escrow_views import escrow_now_out, escrow_out
from settle.api.example_trade import ACCOUNT, BANK, CONTRACT, KEY, NOW, OTHER, SIGNATURE
from settle.domain.escrow.conditions import Signed
from settle.domain.escrow.evidence import signed_evidence
from settle.domain.escrow.program import write_program
from settle.domain.escrow.register import AssetEntry, Register
from settle.domain.escrow.state import EscrowRecord, MilestoneRecord
from settle.domain.escrow.terms import EscrowLine, EscrowTerms, escrow_id
from settle.domain.escrow.terms_json import terms_to_json
from settle.domain.escrow.wording import print_terms, with_text
from settle.domain.ids import Address, AssetId, Lei, to_hex
from settle.domain.instruction import SigningDomain
from settle.services.escrow_rows import EscrowRow, EscrowStatus, MessageKind, MessageRow
from settle.services.show_escrows import view_of

_DAY_S: Final = 86_400
_REGISTER: Final = Register([AssetEntry(number=AssetId(2), code="EUR", decimals=2)])
_TERMS: Final = with_text(
    EscrowTerms(
        open_by=NOW + _DAY_S,
        lines=(
            EscrowLine(
                milestone=0,
                asset=AssetId(2),
                depositor=ACCOUNT,
                beneficiary=OTHER,
                quantity=2_810_000,
                if_met=2_810_000,
                by_default=0,
                if_unruled=0,
            ),
        ),
        deadlines=(NOW + 30 * _DAY_S,),
        program=write_program(
            [Signed(signer=Address(KEY), statement=b"delivered".ljust(32, b"\0"))]
        ),
    ),
    _REGISTER,
)
_ROW: Final = EscrowRow(
    escrow=escrow_id(
        _TERMS, SigningDomain(chain_id=20_226_002, verifying_contract=Address(CONTRACT))
    ),
    terms=_TERMS,
    text=print_terms(_TERMS, _REGISTER),
    status=EscrowStatus.OPEN,
    proposed_by=Lei(BANK),
    reason="",
    wake_at=None,
    transaction_id=None,
    version=4,
    created_at=NOW,
    updated_at=NOW + 60,
)
_CONSENTS: Final = tuple(
    MessageRow(
        escrow=_ROW.escrow,
        milestone=0,
        kind=MessageKind.CONSENT,
        author=account,
        place=0,
        content={"paid": [], "data": "0x", "valid_by": "0", "signature": to_hex(SIGNATURE)},
        created_at=NOW,
    )
    for account in (ACCOUNT, OTHER)
)
_VIEW: Final = view_of(
    _ROW,
    EscrowRecord(opened_at=NOW + 60, milestones=(MilestoneRecord(),)),
    _CONSENTS,
    NOW + 60,
)

ESCROW_TERMS: Final = terms_to_json(_TERMS)
ESCROW: Final = escrow_out(_VIEW)
ESCROWS: Final = EscrowsPage(escrows=(ESCROW,), next_cursor=None)
ESCROW_TEXT: Final = _ROW.text
ESCROW_NOW: Final = escrow_now_out(_VIEW, NOW + 60)
ESCROW_EVIDENCE: Final = {
    "kind": "evidence",
    "milestone": 0,
    "data": to_hex(signed_evidence(NOW + 50, SIGNATURE)),
}
