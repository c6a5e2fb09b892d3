"""What may stand around a message, and that its header agrees with it."""

from __future__ import annotations

import pytest
from lxml import etree

from settle.domain.errors import InvalidInput
from settle.iso20022.envelope import HEADERS
from settle.iso20022.sese023 import read
from tests.iso20022.messages import (
    Assets,
    Directory,
    accepted,
    changed,
    example,
    published,
    refused,
    schema,
)

WRAPPED = "dvp_receiving_in_envelope.xml"
HEAD = "head.001.001.02"


def finding(xml: bytes) -> str:
    rejection = refused(xml)
    assert [found.code for found in rejection.findings] == ["VALR"], rejection.findings
    return rejection.findings[0].text


@pytest.mark.parametrize("head", HEADERS)
def test_every_version_of_the_header_is_read(head: str) -> None:
    header = accepted(changed(example(WRAPPED), HEAD, head)).header
    assert header is not None
    assert header.sender_bic == "BETAFRP0XXX"


@pytest.mark.parametrize("head", HEADERS)
def test_the_header_that_is_read_is_one_that_its_schema_accepts(head: str) -> None:
    root = etree.fromstring(changed(example(WRAPPED), HEAD, head))
    schema(head).assertValid(etree.fromstring(etree.tostring(root[0])))


def test_the_envelope_of_the_eurosystem_is_read() -> None:
    other = "urn:iso:std:iso:20022:tech:xsd:head.003.001.01"
    accepted(changed(example(WRAPPED), "SWIFTNetBusinessEnvelope", other))


def test_a_sender_may_be_an_organisation_with_an_lei() -> None:
    bank = "<FIId><FinInstnId><BICFI>BETAFRP0XXX</BICFI></FinInstnId></FIId>"
    organisation = "<OrgId><Id><OrgId><LEI>999900DEMOBANKBETA55</LEI></OrgId></Id></OrgId>"
    flat = b"".join(line.strip() for line in example(WRAPPED).splitlines())
    header = accepted(changed(flat, f"<Fr>{bank}", f"<Fr>{organisation}")).header
    assert header is not None
    assert (header.sender_bic, header.sender_lei) == (None, "999900DEMOBANKBETA55")


@pytest.mark.parametrize("named", ["sese.023.001.10", "sese.023.001.11.xml", "sese.025.001.11"])
def test_a_header_that_names_another_message_is_refused(named: str) -> None:
    old = "<MsgDefIdr>sese.023.001.11</MsgDefIdr>"
    message = changed(example(WRAPPED), old, f"<MsgDefIdr>{named}</MsgDefIdr>")
    expected = f"AppHdr/MsgDefIdr: says {named}, the document is sese.023.001.11"
    assert finding(message) == expected


def test_a_header_may_name_the_file_of_the_schema() -> None:
    old = "<MsgDefIdr>sese.023.001.11</MsgDefIdr>"
    accepted(changed(example(WRAPPED), old, "<MsgDefIdr>sese.023.001.11.xsd</MsgDefIdr>"))


@pytest.mark.parametrize(
    ("addition", "words"),
    [
        ("<CpyDplct>COPY</CpyDplct>", "a copy or a duplicate of a message is no instruction"),
        ("<Sgntr/>", "a signature in the header is not checked here"),
        ("<Rltd/>", "an instruction answers no other message"),
        ("<Nonsense/>", "is no element of this message"),
        ("text", "holds text where elements are expected"),
    ],
)
def test_what_a_header_may_not_ask_is_refused_by_name(addition: str, words: str) -> None:
    assert words in finding(changed(example(WRAPPED), "</CreDt>", f"</CreDt>{addition}"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<BizMsgIdr>BETA-MSG-0001</BizMsgIdr>", ""),
        ("2026-11-24T16:05:00Z", "yesterday"),
        ("<BICFI>BETAFRP0XXX</BICFI>", "<BICFI>beta</BICFI>"),
    ],
)
def test_a_header_of_bad_form_is_refused(old: str, new: str) -> None:
    assert finding(changed(example(WRAPPED), old, new)).startswith("AppHdr/")


def test_an_unknown_header_is_refused_by_its_namespace() -> None:
    message = changed(example(WRAPPED), f"xsd:{HEAD}", "xsd:head.001.001.09")
    assert "head.001.001.09" in finding(message)


def test_an_unknown_envelope_is_refused_by_its_name() -> None:
    message = changed(example(WRAPPED), "RequestPayload", "Parcel")
    assert finding(message).startswith("Parcel: is no envelope that is read here")


def test_nothing_else_may_stand_in_an_envelope() -> None:
    extra = changed(example(WRAPPED), "</AppHdr>", "</AppHdr><Extra/>")
    assert "must hold an AppHdr, if any, and then a Document" in finding(extra)
    text = changed(example(WRAPPED), "</AppHdr>", "</AppHdr>text")
    assert "holds text" in finding(text)
    attribute = changed(example(WRAPPED), "<RequestPayload", '<RequestPayload to="all"')
    assert "has attributes" in finding(attribute)


def test_two_documents_in_one_envelope_are_a_problem() -> None:
    message = example(WRAPPED)
    start, end = message.index(b"<Document"), message.index(b"</RequestPayload>")
    with pytest.raises(InvalidInput, match="2 of them"):
        read(message[:end] + message[start:end] + message[end:], Directory(), Assets())


def test_a_header_that_its_schema_refuses_is_refused() -> None:
    root = etree.fromstring(example(WRAPPED))
    published(f"xsd/{HEAD}.xsd")
    let_through = []
    for number, element in enumerate(list(root[0].iter())):
        for change in ("deleted", "twice", "emptied", "renamed"):
            mutant = etree.fromstring(example(WRAPPED))
            found = list(mutant[0].iter())[number]
            parent = found.getparent()
            assert parent is not None
            if change == "deleted":
                parent.remove(found)
            elif change == "twice":
                parent.append(etree.fromstring(etree.tostring(found)))
            elif change == "emptied":
                found.clear()
            else:
                found.tag = f"{{{etree.QName(found).namespace}}}Nonsense"
            header = next((child for child in mutant if child.tag == root[0].tag), None)
            valid = header is not None and schema(HEAD).validate(
                etree.fromstring(etree.tostring(header))
            )
            refused_here = not _accepted(etree.tostring(mutant))
            if not valid and not refused_here and header is not None:
                let_through.append((etree.QName(element).localname, change))
    assert let_through == []


def _accepted(xml: bytes) -> bool:
    try:
        return hasattr(read(xml, Directory(), Assets()), "stated")
    except InvalidInput:
        return False
