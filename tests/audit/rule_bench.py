"""Books, a stage and hand-made events: what no honest contract would do can be judged here."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

from coincurve import PrivateKey

from settle.audit import books as state
from settle.audit import published
from settle.audit.authority_state import Approver, Authority, Delay, Member
from settle.audit.books import Account, Asset, Books, Hold, LiveInstruction
from settle.audit.calls import Call, CallReader
from settle.audit.consents import Consents
from settle.audit.deployment import ApproverEntry, Deployment
from settle.audit.events import Event
from settle.audit.explain_affirming import Affirming
from settle.audit.explain_authority import Administering
from settle.audit.explain_escrows import Escrowing
from settle.audit.explain_privileged import Privileged
from settle.audit.explain_settling import Settling
from settle.audit.findings import Code, Findings, Place
from settle.audit.fold import Fold
from settle.audit.fold_authority import AuthorityFold
from settle.audit.rpc import NodeLine
from settle.audit.stage import Stage, unexplained
from settle.audit.terms import Instruction, Leg, parties
from settle.audit.typed_data import Digests
from settle.audit.wire import NodeError
from settle.domain.keccak import keccak256

NOW = 1_000_000
ANYBODY, RELAY = b"\x0a" * 20, b"\x0b" * 20
MANAGER, AFFIRMATION, SETTLEMENT, PARTICIPANTS, ISSUER, ADMIN, ESCROW = (
    bytes([n]) * 20 for n in range(1, 8)
)
SHARES, EURO = 1, 2


def secret(number: int) -> PrivateKey:
    return PrivateKey(number.to_bytes(32, "big"))


def address_of(key: PrivateKey) -> bytes:
    return keccak256(key.public_key.format(compressed=False)[1:])[12:]


KEYS = {address_of(key): key for key in map(secret, range(1, 11))}
ALPHA, BRAVO, FIRST, SECOND, CHARLIE, ORACLE, *ARBITERS, FALLBACK = KEYS


def sign(digest: bytes, account: bytes) -> bytes:
    signed = KEYS[account].sign_recoverable(digest, hasher=None)
    return signed[:64] + bytes((27 + signed[64],))


class Silent:
    """A node that answers nothing: nothing here may hang on it."""

    def call(self, method: str, *_params: Any) -> Any:
        raise NodeError(-32601, f"no {method}")

    def batch(self, calls: Sequence[Any]) -> list[Any]:
        return [NodeError(-32601, "nothing") for _ in calls]

    def close(self) -> None:
        pass


DEPLOYMENT = Deployment(
    chain_id=7,
    genesis_hash=bytes(32),
    block=1,
    contracts={
        "AccessManager": MANAGER,
        "Affirmation": AFFIRMATION,
        "Escrow": ESCROW,
        "Settlement": SETTLEMENT,
        "Participants": PARTICIPANTS,
    },
    approvers={
        name: ApproverEntry(
            address=address,
            role=role,
            delay_s=delay_s,
            signers={FIRST: b"one".ljust(32, b"\0"), SECOND: b"two".ljust(32, b"\0")},
        )
        for name, address, role, delay_s in (
            ("issuer", ISSUER, "ISSUER", 0),
            ("admin", ADMIN, "ADMIN", 100),
        )
    },
    roles={"ADMIN": 0, "REGISTRAR": 1, "ISSUER": 2, "COMPLIANCE": 3, "REGISTRY": 4, "REVOKER": 5},
    code_hashes={},
    deployer=ANYBODY,
    signer=ANYBODY,
)


class Bench:
    """Two admitted parties that hold 1,000 of each asset, and everybody who may act on them."""

    def __init__(self, line: NodeLine | None = None) -> None:
        self.contracts = published.load()
        self.findings = Findings()
        self.books = Books(SETTLEMENT)
        kinds = DEPLOYMENT.kinds()
        for asset, code in ((SHARES, b"DE0007164600"), (EURO, b"EUR")):
            self.books.assets[asset] = Asset(1, 0, code.ljust(12, b"\0"), ANYBODY, supply=2_000)
            for account in (ALPHA, BRAVO):
                self.books.holdings[account, asset] = (1_000, 0)
        for account in (ALPHA, BRAVO):
            self.books.accounts[account] = Account(standing=state.ADMITTED)
        self.authority = Authority(
            manager=MANAGER,
            approvers={a.address: Approver(dict(a.signers)) for a in DEPLOYMENT.approvers.values()},
            members={
                (2, ISSUER): Member(1, Delay()),
                (0, ADMIN): Member(1, Delay(after=100)),
                (4, PARTICIPANTS): Member(1, Delay()),
            },
        )
        settlement = self.contracts["Settlement"]
        for name, role in (("issue", 2), ("redeem", 2), ("setStanding", 4)):
            self.authority.functions[SETTLEMENT, settlement.selector(name)] = role
        line = line or Silent()
        calls = CallReader(line, self.contracts, kinds)
        roles = AuthorityFold(
            self.authority, DEPLOYMENT, self.contracts, self.findings, lambda *_: False
        )
        self.digests = Digests(7, SETTLEMENT)
        self.stage = Stage(
            deployment=DEPLOYMENT,
            published=self.contracts,
            kinds=kinds,
            books=self.books,
            authority=self.authority,
            fold=Fold(self.books, roles, DEPLOYMENT, kinds, self.findings),
            consents=Consents(line, calls, SETTLEMENT, self.findings),
            digests=self.digests,
            findings=self.findings,
        )
        self.settling = Settling(self.stage)
        self.affirming = Affirming(self.stage)
        self.escrowing = Escrowing(self.stage)
        self.privileged = Privileged(self.stage)
        self.passed_on: list[Call] = []
        self.administering = Administering(self.stage, self.passed_on.append)
        self.time = NOW
        self.logs = 0

    # ------------------------------------------------------------------------ making

    def terms(self, **changes: Any) -> Instruction:
        given = {
            "initiator": ALPHA,
            "nonce": 5,
            "settle_from": NOW - 10,
            "settle_by": NOW + 10,
            "cycle": bytes(32),
            "options": 0,
            "minimum_lot": 0,
            "predecessor": bytes(32),
            "trade_ref": bytes(32),
            "terms": bytes(32),
            "legs": (Leg(SHARES, ALPHA, BRAVO, 30), Leg(EURO, BRAVO, ALPHA, 40)),
        }
        return Instruction(**{**given, **changes})

    def live(self, terms: Instruction, **changes: Any) -> LiveInstruction:
        """Let an instruction be live, with all consents unless said otherwise."""
        self.books.set_nonce(terms.initiator, terms.nonce, state.LIVE)
        accounts = parties(terms.legs)
        values = {
            "consents": (1 << len(accounts)) - 1,
            "accounts": accounts,
            **changes,
        }
        live = LiveInstruction(terms.initiator, terms.nonce, len(accounts), **values)
        self.books.live[self.digests.instruction(terms)] = live
        return live

    def reserve(self, terms: Instruction, position: int, *, committed: bool = False) -> Hold:
        """Hold a leg of a live instruction, as if it had been reserved."""
        identity, leg = self.digests.instruction(terms), terms.legs[position]
        hold = Hold(
            *(SETTLEMENT, identity, position, leg.deliverer, leg.asset, leg.quantity),
            terms.settle_by,
        )
        available, held = self.books.holding(leg.deliverer, leg.asset)
        self.books.holdings[leg.deliverer, leg.asset] = (
            available - leg.quantity,
            held + leg.quantity,
        )
        self.books.place_hold(hold)
        if committed:
            self.books.live[identity].committed |= 1 << position
        return hold

    def call(self, caller: bytes = ANYBODY, data: bytes = b"", target: bytes = SETTLEMENT) -> Call:
        return Call(target, data, caller, Place(9, self.time, b"\x99" * 32))

    def event(
        self, name: str, subject: bytes = b"", address: bytes = SETTLEMENT, **arguments: Any
    ) -> None:
        """Let the next event be this one."""
        self.logs += 1
        place = Place(9, self.time, b"\x99" * 32, self.logs)
        self.stage.stream.append(Event(address, name, subject, arguments, place))

    def hold_ended(self, hold: Hold, *, executed: bool) -> None:
        available, held = self.books.holding(hold.account, hold.asset)
        after = (available + hold.quantity, held - hold.quantity)
        self.event(
            "HoldEnded", hold.purpose, **hold.arguments(), executed=int(executed), holding=after
        )

    def settled(self, terms: Instruction, *, executed: Sequence[Hold] = ()) -> None:
        """Write the events of a settlement as the contract would."""
        identity, now = self.digests.instruction(terms), dict(self.books.holdings)
        for hold in executed:
            self.hold_ended(hold, executed=True)
            available, held = now[hold.account, hold.asset]
            now[hold.account, hold.asset] = (available + hold.quantity, held - hold.quantity)
        for leg in terms.legs:
            words = []
            for account, delta in ((leg.deliverer, -leg.quantity), (leg.receiver, leg.quantity)):
                available, held = now.get((account, leg.asset), (0, 0))
                now[account, leg.asset] = (max(0, available + delta), held)
                words.append(max(0, available + delta) | held << 128)
            self.event(
                "Posted",
                identity,
                instruction=identity,
                **leg._asdict(),
                delivererHolding=words[0],
                receiverHolding=words[1],
            )
        self.event(*("InstructionSettled", identity), initiator=terms.initiator, nonce=terms.nonce)

    def settle(self, terms: Instruction, signatures: Sequence[bytes] | None = None) -> set[Code]:
        """Explain a settlement that left the events before; the classes of findings."""
        if signatures is None:
            identity = self.digests.instruction(terms)
            signatures = [sign(identity, account) for account in parties(terms.legs)]
        if not self.stage.stream:
            self.settled(terms)
        value = (*terms[:-1], tuple(tuple(leg) for leg in terms.legs))
        arguments = {"instruction": value, "signatures": tuple(signatures)}
        self.settling.settle(self.call(), arguments)
        return self.codes()

    def act(
        self, name: str, terms: Instruction, caller: bytes = ANYBODY, **arguments: Any
    ) -> set[Code]:
        """Explain another act on an instruction; the classes of findings."""
        value = (*terms[:-1], tuple(tuple(leg) for leg in terms.legs))
        self.affirming.explain(name, self.call(caller), {"instruction": value, **arguments})
        return self.codes()

    def fold(self) -> set[Code]:
        """Apply the events before without asking for calls; the classes of findings."""
        while self.stage.stream:
            self.stage.fold.apply(self.stage.stream.popleft())
        return self.codes()

    def codes(self) -> set[Code]:
        """End the transaction; the classes of all findings so far."""
        unexplained(self.stage, Code.UNEXPLAINED)
        self.stage.fold.close()
        self.stage.stream = deque()
        return set(self.findings.by_code)
