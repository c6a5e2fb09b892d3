"""A sender over a real SQLite file and a real engine, faults that are placed on purpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chain_engines import FUNDED_KEYS, mine
from sqlalchemy import Connection, text

from settle.chain.eip712 import address_of
from settle.chain.engine import RunningEngine
from settle.chain.keystore import new_key
from settle.chain.lease import this_holder
from settle.chain.node import Node
from settle.chain.rpc import Call, Json, Rpc, RpcError
from settle.chain.sender import Sender
from settle.chain.signing import UnsignedTransaction, created_address, sign_transaction
from settle.domain.errors import Unavailable
from settle.services.chain_rows import TransactionRow
from settle.store.alarms import Alarms
from settle.store.database import Database, open_database
from settle.store.transactions import SqlSenderStore

COUNTER = bytes.fromhex("600b80600b6000396000f3" + "6000358054600101905500")
"""Code that creates a contract whose call adds one to the slot that its first word names."""
REVERTER = bytes.fromhex("600580600b6000396000f360006000fd")


class Killed(BaseException):
    """The process ends here."""


class Store(SqlSenderStore, Alarms):
    """What the sender writes."""


@dataclass
class Clock:
    """Unix seconds that pass when a test says so."""

    now: int

    def __call__(self) -> int:
        return self.now


class FaultyRpc(Rpc):
    """A real node behind a connection that breaks before or after a request when told to."""

    fault: Callable[[str], str | None] = staticmethod(lambda _method: None)
    forget = ""
    """A method that answers null, as a node that is not up to date."""

    def call(self, method: str, *params: Json) -> Json:
        where = self.fault(method)
        self._break(where, "before")
        result = super().call(method, *params)
        self._break(where, "after")
        return result

    def batch(self, calls: Sequence[Call]) -> list[Json | RpcError]:
        where = self.fault(calls[0].method) if calls else None
        self._break(where, "before")
        result = super().batch(calls)
        if calls and calls[0].method == self.forget:
            result = [None] * len(result)
        self._break(where, "after")
        return result

    def _break(self, where: str | None, here: str) -> None:
        if where == here:
            raise Unavailable("the connection broke on purpose")


@dataclass
class Bench:
    """Everything that a sender's test needs; `sender()` starts another process, so to speak."""

    engine: RunningEngine
    path: Path
    key: bytes = field(default_factory=new_key)
    starts: int = 0
    told_sender: bytes = b""
    url: str = ""

    def __post_init__(self) -> None:
        self.node = self.engine.node()
        self.clock = Clock(self.node.head().timestamp)
        url = self.url or f"sqlite:///{self.path / 'settle.sqlite'}"
        self.database: Database = open_database(url)
        self.store = Store()
        self.faulty = FaultyRpc(self.engine.url, max_batch=self.engine.profile.rpc_batch)
        with self.database.transaction() as conn:
            conn.execute(
                text("CREATE TABLE IF NOT EXISTS told (nonce INTEGER, state TEXT, purpose TEXT)")
            )
        self.fund(address_of(self.key), 10**20)

    def close(self) -> None:
        self.database.close()

    def fund(self, address: bytes, wei: int) -> None:
        send(self.node, self.engine.profile.chain_id, FUNDED_KEYS[0], address, value=wei)
        mine(self.node, 3)  # deeper than any test takes blocks back

    def deploy(self, code: bytes) -> bytes:
        nonce = send(
            self.node, self.engine.profile.chain_id, FUNDED_KEYS[0], b"", data=code, gas=200_000
        )
        mine(self.node)
        return created_address(address_of(FUNDED_KEYS[0]), nonce)

    def sender(self, at: Callable[[str], None] = lambda _step: None, **changes: object) -> Sender:
        self.starts += 1
        machine = this_holder().partition("/")[0]
        options: dict[str, object] = {
            "database": self.database,
            "store": self.store,
            "node": Node(self.faulty),
            "key": self.key,
            "profile": self.engine.profile,
            "clock": self.clock,
            "on_result": self.told,
            "holder": f"{machine}/{2**30 + self.starts}/0",  # a process that is gone
            "at": at,
            **changes,
        }
        return Sender(**options)  # type: ignore[arg-type]

    def told(self, conn: Connection, row: TransactionRow) -> None:
        conn.execute(
            text("INSERT INTO told VALUES (:nonce, :state, :purpose)"),
            {"nonce": row.nonce, "state": row.state.value, "purpose": row.purpose},
        )

    def results(self) -> list[tuple[int, str, str]]:
        with self.database.reading() as conn:
            rows = conn.execute(text("SELECT nonce, state, purpose FROM told ORDER BY rowid"))
            return [tuple(row) for row in rows]  # type: ignore[misc]

    def add(self, sender: Sender, to: bytes, slot: int, gas: int = 60_000) -> TransactionRow:
        with self.database.transaction() as conn:
            return sender.enqueue(
                conn, purpose=str(slot), to=to, data=slot.to_bytes(32, "big"), gas=gas
            )

    def count(self, contract: bytes, slot: int) -> int:
        return int.from_bytes(self.node.storage(contract, slot, self.node.head().number), "big")


def send(
    node: Node,
    chain_id: int,
    key: bytes,
    to: bytes,
    *,
    value: int = 0,
    data: bytes = b"",
    gas: int = 21_000,
) -> int:
    """Hand a plain transaction to the node at once; its nonce."""
    nonce = node.nonce(address_of(key), node.head().number)
    signed = sign_transaction(
        UnsignedTransaction(
            chain_id=chain_id,
            nonce=nonce,
            max_priority_fee_per_gas=0,
            max_fee_per_gas=5 * 10**9,
            gas=gas,
            to=to,
            data=data,
            value=value,
        ),
        key,
    )
    [refusal] = node.broadcast([signed.raw])
    assert refusal is None, refusal
    return nonce
