"""Fakes of what use cases need of the world: a chain, a sender, a clock, ids.

The chain is the Python twin of the contracts (tests/parity keeps it equal to them), so it refuses
for the reasons that the real one gives. It passes the same port tests as the real reader.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from settle.chain.eip712 import recover
from settle.domain import chainstate as twin
from settle.domain.chain_errors import BatchEmpty, Reverted
from settle.domain.chain_events import ChainEvent, Place, Recorded
from settle.domain.errors import InvalidInput
from settle.domain.ids import ZERO_ADDRESS, Address, AssetId
from settle.domain.instruction import (
    Instruction,
    SigningDomain,
    accounts_of,
    cancellation_digest,
    instruction_id,
)
from settle.domain.ledger import AssetClass, Standing, code_bytes
from settle.domain.reasons import Reason
from settle.services.chain_calls import SignedInstruction

DOMAIN = SigningDomain(chain_id=31_337, verifying_contract=Address(b"\x5e" * 20))


class FakeClock:
    """Unix seconds that only move when told."""

    def __init__(self, now: int) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call in the fake sender's queue."""

    number: int
    purpose: str
    batch: tuple[SignedInstruction, ...]
    gas: int = 0
    valid_by: int = 0


@dataclass
class FakeChain:
    """The ports `ChainReader` and `Outgoing`. What is sent waits until `mine`."""

    clock: Callable[[], int]
    domain: SigningDomain = DOMAIN
    capacity: int = 16
    wallets: dict[Address, bytes] = field(default_factory=dict)
    """Wallets and the one signature that each of them takes."""
    poison: set[bytes] = field(default_factory=set)
    """Digests of instructions that make their whole batch revert."""
    queue: list[Call] = field(default_factory=list)
    asked: int = 0
    """Instructions that the chain was asked about."""

    def __post_init__(self) -> None:
        self.state = twin.ChainState(domain=self.domain)
        self.ended: list[tuple[Call, bool]] = []
        self.numbers = itertools.count(1)
        self._said: list[ChainEvent] = []

    # ------------------------------------------------------------------ what officers do

    def admit(self, *accounts: Address, standing: Standing = Standing.ADMITTED) -> None:
        for account in accounts:
            self.do(twin.set_standing(self.state, account, standing, 1))

    def create(self, code: str, class_: AssetClass, decimals: int = 0) -> AssetId:
        self.do(
            twin.create_asset(
                self.state,
                class_=class_,
                decimals=decimals,
                code=code_bytes(code),
                issuer=ZERO_ADDRESS,
            )
        )
        return AssetId(len(self.state.books.assets))

    def issue(self, account: Address, asset: AssetId, quantity: int) -> None:
        self.do(twin.issue(self.state, asset, account, quantity, bytes(32)))

    def freeze(self, account: Address, *, frozen: bool = True) -> None:
        self.do(twin.freeze_account(self.state, account, frozen=frozen, why=b"TEST"))

    def do(self, step: twin.Step) -> None:
        """Let something else happen in the next block."""
        self.state, said = step
        self._said += said

    # ------------------------------------------------------------------------ ChainReader

    def why_not(self, requests: Sequence[SignedInstruction]) -> Sequence[tuple[Reason, ...]]:
        self.asked += len(requests)
        return [
            twin.why_not(
                self.state,
                one.instruction,
                self.brought(one.instruction, one.signatures),
                now=self.clock(),
            )
            for one in requests
        ]

    def accepts(self, account: Address, digest: bytes, signature: bytes) -> bool:
        del digest
        return account in self.wallets and self.wallets[account] == signature

    def brought(
        self,
        instruction: Instruction,
        signatures: Sequence[bytes],
        digests: Sequence[bytes] | None = None,
    ) -> list[twin.Brought]:
        accounts = accounts_of(instruction)
        of_it = [instruction_id(instruction, self.domain)] * len(accounts)
        return [
            self._brought(account, digest, signature)
            for account, digest, signature in zip(
                accounts, digests or of_it, signatures, strict=True
            )
        ]

    def _brought(self, account: Address, digest: bytes, signature: bytes) -> twin.Brought:
        if not signature:
            return twin.Brought.NOTHING
        try:
            if recover(digest, signature) == account:
                return twin.Brought.GOOD
        except InvalidInput:
            pass
        good = self.accepts(account, digest, signature)
        return twin.Brought.GOOD if good else twin.Brought.BAD

    # --------------------------------------------------------------------------- Outgoing

    def room(self, conn: Connection) -> int:
        del conn
        return self.capacity - len(self.queue)

    def settle_many(self, conn: Connection, batch: Sequence[SignedInstruction], *, gas: int) -> int:
        return self._enqueue(conn, Call(number=0, purpose="settle", batch=tuple(batch), gas=gas))

    def cancel(self, conn: Connection, instruction: SignedInstruction, *, valid_by: int) -> int:
        call = Call(number=0, purpose="cancel", batch=(instruction,), valid_by=valid_by)
        return self._enqueue(conn, call)

    def _enqueue(self, conn: Connection, call: Call) -> int:
        del conn
        number = next(self.numbers)
        self.queue.append(
            Call(
                number=number,
                purpose=call.purpose,
                batch=call.batch,
                gas=call.gas,
                valid_by=call.valid_by,
            )
        )
        return number

    # ----------------------------------------------------------------------------- mining

    def mine(self, number: int) -> list[Recorded]:
        """Put all that waits into block `number`; its events. `ended` tells how calls ended."""
        said, self._said = [(0, event) for event in self._said], []
        calls, self.queue = self.queue, []
        for call in calls:
            try:
                self.state, told = self._run(call)
            except Reverted:
                self.ended.append((call, False))
                continue
            self.ended.append((call, True))
            said += [(call.number, event) for event in told]
        return [
            Recorded(
                place=Place(
                    block_number=number,
                    block_hash=number.to_bytes(32, "big"),
                    transaction=transaction.to_bytes(32, "big"),
                    log_index=index,
                ),
                event=event,
                emitter=self.domain.verifying_contract,
            )
            for index, (transaction, event) in enumerate(said)
        ]

    def _run(self, call: Call) -> twin.Step:
        if call.purpose == "cancel":
            [one] = call.batch
            digest = instruction_id(one.instruction, self.domain)
            digests = [
                cancellation_digest(account, digest, self.domain, valid_by=call.valid_by)
                for account in accounts_of(one.instruction)
            ]
            return twin.cancel(
                self.state,
                one.instruction,
                self.brought(one.instruction, one.signatures, digests),
                valid_by=call.valid_by,
                caller=ZERO_ADDRESS,
                now=self.clock(),
            )
        if any(instruction_id(o.instruction, self.domain) in self.poison for o in call.batch):
            raise Reverted(BatchEmpty())
        requests = [(o.instruction, self.brought(o.instruction, o.signatures)) for o in call.batch]
        return twin.settle_many(self.state, requests, now=self.clock())
