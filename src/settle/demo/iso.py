"""The same way for messages: a sese.023 from each side, a sese.025 to each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from settle.api.iso_in import FIRST_NONCE
from settle.domain.ids import ZERO_WORD, CurrencyCode, Isin
from settle.domain.side import TradeSide

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from settle.demo.bank import Bank

ISIN: Final = Isin("DE0007164600")
QUANTITY: Final = 500
AMOUNT: Final = 2_810_000
_DATES: Final = (b"2026-11-24", b"2026-11-26")
_TX_ID: Final = re.compile(rb"<TxId>([^<]+)</TxId>")
_FILES: Final = ("dvp_delivering.xml", "dvp_receiving_in_envelope.xml")
_CONFIRMATION: Final = "sese.025"


class IsoTrade:
    """A trade between the first two members, instructed by messages."""

    def __init__(self, folder: Path, seller: Bank, buyer: Bank, today: date) -> None:
        """Take the two example messages, dated today."""
        self._parties = (seller, buyer)
        self._today = today
        self._messages = [_dated((folder / name).read_bytes(), today) for name in _FILES]
        self.references = [_reference(message) for message in self._messages]

    def send(self) -> int:
        """Instruct both sides; gives how many messages went in."""
        for place, (bank, message) in enumerate(zip(self._parties, self._messages, strict=True)):
            bank.desk.journal.instruct([self._side(place)])
            bank.desk.client.send_message(message)
        return len(self._messages)

    def confirmations(self) -> int:
        """Count the confirmations that are there for the two parties."""
        return sum(
            one.reference == reference and one.name.startswith(_CONFIRMATION)
            for bank, reference in zip(self._parties, self.references, strict=True)
            for one in bank.desk.client.messages()
        )

    def _side(self, place: int) -> TradeSide:
        seller, buyer = self._parties
        own = self._parties[place]
        return TradeSide(
            side_id="",
            reference=self.references[place],
            received_at=0,
            submitted_by=own.member.lei,
            movement="DELI" if own is seller else "RECE",
            payment="APMT",
            transaction_type="TRAD",
            isin=ISIN,
            quantity=QUANTITY,
            quantity_kind="Unit",
            currency=CurrencyCode("EUR"),
            amount=AMOUNT,
            trade_date=self._today,
            settlement_date=self._today,
            delivering_party=seller.member.lei,
            receiving_party=buyer.member.lei,
            # A message has no nonce and no salts: the venue counts from here, and the salts are 0.
            nonce=FIRST_NONCE,
            trade_ref=ZERO_WORD,
            terms=ZERO_WORD,
        )


def _dated(message: bytes, today: date) -> bytes:
    for written in _DATES:
        message = message.replace(written, today.isoformat().encode())
    return message


def _reference(message: bytes) -> str:
    found = _TX_ID.search(message)
    assert found is not None, "our own example has a reference"
    return found[1].decode()
