"""Each rule of evidence, broken by hand: what was shown has to be what the terms ask for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from escrow_bench import DAY, DELIVERED, HOUR, EscrowBench
from rule_bench import ALPHA, BRAVO, EURO, NOW, ORACLE, SETTLEMENT, Silent, sign

from settle.audit import books as state
from settle.audit.abi import word
from settle.audit.escrow_terms import EscrowTerms
from settle.audit.findings import Code
from settle.audit.terms import OPTION_RECORD, Instruction, Leg
from settle.audit.wire import NodeError
from settle.domain.escrow.conditions import (
    AllOf,
    AnyOf,
    AtLeast,
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
from settle.domain.ids import Address, InstructionId

SECRET = b"\x5e" * 32
LOCK = Preimage(digest=hashlib.sha256(SECRET).digest())
STATED = Signed(signer=Address(ORACLE), statement=DELIVERED)
GOLD = b"gold".ljust(32, b"\0")
ROUND = Reading(signer=Address(ORACLE), feed=GOLD, kind=0, at=7, low=-5, high=10)
INSTANT = replace(ROUND, kind=1, at=NOW + 2 * HOUR)
FEED = b"\xfe" * 20
FED = Feed(contract=Address(FEED), kind=0, at=7, low=-5, high=10)
FED_FIRST = replace(FED, kind=1, at=NOW + 2 * HOUR)
EARLY, NEVER = TimeReached(at=NOW), Never()


@pytest.fixture
def bench() -> EscrowBench:
    return EscrowBench()


def stated(
    bench: EscrowBench,
    terms: EscrowTerms,
    *,
    at: int = NOW,
    milestone: int = 0,
    statement: bytes = DELIVERED,
    by: bytes = ORACLE,
) -> bytes:
    digest = bench.said.attestation(bench.identity(terms), milestone, ORACLE, statement, at)
    return at.to_bytes(8, "big") + sign(digest, by)


def read(
    bench: EscrowBench,
    terms: EscrowTerms,
    value: int,
    leaf: Reading = ROUND,
    *,
    at: int = NOW,
    by: bytes = ORACLE,
) -> bytes:
    what = (ORACLE, leaf.feed, leaf.kind, leaf.at)
    digest = bench.said.reading(bench.identity(terms), 0, what, value, at)
    return value.to_bytes(16, "big", signed=True) + at.to_bytes(8, "big") + sign(digest, by)


# ---------------------------------------------------------------------------- conditions


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (NEVER, False),
        (EARLY, True),
        (TimeReached(at=NOW + 1), False),
        (AllOf(of=(EARLY, EARLY)), True),
        (AllOf(of=(EARLY, TimeReached(at=NOW + 1))), False),
        (AnyOf(of=(TimeReached(at=NOW + 1), EARLY)), True),
        (AnyOf(of=(TimeReached(at=NOW + 1),) * 2), False),
        (AtLeast(count=2, of=(EARLY, TimeReached(at=NOW + 1), EARLY)), True),
        (AtLeast(count=2, of=(EARLY, *(TimeReached(at=NOW + 1),) * 2)), False),
    ],
)
def test_a_condition_that_did_not_hold_is_found(
    bench: EscrowBench, condition: Condition, holds: bool
) -> None:
    assert bench.meet(bench.running(condition)) == (set() if holds else {Code.CONDITION})


def test_a_dispute_moves_a_time_that_was_not_reached(bench: EscrowBench) -> None:
    terms = bench.running(TimeReached(at=NOW + HOUR), panel=True)
    assert bench.dispute(terms) == set()
    bench.time = NOW + 4 * HOUR - 1
    assert bench.meet(terms) == {Code.CONDITION}
    other = EscrowBench()
    other.open(terms)
    other.time = NOW + HOUR
    assert other.dispute(terms) == set()
    assert other.meet(terms) == set()


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        (OutcomeOf(milestone=0, mask=1), True),
        (OutcomeOf(milestone=0, mask=2), False),
        (OutcomeOf(milestone=0, mask=5), True),
        (Not(of=OutcomeOf(milestone=0, mask=2)), True),
        (Not(of=OutcomeOf(milestone=0, mask=1)), False),
    ],
)
def test_an_outcome_counts_once_it_came(
    bench: EscrowBench, condition: Condition, holds: bool
) -> None:
    terms = bench.running(EARLY, condition)
    assert bench.meet(terms) == set()
    assert bench.meet(terms, 1) == (set() if holds else {Code.CONDITION})
    other = EscrowBench()
    other.open(terms)
    assert other.meet(terms, 1) == {Code.CONDITION}


def test_an_outcome_counts_while_its_payments_wait(bench: EscrowBench) -> None:
    terms = bench.running(EARLY, OutcomeOf(milestone=0, mask=1))
    bench.books.accounts[ALPHA].frozen = True
    assert bench.meet(terms, waits=True) == set()
    assert bench.meet(terms, 1, waits=True) == set()


# ---------------------------------------------------------------------------- statements


def test_evidence_in_order_has_no_finding(bench: EscrowBench) -> None:
    terms = bench.running(AllOf(of=(STATED, LOCK, ROUND)))
    bench.time = NOW + HOUR
    evidence = [stated(bench, terms), SECRET, read(bench, terms, -5, at=NOW + HOUR)]
    assert bench.meet(terms, evidence=evidence) == set()
    assert bench.stage.consents.signatures == 4


@pytest.mark.parametrize("count", [0, 2])
def test_evidence_that_is_missing_or_too_much_is_found(bench: EscrowBench, count: int) -> None:
    terms = bench.running(LOCK)
    found = bench.meet(terms, evidence=[SECRET] * count)
    assert found == {Code.EVIDENCE, Code.CONDITION}


def test_evidence_that_was_not_shown_shows_nothing(bench: EscrowBench) -> None:
    assert bench.meet(bench.running(LOCK), evidence=[b""]) == {Code.CONDITION}


@pytest.mark.parametrize("shown", [b"\x5f" * 32, SECRET[:31], SECRET + b"\0"])
def test_a_preimage_that_does_not_fit_is_found(bench: EscrowBench, shown: bytes) -> None:
    terms = bench.running(AnyOf(of=(LOCK, EARLY)))
    assert bench.meet(terms, evidence=[shown]) == {Code.EVIDENCE}


def test_a_hash_of_another_length_does_not_fit(bench: EscrowBench) -> None:
    long = Preimage(digest=hashlib.sha256(SECRET + b"\0").digest())
    terms = bench.running(AnyOf(of=(long, EARLY)))
    assert bench.meet(terms, evidence=[SECRET + b"\0"]) == {Code.EVIDENCE}


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"at": NOW - 1}, "observed at 999999"),
        ({"at": NOW + HOUR + 1}, "observed at 1003601"),
        ({"by": BRAVO}, "a statement that its signer did not sign"),
        ({"milestone": 1}, "a statement that its signer did not sign"),
        ({"statement": bytes(32)}, "a statement that its signer did not sign"),
    ],
)
def test_a_statement_that_does_not_count_is_found(
    bench: EscrowBench, changes: dict[str, Any], fact: str
) -> None:
    terms = bench.running(AnyOf(of=(STATED, EARLY)))
    bench.time = NOW + HOUR
    assert bench.meet(terms, evidence=[stated(bench, terms, **changes)]) == {Code.EVIDENCE}
    assert bench.facts() == {fact}


@pytest.mark.parametrize("size", [1, 7, 8, 71, 74])
def test_a_statement_that_is_cut_is_found(bench: EscrowBench, size: int) -> None:
    terms = bench.running(STATED)
    shown = (stated(bench, terms) + b"\0")[:size]
    assert bench.meet(terms, evidence=[shown]) == {Code.EVIDENCE, Code.CONDITION}


def test_no_wallet_states_anything(bench: EscrowBench) -> None:
    """What was good stays good: a wallet could say yes today and no tomorrow."""

    class Yes(Silent):
        def call(self, method: str, *_params: Any) -> Any:
            return "0x1626ba7e" + "00" * 28 if method == "eth_call" else super().call(method)

    bench = EscrowBench(Yes())
    terms = bench.running(STATED)
    found = bench.meet(terms, evidence=[stated(bench, terms, by=BRAVO)])
    assert found == {Code.EVIDENCE, Code.CONDITION}


# ---------------------------------------------------------------------------- readings


@pytest.mark.parametrize(("value", "holds"), [(-6, False), (-5, True), (10, True), (11, False)])
def test_a_reading_counts_within_its_range(bench: EscrowBench, value: int, holds: bool) -> None:
    terms = bench.running(ROUND)
    found = bench.meet(terms, evidence=[read(bench, terms, value)])
    assert found == (set() if holds else {Code.CONDITION})


def test_a_reading_of_an_instant_was_observed_then(bench: EscrowBench) -> None:
    terms = bench.running(AnyOf(of=(INSTANT, EARLY)))
    bench.time = INSTANT.at + 1
    good, bad = (read(bench, terms, 0, INSTANT, at=INSTANT.at + k) for k in (0, 1))
    assert bench.meet(terms, evidence=[good]) == set()
    other = EscrowBench()
    other.open(terms)
    other.time = INSTANT.at + 1
    assert other.meet(terms, evidence=[bad]) == {Code.EVIDENCE}


@pytest.mark.parametrize(
    "changes", [{"leaf": replace(ROUND, at=8)}, {"leaf": replace(ROUND, feed=bytes(32))}]
)
def test_a_reading_of_another_round_or_feed_is_found(
    bench: EscrowBench, changes: dict[str, Any]
) -> None:
    terms = bench.running(AnyOf(of=(ROUND, EARLY)))
    assert bench.meet(terms, evidence=[read(bench, terms, 0, **changes)]) == {Code.EVIDENCE}


def test_a_reading_that_does_not_count_is_found(bench: EscrowBench) -> None:
    terms = bench.running(AnyOf(of=(ROUND, EARLY)))
    assert bench.meet(terms, evidence=[read(bench, terms, 0, by=BRAVO)]) == {Code.EVIDENCE}
    other = EscrowBench()
    other.open(terms)
    assert other.meet(terms, evidence=[read(other, terms, 0, at=NOW + 1)]) == {Code.EVIDENCE}


@pytest.mark.parametrize("size", [15, 23, 24, 87])
def test_a_reading_that_is_cut_is_found(bench: EscrowBench, size: int) -> None:
    terms = bench.running(AnyOf(of=(ROUND, EARLY)))
    assert bench.meet(terms, evidence=[read(bench, terms, 0)[:size]]) == {Code.EVIDENCE}


def test_an_oracle_that_says_two_things_of_one_round_is_found(bench: EscrowBench) -> None:
    """In two escrows: none of them alone gives it away."""
    first, second = bench.running(ROUND), bench.running(ROUND, salt=bytes(32))
    assert bench.meet(first, evidence=[read(bench, first, 3)]) == set()
    assert bench.meet(second, evidence=[read(bench, second, 4)]) == {Code.EQUIVOCATION}
    [finding] = bench.findings.kept
    assert (finding.account, finding.stated, finding.computed) == (ORACLE, 4, 3)


def test_an_oracle_that_repeats_itself_or_speaks_of_another_round_is_fine(
    bench: EscrowBench,
) -> None:
    other = replace(ROUND, at=8)
    first = bench.running(AllOf(of=(ROUND, other, replace(ROUND, feed=bytes(32)))))
    second = bench.running(ROUND, salt=bytes(32))
    evidence = [
        read(bench, first, 3),
        read(bench, first, 4, other),
        read(bench, first, 5, replace(ROUND, feed=bytes(32))),
    ]
    assert bench.meet(first, evidence=evidence) == set()
    assert bench.meet(second, evidence=[read(bench, second, 3)]) == set()


def test_a_word_that_the_oracle_did_not_sign_is_no_second_one(bench: EscrowBench) -> None:
    first, second = (bench.running(AnyOf(of=(ROUND, EARLY)), salt=bytes((n,)) * 32) for n in (1, 2))
    assert bench.meet(first, evidence=[read(bench, first, 3, by=BRAVO)]) == {Code.EVIDENCE}
    assert bench.meet(second, evidence=[read(bench, second, 4)]) == {Code.EVIDENCE}


# ---------------------------------------------------------------------------- feeds

Rounds = dict[int, tuple[int, int]]
"""What a feed says of each round: its value, and when it was given."""


def answer(number: int, value: int, updated_at: int) -> bytes:
    return b"".join(map(word, (number, value, 0, updated_at, number)))


class FeedLine(Silent):
    """A node on which a feed tells rounds, at the state before a block or in its trace."""

    def __init__(self, before: dict[int, bytes], traced: dict[int, bytes] | None = None) -> None:
        self.before, self.traced = before, traced or {}
        self.gas: set[str] = set()

    def call(self, method: str, *params: Any) -> Any:
        if method == "eth_call" and params[0]["to"] == "0x" + FEED.hex() and params[1] == "0x8":
            data = bytes.fromhex(params[0]["data"][2:])
            assert data[:4] == bytes.fromhex("9a6fc8f5")
            self.gas.add(params[0]["gas"])
            told = self.before.get(int.from_bytes(data[4:], "big"))
            if told is not None:
                return "0x" + told.hex()
        if method == "debug_traceTransaction":
            frames = [
                {
                    "type": "STATICCALL",
                    "from": "0x" + SETTLEMENT.hex(),
                    "to": "0x" + FEED.hex(),
                    "input": "0x9a6fc8f5" + word(number).hex(),
                    "output": "0x" + told.hex(),
                }
                for number, told in self.traced.items()
            ]
            whole = "0x" + SETTLEMENT.hex()
            return {"type": "CALL", "from": whole, "to": whole, "calls": frames}
        return super().call(method)


def fed(rounds: Rounds, leaf: Feed = FED, chosen: int | bytes = 7, at: int = 3 * HOUR) -> set[Code]:
    """Open at NOW; show a round some time later."""
    line = FeedLine({n: answer(n, *told) for n, told in rounds.items()})
    return shown_to(line, leaf, chosen, at)


def shown_to(
    line: FeedLine, leaf: Feed = FED, chosen: int | bytes = 7, at: int = 3 * HOUR
) -> set[Code]:
    bench = EscrowBench(line)
    terms = bench.running(leaf)
    bench.time = NOW + at
    shown = chosen if isinstance(chosen, bytes) else chosen.to_bytes(10, "big")
    return bench.meet(terms, evidence=[shown])


@pytest.mark.parametrize(
    ("value", "codes"),
    [(-6, {Code.CONDITION}), (-5, set()), (10, set()), (11, {Code.CONDITION})],
)
def test_a_feed_counts_within_its_range(value: int, codes: set[Code]) -> None:
    assert fed({7: (value, NOW)}) == codes


def test_a_feed_is_asked_with_the_gas_that_the_contract_gives() -> None:
    line = FeedLine({7: answer(7, 0, NOW)})
    assert shown_to(line) == set()
    # What a call itself costs and its 36 bytes, at most 16 each, are not the feed's.
    [gas] = line.gas
    assert 50_000 <= int(gas, 16) - 21_000 - 36 * 16 < 51_000


def test_another_round_of_a_feed_is_found() -> None:
    assert fed({7: (0, NOW), 8: (0, NOW)}, chosen=8) == {Code.EVIDENCE}


@pytest.mark.parametrize("shown", [b"\7", (7).to_bytes(11, "big"), (7).to_bytes(10, "big") * 4])
def test_a_round_of_another_length_is_found(shown: bytes) -> None:
    assert Code.EVIDENCE in fed({0: (0, NOW), 7: (0, NOW)}, chosen=shown)


def test_a_round_before_the_opening_is_found() -> None:
    assert fed({7: (0, NOW - 1)}) == {Code.EVIDENCE}


@pytest.mark.parametrize("told", [{}, {7: (0, 0)}, {7: (0, NOW + 3 * HOUR + 1)}])
def test_a_round_that_the_feed_does_not_tell_is_found(told: Rounds) -> None:
    assert fed(told) == {Code.EVIDENCE_UNEVIDENCED, Code.CONDITION}


@pytest.mark.parametrize("told", [answer(7, 0, NOW)[:-1], answer(8, 0, NOW), b""])
def test_an_answer_that_is_none_is_found(told: bytes) -> None:
    assert shown_to(FeedLine({7: told})) == {Code.EVIDENCE_UNEVIDENCED, Code.CONDITION}


def test_an_answer_of_the_same_block_is_seen_in_the_trace() -> None:
    assert shown_to(FeedLine({7: answer(7, 0, 0)}, {7: answer(7, 1, NOW)})) == set()


@pytest.mark.parametrize(
    ("before", "chosen", "fits"),
    [
        (FED_FIRST.at - 1, FED_FIRST.at, True),
        (FED_FIRST.at - 1, FED_FIRST.at - 1, False),
        (FED_FIRST.at, FED_FIRST.at + 1, False),
    ],
)
def test_the_first_round_from_an_instant_on_counts(before: int, chosen: int, fits: bool) -> None:
    found = fed({6: (0, before), 7: (0, chosen)}, FED_FIRST)
    assert found == (set() if fits else {Code.EVIDENCE})


def test_a_first_round_has_one_before_it() -> None:
    told = {7: (0, FED_FIRST.at)}
    assert fed(told, FED_FIRST) == {Code.EVIDENCE, Code.EVIDENCE_UNEVIDENCED}
    assert fed({0: (0, FED_FIRST.at)}, FED_FIRST, chosen=0) == {Code.EVIDENCE}


def test_a_node_without_an_archive_is_no_accident() -> None:
    class Failing(FeedLine):
        def call(self, method: str, *params: Any) -> Any:
            if method == "eth_call":
                raise NodeError(-32000, "missing trie node")
            return super().call(method, *params)

    assert shown_to(Failing({})) == {Code.EVIDENCE_UNEVIDENCED, Code.CONDITION}


# ---------------------------------------------------------------------------- instructions

LEGS = (Leg(EURO, ALPHA, BRAVO, 1),)


def instruction(bench: EscrowBench, **changes: Any) -> Instruction:
    values = {"options": OPTION_RECORD, "legs": LEGS, "settle_by": NOW + DAY, **changes}
    return bench.terms(**values)


def encoded(terms: Instruction, *, legs_at: int = 352, begins_at: int = 32) -> bytes:
    words = [begins_at, *terms[:-1], legs_at, len(terms.legs)]
    words += [part for leg in terms.legs for part in leg]
    return b"".join(map(word, words))


def waiting_for(bench: EscrowBench, terms: Instruction) -> EscrowTerms:
    identity = InstructionId(bench.digests.instruction(terms))
    return bench.running(Not(of=Settled(instruction=identity)))


def test_a_settlement_on_record_counts(bench: EscrowBench) -> None:
    asked = instruction(bench)
    identity = InstructionId(bench.digests.instruction(asked))
    terms = bench.running(Settled(instruction=identity))
    bench.books.recorded.add(identity)
    assert bench.meet(terms) == set()
    other = EscrowBench()
    other.open(terms)
    assert other.meet(terms) == {Code.CONDITION}


@pytest.mark.parametrize(
    ("nonce", "at", "recorded", "holds"),
    [
        (state.OPEN, 0, False, False),
        (state.LIVE, 0, False, False),
        (state.SETTLED, 0, False, True),
        (state.CANCELLED, 0, False, True),
        (state.OPEN, HOUR - 1, False, False),
        (state.OPEN, HOUR, False, True),
        (state.LIVE, HOUR, False, True),
        (state.SETTLED, HOUR, True, False),
    ],
)
def test_what_can_never_settle_any_more_is_not_settled(
    bench: EscrowBench, nonce: int, at: int, recorded: bool, holds: bool
) -> None:
    asked = instruction(bench, settle_by=NOW + HOUR)
    terms = waiting_for(bench, asked)
    bench.books.set_nonce(ALPHA, 5, nonce)
    if recorded:
        bench.books.recorded.add(bench.digests.instruction(asked))
    bench.time = NOW + at
    found = bench.meet(terms, evidence=[encoded(asked)])
    assert found == (set() if holds else {Code.CONDITION})


def refused(terms: EscrowTerms, shown: bytes) -> set[Code]:
    bench = EscrowBench()
    bench.open(terms)
    bench.books.set_nonce(ALPHA, 5, state.CANCELLED)
    return bench.meet(terms, evidence=[shown])


@pytest.mark.parametrize(
    "shown",
    [
        b"\1",
        b"\xff" * 32,
        b"\xff" * 13 * 32,
        b"",
    ],
)
def test_evidence_that_is_no_instruction_is_found(bench: EscrowBench, shown: bytes) -> None:
    terms = waiting_for(bench, instruction(bench))
    codes = {Code.EVIDENCE, Code.CONDITION} if shown else {Code.CONDITION}
    assert refused(terms, shown) == codes


def test_another_instruction_is_found(bench: EscrowBench) -> None:
    terms = waiting_for(bench, instruction(bench))
    shown = encoded(instruction(bench, trade_ref=b"\1" * 32))
    assert refused(terms, shown) == {Code.EVIDENCE, Code.CONDITION}


@pytest.mark.parametrize("changes", [{"options": 0}, {"legs": ()}, {"legs": LEGS * 9}])
def test_an_instruction_that_is_never_recorded_is_found(
    bench: EscrowBench, changes: dict[str, Any]
) -> None:
    asked = instruction(bench, **changes)
    found = refused(waiting_for(bench, asked), encoded(asked))
    assert found == {Code.EVIDENCE, Code.CONDITION}


def test_an_instruction_has_one_encoding(bench: EscrowBench) -> None:
    asked = instruction(bench)
    terms, good = waiting_for(bench, asked), encoded(asked)
    assert refused(terms, good) == set()
    gap = good[: 12 * 32] + bytes(32) + good[12 * 32 :]
    others: Sequence[bytes] = (
        good + bytes(32),
        good + b"\0",
        word(64) + bytes(32) + good[32:],
        gap[: 11 * 32] + word(384) + gap[12 * 32 :],
    )
    for shown in others:
        assert refused(terms, shown) == {Code.EVIDENCE, Code.CONDITION}


def test_the_encoding_of_an_instruction_without_its_head_is_found(bench: EscrowBench) -> None:
    """Of the right length, but it begins where its own second word says."""
    asked = instruction(bench)
    terms = waiting_for(bench, asked)
    shifted = word(0) + encoded(asked)[32:]
    assert refused(terms, shifted) == {Code.EVIDENCE, Code.CONDITION}
