"""A chain in memory: blocks, a pool, base fees, reorganisations, and the contract as its twin.

Honest where it matters to an operator: a nonce counts once, a replacement must pay more, signatures
are recovered from the very bytes, and what is executed is read out of the call data by the ABI.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import rlp

from settle.chain.abi import load_abi
from settle.chain.eip712 import recover
from settle.domain import chainstate as twin
from settle.domain.chain_errors import BatchEmpty, Reverted
from settle.domain.chain_events import ChainEvent
from settle.domain.ids import ZERO_ADDRESS, Address
from settle.domain.instruction import (
    Instruction,
    Leg,
    accounts_of,
    cancellation_digest,
    instruction_id,
)
from settle.domain.keccak import keccak256
from tests.fakes import FakeChain

GWEI = 10**9
_BUMP = 110  # percent of both fees that a replacement must offer, as go-ethereum wants it
_INTRINSIC = 21_000
_SETTLEMENT = load_abi("Settlement")
Act = Callable[[twin.ChainState], twin.Step]
"""What an officer does: it is done on whatever state the block begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tx:
    """Signed bytes, read."""

    hash: bytes
    sender: bytes
    chain_id: int
    nonce: int
    tip: int
    max_fee: int
    gas: int
    to: bytes
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """A transaction in a block and what it said."""

    tx: Tx
    succeeded: bool
    events: tuple[ChainEvent, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block with the state after it. `acts`: what officers did in it, and what that said."""

    number: int
    hash: bytes
    parent: bytes
    timestamp: int
    base_fee: int
    acts: tuple[Act, ...]
    said: tuple[ChainEvent, ...]
    mined: tuple[Mined, ...]
    state: twin.ChainState
    nonces: dict[bytes, int]


def read_transaction(raw: bytes) -> Tx:
    """Read an EIP-1559 transaction; the sender comes out of the signature."""
    fields = rlp.decode(raw[1:])
    digest = keccak256(raw[:1] + rlp.encode(fields[:9]))
    parity, r, s = (int.from_bytes(one, "big") for one in fields[9:12])
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((27 + parity,))
    chain_id, nonce, tip, max_fee, gas = (int.from_bytes(one, "big") for one in fields[:5])
    return Tx(
        hash=keccak256(raw),
        sender=bytes(recover(digest, signature)),
        chain_id=chain_id,
        nonce=nonce,
        tip=tip,
        max_fee=max_fee,
        gas=gas,
        to=bytes(fields[5]),
        data=bytes(fields[7]),
    )


def read_call(data: bytes) -> tuple[str, list[tuple[Instruction, list[bytes]]], int]:
    """Read settleMany or cancel: its name, the requests, and until when a cancellation serves."""
    for name in ("settleMany", "cancel", "whyNot"):
        if data[:4] == _SETTLEMENT.functions[name].selector:
            values = _SETTLEMENT.decode_call(name, data)
            break
    else:
        raise ValueError(f"the model knows no call 0x{data[:4].hex()}")
    if name == "settleMany":
        return name, [(_instruction(one), list(signed)) for one, signed in values[0]], 0
    if name == "whyNot":
        return name, [(_instruction(values[0]), list(values[1]))], 0
    return name, [(_instruction(values[0]), list(values[2]))], values[1]


def _instruction(words: Sequence[object]) -> Instruction:
    names = (
        *("initiator", "nonce", "settle_from", "settle_by", "cycle", "options", "minimum_lot"),
        *("predecessor", "trade_ref", "terms"),
    )
    told = dict(zip(names, words, strict=False))
    told["initiator"] = _address(words[0])
    legs = tuple(
        Leg(asset=asset, deliverer=_address(giver), receiver=_address(taker), quantity=quantity)
        for asset, giver, taker, quantity in words[10]  # type: ignore[attr-defined]
    )
    return Instruction(legs=legs, **told)  # type: ignore[arg-type]


def _address(text: object) -> Address:
    return Address(bytes.fromhex(str(text)[2:]))


@dataclass
class ChainModel:
    """One node's view of a chain. What it is told to forget it forgets; what is mined stays."""

    twin: FakeChain
    clock: Callable[[], int]
    blocks: list[Block] = field(default_factory=list)
    pool: dict[tuple[bytes, int], Tx] = field(default_factory=dict)
    seen: dict[tuple[bytes, int], dict[bytes, Tx]] = field(default_factory=dict)
    """Every attempt that some node of the network has ever taken: any of them may be mined."""
    refused_nonces: set[int] = field(default_factory=set)
    """Nonces whose calls no node takes, whatever they pay; an empty transaction goes through."""
    acts: list[Act] = field(default_factory=list)
    """What officers do in the next block."""
    base_fee: int = GWEI
    reorganised: int = 0

    def __post_init__(self) -> None:
        self.blocks.append(
            Block(
                number=0,
                hash=keccak256(b"genesis of the model"),
                parent=bytes(32),
                timestamp=self.clock(),
                base_fee=self.base_fee,
                acts=(),
                said=(),
                mined=(),
                state=self.twin.state,
                nonces={},
            )
        )

    @property
    def head(self) -> Block:
        """The newest block."""
        return self.blocks[-1]

    # --------------------------------------------------------------------------- taking

    def submit(self, raw: bytes) -> str | None:
        """Take signed bytes as a node does; the words of its refusal."""
        tx = read_transaction(raw)
        key = (tx.sender, tx.nonce)
        if tx.chain_id != self.twin.domain.chain_id:
            return "invalid chain id"
        if tx.nonce < self.head.nonces.get(tx.sender, 0):
            return "nonce too low"
        if tx.data and tx.nonce in self.refused_nonces:
            return "rejected by policy"
        if tx.gas < _INTRINSIC + (16 * len(tx.data) if tx.data else 0) // 4:
            return "intrinsic gas too low"
        waiting = self.pool.get(key)
        if waiting is not None and waiting.hash == tx.hash:
            return "already known"
        if waiting is not None and (
            tx.max_fee * 100 < waiting.max_fee * _BUMP or tx.tip * 100 < waiting.tip * _BUMP
        ):
            return "replacement transaction underpriced"
        self.pool[key] = tx
        self.seen.setdefault(key, {})[tx.hash] = tx
        return None

    def knows(self, hash_: bytes) -> bool:
        """Whether the node has a transaction, waiting or mined."""
        return any(tx.hash == hash_ for tx in self.pool.values()) or self.find(hash_) is not None

    def find(self, hash_: bytes) -> tuple[Block, Mined] | None:
        """Find a mined transaction."""
        for block in reversed(self.blocks):
            for mined in block.mined:
                if mined.tx.hash == hash_:
                    return block, mined
        return None

    # --------------------------------------------------------------------------- mining

    def mine(self, dice: random.Random | None = None) -> Block:
        """Add a block. With `dice` it leaves some out, and may have another attempt than ours."""
        nonces = dict(self.head.nonces)
        state, acts = self.head.state, tuple(self.acts)
        self.acts.clear()
        now = max(self.head.timestamp + 1, self.clock())
        said: list[ChainEvent] = []
        for act in acts:
            state, told = act(state)
            said += told
        mined: list[Mined] = []
        for sender, nonce in sorted(self.pool):
            if nonce != nonces.get(sender, 0):
                continue
            tx = self._choose(sender, nonce, dice)
            if tx is None:
                continue
            state, one = self._execute(state, tx, now)
            mined.append(one)
            nonces[sender] = nonce + 1
        self.pool = {k: tx for k, tx in self.pool.items() if k[1] >= nonces.get(k[0], 0)}
        number = self.head.number + 1
        salt = (number.to_bytes(8, "big"), self.reorganised.to_bytes(4, "big"))
        self.blocks.append(
            Block(
                number=number,
                hash=keccak256(b"".join((self.head.hash, *salt, *(m.tx.hash for m in mined)))),
                parent=self.head.hash,
                timestamp=now,
                base_fee=self.base_fee,
                acts=acts,
                said=tuple(said),
                mined=tuple(mined),
                state=state,
                nonces=nonces,
            )
        )
        return self.head

    def _choose(self, sender: bytes, nonce: int, dice: random.Random | None) -> Tx | None:
        waiting = self.pool[sender, nonce]
        attempts = [waiting]
        if dice is not None and dice.random() < 0.4:
            attempts = list(self.seen[sender, nonce].values())
            dice.shuffle(attempts)
        if dice is not None and dice.random() < 0.25:
            return None
        return next((tx for tx in attempts if tx.max_fee >= self.base_fee), None)

    def _execute(self, state: twin.ChainState, tx: Tx, now: int) -> tuple[twin.ChainState, Mined]:
        if not tx.data:
            return state, Mined(tx=tx, succeeded=True, events=())
        try:
            after, events = self._run(state, tx.data, now)
        except Reverted:
            return state, Mined(tx=tx, succeeded=False, events=())
        return after, Mined(tx=tx, succeeded=True, events=tuple(events))

    def _run(self, state: twin.ChainState, data: bytes, now: int) -> twin.Step:
        name, requests, valid_by = read_call(data)
        domain = self.twin.domain
        if name == "cancel":
            [(instruction, signatures)] = requests
            digest = instruction_id(instruction, domain)
            digests = [
                cancellation_digest(account, digest, domain, valid_by=valid_by)
                for account in accounts_of(instruction)
            ]
            brought = self.twin.brought(instruction, signatures, digests)
            return twin.cancel(
                state, instruction, brought, valid_by=valid_by, caller=ZERO_ADDRESS, now=now
            )
        if any(instruction_id(one, domain) in self.twin.poison for one, _ in requests):
            raise Reverted(BatchEmpty())
        pairs = [(one, self.twin.brought(one, signed)) for one, signed in requests]
        return twin.settle_many(state, pairs, now=now)

    def why_not(self, data: bytes, block: Block) -> list[tuple[object, ...]]:
        """Answer the contract's question on the state after a block."""
        _, [(instruction, signatures)], _ = read_call(data)
        brought = self.twin.brought(instruction, signatures)
        reasons = twin.why_not(block.state, instruction, brought, now=block.timestamp)
        return [
            (one.code.encode(), one.leg, one.who or ZERO_ADDRESS, one.needed, one.have)
            for one in reasons
        ]

    # --------------------------------------------------------------------------- turning

    def reorganise(self, depth: int, dice: random.Random) -> None:
        """Take blocks back and put as many others there; some transactions are lost on the way."""
        gone = self.blocks[-depth:]
        del self.blocks[-depth:]
        self.reorganised += 1
        for block in gone:
            for one in block.mined:
                if dice.random() < 0.75:
                    self.pool.setdefault((one.tx.sender, one.tx.nonce), one.tx)
        self.acts[:0] = [act for block in gone for act in block.acts]
        for _ in range(depth + dice.randrange(2)):
            self.mine(dice)
