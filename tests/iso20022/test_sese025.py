"""Confirmations: valid by the schema, and each side told what it delivered and received."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from settle.domain.errors import InvalidInput
from settle.domain.ids import Bic, CurrencyCode
from settle.domain.side import QuantityKind, TradeSide
from settle.iso20022.sese023_table import TRANSACTION_TYPES
from settle.iso20022.sese025 import VERSION, NamedParty, Settled, confirmation
from tests.iso20022.messages import (
    ALFA,
    ALFA_ACCOUNT,
    BETA,
    BETA_ACCOUNT,
    accepted,
    example,
    published,
    schema,
)

SETTLED = Settled(
    servicer_reference="01JD0000000000000000000000",
    quantity=500,
    quantity_decimals=0,
    amount=2_810_000,
    amount_decimals=2,
    settled_at=1_795_694_400,
    account=ALFA_ACCOUNT,
    delivering=NamedParty(lei=ALFA, name="Bank Alfa", bic=Bic("ALFADEF0XXX")),
    receiving=NamedParty(lei=BETA, name="Bank Beta"),
    evidence="instruction 0x1234, block 77",
)
SIDES = {
    name: accepted(example(f"{name}.xml")).stated
    for name in ("dvp_delivering", "dvp_receiving_in_envelope", "fop_delivering", "fop_receiving")
}


def settled_of(side: TradeSide, **changes: object) -> Settled:
    return replace(
        SETTLED,
        quantity=side.quantity,
        quantity_decimals=2 if side.quantity_kind == "FaceAmt" else 0,
        amount=side.amount,
        account=ALFA_ACCOUNT if side.movement == "DELI" else BETA_ACCOUNT,
        **changes,
    )


def value(xml: bytes, path: str) -> str | None:
    steps = "/".join(f"{{*}}{step}" for step in f"SctiesSttlmTxConf/{path}".split("/"))
    return etree.fromstring(xml).findtext(steps)


@pytest.mark.parametrize("name", SIDES)
def test_the_schema_accepts_the_confirmation_of_every_example(name: str) -> None:
    xml = confirmation(SIDES[name], settled_of(SIDES[name]))
    schema(VERSION).assertValid(etree.fromstring(xml))
    assert xml == confirmation(SIDES[name], settled_of(SIDES[name]))


def test_a_deliverer_against_payment_is_told_what_it_delivered_and_that_it_was_paid() -> None:
    side = SIDES["dvp_delivering"]
    xml = confirmation(side, settled_of(side))
    assert value(xml, "TxIdDtls/AcctOwnrTxId") == "ALFA-DVP-0001"
    assert value(xml, "TxIdDtls/AcctSvcrTxId") == SETTLED.servicer_reference
    assert value(xml, "TxIdDtls/SctiesMvmntTp") == "DELI"
    assert value(xml, "TxIdDtls/CmonId") == "ALFA-BETA-0001"
    assert value(xml, "TradDtls/SttlmDt/Dt/Dt") == "2026-11-26"
    assert value(xml, "TradDtls/FctvSttlmDt/Dt/DtTm") == "2026-11-26T12:00:00Z"
    assert value(xml, "TradDtls/SttlmInstrPrcgAddtlDtls") == "instruction 0x1234, block 77"
    assert value(xml, "QtyAndAcctDtls/SttldQty/Qty/Unit") == "500"
    assert value(xml, "QtyAndAcctDtls/BlckChainAdrOrWllt/Id") == f"0x{ALFA_ACCOUNT.hex()}"
    assert value(xml, "SttldAmt/Amt") == "28100"
    assert value(xml, "SttldAmt/CdtDbtInd") == "CRDT"
    assert value(xml, "DlvrgSttlmPties/Pty1/Id/AnyBIC") == "ALFADEF0XXX"
    assert value(xml, "RcvgSttlmPties/Pty1/Id/NmAndAdr/Nm") == "Bank Beta"
    assert value(xml, "RcvgSttlmPties/Pty1/LEI") == BETA
    assert value(xml, "DlvrgSttlmPties/Dpstry/Id/AnyBIC") == "STTLLUL0XXX"


def test_a_receiver_against_payment_is_debited() -> None:
    side = SIDES["dvp_receiving_in_envelope"]
    xml = confirmation(side, settled_of(side))
    assert value(xml, "TxIdDtls/SctiesMvmntTp") == "RECE"
    assert value(xml, "SttldAmt/CdtDbtInd") == "DBIT"
    assert value(xml, "TxIdDtls/AcctOwnrTxId") == "BETA-DVP-0001"


def test_what_moved_is_confirmed_and_not_what_the_side_stated() -> None:
    side = SIDES["dvp_delivering"]
    xml = confirmation(side, replace(settled_of(side), amount=2_809_901))
    assert value(xml, "SttldAmt/Amt") == "28099.01"


def test_free_of_payment_confirms_no_money() -> None:
    for name in ("fop_delivering", "fop_receiving"):
        xml = confirmation(SIDES[name], settled_of(SIDES[name]))
        assert value(xml, "SttldAmt/Amt") is None
        assert value(xml, "QtyAndAcctDtls/SttldQty/Qty/FaceAmt") == "250000"


@given(
    kind=st.sampled_from(["Unit", "FaceAmt", "AmtsdVal"]),
    quantity=st.integers(1, 10**18 - 1),
    decimals=st.integers(0, 5),
    amount=st.none() | st.integers(1, 10**18 - 1),
    amount_decimals=st.integers(0, 3),
    movement=st.sampled_from(["DELI", "RECE"]),
    transaction_type=st.sampled_from(sorted(TRANSACTION_TYPES)),
    settled_at=st.integers(0, 2**33),
    name=st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=350),
    depository=st.none() | st.just(Bic("STTLLUL0XXX")),
)
def test_any_settlement_gives_a_valid_confirmation(
    kind: QuantityKind,
    quantity: int,
    decimals: int,
    amount: int | None,
    amount_decimals: int,
    movement: str,
    transaction_type: str,
    settled_at: int,
    name: str,
    depository: Bic | None,
) -> None:
    side = replace(
        SIDES["dvp_delivering"],
        movement=movement,
        payment="FREE" if amount is None else "APMT",
        currency=None if amount is None else CurrencyCode("EUR"),
        amount=amount,
        quantity_kind=kind,
        transaction_type=transaction_type,
        delivering_depository=depository,
        common_reference=None,
    )
    settled = replace(
        SETTLED,
        quantity=quantity,
        quantity_decimals=decimals,
        amount=amount,
        amount_decimals=amount_decimals,
        settled_at=settled_at,
        receiving=NamedParty(lei=BETA, name=name),
        evidence=None,
    )
    schema(VERSION).assertValid(etree.fromstring(confirmation(side, settled)))


def test_every_transaction_type_that_is_read_can_be_confirmed() -> None:
    listed = etree.fromstring(published(f"xsd/{VERSION}.xsd")).iterfind(
        ".//{*}simpleType[@name='SecuritiesTransactionType25Code']//{*}enumeration"
    )
    assert {code.get("value") for code in listed} > TRANSACTION_TYPES


@pytest.mark.parametrize(
    ("side_changes", "settled_changes", "code"),
    [
        ({"transaction_type": "NONE"}, {}, "iso_code"),
        ({"reference": "X" * 36}, {}, "iso_text"),
        ({}, {"evidence": "x" * 351}, "iso_text"),
        ({}, {"receiving": NamedParty(lei=BETA, name="")}, "iso_text"),
        ({}, {"quantity": 10**18}, "iso_number"),
        ({}, {"amount": 10**18, "amount_decimals": 0}, "iso_number"),
        ({"quantity_kind": "FaceAmt"}, {"quantity": 1, "quantity_decimals": 6}, "iso_number"),
    ],
)
def test_what_no_confirmation_can_carry_is_refused(
    side_changes: dict[str, object], settled_changes: dict[str, object], code: str
) -> None:
    side = replace(SIDES["dvp_delivering"], **side_changes)  # type: ignore[arg-type]
    settled = replace(SETTLED, **settled_changes)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput) as refusal:
        confirmation(side, settled)
    assert refusal.value.code == code
