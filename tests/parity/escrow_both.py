"""The contract's escrows and their twin side by side: one call on both, and all that they keep."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from random import Random
from typing import Any, Final

from settle.chain.eip712 import recover
from settle.domain import chainstate
from settle.domain.chain_events import ChainEvent
from settle.domain.errors import InvalidInput
from settle.domain.escrow.clock import what_now
from settle.domain.escrow.evidence import Facts, FeedRound
from settle.domain.escrow.state import EscrowState, EscrowStep, advance_escrows
from settle.domain.escrow.terms import EscrowTerms, escrow_id
from settle.domain.ids import ZERO_WORD, Address
from settle.domain.instruction import Instruction, accounts_of
from settle.domain.twin_state import Brought, Step
from tests.parity.lockstep import Lockstep
from tests.parity.world import AGREED, START, World

FEED_STEP: Final = 1_000  # seconds between two rounds of the feed


def feed_code() -> bytes:
    """Return the creation code of a feed whose round r says r, set at START + r * FEED_STEP."""
    runtime = b"".join(
        (
            b"\x60\x04\x35",  # the round
            b"\x80\x60\x00\x52",
            b"\x80\x60\x20\x52",
            b"\x80\x61" + FEED_STEP.to_bytes(2, "big") + b"\x02",
            b"\x63" + START.to_bytes(4, "big") + b"\x01\x60\x60\x52",
            b"\x60\x80\x52",
            b"\x60\xa0\x60\x00\xf3",
        )
    )
    size = bytes([len(runtime)])
    return b"\x60" + size + b"\x60\x0c\x60\x00\x39\x60" + size + b"\x60\x00\xf3" + runtime


class EscrowBoth:
    """Contract and twin; what is compared of the twin is what its events folded into."""

    def __init__(self, both: Lockstep, feed: Address) -> None:
        self.both = both
        self.feed = feed
        self.state = EscrowState(chain=both.state)
        self.terms: list[EscrowTerms] = []
        self.instructions: list[Instruction] = []
        self.facts = Facts(binds=self._binds, recovers=self._recovers, feed_round=self._round)

    @property
    def world(self) -> World:
        """Return the contract's side."""
        return self.both.world

    @property
    def now(self) -> int:
        """Return the time on the chain."""
        return self.both.now

    def act(
        self, name: str, arguments: Sequence[Any], caller: Address, made: Callable[[], EscrowStep]
    ) -> str:
        """Make a call about an escrow on both; "" or the name of the error."""

        def step() -> Step:
            after, said = made()
            self.state = after
            return after.chain, said

        return self._done(self.both.act(name, arguments, caller, step))

    def change(
        self, name: str, arguments: Sequence[Any], caller: Address, made: Callable[[], Step]
    ) -> str:
        """Make another call on both, with what it says for escrows."""

        def step() -> Step:
            after, said = made()
            self.state = advance_escrows(self.state, said, now=self.now, chain=after)
            return after, said

        return self._done(self.both.act(name, arguments, caller, step))

    def _done(self, last: ChainEvent | None) -> str:
        assert self.state.chain == self.both.state
        return self.both.last if last is None else ""

    def settle(self, instruction: Instruction, caller: Address) -> str:
        """Settle with the signatures of all."""
        digest = self.both.state.id_of(instruction)
        accounts = accounts_of(instruction)
        signatures = [self.world.good(account, digest, Random(1)) for account in accounts]
        brought = [Brought.GOOD] * len(accounts)
        return self.change(
            "settle",
            (instruction, signatures),
            caller,
            lambda: chainstate.settle(self.both.state, instruction, brought, now=self.now),
        )

    # ------------------------------------------------------------------ what a call can find out

    def _binds(self, account: Address, digest: bytes, signature: bytes) -> bool:
        if account == self.world.wallet:
            return signature[:32] == AGREED
        return self._recovers(account, digest, signature)

    @staticmethod
    def _recovers(account: Address, digest: bytes, signature: bytes) -> bool:
        try:
            return recover(digest, signature) == account
        except InvalidInput:
            return False

    def _round(self, contract: Address, number: int) -> FeedRound | None:
        if contract != self.feed:
            return None
        return FeedRound(answer=number, updated_at=START + number * FEED_STEP)

    # ------------------------------------------------------------------ comparing

    def compare(self, which: Collection[EscrowTerms] | None = None) -> None:
        """Compare what these escrows are, or all, by the contract's own views."""
        for terms in self.terms if which is None else which:
            self._compare_escrow(terms)
        for instruction in self.instructions:
            name = self.both.state.id_of(instruction)
            recorded = self._view("isRecordedSettled", name)
            assert recorded == (name in self.state.recorded), "what is recorded"

    def _compare_escrow(self, terms: EscrowTerms) -> None:
        name = escrow_id(terms, self.world.domain)
        assert self._view("escrowIdOf", terms) == name, "two ids"
        record = self.state.records.get(name)
        expected = what_now(terms, record, now=self.now)
        assert self._view("whatNow", terms) == expected, "two answers of whatNow"
        assert self._view("isWithdrawnFromEscrow", name) == (name in self.state.withdrawn)
        opened_at, outcomes, disputed = self._view("escrowState", name)
        if record is None:
            assert (opened_at, outcomes, disputed) == (0, 0, 0)
            return
        packed = sum(
            (one.outcome | one.waits << 2) << 3 * k for k, one in enumerate(record.milestones)
        )
        bits = sum((at is not None) << k for k, at in enumerate(record.disputed_at))
        assert (opened_at, outcomes, disputed) == (record.opened_at, packed, bits), "two states"
        assert name != ZERO_WORD

    def _view(self, name: str, *arguments: Any) -> Any:
        output = self.world.evm.view(self.world.settlement, self.world.abi.call(name, *arguments))
        assert output.succeeded, name
        return self.world.abi.result(name, output.output)
