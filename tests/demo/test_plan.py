"""Whatever the seed, some trades wait for cash and some for a security, and all can settle."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from settle.demo.plan import Fate, Plan, make_plan
from settle.demo.tape import read_tape
from settle.domain.errors import InvalidInput
from settle.domain.tolerance import CSDR

TAPE = read_tape(Path(__file__).parents[2] / "examples" / "tape.csv")
SETTLING = (Fate.SETTLES, Fate.WITHIN_TOLERANCE)


def _short_of(plan: Plan) -> set[str]:
    """Codes of which somebody cannot give all that it owes, though all owed to it has come."""
    left: dict[tuple[int, str], int] = defaultdict(int)
    for place, of in plan.at_first.items():
        for code, units in of.items():
            left[place, code] += units
    for deal in plan.deals:
        if deal.fate in SETTLING:
            left[deal.seller, deal.trade.isin] -= deal.trade.quantity
            left[deal.buyer, deal.trade.isin] += deal.trade.quantity
            left[deal.buyer, deal.trade.currency] -= deal.trade.amount
            left[deal.seller, deal.trade.currency] += deal.trade.amount
    return {code for (_, code), units in left.items() if units < 0}


@pytest.mark.parametrize("participants", [2, 3, 6, 20])
@pytest.mark.parametrize("seed", range(5))
def test_one_is_short_of_cash_and_one_of_a_security(participants: int, seed: int) -> None:
    plan = make_plan(TAPE, participants, seed, CSDR)
    assert sorted(len(code) for code in _short_of(plan)) == [3, 12]
    assert all(units >= 0 for of in plan.at_first.values() for units in of.values())


def test_with_what_comes_half_way_each_has_all_that_it_gives() -> None:
    plan = make_plan(TAPE, 6, 1, CSDR)
    given: dict[tuple[int, str], int] = defaultdict(int)
    for deal in plan.deals:
        given[deal.seller, deal.trade.isin] += deal.trade.quantity
        given[deal.buyer, deal.trade.currency] += deal.trade.amount
    for (place, code), units in given.items():
        late = plan.half_way.get(place, {}).get(code, 0)
        assert plan.at_first[place][code] + late == units


@pytest.mark.parametrize("participants", [-1, 0, 1, 21])
def test_a_cast_that_cannot_be_is_refused(participants: int) -> None:
    with pytest.raises(InvalidInput, match="from 2 to 20 participants"):
        make_plan(TAPE, participants, 1, CSDR)
