"""An example for each operation of the API's document, of one trade, valid by construction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from settle.api import venue_documents as venue
from settle.api.example_escrow import (
    ESCROW,
    ESCROW_EVIDENCE,
    ESCROW_NOW,
    ESCROW_TERMS,
    ESCROW_TEXT,
    ESCROWS,
)
from settle.api.example_receipt import RECEIPTS
from settle.api.example_trade import (
    ACCOUNT,
    ACCOUNT_OUT,
    ASSETS,
    BANK,
    CANCELLATION,
    CONSENT,
    DIGEST,
    DOMAIN,
    EVENT,
    INSTRUCTION,
    KEY,
    KEY_OUT,
    LACK,
    MESSAGES,
    NOW,
    OTHER,
    PARTICIPANT,
    POSITIONS,
    READY,
    SESE_023,
    SESE_024,
    SIDE_STATED,
    SIGNATURE,
    SUBMITTED,
    TRADE,
    TRADE_OUT,
)
from settle.api.instruction_documents import (
    AccountSignatureOut,
    BundleOut,
    ConsentsOut,
    ProposalOut,
    ToSignOut,
    ToSignPage,
    WhyNotOut,
)
from settle.api.trade_documents import (
    SubmittedManyOut,
    TradesPage,
)
from settle.domain.ids import to_hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What an operation is sent and what it answers; None where there is no body."""

    request: Mapping[str, Any] | str | None = None
    response: BaseModel | str | None = None


EXAMPLES: Final[Mapping[str, Example]] = {
    "get_venue": Example(
        response=venue.VenueOut(
            audiences=("https://settle.example",),
            clock=NOW,
            request_lifetime_s=300,
            max_body_bytes=2_097_152,
            max_items=500,
            domain=DOMAIN,
            receipt_key=KEY,
        )
    ),
    "list_receipts": Example(response=RECEIPTS),
    "list_participants": Example(response=venue.ParticipantsOut(participants=(PARTICIPANT,))),
    "get_participant": Example(response=PARTICIPANT),
    "put_participant": Example(
        request={
            "lei": BANK,
            "bic": "DEUTDEFFXXX",
            "name": "First Bank",
            "participant_class": 1,
            "accounts": [to_hex(ACCOUNT)],
        },
        response=PARTICIPANT,
    ),
    "put_request_key": Example(request={"key": to_hex(KEY)}, response=KEY_OUT),
    "revoke_request_key": Example(response=KEY_OUT.model_copy(update={"active": False})),
    "list_accounts": Example(response=venue.AccountsOut(accounts=(ACCOUNT_OUT,))),
    "get_account": Example(response=ACCOUNT_OUT),
    "list_account_positions": Example(response=POSITIONS),
    "list_positions": Example(response=POSITIONS),
    "list_assets": Example(response=venue.AssetsOut(assets=ASSETS)),
    "get_asset": Example(response=ASSETS[0]),
    "submit_trade": Example(request=SIDE_STATED, response=SUBMITTED),
    "submit_trades": Example(
        request={"trades": [SIDE_STATED]}, response=SubmittedManyOut(results=(SUBMITTED,))
    ),
    "get_trades": Example(response=TradesPage(trades=(TRADE_OUT,), next_cursor=None)),
    "get_trade": Example(response=TRADE_OUT),
    "get_cancellation": Example(response=CANCELLATION),
    "cancel": Example(
        request={"valid_by": str(NOW + 3_600), "signature": to_hex(SIGNATURE)},
        response=CANCELLATION,
    ),
    "get_bundle": Example(
        response=BundleOut(
            trade_id=TRADE,
            digest=DIGEST,
            domain=DOMAIN,
            instruction=INSTRUCTION,
            signatures=(
                AccountSignatureOut(account=ACCOUNT, signature=SIGNATURE),
                AccountSignatureOut(account=OTHER, signature=SIGNATURE),
            ),
        )
    ),
    "get_proposal": Example(
        response=ProposalOut(trade_id=TRADE, digest=DIGEST, instruction=INSTRUCTION)
    ),
    "get_why_not": Example(
        response=WhyNotOut(
            trade_id=TRADE,
            status="Pending",
            reasons=(LACK,),
            reasons_at=NOW,
            now=(LACK,),
            asked_at=NOW,
        )
    ),
    "list_instructions_to_sign": Example(
        response=ToSignPage(
            instructions=(
                ToSignOut(
                    trade_id=TRADE,
                    reference="A-1",
                    digest=DIGEST,
                    account=ACCOUNT,
                    instruction=INSTRUCTION,
                ),
            ),
            next_cursor=None,
        )
    ),
    "sign_instruction": Example(request={"signature": to_hex(SIGNATURE)}, response=CONSENT),
    "sign_instructions_in_bulk": Example(
        request={"signatures": [{"digest": to_hex(DIGEST), "signature": to_hex(SIGNATURE)}]},
        response=ConsentsOut(results=(CONSENT,)),
    ),
    "propose": Example(request={"terms": ESCROW_TERMS}, response=ESCROW),
    "get_escrows": Example(response=ESCROWS),
    "get_escrow": Example(response=ESCROW),
    "get_escrow_text": Example(response=ESCROW_TEXT),
    "get_what_now": Example(response=ESCROW_NOW),
    "send_escrow_message": Example(request=ESCROW_EVIDENCE, response=ESCROW),
    "stream_events": Example(response=EVENT),
    "send_message": Example(request=SESE_023, response=SESE_024),
    "list_messages": Example(response=MESSAGES),
    "get_message": Example(response=SESE_024),
    "get_live": Example(response=venue.HealthOut(status="ok")),
    "get_ready": Example(response=READY),
    "get_metrics": Example(
        response="# HELP settle_trades Trades that have not settled, by status\n"
        "# TYPE settle_trades gauge\n"
        'settle_trades{status="Pending"} 3.0\n'
    ),
}
"""By operation id."""
