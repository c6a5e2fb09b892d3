"""Status advices: valid by the schema whatever the state, and each side told what it may know."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from settle.domain.errors import Broken, InvalidInput
from settle.domain.ids import Address
from settle.domain.reasons import REASONS, Reason, kind_of
from settle.domain.status import Status, TradeState
from settle.iso20022.findings import Finding
from settle.iso20022.sese023 import Rejection
from settle.iso20022.sese024 import (
    MAX_NARRATIVE,
    References,
    acknowledgement,
    answer_version,
    rejection,
    status_message,
)
from settle.iso20022.sese024_codes import CODES, Sese024Version, StatusList
from tests.iso20022.messages import ALFA_ACCOUNT, BETA_ACCOUNT, published, schema

VERSIONS: tuple[Sese024Version, ...] = get_args(Sese024Version)
V12: Sese024Version = "sese.024.001.12"
REFERENCES = References(owner="ALFA-DVP-0001", servicer="01JD0000000000000000000000", common="C-1")
XS = "{http://www.w3.org/2001/XMLSchema}"

reasons = st.builds(
    Reason,
    code=st.sampled_from(sorted(REASONS)),
    leg=st.integers(0, 7),
    who=st.sampled_from([None, ALFA_ACCOUNT, BETA_ACCOUNT]),
    needed=st.integers(0, 2**128 - 1),
    have=st.integers(0, 2**128 - 1),
)
states = st.builds(
    TradeState,
    status=st.sampled_from([status for status in Status if status is not Status.SETTLED]),
    reasons=st.lists(reasons, max_size=4).map(tuple),
)
names = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), min_size=1, max_size=35)
references = st.builds(
    References, owner=names, servicer=names | st.none(), common=names | st.none()
)


def told(xml: bytes, where: str) -> list[str]:
    """The reason codes of one status, such as `SttlmSts/Pdg`."""
    steps = "/".join(
        f"{{*}}{step}" for step in f"SctiesSttlmTxStsAdvc/{where}/Rsn/Cd/Cd".split("/")
    )
    return [found.text or "" for found in etree.fromstring(xml).iterfind(steps)]


def has(xml: bytes, where: str) -> bool:
    steps = "/".join(f"{{*}}{step}" for step in f"SctiesSttlmTxStsAdvc/{where}".split("/"))
    return etree.fromstring(xml).find(steps) is not None


def message(
    status: Status,
    *found: Reason,
    viewer: tuple[Address, ...] = (ALFA_ACCOUNT,),
    failing: bool = False,
    version: Sese024Version = V12,
) -> bytes:
    state = TradeState(status=status, reasons=found)
    return status_message(version, REFERENCES, state, viewer=viewer, failing=failing)


@given(
    version=st.sampled_from(VERSIONS),
    under=references,
    state=states,
    viewer=st.sampled_from([(), (ALFA_ACCOUNT,), (BETA_ACCOUNT,)]),
    failing=st.booleans(),
)
def test_any_state_of_a_trade_gives_a_valid_status_advice(
    version: Sese024Version,
    under: References,
    state: TradeState,
    viewer: tuple[Address, ...],
    failing: bool,
) -> None:
    xml = status_message(version, under, state, viewer=viewer, failing=failing)
    schema(version).assertValid(etree.fromstring(xml))
    assert xml == status_message(version, under, state, viewer=viewer, failing=failing)


@given(st.sampled_from(VERSIONS), references)
def test_any_acknowledgement_is_valid(version: Sese024Version, under: References) -> None:
    xml = acknowledgement(version, under)
    schema(version).assertValid(etree.fromstring(xml))
    assert has(xml, "PrcgSts/AckdAccptd/NoSpcfdRsn")


@given(
    st.sampled_from(["sese.023.001.10", "sese.023.001.11", "sese.023.001.06", "sese.023.001.99"]),
    names,
    st.lists(
        st.builds(
            Finding,
            code=st.sampled_from([*sorted(CODES[V12]["rejected"]), "ZZZZ"]),
            path=st.text(max_size=300),
            sentence=st.text(max_size=300),
        ),
        min_size=1,
        max_size=20,
    ),
)
def test_any_rejection_is_valid_whatever_its_faults_quote(
    version: str, tx_id: str, findings: list[Finding]
) -> None:
    refused = Rejection(version=version, tx_id=tx_id, findings=tuple(findings))
    xml = rejection(refused)
    schema(answer_version(version)).assertValid(etree.fromstring(xml))
    assert len(told(xml, "PrcgSts/Rjctd")) == len(findings)


def test_the_answer_has_the_version_that_goes_with_the_instruction() -> None:
    assert answer_version("sese.023.001.11") == "sese.024.001.12"
    assert answer_version("sese.023.001.10") == "sese.024.001.10"
    assert answer_version("sese.023.001.09") == "sese.024.001.10"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("status_list", get_args(StatusList))
def test_the_lists_of_codes_are_those_of_the_schema(
    version: Sese024Version, status_list: StatusList
) -> None:
    tree = etree.fromstring(published(f"xsd/{version}.xsd"))

    def type_of(holder: str, element: str) -> str:
        found = tree.find(f"{XS}complexType[@name='{holder}']//{XS}element[@name='{element}']")
        assert found is not None
        return found.get("type") or ""

    steps = {
        "rejected": ("PrcgSts", "Rjctd"),
        "cancelled": ("PrcgSts", "Canc"),
        "unmatched": ("MtchgSts", "Umtchd"),
        "pending": ("SttlmSts", "Pdg"),
        "failing": ("SttlmSts", "Flng"),
    }[status_list]
    holder = type_of("Document", "SctiesSttlmTxStsAdvc")
    for step in (*steps, "Rsn", "Cd", "Cd"):
        holder = type_of(holder, step)
    listed = tree.iterfind(f"{XS}simpleType[@name='{holder}']//{XS}enumeration")
    assert CODES[version][status_list] == {code.get("value") for code in listed}


@pytest.mark.parametrize(
    ("code", "own", "others"), [("LACK", "LACK", "CLAC"), ("MONY", "MONY", "CMON")]
)
@pytest.mark.parametrize(("failing", "where"), [(False, "SttlmSts/Pdg"), (True, "SttlmSts/Flng")])
def test_who_lacks_is_told_that_it_lacks_and_the_other_that_its_counterparty_does(
    code: str, own: str, others: str, failing: bool, where: str
) -> None:
    lack = Reason(code=code, who=ALFA_ACCOUNT, needed=500, have=123)
    to_alfa = message(Status.PENDING, lack, viewer=(ALFA_ACCOUNT,), failing=failing)
    to_beta = message(Status.PENDING, lack, viewer=(BETA_ACCOUNT,), failing=failing)
    assert told(to_alfa, where) == [own]
    assert told(to_beta, where) == [others]
    assert has(to_beta, "MtchgSts/Mtchd")
    assert b"123" not in to_beta, "nobody is told what the other holds"


def test_a_trade_that_lacks_both_legs_gives_both_reasons_to_both_sides() -> None:
    lacks = (Reason(code="LACK", who=ALFA_ACCOUNT), Reason(code="MONY", who=BETA_ACCOUNT, leg=1))
    assert told(message(Status.PENDING, *lacks), "SttlmSts/Pdg") == ["LACK", "CMON"]
    to_beta = message(Status.PENDING, *lacks, viewer=(BETA_ACCOUNT,))
    assert told(to_beta, "SttlmSts/Pdg") == ["CLAC", "MONY"]


def test_waiting_for_the_date_is_pending_and_never_failing() -> None:
    early = Reason(code="FUTU", needed=10, have=5)
    assert told(message(Status.PENDING, early), "SttlmSts/Pdg") == ["FUTU"]
    assert told(message(Status.PENDING, early, failing=True), "SttlmSts/Flng") == ["OTHR"]


def test_a_code_of_our_own_is_told_as_the_nearest_one_with_a_sentence() -> None:
    xml = message(Status.AFFIRMED, Reason(code="XCON", who=ALFA_ACCOUNT))
    assert told(xml, "SttlmSts/Pdg") == ["DOCY"]
    assert kind_of("XCON").sentence.encode() in xml
    to_beta = message(
        Status.AFFIRMED, Reason(code="XCON", who=ALFA_ACCOUNT), viewer=(BETA_ACCOUNT,)
    )
    assert told(to_beta, "SttlmSts/Pdg") == ["DOCC"]


def test_an_unmatched_side_is_acknowledged_and_told_which_field_differs() -> None:
    waiting = message(Status.UNMATCHED)
    assert has(waiting, "PrcgSts/AckdAccptd")
    assert told(waiting, "MtchgSts/Umtchd") == ["CMIS"]
    differs = message(Status.UNMATCHED, Reason(code="DQUA"), Reason(code="DMON"))
    assert told(differs, "MtchgSts/Umtchd") == ["DQUA", "DMON"]


def test_each_status_has_its_place() -> None:
    matched = message(Status.MATCHED)
    assert has(matched, "MtchgSts/Mtchd")
    assert not has(matched, "SttlmSts")
    assert has(message(Status.PENDING), "SttlmSts/Pdg/NoSpcfdRsn")
    assert told(message(Status.PARTIALLY_SETTLED), "SttlmSts/Pdg") == ["PART"]
    assert told(message(Status.CANCELLED), "PrcgSts/Canc") == ["CANI"]
    assert told(message(Status.LAPSED), "PrcgSts/Canc") == ["CANS"]
    assert has(message(Status.REJECTED), "PrcgSts/Rjctd/NoSpcfdRsn")
    rejected = message(Status.REJECTED, Reason(code="XQTY"))
    assert told(rejected, "PrcgSts/Rjctd") == ["DQUA"]


def test_a_settled_trade_is_not_for_a_status_advice() -> None:
    with pytest.raises(Broken, match=r"sese\.025"):
        message(Status.SETTLED)


def test_the_references_of_the_sender_come_back() -> None:
    advice = etree.fromstring(message(Status.MATCHED)).find("{*}SctiesSttlmTxStsAdvc/{*}TxId")
    assert advice is not None
    assert [found.text for found in advice] == ["ALFA-DVP-0001", REFERENCES.servicer, "C-1"]


@pytest.mark.parametrize("reference", ["", "X" * 36, "A\nB"])
def test_a_reference_that_no_message_can_carry_is_refused(reference: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        acknowledgement(V12, References(owner=reference))
    assert refusal.value.code == "iso_text"


def test_a_long_narrative_is_cut_where_the_schema_ends_it() -> None:
    finding = Finding(code="VALR", path="Document", sentence="x" * 400)
    xml = rejection(Rejection(version="sese.023.001.11", tx_id="T", findings=(finding,)))
    text = etree.fromstring(xml).findtext(".//{*}AddtlRsnInf") or ""
    assert len(text) == MAX_NARRATIVE
    assert text.endswith("...")
