"""The calls inside a transaction, as the callTracer of other nodes tells them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from settle.chain.wire import data, quantity

if TYPE_CHECKING:
    from settle.chain.rpc import Json


def trace_json(computation: Any, gas: int) -> Json:  # noqa: ANN401 py-evm
    """Write the tree of calls of a computation; `gas` is what the transaction allowed."""
    return {**_frame(computation, None), "gas": quantity(gas)}


def _frame(computation: Any, parent: Any | None) -> Json:  # noqa: ANN401 py-evm
    message = computation.msg
    kind = _kind(message)
    # A delegated call runs another's code in the name of whoever makes it.
    caller = message.sender if kind != "DELEGATECALL" or parent is None else message.storage_address
    target = message.storage_address if kind != "DELEGATECALL" else message.code_address
    told: dict[str, Json] = {
        "type": kind,
        "from": data(caller),
        "to": data(target),
        "value": quantity(message.value),
        "gas": quantity(message.gas),
        "gasUsed": quantity(message.gas - computation.get_gas_remaining()),
        "input": data(bytes(message.code if kind == "CREATE" else message.data)),
        "output": data(bytes(computation.output)),
    }
    if computation.is_error:
        told["error"] = "execution reverted"
    if computation.children:
        told["calls"] = [_frame(child, computation) for child in computation.children]
    return told


def _kind(message: Any) -> str:  # noqa: ANN401 py-evm
    if message.is_create:
        return "CREATE"
    if message.code_address != message.storage_address:
        return "DELEGATECALL"
    return "STATICCALL" if message.is_static else "CALL"
