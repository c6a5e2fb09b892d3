"""What becomes of each element of a settlement instruction.

What is *read* makes the side of a trade. What is *harmless* describes the trade and changes nothing
in how it settles here: its form is checked, its content is not used (HARMLESS says why). What asks
for something that is not built is *refused by name*: the whole element (REFUSED, `!` in the table)
or some of its values (VALUES). Tests hold this against the schemas: each element is one of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The rejection code of sese.024 and the sentence for what is refused by name."""

    code: str
    sentence: str


def _no(code: str, sentence: str) -> Refusal:
    return Refusal(code=code, sentence=sentence)


_COLLATERAL: Final = _no("VALR", "collateral management is not supported")
_EXCHANGE: Final = _no("VALR", "settlement with a currency exchange is not supported")
_OWN_CODE: Final = _no("VALR", "a proprietary code is not supported here, use the standard ones")
_BALANCE: Final = _no("INVB", "sub-balances are not supported: an account has one balance an asset")
_TAX: Final = _no("SDUT", "stamp duty is not collected")

# By the name of the element, or of its parent and it where the name alone would not do.
REFUSED: Final[Mapping[str, Refusal]] = {
    "FinInstrmAttrbts": _no("DSEC", "the ISIN alone says which security, without attributes"),
    "StgSttlmInstrDtls": _no("ICAG", "standing instructions are not kept: name the parties"),
    "CshPties": _no("CASH", "cash moves between the accounts of the two parties and nowhere else"),
    "OthrBizPties": _no("VALR", "parties beside the two chains of settlement take no part"),
    "AddtlPhysOrRegnDtls": _no("PHYS", "physical delivery and registration are not supported"),
    "ClntCollInstrId": _COLLATERAL,
    "ClntCollTxId": _COLLATERAL,
    "ClntTrptyCollTxId": _COLLATERAL,
    "TrptyAgtSvcPrvdrCollTxId": _COLLATERAL,
    "TrptyAgtSvcPrvdrCollInstrId": _COLLATERAL,
    "CollTxId": _COLLATERAL,
    "XpsrTp": _COLLATERAL,
    "LkdQty": _no("INVL", "pairing off and turning around are not supported"),
    "LateDlvryDt": _no("DDAT", "a date of late delivery is not supported"),
    "CcyToBuyOrSell": _EXCHANGE,
    "FxAddtlDtls": _EXCHANGE,
    "OrgnlCcyAndOrdrdAmt": _EXCHANGE,
    "FXDtls": _EXCHANGE,
    "ValDt": _no("DMON", "cash has no value date of its own: it moves with the securities"),
    "TradDt/DtCd": _no("DTRD", "the trade date must be a date"),
    "SttlmDt/DtCd": _no("DDAT", "the settlement date must be a date"),
    "Dt/DtTm": _no("DDAT", "a time of settlement is not supported: give the date"),
    "DnmtnChc": _no("DQUA", "a choice of denominations is not supported"),
    "OrgnlAndCurFace": _no("DQUA", "state one quantity: units, face amount or amortised value"),
    "DgtlTknUnit": _no("DQUA", "token units are not supported: state units or a face amount"),
    "QtyBrkdwn": _no("INVN", "lots are not supported"),
    "CshAcct": _no("CASH", "a separate cash account is not supported: one account holds both"),
    "BlckTrad": _no("VALR", "block trades and their parts are not supported"),
    "DlvryRtrRsn": _no("VALR", "returns of a delivery are not supported"),
    "Regn": _no("VALR", "registration is not supported"),
    "RpTp": _no("SETR", "repurchase agreements settle as two trades, each on its own"),
    "LglRstrctns": _no("DSEC", "securities under legal restrictions are not supported"),
    "StmpDtyTaxBsis": _TAX,
    "DlvrgSctiesSubBalTp": _BALANCE,
    "RcvgSctiesSubBalTp": _BALANCE,
    "CshSubBalTp": _BALANCE,
    "HldInd/Rsn": _no("VALR", "the hold indicator is not supported"),
    "PrcgPos/Prtry": _no("INVL", "processing links are not supported"),
    "Id/NmAndAdr": _no("DEPT", "a depository is named by its BIC"),
    "Id/Ctry": _no("DEPT", "a depository is named by its BIC"),
    "SctiesTxTp/Prtry": _no("SETR", "a proprietary transaction type is not supported"),
    "Prtry": _OWN_CODE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Which values of an element are accepted, and what is said to the others."""

    values: tuple[str, ...]
    refusal: Refusal


_NO: Final = ("false", "0")
_YES: Final = ("true", "1")

# By parent and element. Listed values are those of the schema; the rest of its list is refused.
VALUES: Final[Mapping[str, Allowed]] = {
    path: Allowed(values=values, refusal=refusal)
    for path, values, refusal in (
        ("HldInd/Ind", _NO, _no("VALR", "the hold indicator is not supported")),
        ("PrcgPos/Cd", ("INFO",), _no("INVL", "processing links are not supported, only INFO")),
        ("RcncltnInd", _NO, _no("VALR", "an instruction for reconciliation alone settles nothing")),
        ("PrtlSttlmInd", ("PART", "NPAR"), _no("VALR", "thresholds of parts are not supported")),
        ("CCPElgblty/Ind", _NO, _no("VALR", "there is no central counterparty here")),
        ("CshClrSys/Cd", ("GROS",), _no("CASY", "cash is not netted: each trade settles gross")),
        ("FxStgInstr/Ind", _NO, _EXCHANGE),
        ("Trckg/Ind", _NO, _no("VALR", "tracking is not supported")),
        ("LttrOfGrnt/Ind", _NO, _no("VALR", "letters of guarantee are not supported")),
        ("RtrLeg", _NO, _no("SETR", "the return leg of a repurchase agreement is not supported")),
        ("ModCxlAllwd/Ind", _YES, _no("VALR", "forbidding a cancellation is not supported")),
        ("AutomtcBrrwg/Cd", ("NBOR",), _no("VALR", "automatic borrowing is not supported")),
        ("SttlmSysMtd/Cd", ("NSET",), _no("SETS", "there is one way of settling, the default")),
    )
}

# What makes the side of a trade, or is held against VALUES.
READ: Final = frozenset(
    {
        "TxId",
        "SctiesMvmntTp",
        "Pmt",
        "CmonId",
        "RcncltnInd",
        "PrcgPos/Cd",
        "TradDt/Dt/Dt",
        "TradDt/Dt/DtTm",
        "SttlmDt/Dt/Dt",
        "ISIN",
        "Qty/Unit",
        "Qty/FaceAmt",
        "Qty/AmtsdVal",
        "SfkpgAcct/Id",
        "BlckChainAdrOrWllt/Id",
        "HldInd/Ind",
        "Prty/Nmrc",
        "SctiesTxTp/Cd",
        "SttlmTxCond/Cd",
        "PrtlSttlmInd",
        "CCPElgblty/Ind",
        "CshClrSys/Cd",
        "FxStgInstr/Ind",
        "SttlmSysMtd/Cd",
        "Trckg/Ind",
        "AutomtcBrrwg/Cd",
        "LttrOfGrnt/Ind",
        "RtrLeg",
        "ModCxlAllwd/Ind",
        "Dpstry/Id/AnyBIC",
        "Pty1/Id/AnyBIC",
        "Pty1/Id/PrtryId/Id",
        "Pty1/Id/PrtryId/Issr",
        "Pty1/LEI",
        "Pty2/Id/AnyBIC",
        "Pty2/Id/PrtryId/Id",
        "Pty2/Id/PrtryId/Issr",
        "Pty2/LEI",
        "SttlmAmt/Amt",
        "SttlmAmt/CdtDbtInd",
    }
)

# By the name of the element; what stands inside one of these is harmless too.
HARMLESS: Final[Mapping[str, str]] = {
    "CorpActnEvtId": "a reference to an event that this instruction does not carry out",
    "NbCounts": "numbers linked instructions; each settles on its own",
    "MsgNb": "of a link for information",
    "Ref": "of a link for information",
    "RefOwnr": "of a link for information",
    "TradId": "references of the trade elsewhere; the common reference is CmonId",
    "PlcOfTrad": "where it was traded",
    "PlcOfClr": "where it was cleared",
    "DealPric": "the quantity and the amount settle, whatever the price was",
    "NbOfDaysAcrd": "explains the amount",
    "OpngClsg": "the sender's position",
    "Rptg": "the sender's reporting",
    "TradTxCond": "conditions of the trade; CCPN and XCPN are read",
    "InvstrCpcty": "who the investor is",
    "TradOrgtrRole": "in which role the sender traded",
    "TpOfPric": "explains the price",
    "MtchgSts": "what the market says; matching here is by the two instructions, whatever it says",
    "AffirmSts": "what the market says; consent here is by signature",
    "SttlmInstrPrcgAddtlDtls": "text for people",
    "OthrId": "other names of the security that the ISIN names",
    "Desc": "text for people",
    "AcctOwnr": "the register says whose the account is",
    "Nm": "text for people",
    "Tp": "the kind of the identifier beside it",
    "Dpstry/LEI": "the BIC names the depository",
    "Pty2/SfkpgAcct": "the client's account with the party",
    "Pty2/BlckChainAdrOrWllt": "the client's account with the party",
    "SfkpgPlc": "where the securities are kept is a fact of the asset",
    "BnfclOwnrsh": "whether the owner changes behind the parties",
    "MktClntSd": "which side of the sender's business it is",
    "NetgElgblty": "a permission to net; it settles gross",
    "SctiesRTGS": "everything settles gross and at once",
    "SttlgCpcty": "for whom the sender acts",
    "TaxCpcty": "for whom the sender acts",
    "ElgblForColl": "says what could be done with the securities later",
    "AltrnId": "another identifier of a party that is identified already",
    "NmAndAdr": "a name beside the LEI, which alone identifies the party",
    "PrcgDt": "the party's own processing",
    "PrcgId": "the party's own reference",
    "AddtlInf": "text for people",
    "Pty3": "behind the client of the party; not matched",
    "Pty4": "behind the client of the party; not matched",
    "Pty5": "behind the client of the party; not matched",
    "SchmeNm": "the scheme of an identifier; issuer and identifier say which",
    "AcrdIntrstInd": "explains the amount",
    "StmpDtyInd": "explains the amount",
    "BrkrgAmtInd": "explains the amount",
    "RsrchFeeInd": "explains the amount",
    "OthrAmts": "explain the amount; the settlement amount is all that moves",
    "SplmtryData": "extensions of others; nothing in them is read",
}

# Which rejection code a fault gets, by the innermost of these elements that it lies in.
CODES: Final[Mapping[str, str]] = {
    "CmonId": "IIND",
    "Lnkgs": "INVL",
    "TradDt": "DTRD",
    "SttlmDt": "DDAT",
    "DealPric": "DDEA",
    "PlcOfTrad": "PLCE",
    "FinInstrmId": "DSEC",
    "SttlmQty": "DQUA",
    "SfkpgAcct": "SAFE",
    "BlckChainAdrOrWllt": "SAFE",
    "SfkpgPlc": "INPS",
    "SctiesTxTp": "SETR",
    "Dpstry": "DEPT",
    "Pty1": "ICAG",
    "Pty2": "ICUS",
    "Pty3": "IEXE",
    "SttlmAmt": "DMON",
}


def lookup(table: Mapping[str, object], path: str) -> str | None:
    """Find the key of a policy table that a path ends in, the longest first; None for none."""
    names = path.split("/")
    for length in (3, 2, 1):
        key = "/".join(names[-length:])
        if key in table:
            return key
    return None


def rejection_code(path: str) -> str:
    """Give the rejection code of a fault at a path. VALR, a rule of ours, where none says more."""
    return next((CODES[name] for name in reversed(path.split("/")) if name in CODES), "VALR")
