from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from settle.chain.eip712 import sign
from settle.domain import chainstate
from settle.domain.chain_errors import Reverted
from settle.domain.escrow import errors as refused
from settle.domain.escrow import events as said
from settle.domain.escrow import twin
from settle.domain.escrow.clock import (
    WAY_AGREEMENT,
    WAY_DEFAULT,
    WAY_GIVE_UP,
    WAY_PANEL,
    WAY_SILENCE,
    agreeing_of,
)
from settle.domain.escrow.conditions import (
    AllOf,
    Condition,
    Feed,
    Never,
    Not,
    OutcomeOf,
    Preimage,
    Reading,
    Settled,
    Signed,
    TimeReached,
)
from settle.domain.escrow.events import EndedBy, MilestoneState, Outcome
from settle.domain.escrow.evidence import FeedRound, feed_evidence, reading_evidence
from settle.domain.escrow.instruction_words import encode_instruction
from settle.domain.escrow.state import EscrowState, advance_escrows
from settle.domain.escrow.terms import MAX_WAIT, EscrowTerms, escrow_id, reading_digest
from settle.domain.ids import Address, AssetId
from settle.domain.instruction import OPTION_RECORD, Instruction, Leg, instruction_id
from settle.domain.ledger import Holding
from tests.support import escrow_world as w
from tests.support.escrow_world import BUYER, DAY, DOMAIN, HOUR, NOW, SELLER

DELIVERED = b"delivered".ljust(32, b"\x00")
SIGNED = Signed(signer=w.ORACLE, statement=DELIVERED)
SECRET = b"s" * 32
LOCK = Preimage(digest=hashlib.sha256(SECRET).digest())


def opened(terms: EscrowTerms) -> EscrowState:
    state, _ = twin.open_escrow(w.funded(), terms, w.signatures(terms), facts=w.facts(), now=NOW)
    return state


def error_of(act: Callable[[], Any]) -> object:
    with pytest.raises(Reverted) as caught:
        act()
    return caught.value.error


def met(
    state: EscrowState, terms: EscrowTerms, evidence: list[bytes], at: int, milestone: int = 0
) -> twin.EscrowStep:
    return twin.end_by_condition(state, terms, milestone, evidence, facts=w.facts(), now=at)


def dispute(state: EscrowState, terms: EscrowTerms, at: int, milestone: int = 0) -> EscrowState:
    after, _ = twin.open_dispute(
        state,
        terms,
        milestone,
        BUYER,
        bytes(32),
        valid_by=at + 1,
        signature=b"",
        caller=BUYER,
        facts=w.facts(),
        now=at,
    )
    return after


def held(state: EscrowState) -> tuple[Holding, Holding]:
    books = state.chain.books
    return books.holding(BUYER, w.EUR), books.holding(SELLER, w.EUR)


def test_value_stays_with_the_depositor_until_the_condition_pays_it() -> None:
    terms = w.panel_terms(SIGNED)
    state = opened(terms)
    assert held(state) == (Holding(available=900, held=100), Holding(available=1000, held=0))
    proof = w.attested(terms, 0, w.ORACLE, DELIVERED, NOW + 5)
    after, events = met(state, terms, [proof], NOW + 9)
    assert held(after) == (Holding(available=900, held=0), Holding(available=1100, held=0))
    assert [type(event) for event in events] == [said.MilestoneEnded, said.LinePaid]
    record = after.records[escrow_id(terms, DOMAIN)]
    assert record.outcomes == (Outcome.RELEASED,)
    assert record.has_ended


def test_evidence_is_refused_for_its_own_reason() -> None:
    terms = w.panel_terms(AllOf(of=(SIGNED, LOCK)))
    state = opened(terms)
    proof = w.attested(terms, 0, w.ORACLE, DELIVERED, NOW + 5)
    other = w.attested(replace(terms, salt=b"\x01" * 32), 0, w.ORACLE, DELIVERED, NOW + 5)
    cases = {
        refused.EvidenceCount(given=1, needed=2): [proof],
        refused.EvidenceFromTheFuture(index=0, observed_at=NOW + 20, now=NOW + 9): [
            w.attested(terms, 0, w.ORACLE, DELIVERED, NOW + 20),
            b"",
        ],
        refused.EvidenceStale(index=0, observed_at=NOW - 1, earliest=NOW): [
            w.attested(terms, 0, w.ORACLE, DELIVERED, NOW - 1),
            b"",
        ],
        refused.EvidenceInvalid(index=0): [other, SECRET],
        refused.PreimageLength(index=1, length=31): [proof, SECRET[1:]],
        refused.PreimageWrong(index=1): [proof, SECRET[::-1][:31] + b"x"],
        refused.ConditionNotMet(id=escrow_id(terms, DOMAIN), milestone=0): [proof, b""],
    }
    for error, evidence in cases.items():
        assert error_of(lambda shown=evidence: met(state, terms, shown, NOW + 9)) == error
    assert met(state, terms, [proof, SECRET], NOW + 9)


def test_evidence_counts_until_the_deadline_and_the_default_from_then_on() -> None:
    terms = w.panel_terms(SIGNED)
    state = opened(terms)
    proof = w.attested(terms, 0, w.ORACLE, DELIVERED, NOW + 5)
    last = terms.deadlines[0]
    assert met(state, terms, [proof], last - 1)
    assert type(error_of(lambda: met(state, terms, [proof], last))).__name__ == "DeadlinePassed"
    early = error_of(lambda: twin.end_by_default(state, terms, 0, now=last - 1))
    assert early == refused.TooEarlyForDefault(deadline=last, now=last - 1)
    after, events = twin.end_by_default(state, terms, 0, now=last)
    assert isinstance(events[0], said.MilestoneEnded)
    assert events[0].by is EndedBy.DEFAULT
    assert held(after)[0] == Holding(available=1000, held=0)


def test_a_silent_panel_and_a_silent_fallback_end_in_what_was_stated() -> None:
    terms = w.panel_terms(SIGNED)
    at = NOW + HOUR
    state = dispute(opened(terms), terms, at)
    (now,) = twin.what_now(state, terms, now=at)
    assert not now.ways & WAY_PANEL
    (now,) = twin.what_now(state, terms, now=at + 1)
    panel_until = terms.deadlines[0] + 3 * HOUR
    assert (now.state, now.until) == (MilestoneState.BEFORE_PANEL, panel_until)
    assert now.ways & WAY_PANEL
    (now,) = twin.what_now(state, terms, now=panel_until)
    assert now.state is MilestoneState.BEFORE_FALLBACK
    deadline = terms.deadlines[0] + 5 * HOUR
    assert now.until == now.deadline == deadline
    (now,) = twin.what_now(state, terms, now=deadline)
    assert (now.state, now.ways) == (MilestoneState.DUE, WAY_AGREEMENT | WAY_SILENCE)
    after, events = twin.end_by_default(state, terms, 0, now=deadline)
    assert isinstance(events[0], said.MilestoneEnded)
    assert (events[0].by, events[0].paid) == (EndedBy.SILENCE, (50,))
    assert held(after) == (Holding(available=950, held=0), Holding(available=1050, held=0))


def test_two_of_three_arbiters_rule_and_the_fallback_rules_after_them() -> None:
    terms = w.panel_terms(SIGNED)
    opened_at = NOW + HOUR
    at, panel_until = opened_at + 1, terms.deadlines[0] + 3 * HOUR
    state = dispute(opened(terms), terms, opened_at)
    paid = [30]
    one = w.ruling(terms, 0, 0, w.ARBITER, paid)
    two = w.ruling(terms, 0, 2, w.LAST_ARBITER, paid)
    last = w.ruling(terms, 0, 255, w.FALLBACK, paid)

    def rule(*rulings: twin.Ruling, now: int, amounts: list[int] = paid) -> twin.EscrowStep:
        return twin.end_by_ruling(state, terms, 0, amounts, rulings, facts=w.facts(), now=now)

    assert error_of(lambda: rule(one, now=at)) == refused.QuorumMissing(rulings=1, quorum=2)
    assert error_of(lambda: rule(one, one, now=at)) == refused.ArbiterTwice(arbiter=0)
    stranger = replace(two, arbiter=3)
    assert error_of(lambda: rule(one, stranger, now=at)) == refused.ArbiterUnknown(arbiter=3)
    too_much = error_of(lambda: rule(one, two, now=at, amounts=[101]))
    assert too_much == refused.SplitDoesNotSum(line=0, paid=101, quantity=100)
    for moment, first in ((opened_at, at), (at, panel_until)):
        early = error_of(lambda moment=moment: rule(last, now=moment))
        assert early == refused.RulingTooEarly(from_=first, now=moment)
    over = w.ruling(terms, 0, 2, w.LAST_ARBITER, paid, by=at)
    assert type(error_of(lambda: rule(one, over, now=at))).__name__ == "DeadlinePassed"
    forged = replace(two, signature=one.signature)
    assert type(error_of(lambda: rule(one, forged, now=at))).__name__ == "SignatureInvalid"
    _, events = rule(one, two, now=at)
    assert [type(event).__name__ for event in events] == [
        "MilestoneEnded",
        "Ruled",
        "Ruled",
        "LineReturned",
        "LinePaid",
    ]
    late = panel_until
    assert type(error_of(lambda: rule(one, two, now=late))).__name__ == "DeadlinePassed"
    _, events = rule(last, now=late)
    assert isinstance(events[0], said.MilestoneEnded)
    assert events[0].by is EndedBy.FALLBACK_ARBITER


def test_all_parties_agree_a_split_at_any_time() -> None:
    terms = w.panel_terms(Never())
    state = opened(terms)
    late = terms.deadlines[0] + DAY

    def agree(paid: list[int], *signatures: bytes) -> twin.EscrowStep:
        return twin.end_by_agreement(
            state,
            terms,
            0,
            paid,
            valid_by=late + 1,
            signatures=signatures,
            caller=BUYER,
            facts=w.facts(),
            now=late,
        )

    seller = w.agreed(terms, 0, SELLER, [70], late + 1)
    assert error_of(lambda: agree([70], seller)) == refused.SignaturesMissing(given=1, needed=2)
    assert type(error_of(lambda: agree([70], seller, b""))).__name__ == "SignatureInvalid"
    after, _ = agree([70], b"", seller)
    assert held(after)[1] == Holding(available=1070, held=0)


def test_a_freeze_makes_the_payment_wait_and_not_the_outcome() -> None:
    terms = w.panel_terms(TimeReached(at=NOW + HOUR), lines=[w.line(pays=(60, 0, 0))])
    state = opened(terms)
    chain, _ = chainstate.freeze_account(state.chain, BUYER, frozen=True, why=b"SANC")
    state, events = met(replace(state, chain=chain), terms, [], NOW + HOUR)
    assert [type(event) for event in events] == [said.MilestoneEnded, said.LineReturned]
    assert held(state)[0] == Holding(available=940, held=60)
    name = escrow_id(terms, DOMAIN)
    assert not state.records[name].has_ended
    frozen = error_of(lambda: twin.pay_out(state, terms, 0, [60], now=NOW + DAY))
    assert frozen == refused.PaymentsFrozen(id=name, milestone=0)
    chain, _ = chainstate.freeze_account(state.chain, BUYER, frozen=False, why=b"SANC")
    state = replace(state, chain=chain)
    other = error_of(lambda: twin.pay_out(state, terms, 0, [61], now=NOW + DAY))
    assert other == refused.NothingWaits(id=name, milestone=0)
    after, events = twin.pay_out(state, terms, 0, [60], now=NOW + DAY)
    assert [type(event) for event in events] == [said.PaymentsMade, said.LinePaid]
    assert after.records[name].has_ended


def test_payments_that_wait_behind_the_freeze_of_another_are_given_up() -> None:
    swap = (
        w.line(pays=(100, 0, 0)),
        replace(w.line(pays=(100, 0, 0)), depositor=SELLER, beneficiary=BUYER, asset=w.SHARE),
    )
    terms = w.panel_terms(TimeReached(at=NOW + HOUR), lines=swap)
    state = opened(terms)
    chain, _ = chainstate.freeze_account(state.chain, SELLER, frozen=True, why=b"SANC")
    at = NOW + HOUR
    state, _ = met(replace(state, chain=chain), terms, [], at)

    def give_up(caller: Address, now: int) -> twin.EscrowStep:
        return twin.give_up_payments(state, terms, 0, [100, 100], caller=caller, now=now)

    name, late = escrow_id(terms, DOMAIN), at + MAX_WAIT
    early = error_of(lambda: give_up(BUYER, late - 1))
    assert early == refused.TooEarlyToGiveUp(from_=late, now=late - 1)
    assert error_of(lambda: give_up(w.THIRD, late)) == refused.NotAParty(account=w.THIRD)
    frozen = error_of(lambda: give_up(SELLER, late))
    assert frozen == refused.PaymentsFrozen(id=name, milestone=0)
    assert twin.what_now(state, terms, now=late)[0].ways == WAY_GIVE_UP
    after, events = give_up(BUYER, late)
    assert [type(event) for event in events] == [
        said.PaymentsGivenUp,
        said.LineReturned,
        said.LineReturned,
    ]
    assert held(after)[0] == Holding(available=1000, held=0)
    assert after.records[name].has_ended
    assert after.records[name].outcomes == (Outcome.RELEASED,)
    chain, _ = chainstate.freeze_account(state.chain, SELLER, frozen=False, why=b"SANC")
    free = error_of(
        lambda: twin.give_up_payments(
            replace(state, chain=chain), terms, 0, [100, 100], caller=BUYER, now=late
        )
    )
    assert free == refused.PaymentsNotFrozen(id=name, milestone=0)


def test_who_depends_on_an_outcome_has_a_say_in_a_split() -> None:
    third = replace(w.line(1), depositor=w.THIRD)
    terms = w.panel_terms(SIGNED, OutcomeOf(milestone=0, mask=1), lines=(w.line(), third))
    assert agreeing_of(terms, 0) == (BUYER, SELLER, w.THIRD)
    assert agreeing_of(terms, 1) == (w.THIRD, SELLER)


def test_a_dispute_does_not_unreach_a_time() -> None:
    at = NOW + 10 * HOUR
    terms = w.panel_terms(TimeReached(at=at))
    reached = dispute(opened(terms), terms, at)
    assert met(reached, terms, [], at)
    before = dispute(opened(terms), terms, at - 1)
    assert isinstance(error_of(lambda: met(before, terms, [], at)), refused.ConditionNotMet)
    # The panel gives way in time for the fallback to rule before the time is reached.
    assert twin.what_now(before, terms, now=at)[0].until == at + 5 * HOUR - 2 * HOUR


def test_a_hash_lock_relies_on_the_clock() -> None:
    terms = w.panel_terms(LOCK)
    state = opened(terms)
    assert error_of(lambda: dispute(state, terms, NOW)) == refused.DisputeNotAllowed(
        id=escrow_id(terms, DOMAIN), milestone=0
    )


def test_a_dependant_waits_for_the_outcome_and_moves_with_the_dispute() -> None:
    first = OutcomeOf(milestone=0, mask=1)
    terms = w.panel_terms(SIGNED, first, Not(of=first))
    state = opened(terms)
    name = escrow_id(terms, DOMAIN)
    not_yet = refused.ConditionNotMet(id=name, milestone=1)
    assert error_of(lambda: met(state, terms, [], NOW + 1, 1)) == not_yet
    assert error_of(lambda: met(state, terms, [], NOW + 1, 2)) == replace(not_yet, milestone=2)
    disputed = dispute(state, terms, NOW + 1)
    moved = [one.deadline for one in twin.what_now(disputed, terms, now=NOW + 1)]
    assert moved == [deadline + 5 * HOUR for deadline in terms.deadlines]
    ended, _ = twin.end_by_default(state, terms, 0, now=terms.deadlines[0])
    assert error_of(lambda: met(ended, terms, [], terms.deadlines[0], 1)) == not_yet
    assert met(ended, terms, [], terms.deadlines[0], 2)


@pytest.mark.parametrize(("value", "holds"), [(-5, True), (5, True), (6, False)])
def test_a_reading_counts_for_its_instant_only(value: int, holds: bool) -> None:
    at = NOW + HOUR
    leaf = Reading(signer=w.ORACLE, feed=DELIVERED, kind=1, at=at, low=-5, high=5)
    terms = w.panel_terms(leaf)
    state = opened(terms)

    def told(observed_at: int) -> bytes:
        stated = {"kind": 1, "at": at, "value": value, "observed_at": observed_at}
        digest = reading_digest(
            escrow_id(terms, DOMAIN), 0, w.ORACLE, DELIVERED, **stated, domain=DOMAIN
        )
        return reading_evidence(value, observed_at, sign(digest, w.KEYS[w.ORACLE]))

    another = error_of(lambda: met(state, terms, [told(at + 1)], at + 2))
    assert another == refused.ReadingOfAnotherRound(index=0, given=at + 1, wanted=at)
    if holds:
        assert met(state, terms, [told(at)], at + 2)
    else:
        failed = error_of(lambda: met(state, terms, [told(at)], at + 2))
        assert isinstance(failed, refused.ConditionNotMet)


def test_the_first_round_from_an_instant_on_counts() -> None:
    at = NOW + HOUR
    rounds = {n: FeedRound(answer=n, updated_at=at - 7 + 3 * n) for n in range(1, 6)}
    leaf = Feed(contract=w.ORACLE, kind=1, at=at, low=3, high=3)
    terms = w.panel_terms(leaf)
    state = opened(terms)

    def end(number: int) -> twin.EscrowStep:
        return twin.end_by_condition(
            state, terms, 0, [feed_evidence(number)], facts=w.facts(rounds), now=at + 5
        )

    for number in (0, 2, 4):
        assert error_of(lambda n=number: end(n)) == refused.ReadingOfAnotherRound(
            index=0, given=number, wanted=at
        )
    for number in (5, 6):
        silent = refused.FeedSilent(index=0, feed=w.ORACLE)
        assert error_of(lambda n=number: end(n)) == silent
    assert end(3)


def test_an_instruction_counts_as_failed_only_when_it_can_settle_no_more() -> None:
    leg = Leg(asset=AssetId(1), deliverer=BUYER, receiver=SELLER, quantity=1)
    instruction = Instruction(
        initiator=BUYER,
        nonce=1,
        settle_from=NOW,
        settle_by=NOW + 9,
        options=OPTION_RECORD,
        legs=(leg,),
    )
    name = instruction_id(instruction, DOMAIN)
    condition: Condition = Not(of=Settled(instruction=name))
    terms = w.panel_terms(condition)
    state = opened(terms)
    shown = [encode_instruction(instruction)]
    early = error_of(lambda: met(state, terms, shown, NOW + 8))
    assert isinstance(early, refused.ConditionNotMet)
    assert met(state, terms, shown, NOW + 9)
    settled = replace(state, recorded=frozenset({name}))
    assert isinstance(
        error_of(lambda: met(settled, terms, shown, NOW + 9)), refused.ConditionNotMet
    )
    other = replace(instruction, nonce=2)
    wrong = error_of(lambda: met(state, terms, [encode_instruction(other)], NOW + 9))
    assert wrong == refused.InstructionNotTheOne(
        index=0, id=instruction_id(other, DOMAIN), wanted=name
    )
    assert error_of(lambda: met(state, terms, [b"\x01"], NOW + 9)) == refused.EvidenceInvalid(
        index=0
    )


def test_terms_open_once_and_not_after_a_withdrawal() -> None:
    terms = w.panel_terms(SIGNED)
    name = escrow_id(terms, DOMAIN)
    state = opened(terms)
    again = error_of(
        lambda: twin.open_escrow(state, terms, w.signatures(terms), facts=w.facts(), now=NOW)
    )
    assert again == refused.EscrowAlreadyOpened(id=name)
    start = w.funded()
    stranger = error_of(
        lambda: twin.withdraw_from_escrow(
            start, terms, w.THIRD, b"", caller=w.THIRD, facts=w.facts(), now=NOW
        )
    )
    assert stranger == refused.NotAParty(account=w.THIRD)
    state, _ = twin.withdraw_from_escrow(
        start, terms, w.ARBITER, b"", caller=w.ARBITER, facts=w.facts(), now=NOW
    )
    gone = error_of(
        lambda: twin.open_escrow(state, terms, w.signatures(terms), facts=w.facts(), now=NOW)
    )
    assert gone == refused.ConsentWasWithdrawn(id=name)
    wrong = [*w.signatures(terms)[:-1], b""]
    unsigned = error_of(lambda: twin.open_escrow(start, terms, wrong, facts=w.facts(), now=NOW))
    assert type(unsigned).__name__ == "SignatureInvalid"


def test_the_records_follow_from_the_events_alone() -> None:
    terms = w.panel_terms(SIGNED, Never())
    state, events = twin.open_escrow(
        w.funded(), terms, w.signatures(terms), facts=w.facts(), now=NOW
    )
    folded = advance_escrows(EscrowState(chain=state.chain), events, now=NOW)
    late = terms.deadlines[1]
    for milestone in (1, 0):
        state, events = twin.end_by_default(state, terms, milestone, now=late)
        folded = advance_escrows(folded, events, now=late)
    assert folded.records == state.records
    assert twin.what_now(state, terms, now=late)[0].state is MilestoneState.ENDED
    (due, _) = twin.what_now(opened(terms), terms, now=terms.deadlines[0])
    assert due.ways == WAY_AGREEMENT | WAY_DEFAULT
