"""Sends calls of a key at once and waits for their end, without a database.

For whoever sends now and then and can look at the result: deployment, the officers' desk, a
participant that takes its own trade to the chain. What must survive a crash goes through `sender`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.chain.contract_errors import contract_error, revert_data
from settle.chain.eip712 import address_of
from settle.chain.node import ContractCall, Receipt
from settle.chain.rpc import RpcError
from settle.chain.signing import SignedTransaction, UnsignedTransaction, sign_transaction
from settle.domain.errors import Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from settle.chain.node import Node
    from settle.chain.profile import EngineProfile

_PATIENCE_S: Final = 120
_RESEND_S: Final = 5
_PAUSE_S: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A call to be sent. `to` is empty where a contract is created; `what` is for people.

    `value` in wei: means for an account that pays for transactions of its own.
    """

    to: bytes
    data: bytes
    gas: int
    what: str
    value: int = 0


class DirectSender:
    """One key, used by one program at a time."""

    def __init__(
        self,
        *,
        node: Node,
        profile: EngineProfile,
        key: bytes,
        pause: Callable[[], None] | None = None,
        patience_s: int = _PATIENCE_S,
    ) -> None:
        """`pause` is called between looks, until nothing changes for `patience_s` seconds."""
        self.address = address_of(key)
        self.node = node
        self._profile = profile
        self._key = key
        self._pause = pause or _wait
        self._patience_s = patience_s

    def send(self, order: Order) -> Receipt:
        """Send one call and wait until it is final. Raises as `send_all`."""
        [receipt] = self.send_all([order])
        return receipt

    def send_all(self, orders: Sequence[Order]) -> list[Receipt]:
        """Send calls in this order, as many at a time as the engine takes, until all are final.

        Raises Refused with what the contract says if one reverts (those before it stay), and
        Unavailable if the chain does not take them in time.
        """
        receipts: list[Receipt] = []
        step = self._profile.in_flight
        for start in range(0, len(orders), step):
            receipts += self._send_some(orders[start : start + step])
        return receipts

    def _send_some(self, orders: Sequence[Order]) -> list[Receipt]:
        head = self.node.head()
        nonce = self.node.nonce(self.address, head.number)
        signed = [
            self._sign(order, nonce + index, head.base_fee) for index, order in enumerate(orders)
        ]
        found: dict[bytes, Receipt] = {}
        refusals: list[RpcError] = []
        changed_at = sent_at = 0
        while len(found) < len(signed):
            now = time.monotonic_ns() // 10**9
            changed_at = changed_at or now
            if not sent_at or now - sent_at >= _RESEND_S:
                missing = [s.raw for s in signed if s.hash not in found]
                refusals = [r for r in self.node.broadcast(missing) if r is not None]
                sent_at = now
            if self._collect(signed, found):
                changed_at = now
            elif now - changed_at >= self._patience_s:
                word = f": {refusals[0].message}" if refusals else ""
                raise Unavailable(
                    f"{orders[len(found)].what} is in no block after {self._patience_s} s{word}",
                    code="not_mined",
                )
            if len(found) < len(signed):
                self._pause()
        receipts = [found[s.hash] for s in signed]
        for order, receipt in zip(orders, receipts, strict=True):
            if not receipt.succeeded:
                raise self._why_reverted(order, receipt)
        return receipts

    def _sign(self, order: Order, nonce: int, base_fee: int) -> SignedTransaction:
        fees = self._profile.fees
        offer = min(fees.cap_wei, base_fee * fees.base_fee_percent // 100 + fees.priority_wei)
        transaction = UnsignedTransaction(
            chain_id=self._profile.chain_id,
            nonce=nonce,
            max_priority_fee_per_gas=min(offer, fees.priority_wei),
            max_fee_per_gas=offer,
            gas=order.gas,
            to=order.to,
            data=order.data,
            value=order.value,
        )
        return sign_transaction(transaction, self._key)

    def _collect(self, signed: Sequence[SignedTransaction], found: dict[bytes, Receipt]) -> bool:
        """Add the receipts that are final now; whether there was one."""
        final = self.node.head().number - self._profile.finality_depth
        missing = [s.hash for s in signed if s.hash not in found]
        fresh = {
            hash_: receipt
            for hash_, receipt in zip(missing, self.node.receipts(missing), strict=True)
            if receipt is not None and receipt.block_number <= final
        }
        found.update(fresh)
        return bool(fresh)

    def _why_reverted(self, order: Order, receipt: Receipt) -> Refused:
        call = ContractCall(to=order.to, data=order.data, sender=self.address)
        try:
            self.node.call(call, receipt.block_number - 1)
        except RpcError as error:
            found = contract_error(revert_data(error) or b"")
            if isinstance(found, Refused):
                return Refused(found.reasons, f"{order.what}: {found.message}", code=found.code)
        return Refused((), f"{order.what}: reverted, with {receipt.gas_used} gas used")


def _wait() -> None:
    time.sleep(_PAUSE_S)
