"""The auditor's own reading of escrows gives what the domain's gives, for any terms."""

from __future__ import annotations

from random import Random

import pytest

from settle.audit.escrow_clock import EscrowClock
from settle.audit.escrow_conditions import BadProgram, conditions
from settle.audit.escrow_digests import EscrowDigests
from settle.audit.escrow_terms import EscrowTerms as Audited
from settle.audit.escrow_terms import Line, faults
from settle.audit.typed_data import Digests
from settle.domain.escrow.clock import agreeing_of, conditions_of, may_be_disputed, moved_in
from settle.domain.escrow.clock import panel_until as domain_panel_until
from settle.domain.escrow.conditions import evidence_leaves
from settle.domain.escrow.state import EscrowRecord, MilestoneRecord
from settle.domain.escrow.terms import (
    EscrowTerms,
    attestation_digest,
    dispute_digest,
    escrow_id,
    escrow_withdrawal_digest,
    reading_digest,
    ruling_digest,
    signers_of,
    split_digest,
)
from settle.domain.escrow.well_formed import check_terms
from settle.domain.ids import Address, AssetId, InstructionId
from tests.support.escrow_draws import Cast, draw_terms
from tests.support.escrow_world import DOMAIN, KEYS, NOW

PEOPLE = tuple(KEYS)
CAST = Cast(
    parties=PEOPLE[:3],
    neutrals=PEOPLE[3:],
    assets=(AssetId(1), AssetId(2)),
    feeds=(Address(b"\x77" * 20),),
    instructions=(InstructionId(b"\x55" * 32),),
)
SEEDS = range(400)


def audited(terms: EscrowTerms) -> Audited:
    """The terms as the auditor gets them out of calldata."""
    return Audited(
        terms.open_by,
        tuple(
            Line(
                *(one.milestone, one.asset, one.depositor, one.beneficiary),
                *(one.quantity, one.if_met, one.by_default, one.if_unruled),
            )
            for one in terms.lines
        ),
        terms.deadlines,
        terms.program,
        terms.arbiters,
        terms.quorum,
        terms.answer_time,
        terms.fallback_arbiter,
        terms.fallback_time,
        terms.text,
        terms.ref,
        terms.salt,
    )


@pytest.mark.parametrize("seed", SEEDS)
def test_the_auditor_reads_terms_as_the_domain_does(seed: int) -> None:
    random = Random(seed)
    terms = draw_terms(random, CAST, now=NOW, most=6)
    mine, digests = audited(terms), EscrowDigests(_digests())
    check_terms(terms, now=NOW)
    assert faults(mine, NOW) == []
    assert digests.terms(mine) == escrow_id(terms, DOMAIN)
    assert mine.signers() == signers_of(terms)
    read, theirs = conditions(mine), conditions_of(terms)
    assert [c.evidence for c in read] == [len(evidence_leaves(c)) for c in theirs]

    disputes = {
        m: NOW + random.randrange(90_000) for m in range(len(theirs)) if random.random() < 0.5
    }
    record = EscrowRecord(
        opened_at=NOW,
        milestones=tuple(MilestoneRecord(disputed_at=disputes.get(m)) for m in range(len(theirs))),
    )
    clock = EscrowClock(mine, read, disputes)
    for m in range(len(theirs)):
        at = NOW + random.randrange(100_000)
        assert clock.moved(m, at) == moved_in(terms, record, m, at)
        assert mine.parties(clock.dependants(m)) == agreeing_of(terms, m)
        assert (bool(mine.arbiters) and not clock.is_locked(m)) == may_be_disputed(terms, m)
        if m in disputes:
            assert clock.panel_until(m, disputes[m]) == domain_panel_until(terms, record, m)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_auditor_refuses_the_programs_that_the_domain_refuses(seed: int) -> None:
    random = Random(seed)
    terms = draw_terms(random, CAST, now=NOW, most=4)
    program = bytearray(terms.program)
    place = random.randrange(len(program))
    if random.random() < 0.3:
        del program[place]
    else:
        program[place] = random.choice((0, 1, 7, 0x10, 0x13, 255, random.randrange(256)))
    fields = {name: getattr(terms, name) for name in EscrowTerms.__slots__}
    broken = EscrowTerms(**{**fields, "program": bytes(program)})
    try:
        check_terms(broken, now=NOW)
    except Exception:  # noqa: BLE001  any refusal of the domain
        refused = True
    else:
        refused = False
    mine = audited(broken)
    try:
        conditions(mine)
    except BadProgram:
        assert refused
    else:
        # A hash lock with several depositors is told apart from the program.
        depositors = {(one.milestone, one.depositor) for one in broken.lines}
        assert not refused or len(depositors) > len(broken.deadlines)


def test_every_message_has_the_digest_that_is_signed() -> None:
    digests, escrow = EscrowDigests(_digests()), b"\x44" * 32
    account, word, paid = PEOPLE[0], b"\x21" * 32, (5, 0, 2**128 - 1)
    assert digests.attestation(escrow, 3, account, word, 17) == attestation_digest(
        escrow, 3, account, word, observed_at=17, domain=DOMAIN
    )
    assert digests.reading(escrow, 3, (account, word, 1, 99), -7, 17) == reading_digest(
        escrow, 3, account, word, kind=1, at=99, value=-7, observed_at=17, domain=DOMAIN
    )
    assert digests.split(escrow, 3, account, paid, 17) == split_digest(
        escrow, 3, account, paid, valid_by=17, domain=DOMAIN
    )
    assert digests.dispute(escrow, 3, account, word, 17) == dispute_digest(
        escrow, 3, account, word, valid_by=17, domain=DOMAIN
    )
    assert digests.ruling(escrow, 3, account, paid, b"DOCS", 17) == ruling_digest(
        escrow, 3, account, paid, reason=b"DOCS", valid_by=17, domain=DOMAIN
    )
    assert digests.withdrawal(account, escrow) == escrow_withdrawal_digest(account, escrow, DOMAIN)


def _digests() -> Digests:
    return Digests(DOMAIN.chain_id, DOMAIN.verifying_contract)
