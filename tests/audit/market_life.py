"""All that can happen to a market, on a real chain: an audit has to explain it and find nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import count
from typing import NamedTuple

from chain_engines import FUNDED_KEYS, mine
from chain_market import ACCOUNTS, DESK_KEYS, EURO, KEYS, LEIS, SHARES, Market, officer_key

from settle.chain.abi import load_abi
from settle.chain.approvals import Operation, approver_domain, operation_digest
from settle.chain.authority import ADMIN, COMPLIANCE, ISSUER
from settle.chain.desk import Desk
from settle.chain.direct import DirectSender, Order
from settle.chain.eip712 import compact, sign
from settle.chain.signing import created_address
from settle.domain.ids import Address, AssetId, InstructionId
from settle.domain.instruction import (
    Instruction,
    Leg,
    Redemption,
    accounts_of,
    cancellation_digest,
    instruction_id,
    redemption_digest,
    release_digest,
    reservation_digest,
    withdrawal_digest,
)
from settle.domain.ledger import Standing

WALLET_LEI = "969500UP76J52A9OXU27"
GAS = 3_000_000
DAY_S = 86_400
ALPHA, BRAVO, CHARLIE = (ACCOUNTS[name] for name in ("ALPHA", "BRAVO", "CHARLIE"))
KEY_OF = {ACCOUNTS[name]: key for name, key in KEYS.items()}


def creation(runtime: str) -> bytes:
    """Creation code that leaves this runtime code behind."""
    code = bytes.fromhex(runtime)
    return bytes.fromhex(f"61{len(code):04x}80600c6000396000f3") + code


def forwarder(target: bytes) -> bytes:
    """A contract that passes every call on to one target, and fails where it fails."""
    copy, call = "366000600037", f"60006000366000600073{target.hex()}5af1"
    return creation(f"{copy}{call}602e5760006000fd5b00")


AGREES = f"6000547f1626ba7e{'00' * 28}0260005260206000f3"
WALLET = creation(f"36602014603457{AGREES}5b60003560005500")
"""An ERC-1271 wallet that agrees to all while its first slot is 1. A call of 32 bytes sets it."""
YES, NO = (1).to_bytes(32, "big"), bytes(32)


class Settled(NamedTuple):
    """An instruction that was settled alone."""

    terms: Instruction
    transaction: bytes
    signatures: list[bytes]


class MarketLife:
    """Acts on a market, each named as the contracts name it.

    `settled` has what was settled one by one.
    """

    def __init__(self, market: Market, *, seed: int = 1) -> None:
        self.market = market
        self.random = random.Random(seed)
        self.nonces = count(seed * 1_000_000)
        self.settled: list[Settled] = []
        self.relay = self.create(forwarder(market.deployment.settlement))
        self.wallet = self.create(WALLET)
        self.send(self.wallet, YES)
        desk = market.desk
        desk.perform(
            [
                desk.admit(WALLET_LEI, "COBADEFF", [self.wallet]),
                *(
                    desk.issue(asset, account, 10_000_000, bytes(32))
                    for asset in (SHARES, EURO)
                    for account in (ALPHA, BRAVO, CHARLIE, self.wallet)
                ),
            ]
        )

    # ------------------------------------------------------------------------ sending

    def create(self, code: bytes) -> Address:
        direct, node = self.market.direct, self.market.node
        address = created_address(direct.address, node.nonce(direct.address, node.head().number))
        direct.send(Order(to=b"", data=code, gas=GAS, what="creation"))
        return Address(address)

    def send(self, to: bytes, data: bytes) -> bytes:
        """Send a call by somebody who is nobody here; the hash of its transaction."""
        order = Order(to=to, data=data, gas=GAS, what="call")
        return self.market.direct.send(order).transaction_hash

    def own(self, key: bytes, data: bytes, to: bytes | None = None) -> None:
        """Send a call as the owner of a key."""
        direct = DirectSender(
            node=self.market.node,
            profile=self.market.engine.profile,
            key=key,
            pause=lambda: mine(self.market.node),
        )
        target = self.market.deployment.settlement if to is None else to
        direct.send(Order(to=target, data=data, gas=GAS, what="own call"))

    def travel_to(self, time: int) -> None:
        self.market.node.rpc.call("evm_setNextBlockTimestamp", time)
        mine(self.market.node)

    # ------------------------------------------------------------------------ terms

    def terms(self, *legs: tuple[int, Address, Address, int], lasts_s: int = DAY_S) -> Instruction:
        now = self.market.now()
        return Instruction(
            initiator=legs[0][1],
            nonce=next(self.nonces),
            settle_from=now - 100,
            settle_by=now + lasts_s,
            trade_ref=self.random.randbytes(32),
            terms=self.random.randbytes(32),
            legs=tuple(
                Leg(asset=AssetId(asset), deliverer=one, receiver=other, quantity=quantity)
                for asset, one, other, quantity in legs
            ),
        )

    def dvp(self, seller: Address = ALPHA, buyer: Address = BRAVO, **more: int) -> Instruction:
        shares, cents = self.random.randrange(1, 500), self.random.randrange(1, 9_000)
        return self.terms((SHARES, seller, buyer, shares), (EURO, buyer, seller, cents), **more)

    def identity(self, terms: Instruction) -> InstructionId:
        return instruction_id(terms, self.market.deployment.domain)

    def signatures(self, terms: Instruction, *accounts: Address) -> list[bytes]:
        """Signatures in order, those of `accounts` only where some are named, empty otherwise."""
        digest = self.identity(terms)
        return [
            self.sign(digest, account) if not accounts or account in accounts else b""
            for account in accounts_of(terms)
        ]

    def sign(self, digest: bytes, account: Address) -> bytes:
        if account not in KEY_OF:
            return b"any word of a wallet"
        signature = sign(digest, KEY_OF[account])
        return compact(signature) if self.random.random() < 0.3 else signature

    def call(self, data: bytes) -> bytes:
        return self.send(self.market.deployment.settlement, data)

    # ------------------------------------------------------------------------ acts

    def settle(self) -> Instruction:
        terms = self.dvp()
        signatures = self.signatures(terms)
        hash_ = self.call(self.market.settlement.settle(terms, signatures))
        self.settled.append(Settled(terms, hash_, signatures))
        return terms

    def settle_many(self) -> list[Instruction]:
        """A batch: one of three parties, one of a wallet, one that is not covered, one twice."""
        short = self.terms((SHARES, CHARLIE, ALPHA, 10**30), (EURO, ALPHA, CHARLIE, 1))
        three = self.terms(
            (SHARES, ALPHA, BRAVO, 5), (SHARES, BRAVO, CHARLIE, 3), (EURO, CHARLIE, ALPHA, 77)
        )
        some = [self.dvp(), short, three, self.dvp(CHARLIE, self.wallet), self.dvp(BRAVO, ALPHA)]
        some.append(some[0])
        requests = [(terms, self.signatures(terms)) for terms in some]
        self.call(self.market.settlement.settle_many(requests))
        return some

    def settle_affirmed(self) -> None:
        """Each comes by itself, the buyer by its own call, then anybody settles."""
        terms, settlement = self.dvp(), self.market.settlement
        self.call(settlement.affirm(terms, self.signatures(terms, ALPHA)))
        self.own(KEYS["BRAVO"], settlement.affirm(terms, [b"", b""]))
        self.call(settlement.settle(terms, []))

    def reserve(self, terms: Instruction, account: Address, *, committed: bool) -> None:
        digest = reservation_digest(
            account, self.identity(terms), self.market.deployment.domain, committed=committed
        )
        signature = self.sign(digest, account)
        self.call(self.market.settlement.reserve(terms, account, signature, committed=committed))

    def settle_reserved(self) -> None:
        terms = self.dvp()
        self.call(self.market.settlement.affirm(terms, self.signatures(terms)))
        self.reserve(terms, ALPHA, committed=False)
        self.reserve(terms, ALPHA, committed=True)
        self.reserve(terms, BRAVO, committed=True)
        self.call(self.market.settlement.settle_many([(terms, [])]))

    def release(self) -> None:
        """Reserve, release by a message, reserve again by an own call; lapsed, anybody ends it."""
        terms, settlement = self.dvp(lasts_s=5_000), self.market.settlement
        self.call(settlement.affirm(terms, self.signatures(terms, ALPHA)))
        self.reserve(terms, ALPHA, committed=False)
        digest = release_digest(ALPHA, self.identity(terms), self.market.deployment.domain)
        self.call(settlement.release(terms, ALPHA, self.sign(digest, ALPHA)))
        self.own(KEYS["ALPHA"], settlement.reserve(terms, ALPHA, b"", committed=True))
        self.travel_to(terms.settle_by)
        self.call(settlement.release(terms, ALPHA, b""))

    def stay_reserved(self) -> Instruction:
        """Leave an instruction live on chain, in part reserved."""
        terms = self.dvp(CHARLIE, ALPHA)
        self.call(self.market.settlement.affirm(terms, self.signatures(terms, CHARLIE)))
        self.reserve(terms, ALPHA, committed=True)
        return terms

    def withdraw(self) -> None:
        terms, settlement = self.dvp(), self.market.settlement
        self.call(settlement.affirm(terms, self.signatures(terms, ALPHA)))
        self.reserve(terms, ALPHA, committed=False)
        digest = withdrawal_digest(BRAVO, self.identity(terms), self.market.deployment.domain)
        self.call(settlement.withdraw(terms, BRAVO, self.sign(digest, BRAVO)))
        other = self.dvp()
        self.own(KEYS["BRAVO"], settlement.withdraw(other, BRAVO, b""))

    def cancel(self) -> None:
        """By its initiator alone, and by all after all had affirmed."""
        settlement, domain = self.market.settlement, self.market.deployment.domain
        alone, together = self.dvp(), self.dvp()
        valid_by = self.market.now() + 1_000
        digest = cancellation_digest(ALPHA, self.identity(alone), domain, valid_by=valid_by)
        self.call(settlement.cancel(alone, valid_by, [self.sign(digest, ALPHA)]))
        self.call(settlement.affirm(together, self.signatures(together)))
        self.reserve(together, BRAVO, committed=True)
        identity = self.identity(together)
        signatures = [
            self.sign(cancellation_digest(a, identity, domain, valid_by=valid_by), a)
            for a in accounts_of(together)
        ]
        self.call(settlement.cancel(together, valid_by, signatures))

    # ------------------------------------------------------------------------ officers

    def freeze(self) -> None:
        desk = self.market.desk
        desk.perform([desk.freeze_account(CHARLIE, b"AUTH"), desk.freeze_asset(SHARES, b"AUTH")])
        frozen = self.dvp(CHARLIE, ALPHA)
        self.call(self.market.settlement.settle_many([(frozen, self.signatures(frozen))]))
        desk.perform(
            [
                desk.freeze_account(CHARLIE, b"AUTH", frozen=False),
                desk.freeze_asset(SHARES, b"AUTH", frozen=False),
            ]
        )

    def suspend(self) -> None:
        desk = self.market.desk
        desk.perform([desk.set_standing(LEIS[2], Standing.SUSPENDED, b"RISK")])
        desk.perform([desk.open_account(LEIS[2], Address(self.random.randbytes(20)))])
        desk.perform([desk.set_standing(LEIS[2], Standing.ADMITTED, b"RISK")])

    def redeem(self) -> None:
        order = Redemption(
            account=BRAVO,
            asset=EURO,
            quantity=25,
            ref=self.random.randbytes(32),
            nonce=next(self.nonces),
            valid_by=self.market.now() + 1_000,
        )
        signature = sign(redemption_digest(order, self.market.deployment.domain), KEYS["BRAVO"])
        data = self.market.settlement.encode(
            "redeem",
            *(order.account, order.asset, order.quantity, order.ref, order.nonce, order.valid_by),
            signature,
        )
        desk, settlement = self.market.desk, self.market.deployment.settlement
        desk.perform([desk.order(ISSUER, settlement, data, "redemption", gas=GAS)])

    def revoke(self) -> None:
        """A signer ends an operation that nobody performed yet."""
        deployment = self.market.deployment
        approver = deployment.approver_of(COMPLIANCE).address
        data = self.market.settlement.freeze_account(ALPHA, b"AUTH", frozen=True)
        operation = Operation(
            target=deployment.settlement,
            data=data,
            reason=b"AUTH",
            nonce=next(self.nonces),
            valid_by=self.market.now() + 1_000,
        )
        digest = operation_digest(operation, approver_domain(deployment.chain_id, approver))
        self.own(officer_key(8), load_abi("Approver").encode("revoke", digest), approver)

    def administer(self, target: bytes, data: bytes, *, directly: bool) -> None:
        """Have the administrator schedule an act, wait for its delay, and perform it."""
        deployment, manager = self.market.deployment, load_abi("AccessManager")
        desk = Desk(
            deployment=deployment,
            keys={**DESK_KEYS, ADMIN: (officer_key(0), officer_key(1))},
            direct=self.market.direct,
            clock=self.market.now,
        )
        authority = deployment.contracts["AccessManager"]
        scheduled = manager.encode("schedule", target, data, 0)
        desk.perform([desk.order(ADMIN, authority, scheduled, "schedule", gas=GAS)])
        self.travel_to(self.market.now() + DAY_S + 10)
        act = (target, data) if directly else (authority, manager.encode("execute", target, data))
        desk.perform([desk.order(ADMIN, *act, "act", gas=GAS)])

    def use_module(self) -> None:
        """Let a module hold and move value, then stop it; its hold is released all the same."""
        settlement, address = self.market.settlement, self.market.deployment.settlement
        on = settlement.encode("setModule", self.relay, True)
        self.administer(address, on, directly=True)
        deadline = self.market.now() + 2 * DAY_S
        first, second = (
            (self.relay, bytes([7]) * 32, index, ALPHA, SHARES, 10 + index, deadline)
            for index in (0, 1)
        )
        self.send(self.relay, settlement.encode("placeHold", first))
        self.send(self.relay, settlement.encode("placeHold", second))
        moves = [(SHARES, ALPHA, -10), (SHARES, CHARLIE, 10)]
        self.send(self.relay, settlement.encode("post", bytes([9]) * 32, [first], moves))
        off = settlement.encode("setModule", self.relay, False)
        self.administer(address, off, directly=False)
        self.travel_to(deadline)
        self.call(settlement.encode("releaseHold", second))

    def settle_through_relay(self) -> Instruction:
        """A foreign contract stands between the sender and the settlement."""
        terms = self.dvp()
        requests = [(terms, self.signatures(terms))]
        self.send(self.relay, self.market.settlement.settle_many(requests))
        return terms

    def change_of_mind(self) -> None:
        """The wallet agrees only from a transaction of the same block on."""
        self.send(self.wallet, NO)
        terms = self.dvp(CHARLIE, self.wallet)
        data = self.market.settlement.settle(terms, self.signatures(terms))
        self.market.direct.send_all(
            [
                Order(to=self.wallet, data=YES, gas=GAS, what="yes"),
                Order(to=self.market.deployment.settlement, data=data, gas=GAS, what="settle"),
            ]
        )

    # ------------------------------------------------------------------------ life

    def acts(self) -> Sequence[Callable[[], object]]:
        """Every act that leaves this market in order."""
        return (
            *(self.settle, self.settle_many, self.settle_affirmed, self.settle_reserved),
            *(self.release, self.stay_reserved, self.withdraw, self.cancel, self.freeze),
            *(self.suspend, self.redeem, self.revoke, self.settle_through_relay),
            self.change_of_mind,
        )

    def live(self, acts: int) -> None:
        """Do so many acts, chosen by the seed."""
        for _ in range(acts):
            self.random.choice(self.acts())()

    def live_once_each(self) -> None:
        """Do everything once."""
        for act in self.acts():
            act()
        self.use_module()


FUNDED = (*FUNDED_KEYS, *KEYS.values(), officer_key(8))
"""Who needs gas: senders, accounts that call themselves, and an officer that revokes."""
