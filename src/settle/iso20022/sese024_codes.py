"""Which reason codes a status advice (sese.024) may give for which status.

Source: the code lists of sese.024.001.10 and .12. A code outside its list would make the message
invalid, so the sender writes OTHR and the reason as text instead (`fitting`).
"""

from __future__ import annotations

from typing import Final, Literal

Sese024Version = Literal["sese.024.001.10", "sese.024.001.12"]
StatusList = Literal["rejected", "unmatched", "pending", "failing", "cancelled"]

OTHER: Final = "OTHR"  # in every list: other reason, see the text


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


_REJECTED: Final = _codes(
    "ADEA BATC CAEV CASH CASY DDAT DDEA DEPT DMON DQUA DSEC DTRD ICAG ICUS IEXE IIND INPS INVB "
    "INVE INVL INVN LATE MINO MUNO NCRR OTHR PHYS PLCE PLIS REFE RTGS SAFE SDUT SETR SETS TXST "
    "VALR"
)
_UNMATCHED: Final = _codes(
    "ACRU ADEA CLAT CMIS CPCA DCMX DDAT DDEA DELN DEPT DMCT DMON DQUA DSEC DTRA DTRD FRAP ICAG "
    "ICUS IEXE IIND INPS INVE LATE LEOG MIME NCRR NMAS OTHR PHYS PLCE PLIS PODU REGD RTGS SAFE "
    "SETR SETS TXST UNBR"
)
_CANCELLED: Final = _codes("BYIY CANI CANS CANT CANZ CORP CSUB CTHP CXLR OTHR SCEX")

# What may be told of a trade that waits, on its settlement date or before it and after it alike.
_WAITING: Final = _codes(
    "ADEA AWMO AWSH BATC BENO BLOC BOTH CAIS CDLR CERT CHAS CLAC CLHT CMON COLL CPEC CSDH CVAL "
    "DENO DEPO DISA DKNY DOCC DOCY FLIM FROZ GLOB IAAD INBC INCA LAAW LACK LALO LATE LINK LIQU "
    "MINO MONY MUNO NCON NEWI NOFX OTHR PART PHCK PHSE PRCY PREA PRSY REFS REGT SBLO SDUT SETS "
    "YCOL"
)
_PENDING_ONLY: Final = _codes("FUTU NMAS REFU TAMM")
_FAILING_ONLY: Final = _codes("BYIY CANR CLAT CYCL MLAT OBJT STCD")
_SINCE_12: Final = _codes("PATD PREL")

CODES: Final[dict[Sese024Version, dict[StatusList, frozenset[str]]]] = {
    "sese.024.001.10": {
        "rejected": _REJECTED,
        "unmatched": _UNMATCHED,
        "pending": _WAITING | _PENDING_ONLY | {"CYCL"},
        "failing": _WAITING | _FAILING_ONLY,
        "cancelled": _CANCELLED,
    },
    "sese.024.001.12": {
        "rejected": _REJECTED,
        "unmatched": _UNMATCHED,
        "pending": _WAITING | _PENDING_ONLY | _SINCE_12,
        "failing": _WAITING | _FAILING_ONLY | _SINCE_12,
        "cancelled": _CANCELLED,
    },
}

ANSWERS: Final[dict[str, Sese024Version]] = {
    "sese.023.001.10": "sese.024.001.10",
    "sese.023.001.11": "sese.024.001.12",
}
"""Which status advice the sender of an instruction understands, by the instruction's version."""

OLDEST: Final[Sese024Version] = "sese.024.001.10"
"""For the senders of versions that are not read here."""


def fitting(version: Sese024Version, status_list: StatusList, code: str) -> str:
    """Give the code where its list has it, OTHR where it has not."""
    return code if code in CODES[version][status_list] else OTHER
