from __future__ import annotations

import pytest

from settle.domain.errors import Broken
from settle.domain.ids import Address
from settle.domain.reasons import OFF_CHAIN, ON_CHAIN, REASONS, Reason, iso_code, kind_of

# The reason lists of sese.024.001.12, by the status under which they stand.
PENDING = set(
    "AWMO ADEA CAIS REFU AWSH PHSE TAMM DOCY DOCC BLOC CHAS NEWI CLAC MUNO GLOB PREA PART NMAS NOFX"
    " CMON YCOL COLL DEPO FLIM INCA LINK FUTU LACK LALO MONY NCON REFS SDUT BATC SBLO CPEC MINO"
    " IAAD OTHR PHCK BENO BOTH CLHT DENO DISA DKNY FROZ LAAW LATE LIQU PRCY REGT SETS CERT PRSY"
    " CSDH CVAL CDLR INBC PREL PATD".split()
)
FAILING = set(
    "AWMO BYIY CLAT ADEA CANR CAIS OBJT AWSH PHSE STCD DOCY MLAT DOCC BLOC CHAS NEWI CLAC MUNO GLOB"
    " PREA PART NOFX CMON YCOL COLL DEPO FLIM INCA LINK LACK LALO MONY NCON REFS SDUT BATC CYCL"
    " SBLO CPEC MINO IAAD OTHR PHCK BENO BOTH CLHT DENO DISA DKNY FROZ LAAW LATE LIQU PRCY REGT"
    " SETS CERT PRSY CDLR CSDH CVAL INBC PREL PATD".split()
)
REJECTED = set(
    "SAFE DQUA ADEA DSEC LATE CASH DDEA DTRD PLCE RTGS NCRR PHYS REFE DMON MINO BATC MUNO TXST SETS"
    " IIND CAEV CASY DDAT SETR SDUT INPS OTHR ICUS ICAG DEPT IEXE INVB INVL INVN VALR INVE"
    " PLIS".split()
)
UNMATCHED = set(
    "ADEA ACRU IIND CPCA CLAT NCRR DDEA DMCT DCMX DSEC DQUA INVE LEOG LATE MIME CMIS NMAS DTRA OTHR"
    " FRAP PHYS PLIS INPS PLCE PODU DEPT ICAG ICUS IEXE REGD RTGS SAFE DMON DDAT SETS SETR TXST"
    " DTRD DELN UNBR".split()
)
CANCELLED = set("SCEX OTHR CXLR BYIY CTHP CANZ CANT CSUB CANS CANI CORP".split())
LISTS = {
    "pending": PENDING,
    "rejected": REJECTED,
    "unmatched": UNMATCHED,
    "cancelled": CANCELLED,
}
MINE, OTHERS = Address(b"\xaa" * 20), Address(b"\xbb" * 20)
CODES = sorted(REASONS)


def test_every_code_stands_in_the_table_once() -> None:
    assert len(REASONS) == len(ON_CHAIN) + len(OFF_CHAIN)
    assert all(len(code) == 4 and code.isupper() and code.isascii() for code in REASONS)


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_sentence_and_someone_who_can_clear_it(code: str) -> None:
    kind = kind_of(code)
    assert kind.sentence[0].isupper()
    assert kind.sentence.endswith(".")
    assert 20 < len(kind.sentence) <= 210 - len("leg 8: ")  # fits the narrative of sese.024
    assert kind.clears
    assert kind.clears[0].islower()


@pytest.mark.parametrize("code", CODES)
def test_what_never_goes_away_is_cleared_by_nobody(code: str) -> None:
    kind = kind_of(code)
    assert kind.permanent == (kind.clears_by == "nobody")
    assert kind.permanent == (kind.clears.startswith("nobody:"))


@pytest.mark.parametrize("code", CODES)
def test_the_iso_codes_stand_in_the_list_that_is_named(code: str) -> None:
    kind = kind_of(code)
    assert {kind.iso, kind.iso_other} <= LISTS[kind.iso_list]
    if kind.iso_list == "pending" and code != "FUTU":
        assert {kind.iso, kind.iso_other} <= FAILING


@pytest.mark.parametrize("code", CODES)
def test_a_code_of_the_iso_lists_is_told_as_itself(code: str) -> None:
    kind = kind_of(code)
    ours = code.startswith("X")
    assert ours == (kind.iso != code)
    assert ours == (code not in PENDING | FAILING | REJECTED | UNMATCHED | CANCELLED)


def test_a_lack_is_told_differently_to_the_two_sides() -> None:
    for code, own, other in (
        ("LACK", "LACK", "CLAC"),
        ("MONY", "MONY", "CMON"),
        ("XCON", "DOCY", "DOCC"),
        ("BLOC", "BLOC", "OTHR"),
        ("FUTU", "FUTU", "FUTU"),
    ):
        reason = Reason(code=code, who=MINE)
        assert iso_code(reason, {MINE}) == own
        assert iso_code(reason, {OTHERS}) == other
    assert iso_code(Reason(code="CMIS"), {MINE}) == "CMIS"


def test_an_unknown_code_is_a_fault_of_ours() -> None:
    with pytest.raises(Broken):
        kind_of("NONE")
