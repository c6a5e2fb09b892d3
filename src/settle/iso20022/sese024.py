"""Writes status advices (sese.024): what became of an instruction, as its sender may know it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from lxml import etree

from settle.domain.errors import Broken
from settle.domain.ids import Address
from settle.domain.reasons import Reason, iso_code, kind_of
from settle.domain.status import Status, TradeState
from settle.iso20022.sese023 import MAX_REFERENCE, Rejection
from settle.iso20022.sese024_codes import (
    ANSWERS,
    OLDEST,
    Sese024Version,
    StatusList,
    fitting,
)
from settle.iso20022.xml_writer import Writer

MAX_NARRATIVE: Final = 210
_NO_REASON: Final = "NORE"


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Under which names a trade is spoken of: the sender's, ours, and the one common to both."""

    owner: str
    servicer: str | None = None
    common: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """One reason as it stands in the message."""

    code: str
    narrative: str


def answer_version(instruction: str) -> Sese024Version:
    """Give the version of sese.024 for the sender of an instruction, such as `sese.023.001.11`."""
    return ANSWERS.get(instruction, OLDEST)


def acknowledgement(version: Sese024Version, references: References) -> bytes:
    """Say that an instruction was received and is being processed."""
    write = Writer(message=version)
    accepted = write("AckdAccptd", write("NoSpcfdRsn", _NO_REASON))
    return _advice(write, references, write("PrcgSts", accepted))


def rejection(refused: Rejection) -> bytes:
    """Answer a message that was not accepted, with all its faults."""
    version = answer_version(refused.version)
    write = Writer(message=version)
    told = [
        _Told(code=fitting(version, "rejected", finding.code), narrative=finding.text)
        for finding in refused.findings
    ]
    status = write("PrcgSts", _with_reasons(write, "Rjctd", told))
    return _advice(write, References(owner=refused.tx_id), status)


def status_message(
    version: Sese024Version,
    references: References,
    state: TradeState,
    *,
    viewer: Collection[Address],
    failing: bool = False,
) -> bytes:
    """Tell one side where its trade stands and why.

    `viewer` is the accounts of that side: what it lacks itself is LACK or MONY, what the other
    lacks is CLAC or CMON. `failing` is whether the intended settlement date is over.
    Raises: Broken for a settled trade: sese.025 tells of that.
    """
    write = Writer(message=version)

    def told(status_list: StatusList, default: str | None = None) -> list[_Told]:
        return _told(version, status_list, state.reasons, viewer, default)

    waiting: StatusList = "failing" if failing else "pending"
    match state.status:
        case Status.UNMATCHED:
            accepted = write("AckdAccptd", write("NoSpcfdRsn", _NO_REASON))
            unmatched = _with_reasons(write, "Umtchd", told("unmatched", "CMIS"))
            parts = [write("PrcgSts", accepted), write("MtchgSts", unmatched)]
        case Status.MATCHED | Status.AFFIRMED | Status.PENDING | Status.PARTIALLY_SETTLED:
            part = [_Told(code="PART", narrative="A part has settled, the rest waits.")]
            reasons = part if state.status is Status.PARTIALLY_SETTLED else []
            reasons += told(waiting)
            parts = [write("MtchgSts", write("Mtchd"))]
            if reasons or state.status is Status.PENDING:
                name = "Flng" if failing else "Pdg"
                parts.append(write("SttlmSts", _with_reasons(write, name, reasons)))
        case Status.CANCELLED:
            reasons = told("cancelled", "CANI")
            parts = [write("PrcgSts", _with_reasons(write, "Canc", reasons))]
        case Status.LAPSED:
            reasons = told("cancelled", "CANS")
            parts = [write("PrcgSts", _with_reasons(write, "Canc", reasons))]
        case Status.REJECTED:
            parts = [write("PrcgSts", _with_reasons(write, "Rjctd", told("rejected")))]
        case Status.SETTLED:
            raise Broken("a settled trade is told of by sese.025, not by a status advice")
        case _:
            assert_never(state.status)
    return _advice(write, references, *parts)


def _told(
    version: Sese024Version,
    status_list: StatusList,
    reasons: Iterable[Reason],
    viewer: Collection[Address],
    default: str | None,
) -> list[_Told]:
    told = [
        _Told(
            code=fitting(version, status_list, iso_code(reason, viewer)),
            narrative=kind_of(reason.code).sentence,
        )
        for reason in reasons
    ]
    if not told and default is not None:
        told.append(_Told(code=default, narrative=kind_of(default).sentence))
    return list(dict.fromkeys(told))


def _with_reasons(write: Writer, name: str, told: Sequence[_Told]) -> etree._Element:
    if not told:
        return write(name, write("NoSpcfdRsn", _NO_REASON))
    return write(
        name,
        *(
            write(
                "Rsn",
                write("Cd", write("Cd", reason.code)),
                write.text("AddtlRsnInf", _shortened(reason.narrative), MAX_NARRATIVE),
            )
            for reason in told
        ),
    )


def _shortened(narrative: str) -> str:
    plain = "".join(letter if letter.isprintable() else " " for letter in narrative)
    return plain if len(plain) <= MAX_NARRATIVE else f"{plain[: MAX_NARRATIVE - 3]}..."


def _advice(write: Writer, references: References, *statuses: etree._Element) -> bytes:
    identifications = write(
        "TxId",
        write.text("AcctOwnrTxId", references.owner, MAX_REFERENCE),
        write.optional("AcctSvcrTxId", references.servicer, MAX_REFERENCE),
        write.optional("CmonId", references.common, MAX_REFERENCE),
    )
    return write.document(write("SctiesSttlmTxStsAdvc", identifications, *statuses))
