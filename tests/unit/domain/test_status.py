from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from settle.domain.errors import Broken, Conflict
from settle.domain.reasons import Reason
from settle.domain.status import (
    TABLE,
    TERMINAL,
    CancelledOnChain,
    ChainFact,
    Change,
    Cleared,
    ConsentsComplete,
    ConsentWithdrawnOnChain,
    Obstructed,
    PartSettledOnChain,
    SettledOnChain,
    SideCancelled,
    SideDiffers,
    SideRejected,
    SidesMatched,
    Status,
    StatusChanged,
    TradeState,
    WindowEnded,
    transition,
)

U, M, A, P, PS = (
    Status.UNMATCHED,
    Status.MATCHED,
    Status.AFFIRMED,
    Status.PENDING,
    Status.PARTIALLY_SETTLED,
)
S, C, R, L = Status.SETTLED, Status.CANCELLED, Status.REJECTED, Status.LAPSED
ASKED = (
    SideDiffers,
    SideRejected,
    SideCancelled,
    SidesMatched,
    ConsentsComplete,
    Obstructed,
    Cleared,
)
FACTS = (
    PartSettledOnChain,
    SettledOnChain,
    CancelledOnChain,
    ConsentWithdrawnOnChain,
    WindowEnded,
)

# Written out, so that nobody widens the table by accident.
FORBIDDEN: dict[type[Change], tuple[Status, ...]] = {
    SideDiffers: (M, A, P, PS, S, C, R, L),
    SideRejected: (M, A, P, PS, S, C, R, L),
    SideCancelled: (M, A, P, PS, S, C, R, L),
    SidesMatched: (M, A, P, PS, S, C, R, L),
    ConsentsComplete: (U, A, P, PS, S, C, R, L),
    Obstructed: (U, M, S, C, R, L),
    Cleared: (U, M, S, C, R, L),
    PartSettledOnChain: (S, C, R, L),
    SettledOnChain: (S, C, R, L),
    CancelledOnChain: (S, C, R, L),
    ConsentWithdrawnOnChain: (S, C, R, L),
    WindowEnded: (S, C, R, L),
}


def _change(kind: type[Change], block: int = 5, reasons: tuple[Reason, ...] = ()) -> Change:
    if issubclass(kind, ChainFact):
        return kind(at=100, block=block, reasons=reasons)
    return kind(at=100, reasons=reasons)


def _state(status: Status, block: int | None = None) -> TradeState:
    return TradeState(status=status, block=block)


def test_the_table_allows_exactly_what_is_not_forbidden() -> None:
    assert set(TABLE) == {*ASKED, *FACTS} == set(FORBIDDEN)
    for kind, status in product(TABLE, Status):
        assert (status in TABLE[kind]) != (status in FORBIDDEN[kind]), (kind.__name__, status)


@pytest.mark.parametrize(
    ("kind", "status"), [(kind, status) for kind in ASKED for status in FORBIDDEN[kind]]
)
def test_what_does_not_fit_the_status_is_refused(kind: type[Change], status: Status) -> None:
    with pytest.raises(Conflict) as refused:
        transition(_state(status), _change(kind))
    assert refused.value.code == "status"
    assert status in refused.value.message


def test_the_terminal_statuses_are_four() -> None:
    assert {S, C, R, L} == TERMINAL
    assert [status for status in Status if status.is_terminal] == [S, C, R, L]


def test_the_words_are_those_of_the_one_vocabulary() -> None:
    assert [str(status) for status in Status] == [
        "Unmatched",
        "Matched",
        "Affirmed",
        "Pending",
        "PartiallySettled",
        "Settled",
        "Cancelled",
        "Rejected",
        "Lapsed",
    ]


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ((SidesMatched, ConsentsComplete, SettledOnChain), (M, A, S)),
        ((SidesMatched, ConsentsComplete, Obstructed, Cleared, SettledOnChain), (M, A, P, A, S)),
        ((SidesMatched, ConsentsComplete, Obstructed, SettledOnChain), (M, A, P, S)),
        ((SidesMatched, ConsentsComplete, PartSettledOnChain, SettledOnChain), (M, A, PS, S)),
        ((SidesMatched, ConsentsComplete, PartSettledOnChain, WindowEnded), (M, A, PS, L)),
        ((SidesMatched, CancelledOnChain), (M, C)),
        ((SidesMatched, ConsentsComplete, ConsentWithdrawnOnChain), (M, A, C)),
        ((SidesMatched, WindowEnded), (M, L)),
        ((SideCancelled,), (C,)),
        ((SideRejected,), (R,)),
        ((WindowEnded,), (L,)),
        ((SettledOnChain,), (S,)),  # settled without us
    ],
)
def test_a_trade_lives_its_life(
    changes: tuple[type[Change], ...], path: tuple[Status, ...]
) -> None:
    state = TradeState()
    for kind, expected in zip(changes, path, strict=True):
        before = state.status
        state, events = transition(state, _change(kind))
        assert state.status is expected
        assert events == (StatusChanged(before=before, after=expected, reasons=(), at=100),)


def test_new_reasons_are_told_and_the_same_ones_are_not() -> None:
    lack, money = (Reason(code="LACK", needed=5), Reason(code="MONY", needed=5))
    state, events = transition(_state(A), Obstructed(at=1, reasons=(lack,)))
    assert events[0].reasons == (lack,)
    state, events = transition(state, Obstructed(at=2, reasons=(lack,)))
    assert (state.status, events) == (P, ())
    state, events = transition(state, Obstructed(at=3, reasons=(money,)))
    assert events == (StatusChanged(before=P, after=P, reasons=(money,), at=3),)
    state, events = transition(state, Cleared(at=4))
    assert (state, events[0].after) == (TradeState(status=A), A)


def test_a_side_that_differs_stays_unmatched_and_names_the_field() -> None:
    amount = Reason(code="DMON")
    state, events = transition(TradeState(), SideDiffers(at=1, reasons=(amount,)))
    assert (state.status, state.reasons) == (U, (amount,))
    assert events[0].reasons == (amount,)
    state, _ = transition(state, SidesMatched(at=2))
    assert state.reasons == ()


def test_the_block_that_ended_a_trade_is_kept() -> None:
    for kind, status in ((SettledOnChain, S), (CancelledOnChain, C), (WindowEnded, L)):
        state, _ = transition(_state(A), kind(at=1, block=9))
        assert state == TradeState(status=status, block=9)
    state, _ = transition(_state(A), PartSettledOnChain(at=1, block=9))
    assert state == TradeState(status=PS)
    state, _ = transition(_state(U), SideCancelled(at=1))
    assert state == TradeState(status=C)


def test_the_same_settlement_may_be_told_twice() -> None:
    settled = _state(S, block=9)
    assert transition(settled, SettledOnChain(at=2, block=9)) == (settled, ())


@pytest.mark.parametrize(
    ("state", "fact"),
    [
        (_state(S, 9), SettledOnChain(at=1, block=10)),
        (_state(S, 9), CancelledOnChain(at=1, block=10)),
        (_state(S, 9), PartSettledOnChain(at=1, block=10)),
        (_state(C, 9), SettledOnChain(at=1, block=10)),
        (_state(C, 9), PartSettledOnChain(at=1, block=10)),
        (_state(L, 9), SettledOnChain(at=1, block=10)),
        (_state(L, 9), PartSettledOnChain(at=1, block=10)),
    ],
)
def test_a_chain_that_contradicts_itself_stops_us(state: TradeState, fact: ChainFact) -> None:
    with pytest.raises(Broken) as broken:
        transition(state, fact)
    assert broken.value.code == "chain_contradicts_itself"
    assert "9" in broken.value.message
    assert "10" in broken.value.message


@pytest.mark.parametrize("status", [C, R])
def test_value_that_moved_overrules_an_end_that_only_we_knew_of(status: Status) -> None:
    state, events = transition(_state(status), SettledOnChain(at=1, block=10))
    assert state == TradeState(status=S, block=10)
    assert events[0].before is status


@pytest.mark.parametrize(
    ("state", "fact"),
    [
        (_state(C), CancelledOnChain(at=1, block=10)),
        (_state(C, 9), CancelledOnChain(at=1, block=10)),
        (_state(L, 9), CancelledOnChain(at=1, block=10)),
        (_state(C, 9), ConsentWithdrawnOnChain(at=1, block=10)),
        (_state(S, 9), ConsentWithdrawnOnChain(at=1, block=10)),
        (_state(S, 9), WindowEnded(at=1, block=10)),
        (_state(C), WindowEnded(at=1, block=10)),
        (_state(L, 9), WindowEnded(at=1, block=10)),
    ],
)
def test_a_fact_that_changes_nothing_about_an_ended_trade_is_taken(
    state: TradeState, fact: ChainFact
) -> None:
    assert transition(state, fact) == (state, ())


def test_the_contract_speaks_of_the_same_ends() -> None:
    types = Path(__file__).parents[3] / "contracts/src/interfaces/Types.sol"
    listed = re.search(r"enum Status \{(.*?)\}", types.read_text(), re.DOTALL)
    assert listed
    on_chain = {word.strip() for word in listed[1].split(",")}
    assert on_chain - {"Open", "Live"} <= {str(status) for status in Status}
