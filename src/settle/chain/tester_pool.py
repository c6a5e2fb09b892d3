"""Transactions that wait at the `tester` engine, by sender and nonce."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from settle.chain.rpc import RpcError

if TYPE_CHECKING:
    from collections.abc import Iterable

SERVER_ERROR: Final = -32000
_BUMP_PERCENT: Final = 10  # what a replacement must pay more, as in other nodes


class Pool:
    """Signed transactions of py-evm. Refuses what other nodes refuse, in their words."""

    def __init__(self) -> None:
        """Start empty."""
        self._queues: dict[bytes, dict[int, Any]] = {}

    def add(self, transaction: Any, state: Any, header: Any, chain_id: int) -> None:  # noqa: ANN401 py-evm
        """Take a transaction in, given the state and header of the newest block."""
        sender = transaction.sender
        waiting = self._queues.get(sender, {}).get(transaction.nonce)
        cost = transaction.value + transaction.gas * max_fee(transaction)
        faults = {
            "already known": waiting is not None and waiting.hash == transaction.hash,
            "invalid chain id for signer": getattr(transaction, "chain_id", None)
            not in {None, chain_id},
            "nonce too low": transaction.nonce < state.get_nonce(sender),
            "exceeds block gas limit": transaction.gas > header.gas_limit,
            "intrinsic gas too low": transaction.gas < transaction.intrinsic_gas,
            "insufficient funds for gas * price + value": cost > state.get_balance(sender),
            "replacement transaction underpriced": waiting is not None
            and 100 * max_fee(transaction) < (100 + _BUMP_PERCENT) * max_fee(waiting),
        }
        for message, wrong in faults.items():
            if wrong:
                raise RpcError(SERVER_ERROR, message, None)
        self.put(transaction)

    def put(self, transaction: Any) -> None:  # noqa: ANN401 py-evm
        """Take a transaction in without asking."""
        self._queues.setdefault(transaction.sender, {})[transaction.nonce] = transaction

    def ready(self, state: Any) -> list[Any]:  # noqa: ANN401 py-evm
        """List what could be mined on this state; forget what was overtaken."""
        ready: list[Any] = []
        for sender, queue in self._queues.items():
            nonce = state.get_nonce(sender)
            for old in [n for n in queue if n < nonce]:
                del queue[old]
            while nonce in queue:
                ready.append(queue[nonce])
                nonce += 1
        return ready

    def remove(self, transactions: Iterable[Any]) -> None:
        """Forget what was mined."""
        for transaction in transactions:
            self._queues.get(transaction.sender, {}).pop(transaction.nonce, None)

    def find(self, hash_: bytes) -> Any | None:  # noqa: ANN401 py-evm
        """The waiting transaction of this hash."""
        for queue in self._queues.values():
            for transaction in queue.values():
                if transaction.hash == hash_:
                    return transaction
        return None

    def next_nonce(self, account: bytes, nonce: int) -> int:
        """The nonce after all that waits from `nonce` on without a gap."""
        while nonce in self._queues.get(account, {}):
            nonce += 1
        return nonce


def max_fee(transaction: Any) -> int:  # noqa: ANN401 py-evm has a class per type
    """The most that a transaction pays, in wei per gas."""
    fee = getattr(transaction, "max_fee_per_gas", None)
    return int(transaction.gas_price if fee is None else fee)
