"""Finds for each new side the waiting one that fits, or the one that nearly does."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.domain.matching import Mismatch, candidates
from settle.services import match_keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection

    from settle.domain.ids import Lei
    from settle.domain.side import TradeSide
    from settle.domain.tolerance import Tolerance
    from settle.services.trade_ports import SideStore
    from settle.services.trade_rows import SideRow

WAITING_LIMIT: Final = 20_000
"""Waiting sides that one request is compared with; beyond it the oldest come first."""
NEAR_LIMIT: Final = 1_000
"""Of those that nearly fit. A match is never missed for it, at worst a hint is."""
_NEAR_A_SIDE: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a side met: its match; or the one that nearly fits, with what differs; or nothing."""

    match: SideRow | None = None
    near: SideRow | None = None
    mismatches: tuple[Mismatch, ...] = ()


_NOTHING: Final = Found()
Pool = dict[str, "SideRow"]


def find_matches(
    store: SideStore,
    conn: Connection,
    submitter: Lei,
    sides: Sequence[TradeSide],
    tolerance: Tolerance,
) -> dict[str, Found]:
    """Look for all sides at once, by side_id. The older side chooses first, each is chosen once."""
    if not sides:
        return {}
    found = _matches(store, conn, submitter, sides, tolerance)
    alone = [side for side in sides if side.side_id not in found]
    taken = {one.match.side.side_id for one in found.values() if one.match is not None}
    return found | _near(store, conn, submitter, alone, taken, tolerance)


def _matches(
    store: SideStore,
    conn: Connection,
    submitter: Lei,
    sides: Sequence[TradeSide],
    tolerance: Tolerance,
) -> dict[str, Found]:
    keys = {side.side_id: match_keys.equal_key(side) for side in sides}
    rows = store.sides_to_match(conn, set(keys.values()), besides=submitter, limit=WAITING_LIMIT)
    waiting: dict[bytes, dict[str | None, Pool]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        waiting[row.equal_key][row.side.common_reference][row.side.side_id] = row
    found: dict[str, Found] = {}
    for side in sides:
        if keys[side.side_id] not in waiting:
            continue
        by_reference = waiting[keys[side.side_id]]
        # With a reference it can only match its own and those without, else any.
        named = side.common_reference
        pools = (
            by_reference.values() if named is None else (by_reference[named], by_reference[None])
        )
        likely = {
            number: pool
            for pool in pools
            for number, row in pool.items()
            if _may_match(side, row.side, tolerance)
        }
        offered = [pool[number].side for number, pool in likely.items()]
        match = candidates(side, offered, tolerance).match
        if match is not None:
            found[side.side_id] = Found(match=likely[match.side_id].pop(match.side_id))
    return found


def _may_match(side: TradeSide, other: TradeSide, tolerance: Tolerance) -> bool:
    """A cheap question that every match answers with yes, before all fields are compared."""
    if side.amount is None or other.amount is None or side.currency is None:
        return True
    most = tolerance.allowed(side.currency, max(side.amount, other.amount))
    return abs(side.amount - other.amount) <= most


def _near(
    store: SideStore,
    conn: Connection,
    submitter: Lei,
    sides: Sequence[TradeSide],
    taken: set[str],
    tolerance: Tolerance,
) -> dict[str, Found]:
    references = {side.side_id: match_keys.reference_key(side) for side in sides}
    securities = {side.side_id: match_keys.security_key(side) for side in sides}
    with_reference = {number for number, key in references.items() if key is not None}
    rows = store.sides_nearby(
        conn,
        reference_keys={key for key in references.values() if key is not None},
        security_keys={key for n, key in securities.items() if n not in with_reference},
        bare_security_keys={key for n, key in securities.items() if n in with_reference},
        besides=submitter,
        limit=NEAR_LIMIT,
    )
    nearby: dict[bytes, list[SideRow]] = defaultdict(list)
    for row in rows:
        if row.side.side_id not in taken:
            nearby[row.security_key].append(row)
            if row.reference_key is not None:
                nearby[row.reference_key].append(row)
    return {
        side.side_id: _nearest(
            side,
            [*nearby.get(references[side.side_id] or b"", ()), *nearby[securities[side.side_id]]],
            tolerance,
        )
        for side in sides
    }


def _nearest(side: TradeSide, rows: Sequence[SideRow], tolerance: Tolerance) -> Found:
    by_id: Mapping[str, SideRow] = {row.side.side_id: row for row in rows[:_NEAR_A_SIDE]}
    answer = candidates(side, [row.side for row in by_id.values()], tolerance)
    if answer.near is None:
        return _NOTHING
    return Found(near=by_id[answer.near.side_id], mismatches=answer.mismatches)
