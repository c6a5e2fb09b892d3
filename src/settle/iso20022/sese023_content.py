"""What a well-formed sese.023 says, checked for sense: parties, account, quantity, money, dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal, cast

from lxml import etree

from settle.domain.errors import InvalidInput
from settle.domain.ids import Address, Bic, CurrencyCode, Isin, Lei, account_address
from settle.domain.money import parse_quantity
from settle.domain.side import Movement, Payment, QuantityKind, TradeSide, check_side
from settle.iso20022.directories import AssetDirectory, PartyDirectory, full_bic
from settle.iso20022.findings import Findings
from settle.iso20022.plain_types import XML_SPACE, canonical_decimal
from settle.iso20022.sese023_policy import rejection_code

End = Literal["DlvrgSttlmPties", "RcvgSttlmPties"]

_KINDS: Final[tuple[QuantityKind, ...]] = ("Unit", "FaceAmt", "AmtsdVal")
_PRIORITIES: Final = {"0001": 1, "0002": 2, "0003": 3, "0004": 4}
_EX_CUM: Final = ("CCPN", "XCPN")
_CASH_DIRECTION: Final[dict[Movement, str]] = {"DELI": "CRDT", "RECE": "DBIT"}
_DELIVERING: Final[End] = "DlvrgSttlmPties"
_RECEIVING: Final[End] = "RcvgSttlmPties"
_WORD: Final = bytes(32)

# Where domain.side finds a contradiction, and where the message states it.
_PLACES: Final[dict[str, str]] = {
    "/settlement_date": "TradDtls/SttlmDt",
    "/receiving_party": "RcvgSttlmPties/Pty1",
    "/counterparty_account": "QtyAndAcctDtls/SfkpgAcct",
    "/quantity": "QtyAndAcctDtls/SttlmQty",
    "/amount": "SttlmAmt/Amt",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What the message states, and the priority that it asks for.

    In `stated` the id, the arrival, the nonce and the salts are placeholders: no message has them.
    """

    stated: TradeSide
    priority: int | None


class ContentReader:
    """Reads one message of valid form. Every fault goes to `findings`, none stops the reading."""

    def __init__(
        self,
        message: etree._Element,
        directory: PartyDirectory,
        assets: AssetDirectory,
        findings: Findings,
    ) -> None:
        """`message` is SctiesSttlmTxInstr, valid by the table."""
        self._message = message
        self._namespace = etree.QName(message).namespace
        self._directory = directory
        self._assets = assets
        self._findings = findings

    def read(self, sender: Lei | None) -> Content | None:
        """Read it all; None if there were findings. `sender` is who sent it, if that is known."""
        movement = cast("Movement", self._value("SttlmTpAndAddtlParams/SctiesMvmntTp"))
        payment = cast("Payment", self._value("SttlmTpAndAddtlParams/Pmt"))
        own, other = (_DELIVERING, _RECEIVING) if movement == "DELI" else (_RECEIVING, _DELIVERING)
        isin, quantity, kind = self._security()
        currency, amount = self._money(movement, payment)
        trade_date = self._trade_date()
        settlement_date = date.fromisoformat(self._value("TradDtls/SttlmDt/Dt/Dt") or "")
        parties = {end: self._party(end) for end in (_DELIVERING, _RECEIVING)}
        party = parties[own]
        if sender is not None and party is not None and party != sender:
            self._fault(f"{own}/Pty1", f"the sender {sender} instructs only for itself")
        account = self._account(party, "QtyAndAcctDtls", f"{own}/Pty1")
        counterparty_account = self._account(parties[other], f"{other}/Pty1")
        clients = {end: self._client(end) for end in (_DELIVERING, _RECEIVING)}
        priority = self._priority()
        delivering, receiving = parties[_DELIVERING], parties[_RECEIVING]
        if self._findings or not (party and delivering and receiving and isin and trade_date):
            return None
        stated = TradeSide(
            side_id="",
            reference=self._value("TxId") or "",
            received_at=0,
            submitted_by=party,
            movement=movement,
            payment=payment,
            transaction_type=self._value("SttlmParams/SctiesTxTp/Cd") or "",
            isin=isin,
            quantity=quantity,
            quantity_kind=kind,
            currency=currency,
            amount=amount,
            trade_date=trade_date,
            settlement_date=settlement_date,
            delivering_party=delivering,
            receiving_party=receiving,
            delivering_depository=self._depository(_DELIVERING),
            receiving_depository=self._depository(_RECEIVING),
            common_reference=self._value("SttlmTpAndAddtlParams/CmonId"),
            opt_out=True if "NOMC" in self._values("SttlmParams/SttlmTxCond/Cd") else None,
            ex_cum=self._ex_cum(),
            delivering_client=clients[_DELIVERING],
            receiving_client=clients[_RECEIVING],
            account=account,
            counterparty_account=counterparty_account,
            partial_allowed=self._value("SttlmParams/PrtlSttlmInd") == "PART",
            nonce=0,
            trade_ref=_WORD,
            terms=_WORD,
        )
        try:
            check_side(stated)
        except InvalidInput as refusal:
            self._fault(_PLACES.get(refusal.pointer, "TxId"), refusal.message)
        return None if self._findings else Content(stated=stated, priority=priority)

    def _fault(self, place: str, sentence: str) -> None:
        path = f"Document/SctiesSttlmTxInstr/{place}"
        self._findings.add(rejection_code(path), path, sentence)

    def _values(self, place: str) -> list[str]:
        steps = "/".join(f"{{{self._namespace}}}{step}" for step in place.split("/"))
        return [(found.text or "").strip(XML_SPACE) for found in self._message.iterfind(steps)]

    def _value(self, place: str) -> str | None:
        return next(iter(self._values(place)), None)

    def _security(self) -> tuple[Isin | None, int, QuantityKind]:
        isin = self._value("FinInstrmId/ISIN")
        if isin is None:
            self._fault("FinInstrmId/ISIN", "is missing: securities are named by their ISIN")
            return None, 0, "Unit"
        decimals = self._assets.security_decimals(Isin(isin))
        if decimals is None:
            self._fault("FinInstrmId/ISIN", f"{isin} is not an asset of this ledger")
            return None, 0, "Unit"
        for kind in _KINDS:
            text = self._value(f"QtyAndAcctDtls/SttlmQty/Qty/{kind}")
            if text is not None:
                quantity = self._units(text, decimals, f"QtyAndAcctDtls/SttlmQty/Qty/{kind}")
                return Isin(isin), quantity, kind
        return None, 0, "Unit"

    def _units(self, text: str, decimals: int, place: str) -> int:
        """Read a positive number as smallest units; never rounds, 0 stands for a fault."""
        try:
            units = parse_quantity(canonical_decimal(text), decimals)
        except InvalidInput as refusal:
            self._fault(place, refusal.message)
            return 0
        if units == 0:
            self._fault(place, "must be more than zero")
        return units

    def _money(
        self, movement: Movement, payment: Payment
    ) -> tuple[CurrencyCode | None, int | None]:
        amount = self._value("SttlmAmt/Amt")
        if payment == "FREE":
            if amount is not None and canonical_decimal(amount) != "0":
                self._fault("SttlmAmt/Amt", "must be zero or absent where it is free of payment")
            return None, None
        if amount is None:
            self._fault("SttlmAmt/Amt", "is missing: against payment needs an amount")
            return None, None
        if self._value("SttlmAmt/CdtDbtInd") != _CASH_DIRECTION[movement]:
            sentence = f"must be {_CASH_DIRECTION[movement]}: cash moves against the securities"
            self._fault("SttlmAmt/CdtDbtInd", sentence)
        element = self._message.find("{*}SttlmAmt/{*}Amt")
        currency = CurrencyCode(str(element.get("Ccy")) if element is not None else "")
        decimals = self._assets.currency_decimals(currency)
        if decimals is None:
            path = "Document/SctiesSttlmTxInstr/SttlmAmt/Amt"
            self._findings.add("NCRR", path, f"there is no {currency} in this ledger")
            return None, None
        return currency, self._units(amount, decimals, "SttlmAmt/Amt")

    def _trade_date(self) -> date | None:
        """Take the calendar date as written: a trade date is a date, whatever clock came with."""
        text = self._value("TradDtls/TradDt/Dt/Dt") or self._value("TradDtls/TradDt/Dt/DtTm")
        if text is None:
            self._fault("TradDtls/TradDt", "is missing: the trade date is matched")
            return None
        return date.fromisoformat(text[:10])

    def _named(self, place: str) -> tuple[dict[str, Lei | None], str | None]:
        """Give whom each identifier of a party stands for, and the first identifier as text."""
        names: dict[str, Lei | None] = {}
        if lei := self._value(f"{place}/LEI"):
            names[lei] = self._directory.by_lei(Lei(lei))
        if bic := self._value(f"{place}/Id/AnyBIC"):
            names[full_bic(bic)] = self._directory.by_bic(full_bic(bic))
        if own := self._value(f"{place}/Id/PrtryId/Id"):
            issuer = self._value(f"{place}/Id/PrtryId/Issr") or ""
            names[f"{issuer}/{own}"] = self._directory.by_identifier(issuer, own)
        return names, next(iter(names), None)

    def _party(self, end: End) -> Lei | None:
        place = f"{end}/Pty1"
        names, _ = self._named(place)
        known = {party for party in names.values() if party is not None}
        if len(known) == 1:
            return known.pop()
        if known:
            self._fault(place, f"{' and '.join(names)} are not the same participant")
        elif names:
            self._fault(place, f"{' and '.join(names)} is no participant")
        elif self._message.find(f"{{*}}{end}/{{*}}Pty1") is None:
            self._fault(place, "is missing: both parties must be named")
        else:
            self._fault(place, "is named by no BIC, LEI or identifier")
        return None

    def _client(self, end: End) -> str | None:
        """Give the client's identifier as text: it is compared with what the other side writes."""
        if self._message.find(f"{{*}}{end}/{{*}}Pty2") is None:
            return None
        _, text = self._named(f"{end}/Pty2")
        if text is None:
            self._fault(f"{end}/Pty2", "is named by no BIC, LEI or identifier")
        return text

    def _depository(self, end: End) -> Bic | None:
        bic = self._value(f"{end}/Dpstry/Id/AnyBIC")
        return None if bic is None else full_bic(bic)

    def _account(self, owner: Lei | None, *places: str) -> Address | None:
        """Find the one account that the places name for its owner, by number or by address."""
        if owner is None:
            return None
        found: dict[Address, str] = {}
        for place in places:
            if number := self._value(f"{place}/SfkpgAcct/Id"):
                account = self._directory.account(owner, number)
                if account is None:
                    self._fault(f"{place}/SfkpgAcct", f"{owner} has no account {number}")
                else:
                    found[account] = place
            if text := self._value(f"{place}/BlckChainAdrOrWllt/Id"):
                self._add_wallet(owner, text, place, found)
        if len(found) > 1:
            self._fault(f"{places[-1]}/SfkpgAcct", "the accounts that are named are not the same")
        return next(iter(found), None)

    def _add_wallet(self, owner: Lei, text: str, place: str, found: dict[Address, str]) -> None:
        try:
            account = account_address(text)
        except InvalidInput as refusal:
            self._fault(f"{place}/BlckChainAdrOrWllt", refusal.message)
            return
        if self._directory.owns(owner, account):
            found[account] = place
        else:
            self._fault(f"{place}/BlckChainAdrOrWllt", f"{text} is no account of {owner}")

    def _ex_cum(self) -> str | None:
        said = [code for code in self._values("TradDtls/TradTxCond/Cd") if code in _EX_CUM]
        if len(set(said)) > 1:
            self._fault("TradDtls/TradTxCond", "cannot be both with and without the coupon")
        return said[0] if said else None

    def _priority(self) -> int | None:
        text = self._value("SttlmParams/Prty/Nmrc")
        if text is not None and text not in _PRIORITIES:
            self._fault("SttlmParams/Prty", f"must be 0001 to 0004, not {text}")
        return _PRIORITIES.get(text or "")
