"""Each rule of what the chain itself knows, broken by hand: feeds, and instructions on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from escrow_bench import DAY, HOUR, EscrowBench
from rule_bench import ALPHA, BRAVO, EURO, NOW, SETTLEMENT, Silent

from settle.audit import books as state
from settle.audit.abi import word
from settle.audit.escrow_terms import EscrowTerms
from settle.audit.findings import Code
from settle.audit.terms import OPTION_RECORD, Instruction, Leg
from settle.audit.wire import NodeError
from settle.domain.escrow.conditions import Feed, Not, Settled
from settle.domain.ids import Address, InstructionId

FEED = b"\xfe" * 20
FED = Feed(contract=Address(FEED), kind=0, at=7, low=-5, high=10)
FED_FIRST = replace(FED, kind=1, at=NOW + 2 * HOUR)


@pytest.fixture
def bench() -> EscrowBench:
    return EscrowBench()


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


def test_a_round_may_be_told_in_the_second_of_the_call() -> None:
    assert fed({7: (0, NOW + 3 * HOUR)}) == set()


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


def shown_after_its_end(terms: EscrowTerms, shown: bytes) -> set[Code]:
    """Show an instruction that was cancelled."""
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
    assert shown_after_its_end(terms, shown) == codes


def test_another_instruction_is_found(bench: EscrowBench) -> None:
    terms = waiting_for(bench, instruction(bench))
    shown = encoded(instruction(bench, trade_ref=b"\1" * 32))
    assert shown_after_its_end(terms, shown) == {Code.EVIDENCE, Code.CONDITION}


@pytest.mark.parametrize("changes", [{"options": 0}, {"legs": ()}, {"legs": LEGS * 9}])
def test_an_instruction_that_is_never_recorded_is_found(
    bench: EscrowBench, changes: dict[str, Any]
) -> None:
    asked = instruction(bench, **changes)
    found = shown_after_its_end(waiting_for(bench, asked), encoded(asked))
    assert found == {Code.EVIDENCE, Code.CONDITION}


def test_an_instruction_of_the_most_legs_counts(bench: EscrowBench) -> None:
    asked = instruction(bench, legs=LEGS * 8)
    assert shown_after_its_end(waiting_for(bench, asked), encoded(asked)) == set()


def test_an_instruction_has_one_encoding(bench: EscrowBench) -> None:
    asked = instruction(bench)
    terms, good = waiting_for(bench, asked), encoded(asked)
    assert shown_after_its_end(terms, good) == set()
    gap = good[: 12 * 32] + bytes(32) + good[12 * 32 :]
    others: Sequence[bytes] = (
        good + bytes(32),
        good + b"\0",
        word(64) + bytes(32) + good[32:],
        gap[: 11 * 32] + word(384) + gap[12 * 32 :],
    )
    for shown in others:
        assert shown_after_its_end(terms, shown) == {Code.EVIDENCE, Code.CONDITION}


def test_the_encoding_of_an_instruction_without_its_head_is_found(bench: EscrowBench) -> None:
    """Of the right length, but it begins where its own second word says."""
    asked = instruction(bench)
    terms = waiting_for(bench, asked)
    shifted = word(0) + encoded(asked)[32:]
    assert shown_after_its_end(terms, shifted) == {Code.EVIDENCE, Code.CONDITION}
