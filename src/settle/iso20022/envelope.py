"""Finds the business message in what was sent: bare, or in an envelope beside its header.

The namespace of `Document` names the message and its version. A header (head.001) is checked for
its form and against the document; it says who sent the message, which is no proof of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Final

from lxml import etree

from settle.domain.errors import InvalidInput
from settle.domain.ids import Bic, Lei
from settle.iso20022.findings import Findings
from settle.iso20022.grammar import Grammar, read_table
from settle.iso20022.plain_types import XML_SPACE
from settle.iso20022.validation import SCHEMA_HINTS, Validator

ISO_NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:"
ENVELOPES: Final = frozenset(
    {
        "{SWIFTNetBusinessEnvelope}RequestPayload",
        f"{{{ISO_NAMESPACE}head.003.001.01}}RequestPayload",
    }
)

# Versions 02 to 04 of the header differ from one another only in what is refused here.
_HEADER: Final = """
header: CharSet:word? Fr:end To:end BizMsgIdr:text(35) MsgDefIdr:text(35) BizSvc:text(35)?
    MktPrctc:practice?@2 CreDt:zulu@1 CreDt:instant@2 BizPrcgDt:instant?@2 CpyDplct:!?
    PssblDplct:boolean? Prty:word? Sgntr:!? Rltd:!*
practice: Regy:text(350) Id:text(2048)
end | OrgId:organisation FIId:institution
organisation: Nm:text(140)? PstlAdr:!? Id:organisation_id? CtryOfRes:country? CtctDtls:!?
organisation_id | OrgId:organisation_codes PrvtId:!
organisation_codes: AnyBIC:old_bic?@1 AnyBIC:bic?@2 LEI:lei?@2 Othr:!*
institution: FinInstnId:institution_codes BrnchId:!?
institution_codes: BICFI:old_bic?@1 BICFI:bic?@2 ClrSysMmbId:!? LEI:lei?@2 Nm:text(140)? PstlAdr:!?
    Othr:other?
other: Id:text(35) SchmeNm:scheme? Issr:text(35)?
scheme | Cd:text(4) Prtry:text(35)
"""
HEADERS: Final[dict[str, Grammar]] = {
    "head.001.001.01": read_table(_HEADER, "1"),
    **{f"head.001.001.0{number}": read_table(_HEADER, "2") for number in (2, 3, 4)},
}

_REFUSED: Final = {
    "CpyDplct": "a copy or a duplicate of a message is no instruction",
    "Sgntr": "a signature in the header is not checked here, so it is not accepted",
    "Rltd": "an instruction answers no other message",
}
_BIC_OR_LEI: Final = "sender and receiver are named by BIC or LEI"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What the application header says: the message's own id, and who it says it is from."""

    message_id: str
    sender_bic: Bic | None
    sender_lei: Lei | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A business message: its name by namespace (`sese.023.001.11`), its element, its header's."""

    name: str
    document: etree._Element
    header: etree._Element | None


def _near(root: etree._Element) -> Iterator[etree._Element]:
    """The root and the two levels below it, in which a Document may lie."""
    yield root
    for child in root:
        yield child
        yield from child


def locate(root: etree._Element) -> Located:
    """Find the one Document and the header beside it. What is around them is not judged yet.

    Raises: InvalidInput (not_a_message) if there is no Document of ISO 20022, or more than one.
    """
    documents = [
        element
        for element in _near(root)
        if etree.QName(element).localname == "Document"
        and (etree.QName(element).namespace or "").startswith(ISO_NAMESPACE)
    ]
    if len(documents) != 1:
        found = f"{len(documents)} of them" if documents else f"only {etree.QName(root).localname}"
        message = f"a message has one Document in a namespace of ISO 20022, here is {found}"
        raise InvalidInput("not_a_message", message)
    [document] = documents
    beside = [] if document is root else [child for child in root if child is not document]
    header = next((child for child in beside if etree.QName(child).localname == "AppHdr"), None)
    name = (etree.QName(document).namespace or "").removeprefix(ISO_NAMESPACE)
    return Located(name=name, document=document, header=header)


def check_envelope(root: etree._Element, located: Located, findings: Findings) -> None:
    """Note what is wrong around the document and its header: a foreign wrapping, anything else."""
    if root is located.document:
        return
    name, namespace = etree.QName(root).localname, etree.QName(root).namespace or ""
    if root.tag not in ENVELOPES:
        sentence = f"is no envelope that is read here, of the namespace {namespace[:80]!r}"
        findings.add("VALR", name, sentence)
        return
    expected = [part for part in (located.header, located.document) if part is not None]
    if list(root) != expected:
        findings.add("VALR", name, "must hold an AppHdr, if any, and then a Document, nothing else")
    if set(map(str, root.attrib)) - SCHEMA_HINTS:
        findings.add("VALR", name, "has attributes")
    if any(text and text.strip(XML_SPACE) for text in (root.text, *(part.tail for part in root))):
        findings.add("VALR", name, "holds text where elements are expected")


class _HeaderPolicy:
    def code(self, path: str) -> str:  # noqa: ARG002  every fault of a header has the same code
        return "VALR"

    def refusal(self, path: str) -> tuple[str, str]:
        return "VALR", _REFUSED.get(path.rsplit("/", 1)[-1], _BIC_OR_LEI)

    def value_refusal(self, path: str, value: str) -> None:  # noqa: ARG002  no value is refused
        return None


def read_header(located: Located, findings: Findings) -> Header | None:
    """Check the header, if there is one, and give what it says; None where that is nothing."""
    if located.header is None:
        return None
    namespace = etree.QName(located.header).namespace or ""
    grammar = HEADERS.get(namespace.removeprefix(ISO_NAMESPACE))
    if grammar is None:
        findings.add("VALR", "AppHdr", f"is of {namespace[:80]!r}, read are {', '.join(HEADERS)}")
        return None
    before = len(findings.all())
    validator = Validator(
        grammar=grammar, policy=_HeaderPolicy(), namespace=namespace, findings=findings
    )
    validator.check(located.header, "header", "AppHdr")

    text = partial(_first_text, located.header, namespace)
    named = text("MsgDefIdr")
    # Some senders write the name of the schema's file.
    if named is not None and re.sub(r"\.xsd\Z", "", named) != located.name:
        findings.add("VALR", "AppHdr/MsgDefIdr", f"says {named}, the document is {located.name}")
    if len(findings.all()) > before:
        return None
    bic = text("Fr/OrgId/Id/OrgId/AnyBIC", "Fr/FIId/FinInstnId/BICFI")
    lei = text("Fr/OrgId/Id/OrgId/LEI", "Fr/FIId/FinInstnId/LEI")
    return Header(
        message_id=text("BizMsgIdr") or "",
        sender_bic=None if bic is None else Bic(bic),
        sender_lei=None if lei is None else Lei(lei),
    )


def _first_text(header: etree._Element, namespace: str, *paths: str) -> str | None:
    """Give the text of the first of these elements that is there."""
    found = (
        header.findtext("/".join(f"{{{namespace}}}{step}" for step in path.split("/")))
        for path in paths
    )
    return next((text for text in found if text is not None), None)
