"""Runs the contract and its twin side by side and compares all they say and all they keep."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from settle.domain import chainstate as twin
from settle.domain.books import Books, advance, close_transaction
from settle.domain.chain_errors import ChainError, InstructionRefused, Reverted
from settle.domain.chain_events import ChainEvent, InstructionNotSettled, Place, Recorded
from settle.domain.ids import ZERO_ADDRESS, ZERO_WORD, Address
from settle.domain.instruction import MAX_LEGS, Instruction, accounts_of
from settle.domain.ledger import Hold
from settle.domain.twin_state import Brought, ChainState, Step
from tests.parity.terms import ASSETS, NONCES
from tests.parity.world import World

Said: TypeAlias = tuple[ChainEvent, ...]
Request: TypeAlias = tuple[Instruction, Sequence[tuple[bytes, Brought]]]


@dataclass(slots=True, kw_only=True)
class Seen:
    """What a run came across, so that a test can ask whether it saw everything."""

    events: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    first_reasons: Counter[str] = field(default_factory=Counter)
    listed_reasons: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, other: Seen) -> None:
        """Take in what another run came across."""
        self.events += other.events
        self.errors += other.errors
        self.first_reasons += other.first_reasons
        self.listed_reasons += other.listed_reasons
        self.done += other.done
        self.refused += other.refused


class Lockstep:
    """Contract, twin, and the books folded from what the contract said: three that must agree."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.state = ChainState(domain=world.domain)
        self.folded = Books()
        self.seen = Seen()
        self.instructions: list[Instruction] = []
        self.holds: list[Hold] = []
        self.last = ""
        """How the last call ended: "" done, else the reason's code or the error's name."""
        self._transactions = 0

    def copy(self) -> Lockstep:
        """Return one of its own that starts where this one stands, having seen the same."""
        other = Lockstep(self.world)
        other.state = self.state
        other.folded = self.folded.copy()
        other.seen.add(self.seen)
        other._transactions = self._transactions
        return other

    @property
    def now(self) -> int:
        """Return the time on the chain."""
        return self.world.evm.now

    def act(
        self, name: str, arguments: Sequence[Any], caller: Address, made: Callable[[], Step]
    ) -> ChainEvent | None:
        """Make a call on both; the last event, or None if both refused."""
        world = self.world
        outcome = world.evm.call(world.settlement, world.abi.call(name, *arguments), caller)
        error = None if outcome.succeeded else world.abi.error(outcome.output)
        refused, after, said = self._tried(made)
        assert error == refused, f"{name}: the contract says {error}, the twin {refused}"
        self.last = ended(refused)
        if refused is not None:
            self._note_refusal(name, refused)
            return None
        assert {log.emitter for log in outcome.logs} <= {world.settlement}
        events = tuple(world.abi.event(log) for log in outcome.logs)
        assert events == said, f"{name}: two sets of events"
        if name == "settleMany":
            codes = world.abi.result(name, outcome.output)
            assert tuple(c.rstrip(b"\0").decode() for c in codes) == twin.codes_of(said)
        self.state = after
        self._fold(events)
        self.seen.done[name] += 1
        self.seen.events.update(type(event).__name__ for event in events)
        self.seen.first_reasons.update(
            event.code.decode() for event in events if isinstance(event, InstructionNotSettled)
        )
        return events[-1]

    def _tried(self, made: Callable[[], Step]) -> tuple[ChainError | None, ChainState, Said]:
        try:
            return None, *made()
        except Reverted as reverted:
            return reverted.error, self.state, ()

    def _note_refusal(self, name: str, error: ChainError) -> None:
        self.seen.refused[name] += 1
        self.seen.errors[type(error).__name__] += 1
        if isinstance(error, InstructionRefused):
            self.seen.first_reasons[error.reason.code] += 1

    def _fold(self, events: Iterable[ChainEvent]) -> None:
        self._transactions += 1
        number = self._transactions
        for index, event in enumerate(events):
            place = Place(
                block_number=number,
                block_hash=number.to_bytes(32, "big"),
                transaction=number.to_bytes(32, "big"),
                log_index=index,
            )
            advance(self.folded, Recorded(place=place, emitter=self.world.settlement, event=event))
        close_transaction(self.folded)

    # ------------------------------------------------------------------ comparing

    def compare_why_not(self, request: Request) -> bool:
        """Compare all the reasons, the id and the status; whether there are none."""
        instruction, brought = request
        world, abi = self.world, self.world.abi
        signatures = [signature for signature, _ in brought]
        kinds = [kind for _, kind in brought]
        output = world.evm.view(
            world.settlement, abi.call("whyNot", instruction, signatures), world.stranger
        )
        assert output.succeeded
        told = abi.result("whyNot", output.output)
        expected = twin.why_not(self.state, instruction, kinds, now=self.now)
        assert told == expected, "two lists of reasons"
        self.seen.listed_reasons.update(reason.code for reason in told)
        status = self._view("statusOf", instruction)
        assert status == twin.status_of(self.state, instruction, now=self.now)
        has_id = 0 < len(instruction.legs) <= MAX_LEGS
        name = self.state.id_of(instruction) if has_id else ZERO_WORD
        assert self._view("idOf", instruction) == name, "two ids"
        return not told

    def _view(self, name: str, *arguments: Any) -> Any:
        world = self.world
        output = world.evm.view(world.settlement, world.abi.call(name, *arguments)).output
        return world.abi.result(name, output)

    def compare_books(self) -> None:
        """Compare storage with the twin, word for word, and the twin with the folded events."""
        accounts = (*self.world.owners, self.world.stranger, ZERO_ADDRESS)
        self._compare_values(accounts)
        self._compare_instructions(accounts)
        assert self.folded == self.state.books, "two folds"

    def _compare_values(self, accounts: Sequence[Address]) -> None:
        storage, books = self.world.storage, self.state.books
        for asset in ASSETS:
            held = [storage.holding(account, asset) for account in accounts]
            expected = [books.holding(account, asset) for account in accounts]
            assert held == expected, f"holdings of asset {asset}"
            found = storage.asset(asset)
            assert found == books.assets.get(asset), f"asset {asset}"
            assert storage.is_open(asset) == self.state.is_open(asset)
            supply = 0 if found is None else found.total_supply
            assert sum(holding.balance for holding in held) == supply, "law L2"
        assert storage.asset_count() == len(books.assets)
        for account in accounts:
            assert storage.account(account) == books.account(account), "an account's word"
        assert storage.modules(accounts) == books.modules
        for hold in self.holds:
            assert storage.is_live(hold) == self.state.is_live(hold), "a live hold"

    def _compare_instructions(self, accounts: Sequence[Address]) -> None:
        storage, books = self.world.storage, self.state.books
        for account in accounts:
            for index in {nonce >> 7 for nonce in NONCES}:
                word = books.nonce_words.get((account, index), 0)
                assert storage.nonce_word(account, index) == word, "a word of nonces"
        for instruction in self.instructions:
            if len(instruction.legs) > MAX_LEGS:
                continue
            name = self.state.id_of(instruction)
            assert storage.live(name) == live_word(self.state, instruction), "a live word"
            for account in accounts_of(instruction):
                withdrawn = (account, name) in books.withdrawn
                assert storage.is_withdrawn(account, name) == withdrawn


def ended(error: ChainError | None) -> str:
    """Say in a word how a call ended."""
    if error is None:
        return ""
    return error.reason.code if isinstance(error, InstructionRefused) else type(error).__name__


def live_word(state: ChainState, instruction: Instruction) -> tuple[int, int, int, int]:
    """Return the live word of an instruction as the contract packs it."""
    live = state.books.live.get(state.id_of(instruction))
    if live is None:
        return 0, 0, 0, 0
    reserved = dict(live.reserved)
    return (
        live.consents,
        sum(1 << k for k, leg in enumerate(instruction.legs) if leg.deliverer in reserved),
        sum(1 << k for k, leg in enumerate(instruction.legs) if reserved.get(leg.deliverer)),
        sum(1 << k for k, a in enumerate(accounts_of(instruction)) if a in live.released),
    )
