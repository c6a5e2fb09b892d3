"""Typed reading of a node. Every read of state names its block; nothing is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from settle.chain import wire
from settle.chain.rpc import Call, Json, Rpc, RpcError
from settle.domain.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_METHOD_NOT_FOUND: Final = -32601
_BROADCAST_BYTES: Final = 500_000  # of signed bytes in one request; twice as many as hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What we use of a block's header. `base_fee` in wei, `timestamp` in unix seconds."""

    number: int
    hash: bytes
    parent_hash: bytes
    timestamp: int
    base_fee: int
    gas_limit: int
    gas_used: int


@dataclass(frozen=True, slots=True)
class Log:
    """One event as the node tells it."""

    block_number: int
    block_hash: bytes
    transaction_hash: bytes
    log_index: int
    address: bytes
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The head of a receipt; its events are read with `logs`."""

    transaction_hash: bytes
    block_number: int
    block_hash: bytes
    succeeded: bool
    gas_used: int
    contract_address: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractCall:
    """A call that changes nothing. `sender` is who the contract sees as caller."""

    to: bytes
    data: bytes
    sender: bytes = bytes(20)


class Node:
    """One node behind a JSON-RPC address."""

    def __init__(self, rpc: Rpc) -> None:
        """Read through `rpc`."""
        self.rpc = rpc

    def chain_id(self) -> int:
        """Ask which chain this is."""
        return wire.to_int(self.rpc.call("eth_chainId"))

    def head(self) -> Header:
        """Read the newest block."""
        header = _header(self.rpc.call("eth_getBlockByNumber", "latest", False))
        if header is None:
            raise Unavailable("the node has no block at all yet", code="node_empty")
        return header

    def header(self, number: int) -> Header | None:
        """Read the block of a height, None where the chain has none."""
        return _header(self.rpc.call("eth_getBlockByNumber", wire.quantity(number), False))

    def headers(self, numbers: Sequence[int]) -> list[Header | None]:
        """Read the blocks of many heights in one go."""
        calls = [Call("eth_getBlockByNumber", (wire.quantity(n), False)) for n in numbers]
        return [_header(answer) for answer in self._all(calls)]

    def logs(self, first: int, last: int, addresses: Sequence[bytes]) -> list[Log]:
        """Read the events of the contracts in blocks first..last, in chain order."""
        answer = self.rpc.call(
            "eth_getLogs",
            {
                "fromBlock": wire.quantity(first),
                "toBlock": wire.quantity(last),
                "address": [wire.data(address) for address in addresses],
            },
        )
        try:
            return [_log(item) for item in _list(answer)]
        except (KeyError, TypeError, ValueError) as error:
            raise Unavailable(f"the node wrote an event wrongly: {error!r}") from error

    def block_receipts(self, block_number: int) -> list[Receipt]:
        """Read the receipts of a block, in order; asks for each where a node has no such call."""
        number = wire.quantity(block_number)
        try:
            answer = self.rpc.call("eth_getBlockReceipts", number)
        except RpcError as error:
            if error.number != _METHOD_NOT_FOUND:
                raise
            block = self.rpc.call("eth_getBlockByNumber", number, False)
            hashes = [wire.to_bytes(h) for h in (block or {}).get("transactions", [])]
            return [receipt for receipt in self.receipts(hashes) if receipt is not None]
        return [_receipt(item) for item in _list(answer)]

    def receipts(self, hashes: Sequence[bytes]) -> list[Receipt | None]:
        """Read receipts; None where no block of the chain has the transaction."""
        calls = [Call("eth_getTransactionReceipt", (wire.data(h),)) for h in hashes]
        return [None if answer is None else _receipt(answer) for answer in self._all(calls)]

    def knows(self, hashes: Sequence[bytes]) -> list[bool]:
        """Tell which transactions the node has, mined or waiting."""
        calls = [Call("eth_getTransactionByHash", (wire.data(h),)) for h in hashes]
        return [answer is not None for answer in self._all(calls)]

    def nonce(self, account: bytes, block: int) -> int:
        """Read how many transactions of the account are in the chain up to a block."""
        return wire.to_int(
            self.rpc.call("eth_getTransactionCount", wire.data(account), wire.quantity(block))
        )

    def balance(self, account: bytes, block: int) -> int:
        """Read what the account has for fees, in wei."""
        return wire.to_int(
            self.rpc.call("eth_getBalance", wire.data(account), wire.quantity(block))
        )

    def code(self, address: bytes, block: int) -> bytes:
        """Read the code of a contract, empty where there is none."""
        return wire.to_bytes(self.rpc.call("eth_getCode", wire.data(address), wire.quantity(block)))

    def storage(self, address: bytes, slot: int, block: int) -> bytes:
        """Read one storage slot, 32 bytes."""
        answer = self.rpc.call(
            "eth_getStorageAt", wire.data(address), wire.quantity(slot), wire.quantity(block)
        )
        return wire.to_bytes(answer).rjust(32, b"\0")

    def call(self, call: ContractCall, block: int) -> bytes:
        """Run a call on the state after a block. RpcError carries the data of a revert."""
        return wire.to_bytes(self.rpc.call("eth_call", *_call_params(call, block)))

    def calls(self, calls: Sequence[ContractCall], block: int) -> list[bytes | RpcError]:
        """Run many calls on the state after a block."""
        answers = self.rpc.batch([Call("eth_call", _call_params(call, block)) for call in calls])
        return [a if isinstance(a, RpcError) else wire.to_bytes(a) for a in answers]

    def estimate_gas(self, call: ContractCall) -> int:
        """Ask how much gas a transaction would need on the newest state."""
        return wire.to_int(self.rpc.call("eth_estimateGas", _call_object(call)))

    def broadcast(self, signed: Sequence[bytes]) -> list[RpcError | None]:
        """Hand signed transactions to the node, in order.

        An error says nothing about the transaction's fate: the node may have had it already, and
        another node may take it. It is for the log.
        """
        answers: list[RpcError | None] = []
        for some in _by_size(signed):
            calls = [Call("eth_sendRawTransaction", (wire.data(octets),)) for octets in some]
            answers += [a if isinstance(a, RpcError) else None for a in self.rpc.batch(calls)]
        return answers

    def _all(self, calls: Sequence[Call]) -> list[Json]:
        answers = self.rpc.batch(calls) if calls else []
        for answer in answers:
            if isinstance(answer, RpcError):
                raise answer
        return answers


def _by_size(signed: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Cut into requests that nodes take: many limit a body to a few megabytes."""
    start = size = 0
    for index, octets in enumerate(signed):
        if index > start and size + len(octets) > _BROADCAST_BYTES:
            yield signed[start:index]
            start, size = index, 0
        size += len(octets)
    if signed:
        yield signed[start:]


def _call_object(call: ContractCall) -> dict[str, str]:
    return {
        "from": wire.data(call.sender),
        "to": wire.data(call.to),
        "data": wire.data(call.data),
    }


def _call_params(call: ContractCall, block: int) -> tuple[Json, ...]:
    return (_call_object(call), wire.quantity(block))


def _header(answer: Json) -> Header | None:
    if answer is None:
        return None
    block = _object(answer)
    return Header(
        number=wire.to_int(block.get("number")),
        hash=wire.to_bytes(block.get("hash")),
        parent_hash=wire.to_bytes(block.get("parentHash")),
        timestamp=wire.to_int(block.get("timestamp")),
        base_fee=wire.to_int(block.get("baseFeePerGas") or "0x0"),
        gas_limit=wire.to_int(block.get("gasLimit")),
        gas_used=wire.to_int(block.get("gasUsed")),
    )


def _object(answer: Json) -> dict[str, Json]:
    if not isinstance(answer, dict):
        raise Unavailable(f"the node wrote {answer!r} where an object belongs")
    return answer


def _list(answer: Json) -> list[Json]:
    if not isinstance(answer, list):
        raise Unavailable(f"the node wrote {answer!r} where a list belongs")
    return answer


def _log(item: Json) -> Log:
    # Positional and without the checks of wire: this runs once per event of the chain.
    fromhex = bytes.fromhex
    return Log(
        int(item["blockNumber"], 16),
        fromhex(item["blockHash"][2:]),
        fromhex(item["transactionHash"][2:]),
        int(item["logIndex"], 16),
        fromhex(item["address"][2:]),
        tuple([fromhex(topic[2:]) for topic in item["topics"]]),
        fromhex(item["data"][2:]),
    )


def _receipt(item: Json) -> Receipt:
    receipt = _object(item)
    contract = receipt.get("contractAddress")
    return Receipt(
        transaction_hash=wire.to_bytes(receipt.get("transactionHash")),
        block_number=wire.to_int(receipt.get("blockNumber")),
        block_hash=wire.to_bytes(receipt.get("blockHash")),
        succeeded=wire.to_int(receipt.get("status")) == 1,
        gas_used=wire.to_int(receipt.get("gasUsed")),
        contract_address=None if contract is None else wire.to_bytes(contract),
    )
