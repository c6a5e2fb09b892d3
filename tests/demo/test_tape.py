"""A tape is read whole or not at all, and the line at fault is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from settle.demo.plan import Fate, make_plan
from settle.demo.tape import read_tape
from settle.domain.errors import InvalidInput
from settle.domain.tolerance import CSDR

ROOT = Path(__file__).parents[2]
XETRA = ROOT.parent / "shared/data/trades/xetra_posttrade_20251031T1354.csv"
GOOD = "isin,quantity,price,currency\nDE0007164600,10,221.355,EUR\n"


def _written(folder: Path, text: str) -> Path:
    path = folder / "tape.csv"
    path.write_text(text)
    return path


def test_cash_is_rounded_half_up_to_cents(tmp_path: Path) -> None:
    tape = read_tape(_written(tmp_path, GOOD + "DE0007164600,1,221.355,EUR\n"))
    assert [trade.amount for trade in tape.trades] == [221_355, 22_136]


def test_a_security_has_the_decimals_of_its_finest_quantity(tmp_path: Path) -> None:
    tape = read_tape(_written(tmp_path, GOOD + "DE0007164600,0.25,100,EUR\n"))
    assert tape.decimals == {"DE0007164600": 2}
    assert [trade.quantity for trade in tape.trades] == [1_000, 25]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("DE0007164601,1,2.00,EUR", "check digit"),
        ("DE0007164600,1,2.00", "3 fields where the header has 4"),
        ("DE0007164600,-1,2.00,EUR", ""),
        ("DE0007164600,1e3,2.00,EUR", ""),
        ("DE0007164600,1,abc,EUR", ""),
        ("DE0007164600,0,2.00,EUR", "moves something"),
        ("DE0007164600,1,0.001,EUR", "costs something"),
        ("DE0007164600,1,2.00,EURO", ""),
        ('DE0007164600,1,"2.00,EUR', ""),
    ],
)
def test_a_broken_line_refuses_the_whole_tape_by_its_number(
    tmp_path: Path, line: str, fault: str
) -> None:
    with pytest.raises(InvalidInput, match=rf"line 3: .*{fault}"):
        read_tape(_written(tmp_path, GOOD + line + "\n"))


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", "isin,quantity,price,currency\n"])
def test_a_file_that_is_no_tape_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InvalidInput):
        read_tape(_written(tmp_path, text))


def test_the_example_is_a_tape() -> None:
    assert len(read_tape(ROOT / "examples/tape.csv").trades) == 240


@pytest.mark.skipif(not XETRA.exists(), reason="the tape of Xetra is not on this machine")
def test_the_tape_of_xetra_is_read_whole() -> None:
    tape = read_tape(XETRA)
    assert len(tape.trades) == 719
    assert len({trade.isin for trade in tape.trades}) == 268


def test_a_plan_is_repeatable_and_pays_for_all_that_it_lets_settle() -> None:
    tape = read_tape(ROOT / "examples/tape.csv")
    plan = make_plan(tape, 6, 7, CSDR)
    assert plan == make_plan(tape, 6, 7, CSDR)
    assert plan != make_plan(tape, 6, 8, CSDR)
    assert {deal.fate for deal in plan.deals} == set(Fate)
    assert all(deal.seller != deal.buyer for deal in plan.deals)
    for member, of in plan.at_first.items():
        for code, units in of.items():
            out = sum(
                deal.trade.quantity if code == deal.trade.isin else deal.trade.amount
                for deal in plan.deals
                if (deal.seller == member and code == deal.trade.isin)
                or (deal.buyer == member and code == deal.trade.currency)
            )
            assert units + plan.half_way.get(member, {}).get(code, 0) == out
    assert len(plan.half_way) == 2
