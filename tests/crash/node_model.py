"""The chain model behind JSON-RPC: the real client parses it, faults sit where HTTP would be."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from enum import IntEnum
from typing import Any

from eth_abi.abi import encode

from settle.chain.abi import load_abi
from settle.chain.rpc import Rpc
from settle.domain.chain_events import ChainEvent, field_name
from settle.domain.errors import Unavailable
from settle.domain.ledger import Holding
from tests.crash.chain_model import Block, ChainModel, Tx, read_transaction
from tests.crash.faults import Faults

_EVENTS = load_abi("Settlement").events
_REASONS = "(bytes4,uint8,address,uint256,uint256)[]"
_GAS = 100_000_000
_FORGETFUL = {"eth_getTransactionByHash", "eth_getTransactionReceipt"}


def log_of(event: ChainEvent) -> tuple[list[bytes], bytes]:
    """Write an event as the contract does: topics and data."""
    entry = _EVENTS[type(event).__name__]
    names = {field.name for field in fields(event)}
    topics, kinds, data = [entry.hash], [], []
    for item in entry.entry["inputs"]:
        name = field_name(item["name"])
        assert name in names, f"{type(event).__name__} has no {name}"
        value, kind = _written(getattr(event, name), item["type"])
        if item["indexed"]:
            topics.append(encode([kind], [value]))
        else:
            kinds.append(kind)
            data.append(value)
    return topics, encode(kinds, data)


def _written(value: Any, kind: str) -> tuple[Any, str]:
    if isinstance(value, Holding):
        if kind == "uint256":
            return (value.held << 128) | value.available, kind
        return (value.available, value.held), "(uint128,uint128)"
    if isinstance(value, IntEnum):
        return int(value), kind
    return value, kind


class ModelRpc(Rpc):
    """A connection to the model. `on_submit` hears of each transaction before the node has it."""

    def __init__(self, model: ChainModel, faults: Faults, on_submit: Callable[[Tx], None]) -> None:
        super().__init__("http://model.invalid", max_batch=5)
        self._model = model
        self._faults = faults
        self._on_submit = on_submit
        self._contract = model.twin.domain.verifying_contract

    def _exchange(self, octets: bytes) -> Any:
        body = json.loads(octets)
        calls = body if isinstance(body, list) else [body]
        method = calls[0]["method"]
        self._faults.kill(f"before {method}")
        fault = self._faults.of_node(method)
        if fault == "before":
            raise TimeoutError("no answer, and nothing taken")
        if fault == "status":
            raise Unavailable("the node answered HTTP 503", code="node_http_status")
        answers = [self._answered(call, fault) for call in calls]
        self._faults.kill(f"after {method}")
        if fault == "after":
            raise TimeoutError("no answer, but all taken")
        if fault == "status after":
            raise Unavailable("the node answered HTTP 502", code="node_http_status")
        return answers if isinstance(body, list) else answers[0]

    def _answered(self, call: dict[str, Any], fault: str | None) -> dict[str, Any]:
        head = {"jsonrpc": "2.0", "id": call["id"]}
        method, params = call["method"], call["params"]
        if fault == "forgets" and method in _FORGETFUL:
            return {**head, "result": None}
        if method == "eth_sendRawTransaction":
            raw = bytes.fromhex(params[0][2:])
            tx = read_transaction(raw)
            self._on_submit(tx)
            refusal = self._model.submit(raw)
            if refusal is not None:
                return {**head, "error": {"code": -32000, "message": refusal}}
            told = bytes(32) if fault == "hash" else tx.hash
            return {**head, "result": _hex(told)}
        return {**head, "result": getattr(self, f"_{method}")(*params)}

    # ------------------------------------------------------------------------- answers

    def _eth_chainId(self) -> str:  # noqa: N802  the method's own name
        return hex(self._model.twin.domain.chain_id)

    def _eth_getBlockByNumber(self, number: str, _full: bool) -> Any:  # noqa: N802
        block = self._block(number)
        if block is None:
            return None
        return {
            "number": hex(block.number),
            "hash": _hex(block.hash),
            "parentHash": _hex(block.parent),
            "timestamp": hex(block.timestamp),
            "baseFeePerGas": hex(block.base_fee),
            "gasLimit": hex(_GAS),
            "gasUsed": "0x0",
        }

    def _eth_getLogs(self, wanted: dict[str, Any]) -> Any:  # noqa: N802
        first, last = int(wanted["fromBlock"], 16), int(wanted["toBlock"], 16)
        assert _hex(self._contract) in wanted["address"]
        return [log for block in self._model.blocks[first : last + 1] for log in logs_of(block)]

    def _eth_getTransactionReceipt(self, hash_: str) -> Any:  # noqa: N802
        found = self._model.find(bytes.fromhex(hash_[2:]))
        if found is None:
            return None
        block, mined = found
        return {
            "transactionHash": hash_,
            "blockNumber": hex(block.number),
            "blockHash": _hex(block.hash),
            "status": hex(mined.succeeded),
            "gasUsed": hex(mined.tx.gas),
            "contractAddress": None,
        }

    def _eth_getTransactionByHash(self, hash_: str) -> Any:  # noqa: N802
        return {"hash": hash_} if self._model.knows(bytes.fromhex(hash_[2:])) else None

    def _eth_getTransactionCount(self, account: str, number: str) -> Any:  # noqa: N802
        block = self._block(number)
        assert block is not None, "each read names a block that there is"
        return hex(block.nonces.get(bytes.fromhex(account[2:]), 0))

    def _eth_call(self, call: dict[str, str], number: str) -> str:
        block = self._block(number)
        assert block is not None, "each read names a block that there is"
        reasons = self._model.why_not(bytes.fromhex(call["data"][2:]), block)
        return _hex(encode([_REASONS], [reasons]))

    def _block(self, number: str) -> Block | None:
        blocks = self._model.blocks
        if number == "latest":
            return blocks[-1]
        index = int(number, 16)
        return blocks[index] if index < len(blocks) else None


def logs_of(block: Block) -> list[dict[str, Any]]:
    """Write all events of a block as a node tells them."""
    said = [(bytes(32), event) for event in block.said]
    said += [(one.tx.hash, event) for one in block.mined for event in one.events]
    logs = []
    for index, (transaction, event) in enumerate(said):
        topics, data = log_of(event)
        logs.append(
            {
                "blockNumber": hex(block.number),
                "blockHash": _hex(block.hash),
                "transactionHash": _hex(transaction),
                "logIndex": hex(index),
                "address": _hex(block.state.ledger),
                "topics": [_hex(topic) for topic in topics],
                "data": _hex(data),
            }
        )
    return logs


def _hex(octets: bytes) -> str:
    return "0x" + octets.hex()
