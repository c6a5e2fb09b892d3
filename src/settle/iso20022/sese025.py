"""Writes confirmations (sese.025): what has settled, told to one side."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from lxml import etree

from settle.domain.errors import InvalidInput
from settle.domain.ids import Address, Bic, Lei
from settle.domain.side import QuantityKind, TradeSide
from settle.iso20022.sese023 import MAX_REFERENCE
from settle.iso20022.sese023_table import TRANSACTION_TYPES
from settle.iso20022.xml_writer import Writer

VERSION: Final = "sese.025.001.11"
_MAX_NUMBER: Final[dict[QuantityKind, str]] = {
    "Unit": "decimal(18,17)",
    "FaceAmt": "quantity(18,5)",
    "AmtsdVal": "quantity(18,5)",
}
_AMOUNT: Final = "quantity(18,5)"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedParty:
    """A participant as others know it: the BIC where it has one, else the name."""

    lei: Lei
    name: str
    bic: Bic | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What has settled, in whole: the quantities that moved, whatever the two sides stated.

    Units: `quantity` and `amount` in the smallest unit with their decimals beside them;
    `settled_at` in unix seconds, the time of the final block. `amount` is None free of payment.
    `account` is the side's own. `evidence` is text of at most 350 characters that leads to the
    proof, such as the instruction's id and the block.
    """

    servicer_reference: str
    quantity: int
    quantity_decimals: int
    amount: int | None
    amount_decimals: int
    settled_at: int
    account: Address
    delivering: NamedParty
    receiving: NamedParty
    evidence: str | None = None


def confirmation(side: TradeSide, settled: Settled) -> bytes:
    """Confirm to one side what has settled (sese.025.001.11).

    Raises: InvalidInput (iso_text, iso_number, iso_code) for what the message cannot carry.
    """
    write = Writer(message=VERSION)
    if side.transaction_type not in TRANSACTION_TYPES:
        message = f"{side.transaction_type!r} is no transaction type of ISO 20022"
        raise InvalidInput("iso_code", message)
    return write.document(
        write(
            "SctiesSttlmTxConf",
            _identification(write, side, settled),
            _trade(write, side, settled),
            write("FinInstrmId", write("ISIN", side.isin)),
            write(
                "QtyAndAcctDtls",
                write("SttldQty", write("Qty", _quantity(write, side, settled))),
                write.wallet(settled.account),
            ),
            write("SttlmParams", write("SctiesTxTp", write("Cd", side.transaction_type))),
            _parties(write, "DlvrgSttlmPties", settled.delivering, side.delivering_depository),
            _parties(write, "RcvgSttlmPties", settled.receiving, side.receiving_depository),
            _amount(write, side, settled),
        )
    )


def _identification(write: Writer, side: TradeSide, settled: Settled) -> etree._Element:
    return write(
        "TxIdDtls",
        write.text("AcctOwnrTxId", side.reference, MAX_REFERENCE),
        write.text("AcctSvcrTxId", settled.servicer_reference, MAX_REFERENCE),
        write("SctiesMvmntTp", side.movement),
        write("Pmt", side.payment),
        write.optional("CmonId", side.common_reference, MAX_REFERENCE),
    )


def _trade(write: Writer, side: TradeSide, settled: Settled) -> etree._Element:
    def day(name: str, value: date) -> etree._Element:
        return write(name, write("Dt", write("Dt", value.isoformat())))

    instant = datetime.fromtimestamp(settled.settled_at, UTC)
    effective = write("DtTm", instant.strftime("%Y-%m-%dT%H:%M:%SZ"))
    return write(
        "TradDtls",
        day("TradDt", side.trade_date),
        day("SttlmDt", side.settlement_date),
        write("FctvSttlmDt", write("Dt", effective)),
        write.optional("SttlmInstrPrcgAddtlDtls", settled.evidence, 350),
    )


def _quantity(write: Writer, side: TradeSide, settled: Settled) -> etree._Element:
    rule = _MAX_NUMBER[side.quantity_kind]
    return write.number(side.quantity_kind, settled.quantity, settled.quantity_decimals, rule)


def _amount(write: Writer, side: TradeSide, settled: Settled) -> etree._Element | None:
    """The deliverer is credited, the receiver debited."""
    if settled.amount is None or side.currency is None:
        return None
    amount = write.number("Amt", settled.amount, settled.amount_decimals, _AMOUNT)
    amount.set("Ccy", side.currency)
    direction = "CRDT" if side.movement == "DELI" else "DBIT"
    return write("SttldAmt", amount, write("CdtDbtInd", direction))


def _parties(write: Writer, name: str, party: NamedParty, depository: Bic | None) -> etree._Element:
    identification = (
        write("NmAndAdr", write.text("Nm", party.name, 350))
        if party.bic is None
        else write("AnyBIC", party.bic)
    )
    return write(
        name,
        None if depository is None else write("Dpstry", write("Id", write("AnyBIC", depository))),
        write("Pty1", write("Id", identification), write("LEI", party.lei)),
    )
