"""A message with nearly every element that is accepted, written from the table itself."""

from __future__ import annotations

from typing import Final

from lxml import etree

from settle.iso20022.grammar import ANY, REFUSED, Part
from settle.iso20022.sese023 import VERSIONS
from settle.iso20022.sese023_policy import VALUES, lookup
from tests.iso20022.messages import ALFA, BETA

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:sese.023.001.11"
GRAMMAR: Final = VERSIONS["sese.023.001.11"]

BY_NAME: Final = {
    "TxId": "RICH-1",
    "Pmt": "APMT",
    "CdtDbtInd": "CRDT",
    "Nmrc": "0003",
    "LEI": ALFA,
    "ISIN": "DE0007164600",
    "MktIdrCd": "XETR",
    "Ctry": "DE",
}
BY_TYPE: Final = {
    "boolean": "false",
    "date": "2026-11-26",
    "instant": "2026-11-24T10:00:00Z",
    "bic": "ALFADEF0XXX",
    "four": "ABCD",
    "message": "sese.023.001.11",
}
# Built like their neighbours, or an account that the directory of the tests does not have.
LEFT_OUT: Final = frozenset(
    {
        *(f"SttlmPties/Pty{number}" for number in (2, 3, 4, 5)),
        "Pty1/SfkpgAcct",
        "Pty1/BlckChainAdrOrWllt",
        "QtyAndAcctDtls/BlckChainAdrOrWllt",
    }
)
OTHER_AMOUNTS: Final = ("AcrdIntrstAmt", "ChrgsFees")


def rich_message() -> bytes:
    root = _built(Part(name="Document", type="document"), "Document")
    assert root is not None
    for found in root.iterfind(".//{*}RcvgSttlmPties/{*}Pty1//{*}AnyBIC"):
        found.text = "BETAFRP0XXX"
    for found in root.iterfind(".//{*}RcvgSttlmPties/{*}Pty1/{*}LEI"):
        found.text = BETA
    for found in root.iterfind(".//{*}QtyAndAcctDtls/{*}SfkpgAcct/{*}Id"):
        found.text = "ALFA-1"
    return etree.tostring(root)


def _built(part: Part, path: str) -> etree._Element | None:
    if part.type == REFUSED:
        return None
    element = etree.Element(f"{{{NAMESPACE}}}{part.name}", nsmap={None: NAMESPACE})
    group = GRAMMAR.group(part.type)
    if part.type == ANY:
        etree.SubElement(element, "{urn:other}Anything")
    elif group is None:
        element.text = _value(part, path)
        if "amount" in part.type:
            element.set("Ccy", "EUR")
    else:
        inner = (
            _built(child, f"{path}/{child.name}") for child in group.parts if _kept(part, child)
        )
        children = [child for child in inner if child is not None]
        element.extend(children[:1] if group.kind == "choice" else children)
    return element


def _kept(part: Part, child: Part) -> bool:
    if part.name == "OthrAmts":
        return child.name in OTHER_AMOUNTS
    return f"{part.name}/{child.name}".removeprefix("Dlvrg").removeprefix("Rcvg") not in LEFT_OUT


def _value(part: Part, path: str) -> str:
    if allowed := lookup(VALUES, path):
        return VALUES[allowed].values[0]
    if part.name in BY_NAME:
        return BY_NAME[part.name]
    if part.type.startswith("one("):
        return part.type[4:-1].split(",")[0]
    if part.type.startswith("digits("):
        return "123"
    if part.type.startswith(("decimal", "quantity", "amount", "old_amount")):
        return "10"
    return BY_TYPE.get(part.type, "Text")
