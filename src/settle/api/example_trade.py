"""The trade of which the examples of the API's document tell: its parties, sides, terms and end."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from settle.api import venue_documents as venue
from settle.api.instruction_documents import (
    ConsentOut,
    InstructionOut,
    LegOut,
)
from settle.api.iso_routes import MessageOut, MessagesPage
from settle.api.problems import reason_out
from settle.api.trade_documents import (
    AskedOut,
    CancellationOut,
    SideOut,
    SubmittedOut,
    TradeOut,
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


ASSETS = (
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
DOMAIN = venue.SigningDomainOut(
    name="settle", version="1", chain_id=20_226_002, verifying_contract=CONTRACT
)
PARTICIPANT = venue.ParticipantOut(
    lei=BANK,
    bic="DEUTDEFFXXX",
    name="First Bank",
    role="participant",
    participant_class=1,
    accounts=(ACCOUNT,),
    created_at=NOW,
)
ACCOUNT_OUT = venue.AccountOut(account=ACCOUNT, lei=BANK, standing="admitted", frozen=False)
POSITIONS = venue.PositionsOut(
    positions=(
        venue.PositionOut(
            account=ACCOUNT, asset_id=1, code="DE0007164600", decimals=0, available=1_500, held=500
        ),
    ),
    final_block=4_711,
    final_block_at=NOW,
)
INSTRUCTION = InstructionOut(
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
SIDE_STATED: Final[Mapping[str, Any]] = {
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
SIDE_OUT = SideOut(
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
OTHER_SIDE = SIDE_OUT.model_copy(
    update={
        "side_id": TRADE,
        "lei": BROKER,
        "reference": None,
        "movement": "RECE",
        "account": OTHER,
    }
)
LACK = reason_out(Reason(code="MONY", leg=1, who=OTHER, needed=2_810_000))
TRADE_OUT = TradeOut(
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
    side=SIDE_OUT,
    other_side=OTHER_SIDE,
    digest=DIGEST,
    instruction=INSTRUCTION,
    consented=(OTHER, ACCOUNT),
    differences=(),
    reasons=(LACK,),
    reasons_at=NOW,
    created_at=NOW,
    updated_at=NOW,
    ended_at=None,
    ended_block=None,
    settled_transaction=None,
)
SUBMITTED = SubmittedOut(
    reference="A-1",
    side_id=SIDE,
    trade_id=TRADE,
    status="Matched",
    version=2,
    digest=DIGEST,
    differences=(),
    repeated=False,
)
CONSENT = ConsentOut(
    trade_id=TRADE, digest=DIGEST, account=ACCOUNT, accepted=True, status="Affirmed", version=3
)
CANCELLATION = CancellationOut(
    trade_id=TRADE,
    status="Matched",
    version=2,
    asked=(AskedOut(account=ACCOUNT, valid_by=NOW + 3_600),),
    missing=(OTHER,),
)
EVENT = (
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
SESE_023 = f"""<?xml version="1.0" encoding="UTF-8"?>
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
SESE_024 = acknowledgement("sese.024.001.12", References(owner="A-1", servicer=TRADE)).decode()
MESSAGES = MessagesPage(
    messages=(
        MessageOut(
            number=17, name="sese.025.001.11", trade_id=TRADE, reference="A-1", created_at=NOW
        ),
    ),
    next_after=None,
)
KEY_OUT = venue.RequestKeyOut(lei=BANK, key=KEY, active=True)
READY = venue.HealthOut(
    status="ok",
    checks=(
        venue.CheckOut(name="database", ok=True, detail=""),
        venue.CheckOut(name="follower", ok=True, detail="block 4711"),
    ),
)
