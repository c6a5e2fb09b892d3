"""Messages that others published: valid ones are read, each invalid one is refused by reason."""

from __future__ import annotations

import pytest
from lxml import etree

from settle.domain.errors import InvalidInput
from settle.domain.matching import compare
from settle.domain.tolerance import CSDR
from settle.iso20022 import sese024
from settle.iso20022.sese023 import Rejection, Sese023, read
from tests.iso20022.messages import DATA, PUBLISHED, PUBLISHED_ASSETS, published, schema

ISO = "urn:iso:std:iso:20022:tech:xsd:"
NOT_READ = "is not read here, only sese.023.001.10 and sese.023.001.11"

# File -> the code of the problem and words of its message: there is no reference to answer to.
PROBLEMS = {
    "dse_sese.023.001.06_template.xml": ("reference_unreadable", "TxId has no text"),
    "dse_sese.023.001.09_pledge_coli_template.xml": (
        "reference_unreadable",
        "TxId has 47 characters, at most 35 are a reference",
    ),
    "dse_sese.023.001.09_pledge_colo_template.xml": (
        "reference_unreadable",
        "TxId has 47 characters, at most 35 are a reference",
    ),
    "iroha_pacs.009.001.08_pvp.xml": ("message_not_read", f"pacs.009.001.08 {NOT_READ}"),
    "iroha_sese.030.001.04_release.xml": ("message_not_read", f"sese.030.001.04 {NOT_READ}"),
    "prowide_sese.024.001.10_dcv_matched.xml": ("message_not_read", f"sese.024.001.10 {NOT_READ}"),
    "rshiny_semt.017_fragment.xml": ("not_a_message", "here is only SctiesTxPstngRpt"),
    "samplelib_fxtr.014.001.04.xml": ("message_not_read", f"fxtr.014.001.04 {NOT_READ}"),
    "samplelib_semt.002.001.11.xml": ("message_not_read", f"semt.002.001.11 {NOT_READ}"),
    "unykorn_pacs.008.001.09_cash_leg.xml": ("message_not_read", f"pacs.008.001.09 {NOT_READ}"),
}

# File -> the reference that is answered, and findings that must be among the answer's.
REJECTIONS = {
    "ingest_sese.023.001.09_rece_apmt.xml": (
        "TEST-INGEST-001",
        [("VALR", f"Document: sese.023.001.09 {NOT_READ}")],
    ),
    "openpurse_sese.023.001.09_dvp.xml": (
        "TRAD12345",
        [("VALR", f"Document: sese.023.001.09 {NOT_READ}")],
    ),
    "unykorn_sese.023.001.09_dvp_gold.xml": (
        "DVP-TX-2026-00891",
        [("VALR", f"Document: sese.023.001.09 {NOT_READ}")],
    ),
    "iroha_sese.023.001.11_dvp_hold.xml": (
        "DVP-2025-05-CLS01",
        [
            ("INVL", "Lnkgs: belongs before SttlmParams"),
            ("INVL", "Lnkgs/Lnkg: is no element of this message at this place"),
            ("VALR", "TradDtls: is missing"),
            ("DSEC", "FinInstrmId: is missing"),
            ("VALR", "QtyAndAcctDtls: is missing"),
            ("SETR", "SctiesTxTp: is missing"),
            ("VALR", "HldInd/Ind: is missing"),
        ],
    ),
    "iroha_sese.023.001.11_subst.xml": (
        "SUBST-2025-04-001-A",
        [
            ("INVL", "Lnkgs/Lnkg: is no element of this message at this place"),
            ("VALR", "FctvSttlmDt: is no element of this message at this place"),
            ("VALR", "SctiesMvmntDtls: is no element of this message at this place"),
        ],
    ),
    "samplelib_sese.023.001.11_bad_isin.xml": (
        "PFND-SETT-20260627-081",
        [("DSEC", "ISIN: is not valid: an ISIN is 2 letters, 9 letters or digits and a check")],
    ),
}


def read_published(path: str) -> Sese023 | Rejection:
    return read(published(path), PUBLISHED, PUBLISHED_ASSETS)


def test_every_invalid_file_is_in_one_of_the_lists() -> None:
    published("invalid/rshiny_semt.017_fragment.xml")
    assert {path.name for path in (DATA / "invalid").iterdir()} == {*PROBLEMS, *REJECTIONS}


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_has_no_reference_is_a_problem_with_its_reason(name: str) -> None:
    code, words = PROBLEMS[name]
    with pytest.raises(InvalidInput) as refusal:
        read_published(f"invalid/{name}")
    assert refusal.value.code == code
    assert words in refusal.value.message


@pytest.mark.parametrize("name", REJECTIONS)
def test_what_has_a_reference_is_rejected_with_its_reasons(name: str) -> None:
    tx_id, expected = REJECTIONS[name]
    rejection = read_published(f"invalid/{name}")
    assert isinstance(rejection, Rejection)
    assert rejection.tx_id == tx_id
    found = [(finding.code, finding.text) for finding in rejection.findings]
    for code, words in expected:
        assert any(c == code and words in text for c, text in found), (code, words, found)
    if len(expected) == 1:
        assert len(found) == 1


@pytest.mark.parametrize("name", REJECTIONS)
def test_a_rejection_is_answered_by_a_status_advice_that_the_schema_accepts(name: str) -> None:
    rejection = read_published(f"invalid/{name}")
    assert isinstance(rejection, Rejection)
    answer = etree.fromstring(sese024.rejection(rejection))
    version = sese024.answer_version(rejection.version)
    schema(version).assertValid(answer)
    assert answer.findtext("{*}SctiesSttlmTxStsAdvc/{*}TxId/{*}AcctOwnrTxId") == rejection.tx_id
    assert answer.find("{*}SctiesSttlmTxStsAdvc/{*}PrcgSts/{*}Rjctd/{*}Rsn") is not None


@pytest.mark.parametrize(
    "name", ["dbg_sese.020.001.06_cancel_deli.xml", "prowide_sese.025.001.09_t2s_rece_apmt.xml"]
)
def test_other_messages_are_refused_by_name(name: str) -> None:
    with pytest.raises(InvalidInput, match=r"sese\.02[05]\.001\.0[69] is not read here"):
        read_published(f"valid/{name}")


def test_a_published_pair_free_of_payment_matches() -> None:
    deliverer = read_published("valid/dse_sese.023.001.11_deli_free.xml")
    receiver = read_published("valid/dse_sese.023.001.11_rece_free.xml")
    assert isinstance(deliverer, Sese023)
    assert isinstance(receiver, Sese023)
    assert compare(deliverer.stated, receiver.stated, CSDR) == ()
    assert (deliverer.stated.movement, receiver.stated.movement) == ("DELI", "RECE")
    assert deliverer.stated.payment == "FREE"
    assert deliverer.stated.quantity_kind == "FaceAmt"
    assert deliverer.stated.common_reference == "616964F32"
    assert deliverer.stated.delivering_client == "CSD/593129"
    assert deliverer.header is not None
    assert deliverer.header.sender_bic == "SAFMXXXXXXX"


def delivering_side_of_the_cancelled_trade() -> bytes:
    """Build the instruction that the cancellation request is about, from what it repeats."""
    request = etree.fromstring(published("valid/dbg_sese.020.001.06_cancel_deli.xml"))
    theirs, ours = f"{{{ISO}}}".replace(ISO, ISO + "sese.020.001.06"), ISO + "sese.023.001.10"

    def copied(path: str, name: str | None = None) -> etree._Element:
        steps = "/".join(theirs + step for step in path.split("/"))
        found = request.find(f"{theirs}SctiesTxCxlReq/{steps}")
        assert found is not None
        copy = etree.fromstring(etree.tostring(found))
        for element in copy.iter():
            element.tag = f"{{{ours}}}{etree.QName(element).localname}"
        if name:
            copy.tag = f"{{{ours}}}{name}"
        return copy

    def made(name: str, *children: etree._Element) -> etree._Element:
        element = etree.Element(f"{{{ours}}}{name}")
        element.extend(children)
        return element

    kind = made("Cd")
    kind.text = "TRAD"
    identification = "AcctOwnrTxId/SctiesSttlmTxId"
    message = made(
        "SctiesSttlmTxInstr",
        copied("PrcrTxId", "TxId"),
        made(
            "SttlmTpAndAddtlParams",
            copied(f"{identification}/SctiesMvmntTp"),
            copied(f"{identification}/Pmt"),
        ),
        made("TradDtls", copied("TxDtls/TradDt"), copied("TxDtls/SttlmDt")),
        copied("TxDtls/FinInstrmId"),
        made("QtyAndAcctDtls", copied("TxDtls/SttlmQty"), copied("SfkpgAcct")),
        made("SttlmParams", made("SctiesTxTp", kind)),
        copied("TxDtls/DlvrgSttlmPties"),
        copied("TxDtls/RcvgSttlmPties"),
        copied("TxDtls/SttlmAmt"),
    )
    return etree.tostring(made("Document", message))


def test_a_published_receipt_matches_the_delivery_rebuilt_from_its_cancellation() -> None:
    rebuilt = delivering_side_of_the_cancelled_trade()
    schema("sese.023.001.10").assertValid(etree.fromstring(rebuilt))
    deliverer = read(rebuilt, PUBLISHED, PUBLISHED_ASSETS)
    receiver = read_published("valid/dbg_sese.023.001.10_rece_apmt.xml")
    assert isinstance(receiver, Sese023)
    assert isinstance(deliverer, Sese023)
    assert compare(deliverer.stated, receiver.stated, CSDR) == ()
    assert (receiver.version, receiver.priority) == ("sese.023.001.10", 1)
    assert (receiver.stated.quantity, receiver.stated.amount) == (4200, 319_600)
    assert receiver.stated.partial_allowed
