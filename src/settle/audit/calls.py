"""Which calls entered the contracts in a transaction, and how that is known.

A transaction to one of the contracts shows its call itself: its data is under the block's root.
Where a foreign contract was in between, the node's trace shows the calls. A trace is under no root,
so it proves nothing by itself: the signatures in it do, and they fit these events or none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from settle.audit import wire
from settle.audit.abi import AbiError
from settle.audit.blocks import Transaction
from settle.audit.findings import Place
from settle.audit.published import APPROVER, MANAGER, Published
from settle.audit.rpc import NodeLine
from settle.audit.wire import Json, NodeError

_TRACER: Final = {"tracer": "callTracer"}
_DEEPEST: Final = 8
_CREATIONS: Final = ("CREATE", "CREATE2")


class Call(NamedTuple):
    """A call that entered a contract. `granted`: the authority made it for one that may."""

    target: bytes
    data: bytes
    caller: bytes
    place: Place
    granted: bool = False


class Creation(NamedTuple):
    """The creation of a contract, `data` being its creation code with the arguments."""

    target: bytes
    data: bytes
    place: Place


class Frame(NamedTuple):
    """A call of a trace, with where it came from."""

    kind: str
    caller: bytes
    target: bytes
    data: bytes
    output: bytes
    inside: bool


class NoTrace(Exception):
    """The node gives no trace; `str()` says what it answers."""


class CallReader:
    """Finds the calls of transactions. `kinds`: which published contract lies at an address.

    `traces` counts those asked for; `refusal` is what the node answered where it gave none.
    """

    def __init__(
        self, line: NodeLine, published: dict[str, Published], kinds: Mapping[bytes, str]
    ) -> None:
        """Ask `line` for traces."""
        self._line = line
        self._published = published
        self._kinds = kinds
        self._traced: tuple[bytes, list[Frame]] = (b"", [])
        self.traces = 0
        self.refusal = ""

    def entered(self, transaction: Transaction, place: Place) -> list[Call | Creation]:
        """Give the outermost calls into the contracts, in order. Raises NoTrace."""
        to, data = transaction.to, transaction.data
        if to is not None and to in self._kinds and not self._leaves(to, data, 0):
            return [Call(to, data, transaction.sender, place)]
        if transaction.created is not None and transaction.created in self._kinds:
            return [Creation(transaction.created, data, place)]
        return [
            Creation(frame.target, frame.data, place)
            if frame.kind in _CREATIONS
            else Call(frame.target, frame.data, frame.caller, place)
            for frame in self.trace(transaction.hash)
            if frame.target in self._kinds
            and not frame.inside
            and frame.kind in ("CALL", *_CREATIONS)
        ]

    def trace(self, transaction: bytes) -> list[Frame]:
        """Give every call of a transaction that was not undone, outer before inner."""
        if self._traced[0] != transaction:
            self.traces += 1
            try:
                told = self._line.call(
                    "debug_traceTransaction", wire.hexadecimal(transaction), _TRACER
                )
                frames = list(self._frames(wire.record(told, "the trace"), inside=False))
            except (NodeError, wire.Unreadable, RecursionError) as error:
                self.refusal = str(error)
                raise NoTrace(self.refusal) from error
            self._traced = (transaction, frames)
        return self._traced[1]

    def _frames(self, told: Mapping[str, Json], *, inside: bool) -> Iterator[Frame]:
        if told.get("error") is not None:
            return
        target = wire.data(wire.field(told, "to"), 20)
        yield Frame(
            str(told.get("type")).upper(),
            wire.data(wire.field(told, "from"), 20),
            target,
            wire.data(told.get("input") or "0x"),
            wire.data(told.get("output") or "0x"),
            inside,
        )
        for inner in wire.records(told.get("calls") or [], "the calls"):
            yield from self._frames(inner, inside=target in self._kinds)

    def _leaves(self, target: bytes, data: bytes, depth: int) -> bool:
        """Whether a call that may pass others on passes one on to a foreign contract."""
        kind = self._kinds.get(target)
        if kind is None or depth > _DEEPEST:
            return True
        function = self._published[kind].functions.get(data[:4])
        if kind not in {APPROVER, MANAGER} or function is None:
            return False
        try:
            arguments = function.arguments(data, 4)
        except AbiError:
            return False
        if function.name == "multicall":
            return any(self._leaves(target, inner, depth + 1) for inner in arguments["data"])
        if function.name != "execute":
            return False
        if kind == APPROVER:
            inner_target, inner_data = arguments["operation"][:2]
        else:
            inner_target, inner_data = arguments["target"], arguments["data"]
        return self._leaves(inner_target, inner_data, depth + 1)
