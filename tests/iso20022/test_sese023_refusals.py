"""What asks for something that is not built, or contradicts itself, is refused with its reason."""

from __future__ import annotations

import pytest

from settle.domain.errors import InvalidInput
from settle.domain.ids import Address
from settle.iso20022.sese023 import read
from tests.iso20022.messages import (
    ALFA,
    ALFA_ACCOUNT,
    BETA,
    BETA_ACCOUNT,
    Assets,
    Directory,
    accepted,
    changed,
    codes,
    example,
    lei,
    refused,
)
from tests.iso20022.rich_message import rich_message

DVP = "dvp_delivering.xml"
FOP = "fop_delivering.xml"
LINK = "<Lnkgs>{}<Ref><OthrTxId>OTHER-1</OthrTxId></Ref></Lnkgs>"
PARTIES = "    <DlvrgSttlmPties>"


def with_parameter(parameter: str) -> bytes:
    """The delivery with something before, or behind, the transaction type: wherever it belongs."""
    before = parameter.startswith(("<HldInd", "<Prty"))
    place = "<SctiesTxTp>" if before else "    </SttlmParams>"
    return changed(example(DVP), place, parameter + place)


NOT_BUILT = [
    ("<HldInd><Ind>true</Ind></HldInd>", "VALR", "the hold indicator is not supported"),
    ("<HldInd><Ind>1</Ind></HldInd>", "VALR", "the hold indicator is not supported"),
    ("<PrtlSttlmInd>PARC</PrtlSttlmInd>", "VALR", "PARC: thresholds of parts"),
    ("<PrtlSttlmInd>PARQ</PrtlSttlmInd>", "VALR", "PARQ: thresholds of parts"),
    ("<BlckTrad><Cd>BLPA</Cd></BlckTrad>", "VALR", "block trades"),
    ("<CCPElgblty><Ind>true</Ind></CCPElgblty>", "VALR", "no central counterparty"),
    ("<CshClrSys><Cd>NETS</Cd></CshClrSys>", "CASY", "cash is not netted"),
    ("<XpsrTp><Cd>REPO</Cd></XpsrTp>", "VALR", "collateral management"),
    ("<FxStgInstr><Ind>true</Ind></FxStgInstr>", "VALR", "currency exchange"),
    ("<RpTp><Cd>PAIR</Cd></RpTp>", "SETR", "repurchase agreements"),
    ("<SttlmSysMtd><Cd>YSET</Cd></SttlmSysMtd>", "SETS", "one way of settling"),
    ("<Trckg><Ind>true</Ind></Trckg>", "VALR", "tracking"),
    ("<AutomtcBrrwg><Cd>YBOR</Cd></AutomtcBrrwg>", "VALR", "automatic borrowing"),
    ("<RtrLeg>true</RtrLeg>", "SETR", "return leg"),
    ("<ModCxlAllwd><Ind>false</Ind></ModCxlAllwd>", "VALR", "forbidding a cancellation"),
    ("<DlvrgSctiesSubBalTp><Id>RSTR</Id><Issr>T2S</Issr></DlvrgSctiesSubBalTp>", "INVB", "sub-b"),
    ("<SttlmTxCond><Cd>PHYS</Cd></SttlmTxCond>", "VALR", "must be NOMC"),
]


@pytest.mark.parametrize(("parameter", "code", "words"), NOT_BUILT)
def test_a_parameter_that_asks_for_what_is_not_built_is_refused_by_name(
    parameter: str, code: str, words: str
) -> None:
    rejection = refused(with_parameter(parameter))
    assert codes(rejection) == [code]
    assert words in rejection.findings[0].text
    assert rejection.tx_id == "ALFA-DVP-0001"


@pytest.mark.parametrize(
    "parameter",
    [
        "<HldInd><Ind>false</Ind></HldInd>",
        "<PrtlSttlmInd>PART</PrtlSttlmInd>",
        "<CCPElgblty><Ind>false</Ind></CCPElgblty>",
        "<SttlmSysMtd><Cd>NSET</Cd></SttlmSysMtd>",
        "<SctiesRTGS><Ind>true</Ind></SctiesRTGS>",
        "<ModCxlAllwd><Ind>true</Ind></ModCxlAllwd>",
    ],
)
def test_a_parameter_that_asks_for_nothing_special_is_accepted(parameter: str) -> None:
    accepted(with_parameter(parameter))


@pytest.mark.parametrize("position", ["BEFO", "AFTE", "WITH"])
def test_a_processing_link_is_refused_by_name(position: str) -> None:
    link = LINK.format(f"<PrcgPos><Cd>{position}</Cd></PrcgPos>")
    rejection = refused(changed(example(DVP), "<TradDtls>", f"{link}<TradDtls>"))
    assert codes(rejection) == ["INVL"]
    assert f"{position}: processing links are not supported" in rejection.findings[0].text


@pytest.mark.parametrize("position", ["", "<PrcgPos><Cd>INFO</Cd></PrcgPos>"])
def test_a_link_for_information_is_accepted(position: str) -> None:
    accepted(changed(example(DVP), "<TradDtls>", f"{LINK.format(position)}<TradDtls>"))


def test_all_faults_of_a_message_are_told_at_once() -> None:
    message = changed(with_parameter("<HldInd><Ind>true</Ind></HldInd>"), "DE0007164600", "DE0007")
    message = changed(message, 'Ccy="EUR">28100.00', 'Ccy="QQQ">-1')
    assert codes(refused(message)) == ["DSEC", "VALR", "DMON", "NCRR"]


SENSELESS = [
    ("DE0007164600", "DE0005140008", "DSEC", "is not an asset of this ledger"),
    ("<ISIN>DE0007164600</ISIN>", "", "DSEC", "securities are named by their ISIN"),
    ("<Unit>500</Unit>", "<Unit>500.5</Unit>", "DQUA", "500.5 has 1 decimals, the asset has 0"),
    ("<Unit>500</Unit>", "<Unit>0</Unit>", "DQUA", "must be more than zero"),
    ("<Unit>500</Unit>", "<Unit>-5</Unit>", "DQUA", "no sign"),
    ("28100.00", "28100.005", "DMON", "28100.005 has 3 decimals, the asset has 2"),
    ("28100.00", "0", "DMON", "must be more than zero"),
    ('Ccy="EUR">28100.00', 'Ccy="CHF">28100.00', "NCRR", "there is no CHF in this ledger"),
    ("CRDT", "DBIT", "DMON", "must be CRDT: cash moves against the securities"),
    ("<Dt>2026-11-26</Dt>", "<Dt>2026-11-23</Dt>", "DDAT", "lies before the trade date"),
    ("ALFADEF0XXX", "STRADEF0XXX", "ICAG", "is no participant"),
    ("999900DEMOBANKBETA55", "999900DEMOBANKALFA73", "ICAG", "are not the same participant"),
]


@pytest.mark.parametrize(("old", "new", "code", "words"), SENSELESS)
def test_what_cannot_be_meant_is_refused(old: str, new: str, code: str, words: str) -> None:
    message = changed(example(DVP), old, new)
    if old.startswith("ALFA"):  # a stranger, by each of its names
        message = changed(message, ALFA, lei("Stranger"))
    rejection = refused(message)
    assert code in codes(rejection)
    assert any(words in finding.text for finding in rejection.findings), rejection.findings


def test_a_number_is_read_exactly_however_it_is_written() -> None:
    for text in ("28100.00", "+28100", "028100.", " 28100.0000 "):
        assert accepted(changed(example(DVP), "28100.00", text)).stated.amount == 2_810_000


def test_free_of_payment_takes_no_money_but_a_zero() -> None:
    amount = '<SttlmAmt><Amt Ccy="EUR">{}</Amt><CdtDbtInd>CRDT</CdtDbtInd></SttlmAmt>'
    free = changed(example(DVP), ">APMT<", ">FREE<")
    assert codes(refused(free)) == ["DMON"]
    assert "free of payment" in refused(free).findings[0].text
    zero = changed(
        example(FOP), "  </SctiesSttlmTxInstr>", amount.format("0.00") + "</SctiesSttlmTxInstr>"
    )
    assert accepted(zero).stated.amount is None


def test_against_payment_needs_an_amount() -> None:
    assert codes(refused(changed(example(FOP), ">FREE<", ">APMT<"))) == ["DMON"]


def test_both_parties_must_be_named() -> None:
    message = example(DVP)
    start, end = message.index(b"<Pty1>"), message.index(b"</Pty1>") + len(b"</Pty1>")
    rejection = refused(message[:start] + message[end:])
    assert codes(rejection) == ["ICAG"]
    assert "DlvrgSttlmPties/Pty1: is missing" in rejection.findings[0].text


def test_the_two_parties_must_differ() -> None:
    message = changed(example(DVP), "BETAFRP0XXX", "ALFADEF0XXX")
    assert codes(refused(changed(message, BETA, ALFA))) == ["ICAG"]


def test_a_party_known_by_its_lei_alone_may_have_a_strange_bic_or_a_name() -> None:
    by_name = "<NmAndAdr><Nm>Bank Alfa</Nm></NmAndAdr>"
    for instead in ("<AnyBIC>STRADEF0XXX</AnyBIC>", by_name):
        message = changed(example(DVP), "<AnyBIC>ALFADEF0XXX</AnyBIC>", instead)
        assert accepted(message).party == ALFA
    nameless = changed(example(DVP), "<AnyBIC>ALFADEF0XXX</AnyBIC>", by_name)
    rejection = refused(changed(nameless, f"<LEI>{ALFA}</LEI>", ""))
    assert "is named by no BIC, LEI or identifier" in rejection.findings[0].text


def test_a_bic_of_eight_characters_is_its_head_office() -> None:
    message = changed(example(DVP), "ALFADEF0XXX", "ALFADEF0")
    message = changed(message, "STTLLUL0XXX", "STTLLUL0")
    assert accepted(message).stated == accepted(example(DVP)).stated


def test_a_party_is_found_by_the_number_that_an_issuer_gave_it() -> None:
    own = "<PrtryId><Id>4711</Id><Issr>DAKV</Issr></PrtryId>"
    message = changed(example(DVP), "<AnyBIC>ALFADEF0XXX</AnyBIC>", own)
    message = changed(message, f"<LEI>{ALFA}</LEI>", "")
    known = Directory(identifiers={("DAKV", "4711"): ALFA})
    assert read(message, known, Assets()) == read(example(DVP), known, Assets())
    assert codes(refused(message)) == ["ICAG"]


def test_a_sender_instructs_only_for_itself() -> None:
    assert accepted(example(DVP), sender=ALFA).party == ALFA
    rejection = refused(example(DVP), sender=BETA)
    assert codes(rejection) == ["ICAG"]
    assert "instructs only for itself" in rejection.findings[0].text


def test_an_account_must_be_one_of_its_owner() -> None:
    rejection = refused(changed(example(FOP), "ALFA-1", "BETA-1"))
    assert codes(rejection) == ["SAFE"]
    assert f"{ALFA} has no account BETA-1" in rejection.findings[0].text


def wallet(address: Address) -> str:
    return f"<BlckChainAdrOrWllt><Id>0x{address.hex()}</Id></BlckChainAdrOrWllt>"


def test_an_account_may_be_named_by_its_address() -> None:
    place = "    </QtyAndAcctDtls>"
    named = changed(example(DVP), place, wallet(ALFA_ACCOUNT) + place)
    assert accepted(named).stated.account == ALFA_ACCOUNT
    foreign = changed(example(DVP), place, wallet(BETA_ACCOUNT) + place)
    assert codes(refused(foreign)) == ["SAFE"]
    both = changed(example("fop_receiving.xml"), place, wallet(BETA_ACCOUNT) + place)
    assert accepted(both).stated.account == BETA_ACCOUNT


def test_accounts_at_both_places_of_the_own_party_must_agree() -> None:
    two = Directory(accounts={(BETA, "BETA-1"): BETA_ACCOUNT, (BETA, "BETA-2"): Address(bytes(20))})
    message = changed(
        example("fop_receiving.xml"),
        f"<LEI>{BETA}</LEI>",
        f"<LEI>{BETA}</LEI><SfkpgAcct><Id>BETA-2</Id></SfkpgAcct>",
    )
    result = read(message, two, Assets())
    assert "not the same" in result.findings[0].text  # type: ignore[union-attr]


def test_the_account_of_the_other_party_is_read_for_matching() -> None:
    message = changed(
        example(FOP),
        f"<LEI>{BETA}</LEI>",
        f"<LEI>{BETA}</LEI><SfkpgAcct><Id>BETA-1</Id></SfkpgAcct>",
    )
    assert accepted(message).stated.counterparty_account == BETA_ACCOUNT
    assert codes(refused(changed(message, "BETA-1", "BETA-9"))) == ["SAFE"]


def test_the_additional_matching_fields_are_read() -> None:
    message = changed(
        with_parameter("<SttlmTxCond><Cd>NOMC</Cd></SttlmTxCond>"),
        "</DealPric>",
        "</DealPric><TradTxCond><Cd>XCPN</Cd></TradTxCond>",
    )
    side = accepted(message).stated
    assert (side.opt_out, side.ex_cum) == (True, "XCPN")
    plain = accepted(example(DVP)).stated
    assert (plain.opt_out, plain.ex_cum) == (None, None)
    contradiction = "<TradTxCond><Cd>XCPN</Cd></TradTxCond><TradTxCond><Cd>CCPN</Cd></TradTxCond>"
    both = changed(example(DVP), "</DealPric>", f"</DealPric>{contradiction}")
    assert "both with and without the coupon" in refused(both).findings[0].text


def test_a_trade_date_is_the_date_as_written_whatever_the_clock_says() -> None:
    for instant in ("2026-11-24T23:59:59Z", "2026-11-24T00:00:01+09:00", "2026-11-24T12:00:00.5"):
        message = changed(example(DVP), "<Dt>2026-11-24</Dt>", f"<DtTm>{instant}</DtTm>")
        assert accepted(message).stated == accepted(example(DVP)).stated


def test_a_time_of_settlement_is_refused_by_name() -> None:
    message = changed(example(DVP), "<Dt>2026-11-26</Dt>", "<DtTm>2026-11-26T10:00:00Z</DtTm>")
    assert codes(refused(message)) == ["DDAT"]


@pytest.mark.parametrize(("priority", "read_as"), [("0001", 1), ("0002", 2), ("0004", 4)])
def test_a_priority_is_reported_for_the_caller_to_grant(priority: str, read_as: int) -> None:
    message = with_parameter(f"<Prty><Nmrc>{priority}</Nmrc></Prty>")
    assert accepted(message).priority == read_as
    assert codes(refused(changed(message, priority, "0005"))) == ["VALR"]


def test_a_message_with_nearly_every_accepted_element_is_read() -> None:
    read_here = accepted(rich_message())
    assert read_here.stated.account == ALFA_ACCOUNT
    assert (read_here.tx_id, read_here.priority) == ("RICH-1", 3)


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        ("", "TxId has no text"),
        ("   ", "TxId has no text"),
        ("X" * 36, "TxId has 36 characters"),
        (" X", "space around it"),
        ("A&#10;B", "cannot be printed"),
        ("<Id>X</Id>", "TxId has no text"),
    ],
)
def test_a_message_without_a_usable_reference_is_a_problem(reference: str, words: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read(changed(example(DVP), "ALFA-DVP-0001", reference), Directory(), Assets())
    assert refusal.value.code == "reference_unreadable"
    assert words in refusal.value.message


def test_many_faults_are_told_up_to_a_bound() -> None:
    message = changed(example(DVP), PARTIES, "<Nonsense/>" * 500 + PARTIES)
    assert len(refused(message).findings) == 1
    each = "".join(f"<N{number}/>" for number in range(500))
    assert len(refused(changed(example(DVP), PARTIES, each + PARTIES)).findings) == 20
