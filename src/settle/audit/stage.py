"""What explanations of calls work with: state, the events still to be explained, findings."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from settle.audit import abi
from settle.audit.abi import AbiError, Value
from settle.audit.authority_state import Authority
from settle.audit.books import Books
from settle.audit.calls import Call
from settle.audit.consents import Consents
from settle.audit.deployment import Deployment
from settle.audit.events import Event
from settle.audit.findings import Code, Findings
from settle.audit.fold import Fold
from settle.audit.published import Published
from settle.audit.typed_data import Digests
from settle.domain.keccak import keccak256


@dataclass(slots=True, kw_only=True)
class Stage:
    """One for the whole audit; `stream` has what is left of the current transaction's events."""

    deployment: Deployment
    published: dict[str, Published]
    kinds: dict[bytes, str]
    books: Books
    authority: Authority
    fold: Fold
    consents: Consents
    digests: Digests
    findings: Findings
    stream: deque[Event] = field(default_factory=deque)

    def arguments(self, call: Call) -> tuple[str, dict[str, Value]] | None:
        """Read a call: the function's name, its arguments. None, and a finding, if it is none."""
        kind = self.kinds[call.target]
        function = self.published[kind].functions.get(call.data[:4])
        fact = f"a call of {kind} with the selector 0x{call.data[:4].hex()}"
        if function is not None:
            try:
                return function.name, function.arguments(call.data, 4)
            except AbiError as error:
                fact = f"{function.name}: {error}"
        self.findings.tell(call.place, Code.CALL_UNREADABLE, fact, account=call.target)
        return None

    def take(self, call: Call, address: bytes, name: str, **expected: Value) -> Event | None:
        """Take the event that has to come next, compare what the call says of it, and apply it."""
        event = self.stream[0] if self.stream else None
        if event is None or event.address != address or event.name != name:
            self.findings.tell(
                call.place,
                Code.EVENT_MISSING,
                f"{name} of {self.kinds[address]}",
                account=address,
                stated="no event" if event is None else event.name,
                computed=name,
            )
            return None
        self.stream.popleft()
        self.compare(event, expected)
        self.fold.apply(event)
        return event

    def compare(self, event: Event, expected: dict[str, Value]) -> None:
        """Hold an event's arguments against those that the call gives."""
        for name, computed in expected.items():
            stated = event.arguments[name]
            if stated != computed:
                self.findings.tell(
                    event.place,
                    Code.EVENT_DIFFERS,
                    f"{name} of {event.name}",
                    account=event.address,
                    stated=stated,
                    computed=computed,
                )

    def require(self, call: Call, delay: int | None, what: str) -> None:
        """Check that the caller of a privileged function may call it, and after its delay.

        `delay` is what the authority says: None where it may not. An act that was scheduled says so
        by the manager's OperationExecuted, which comes before its own events.
        """
        manager = self.deployment.manager
        executed = False
        if not call.granted:
            event = self.stream[0] if self.stream else None
            operation = operation_id(call.caller, call.target, call.data)
            if event is not None and (event.address, event.name) == (manager, "OperationExecuted"):
                self.check_schedule(call, operation)
                self.take(call, manager, "OperationExecuted", operationId=operation)
                executed = True
            if delay is None or (delay > 0 and not executed):
                self.findings.tell(
                    call.place,
                    Code.NOT_AUTHORISED,
                    what if delay is None else f"{what}, without having been scheduled",
                    account=call.caller,
                )

    def check_schedule(self, call: Call, operation: bytes) -> None:
        """Check that an operation was scheduled and that its time has come."""
        due = self.authority.schedules.get(operation)
        if due is None or due > call.place.time:
            self.findings.tell(
                call.place,
                Code.NOT_AUTHORISED,
                "an operation before its time",
                account=call.caller,
                stated="never scheduled" if due is None else f"due at {due}",
                computed=f"due by {call.place.time}",
            )


def operation_id(caller: bytes, target: bytes, data: bytes) -> bytes:
    """Id of a scheduled operation: `hashOperation` of AccessManager."""
    return keccak256(abi.word(caller) + abi.word(target) + abi.word(96) + abi.tail(data))


def unexplained(stage: Stage, code: Code, **values: Any) -> None:  # noqa: ANN401  as `tell` takes them
    """Apply what is left of a transaction's events; each is a finding, for no call explains it."""
    while stage.stream:
        event = stage.stream.popleft()
        stage.findings.tell(
            event.place,
            code,
            f"{event.name} of {stage.kinds[event.address]}",
            instruction=event.subject if len(event.subject) == 32 else None,
            **values,
        )
        stage.fold.apply(event)
