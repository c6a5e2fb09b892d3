"""The operator's process of a run: the real parts over the faulty database and the chain model.

`Operator` is thrown away at each end of the process and built anew from the database, as
`settle.bootstrap` builds it; what it kept in memory is gone.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Connection, Engine

from settle.api.idempotency import Answer, Operation, Underway, json_answer
from settle.api.trade_views import submitted_out
from settle.batch_gas import batch_limits
from settle.chain.deployment import Deployment
from settle.chain.eip712 import recover
from settle.chain.follower import Follower
from settle.chain.node import Node
from settle.chain.operator_chain import NodeReader, SenderOutgoing
from settle.chain.profile import EngineProfile, load_profile
from settle.chain.sender import Sender
from settle.domain.ids import ZERO_ADDRESS, Lei, TradeId
from settle.domain.keccak import keccak256
from settle.domain.side import TradeSide
from settle.services.cancel_trade import (
    SignedCancellation,
    cancel_trade,
    check_cancellation,
)
from settle.services.chain_rows import TransactionRow
from settle.services.examine_sides import SideRequest, examine_sides
from settle.services.executor import Executor
from settle.services.record_outcomes import RecordOutcomes
from settle.services.sign_instructions import Consent, check_consents, sign_instructions
from settle.services.submit_sides import submit_sides
from settle.services.trade_numbers import TradeNumbers
from settle.services.venue import Venue
from settle.store.alarms import Alarms
from settle.store.chain_tables import SqlFollowerStore
from settle.store.trading import SqlTradingStore
from settle.store.transactions import SqlSenderStore
from tests.crash.faults import Faults, FaultyDatabase
from tests.fakes import DOMAIN
from tests.house.source_tree import ROOT
from tests.support.venue_world import RULES

OPERATOR_KEY = b"operator of the crash room".rjust(32, b"\1")


class SendingStore(SqlSenderStore, Alarms):
    """What the sender writes."""


def profile(depth: int, in_flight: int) -> EngineProfile:
    """An engine with the patience and the fees of chain.toml, asked in small portions."""
    return replace(
        load_profile(ROOT / "chain.toml", "tester"),
        chain_id=DOMAIN.chain_id,
        finality_depth=depth,
        block_interval_ms=0,
        in_flight=in_flight,
        rpc_batch=5,
        log_range=4,
    )


def deployment(genesis: bytes) -> Deployment:
    """The contracts of the model."""
    contracts = {"Settlement": DOMAIN.verifying_contract, "Participants": ZERO_ADDRESS}
    return Deployment(
        chain_id=DOMAIN.chain_id,
        genesis_hash=genesis,
        block=1,
        contracts=contracts,
        approvers={},
        roles={},
        code_hashes={},
        deployer=ZERO_ADDRESS,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What outlives the operator's process."""

    engine: Engine
    faults: Faults
    clock: Callable[[], int]
    profile: EngineProfile
    deployment: Deployment
    node: Node
    batch_legs: int
    draw: Callable[[int], bytes]


class Operator:
    """One life of the process."""

    def __init__(self, world: World, holder: str) -> None:
        faults, self.clock = world.faults, world.clock
        self.database = FaultyDatabase(world.engine, faults)
        self.sender = Sender(
            database=self.database,
            store=SendingStore(),
            node=world.node,
            key=OPERATOR_KEY,
            profile=world.profile,
            clock=world.clock,
            on_result=self._on_result,
            holder=holder,
            at=faults.kill,
        )
        self.venue = Venue(
            database=self.database,
            store=SqlTradingStore(),
            alarms=Alarms(),
            chain=NodeReader(node=world.node, deployment=world.deployment, profile=world.profile),
            outgoing=SenderOutgoing(sender=self.sender, deployment=world.deployment),
            recover=recover,
            clock=world.clock,
            new_id=TradeNumbers(world.draw),
            domain=world.deployment.domain,
            rules=RULES,
        )
        self.outcomes = RecordOutcomes(venue=self.venue)
        self.follower = Follower(
            database=self.database,
            store=SqlFollowerStore(),
            node=world.node,
            deployment=world.deployment,
            profile=world.profile,
            clock=world.clock,
            listeners=[self.outcomes],
            at=faults.kill,
        )
        limits = replace(batch_limits(world.profile), legs=world.batch_legs)
        self.executor = Executor(self.venue, limits)
        self._underway = Underway()
        self._follower_open = False
        self._sending = False

    def _on_result(self, conn: Connection, row: TransactionRow) -> None:
        self.outcomes.ended(conn, row)

    # --------------------------------------------------------------- the loops of bootstrap

    def send(self) -> bool:
        """A round of the sender; whether it was idle."""
        idle = self.sender.pump().idle
        self._sending = True
        return idle

    def follow(self) -> bool:
        """A step of the follower; whether it was idle."""
        if not self._follower_open:
            self.follower.open()
            self._follower_open = True
        return self.follower.step().idle

    def execute(self) -> None:
        """A step of the executor, which waits for the sender's lease."""
        if self._sending:
            self.executor.step(self.clock())

    # ---------------------------------------------------------------------- its requests

    def perform(
        self,
        lei: Lei,
        key: str,
        body: bytes,
        check: Callable[[], Any],
        work: Callable[[Connection, Any], Answer],
    ) -> tuple[Answer, bool]:
        """Do what a POST does under its idempotency key; the answer, and whether it is a repeat."""
        context: Any = SimpleNamespace(
            database=self.database, store=self.venue.store, clock=self.clock
        )
        # No receipts here: tests/api has those.
        caller: Any = SimpleNamespace(name=lei, lei=None)
        operation = Operation(
            context=context,
            underway=self._underway,
            caller=caller,
            key=key,
            digest=keccak256(body),
            trace_id="model",
            what="model",
        )
        return operation._once(check, work, None)

    def submit(self, key: str, side: TradeSide) -> tuple[Answer, bool]:
        """POST /v1/trades."""
        lei = side.submitted_by

        def work(conn: Connection, examined: Any) -> Answer:
            [one] = submit_sides(self.venue, conn, lei, examined, self.clock())
            return json_answer(HTTPStatus.CREATED, submitted_out(one))

        return self.perform(
            lei,
            key,
            repr(side).encode(),
            lambda: examine_sides(self.venue, lei, [SideRequest(side=side)], self.clock()),
            work,
        )

    def sign(self, key: str, lei: Lei, consent: Consent) -> tuple[Answer, bool]:
        """POST /v1/instructions/{digest}/signature."""

        def work(conn: Connection, checked: Any) -> Answer:
            [one] = sign_instructions(self.venue, conn, checked, self.clock())
            return _told(trade_id=one.trade.trade_id, status=one.trade.status)

        return self.perform(
            lei,
            key,
            consent.digest + consent.signature,
            lambda: check_consents(self.venue, lei, [consent]),
            work,
        )

    def cancel(
        self, key: str, lei: Lei, trade: TradeId, signed: SignedCancellation
    ) -> tuple[Answer, bool]:
        """POST /v1/trades/{id}/cancel."""

        def work(conn: Connection, checked: Any) -> Answer:
            done = cancel_trade(self.venue, conn, checked, self.clock())
            return _told(trade_id=done.trade.trade_id, status=done.trade.status)

        return self.perform(
            lei,
            key,
            trade.encode() + signed.signature,
            lambda: check_cancellation(self.venue, lei, trade, signed),
            work,
        )


def _told(**content: object) -> Answer:
    return Answer(status=HTTPStatus.OK, body=json.dumps(content).encode())
