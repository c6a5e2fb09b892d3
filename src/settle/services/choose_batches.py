"""Chooses what to send: which of the trades that are ready are covered, and in which batches.

Pure: from what is available and what is on its way, in the order of urgency. A trade that the ones
before it leave without cover is not sent along to fail.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from settle.domain.reasons import Reason
from settle.services.chain_calls import BatchLimits, SignedInstruction
from settle.services.facts import required

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from settle.domain.ids import Address, AssetId
    from settle.domain.instruction import Instruction, Leg
    from settle.services.trade_rows import TradeRow

Holdings = dict[tuple["Address", "AssetId"], int]
_WORD = 32
_EMPTY_CALL = 4 + 2 * _WORD


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A trade that is ready, with the consents that it goes out with."""

    trade: TradeRow
    signed: SignedInstruction


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """A trade that is not covered. `alone`: not even if nothing else were sent or on its way."""

    candidate: Candidate
    reasons: tuple[Reason, ...]
    alone: bool


@dataclass(slots=True)
class Batch:
    """Instructions for one transaction, and what they take up."""

    gas: int
    calldata: int
    legs: int = 0
    members: list[Candidate] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What to do with the ready ones. Those in none of the lists did not fit any more: next time.

    `timed`: outside the time in which they settle, with the reason.
    """

    batches: Sequence[Batch]
    short: Sequence[Short]
    timed: Sequence[tuple[Candidate, Reason]]


class Packer:
    """Fills batches one after the other, up to `room` of them."""

    def __init__(self, limits: BatchLimits, room: int) -> None:
        """Limits are those of the engine; `room` counts transactions."""
        self._limits = limits
        self._room = room
        self._open: Batch | None = None
        self.batches: list[Batch] = []

    def put(self, candidate: Candidate) -> bool:
        """Add to the open batch, or to a new one; False where there is no room for one more."""
        cap = candidate.trade.batch_cap
        gas, legs, calldata = _size(candidate.signed, self._limits, alone=cap == 1)
        batch = self._capped(cap) if cap is not None else self._open
        if batch is None or not self._fits(batch, gas, legs, calldata):
            if len(self.batches) >= self._room:
                return False
            batch = Batch(gas=self._limits.gas_base, calldata=_EMPTY_CALL)
            self.batches.append(batch)
            if cap is None:
                self._open = batch
        batch.gas += gas
        batch.legs += legs
        batch.calldata += calldata
        batch.members.append(candidate)
        return True

    def _capped(self, cap: int) -> Batch | None:
        """The last batch, if it holds trades that may only travel in such small ones."""
        if not self.batches:
            return None
        members = self.batches[-1].members
        same = all(one.trade.batch_cap == cap for one in members)
        return self.batches[-1] if same and len(members) < cap else None

    def _fits(self, batch: Batch, gas: int, legs: int, calldata: int) -> bool:
        limits = self._limits
        return (
            batch.gas + gas <= limits.gas
            and batch.legs + legs <= limits.legs
            and batch.calldata + calldata <= limits.calldata
        )


def choose_batches(
    ready: Sequence[Candidate],
    *,
    holdings: Mapping[tuple[Address, AssetId], int],
    sent: Iterable[Sequence[Leg]],
    cash: Collection[AssetId],
    packer: Packer,
    at: int,
) -> Choice:
    """Go through the ready trades in their order and take what is covered.

    `holdings`: what is available by the followed chain; `sent`: the legs of what is on its way, in
    order; `cash`: the assets that are money. `at` in unix seconds.
    """
    left: Holdings = defaultdict(int, holdings)
    for legs in sent:
        for leg in legs:
            left[leg.deliverer, leg.asset] -= leg.quantity
            left[leg.receiver, leg.asset] += leg.quantity
    short: list[Short] = []
    timed: list[tuple[Candidate, Reason]] = []
    for candidate in ready:
        terms = candidate.signed.instruction
        early_or_late = _outside_window(terms, at)
        if early_or_late is not None:
            timed.append((candidate, early_or_late))
            continue
        reasons = _move(terms, left, cash)
        if reasons:
            needs = required(terms).items()
            alone = any(holdings.get(key, 0) < needed for key, needed in needs)
            short.append(Short(candidate=candidate, reasons=reasons, alone=alone))
        elif not packer.put(candidate):
            break
    return Choice(batches=packer.batches, short=short, timed=timed)


def _outside_window(terms: Instruction, at: int) -> Reason | None:
    if at < terms.settle_from:
        return Reason(code="FUTU", who=terms.initiator, needed=terms.settle_from, have=at)
    if at >= terms.settle_by:
        return Reason(code="ADEA", who=terms.initiator, needed=terms.settle_by, have=at)
    return None


def _move(terms: Instruction, left: Holdings, cash: Collection[AssetId]) -> tuple[Reason, ...]:
    """Move all legs in what is left, or none and say which are not covered."""
    moved: list[Leg] = []
    reasons: list[Reason] = []
    for index, leg in enumerate(terms.legs):
        have = max(0, left[leg.deliverer, leg.asset])
        if have < leg.quantity:
            code = "MONY" if leg.asset in cash else "LACK"
            reasons.append(
                Reason(code=code, leg=index, who=leg.deliverer, needed=leg.quantity, have=have)
            )
            continue
        left[leg.deliverer, leg.asset] -= leg.quantity
        left[leg.receiver, leg.asset] += leg.quantity
        moved.append(leg)
    if reasons:
        for leg in moved:
            left[leg.deliverer, leg.asset] += leg.quantity
            left[leg.receiver, leg.asset] -= leg.quantity
    return tuple(reasons)


def batch_size(limits: BatchLimits) -> int:
    """How many trades of two legs and two signatures one transaction takes."""
    gas = limits.gas_instruction + 2 * limits.gas_leg + 2 * limits.gas_signature
    return min(
        (limits.gas - limits.gas_base) // gas,
        limits.legs // 2,
        (limits.calldata - _EMPTY_CALL) // _calldata(2, (bytes(65), bytes(65))),
    )


def _size(
    signed: SignedInstruction, limits: BatchLimits, *, alone: bool = False
) -> tuple[int, int, int]:
    """Gas, legs and bytes of calldata that an instruction adds to a batch.

    `alone`: it is suspected of having reverted a batch, and gets as if wallets gave all signatures.
    """
    legs = len(signed.instruction.legs)
    brought = [signature for signature in signed.signatures if signature]
    gas = (
        limits.gas_instruction
        + legs * limits.gas_leg
        + len(brought) * limits.gas_signature
        + (len(brought) if alone else signed.wallets) * limits.gas_wallet
    )
    return gas, legs, _calldata(legs, signed.signatures)


def _calldata(legs: int, signatures: Sequence[bytes]) -> int:
    """Bytes of one SignedInstruction in an array (ABI): offsets, fields, legs, signatures."""
    words = 1 + 2 + 11 + 1 + 4 * legs + 1
    for signature in signatures:
        words += 2 + -(-len(signature) // _WORD)
    return words * _WORD
