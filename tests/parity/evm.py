"""The contracts in this process, on py-evm, message by message: no node, no transactions, no fees.

Calls run on one world state that a test can put back to where it was; the clock is the test's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eth.chains.base import MiningChain
from eth.db.atomic import AtomicDB
from eth.exceptions import OutOfGas, Revert
from eth.vm.forks.cancun import CancunVM
from eth.vm.message import Message
from eth_abi.abi import encode

from settle.chain.signing import created_address
from settle.domain.ids import Address

ARTIFACTS = Path(__file__).parents[2] / "src" / "settle" / "artifacts"
CHAIN_ID = 31337
GAS = 500_000_000
DEPLOYER = Address(b"\x11" * 20)


def artifact(name: str) -> dict[str, Any]:
    """Read what the compiler made of a contract."""
    content: dict[str, Any] = json.loads((ARTIFACTS / f"{name}.json").read_text())
    return content


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    emitter: Address
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a message did: `output` is what it returned or why it reverted, empty without gas."""

    succeeded: bool
    output: bytes
    logs: tuple[Log, ...]


class Evm:
    """A world with the contracts in it."""

    def __init__(self) -> None:
        chain_class = MiningChain.configure(
            __name__="Parity", vm_configuration=((0, CancunVM),), chain_id=CHAIN_ID
        )
        genesis: dict[str, Any] = {
            "difficulty": 0,
            "gas_limit": GAS,
            "timestamp": 1,
            "mix_hash": bytes(32),
            "nonce": bytes(8),
            "extra_data": b"",
            "coinbase": bytes(20),
        }
        self._state: Any = chain_class.from_genesis(AtomicDB(), genesis, {}).get_vm().state
        self._deployed = 0

    @property
    def now(self) -> int:
        """Return unix seconds, as the contracts see them."""
        return int(self._state.timestamp)

    @now.setter
    def now(self, seconds: int) -> None:
        self._state.execution_context._timestamp = seconds

    def call(self, target: Address, data: bytes, caller: Address, gas: int = GAS) -> Outcome:
        """Run a message; if it reverts or runs out of gas, nothing of it stays."""
        code = self._state.get_code(target)
        return self._run("apply_message", caller, to=target, data=data, code=code, gas=gas)

    def view(self, target: Address, data: bytes, caller: Address = DEPLOYER) -> Outcome:
        """Run a message and undo it."""
        snapshot = self._state.snapshot()
        try:
            return self.call(target, data, caller)
        finally:
            self._state.revert(snapshot)

    def deploy(self, name: str, types: tuple[str, ...] = (), arguments: Any = ()) -> Address:
        """Create a contract of ours."""
        code = bytes.fromhex(artifact(name)["bytecode"][2:])
        return self.create(code + encode(types, arguments))

    def create(self, code: bytes) -> Address:
        """Create a contract from its creation code."""
        address = Address(created_address(DEPLOYER, self._deployed))
        outcome = self.try_to_create(code)
        assert outcome.succeeded, outcome.output
        return address

    def try_to_create(self, code: bytes) -> Outcome:
        """Run creation code, which may refuse."""
        address = created_address(DEPLOYER, self._deployed)
        self._deployed += 1
        return self._run(
            "apply_create_message",
            DEPLOYER,
            to=b"",
            data=b"",
            code=code,
            gas=GAS,
            create_address=address,
        )

    def storage(self, target: Address, slot: int) -> int:
        """Read a word."""
        return int(self._state.get_storage(target, slot))

    def snapshot(self) -> Any:
        """Remember the world as it is."""
        return self._state.snapshot()

    def revert(self, snapshot: Any) -> None:
        """Put the world back."""
        self._state.revert(snapshot)

    def _run(self, entry: str, caller: Address, **fields: Any) -> Outcome:
        state = self._state
        message = Message(sender=caller, value=0, **fields)  # type: ignore[arg-type]
        context = state.transaction_context_class(gas_price=0, origin=caller)
        return self._outcome(getattr(state.computation_class, entry)(state, message, context))

    @staticmethod
    def _outcome(computation: Any) -> Outcome:
        failed = bool(computation.is_error)
        if failed and not isinstance(computation.error, Revert | OutOfGas):
            raise AssertionError(f"the EVM gave up: {computation.error!r}")
        logs = () if failed else computation.get_log_entries()
        return Outcome(
            succeeded=not failed,
            output=bytes(computation.output),
            logs=tuple(
                Log(
                    emitter=Address(bytes(address)),
                    topics=tuple(topic.to_bytes(32, "big") for topic in topics),
                    data=bytes(data),
                )
                for address, topics, data in logs
            ),
        )
