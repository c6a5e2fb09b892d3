"""The JSON-RPC methods of the `tester` engine.

Methods of the evm_ and anvil_ families are for tests and the demo, under the names that anvil gives
them.
"""

# ruff: noqa: D102, N802 names and meanings are those of JSON-RPC

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from settle.chain import wire
from settle.chain.rpc import Json, RpcError
from settle.chain.tester_chain import TesterChain
from settle.chain.tester_pool import SERVER_ERROR

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_INVALID_REQUEST: Final = -32600
_METHOD_NOT_FOUND: Final = -32601
_INVALID_PARAMS: Final = -32602
_CLIENT: Final = "settle-tester/1"


class Methods:
    """The JSON-RPC methods over one chain. One request at a time touches the chain."""

    def __init__(self, chain: TesterChain) -> None:
        """Serve `chain`."""
        self.chain = chain
        self.lock = threading.Lock()
        table: tuple[Callable[..., Json], ...] = (
            *(self.eth_chainId, self.eth_blockNumber, self.eth_gasPrice),
            *(self.eth_maxPriorityFeePerGas, self.eth_getBlockByNumber, self.eth_getBlockByHash),
            *(self.eth_getBlockReceipts, self.eth_getTransactionReceipt, self.eth_getLogs),
            *(self.eth_getTransactionByHash, self.eth_getTransactionCount, self.eth_getBalance),
            *(self.eth_getCode, self.eth_getStorageAt, self.eth_call, self.eth_estimateGas),
            *(self.eth_sendRawTransaction, self.eth_syncing, self.net_version),
            *(self.web3_clientVersion, self.evm_mine, self.evm_increaseTime, self.anvil_reorg),
            *(self.debug_traceTransaction, self.evm_setNextBlockTimestamp, self.anvil_rollback),
            self.anvil_dropTransaction,
        )
        self._table = {method.__name__: method for method in table}

    def answer(self, request: Json) -> Json:
        """Answer a request or a batch."""
        if isinstance(request, list):
            return [self._one(item) for item in request]
        return self._one(request)

    def _one(self, request: Json) -> Json:
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return error_json(None, RpcError(_INVALID_REQUEST, "not a request", None))
        name, params = request["method"], request.get("params") or []
        method = self._table.get(name)
        if method is None:
            unknown = RpcError(_METHOD_NOT_FOUND, f"the method {name} does not exist", None)
            return error_json(request.get("id"), unknown)
        try:
            with self.lock:
                result = method(*params)
        except RpcError as error:
            return error_json(request.get("id"), error)
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            text = f"invalid params of {name}: {error}"
            return error_json(request.get("id"), RpcError(_INVALID_PARAMS, text, None))
        return {"jsonrpc": "2.0", "id": request.get("id"), "result": result}

    # ------------------------------------------------------------------------ methods

    def eth_chainId(self) -> str:
        return wire.quantity(self.chain.chain_id)

    def net_version(self) -> str:
        return str(self.chain.chain_id)

    def web3_clientVersion(self) -> str:
        return _CLIENT

    def eth_syncing(self) -> bool:
        return False

    def eth_blockNumber(self) -> str:
        return wire.quantity(self.chain.height)

    def eth_gasPrice(self) -> str:
        return self._head()["baseFeePerGas"]  # type: ignore[no-any-return] # JSON

    def eth_maxPriorityFeePerGas(self) -> str:
        return "0x0"

    def eth_getBlockByNumber(self, number: str, full: bool = False) -> Json:
        return self.chain.block(self._number(number), full=full)

    def eth_getBlockByHash(self, hash_: str, full: bool = False) -> Json:
        return self.chain.block_by_hash(hash_.lower(), full=full)

    def eth_getBlockReceipts(self, number: str) -> Json:
        return self.chain.receipts(self._number(number))

    def eth_getTransactionReceipt(self, hash_: str) -> Json:
        return self.chain.receipt(wire.to_bytes(hash_))

    def eth_getTransactionByHash(self, hash_: str) -> Json:
        return self.chain.transaction(wire.to_bytes(hash_))

    def eth_getLogs(self, wanted: Json) -> Json:
        if "blockHash" in wanted:
            block = self.chain.block_by_hash(wanted["blockHash"].lower(), full=False)
            if block is None:
                raise RpcError(SERVER_ERROR, "unknown block", None)
            first = last = int(block["number"], 16)
        else:
            first = self._number(wanted.get("fromBlock", "latest"))
            last = self._number(wanted.get("toBlock", "latest"))
        addresses = wanted.get("address", [])
        asked = {a.lower() for a in ([addresses] if isinstance(addresses, str) else addresses)}
        topics = [[t] if isinstance(t, str) else t for t in wanted.get("topics", [])]
        return [
            log
            for number in range(first, min(last, self.chain.height) + 1)
            for receipt in self.chain.receipts(number) or ()
            for log in receipt["logs"]
            if (not asked or log["address"] in asked) and _matches(log["topics"], topics)
        ]

    def eth_getTransactionCount(self, account: str, block: str = "latest") -> str:
        address = wire.to_bytes(account)
        if block == "pending":
            return wire.quantity(self.chain.pending_nonce(address))
        return wire.quantity(self.chain.state(self._number(block)).get_nonce(address))

    def eth_getBalance(self, account: str, block: str = "latest") -> str:
        state = self.chain.state(self._number(block))
        return wire.quantity(state.get_balance(wire.to_bytes(account)))

    def eth_getCode(self, address: str, block: str = "latest") -> str:
        return wire.data(self.chain.state(self._number(block)).get_code(wire.to_bytes(address)))

    def eth_getStorageAt(self, address: str, slot: str, block: str = "latest") -> str:
        state = self.chain.state(self._number(block))
        return wire.data(
            state.get_storage(wire.to_bytes(address), int(slot, 16)).to_bytes(32, "big")
        )

    def eth_call(self, call: Json, block: str = "latest") -> str:
        gas = call.get("gas")
        return wire.data(
            self.chain.call(
                to=wire.to_bytes(call["to"]),
                data=_input(call),
                sender=wire.to_bytes(call.get("from") or "0x" + "00" * 20),
                number=self._number(block),
                gas=None if gas is None else int(gas, 16),
            )
        )

    def eth_estimateGas(self, call: Json, _block: str = "latest") -> str:
        return wire.quantity(
            self.chain.estimate(
                to=wire.to_bytes(call["to"]),
                data=_input(call),
                sender=wire.to_bytes(call.get("from") or "0x" + "00" * 20),
            )
        )

    def eth_sendRawTransaction(self, signed: str) -> str:
        return wire.data(self.chain.send(wire.to_bytes(signed)))

    def debug_traceTransaction(self, hash_: str, options: Json = None) -> Json:
        if (options or {}).get("tracer") != "callTracer":
            raise RpcError(_INVALID_PARAMS, "only the callTracer is here", None)
        return self.chain.trace(wire.to_bytes(hash_))

    # ------------------------------------------------------------- for tests and demo

    def evm_mine(self, timestamp: Json = None) -> str:
        if timestamp is not None:
            self.evm_setNextBlockTimestamp(timestamp)
        self.chain.mine()
        return "0x0"

    def evm_increaseTime(self, seconds: Json) -> int:
        by = seconds if isinstance(seconds, int) else int(seconds, 16)
        self.chain.travel(by)
        return by

    def evm_setNextBlockTimestamp(self, timestamp: Json) -> None:
        at = timestamp if isinstance(timestamp, int) else int(timestamp, 16)
        self.chain.set_next_timestamp(at)

    def anvil_rollback(self, depth: int = 1) -> None:
        self.chain.rollback(depth, keep_transactions=False)

    def anvil_reorg(self, depth: int, transactions: Sequence[Json] = ()) -> None:
        if transactions:
            raise RpcError(_INVALID_PARAMS, "a reorg takes no transactions here", None)
        self.chain.rollback(depth, keep_transactions=False)
        for _ in range(depth):
            self.chain.mine()

    def anvil_dropTransaction(self, hash_: str) -> str | None:
        return hash_ if self.chain.drop(wire.to_bytes(hash_)) else None

    # ------------------------------------------------------------------------ reading

    def _head(self) -> Json:
        return self.chain.block(self.chain.height, full=False)

    def _number(self, name: Json) -> int:
        if isinstance(name, dict):
            name = name.get("blockNumber") or self._hash_number(name["blockHash"])
        if name in {"latest", "pending", "safe", "finalized"}:
            return self.chain.height
        return 0 if name == "earliest" else int(name, 16)

    def _hash_number(self, hash_: str) -> str:
        block = self.chain.block_by_hash(hash_.lower(), full=False)
        if block is None:
            raise RpcError(SERVER_ERROR, "unknown block", None)
        return str(block["number"])


def _input(call: Json) -> bytes:
    return wire.to_bytes(call.get("input") or call.get("data") or "0x")


def _matches(topics: Sequence[str], wanted: Sequence[Sequence[str] | None]) -> bool:
    return len(wanted) <= len(topics) and all(
        not any_of or topic in any_of for topic, any_of in zip(topics, wanted, strict=False)
    )


def error_json(identity: Json, error: RpcError) -> Json:
    """Write an error as JSON-RPC does."""
    told = {"code": error.number, "message": error.message}
    if error.data is not None:
        told["data"] = error.data
    return {"jsonrpc": "2.0", "id": identity, "error": told}
