"""The fold of the events: what it rebuilds, and what it refuses to believe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from settle.domain import chain_events as said
from settle.domain.books import Books, BooksDiffer, advance, fold, holdings_after
from settle.domain.chain_events import ChainEvent, Place, Recorded
from settle.domain.errors import Broken
from settle.domain.ids import Address, AssetId, InstructionId
from settle.domain.ledger import (
    AssetClass,
    Holding,
    NonceState,
    Standing,
    code_bytes,
    code_text,
    holding_of_word,
)
from settle.domain.registry_events import AccountOpened, ParticipantAdmitted

A, B, C = (Address(bytes([n]) * 20) for n in (0xA1, 0xB2, 0xC3))
ASSET, OTHER = AssetId(1), AssetId(2)
ID = InstructionId(b"\x11" * 32)
LEI = b"00000000000000000098"


def have(available: int, held: int = 0) -> Holding:
    return Holding(available=available, held=held)


CREATED = said.AssetCreated(
    asset=ASSET, class_=AssetClass.SECURITY, decimals=0, code=code_bytes("BOND"), issuer=C
)
ISSUED = said.Issued(
    asset=ASSET, account=A, ref=bytes(32), quantity=10, holding=have(10), total_supply=10
)
POSTED = said.Posted(
    instruction=ID,
    asset=ASSET,
    deliverer=A,
    receiver=B,
    quantity=4,
    deliverer_holding=have(6),
    receiver_holding=have(4),
)
SETTLED = said.InstructionSettled(id=ID, initiator=A, nonce=130)
PLACED = said.HoldPlaced(
    purpose=ID,
    index=0,
    module=C,
    account=A,
    asset=ASSET,
    quantity=3,
    deadline=99,
    holding=have(7, 3),
)
ENDED = said.HoldEnded(
    purpose=ID,
    index=0,
    module=C,
    account=A,
    asset=ASSET,
    quantity=3,
    deadline=99,
    executed=False,
    holding=have(10),
)
AFFIRMED = said.InstructionAffirmed(id=ID, initiator=A, nonce=1, consents=0b01, accounts=2)
REDEEMED = said.Redeemed(
    asset=ASSET, account=A, ref=bytes(32), nonce=5, quantity=10, holding=have(0), total_supply=0
)
GIVEN = said.Moved(module=C, id=ID, asset=ASSET, account=A, delta=-2, holding=have(8))
TAKEN = said.Moved(module=C, id=ID, asset=ASSET, account=B, delta=2, holding=have(2))


def recorded(*events: ChainEvent, per_transaction: int = 100) -> Iterator[Recorded]:
    for index, event in enumerate(events):
        transaction = bytes([index // per_transaction]) * 32
        place = Place(
            block_number=7, block_hash=b"\x07" * 32, transaction=transaction, log_index=index
        )
        yield Recorded(place=place, emitter=C, event=event)


def test_the_books_are_what_the_events_say() -> None:
    books = fold(recorded(CREATED, ISSUED, POSTED, SETTLED))
    assert books.holding(A, ASSET) == have(6)
    assert books.holding(B, ASSET) == have(4)
    assert books.holding(C, ASSET) == have(0)
    assert books.assets[ASSET].total_supply == 10
    assert books.outcomes == {ID: NonceState.SETTLED}
    assert books.nonce_state(A, 130) is NonceState.SETTLED
    assert books.nonce_state(A, 129) is books.nonce_state(A, 2) is NonceState.OPEN
    assert holdings_after(POSTED) == ((A, ASSET, have(6)), (B, ASSET, have(4)))
    assert holdings_after(ISSUED) == ((A, ASSET, have(10)),)
    assert holdings_after(SETTLED) == ()


def test_a_fold_goes_on_from_where_another_ended_and_leaves_it_as_it_was() -> None:
    everything = list(recorded(CREATED, ISSUED, POSTED, SETTLED, per_transaction=2))
    before = fold(everything[:2])
    kept = before.copy()
    assert fold(everything[2:], before) == fold(everything)
    assert before == kept != fold(everything)


def test_holds_consents_and_standings_are_rebuilt() -> None:
    books = fold(
        recorded(
            CREATED,
            ISSUED,
            said.StandingSet(account=B, standing=Standing.ADMITTED, class_=3),
            said.AccountFrozen(account=B, frozen=True, reason=b"TEST"),
            said.AssetFrozen(asset=ASSET, frozen=True, reason=b"TEST"),
            said.ModuleSet(module=C, active=True),
            AFFIRMED,
            PLACED,
            said.Reserved(id=ID, account=A, committed=True),
        )
    )
    assert books.accounts[B].frozen
    assert (books.accounts[B].standing, books.accounts[B].class_) == (Standing.ADMITTED, 3)
    assert books.assets[ASSET].frozen
    assert books.modules == {C}
    assert books.live[ID].reserved == {(A, True)}
    assert [hold.deadline for hold in books.holds] == [99]
    later: list[ChainEvent] = [
        ENDED,
        said.ReservationEnded(id=ID, account=A),
        said.ConsentWithdrawn(id=ID, account=B, consents=0b01),
        said.ModuleSet(module=C, active=False),
    ]
    for event in later:
        place = Place(
            block_number=8,
            block_hash=bytes(32),
            transaction=bytes(32),
            log_index=later.index(event),
        )
        advance(books, Recorded(place=place, emitter=C, event=event))
    assert not books.holds
    assert not books.modules
    assert books.live[ID].released == {A}
    assert books.withdrawn == {(B, ID)}
    assert books.accounts[B].withdrawals == 1
    assert books.accounts[B].frozen


def test_what_does_not_follow_is_named_with_both_values() -> None:
    with pytest.raises(BooksDiffer) as caught:
        fold(recorded(CREATED, replace(ISSUED, holding=have(11))))
    found = caught.value
    assert (found.stated, found.computed) == (11, 10)
    assert (found.account, found.asset, found.place.log_index) == (A, ASSET, 1)
    assert found.message == (
        f"block 7, transaction 0x{'00' * 32}, account 0x{A.hex()}, asset 1: "
        "the available quantity is 11 on chain and 10 in the books"
    )
    assert isinstance(found, Broken)


@pytest.mark.parametrize(
    ("events", "fact"),
    [
        ((ISSUED,), "the asset"),
        ((replace(CREATED, asset=OTHER),), "the number of the new asset"),
        ((CREATED, replace(ISSUED, total_supply=11)), "the total supply"),
        ((CREATED, replace(ISSUED, holding=have(10, 1))), "the held quantity"),
        ((CREATED, POSTED, SETTLED), "the available quantity"),
        ((CREATED, ISSUED, replace(POSTED, receiver_holding=have(5))), "the available quantity"),
        ((CREATED, ISSUED, POSTED), "the outcome of instruction"),
        ((CREATED, ISSUED, SETTLED), "the legs of instruction"),
        ((CREATED, ISSUED, POSTED, SETTLED, SETTLED), "the legs of instruction"),
        ((CREATED, ISSUED, replace(PLACED, holding=have(7, 4))), "the held quantity"),
        ((CREATED, ISSUED, PLACED, replace(PLACED, holding=have(4, 6))), "hold 0 of"),
        ((CREATED, ISSUED, PLACED, replace(ENDED, deadline=98)), "hold 0 of"),
        ((CREATED, ISSUED, ENDED), "hold 0 of"),
        ((CREATED, ISSUED, GIVEN), "the sum of a posting"),
        ((CREATED, ISSUED, replace(GIVEN, delta=-11, holding=have(-1))), "the available quantity"),
        ((CREATED, ISSUED, replace(REDEEMED, total_supply=1)), "the total supply"),
        ((AFFIRMED, replace(AFFIRMED, consents=0b10)), "the consents of instruction"),
        ((AFFIRMED, replace(AFFIRMED, consents=0b11, accounts=3)), "the consents of instruction"),
        ((AFFIRMED, replace(AFFIRMED, id=InstructionId(bytes(32)))), "nonce 1"),
        ((said.Reserved(id=ID, account=A, committed=True),), "instruction 0x"),
        ((AFFIRMED, said.ReservationEnded(id=ID, account=A)), "the reservation of instruction"),
        (
            (AFFIRMED, said.ConsentWithdrawn(id=ID, account=B, consents=0b11)),
            "the consents of instruction",
        ),
        (
            (said.ConsentWithdrawn(id=ID, account=B, consents=0),) * 2,
            "the consent to instruction",
        ),
        (
            (said.InstructionCancelled(id=ID, initiator=A, nonce=1, by_all=True),) * 2,
            "nonce 1",
        ),
        ((AccountOpened(lei=LEI, account=A),), "participant 0000"),
        ((ParticipantAdmitted(lei=LEI, bic=b"", class_=1),) * 2, "participant 0000"),
        (
            (
                ParticipantAdmitted(lei=LEI, bic=b"", class_=1),
                AccountOpened(lei=LEI, account=A),
                AccountOpened(lei=LEI, account=A),
            ),
            "the account",
        ),
    ],
    ids=lambda value: value.replace(" ", "_") if isinstance(value, str) else "",
)
def test_a_history_that_does_not_follow_is_refused(
    events: tuple[ChainEvent, ...], fact: str
) -> None:
    with pytest.raises(BooksDiffer) as caught:
        fold(recorded(*events))
    assert caught.value.fact.startswith(fact)


def test_a_nonce_that_a_redemption_spent_settles_nothing() -> None:
    books = fold(recorded(CREATED, ISSUED, REDEEMED))
    assert books.nonce_state(A, 5) is NonceState.SETTLED
    again = replace(REDEEMED, quantity=0)
    with pytest.raises(BooksDiffer, match="nonce 5"):
        fold(recorded(CREATED, ISSUED, REDEEMED, again))


def test_legs_belong_to_the_transaction_that_settles_them() -> None:
    events = (CREATED, ISSUED, POSTED, SETTLED)
    assert fold(recorded(*events, per_transaction=2)).outcomes
    with pytest.raises(BooksDiffer, match="never settled"):
        fold(recorded(*events, per_transaction=1))


def test_a_posting_balances_in_its_transaction() -> None:
    events = (CREATED, ISSUED, GIVEN, TAKEN)
    assert fold(recorded(*events, per_transaction=2)).holding(B, ASSET) == have(2)
    with pytest.raises(BooksDiffer, match="the sum of a posting is -2"):
        fold(recorded(*events, per_transaction=1))


def test_events_come_in_the_order_of_the_chain() -> None:
    first, second = recorded(CREATED, ISSUED)
    with pytest.raises(BooksDiffer, match="the event before this one"):
        fold([first, replace(second, place=first.place)])


def test_books_that_were_never_told_anything_are_empty() -> None:
    assert fold(()) == Books()
    assert Books().account(A).standing is Standing.UNKNOWN


def test_a_packed_holding_and_a_code_are_read_as_they_are_stored() -> None:
    assert holding_of_word(5 << 128 | 2**128 - 1) == have(2**128 - 1, 5)
    assert have(2, 3).balance == 5
    assert code_text(code_bytes("EUR")) == "EUR"
    assert len(code_bytes("EUR")) == 12
    with pytest.raises(ValueError, match="more than 12"):
        code_bytes("US0378331005X")
