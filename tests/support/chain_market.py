"""A deployed market on an engine: officers, three participants, two securities and a currency."""

from __future__ import annotations

import time
from dataclasses import dataclass

from chain_engines import FUNDED_KEYS, mine

from settle.chain.authority import COMPLIANCE, ISSUER, REGISTRAR, REVOKER
from settle.chain.contracts import SettlementContract
from settle.chain.deploy import ApproverPlan, deploy
from settle.chain.deployment import Deployment
from settle.chain.desk import Desk
from settle.chain.direct import DirectSender, Order
from settle.chain.eip712 import address_of, sign
from settle.chain.engine import RunningEngine
from settle.chain.node import Node
from settle.domain.ids import Address, AssetId
from settle.domain.instruction import Instruction, Leg, accounts_of, instruction_id
from settle.domain.ledger import AssetClass

SHARES, BONDS, EURO = AssetId(1), AssetId(2), AssetId(3)
NAMES = ("ALPHA", "BRAVO", "CHARLIE")
LEIS = ("529900T8BM49AURSDO55", "7LTWFZYICNSX8D621K86", "R0MUWSFPU8MPRO8K5P83")


def officer_key(number: int) -> bytes:
    return (0xA000 + number).to_bytes(32, "big")


def account_key(name: str) -> bytes:
    return name.encode().rjust(32, b"\1")


KEYS = {name: account_key(name) for name in NAMES}
ACCOUNTS: dict[str, Address] = {name: address_of(key) for name, key in KEYS.items()}
PLANS = {
    name: ApproverPlan(
        role=role,
        signers={
            address_of(officer_key(2 * i)): "operator",
            address_of(officer_key(2 * i + 1)): "depository",
        },
        delay_s=delay_s,
    )
    for i, (name, role, delay_s) in enumerate(
        [
            ("admin", "ADMIN", 86_400),
            ("admin_reserve", "ADMIN", 86_400),
            ("registrar", REGISTRAR, 0),
            ("issuer", ISSUER, 0),
            ("compliance", COMPLIANCE, 0),
            ("revoker", REVOKER, 0),
        ]
    )
}
DESK_KEYS = {
    REGISTRAR: (officer_key(4), officer_key(5)),
    ISSUER: (officer_key(6), officer_key(7)),
    COMPLIANCE: (officer_key(8), officer_key(9)),
    REVOKER: (officer_key(10), officer_key(11)),
}


@dataclass
class Market:
    """A deployment and everybody in it."""

    engine: RunningEngine
    node: Node
    deployment: Deployment
    desk: Desk
    direct: DirectSender
    next_nonce: int = 1

    @property
    def settlement(self) -> SettlementContract:
        return SettlementContract(self.deployment.settlement)

    def now(self) -> int:
        return self.node.head().timestamp

    def issue(self, name: str, asset: int, quantity: int) -> None:
        self.desk.perform([self.desk.issue(asset, ACCOUNTS[name], quantity, bytes(32))])

    def trade(
        self, seller: str, buyer: str, shares: int, cents: int, **changes: object
    ) -> Instruction:
        """Shares against euro, initiated by the seller."""
        self.next_nonce += 1
        legs = (
            Leg(
                asset=SHARES,
                deliverer=ACCOUNTS[seller],
                receiver=ACCOUNTS[buyer],
                quantity=shares,
            ),
            Leg(asset=EURO, deliverer=ACCOUNTS[buyer], receiver=ACCOUNTS[seller], quantity=cents),
        )
        fields: dict[str, object] = {
            "initiator": ACCOUNTS[seller],
            "nonce": self.next_nonce,
            "settle_from": self.now() - 1_000,
            "settle_by": self.now() + 100_000,
            "legs": legs,
            **changes,
        }
        return Instruction(**fields)  # type: ignore[arg-type]

    def call(self, name: str, data: bytes, gas: int = 1_000_000) -> None:
        """Let an account call Settlement itself, from means of its own, until that is final."""
        means = Order(to=ACCOUNTS[name], data=b"", gas=21_000, what="means", value=10**18)
        self.direct.send(means)
        own = DirectSender(
            node=self.node,
            profile=self.engine.profile,
            key=KEYS[name],
            pause=lambda: mine(self.node),
        )
        own.send(Order(to=self.deployment.settlement, data=data, gas=gas, what="an own call"))

    def signatures(self, instruction: Instruction) -> list[bytes]:
        digest = instruction_id(instruction, self.deployment.domain)
        key_of = {ACCOUNTS[name]: key for name, key in KEYS.items()}
        return [sign(digest, key_of[account]) for account in accounts_of(instruction)]


def build_market(engine: RunningEngine) -> Market:
    """Deploy on an engine that is mined by hand."""
    node = engine.node()

    def pause() -> None:
        mine(node)

    deployment = deploy(
        node=node, profile=engine.profile, key=FUNDED_KEYS[1], approvers=PLANS, pause=pause
    )
    direct = DirectSender(node=node, profile=engine.profile, key=FUNDED_KEYS[2], pause=pause)
    desk = Desk(
        deployment=deployment,
        keys=DESK_KEYS,
        direct=direct,
        clock=lambda: max(int(time.time()), node.head().timestamp),
    )
    issuer = ACCOUNTS["ALPHA"]
    desk.perform(
        [
            *(
                desk.admit(lei, "COBADEFF", [ACCOUNTS[name]])
                for name, lei in zip(NAMES, LEIS, strict=True)
            ),
            desk.create_asset(AssetClass.SECURITY, 0, "DE0007164600", issuer),
            desk.create_asset(AssetClass.SECURITY, 2, "DE0001102580", issuer),
            desk.create_asset(AssetClass.CENTRAL_BANK_MONEY, 2, "EUR", issuer),
        ]
    )
    return Market(engine=engine, node=node, deployment=deployment, desk=desk, direct=direct)
