"""Our own example messages: a pair against payment and a pair free of payment."""

from __future__ import annotations

from datetime import date

import pytest

from settle.domain.matching import compare
from settle.domain.side import check_side
from settle.domain.tolerance import CSDR
from tests.iso20022.messages import (
    ALFA,
    ALFA_ACCOUNT,
    BETA,
    BETA_ACCOUNT,
    accepted,
    document,
    example,
    schema,
)

PAIRS = [
    ("dvp_delivering.xml", "dvp_receiving_in_envelope.xml"),
    ("fop_delivering.xml", "fop_receiving.xml"),
]
EXAMPLES = [name for pair in PAIRS for name in pair]


@pytest.mark.parametrize("pair", PAIRS)
def test_the_two_sides_of_an_example_match(pair: tuple[str, str]) -> None:
    deliverer, receiver = (accepted(example(name)).stated for name in pair)
    assert compare(deliverer, receiver, CSDR) == ()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_schema_accepts_every_example(name: str) -> None:
    read = accepted(example(name))
    schema(read.version).assertValid(document(example(name)))


def test_a_side_against_payment_says_what_the_message_says() -> None:
    read = accepted(example("dvp_delivering.xml"))
    side = read.side(
        side_id="s1", received_at=7, nonce=3, trade_ref=bytes([1]) * 32, terms=bytes([2]) * 32
    )
    check_side(side)
    assert (read.version, read.tx_id, read.party) == ("sese.023.001.11", "ALFA-DVP-0001", ALFA)
    assert (side.movement, side.payment, side.transaction_type) == ("DELI", "APMT", "TRAD")
    assert (side.isin, side.quantity, side.quantity_kind) == ("DE0007164600", 500, "Unit")
    assert (side.currency, side.amount) == ("EUR", 2_810_000)
    assert (side.trade_date, side.settlement_date) == (date(2026, 11, 24), date(2026, 11, 26))
    assert (side.delivering_party, side.receiving_party) == (ALFA, BETA)
    assert side.delivering_depository == side.receiving_depository == "STTLLUL0XXX"
    assert (side.reference, side.common_reference) == ("ALFA-DVP-0001", "ALFA-BETA-0001")
    assert (side.side_id, side.received_at, side.nonce) == ("s1", 7, 3)
    assert (side.trade_ref, side.terms) == (bytes([1]) * 32, bytes([2]) * 32)
    assert side.account is None


def test_a_side_free_of_payment_names_its_account_and_no_money() -> None:
    deliverer = accepted(example("fop_delivering.xml")).stated
    receiver = accepted(example("fop_receiving.xml")).stated
    assert (deliverer.account, receiver.account) == (ALFA_ACCOUNT, BETA_ACCOUNT)
    assert (deliverer.currency, deliverer.amount) == (None, None)
    assert (deliverer.quantity, deliverer.quantity_kind) == (25_000_000, "FaceAmt")


def test_the_header_says_who_sent_the_message() -> None:
    header = accepted(example("dvp_receiving_in_envelope.xml")).header
    assert header is not None
    assert (header.message_id, header.sender_bic) == ("BETA-MSG-0001", "BETAFRP0XXX")
    assert accepted(example("dvp_delivering.xml")).header is None
