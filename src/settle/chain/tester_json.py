"""What py-evm has, written as JSON-RPC writes blocks, transactions and receipts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rlp  # type: ignore[import-untyped] # has no types

from settle.chain.wire import data, quantity
from settle.domain.keccak import keccak256

if TYPE_CHECKING:
    from collections.abc import Sequence

    from settle.chain.rpc import Json


def block_json(header: Any, hashes: Sequence[str]) -> Json:  # noqa: ANN401 py-evm
    """A block with the hashes of its transactions."""
    return {
        "number": quantity(header.block_number),
        "hash": data(header.hash),
        "parentHash": data(header.parent_hash),
        "nonce": data(header.nonce),
        "sha3Uncles": data(header.uncles_hash),
        "logsBloom": data(header.bloom.to_bytes(256, "big")),
        "transactionsRoot": data(header.transaction_root),
        "stateRoot": data(header.state_root),
        "receiptsRoot": data(header.receipt_root),
        "miner": data(header.coinbase),
        "difficulty": quantity(header.difficulty),
        "extraData": data(header.extra_data),
        "mixHash": data(header.mix_hash),
        "gasLimit": quantity(header.gas_limit),
        "gasUsed": quantity(header.gas_used),
        "timestamp": quantity(header.timestamp),
        "baseFeePerGas": quantity(header.base_fee_per_gas),
        "withdrawalsRoot": data(header.withdrawals_root),
        "blobGasUsed": quantity(header.blob_gas_used),
        "excessBlobGas": quantity(header.excess_blob_gas),
        "parentBeaconBlockRoot": data(header.parent_beacon_block_root),
        "size": quantity(len(rlp.encode(header))),
        "uncles": [],
        "withdrawals": [],
        "transactions": list(hashes),
    }


def transaction_json(transaction: Any, header: Any | None, index: int) -> Json:  # noqa: ANN401
    """A transaction; without a header it waits in the pool. `raw` is ours: the signed bytes."""
    typed = getattr(transaction, "type_id", None)
    told: dict[str, Json] = {
        "hash": data(transaction.hash),
        "type": quantity(typed or 0),
        "nonce": quantity(transaction.nonce),
        "from": data(transaction.sender),
        "to": data(transaction.to) if transaction.to else None,
        "value": quantity(transaction.value),
        "gas": quantity(transaction.gas),
        "input": data(transaction.data),
        "gasPrice": quantity(effective_price(transaction, header)),
        "r": quantity(transaction.r),
        "s": quantity(transaction.s),
        "v": quantity(transaction.v if typed is None else transaction.y_parity),
        "raw": data(transaction.encode()),
        "blockHash": None if header is None else data(header.hash),
        "blockNumber": None if header is None else quantity(header.block_number),
        "transactionIndex": None if header is None else quantity(index),
    }
    if typed is not None:
        told["chainId"] = quantity(transaction.chain_id)
        told["yParity"] = quantity(transaction.y_parity)
        told["accessList"] = [
            {"address": data(address), "storageKeys": [data(k.to_bytes(32, "big")) for k in keys]}
            for address, keys in transaction.access_list
        ]
    if hasattr(transaction, "max_fee_per_gas"):
        told["maxFeePerGas"] = quantity(transaction.max_fee_per_gas)
        told["maxPriorityFeePerGas"] = quantity(transaction.max_priority_fee_per_gas)
    return told


def effective_price(transaction: Any, header: Any | None) -> int:  # noqa: ANN401 py-evm
    """Wei per gas that the transaction pays in this block."""
    if not hasattr(transaction, "max_fee_per_gas"):
        return int(transaction.gas_price)
    if header is None:
        return int(transaction.max_fee_per_gas)
    tip = header.base_fee_per_gas + transaction.max_priority_fee_per_gas
    return int(min(transaction.max_fee_per_gas, tip))


def receipts_json(
    header: Any,  # noqa: ANN401 py-evm
    transactions: Sequence[Any],
    receipts: Sequence[Any],
) -> list[Json]:
    """The receipts of a block, in order."""
    told: list[Json] = []
    gas_before = log_index = 0
    for index, (transaction, receipt) in enumerate(zip(transactions, receipts, strict=True)):
        place = {
            "blockHash": data(header.hash),
            "blockNumber": quantity(header.block_number),
            "transactionHash": data(transaction.hash),
            "transactionIndex": quantity(index),
        }
        logs = [
            {
                **place,
                "address": data(log.address),
                "topics": [data(topic.to_bytes(32, "big")) for topic in log.topics],
                "data": data(log.data),
                "logIndex": quantity(log_index + position),
                "removed": False,
            }
            for position, log in enumerate(receipt.logs)
        ]
        told.append(
            {
                **place,
                "type": quantity(getattr(transaction, "type_id", None) or 0),
                "from": data(transaction.sender),
                "to": data(transaction.to) if transaction.to else None,
                "contractAddress": None if transaction.to else data(_created(transaction)),
                "cumulativeGasUsed": quantity(receipt.gas_used),
                "gasUsed": quantity(receipt.gas_used - gas_before),
                "effectiveGasPrice": quantity(effective_price(transaction, header)),
                "status": quantity(1 if receipt.state_root == b"\x01" else 0),
                "logsBloom": data(receipt.bloom.to_bytes(256, "big")),
                "logs": logs,
            }
        )
        gas_before = receipt.gas_used
        log_index += len(logs)
    return told


def _created(transaction: Any) -> bytes:  # noqa: ANN401 py-evm
    return keccak256(rlp.encode([transaction.sender, transaction.nonce]))[12:]
