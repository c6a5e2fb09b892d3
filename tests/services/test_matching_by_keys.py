"""Looking sides up by keys finds what comparing with every waiting side finds."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from settle.domain.matching import candidates
from settle.domain.tolerance import CSDR
from settle.services.trade_rows import SideState
from settle.store.database import open_database
from tests.support.trade_sides import LEI_A, LEI_B, LEI_C, delivery
from tests.support.venue_world import TODAY, World

if TYPE_CHECKING:
    from settle.domain.side import TradeSide

statements = st.fixed_dictionaries(
    {
        "who": st.sampled_from((0, 1)),
        "parties": st.sampled_from(((LEI_A, LEI_B), (LEI_B, LEI_A), (LEI_A, LEI_C))),
        "quantity": st.sampled_from((500, 500, 500, 499)),
        "amount": st.sampled_from((2_810_000, 2_810_100, 2_810_250)),
        "common_reference": st.sampled_from((None, None, "X", "Y")),
        "transaction_type": st.sampled_from(("TRAD", "TRAD", "TRAD", "REPU")),
    }
)


def side_of(number: int, stated: dict[str, Any]) -> TradeSide:
    delivering, receiving = stated["parties"]
    submitter = (delivering, receiving)[stated["who"]]
    return delivery(
        reference=f"REF-{number}",
        submitted_by=submitter,
        movement="DELI" if submitter == delivering else "RECE",
        delivering_party=delivering,
        receiving_party=receiving,
        settlement_date=TODAY,
        nonce=number,
        quantity=stated["quantity"],
        amount=stated["amount"],
        common_reference=stated["common_reference"],
        transaction_type=stated["transaction_type"],
    )


@dataclass
class Everyone:
    """Compares each new side with all that wait, one after the other."""

    waiting: dict[str, TradeSide] = field(default_factory=dict)

    def submit(self, side: TradeSide) -> tuple[str | None, str | None]:
        """The references of its match and, where there is none, of the nearest side."""
        found = candidates(side, self.waiting.values(), CSDR)
        if found.match is not None:
            del self.waiting[found.match.reference]
            return found.match.reference, None
        self.waiting[side.reference] = side
        return None, None if found.near is None else found.near.reference


@settings(max_examples=25)
@given(st.lists(statements, min_size=2, max_size=25))
def test_keys_find_what_comparing_with_everybody_finds(
    tmp_path_factory: Any, stated: list[dict[str, Any]]
) -> None:
    path = tmp_path_factory.mktemp("keys") / "settle.sqlite"
    world = World(open_database(f"sqlite:///{path}"))
    world.open_market()
    everyone = Everyone()
    for number, one in enumerate(stated, start=1):
        side = side_of(number, one)
        [done] = world.submit(side)
        with world.database.reading() as conn:
            sides = world.store.sides_of(conn, [done.trade.trade_id])[done.trade.trade_id]
            rows = {row.side.reference: row for row in sides}
            near = done.trade.near_trade
            near_side = None if near is None else world.store.sides_of(conn, [near])[near][0].side
        own = rows[side.reference].side
        match = next((r.side.reference for r in sides if r.side.reference != side.reference), None)
        expected_match, expected_near = everyone.submit(own)
        assert match == expected_match
        assert (None if near_side is None else near_side.reference) == expected_near
    with world.database.reading() as conn:
        left = [
            row.side.reference
            for trade in world.store.list_trades(
                conn, viewer=None, statuses=(), below=None, limit=1_000
            )
            for row in world.store.sides_of(conn, [trade.trade_id])[trade.trade_id]
            if row.state is SideState.OPEN
        ]
    assert sorted(left) == sorted(everyone.waiting)
    world.database.close()


@settings(max_examples=25)
@given(st.lists(statements, min_size=2, max_size=25), st.integers(1, 8))
def test_many_at_once_match_as_one_by_one(
    tmp_path_factory: Any, stated: list[dict[str, Any]], most: int
) -> None:
    path = tmp_path_factory.mktemp("keys") / "settle.sqlite"
    world = World(open_database(f"sqlite:///{path}"))
    world.open_market()
    everyone = Everyone()
    sides = [side_of(number, one) for number, one in enumerate(stated, start=1)]
    for submitter, group in itertools.groupby(sides, key=lambda side: side.submitted_by):
        together = list(group)
        for start in range(0, len(together), most):
            some = together[start : start + most]
            assert {side.submitted_by for side in some} == {submitter}
            done = world.submit(*some)
            with world.database.reading() as conn:
                by_trade = world.store.sides_of(conn, [one.trade.trade_id for one in done])
            for side, one in zip(some, done, strict=True):
                found = by_trade[one.trade.trade_id]
                own = next(r.side for r in found if r.side.reference == side.reference)
                others = [r.side.reference for r in found if r.side.reference != side.reference]
                expected, _ = everyone.submit(own)
                assert others == ([] if expected is None else [expected])
    world.database.close()
