"""Checks a participant's chain of receipts: in itself, and against what the chain says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from settle.domain.errors import InvalidInput
from settle.domain.ids import ZERO_WORD, Address, Lei
from settle.services.receipts import ACCEPTED, ENDED, MATCHED, Receipt, receipt_digest

if TYPE_CHECKING:
    from settle.domain.instruction import SigningDomain
    from settle.services.venue import Recover


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptFinding:
    """Something wrong, at the receipt of this number."""

    number: int
    code: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainWord:
    """What the chain says by its last final block, whose time is `at` (unix seconds)."""

    at: int
    settled: frozenset[bytes]
    opened: frozenset[bytes]


@dataclass(slots=True, kw_only=True)
class _Case:
    """A trade or an escrow that was accepted, as the receipts tell it."""

    number: int
    name: str
    deadline_at: int
    digests: set[bytes] = field(default_factory=set)
    ended: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What a chain of receipts comes to; `findings` empty: nothing speaks against the operator."""

    receipts: int
    settled: int
    ended: int
    open: int
    findings: tuple[ReceiptFinding, ...]


def check_receipts(
    receipts: Sequence[Receipt],
    *,
    lei: Lei,
    key: Address,
    domain: SigningDomain,
    recover: Recover,
    word: ChainWord,
) -> Checked:
    """Check all receipts of a participant from the first, and what they promise, by the chain."""
    findings = _links(receipts, lei, key, domain, recover)
    cases = _cases(receipts)
    states = {"settled": 0, "ended": 0, "open": 0}
    for case in cases.values():
        settled = bool(case.digests & (word.settled | word.opened))
        if settled and case.ended == "Lapsed":
            message = f"{case.name} was told as lapsed and stands settled on chain"
            findings.append(_found(case.number, "ended_and_settled", message))
        if settled or case.ended:
            states["settled" if settled else "ended"] += 1
        elif word.at < case.deadline_at:
            states["open"] += 1
        else:
            message = (
                f"{case.name} was accepted, its time was over at {case.deadline_at}, and it has "
                f"neither settled by {word.at} nor ended with a reason"
            )
            findings.append(_found(case.number, "unaccounted", message))
    return Checked(receipts=len(receipts), findings=tuple(findings), **states)


def same_beginning(kept: Sequence[Receipt], told: Sequence[Receipt]) -> list[ReceiptFinding]:
    """Compare receipts that were kept with what the venue tells now: it may add, never change."""
    findings = []
    for index, one in enumerate(kept):
        if index >= len(told):
            findings.append(_found(one.number, "denied", "the venue has this receipt no more"))
        elif told[index] != one:
            findings.append(_found(one.number, "changed", "the venue tells another receipt"))
    return findings


def _links(
    receipts: Sequence[Receipt], lei: Lei, key: Address, domain: SigningDomain, recover: Recover
) -> list[ReceiptFinding]:
    findings = []
    previous = ZERO_WORD
    for number, one in enumerate(receipts, start=1):
        if one.participant != lei:
            findings.append(_found(number, "participant", f"it is for {one.participant}"))
        if one.number != number:
            findings.append(_found(number, "gap", f"number {one.number} comes as {number}."))
        if one.previous != previous:
            findings.append(_found(number, "previous", "it does not follow the one before it"))
        previous = receipt_digest(one, domain)
        try:
            signer = recover(previous, one.signature)
        except InvalidInput as fault:
            findings.append(_found(number, "signature", fault.message))
            continue
        if signer != key:
            message = f"0x{signer.hex()} signed it, not the operator's 0x{key.hex()}"
            findings.append(_found(number, "signature", message))
    return findings


def _cases(receipts: Sequence[Receipt]) -> dict[str, _Case]:
    """Gather what was promised. In any order: a request may end what it names."""
    cases: dict[str, _Case] = {}
    loose: list[Mapping[str, Any]] = []
    for one in receipts:
        told = json.loads(one.contents)
        if one.kind == ACCEPTED:
            for subject in told["subjects"]:
                _promise(cases, one.number, subject)
        elif one.kind in {MATCHED, ENDED}:
            loose.append(told)
    for told in loose:
        case = cases.get(told.get("trade_id") or told.get("escrow") or "")
        if case is None:
            continue  # the other party's request alone: nothing was promised to this one
        _bind(case, told)
        if "deadline_at" in told:
            case.deadline_at = max(case.deadline_at, int(told["deadline_at"]))
        if told["event"] != "trade.matched":
            case.ended = told["status"]
    return cases


def _promise(cases: dict[str, _Case], number: int, subject: Mapping[str, Any]) -> None:
    name = subject.get("trade_id") or subject["escrow"]
    deadline_at = int(subject["deadline_at"])
    case = cases.setdefault(name, _Case(number=number, name=name, deadline_at=deadline_at))
    case.deadline_at = max(case.deadline_at, deadline_at)
    _bind(case, subject)


def _bind(case: _Case, told: Mapping[str, Any]) -> None:
    if told.get("digest") is not None:
        case.digests.add(bytes.fromhex(told["digest"][2:]))
    if told.get("escrow") is not None:
        case.digests.add(bytes.fromhex(told["escrow"][2:]))


def _found(number: int, code: str, message: str) -> ReceiptFinding:
    return ReceiptFinding(number=number, code=code, message=message)
