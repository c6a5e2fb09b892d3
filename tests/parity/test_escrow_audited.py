"""The auditor beside the contract: what the contract does it explains, what it refuses it finds.

Of a call that the contract refused, the auditor is told that it happened. A rule that it does not
judge shows here: nothing but the missing events would be found.
"""

from __future__ import annotations

import os
from collections import Counter, deque
from collections.abc import Collection, Sequence
from typing import Any, Final

import pytest

from settle.audit import published
from settle.audit.abi import AbiError
from settle.audit.authority_state import Authority
from settle.audit.books import Books
from settle.audit.calls import Call, CallReader
from settle.audit.consents import Consents
from settle.audit.deployment import Deployment
from settle.audit.events import Event
from settle.audit.explain_escrows import Escrowing
from settle.audit.explain_settling import Settling
from settle.audit.findings import Code, Findings, Place
from settle.audit.fold import Fold
from settle.audit.fold_authority import AuthorityFold
from settle.audit.stage import Stage, unexplained
from settle.audit.typed_data import Digests
from settle.audit.wire import NodeError
from settle.domain.escrow.terms import EscrowTerms
from settle.domain.ids import Address
from tests.parity.escrow_both import EscrowBoth, feed_code
from tests.parity.escrow_walk import EscrowWalk
from tests.parity.evm import CHAIN_ID, GAS, Evm, Outcome
from tests.parity.market import prepare
from tests.parity.world import START, World

WALKS = int(os.environ.get("SETTLE_AUDITED_WALKS", "6"))
FIRST = int(os.environ.get("SETTLE_AUDITED_SEED", "1"))
STEPS = 60
ROLES: Final = ("ADMIN", "REGISTRAR", "ISSUER", "COMPLIANCE", "REGISTRY", "REVOKER")
# Not rules of the contract: it cannot read, and it forgets what an oracle said before.
OF_THE_AUDITOR: Final = {Code.FOREIGN_TEXT, Code.EQUIVOCATION}
# What an event that is not there would show: a holding, or what the escrow did before.
SHOWN_BY_EVENTS: Final = {
    *("HoldingTooSmall", "EscrowAlreadyOpened", "ConsentWasWithdrawn", "DisputedBefore"),
    "PaymentsFrozen",
}


class EvmLine:
    """A node that asks the contracts in this process."""

    def __init__(self, evm: Evm) -> None:
        self._evm = evm

    def call(self, method: str, *params: Any) -> Any:
        if method != "eth_call":
            raise NodeError(-32601, f"no {method}")
        told = params[0]
        to, data = (bytes.fromhex(told[name][2:]) for name in ("to", "data"))
        outcome = self._evm.view(Address(to), data)
        if not outcome.succeeded:
            raise NodeError(3, "reverted")
        return "0x" + outcome.output.hex()

    def batch(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> list[Any]:
        raise NotImplementedError

    def close(self) -> None:
        pass


class Watcher:
    """Looks at every call on Settlement, as an auditor that trusts nobody would."""

    def __init__(self, world: World) -> None:
        self._world, self._call = world, world.evm.call
        self.contracts = published.load()
        addresses = {
            "Settlement": world.settlement,
            "Participants": world.participants,
            "AccessManager": world.authority,
            "Affirmation": Address(b"\x01" * 20),
            "Escrow": Address(b"\x02" * 20),
        }
        deployment = Deployment(
            chain_id=CHAIN_ID,
            genesis_hash=bytes(32),
            block=1,
            contracts=addresses,
            approvers={},
            roles={name: number for number, name in enumerate(ROLES)},
            code_hashes={},
            deployer=bytes(20),
            signer=bytes(20),
        )
        self.findings, self.books = Findings(), Books(world.settlement)
        kinds, line = deployment.kinds(), EvmLine(world.evm)
        authority = Authority(manager=world.authority, approvers={}, members={})
        roles = AuthorityFold(
            authority, deployment, self.contracts, self.findings, lambda *_: False
        )
        self.stage = Stage(
            deployment=deployment,
            published=self.contracts,
            kinds=kinds,
            books=self.books,
            authority=authority,
            fold=Fold(self.books, roles, deployment, kinds, self.findings),
            consents=Consents(
                line,
                CallReader(line, self.contracts, kinds),
                world.settlement,
                self.findings,
            ),
            digests=Digests(CHAIN_ID, world.settlement),
            findings=self.findings,
        )
        self.settling, self.escrowing = Settling(self.stage), Escrowing(self.stage)
        self.explained: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._number = 1
        world.evm.call = self.call  # type: ignore[method-assign]

    def call(self, target: Address, data: bytes, caller: Address, gas: int = GAS) -> Outcome:
        """Make the call, and judge it."""
        outcome = self._call(target, data, caller, gas)
        settlement = self.contracts["Settlement"]
        function = settlement.functions.get(data[:4])
        if target != self._world.settlement or function is None:
            return outcome
        if function.name not in settlement.views:
            self._number += 1
            place = Place(self._number, self._world.evm.now, None)
            self._judge(function.name, Call(target, data, caller, place), outcome)
        return outcome

    def compare(self) -> None:
        """Hold what the events gave against what the contract keeps."""
        for identity, escrow in self.books.escrows.items():
            question = self._world.abi.call("escrowState", identity)
            kept = self._world.evm.view(self._world.settlement, question).output
            assert tuple(kept[at + 24 : at + 32] for at in (0, 32, 64)) == tuple(
                part.to_bytes(8, "big") for part in escrow.word()
            )

    def _judge(self, name: str, call: Call, outcome: Outcome) -> None:
        if outcome.succeeded:
            self.stage.stream = self._events(outcome, call.place)
            self._explain(name, call)
            self._end(name)
            self.explained[name] += 1
        elif name in self.escrowing.by_name:
            error = type(self._world.abi.error(outcome.output)).__name__
            try:
                self._explain(name, call)
            except AbiError:
                self.findings.by_code[Code.CALL_UNREADABLE] += 1
            found = set(self.findings.by_code) - OF_THE_AUDITOR - {Code.EVENT_MISSING}
            assert found or error in SHOWN_BY_EVENTS, f"{name}: no rule gives {error}"
            self.refused[error] += 1
            self._forget()

    def _explain(self, name: str, call: Call) -> None:
        function = self.contracts["Settlement"].functions[call.data[:4]]
        if name == "settle":
            self.settling.settle(call, function.arguments(call.data, 4))
        elif name in self.escrowing.by_name:
            self.escrowing.by_name[name](call, function.arguments(call.data, 4))
        else:
            while self.stage.stream:
                self.stage.fold.apply(self.stage.stream.popleft())

    def _end(self, name: str) -> None:
        unexplained(self.stage, Code.UNEXPLAINED)
        self.stage.fold.close()
        found = [one for one in self.findings.kept if one.code not in OF_THE_AUDITOR]
        assert found == [], (name, [str(one) for one in found])
        self._forget()

    def _forget(self) -> None:
        self.findings.kept.clear()
        self.findings.by_code.clear()
        self.stage.stream = deque()

    def _events(self, outcome: Outcome, place: Place) -> deque[Event]:
        kinds = self.stage.kinds
        events: deque[Event] = deque()
        for index, log in enumerate(outcome.logs):
            signature = self.contracts[kinds[log.emitter]].events[log.topics[0]]
            arguments = signature.event(log.topics, log.data)
            here = place._replace(log_index=index)
            events.append(Event(log.emitter, signature.name, log.topics[1], arguments, here))
        return events


class Walked(EscrowBoth):
    """What views tell is compared in test_escrow.py."""

    def compare(self, which: Collection[EscrowTerms] | None = None) -> None:
        """Leave it."""


@pytest.fixture(scope="module")
def seen() -> Counter[str]:
    """What was explained, and what was found, in all walks."""
    return Counter()


@pytest.mark.parametrize("seed", range(FIRST, FIRST + WALKS))
def test_the_auditor_judges_as_the_contract_does(seen: Counter[str], seed: int) -> None:
    world = World()
    watcher = Watcher(world)
    market = prepare(world)
    world.evm.now = START
    EscrowWalk(Walked(market, world.evm.create(feed_code())), seed).run(STEPS)
    watcher.compare()
    seen += watcher.explained + watcher.refused


def test_the_walks_came_around(seen: Counter[str]) -> None:
    acts = {"openEscrow", "endByCondition", "endByAgreement", "endByDefault"}
    errors = {"SignatureInvalid", "ConditionNotMet", "DeadlinePassed", "NotDisputed", "NotAParty"}
    assert acts | errors <= seen.keys()
