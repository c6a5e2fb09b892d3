"""One trade told from end to end: the examples of the API's document, valid by construction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from pydantic import BaseModel

from settle.api import venue_documents as venue
from settle.api.instruction_documents import (
    AccountSignatureOut,
    BundleOut,
    ConsentOut,
    ConsentsOut,
    InstructionOut,
    LegOut,
    ProposalOut,
    ToSignOut,
    ToSignPage,
    WhyNotOut,
)
from settle.api.iso_routes import MessageOut, MessagesPage
from settle.api.problems import reason_out
from settle.api.trade_documents import (
    AskedOut,
    CancellationOut,
    SideOut,
    SubmittedManyOut,
    SubmittedOut,
    TradeOut,
    TradesPage,
)
from settle.domain.ids import ZERO_WORD, Address, to_hex
from settle.domain.reasons import Reason
from settle.iso20022.sese024 import References, acknowledgement

BANK: Final = "529900AAAAAAAAAAAA08"
BROKER: Final = "529900BBBBBBBBBBBB91"
ACCOUNT: Final = Address(bytes.fromhex("7e5f4552091a69125d5dfcb7b8c2659029395bdf"))
OTHER: Final = Address(bytes.fromhex("2b5ad5c4795c026514f8317c7a215e218dccd6cf"))
KEY: Final = bytes.fromhex("6813eb9362372eef6200f3b1dbc3f819671cba69")
CONTRACT: Final = bytes.fromhex("5fbdb2315678afecb367f032d93f642f64180aa3")
TRADE: Final = "01KAS7ZQ8M3V5X9T2R4C6W8Y0B"
SIDE: Final = "01KAS7ZQ8M3V5X9T2R4C6W8Y0A"
DIGEST: Final = bytes.fromhex("9c22ff5f21f0b81b113e63f7db6da94fedef11b2119b4088b89664fb9a3cb658")
TRANSACTION: Final = bytes.fromhex(
    "88df016429689c079f3b2f6ad39fa052532c56795b733da78a91ebe6a713944b"
)
SIGNATURE: Final = bytes.fromhex("1b" * 64 + "1c")
NOW: Final = 1_795_500_000
DAY: Final = date(2026, 11, 26)


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """What an operation is sent and what it answers; None where there is no body."""

    request: Mapping[str, Any] | str | None = None
    response: BaseModel | str | None = None


_ASSETS = (
    venue.AssetOut(
        asset_id=1,
        code="DE0007164600",
        asset_class="security",
        decimals=0,
        issuer=KEY,
        frozen=False,
    ),
    venue.AssetOut(
        asset_id=2,
        code="EUR",
        asset_class="central_bank_money",
        decimals=2,
        issuer=KEY,
        frozen=False,
    ),
)
_DOMAIN = venue.SigningDomainOut(
    name="settle", version="1", chain_id=20_226_002, verifying_contract=CONTRACT
)
_PARTICIPANT = venue.ParticipantOut(
    lei=BANK,
    bic="DEUTDEFFXXX",
    name="First Bank",
    role="participant",
    participant_class=1,
    accounts=(ACCOUNT,),
    created_at=NOW,
)
_ACCOUNT = venue.AccountOut(account=ACCOUNT, lei=BANK, standing="admitted", frozen=False)
_POSITIONS = venue.PositionsOut(
    positions=(
        venue.PositionOut(
            account=ACCOUNT, asset_id=1, code="DE0007164600", decimals=0, available=1_500, held=500
        ),
    ),
    final_block=4_711,
    final_block_at=NOW,
)
_INSTRUCTION = InstructionOut(
    initiator=ACCOUNT,
    nonce=7,
    settle_from=1_795_647_600,
    settle_by=1_803_661_200,
    cycle=ZERO_WORD,
    options=0,
    minimum_lot=0,
    predecessor=ZERO_WORD,
    trade_ref=ZERO_WORD,
    terms=ZERO_WORD,
    legs=(
        LegOut(
            asset=1,
            code="DE0007164600",
            decimals=0,
            deliverer=ACCOUNT,
            receiver=OTHER,
            quantity=500,
        ),
        LegOut(
            asset=2, code="EUR", decimals=2, deliverer=OTHER, receiver=ACCOUNT, quantity=2_810_000
        ),
    ),
)
_SIDE_STATED: Final[Mapping[str, Any]] = {
    "reference": "A-1",
    "movement": "DELI",
    "payment": "APMT",
    "isin": "DE0007164600",
    "quantity": "500",
    "quantity_decimals": 0,
    "currency": "EUR",
    "amount": "2810000",
    "amount_decimals": 2,
    "trade_date": "2026-11-24",
    "settlement_date": "2026-11-26",
    "delivering_party": BANK,
    "receiving_party": BROKER,
    "nonce": "7",
}
_SIDE = SideOut(
    side_id=SIDE,
    lei=BANK,
    reference="A-1",
    received_at=NOW,
    movement="DELI",
    payment="APMT",
    transaction_type="TRAD",
    isin="DE0007164600",
    quantity=500,
    quantity_decimals=0,
    quantity_kind="Unit",
    currency="EUR",
    amount=2_810_000,
    amount_decimals=2,
    trade_date=date(2026, 11, 24),
    settlement_date=DAY,
    delivering_party=BANK,
    receiving_party=BROKER,
    delivering_depository=None,
    receiving_depository=None,
    common_reference=None,
    opt_out=None,
    ex_cum=None,
    delivering_client=None,
    receiving_client=None,
    account=ACCOUNT,
    counterparty_account=None,
    partial_allowed=False,
    minimum_lot=0,
    nonce=7,
    trade_ref=ZERO_WORD,
    terms=ZERO_WORD,
)
_OTHER_SIDE = _SIDE.model_copy(
    update={
        "side_id": TRADE,
        "lei": BROKER,
        "reference": None,
        "movement": "RECE",
        "account": OTHER,
    }
)
_LACK = reason_out(Reason(code="MONY", leg=1, who=OTHER, needed=2_810_000))
_TRADE = TradeOut(
    trade_id=TRADE,
    status="Pending",
    version=4,
    deliverer=BANK,
    receiver=BROKER,
    settlement_date=DAY,
    settle_from=1_795_647_600,
    settle_by=1_803_661_200,
    priority=4,
    alleged=False,
    side=_SIDE,
    other_side=_OTHER_SIDE,
    digest=DIGEST,
    instruction=_INSTRUCTION,
    consented=(OTHER, ACCOUNT),
    differences=(),
    reasons=(_LACK,),
    reasons_at=NOW,
    created_at=NOW,
    updated_at=NOW,
    ended_at=None,
    ended_block=None,
    settled_transaction=None,
)
_SUBMITTED = SubmittedOut(
    reference="A-1",
    side_id=SIDE,
    trade_id=TRADE,
    status="Matched",
    version=2,
    digest=DIGEST,
    differences=(),
    repeated=False,
)
_CONSENT = ConsentOut(
    trade_id=TRADE, digest=DIGEST, account=ACCOUNT, accepted=True, status="Affirmed", version=3
)
_CANCELLATION = CancellationOut(
    trade_id=TRADE,
    status="Matched",
    version=2,
    asked=(AskedOut(account=ACCOUNT, valid_by=NOW + 3_600),),
    missing=(OTHER,),
)
_EVENT = (
    "event: trade.settled\n"
    'data: {"number":17,"kind":"trade.settled","trade_id":"' + TRADE + '","block_number":4711,'
    '"created_at":1795647601,"payload":{"trade_id":"'
    + TRADE
    + '","status":"Settled","digest":"'
    + to_hex(DIGEST)
    + '","reasons":[],"transaction":"'
    + to_hex(TRANSACTION)
    + '"}}\n'
    "id: 17\n\n"
)
_SESE_023 = f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:sese.023.001.11"><SctiesSttlmTxInstr>
<TxId>A-1</TxId>
<SttlmTpAndAddtlParams><SctiesMvmntTp>DELI</SctiesMvmntTp><Pmt>APMT</Pmt></SttlmTpAndAddtlParams>
<TradDtls><TradDt><Dt><Dt>2026-11-24</Dt></Dt></TradDt>
<SttlmDt><Dt><Dt>2026-11-26</Dt></Dt></SttlmDt></TradDtls>
<FinInstrmId><ISIN>DE0007164600</ISIN></FinInstrmId>
<QtyAndAcctDtls><SttlmQty><Qty><Unit>500</Unit></Qty></SttlmQty></QtyAndAcctDtls>
<SttlmParams><SctiesTxTp><Cd>TRAD</Cd></SctiesTxTp></SttlmParams>
<DlvrgSttlmPties><Pty1><LEI>{BANK}</LEI></Pty1></DlvrgSttlmPties>
<RcvgSttlmPties><Pty1><LEI>{BROKER}</LEI></Pty1></RcvgSttlmPties>
<SttlmAmt><Amt Ccy="EUR">28100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd></SttlmAmt>
</SctiesSttlmTxInstr></Document>
"""
_SESE_024 = acknowledgement("sese.024.001.12", References(owner="A-1", servicer=TRADE)).decode()
_MESSAGES = MessagesPage(
    messages=(
        MessageOut(
            number=17, name="sese.025.001.11", trade_id=TRADE, reference="A-1", created_at=NOW
        ),
    ),
    next_after=None,
)
_KEY_OUT = venue.RequestKeyOut(lei=BANK, key=KEY, active=True)
_READY = venue.HealthOut(
    status="ok",
    checks=(
        venue.CheckOut(name="database", ok=True, detail=""),
        venue.CheckOut(name="follower", ok=True, detail="block 4711"),
    ),
)

EXAMPLES: Final[Mapping[str, Example]] = {
    "get_venue": Example(
        response=venue.VenueOut(
            audiences=("https://settle.example",),
            clock=NOW,
            request_lifetime_s=300,
            max_body_bytes=2_097_152,
            max_items=500,
            domain=_DOMAIN,
        )
    ),
    "list_participants": Example(response=venue.ParticipantsOut(participants=(_PARTICIPANT,))),
    "get_participant": Example(response=_PARTICIPANT),
    "put_participant": Example(
        request={
            "lei": BANK,
            "bic": "DEUTDEFFXXX",
            "name": "First Bank",
            "participant_class": 1,
            "accounts": [to_hex(ACCOUNT)],
        },
        response=_PARTICIPANT,
    ),
    "put_request_key": Example(request={"key": to_hex(KEY)}, response=_KEY_OUT),
    "revoke_request_key": Example(response=_KEY_OUT.model_copy(update={"active": False})),
    "list_accounts": Example(response=venue.AccountsOut(accounts=(_ACCOUNT,))),
    "get_account": Example(response=_ACCOUNT),
    "list_account_positions": Example(response=_POSITIONS),
    "list_positions": Example(response=_POSITIONS),
    "list_assets": Example(response=venue.AssetsOut(assets=_ASSETS)),
    "get_asset": Example(response=_ASSETS[0]),
    "submit_trade": Example(request=_SIDE_STATED, response=_SUBMITTED),
    "submit_trades": Example(
        request={"trades": [_SIDE_STATED]}, response=SubmittedManyOut(results=(_SUBMITTED,))
    ),
    "get_trades": Example(response=TradesPage(trades=(_TRADE,), next_cursor=None)),
    "get_trade": Example(response=_TRADE),
    "get_cancellation": Example(response=_CANCELLATION),
    "cancel": Example(
        request={"valid_by": str(NOW + 3_600), "signature": to_hex(SIGNATURE)},
        response=_CANCELLATION,
    ),
    "get_bundle": Example(
        response=BundleOut(
            trade_id=TRADE,
            digest=DIGEST,
            domain=_DOMAIN,
            instruction=_INSTRUCTION,
            signatures=(
                AccountSignatureOut(account=ACCOUNT, signature=SIGNATURE),
                AccountSignatureOut(account=OTHER, signature=SIGNATURE),
            ),
        )
    ),
    "get_proposal": Example(
        response=ProposalOut(trade_id=TRADE, digest=DIGEST, instruction=_INSTRUCTION)
    ),
    "get_why_not": Example(
        response=WhyNotOut(
            trade_id=TRADE,
            status="Pending",
            reasons=(_LACK,),
            reasons_at=NOW,
            now=(_LACK,),
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
                    instruction=_INSTRUCTION,
                ),
            ),
            next_cursor=None,
        )
    ),
    "sign_instruction": Example(request={"signature": to_hex(SIGNATURE)}, response=_CONSENT),
    "sign_instructions_in_bulk": Example(
        request={"signatures": [{"digest": to_hex(DIGEST), "signature": to_hex(SIGNATURE)}]},
        response=ConsentsOut(results=(_CONSENT,)),
    ),
    "stream_events": Example(response=_EVENT),
    "send_message": Example(request=_SESE_023, response=_SESE_024),
    "list_messages": Example(response=_MESSAGES),
    "get_message": Example(response=_SESE_024),
    "get_live": Example(response=venue.HealthOut(status="ok")),
    "get_ready": Example(response=_READY),
    "get_metrics": Example(
        response="# HELP settle_trades Trades that have not settled, by status\n"
        "# TYPE settle_trades gauge\n"
        'settle_trades{status="Pending"} 3.0\n'
    ),
}
"""By operation id."""
