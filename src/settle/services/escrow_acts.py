"""Which acts on an escrow are worth trying now, from what was brought and what the clock says.

Pure: the contract decides whether an act goes through, here is what could. In the order of the
ladder: what all agree, what a condition asks, a dispute, a ruling, what silence means.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from settle.domain.escrow.clock import (
    WAY_AGREEMENT,
    WAY_CONDITION,
    WAY_DEFAULT,
    WAY_DISPUTE,
    WAY_FALLBACK,
    WAY_PANEL,
    WAY_SILENCE,
    agreeing_of,
    conditions_of,
    moved_in,
    what_now,
)
from settle.domain.escrow.conditions import evidence_leaves, times_of
from settle.domain.escrow.terms import FALLBACK_INDEX, signers_of
from settle.services.escrow_calls import EscrowCall
from settle.services.escrow_rows import EscrowRow, EscrowStatus, MessageKind, MessageRow

if TYPE_CHECKING:
    from settle.domain.escrow.clock import MilestoneNow
    from settle.domain.escrow.state import EscrowRecord


def possible_acts(
    row: EscrowRow, record: EscrowRecord | None, messages: Sequence[MessageRow], now: int
) -> list[EscrowCall]:
    """Calls to try in order, at the chain's time `now` (unix seconds)."""
    if record is None:
        return _before_opening(row, messages, now)
    acts: list[EscrowCall] = []
    for milestone, state in enumerate(what_now(row.terms, record, now=now)):
        mine = [one for one in messages if one.milestone == milestone]
        if record.milestones[milestone].waits:
            paid = list(record.milestones[milestone].paid)
            acts.append(_call(row, "payOut", milestone, paid))
            continue
        acts += _ends(row, milestone, state, mine, now)
    return acts


def next_instant(row: EscrowRow, record: EscrowRecord | None, now: int) -> int | None:
    """The next instant at which time alone makes something possible; None: only news do."""
    if record is None:
        return row.terms.open_by if row.terms.open_by > now else None
    instants: list[int] = []
    for milestone, state in enumerate(what_now(row.terms, record, now=now)):
        instants.append(state.until)
        disputed_at = record.disputed_at[milestone]
        if disputed_at is not None:
            instants.append(disputed_at + 1)  # a ruling comes after the dispute's own second
        if not record.outcomes[milestone]:
            times = times_of(conditions_of(row.terms)[milestone])
            instants += [moved_in(row.terms, record, milestone, at) for at in times]
    return min((at for at in instants if at > now), default=None)


def _before_opening(row: EscrowRow, messages: Sequence[MessageRow], now: int) -> list[EscrowCall]:
    withdrawals = [one for one in messages if one.kind is MessageKind.WITHDRAWAL]
    if withdrawals:
        one = withdrawals[0]
        arguments = (one.author, _octets(one, "signature"))
        return [
            EscrowCall(
                escrow=row.escrow,
                function="withdrawFromEscrow",
                terms=row.terms,
                arguments=arguments,
            )
        ]
    if row.status is not EscrowStatus.SIGNED or now >= row.terms.open_by:
        return []
    given = {
        one.author: _octets(one, "signature") for one in messages if one.kind is MessageKind.CONSENT
    }
    signatures = [given[account] for account in signers_of(row.terms)]
    return [
        EscrowCall(
            escrow=row.escrow, function="openEscrow", terms=row.terms, arguments=(signatures,)
        )
    ]


def _ends(
    row: EscrowRow, milestone: int, state: MilestoneNow, messages: Sequence[MessageRow], now: int
) -> Iterator[EscrowCall]:
    by_kind: dict[MessageKind, list[MessageRow]] = defaultdict(list)
    for one in messages:
        if one.kind is MessageKind.EVIDENCE or _number(one, "valid_by") > now:
            by_kind[one.kind].append(one)
    ways = state.ways
    if ways & WAY_AGREEMENT:
        yield from _agreements(row, milestone, by_kind[MessageKind.AGREEMENT])
    if ways & WAY_CONDITION:
        leaves = evidence_leaves(conditions_of(row.terms)[milestone])
        shown = {one.place: _octets(one, "data") for one in by_kind[MessageKind.EVIDENCE]}
        pieces = [shown.get(place, b"") for place in range(len(leaves))]
        yield _call(row, "endByCondition", milestone, pieces)
    if ways & WAY_DISPUTE:
        for one in by_kind[MessageKind.DISPUTE][:1]:
            yield _call(
                *(row, "openDispute", milestone, one.author, _octets(one, "data")),
                *(_number(one, "valid_by"), _octets(one, "signature")),
            )
    if ways & (WAY_PANEL | WAY_FALLBACK):
        alone = bool(ways & WAY_FALLBACK)
        yield from _rulings(row, milestone, by_kind[MessageKind.RULING], alone=alone)
    if ways & (WAY_DEFAULT | WAY_SILENCE):
        yield _call(row, "endByDefault", milestone)


def _agreements(
    row: EscrowRow, milestone: int, messages: Sequence[MessageRow]
) -> Iterator[EscrowCall]:
    """Splits that everybody agreed to: the same amounts until the same instant."""
    parties = agreeing_of(row.terms, milestone)
    for (paid, valid_by), given in _alike(messages).items():
        by_account = {one.author: one for one in given}
        if set(parties) <= set(by_account):
            signatures = [_octets(by_account[account], "signature") for account in parties]
            yield _call(row, "endByAgreement", milestone, list(paid), valid_by, signatures)


def _rulings(
    row: EscrowRow, milestone: int, messages: Sequence[MessageRow], *, alone: bool
) -> Iterator[EscrowCall]:
    """Rulings of one and the same outcome by enough of the panel, or by the fallback alone."""
    by_paid: dict[tuple[int, ...], list[MessageRow]] = defaultdict(list)
    for one in messages:
        if (one.place == FALLBACK_INDEX) == alone:
            by_paid[_paid(one)].append(one)
    for paid, given in by_paid.items():
        if not alone and len(given) < row.terms.quorum:
            continue
        rulings = [
            (
                *(one.place, _octets(one, "data"), _number(one, "valid_by")),
                _octets(one, "signature"),
            )
            for one in sorted(given, key=lambda one: one.place)
        ]
        yield _call(row, "endByRuling", milestone, list(paid), rulings)


def _alike(messages: Sequence[MessageRow]) -> Mapping[tuple[Any, int], list[MessageRow]]:
    found: dict[tuple[Any, int], list[MessageRow]] = defaultdict(list)
    for one in messages:
        found[_paid(one), _number(one, "valid_by")].append(one)
    return found


def _call(row: EscrowRow, function: str, milestone: int, *arguments: object) -> EscrowCall:
    return EscrowCall(
        escrow=row.escrow,
        function=function,
        terms=row.terms,
        arguments=(milestone, *arguments),
    )


def _octets(one: MessageRow, name: str) -> bytes:
    return bytes.fromhex(cast("str", one.content[name])[2:])


def _number(one: MessageRow, name: str) -> int:
    return int(cast("str", one.content[name]))


def _paid(one: MessageRow) -> tuple[int, ...]:
    return tuple(int(amount) for amount in cast("list[str]", one.content["paid"]))
