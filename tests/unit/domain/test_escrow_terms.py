from __future__ import annotations

from dataclasses import replace

import pytest

from settle.domain.chain_errors import Reverted
from settle.domain.escrow import terms_errors as refused
from settle.domain.escrow.conditions import (
    AllOf,
    AnyOf,
    AtLeast,
    Condition,
    Never,
    Not,
    OutcomeOf,
    Preimage,
    Reading,
    Settled,
    Signed,
    TimeReached,
    evidence_leaves,
    hash_locked,
    moved,
    with_dependants,
)
from settle.domain.escrow.program import read_program, write_condition, write_program
from settle.domain.escrow.terms import (
    MIN_STEP,
    EscrowId,
    EscrowLine,
    EscrowTerms,
    attestation_digest,
    dispute_digest,
    escrow_withdrawal_digest,
    parties_of,
    reading_digest,
    ruling_digest,
    signers_of,
    split_digest,
)
from settle.domain.ids import Address, AssetId, InstructionId
from settle.domain.instruction import SigningDomain

A, B, C, D, E = (Address(bytes([n]) * 20) for n in (0xA, 0xB, 0xC, 0xD, 0xE))
HORIZON = 100 + MIN_STEP
DOMAIN = SigningDomain(chain_id=31_337, verifying_contract=Address(b"\x11" * 20))
ID = EscrowId(b"\x07" * 32)
LATE = TimeReached(at=5)
LOCK = Preimage(digest=b"\x01" * 32)
SETTLED = Settled(instruction=InstructionId(b"\x02" * 32))
SIGNED = Signed(signer=C, statement=b"delivered".ljust(32, b"\x00"))


def _line(depositor: Address, beneficiary: Address, milestone: int = 0) -> EscrowLine:
    return EscrowLine(
        milestone=milestone,
        asset=AssetId(1),
        depositor=depositor,
        beneficiary=beneficiary,
        quantity=10,
        if_met=10,
        by_default=0,
        if_unruled=5,
    )


def _reading(kind: int, at: int) -> Reading:
    return Reading(signer=D, feed=bytes(32), kind=kind, at=at, low=0, high=1)


def test_signers_stand_in_order_of_first_appearance_and_the_panel_comes_last() -> None:
    terms = EscrowTerms(
        open_by=1,
        lines=(_line(B, A), _line(A, C, 1)),
        deadlines=(2, 3),
        program=b"\x00\x00",
        arbiters=(E,),
        fallback_arbiter=D,
    )
    assert signers_of(terms) == (B, A, C, E, D)
    assert signers_of(replace(terms, fallback_arbiter=Address(bytes(20)))) == (B, A, C, E)
    assert parties_of(terms) == (B, A, C)
    assert parties_of(terms, 1) == (A, C)


def test_every_message_about_an_escrow_has_a_digest_of_its_own() -> None:
    def reading(**changed: int) -> bytes:
        stated = {"kind": 0, "at": 1, "value": -1, "observed_at": 1, **changed}
        return reading_digest(ID, 0, C, bytes(32), **stated, domain=DOMAIN)

    digests = {
        *(attestation_digest(ID, m, C, bytes(32), observed_at=1, domain=DOMAIN) for m in (0, 1)),
        attestation_digest(ID, 0, C, bytes(32), observed_at=2, domain=DOMAIN),
        *(reading(**changed) for changed in ({}, {"kind": 1}, {"at": 2}, {"value": 1})),
        *(
            ruling_digest(ID, 0, C, p, reason=b"LATE", valid_by=1, domain=DOMAIN)
            for p in ((1,), (1, 0))
        ),
        ruling_digest(ID, 0, C, (1,), reason=b"GOOD", valid_by=1, domain=DOMAIN),
        ruling_digest(ID, 0, C, (1,), reason=b"LATE", valid_by=2, domain=DOMAIN),
        *(split_digest(ID, 0, A, (1,), valid_by=by, domain=DOMAIN) for by in (1, 2)),
        *(dispute_digest(ID, 0, who, bytes(32), valid_by=1, domain=DOMAIN) for who in (A, B)),
        *(escrow_withdrawal_digest(who, ID, DOMAIN) for who in (A, B)),
    }
    assert len(digests) == 17


def _refused(program: bytes, *deadlines: int) -> object:
    with pytest.raises(Reverted) as caught:
        read_program(program, deadlines or (HORIZON,), open_by=1)
    return caught.value.error


@pytest.mark.parametrize(
    ("program", "offset"),
    [
        (b"", 0),
        (b"\x08", 0),
        (b"\x14\x02\x00\x00", 0),
        (b"\x01\x00", 0),
        (b"\x10\x01" + write_condition(LATE), 0),
        (b"\x11\x09" + 9 * write_condition(LATE), 0),
        (write_condition(AllOf(of=(LATE, Never()))), 11),
        (write_condition(AtLeast(count=1, of=(LATE, LATE))), 0),
        (write_condition(AtLeast(count=2, of=(LATE, LATE))), 0),
        (b"\x13" + write_condition(LATE), 0),
        (b"\x10\x02" + write_condition(LATE) + b"\x13" + write_condition(SIGNED), 11),
        (b"\x13", 0),
        (write_condition(replace(SIGNED, signer=Address(bytes(20)))), 0),
        (write_condition(_reading(2, 1)), 0),
        (write_condition(replace(_reading(0, 1), low=2)), 0),
        (write_condition(OutcomeOf(milestone=0, mask=1)), 0),
    ],
)
def test_what_is_not_of_the_language_is_refused_where_it_stands(
    program: bytes, offset: int
) -> None:
    assert _refused(program) == refused.ConditionMalformed(milestone=0, offset=offset)


@pytest.mark.parametrize("mask", [0, 7])
def test_a_mask_names_some_outcomes_and_not_all(mask: int) -> None:
    program = b"\x00" + write_condition(OutcomeOf(milestone=0, mask=mask))
    assert _refused(program, 10, 20) == refused.ConditionMalformed(milestone=1, offset=1)


def test_a_condition_has_at_most_32_nodes_and_is_4_deep() -> None:
    eight = AllOf(of=(LATE,) * 8)
    full = AllOf(of=(eight, eight, eight, AllOf(of=(LATE,) * 3)))
    assert read_program(write_condition(full), (HORIZON,), open_by=1) == (full,)
    over = AllOf(of=(eight, eight, eight, AllOf(of=(LATE,) * 4)))
    assert _refused(write_condition(over)) == refused.ConditionTooLarge(
        milestone=0, nodes=33, max=32
    )

    def nested(depth: int) -> Condition:
        return LATE if depth == 1 else AnyOf(of=(nested(depth - 1), LATE))

    assert read_program(write_condition(nested(4)), (HORIZON,), open_by=1) == (nested(4),)
    assert _refused(write_condition(nested(5))) == refused.ConditionTooDeep(milestone=0, max=4)
    three = AnyOf(of=(AnyOf(of=(AnyOf(of=(Not(of=SETTLED), LATE)), LATE)), LATE))
    assert _refused(write_condition(three)) == refused.ConditionTooDeep(milestone=0, max=4)


@pytest.mark.parametrize("leaf", [TimeReached(at=101), _reading(1, 101)])
def test_what_comes_less_than_an_hour_before_the_deadline_comes_too_late(leaf: Condition) -> None:
    assert _refused(write_condition(leaf)) == refused.DeadlinesInvalid(
        milestone=0, deadline=HORIZON, limit=HORIZON + 1
    )
    assert read_program(write_condition(leaf), (HORIZON + 1,), open_by=1) == (leaf,)


def test_a_reading_is_not_of_an_instant_that_the_opener_can_have_seen() -> None:
    leaf = write_condition(_reading(1, 50))
    assert read_program(leaf, (HORIZON,), open_by=50)
    with pytest.raises(Reverted) as caught:
        read_program(leaf, (HORIZON,), open_by=51)
    assert caught.value.error == refused.ConditionMalformed(milestone=0, offset=0)


def test_a_milestone_ends_an_hour_after_those_that_it_names() -> None:
    program = write_program((Never(), OutcomeOf(milestone=0, mask=1)))
    assert _refused(program, 20, 19 + MIN_STEP) == refused.DeadlinesInvalid(
        milestone=1, deadline=19 + MIN_STEP, limit=20 + MIN_STEP
    )
    read = read_program(program, (20, 20 + MIN_STEP), open_by=1)
    assert read[1] == OutcomeOf(milestone=0, mask=1)


def test_evidence_is_asked_for_in_order_of_appearance() -> None:
    condition = AllOf(of=(SIGNED, SETTLED, AnyOf(of=(LATE, Not(of=SETTLED), LOCK))))
    assert evidence_leaves(condition) == (SIGNED, SETTLED, LOCK)


def test_a_hash_lock_bars_disputes_of_all_it_depends_on() -> None:
    first = OutcomeOf(milestone=0, mask=1)
    second = OutcomeOf(milestone=1, mask=1)
    assert hash_locked((LATE, first, AllOf(of=(second, LOCK)), second)) == {0, 1, 2}
    assert hash_locked((LOCK, first)) == {0}
    assert hash_locked((LATE, LATE)) == frozenset()


def test_a_dispute_moves_its_milestone_and_its_dependants_by_the_same() -> None:
    conditions = (LATE, OutcomeOf(milestone=0, mask=1), OutcomeOf(milestone=1, mask=1), LATE)

    def shifts(*disputed_at: int | None, at: int = 100) -> list[int]:
        return [moved(conditions, disputed_at, 9, milestone=k, at=at) - at for k in range(4)]

    assert shifts(None, None, None, None) == [0, 0, 0, 0]
    assert shifts(50, None, None, None) == [9, 9, 9, 0]
    assert shifts(50, 60, None, 70) == [9, 18, 18, 9]


def test_a_dispute_moves_nothing_that_was_reached_before() -> None:
    conditions = (LATE, OutcomeOf(milestone=0, mask=1))
    for at, shift in ((99, 0), (100, 0), (101, 9)):
        found = moved(conditions, (100, None), 9, milestone=1, at=at)
        assert found == at + shift
    # Moved by the dispute of the first, it is not reached when the second is disputed.
    assert moved(conditions, (100, 109), 9, milestone=1, at=101) == 101 + 9 + 9
    assert moved(conditions, (100, 110), 9, milestone=1, at=101) == 101 + 9


def test_all_that_depend_on_a_milestone_are_found() -> None:
    first, second = OutcomeOf(milestone=0, mask=1), OutcomeOf(milestone=1, mask=1)
    assert with_dependants((LATE, first, second, LATE), 0) == {0, 1, 2}
    assert with_dependants((LATE, first, second, LATE), 2) == {2}


def test_a_secret_ends_no_milestone_to_which_two_deposit() -> None:
    program = write_program((AllOf(of=(LATE, LOCK)),))
    assert read_program(program, (HORIZON,), open_by=1)
    with pytest.raises(Reverted) as caught:
        read_program(program, (HORIZON,), open_by=1, shared={0})
    assert caught.value.error == refused.ConditionMalformed(milestone=0, offset=11)
